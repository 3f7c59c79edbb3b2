"""What can happen in a home, and who did it?"""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Europe/London")


class Who(enum.Enum):
    """Who is in a home."""

    # There is one of each; Enum's own hash is a function in Python, and was a tenth of a bench's time.
    __hash__ = object.__hash__

    RESIDENT = "resident"
    PARTNER = "partner"
    VISITOR = "visitor"
    CAT = "cat"
    NOBODY = "nobody"  # a pipe, a fire, the heating


class What(enum.Enum):
    """What can happen in a home; the first part is what equipment could notice, the second is for the diary alone."""

    __hash__ = object.__hash__

    MOVED = "moved"
    LEFT = "left"  # the room
    DOOR_OPENED = "door opened"
    DOOR_CLOSED = "door closed"
    LAY_DOWN = "lay down"  # in bed
    GOT_UP = "got up"
    SAT_DOWN = "sat down"  # in the usual chair
    STOOD_UP = "stood up"
    SWITCHED_ON = "switched on"  # a kettle, a television
    SWITCHED_OFF = "switched off"
    SMOKED = "smoked"
    SMOKE_CLEARED = "smoke cleared"
    LEAKED = "leaked"
    DRIED = "dried"
    PENDANT_PRESSED = "pendant pressed"

    WENT_TO_BED = "went to bed"
    ROSE = "rose"
    WALKED_AT_NIGHT = "walked at night"
    WANDERED = "wandered"
    WENT_OUT = "went out"
    CAME_HOME = "came home"
    WENT_ON_HOLIDAY = "went on holiday"
    COLLAPSED = "collapsed"
    WAS_HELPED_UP = "was helped up"
    FELL_ILL = "fell ill"
    GOT_WELL = "got well"
    FORGOT_THE_DOOR = "forgot the door"
    SHUT_THE_DOOR = "shut the door"
    HEATING_FAILED = "heating failed"
    HEATING_WORKS = "heating works"
    CAME_TO_VISIT = "came to visit"
    ENDED_THE_VISIT = "ended the visit"


TRUTHS: Final = frozenset(list(What)[list(What).index(What.WENT_TO_BED) :])
"""What no sensor notices: the diary's own."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened in a home, whether or not a sensor was there to notice.

    `room` is where: a room; for doors, `front door`, `back door` or `fridge door`; for what is switched, its name; for
    a pendant, its sensor.
    """

    at: datetime
    what: What
    room: str
    who: Who = Who.RESIDENT

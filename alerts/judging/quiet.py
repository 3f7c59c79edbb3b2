"""What can it be that nothing is heard of a resident?  The kinds; `sorting` tells them apart."""

import enum
from typing import Final


class Quiet(enum.StrEnum):
    """What it is that nothing is heard of a resident."""

    STILL = "resident still"  # a movement would reach us, and none does
    OUT = "resident out"  # likewise, and the last sign of life was an outer door
    SENSOR = (
        "sensor silent"  # the box reports, and what would show a movement is silent, or reports and notices nothing
    )
    HUB = "hub silent"  # the box of this home, its line or its radio
    AREA = "power or network of an area"  # likewise, with many neighbours at once
    OURS = "our own parts"  # the home can do nothing for it
    PAUSED = "paused"  # nobody is to look
    NEVER_HEARD = "never heard"  # the home was not set up yet


_SEEN: Final = frozenset({Quiet.STILL, Quiet.OUT, Quiet.SENSOR})


def may_be_asked(quiet: Quiet) -> bool:
    """Return whether a question about the resident may be answered.

    With silent sensors alone it may: that looks like a stillness, and may be one.
    """
    return quiet in _SEEN

"""What did a sensor say, and what kind of place is that?

Rooms are called what whoever set up the home calls them, so a kind of place is told by a few plain words in the name.
"""

import enum
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from gateway.reading import Quantity


class Place(enum.Enum):
    """What being there means, where a question needs to know it."""

    BEDROOM = "bedroom"  # movement here at night may be turning over
    BATHROOM = "bathroom"  # a visit at night is ordinary
    WAY = "way"  # a hall or a landing: on the way to somewhere
    DOOR = "door"  # an outer door: who passes may be out afterwards
    OUTSIDE = "outside"  # neither warm nor in
    STORE = "store"  # a fridge, a loft: its temperature is not a room's
    ROOM = "room"  # any other, or not known


_WORDS: Final = (
    (Place.DOOR, ("front door", "back door", "outer door", "main door", "outside door", "patio door", "entrance")),
    (Place.STORE, ("fridge", "freezer", "loft", "garage", "cellar", "cupboard")),
    (Place.OUTSIDE, ("garden", "outside", "outdoor", "shed", "drive", "balcony")),
    (Place.BATHROOM, ("bath", "toilet", "wc", "shower", "loo")),
    (Place.BEDROOM, ("bed",)),
    (Place.WAY, ("hall", "landing", "stair", "corridor", "passage", "lobby", "porch")),
)


@lru_cache(maxsize=4096)
def place_of(room: str | None) -> Place:
    """Return what kind of place a room is by its name."""
    plain = " ".join((room or "").casefold().replace("-", " ").replace("_", " ").split())
    whole = f" {plain} "
    for place, words in _WORDS:
        # Short words only whole: a wc is not in every name with those letters.
        if any((f" {word} " in whole) if len(word) <= 3 and word != "bed" else (word in plain) for word in words):
            return place
    return Place.ROOM


@dataclass(frozen=True, slots=True)
class Sensed:
    """A reading whose time is certain.

    Attributes:
        at: when it was measured, and never after it was received.
        received_at: when it was received.
        hub: through which it came.
        sensor: which.
        room: as said with it or else as the home is known; None: not known.
        kind: what the sensor is, for people; empty where it is not known.
        place: what the room is; an outer door only for what opens.
        quantity: what was measured.
        value: in the unit that the quantity's name ends in.
        is_life: it shows that someone did something.
    """

    at: datetime
    received_at: datetime
    hub: str
    sensor: str
    room: str | None
    kind: str
    place: Place
    quantity: str
    value: float
    is_life: bool

    @property
    def is_outer_door(self) -> bool:
        return self.place is Place.DOOR


def place_of_sensor(room: str | None, quantity: str, *, is_outer: bool | None) -> Place:
    """Return what kind of place a sensor watches.

    Args:
        room: its room.
        quantity: what it measured: only what opens is a door.
        is_outer: whether it is on an outer door, as whoever set it up said; None: told by the room's name.
    """
    place = place_of(room)
    if quantity != Quantity.OPEN:
        # Movement beside the front door is in the hall.
        return Place.WAY if place is Place.DOOR else place
    if is_outer is None:
        return place
    if is_outer:
        return Place.DOOR
    return Place.ROOM if place is Place.DOOR else place

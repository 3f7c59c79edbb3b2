"""How does someone go about in a home: from room to room, into bed and chair, through doors?

Whatever they do, they first get up, go through the hallway, and are seen on the way.  The lengths are ours, set against
the TIHM recordings; tests/bench/README.md has the comparison.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from firmware_sim.happening import Happening, What, Who
from firmware_sim.hours import begins_at, begins_on, moments, wall
from firmware_sim.routines import Routine

# How long, in seconds, someone goes unseen while in a room (shortest, longest); drawn evenly on a log scale.
_UNSEEN_S: Final[dict[str, tuple[float, float]]] = {
    "kitchen": (20, 220),
    "bathroom": (15, 150),
    "bedroom": (20, 240),
    "hallway": (3, 10),
    "lounge": (70, 4200),
    "bed": (1500, 18000),
}
_EVENING_MIN: Final = 17 * 60 + 30


@dataclass(frozen=True, slots=True)
class Posture:
    """Where someone is, and what they will have to undo before they walk away."""

    room: str = "bedroom"
    is_in_bed: bool = True
    is_seated: bool = False
    has_television_on: bool = False


class Walk:
    """Somebody who is somewhere, from a moment on until the day's end; it remembers what happened on the way."""

    def __init__(
        self,
        routine: Routine,
        *,
        seed: int,
        home: str,
        who: Who,
        at: datetime,
        posture: Posture,
        name: str,
    ) -> None:
        """Begin.

        Args:
            routine: how they usually live.
            seed: with home, who, date and name it decides everything that is left to chance.
            home: whose.
            who: in it.
            at: aware; the day that it belongs to is lived to its end.
            posture: where they are then, and how.
            name: tells apart several courses of one day.
        """
        self.on = begins_on(at)
        self._chance = random.Random(f"{seed}/{home}/{who.value}/{self.on.isoformat()}/{name}")
        self._routine = routine
        self._who = who
        self._at = at
        self._moments = moments(routine, seed=seed, home=home, who=who, on=self.on)
        self._ends_at = begins_at(self.on + timedelta(days=1))
        self._room = posture.room
        self._is_in_bed = posture.is_in_bed
        self._is_seated = posture.is_seated
        self._has_television_on = posture.has_television_on
        self._last_at = at - timedelta(milliseconds=1)
        self.happened: list[Happening] = []

    def notes(self, what: What) -> None:
        """Let something be true that shows in nothing yet."""
        self._happens(what, self._room)

    def _visits(self, room: str, minutes: float) -> None:
        self._walks_to(room)
        until = self._at + timedelta(minutes=minutes)
        if room == "lounge" and minutes > 8:
            self._passes(self._chance.uniform(10, 40))
            self._sits_down()
        self._stays(room, until=until)

    def _walks_to(self, room: str) -> None:
        """Get up if need be, and go to a room through the hallway."""
        self._rises_from_rest()
        if room == self._room:
            self._moves()
            return
        if self._room != "hallway":
            self._enters("hallway")
            self._passes(self._chance.uniform(2, 8))
        if room != "hallway":
            self._enters(room)

    def _enters(self, room: str) -> None:
        self._happens(What.LEFT, self._room)
        self._room = room
        self._moves()

    def _rises_from_rest(self) -> None:
        if self._is_in_bed:
            self._is_in_bed = False
            self._happens(What.GOT_UP, "bed")
            self._moves()
            self._passes(self._chance.uniform(5, 25))
        if self._is_seated:
            self._is_seated = False
            self._happens(What.STOOD_UP, "chair")
            self._moves()
            self._passes(self._chance.uniform(2, 6))

    def _lies_down(self) -> None:
        if self._is_in_bed:
            return
        if self._has_television_on:
            self._switches_television(on=False)
        self._walks_to("bedroom")
        self._passes(self._chance.uniform(10, 40))
        self._is_in_bed = True
        self._happens(What.LAY_DOWN, "bed")

    def _sits_down(self) -> None:
        self._is_seated = True
        self._happens(What.SAT_DOWN, "chair")
        evening = self._at >= wall(self.on, _EVENING_MIN)
        if not self._has_television_on and self._chance.random() < (0.9 if evening else 0.3):
            self._switches_television(on=True)
        elif self._has_television_on and not evening and self._chance.random() < 0.4:
            self._switches_television(on=False)

    def _switches_television(self, *, on: bool) -> None:
        self._has_television_on = on
        self._happens(What.SWITCHED_ON if on else What.SWITCHED_OFF, "television")

    def _door(self, door: str, seconds: float) -> None:
        self._happens(What.DOOR_OPENED, door)
        self._passes(seconds)
        self._happens(What.DOOR_CLOSED, door)
        self._passes(self._chance.uniform(1, 4))

    def _stays(self, place: str, *, until: datetime) -> None:
        """Move now and then until then; in bed only when turning over, which the bedroom's sensor may see."""
        shortest_s, longest_s = _UNSEEN_S[place]
        while True:
            unseen_s = shortest_s * (longest_s / shortest_s) ** self._chance.random()
            if place != "bed":
                unseen_s /= self._routine.pace
            if self._at + timedelta(seconds=unseen_s) >= until:
                self._at = max(self._at, until)
                return
            self._passes(unseen_s)
            self._moves()

    def _passes(self, seconds: float) -> None:
        self._at += timedelta(milliseconds=max(1, round(seconds * 1000)))

    def _moves(self) -> None:
        self._happens(What.MOVED, self._room)

    def _happens(self, what: What, room: str) -> None:
        """Remember it at a millisecond of its own, unless the day is over: the next begins in bed."""
        at = self._at.replace(microsecond=self._at.microsecond // 1000 * 1000)
        at = max(at, self._last_at + timedelta(milliseconds=1))
        self._last_at = at
        if at < self._ends_at:
            self.happened.append(Happening(at, what, room, self._who))

"""What does someone who lives in a home do all day?

A day runs from 04:00 to 04:00 of the wall clock (Europe/London, with its two odd nights), because nearly everybody is
in bed then: each day begins and ends with someone asleep, and is a pure function of seed, home, person and date.
What somebody does after something befell them (they fell and were helped up) is a day begun in the middle.

The shares and lengths below are ours, set against the TIHM recordings (385 activations a home-day, mean over 30
homes, April to June 2019); tests/bench/README.md has the comparison.
"""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from firmware_sim.happening import Happening, What, Who
from firmware_sim.hours import begins_at, wall
from firmware_sim.routines import Routine
from firmware_sim.walk import Posture, Walk

# How long, in minutes, a visit lasts (shortest, longest).
_VISIT_MIN: Final[dict[str, tuple[float, float]]] = {
    "kitchen": (4, 14),
    "bathroom": (4, 10),
    "bedroom": (4, 12),
    "lounge": (12, 65),
}
_MEALS: Final = ((12 * 60 + 30, 35.0), (17 * 60 + 30, 45.0))
_LAST_OUTING_ENDS_MIN: Final = 17 * 60
_NAP_MIN: Final = (13 * 60 + 40, 35.0, 80.0)
_TRIP_MIN: Final = (9 * 60 + 30, 90.0, 480.0)


def day(
    routine: Routine, *, seed: int, home: str, on: date, who: Who = Who.RESIDENT, is_ill: bool = False
) -> tuple[Happening, ...]:
    """Return all that somebody does from 04:00 of a date to 04:00 of the next, in order, each at a moment of its own.

    It lasts 23 or 25 hours on the two nights when the clocks change.
    """
    course = Course(routine, seed=seed, home=home, who=who, at=begins_at(on), posture=Posture(), name="day")
    course.lives_on(is_ill=is_ill)
    return tuple(course.happened)


class Course(Walk):
    """What somebody does from a moment on, until the day's end."""

    def lives_on(self, *, is_ill: bool) -> None:
        """Live to the end of the day, as the hour and their health suggest."""
        rise_at, bed_at = wall(self.on, self._moments.rise_min), wall(self.on, self._moments.bed_min)
        if is_ill:
            self._lies_ill(until=bed_at)
        elif self._at < rise_at:
            self._sleeps(until=rise_at)
            self._rises()
            self._daytime(until=bed_at)
        elif self._at < bed_at:
            self._daytime(until=bed_at)
        if not self._is_in_bed:
            self._goes_to_bed()
        self._sleeps(until=self._ends_at)

    def leaves(self, why: What = What.WENT_OUT) -> None:
        """Go out by the front door at once."""
        if self._has_television_on:
            self._switches_television(on=False)
        self._walks_to("hallway")
        self._passes(self._chance.uniform(2, 6))
        self._door("front door", self._chance.uniform(5, 10))
        self._happens(What.LEFT, "hallway")
        self._happens(why, "front door")
        self._room = "outside"

    def returns(self) -> None:
        """Come in by the front door."""
        self._door("front door", self._chance.uniform(4, 8))
        self._happens(What.CAME_HOME, "front door")
        self._room = "hallway"
        self._passes(self._chance.uniform(1, 3))
        self._moves()

    def collapses(self) -> None:
        """Fall, out of bed or chair if that is where they were."""
        if self._is_in_bed:
            self._happens(What.GOT_UP, "bed")
        if self._is_seated:
            self._happens(What.STOOD_UP, "chair")
        self._happens(What.COLLAPSED, self._room)

    def is_helped_up(self) -> None:
        """Get up from the floor, with whoever came, and have something in the kitchen."""
        self._moves()
        self._happens(What.WAS_HELPED_UP, self._room)
        self._passes(30)
        self._visits("kitchen", self._chance.uniform(5, 12))

    def wanders(self) -> None:
        """Walk about without aim for an hour or so."""
        self._happens(What.WANDERED, self._room)
        for _ in range(self._chance.randint(6, 12)):
            room = self._chance.choice(("kitchen", "lounge", "hallway", "bathroom", "hallway"))
            if room == self._room:
                self._moves()
            self._visits(room, self._chance.uniform(2, 9))

    def forgets_the_door(self) -> None:
        """Open the front door, to look at the weather, and go back in without shutting it."""
        self._walks_to("hallway")
        self._passes(self._chance.uniform(2, 5))
        self._happens(What.DOOR_OPENED, "front door")
        self._happens(What.FORGOT_THE_DOOR, "front door")
        self._passes(self._chance.uniform(20, 60))

    def shuts_the_door(self) -> None:
        """Go to the front door and shut it."""
        self._walks_to("hallway")
        self._passes(self._chance.uniform(2, 5))
        self._happens(What.DOOR_CLOSED, "front door")
        self._happens(What.SHUT_THE_DOOR, "front door")
        self._passes(self._chance.uniform(2, 5))

    def _rises(self) -> None:
        """Bathroom, dress, breakfast."""
        self._happens(What.ROSE, self._room)
        self._visits("bathroom", self._chance.uniform(8, 18))
        self._visits("bedroom", self._chance.uniform(5, 12))
        self._eats(self._chance.uniform(20, 40))

    def _goes_to_bed(self) -> None:
        """Pass by the bathroom."""
        self._visits("bathroom", 8)
        self._visits("bedroom", 6)
        self._happens(What.WENT_TO_BED, "bedroom")
        self._lies_down()

    def _sleeps(self, *, until: datetime) -> None:
        """Sleep, turn over, and get up as often as this resident does."""
        self._lies_down()
        hours = (until - self._at).total_seconds() / 3600
        if hours <= 0:
            return
        # A night is about eight hours; each part of it has its share of the walks.
        for _ in range(_poisson(self._chance, self._routine.night_visits * hours / 8)):
            asleep_s = self._chance.expovariate(self._routine.night_visits / (8 * 3600))
            wakes_at = self._at + timedelta(seconds=max(self._chance.uniform(900, 1500), asleep_s))
            if wakes_at >= until - timedelta(minutes=50):
                break
            self._stays("bed", until=wakes_at)
            self._walks_at_night()
        self._stays("bed", until=until)

    def _walks_at_night(self) -> None:
        self._happens(What.WALKED_AT_NIGHT, self._room)
        self._visits("bathroom", self._chance.uniform(3, 8))
        if self._routine.wanders and self._chance.random() < 0.6:
            self._visits(self._chance.choice(("kitchen", "lounge", "hallway")), self._chance.uniform(4, 30))
        self._visits("bedroom", 1)
        self._lies_down()

    def _lies_ill(self, *, until: datetime) -> None:
        """Stay in bed but for the bathroom, a drink, and an hour in the chair."""
        self._lies_down()
        while self._at < until:
            up_at = self._at + timedelta(minutes=self._chance.uniform(70, 200))
            self._stays("bed", until=min(up_at, until))
            if up_at >= until:
                return
            self._visits("bathroom", self._chance.uniform(4, 12))
            if self._chance.random() < 0.4:
                self._eats(self._chance.uniform(5, 12))
            if self._chance.random() < 0.15:
                self._visits("lounge", self._chance.uniform(20, 50))
            self._visits("bedroom", 1)
            self._lies_down()

    def _daytime(self, *, until: datetime) -> None:
        """Meals, an outing and a nap where it is the day for one, and the rooms in between."""
        coming = self._appointments(until)
        bathroom_at = self._next_bathroom()
        while self._at < until:
            if coming and self._at >= coming[0][0]:
                self._keeps(*coming.pop(0))
            elif self._at >= bathroom_at:
                self._visits("bathroom", self._chance.uniform(*_VISIT_MIN["bathroom"]))
                bathroom_at = self._next_bathroom()
            else:
                self._goes_somewhere()

    def _appointments(self, until: datetime) -> list[tuple[datetime, str, float]]:
        """Return what the day holds from now on: when, what, and for how many minutes."""
        coming = [
            (wall(self.on, at + self._chance.gauss(0, 12)), "meal", minutes * self._chance.uniform(0.7, 1.3))
            for at, minutes in _MEALS
        ]
        if self._chance.random() < self._routine.naps:
            at, shortest, longest = _NAP_MIN
            coming.append((wall(self.on, at), "nap", self._chance.uniform(shortest, longest)))
        first, last = wall(self.on, self._moments.rise_min + 40), wall(self.on, 21 * 60)
        coming += [
            (first + (last - first) * self._chance.random(), "garden", self._chance.uniform(0.5, 6))
            for _ in range(_poisson(self._chance, self._routine.garden))
        ]
        coming += [
            (first + (last - first) * self._chance.random(), "caller", 0.0)
            for _ in range(_poisson(self._chance, self._routine.callers))
        ]
        coming += self._outing()
        return sorted(one for one in coming if self._at <= one[0] < until)

    def _outing(self) -> list[tuple[datetime, str, float]]:
        if self._chance.random() < self._routine.trips:
            at, shortest, longest = _TRIP_MIN
            lasts_min = shortest * (longest / shortest) ** self._chance.random()
            return [(wall(self.on, at + self._chance.uniform(0, 150)), "outing", lasts_min)]
        usual = self._routine.outings.get(self.on.weekday())
        if usual is None or self._chance.random() < 0.1:  # Rain, or a bad hip.
            return []
        leaves_min = usual.leaves_min + self._chance.gauss(0, 12)
        back_min = min(leaves_min + usual.lasts_min * self._chance.uniform(0.7, 1.4), _LAST_OUTING_ENDS_MIN)
        return [(wall(self.on, leaves_min), "outing", max(10.0, back_min - leaves_min))]

    def _keeps(self, at: datetime, what: str, minutes: float) -> None:
        """Do what was due at a moment, as late as it has become."""
        match what:
            case "meal":
                self._eats(minutes)
            case "nap":
                self._naps(minutes)
            case "garden":
                self._uses_the_back_door(minutes)
            case "caller":
                self._answers_the_door()
            case _:
                self.leaves()
                # Someone who left late is not back before they have left.
                self._at = max(at + timedelta(minutes=minutes), self._at + timedelta(minutes=10))
                self.returns()

    def _goes_somewhere(self) -> None:
        rooms = [room for room in ("lounge", "kitchen", "bedroom") if room != self._room]
        weights = [{"lounge": 10, "kitchen": 5, "bedroom": 2}[room] for room in rooms]
        room = self._chance.choices(rooms, weights)[0]
        minutes = self._chance.uniform(*_VISIT_MIN[room])
        if room == "kitchen" and self._chance.random() < 0.7:
            self._eats(minutes)
        else:
            self._visits(room, minutes)

    def _eats(self, minutes: float) -> None:
        """Be in the kitchen for so long, with the fridge and, mostly, the kettle."""
        self._walks_to("kitchen")
        until = self._at + timedelta(minutes=minutes)
        self._passes(self._chance.uniform(5, 30))
        for _ in range(1 + _poisson(self._chance, minutes / 7)):
            self._door("fridge door", self._chance.uniform(3, 20))
            self._passes(self._chance.uniform(2, 60))
        if self._chance.random() < 0.6:
            boils_s = self._chance.uniform(90, 210)
            self._happens(What.SWITCHED_ON, "kettle")
            self._stays("kitchen", until=self._at + timedelta(seconds=boils_s))
            self._happens(What.SWITCHED_OFF, "kettle")
        self._stays("kitchen", until=max(until, self._at))

    def _naps(self, minutes: float) -> None:
        self._visits("bedroom", 2)
        self._lies_down()
        self._stays("bed", until=self._at + timedelta(minutes=minutes))

    def _uses_the_back_door(self, minutes: float) -> None:
        """Put something out, feed the birds, look at the washing."""
        self._walks_to("kitchen")
        self._door("back door", self._chance.uniform(2, 8))
        self._happens(What.LEFT, "kitchen")
        self._passes(minutes * 60)
        self._door("back door", self._chance.uniform(2, 8))
        self._moves()

    def _answers_the_door(self) -> None:
        """Take in the post, put out a bottle, see who rang."""
        self._walks_to("hallway")
        for _ in range(self._chance.randint(1, 4)):
            self._door("front door", self._chance.uniform(3, 60))
        self._moves()

    def _next_bathroom(self) -> datetime:
        return self._at + timedelta(minutes=self._chance.uniform(90, 200))


def what_ends_by_itself(rest: Sequence[Happening], begun: set[str]) -> list[Happening]:
    """Return what of an interrupted course still happens: a kettle switches itself off, a door falls shut."""
    ended: dict[str, Happening] = {}
    for one in rest:
        ends = one.what is What.DOOR_CLOSED or (one.what is What.SWITCHED_OFF and one.room == "kettle")
        if ends and one.room in begun:
            ended.setdefault(one.room, one)
    return list(ended.values())


def _poisson(chance: random.Random, mean: float) -> int:
    """Return a Poisson number by counting exponential gaps (Knuth, TAOCP vol. 2, 3.4.1)."""
    total, number = chance.expovariate(1.0), 0
    while total < mean:
        total += chance.expovariate(1.0)
        number += 1
    return number

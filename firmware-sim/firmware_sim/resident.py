"""What does a resident do all day?

A day is a pure function of seed, home and date: the same three give the same day, in any process and at any
moment, so nothing has to be remembered across a restart.  Times are made in the resident's own wall time
(Europe/London, with its two odd nights) and handed out in UTC.

The shares and lengths below are ours, set so that a day has the 200 to 600 movements that homes of the TIHM
recordings have (385 activations a home-day, mean over 30 homes, April to June 2019) and nights are long and
quiet; a test keeps them there.
"""

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Europe/London")
_DAY_MIN: Final = 24 * 60
# Nobody's wall-clock plan may fall between 01:00 and 02:00, which does not exist in March and comes twice in October.
_LATEST_BED_MIN: Final = _DAY_MIN + 55
_EARLIEST_RISE_MIN: Final = 4 * 60
_LATEST_RISE_MIN: Final = 11 * 60


class What(enum.Enum):
    """What can happen in a home that equipment could notice."""

    MOVED = "moved"
    DOOR_OPENED = "door opened"
    DOOR_CLOSED = "door closed"
    PENDANT_PRESSED = "pendant pressed"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened in a home, whether or not a sensor was there to notice."""

    at: datetime
    what: What
    room: str


@dataclass(frozen=True, slots=True)
class Outing:
    """A usual absence: leaves about then, for about so long, in minutes of the wall clock."""

    leaves_min: int
    lasts_min: int


@dataclass(frozen=True, slots=True)
class Routine:
    """How someone usually lives; minutes of the wall clock since midnight.

    `bed_min` may be above 1440: after midnight.  `night_visits` is the mean number of walks to the bathroom a
    night.  `outings` is by weekday, Monday is 0.
    """

    name: str
    rise_min: int
    rise_spread_min: float
    bed_min: int
    bed_spread_min: float
    night_visits: float
    wanders: bool = False
    sunday_lie_in_min: int = 0
    outings: dict[int, Outing] = field(default_factory=dict)


ROUTINES: Final[dict[str, Routine]] = {
    routine.name: routine
    for routine in (
        Routine(
            name="early riser",
            rise_min=6 * 60 + 10,
            rise_spread_min=12,
            bed_min=21 * 60 + 30,
            bed_spread_min=15,
            night_visits=1.0,
            outings={
                0: Outing(9 * 60 + 30, 70),
                2: Outing(9 * 60 + 30, 60),
                4: Outing(9 * 60 + 40, 80),
                6: Outing(10 * 60 + 15, 100),
            },
        ),
        Routine(
            name="late riser",
            rise_min=9 * 60 + 20,
            rise_spread_min=30,
            bed_min=_DAY_MIN + 10,
            bed_spread_min=20,
            night_visits=0.7,
            sunday_lie_in_min=30,
            outings={
                1: Outing(13 * 60 + 30, 120),
                3: Outing(14 * 60, 90),
                5: Outing(12 * 60 + 45, 150),
            },
        ),
        Routine(
            name="night walker",
            rise_min=7 * 60 + 30,
            rise_spread_min=25,
            bed_min=22 * 60 + 30,
            bed_spread_min=25,
            night_visits=3.5,
            wanders=True,
            sunday_lie_in_min=15,
            outings={1: Outing(10 * 60 + 30, 45), 5: Outing(11 * 60, 60)},
        ),
    )
}

# How long, in seconds, someone goes unseen while in a room (shortest, longest); drawn evenly on a log scale.
_UNSEEN_S: Final[dict[str, tuple[float, float]]] = {
    "kitchen": (20, 240),
    "bathroom": (15, 150),
    "bedroom": (20, 240),
    "hallway": (3, 10),
    "lounge": (45, 1100),
    "bed": (1800, 16000),
}
# How long, in minutes, a visit lasts (shortest, longest).
_VISIT_MIN: Final[dict[str, tuple[float, float]]] = {
    "kitchen": (4, 15),
    "bathroom": (4, 10),
    "bedroom": (4, 12),
    "lounge": (20, 75),
}
_MEALS: Final = ((12 * 60 + 30, 35.0), (17 * 60 + 30, 45.0))
_LAST_OUTING_ENDS_MIN: Final = 17 * 60


@dataclass(frozen=True, slots=True)
class _Moments:
    """When someone got up on a date and went to bed at its end, in wall minutes since its midnight."""

    rise_min: float
    bed_min: float


def day(routine: Routine, *, seed: int, home: str, on: date) -> tuple[Happening, ...]:
    """Return all that happens on a local date, in order, each at a moment of its own.

    The day runs from local midnight (included) to the next (excluded): 23 or 25 hours on the two nights when
    the clocks change.  What is left of the evening before, for someone who goes to bed after midnight, is
    part of it.
    """
    chance = random.Random(f"{seed}/{home}/{on.isoformat()}/day")
    before = _moments(routine, seed=seed, home=home, on=on - timedelta(days=1))
    today = _moments(routine, seed=seed, home=home, on=on)
    walk = _Walk(chance, on)

    if before.bed_min > _DAY_MIN:
        walk.evening(until_min=before.bed_min - _DAY_MIN)
    walk.night(until=_wall(on, today.rise_min), routine=routine)
    walk.morning()
    walk.daytime(routine, until_min=min(today.bed_min, _DAY_MIN))
    if today.bed_min <= _DAY_MIN:
        walk.go_to_bed()
        walk.night(until=walk.ends_at, routine=routine)
    return walk.happened()


def life(routine: Routine, *, seed: int, home: str, since: date) -> Iterator[Happening]:
    """Yield all that happens from local midnight of `since` on, without end, in order."""
    for days in count():
        yield from day(routine, seed=seed, home=home, on=since + timedelta(days=days))


def _moments(routine: Routine, *, seed: int, home: str, on: date) -> _Moments:
    """Return when the resident rises and goes to bed; apart from the day, since tomorrow asks too."""
    chance = random.Random(f"{seed}/{home}/{on.isoformat()}/moments")
    lie_in = routine.sunday_lie_in_min if on.weekday() == 6 else 0
    rise = chance.gauss(routine.rise_min + lie_in, routine.rise_spread_min)
    bed = chance.gauss(routine.bed_min, routine.bed_spread_min)
    return _Moments(
        rise_min=min(max(rise, _EARLIEST_RISE_MIN), _LATEST_RISE_MIN),
        bed_min=min(max(bed, 19 * 60), _LATEST_BED_MIN),
    )


def _wall(on: date, minutes: float) -> datetime:
    """Return the UTC moment of a local wall time, in minutes since that date's midnight."""
    naive = datetime(on.year, on.month, on.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - the zone is set next.
    return naive.replace(tzinfo=LOCAL).astimezone(UTC)


class _Walk:
    """Someone going from room to room through one date; it remembers what happened on the way."""

    def __init__(self, chance: random.Random, on: date) -> None:
        self._chance = chance
        self._on = on
        self._at = _wall(on, 0)
        self.ends_at = _wall(on + timedelta(days=1), 0)
        self._room = "bedroom"
        self._seen: list[Happening] = []

    def happened(self) -> tuple[Happening, ...]:
        """Return what happened, to the millisecond, never two at once."""
        return tuple(self._seen)

    def evening(self, *, until_min: float) -> None:
        """Sit up in the lounge, then go to bed."""
        self._room = "lounge"
        self._stay("lounge", until=_wall(self._on, until_min))
        self.go_to_bed()

    def go_to_bed(self) -> None:
        """Pass by the bathroom."""
        self._visit("bathroom", 8)
        self._visit("bedroom", 6)

    def morning(self) -> None:
        """Bathroom, dress, breakfast."""
        self._visit("bathroom", self._chance.uniform(8, 18))
        self._visit("bedroom", self._chance.uniform(5, 12))
        self._visit("kitchen", self._chance.uniform(20, 40))

    def night(self, *, until: datetime, routine: Routine) -> None:
        """Sleep, turn over, and get up as often as this resident does."""
        hours = (until - self._at).total_seconds() / 3600
        if hours <= 0:
            return
        # A night is about eight hours; the part of it before midnight has its share of the walks.
        for _ in range(_poisson(self._chance, routine.night_visits * hours / 8)):
            asleep_s = self._chance.expovariate(routine.night_visits / (8 * 3600))
            wakes_at = self._at + timedelta(seconds=max(1200, asleep_s))
            if wakes_at >= until - timedelta(minutes=30):
                break
            self._stay("bed", until=wakes_at)
            self._night_walk(wanders=routine.wanders)
        self._stay("bed", until=until)

    def daytime(self, routine: Routine, *, until_min: float) -> None:
        """Meals, an outing where it is the day for one, and the rooms in between."""
        until = _wall(self._on, until_min)
        meals = [
            (_wall(self._on, at + self._chance.gauss(0, 12)), minutes * self._chance.uniform(0.7, 1.3))
            for at, minutes in _MEALS
        ]
        outing = self._outing(routine)
        bathroom_at = self._next_bathroom()
        while self._at < until:
            if outing is not None and self._at >= outing[0]:
                self._go_out(back_at=outing[1])
                outing = None
            elif meals and self._at >= meals[0][0]:
                self._visit("kitchen", meals.pop(0)[1])
            elif self._at >= bathroom_at:
                self._visit("bathroom", self._chance.uniform(*_VISIT_MIN["bathroom"]))
                bathroom_at = self._next_bathroom()
            else:
                self._somewhere()

    def _somewhere(self) -> None:
        rooms = [room for room in ("lounge", "kitchen", "bedroom") if room != self._room]
        weights = [{"lounge": 10, "kitchen": 5, "bedroom": 2}[room] for room in rooms]
        room = self._chance.choices(rooms, weights)[0]
        self._visit(room, self._chance.uniform(*_VISIT_MIN[room]))

    def _night_walk(self, *, wanders: bool) -> None:
        self._visit("bathroom", self._chance.uniform(3, 8))
        if wanders and self._chance.random() < 0.6:
            self._visit(self._chance.choice(("kitchen", "lounge", "hallway")), self._chance.uniform(4, 30))
        self._visit("bedroom", 2)

    def _next_bathroom(self) -> datetime:
        return self._at + timedelta(minutes=self._chance.uniform(90, 200))

    def _outing(self, routine: Routine) -> tuple[datetime, datetime] | None:
        usual = routine.outings.get(self._on.weekday())
        if usual is None or self._chance.random() < 0.1:  # Rain, or a bad hip.
            return None
        leaves_min = usual.leaves_min + self._chance.gauss(0, 12)
        back_min = min(leaves_min + usual.lasts_min * self._chance.uniform(0.7, 1.4), _LAST_OUTING_ENDS_MIN)
        return _wall(self._on, leaves_min), _wall(self._on, back_min)

    def _go_out(self, *, back_at: datetime) -> None:
        self._through_the_hallway()
        self._front_door()
        # Someone who left late is not back before they have left.
        self._at = max(back_at, self._at + timedelta(minutes=10))
        self._front_door()
        self._room = "outside"
        self._through_the_hallway()
        self._room = "hallway"

    def _front_door(self) -> None:
        self._happens(What.DOOR_OPENED, "front door")
        self._passes(self._chance.uniform(5, 14))
        self._happens(What.DOOR_CLOSED, "front door")
        self._passes(self._chance.uniform(1, 4))

    def _visit(self, room: str, minutes: float) -> None:
        if room != self._room:
            self._through_the_hallway()
            self._room = room
        self._stay(room, until=self._at + timedelta(minutes=minutes))

    def _through_the_hallway(self) -> None:
        self._happens(What.MOVED, "hallway")
        self._passes(self._chance.uniform(2, 8))

    def _stay(self, place: str, *, until: datetime) -> None:
        """Move now and then until then; in bed only when turning over, which the bedroom's sensor may see."""
        shortest_s, longest_s = _UNSEEN_S[place]
        room = "bedroom" if place == "bed" else place
        if place == "bed":
            self._room = "bedroom"
        else:
            self._happens(What.MOVED, room)
        while True:
            unseen_s = shortest_s * (longest_s / shortest_s) ** self._chance.random()
            if self._at + timedelta(seconds=unseen_s) >= until:
                self._at = max(self._at, until)
                return
            self._passes(unseen_s)
            self._happens(What.MOVED, room)

    def _passes(self, seconds: float) -> None:
        self._at += timedelta(milliseconds=max(1, round(seconds * 1000)))

    def _happens(self, what: What, room: str) -> None:
        """Remember it, unless the date is over: the next date has its own midnight."""
        at = self._at.replace(microsecond=self._at.microsecond // 1000 * 1000)
        if self._seen and at <= self._seen[-1].at:
            at = self._seen[-1].at + timedelta(milliseconds=1)
        if at < self.ends_at:
            self._seen.append(Happening(at, what, room))


def _poisson(chance: random.Random, mean: float) -> int:
    """Return a Poisson number by counting exponential gaps (Knuth, TAOCP vol. 2, 3.4.1)."""
    total, number = chance.expovariate(1.0), 0
    while total < mean:
        total += chance.expovariate(1.0)
        number += 1
    return number

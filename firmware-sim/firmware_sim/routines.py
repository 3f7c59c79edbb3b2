"""How do the people of a home usually live, and who is there beside the resident?

The numbers of each routine are ours, chosen so that a street has the spread of the thirty TIHM homes; the bench
`tests/bench/simulated_homes.py` compares them, and tests/bench/README.md has the table.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Final

DAY_MIN: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Outing:
    """A usual absence: leaves about then, for about so long, in minutes of the wall clock."""

    leaves_min: int
    lasts_min: int


@dataclass(frozen=True, slots=True)
class Routine:
    """How someone usually lives; minutes of the wall clock since midnight.

    `bed_min` may be above 1440: after midnight.  `night_visits` is the mean number of walks to the bathroom a
    night.  `outings` is by weekday, Monday is 0.  `naps` is the share of days with a nap after lunch.  `pace` says how
    often someone is seen while in a room: twice the pace, half the time unseen.  `garden` is the mean number of uses
    of the back door a day, `callers` of the front door without going out.  `trips` is the
    share of days on which they are away for hours: a day centre, a daughter.
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
    naps: float = 0.1
    pace: float = 1.0
    garden: float = 4.0
    callers: float = 4.0
    trips: float = 0.0


@dataclass(frozen=True, slots=True)
class Visits:
    """Somebody who comes on some weekdays (Monday is 0), in minutes of the wall clock, and is let in."""

    name: str
    days: tuple[int, ...]
    comes_min: int
    lasts_min: int


@dataclass(frozen=True, slots=True)
class Household:
    """All who live in a home, and who comes."""

    resident: Routine
    partner: Routine | None = None
    visits: tuple[Visits, ...] = ()
    cats: int = 0


_MORNING: Final = Outing(9 * 60 + 30, 70)
_EARLY: Final = {0: _MORNING, 2: Outing(9 * 60 + 30, 60), 4: Outing(9 * 60 + 40, 80), 6: Outing(10 * 60 + 15, 100)}
_LATE: Final = {1: Outing(13 * 60 + 30, 120), 3: Outing(14 * 60, 90), 5: Outing(12 * 60 + 45, 150)}
_NIGHT: Final = {1: Outing(10 * 60 + 30, 45), 5: Outing(11 * 60, 60)}

ROUTINES: Final[dict[str, Routine]] = {
    routine.name: routine
    for routine in (
        Routine("early riser", 370, 12, 21 * 60 + 30, 15, 1.0, outings=_EARLY, garden=7),
        Routine("late riser", 560, 30, DAY_MIN + 10, 20, 0.7, sunday_lie_in_min=30, outings=_LATE),
        Routine("night walker", 450, 25, 22 * 60 + 30, 25, 3.5, wanders=True, sunday_lie_in_min=15, outings=_NIGHT),
        Routine("stays in", 8 * 60, 20, 21 * 60, 20, 2.2, naps=0.6, pace=0.6, garden=0.5),
        Routine("napper", 7 * 60, 15, 22 * 60, 20, 1.6, naps=0.9, pace=0.8, outings={3: _MORNING}),
        Routine("busy", 6 * 60 + 45, 10, 22 * 60 + 45, 15, 0.6, pace=1.5, garden=10, outings=_EARLY | _LATE, callers=7),
    )
}

VISITS: Final[dict[str, Visits]] = {
    visits.name: visits
    for visits in (
        Visits("cleaner", (0, 3), 10 * 60, 110),
        Visits("home carer", tuple(range(7)), 8 * 60 + 30, 35),
        Visits("daughter", (2, 6), 15 * 60, 120),
    )
}

ANYONE: Final = "anyone"


def anyone(*, seed: int, home: str) -> Household:
    """Return an invented household, always the same for a seed and a home.

    A fifth of homes have a second person and a fifth a cat; two in five are visited.  Whether anyone lives with TIHM's
    residents is not stated, so these shares are ours.
    """
    chance = random.Random(f"{seed}/{home}/household")
    resident = _own(chance.choice(list(ROUTINES.values())), chance)
    partner = _own(chance.choice([ROUTINES["early riser"], ROUTINES["napper"]]), chance)
    visits = chance.choice(list(VISITS.values()))
    return Household(
        resident,
        partner=partner if chance.random() < 0.2 else None,
        visits=(visits,) if chance.random() < 0.4 else (),
        cats=int(chance.random() < 0.2),
    )


def _own(usual: Routine, chance: random.Random) -> Routine:
    """Return a routine with this person's own hours and habits."""
    return replace(
        usual,
        rise_min=usual.rise_min + round(chance.gauss(0, 25)),
        bed_min=usual.bed_min + round(chance.gauss(0, 25)),
        night_visits=usual.night_visits * chance.uniform(0.4, 1.8),
        pace=usual.pace * chance.uniform(0.5, 1.5),
        garden=usual.garden * chance.uniform(0.2, 2.2),
        callers=usual.callers * chance.uniform(0.2, 2.6),
        trips=chance.uniform(0, 0.35),
    )

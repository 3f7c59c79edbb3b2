"""How good is the learned question where nobody chose its numbers?

    python -m tests.bench.quality [recordings] [--whole] [--within-min M]

Three answers, from the judging as it runs live (see bench_judging, which counts alike).  The frontier: false alarms and
delay for each patience, the one number that turns.  Half on half: the patience that gives at most so many false alarms
on a half of the homes, scored on the other half, over many seeded halves.  Elsewhere: the CASAS home of 30 days (WSU
CASAS), for which nothing was ever chosen.  Intervals are 90 %, by resampling homes.

A line is every home lived through once under one policy, some two minutes of processor.  Without `--whole` there are
seven: the patience as shipped, half and twice that, and the plain timer.  Each is printed as soon as it is known, with
the minutes that it took, and homes that are done are counted on stderr; after `--within-min` no further one is begun.

The figures are in README.md beside this file.
"""

import argparse
import gzip
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from alerts.judging.policy import Policy
from gateway.clock import monotonic_s
from tests.bench.bench_judging import Score, Walk, live_in, read, recordings

_DAYS_MIN: Final = timedelta(days=26)
_PATIENCES_H: Final = (200, 300, 400, 500, 600, 750, 900, 1200, 1600, 2200, 3000)
_TIMERS_H: Final = (6, 8, 9, 10, 12)
_FEW_PATIENCES_H: Final = (300, 600, 1200)
_FEW_TIMERS_H: Final = (6,)
_GOALS: Final = (0.06, 0.07, 0.08, 0.09)
_HALVES: Final = 200
_RESAMPLES: Final = 1000
_SEED: Final = 1
_LONDON: Final = ZoneInfo("Europe/London")

Counted: TypeAlias = tuple[float, int, float, int]
"""Of one home under one policy: days, false alarms, hours of delay, collapses tried."""


def main() -> int:
    """Print the three answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality")
    parser.add_argument("recordings", type=Path, nargs="?", default=recordings())
    parser.add_argument("--whole", action="store_true", help="every patience and timer; half an hour on two free cores")
    parser.add_argument("--within-min", type=float, default=120)
    said = parser.parse_args()
    timers, patiences = (_TIMERS_H, _PATIENCES_H) if said.whole else (_FEW_TIMERS_H, _FEW_PATIENCES_H)
    where, until_s = said.recordings, monotonic_s() + 60 * said.within_min
    if not (where / "tihm" / "activity.csv.gz").exists():
        sys.stdout.write(f"No recordings at {where}; set TELECARE_RECORDINGS to the folder that holds tihm/.\n")
        return 0
    walks = {home: walk for home, walk in read(where / "tihm").items() if walk[-1][0] - walk[0][0] >= _DAYS_MIN}
    with ProcessPoolExecutor(2) as pool:
        tell = partial(told, pool, sorted(walks.items()), until_s=until_s)
        sys.stdout.write(f"TIHM, {len(walks)} homes, false alarms a home-day and mean delay\n")
        for hours in timers:
            tell(f"no movement for {hours} h at any hour", _timer(hours))
        frontier = {hours: tell(f"patience {hours} h", Policy(patience=timedelta(hours=hours))) for hours in patiences}
        for goal in _GOALS:
            sys.stdout.write(half_on_half(frontier, goal) + "\n")
        casas = where / "casas" / "home30d.txt.gz"
        if casas.exists():
            sys.stdout.write("CASAS\n")
            elsewhere = [("casas", read_casas(casas))]
            told(pool, elsewhere, "no movement for 6 h at any hour", _timer(6), until_s=until_s)
            for hours in patiences:
                told(pool, elsewhere, f"patience {hours} h", _patient(hours), until_s=until_s)
    return 0


def _timer(hours: int) -> Policy:
    still_for = timedelta(hours=hours)
    return Policy(still_for=still_for, waking_from=time(0), waking_until=time(0), learned=False, is_out_asked=False)


def _patient(hours: int) -> Policy:
    return Policy(patience=timedelta(hours=hours))


def told(
    pool: ProcessPoolExecutor, walks: Sequence[tuple[str, Walk]], name: str, policy: Policy, *, until_s: float
) -> list[Counted]:
    """Print what came of a policy, and return it home by home.

    Raises:
        SystemExit: the time is over.
    """
    began_s = monotonic_s()
    if began_s > until_s:
        raise SystemExit(f"the time is over before: {name}")
    homes: list[Counted] = []
    for one in pool.map(partial(lived, policy), walks):
        homes.append(one)
        sys.stderr.write(f"{name}: {len(homes)} of {len(walks)} homes\n")
    low, high = interval(homes, false_alarms), interval(homes, delay_h)
    sys.stdout.write(
        f"{name:36s} {false_alarms(homes):6.3f} [{low[0]:.3f} to {low[1]:.3f}]"
        f" {delay_h(homes):6.2f} h [{high[0]:.2f} to {high[1]:.2f}] ({(monotonic_s() - began_s) / 60:.1f} min)\n"
    )
    sys.stdout.flush()
    return homes


def lived(policy: Policy, home: tuple[str, Walk]) -> Counted:
    """Judge one home's recording."""
    score = Score()
    live_in(home[0], home[1], policy, score)
    return score.days, len(score.false_alarms), sum(score.delays_h), len(score.delays_h)


def false_alarms(homes: list[Counted]) -> float:
    """Return false alarms a home-day."""
    return sum(home[1] for home in homes) / sum(home[0] for home in homes)


def delay_h(homes: list[Counted]) -> float:
    """Return the mean delay in hours."""
    return sum(home[2] for home in homes) / sum(home[3] for home in homes)


def interval(homes: list[Counted], of: Callable[[list[Counted]], float]) -> tuple[float, float]:
    """Return the middle 90 % of a figure over homes that are drawn again."""
    chance = random.Random(_SEED)
    drawn = sorted(of(chance.choices(homes, k=len(homes))) for _ in range(_RESAMPLES))
    return drawn[_RESAMPLES // 20], drawn[-_RESAMPLES // 20]


def half_on_half(frontier: dict[int, list[Counted]], goal: float) -> str:
    """Choose the patience on one half of the homes, and say what came of it on the other."""
    chance, held_out = random.Random(_SEED), []
    count = len(next(iter(frontier.values())))
    for _ in range(_HALVES):
        chosen_on = set(chance.sample(range(count), count // 2))
        rates = {hours: false_alarms([homes[i] for i in chosen_on]) for hours, homes in frontier.items()}
        patience = min((hours for hours, rate in rates.items() if rate <= goal), default=max(frontier))
        others = [home for i, home in enumerate(frontier[patience]) if i not in chosen_on]
        held_out.append((false_alarms(others), delay_h(others), patience))
    said = [sorted(one[part] for one in held_out) for part in range(3)]
    low, high = _HALVES // 20, -_HALVES // 20
    means = [sum(one) / _HALVES for one in said]
    return (
        f"at most {goal} on one half: on the other {means[0]:.3f} [{said[0][low]:.3f} to {said[0][high]:.3f}]"
        f" at {means[1]:.2f} h [{said[1][low]:.2f} to {said[1][high]:.2f}], patience {said[2][_HALVES // 2]} h"
    )


def read_casas(path: Path) -> Walk:
    """Return the CASAS home as a recording: who moved where, and which door was opened.

    Its wall times, of a zone that is not said, are taken for London's by their face, so that its nights are nights.
    """
    walk: Walk = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            day, clock, _, place, says, *_ = line.split()
            if says in {"ON", "OPEN"}:
                at = datetime.fromisoformat(f"{day} {clock[:8]}").replace(tzinfo=_LONDON).astimezone(UTC)
                walk.append((at, "front-door" if says == "OPEN" else place.lower()))
    return sorted(walk)


if __name__ == "__main__":
    sys.exit(main())

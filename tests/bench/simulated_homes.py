"""Are simulated homes like real ones, and how fast are thousands of them lived?

    python -m tests.bench.simulated_homes [--homes N] [--days D]

Lives N homes for D days into a recording, and puts its figures beside those of the thirty TIHM homes, where these are.
"""

import argparse
import csv
import gzip
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_VISIT: Final = timedelta(minutes=15)
# A day with fewer is one in which most of the equipment was silent.
_DAY_MIN: Final = 50


@dataclass(slots=True)
class Figures:
    """What is compared, one number a home-day."""

    activations: list[float] = field(default_factory=list)
    night_bathroom_visits: list[float] = field(default_factory=list)
    front_door: list[float] = field(default_factory=list)
    longest_day_gap_h: list[float] = field(default_factory=list)
    longest_night_gap_h: list[float] = field(default_factory=list)
    locations: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)


def figures_of(path: Path) -> Figures:
    """Return the figures of a recording: whole days, without each home's first and last."""
    days: defaultdict[str, defaultdict[object, list[tuple[datetime, str]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt") as rows:
        for row in csv.DictReader(rows):
            at = datetime.fromisoformat(row["observed_at"])
            days[row["home"]][at.date()].append((at, row["location"]))
    found = Figures()
    for lived in days.values():
        for on in sorted(lived, key=str)[1:-1]:
            if len(lived[on]) >= _DAY_MIN:
                _add(found, sorted(lived[on]))
    return found


def _add(found: Figures, day: Sequence[tuple[datetime, str]]) -> None:
    midnight = day[0][0].replace(hour=0, minute=0, second=0)
    found.activations.append(len(day))
    found.locations.update(location for _, location in day)
    found.hours.update(at.hour for at, _ in day)
    found.front_door.append(sum(location == "front-door" for _, location in day))
    bathroom = [at for at, location in day if location == "bathroom"]
    if bathroom:
        found.night_bathroom_visits.append(_visits(at for at in bathroom if at.hour < 6))
    found.longest_day_gap_h.append(_longest_gap_h(day, midnight, 8, 22))
    found.longest_night_gap_h.append(_longest_gap_h(day, midnight, 0, 6))


def _visits(moments: Iterable[datetime]) -> int:
    visits, last = 0, None
    for at in moments:
        visits += last is None or at - last > _VISIT
        last = at
    return visits


def _longest_gap_h(day: Sequence[tuple[datetime, str]], midnight: datetime, first_h: int, last_h: int) -> float:
    first, last = midnight + timedelta(hours=first_h), midnight + timedelta(hours=last_h)
    moments = [first, *(at for at, _ in day if first <= at < last), last]
    return max((later - earlier).total_seconds() for earlier, later in pairwise(moments)) / 3600


def _quantiles(numbers: Sequence[float]) -> str:
    ordered = sorted(numbers)
    return " / ".join(f"{ordered[round(share * (len(ordered) - 1))]:.3g}" for share in _QUANTILES)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _table(named: dict[str, Figures]) -> None:
    rows: tuple[tuple[str, Callable[[Figures], list[float]]], ...] = (
        ("activations a home-day", lambda it: it.activations),
        ("visits to the bathroom, 00:00 to 06:00", lambda it: it.night_bathroom_visits),
        ("front door opened", lambda it: it.front_door),
        ("longest gap 08:00 to 22:00, h", lambda it: it.longest_day_gap_h),
        ("longest gap 00:00 to 06:00, h", lambda it: it.longest_night_gap_h),
    )
    _say("| 5 / 25 / 50 / 75 / 95 % | " + " | ".join(named) + " |")
    _say("|---|" + "---|" * len(named))
    for name, numbers in rows:
        _say(f"| {name} | " + " | ".join(_quantiles(numbers(it)) for it in named.values()) + " |")
    for location in sorted(next(iter(named.values())).locations):
        shares = (it.locations[location] / sum(it.locations.values()) for it in named.values())
        _say(f"| {location}, share | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    for begins in range(0, 24, 3):
        shares = (sum(it.hours[begins + h] for h in range(3)) / sum(it.hours.values()) for it in named.values())
        _say(
            f"| {begins:02d} to {begins + 3:02d} o'clock, share | " + " | ".join(f"{one:.1%}" for one in shares) + " |"
        )


def main() -> int:
    """Live, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=60)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    real = Path(os.environ.get("TELECARE_RECORDINGS", beside)) / "tihm" / "activity.csv.gz"
    with tempfile.TemporaryDirectory() as folder:
        words = ["--homes", str(asked.homes), "--days", str(asked.days), "--seed", str(asked.seed), "--out", folder]
        subprocess.run([sys.executable, "-m", "firmware_sim.simulate", *words], check=True)
        named = {"simulated": figures_of(Path(folder) / "recording.csv.gz")}
    if real.exists():
        named = {"TIHM": figures_of(real)} | named
    else:
        _say(f"The TIHM recordings are not at {real}; set TELECARE_RECORDINGS to the folder that holds tihm/.")
    _table(named)
    return 0


if __name__ == "__main__":
    sys.exit(main())

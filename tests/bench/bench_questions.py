"""How often would the questions about nights and doors be answered with yes?

    python -m tests.bench.bench_questions [TIHM folder]

Each question's own detector over the TIHM recordings (see bench_judging), causal, homes of 26 days or more, after 14
days of learning, the fleet's own outage left out.  Nobody wrote down which of the absences and nights were real, so
every finding counts; the numbers were chosen on these same homes.  The recordings tell of openings alone, so a door
left open cannot be judged on them, nor can warmth, batteries or silent sensors.  The figures are in README.md beside
this file.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from alerts.judging.detectors.night import Night
from alerts.judging.detectors.out import Out
from alerts.judging.finding import Finding
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sensed import Sensed, place_of_sensor
from tests.bench.bench_judging import is_outage, read, recordings

_LEARNING: Final = timedelta(days=14)
_DAYS_MIN: Final = 26

_ASKED: Final[tuple[tuple[str, Callable[[], Night | Out], Policy], ...]] = (
    ("night walking, 45 min, 23:00 to 05:00 (the default)", Night, Policy()),
    ("night walking, 60 min, 23:00 to 05:00", Night, Policy(night_up_for=timedelta(hours=1))),
    ("night walking, 45 min, 00:00 to 05:00", Night, Policy(night_from=time(0))),
    ("out and not back, 8 h, by 23:00 (the default)", Out, Policy()),
    ("out and not back, 6 h, by 23:00", Out, Policy(out_for=timedelta(hours=6))),
)


def main() -> int:
    """Print a line for each question and policy."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else recordings() / "tihm"
    if not (where / "activity.csv.gz").exists():
        sys.stdout.write(
            f"The TIHM recordings are not at {where}; set TELECARE_RECORDINGS to the folder that holds tihm/.\n"
        )
        return 0
    homes = {
        home: [_sensed(*seen) for seen in walk]
        for home, walk in read(where).items()
        if walk[-1][0] - walk[0][0] >= timedelta(days=_DAYS_MIN)
    }
    for name, asked, policy in _ASKED:
        found = Counter({home: _found(asked(), walk, policy) for home, walk in homes.items()})
        days = sum((walk[-1].at - walk[0].at - _LEARNING) / timedelta(days=1) for walk in homes.values())
        most = ", ".join(f"{count} in one home" for _, count in found.most_common(2))
        sys.stdout.write(f"{name:52s} {found.total() / days:.3f} a home-day ({found.total()}; {most})\n")
    return 0


def _sensed(at: datetime, room: str) -> Sensed:
    quantity = "open" if room.endswith("-door") else "movement"
    place = place_of_sensor(room, quantity, is_outer=None)
    return Sensed(at, at, "hub", room, room, "", place, quantity, 1.0, is_life=True)


def _found(asked: Night | Out, walk: Sequence[Sensed], policy: Policy) -> int:
    """Return how often a question was answered with yes after the learning."""
    count, last = 0, walk[0].at
    for said in walk:
        while (due := asked.due(_ground(asked, policy, last))) is not None and due < said.at:
            last = max(last, due)
            for found in asked.judge(_ground(asked, policy, last), at=due):
                is_scored = found.at >= walk[0].at + _LEARNING and not is_outage(last, said.at)
                count += isinstance(found, Finding) and is_scored
        asked.take(said, _ground(asked, policy, said.at))
        last = said.at
    return count


def _ground(asked: Night | Out, policy: Policy, as_of: datetime) -> Ground:
    left = asked.left() if isinstance(asked, Out) else None
    return Ground("home", as_of, policy, timedelta(0), Quiet.STILL, left=left)


if __name__ == "__main__":
    sys.exit(main())

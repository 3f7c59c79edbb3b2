"""What does judging cost a core, beside the bare model of river, and how much is remembered of a home?

    python -m tests.bench.cost [recordings]

The same readings of a few TIHM homes, from their first day to their last: through the whole judging of a home, one
reading a batch and twenty; through the player of `telecare replay` with its dials; and through nothing but a model of
river, which is asked and taught once for each reading.  Counted is the processor's time of this process alone, so that
neighbours matter little.  The figures are in README.md beside this file.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from river import anomaly, linear_model, optim

from alerts.judging.detectors.ending import facts
from alerts.judging.detectors.likeness import Beginning, place_of
from alerts.judging.detectors.moving import Moving
from alerts.judging.home import dump
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy, to_json
from alerts.recording import Observed
from alerts.replayed import lines_of
from ingest import entry
from tests.bench.bench_judging import Walk, read, recordings

_HOMES: Final = 4
_DAYS_MIN: Final = timedelta(days=26)

Homes = list[tuple[str, Walk]]


def main() -> int:
    """Print a table."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else recordings()
    if not (where / "tihm" / "activity.csv.gz").exists():
        sys.stdout.write(f"No recordings at {where}; set TELECARE_RECORDINGS to the folder that holds tihm/.\n")
        return 0
    sys.stdout.write("| what | measured |\n|---|---|\n")
    for name, measured in lines(where):
        sys.stdout.write(f"| {name} | {measured} |\n")
        sys.stdout.flush()
    return 0


def lines(where: Path) -> Iterator[tuple[str, str]]:
    """Yield what was measured, each as soon as it is known."""
    whole = sorted(read(where / "tihm").items())
    homes = [one for one in whole if one[1][-1][0] - one[1][0][0] >= _DAYS_MIN][:_HOMES]
    readings = sum(len(walk) for _, walk in homes)
    states: list[int] = []
    measured: dict[str, Callable[[], object]] = {
        "judged, one reading a batch": lambda: states.extend(_judged(homes, 1)),
        "judged, twenty readings a batch": lambda: _judged(homes, 20),
        "replayed, with dials, blocks and sentences": lambda: [
            sum(1 for _ in lines_of(home, [Observed(at, room) for at, room in walk])) for home, walk in homes
        ],
        "river's logistic regression alone, asked and taught": lambda: _logistic(homes),
        "river's half-space trees alone, asked and taught": lambda: _trees(homes),
    }
    for name, run in measured.items():
        began_s = time.process_time()
        run()
        yield f"{name}, {readings:,} readings", f"{readings / (time.process_time() - began_s):,.0f} readings/s a core"
    yield "remembered of a home", f"{sum(states) // len(states):,} bytes in the mean, {max(states):,} at most"


def _judged(homes: Homes, at_once: int) -> Sequence[int]:
    """Judge homes one by one, and return how many bytes are remembered of each."""
    sizes = []
    for home, walk in homes:
        begins = walk[0][0]
        judge = LaneJudge({}, None)
        judge.apply(Input(1, home, begins, "stretch", {"stretch_s": 300 * 86400.0}))
        judge.apply(Input(2, home, begins, "policy", to_json(Policy())))
        judge.apply(Input(3, home, begins, "watched", {"hub": "hub", "since": begins.isoformat()}))
        judge.take(entry.Batch(0, 0, begins, (entry.Heard(home, "hub", 0, 0, radio_up=True),)))
        for first in range(0, len(walk), at_once):
            part = walk[first : first + at_once]
            judge.take(entry.Batch(0, 0, part[-1][0], tuple(_reading(home, *seen) for seen in part)))
        sizes.append(len(dump(judge.state_of(home))))
    return sizes


def _reading(home: str, at: datetime, room: str) -> entry.Reading:
    quantity = "open" if room.endswith("-door") else "movement"
    return entry.Reading(home, "hub", f"pir-{room}", room, quantity, 1.0, at)


def _logistic(homes: Homes) -> None:
    """Ask and teach the model of the learned question, with the facts that it has."""
    moving = Moving()
    for _, walk in homes:
        model: Any = linear_model.LogisticRegression(optimizer=optim.SGD(0.008), intercept_lr=0.0)
        known = facts(Beginning(walk[0][0], place_of(walk[0][1])), moving.odds(walk[0][0]))
        now = {name: float(value[0]) for name, value in known.items()}
        for number in range(len(walk)):
            model.predict_proba_one(now)
            model.learn_one(now, number % 3 == 0)


def _trees(homes: Homes) -> None:
    """Ask and teach river's own detector of what is unusual, with the hour and the pause."""
    for _, walk in homes:
        model: Any = anomaly.HalfSpaceTrees(seed=1)
        last = walk[0][0]
        for at, _ in walk:
            now = {"hour": at.hour / 24, "pause": min((at - last) / timedelta(hours=12), 1.0)}
            model.score_one(now)
            model.learn_one(now)
            last = at


if __name__ == "__main__":
    sys.exit(main())

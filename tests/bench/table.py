"""What does it all cost, in one table by one command?

    python -m tests.bench.table [recordings]

What judging costs a core beside the bare models of river and how much it remembers of a home (`cost`), how fast all
recorded homes are replayed, and what a page costs with ever more history (`history`).  Without recordings, the pages
alone.  The figures are in README.md beside this file.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import chain
from pathlib import Path

from deploy import replay
from gateway.clock import monotonic_s
from tests.bench import cost, history
from tests.bench.bench_judging import read, recordings


def main() -> int:
    """Print the table, each line as soon as it is known."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else recordings()
    has_recordings = (where / "tihm" / "activity.csv.gz").exists()
    sys.stdout.write("| what | measured |\n|---|---|\n")
    of_judging = chain(cost.lines(where), _replayed(where)) if has_recordings else iter(())
    for name, measured in chain(of_judging, _pages()):
        sys.stdout.write(f"| {name} | {measured} |\n")
        sys.stdout.flush()
    return 0


def _replayed(where: Path) -> Iterator[tuple[str, str]]:
    data = where / "tihm" / "activity.csv.gz"
    homes = read(where / "tihm")
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as folder:
        began_s = monotonic_s()
        with redirect_stdout(sys.stderr):  # What it says of itself stands in no table.
            wrong = replay.run(replay.Asked(data, Path(folder) / "replayed.jsonl"))
        took_s = monotonic_s() - began_s
    rate = sum(map(len, homes.values())) / took_s
    yield f"telecare replay, {len(homes)} homes", "failed" if wrong else f"{rate:,.0f} readings/s, {took_s:.0f} s"


def _pages() -> Iterator[tuple[str, str]]:
    for one in history.costs(history.asked([])):
        measured = f"p50 {one.p50_ms:.0f} ms, p99 {one.p99_ms:.0f} ms, {one.chunks:.1f} chunks touched"
        yield f"page: {one.page}, {one.times}x history", measured


if __name__ == "__main__":
    sys.exit(main())

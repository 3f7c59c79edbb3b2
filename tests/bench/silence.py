"""Is a silence sorted as what it is, and after how long is somebody told?

    nice -n 15 python -m tests.bench.silence --homes 200 --seed 1

A confusion matrix over faults of each kind in simulated homes: what befell the home, and what the first alert after it
was sorted as, or what its page said where nobody is to be told.  See tests/world/silences.py for the path.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

import psycopg

from alerts.judging.quiet import Quiet
from deploy.embedded import machine, postgres
from ingest.db.migrate import migrate
from tests.world.silences import EXPECTED, Fault
from tests.world.silences_told import Became, run

_COLUMNS: Final = (Quiet.STILL, Quiet.OUT, Quiet.SENSOR, Quiet.HUB, Quiet.AREA, Quiet.OURS, Quiet.PAUSED, None)


def main() -> int:
    """Live the homes, print the tables; 1 if a kind was sorted wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began_s = perf_counter()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
        server.start()
        try:
            dsn = server.create_database("silence")
            migrate(dsn)
            cells = asyncio.run(_run(dsn, asked.homes, asked.seed))
        finally:
            server.stop()
    _print(cells)
    wrong = [one for one in cells if not one.is_right]
    _say(f"\n{len(cells)} homes, {len(wrong)} sorted wrong, seed {asked.seed}, {perf_counter() - began_s:.0f} s")
    for one in wrong:
        _say(f"- {one.case.home}: {one.case.fault.value} at {one.at:%a %H:%M}; sorted as {_named(one.sorted_as)}")
    return 1 if wrong else 0


async def _run(dsn: str, homes: int, seed: int) -> list[Became]:
    kinds = list(Fault)
    each = {fault: homes // len(kinds) for fault in kinds}
    each[Fault.NOTHING] += homes - sum(each.values())
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        return await run(conn, each, seed=seed)


def _print(cells: Sequence[Became]) -> None:
    _say(
        "| what befell the home | "
        + " | ".join(_named(quiet) for quiet in _COLUMNS)
        + " | told after, median (longest) |"
    )
    _say("|---|" + "---|" * (len(_COLUMNS) + 1))
    for fault in Fault:
        those = [one for one in cells if one.case.fault is fault]
        counts = Counter(one.sorted_as for one in those)
        row = [f"**{counts[quiet]}**" if quiet is EXPECTED[fault] else str(counts[quiet] or "") for quiet in _COLUMNS]
        _say(f"| {fault.value} | {' | '.join(row)} | {_delays(those)} |")
    _say("\n| what befell the home | told besides, homes | alerts in the 26 hours before |\n|---|---|---|")
    for fault in Fault:
        those = [one for one in cells if one.case.fault is fault]
        besides = Counter(question for one in those for question in one.then_asked)
        words = ", ".join(f"`{question}` {count}" for question, count in besides.most_common()) or "nothing"
        _say(f"| {fault.value} | {words} | {sum(one.before for one in those)} |")


def _delays(those: Sequence[Became]) -> str:
    waits = sorted(one.told_after for one in those if one.told_after is not None)
    return f"{_length(waits[len(waits) // 2])} ({_length(waits[-1])})" if waits else ""


def _length(lasted: timedelta) -> str:
    hours, minutes = divmod(round(lasted / timedelta(minutes=1)), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{lasted.total_seconds() / 60:.1f} min"


def _named(quiet: Quiet | None) -> str:
    return "nothing told" if quiet is None else quiet.value


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

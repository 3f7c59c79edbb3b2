"""How long is a lane without an owner that works, when its worker is killed, frozen or cut off?

Run by hand: `python -m tests.bench.lanes`.  Two workers of ingest and two of alerts share the lanes; one of each is
treated so, and the time runs until the other owns all 64 (sampled every 50 ms, from the tables).  Then the first
comes back, and the time runs until both own 32 again.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from deploy.embedded import machine
from deploy.lines import UNTREATED, Lines, Treatment
from tests.bench import ingest as bench
from tests.world.ingest_platform import Platform
from tests.world.processes import Process

_PATIENCE_S: Final = 180.0
_TABLES: Final = {"ingest": "lane", "alerts": "judging_lane"}
_STALLED: Final = Treatment(is_stalled=True)


@dataclass(slots=True)
class Pair:
    """Two workers of one kind; the first is the one that things happen to."""

    kind: str
    environment: dict[str, str]
    folder: Path
    first: Process
    second: Process

    def owned(self, conn: psycopg.Connection[tuple[object, ...]]) -> tuple[int, int]:
        """Return how many lanes the second owns by the table, and how many another."""
        query = f"SELECT owner LIKE %s FROM {_TABLES[self.kind]} WHERE owner IS NOT NULL"
        owned = [is_its for (is_its,) in conn.execute(query.encode(), (f"%-{self.second.pid}-%",))]
        return owned.count(True), owned.count(False)

    def stop_first(self) -> None:
        """Stop whichever process is the first by now."""
        self.first.stop()

    def start_first(self) -> None:
        self.first = Process(self.kind, self.environment, folder=self.folder)
        self.first.start()


def main() -> int:
    """Measure so many rounds of each, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    took: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as named, ExitStack() as stack:
        folder = Path(named)
        folder.chmod(0o755)
        platform = bench._platform(folder, stack)
        lines = stack.enter_context(Lines(platform.database.server.port))
        pairs = [_pair(kind, platform, lines, stack) for kind in _TABLES]
        ways = _ways(lines)
        _until_all(pairs, platform, (32, 32))
        for number in range(rounds):
            for name, (gone, back) in ways.items():
                for what, goal, do in ((name, 64, gone), (f"{name}, back", 32, back)):
                    for pair in pairs:
                        do(pair)
                    for kind, seconds in _until_all(pairs, platform, (goal, 64 - goal)).items():
                        took.setdefault((kind, what), []).append(seconds)
                        sys.stderr.write(f"{number + 1} {kind} {what}: {seconds:.1f} s\n")
    sys.stdout.write("| what | worker | times | p50 s | longest s |\n|---|---|---|---|---|\n")
    for (kind, what), seconds_each in took.items():
        p50, longest = statistics.median(seconds_each), max(seconds_each)
        sys.stdout.write(f"| {what} | {kind} | {len(seconds_each)} | {p50:.1f} | {longest:.1f} |\n")
    return 0


def _ways(lines: Lines) -> dict[str, tuple[Callable[[Pair], object], Callable[[Pair], object]]]:
    """Return, by name, how a worker goes and how it comes back."""
    return {
        "killed": (lambda pair: pair.first.kill(), Pair.start_first),
        "frozen": (lambda pair: pair.first.freeze(), lambda pair: pair.first.thaw()),
        "cut off": (lambda pair: lines.treat(pair.kind, _STALLED), lambda pair: lines.treat(pair.kind, UNTREATED)),
    }


def _until_all(pairs: Sequence[Pair], platform: Platform, goal: tuple[int, int]) -> dict[str, float]:
    """Return how long it took each pair from now to own so many lanes."""
    began_s = time.monotonic()
    took: dict[str, float] = {}
    with platform.database.connect() as conn:
        while len(took) < len(pairs):
            for pair in pairs:
                if pair.kind not in took and pair.owned(conn) == goal:
                    took[pair.kind] = time.monotonic() - began_s
            assert time.monotonic() < began_s + _PATIENCE_S, [(pair.kind, pair.owned(conn)) for pair in pairs]
            time.sleep(0.05)
    return took


def _pair(kind: str, platform: Platform, lines: Lines, stack: ExitStack) -> Pair:
    port = machine.free_port()
    lines.open(kind, port)
    near = platform.environment() if kind == "ingest" else {"TELECARE_DATABASE_URL": platform.database.dsn}
    server = platform.database.server.port
    far = near | {"TELECARE_DATABASE_URL": platform.database.dsn.replace(f":{server}/", f":{port}/")}
    first, second = (Process(kind, environment, folder=platform.folder) for environment in (far, near))
    pair = Pair(kind, far, platform.folder, first, second)
    stack.callback(pair.stop_first)
    stack.callback(second.stop)
    first.start()
    second.start()
    return pair


if __name__ == "__main__":
    sys.exit(main())

"""How long does it take to erase a home with years of readings, and how long does a press next door wait meanwhile?

Run by hand: `python -m tests.bench.erasing --homes 5 --years 3`.  The readings are written straight into the table, a
thousand a day for each home; ingest, its database and its broker are real, and a hub of another home presses all the
while.
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from gateway.wire import Stream
from ingest import erasures
from tests.bench import ingest as bench
from tests.bench.pressure.measured import Memory, say
from tests.world.ingest_platform import Platform
from tests.world.raw_hub import RawHub

_A_DAY: Final = 1_000
_PATIENCE_S: Final = 900.0
_FILL: Final = """
    INSERT INTO reading (home, hub, sensor, room, quantity, value, observed_at, received_at, may_repeat)
    SELECT %s, %s, 'hall-' || n %% 12, 'hall', 'movement', n %% 2, at, at, false
    FROM generate_series(0, %s - 1) n, LATERAL (SELECT now() - interval '1 day' - n * interval '86.4 s' AS at) t
"""
_ASK: Final = """
    INSERT INTO erasure (what, subject, subject_sha256, instead, lane, input, hubs, hubs_sha256, asked_at)
    SELECT 'home', home, %s, 'erased-1', lane, 1, '{hub-0}', %s, now() FROM home WHERE home = 'home-0' RETURNING lane
"""


def main() -> None:
    """Fill the table, ask for one home to be erased, and press next door until it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.erasing", description=__doc__)
    parser.add_argument("--homes", type=int, default=5)
    parser.add_argument("--years", type=int, default=3)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as named, ExitStack() as stack:
        folder = Path(named)
        folder.chmod(0o755)
        platform = bench._platform(folder, stack)
        hubs = [platform.add_hub(f"hub-{number}", f"home-{number}") for number in range(said.homes)]
        readings = said.years * 365 * _A_DAY
        with platform.database.connect() as conn:
            for number in range(said.homes):
                conn.execute(_FILL, (f"home-{number}", f"hub-{number}", readings))
                say(f"  {readings} readings of home {number + 1} of {said.homes} are there")
            conn.execute("ANALYZE reading")
        ((chunks, license_),) = platform.rows(
            "SELECT (SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'reading'), "
            "current_setting('timescaledb.license')"
        )
        say(f"{said.homes * readings} readings in {chunks} chunks; TimescaleDB's licence: {license_}")
        ingest = platform.ingest()
        with Memory({"ingest": ingest.pid}) as memory:
            before = [_press(hubs[1], number) for number in range(1, 11)]
            erased_s, during = _erase(platform, hubs[1])
        say(f"a press next door stored, before it: at most {max(before):.2f} s")
        say(f"erased after {erased_s:.1f} s; meanwhile {len(during)} presses, stored after at most {max(during):.2f} s")
        say(f"{memory}; load {os.getloadavg()[0]:.0f}")


def _erase(platform: Platform, other: RawHub) -> tuple[float, list[float]]:
    platform.rows("UPDATE hub SET revoked_at = now() WHERE hub = 'hub-0' RETURNING hub")
    platform.rows("UPDATE judging_lane SET input = 1 RETURNING lane")
    began_s = time.monotonic()
    platform.rows(_ASK, erasures.digest("home-0"), [erasures.digest("hub-0")])
    waits: list[float] = []
    while platform.rows("SELECT FROM erasure WHERE done_at IS NULL"):
        if time.monotonic() - began_s > _PATIENCE_S:
            raise SystemExit(f"not erased within {_PATIENCE_S:.0f} s")
        waits.append(_press(other, 11 + len(waits)))
    took_s = time.monotonic() - began_s
    ((left,),) = platform.rows("SELECT count(*) FROM reading WHERE home = 'home-0'")
    if left:
        raise SystemExit(f"{left} readings are left")
    return took_s, waits


def _press(hub: RawHub, number: int) -> float:
    """Press, and return after how many seconds that was stored."""
    began_s = time.monotonic()
    hub.send(Stream.ALARMS, range(number, number + 1))
    while not hub.wait_through(Stream.ALARMS, number, within_s=2):
        hub.send(Stream.ALARMS, range(number, number + 1))
    return time.monotonic() - began_s


if __name__ == "__main__":
    main()

"""Do one case, and print what became of it."""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests.bench import ingest as bench
from tests.bench.pressure import alerts, away, flood, hubs, three_days
from tests.bench.pressure.measured import say
from tests.world.ingest_platform import Platform


def main() -> None:
    """Read what is asked for, and do it in a folder that is gone afterwards."""
    said = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as named, ExitStack() as stack:
        folder = Path(named)
        folder.chmod(0o755)
        if said.case == "alerts":
            alerts.alerts(folder, said.homes, one_phone=said.one_phone)
            return
        platform = bench._platform(folder, stack, broker=getattr(said, "broker", "nats"))
        try:
            _do(said, platform, folder)
        except psycopg.OperationalError:
            say(platform.database.server.last_words())
            raise


def _do(said: argparse.Namespace, platform: Platform, folder: Path) -> None:
    if said.case == "away":
        away.away(platform, folder, said.seconds, said.rate)
    elif said.case == "three-days":
        three_days.three_days(platform, folder, said.readings_a_day)
    elif said.case == "hubs":
        hubs.hubs(platform, said.hubs, said.away_s)
    else:
        flood.flood(platform, said.messages, said.away_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pressure", description=__doc__)
    cases = parser.add_subparsers(dest="case", required=True)
    away_ = cases.add_parser("away", help="the database is away while hubs go on")
    away_.add_argument("--seconds", type=float, default=3_600)
    away_.add_argument("--rate", type=float, default=464, help="readings a second; 464 are 5,000 homes")
    back = cases.add_parser("three-days", help="a hub comes back after three days")
    back.add_argument("--readings-a-day", type=int, default=8_000)
    many = cases.add_parser("hubs", help="hubs that all connect in one moment")
    many.add_argument("--hubs", type=int, default=5_000)
    many.add_argument("--away-s", type=float, default=20)
    many.add_argument("--broker", choices=("nats", "mosquitto"), default="nats")
    babble = cases.add_parser("flood", help="messages that nobody can read")
    babble.add_argument("--messages", type=int, default=50_000)
    babble.add_argument("--away-s", type=float, default=0, help="the database is away meanwhile")
    told = cases.add_parser("alerts", help="pendants pressed in one moment")
    told.add_argument("--homes", type=int, default=5_000)
    told.add_argument("--one-phone", action="store_true", help="all are told to the same phone")
    return parser


if __name__ == "__main__":
    main()

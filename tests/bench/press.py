"""How long from a thumb on the pendant to the request that leaves for Twilio, through everything?

Run by hand: `python -m tests.bench.press`.  The demo's three homes with all their processes, on one machine.  The clock
starts when the simulator writes the press into its diary.  Then come the home's broker, the gateway with its outbox,
the platform's broker, ingest, PostgreSQL with TimescaleDB, judging, telling, and the real Twilio client.  It stops when
the request has arrived at the pretend Twilio.  One press at a time; each is closed with an outcome before the next.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection

import alerts.store as alerts_store
from alerts.alert import Outcome
from ingest.db.pool import settings
from tests.world.whole import Whole, telecare

_HOME = "shore-road-14"
_CARER = "anne"


def main() -> int:
    """Press, wait, close; then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=40)
    presses = parser.parse_args().presses
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as folder:
        Path(folder).chmod(0o755)
        with telecare(Path(folder) / "whole") as whole:
            whole.until(lambda: whole.value("SELECT state FROM home_watch WHERE home = %s", _HOME) == "watched")
            took_ms = sorted(_press(whole, number) for number in range(1, presses + 1))
    p99 = took_ms[min(len(took_ms) - 1, round(0.99 * len(took_ms)))]
    sys.stdout.write(
        "| presses | p50 ms | p99 ms | longest ms |\n|---|---|---|---|\n"
        f"| {presses} | {statistics.median(took_ms):.0f} | {p99:.0f} | {took_ms[-1]:.0f} |\n"
    )
    return 0


def _press(whole: Whole, number: int) -> float:
    """Return the milliseconds from a press's line in the diary to the request for the first carer's text."""
    phone = whole.phone(_CARER)

    def asked() -> list[datetime]:
        texts = whole.twilio_server.texts_to(phone.number)
        return [text.created_at for text in texts if "pressed" in text.body and "Reply" in text.body]

    whole.presses(_HOME)
    whole.until(lambda: len(asked()) >= number, what=f"the text about press {number}")
    asyncio.run(_close(whole))
    return asked()[number - 1].timestamp() * 1000 - _pressed_ms(whole, number)


def _pressed_ms(whole: Whole, number: int) -> float:
    diary = whole.platform.data / "diaries" / f"{_HOME}.jsonl"
    lines = (json.loads(line) for line in diary.read_text().splitlines())
    return float([line["at_ms"] for line in lines if line.get("why") == "pressed"][number - 1])


async def _close(whole: Whole) -> None:
    told = settings("bench")
    async with await AsyncConnection.connect(whole.platform.database_url, **told) as conn:  # type: ignore[arg-type]  # libpq's own words
        for alert in await alerts_store.open_alerts(conn, [_HOME]):
            await alerts_store.close(conn, alert.alert, _CARER, Outcome.TEST, None, now=whole.clock.now())


if __name__ == "__main__":
    sys.exit(main())

"""Do one look back that was asked for: `python -m alerts.looking_back NUMBER`, in a process of its own.

It judges months of messages, so it would hold up whatever else its process does.  It can be killed at any moment.
"""

import asyncio
import os
import sys
from datetime import timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.backtest import WARM_UP, LookBack, look_back
from alerts.store import look_backs, recorded, thresholds
from alerts.store.look_backs import Asked
from gateway.clock import monotonic_s
from ingest.db.pool import connect, settings

Conn = AsyncConnection[TupleRow]

DATABASE_VARIABLE = "TELECARE_DATABASE_URL"

# Real seconds between two words about how far it is.
_SAY_S = 0.5


async def run(dsn: str, number: int) -> None:
    """Do a look back and write down what was found, or why nothing was."""
    async with await AsyncConnection.connect(dsn, **settings("look back")) as conn:  # type: ignore[arg-type]  # libpq's own words
        asked = await look_backs.find(conn, number)
        if asked is None or asked.found is not None or asked.failed is not None:
            return
        progress = _Progress(dsn, asked)
        try:
            found = [await _one(conn, asked, home, progress) for home in asked.homes]
        except (thresholds.CannotSet, recorded.TooMuch) as why:
            await look_backs.fail(conn, number, str(why))
        else:
            await look_backs.finish(conn, number, found)


async def _one(conn: Conn, asked: Asked, home: str, progress: "_Progress") -> LookBack:
    until = asked.asked_at
    since = until - timedelta(days=asked.days)
    policies = await thresholds.proposed(conn, home, asked.scope, asked.numbers, at=until)
    steps = await recorded.steps_of(conn, home, since=since - WARM_UP, until=until)
    raised = await recorded.raised_in(conn, home, since=since, until=until)
    found = look_back(home, steps, policies, raised, since=since, until=until, say=progress.say)
    progress.homes += 1
    return found


class _Progress:
    """Writes how far it is, beside the judging, which waits for nothing."""

    def __init__(self, dsn: str, asked: Asked) -> None:
        self._conn = connect(dsn, name="look back")
        self._asked = asked
        self._said_s = monotonic_s()
        self.homes = 0

    def say(self, done: float) -> None:
        if monotonic_s() - self._said_s < _SAY_S:
            return
        self._said_s = monotonic_s()
        share = min((self.homes + done) / len(self._asked.homes), 0.99)
        self._conn.execute("UPDATE look_back SET done = %s WHERE look_back = %s", (share, self._asked.look_back))


if __name__ == "__main__":
    asyncio.run(run(os.environ[DATABASE_VARIABLE], int(sys.argv[1])))

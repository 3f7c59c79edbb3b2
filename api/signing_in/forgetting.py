"""What is kept of log-ins for no longer than it is of use?

Used and old links, sessions that opened their last page, requests and attempts that bound nothing any more.  Never an
access record: who looked is the resident's to know.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from gateway.clock import Clock
from ingest.db.pool import Pool

log = logging.getLogger(__name__)

_EVERY_S: Final = 3_600.0
# Long enough to answer "did I sign in there last week?" after somebody asks; then nobody's business.  Ours.
SESSION_KEPT_FOR: Final = timedelta(days=30)
# What counts is counted for a day at most.
REST_KEPT_FOR: Final = timedelta(days=1)
# Rows of each kind in one statement, so that none holds its locks for long; the rest goes in the next round.  Ours.
_AT_ONCE: Final = 10_000

_OLD: Final = (
    ("login_link", "token_sha256", "valid_until < %(rest)s"),
    ("session", "token_sha256", "COALESCE(ended_at, valid_until) < %(session)s"),
    ("login_request", "ctid", "asked_at < %(rest)s"),
    ("login_attempt", "attempt", "tried_at < %(rest)s"),
    ("second_factor_offer", "person", "made_at < %(rest)s"),
    ("provider_log_in", "state_sha256", "valid_until < %(rest)s"),
)


async def forget(conn: AsyncConnection[Any], *, real_now: datetime) -> int:
    """Delete what is of no use any more, and return how many rows that were.  May run in several processes at once."""
    times = {"rest": real_now - REST_KEPT_FOR, "session": real_now - SESSION_KEPT_FOR, "most": _AT_ONCE}
    gone = 0
    for table, key, is_old in _OLD:
        done = await conn.execute(
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {is_old} LIMIT %(most)s)".encode(),  # noqa: S608 - constants of ours
            times,
        )
        gone += done.rowcount
    return gone


async def forget_for_ever(pool: Pool, clock: Clock) -> None:
    """Forget once an hour, until cancelled; a database that is away is asked again in the next."""
    while True:
        try:
            async with pool.connection() as conn:
                await forget(conn, real_now=clock.now())
        except psycopg.Error as why:
            log.warning("old log-ins not forgotten", extra={"why": type(why).__name__})
        await asyncio.sleep(_EVERY_S)

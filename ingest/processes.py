"""Which processes of ours are there, and when was each last alive?  Each says so every 5 s, in the database.

Beside the health addresses, which only answer while somebody asks: here stands who was there, in which release, how far
it had come when it was last heard, and whether it was stopped or died.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from gateway.clock import Clock
from gateway.release import version
from ingest.db.pool import Pool
from ingest.share import PROVEN_AFTER, Peer

log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
"""Real seconds between two words of a process."""

KEPT: Final = timedelta(days=7)
"""After this long without a word a process is forgotten, by the database's clock."""

# The database answers within this, or the next word will do.
_PATIENCE_S: Final = 5.0

_BEAT: Final = """
    INSERT INTO process_heartbeat (instance, process, release, started_at, heard_at, said_at, doing)
    VALUES (%(instance)s, %(process)s, %(release)s, clock_timestamp(), clock_timestamp(), %(said_at)s, %(doing)s)
    ON CONFLICT (instance) DO UPDATE
    SET heard_at = clock_timestamp(), said_at = excluded.said_at, doing = excluded.doing, ended_at = NULL
"""
_END: Final = "UPDATE process_heartbeat SET ended_at = clock_timestamp() WHERE instance = %s"
# Who died without a word is alive until then; one that restarts at once and dies again never says its second word.
_PEERS: Final = """
    SELECT instance, least(greatest((doing->>'lanes_max')::numeric::integer, 1), 64),
           CASE WHEN jsonb_typeof(doing->'hears') = 'boolean' THEN (doing->>'hears')::boolean END,
           extract(epoch FROM clock_timestamp() - heard_at)::double precision
    FROM process_heartbeat
    WHERE process = %(process)s AND instance <> %(instance)s AND ended_at IS NULL
      AND heard_at > clock_timestamp() - %(lease)s::interval AND heard_at - started_at >= %(proven)s::interval
      AND CASE WHEN jsonb_typeof(doing->'lanes_max') = 'number' THEN (doing->>'lanes_max')::numeric < 1000 END
    ORDER BY instance LIMIT 64
"""
_PRUNE: Final = "DELETE FROM process_heartbeat WHERE heard_at < clock_timestamp() - %s"
_LIST: Final = """
    SELECT process, instance, release, started_at, heard_at, said_at, ended_at, doing,
           clock_timestamp() - heard_at AS silent_for
    FROM process_heartbeat ORDER BY process, started_at DESC LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as it was last heard; columns as in the table.

    Attributes:
        silent_for: since its last word, by the database's clock.
    """

    process: str
    instance: str
    release: str
    started_at: datetime
    heard_at: datetime
    said_at: datetime
    ended_at: datetime | None
    doing: Mapping[str, Any]
    silent_for: timedelta


async def beat(
    conn: AsyncConnection[TupleRow], process: str, instance: str, doing: Mapping[str, object], *, now: datetime
) -> None:
    """Write down that a process is alive, and how far it has come."""
    told = {"instance": instance, "process": process, "release": version(), "said_at": now, "doing": Jsonb(dict(doing))}
    await conn.execute(_BEAT, told)


async def peers_beside(
    conn: AsyncConnection[TupleRow], process: str, instance: str, *, lease: timedelta, proven: timedelta = PROVEN_AFTER
) -> dict[str, Peer]:
    """Return the other workers of a kind, by instance.

    Args:
        conn: any.
        process: the kind.
        instance: who asks, and is not among them.
        lease: a worker that was not heard for so long is none.
        proven: nor is one that was not heard again so long after its first word.
    """
    told = {"process": process, "instance": instance, "lease": lease, "proven": proven}
    rows = await (await conn.execute(_PEERS, told)).fetchall()
    return {name: Peer(limit, hears, silent_s) for name, limit, hears, silent_s in rows}


async def prune(conn: AsyncConnection[TupleRow], *, kept: timedelta = KEPT) -> int:
    """Forget processes that were not heard for so long, and return how many those were."""
    return (await conn.execute(_PRUNE, (kept,))).rowcount


def list_processes(conn: Connection[TupleRow]) -> list[Process]:
    """Return the processes of the last week, the newest of each kind first."""
    with conn.cursor(row_factory=class_row(Process)) as cur:
        return cur.execute(_LIST).fetchall()


@asynccontextmanager
async def alive(
    pool: Pool, process: str, instance: str, clock: Clock, doing: Callable[[], Mapping[str, object]]
) -> AsyncIterator[None]:
    """Say that a process is alive until the end of the block, and then that it was stopped.

    A database that is away is not waited for: the process has better things to do, and says so elsewhere.
    """
    beating = asyncio.create_task(_beat_for_ever(pool, process, instance, clock, doing), name="heartbeat")
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating], timeout=1)
        with contextlib.suppress(psycopg.Error, TimeoutError, OSError):
            async with asyncio.timeout(_PATIENCE_S), pool.connection() as conn:
                await conn.execute(_END, (instance,))


async def _beat_for_ever(
    pool: Pool, process: str, instance: str, clock: Clock, doing: Callable[[], Mapping[str, object]]
) -> None:
    is_first = True
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S), pool.connection() as conn:
                await beat(conn, process, instance, doing(), now=clock.now())
                if is_first:
                    await prune(conn)
                    is_first = False
        except (psycopg.Error, TimeoutError, OSError) as why:
            log.debug("heartbeat not written", extra={"why": type(why).__name__})
        await asyncio.sleep(EVERY_S)

"""What does the database say by itself, without being asked?"""

import asyncio
from collections.abc import Callable

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ingest.db.pool import Pool

Conn = AsyncConnection[TupleRow]


async def listen(pool: Pool, channel: str, hear: Callable[[str], None], stop: asyncio.Event) -> None:
    """Call `hear` with what is said on a channel of the database, until told to stop.

    What is said while the connection is away is not heard: whoever listens looks by itself now and then.
    """
    while not stop.is_set():
        try:
            async with pool.connection() as conn:
                await conn.execute(f"LISTEN {channel}")
                await _hear(conn, hear, stop)
                await conn.execute("UNLISTEN *")
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError):
            await asyncio.sleep(1)


async def _hear(conn: Conn, hear: Callable[[str], None], stop: asyncio.Event) -> None:
    while not stop.is_set():
        async for said in conn.notifies(timeout=1):
            hear(said.payload)

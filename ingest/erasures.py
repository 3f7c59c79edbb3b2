"""Who is to be erased, and how does everything that tells of them go?

Asked for in one row of `erasure`, by an operator or after a restore; finished here, because ingest alone may write in
its log.  First the log of the last 100 days is freed of the home, row by row and in its order; then one function of
the owner's does the rest in one transaction, as soon as judgement has forgotten the home.  Each step may be repeated.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ingest.entry import Deaf, pack, unpack

Conn = AsyncConnection[TupleRow]

# Ours: enough that a hundred days of one home take seconds, few enough that no batch of an alarm waits behind them.
_PAGE: Final = 500
# The readings of ten years are some millions of rows in one statement.  Ours.
_PATIENCE: Final = timedelta(minutes=15)
_DUE_MAX: Final = 20

# A name stands in a packed entry as it is, so what cannot hold it is not even unpacked.
_ROWS: Final = """
    SELECT position, received_at, entries FROM stored_log
    WHERE lane = %(lane)s AND position > %(after)s AND EXISTS (
        SELECT FROM unnest(%(names)s::text[]) AS name WHERE position(convert_to(name, 'UTF8') IN entries) > 0)
    ORDER BY position LIMIT %(most)s
"""

_FREE: Final = "UPDATE stored_log SET entries = %s WHERE lane = %s AND position = %s AND received_at = %s"


def digest(name: str) -> bytes:
    """Return by what a name is known once it is forgotten."""
    return hashlib.sha256(name.encode()).digest()


def stand_in() -> str:
    """Return a key made of chance alone, for what is kept."""
    return f"erased-{secrets.token_hex(8)}"


async def of_hubs(conn: Conn, names: Iterable[str]) -> frozenset[str]:
    """Return which of these names were those of hubs of an erased home."""
    by_digest = {digest(name): name for name in names}
    if not by_digest:
        return frozenset()
    rows = await conn.execute(
        "SELECT unnest(hubs_sha256) FROM erasure WHERE hubs_sha256 && %s::bytea[]", (list(by_digest),)
    )
    return frozenset(by_digest[known] for (said,) in await rows.fetchall() if (known := bytes(said)) in by_digest)


async def among(conn: Conn, what: str, keys: Iterable[str]) -> list[str]:
    """Return which of these keys were those of homes, or people, that were erased: they are not given again."""
    by_digest = {digest(key): key for key in keys}
    rows = await conn.execute(
        "SELECT subject_sha256 FROM erasure WHERE what = %s AND subject_sha256 = ANY(%s)", (what, list(by_digest))
    )
    return sorted(by_digest[bytes(said)] for (said,) in await rows.fetchall())


async def finish_due(conn: Conn, *, now: datetime) -> tuple[int, int]:
    """Finish what was asked for as far as it can be now; return how many are done, and how many still wait.

    Args:
        conn: in no transaction.
        now: by the clock that homes are judged on.
    """
    rows = await conn.execute(
        "SELECT erasure, what, subject, lane, hubs, log_cleared_at IS NULL FROM erasure WHERE done_at IS NULL "
        "ORDER BY erasure LIMIT %s",
        (_DUE_MAX,),
    )
    done = 0
    due = await rows.fetchall()
    for number, what, subject, lane, hubs, has_log in due:
        if what == "home" and has_log:
            await _clear_log(conn, lane, subject, hubs or [])
            await conn.execute("UPDATE erasure SET log_cleared_at = %s WHERE erasure = %s", (now, number))
        done += await _erase(conn, number, now=now)
    return done, len(due) - done


async def _erase(conn: Conn, number: int, *, now: datetime) -> bool:
    async with conn.transaction():
        await conn.execute("SELECT set_config('statement_timeout', %s, true)", (f"{_PATIENCE.total_seconds():.0f}s",))
        row = await (await conn.execute("SELECT erase(%s, %s)", (number, now))).fetchone()
    return row is not None and bool(row[0])


async def _clear_log(conn: Conn, lane: int, home: str, hubs: list[str]) -> None:
    """Take a home's entries out of its lane's log; rows, positions and moments stay."""
    gone, after = frozenset(hubs), 0
    while True:
        asked = {"lane": lane, "after": after, "names": [home, *hubs], "most": _PAGE}
        async with conn.transaction(), conn.cursor() as cur:
            page = await (await conn.execute(_ROWS, asked)).fetchall()
            freed = [(_without(bytes(entries), home, gone), lane, position, at) for position, at, entries in page]
            await cur.executemany(_FREE, freed)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _without(packed: bytes, home: str, hubs: frozenset[str]) -> bytes:
    """Return the entries of a row but those of a home."""
    return pack([one for one in unpack(packed) if isinstance(one, Deaf) or not (one.home == home or one.hub in hubs)])

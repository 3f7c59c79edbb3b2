"""What did the hubs of a home send that is not among its readings: refused, or lost?  For an operator to look at."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

Conn = AsyncConnection[Any]

# Ours: as many reasons and ranges as a person reads.
_MOST = 20


@dataclass(frozen=True, slots=True)
class RefusedFor:
    """Messages of a hub that were refused for one reason.

    Attributes:
        messages: how many.
        last_at: when the latest was received.
    """

    hub: str
    reason: str
    messages: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LostRange:
    """Numbers of a hub's stream that it no longer has and that were never stored.

    Attributes:
        stream: readings or alarms.
        numbers: how many.
        recovered_at: they came after all, from another copy; None: they are gone.
    """

    hub: str
    stream: str
    numbers: int
    noticed_at: datetime
    recovered_at: datetime | None


async def refused_of_home(conn: Conn, home: str, since: datetime) -> list[RefusedFor]:
    """Return what the hubs of a home sent since then and was refused, by reason, the newest first; at most 20."""
    async with conn.cursor(row_factory=class_row(RefusedFor)) as cur:
        await cur.execute(
            """
            SELECT hub, reason, count(*) AS messages, max(received_at) AS last_at
            FROM refused WHERE hub IN (SELECT hub FROM hub WHERE home = %s) AND received_at >= %s
            GROUP BY hub, reason ORDER BY last_at DESC LIMIT %s
            """,
            (home, since, _MOST),
        )
        return await cur.fetchall()


async def lost_of_home(conn: Conn, home: str, since: datetime) -> list[LostRange]:
    """Return which ranges were noticed since then to be lost of what the hubs of a home sent, newest first; at most 20.

    Args:
        conn: any.
        home: which.
        since: of noticing.
    """
    async with conn.cursor(row_factory=class_row(LostRange)) as cur:
        await cur.execute(
            """
            SELECT hub, stream, last - first + 1 AS numbers, noticed_at, recovered_at
            FROM lost_range WHERE hub IN (SELECT hub FROM hub WHERE home = %s) AND noticed_at >= %s
            ORDER BY noticed_at DESC LIMIT %s
            """,
            (home, since, _MOST),
        )
        return await cur.fetchall()

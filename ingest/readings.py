"""The reading table: how are readings written, and how does a page get them back?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

_COPY: Final = """
    COPY reading (home, hub, sensor, room, quantity, value, observed_at, uncertain_since, received_at, may_repeat)
    FROM STDIN (FORMAT BINARY)
"""
_TYPES: Final = ("text", "text", "text", "text", "text", "float8", "timestamptz", "timestamptz", "timestamptz", "bool")

ROWS_MAX: Final = 200_000
"""What one question may bring back: a busy home's two weeks (CASAS, 8,000 a day), and some."""

_OF_HOME: Final = """
    SELECT home, hub, sensor, room, quantity, value, observed_at, uncertain_since, received_at, may_repeat
    FROM reading WHERE home = %s AND observed_at >= %s AND observed_at < %s
    ORDER BY observed_at, received_at, sensor, quantity LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One stored reading; the fields are the columns of `reading`, in this order."""

    home: str | None
    hub: str
    sensor: str
    room: str | None
    quantity: str
    value: float
    observed_at: datetime
    uncertain_since: datetime | None
    received_at: datetime
    may_repeat: bool


async def write(conn: AsyncConnection[TupleRow], rows: Sequence[Row]) -> None:
    """Store readings; that each comes once is the business of the transaction that this is in."""
    if not rows:
        return
    async with conn.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            await copy.write_row(
                (
                    row.home,
                    row.hub,
                    row.sensor,
                    row.room,
                    row.quantity,
                    row.value,
                    row.observed_at,
                    row.uncertain_since,
                    row.received_at,
                    row.may_repeat,
                )
            )


async def of_home(conn: AsyncConnection[TupleRow], home: str, since: datetime, until: datetime) -> list[Row]:
    """Return a home's readings observed in a span, in the order in which they were observed.

    Args:
        conn: any.
        home: which.
        since: the first moment that counts.
        until: the first that no longer does; the span is what bounds the work.

    Returns:
        At most `ROWS_MAX`, the earliest.
    """
    rows = await conn.execute(_OF_HOME, (home, since, until, ROWS_MAX))
    return [Row(*row) for row in await rows.fetchall()]

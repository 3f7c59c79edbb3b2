"""The reading table: how are readings written, and how does a page get them back?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.reading import ALARMS, SIGNS_OF_LIFE, Quantity

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


SLOTS_MAX: Final = 40_000
"""A page with more would not be readable; a home of 12 rooms that never rest has 5,760 slots a day of 3 minutes."""

_SLOTS: Final = b"""
    SELECT time_bucket(%(slot)s::interval, observed_at) AS begins, room, quantity = %(door)s AS is_door,
           min(observed_at), max(observed_at)
    FROM reading
    WHERE home = %(home)s AND observed_at >= %(since)s AND observed_at < %(until)s AND uncertain_since IS NULL
      AND (quantity = %(door)s OR (value > 0 AND quantity = ANY(%(signs)s)))
    GROUP BY begins, room, is_door
    ORDER BY begins
    LIMIT %(most)s
"""
_SIGNS: Final = sorted(str(quantity) for quantity in SIGNS_OF_LIFE - ALARMS - {Quantity.OPEN})

_LAST_OF_SENSORS: Final = """
    SELECT sensor, max(received_at) FROM reading WHERE home = %s AND observed_at >= %s AND observed_at < %s
    GROUP BY sensor ORDER BY sensor LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """Somebody was seen in a room within a few minutes.

    Attributes:
        begins: of the slot.
        room: None where the sensor's is not known.
        is_door: a door, window or drawer was opened or closed.
        first_at: the first sign of life in it.
        last_at: the last one.
    """

    begins: datetime
    room: str | None
    is_door: bool
    first_at: datetime
    last_at: datetime


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


async def slots_of_home(
    conn: AsyncConnection[Any], home: str, since: datetime, until: datetime, slot: timedelta
) -> list[Slot]:
    """Return when and where there were certain signs of life, counted into slots, in their order.

    Counted by the database, so that a page costs the same whether a home has ten readings an hour or a thousand.

    Args:
        conn: any.
        home: which.
        since: the first moment that counts.
        until: the first that no longer does; the span is what bounds the work.
        slot: how long each is; they begin at multiples of it.

    Returns:
        At most `SLOTS_MAX`, the earliest.  What has an uncertain time is left out.
    """
    cur = await conn.execute(
        _SLOTS,
        {
            "slot": slot,
            "door": str(Quantity.OPEN),
            "signs": _SIGNS,
            "home": home,
            "since": since,
            "until": until,
            "most": SLOTS_MAX,
        },
    )
    return [Slot(*row) for row in await cur.fetchall()]


async def last_of_sensors(
    conn: AsyncConnection[Any], home: str, since: datetime, until: datetime
) -> dict[str, datetime]:
    """Return when each sensor's latest reading, among those observed in a span, reached us; silent ones are left out.

    Args:
        conn: any.
        home: which.
        since: the first moment of observation that counts; the span is what bounds the work.
        until: the first that no longer does.
    """
    rows = await conn.execute(_LAST_OF_SENSORS, (home, since, until))
    return dict(await rows.fetchall())


_PAGE: Final = """
    SELECT home, hub, sensor, room, quantity, value, observed_at, uncertain_since, received_at, may_repeat
    FROM reading WHERE home = %(home)s AND observed_at >= %(since)s AND observed_at < %(until)s
    ORDER BY observed_at, received_at, sensor, quantity OFFSET %(skip)s LIMIT %(limit)s
"""


async def page_of_home(
    conn: AsyncConnection[TupleRow], home: str, since: datetime, until: datetime, *, skip: int, limit: int
) -> list[Row]:
    """Return some of a home's readings observed in a span, in the order in which they were observed.

    Args:
        conn: any.
        home: which.
        since: the first moment that counts.
        until: the first that no longer does; the span is what bounds the work.
        skip: leave out the first of them, which were observed at `since` and are known already.
        limit: how many at most, up to `ROWS_MAX`.
    """
    rows = await conn.execute(
        _PAGE, {"home": home, "since": since, "until": until, "skip": skip, "limit": min(limit, ROWS_MAX)}
    )
    return [Row(*row) for row in await rows.fetchall()]


async def drop_before(conn: AsyncConnection[TupleRow], moment: datetime) -> int:
    """Drop the whole weeks of readings before a moment, at least 100 days ago; return how many chunks that were."""
    async with conn.transaction():
        # As with the log: those who write wait behind its locks no longer than this.
        await conn.execute("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '2s'")
        row = await (await conn.execute("SELECT drop_readings_before(%s)", (moment,))).fetchone()
        return 0 if row is None else int(row[0])

"""Who answered 1 or 2 and is to be rung, by whom, and what came of it?

Only that a call is due is shown: never which of the two it was, nor what was written with it.  The person who is rung
says it again if they want to; staff never see who said what.  Decision: deploy/decisions/, the confidence ledger.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from psycopg import AsyncConnection

Connection = AsyncConnection[Any]

CameOf = Literal["something changes", "talked", "wants no call", "not reached"]
CAME_OF: Final[tuple[CameOf, ...]] = get_args(CameOf)

RING_WITHIN: Final = timedelta(days=7)
"""Five working days: what somebody who answered 1 or 2 may expect.  Ours."""

# Ours: what one person can read; the rest is there when these are done.
_LISTED: Final = 100
_LATELY: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is due, or was made lately.

    Attributes:
        resident: full name of whom it is about.
        taken_by: the name of the operator who said that they will ring.
        rung_by: the name of who rang last.
        came_of: None while it is due.
    """

    call: int
    home: str
    resident: str
    full_name: str
    phone: str | None
    email: str | None
    opened_at: datetime
    taken_by: str | None
    tries: int
    rung_at: datetime | None
    rung_by: str | None
    closed_at: datetime | None
    came_of: str | None

    @property
    def due_by(self) -> datetime:
        return self.opened_at + RING_WITHIN


_SELECT: Final = """
    SELECT c.call, c.home, COALESCE(resident.full_name, c.home), p.full_name, p.phone, p.email, c.opened_at,
           taker.full_name, c.tries, c.rung_at, ringer.full_name, c.closed_at, c.came_of
    FROM confidence_call c JOIN person p ON p.person = c.person LEFT JOIN resident ON resident.home = c.home
    LEFT JOIN person taker ON taker.person = c.taken_by LEFT JOIN person ringer ON ringer.person = c.rung_by
"""


async def due(conn: Connection) -> list[Call]:
    """Return the calls that are due, the oldest first; at most 100."""
    rows = await conn.execute(
        _SELECT.encode() + b" WHERE c.closed_at IS NULL ORDER BY c.opened_at, c.call LIMIT %s", (_LISTED,)
    )
    return [Call(*row) for row in await rows.fetchall()]


async def made_lately(conn: Connection, *, now: datetime) -> list[Call]:
    """Return the calls that were closed in the last 28 days, the newest first; at most 100."""
    rows = await conn.execute(
        _SELECT.encode() + b" WHERE c.closed_at > %s ORDER BY c.closed_at DESC, c.call LIMIT %s",
        (now - _LATELY, _LISTED),
    )
    return [Call(*row) for row in await rows.fetchall()]


async def find(conn: Connection, call: int) -> Call | None:
    """Return one call, due or closed, or None."""
    rows = await conn.execute(_SELECT.encode() + b" WHERE c.call = %s", (call,))
    row = await rows.fetchone()
    return None if row is None else Call(*row)


async def count_due(conn: Connection) -> int:
    """Return how many calls are due."""
    rows = await conn.execute("SELECT count(*) FROM confidence_call WHERE closed_at IS NULL")
    row = await rows.fetchone()
    return int(row[0]) if row else 0


async def home_of(conn: Connection, call: int) -> str | None:
    """Return which home a call is about, or None where there is no such call."""
    rows = await conn.execute("SELECT home FROM confidence_call WHERE call = %s", (call,))
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def take(conn: Connection, call: int, operator: str, *, now: datetime) -> None:
    """Write down who will ring; the first who says so has it, until another takes it over."""
    await conn.execute(
        "UPDATE confidence_call SET taken_at = %s, taken_by = %s WHERE call = %s AND closed_at IS NULL",
        (now, operator, call),
    )


async def no_answer(conn: Connection, call: int, operator: str, *, now: datetime) -> None:
    """Write down that it was rung in vain; it stays due."""
    await conn.execute(
        "UPDATE confidence_call SET rung_at = %s, rung_by = %s, tries = LEAST(tries + 1, 1000) "
        "WHERE call = %s AND closed_at IS NULL",
        (now, operator, call),
    )


async def close(
    conn: Connection, call: int, operator: str, came_of: CameOf, note: str | None, *, now: datetime
) -> None:
    """Write down what came of it; the second time it changes nothing."""
    await conn.execute(
        """
        UPDATE confidence_call SET closed_at = %(now)s, closed_by = %(by)s, came_of = %(came_of)s, note = %(note)s,
            rung_at = %(now)s, rung_by = %(by)s, tries = LEAST(tries + 1, 1000)
        WHERE call = %(call)s AND closed_at IS NULL
        """,
        {"now": now, "by": operator, "came_of": came_of, "note": note, "call": call},
    )

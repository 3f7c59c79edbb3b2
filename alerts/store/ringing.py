"""Who was asked how confident they feel and has not answered, to be rung; and what came of it.

What is said on the phone is heard and written down by the service's own staff, whom it judges.  So it has an origin
of its own, `by phone`, and never makes the headline (deploy/decisions/, answers by phone).  Who is rung follows from
the schedule alone: everybody who was reminded and has not answered, whatever they may think.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.store import asking, owing
from alerts.telling.asking import RING_AFTER

Conn = AsyncConnection[TupleRow]

# Ours: what one person can read; the rest is there when these are done.
_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Somebody who was asked, was reminded, and has not answered yet.

    Attributes:
        resident: full name of whom it is about.
        wording: the question, to be read aloud as it stands.
        answer_until: excluded; an answer after it is kept as volunteered.
        tries: how often they were rung in vain.
    """

    asking: int
    home: str
    person: str
    full_name: str
    phone: str | None
    resident: str
    question: int
    wording: str
    labels: tuple[str, ...]
    asked_at: datetime
    answer_until: datetime
    tries: int
    rung_at: datetime | None


# The first round is about the time before the service began, and is not rung about.
_WAITING: Final = f"""
    SELECT a.asking, a.home, a.person, p.full_name, p.phone, r.full_name, a.question,
           replace(q.wording, '{{first_name}}', r.first_name), q.labels, a.asked_at, a.answer_until,
           (SELECT count(*) FROM confidence_ring k WHERE k.asking = a.asking),
           (SELECT max(k.at) FROM confidence_ring k WHERE k.asking = a.asking)
    FROM confidence_asking a JOIN person p ON p.person = a.person JOIN resident r ON r.home = a.home
    JOIN confidence_question q ON q.question = a.question
    WHERE a.state = 'asked' AND a.round > 0 AND a.answer_until > %(now)s AND a.reminded_at <= %(reminded)s
      AND EXISTS (SELECT FROM ({asking.FRAME}) f WHERE f.home = a.home AND f.person = a.person)
      AND NOT EXISTS (SELECT FROM confidence_ring k WHERE k.asking = a.asking AND k.came_of <> 'not reached')
      AND NOT EXISTS (SELECT FROM alert WHERE alert.home = a.home AND state <> 'closed' AND NOT is_fault
                      AND NOT for_operator)
      AND (%(asking)s::bigint IS NULL OR a.asking = %(asking)s)
    ORDER BY a.answer_until, a.asking LIMIT %(most)s
"""  # noqa: S608 - the frame is a constant of ours


async def to_ring(conn: Conn, *, now: datetime) -> list[Unanswered]:
    """Return whom to ring, in the order in which their time ends; at most 100."""
    return await _waiting(conn, None, now=now)


async def find(conn: Conn, number: int, *, now: datetime) -> Unanswered | None:
    """Return somebody who is to be rung, or None: they answered meanwhile, or their time is over."""
    found = await _waiting(conn, number, now=now)
    return found[0] if found else None


async def _waiting(conn: Conn, number: int | None, *, now: datetime) -> list[Unanswered]:
    values = {"now": now, "reminded": now - RING_AFTER, "asking": number, "most": _LISTED}
    rows = await conn.execute(_WAITING.encode(), values)
    return [Unanswered(*(*row[:8], tuple(row[8]), *row[9:])) for row in await rows.fetchall()]


async def take_answer(
    conn: Conn, number: int, answer: int | None, words: str | None, *, by: str, now: datetime
) -> bool:
    """Keep what somebody answered on the phone; return whether it could be: not if they answered meanwhile."""
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        one = await find(conn, number, now=now)
        if one is None:
            return False
        await asking.take_by_phone(conn, one.asking, asking.Said("by phone", answer, words, by), now=now)
        await _write(conn, number, "answered", by=by, now=now)
    return True


async def not_reached(conn: Conn, number: int, *, by: str, now: datetime) -> None:
    """Write down that somebody was rung in vain; they stay to be rung."""
    await _end(conn, number, "not reached", by=by, now=now)


async def wants_no_question(conn: Conn, number: int, *, by: str, now: datetime) -> None:
    """Write down that somebody does not want to be asked; they are not rung about this question again."""
    await _end(conn, number, "wants no question", by=by, now=now)


async def _end(conn: Conn, number: int, came_of: str, *, by: str, now: datetime) -> None:
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        if await find(conn, number, now=now) is not None:
            await _write(conn, number, came_of, by=by, now=now)


async def _write(conn: Conn, number: int, came_of: str, *, by: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO confidence_ring (asking, at, by, came_of) VALUES (%s, %s, %s, %s)", (number, now, by, came_of)
    )


async def home_of(conn: Conn, number: int) -> str | None:
    """Return which home an asking is about, or None where there is no such asking."""
    rows = await conn.execute("SELECT home FROM confidence_asking WHERE asking = %s", (number,))
    row = await rows.fetchone()
    return None if row is None else str(row[0])

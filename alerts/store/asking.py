"""Who was asked how confident they feel, and what did they say?  The decisions are `telling.asking`'s.

Everything here may be repeated: a round is written once for each home and person, an answer counts once.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.store import owing
from alerts.telling import asking, wording
from alerts.telling.asking import Asking, Move

Conn = AsyncConnection[TupleRow]

# A number of our own among the database's advisory locks: "conf" in ASCII.
_LOCK: Final = 0x636F6E66
# Ours: texts written in one turn; the next turn is seconds away.
_AT_ONCE: Final = 200
# Ours: what is said on a page this soon after an alert ended is about that alert.
_AFTER_AN_ALERT: Final = timedelta(days=7)
# A second press of the same button is not a second answer.
_SAME_ANSWER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pending:
    """The question that somebody was asked last, while it can still be answered.

    Attributes:
        who: the resident's first name.
        is_answered: whether it was; then `answer` is what was said, None for "can't say".
    """

    asking: int
    home: str
    person: str
    question: int
    who: str
    is_answered: bool
    answer: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it is kept.

    Attributes:
        origin: how it came about: scheduled, volunteered, after an alert, by phone.
        answer: 1 to 5; None: cannot say.
        taken_by: the operator who heard it on the phone; None: the person wrote it.
    """

    origin: str
    answer: int | None
    words: str | None
    taken_by: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look came to, in numbers of people."""

    asked: int = 0
    reminded: int = 0


async def turn(conn: Conn, *, now: datetime) -> Turn:
    """Write down whose round it is, ask and remind those whose moment has come, and end what is over.

    One worker does this at a time; the others do nothing meanwhile.
    """
    async with conn.transaction():
        rows = await conn.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
        row = await rows.fetchone()
        if row is None or not row[0]:
            return Turn()
        await _begin_rounds(conn, now=now)
        return await _move_on(conn, now=now)


FRAME: Final = """
    SELECT g.home, g.person, array_agg(g.view) AS views, min(g.given_at) AS since, p.kinds
    FROM access_grant g JOIN person p ON p.person = g.person JOIN resident ON resident.home = g.home
    WHERE g.withdrawn_at IS NULL AND p.left_at IS NULL AND NOT p.is_operator AND EXISTS (
        SELECT FROM consent c WHERE c.home = g.home AND c.person = g.person AND c.view = g.view
        AND c.withdrawn_at IS NULL AND c.since <= %(now)s AND c.until > %(now)s)
    GROUP BY g.home, g.person, p.kinds
"""
"""Whoever sees a home as family or cares for it, with a consent in force, has not left and is not an operator."""


async def _begin_rounds(conn: Conn, *, now: datetime) -> None:
    """Write a row for everybody whose round has begun; who is being asked about another home waits for the next turn.

    A round that began in a time that a restored database has forgotten is over: they may have been asked in it.

    Of several homes, the one that this person was asked about longest ago comes first.
    """
    rows = await conn.execute(
        f"""
        SELECT f.home, f.person, f.views, f.since, f.kinds, h.added_at, m.home_group,
               rank() OVER (PARTITION BY f.home ORDER BY f.since, f.person),
               array(SELECT round FROM confidence_asking a WHERE a.home = f.home AND a.person = f.person)
        FROM ({FRAME}) f JOIN home h USING (home) LEFT JOIN home_group_member m USING (home)
        WHERE NOT EXISTS (SELECT FROM confidence_asking a WHERE a.person = f.person AND a.state IN ('due', 'asked'))
        ORDER BY (SELECT max(asked_at) FROM confidence_asking a WHERE a.home = f.home AND a.person = f.person)
                 NULLS FIRST, f.since, f.home
        """.encode(),  # noqa: S608 - the frame is a constant of this file
        {"now": now},
    )
    for home, person, views, since, kinds, added_at, group, place, known in await rows.fetchall():
        audience = asking.audience_of(frozenset(views), frozenset(kinds))
        current = asking.round_to_ask(added_at, since, now=now) if audience is not None else None
        if audience is None or current is None or current.number in known:
            continue
        await conn.execute(
            """
            INSERT INTO confidence_asking (home, person, audience, question, round, place, home_group, due_at, state,
                                           ended_at)
            SELECT %(home)s, %(person)s, %(audience)s, max(question), %(round)s, %(place)s, %(group)s, %(due)s,
                   CASE WHEN is_forgotten THEN 'withdrawn' ELSE 'due' END, CASE WHEN is_forgotten THEN %(now)s END
            FROM confidence_question, LATERAL (SELECT EXISTS (
                SELECT FROM restored WHERE shows < %(due)s AND %(due)s <= told_until) AS is_forgotten) AS known
            WHERE audience = %(audience)s GROUP BY is_forgotten HAVING max(question) IS NOT NULL
            ON CONFLICT DO NOTHING
            """,
            {
                "home": home,
                "person": person,
                "audience": audience.value,
                "round": current.number,
                "place": place,
                "group": group,
                "due": current.due_at,
                "now": now,
            },
        )


@dataclass(frozen=True, slots=True)
class _Open:
    """A row that is not over, with what the text needs."""

    asking: int
    person: str
    phone: str | None
    may_text: bool
    question: str
    first_name: str
    service: str
    facts: Asking


async def _open_ones(conn: Conn, *, now: datetime) -> list[_Open]:
    rows = await conn.execute(
        f"""
        SELECT a.asking, a.person, p.phone,
               p.phone IS NOT NULL AND COALESCE((
                   SELECT understood <> 'stop' FROM text_received t
                   WHERE t.phone = p.phone AND understood IN ('stop', 'start')
                   ORDER BY received_at DESC LIMIT 1), true),
               q.wording, r.first_name,
               COALESCE((SELECT name FROM service), 'telecare'),
               a.asked_at, a.answer_until, a.reminded_at,
               (SELECT max(o.asked_at) FROM confidence_asking o WHERE o.person = a.person AND o.asking <> a.asking),
               f.person IS NOT NULL,
               EXISTS (SELECT FROM alert WHERE alert.home = a.home AND state <> 'closed' AND NOT is_fault
                       AND NOT for_operator)
        FROM confidence_asking a JOIN person p ON p.person = a.person JOIN resident r ON r.home = a.home
        JOIN confidence_question q ON q.question = a.question
        LEFT JOIN ({FRAME}) f ON f.home = a.home AND f.person = a.person
        WHERE a.state IN ('due', 'asked') ORDER BY a.due_at, a.asking
        """.encode(),  # noqa: S608 - the frame is a constant of this file
        {"now": now},
    )
    return [
        _Open(key, person, phone, may_text, question, name, service, Asking(*facts))
        for key, person, phone, may_text, question, name, service, *facts in await rows.fetchall()
    ]


async def _move_on(conn: Conn, *, now: datetime) -> Turn:
    asked = reminded = 0
    for one in await _open_ones(conn, now=now):
        if asked + reminded >= _AT_ONCE:
            break
        move = asking.next_move(one.facts, now=now)
        if move is Move.ASK:
            await _ask(conn, one, now=now)
            asked += 1
        elif move is Move.REMIND:
            await _remind(conn, one, now=now)
            reminded += 1
        elif move is Move.PUT_OFF:
            await conn.execute(
                "UPDATE confidence_asking SET put_off_at = COALESCE(put_off_at, %s) WHERE asking = %s",
                (now, one.asking),
            )
        elif move in {Move.LAPSE, Move.WITHDRAW}:
            await conn.execute(
                "UPDATE confidence_asking SET state = %s, ended_at = %s WHERE asking = %s",
                ("lapsed" if move is Move.LAPSE else "withdrawn", now, one.asking),
            )
    return Turn(asked, reminded)


async def _ask(conn: Conn, one: _Open, *, now: datetime) -> None:
    await conn.execute(
        "UPDATE confidence_asking SET state = 'asked', asked_at = %s, answer_until = %s, way = %s WHERE asking = %s",
        (now, now + asking.ANSWER_WITHIN, "text" if one.may_text else "page", one.asking),
    )
    if one.may_text:
        await _owe(conn, one, is_reminder=False, now=now)


async def _remind(conn: Conn, one: _Open, *, now: datetime) -> None:
    """Send the only reminder; to whom we may not text, the page has been one all along."""
    await conn.execute("UPDATE confidence_asking SET reminded_at = %s WHERE asking = %s", (now, one.asking))
    if one.may_text:
        await _owe(conn, one, is_reminder=True, now=now)


async def _owe(conn: Conn, one: _Open, *, is_reminder: bool, now: datetime) -> None:
    """Write that the question is to be texted; what has not left by the evening is not sent at night."""
    body = wording.confidence_asked(one.service, one.question, one.first_name, is_reminder=is_reminder)
    await conn.execute(
        """
        INSERT INTO notification (key, person, phone, purpose, body, state, due_at, worth_until)
        VALUES (%s, %s, %s, 'confidence', %s, 'due', %s, %s)
        """,
        (secrets.token_hex(16), one.person, one.phone, body, now, asking.day_ends_at(now)),
    )
    await owing.wake(conn)


# What people say.


async def pending(conn: Conn, person: str, *, home: str | None = None, now: datetime) -> Pending | None:
    """Return the question that somebody was asked last, if its time is not over; about one home, if that is named."""
    rows = await conn.execute(
        """
        SELECT a.asking, a.home, a.person, a.question, resident.first_name, a.state = 'answered', report.answer
        FROM confidence_asking a JOIN resident ON resident.home = a.home
        LEFT JOIN confidence_report report ON report.report = a.report
        WHERE a.person = %s AND a.state IN ('asked', 'answered') AND a.answer_until > %s
          AND (%s::text IS NULL OR a.home = %s)
        ORDER BY asked_at DESC LIMIT 1
        """,
        (person, now, home, home),
    )
    row = await rows.fetchone()
    return None if row is None else Pending(*row)


async def take_answer(conn: Conn, asked: Pending, answer: int | None, words: str | None, *, now: datetime) -> None:
    """Keep the answer to a question that was asked; a low one opens a call.  In a transaction of the caller's."""
    report = await _keep(conn, asked.home, asked.person, asked.question, Said("scheduled", answer, words), now=now)
    await _end(conn, asked.asking, asked.person, report, now=now)


async def take_by_phone(conn: Conn, asking_: int, said: Said, *, now: datetime) -> None:
    """Keep what somebody said on the phone to what they were asked and had not answered.  In a transaction."""
    rows = await conn.execute("SELECT home, person, question FROM confidence_asking WHERE asking = %s", (asking_,))
    row = await rows.fetchone()
    assert row is not None, "the caller has found it"
    home, person, question = row
    await _end(conn, asking_, person, await _keep(conn, home, person, question, said, now=now), now=now)


async def _end(conn: Conn, asking_: int, person: str, report: int, *, now: datetime) -> None:
    """Write that what was asked is answered, and that nothing more is texted about it."""
    await conn.execute(
        "UPDATE confidence_asking SET state = 'answered', report = %s, ended_at = %s "
        "WHERE asking = %s AND state = 'asked'",
        (report, now, asking_),
    )
    await conn.execute(
        "UPDATE notification SET state = 'not needed' WHERE person = %s AND purpose = 'confidence' AND state = 'due'",
        (person,),
    )


async def answer_on_page(
    conn: Conn, home: str, person: str, question: int, answer: int | None, words: str | None, *, now: datetime
) -> None:
    """Keep what somebody said on a page: an answer to what they were asked, or unasked, or after an alert."""
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        asked = await pending(conn, person, home=home, now=now)
        if asked is not None and not asked.is_answered and asked.question == question:
            await take_answer(conn, asked, answer, words, now=now)
            return
        rows = await conn.execute(
            """
            SELECT EXISTS (SELECT FROM alert WHERE home = %(home)s AND NOT is_fault AND NOT for_operator
                           AND (state <> 'closed' OR closed_at > %(lately)s)),
                   EXISTS (SELECT FROM confidence_report WHERE home = %(home)s AND person = %(person)s
                           AND question = %(question)s AND answered_at > %(moment)s
                           AND answer IS NOT DISTINCT FROM %(answer)s::smallint
                           AND words IS NOT DISTINCT FROM %(words)s::text)
            """,
            {
                "home": home,
                "person": person,
                "question": question,
                "answer": answer,
                "words": words,
                "lately": now - _AFTER_AN_ALERT,
                "moment": now - _SAME_ANSWER,
            },
        )
        row = await rows.fetchone()
        is_after_an_alert, is_known = row or (False, False)
        if not is_known:
            origin = "after an alert" if is_after_an_alert else "volunteered"
            await _keep(conn, home, person, question, Said(origin, answer, words), now=now)


async def _keep(conn: Conn, home: str, person: str, question: int, said: Said, *, now: datetime) -> int:
    rows = await conn.execute(
        "INSERT INTO confidence_report (home, person, question, origin, answer, words, answered_at, taken_by) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING report",
        (home, person, question, said.origin, said.answer, said.words, now, said.taken_by),
    )
    row = await rows.fetchone()
    assert row is not None, "an insert returns its row"
    if said.answer is not None and said.answer <= 2:
        await conn.execute(
            "INSERT INTO confidence_call (home, person, opened_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (home, person, now),
        )
    return int(row[0])

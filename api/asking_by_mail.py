"""Who is asked by e-mail how confident they feel, and what does the link in it open?

Whoever has a mailbox and no phone.  When they are asked, and reminded once, `alerts.telling.asking` decides; here it
is only mailed.  The link opens the question alone and lets nobody in: whoever holds the mailbox may answer, as whoever
holds a phone may by text.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import psycopg
from psycopg import AsyncConnection

from alerts.store import asking
from alerts.telling.asking import is_day
from api import store, times
from api.office import changes
from api.signing_in.mail import Became, Letter, Mail
from api.signing_in.secrets import hashed, new_token
from api.store import Question
from gateway.clock import Clock
from ingest.db.pool import Pool

log = logging.getLogger(__name__)

Connection = AsyncConnection[Any]
Kind = Literal["question", "reminder"]

# Real seconds between two looks; the schedule is in days.  Ours.
_LOOK_S: Final = 30.0
# Mails of one look; the next is seconds away.  Ours.
_AT_ONCE: Final = 20
# From when it was due until it is not mailed any more: shorter than the wait for the reminder.  Ours.
_WORTH_FOR: Final = timedelta(days=3)
# Until a mail is tried again that the mail server did not take.  Ours.
_AGAIN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A question that is to be mailed now.

    Attributes:
        kind: the question, or its only reminder.
        wording: with `{first_name}`.
        answer_until: excluded.
    """

    asking: int
    kind: Kind
    email: str
    first_name: str
    wording: str
    answer_until: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens while the question can be answered."""

    home: str
    person: str
    first_name: str
    question: Question

    @property
    def said(self) -> str:
        """The question as it is asked."""
        return self.question.wording.format(first_name=self.first_name)


# -- what is mailed


# What a restored database has forgotten may have been mailed: a question is never asked twice.
_DUE: Final = f"""
    SELECT a.asking, k.kind, p.email, r.first_name, q.wording, a.answer_until
    FROM confidence_asking a JOIN person p ON p.person = a.person JOIN resident r ON r.home = a.home
    JOIN confidence_question q ON q.question = a.question
    JOIN ({asking.FRAME}) f ON f.home = a.home AND f.person = a.person
    CROSS JOIN LATERAL (SELECT CASE WHEN a.reminded_at IS NULL THEN 'question' ELSE 'reminder' END AS kind,
                               COALESCE(a.reminded_at, a.asked_at) AS since) k
    LEFT JOIN confidence_mail m ON m.asking = a.asking AND m.kind = k.kind
    WHERE a.state = 'asked' AND a.answer_until > %(now)s AND k.since > %(worth)s
      AND p.phone IS NULL AND p.email IS NOT NULL AND p.mail_stopped_at IS NULL
      AND (m.asking IS NULL OR (m.became = 'failed' AND m.tried_at <= %(again)s))
      AND NOT EXISTS (SELECT FROM restored WHERE k.since <= told_until)
      AND NOT EXISTS (SELECT FROM alert WHERE alert.home = a.home AND state <> 'closed' AND NOT is_fault
                      AND NOT for_operator)
    ORDER BY k.since, a.asking LIMIT %(most)s
"""  # noqa: S608 - the frame is a constant of ours


async def due(conn: Connection, *, now: datetime) -> list[Due]:
    """Return what is to be mailed now, the oldest first; nothing at night, nor while somebody may be on the way."""
    if not is_day(now):
        return []
    values = {"now": now, "worth": now - _WORTH_FOR, "again": now - _AGAIN_AFTER, "most": _AT_ONCE}
    rows = await conn.execute(_DUE.encode(), values)
    return [Due(*row) for row in await rows.fetchall()]


async def begin(conn: Connection, one: Due, *, now: datetime) -> str | None:
    """Write that a mail is being tried, and return the secret of its link; None: another process has it.

    One that is found so later may have left, and is not sent again: asked twice is worse than not by mail.
    """
    token = new_token()
    done = await conn.execute(
        """
        INSERT INTO confidence_mail (asking, kind, token_sha256, tried_at) VALUES (%s, %s, %s, %s)
        ON CONFLICT (asking, kind) DO UPDATE SET token_sha256 = excluded.token_sha256, tried_at = excluded.tried_at,
            became = NULL WHERE confidence_mail.became = 'failed'
        """,
        (one.asking, one.kind, hashed(token), now),
    )
    return token if done.rowcount else None


async def end(conn: Connection, one: Due, became: Became) -> None:
    """Write what became of a mail; who was sent one was asked by mail."""
    async with conn.transaction():
        await conn.execute(
            "UPDATE confidence_mail SET became = %s WHERE asking = %s AND kind = %s",
            (became.value, one.asking, one.kind),
        )
        if became is Became.SENT:
            await conn.execute("UPDATE confidence_asking SET way = 'mail' WHERE asking = %s", (one.asking,))


def letter(one: Due, service: str, url: str) -> Letter:
    """Return the mail; what follows from a 1 or 2 is said before it is answered."""
    again = "A reminder, the only one. " if one.kind == "reminder" else ""
    last_day = times.long_day(times.local_date(one.answer_until - timedelta(seconds=1)))
    stop = f"{url}/stop"
    return Letter(
        one.email,
        f"{'A reminder: one' if again else 'One'} question from {service}",
        f"{again}{one.wording.format(first_name=one.first_name)}\n\n"
        f"Answer here, until the end of {last_day}; it takes half a minute:\n\n{url}\n\n"
        "After a 1 or 2 one person gets in touch with you to ask what would help. "
        f"The link opens this question and nothing of {one.first_name}'s home; do not pass it on.\n\n"
        "You are asked once in 28 days at most, with one reminder. "
        "To be asked by e-mail no more, press the button for it behind the same link.\n",
        # Mail programs offer it as a button of their own (RFC 8058), over https alone.
        {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        if stop.startswith("https://")
        else {},
    )


async def turn(pool: Pool, mail: Mail, public_url: str, *, now: datetime, real_now: datetime) -> int:
    """Mail what is due, and return how many mails left."""
    async with pool.connection() as conn:
        found, service = await due(conn, now=now), await store.service_name(conn)
    sent = 0
    for one in found:
        async with pool.connection() as conn:
            token = await begin(conn, one, now=now)
        if token is None:
            continue
        # No connection is held while the mail server is spoken to.
        became = await mail.send(
            letter(one, service, f"{public_url}/answer/{token}"), service=service, real_now=real_now
        )
        async with pool.connection() as conn:
            await end(conn, one, became)
        sent += became is Became.SENT
    return sent


async def ask_for_ever(pool: Pool, mail: Mail, public_url: str, clock: Clock, real: Clock) -> None:
    """Mail whatever is due, until cancelled."""
    while True:
        try:
            sent = await turn(pool, mail, public_url, now=clock.now(), real_now=real.now())
            if sent:
                log.info("confidence asked by mail", extra={"mails": sent})
        except psycopg.Error as why:
            log.warning("confidence not asked by mail", extra={"why": type(why).__name__})
        except Exception:
            log.exception("asking by mail failed")
        await asyncio.sleep(_LOOK_S)


# -- what the link opens


async def opened(conn: Connection, token: str, *, now: datetime) -> Opened | None:
    """Return the question behind a link; None: answered, over, taken back, or no link of ours."""
    rows = await conn.execute(
        f"""
        SELECT a.home, a.person, r.first_name, q.question, q.wording, q.labels
        FROM confidence_mail m JOIN confidence_asking a USING (asking) JOIN resident r ON r.home = a.home
        JOIN confidence_question q ON q.question = a.question
        JOIN ({asking.FRAME}) f ON f.home = a.home AND f.person = a.person
        WHERE m.token_sha256 = %(token)s AND a.state = 'asked' AND a.answer_until > %(now)s
        """.encode(),  # noqa: S608 - as above
        {"token": hashed(token), "now": now},
    )
    row = await rows.fetchone()
    if row is None:
        return None
    home, person, first_name, number, wording, labels = row
    return Opened(home, person, first_name, Question(number, wording, tuple(labels)))


async def set_stopped(conn: Connection, token: str, *, is_stopped: bool, now: datetime) -> bool:
    """Ask whoever was sent a link by e-mail no more, or again; return whether it is a link of ours, however old."""
    async with conn.transaction():
        rows = await conn.execute(
            "SELECT person, mail_stopped_at IS NOT NULL FROM confidence_mail JOIN confidence_asking USING (asking) "
            "JOIN person USING (person) WHERE token_sha256 = %s FOR UPDATE OF person",
            (hashed(token),),
        )
        row = await rows.fetchone()
        if row is None:
            return False
        person, was_stopped = row
        if was_stopped != is_stopped:
            await conn.execute(
                "UPDATE person SET mail_stopped_at = %s WHERE person = %s", (now if is_stopped else None, person)
            )
            what = "asked by e-mail no more" if is_stopped else "asked by e-mail again"
            await changes.note(conn, what, by=person, now=now, person=person, content={})
    return True

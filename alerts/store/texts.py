"""What came back from the phones: was a text delivered, and what did somebody answer?"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.alert import Outcome, State
from alerts.store import answers, asking, owing, shown
from alerts.store.facts import Acknowledged, Alert, LetGo
from alerts.telling import replies, wording
from alerts.telling.replies import Word

Conn = AsyncConnection[TupleRow]

# Twilio's words for a text's state.  Source: Twilio, "Message resource", message status values.
_SENT: Final = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
_DELIVERED: Final = frozenset({"delivered", "read"})
_NOT_REACHED: Final = frozenset({"undelivered", "failed", "canceled"})

# Ours: an answer to an alert that was closed longer ago than this is about something else.
_OVER_FOR: Final = timedelta(days=1)

_TEXT_MAX: Final = 1_600


async def take_status(conn: Conn, key: str, sid: str, status: str, error_code: str | None, *, now: datetime) -> bool:
    """Write down what Twilio says became of a text; may come twice, in any order, or before we wrote *sent*.

    What arrived stays delivered, whatever is said of another copy of it.

    Args:
        conn: to the database.
        key: of the notification, from the callback's address.
        sid: Twilio's name for the text.
        status: Twilio's word.
        error_code: Twilio's, where it failed.
        now: when this was said.

    Returns:
        Whether there is such a notification.
    """
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        rows = await conn.execute("SELECT notification, alert FROM notification WHERE key = %s FOR UPDATE", (key,))
        row = await rows.fetchone()
        if row is None:
            return False
        notification, alert = row
        if status in _SENT:
            await _note_sent(conn, notification, sid, now=now)
        elif status in _DELIVERED:
            await _note_delivered(conn, notification, sid, now=now)
        elif status in _NOT_REACHED:
            why = status if error_code is None else f"{status}, Twilio code {error_code[:8]}"
            await note_not_reached(conn, notification, alert, "undelivered", why, now=now)
    return True


async def _note_sent(conn: Conn, notification: int, sid: str, *, now: datetime) -> None:
    await conn.execute(
        "UPDATE notification SET state = 'sent', sid = %s, sent_at = %s, claimed_by = NULL, claimed_at = NULL "
        "WHERE notification = %s AND state IN ('due', 'trying')",
        (sid, now, notification),
    )


async def _note_delivered(conn: Conn, notification: int, sid: str, *, now: datetime) -> None:
    await conn.execute(
        "UPDATE notification SET state = 'delivered', sid = %s, sent_at = COALESCE(sent_at, %s), delivered_at = %s, "
        "claimed_by = NULL, claimed_at = NULL WHERE notification = %s AND state <> 'delivered'",
        (sid, now, now, notification),
    )


async def note_not_reached(
    conn: Conn, notification: int, alert: int | None, state: str, why: str, *, now: datetime
) -> bool:
    """Write down that a text did not arrive, and have the next person asked at once; False if it had an end before.

    Args:
        conn: in a transaction.
        notification: which text.
        alert: which it is about, if any.
        state: "undelivered" or "failed".
        why: for the story; no phone and no name.
        now: when it was known.
    """
    rows = await conn.execute(
        "UPDATE notification SET state = %s, failed_at = %s, error = %s, claimed_by = NULL, claimed_at = NULL "
        "WHERE notification = %s AND state IN ('due', 'trying', 'sent') RETURNING purpose",
        (state, now, why, notification),
    )
    row = await rows.fetchone()
    if row is not None and row[0] in {*owing.ASKED, "again", "remind"}:
        await conn.execute("UPDATE alert SET next_telling_at = %s WHERE alert = %s AND state <> 'closed'", (now, alert))
        await owing.wake(conn)
    return row is not None


async def owe_login_text(conn: Conn, person: str, url: str, *, until: datetime | None = None, now: datetime) -> None:
    """Write that a one-time link is to be texted to a person; nothing happens for one without a phone.

    Raises:
        ValueError: the link is too long for a text.
    """
    ends = until or now + timedelta(minutes=15)
    await conn.execute(
        """
        INSERT INTO notification (key, person, phone, purpose, body, state, due_at, worth_until)
        SELECT %s, person, phone, 'log-in', %s, 'due', %s, %s FROM person
        WHERE person = %s AND phone IS NOT NULL
        """,
        (secrets.token_hex(16), wording.log_in(url, until=ends, now=now), now, ends, person),
    )
    await owing.wake(conn)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a text was taken for, and what it is answered."""

    understood: str
    answer: str
    alert: int | None = None


async def take_text(conn: Conn, sid: str, phone: str, body: str, *, now: datetime) -> str:
    """Do what somebody's text says, and return the answer to it; empty: none.

    The same text may come any number of times: it counts once, and is answered the same.

    Args:
        conn: to the database.
        sid: Twilio's name for the text.
        phone: who sent it, in E.164.
        body: what it says.
        now: when it came.
    """
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        rows = await conn.execute("SELECT answer FROM text_received WHERE sid = %s", (sid,))
        if row := await rows.fetchone():
            return str(row[0])
        # PostgreSQL keeps no NUL, and an answer holds none that we understand.
        said = body[:_TEXT_MAX].replace("\0", "")
        taken = await _take(conn, phone, said, now=now)
        await conn.execute(
            "INSERT INTO text_received (sid, phone, body, received_at, understood, alert, answer) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (sid, phone, said, now, taken.understood, taken.alert, taken.answer),
        )
    return taken.answer


async def _take(conn: Conn, phone: str, body: str, *, now: datetime) -> _Taken:
    reply = replies.parse(body)
    rows = await conn.execute("SELECT person FROM person WHERE phone = %s", (phone,))
    row = await rows.fetchone()
    if row is None:
        return _Taken("not understood: unknown phone", wording.not_understood(None))
    if reply.word in {Word.STOP, Word.START}:
        # Twilio answers these itself, and tells us by refusing the next text to this phone.
        return _Taken(reply.word.value, "")
    about_confidence = await _about_confidence(conn, phone, str(row[0]), body, now=now)
    return about_confidence or await _about_an_alert(conn, phone, str(row[0]), reply, now=now)


async def _about_confidence(conn: Conn, phone: str, person: str, body: str, *, now: datetime) -> _Taken | None:
    """Take an answer to the confidence question, if one waits for it; what may be about an alert never is one.

    The number of an alert that is open for this phone is about that alert, whatever stands behind it; with words
    behind it, so is that of one that closed within a day.
    """
    pending = await asking.pending(conn, person, now=now)
    if pending is None:
        return None
    given = await _codes_of(conn, phone, now=now)
    said = replies.parse_confidence(body)
    if said is None:
        is_any_open = any(is_open for _, is_open in given.values())
        is_understood = is_any_open or replies.parse(body).word is not None
        return None if is_understood or pending.is_answered else _Taken("not understood", wording.confidence_how())
    if said.answer in given and (said.words or given[said.answer][1]):
        return None
    if pending.is_answered:
        return _Taken("confidence: answered before", wording.confidence_known(pending.answer))
    await asking.take_answer(conn, pending, said.answer, said.words or None, now=now)
    return _Taken("confidence", wording.confidence_noted(said.answer, pending.who))


async def _about_an_alert(conn: Conn, phone: str, person: str, reply: replies.Reply, *, now: datetime) -> _Taken:
    given = await _codes_of(conn, phone, now=now)
    open_now = {code: alert for code, (alert, is_open) in given.items() if is_open}
    only = next(iter(open_now)) if len(open_now) == 1 else None
    if reply.word is None:
        return _Taken("not understood", wording.not_understood(only or min(open_now, default=None)))
    if reply.code is None and len(open_now) > 1:
        about = [await _about(conn, alert, code) for code, alert in sorted(open_now.items())]
        return _Taken("not understood: which one", wording.which_one(about))
    code = reply.code or only or next(iter(given), None)
    if code is not None and code not in given and open_now:
        about = [await _about(conn, alert, code) for code, alert in sorted(open_now.items())]
        return _Taken("not understood: no such alert", wording.wrong_code(code, about))
    if code is None or code not in given:
        return _Taken("not understood: no such alert", wording.not_understood(min(open_now, default=None)))
    # A word alone is about what is open; a number may be that of any text that a phone still shows.
    if len(meant := await _meant_by(conn, phone, code, only_open=reply.code is None and code in open_now, now=now)) > 1:
        about = [await _about(conn, alert, code) for alert in meant]
        return _Taken("not understood: which one", wording.same_code(code, about))
    alert, _ = given[code]
    answer = await _do(conn, alert, person, reply.word, code, now=now)
    return _Taken(reply.word.value, answer, alert)


async def _codes_of(conn: Conn, phone: str, *, now: datetime) -> dict[int, tuple[int, bool]]:
    """Return the alerts that this phone can answer by code, the latest first, and whether each is open."""
    rows = await conn.execute(
        """
        SELECT DISTINCT ON (r.code) r.code, r.alert, a.state <> 'closed', r.given_at
        FROM reply_code r JOIN alert a USING (alert)
        WHERE r.phone = %s AND (a.state <> 'closed' OR a.closed_at > %s)
        ORDER BY r.code, r.given_at DESC
        """,
        (phone, now - _OVER_FOR),
    )
    found = sorted(await rows.fetchall(), key=lambda row: row[3], reverse=True)
    return {code: (alert, is_open) for code, alert, is_open, _ in found}


async def _meant_by(conn: Conn, phone: str, code: int, *, only_open: bool, now: datetime) -> list[int]:
    """Return the alerts whose text with this code may still be what a phone shows, open ones first; a few.

    They are more than one only where a phone was given all 999 codes within a week.
    """
    rows = await conn.execute(
        "SELECT alert FROM reply_code r JOIN alert a USING (alert) WHERE phone = %s AND code = %s "
        "AND (a.state <> 'closed' OR r.given_at > %s AND NOT %s) ORDER BY a.state = 'closed', r.given_at DESC LIMIT 3",
        (phone, code, now - owing.CODE_RESTS, only_open),
    )
    return [int(alert) for (alert,) in await rows.fetchall()]


async def _about(conn: Conn, alert: int, code: int) -> wording.About:
    scene = await owing.scene_of(conn, alert)
    assert scene is not None, "its code was just read"
    return scene.about(code)


async def _do(conn: Conn, alert: int, person: str, word: Word, code: int, *, now: datetime) -> str:
    about = await _about(conn, alert, code)
    before = await shown.find_alert(conn, alert)
    assert before is not None, "its code was just read"
    if before.state is State.CLOSED:
        return await _after_it_was_over(conn, before, person, word, about, now=now)
    if word in _OUTCOMES:
        outcome = _OUTCOMES[word]
        await answers.close(conn, alert, person, outcome, None, now=now)
        return wording.outcome_noted(about, outcome)
    if word is Word.MINE:
        return await _mine(conn, alert, person, about, now=now)
    if word is Word.HELP:
        await answers.let_go(conn, alert, person, why=LetGo.HELP, now=now, how="text")
        return wording.help_called(about.who)
    if before.mine_by is not None and before.mine_by != person:
        at = before.mine_at or now
        return wording.taken_already(about.who, before.mine_by_name or "", what=about.what, at=at, now=now)
    why = LetGo.COULD_NOT_FIND_OUT if before.mine_by == person else LetGo.CANNOT_GO
    await answers.let_go(conn, alert, person, why=why, now=now, how="text")
    return wording.passed_on(about.who, await _whose_turn(conn, alert, person))


_OUTCOMES: Final = {
    Word.WELL: Outcome.ALL_WELL,
    Word.HELPED: Outcome.HELP_GIVEN,
    Word.FALSE: Outcome.FALSE_ALARM,
}


async def _mine(conn: Conn, alert: int, person: str, about: wording.About, *, now: datetime) -> str:
    became = await answers.acknowledge(conn, alert, person, how="text", now=now)
    after = await shown.find_alert(conn, alert)
    assert after is not None, "it was just answered"
    at = after.mine_at or now
    if became is Acknowledged.SOMEONE_ELSES:
        return wording.taken_already(about.who, after.mine_by_name or "", what=about.what, at=at, now=now)
    return wording.yours(about, at=at, now=now)


async def _after_it_was_over(
    conn: Conn, alert: Alert, person: str, word: Word, about: wording.About, *, now: datetime
) -> str:
    """Answer what is said of a closed alert: it changes nothing, unless it is a call for help."""
    if word is Word.HELP and await answers.let_go(conn, alert.alert, person, why=LetGo.HELP, now=now, how="text"):
        rows = await conn.execute(
            "SELECT code FROM reply_code JOIN person USING (phone) JOIN alert USING (alert) "
            "WHERE person = %s AND state <> 'closed' AND home IS NOT DISTINCT FROM %s ORDER BY alert DESC LIMIT 1",
            (person, alert.home),
        )
        row = await rows.fetchone()
        return wording.help_called(about.who, code=None if row is None else row[0])
    assert alert.outcome is not None, "a closed alert has one"
    by = alert.closed_by_name or owing.TELECARE
    return wording.over_already(about, alert.outcome, by, at=alert.closed_at or now, now=now)


async def _whose_turn(conn: Conn, alert: int, person: str) -> str | None:
    """Return the name of the one who has it or was asked last, other than this person; None: nobody is left."""
    rows = await conn.execute(
        """
        SELECT full_name FROM (
            SELECT person, 1 AS place, at AS since FROM acknowledgement WHERE alert = %(alert)s AND let_go_at IS NULL
            UNION ALL
            SELECT person, 2, due_at FROM notification
            WHERE alert = %(alert)s AND purpose IN ('alert', 'help') AND state NOT IN ('not needed', 'failed')
              AND due_at >= (SELECT COALESCE(max(let_go_at), '-infinity') FROM acknowledgement
                             WHERE alert = %(alert)s)
        ) turn JOIN person USING (person)
        WHERE person <> %(person)s ORDER BY place, since DESC LIMIT 1
        """,
        {"alert": alert, "person": person},
    )
    row = await rows.fetchone()
    return None if row is None else str(row[0])

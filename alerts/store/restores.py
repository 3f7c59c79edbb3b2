"""The database was put back to an older moment: what must not be told twice, and what does the operator decide?

What fell due before was probably told in the time that is forgotten, and much of it answered.  So nothing of it leaves
by itself at once: the operator is texted, sees it on a page and decides.  What nobody decides within half an hour is
told as ever, because a text too many is better than a person who waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow, class_row

from alerts.store import owing
from alerts.telling import wording

Conn = AsyncConnection[TupleRow]

HOLD: Final = timedelta(minutes=30)
"""How long the operator has to decide.  Ours: time to be woken, sign in and ring a few homes."""

# Ours: what was given, raised or numbered in the time that is forgotten cannot be many; a number used twice would let
# an old text's answer, or an old link, be about somebody else.
_NUMBERS_AHEAD: Final = 1_000_000
_EPOCHS_AHEAD: Final = 1_000
# Ours: what one person can decide on one page.
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Restored:
    """One restore, as the operator reads of it.

    Attributes:
        backup: what it is called.
        shows: the moment it shows.
        told_until: until when people were being told before, as far as is known.
        hold_until: what was not decided by then is told as ever.
    """

    restored: int
    backup: str
    shows: datetime
    told_until: datetime
    restored_at: datetime
    hold_until: datetime


async def put_in_order(conn: Conn, *, backup: str, shows: datetime, told_until: datetime, now: datetime) -> Restored:
    """Make a restored database fit to be worked on, in one transaction; nobody may work on it meanwhile.

    1. Numbers of what was forgotten are not given again, and no worker from before is taken for one of now.
    2. Whoever was signed in signs in again: who was signed out since is not known here.
    3. Texts that were due are held, and open alerts are told on only after the operator had time to decide.
    4. The operator is texted that it is so.

    Args:
        conn: to the restored database.
        backup: what the backup is called.
        shows: the moment it shows.
        told_until: until when people were being told, as far as is known; not after now.
        now: by the platform's clock.
    """
    async with conn.transaction():
        await _number_ahead(conn)
        await conn.execute("UPDATE lane SET epoch = epoch + %s, owner = NULL", (_EPOCHS_AHEAD,))
        await conn.execute("UPDATE judging_lane SET epoch = epoch + %s, owner = NULL", (_EPOCHS_AHEAD,))
        await conn.execute("UPDATE session SET ended_at = %s WHERE ended_at IS NULL", (now,))
        await conn.execute("UPDATE login_link SET used_at = %s WHERE used_at IS NULL", (now,))
        operator = await _operator(conn)
        rows = await conn.execute(
            "INSERT INTO restored (backup, shows, told_until, restored_at, hold_until) VALUES (%s, %s, %s, %s, %s) "
            "RETURNING restored",
            (backup, shows, told_until, now, now + HOLD if operator else now),
        )
        row = await rows.fetchone()
        assert row is not None, "an insert returns its row"
        await _hold_texts(conn, int(row[0]))
        # Who was asked in the forgotten time how confident they feel is not asked again in this round.
        await conn.execute(
            "UPDATE confidence_asking SET state = 'withdrawn', ended_at = %s WHERE state = 'due' AND due_at <= %s",
            (now, told_until),
        )
        await conn.execute(
            "UPDATE alert SET next_telling_at = %s WHERE state <> 'closed' AND next_telling_at < %s",
            (now + HOLD if operator else now, now + HOLD),
        )
        found = await latest(conn)
        assert found is not None, "it was just written"
        if operator:
            await _tell_operator(conn, operator, found, now=now)
    return found


async def _number_ahead(conn: Conn) -> None:
    rows = await conn.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'S' AND n.nspname = 'public'"
    )
    for schema, name in await rows.fetchall():
        sequence = sql.Identifier(schema, name)
        ahead = sql.SQL("SELECT setval({}, (SELECT last_value FROM {}) + {})")
        await conn.execute(ahead.format(sql.Literal(f'"{schema}"."{name}"'), sequence, sql.Literal(_NUMBERS_AHEAD)))


async def _operator(conn: Conn) -> str | None:
    """Return whose phone gets what nobody else can be told, or None where that is nobody's."""
    rows = await conn.execute("SELECT p.person FROM service s JOIN person p ON p.person = s.operator WHERE phone <> ''")
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def _hold_texts(conn: Conn, restored: int) -> None:
    # A log-in link is over; whether a confidence question was asked is not known, and it is never asked twice.
    await conn.execute(
        "UPDATE notification SET state = 'not needed' WHERE state IN ('due', 'trying') "
        "AND purpose IN ('log-in', 'confidence')"
    )
    await conn.execute(
        """
        WITH held AS (
            UPDATE notification SET state = 'not needed', claimed_by = NULL, claimed_at = NULL
            WHERE state IN ('due', 'trying') RETURNING notification)
        INSERT INTO held_text (notification, restored) SELECT notification, %s FROM held
        """,
        (restored,),
    )


async def _tell_operator(conn: Conn, operator: str, found: Restored, *, now: datetime) -> None:
    rows = await conn.execute(
        "SELECT (SELECT count(*) FROM alert WHERE state <> 'closed' AND part_of IS NULL AND NOT is_fault), "
        "(SELECT count(*) FROM held_text WHERE restored = %s)",
        (found.restored,),
    )
    row = await rows.fetchone()
    assert row is not None, "a count is one row"
    said = wording.restored(found.shows, alerts=row[0], texts=row[1], decide_by=found.hold_until, now=now)
    await owing.owe_without_alert(conn, operator, said, purpose="restored", now=now)


async def latest(conn: Conn) -> Restored | None:
    """Return the last restore, or None where there never was one."""
    async with conn.cursor(row_factory=class_row(Restored)) as cur:
        await cur.execute("SELECT * FROM restored ORDER BY restored DESC LIMIT 1")
        return await cur.fetchone()


async def probably_told(conn: Conn, observed_at: datetime, *, received_at: datetime) -> datetime | None:
    """Return until when the operator may decide about an alarm, or None where it was certainly never told.

    Hubs send again what the restored database has forgotten, calls for help among it.  One that was observed while
    people were still being told was probably told then.
    """
    rows = await conn.execute(
        "SELECT max(hold_until) FROM restored WHERE restored_at <= %s AND told_until > %s", (received_at, observed_at)
    )
    row = await rows.fetchone()
    return None if row is None else row[0]


# What the operator decides.


@dataclass(frozen=True, slots=True)
class HeldText:
    """A text that was due in the moment that the backup shows."""

    notification: int
    home: str | None
    alert: int | None
    is_over: bool
    full_name: str
    purpose: str
    body: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """An alert that was open in the moment that the backup shows, or a call for help that came again after it.

    Attributes:
        next_telling_at: when it is told on by itself; None: it is not.
    """

    alert: int
    home: str | None
    hub: str | None
    question: str
    since: datetime
    state: str
    next_telling_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers that a hub no longer had when it was asked for them after the restore."""

    hub: str
    home: str | None
    stream: str
    first: int
    last: int
    noticed_at: datetime


async def texts_to_decide(conn: Conn) -> list[HeldText]:
    """Return the texts about which nobody has decided, the oldest first."""
    async with conn.cursor(row_factory=class_row(HeldText)) as cur:
        await cur.execute(
            """
            SELECT n.notification, a.home, a.alert, coalesce(a.state = 'closed', false) AS is_over, p.full_name,
                   n.purpose, n.body, n.due_at
            FROM held_text h JOIN notification n USING (notification) JOIN person p ON p.person = n.person
            LEFT JOIN alert a ON a.alert = n.alert
            WHERE h.decided_at IS NULL ORDER BY n.due_at, n.notification LIMIT %s
            """,
            (_SHOWN_MAX,),
        )
        return await cur.fetchall()


async def alerts_to_decide(conn: Conn, found: Restored) -> list[HeldAlert]:
    """Return the alerts that are open and were probably told before the restore, calls for help first."""
    async with conn.cursor(row_factory=class_row(HeldAlert)) as cur:
        await cur.execute(
            """
            SELECT alert, home, hub, question, since, state, next_telling_at FROM alert a
            WHERE state <> 'closed' AND part_of IS NULL AND NOT is_fault AND (raised_at <= %(at)s
                OR EXISTS (SELECT FROM alarm WHERE alarm.alert = a.alert AND observed_at < %(told)s
                           AND received_at >= %(at)s))
            ORDER BY question <> 'alarm', since LIMIT %(most)s
            """,
            {"at": found.restored_at, "told": found.told_until, "most": _SHOWN_MAX},
        )
        return await cur.fetchall()


async def lost_since(conn: Conn, found: Restored) -> list[Lost]:
    """Return what no hub could give back after a restore, and is gone for good."""
    async with conn.cursor(row_factory=class_row(Lost)) as cur:
        await cur.execute(
            "SELECT hub, home, stream, first, last, noticed_at FROM lost_range JOIN hub USING (hub) "
            "WHERE noticed_at >= %s AND recovered_at IS NULL ORDER BY noticed_at, hub LIMIT %s",
            (found.restored_at, _SHOWN_MAX),
        )
        return await cur.fetchall()


async def not_back_since(conn: Conn, found: Restored) -> list[tuple[str, str | None]]:
    """Return each hub that was heard before the backup and not after the restore, with its home."""
    rows = await conn.execute(
        "SELECT hub, home FROM hub WHERE revoked_at IS NULL AND EXISTS (SELECT FROM hub_heard h WHERE h.hub = hub.hub) "
        "AND NOT EXISTS (SELECT FROM hub_heard h WHERE h.hub = hub.hub AND heard_until >= %s) ORDER BY hub LIMIT %s",
        (found.restored_at, _SHOWN_MAX),
    )
    return [(hub, home) for hub, home in await rows.fetchall()]


async def decide(conn: Conn, notification: int, *, is_told: bool, why: str, by: str, now: datetime) -> bool:
    """Send a held text now, or drop it for a reason; return whether it was still to be decided.

    One about an alert that is over by now is never sent.
    """
    said: Mapping[str, Any] = {
        "notification": notification,
        "at": now,
        "by": by,
        "decision": "told" if is_told else "dropped",
        "why": why,
        "until": now + timedelta(days=1),
    }
    async with conn.transaction():
        done = await conn.execute(
            "UPDATE held_text SET decided_at = %(at)s, decided_by = %(by)s, decision = %(decision)s, why = %(why)s "
            "WHERE notification = %(notification)s AND decided_at IS NULL",
            said,
        )
        if done.rowcount == 1 and is_told:
            await conn.execute(
                "UPDATE notification SET state = 'due', due_at = %(at)s, worth_until = %(until)s, try_after = NULL "
                "WHERE notification = %(notification)s AND NOT EXISTS (SELECT FROM alert "
                "WHERE alert.alert = notification.alert AND alert.state = 'closed')",
                said,
            )
            await owing.wake(conn)
    return done.rowcount == 1


async def tell_on(conn: Conn, alert: int, *, now: datetime) -> bool:
    """Have an alert told on at once; return whether it was waiting."""
    async with conn.transaction():
        done = await conn.execute(
            "UPDATE alert SET next_telling_at = %s WHERE alert = %s AND state <> 'closed' AND next_telling_at > %s",
            (now, alert, now),
        )
        await owing.wake(conn)
    return done.rowcount == 1


async def count_to_decide(conn: Conn) -> int:
    """Return how many texts and alerts wait for the operator after the last restore."""
    found = await latest(conn)
    if found is None:
        return 0
    waiting = [one for one in await alerts_to_decide(conn, found) if one.state == "open"]
    return len(waiting) + len(await texts_to_decide(conn))

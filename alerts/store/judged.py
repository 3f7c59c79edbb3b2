"""How does a finding become an alert, and somebody be told, at most once however often it is judged?

Judging the same log again gives the same findings (promise P4), so everything here is known by its episode, and an
alarm by its own identity.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from alerts.alert import FAULTS, ONE_STORY, Question
from alerts.judging.finding import Ended, Finding, SeenLater, Verdict
from alerts.store import answers, outages, owing, restores, spans
from alerts.telling.escalation import Why
from gateway.reading import Quantity
from ingest import entry

Conn = AsyncConnection[TupleRow]

# An alarm that reaches us later than this goes to the operator, with an outcome owed (design: late alarms).
_TOO_LATE_FOR_CARERS: Final = timedelta(hours=24)

# Ours: pressing that goes on without a pause of a minute is told of again after this; a smoke alarm that sounds for
# an hour must leave the phones usable.
_STILL_AFTER: Final = timedelta(minutes=5)


_BUTTONS: Final = (Quantity.PENDANT_ALARM.value, Quantity.PULL_CORD_ALARM.value)
_AGAIN: Final = """
    SELECT last.quantity, EXISTS (
        SELECT FROM alarm one WHERE one.alert = last.alert AND one.identity <> last.identity
        AND one.quantity = last.quantity AND one.sensor IS NOT DISTINCT FROM last.sensor)
    FROM alarm last WHERE last.alert = %s ORDER BY last.received_at DESC, last.identity DESC LIMIT 1
"""


async def keep(conn: Conn, concluded: Sequence[Verdict], *, now: datetime) -> list[Finding]:
    """Write alerts, and the first texts due, for what was concluded; return the findings that became alerts.

    Args:
        conn: in a transaction.
        concluded: in the order in which it was.
        now: when this is done; `raised_at` of the alerts.
    """
    if not concluded:
        return []
    await owing.one_at_a_time(conn)
    raised = []
    for one in concluded:
        if isinstance(one, SeenLater):
            await spans.write_seen_later(conn, one)
        elif isinstance(one, Ended):
            await _end(conn, one, now=now)
        elif one.alarm is not None:
            raised += [one] if await _keep_alarm(conn, one, one.alarm, now=now) else []
        else:
            raised += [one] if await _keep_finding(conn, one, now=now) else []
    return raised


async def _keep_finding(conn: Conn, finding: Finding, *, now: datetime) -> bool:
    rows = await conn.execute(
        "SELECT FROM alert WHERE home IS NOT DISTINCT FROM %s AND hub IS NOT DISTINCT FROM %s "
        "AND question = %s AND episode = %s",
        (finding.home, finding.hub, finding.question.value, finding.episode),
    )
    if await rows.fetchone() is not None:
        return False
    is_fault = finding.question in FAULTS
    # Questions that are one story to a carer: the second finding joins the first instead of a second text.
    group = sorted(ONE_STORY) if finding.question in ONE_STORY else [finding.question]
    head = await _open_head(conn, finding, group, for_operator=is_fault)
    alert = await _insert(conn, finding, for_operator=is_fault, part_of=head, now=now)
    is_hub = finding.question is Question.HUB_SILENT and finding.home is not None
    if head is None and not (
        is_hub and await outages.hold_or_join(conn, alert, str(finding.home), finding.since, now=now)
    ):
        await _tell_first(conn, alert, now=now)
    return head is None


async def _keep_alarm(conn: Conn, finding: Finding, alarm: entry.Alarm, *, now: datetime) -> bool:
    """Write down one press.  While an alert of this kind is open it belongs to that, and is told again."""
    rows = await conn.execute("SELECT FROM alarm WHERE identity = %s", (alarm.identity,))
    if await rows.fetchone() is not None:
        return False
    decide_by = await restores.probably_told(conn, alarm.observed_at, received_at=finding.at)
    is_too_late = finding.at - alarm.observed_at > _TOO_LATE_FOR_CARERS
    for_operator = finding.home is None or is_too_late or decide_by is not None
    head = await _open_head(conn, finding, (Question.ALARM,), for_operator=for_operator)
    if head is None:
        alert = await _insert(conn, finding, for_operator=for_operator, part_of=None, now=now)
        await _insert_alarm(conn, alert, alarm, received_at=finding.at)
        if decide_by is not None and now < decide_by:
            # The operator was texted once about all of them, and has a page to decide on.
            await conn.execute("UPDATE alert SET next_telling_at = %s WHERE alert = %s", (decide_by, alert))
        else:
            await _tell_first(conn, alert, now=now)
        return True
    is_news = await _is_news(conn, head, alarm, received_at=finding.at)
    is_apart = await _is_apart(conn, head, alarm)
    await _insert_alarm(conn, head, alarm, received_at=finding.at)
    # Presses of one night that reach us together are one text that says how many, from when to when.
    if decide_by is None and (is_news or (is_apart and not await _said_with_others(conn, head, now=now))):
        await _tell_again(conn, head, now=now)
    return False


async def _open_head(conn: Conn, finding: Finding, group: Sequence[Question], *, for_operator: bool) -> int | None:
    """Return the alert whose story this finding joins: open, of its group, and its cause still holds."""
    rows = await conn.execute(
        """
        SELECT alert FROM alert
        WHERE COALESCE(home, hub) = COALESCE(%s::text, %s::text) AND question = ANY(%s) AND subject = %s
          AND for_operator = %s
          AND state <> 'closed' AND part_of IS NULL AND cause_ended_at IS NULL
        ORDER BY alert LIMIT 1
        """,
        (finding.home, finding.hub, [question.value for question in group], _subject(finding), for_operator),
    )
    row = await rows.fetchone()
    return None if row is None else int(row[0])


async def _insert(conn: Conn, finding: Finding, *, for_operator: bool, part_of: int | None, now: datetime) -> int:
    why = dict(finding.why)
    if finding.again_of is not None:
        why["again_of"] = dict(finding.again_of)
    rows = await conn.execute(
        """
        INSERT INTO alert (home, hub, question, subject, episode, is_fault, for_operator, part_of, since, at,
                           raised_at, why, policy, state)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open') RETURNING alert
        """,
        (
            *(finding.home, finding.hub, finding.question.value, _subject(finding), finding.episode),
            finding.question in FAULTS,
            *(for_operator, part_of, finding.since, finding.at, now, Jsonb(why), finding.policy),
        ),
    )
    row = await rows.fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


def _subject(finding: Finding) -> str:
    """Return what of a question it is: two hubs, troubles of a hub, sensors or rules of a home are two of them."""
    if finding.question not in FAULTS:
        return str(finding.why.get("rule", "")) if finding.question is Question.RULE else ""
    return f"{finding.hub or ''} {finding.why.get('what') or finding.why.get('sensor') or ''}".strip()


async def _insert_alarm(conn: Conn, alert: int, alarm: entry.Alarm, *, received_at: datetime) -> None:
    await conn.execute(
        """
        INSERT INTO alarm (identity, alert, hub, sensor, room, quantity, observed_at, uncertain_since, received_at,
                           unreadable)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            *(alarm.identity, alert, alarm.hub, alarm.sensor, alarm.room, alarm.quantity),
            *(alarm.observed_at, alarm.uncertain_since, received_at, alarm.unreadable),
        ),
    )


async def _is_news(conn: Conn, alert: int, alarm: entry.Alarm, *, received_at: datetime) -> bool:
    """Return whether this alarm is more than the pressing of the last minute, which is known, going on."""
    rows = await conn.execute(
        """
        SELECT FROM alarm WHERE alert = %(alert)s AND sensor IS NOT DISTINCT FROM %(sensor)s
            AND quantity = %(quantity)s AND received_at > %(just_now)s
            AND EXISTS (SELECT FROM notification n WHERE n.alert = %(alert)s AND purpose IN ('alert', 'again')
                        AND due_at > %(lately)s)
        LIMIT 1
        """,
        {
            "alert": alert,
            "sensor": alarm.sensor,
            "quantity": alarm.quantity,
            "just_now": received_at - owing.TOGETHER,
            "lately": received_at - _STILL_AFTER,
        },
    )
    return await rows.fetchone() is None


async def _is_apart(conn: Conn, alert: int, alarm: entry.Alarm) -> bool:
    """Return whether nothing of the kind was pressed within a minute of this: it is a call of its own, come late."""
    rows = await conn.execute(
        "SELECT FROM alarm WHERE alert = %s AND sensor IS NOT DISTINCT FROM %s AND quantity = %s "
        "AND observed_at BETWEEN %s AND %s LIMIT 1",
        (
            *(alert, alarm.sensor, alarm.quantity),
            *(alarm.observed_at - owing.TOGETHER, alarm.observed_at + owing.TOGETHER),
        ),
    )
    return await rows.fetchone() is None


async def _said_with_others(conn: Conn, alert: int, *, now: datetime) -> bool:
    """Say a call in the texts about the one before, where these have not begun to leave; False: they have."""
    rows = await conn.execute(
        """
        SELECT notification, code, purpose FROM notification
        WHERE alert = %s AND state = 'due' AND claimed_at IS NULL AND attempts = 0 AND code IS NOT NULL
          AND (purpose = 'again' OR (purpose = 'alert' AND why = %s))
        ORDER BY notification FOR UPDATE
        """,
        (alert, Why.FIRST.value),
    )
    waiting = await rows.fetchall()
    scene = await owing.scene_of(conn, alert)
    assert scene is not None, "this transaction has just seen it open"
    for notification, code, purpose in waiting:
        before = await _again(conn, alert) if purpose == "again" else ""
        body = await owing.request(conn, scene, code, before=before, now=now)
        await conn.execute("UPDATE notification SET body = %s WHERE notification = %s", (body, notification))
    return bool(waiting)


async def _tell_first(conn: Conn, alert: int, *, now: datetime) -> None:
    scene = await owing.scene_of(conn, alert)
    assert scene is not None, "it was just written"
    await owing.tell_next(conn, scene, now=now)


async def _again(conn: Conn, alert: int) -> str:
    """Return how the newest alarm of an alert comes after the others: smoke after a press is no second press."""
    rows = await conn.execute(_AGAIN, (alert,))
    row = await rows.fetchone()
    assert row is not None, "it has just been written"
    quantity, is_same = row
    if not is_same:
        return "Another alarm there."
    return "Pressed again." if quantity in _BUTTONS else "It went off again."


async def _tell_again(conn: Conn, alert: int, *, now: datetime) -> None:
    """Tell the one whose it is, or else all who were asked, that it was pressed again."""
    scene = await owing.scene_of(conn, alert)
    assert scene is not None, "this transaction has just seen it open"
    rows = await conn.execute("SELECT person FROM acknowledgement WHERE alert = %s AND let_go_at IS NULL", (alert,))
    row, before = await rows.fetchone(), await _again(conn, alert)
    for person in await owing.told_so_far(conn, alert) if row is None else [str(row[0])]:
        code = await owing.code_for(conn, alert, person, now=now)
        body = await owing.request(conn, scene, code, before=before, now=now)
        await owing.owe(conn, scene, person, body, purpose="again", code=code, now=now)
    # Whose it is has their time to say "mine" again.
    await owing.tell_next(conn, scene, now=now)


async def _end(conn: Conn, ended: Ended, *, now: datetime) -> None:
    """Note that the cause of an alert is over; a fault closes itself by it."""
    rows = await conn.execute(
        """
        UPDATE alert SET cause_ended_at = %s
        WHERE home IS NOT DISTINCT FROM %s AND hub IS NOT DISTINCT FROM %s AND question = %s AND episode = %s
          AND cause_ended_at IS NULL RETURNING alert, part_of
        """,
        (ended.at, ended.home, ended.hub, ended.question.value, ended.episode),
    )
    row = await rows.fetchone()
    if row is None or ended.question not in FAULTS or row[1] is not None:
        return
    scene = await owing.scene_of(conn, int(row[0]))
    if scene is not None:
        await answers.mend(conn, scene, at=ended.at, now=now)
    await outages.heard_again(conn, int(row[0]), at=ended.at, now=now)

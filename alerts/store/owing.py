"""Who is owed which text, and who is asked next?  Notifications are written *due* here and nowhere else.

Whatever writes here holds one lock until its transaction ends: texts are few, and two people who answer at the same
moment must be told apart.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.alert import Question
from alerts.judging.policy import DEFAULT, Policy
from alerts.store import rotas
from alerts.store.thresholds import policy_of
from alerts.telling import escalation, rota, saying, wording
from gateway.reading import Quantity

Conn = AsyncConnection[TupleRow]

TELECARE: Final = "telecare"
"""Who closes a fault that mended itself."""

WAKE: Final = "telecare_tell"
"""The channel that wakes the telling loop after a commit."""

# A number of our own among the database's advisory locks: "tell" in ASCII.
_LOCK: Final = 0x74656C6C

# Ours: an alert that nobody could be texted about for a day has been said loudly on every page since.
_REQUEST_WORTH: Final = timedelta(days=1)
# Ours: how it stands and how it ended is old news in the morning.
_NEWS_WORTH: Final = timedelta(hours=6)
# Ours: a fault that nobody took for a day is said loudly; five minutes are for people.
_FAULT_WITHIN: Final = timedelta(days=1)
# Two people who answer in the same moment of a clock that stands still are still one after the other.
_A_MOMENT: Final = timedelta(microseconds=1)
# A phone's code is not used again for another alert within this time (design: replies by text).
CODE_RESTS: Final = timedelta(days=7)
# Ours: nobody was asked about so many alerts since a backup that they had this code already.
_FIRST_CODE_AFTER_RESTORE: Final = 50

# Ours: more alerts of one home than these are not counted in a text.
_ALSO_MAX: Final = 20
_CALLED: Final = "ARRAY(SELECT DISTINCT m.quantity FROM alarm m WHERE m.alert = a.alert ORDER BY m.quantity)"

ASKED: Final = ("alert", "help")
"""The purposes that ask somebody to go; the others say how things stand."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything of an alert that a text about it may need.

    Attributes:
        called: the kinds of alarms that it holds.
    """

    alert: int
    home: str | None
    hub: str | None
    question: str
    is_fault: bool
    for_operator: bool
    since: datetime
    at: datetime
    raised_at: datetime
    why: dict[str, Any]
    state: str
    cause_ended_at: datetime | None
    outcome: str | None
    closed_at: datetime | None
    closed_by: str | None
    full_name: str | None
    address: str | None
    called: list[str]

    @property
    def who(self) -> str:
        return self.full_name or self.home or f"box {self.hub}"

    def about(self, code: int) -> wording.About:
        return wording.About(self.who, code, self.address or "", self.what)

    @property
    def what(self) -> str:
        return saying.briefly(self.question, self.why, self.called)


TOGETHER: Final = timedelta(minutes=1)
"""Ours: alarms within this of each other are one call, by when they were pressed and by when they reached us."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """The alarm of an alert that reached us last, and those of its kind that did so with it.

    Attributes:
        times: how many reached us within a minute of the last, itself included.
        first_at: when the first of them was pressed.
        last_at: and the last.
    """

    quantity: str
    uncertain_since: datetime | None
    received_at: datetime
    unreadable: str | None
    times: int
    first_at: datetime
    last_at: datetime


async def one_at_a_time(conn: Conn) -> None:
    """Wait until nobody else is deciding about texts, and keep others out until this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def wake(conn: Conn) -> None:
    """Wake the telling loop once this transaction is committed."""
    await conn.execute("SELECT pg_notify(%s, '')", (WAKE,))


async def scene_of(conn: Conn, alert: int) -> Scene | None:
    """Return an alert with its resident, and keep others from changing it; one that joined another is that other."""
    async with conn.cursor(row_factory=class_row(Scene)) as cur:
        await cur.execute(
            f"""
            SELECT a.alert, a.home, a.hub, a.question, a.is_fault, a.for_operator, a.since, a.at, a.raised_at, a.why,
                   a.state, a.cause_ended_at, a.outcome, a.closed_at, a.closed_by, r.full_name, r.address,
                   {_CALLED} AS called
            FROM alert a LEFT JOIN resident r USING (home)
            WHERE a.alert = (SELECT COALESCE(part_of, alert) FROM alert WHERE alert = %s)
            FOR UPDATE OF a
            """.encode(),  # noqa: S608 - a constant of ours
            (alert,),
        )
        return await cur.fetchone()


async def also_open(conn: Conn, scene: Scene, *, but_taken: bool = False) -> list[str]:
    """Return in a few words what else is open in the home of an alert; of its equipment only beside other equipment.

    Args:
        conn: in a transaction that decides about texts alone.
        scene: the alert.
        but_taken: leave out what somebody has said "mine" to.
    """
    rows = await conn.execute(
        f"""
        SELECT a.question, a.why, {_CALLED} FROM alert a
        WHERE a.home = %(home)s AND a.alert <> %(alert)s AND a.part_of IS NULL
          AND a.state <> 'closed' AND (a.state = 'open' OR NOT %(but_taken)s) AND (NOT a.is_fault OR %(is_fault)s)
        ORDER BY a.is_fault, a.alert LIMIT %(most)s
        """.encode(),  # noqa: S608 - a constant of ours
        {
            "home": scene.home,
            "alert": scene.alert,
            "but_taken": but_taken,
            "is_fault": scene.is_fault,
            "most": _ALSO_MAX,
        },
    )
    return [saying.briefly(question, why, called) for question, why, called in await rows.fetchall()]


async def name_of(conn: Conn, person: str | None) -> str:
    """Return what a person is called in a text."""
    rows = await conn.execute("SELECT full_name FROM person WHERE person = %s", (person,))
    row = await rows.fetchone()
    return "telecare" if row is None else str(row[0])


async def owe(
    conn: Conn,
    scene: Scene,
    person: str,
    body: str,
    *,
    purpose: str,
    now: datetime,
    why: str | None = None,
    code: int | None = None,
) -> None:
    """Write that a text is due now.  A person without a phone is written down as not reached."""
    worth = _NEWS_WORTH if purpose in {"mine", "outcome"} else _REQUEST_WORTH
    await conn.execute(
        """
        INSERT INTO notification (key, alert, person, phone, purpose, why, body, code, state, due_at, worth_until,
                                  failed_at, error)
        SELECT %(key)s, %(alert)s, person, phone, %(purpose)s, %(why)s, %(body)s, %(code)s,
               CASE WHEN phone IS NULL THEN 'failed' ELSE 'due' END, %(now)s, %(until)s,
               CASE WHEN phone IS NULL THEN %(now)s END, CASE WHEN phone IS NULL THEN 'no phone number' END
        FROM person WHERE person = %(person)s
        """,
        {
            "key": secrets.token_hex(16),
            "alert": scene.alert,
            "person": person,
            "purpose": purpose,
            "why": why,
            "body": body,
            "code": code,
            "now": now,
            "until": now + worth,
        },
    )
    await wake(conn)


async def owe_without_alert(conn: Conn, person: str, body: str, *, purpose: str, now: datetime) -> None:
    """Write that a text is due now that is about no alert."""
    await conn.execute(
        "INSERT INTO notification (key, person, phone, purpose, body, state, due_at, worth_until) "
        "SELECT %s, person, phone, %s, %s, 'due', %s, %s FROM person WHERE person = %s AND phone IS NOT NULL",
        (secrets.token_hex(16), purpose, body, now, now + _REQUEST_WORTH, person),
    )
    await wake(conn)


async def after_all_told(conn: Conn, alert: int, *, now: datetime) -> datetime:
    """Return now, or the first moment after everything that was due until now: what is said now answers all of it."""
    rows = await conn.execute("SELECT max(due_at) FROM notification WHERE alert = %s", (alert,))
    row = await rows.fetchone()
    last = None if row is None else row[0]
    return now if last is None else max(now, last + _A_MOMENT)


async def withdraw(conn: Conn, alert: int) -> None:
    """Take back what asks somebody to go and has not left yet."""
    await conn.execute(
        "UPDATE notification SET state = 'not needed' "
        "WHERE alert = %s AND state = 'due' AND purpose IN ('alert', 'again', 'help', 'nobody', 'remind')",
        (alert,),
    )


async def told_before(conn: Conn, alert: int, *, but: Iterable[str] = ()) -> list[str]:
    """Return who was asked to go and may have heard of it, the first first, each once."""
    rows = await conn.execute(
        """
        SELECT person FROM notification
        WHERE alert = %s AND purpose IN ('alert', 'help', 'nobody')
          AND state IN ('trying', 'sent', 'delivered') AND person <> ALL(%s)
        GROUP BY person ORDER BY min(notification)
        """,
        (alert, list(but)),
    )
    return [person for (person,) in await rows.fetchall()]


async def told_so_far(conn: Conn, alert: int) -> list[str]:
    """Return who was asked to go, or is about to be, whatever became of the text; the first first, each once."""
    rows = await conn.execute(
        "SELECT person FROM notification WHERE alert = %s AND purpose IN ('alert', 'help', 'nobody') "
        "AND state <> 'not needed' GROUP BY person ORDER BY min(notification)",
        (alert,),
    )
    return [person for (person,) in await rows.fetchall()]


async def code_for(conn: Conn, alert: int, person: str, *, now: datetime) -> int:
    """Return what a person writes in front of an answer about an alert: always the same for both."""
    given: dict[str, object] = {"alert": alert, "person": person, "now": now, "rested": now - CODE_RESTS}
    rows = await conn.execute(
        "SELECT code FROM reply_code JOIN person USING (phone) WHERE person = %(person)s AND alert = %(alert)s", given
    )
    if row := await rows.fetchone():
        return int(row[0])
    # Which codes were given in the time that a restored database has forgotten, nobody knows.
    rows = await conn.execute("SELECT FROM restored WHERE restored_at > %(rested)s LIMIT 1", given)
    given["first"] = 1 if await rows.fetchone() is None else _FIRST_CODE_AFTER_RESTORE
    rows = await conn.execute(
        """
        SELECT min(n) FROM generate_series(%(first)s, 999) n WHERE NOT EXISTS (
            SELECT FROM reply_code r JOIN person p USING (phone) JOIN alert a USING (alert)
            WHERE p.person = %(person)s AND r.code = n AND (r.given_at > %(rested)s OR a.state <> 'closed'))
        """,
        given,
    )
    row = await rows.fetchone()
    code = int(row[0]) if row and row[0] is not None else await _code_used_again(conn, given)
    given["code"] = code
    await conn.execute(
        "INSERT INTO reply_code (phone, code, alert, given_at) "
        "SELECT phone, %(code)s, %(alert)s, %(now)s FROM person WHERE person = %(person)s AND phone IS NOT NULL",
        given,
    )
    return code


async def _code_used_again(conn: Conn, given: dict[str, object]) -> int:
    """Return the code to use a second time where all rest or are in use: of what is over, and longest ago.

    Whoever writes it is asked which one is meant (`texts`): it is never guessed.
    """
    rows = await conn.execute(
        "SELECT r.code FROM reply_code r JOIN person p USING (phone) JOIN alert a USING (alert) "
        "WHERE p.person = %(person)s GROUP BY r.code "
        "ORDER BY bool_or(a.state <> 'closed'), max(r.given_at), r.code LIMIT 1",
        given,
    )
    row = await rows.fetchone()
    return 1 if row is None else int(row[0])


# Who is asked next.


async def tell_next(conn: Conn, scene: Scene, *, now: datetime) -> None:
    """Ask whoever is to be asked by now, and write down when to look again.

    The decision is `escalation.next_step`'s; each text that it calls for is written *due* before it is asked again.
    """
    steps, carer_at = await _steps_of(conn, scene, now=now)
    story = await _story_of(conn, scene, now=now)
    silent = escalation.next_step(story, steps, now=now)
    if isinstance(silent, escalation.Remind) and silent.due_at <= now:
        await _remind(conn, scene, story, silent.person, now=now)
        story = await _story_of(conn, scene, now=now)
        silent = escalation.next_step(story, steps, now=now)
    if isinstance(silent, escalation.Silent):
        await _take_away(conn, scene, silent.why, now=now)
        story = await _story_of(conn, scene, now=now)
    now = max([now, *(held.let_go_at for held in story.acknowledgements if held.let_go_at)])
    step = escalation.next_step(story, steps, now=now)
    while isinstance(step, escalation.Tell) and step.due_at <= now:
        story = await _ask(conn, scene, story, step, now=now)
        step = escalation.next_step(story, steps, now=now)

    if carer_at is not None and now >= carer_at:
        await _tell_carer_too(conn, scene, story, steps[-1].person, now=now)
    again_at = None
    if isinstance(step, escalation.Exhausted):
        again_at = await _nobody_is_left(conn, scene, story, now=now)
    await _look_again(conn, scene, step, [carer_at, again_at], now=now)


async def _remind(conn: Conn, scene: Scene, story: escalation.Story, person: str, *, now: datetime) -> None:
    """Ask the one who said "mine" how it is."""
    since = max(held.at for held in story.acknowledgements if held.person == person)
    code = await code_for(conn, scene.alert, person, now=now)
    body = wording.remind(scene.about(code), since=since, now=now)
    await owe(conn, scene, person, body, purpose="remind", code=code, now=now)


async def _take_away(conn: Conn, scene: Scene, why: escalation.Why, *, now: datetime) -> None:
    """Write down that it is nobody's again: who had it was told or asked something since, and is silent."""
    await conn.execute(
        "UPDATE acknowledgement SET let_go_at = %s, let_go_why = %s WHERE alert = %s AND let_go_at IS NULL",
        (await after_all_told(conn, scene.alert, now=now), why.value, scene.alert),
    )
    await conn.execute("UPDATE alert SET state = 'open', nobody_left_at = NULL WHERE alert = %s", (scene.alert,))


async def _look_again(
    conn: Conn,
    scene: Scene,
    step: escalation.Next,
    besides: Sequence[datetime | None],
    *,
    now: datetime,
) -> None:
    moments = [moment for moment in besides if moment is not None and moment > now]
    if isinstance(step, escalation.Tell | escalation.Remind):
        moments.append(step.due_at)
    elif isinstance(step, escalation.Waiting):
        moments.append(step.until)
    elif isinstance(step, escalation.Exhausted):
        # Somebody who was not told may come on duty; until then nobody is left, which is said loudly meanwhile.
        planned = await rotas.rota_of(conn, scene.home, since=now)
        changes_at = None if scene.for_operator else rota.next_change(planned, now=now)
        moments += [] if changes_at is None else [changes_at]
    await conn.execute(
        "UPDATE alert SET next_telling_at = %s WHERE alert = %s", (min(moments, default=None), scene.alert)
    )


async def persons_of(conn: Conn, home: str | None, *, now: datetime) -> tuple[list[str], str | None]:
    """Return who is told about a home now, the first first, and the operator, or None where there is none."""
    planned = await rotas.rota_of(conn, home, since=now)
    return list(rota.on_duty(planned, now=now)), planned.operator


async def _steps_of(conn: Conn, scene: Scene, *, now: datetime) -> tuple[Sequence[rota.Step], datetime | None]:
    """Return who is asked in which order, and when the first carer hears of a silent hub in any case."""
    carers, operator = await persons_of(conn, scene.home, now=now)
    policy = await _policy_of(conn, scene.home, now=now)
    if not scene.for_operator:
        return rota.steps_of(carers, operator, answers_within=policy.escalate_after), None
    within = _FAULT_WITHIN if scene.is_fault else policy.escalate_after
    # Without an operator's phone the carers are all there is.
    if scene.question != Question.HUB_SILENT or not carers or operator is None:
        return rota.steps_of([] if operator else carers, operator, answers_within=within), None
    steps = rota.steps_of([operator, carers[0]], None, answers_within=within)
    is_over = scene.state == "closed" or scene.cause_ended_at is not None or len(steps) < 2
    return steps, None if is_over else scene.since + policy.hub_silent_carer_after


async def _story_of(conn: Conn, scene: Scene, *, now: datetime) -> escalation.Story:
    told = await _told(conn, scene.alert)
    rows = await conn.execute(
        "SELECT person, at, let_go_at, let_go_why FROM acknowledgement WHERE alert = %s ORDER BY acknowledgement",
        (scene.alert,),
    )
    held = tuple(
        escalation.Acknowledgement(person, at, let_go_at, _SILENT.get(why, escalation.Why.LET_GO))
        for person, at, let_go_at, why in await rows.fetchall()
    )
    # Who mends equipment has a day for it, as they had to say that they would.
    after = _FAULT_WITHIN if scene.is_fault else (await _policy_of(conn, scene.home, now=now)).remind_after
    return escalation.Story(
        *(scene.raised_at, _of(told, *ASKED), held, scene.state == "closed"),
        *(_of(told, "again"), _of(told, "remind"), after),
    )


async def _policy_of(conn: Conn, home: str | None, *, now: datetime) -> Policy:
    return DEFAULT if home is None else await policy_of(conn, home, at=now)


_SILENT: Final = {why.value: why for why in (escalation.Why.NO_ANSWER, escalation.Why.NOT_REACHED)}


async def _told(conn: Conn, alert: int) -> list[tuple[str, escalation.Told]]:
    """Return what was said of an alert to people who are there, the first first, each with its purpose."""
    rows = await conn.execute(
        "SELECT purpose, person, due_at, state, CASE WHEN state IN ('undelivered', 'failed') THEN failed_at END "
        "FROM notification JOIN person USING (person) WHERE alert = %s AND purpose = ANY(%s) "
        "AND state <> 'not needed' AND left_at IS NULL ORDER BY notification",
        (alert, [*ASKED, "again", "remind"]),
    )
    return [
        (purpose, escalation.Told(person, due_at, escalation.delivery_of(state), failed_at))
        for purpose, person, due_at, state, failed_at in await rows.fetchall()
    ]


def _of(told: Sequence[tuple[str, escalation.Told]], *purposes: str) -> tuple[escalation.Told, ...]:
    return tuple(one for purpose, one in told if purpose in purposes)


async def _ask(
    conn: Conn, scene: Scene, story: escalation.Story, step: escalation.Tell, *, now: datetime
) -> escalation.Story:
    """Write the request to one person *due*, and return the story with it."""
    before = ""
    if step.after is not None:
        known = [told.due_at for told in (*story.told, *story.again, *story.reminded) if told.person == step.after]
        told_at = max(known, default=scene.raised_at)
        before = wording.told_before(await name_of(conn, step.after), step.why, at=told_at, now=now)
    code = await code_for(conn, scene.alert, step.person, now=now)
    body = await request(conn, scene, code, before=before, now=now)
    await owe(conn, scene, step.person, body, purpose="alert", why=step.why.value, code=code, now=now)
    await conn.execute("UPDATE alert SET nobody_left_at = NULL WHERE alert = %s", (scene.alert,))
    # As it was written: one without a phone has failed already, and the next one is asked at once.
    return replace(story, told=_of(await _told(conn, scene.alert), *ASKED))


async def _tell_carer_too(conn: Conn, scene: Scene, story: escalation.Story, carer: str, *, now: datetime) -> None:
    """Tell the first carer that the box is still silent, whoever is mending it: the pendant may not work."""
    if scene.state == "closed" or carer in {told.person for told in story.told}:
        return
    code = await code_for(conn, scene.alert, carer, now=now)
    body = await request(conn, scene, code, before="", now=now)
    await owe(conn, scene, carer, body, purpose="alert", why="still silent", code=code, now=now)


async def tell_carer_alone(conn: Conn, scene: Scene, *, now: datetime) -> datetime | None:
    """Tell the first carer of a silent hub if that is due, and nobody else; return when it will be, or None."""
    steps, carer_at = await _steps_of(conn, scene, now=now)
    if carer_at is None or now < carer_at:
        return carer_at
    story = await _story_of(conn, scene, now=now)
    await _tell_carer_too(conn, scene, story, steps[-1].person, now=now)
    return None


async def _nobody_is_left(conn: Conn, scene: Scene, story: escalation.Story, *, now: datetime) -> datetime | None:
    """Write down that nobody is left, and tell the operator's phone so, again and again until somebody has it.

    Returns:
        When it is to be said again; None: there is nobody to say it to.
    """
    rows = await conn.execute(
        "UPDATE alert SET nobody_left_at = %s WHERE alert = %s AND nobody_left_at IS NULL RETURNING alert",
        (now, scene.alert),
    )
    is_new = await rows.fetchone() is not None
    if is_new:
        await wake(conn)
    _, operator = await persons_of(conn, scene.home, now=now)
    if operator is None or scene.is_fault:
        return None
    after = (await _policy_of(conn, scene.home, now=now)).nobody_again_after
    if not is_new:
        rows = await conn.execute(
            "SELECT max(due_at) FROM notification WHERE alert = %s AND purpose = 'nobody'", (scene.alert,)
        )
        row = await rows.fetchone()
        if row is not None and row[0] is not None and row[0] + after > now:
            return row[0] + after  # type: ignore[no-any-return]  # a moment, from the table
    tried = [(await name_of(conn, told.person), _became(told, story)) for told in story.told]
    code = await code_for(conn, scene.alert, operator, now=now)
    body = wording.nobody_reached(scene.about(code), tried, since=scene.raised_at, now=now)
    await owe(conn, scene, operator, body, purpose="nobody", code=code, now=now)
    return now + after


def _became(told: escalation.Told, story: escalation.Story) -> wording.Tried:
    if told.not_reached_at is not None:
        return wording.Tried.NOT_REACHED
    let_go = {held.person for held in story.acknowledgements if held.why is escalation.Why.LET_GO}
    return wording.Tried.LET_GO if told.person in let_go else wording.Tried.NO_ANSWER


# What a request says.


async def request(conn: Conn, scene: Scene, code: int, *, before: str, now: datetime) -> str:
    """Return the text that asks somebody to go."""
    before = before or await _raised_again(conn, scene, now=now)
    about = scene.about(code)
    if scene.question == Question.ALARM:
        return await _call_for_help(conn, about, scene, before=before, now=now)
    return saying.request(scene.question, about, scene.since, scene.why, before=before, now=now)


async def _call_for_help(conn: Conn, about: wording.About, scene: Scene, *, before: str, now: datetime) -> str:
    """Return the text of what was pressed last, or of the person who asked for help after it was said to be over."""
    pressed = await _last_pressed(conn, scene.alert)
    asked_by = scene.why.get("asked_by")
    if pressed is None and asked_by is not None:
        return wording.help_asked(about, await name_of(conn, str(asked_by)), at=scene.at, now=now)
    return _alarm(about, pressed, scene, before=before, now=now)


async def _last_pressed(conn: Conn, alert: int) -> Pressed | None:
    async with conn.cursor(row_factory=class_row(Pressed)) as cur:
        await cur.execute(
            """
            SELECT quantity, uncertain_since, received_at, unreadable, times, first_at, last_at
            FROM (SELECT * FROM alarm WHERE alert = %s ORDER BY received_at DESC, identity DESC LIMIT 1) last,
            LATERAL (
                SELECT count(*) AS times, min(observed_at) AS first_at, max(observed_at) AS last_at FROM alarm one
                WHERE one.alert = last.alert AND one.sensor IS NOT DISTINCT FROM last.sensor
                  AND one.quantity = last.quantity AND one.received_at > last.received_at - %s
            ) together
            """,
            (alert, TOGETHER),
        )
        return await cur.fetchone()


def _alarm(about: wording.About, pressed: Pressed | None, scene: Scene, *, before: str, now: datetime) -> str:
    if pressed is None or pressed.unreadable is not None:
        reached_at = scene.at if pressed is None else pressed.received_at
        return wording.alarm_unreadable(about, reached_at=reached_at, before=before, now=now)
    quantity = pressed.quantity
    return wording.alarm(
        about,
        Quantity(quantity) if quantity in set(Quantity) else Quantity.UNKNOWN_ALARM,
        pressed_at=None if pressed.uncertain_since is not None else pressed.last_at,
        # Who presses again and again within a minute has called once.
        first_at=pressed.first_at if pressed.last_at - pressed.first_at > TOGETHER else None,
        times=pressed.times,
        reached_at=pressed.received_at,
        before=before,
        now=now,
    )


async def _raised_again(conn: Conn, scene: Scene, *, now: datetime) -> str:
    """Return who closed it before while its cause held, or nothing."""
    again = scene.why.get("again_of")
    if not isinstance(again, dict):
        return ""
    by = await name_of(conn, str(again["closed_by"]))
    closed_at = datetime.fromisoformat(str(again["closed_at"]))
    return wording.raised_again(str(again["outcome"]), by, at=closed_at, now=now)

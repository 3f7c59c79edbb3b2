"""What may a person do about an alert: take it, let it go, say how it ended?

Each of these may be repeated: the second time it changes nothing and says so.  Those who were told before are told.
"""

from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from alerts.alert import Outcome, Question, State, may_become, state_of
from alerts.store import owing
from alerts.store.facts import Acknowledged, LetGo
from alerts.store.inputs import give_to_judgement
from alerts.store.owing import Scene
from alerts.telling import saying, wording

Conn = AsyncConnection[TupleRow]


# Ours: who asks for help with what was closed longer ago than this means something else.
_OVER_FOR: Final = timedelta(days=1)


async def acknowledge(conn: Conn, alert: int, person: str, *, how: str, now: datetime) -> Acknowledged:
    """Write down that a person said "mine", and tell those told before.

    Who has it already and was told that it was pressed again answers that by saying it once more.

    Args:
        conn: to the database.
        alert: which.
        person: who.
        how: "text" or "page".
        now: when.
    """
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        scene = await owing.scene_of(conn, alert)
        if scene is None or scene.state == State.CLOSED:
            return Acknowledged.CLOSED
        holder = await _holder_of(conn, scene.alert)
        if holder == person:
            await _say_again(conn, scene, person, how=how, now=now)
            return Acknowledged.ALREADY_YOURS
        if holder is not None:
            return Acknowledged.SOMEONE_ELSES
        await _take(conn, scene, person, how=how, now=now)
        await _say_who_goes(conn, scene, person, now=now)
    return Acknowledged.MINE


async def _say_who_goes(conn: Conn, scene: Scene, person: str, *, now: datetime) -> None:
    """Tell those told before who goes; the one who is there and asked for help, that help is coming."""
    by, helper = await owing.name_of(conn, person), await _in_need(conn, scene.alert)
    told = await owing.told_before(conn, scene.alert, but=[person])
    told += [helper] if helper is not None and helper not in {*told, person} else []
    also = await owing.also_open(conn, scene, but_taken=True)
    for one in told:
        body = (
            wording.help_coming(scene.who, by, at=now, now=now)
            if one == helper
            else wording.mine_said(scene.who, by, what=scene.what, also=also, at=now, now=now)
        )
        await owing.owe(conn, scene, one, body, purpose="mine", now=now)


async def _in_need(conn: Conn, alert: int) -> str | None:
    """Return who asked for help last and let it go with that; None: nobody did."""
    rows = await conn.execute(
        "SELECT person FROM acknowledgement WHERE alert = %s AND let_go_why = %s ORDER BY let_go_at DESC LIMIT 1",
        (alert, LetGo.HELP.value),
    )
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def _holder_of(conn: Conn, alert: int) -> str | None:
    rows = await conn.execute("SELECT person FROM acknowledgement WHERE alert = %s AND let_go_at IS NULL", (alert,))
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def _say_again(conn: Conn, scene: Scene, person: str, *, how: str, now: datetime) -> None:
    """Write down that the one who has it answered what was pressed or asked since; nothing where nothing was."""
    at = await owing.after_all_told(conn, scene.alert, now=now)
    rows = await conn.execute(
        """
        UPDATE acknowledgement SET let_go_at = %s, let_go_why = %s WHERE alert = %s AND let_go_at IS NULL AND EXISTS (
            SELECT FROM notification n WHERE n.alert = acknowledgement.alert AND n.person = acknowledgement.person
            AND n.purpose IN ('again', 'remind') AND n.state <> 'not needed' AND n.due_at >= acknowledgement.at)
        RETURNING acknowledgement
        """,
        (at, LetGo.SAID_AGAIN, scene.alert),
    )
    if await rows.fetchone() is not None:
        await _take(conn, scene, person, how=how, now=now)


async def _take(conn: Conn, scene: Scene, person: str, *, how: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO acknowledgement (alert, person, at, how) VALUES (%s, %s, %s, %s)",
        (scene.alert, person, await owing.after_all_told(conn, scene.alert, now=now), how),
    )
    # A silent hub still has a moment at which its first carer hears of it, so it is looked at again.
    await conn.execute(
        "UPDATE alert SET state = 'acknowledged', nobody_left_at = NULL, next_telling_at = %s WHERE alert = %s",
        (now, scene.alert),
    )
    await owing.withdraw(conn, scene.alert)
    await owing.wake(conn)


async def let_go(
    conn: Conn, alert: int, person: str, *, why: str = LetGo.COULD_NOT_FIND_OUT, now: datetime, how: str = "page"
) -> bool:
    """Write down that a person cannot go or could not find out, or needs help; the next is asked at once.

    Who says so without having said "mine" has it and lets it go in one; unless somebody was asked after this
    person, whose turn it is already.  With `LetGo.HELP` everybody else on the rota is asked at once; also when
    somebody else has closed it meanwhile, or this person did by mistake: then the call for help is an alert of its own.

    Returns:
        Whether anything followed from it; not if it is closed, or somebody else's.
    """
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        scene = await owing.scene_of(conn, alert)
        if scene is not None and scene.state == State.CLOSED and why == LetGo.HELP:
            scene = await _call_for_help(conn, scene, person, now=now)
        if scene is None or scene.state == State.CLOSED:
            return False
        holder = await _holder_of(conn, scene.alert)
        if holder not in {None, person}:
            return why == LetGo.HELP and await _call_everybody(conn, scene, person, now=now)
        if holder is None:
            if why != LetGo.HELP and not await _is_asked_last(conn, scene.alert, person):
                return False
            await conn.execute(
                "INSERT INTO acknowledgement (alert, person, at, how) VALUES (%s, %s, %s, %s)",
                (scene.alert, person, now, how),
            )
        let_go_at = await owing.after_all_told(conn, scene.alert, now=now)
        await conn.execute(
            "UPDATE acknowledgement SET let_go_at = %s, let_go_why = %s WHERE alert = %s AND let_go_at IS NULL",
            (let_go_at, why, scene.alert),
        )
        await conn.execute(
            "UPDATE alert SET state = 'open', nobody_left_at = NULL WHERE alert = %s",
            (scene.alert,),
        )
        if why == LetGo.HELP:
            await _call_everybody(conn, scene, person, now=let_go_at)
        reopened = await owing.scene_of(conn, scene.alert)
        assert reopened is not None, "this transaction holds its row"
        await owing.tell_next(conn, reopened, now=now)
        await owing.wake(conn)
    return True


async def _call_for_help(conn: Conn, over: Scene, person: str, *, now: datetime) -> Scene | None:
    """Return the alert of a person who asks for help after it was said to be over; None where that is too long ago."""
    if over.closed_at is None or now - over.closed_at > _OVER_FOR:
        return None
    rows = await conn.execute(
        "SELECT alert FROM alert WHERE COALESCE(home, hub) = COALESCE(%s::text, %s::text) AND question = %s "
        "AND NOT for_operator AND state <> 'closed' AND part_of IS NULL ORDER BY alert DESC LIMIT 1",
        (over.home, over.hub, Question.ALARM.value),
    )
    row = await rows.fetchone()
    if row is None:
        again_of = {"closed_by": over.closed_by, "outcome": over.outcome, "closed_at": over.closed_at.isoformat()}
        rows = await conn.execute(
            """
            INSERT INTO alert (home, hub, question, subject, episode, is_fault, for_operator, since, at, raised_at, why,
                               state)
            VALUES (%s, %s, %s, '', %s, false, false, %s, %s, %s, %s, 'open') RETURNING alert
            """,
            (
                *(over.home, over.hub, Question.ALARM.value, f"help/{over.alert}/{now.isoformat()}"),
                *(now, now, now, Jsonb({"asked_by": person, "again_of": again_of})),
            ),
        )
        row = await rows.fetchone()
    assert row is not None, "an insert returns its row"
    await owing.code_for(conn, row[0], person, now=now)
    return await owing.scene_of(conn, row[0])


async def _is_asked_last(conn: Conn, alert: int, person: str) -> bool:
    """Return whether nobody was asked after this person."""
    rows = await conn.execute(
        "SELECT person FROM notification WHERE alert = %s AND purpose IN ('alert', 'help') "
        "AND state <> 'not needed' ORDER BY due_at DESC, notification DESC LIMIT 1",
        (alert,),
    )
    row = await rows.fetchone()
    return row is None or row[0] == person


async def _call_everybody(conn: Conn, scene: Scene, person: str, *, now: datetime) -> bool:
    """Ask everybody on the rota but the one who is there; return whether there is anybody."""
    carers, operator = await owing.persons_of(conn, scene.home, now=now)
    by = await owing.name_of(conn, person)
    others = dict.fromkeys([*carers, *([] if operator is None else [operator])])
    others.pop(person, None)
    for other in others:
        code = await owing.code_for(conn, scene.alert, other, now=now)
        body = wording.help_asked(scene.about(code), by, at=now, now=now)
        await owing.owe(conn, scene, other, body, purpose="help", why="help", code=code, now=now)
    return bool(others)


async def close(conn: Conn, alert: int, person: str, outcome: Outcome, word: str | None, *, now: datetime) -> bool:
    """Write down how it ended, tell those told, and let judgement learn of it.

    Returns:
        Whether this closed it: not if it was closed before or does not exist.
    """
    async with conn.transaction():
        await owing.one_at_a_time(conn)
        scene = await owing.scene_of(conn, alert)
        if scene is None or not may_become(state_of(scene.state), State.CLOSED):
            return False
        await _close(conn, scene, person, outcome, word, now=now)
        by = await owing.name_of(conn, person)
        also = await owing.also_open(conn, scene)
        how_it_ended = wording.ended(scene.who, outcome, by, what=scene.what, also=also, at=now, now=now)
        for told in await owing.told_before(conn, scene.alert, but=[person]):
            await owing.owe(conn, scene, told, how_it_ended, purpose="outcome", now=now)
    return True


async def mend(conn: Conn, scene: Scene, *, at: datetime, now: datetime) -> None:
    """Close a fault that is over by itself, and tell those told.

    Judgement knows it already: what ended it is in the log.  So nothing is written for it.
    """
    if scene.state == State.CLOSED:
        return
    await _set_closed(conn, scene, owing.TELECARE, Outcome.MENDED, None, now=now)
    over = saying.mended(scene.question, scene.who, scene.why, at=at, now=now)
    for told in await owing.told_before(conn, scene.alert):
        await owing.owe(conn, scene, told, over, purpose="outcome", now=now)


async def _close(conn: Conn, scene: Scene, person: str, outcome: Outcome, word: str | None, *, now: datetime) -> None:
    closed = await _set_closed(conn, scene, person, outcome, word, now=now)
    if scene.home is None:
        return
    for question, episode in closed:
        content = {
            "question": question,
            "episode": episode,
            "outcome": outcome.value,
            "by": person,
            "at": now.isoformat(),
        }
        await give_to_judgement(conn, scene.home, "closed", content, now=now)


async def _set_closed(
    conn: Conn, scene: Scene, by: str, outcome: Outcome, word: str | None, *, now: datetime
) -> list[tuple[str, str]]:
    """Close an alert and all that joined it; return their questions and episodes."""
    rows = await conn.execute(
        """
        UPDATE alert SET state = 'closed', outcome = %s, closed_at = %s, closed_by = %s, closing_word = %s,
               next_telling_at = NULL
        WHERE (alert = %s OR part_of = %s) AND state <> 'closed' RETURNING question, episode
        """,
        (outcome.value, now, by, word, scene.alert, scene.alert),
    )
    closed = [(str(question), str(episode)) for question, episode in await rows.fetchall()]
    await owing.withdraw(conn, scene.alert)
    return closed

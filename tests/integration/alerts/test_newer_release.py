"""A newer release, which runs beside this one or was taken back, has raised alerts that this one does not know."""

from datetime import timedelta

import msgspec
from psycopg.types.json import Jsonb

from alerts import store
from alerts.alert import Outcome, Question, State
from alerts.store import owing
from alerts.telling.wording import septets
from tests.integration.alerts.conftest import ANNE, HOME, JIM, Street
from tests.integration.alerts.platform import worker
from tests.integration.alerts.test_watch import LANE, Watching, watching

__all__ = ["watching"]

ASKED = "kettle_unused"


async def _found(street: Street, *, is_fault: bool = False) -> int:
    """Write an alert as a newer release would, whose first person is due; return its number."""
    rows = await street.conn.execute(
        "INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why, "
        "state, next_telling_at) VALUES (%s, %s, '', 'tea', %s, %s, %s, %s, %s, %s, 'open', %s) RETURNING alert",
        (
            *(HOME, ASKED, is_fault, is_fault, street.now - timedelta(minutes=20), street.now, street.now),
            *(Jsonb({"what": "no tea since breakfast"}), street.now),
        ),
    )
    row = await rows.fetchone()
    assert row is not None
    return int(row[0])


async def _asked_on(street: Street, alert: int) -> None:
    async with street.conn.transaction():
        await owing.one_at_a_time(street.conn)
        scene = await owing.scene_of(street.conn, alert)
        assert scene is not None
        await owing.tell_next(street.conn, scene, now=street.now)


async def test_it_is_told_and_answered_as_any_other(street: Street) -> None:
    """Nobody may wait for an upgrade to be over; and who says that all is well must be heard."""
    alert = await _found(street)

    await _asked_on(street, alert)
    body = await street.body("anne")
    street.later(minutes=6)
    await _asked_on(street, alert)
    assert [person for person, _, _ in await street.texts(purpose="alert")] == ["anne", "jim"]
    taken = await street.texted(JIM, "1 mine")
    over = await street.texted(JIM, "1 well")

    assert body.startswith(
        "Margaret Reid: kettle unused (no tea since breakfast) since 08:40, please look. 14 Shore Road."
    )
    assert septets(body) <= 306
    assert ("is yours" in taken, "all well" in over) == (True, True)
    found = await store.find_alert(street.conn, alert)
    assert found is not None
    assert (found.question, found.state, found.outcome) == (ASKED, State.CLOSED, Outcome.ALL_WELL)


async def test_a_fault_of_a_newer_release_goes_to_the_operator(street: Street) -> None:
    """Whom it is for stands in the alert itself; a relative is not woken about equipment."""
    await _asked_on(street, await _found(street, is_fault=True))

    assert await street.texts() == [("control", "alert", "due")]


async def test_how_it_ended_is_answered_in_the_newer_releases_word(street: Street) -> None:
    """Who answers too late must hear that it is over, whatever that release calls it."""
    alert = await _found(street)
    await _asked_on(street, alert)
    await street.conn.execute("ALTER TABLE alert DROP CONSTRAINT alert_outcome_is_known")
    await street.conn.execute(
        "UPDATE alert SET state = 'closed', outcome = 'tea_was_made', closed_at = %s, closed_by = 'jim' "
        "WHERE alert = %s",
        (street.now, alert),
    )

    assert "That is over: Margaret Reid (kettle unused), tea" in await street.texted(ANNE, "1 mine")


async def test_its_lane_is_judged_on_and_it_is_left_alone(watching: Watching) -> None:
    """One word that is not known must not take the judge from all homes of a lane, nor close what people look at."""
    await watching.lives(minutes=2, moves=True)
    watching.street.now = watching.clock.now()
    alert = await _found(watching.street)
    await watching.lives(minutes=2, moves=True)
    found = await store.find_alert(watching.conn, alert)
    assert found is not None
    assert found.state is State.OPEN
    await store.close(watching.conn, alert, "anne", Outcome.ALL_WELL, None, now=watching.clock.now())

    await watching.lives(minutes=31)

    assert watching.watch.status.trouble is None
    assert [one.question for one in await watching.alerts()] == [Question.STILL, ASKED]


async def test_a_release_that_is_taken_back_to_remembers_by_what_it_knows(watching: Watching) -> None:
    """Beside a format of its own the newer release judged entries of its own: they stand in the log for 100 days."""
    await watching.lives(minutes=2, moves=True)
    await watching.watch._leave()
    rows = await watching.conn.execute("SELECT entries FROM stored_log WHERE lane = %s AND position = 1", (LANE,))
    ((packed,),) = await rows.fetchall()
    newer = [*msgspec.msgpack.decode(bytes(packed)), ["of the next release", HOME, 1]]
    await watching.conn.execute(
        "UPDATE stored_log SET entries = %s WHERE lane = %s AND position = 1", (msgspec.msgpack.encode(newer), LANE)
    )
    await watching.conn.execute("UPDATE home_judgement SET format = 99")
    watching.watch, _ = worker(watching.pool, watching.clock)

    await watching.turns()

    assert watching.watch.status.trouble is None
    assert HOME in watching.watch._mine[LANE].judge.homes()


async def test_a_span_of_a_newer_release_ends_as_any_other(watching: Watching) -> None:
    """How a home was seen by a word that we do not know is never taken for seen while nobody judged it."""
    await watching.lives(minutes=2, moves=True)
    for table in ("home_watch", "watch_span"):
        await watching.conn.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_state_is_known")
    await watching.conn.execute("UPDATE watch_span SET state = 'dim' WHERE home = %s AND until IS NULL", (HOME,))
    await watching.watch._leave()
    watching.watch, _ = worker(watching.pool, watching.clock)
    watching.clock.move(minutes=10)

    await watching.lives(minutes=2, moves=True)

    spans = await store.watch_spans(
        watching.conn, HOME, watching.clock.now() - timedelta(hours=1), watching.clock.now()
    )
    assert [span.state.value for span in spans][-2:] == ["blind", "watched"]
    assert watching.watch.status.trouble is None

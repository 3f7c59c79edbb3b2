"""After a restore: nothing of a night is told twice by itself, and nothing is swallowed either."""

from datetime import timedelta

import pytest

from alerts import store
from alerts.alert import Outcome
from alerts.store import owing, restores
from alerts.store.restores import HOLD, Restored
from tests.integration.alerts.conftest import NINE, Street

# The street's story: a backup shows nine o'clock; it went on until ten; it is restored at eleven.
TEN, ELEVEN = NINE + timedelta(hours=1), NINE + timedelta(hours=2)


async def restored(street: Street) -> Restored:
    street.now = ELEVEN
    return await restores.put_in_order(street.conn, backup="b", shows=NINE, told_until=TEN, now=ELEVEN)


async def due(street: Street) -> list[tuple[str, str]]:
    """Return person and purpose of each text that would leave now."""
    return [(person, purpose) for person, purpose, state in await street.texts() if state == "due"]


async def look(street: Street) -> None:
    """Ask on whoever is to be asked by now, as the telling loop does."""
    rows = await street.conn.execute("SELECT alert FROM alert WHERE next_telling_at <= %s", (street.now,))
    for (alert,) in await rows.fetchall():
        async with street.conn.transaction():
            scene = await owing.scene_of(street.conn, alert)
            assert scene is not None
            await owing.tell_next(street.conn, scene, now=street.now)


async def test_a_text_that_was_due_is_held_and_the_operator_hears_of_it_once(street: Street) -> None:
    """Anne was told at nine and answered at five past; the restored database knows neither."""
    await street.presses()

    await restored(street)
    await look(street)

    assert await due(street) == [("control", "restored")]
    body = await street.body("control")
    assert body.startswith("TELECARE WAS RESTORED as of 09:00. 1 open alerts and 1 texts wait for you")
    assert "What is not decided by 11:30 is told again" in body


async def test_what_the_operator_does_not_decide_is_told_again_after_half_an_hour(street: Street) -> None:
    """The operator may be asleep too; a text too many is better than a person who waits."""
    await street.presses()
    await restored(street)

    street.later(minutes=29)
    await look(street)
    assert await due(street) == [("control", "restored")]
    street.later(minutes=1)
    await look(street)

    assert await due(street) == [("control", "restored"), ("anne", "alert")]


async def test_an_alert_that_the_operator_closes_is_told_to_nobody(street: Street) -> None:
    """That it ended well is what the operator knows, or finds out by one call."""
    await street.presses()
    await restored(street)
    alert = await street.only_alert()

    await store.close(street.conn, alert.alert, "control", Outcome.ALL_WELL, "had tea", now=street.now)
    street.now = ELEVEN + HOLD
    await look(street)

    assert [one for one in await due(street) if one[1] in {"alert", "help", "again"}] == []


async def test_an_alert_that_the_operator_has_told_on_is_told_at_once(street: Street) -> None:
    """Nobody need wait half an hour where it is plain that somebody must go."""
    await street.presses()
    await restored(street)
    alert = await street.only_alert()

    assert await restores.tell_on(street.conn, alert.alert, now=street.now)
    await look(street)

    assert ("anne", "alert") in await due(street)


async def test_a_call_for_help_that_a_hub_sends_again_is_put_before_the_operator_alone(street: Street) -> None:
    """It was told at half past nine; texting it at eleven would send Anne out for nothing, night after night."""
    await restored(street)

    street.later(minutes=1)
    await street.presses(observed_at=NINE + timedelta(minutes=30))
    await look(street)

    assert await due(street) == [("control", "restored")]
    found = await restores.latest(street.conn)
    assert found is not None
    (waiting,) = await restores.alerts_to_decide(street.conn, found)
    assert (waiting.question, waiting.next_telling_at) == ("alarm", ELEVEN + HOLD)


async def test_a_call_for_help_of_which_nobody_can_have_heard_is_told_at_once(street: Street) -> None:
    """Nobody was told anything between ten and eleven: whoever pressed then is still waiting."""
    await restored(street)

    street.later(minutes=1)
    await street.presses(observed_at=TEN + timedelta(minutes=30))

    assert ("anne", "alert") in await due(street)
    assert "Pressed at 10:30" in await street.body("anne") or "10:30" in await street.body("anne")


async def test_who_presses_after_the_restore_is_told_as_ever(street: Street) -> None:
    """The hold is about the past; now is now."""
    await restored(street)

    street.later(minutes=1)
    await street.presses()

    assert ("anne", "alert") in await due(street)


async def test_without_an_operators_phone_nothing_is_held_back(street: Street) -> None:
    """A hold that nobody can end would be a silence."""
    await street.presses()
    await street.conn.execute("UPDATE service SET operator = NULL")

    found = await restored(street)
    await look(street)

    assert found.hold_until == ELEVEN
    assert ("anne", "alert") in await due(street)


async def test_an_old_text_is_answered_about_nothing_else(street: Street) -> None:
    """Anne's phone still shows "1 mine" from the forgotten hour; it must not take somebody else's alert."""
    await restored(street)
    street.later(minutes=1)
    await street.presses()

    assert "Reply 50 MINE" in await street.body("anne")
    answer = await street.texted("+447700900101", "1 mine")

    assert (await street.only_alert()).state.value == "open"
    assert "50" in answer


async def test_numbers_of_the_forgotten_time_are_not_given_again(street: Street) -> None:
    """A link to alert 2 in an old text must not open another person's alert."""
    await street.presses()
    before = (await street.only_alert()).alert

    await restored(street)
    street.later(minutes=1)
    await street.presses(home=None, hub="hub-without-home")

    rows = await street.conn.execute("SELECT max(alert) FROM alert")
    row = await rows.fetchone()
    assert row is not None
    assert row[0] > before + 100_000


async def test_a_worker_from_before_the_restore_owns_nothing(street: Street) -> None:
    """One that was only asleep would write with an epoch that somebody else is given again."""
    await street.conn.execute(
        "INSERT INTO lane (lane, epoch, owner) VALUES (1, 7, 'sleeper') "
        "ON CONFLICT (lane) DO UPDATE SET epoch = 7, owner = 'sleeper'"
    )

    await restored(street)

    rows = await street.conn.execute("SELECT epoch > 100, owner FROM lane WHERE lane = 1")
    assert await rows.fetchone() == (True, None)


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_held_text_leaves_when_the_operator_says_so_and_not_otherwise(street: Street, is_told: bool) -> None:
    """Every one is decided once, by a person, and it is known by whom and why."""
    await street.presses()
    await restored(street)
    (text,) = await restores.texts_to_decide(street.conn)

    done = [
        await restores.decide(street.conn, text.notification, is_told=is_told, why="rang", by="control", now=street.now)
        for _ in range(2)
    ]

    assert done == [True, False]
    assert (("anne", "alert") in await due(street)) is is_told
    assert await restores.texts_to_decide(street.conn) == []


async def test_a_held_text_about_what_is_over_never_leaves(street: Street) -> None:
    """Told an hour after it ended, Anne would go for nothing."""
    await street.presses()
    await restored(street)
    (text,) = await restores.texts_to_decide(street.conn)
    alert = await street.only_alert()
    await store.close(street.conn, alert.alert, "control", Outcome.ALL_WELL, None, now=street.now)

    await restores.decide(street.conn, text.notification, is_told=True, why="", by="control", now=street.now)

    assert ("anne", "alert") not in await due(street)

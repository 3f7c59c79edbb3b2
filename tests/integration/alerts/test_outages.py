"""Is one power cut one message to the operator, and hides it nobody?"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Question, State
from alerts.judging.finding import Ended, Finding
from alerts.judging.outage import HOLD
from alerts.store import outages, owing
from api.views import alert as words
from tests.integration.alerts.conftest import HOME, HUB, NINE, Street, furnish
from tests.world.database import Database

STREET = tuple(f"mill-lane-{number}" for number in range(1, 6))


@pytest.fixture
async def village(database: Database) -> AsyncIterator[Street]:
    """Margaret's street, and five homes of one district whose hubs were all heard."""
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        street = await furnish(conn, database.dsn)
        for number, home in enumerate(STREET):
            await conn.execute("INSERT INTO home VALUES (%s, %s, %s)", (home, number, NINE))
            await conn.execute(
                "INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at) "
                "VALUES (%s, %s, %s, '', '', %s)",
                (f"hub-{home}", home, number, NINE),
            )
            await conn.execute(
                "INSERT INTO hub_report (hub, heard_at, outbox, boot, clock_off_by, held_readings, held_alarms, "
                "version, troubles) VALUES (%s, %s, 'o', 'b', '0', 0, 0, '1', '{}')",
                (f"hub-{home}", NINE),
            )
            await store.set_resident(
                conn, home, first_name="Ann", full_name=f"Ann {home}", address=f"{number} Mill Lane, Leeds LS6 3QA"
            )
        yield street


def silent(home: str, after_s: float) -> Finding:
    since = NINE + timedelta(seconds=after_s)
    at = since + timedelta(minutes=3)
    return Finding(home, f"hub-{home}", Question.HUB_SILENT, f"hub-{home}/{since}", since, at, {}, None)


def back(found: Finding, after_s: float) -> Ended:
    assert found.home is not None
    return Ended(found.home, found.hub, found.question, found.episode, NINE + timedelta(seconds=after_s), {})


async def asked_on(street: Street) -> None:
    """Do what the telling loop does with what is due."""
    rows = await street.conn.execute(
        "SELECT alert FROM alert WHERE next_telling_at <= %s ORDER BY alert", (street.now,)
    )
    for (alert,) in await rows.fetchall():
        async with street.conn.transaction():
            await owing.one_at_a_time(street.conn)
            scene = await owing.scene_of(street.conn, alert)
            assert scene is not None
            if not await outages.is_covered(street.conn, scene, now=street.now):
                await owing.tell_next(street.conn, scene, now=street.now)


async def bodies(street: Street) -> list[str]:
    rows = await street.conn.execute("SELECT body FROM notification WHERE purpose = 'alert' ORDER BY notification")
    return [str(body) for (body,) in await rows.fetchall()]


async def power_cut(street: Street, homes: int = 4) -> list[Finding]:
    """Let hubs fall silent some seconds apart, and let the time pass in which others are waited for."""
    street.later(minutes=3)
    found = [silent(home, 7.0 * number) for number, home in enumerate(STREET[:homes])]
    for one in found:
        await street.concludes(one)
        street.later(seconds=7)
    street.later(seconds=HOLD.total_seconds())
    await asked_on(street)
    return found


async def test_one_power_cut_is_one_text(village: Street) -> None:
    """An operator with forty texts in the night reads none of them."""
    await power_cut(village)

    (body,) = await bodies(village)
    assert body.startswith("4 homes in district LS6 fell silent together since")
    seen = await store.outage_of(village.conn, STREET[0])
    assert seen is not None
    assert (seen.area, seen.homes, seen.silent) == ("district:LS6", 4, 4)


async def test_a_hub_that_is_found_silent_afterwards_joins_without_a_text(village: Street) -> None:
    """The fifth home of the same minute is no news."""
    await power_cut(village)

    await village.concludes(silent(STREET[4], 40))
    village.later(minutes=2)
    await asked_on(village)

    assert len(await bodies(village)) == 1
    seen = await store.outage_of(village.conn, STREET[4])
    assert seen is not None
    assert seen.homes == 5


async def alert_of(street: Street, home: str, question: Question) -> int:
    rows = await street.conn.execute(
        "SELECT alert FROM alert WHERE home = %s AND question = %s", (home, question.value)
    )
    row = await rows.fetchone()
    assert row is not None, f"{home} has no alert of {question}"
    return int(row[0])


async def steps_of(street: Street, home: str, question: Question) -> list[str]:
    """Return the story of a home's alert as its family reads it."""
    told = await store.story(street.conn, await alert_of(street, home, question))
    return [step.said for step in words.story(told, "Ann", "", now=street.now)]


async def test_a_family_reads_that_their_home_is_one_of_many(village: Street) -> None:
    """That the whole street is dark is why nobody mends their box, and why nobody need fear for their mother alone."""
    found = await power_cut(village)
    village.later(hours=4)
    dark = Finding(STREET[0], None, Question.UNSEEN, "1", found[0].since, village.now, {"quiet": "hub silent"}, None)
    await village.concludes(dark)

    said = "It was part of an outage: 4 homes in district LS6 fell silent together."
    assert [one for one in await steps_of(village, STREET[0], Question.HUB_SILENT) if "outage" in one] == [said]
    assert [one for one in await steps_of(village, STREET[0], Question.UNSEEN) if "outage" in one] == [said]


async def test_a_home_whose_box_fell_silent_alone_has_no_outage_in_its_story(village: Street) -> None:
    """Who reads of an outage waits for it to be mended."""
    await power_cut(village, homes=2)

    assert not [one for one in await steps_of(village, STREET[0], Question.HUB_SILENT) if "outage" in one]


async def test_the_outage_is_over_with_the_last_home_and_that_is_told(village: Street) -> None:
    """And not before: the one home that stays dark may be the one that matters."""
    found = await power_cut(village)
    await village.conn.execute("UPDATE notification SET state = 'sent', sent_at = due_at")
    for number, one in enumerate(found):
        assert await store.outage_of(village.conn, STREET[3]) is not None
        await village.concludes(back(one, 900 + number))

    assert await store.outage_of(village.conn, STREET[3]) is None
    rows = await village.conn.execute("SELECT state, outcome FROM alert WHERE question = 'outage'")
    assert await rows.fetchall() == [("closed", "mended")]
    rows = await village.conn.execute("SELECT body FROM notification WHERE purpose = 'outcome'")
    said = [str(body) for (body,) in await rows.fetchall()]
    assert [body for body in said if "all homes of the outage in district LS6 report again" in body] == said


async def test_two_homes_are_told_each_by_itself_and_no_later_than_is_stated(village: Street) -> None:
    """Two are no outage; waiting for a third must have an end."""
    await power_cut(village, homes=2)

    said = await bodies(village)
    assert len(said) == 2
    assert all("has been silent since" in body for body in said)


async def test_where_no_outage_could_be_nobody_waits(village: Street) -> None:
    """Margaret lives alone in her district: her silent hub is told at once."""
    village.later(minutes=3)
    since = NINE
    await village.concludes(Finding(HOME, HUB, Question.HUB_SILENT, f"{HUB}/{since}", since, village.now, {}, None))

    assert len(await bodies(village)) == 1


async def test_the_last_home_of_an_outage_is_told_by_itself(village: Street) -> None:
    """The power is back, and one hub is not: that is a fault of its own, within half an hour."""
    found = await power_cut(village)
    for one in found[:3]:
        await village.concludes(back(one, 900))

    village.later(minutes=31)
    await asked_on(village)

    assert STREET[3] in (await bodies(village))[-1]
    assert len(await bodies(village)) == 2


async def test_an_outage_that_somebody_closed_hides_no_home(village: Street) -> None:
    """Closed by a wrong click: each home that is still dark is told by itself within half an hour."""
    await power_cut(village)
    rows = await village.conn.execute("SELECT alert FROM alert WHERE question = 'outage'")
    row = await rows.fetchone()
    assert row is not None
    await village.conn.execute(
        "UPDATE alert SET state = 'closed', outcome = 'mended', closed_at = %s, closed_by = 'control' WHERE alert = %s",
        (village.now, row[0]),
    )

    village.later(minutes=31)
    await asked_on(village)

    assert len(await bodies(village)) == 5


async def move_apart(street: Street, *, network: str | None = None) -> None:
    """Put each home of the street into a district of its own, all on one network or on none that is known."""
    for number, home in enumerate(STREET):
        await store.set_resident(
            street.conn,
            home,
            first_name="Ann",
            full_name=f"Ann {home}",
            address=f"Mill Lane, Leeds LS{number + 10} 3QA",
        )
    await street.conn.execute("UPDATE hub SET network = %s WHERE home = ANY(%s)", (network, list(STREET)))


async def be_heard(street: Street, *others: str) -> None:
    """Have other homes, far apart, that are heard."""
    for number, home in enumerate(others):
        await street.conn.execute("INSERT INTO home VALUES (%s, %s, %s)", (home, number, NINE))
        await street.conn.execute(
            "INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at) VALUES (%s, %s, %s, '', '', %s)",
            (f"hub-{home}", home, number, NINE),
        )
        await street.conn.execute(
            "INSERT INTO hub_report (hub, heard_at, outbox, boot, clock_off_by, held_readings, held_alarms, "
            "version, troubles) VALUES (%s, %s, 'o', 'b', '0', 0, 0, '1', '{}')",
            (f"hub-{home}", NINE),
        )


async def test_a_network_that_fails_is_one_text_wherever_its_homes_are(village: Street) -> None:
    """A mobile network knows no districts."""
    await move_apart(village, network="mobile-a")
    await be_heard(village, *(f"far-{number}" for number in range(9)))

    await power_cut(village)

    (body,) = await bodies(village)
    assert body.startswith("4 homes on network mobile-a fell silent together since")


async def test_a_few_homes_that_share_nothing_are_told_each_by_itself(village: Street) -> None:
    """Four faults in four towns, in one minute, while ten other homes are heard."""
    await move_apart(village)
    await be_heard(village, *(f"far-{number}" for number in range(9)))

    await power_cut(village)

    assert len(await bodies(village)) == 4


async def test_where_most_homes_fall_silent_our_own_line_is_suspected(village: Street) -> None:
    """An operator who is told of forty districts sends forty people; of one line, one.

    The first was alone when it was found, so it was told by itself.
    """
    await move_apart(village)

    await power_cut(village, homes=5)

    first, all_of_them = await bodies(village)
    assert "has been silent since" in first
    assert all_of_them.startswith("5 homes everywhere fell silent together since")
    assert "is our own line down?" in all_of_them


async def test_an_alarm_in_an_outage_is_told_at_once(village: Street) -> None:
    """Grouping is about equipment; a press is about a person (promise P3)."""
    await power_cut(village)

    await village.presses(home=STREET[0], hub=f"hub-{STREET[0]}")

    assert "help" in (await bodies(village))[-1].lower()
    (alert,) = [one for one in await store.open_alerts(village.conn, [STREET[0]]) if not one.is_fault]
    assert alert.state is State.OPEN

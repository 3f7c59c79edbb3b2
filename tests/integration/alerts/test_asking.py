"""From the schedule to a number in the table: how confident people feel, asked by text."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from alerts import store
from alerts.alert import Outcome
from alerts.store import asking, restores
from tests.integration.alerts.conftest import ANNE, HOME, NINE, Street

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
async def street(street: Street) -> Street:
    """Give Anne the family's view and Jim the carer's, a day and three hours before this story."""
    for person, view in (("anne", "family"), ("jim", "carer")):
        await street.conn.execute(
            "INSERT INTO access_grant (person, home, view, given_at, given_by) VALUES (%s, %s, %s, %s, 'test')",
            (person, HOME, view, NINE),
        )
        await street.conn.execute(
            "INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, written_by) "
            "VALUES (%s, 'data', %s, %s, 'resident', 'Margaret', 'as agreed', %s, %s, %s, 'test')",
            (HOME, person, view, NINE, NINE + timedelta(days=3650), NINE),
        )
    street.later(days=1, hours=3)
    return street


async def _asked(street: Street) -> list[tuple[object, ...]]:
    rows = await street.conn.execute(
        "SELECT person, audience, question, round, state, way FROM confidence_asking ORDER BY asking"
    )
    return list(await rows.fetchall())


async def _reports(street: Street) -> list[tuple[object, ...]]:
    rows = await street.conn.execute("SELECT person, question, origin, answer, words FROM confidence_report")
    return list(await rows.fetchall())


async def test_each_is_asked_once_with_a_question_of_their_own(street: Street) -> None:
    """A second look, or a second worker, must not text anybody twice."""
    first = await asking.turn(street.conn, now=street.now)
    again = await asking.turn(street.conn, now=street.now)

    assert (first.asked, again.asked) == (2, 0)
    assert await _asked(street) == [
        ("anne", "family", 1, 0, "asked", "text"),
        ("jim", "unpaid carer", 2, 0, "asked", "text"),
    ]
    assert "how confident have you felt that Margaret is safe at home?" in await street.body("anne")
    assert "hear in time if Margaret needed you?" in await street.body("jim")


async def test_who_may_have_been_asked_in_the_forgotten_time_is_not_asked_again(street: Street) -> None:
    """A backup of this morning does not know whom we asked at noon; nobody answers the same thing twice a day."""
    shows, told_until = NINE, street.now
    rows = await street.conn.execute("SELECT state FROM confidence_asking")
    assert await rows.fetchall() == []
    await restores.put_in_order(street.conn, backup="b", shows=shows, told_until=told_until, now=street.later(hours=1))

    assert (await asking.turn(street.conn, now=street.now)).asked == 0
    assert [row[4] for row in await _asked(street)] == ["withdrawn", "withdrawn"]
    # The next round is asked as ever.
    street.later(days=40)
    assert (await asking.turn(street.conn, now=street.now)).asked == 2


async def test_a_number_with_words_is_the_answer(street: Street) -> None:
    """A digit and why, typed on a bus, is the whole answer."""
    await asking.turn(street.conn, now=street.now)

    said = await street.texted(ANNE, "4 she seems well")

    assert said.startswith("Thank you. 4 of 5 about Margaret.")
    assert await _reports(street) == [("anne", 1, "scheduled", 4, "she seems well")]
    assert (await _asked(street))[0][4] == "answered"
    assert "noted before: 4 of 5" in await street.texted(ANNE, "2")
    assert len(await _reports(street)) == 1


async def test_a_low_answer_opens_one_call_and_says_so(street: Street) -> None:
    """It was promised that a person rings; so it must be somebody's to do."""
    await asking.turn(street.conn, now=street.now)

    said = await street.texted(ANNE, "1")

    rows = await street.conn.execute("SELECT home, person, closed_at FROM confidence_call")
    assert "One person will ring you" in said
    assert await rows.fetchall() == [(HOME, "anne", None)]


async def test_without_a_question_a_number_means_nothing(street: Street) -> None:
    """Nobody's stray digit may become a figure."""
    said = await street.texted(ANNE, "4")

    assert said.startswith("We did not understand that")
    assert await _reports(street) == []


async def test_the_number_of_an_open_alert_is_never_an_answer(street: Street) -> None:
    """Anne texts "1" in haste and means that she goes; "not at all confident" would send nobody."""
    await asking.turn(street.conn, now=street.now)
    await street.presses()

    hasty = await street.texted(ANNE, "1")
    mine = await street.texted(ANNE, "1 mine")
    other = await street.texted(ANNE, "4")

    assert "Reply 1 MINE if you are going" in hasty
    assert mine.startswith("Margaret Reid (pendant) is yours")
    assert other.startswith("Thank you. 4 of 5")
    assert [row[3] for row in await _reports(street)] == [4]


async def test_an_open_alert_puts_the_question_off_and_does_not_cancel_it(street: Street) -> None:
    """Whoever had a bad night is asked too, and not while it lasts."""
    await street.presses()
    during = await asking.turn(street.conn, now=street.now)
    alert = await street.only_alert()
    await store.close(street.conn, alert.alert, "anne", Outcome.ALL_WELL, None, now=street.later(hours=2))

    after = await asking.turn(street.conn, now=street.now)

    rows = await street.conn.execute("SELECT count(*) FROM confidence_asking WHERE put_off_at IS NOT NULL")
    assert (during.asked, after.asked) == (0, 2)
    assert await rows.fetchone() == (2,)


async def test_who_sent_stop_is_asked_on_the_page_alone(street: Street) -> None:
    """STOP was said to all texts that can wait."""
    await street.texted(ANNE, "STOP")

    await asking.turn(street.conn, now=street.now)

    assert [row[4:] for row in await _asked(street)] == [("asked", "page"), ("asked", "text")]
    assert [person for person, purpose, _ in await street.texts() if purpose == "confidence"] == ["jim"]
    async with street.conn.transaction():
        await store.answer_on_page(street.conn, HOME, "anne", 1, 5, None, now=street.later(days=1))
    assert await _reports(street) == [("anne", 1, "scheduled", 5, None)]


async def test_one_reminder_then_it_lapses_and_a_later_answer_is_kept_apart(street: Street) -> None:
    """A quarter must close; what comes after is somebody's word all the same."""
    await asking.turn(street.conn, now=street.now)
    reminded = await asking.turn(street.conn, now=street.later(days=4))
    again = await asking.turn(street.conn, now=street.later(days=3))
    await asking.turn(street.conn, now=street.later(days=7))
    await store.answer_on_page(street.conn, HOME, "anne", 1, 5, None, now=street.now)

    assert (reminded.reminded, again.reminded) == (2, 0)
    assert "A reminder, the only one." in await street.body("anne")
    assert [row[4] for row in await _asked(street)] == ["lapsed", "lapsed"]
    assert await _reports(street) == [("anne", 1, "volunteered", 5, None)]


async def test_what_is_said_after_an_alert_is_kept_apart(street: Street) -> None:
    """Relief, or anger, is not how the last four weeks felt."""
    await street.presses()
    alert = await street.only_alert()
    await store.close(street.conn, alert.alert, "anne", Outcome.ALL_WELL, None, now=street.now)

    await store.answer_on_page(street.conn, HOME, "anne", 1, 5, None, now=street.later(days=2))

    assert [row[2] for row in await _reports(street)] == ["after an alert"]


async def test_without_a_consent_in_force_nobody_is_asked(street: Street) -> None:
    """A resident who takes back their yes is not spoken of any more."""
    await street.conn.execute("UPDATE consent SET withdrawn_at = %s, withdrawn_by = 'test'", (street.now,))

    await asking.turn(street.conn, now=street.now)

    assert await _asked(street) == []


async def test_over_a_year_nobody_is_asked_twice_in_28_days(street: Street) -> None:
    """The whole schedule, day by day, with somebody who never answers and somebody who always does."""
    for _ in range(370):
        await asking.turn(street.conn, now=street.later(days=1))
        await street.texted(ANNE, "5")

    rows = await street.conn.execute(
        "SELECT min(gap), max(round), count(*) FROM (SELECT round, asked_at - lag(asked_at) OVER "
        "(PARTITION BY person ORDER BY asked_at) AS gap FROM confidence_asking WHERE asked_at IS NOT NULL) asked"
    )
    row = await rows.fetchone()
    assert row is not None
    assert row[0] >= timedelta(days=28)
    assert row[1:] == (6, 14)


@pytest.mark.parametrize("hours", [10, 7])
async def test_however_fast_the_clock_runs_it_is_one_question_and_not_many(street: Street, hours: int) -> None:
    """A demo at 3600 times the speed looks every ten hours: nobody may be asked at night, twice, or forgotten."""
    for _ in range(200 * 24 // hours):
        await asking.turn(street.conn, now=street.later(hours=hours))

    rows = await street.conn.execute(
        "SELECT person, round, asked_at, (SELECT count(*) FROM notification n WHERE n.person = a.person "
        "AND n.purpose = 'confidence' AND n.due_at >= a.asked_at AND n.due_at < a.answer_until) "
        "FROM confidence_asking a WHERE asked_at IS NOT NULL AND state <> 'asked' ORDER BY person, asked_at"
    )
    found = await rows.fetchall()
    for person in ("anne", "jim"):
        mine = [row for row in found if row[0] == person]
        assert [row[1] for row in mine] == sorted({row[1] for row in mine})
        assert len(mine) >= 4
        assert all(10 <= row[2].astimezone(LONDON).hour < 20 for row in mine)
        assert {row[3] for row in mine} == {2}
        assert all(later[2] - before[2] >= timedelta(days=28) for before, later in pairwise(mine))

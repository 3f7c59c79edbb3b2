"""What does a family see, and for how long is it true?"""

import re
from datetime import timedelta

import pytest

from tests.world.pages import ANNE, JIM, MARGARETS, NINE, Street

PAGE = f"/homes/{MARGARETS}"


async def test_a_watched_home_says_what_was_seen_and_what_happens_next(street: Street) -> None:
    """A family wants to know: up, where last, and who is told when."""
    await street.home_is("watched")

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert "Margaret has been up since 06:17. Last in the lounge at 09:07." in page
    assert ">Watched<" in page
    assert "true at 09:14" in page
    assert "We text Anne Reid (you)." in page


async def test_fine_lapses_when_the_judge_stops(street: Street) -> None:
    """Whatever dies, the page must not go on saying watched; here it is our own judge."""
    await street.home_is("watched", promised_until=NINE + timedelta(hours=1))
    street.set_clock(NINE + timedelta(seconds=30))

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert ">Watched<" not in page
    assert "We do not know how Margaret is." in page
    assert "It is our fault." in page


async def test_fine_lapses_at_the_very_moment_a_promise_breaks(street: Street) -> None:
    """One second before it the home is watched; at it nobody knows, whatever the judge has written."""
    until = NINE + timedelta(minutes=2)
    await street.home_is("watched", promised_until=until, judged=until)
    browser = await street.browser(ANNE.person)
    street.set_clock(until - timedelta(seconds=1))
    before = (await browser.get(PAGE)).text
    street.set_clock(until)

    after = (await browser.get(PAGE)).text

    assert ">Watched<" in before
    assert ">Watched<" not in after
    assert "We have not been able to see the home since 09:16." in after


@pytest.mark.parametrize("table", ["lane SET complete_through", "judging_lane SET judged_through"])
async def test_a_lane_that_never_ran_is_not_fine(street: Street, table: str) -> None:
    """Null is *never*, not *for ever*."""
    await street.home_is("watched")
    await street.sql(f"UPDATE {table} = NULL")

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert ">Watched<" not in page
    assert "We do not know how Margaret is." in page


async def test_a_home_of_which_nothing_is_written_is_not_fine(street: Street) -> None:
    """A home that was set up this minute has no news, which is not good news."""
    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert "We have not seen anything of the home yet. We do not know how Margaret is." in page
    assert "The home is not watched yet." in page


async def test_the_lease_on_the_page_is_what_is_left_in_real_time(street: Street) -> None:
    """At sixty times the speed a lease of three minutes is three real seconds."""
    await street.home_is("watched", promised_until=NINE + timedelta(minutes=3), judged=NINE + timedelta(hours=1))
    street.set_clock(NINE, speed=60)

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    lasts_s = float(page.split("--stale-after: ")[1].split("s")[0])
    assert 0 < lasts_s <= 3
    assert "Time runs 60 times as fast here" in page


async def test_the_day_the_month_and_the_gaps_are_shown_and_said(street: Street) -> None:
    """What was seen, what was not, in pictures and in words."""
    await street.seen((NINE - timedelta(hours=3), "kitchen"), (NINE - timedelta(hours=2), "lounge"))
    await street.seen((NINE - timedelta(hours=2, minutes=1), "hall"), quantity="open")
    await street.could_see(
        (NINE - timedelta(days=5), NINE - timedelta(hours=10), "watched", []),
        (NINE - timedelta(hours=10), NINE - timedelta(hours=4), "blind", ["radio"]),
        (NINE - timedelta(hours=4), None, "watched", []),
    )
    await street.home_is("watched", since=NINE - timedelta(hours=4))

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert "<li>06:14: kitchen.</li>" in page
    assert "<li>07:13 to 07:14: a door and lounge.</li>" in page
    assert "<li>23:14 yesterday to 05:14: we could not see.</li>" in page
    assert "<strong>Watched 95.0 % since" in page
    assert "The box in the home could not hear its sensors." in page
    assert ">Kitchen</text>" in page
    assert ">Doors</text>" in page


async def test_what_is_not_certain_or_no_sign_of_life_is_not_drawn(street: Street) -> None:
    """A battery report, an end of movement or a reading of an uncertain time shows nobody."""
    await street.seen((NINE - timedelta(hours=1), "cellar"), quantity="battery_pct")
    await street.seen((NINE - timedelta(hours=1), "attic"))
    await street.sql("UPDATE reading SET uncertain_since = observed_at WHERE room = 'attic'")
    await street.seen((NINE - timedelta(hours=1), "shed"))
    await street.sql("UPDATE reading SET value = 0 WHERE room = 'shed'")
    await street.home_is("watched")

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text.lower()

    assert not any(room in page for room in ("cellar", "attic", "shed"))


async def test_a_closed_alert_stays_on_the_page_with_its_ending(street: Street) -> None:
    """A daughter reads in the evening what happened at noon, and who was there."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)
    await browser.post(f"{PAGE}/alerts/{alert}/outcome", data={"outcome": "help given", "word": "Back in her chair"})
    await street.home_is("watched")

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert "Help given, closed by Jim Docherty at 09:14. “Back in her chair”" in page
    assert f'href="{PAGE}/alerts/{alert}"' in page
    assert ">Watched<" in page


async def test_a_silent_box_is_being_seen_to_and_the_page_says_how(street: Street) -> None:
    """Blind, and what is being done about it."""
    await street.hub_silent()
    await street.home_is("blind", why=["hub"], since=NINE, promised_until=NINE)

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    assert "We cannot see Margaret\u2019s home" in page
    assert "Do not count on a pendant" in page
    assert "What is being done" in page
    assert "Text to Kilbrae alarm centre is about to leave." in page


async def test_the_part_for_the_script_says_the_same(street: Street) -> None:
    """What refreshes a page must not say more, or less, than the page."""
    await street.home_is("watched")
    browser = await street.browser(ANNE.person)

    whole, part = (await browser.get(PAGE)).text, (await browser.get(f"{PAGE}/now")).text

    live = part.split("<body>")[1].split("</body>")[0].strip()
    ids = re.findall(r'<div id="(now-\w+)" data-live', live)
    assert ids == ["now-state", "now-next"]
    assert all(f'<div id="{one}" data-live' in whole for one in ids)
    assert re.search(r'<p class="say">.*</p>', live)[0] in whole  # type: ignore[index]  # it is there, or the test fails


async def test_no_count_of_sensors_and_no_score_is_on_a_familys_page(street: Street) -> None:
    """How many sensors there are is no measure of anything that a family feels."""
    await street.home_is("watched")

    page = (await (await street.browser(ANNE.person)).get(PAGE)).text

    words = re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\d+ sensors?|%|score|likel", words)

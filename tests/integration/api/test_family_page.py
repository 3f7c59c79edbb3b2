"""What does a family see, and for how long is it true?"""

from datetime import timedelta

from tests.world.pages import ANNE, MARGARETS, NINE, Street

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

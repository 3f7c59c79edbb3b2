"""A grant shows nothing without the resident's yes, and nothing once it is taken back or over."""

from datetime import timedelta

import pytest

from api import consents, store
from api.office import agreed
from api.office.said import Mistakes
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, NINE, Street

YES = {
    "person": ANNE.person,
    "views": "family",
    "basis": "resident",
    "said_by": "Margaret Reid",
    "why": "so that my daughter knows how I am",
    "until": "2026-07-31",
}


async def agree(street: Street, home: str = MARGARETS, **changed: str) -> None:
    async with street.connection() as conn:
        await agreed.give_sight(conn, home, {**YES, **changed}, by="test", now=street.now)


async def sees(street: Street, person: str, path: str = f"/homes/{MARGARETS}") -> bool:
    answer = await (await street.browser(person)).get(path)
    assert answer.status_code in {200, 404}
    return answer.status_code == 200


async def test_a_grant_without_a_consent_shows_nothing(street: Street) -> None:
    """Whoever set up the home may have been wrong about what the resident wants."""
    await street.home_is("watched")
    await street.sql("DELETE FROM consent")

    assert not await sees(street, ANNE.person)

    await agree(street)
    assert await sees(street, ANNE.person)


async def test_a_consent_that_is_taken_back_ends_the_view_at_once(street: Street) -> None:
    """No means now, in the session that is open on the daughter's kitchen table."""
    await street.home_is("watched")
    browser = await street.browser(ANNE.person)
    ((consent,),) = await street.sql("SELECT consent FROM consent WHERE person = 'anne' AND view = 'family'")
    async with street.connection() as conn:
        said = await agreed.withdraw(conn, consent, by="test", now=street.now)

    assert (await browser.get(f"/homes/{MARGARETS}")).status_code == 404
    assert said == [f"Anne Reid is still told of alarms in {MARGARETS}: take them off the told-order if need be."]


async def test_a_consent_ends_by_itself_by_the_clock_of_the_homes(street: Street) -> None:
    """A yes for six weeks is no yes in the seventh; the last day of it counts whole, in London."""
    await street.sql("DELETE FROM consent")
    await street.home_is("watched")
    await agree(street)
    last = NINE.replace(month=7, day=31, hour=22, minute=59)

    street.set_clock(last)
    assert await sees(street, ANNE.person)

    street.set_clock(last + timedelta(minutes=1))
    assert not await sees(street, ANNE.person)


async def test_a_consent_to_one_view_or_home_or_person_is_none_to_another(street: Street) -> None:
    """Each was asked for by itself."""
    await street.home_is("watched")
    await street.home_is("watched", GEORGES)
    await street.sql("DELETE FROM consent")
    async with street.connection() as conn:
        for person, home in ((ANNE.person, GEORGES), (JIM.person, MARGARETS)):
            await store.set_access(conn, person, home, ["family", "carer"], given_by="test", now=street.now)
    await agree(street)

    assert not await sees(street, ANNE.person, f"/homes/{GEORGES}")
    assert not await sees(street, JIM.person)
    alert = await street.pendant_pressed()
    page = await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}/alerts/{alert}")
    assert "Mine" not in page.text


async def test_an_operator_needs_no_consent_of_their_own(street: Street) -> None:
    """Whose phone gets what nobody else took must be able to take it, whatever was forgotten."""
    await street.sql("DELETE FROM consent")
    alert = await street.pendant_pressed()

    page = await (await street.browser(CONTROL.person)).get(f"/homes/{MARGARETS}/alerts/{alert}")

    assert page.status_code == 200


async def test_who_left_is_signed_out(street: Street) -> None:
    """A session that outlives the person is a stranger's."""
    browser = await street.browser(JIM.person)
    await street.sql("UPDATE person SET left_at = %s, phone = NULL WHERE person = 'jim'", street.now)

    assert (await browser.get("/carer")).headers["location"] == "/log-in"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("until", "2026-06-15", "is over already"),
        ("until", "31.7.2026", "'31.7.2026' is not a day such as 2026-06-30"),
        ("basis", "hearsay", "'hearsay' is none of resident, attorney, best interests"),
        ("said_by", " ", "is needed"),
        ("person", "nobody", "there is no person 'nobody'"),
        ("views", "everything", "'everything' is none of family, carer"),
    ],
)
async def test_a_consent_that_says_too_little_is_not_written(street: Street, field: str, value: str, said: str) -> None:
    """Who agreed, why and until when is the whole of it; a yes without them is worth nothing."""
    before = await street.sql("SELECT count(*) FROM consent")

    with pytest.raises(Mistakes) as wrong:
        await agree(street, **{field: value})

    assert wrong.value.at() == {field: said}
    assert await street.sql("SELECT count(*) FROM consent") == before


async def test_what_ends_soon_is_found_unless_it_was_asked_for_again(street: Street) -> None:
    """A family that finds its page gone must not be the one who notices."""
    await street.sql("DELETE FROM consent")
    await agree(street)
    await agree(street, person=JIM.person, views="carer")
    await agree(street, person=JIM.person, views="carer", until="2027-06-30")

    async with street.connection() as conn:
        found = await consents.ending(conn, since=NINE, until=NINE + timedelta(days=60))

    assert [(one.person, one.view) for one in found] == [(ANNE.person, "family")]

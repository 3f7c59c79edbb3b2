"""Does a link let in whom it should, once, and nobody else?"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.signing_in.secrets import hashed
from tests.world.pages import ANNE, Street

_SENT = "If we know that number"


async def test_a_link_signs_in_once(street: Street) -> None:
    """A text stays on a phone; whoever finds it later must not be let in by it."""
    path = (await street.link(ANNE.person)).removeprefix(street.public_url)

    first, second = await street.stranger().post(path), await street.stranger().post(path)

    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert second.status_code == 400
    assert "does not work any more" in second.text
    assert "set-cookie" not in second.headers


async def test_a_preview_does_not_use_up_a_link(street: Street) -> None:
    """Phones fetch addresses in messages to show a preview; the person presses afterwards."""
    path = (await street.link(ANNE.person)).removeprefix(street.public_url)
    await street.stranger().get(path)

    answer = await street.stranger().post(path)

    assert answer.status_code == 303


async def test_a_link_grows_old_in_real_time(street: Street) -> None:
    """It is as old as it is for the person who holds it, however fast a demo runs."""
    path = (await street.link(ANNE.person)).removeprefix(street.public_url)
    street.set_clock(street.now + timedelta(days=30))
    early = await street.stranger().get(path)
    await street.sql("UPDATE login_link SET valid_until = made_at")

    late = await street.stranger().post(path)

    assert early.status_code == 200
    assert late.status_code == 400


async def test_the_cookie_is_kept_from_scripts_other_sites_and_other_hosts(street: Street) -> None:
    """It is the only key to somebody's home."""
    answer = await street.stranger().post((await street.link(ANNE.person)).removeprefix(street.public_url))

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-telecare=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


async def test_no_token_is_kept_in_the_clear(street: Street) -> None:
    """Whoever reads the database, or a backup of it, cannot sign in with what is there."""
    link = await street.link(ANNE.person)
    answer = await street.stranger().post(link.removeprefix(street.public_url))

    session = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    kept = {
        bytes(row[0])
        for row in await street.sql("SELECT token_sha256 FROM login_link UNION SELECT token_sha256 FROM session")
    }
    assert kept == {hashed(link.rsplit("/", 1)[1]), hashed(session)}


async def test_signing_out_ends_the_session_for_good(street: Street) -> None:
    """A phone that is given away must not open the home with an old cookie."""
    browser = await street.browser(ANNE.person)
    cookies = dict(browser.cookies)
    await browser.post("/log-out")

    answer = await street.stranger(Cookie="; ".join(f"{k}={v}" for k, v in cookies.items())).get("/carer")

    assert answer.headers["location"] == "/log-in"


async def test_a_session_ends_by_itself(street: Street) -> None:
    """A phone in a drawer is not signed in for ever."""
    browser = await street.browser(ANNE.person)
    await street.sql("UPDATE session SET valid_until = made_at")

    answer = await browser.get("/carer")

    assert answer.headers["location"] == "/log-in"


@pytest.mark.parametrize(
    "typed", ["07700 900101", "+44 7700 900101", "0044 7700-900101", "(07700) 900101", "+44 (0)7700 900101"]
)
async def test_a_known_phone_is_texted_a_link_however_it_is_typed(street: Street, typed: str) -> None:
    """People type their number as they know it."""
    answer = await street.stranger().post("/log-in", data={"who": typed})

    ((person, purpose, body),) = await street.sql("SELECT person, purpose, body FROM notification")
    assert answer.headers["location"] == "/log-in/sent"
    assert (person, purpose) == ("anne", "log-in")
    assert f"{street.public_url}/log-in/" in body


async def test_the_link_in_the_text_works(street: Street) -> None:
    """From a number on a page to the home, the whole way."""
    await street.stranger().post("/log-in", data={"who": "07700900101"})
    ((body,),) = await street.sql("SELECT body FROM notification")
    path = next(word for word in body.split() if word.startswith("https:")).removeprefix(street.public_url)

    answer = await street.stranger().post(path)

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("typed", ["07700 900999", "0044 7700 900998", "+61 491 570 156"])
async def test_an_unknown_phone_gets_the_same_answer(street: Street, typed: str) -> None:
    """Whether somebody is known here must not be found out by asking."""
    known = await street.stranger().post("/log-in", data={"who": "07700 900101"})
    unknown = await street.stranger().post("/log-in", data={"who": typed})

    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert _SENT in (await street.stranger().get("/log-in/sent")).text
    assert (await street.sql("SELECT count(*) FROM notification")) == [(1,)]


async def test_one_phone_is_not_flooded(street: Street) -> None:
    """Somebody else could ask for links to a carer's phone all night; the fourth is not sent, and nobody is told."""
    for _ in range(6):
        answer = await street.stranger().post("/log-in", data={"who": "07700900101"})

    assert answer.headers["location"] == "/log-in/sent"
    assert (await street.sql("SELECT count(*) FROM notification")) == [(3,)]


async def test_a_burst_is_bounded_like_a_trickle(street: Street) -> None:
    """Twenty requests in the same moment must not slip through between counting and writing."""
    strangers = [street.stranger() for _ in range(20)]

    await asyncio.gather(*(one.post("/log-in", data={"who": "07700900101"}) for one in strangers))

    assert (await street.sql("SELECT count(*) FROM notification")) == [(3,)]


async def test_one_address_cannot_ask_for_every_phone(street: Street) -> None:
    """Trying numbers from one place ends after thirty in an hour, known or not."""
    for number in range(31):
        await street.stranger().post("/log-in", data={"who": f"07700800{number:03}"})
    await street.stranger().post("/log-in", data={"who": "07700900101"})

    assert (await street.sql("SELECT count(*) FROM notification")) == [(0,)]
    assert (await street.sql("SELECT count(*) FROM login_request")) == [(30,)]


async def test_old_requests_are_forgotten(street: Street) -> None:
    """Who asked when is nobody's business for longer than it bounds anything."""
    await street.stranger().post("/log-in", data={"who": "07700900101"})
    await street.sql("UPDATE login_request SET asked_at = %s", datetime(2020, 1, 1, tzinfo=UTC))

    await street.stranger().post("/log-in", data={"who": "07700900102"})

    assert (await street.sql("SELECT count(*) FROM login_request")) == [(1,)]


async def test_the_front_door_leads_on(street: Street) -> None:
    """A stranger signs in; a relative sees the home; whoever cares for it sees an open alert first."""
    await street.home_is("watched")
    anne = await street.browser(ANNE.person)

    stranger, calm = await street.stranger().get("/"), await anne.get("/")
    await street.pendant_pressed()
    needed = await anne.get("/")

    assert [one.headers["location"] for one in (stranger, calm, needed)] == ["/log-in", "/homes", "/carer"]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "my number",
        "9" * 59,
        "+",
        "+4477009\x0000101",
        "07700",
        "0",
        "\u0661\u0662\u0663",
        "+44 7700 900101 or Anne",
    ],
)
async def test_what_is_no_phone_number_is_said_to_be_none(street: Street, typed: str) -> None:
    """Who mistypes waits for a text that was never going to come."""
    answer = await street.stranger().post("/log-in", data={"who": typed})

    assert answer.status_code == 422
    assert "That does not look like a phone number." in answer.text
    assert await street.sql("SELECT count(*) FROM login_request") == [(0,)]


async def test_a_used_link_offers_a_new_one_where_it_is(street: Street) -> None:
    """The link in last week's text is what people press; the way in must begin there."""
    address = (await street.link(ANNE.person)).removeprefix(street.public_url)
    stranger = street.stranger()
    await stranger.post(address)

    answer = await stranger.post(address)

    assert answer.status_code == 400
    assert '<form method="post" action="/log-in"' in answer.text

"""Can somebody who is signed in say which account at the identity provider is theirs, and nobody else for them?

Entra ID, which most councils have, vouches for no e-mail address, so that none of its accounts is known by one.
"""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.world.database import Database
from tests.world.identity_provider import IdentityProvider
from tests.world.pages import ANNE, CONTROL, JIM, Street


@pytest.fixture
async def council() -> AsyncIterator[IdentityProvider]:
    """Run an identity provider that vouches for no address."""
    async with IdentityProvider() as running:
        running.truth.is_verified = None
        yield running


@pytest.fixture
async def employed(database: Database, tmp_path: Path, council: IdentityProvider) -> AsyncIterator[Street]:
    """Give the street, whose alarm centre has accounts at the council, and Jim his work at both."""
    async with Street(database.dsn, tmp_path, identities=council.config()) as street:
        await street.sql("UPDATE person SET is_operator = true WHERE person IN ('control', 'jim')")
        yield street


async def _set_out(browser: httpx.AsyncClient) -> str:
    """Return the address of the provider to which the page behind one's name leads."""
    ahead = await browser.post("/me/provider")
    assert ahead.status_code == 200, ahead.text
    found = re.search(r'href="(http[^"]+)"', ahead.text)
    assert found is not None
    return unescape(found[1])


async def _back(browser: httpx.AsyncClient, street: Street, to: str) -> httpx.Response:
    """Sign in at the provider and come back from there, as from another site."""
    async with httpx.AsyncClient() as outside:
        sent = await outside.get(to)
    return await browser.get(
        sent.headers["location"].removeprefix(street.public_url), headers={"Sec-Fetch-Site": "cross-site"}
    )


async def _connect(browser: httpx.AsyncClient, street: Street) -> httpx.Response:
    return await _back(browser, street, await _set_out(browser))


async def _sign_in(street: Street) -> tuple[int, list[tuple[str, str]]]:
    """Sign in at the provider as a stranger; return the status, and who holds sessions from there."""
    browser = street.stranger()
    answer = await _back(browser, street, (await browser.get("/log-in/provider")).headers["location"])
    return answer.status_code, await street.sql("SELECT person, way FROM session WHERE way = 'provider'")


async def test_who_connected_an_account_is_let_in_by_it(employed: Street) -> None:
    """An operator at a council with Entra ID signs in once by a link, and from then on with the account at work."""
    assert (await _sign_in(employed))[0] == 403
    control = await employed.browser(CONTROL.person)
    assert "The account that you have at work can let you in here." in (await control.get("/me")).text

    answer = await _connect(control, employed)

    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "It lets you in here since" in (await control.get("/me")).text
    assert await _sign_in(employed) == (303, [(CONTROL.person, "provider")])
    assert await employed.sql("SELECT what, by, person FROM change_record") == [
        ("identity bound", CONTROL.person, CONTROL.person)
    ]


async def test_what_was_connected_can_be_undone(employed: Street) -> None:
    """The account is taken over, or was the wrong one."""
    control = await employed.browser(CONTROL.person)
    await _connect(control, employed)

    assert (await control.post("/me/provider/undo")).headers["location"] == "/me"

    assert "It lets you in here since" not in (await control.get("/me")).text
    assert (await _sign_in(employed))[0] == 403
    assert (await control.post("/me/provider/undo")).status_code == 303
    assert await employed.sql("SELECT what FROM change_record ORDER BY 1") == [
        ("identity bound",),
        ("identity unbound",),
    ]


async def test_a_screen_that_was_left_on_makes_nobody_an_operator(employed: Street) -> None:
    """Whoever finds one would be let in for good, with an account of their own."""
    control = await employed.browser(CONTROL.person)
    await employed.sql("UPDATE session SET made_at = made_at - interval '15 minutes'")

    answer = await control.post("/me/provider")

    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert await employed.sql("SELECT count(*) FROM provider_log_in") == [(0,)]
    shown = (await control.get("/me")).text
    assert "within a quarter of an hour of signing in" in shown
    assert "Connect it" not in shown


async def test_an_account_that_is_somebodys_is_nobody_elses(employed: Street) -> None:
    """Two operators at one screen: the second must not take, or share, the account of the first."""
    control, jim = await employed.browser(CONTROL.person), await employed.browser(JIM.person)
    await _connect(control, employed)

    answer = await _connect(jim, employed)

    assert answer.status_code == 409
    assert "somebody else" in answer.text
    assert await _sign_in(employed) == (303, [(CONTROL.person, "provider")])


async def test_who_has_an_account_connected_has_one(employed: Street, council: IdentityProvider) -> None:
    """A second one beside it would be a way in that its owner forgot, also where its trip was begun before."""
    control = await employed.browser(CONTROL.person)
    begun = await _set_out(control)
    elsewhere = await employed.browser(CONTROL.person)
    await _connect(elsewhere, employed)
    council.truth.subject = "a second one"

    assert (await _back(control, employed, begun)).status_code == 409
    assert (await control.post("/me/provider")).headers["location"] == "/me"
    assert await employed.sql("SELECT subject FROM provider_identity") == [("5f1c",)]


async def test_only_who_set_out_comes_back_bound(employed: Street) -> None:
    """Somebody else signs in at the same screen meanwhile; or whoever set out has signed out."""
    control = await employed.browser(CONTROL.person)
    begun = await _set_out(control)
    assert (await control.post((await employed.link(JIM.person)).removeprefix(employed.public_url))).status_code == 303
    as_another = await _back(control, employed, begun)

    begun = await _set_out(control)
    await control.post("/me/sign-out-everywhere")
    as_nobody = await _back(control, employed, begun)

    assert [as_another.status_code, as_nobody.status_code] == [400, 400]
    assert await employed.sql("SELECT count(*) FROM provider_identity") == [(0,)]


async def test_family_and_strangers_have_no_account_to_connect(employed: Street) -> None:
    """For a daughter it is her phone, whatever account she has at work."""
    anne, stranger = await employed.browser(ANNE.person), employed.stranger()

    assert (await anne.post("/me/provider")).status_code == 404
    assert "Your account at" not in (await anne.get("/me")).text
    for path in ("/me/provider", "/me/provider/undo"):
        answer = await stranger.post(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")


async def test_where_no_provider_is_configured_there_is_nothing_to_connect(street: Street) -> None:
    """And the page behind one's name does not speak of one."""
    await street.sql("UPDATE person SET is_operator = true WHERE person = 'control'")
    control = await street.browser(CONTROL.person)

    assert [(await control.post(f"/me/provider{more}")).status_code for more in ("", "/undo")] == [404, 404]
    assert "Your account at" not in (await control.get("/me")).text

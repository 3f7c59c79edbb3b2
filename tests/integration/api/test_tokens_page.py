"""Operators keep the tokens of programs on a page; nobody else finds it, and no token is shown twice."""

import re

import httpx
import pytest

from tests.world.pages import ANNE, CONTROL, MARGARETS, Street

PAGE = "/operator/tokens"
WROTE = {"name": "wall", "person": "anne", "scopes": ["homes:read", "alerts:read"], "homes": MARGARETS, "days": "30"}


@pytest.fixture
async def operator(street: Street) -> httpx.AsyncClient:
    """Give the browser of the operator."""
    return await street.browser(CONTROL.person)


def token_in(page: str) -> str:
    token: str
    (token,) = re.findall(r"<code>(telecare_[\w-]+)</code>", page)
    return token


async def test_a_token_is_made_shown_once_used_and_revoked(street: Street, operator: httpx.AsyncClient) -> None:
    """A wall screen is set up without anybody at the server, and a lost key is dead with one press."""
    made = await operator.post(PAGE, data=WROTE)
    token = token_in(made.text)
    program = street.caller(Authorization=f"Bearer {token}")
    first = await program.get("/api/v1/homes")
    listed = (await operator.get(PAGE)).text
    revoked = await operator.post(f"{PAGE}/revoke", data={"token": "wall"})
    after = (await operator.get(PAGE)).text

    assert made.headers["cache-control"] == "no-store"
    assert [one["home"] for one in first.json()["items"]] == [MARGARETS]
    assert token not in listed
    assert "alerts:read, homes:read; shore-road-14. Made by control at" in listed
    assert "last used at" in listed
    assert (revoked.status_code, "revoked at" in after) == (303, True)
    assert (await program.get("/api/v1/homes")).status_code == 401


async def test_who_made_and_who_revoked_it_is_on_record(street: Street, operator: httpx.AsyncClient) -> None:
    """A key to homes is given by a person, who can be asked why."""
    await operator.post(PAGE, data=WROTE)
    await operator.post(f"{PAGE}/revoke", data={"token": "wall"})

    acts = await street.sql("SELECT by, what, content->>'name' FROM change_record ORDER BY change")

    assert acts[-2:] == [("control", "token made", "wall"), ("control", "token revoked", "wall")]


@pytest.mark.parametrize(
    ("wrote", "word"),
    [
        ({"name": "A b"}, "no name for a token"),
        ({"name": ""}, "Is needed"),
        ({"person": "nobody"}, "There is no person"),
        ({"homes": "nowhere"}, "There is no home"),
        ({"scopes": "homes:burn"}, "There is no scope"),
        ({"scopes": ""}, "Is needed"),
        ({"days": "401"}, "is not a number of days from 1 to 400"),
        ({"days": "0"}, "is not a number of days from 1 to 400"),
    ],
)
async def test_what_is_wrong_is_a_sentence_and_no_token(
    street: Street, operator: httpx.AsyncClient, wrote: dict[str, str], word: str
) -> None:
    """A slip must not make a key that opens more than was meant."""
    answer = await operator.post(PAGE, data={**WROTE, **wrote})

    assert answer.status_code == 422
    assert word in answer.text
    assert "telecare_" not in answer.text
    assert await street.sql("SELECT count(*) FROM api_token") == [(0,)]


async def test_a_page_that_is_loaded_again_makes_no_second_token(operator: httpx.AsyncClient) -> None:
    """The browser sends the form again, and a name is used once."""
    await operator.post(PAGE, data=WROTE)
    again = await operator.post(PAGE, data=WROTE)

    assert again.status_code == 422
    assert "a name is used once" in again.text


async def test_a_token_that_is_not_there_cannot_be_revoked(operator: httpx.AsyncClient) -> None:
    """Somebody who mistypes a name must not believe that a lost key is dead."""
    answer = await operator.post(f"{PAGE}/revoke", data={"token": "wal"})

    assert answer.status_code == 422
    assert "There is no token" in answer.text


async def test_nobody_but_an_operator_finds_the_page(street: Street) -> None:
    """A carer who could make a token could make one for somebody else."""
    browser = await street.browser(ANNE.person)

    assert (await browser.get(PAGE)).status_code == 404
    assert (await browser.post(PAGE, data=WROTE)).status_code == 404
    assert (await browser.post(f"{PAGE}/revoke", data={"token": "wall"})).status_code == 404
    assert await street.sql("SELECT count(*) FROM api_token") == [(0,)]

"""Who sees what, and does every look leave a record?"""

import re
from datetime import timedelta

import httpx
import pytest

from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, NINE, Street

_WORDS_OF_A_NONCE = re.compile(r"nonce[-=]\"?[A-Za-z0-9_-]+")


def _addresses(street: Street, home: str, alert: int) -> list[tuple[str, str]]:
    """Return every method and address of the app with a home or an alert in it."""
    found = []
    for path, methods in street.app.openapi()["paths"].items():
        if "{home}" in path or "{alert}" in path:
            address = path.replace("{home}", home).replace("{alert}", str(alert))
            found += [(method.upper(), address) for method in methods]
    return found


def _same(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return all of an answer that a stranger could compare, but the random word of each."""
    headers = {name: _WORDS_OF_A_NONCE.sub("", value) for name, value in answer.headers.items()}
    return answer.status_code, answer.content, headers


async def test_every_address_of_a_home_is_walked(street: Street) -> None:
    """The two tests below are worth nothing if they walk nothing; and an alert is reached only through its home."""
    walked = {path for _, path in _addresses(street, "H", 1)}

    assert {"/homes/H", "/homes/H/now", "/homes/H/confidence", "/homes/H/alerts/1", "/homes/H/alerts/1/mine"} <= walked
    assert all("{alert}" not in path or "{home}" in path for path in street.app.openapi()["paths"])


@pytest.mark.parametrize("person", [MORAG.person, JIM.person])
async def test_a_home_that_was_not_given_is_answered_like_one_that_does_not_exist(street: Street, person: str) -> None:
    """No status, word or header may tell somebody who is signed in which homes there are."""
    hidden = GEORGES if person == JIM.person else MARGARETS
    alert = await street.pendant_pressed(hidden)
    browser = await street.browser(person)

    for (method, real), (_, none) in zip(
        _addresses(street, hidden, alert), _addresses(street, "no-such-home", alert), strict=True
    ):
        seen, unseen = await browser.request(method, real), await browser.request(method, none)
        assert seen.status_code == 404, (method, real)
        assert _same(seen) == _same(unseen), (method, real)


async def test_without_signing_in_every_address_of_a_home_leads_to_the_log_in(street: Street) -> None:
    """A stranger learns nothing from any address, existing or not."""
    alert = await street.pendant_pressed()
    stranger = street.stranger()

    for (method, real), (_, none) in zip(
        _addresses(street, MARGARETS, alert), _addresses(street, "no-such-home", alert), strict=True
    ):
        seen, unseen = await stranger.request(method, real), await stranger.request(method, none)
        assert (seen.status_code, seen.headers["location"]) == (303, "/log-in"), (method, real)
        assert _same(seen) == _same(unseen), (method, real)


async def test_an_alert_of_another_home_is_not_found_through_ones_own(street: Street) -> None:
    """The number of an alert is no key: it counts only with its own home."""
    alert = await street.pendant_pressed(GEORGES)

    answer = await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}/alerts/{alert}")

    assert answer.status_code == 404


@pytest.mark.parametrize("odd", ["0", "-1", "x", "1e3", str(2**63), "9" * 400, "%00", "\u0661"])
async def test_an_odd_alert_number_is_simply_not_there(street: Street, odd: str) -> None:
    """Whatever is typed into the address ends in the same page, not in a mistake of ours."""
    answer = await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}/alerts/{odd}")

    assert answer.status_code == 404


async def test_family_alone_may_read_an_alert_and_not_answer_it(street: Street) -> None:
    """A relative who is no carer must not stop the texts to those who are, nor close what nobody looked at."""
    alert = await street.pendant_pressed(GEORGES)
    browser = await street.browser(MORAG.person)

    page = await browser.get(f"/homes/{GEORGES}/alerts/{alert}")
    tried = [
        (await browser.post(f"/homes/{GEORGES}/alerts/{alert}/{what}", data={"outcome": "all well"})).status_code
        for what in ("mine", "cannot", "help", "outcome")
    ]

    assert "pendant was pressed" in page.text
    assert '<form method="post" action="/homes/' not in page.text
    assert tried == [404, 404, 404, 404]


async def test_a_carer_alone_does_not_see_the_familys_page(street: Street) -> None:
    """A neighbour who would go there was not given a month of somebody's nights."""
    answer = await (await street.browser(JIM.person)).get(f"/homes/{MARGARETS}")

    assert answer.status_code == 404


async def test_a_look_leaves_one_record_a_quarter_of_an_hour(street: Street) -> None:
    """The resident can read who looked, when, and from which page; twice in a minute is one look."""
    await street.home_is("watched")
    browser = await street.browser(ANNE.person)

    await browser.get(f"/homes/{MARGARETS}")
    await browser.get(f"/homes/{MARGARETS}/now")
    street.set_clock(NINE + timedelta(minutes=1))
    await browser.get(f"/homes/{MARGARETS}")

    records = await street.sql("SELECT viewer, home, view, quarter FROM access_record ORDER BY quarter")
    assert records == [
        ("anne", MARGARETS, "home", NINE.replace(minute=0)),
        ("anne", MARGARETS, "home", NINE.replace(minute=15)),
    ]


async def test_a_list_leaves_a_record_for_each_home_it_speaks_of(street: Street) -> None:
    """That no alert is open says something about each home; so do the operator's looks."""
    await (await street.browser(CONTROL.person)).get("/carer")

    records = await street.sql("SELECT viewer, home, view FROM access_record ORDER BY home")
    assert records == [("control", GEORGES, "open alerts"), ("control", MARGARETS, "open alerts")]


@pytest.mark.parametrize("path", [f"/homes/{MARGARETS}", f"/homes/{MARGARETS}/now", "/carer"])
async def test_nothing_is_shown_when_the_record_cannot_be_written(street: Street, path: str) -> None:
    """A look that nobody could find out about must not happen."""
    await street.home_is("watched")
    browser = await street.browser(ANNE.person)
    await street.sql("ALTER TABLE access_record RENAME TO access_record_away")

    answer = await browser.get(path)

    assert answer.status_code == 503
    assert "Margaret" not in answer.text


async def test_a_withdrawn_grant_counts_at_once(street: Street) -> None:
    """A resident who says no more means now, not when a session ends."""
    browser = await street.browser(ANNE.person)
    await street.give(ANNE.person, MARGARETS)

    answer = await browser.get(f"/homes/{MARGARETS}")

    assert answer.status_code == 404


async def test_a_grant_can_be_given_again(street: Street) -> None:
    """A setup that is run twice, or a yes after a no, must not fail on what was there before."""
    await street.give(ANNE.person, MARGARETS)
    await street.give(ANNE.person, MARGARETS, "family")
    await street.give(ANNE.person, MARGARETS, "family")
    await street.home_is("watched")

    browser = await street.browser(ANNE.person)

    assert (await browser.get(f"/homes/{MARGARETS}")).status_code == 200
    assert (await street.sql("SELECT count(*) FROM access_grant WHERE person = 'anne' AND withdrawn_at IS NULL")) == [
        (1,)
    ]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/static/../app.py", "/static/%2e%2e/app.py"])
async def test_nothing_else_is_public(street: Street, path: str) -> None:
    """Log-in, health, what was published and the style sheets are all that a stranger gets."""
    answer = await street.stranger().get(path)

    assert answer.status_code == 404


async def test_every_public_address_is_meant_to_be_public(street: Street) -> None:
    """A new route that forgets to ask who is there is found here."""
    stranger = street.stranger()
    public = set()
    for path, methods in street.app.openapi()["paths"].items():
        for method in methods:
            answer = await stranger.request(method.upper(), re.sub(r"{\w+}", "1", path))
            if answer.headers.get("location") != "/log-in" and answer.status_code != 403:
                public.add(f"{method} {path}")

    assert public == {
        "get /log-in",
        "post /log-in",
        "get /log-in/sent",
        "get /log-in/{token}",
        "post /log-in/{token}",
        "get /log-in/password",
        "post /log-in/password",
        "get /log-in/provider",
        "get /log-in/provider/back",
        "get /answer/{token}",
        "post /answer/{token}",
        "post /answer/{token}/{what}",
        "get /health",
        "get /ledger",
        "get /ledger/{quarter}",
        "get /ledger/{quarter}/{edition}",
        "get /ledger/{quarter}/{edition}/ledger.{form}",
    }

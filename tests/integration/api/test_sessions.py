"""Where is somebody signed in, for how long, and how is that ended?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.signing_in import forgetting, sessions
from tests.world.database import Database
from tests.world.pages import ANNE, CONTROL, JIM, Street

_ANDROID = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


def _real_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - sessions are on the system's clock


async def _aged(street: Street, *, begun: timedelta, used: timedelta) -> None:
    """Let every session have begun and been used so long ago."""
    await street.sql("UPDATE session SET made_at = %s, used_at = %s", _real_now() - begun, _real_now() - used)


@pytest.mark.parametrize(
    ("person", "lasting"),
    [(CONTROL.person, sessions.OPERATOR), (JIM.person, sessions.PAID_CARER), (ANNE.person, sessions.ANYONE)],
)
async def test_a_session_ends_when_it_is_not_used_and_in_any_case(
    street: Street, person: str, lasting: sessions.Lasting
) -> None:
    """An operator's machine in an office opens every home; a daughter's phone opens one, at three in the morning."""
    await street.sql("UPDATE person SET is_operator = true WHERE person = %s", CONTROL.person)
    await street.sql("UPDATE person SET kinds = '{paid carer}' WHERE person = %s", JIM.person)
    second = timedelta(seconds=30)
    browser = await street.browser(person)

    async def opens(*, begun: timedelta, used: timedelta) -> bool:
        await _aged(street, begun=begun, used=used)
        return (await browser.get("/me")).status_code == 200

    assert await opens(begun=lasting.unused, used=lasting.unused - second)
    assert not await opens(begun=lasting.unused, used=lasting.unused + second)
    assert await opens(begun=lasting.at_most - second, used=second)
    assert not await opens(begun=lasting.at_most + second, used=second)


async def test_who_becomes_an_operator_is_held_to_an_operators_times(street: Street) -> None:
    """A month-old session on a shared tablet must not open every home from today on."""
    browser = await street.browser(ANNE.person)
    await _aged(street, begun=timedelta(days=30), used=timedelta(hours=1))
    before = await browser.get("/me")
    await street.sql("UPDATE person SET is_operator = true WHERE person = 'anne'")

    assert (before.status_code, (await browser.get("/me")).status_code) == (200, 303)


async def test_looking_keeps_a_session_alive(street: Street) -> None:
    """A wall in an alarm centre shows the same page for a whole shift."""
    browser = await street.browser(ANNE.person)
    await _aged(street, begun=timedelta(days=40), used=timedelta(days=40))

    await browser.get("/me")

    ((used_at,),) = await street.sql("SELECT used_at FROM session")
    assert _real_now() - used_at < timedelta(minutes=1)


async def test_a_token_that_somebody_planted_is_never_taken_on(street: Street) -> None:
    """Session fixation: whoever set the cookie before must not be signed in as whoever signs in after."""
    planted = await street.browser(JIM.person)
    name, token = next(iter(planted.cookies.items()))
    victim = street.stranger(Cookie=f"{name}={token}")
    answer = await victim.post((await street.link(ANNE.person)).removeprefix(street.public_url))

    new = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    assert new != token
    assert (await planted.get("/me")).headers["location"] == "/log-in"


async def test_nothing_that_is_sent_says_where_a_log_in_leads(street: Street) -> None:
    """An open redirect behind a trusted name is what phishing is made of."""
    path = (await street.link(ANNE.person)).removeprefix(street.public_url)
    evil = "https://evil.example/"

    answer = await street.stranger(Referer=evil, Host="evil.example").post(
        f"{path}?next={evil}&return_to={evil}", data={"next": evil, "url": evil}
    )

    assert answer.headers["location"] == "/"


async def test_one_sees_where_one_is_signed_in_and_ends_it_there(street: Street) -> None:
    """A phone that was left in a taxi is signed out from the kitchen."""
    lost, here = await street.browser(ANNE.person, **{"User-Agent": _ANDROID}), await street.browser(ANNE.person)
    page = (await here.get("/me")).text
    number = page.split('name="number" value="')[1].split('"')[0]

    await here.post("/me/sign-out", data={"number": number})

    assert "Firefox on Android" in page
    assert (await lost.get("/me")).headers["location"] == "/log-in"
    assert (await here.get("/me")).status_code == 200


async def test_nobody_ends_a_session_of_somebody_else(street: Street) -> None:
    """Its number opens nothing, and ends nothing that is not one's own."""
    anne, jim = await street.browser(ANNE.person), await street.browser(JIM.person)
    ((number,),) = await street.sql("SELECT number FROM session WHERE person = 'anne'")

    await jim.post("/me/sign-out", data={"number": str(number)})

    assert (await anne.get("/me")).status_code == 200


async def test_signing_out_everywhere_ends_every_session_and_every_link(street: Street) -> None:
    """Somebody else had the phone: what they asked for meanwhile must open nothing either."""
    first, second = await street.browser(ANNE.person), await street.browser(ANNE.person)
    path = (await street.link(ANNE.person)).removeprefix(street.public_url)

    await first.post("/me/sign-out-everywhere")

    assert [(await one.get("/me")).headers["location"] for one in (first, second)] == ["/log-in"] * 2
    assert (await street.stranger().post(path)).status_code == 400


async def test_what_is_of_no_use_is_forgotten_and_looks_never_are(street: Street) -> None:
    """Who signed in when is nobody's business for ever; who looked is the resident's."""
    browser = await street.browser(ANNE.person)
    await browser.get("/carer")
    await street.stranger().post("/log-in", data={"who": ANNE.phone})
    looks = await street.sql("SELECT count(*) FROM access_record")
    at = _real_now()

    async with street.connection() as conn:
        kept = await forgetting.forget(conn, real_now=at + timedelta(hours=1))
        day = await forgetting.forget(conn, real_now=at + timedelta(days=2))
        month = await forgetting.forget(conn, real_now=at + timedelta(days=121))
    assert (kept, day, month) == (0, 3, 1)
    assert await street.sql("SELECT count(*) FROM access_record") == looks != [(0,)]


@pytest.fixture
async def proxied(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Give the street behind a proxy that it was told of."""
    async with Street(database.dsn, tmp_path, trusted_proxies=("127.0.0.1/32", "10.1.0.0/16")) as street:
        yield street


async def _ask_often(street: Street, *, at: str, forwarded: str) -> int:
    """Ask for 31 phones, each with another word about who asks; return how many were counted."""
    for number in range(31):
        header = {"X-Forwarded-For": forwarded.format(number), "Forwarded": f"for=198.51.100.{number}"}
        await street.stranger(at=at, **header).post("/log-in", data={"who": f"07700800{number:03}"})
    ((counted,),) = await street.sql("SELECT count(*) FROM login_request")
    return int(counted)


async def test_without_a_proxy_no_header_says_who_asks(street: Street) -> None:
    """Otherwise whoever tries every phone in Britain sends another header each time."""
    assert await _ask_often(street, at="127.0.0.1", forwarded="198.51.100.{}") == 30


async def test_a_proxy_that_was_named_says_who_asks(proxied: Street) -> None:
    """Otherwise one person who tries all night shuts everybody behind the site's proxy out."""
    assert await _ask_often(proxied, at="127.0.0.1", forwarded="198.51.100.{}") == 31


async def test_a_stranger_is_not_believed_where_a_proxy_is(proxied: Street) -> None:
    """Who reaches us past the proxy is counted as who they are."""
    assert await _ask_often(proxied, at="203.0.113.9", forwarded="198.51.100.{}") == 30


async def test_what_a_stranger_tells_the_proxy_is_not_believed(proxied: Street) -> None:
    """A proxy adds whom it heard to the end of what it was sent; only the end is its own word."""
    assert await _ask_often(proxied, at="10.1.2.3", forwarded="198.51.100.{}, 203.0.113.9") == 30

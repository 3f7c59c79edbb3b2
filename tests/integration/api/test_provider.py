"""Does the employer's identity provider let in whom an operator has set up, and nobody by a lie?"""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from tests.world.database import Database
from tests.world.identity_provider import IdentityProvider
from tests.world.pages import ANNE, CONTROL, JIM, Street

_MAILBOX = "control@kilbrae.example"


@pytest.fixture
async def council() -> AsyncIterator[IdentityProvider]:
    """Run the council's identity provider."""
    async with IdentityProvider() as running:
        running.truth.email = _MAILBOX.title()
        yield running


@pytest.fixture
async def employed(database: Database, tmp_path: Path, council: IdentityProvider) -> AsyncIterator[Street]:
    """Give the street, whose alarm centre has accounts at the council."""
    async with Street(database.dsn, tmp_path, identities=council.config()) as street:
        await street.sql("UPDATE person SET is_operator = true, email = %s WHERE person = 'control'", _MAILBOX)
        yield street


async def _gone(street: Street) -> tuple[httpx.AsyncClient, str]:
    """Return a browser that was sent on, and the address to which the provider sends it back."""
    browser = street.stranger()
    sent = await browser.get("/log-in/provider")
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient() as outside:
        back = await outside.get(sent.headers["location"])
    assert back.status_code == 302, back.text
    return browser, back.headers["location"].removeprefix(street.public_url)


async def _sign_in(street: Street) -> httpx.Response:
    browser, back = await _gone(street)
    # A browser that comes from another site says so.
    return await browser.get(back, headers={"Sec-Fetch-Site": "cross-site"})


async def test_whom_an_operator_set_up_is_let_in(employed: Street) -> None:
    """There and back: discovery, PKCE, the code, the token, and a session of ours."""
    answer = await _sign_in(employed)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await employed.sql("SELECT person, way FROM session") == [("control", "provider")]
    assert await employed.sql("SELECT what, by FROM change_record") == [("identity bound", "control")]


async def test_what_is_asked_of_the_provider_is_what_the_standard_wants(employed: Street) -> None:
    """Without PKCE, state and nonce a code or a token of somebody else's can be slipped in."""
    browser = employed.stranger(Host="evil.example")

    asked = {
        name: value[0]
        for name, value in parse_qs(urlsplit((await browser.get("/log-in/provider")).headers["location"]).query).items()
    }
    again = parse_qs(urlsplit((await browser.get("/log-in/provider")).headers["location"]).query)

    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert asked["redirect_uri"] == f"{employed.public_url}/log-in/provider/back"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert all(again[name][0] != asked[name] for name in ("state", "nonce", "code_challenge"))


async def test_who_was_bound_is_known_by_the_subject_from_then_on(employed: Street, council: IdentityProvider) -> None:
    """An address changes with a marriage, and may not even be sent."""
    await _sign_in(employed)
    council.truth.email = "control.new@kilbrae.example"

    assert (await _sign_in(employed)).status_code == 303


async def test_an_address_that_is_given_to_a_successor_opens_nothing(
    employed: Street, council: IdentityProvider
) -> None:
    """Whoever gets the mailbox of somebody who was here is somebody else."""
    await _sign_in(employed)
    council.truth.subject = "a successor"

    answer = await _sign_in(employed)

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_an_account_that_nobody_set_up_makes_nothing(employed: Street, council: IdentityProvider) -> None:
    """Everybody at the council has an account; not everybody sees homes.  The page says what to do."""
    council.truth.email = "parks@kilbrae.example"

    answer = await _sign_in(employed)

    assert answer.status_code == 403
    assert "Nobody here is known by that account." in answer.text
    assert await employed.sql("SELECT count(*) FROM provider_identity") == [(0,)]
    assert await employed.sql("SELECT count(*) FROM session") == [(0,)]


async def test_an_address_that_is_not_verified_binds_nobody(employed: Street, council: IdentityProvider) -> None:
    """At many providers one may write any address into one's own account."""
    answers = []
    for is_verified in (False, None, "true", 1):
        council.truth.is_verified = is_verified
        answers.append((await _sign_in(employed)).status_code)

    assert answers == [403] * 4


async def test_a_familys_address_binds_nobody(employed: Street, council: IdentityProvider) -> None:
    """A daughter who works at the council looks after her mother with her own phone."""
    await employed.sql("UPDATE person SET email = 'anne@kilbrae.example' WHERE person = %s", ANNE.person)
    council.truth.email = "anne@kilbrae.example"

    assert (await _sign_in(employed)).status_code == 403


async def test_whoever_left_or_got_another_address_is_not_let_in(employed: Street, council: IdentityProvider) -> None:
    """The account at the council outlives the work here; and a mistyped address must not stay bound."""
    await employed.sql("UPDATE person SET is_operator = true, email = 'jim@kilbrae.example' WHERE person = 'jim'")
    await _sign_in(employed)
    jim = await employed.browser(JIM.person)
    changed = {"name": CONTROL.full_name, "phone": CONTROL.phone, "email": "other@kilbrae.example", "kinds": "operator"}
    assert (await jim.post("/operator/people/control", data=changed)).status_code == 303
    mistyped = await _sign_in(employed)
    council.truth.subject, council.truth.email = "jims", "jim@kilbrae.example"
    assert (await _sign_in(employed)).status_code == 303
    await (await employed.browser("control")).post("/operator/people/jim/leave", data={"sure": "yes"})

    assert (mistyped.status_code, (await _sign_in(employed)).status_code) == (403, 403)


def _hs256(claims: dict[str, Any], secret: bytes, name: str) -> str:
    """Return a token signed with a secret, written by hand: libraries refuse to make this one."""

    def part(said: bytes) -> str:
        return base64.urlsafe_b64encode(said).decode().rstrip("=")

    head = part(json.dumps({"alg": "HS256", "kid": name}).encode())
    body = part(json.dumps(claims).encode())
    return f"{head}.{body}.{part(hmac.digest(secret, f'{head}.{body}'.encode(), 'sha256'))}"


_LIES: tuple[dict[str, Any], ...] = (
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "another service"},
    {"aud": ["telecare", "another"], "azp": "another"},
    {"aud": None},
    {"nonce": "of another log-in"},
    {"nonce": None},
    {"exp": None},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 256},
    {"exp": "soon"},
    {"exp": 1e400},
)


async def test_a_token_that_is_not_for_us_now_lets_nobody_in(
    employed: Street, council: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7, each rule of it."""
    answers = {}
    for lie in _LIES:
        council.truth.claims = lie
        answer = await _sign_in(employed)
        answers[str(lie)] = (answer.status_code, "set-cookie" in answer.headers)

    assert answers == {str(lie): (403, False) for lie in _LIES}
    assert await employed.sql("SELECT count(*) FROM provider_identity") == [(0,)]
    lines = [record for record in caplog.records if record.name == "api.routes.provider"]
    assert {line.levelno for line in lines} == {logging.WARNING}
    assert not any("kilbrae" in str(line.__dict__) for line in lines)


async def test_a_token_of_another_time_lets_nobody_in(employed: Street, council: IdentityProvider) -> None:
    """Expired, made long ago, or of the future; two machines' clocks may be a little apart."""
    answers = {}
    for away in (timedelta(minutes=-20), timedelta(minutes=20), timedelta(seconds=-30), timedelta(seconds=30)):
        council.truth.now = datetime.now(UTC) + away  # noqa: TID251 - a provider has a clock of its own
        answers[away] = (await _sign_in(employed)).status_code

    assert list(answers.values()) == [403, 403, 303, 303]


async def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    employed: Street, council: IdentityProvider
) -> None:
    """Unsigned; signed with what everybody can read; with what both know; by somebody else; or changed afterwards."""
    name, key = council.key()
    stranger = IdentityProvider().key()[1]
    forged = {
        "none": lambda claims: jwt.encode(claims, "", "none", headers={"kid": name}),
        "public key as secret": lambda claims: _hs256(claims, council.public_key(), name),
        "client secret": lambda claims: _hs256(claims, council.config().client_secret.encode(), name),
        "a stranger's key": lambda claims: jwt.encode(claims, stranger, "RS256", headers={"kid": name}),
        "an unknown key": lambda claims: jwt.encode(claims, stranger, "RS256", headers={"kid": "unknown"}),
        "another algorithm": lambda claims: jwt.encode(claims, key, "RS512", headers={"kid": name}),
        "cut": lambda claims: jwt.encode(claims, key, "RS256", headers={"kid": name})[:-4],
        "no token": lambda _: "nonsense",
    }
    answers = {}
    for what, made in forged.items():
        council.truth.signed = made
        answers[what] = (await _sign_in(employed)).status_code

    assert answers == dict.fromkeys(forged, 403)


async def test_a_provider_may_change_its_key(employed: Street, council: IdentityProvider) -> None:
    """They do so without a word; but an unknown key does not make us ask at every log-in."""
    employed.set_real_clock(datetime.now(UTC))  # noqa: TID251 - the provider's is the system's
    await _sign_in(employed)
    council.change_key()
    at_once = await _sign_in(employed)
    asked = council.keys_asked
    employed.set_real_clock(employed.app.state.given.real.now() + timedelta(minutes=1))

    assert (at_once.status_code, asked) == (403, 1)
    assert (await _sign_in(employed)).status_code == 303


async def test_coming_back_counts_once_and_only_in_the_browser_that_set_out(employed: Street) -> None:
    """Else somebody signs a victim in as themselves, or uses an address that was read over a shoulder."""
    browser, back = await _gone(employed)

    elsewhere = await employed.stranger().get(back)
    here = await browser.get(back)
    again = await browser.get(back)
    other, _ = await _gone(employed)
    mixed = await other.get(back)

    assert [one.status_code for one in (elsewhere, here, again, mixed)] == [400, 303, 400, 400]


async def test_a_log_in_that_took_too_long_is_begun_again(employed: Street) -> None:
    """A page left open over lunch."""
    browser, back = await _gone(employed)
    employed.set_real_clock(datetime.now(UTC) + timedelta(minutes=11))  # noqa: TID251 - as above

    answer = await browser.get(back)

    assert (answer.status_code, "Begin again." in answer.text) == (400, True)


async def test_who_is_refused_there_is_told_so_here(employed: Street) -> None:
    """Pressing Cancel at the provider is no mistake of ours."""
    browser, back = await _gone(employed)
    state = parse_qs(urlsplit(back).query)["state"][0]

    answer = await browser.get("/log-in/provider/back", params={"state": state, "error": "access_denied"})

    assert (answer.status_code, "It did not let you in." in answer.text) == (403, True)


async def test_nothing_that_comes_back_is_kept_in_the_clear(employed: Street) -> None:
    """Neither state nor what nonce and verifier are made of."""
    browser, back = await _gone(employed)
    (secret,) = (value for name, value in browser.cookies.items() if "trip" in name)
    state = parse_qs(urlsplit(back).query)["state"][0]

    ((kept, of_browser),) = await employed.sql("SELECT state_sha256, browser_sha256 FROM provider_log_in")

    assert bytes(kept) == hashlib.sha256(state.encode()).digest()
    assert bytes(of_browser) == hashlib.sha256(secret.encode()).digest()


async def test_a_provider_that_calls_itself_otherwise_is_not_asked(
    employed: Street, council: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong address, or somebody in between: said loudly, and a link still lets in."""
    council.calls_itself = "https://evil.example"

    answer = await employed.stranger().get("/log-in/provider")

    assert answer.status_code == 503
    assert "Be sent a link instead." in answer.text
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "identity provider cannot be asked"
    ]


async def test_one_place_cannot_fill_the_table(employed: Street) -> None:
    """Whoever begins and never comes back is counted."""
    real_now = employed.app.state.given.real.now()
    await employed.sql(
        "INSERT INTO login_request SELECT sha256('x'), sha256('127.0.0.1'), %s FROM generate_series(1, 300)", real_now
    )

    assert (await employed.stranger().get("/log-in/provider")).status_code == 429


async def test_where_no_provider_is_configured_there_is_no_such_page(street: Street) -> None:
    """And the log-in does not speak of one."""
    answers = [await street.stranger().get(path) for path in ("/log-in/provider", "/log-in/provider/back")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "Sign in with" not in (await street.stranger().get("/log-in")).text


async def test_the_log_in_names_the_provider(employed: Street) -> None:
    """People know it by its name."""
    assert "Sign in with Kilbrae council" in (await employed.stranger().get("/log-in")).text

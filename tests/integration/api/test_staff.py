"""Does a password let in only whom it should, only with a second factor, and can nobody guess either?"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from psycopg import AsyncConnection

from api.office import people
from api.office.said import Mistakes
from api.signing_in import throttle
from api.signing_in.sealing import Seals
from tests.world.database import Database
from tests.world.pages import ANNE, CONTROL, JIM, Street

_PASSWORD = "tall lamp river nine"
_OTHER = "grey stone under oak"
_NEW = {"password": _PASSWORD, "again": _PASSWORD}
_REFUSED = "do not fit together"


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Give the street with keys for second factors, run by the alarm centre; Jim is a warden."""
    async with Street(database.dsn, tmp_path, factor_keys=(b"k" * 32,)) as street:
        await street.sql(
            "UPDATE person SET is_operator = true, email = 'control@kilbrae.example' WHERE person = 'control'"
        )
        await street.sql("UPDATE person SET kinds = '{paid carer}' WHERE person = 'jim'")
        street.set_real_clock(datetime.now(UTC))  # noqa: TID251 - sessions begin at the system's time, and go on from it
        yield street


@dataclass
class Worker:
    """Somebody of the staff, with an authenticator and a paper."""

    street: Street
    person: str
    secret: str
    codes: list[str]
    browser: httpx.AsyncClient

    def code(self, *, steps: int = 0) -> str:
        """Return what the authenticator shows now, or some steps from now."""
        now: datetime = self.street.app.state.given.real.now()
        return pyotp.TOTP(self.secret).at(now, counter_offset=steps)

    def half_a_minute_passes(self) -> None:
        """Let the authenticator show another code."""
        self.street.set_real_clock(self.street.app.state.given.real.now() + timedelta(seconds=30))


async def _begun(street: Street, person: str) -> tuple[httpx.AsyncClient, str]:
    browser = await street.browser(person)
    await browser.post("/me/password/begin")
    page = (await browser.get("/me/password")).text
    (spelled,) = re.findall(r"<strong>([A-Z2-7]{4}(?: [A-Z2-7]{4}){7})</strong>", page)
    return browser, spelled.replace(" ", "")


async def worker(street: Street, person: str = CONTROL.person) -> Worker:
    """Return somebody who has set a password and a second factor up, half a minute ago."""
    browser, secret = await _begun(street, person)
    one = Worker(street, person, secret, [], browser)
    shown = await browser.post("/me/password", data={**_NEW, "code": one.code()})
    assert shown.status_code == 200, shown.text
    one.codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", shown.text)
    one.half_a_minute_passes()
    return one


async def _sign_in(
    street: Street, code: str, *, who: str = CONTROL.phone, password: str = _PASSWORD, at: str = "192.0.2.1"
) -> httpx.Response:
    said = {"who": who, "password": password, "code": code}
    return await street.stranger(at=at).post("/log-in/password", data=said)


@pytest.mark.parametrize("who", ["07700 900199", "Control@Kilbrae.example"])
async def test_a_password_and_a_code_let_in(office: Street, who: str) -> None:
    """Somebody who works with forty homes all day, without waiting for a text."""
    one = await worker(office)

    answer = await _sign_in(office, one.code(), who=who)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await office.sql("SELECT way FROM session ORDER BY number DESC LIMIT 1") == [("password",)]


async def test_neither_opens_anything_without_the_other(office: Street) -> None:
    """A password that somebody saw, or a phone that somebody found, is not enough."""
    one = await worker(office)

    answers = [
        await _sign_in(office, "000000"),
        await _sign_in(office, ""),
        await _sign_in(office, one.code(), password=_OTHER),
        await _sign_in(office, one.code(), password=""),
    ]

    assert [answer.status_code for answer in answers] == [422] * 4
    assert all("set-cookie" not in answer.headers and _REFUSED in answer.text for answer in answers)


async def test_a_code_opens_once(office: Street) -> None:
    """Whoever read it over a shoulder has it half a minute later."""
    one = await worker(office)
    code = one.code()

    first, again = await _sign_in(office, code), await _sign_in(office, code)
    one.half_a_minute_passes()
    late = await _sign_in(office, code)

    assert [answer.status_code for answer in (first, again, late)] == [303, 422, 422]


async def test_of_two_at_once_with_one_code_one_is_let_in(office: Street) -> None:
    """A page in the middle that sends on what was typed must not win together with its owner."""
    one = await worker(office)
    code = one.code()

    answers = await asyncio.gather(*(_sign_in(office, code) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [303, 422, 422, 422]


async def test_a_clock_may_be_a_step_off(office: Street) -> None:
    """A phone's clock is seldom right to the second; the step before was used to set it up."""
    one = await worker(office)

    answers = {steps: (await _sign_in(office, one.code(steps=steps))).status_code for steps in (-1, 2, 0, 1)}

    assert answers == {-1: 422, 2: 422, 0: 303, 1: 303}


async def test_a_recovery_code_opens_once(office: Street) -> None:
    """The phone lies in the canal, the paper in the drawer."""
    one = await worker(office)
    typed = one.codes[3].lower().replace("-", " ")

    first, again = await _sign_in(office, typed), await _sign_in(office, typed)
    other = await _sign_in(office, one.codes[4])

    assert len(set(one.codes)) == 10
    assert [answer.status_code for answer in (first, again, other)] == [303, 422, 303]


async def test_whoever_is_not_there_is_answered_like_whoever_is(office: Street) -> None:
    """Neither who works here, nor who has a password, nor which part was right, may be found out by trying."""
    one = await worker(office)
    tries = {
        "no such person": ("nobody@example.org", _PASSWORD, "000000"),
        "family": (ANNE.phone, _PASSWORD, "000000"),
        "no password yet": (JIM.phone, _PASSWORD, "000000"),
        "wrong password": (CONTROL.phone, _OTHER, one.code()),
        "wrong code": (CONTROL.phone, _PASSWORD, "000000"),
        "neither": (CONTROL.phone, _OTHER, "000000"),
        "no number at all": ("nobody", _PASSWORD, "000000"),
    }

    seen = {
        name: await _sign_in(office, code, who=who, password=password) for name, (who, password, code) in tries.items()
    }

    def shown(name: str) -> tuple[int, str]:
        text = re.sub(r'value="[^"]*"', "", seen[name].text)
        return seen[name].status_code, text

    assert {shown(name) for name in tries} == {shown("neither")}


async def test_guessing_is_made_to_wait_and_waits_longer(office: Street) -> None:
    """Ten thousand guesses a night would find any password; the sixth waits already, from wherever it comes."""
    one = await worker(office)
    for number in range(5):
        await _sign_in(office, "000000", password=_OTHER, at=f"192.0.2.{number}")

    soon = await _sign_in(office, one.code(), at="198.51.100.1")
    one.half_a_minute_passes()
    wrong = await _sign_in(office, "000000", at="198.51.100.2")
    longer = await _sign_in(office, one.code(), at="198.51.100.3")

    assert (soon.status_code, wrong.status_code, longer.status_code) == (429, 422, 429)
    assert 0 < int(soon.headers["retry-after"]) < int(longer.headers["retry-after"])
    assert "let yourself be sent a link" in longer.text


async def test_an_unknown_account_is_made_to_wait_alike(office: Street) -> None:
    """Otherwise the wait itself says who works here."""
    answers = [await _sign_in(office, "000000", who="nobody@example.org", at=f"192.0.2.{n}") for n in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]


async def test_a_burst_of_guesses_is_counted_like_a_trickle(office: Street) -> None:
    """Many in the same moment must not all be looked at before any is counted."""
    now = office.app.state.given.real.now()
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(await AsyncConnection.connect(office.dsn, autocommit=True))
            for _ in range(10)
        ]
        tried = await asyncio.gather(
            *(
                throttle.try_once(conn, "somebody", f"192.0.2.{number}", real_now=now)
                for number, conn in enumerate(opened)
            ),
            return_exceptions=True,
        )

    assert [type(one) for one in tried].count(throttle.MustWait) == 5
    assert await office.sql("SELECT count(*) FROM login_attempt") == [(throttle.ACCOUNT_FREE,)]


async def test_one_place_cannot_try_every_account(office: Street) -> None:
    """One password on a thousand accounts is the same guess."""
    tried = "INSERT INTO login_attempt (account_sha256, address_sha256, tried_at) SELECT sha256(n::text::bytea), "
    now = office.app.state.given.real.now()
    await office.sql(tried + "sha256('192.0.2.1'), %s FROM generate_series(1, 19) n", now)

    last, over = [await _sign_in(office, "000000", who=f"07700 80099{number}", password="") for number in range(2)]
    elsewhere = await _sign_in(office, "000000", who="07700 800990", password="", at="192.0.2.2")

    assert [answer.status_code for answer in (last, over, elsewhere)] == [422, 429, 422]


async def test_a_stranger_locks_nobody_out(office: Street) -> None:
    """Whoever keeps guessing keeps the password shut; its owner is let in by a link at once."""
    await worker(office)
    for number in range(8):
        await _sign_in(office, "000000", password=_OTHER, at=f"192.0.2.{number}")

    answer = await office.stranger().post((await office.link(CONTROL.person)).removeprefix(office.public_url))

    assert answer.status_code == 303


async def test_being_right_forgets_the_mistakes(office: Street) -> None:
    """Who mistypes twice a day must not wait at the end of the week."""
    one = await worker(office)
    for _ in range(4):
        await _sign_in(office, "000000")

    await _sign_in(office, one.code())

    assert await office.sql("SELECT count(*) FROM login_attempt") == [(0,)]


async def test_nothing_that_opens_is_kept_in_the_clear(office: Street) -> None:
    """Whoever reads the database, or a backup of it, has neither password, nor secret, nor recovery code."""
    one = await worker(office)
    tables = ("password", "second_factor", "second_factor_offer", "recovery_code", "change_record", "login_attempt")

    kept = str([await office.sql(f"SELECT * FROM {table}") for table in tables])

    assert "$argon2id$v=19$m=65536,t=3,p=4$" in kept
    assert not any(secret in kept for secret in (_PASSWORD, one.secret, *one.codes, one.codes[0].replace("-", "")))


async def test_a_password_cannot_be_without_a_second_factor(office: Street) -> None:
    """A mistake of ours must not be enough for a door with one lock."""
    with pytest.raises(Exception, match="password_is_never_without_a_second_factor"):
        await office.sql("INSERT INTO password VALUES ('control', '$argon2id$x', now())")


async def test_a_second_factor_counts_only_once_it_is_confirmed(office: Street) -> None:
    """A secret that reached no authenticator would shut its owner out, and a wrong code must change nothing."""
    browser, _ = await _begun(office, CONTROL.person)

    answer = await browser.post("/me/password", data={**_NEW, "code": "000000"})

    assert answer.status_code == 422
    assert "is not the one that the authenticator shows now" in answer.text.replace("Is", "is")
    assert _PASSWORD not in answer.text
    assert await office.sql("SELECT count(*) FROM second_factor") == [(0,)]


async def test_a_weak_or_mistyped_password_is_not_taken(office: Street) -> None:
    """What is wrong stands at its field."""
    browser, secret = await _begun(office, CONTROL.person)

    weak = await browser.post("/me/password", data={"password": "short", "again": "short", "code": "1"})
    mistyped = await browser.post("/me/password", data={"password": _PASSWORD, "again": _OTHER, "code": "1"})

    assert (weak.status_code, "12 are the least" in weak.text) == (422, True)
    assert (mistyped.status_code, "another than the first" in mistyped.text) == (422, True)
    assert secret in mistyped.text.replace(" ", "")
    assert await office.sql("SELECT count(*) FROM password") == [(0,)]


async def test_setting_up_signs_out_everywhere_else(office: Street) -> None:
    """Whoever had the session before must not keep it."""
    before = await office.browser(CONTROL.person)

    one = await worker(office)

    assert (await before.get("/me")).headers["location"] == "/log-in"
    assert (await one.browser.get("/me")).status_code == 200


async def test_nothing_is_changed_without_the_factor_that_is_there(office: Street) -> None:
    """Whoever finds an open session, or a phone with its link, must not take the account over for good."""
    one = await worker(office)
    held = "SELECT p.hash, f.secret_sealed, f.added_at FROM password p JOIN second_factor f USING (person)"
    before = await office.sql(held)
    said = {"password": _OTHER, "again": _OTHER}

    answers = [
        await one.browser.post(f"/me/password/{act}", data={**said, "code": code})
        for act, code in (("change", "000000"), ("change", ""), ("codes", "000000"), ("remove", "000000"))
    ]
    set_anew = await one.browser.post("/me/password", data={**_NEW, "code": one.code()})
    await one.browser.post("/me/password/begin")

    assert [answer.status_code for answer in (*answers, set_anew)] == [422] * 5
    assert before == await office.sql(held)
    assert await office.sql("SELECT count(*) FROM second_factor_offer") == [(0,)]
    assert await office.sql("SELECT count(*) FROM recovery_code WHERE used_at IS NULL") == [(10,)]


async def test_guessing_codes_in_an_open_session_is_made_to_wait(office: Street) -> None:
    """Six digits are a million; who may try them as fast as they like has them in an hour."""
    one = await worker(office)
    for _ in range(5):
        await one.browser.post("/me/password/remove", data={"code": "000000"})

    answer = await one.browser.post("/me/password/remove", data={"code": one.code()})

    assert "was too often wrong" in answer.text.replace("Was", "was")
    assert await office.sql("SELECT count(*) FROM second_factor") == [(1,)]


async def test_with_the_factor_the_password_is_changed(office: Street) -> None:
    """The old one opens nothing from then on."""
    one = await worker(office)
    answer = await one.browser.post(
        "/me/password/change", data={"password": _OTHER, "again": _OTHER, "code": one.code()}
    )
    one.half_a_minute_passes()
    old = await _sign_in(office, one.code())
    one.half_a_minute_passes()
    new = await _sign_in(office, one.code(), password=_OTHER)

    assert [one.status_code for one in (answer, old, new)] == [303, 422, 303]


async def test_new_recovery_codes_end_the_old_ones(office: Street) -> None:
    """A paper that was lost opens nothing."""
    one = await worker(office)
    shown = await one.browser.post("/me/password/codes", data={"code": one.code()})
    new = re.findall(r"<code>([A-Z2-7-]{19})</code>", shown.text)

    old = await _sign_in(office, one.codes[0])

    assert (len(set(new)), old.status_code) == (10, 422)
    assert (await _sign_in(office, new[0])).status_code == 303


async def test_with_the_factor_both_are_removed_and_set_up_again(office: Street) -> None:
    """A new phone."""
    one = await worker(office)
    await one.browser.post("/me/password/remove", data={"code": one.code()})
    refused = await _sign_in(office, one.code())

    again = await worker(office)

    assert refused.status_code == 422
    assert again.secret != one.secret
    assert (await _sign_in(office, again.code())).status_code == 303


async def test_an_operator_takes_a_lost_factor_away_and_says_why(office: Street) -> None:
    """Recorded with who, when and why; whoever it was taken from is signed out, and comes in by a link."""
    jim = await worker(office, JIM.person)
    control = await office.browser(CONTROL.person)
    without = await control.post("/operator/people/jim/factor", data={"why": " "})
    await control.post("/operator/people/jim/factor", data={"why": "his phone is in the canal; seen in person"})

    page = (await control.get("/operator/people/jim")).text
    assert without.status_code == 422
    assert "password and second factor taken away" in page
    assert await office.sql("SELECT by, content ->> 'why' FROM change_record WHERE what LIKE '%%taken away'") == [
        ("control", "his phone is in the canal; seen in person")
    ]
    assert (await jim.browser.get("/me")).headers["location"] == "/log-in"
    assert (await _sign_in(office, jim.code(), who=JIM.phone)).status_code == 422
    assert (await office.browser(JIM.person)).cookies


async def test_where_there_is_no_factor_nothing_is_taken_away(office: Street) -> None:
    """Whatever stands in the address ends in a page, not in a mistake of ours."""
    control = await office.browser(CONTROL.person)

    answers = {
        person: (await control.post(f"/operator/people/{person}/factor", data={"why": "lost"})).status_code
        for person in ("nobody", "a%00b", ANNE.person)
    }

    assert answers == {"nobody": 404, "a%00b": 404, ANNE.person: 422}
    assert await office.sql("SELECT count(*) FROM change_record") == [(0,)]


async def test_nobody_takes_their_own_factor_away_without_it(office: Street) -> None:
    """An open session of an operator would otherwise be the way round."""
    one = await worker(office)

    answer = await one.browser.post(f"/operator/people/{CONTROL.person}/factor", data={"why": "mine"})

    assert answer.status_code == 422
    assert await office.sql("SELECT count(*) FROM password") == [(1,)]


async def test_whoever_is_at_the_server_can_take_the_last_operators_factor_away(office: Street) -> None:
    """The only operator lost phone and paper."""
    await worker(office)
    now = office.now

    async with office.connection() as conn:
        await people.reset_factor(conn, CONTROL.person, "lost", by="the command line", now=now, real_now=now)
        with pytest.raises(Mistakes, match="has no password"):
            await people.reset_factor(conn, CONTROL.person, "lost", by="the command line", now=now, real_now=now)

    assert await office.sql("SELECT count(*) FROM recovery_code") == [(0,)]


async def test_families_have_no_password(office: Street) -> None:
    """Their phone is enough for one home; a page that they need not is not there."""
    browser = await office.browser(ANNE.person)

    answers = [await browser.get("/me/password"), await browser.post("/me/password/begin")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "/me/password" not in (await browser.get("/me")).text


async def test_who_is_staff_no_more_is_not_let_in_by_a_password(office: Street) -> None:
    """A warden becomes a neighbour, or leaves."""
    one = await worker(office, JIM.person)
    await office.sql("UPDATE person SET kinds = '{unpaid carer}' WHERE person = 'jim'")

    assert (await _sign_in(office, one.code(), who=JIM.phone)).status_code == 422


async def test_who_leaves_leaves_no_password(office: Street) -> None:
    """Nor a secret that is sealed for nobody."""
    await worker(office, JIM.person)
    await (await office.browser(CONTROL.person)).post("/operator/people/jim/leave", data={"sure": "yes"})

    assert await office.sql("SELECT count(*) FROM second_factor") == [(0,)]


async def test_without_a_key_there_is_no_password(street: Street) -> None:
    """A secret that cannot be sealed is not kept; the log-in says what there is."""
    browser = await street.browser(CONTROL.person)

    answers = [await street.stranger().get("/log-in/password"), await browser.get("/me/password")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "password and a code" not in (await street.stranger().get("/log-in")).text


async def test_a_key_that_is_gone_lets_nobody_in_and_says_so(office: Street, caplog: pytest.LogCaptureFixture) -> None:
    """A restored database on a new machine: a link lets in, and somebody must find the key."""
    one = await worker(office)
    office.app.state.given = replace(office.app.state.given, seals=Seals([b"x" * 32]))

    answer = await _sign_in(office, one.code())

    assert answer.status_code == 422
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "second factor cannot be opened"
    ]

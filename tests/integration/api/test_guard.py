"""What holds for every request and every answer?"""

import json
import logging
from collections.abc import AsyncIterator

import pytest

from api.v1.tokens import Scope
from tests.world.database import Database
from tests.world.pages import ANNE, MARGARETS, Street

_MINE = "/log-out"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://care.example"}, 403),
        ({"Origin": "https://care.example"}, 303),
        ({"Origin": "https://care.example.evil"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_form_counts_only_from_our_own_pages(street: Street, headers: dict[str, str], status: int) -> None:
    """Another site's page must not press Mine, or say that all is well, with a carer's cookie."""
    browser = await street.browser(ANNE.person)
    del browser.headers["Sec-Fetch-Site"]

    answer = await browser.post(_MINE, headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/", "/log-in", f"/homes/{MARGARETS}", "/carer", "/nothing", "/health"])
async def test_no_answer_is_kept_or_framed_or_scripted_by_others(street: Street, path: str) -> None:
    """A page about a home that a browser keeps is one that can lie tomorrow."""
    await street.home_is("watched")

    headers = (await (await street.browser(ANNE.person)).get(path)).headers

    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"]


async def test_a_nonce_is_used_once(street: Street) -> None:
    """One that can be guessed allows what the policy forbids."""
    stranger = street.stranger()

    seen = {(await stranger.get("/log-in")).headers["content-security-policy"] for _ in range(3)}

    assert len(seen) == 3


async def test_a_long_body_is_refused_before_it_is_read(street: Street) -> None:
    """Everything has a limit; a body of many megabytes must not be taken into memory."""
    said = await street.stranger().post("/log-in", content=b"who=" + b"1" * 40_000)

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"1" * 1_000

    dripped = await street.stranger().post(
        "/log-in",
        content=drip(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (said.status_code, dripped.status_code) == (413, 413)


async def test_programs_get_their_errors_as_problem_json(street: Street) -> None:
    """RFC 9457, so that a program need not read a page."""
    missing = await (await street.browser(ANNE.person)).get("/homes/none", headers={"Accept": "application/json"})
    signed_out = await street.stranger().get("/carer", headers={"Accept": "application/json"})

    assert missing.headers["content-type"] == "application/problem+json"
    assert json.loads(missing.text)["status"] == 404
    assert (signed_out.status_code, signed_out.headers["content-type"]) == (401, "application/problem+json")


async def test_a_mistake_of_ours_is_a_page_and_a_log_line_without_people(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever meets it gets plain words; whoever mends it gets the place, and nobody's name."""
    browser = await street.browser(ANNE.person)
    await street.sql("ALTER TABLE resident RENAME COLUMN full_name TO other_name")

    with caplog.at_level(logging.INFO):
        answer = await browser.get(f"/homes/{MARGARETS}")

    assert answer.status_code == 500
    assert "It is our mistake" in answer.text
    assert "Traceback" not in answer.text
    (line,) = [record for record in caplog.records if record.name == "api.guard"]
    assert line.__dict__["why"] == "UndefinedColumn"
    assert not any(person in str(line.__dict__) for person in (MARGARETS, "Anne", "Margaret"))


async def test_a_database_that_is_away_is_said_plainly(street: Street, database: Database) -> None:
    """A page must not hang or guess: without the database nothing is known."""
    browser = await street.browser(ANNE.person)
    database.server.stop()

    answer = await browser.get(f"/homes/{MARGARETS}")

    assert answer.status_code == 503
    assert "we show nothing that we cannot vouch for" in answer.text


@pytest.mark.parametrize(("said", "table"), [("58030", "session"), ("XX001", "session"), ("XX002", "api_token")])
async def test_a_disk_that_the_database_cannot_read_is_said_plainly(
    street: Street, caplog: pytest.LogCaptureFixture, said: str, table: str
) -> None:
    """It is no mistake in the page: somebody must look at the disk, and people and programs come again later."""
    person, program = await street.browser(ANNE.person), await street.program(ANNE.person, Scope.HOMES_READ)
    await street.sql("UPDATE session SET made_at = made_at - interval '1 hour'")
    await street.sql(
        "CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION 'invalid page in block 3' USING ERRCODE = '{said}'; END$$"
    )
    await street.sql(f"CREATE TRIGGER damaged BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION damaged()")

    answer = await (person.get(f"/homes/{MARGARETS}") if table == "session" else program.get("/api/v1/homes"))

    assert answer.status_code == 503
    assert "database cannot be read" in [record.message for record in caplog.records]


async def test_style_sheets_may_be_kept_by_their_hash(street: Street) -> None:
    """They are the same for everybody, and a new release has new addresses."""
    stranger = street.stranger()
    page = (await stranger.get("/log-in")).text
    address = page.split('href="')[3].split('"')[0]

    answer = await stranger.get(address)

    assert "?v=" in address
    assert "immutable" in answer.headers["cache-control"]

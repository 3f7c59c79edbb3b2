"""What a newcomer is promised, as stories: somebody falls and is helped; somebody is asked and is counted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # twilio has no types

from alerts.judging.quiet import Quiet
from alerts.store import asking
from api import publishing
from tests.world.database import Database
from tests.world.pages import ANNE, MARGARETS, NINE, TOKEN, Street
from tests.world.silences import Fault
from tests.world.silences_told import run


class Lived(Street):
    """A street whose homes are lived instead of set up."""

    async def furnish(self) -> None:
        """Leave it to the story."""


@pytest.fixture
async def lived(database: Database, tmp_path: Path) -> AsyncIterator[Lived]:
    """Give the app over an empty database."""
    async with Lived(database.dsn, tmp_path) as street:
        yield street


async def texts_back(street: Street, phone: str, body: str) -> str:
    """Let somebody answer from their phone, as Twilio says so, and return what they are answered."""
    form = {"MessageSid": f"SM{len(body)}", "From": phone, "To": "+447700900000", "Body": body}
    signed = RequestValidator(TOKEN).compute_signature(f"{street.public_url}/twilio/text", form)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(street.app), base_url=street.public_url) as twilio:
        return (await twilio.post("/twilio/text", data=form, headers={"X-Twilio-Signature": signed})).text


async def test_a_collapse_is_noticed_told_answered_and_closed(lived: Lived) -> None:
    """A simulated resident falls at ten; what her sensors no longer say ends with a neighbour who helped."""
    # Her day and a half before it, and the fall, from the sensors' own messages through the hub's adapter to judgement.
    async with lived.connection() as conn:
        (fell,) = await run(conn, {Fault.COLLAPSES: 1}, seed=1)
    home = fell.case.home
    assert (fell.told_as, fell.before) == (Quiet.STILL, 0)
    assert fell.told_after is not None
    lived.set_clock(fell.at + fell.told_after + timedelta(minutes=2))
    await lived.give("carer", home, "family", "carer")

    # The first text asks for somebody, and says for whom.
    ((alert, body),) = await lived.sql(
        "SELECT alert, body FROM notification WHERE person = 'carer' AND purpose = 'alert' ORDER BY due_at LIMIT 1"
    )
    assert "Ann" in body
    code = body.split("Reply ")[1].split()[0]

    # The carer says "mine" from the phone, goes, and says on the page how it ended.
    assert "is yours" in await texts_back(lived, "+447700900101", f"{code} mine")
    browser = await lived.browser("carer")
    page = (await browser.get(f"/homes/{home}/alerts/{alert}")).text
    assert "Yours since" in page
    ended = await browser.post(
        f"/homes/{home}/alerts/{alert}/outcome", data={"outcome": "help given", "word": "On the kitchen floor; up now."}
    )

    assert ended.status_code == 303
    assert await lived.sql("SELECT state, outcome, closed_by FROM alert WHERE alert = %s", alert) == [
        ("closed", "help given", "carer")
    ]
    story = (await browser.get(f"/homes/{home}/alerts/{alert}")).text
    assert "On the kitchen floor; up now." in story


async def test_an_answer_by_text_is_found_in_the_ledger(street: Street) -> None:
    """From the text on a daughter's phone to the file that the council reads, and nothing of her in it."""
    await street.sql("UPDATE home SET added_at = %s", NINE - timedelta(days=31))

    # She is asked by text, by day, and answers with a number and a word.
    async with street.connection() as conn:
        street.set_clock(NINE + timedelta(hours=2))
        assert (await asking.turn(conn, now=street.now)).asked > 0
    ((question,),) = await street.sql(
        "SELECT body FROM notification WHERE person = 'anne' AND purpose = 'confidence' AND state = 'due'"
    )
    assert "how confident have you felt that Margaret is safe at home?" in question
    street.set_clock(street.now + timedelta(minutes=5))
    assert "Thank you" in await texts_back(street, ANNE.phone, "4 she seems well")

    # Once the quarter in which her fortnight ends is over, it is published, and a stranger may read it.
    street.set_clock(NINE + timedelta(days=200))
    async with street.connection() as conn:
        published = [str(one) for one in await publishing.publish_closed(conn, now=street.now)]
    ((belongs_to,),) = await street.sql(
        "SELECT to_char(answer_until AT TIME ZONE 'Europe/London', 'YYYY\"-Q\"Q') FROM confidence_asking "
        "WHERE person = 'anne' AND home = %s",
        MARGARETS,
    )
    assert belongs_to in published
    stranger = street.stranger()
    assert belongs_to in (await stranger.get("/ledger")).text
    file = (await stranger.get(f"/ledger/{belongs_to}/1/ledger.json")).json()
    (families,) = (one for one in file["series"] if one["audience"] == "family")

    assert families["answered"] == 1
    assert families["asked"] >= 1
    assert "seems well" not in str(file)
    assert "Anne" not in str(file)

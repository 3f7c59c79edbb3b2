"""That nobody can be texted stands on every page of whoever must know, as soon as alerts knows it."""

import pytest

from tests.world.pages import CONTROL, MARGARETS, Street

REFUSED = "Twilio refuses our account: 401, code 20003"


async def alerts_says(street: Street, texts: str, *, ago_s: int = 0) -> None:
    """Let the heartbeat of alerts be so old, and say this of texts."""
    await street.sql(
        "INSERT INTO process_heartbeat (instance, process, release, started_at, heard_at, said_at, doing) "
        "SELECT 'one', 'alerts', '1', at, at, at, jsonb_build_object('texts', %s::text) "
        "FROM (SELECT clock_timestamp() - make_interval(secs => %s) AS at) now",
        *(texts, ago_s),
    )


@pytest.mark.parametrize(
    ("person", "path"),
    [
        (CONTROL.person, "/operator"),
        (CONTROL.person, f"/operator/homes/{MARGARETS}"),
        ("jim", "/carer"),
        ("anne", f"/homes/{MARGARETS}/now"),
    ],
)
async def test_a_refused_account_is_said_on_pages(street: Street, person: str, path: str) -> None:
    """An operator who does not know goes on believing that carers are told."""
    browser = await street.browser(person)
    page = (await browser.get(path)).text
    assert "Nobody can be texted" not in page

    await alerts_says(street, REFUSED)

    page = (await browser.get(path)).text
    assert "Nobody can be texted" in page


@pytest.mark.parametrize(("texts", "ago_s"), [("Twilio", 0), (REFUSED, 60)])
async def test_what_is_over_or_old_is_not_said(street: Street, texts: str, ago_s: int) -> None:
    """A warning that stays after its cause is not read the next time."""
    await alerts_says(street, texts, ago_s=ago_s)
    operator = await street.browser(CONTROL.person)

    assert "Nobody can be texted" not in (await operator.get("/operator")).text

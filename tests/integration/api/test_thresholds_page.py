"""Does an operator see the price of a threshold before it can be saved, and does nobody else see anything?"""

import re

import httpx
import pytest

from alerts import store as alerts_store
from tests.integration.alerts.platform import until
from tests.world.pages import CONTROL, MARGARETS, MORAG, Street

HERE = f"/operator/homes/{MARGARETS}/thresholds"


async def looked_back(browser: httpx.AsyncClient, at: str, **form: str) -> tuple[str, httpx.Response]:
    """Send the form, wait until the look back is done, and return its address and its page."""
    begun = await browser.post(f"{at}/look-back", data={"why": "fewer texts about lie-ins", "days": "7", **form})
    assert begun.status_code == 303, begun.text
    address = begun.headers["location"]

    async def done() -> httpx.Response | None:
        page = await browser.get(address)
        assert page.status_code == 200
        return page if "Refresh" not in page.headers else None

    return address, await until(done, within_s=60, what="the look back")


async def test_a_threshold_is_saved_only_after_its_price_was_read(street: Street) -> None:
    """Whoever waits longer buys it with somebody's time on the floor, and must have seen that."""
    browser = await street.browser(CONTROL.person)

    address, page = await looked_back(browser, HERE, still_for="9 h")
    unread = await browser.post(f"{address}/save")
    saved = await browser.post(f"{address}/save", data={"read": "yes"})

    assert "alerts</strong> in 7 days" in page.text
    assert unread.status_code == 422
    assert (saved.status_code, saved.headers["location"]) == (303, HERE)
    shown = (await browser.get(HERE)).text
    assert "now 9 h, set for" in shown
    assert "fewer texts about lie-ins" in shown
    assert "No movement for: not set here → 9 h" in shown
    async with street.connection() as conn:
        policy = await alerts_store.policy_of(conn, MARGARETS)
    assert policy.still_for.total_seconds() == 9 * 3600
    ((version, seen),) = await street.sql("SELECT version, look_back FROM policy_version WHERE home = %s", MARGARETS)
    assert policy.versions == (version,)
    assert address.endswith(f"/{seen}")


async def test_a_version_is_taken_back_by_the_same_door(street: Street) -> None:
    """What was saved by mistake must not wait for whoever knows SQL; and going back has a price too."""
    browser = await street.browser(CONTROL.person)
    address, _ = await looked_back(browser, HERE, still_for="9 h")
    await browser.post(f"{address}/save", data={"read": "yes"})
    ((version,),) = await street.sql("SELECT version FROM policy_version WHERE home = %s", MARGARETS)

    back, page = await looked_back(browser, HERE, takes_back=str(version))
    await browser.post(f"{back}/save", data={"read": "yes"})

    assert "No movement for: 9 h → not set here" in page.text
    assert f"takes back version {version}" in (await browser.get(HERE)).text
    async with street.connection() as conn:
        assert (await alerts_store.policy_of(conn, MARGARETS)).still_for.total_seconds() == 6 * 3600


async def test_a_group_and_all_homes_have_thresholds_too(street: Street) -> None:
    """A street is tuned once, and each home of it that was looked at has a record of that."""
    browser = await street.browser(CONTROL.person)

    made = await browser.post(
        "/operator/thresholds/groups", data={"group": "shore-road", "homes": MARGARETS, "why": "one warden"}
    )
    rules = "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"
    address, _ = await looked_back(browser, made.headers["location"], rules=rules)
    await browser.post(f"{address}/save", data={"read": "yes"})

    assert rules in (await browser.get(HERE)).text
    assert "the group shore-road" in (await browser.get(HERE)).text
    assert (await browser.get("/operator/thresholds/all")).status_code == 200
    looked = await street.sql("SELECT view FROM access_record WHERE home = %s AND viewer = 'control'", MARGARETS)
    assert {("look back",), ("thresholds",)} <= set(looked)


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({"still_for": "soon"}, "not a duration"),
        ({"still_for": "9 h", "why": " "}, "Say why"),
        ({"waking_from": "07:00", "waking_until": "07:10"}, "waking hours"),
        ({"rules": "nonsense"}, "not written like"),
        ({"still_for": "9 h", "from": "late"}, "time of day"),
        ({"takes_back": "12345"}, "no version 12345"),
    ],
)
async def test_what_cannot_be_set_is_said_beside_the_form(street: Street, form: dict[str, str], word: str) -> None:
    """What was written stays in the form; only the mistake is to be mended."""
    browser = await street.browser(CONTROL.person)

    page = await browser.post(f"{HERE}/look-back", data={"why": "a test", **form})

    assert page.status_code == 422
    assert word in page.text
    assert all(f'value="{said}"' in page.text for name, said in form.items() if name == "still_for")


async def test_another_person_cannot_save_what_somebody_looked_at(street: Street) -> None:
    """Who saves has read the price; and only an operator learns that there is such a page."""
    browser = await street.browser(CONTROL.person)
    address, page = await looked_back(browser, HERE, still_for="9 h")
    await street.sql("UPDATE person SET is_operator = true WHERE person = %s", MORAG.person)
    other = await street.browser(MORAG.person)

    refused = await other.post(f"{address}/save", data={"read": "yes"})
    await street.sql("UPDATE person SET is_operator = false WHERE person = %s", MORAG.person)

    assert refused.status_code == 422
    assert "Look back first" in refused.text
    assert re.search(r"Save, in force at once", page.text)
    for path in (HERE, address, "/operator/thresholds", "/operator/thresholds/all"):
        assert (await other.get(path)).status_code == 404

"""The page on which an operator decides what is told again after a restore."""

from datetime import timedelta

from alerts.store import restores
from tests.world.pages import ANNE, CONTROL, MARGARETS, NINE, Street


async def _restore(street: Street) -> None:
    await street.pendant_pressed(MARGARETS)
    street.set_clock(NINE + timedelta(hours=2))
    async with street._pool.connection() as conn:
        await restores.put_in_order(conn, backup="b", shows=NINE, told_until=NINE + timedelta(hours=1), now=street.now)


async def test_the_operator_sees_what_waits_and_decides_it(street: Street) -> None:
    """Whoever was texted at night finds everything on one page, and each thing has one button."""
    await _restore(street)
    browser = await street.browser(CONTROL.person)

    page = (await browser.get("/operator/restored")).text
    ((text,),) = await street.sql("SELECT notification FROM held_text")
    sent = await browser.post(f"/operator/restored/texts/{text}/tell")

    assert "is told again as ever" in page
    assert "Margaret" in page
    assert f"/operator/restored/texts/{text}/drop" in page
    assert sent.status_code == 303
    assert await street.sql("SELECT state FROM notification WHERE notification = %s", text) == [("due",)]
    assert await street.sql("SELECT decided_by, decision FROM held_text") == [(CONTROL.person, "told")]


async def test_a_text_is_not_dropped_without_a_reason(street: Street) -> None:
    """What was swallowed after a restore must be explained to a family afterwards."""
    await _restore(street)
    browser = await street.browser(CONTROL.person)
    ((text,),) = await street.sql("SELECT notification FROM held_text")

    refused = await browser.post(f"/operator/restored/texts/{text}/drop", data={"why": " "})
    dropped = await browser.post(f"/operator/restored/texts/{text}/drop", data={"why": "Anne was there at nine"})

    assert (refused.status_code, dropped.status_code) == (422, 303)
    assert await street.sql("SELECT decision, why FROM held_text") == [("dropped", "Anne was there at nine")]


async def test_the_look_leaves_a_record_and_nobody_else_gets_there(street: Street) -> None:
    """It names residents of every home."""
    await _restore(street)

    seen = await (await street.browser(CONTROL.person)).get("/operator/restored")
    unseen = await (await street.browser(ANNE.person)).get("/operator/restored")

    assert (seen.status_code, unseen.status_code) == (200, 404)
    assert await street.sql("SELECT viewer, home FROM access_record WHERE view = 'restored from a backup'") == [
        (CONTROL.person, MARGARETS)
    ]


async def test_the_operators_alerts_lead_there_while_something_waits(street: Street) -> None:
    """A page that only a text names is not found by whoever takes over in the morning."""
    before = (await (await street.browser(CONTROL.person)).get("/carer")).text
    await _restore(street)

    after = (await (await street.browser(CONTROL.person)).get("/carer")).text

    assert "/operator/restored" not in before
    assert "/operator/restored" in after


async def test_what_is_gone_for_good_and_who_is_not_back_is_shown(street: Street) -> None:
    """Only hubs can say what they no longer have; a person must ring where it was a call for help."""
    await _restore(street)
    hub = f"hub-{MARGARETS}"
    await street.sql("INSERT INTO hub VALUES (%s, %s, 1, 'x', 'y', %s) ON CONFLICT DO NOTHING", hub, MARGARETS, NINE)
    await street.sql("INSERT INTO hub_heard VALUES (%s, %s, %s)", hub, NINE - timedelta(hours=1), NINE)
    await street.sql("INSERT INTO stream VALUES (%s, 'box', 'alarms', 9, %s, %s)", hub, NINE, NINE)
    await street.sql("INSERT INTO lost_range VALUES (%s, 'box', 'alarms', 4, 6, %s)", hub, street.now)

    page = (await (await street.browser(CONTROL.person)).get("/operator/restored")).text

    assert "3 calls for help of box" in page
    assert "was not heard since" in page

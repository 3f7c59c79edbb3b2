"""Can every operator read thresholds and their price, and find the way from one to the other?  In a real browser."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from alerts.alert import Question
from alerts.backtest import Compared, Delay, LookBack
from alerts.store import look_backs, thresholds
from alerts.store.thresholds import Change
from alerts.store.versions import ALL, Scope, Width
from tests.e2e.test_pages import LOOKS, as_person, faults_of
from tests.world.pages import CONTROL, MARGARETS, NINE, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = f"/operator/homes/{MARGARETS}/thresholds"
SCOPE = Scope(Width.HOME, MARGARETS)


def looked_back() -> LookBack:
    """Return a look back with an alert of each kind and a price at bedtime."""
    day, hour = timedelta(days=1), timedelta(hours=1)
    alerts = [(NINE - 3 * day, 4, None, "all well"), (NINE - 2 * day, None, 5, None), (NINE - day, 5, 7, "help given")]
    return LookBack(
        home=MARGARETS,
        since=NINE - 28 * day,
        until=NINE,
        unseen=timedelta(hours=59),
        alerts=tuple(
            Compared(
                question=Question.STILL,
                what="",
                since=since,
                now_at=since + now * hour if now else None,
                then_at=since + then * hour if then else None,
                outcome=outcome,
            )
            for since, now, then, outcome in alerts
        ),
        delays=tuple(
            Delay(
                hour=of,
                tried=28,
                now=4 * hour,
                then=3 * hour if of < 21 else 6 * hour,
                now_mean=4 * hour,
                then_mean=3 * hour if of < 21 else 6 * hour,
                now_longest=5 * hour,
                then_longest=8 * hour,
            )
            for of in range(24)
        ),
    )


async def test_thresholds_and_their_price_can_be_read_by_everybody(browser: Browser, street: Street) -> None:
    """On a phone in the dark and on a desk by day: WCAG 2.2 AA, no less."""
    change = Change(by=CONTROL.person, why="fewer texts about lie-ins", at=street.now)
    async with street.connection() as conn:
        await thresholds.set_numbers(conn, ALL, {"learned": False}, change)
        await thresholds.set_numbers(conn, SCOPE, {"still_for_s": 5 * 3600}, change)
        done = await look_backs.ask(conn, SCOPE, {"still_for_s": 7 * 3600}, change, days=28)
        await look_backs.finish(conn, done, [looked_back()])
        running = await look_backs.ask(conn, SCOPE, {"still_for_s": 8 * 3600}, change, days=28)
    context = await as_person(browser, street, CONTROL.person)

    found = []
    for path in ("/operator/thresholds", "/operator/thresholds/all", HERE, f"{HERE}/look-back/{done}"):
        found += await faults_of(context, path, LOOKS[1:3])
    # It looks again by itself every other second.
    found += await faults_of(context, f"{HERE}/look-back/{running}", LOOKS[:1])

    assert found == []


async def test_an_operator_tunes_a_home_without_a_script(browser: Browser, street: Street) -> None:
    """Write a number, look back, read what it costs, save: on an old office computer too."""
    await street.home_is("watched")
    context = await as_person(browser, street, CONTROL.person, script=False)
    page = await context.new_page()
    await page.goto(HERE)

    await page.get_by_label("No movement for").fill("9 h")
    await page.get_by_label("Why", exact=True).first.fill("fewer texts about lie-ins")
    await page.get_by_role("button", name="Look back", exact=True).click()
    await expect(page.get_by_role("heading", name="Save")).to_be_visible(timeout=60_000)
    await page.get_by_label("I have read what it costs").check()
    await page.get_by_role("button", name="Save, in force at once").click()

    await expect(page.get_by_text("now 9 h, set for")).to_be_visible()
    await expect(page.get_by_text("set by Kilbrae").first).to_be_visible()

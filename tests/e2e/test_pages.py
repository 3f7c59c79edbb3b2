"""Are the pages readable by everybody, and do they stop vouching for themselves?  In a real browser."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from api import publishing
from api.v1.tokens import Scope
from tests.world.browsing import AXE
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, NINE, Street

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOME = f"/homes/{MARGARETS}"
PHONE, DESK = 375, 1280
# Longer than a busy machine needs to open a page.
SHORTLY = timedelta(seconds=8)

pytestmark = pytest.mark.asyncio(loop_scope="session")

Scheme = Literal["light", "dark"]


async def as_person(
    browser: Browser, street: Street, person: str | None, *, script: bool = True, sharpness: float = 1
) -> BrowserContext:
    """Return a browser of somebody's own, signed in by pressing the button behind a link."""
    context = await browser.new_context(
        base_url=street.public_url,
        viewport={"width": PHONE, "height": 800},
        device_scale_factor=sharpness,
        java_script_enabled=script,
        timezone_id="Pacific/Auckland",  # Times are the home's, wherever the reader is.
    )
    if person is not None:
        page = await context.new_page()
        await page.goto(await street.link(person))
        await page.get_by_role("button", name="Sign in on this phone").click()
        await page.wait_for_url(lambda url: "/log-in" not in url)
        await page.close()
    return context


# A page is laid out by its width and coloured by the scheme, so that the fourth look would find nothing more.
LOOKS: tuple[tuple[int, Scheme], ...] = ((PHONE, "light"), (PHONE, "dark"), (DESK, "light"))


async def faults_of(
    context: BrowserContext,
    path: str,
    looks: Sequence[tuple[int, Scheme]] = LOOKS,
    *,
    lapsed: bool = False,
    then: Callable[[Page], Awaitable[None]] | None = None,
) -> list[str]:
    """Return what axe, the console and the width of a page have against it, on a phone and a desk, by day and night.

    Args:
        context: of whoever looks.
        path: of the page.
        looks: widths and schemes.
        lapsed: whether what the page says has grown old.
        then: is done on the page, and what comes of it is read instead.
    """
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{path} console: {message.text}"))
    page.on("pageerror", lambda why: said.append(f"{path} error: {why}"))
    await page.goto(path)
    if then is not None:
        await then(page)
    # A page that looks again by itself would be another one under axe's hands: with nothing new it stays as it is.
    await page.route("**", lambda route: route.fulfill(status=204))
    if lapsed:
        await page.evaluate("document.documentElement.classList.add('lapsed')")
        await expect(page.locator(".stale").first).to_be_visible()
    # What is folded away is read too, by whoever opens it.
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    # Axe's own rules are evaluated outside the page's policy, which allows no script but our own.
    await page.evaluate(AXE.read_text())
    for width, scheme in looks:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        look = f"{path} at {width} {scheme}"
        said += [f"{look} axe: {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found["violations"]]
        assert found["passes"], look
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            said.append(f"{look} is wider than its window")
    await page.close()
    # A page that is not there, and a form that came back, are what was asked for.
    return [line for line in said if not any(f"status of {status}" in line for status in (404, 422))]


async def a_busy_street(street: Street) -> tuple[int, int, int]:
    """Let there be every state that a page can show; return Margaret's three alerts: open, Jim's, closed."""
    day = timedelta(days=1)
    moves = [
        (NINE - day * n - timedelta(hours=h), room) for n in range(20) for h, room in enumerate(("lounge", "bedroom"))
    ]
    await street.seen(*moves)
    await street.seen((NINE - timedelta(hours=5), "hall"), quantity="open")
    await street.could_see(
        (NINE - 20 * day, NINE - 6 * day, "watched", []),
        (NINE - 6 * day, NINE - 5 * day, "blind", ["hub"]),
        (NINE - 5 * day, None, "watched", []),
    )
    closed = await street.pendant_pressed()
    jim = await street.browser(JIM.person)
    answer = await jim.post(f"{HOME}/alerts/{closed}/outcome", data={"outcome": "help given", "word": "In her chair."})
    assert answer.status_code == 303
    open_ = await street.pendant_pressed(late=timedelta(hours=2))
    await street.text_ended(ANNE.person, "undelivered", "30003")
    taken = await street.still(
        since=NINE - timedelta(hours=4), waking_s=14400, waking_from="07:00", waking_until="22:00"
    )
    await jim.post(f"{HOME}/alerts/{taken}/mine")
    await street.hub_silent(GEORGES)
    await street.home_is("watched")
    await street.home_is("watched", GEORGES, learning={"days": 8, "of": 14})
    morag = await street.browser(MORAG.person)
    await morag.post(
        f"/homes/{GEORGES}/confidence", data={"question": "1", "answer": "1", "words": "I worry at night."}
    )
    return open_, taken, closed


async def published_quarters(street: Street) -> None:
    """Let two quarters of sixty homes be published, with every kind of figure: exact, between two numbers, withheld."""
    await street.sql(
        "INSERT INTO home (home, lane, added_at) SELECT 'h-' || n, 0, '2024-05-01Z' FROM generate_series(1, 60) n"
    )
    await street.sql(
        "INSERT INTO resident (home, first_name, full_name) SELECT 'h-' || n, 'Ada', 'Ada Bell' "
        "FROM generate_series(1, 60) n"
    )
    for number, at in enumerate((NINE - timedelta(days=240), NINE - timedelta(days=150)), start=1):
        await street.sql(
            "WITH one AS (SELECT n, CASE WHEN n %% 3 = 0 THEN 'unpaid carer' ELSE 'family' END AS audience "
            "FROM generate_series(1, 60) n), said AS ("
            "INSERT INTO confidence_report (home, person, question, origin, answer, answered_at) "
            "SELECT 'h-' || n, 'anne', CASE WHEN n %% 3 = 0 THEN 2 ELSE 1 END, 'scheduled', "
            "CASE WHEN n %% 3 = 0 THEN 5 ELSE 1 + (n + %s) %% 5 END, %s FROM one WHERE n %% 4 > 0 "
            "RETURNING report, home) "
            "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, "
            "answer_until, way, state, report, ended_at) SELECT 'h-' || n, 'anne', audience, "
            "CASE WHEN n %% 3 = 0 THEN 2 ELSE 1 END, %s, 1, %s, %s, %s, 'text', "
            "CASE WHEN report IS NULL THEN 'lapsed' ELSE 'answered' END, report, %s "
            "FROM one LEFT JOIN said ON said.home = 'h-' || n",
            *(number, at, number, at, at, at + timedelta(days=14), at),
        )
    async with street.connection() as conn:
        done = await publishing.publish_closed(conn, now=street.now)
    assert [str(one) for one in done] == ["2025-Q4", "2026-Q1"]


@pytest.mark.parametrize("person", [None, ANNE.person, JIM.person, MORAG.person, CONTROL.person])
async def test_every_page_can_be_read_by_everybody(browser: Browser, street: Street, person: str | None) -> None:
    """A daughter with a screen reader, a carer in the sun, a father who enlarges everything: WCAG 2.2 AA, no less."""
    open_, taken, closed = await a_busy_street(street)
    await published_quarters(street)
    await street.sql(
        "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, reminded_at, "
        "answer_until, way, state) VALUES (%s, 'jim', 'unpaid carer', 2, 9, 2, %s, %s, %s, %s, 'page', 'asked')",
        *(GEORGES, *(NINE - timedelta(days=days) for days in (8, 8, 4)), NINE + timedelta(days=6)),
    )
    await street.give(JIM.person, GEORGES, "carer")
    pages = {
        None: ["/log-in", "/log-in/sent", "/log-in/abc", "/ledger", "/ledger/2026-Q1", "/ledger/2025-Q4/1"],
        ANNE.person: [HOME, "/carer", f"{HOME}/alerts", f"{HOME}/alerts/{open_}", f"{HOME}/sheet", "/nothing"],
        JIM.person: [
            "/carer",
            f"{HOME}/away",
            f"/homes/{GEORGES}/confidence",
            f"{HOME}/alerts/{taken}",
            f"{HOME}/alerts/{closed}",
        ],
        MORAG.person: [f"/homes/{GEORGES}"],
        CONTROL.person: [
            *("/carer", "/operator", "/operator?show=watched", "/operator?q=mar"),
            *(f"/operator{HOME}", f"{HOME}/sheet", f"{HOME}/sheet/looks", "/operator/calls", "/operator/restored"),
            *("/operator/unanswered", "/operator/tokens"),
        ],
    }
    await street.token(ANNE.person, Scope.HOMES_READ, Scope.ALERTS_READ, homes=[HOME.removeprefix("/homes/")])

    context = await as_person(browser, street, person)
    assert [fault for path in pages[person] for fault in await faults_of(context, path)] == []


@pytest.mark.parametrize("state", ["watched", "learning", "degraded", "blind", "lapsed"])
async def test_every_state_of_a_home_can_be_read_by_everybody(browser: Browser, street: Street, state: str) -> None:
    """The page that matters most is the one that nobody sees on a good day."""
    states: dict[str, dict[str, Any]] = {
        "watched": {},
        "learning": {"learning": {"days": 8, "of": 14}},
        "degraded": {"state": "degraded", "why": ["clock"]},
        "blind": {"state": "blind", "why": ["hub"], "promised_until": NINE},
        "lapsed": {"judged": NINE - timedelta(hours=1)},
    }
    await street.home_is(**states[state])

    found = await faults_of(await as_person(browser, street, ANNE.person), HOME, LOOKS[:2])

    assert found == []


async def test_a_page_that_has_grown_old_can_be_read_by_everybody(browser: Browser, street: Street) -> None:
    """The way out of a page that vouches for nothing any more must not be dark on dark."""
    await street.home_is("watched")

    found = await faults_of(await as_person(browser, street, ANNE.person), HOME, LOOKS[:2], lapsed=True)
    found += await faults_of(await as_person(browser, street, CONTROL.person), "/operator", LOOKS[:2], lapsed=True)

    assert found == []


async def run_for(street: Street, lease: timedelta) -> None:
    """Let time pass as it does, and the home be watched until a while from now."""
    street.set_clock(NINE, speed=1)
    await street.home_is("watched", promised_until=street.now + lease, judged=street.now + timedelta(hours=1))


async def open_home(context: BrowserContext) -> Page:
    """Open Margaret's home."""
    page = await context.new_page()
    await page.goto(HOME)
    return page


async def test_a_page_left_open_without_script_lapses_by_style_alone(browser: Browser, street: Street) -> None:
    """A tablet on a shelf must not say watched for a home that nobody can see any more."""
    context = await as_person(browser, street, ANNE.person, script=False)
    await run_for(street, SHORTLY)
    page = await open_home(context)
    await expect(page.locator(".word .fresh").last).to_be_visible()
    await expect(page.locator(".stale")).to_be_hidden()
    fresh = await page.locator(".word").screenshot()

    await expect(page.locator(".stale")).to_be_visible()

    await expect(page.get_by_role("link", name="Look again")).to_be_visible()
    await expect(page.locator(".aged")).to_be_visible()
    assert await page.locator(".word").screenshot() != fresh
    word = await page.locator(".word span.fresh").bounding_box()
    assert word is None or word["width"] < 5


async def test_look_again_looks_again(browser: Browser, street: Street) -> None:
    """The way back from *not known now* is one press, without script."""
    context = await as_person(browser, street, ANNE.person, script=False)
    await run_for(street, SHORTLY)
    page = await open_home(context)
    await expect(page.locator(".stale")).to_be_visible()
    await run_for(street, timedelta(minutes=3))

    await page.get_by_role("link", name="Look again").click()

    await expect(page.locator(".stale")).to_be_hidden()
    await expect(page.locator(".say")).to_contain_text("Margaret has been up since 06:17.")


async def test_a_page_in_view_renews_itself(browser: Browser, street: Street) -> None:
    """What happened since is on the page without a touch, and what was typed is still there."""
    context = await as_person(browser, street, ANNE.person)
    await run_for(street, SHORTLY)
    page = await open_home(context)
    await page.get_by_label("In your own words").fill("I feel")
    await page.get_by_text("The same in words").click()

    await street.home_is(
        "watched",
        last_seen_room="kitchen",
        promised_until=street.now + timedelta(minutes=3),
        judged=street.now + timedelta(hours=1),
    )

    await expect(page.locator(".say")).to_contain_text("Last in the kitchen")
    await expect(page.locator("#news")).to_contain_text("Last in the kitchen")
    await expect(page.locator("#day-words")).to_have_attribute("open", "")
    assert await page.get_by_label("In your own words").input_value() == "I feel"


async def test_a_page_whose_looks_fail_grows_old_and_recovers(browser: Browser, street: Street) -> None:
    """No signal in the stairwell: the page must lapse, not stay as it was, and come back with the signal."""
    context = await as_person(browser, street, ANNE.person)
    await run_for(street, SHORTLY)
    page = await open_home(context)
    await context.set_offline(True)

    await expect(page.locator(".stale")).to_be_visible()
    await run_for(street, timedelta(minutes=3))
    await context.set_offline(False)

    await expect(page.locator(".stale")).to_be_hidden()


async def test_a_computer_that_slept_says_so_at_once(browser: Browser, street: Street) -> None:
    """Timers and styles stand still in a laptop that sleeps; the wall clock tells how long it was."""
    context = await as_person(browser, street, ANNE.person)
    await run_for(street, timedelta(minutes=3))
    page = await open_home(context)
    await expect(page.locator(".stale")).to_be_hidden()
    await context.set_offline(True)

    await page.evaluate(
        "() => { const real = Date.now; Date.now = () => real() + 600000;"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )

    await expect(page.locator(".stale")).to_be_visible()


async def test_signing_out_elsewhere_ends_the_renewing(browser: Browser, street: Street) -> None:
    """A page that may not be seen any more must grow old, not be replaced by a log-in or renewed."""
    context = await as_person(browser, street, ANNE.person)
    await run_for(street, SHORTLY)
    page = await open_home(context)

    await street.give(ANNE.person, MARGARETS)

    await expect(page.locator(".stale")).to_be_visible()
    await expect(page.locator("h1")).to_contain_text("home")


async def test_a_carer_without_script_takes_and_ends_an_alert(browser: Browser, street: Street) -> None:
    """An old phone on a bad line: everything that matters is a plain form."""
    await street.home_is("watched")
    await street.still(since=NINE - timedelta(hours=4))
    context = await as_person(browser, street, JIM.person, script=False)
    page = await context.new_page()
    await page.goto("/")
    mine = page.get_by_role("button", name="Mine")
    box = await mine.bounding_box()
    assert box is not None
    assert box["height"] >= 72
    assert box["y"] + box["height"] <= 800, "Mine is on the first screen of a phone"

    await mine.click()
    await expect(page.locator(".word")).to_contain_text("Yours since 09:14")
    await page.get_by_label("Help given").check()
    await page.get_by_label("A word for the others").fill("On the sofa, fine.")
    await page.get_by_role("button", name="Tell everyone").click()

    await expect(page.locator(".word")).to_contain_text("Closed 09:14: help given")
    assert (await street.sql("SELECT state, outcome, closing_word FROM alert")) == [
        ("closed", "help given", "On the sofa, fine.")
    ]


async def test_an_alert_that_another_takes_changes_under_the_carers_eyes(browser: Browser, street: Street) -> None:
    """The button goes away by itself when it is somebody else's."""
    street.set_clock(NINE, speed=1)
    await street.home_is("watched", promised_until=NINE + SHORTLY, judged=NINE + timedelta(hours=1))
    alert = await street.still(since=NINE - timedelta(hours=4))
    context = await as_person(browser, street, JIM.person)
    page = await context.new_page()
    await page.goto(f"{HOME}/alerts/{alert}")
    await expect(page.get_by_role("button", name="Mine")).to_be_visible()

    await (await street.browser(ANNE.person)).post(f"{HOME}/alerts/{alert}/mine")

    await expect(page.get_by_text("It is not yours.")).to_be_visible()
    await expect(page.get_by_role("button", name="Mine")).to_have_count(0)


async def test_a_relative_answers_the_question_without_script(browser: Browser, street: Street) -> None:
    """Six boxes, a word, one button, and a thank-you."""
    await street.home_is("watched")
    context = await as_person(browser, street, ANNE.person, script=False)
    page = await open_home(context)

    await page.get_by_label("4 Very confident").check()
    await page.get_by_role("button", name="Send my answer").click()

    await expect(page.get_by_text("very confident (4 of 5). Thank you.")).to_be_visible()
    assert (await street.sql("SELECT answer, origin FROM confidence_report")) == [(4, "volunteered")]


async def test_times_are_the_homes_wherever_the_reader_is(browser: Browser, street: Street) -> None:
    """A son in Auckland reads when it was in Kilbrae."""
    await street.home_is("watched")
    page = await open_home(await as_person(browser, street, ANNE.person))

    await expect(page.locator(".word time")).to_have_text("true at 09:14")

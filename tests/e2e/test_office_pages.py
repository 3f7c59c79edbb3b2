"""Are the operator's forms and a carer's rota readable by everybody?  In a real browser, in light and in the dark."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from alerts.store import rotas
from alerts.telling.rota import Override
from api.office import erasing
from tests.e2e.test_pages import DESK, PHONE, Scheme, as_person, faults_of
from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, NINE, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKS: tuple[tuple[int, Scheme], ...] = ((PHONE, "light"), (DESK, "dark"))
OFFICE = (
    "/operator/people",
    "/operator/people/anne",
    "/operator/homes/new",
    f"/operator/homes/{MARGARETS}/setup",
    "/operator/rota",
)


async def test_axe_finds_nothing_on_the_forms_in_light_and_dark(browser: Browser, street: Street) -> None:
    """WCAG 2.2 AA, and nothing wider than a phone; also with a form that came back."""
    async with street.connection() as conn:
        await rotas.add_override(conn, Override(ANNE.person, None, NINE, NINE + timedelta(hours=9)), now=NINE)
        await rotas.set_team(conn, "wardens", "Wardens")
    context = await as_person(browser, street, CONTROL.person)
    found = [fault for path in OFFICE for fault in await faults_of(context, path, LOOKS)]
    found += await faults_of(await as_person(browser, street, JIM.person), "/rota", LOOKS)

    assert found == []


async def test_axe_finds_nothing_where_somebody_is_erased(browser: Browser, street: Street) -> None:
    """What cannot be undone must be read by whoever does it: before, when it came back, and while it is done."""

    async def wrongly(page: Page) -> None:
        await page.locator("#erase summary").click()
        await page.locator("#erase input[name=sure]").fill("nobody")
        await page.locator("#erase button").click()
        await expect(page.locator("#erase .wrong")).to_be_visible()

    async with street.connection() as conn:
        await erasing.ask_person(conn, JIM.person, by=CONTROL.person, now=NINE, real_now=NINE)
    context = await as_person(browser, street, CONTROL.person)
    forms = ("/operator/people/anne", f"/operator/homes/{MARGARETS}/setup")
    found = [fault for path in forms for fault in await faults_of(context, path, LOOKS, then=wrongly)]
    found += await faults_of(context, "/operator/people", LOOKS)

    assert found == []


async def test_a_person_is_added_and_mended_without_script(browser: Browser, street: Street) -> None:
    """A council's browser may run nothing; what was typed is there again, beside what is wrong with it."""
    context = await as_person(browser, street, CONTROL.person, script=False)
    page = await context.new_page()
    await page.goto("/operator/people")
    form = page.locator("#add")
    await form.get_by_label("Name", exact=False).first.fill("Sanjay Wood")
    await form.get_by_label("Mobile number").fill("0770")
    await form.get_by_label("Family contact").check()
    await form.get_by_role("button", name="Add").click()

    form = page.locator("#add")
    await expect(form.get_by_text("'0770' is not a phone number.")).to_be_visible()
    await expect(form.get_by_label("Family contact")).to_be_checked()
    await form.get_by_label("Mobile number").fill("07700 900104")
    await form.get_by_role("button", name="Add").click()

    await expect(page.get_by_role("heading", name="Sanjay Wood", exact=True)).to_be_visible()


async def test_the_file_of_a_hub_downloads_at_a_press(browser: Browser, street: Street) -> None:
    """The one thing of a set-up that is not a page."""
    context = await as_person(browser, street, CONTROL.person)
    page = await context.new_page()
    await page.goto(f"/operator/homes/{MARGARETS}/setup")

    async with page.expect_download() as download:
        await page.get_by_role("button", name="Make its file").click()

    file = await download.value
    assert file.suggested_filename == f"hub-{MARGARETS}.toml"

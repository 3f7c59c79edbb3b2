"""Are the pages of signing in readable by everybody, and do they work without script?  In a real browser."""

import re
from dataclasses import replace

import pyotp
import pytest
from playwright.async_api import Browser, expect

from api.signing_in.mail import Config as MailConfig
from api.signing_in.mail import Mail, Tls
from api.signing_in.provider import Provider
from api.signing_in.sealing import Seals
from tests.e2e.test_pages import DESK, PHONE, Scheme, as_person, faults_of
from tests.world.identity_provider import IdentityProvider
from tests.world.pages import CONTROL, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKS: tuple[tuple[int, Scheme], ...] = ((PHONE, "light"), (DESK, "dark"))


def _with_all_ways(street: Street) -> None:
    mail = Mail(MailConfig("127.0.0.1", 9, Tls.NONE, "no-reply@care.example"))
    street.app.state.given = replace(street.app.state.given, seals=Seals([b"k" * 32]), mail=mail)


async def test_a_password_and_a_second_factor_are_set_up_and_used_without_script(
    browser: Browser, street: Street
) -> None:
    """From a link to the printed codes, out, and in again; axe finds nothing on the way, in light and in the dark."""
    _with_all_ways(street)
    context = await as_person(browser, street, CONTROL.person, script=False)
    page = await context.new_page()
    await page.goto("/me")
    await page.get_by_role("link", name="Set up both").click()
    await page.get_by_role("button", name="Set up both").click()
    spelled = await page.get_by_text(re.compile("^[A-Z2-7]{4}( [A-Z2-7]{4}){7}$")).inner_text()
    authenticator = pyotp.TOTP(spelled.replace(" ", ""))
    seen = await as_person(browser, street, CONTROL.person)
    found = [fault for path in ("/me", "/me/password") for fault in await faults_of(seen, path, LOOKS)]

    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    await page.get_by_label("New password").fill("tall lamp river nine")
    await page.get_by_label("The same again").fill("tall lamp river nine")
    await page.get_by_role("textbox", name="Code").fill(authenticator.now())
    await page.get_by_role("button", name="Set up both").click()
    await expect(page.get_by_role("heading", name="print these now")).to_be_visible()
    code = await page.locator(".codes code").first.inner_text()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("link", name="Sign in with a password and a code").click()
    await page.get_by_label("Your mobile number or e-mail address").fill("07700 900199")
    await page.get_by_label("Password", exact=True).fill("tall lamp river nine")
    await page.get_by_role("textbox", name="Code").fill(code)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("link", name=CONTROL.full_name)).to_be_visible()
    seen = await as_person(browser, street, CONTROL.person)
    paths = ("/me/password", f"/operator/people/{CONTROL.person}", "/log-in", "/log-in/password", "/log-in/sent")
    found += [fault for path in paths for fault in await faults_of(seen, path, LOOKS)]

    assert found == []


async def test_an_account_at_work_is_connected_and_used_without_script(browser: Browser, street: Street) -> None:
    """A form of ours may lead nowhere else, and who comes back comes from another site: browsers decide."""
    async with IdentityProvider() as council:
        council.truth.is_verified = None
        street.app.state.given = replace(street.app.state.given, provider=Provider(council.config()))
        context = await as_person(browser, street, CONTROL.person, script=False)
        page = await context.new_page()
        await page.goto("/me")
        await page.get_by_role("button", name="Connect it").click()
        await page.get_by_role("link", name="Go on to Kilbrae council").click()
        await expect(page.get_by_text("It lets you in here since")).to_be_visible()

        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_role("link", name="Sign in with Kilbrae council").click()
        await expect(page.get_by_role("link", name=CONTROL.full_name)).to_be_visible()

        seen = await as_person(browser, street, CONTROL.person)
        assert await faults_of(seen, "/me", LOOKS) == []

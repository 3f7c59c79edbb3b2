"""The demo's phones in a real browser, and the program that shows them."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.pretend_twilio import Account, PretendTwilio
from gateway.clock import Clock
from tests.integration.telling.conftest import Webhooks
from tests.world.phones import until

ANNE, JIM = "+447700900123", "+447700900224"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
VOID = {"meta", "link", "input", "br", "hr", "img"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run the machine's Chromium."""
    program = shutil.which("chromium")
    if program is None or not AXE.exists():
        sentence = "Chromium or axe-core is not installed; `deploy/telecare test` installs them"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def street(webhooks: Webhooks) -> Iterator[PretendTwilio]:
    """Two named phones, one of them texted, and a third that nobody named."""
    named = {ANNE: "Anne Reid, daughter", JIM: "Jim <b>Docherty</b>"}
    webhooks.twiml = "<Response><Message>It is yours.</Message></Response>"
    with PretendTwilio(now=Clock().now, phones=named, webhook=f"{webhooks.url}/twilio/inbound") as pretend:
        for to in (ANNE, "+447700900999"):
            pretend.create({"To": to, "From": pretend.account.sender, "Body": "Margaret pressed the pendant."})
        pretend.undelivered(JIM)
        pretend.create({"To": JIM, "From": pretend.account.sender, "Body": "Did not get there."})
        yield pretend


def visit(browser: Browser, pretend: PretendTwilio, *, script: bool = True, scheme: str = "light") -> Page:
    context = browser.new_context(
        viewport={"width": 375, "height": 800},
        java_script_enabled=script,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(pretend.base_url)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(browser: Browser, street: PretendTwilio, scheme: str) -> None:
    """Whoever shows the demo may need a screen reader as much as whoever is shown it."""
    page = visit(browser, street, scheme=scheme)

    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert found["passes"]


def test_nothing_is_wider_than_a_phone(browser: Browser, street: PretendTwilio) -> None:
    """Most people open this on the phone in their hand."""
    page = visit(browser, street)

    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_it_says_that_it_is_pretend_and_what_became_of_each_text(browser: Browser, street: PretendTwilio) -> None:
    """Nobody may take a made-up collapse for a real one."""
    until(lambda: street.texts_to(JIM)[0].error_code)
    page = visit(browser, street, script=False)

    text = page.inner_text("body")
    assert "All of this is pretend." in text
    assert "Jim <b>Docherty</b>" in text
    assert "did not arrive (30003)" in text
    assert "Someone else" in text


def test_without_script_an_answer_can_be_sent_and_its_reply_read(
    browser: Browser, street: PretendTwilio, webhooks: Webhooks
) -> None:
    """The page must work in the plainest browser of a council."""
    page = visit(browser, street, script=False)
    phone = page.locator("#phone-447700900123")

    phone.get_by_label("Text from this phone").fill("1 mine")
    phone.get_by_role("button").click()

    assert webhooks.posted[-1].form["Body"] == "1 mine"
    assert phone.locator("li").all_inner_texts()[-1].startswith("It is yours.")


def test_a_new_text_appears_by_itself_and_leaves_alone_what_is_being_written(
    browser: Browser, street: PretendTwilio
) -> None:
    """A page that reloads under someone's fingers eats their answer."""
    page = visit(browser, street)
    box = page.locator("#phone-447700900123").get_by_label("Text from this phone")
    box.fill("1 mi")

    street.create({"To": ANNE, "From": street.account.sender, "Body": "Still nobody has answered."})

    page.get_by_text("Still nobody has answered.").wait_for()
    assert box.input_value() == "1 mi"


class Balance(HTMLParser):
    """Keeps what is open, and the names that were given."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_where_it_was_opened_and_no_name_is_given_twice(street: PretendTwilio) -> None:
    """Browsers mend such mistakes each in its own way."""
    balance = Balance()

    balance.feed(requests.get(street.base_url, timeout=10).text)

    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids))


def test_another_sites_page_cannot_answer_for_a_phone(street: PretendTwilio, webhooks: Webhooks) -> None:
    """Any page open in the same browser could otherwise post to a loopback port."""
    answer = requests.post(
        f"{street.base_url}/phones/{ANNE}/answer",
        data={"body": "1 mine"},
        headers={"Origin": "https://elsewhere.example"},
        timeout=10,
    )

    assert answer.status_code == 403
    assert webhooks.posted == []


def test_the_program_serves_obeys_orders_and_ends_when_asked(tmp_path: Path) -> None:
    """The demo and tests in other processes use it in this way."""
    account = Account()
    environment = {
        **os.environ,
        "TELECARE_TWILIO_ACCOUNT_SID": account.sid,
        "TELECARE_TWILIO_AUTH_TOKEN": account.token,
    }
    state = tmp_path / "texts.json"
    command = [sys.executable, "-m", "deploy.pretend_twilio", "--state", str(state), "--phone", f"{ANNE}=Anne Reid"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().strip().rpartition(" ")[2]
            create = f"{url}/2010-04-01/Accounts/{account.sid}/Messages.json"
            form = {"To": ANNE, "From": account.sender, "Body": f"Hello {secrets.token_hex(4)}."}
            key = (account.sid, account.token)

            order = requests.post(f"{url}/orders/fail_create", json={"to": ANNE, "status": 429}, timeout=10)
            refused = requests.post(create, data=form, auth=key, timeout=10)
            taken = requests.post(create, data=form, auth=key, timeout=10)
            unknown = requests.post(f"{url}/orders/explode", json={}, timeout=10)
            wrong = requests.post(f"{url}/orders/fail_create", json={"to": ANNE, "code": 1}, timeout=10)
            page = requests.get(url, timeout=10).text
        finally:
            program.send_signal(signal.SIGTERM)

    assert (order.status_code, refused.status_code, taken.status_code) == (200, 429, 201)
    assert refused.json()["code"] == 20429
    assert (unknown.status_code, wrong.status_code) == (404, 400)
    assert form["Body"] in page
    assert program.returncode == 0
    assert form["Body"] in state.read_text()

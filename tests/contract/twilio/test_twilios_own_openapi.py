"""Twilio's own OpenAPI judges what we send, and what the pretend Twilio answers."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from alerts.telling.deliver import GiveUp, Unsure
from alerts.telling.sms import Config, Sms, new_key
from deploy.pretend_twilio import Account, PretendTwilio, Status
from gateway.clock import Clock
from tests.contract.twilio.conftest import Prism
from tests.world.phones import until

ANNE = "+447700900123"
MO = "+447700900321"
ACCOUNT = Account()
PUBLIC = "https://telecare.example"


def door(base_url: str, *, public_url: str = PUBLIC, sender: str = ACCOUNT.sender) -> Sms:
    return Sms(Config(ACCOUNT.sid, ACCOUNT.token, sender, public_url, base_url))


@pytest.fixture(scope="module")
def twilio_mock(prism: Prism) -> str:
    """Run Prism as Twilio: it answers with examples, and refuses what breaks the OpenAPI."""
    return prism("mock")


@pytest.fixture(scope="module")
def behind_prism(prism: Prism) -> Iterator[tuple[PretendTwilio, str]]:
    """Run the pretend Twilio with Prism before it, which refuses both sides' breaks of the OpenAPI."""
    with PretendTwilio(now=Clock().now, account=ACCOUNT) as pretend:
        yield pretend, prism("proxy", pretend.base_url)


@pytest.mark.parametrize("sender", [ACCOUNT.sender, f"MG{'0' * 32}"])
@pytest.mark.parametrize("worth", [None, timedelta(minutes=15), timedelta(days=9)])
async def test_every_text_we_send_is_one_that_twilio_takes(
    twilio_mock: str, sender: str, worth: timedelta | None
) -> None:
    """What Twilio refuses is found out here and not by the first alarm."""
    receipt = await door(twilio_mock, sender=sender).send(
        ANNE, "Margaret pressed the pendant, 02:10.", new_key(), worth=worth
    )

    assert receipt.sid.startswith(("SM", "MM"))


async def test_what_breaks_the_openapi_is_noticed(twilio_mock: str) -> None:
    """Otherwise the test above could not fail."""
    with pytest.raises(GiveUp, match="422"):
        await door(twilio_mock, public_url="no address at all").send(ANNE, "Hello.", new_key())


async def test_both_our_ways_of_looking_are_ones_that_twilio_knows(twilio_mock: str) -> None:
    """The look is what keeps a text from going twice."""
    ours = door(twilio_mock)

    # Prism answers with the OpenAPI's examples, none of which is this text.
    assert await ours.find(ANNE, "A text that is in no example.", Clock().now()) is None
    assert (await ours.state(f"SM{'0' * 32}"))[0]


async def test_the_pretend_twilio_answers_in_twilios_form(behind_prism: tuple[PretendTwilio, str]) -> None:
    """A demo and tests against answers that Twilio never gives would prove nothing."""
    pretend, address = behind_prism
    ours = door(address)

    receipt = await ours.send(ANNE, "Margaret pressed the pendant, 02:10.", new_key())
    through = await door(address, sender=f"MG{'0' * 32}").send(ANNE, "Through a service.", new_key())
    pretend.undelivered("+447700900224")
    lost = await ours.send("+447700900224", "Not arriving.", new_key())

    assert (await ours.state(receipt.sid))[0] in {"queued", "sent", "delivered"}
    assert (await ours.state(through.sid))[0] in {"accepted", "sent", "delivered"}
    assert (await ours.state(lost.sid))[0] in {"queued", "sent", "undelivered"}
    assert await ours.find(ANNE, "Margaret pressed the pendant, 02:10.", Clock().now()) == receipt


def test_the_pretend_twilios_pages_are_in_twilios_form(behind_prism: tuple[PretendTwilio, str]) -> None:
    """The real client follows the addresses of the next page."""
    pretend, address = behind_prism
    for number in range(5):
        pretend.create({"To": MO, "From": ACCOUNT.sender, "Body": f"Number {number}."})
    until(lambda: all(text.status is Status.DELIVERED for text in pretend.texts_to(MO)))

    asked = {"PageSize": "2", "To": MO, "DateSent>": "2026-01-01"}
    path = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json"
    bodies: list[str] = []
    answer = requests.get(address + path, params=asked, auth=(ACCOUNT.sid, ACCOUNT.token), timeout=30)
    while True:
        assert answer.status_code == 200, answer.text
        content = answer.json()
        bodies += [message["body"] for message in content["messages"]]
        if content["next_page_uri"] is None:
            break
        answer = requests.get(address + content["next_page_uri"], auth=(ACCOUNT.sid, ACCOUNT.token), timeout=30)

    assert bodies == [f"Number {number}." for number in reversed(range(5))]


async def test_an_answer_that_twilio_would_never_give_is_noticed(prism: Prism) -> None:
    """Otherwise the two tests above could not fail."""

    class Wrong(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = b'{"sid": "SM0", "status": "flying"}'
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    try:
        address = prism("proxy", f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises((Unsure, GiveUp)):
            await door(address).send(ANNE, "Hello.", new_key())
    finally:
        server.shutdown()
        serving.join()
        server.server_close()

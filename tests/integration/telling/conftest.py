"""A platform's webhooks, without the platform: what Twilio posts to us, and whether it is signed."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

from alerts.telling.sms import Config, Sms
from deploy.pretend_twilio import PretendTwilio


@dataclass(frozen=True, slots=True)
class Posted:
    """One request from Twilio."""

    path: str
    form: dict[str, str]
    signature: str


@dataclass(slots=True)
class Webhooks:
    """Keeps a diary of what was posted, and answers with what it is told."""

    url: str = ""
    twiml: str = "<Response/>"
    status: int = 200
    posted: list[Posted] = field(default_factory=list)

    def states_of(self, key: str) -> list[str]:
        return [one.form["MessageStatus"] for one in self.posted if one.path == f"/twilio/status/{key}"]


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    """Listen as the platform's public address."""
    diary = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(parse_qsl(body, keep_blank_values=True))
            diary.posted.append(Posted(self.path, form, self.headers["X-Twilio-Signature"]))
            answer = diary.twiml.encode()
            self.send_response(diary.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    diary.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield diary
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def sms(twilio: PretendTwilio, webhooks: Webhooks) -> Sms:
    """Our door, with the real client, to the pretend Twilio."""
    twilio.webhook = f"{webhooks.url}/twilio/inbound"
    ours = twilio.account
    return Sms(Config(ours.sid, ours.token, ours.sender, webhooks.url, twilio.base_url))

"""Who asked for what?  The HTTP of the pretend Twilio: Twilio's API, the phones' page, and the orders of tests."""

import base64
import binascii
import hmac
import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.pretend_twilio import answers, page
from deploy.pretend_twilio.behaviour import Behaviour
from deploy.pretend_twilio.ledger import Text
from deploy.pretend_twilio.script import Calls, Hears, Refusal, refusal

log = logging.getLogger(__name__)

_BODY_BYTES_MAX: Final = 65_536
_PATIENCE_S: Final = 30.0
_API: Final = re.compile(rf"/{answers.VERSION}/Accounts/(?P<account>[^/]+)/Messages(?:/(?P<sid>[^/]+))?\.json")
_ANSWER: Final = re.compile(r"/phones/(?P<phone>[^/]+)/answer")


class Door(ThreadingHTTPServer):
    """The loopback port and the thread that serves it."""

    daemon_threads = True
    # A request that is being slow on purpose must not hold up the end of a test.
    block_on_close = False

    def __init__(self, twilio: Behaviour, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.twilio = twilio
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="pretend-twilio", daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the signature is the base's
        """Say what went wrong, unless it is only that the client is gone: tests let it go on purpose."""
        why = sys.exception()
        if not isinstance(why, ConnectionError | TimeoutError):
            log.error("a request to the pretend Twilio failed", exc_info=why)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Door
    # One request to a connection: stopped means stopped, also for a client that keeps connections.
    protocol_version = "HTTP/1.0"
    timeout = _PATIENCE_S

    @property
    def twilio(self) -> Behaviour:
        return self.server.twilio

    def do_GET(self) -> None:
        """Answer Twilio's list and look-up, and show the phones."""
        address = urlsplit(self.path)
        if match := _API.fullmatch(address.path):
            if self._is_let_in(match["account"]):
                self._look(match["sid"], dict(parse_qsl(address.query)))
        elif address.path == "/":
            self._html(page.phones(self.twilio.phones, self.twilio.ledger.all()))
        elif address.path == "/health":
            self._json(200, {"texts": len(self.twilio.ledger.all())})
        else:
            self._refuse(refusal(code=20404))

    def do_POST(self) -> None:
        """Take a text as Twilio does, a text from one of the phones, or an order from a test."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_BYTES_MAX:
            self._json(413, {"message": "too long"})
            return
        sent = self.rfile.read(length).decode("utf-8", "replace")
        address = urlsplit(self.path)
        if match := _API.fullmatch(address.path):
            if self._is_let_in(match["account"]):
                self._create(dict(parse_qsl(sent, keep_blank_values=True)))
        elif self._is_from_elsewhere():
            self._json(403, {"message": "only from its own page"})
        elif match := _ANSWER.fullmatch(address.path):
            self._answer(unquote(match["phone"]), dict(parse_qsl(sent)).get("body", ""))
        elif address.path.startswith("/orders/"):
            self._order(address.path.removeprefix("/orders/"), sent)
        else:
            self._refuse(refusal(code=20404))

    def _is_let_in(self, account: str) -> bool:
        """Return whether the request carries the account and its token; otherwise answer as Twilio does."""
        ours = self.twilio.account
        kind, _, sent = self.headers.get("Authorization", "").partition(" ")
        try:
            name, _, token = base64.b64decode(sent, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = token = ""
        if (
            kind.lower() == "basic"
            and name == account == ours.sid
            and hmac.compare_digest(token.encode(), ours.token.encode())
        ):
            return True
        self._refuse(refusal(code=20003))
        return False

    def _is_from_elsewhere(self) -> bool:
        """Return whether another site's page sent this through someone's browser."""
        origin = self.headers.get("Origin")
        return origin is not None and origin != f"http://{self.headers.get('Host')}"

    def _look(self, sid: str | None, asked: dict[str, str]) -> None:
        account = self.twilio.account.sid
        if sid is not None:
            text = self.twilio.ledger.find(sid)
            if text is None:
                self._refuse(refusal(code=20404))
            else:
                self._json(200, answers.message(text, account=account))
            return
        number, size = _whole(asked.pop("Page", ""), 0), _whole(asked.pop("PageSize", ""), 50)
        asked.pop("PageToken", None)
        texts = [text for text in reversed(self.twilio.ledger.all()) if _is_asked_for(text, asked)]
        self._json(200, answers.page(texts, account=account, asked=asked, number=number, size=min(max(size, 1), 1000)))

    def _create(self, form: dict[str, str]) -> None:
        taken, hears = self.twilio.create(form)
        if hears is not Hears.AN_ANSWER:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif isinstance(taken, Refusal):
            self._refuse(taken)
        else:
            self._json(201, answers.message(taken, account=self.twilio.account.sid))

    def _answer(self, phone: str, body: str) -> None:
        if body.strip():
            self.twilio.answer(phone, body[:1600])
        self.send_response(303)
        self.send_header("Location", f"/#{page.anchor(phone)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _order(self, verb: str, sent: str) -> None:
        """Do what a test in another process asks; the names are those of Behaviour's methods."""
        twilio = self.twilio
        verbs: dict[str, Callable[..., None]] = {
            "fail_create": twilio.fail_create,
            "slow": twilio.slow,
            "drop_after_taking": twilio.drop_after_taking,
            "drop_before_taking": twilio.drop_before_taking,
            "undelivered": twilio.undelivered,
            "failed": twilio.failed,
            "never_call_back": twilio.never_call_back,
            "report": lambda to, calls, late_s=0.0: twilio.report(to, Calls(calls), late_s=late_s),
            "be_well": twilio.be_well,
            "answer": twilio.take_answer,
        }
        if verb not in verbs:
            self._json(404, {"message": f"no order is called {verb}", "orders": sorted(verbs)})
            return
        try:
            verbs[verb](**json.loads(sent or "{}"))
        except (TypeError, ValueError) as why:
            self._json(400, {"message": str(why)})
        else:
            self._json(200, {"done": verb})

    def _refuse(self, why: Refusal) -> None:
        self._json(why.status, answers.error(why))

    def _json(self, status: int, content: dict[str, object]) -> None:
        self._send(status, "application/json;charset=utf-8", json.dumps(content).encode())

    def _html(self, content: str) -> None:
        self._send(200, "text/html; charset=utf-8", content.encode("utf-8", "replace"))

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Twilio API"')
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *said: object) -> None:
        """Say nothing: an access log would hold people's numbers."""


def _whole(said: str, otherwise: int) -> int:
    return int(said) if said.isascii() and said.isdigit() else otherwise


def _is_asked_for(text: Text, asked: dict[str, str]) -> bool:
    """Return whether a text matches To, From and the dates, which Twilio compares by day in UTC."""
    day = "" if text.sent_at is None else text.sent_at.date().isoformat()
    return (
        asked.get("To", text.to) == text.to
        and asked.get("From", text.sender) == text.sender
        and asked.get("DateSent", day)[:10] == day
        # A client that asks for "DateSent>" writes DateSent>=2026-06-10 into the address.  A text that has not
        # left yet has no such day, so it is in no list that asks for one.
        and ("DateSent>" not in asked or day >= asked["DateSent>"][:10])
        and ("DateSent<" not in asked or "" < day <= asked["DateSent<"][:10])
    )

"""How does Twilio behave over time?  It takes texts, carries them, reports on them, and brings answers."""

import logging
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urldefrag, urlsplit
from xml.etree import ElementTree as ET

import requests
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it has no types

from deploy.pretend_twilio import answers
from deploy.pretend_twilio.ledger import Direction, Ledger, Status, Text, new_sid
from deploy.pretend_twilio.script import ANY, Calls, Hears, Refusal, Script, first, refusal, reports

log = logging.getLogger(__name__)

_E164: Final = re.compile(r"\+[1-9][0-9]{7,14}")
# Twilio waits this long for a webhook.  Source: Twilio's documentation of webhook timeouts, 15 s for messages.
_WEBHOOK_PATIENCE_S: Final = 15.0
# Twilio obeys these by itself, when they are all that a text says.  Source: Twilio, "Support for opt-out keywords".
_STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START: Final = frozenset({"START", "YES", "UNSTOP"})


@dataclass(frozen=True, slots=True)
class Account:
    """Whose texts they are.

    Attributes:
        sid: "AC" and 32 hexadecimal digits.
        token: the secret that opens the API and signs what is called back.
        sender: the number that texts come from.
        regions: how numbers must begin that may be texted.
    """

    sid: str = field(default_factory=lambda: f"AC{secrets.token_hex(16)}")
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    sender: str = "+447700900000"
    regions: tuple[str, ...] = ("+44",)


class Behaviour:
    """Twilio without its address: what it does with texts.

    Args:
        now: the time on the clock that texts carry.
        account: whose it is; one of its own unless told.
        webhook: where texts from phones are posted; may be set later.
        phones: who has which number, for the page.
        state: a file that keeps the texts from one start to the next.
        pace_s: real seconds between two states of a text.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        account: Account | None = None,
        webhook: str = "",
        phones: Mapping[str, str] | None = None,
        state: Path | None = None,
        pace_s: float = 0.02,
    ) -> None:
        self.account = account or Account()
        self.webhook = webhook
        self.phones = dict(phones or {})
        self.ledger = Ledger(now=now, path=state)
        self._now = now
        self._pace_s = pace_s
        self._signer = RequestValidator(self.account.token)
        self._scripts: defaultdict[str, Script] = defaultdict(Script)
        self._stopping = threading.Event()
        self._lives: list[threading.Thread] = []

    def stop(self) -> None:
        """Let texts on their way go no further."""
        self._stopping.set()
        for life in self._lives:
            life.join(timeout=_WEBHOOK_PATIENCE_S + 5)

    # How phones fail.  `to` is a number, or ANY for all that have no script of their own.

    def fail_create(self, to: str, *, status: int | None = None, code: int | None = None, times: int = 1) -> None:
        """Refuse the next texts to a phone as Twilio does with this status or code."""
        self._scripts[to].refusals.extend([refusal(status=status, code=code)] * times)

    def slow(self, to: str, seconds: float, *, times: int = 1) -> None:
        """Take this long to answer the next creates, after having taken the text."""
        self._scripts[to].waits_s.extend([seconds] * times)

    def drop_after_taking(self, to: str, *, times: int = 1) -> None:
        """Take the next texts to a phone, and drop the connection without an answer."""
        self._scripts[to].hears.extend([Hears.NOTHING_BUT_TAKEN] * times)

    def drop_before_taking(self, to: str, *, times: int = 1) -> None:
        """Drop the connection without an answer, and do not take the text: the client cannot tell."""
        self._scripts[to].hears.extend([Hears.NOTHING_NOT_TAKEN] * times)

    def undelivered(self, to: str, code: int = 30003) -> None:
        """Let texts to a phone leave Twilio and not arrive, from now on."""
        script = self._scripts[to]
        script.ends, script.error_code = Status.UNDELIVERED, code

    def failed(self, to: str, code: int = 30001) -> None:
        """Let texts to a phone fail inside Twilio, from now on."""
        script = self._scripts[to]
        script.ends, script.error_code = Status.FAILED, code

    def report(self, to: str, calls: Calls, *, late_s: float = 0.0) -> None:
        """Report on texts to a phone in this way, this many real seconds late, from now on."""
        script = self._scripts[to]
        script.calls, script.late_s = calls, late_s

    def never_call_back(self, to: str) -> None:
        """Never report on texts to a phone, from now on."""
        self.report(to, Calls.NEVER)

    def be_well(self, to: str) -> None:
        """Forget how a phone was to fail."""
        self._scripts.pop(to, None)

    def left_over(self, to: str) -> int:
        """Return how many of the requests that were to fail for a phone have not come yet."""
        script = self._scripts[to]
        return len(script.refusals) + len(script.hears) + len(script.waits_s)

    # What the API does.

    def create(self, form: Mapping[str, str]) -> tuple[Text | Refusal, Hears]:
        """Take a text, or say why not; and what the client is to hear of it."""
        to = form.get("To", "")
        script = self._script(to)
        hears = first(script.hears, Hears.AN_ANSWER)
        if hears is Hears.NOTHING_NOT_TAKEN:
            return refusal(status=503), hears
        refused = script.refusals.popleft() if script.refusals else self._objection(form)
        if refused is not None:
            return refused, hears

        text = self._take(form)
        # Without a messaging service a text is queued at once; with one it is accepted first.
        self._begin(text, script)
        self._stopping.wait(first(script.waits_s, 0.0))
        return text, hears

    def texts_to(self, phone: str) -> list[Text]:
        """Return every text to a phone, oldest first, whatever became of it."""
        return [text for text in self.ledger.all() if text.to == phone and text.direction is not Direction.IN]

    def answer(self, phone: str, body: str) -> Text:
        """Text from a phone: tell the webhook, and take what it replies.  Returns the text as it was taken."""
        at = self._now()
        text = Text(new_sid(), Direction.IN, phone, self._last_sender(phone), body, Status.RECEIVED, at, at)
        self.ledger.add(text)
        word = body.strip().upper()
        if word in _STOP:
            self.ledger.stop(phone)
        if word in _START:
            self.ledger.start(phone)
        if not self.webhook:
            return self.ledger.note_trouble(text.sid, "no webhook is set, so nobody was told")
        try:
            replied = self._post(self.webhook, answers.inbound(text, account=self.account.sid))
        except requests.RequestException as why:
            # Twilio's 11200: HTTP retrieval failure.
            return self.ledger.note_trouble(text.sid, f"11200: the platform did not answer ({type(why).__name__})")
        if replied.status_code != 200:
            return self.ledger.note_trouble(text.sid, f"11200: the platform answered {replied.status_code}")
        return self._reply(text, replied.text)

    def take_answer(self, to: str, body: str) -> None:
        """Text from a phone, as the order of a test in another process."""
        self.answer(to, body)

    # Inside.

    def _script(self, to: str) -> Script:
        return self._scripts[to if to in self._scripts else ANY]

    def _objection(self, form: Mapping[str, str]) -> Refusal | None:
        """Return why Twilio would not take this text, or None; in the order in which Twilio looks."""
        to, body, callback = form.get("To", ""), form.get("Body", ""), form.get("StatusCallback", "")
        sender, service = form.get("From", ""), form.get("MessagingServiceSid", "")
        tests = (
            (not to, 21604),
            (not sender and not service, 21603),
            (not body, 21602),
            (not _E164.fullmatch(to), 21211),
            (bool(sender) and sender != self.account.sender, 21606),
            (not to.startswith(self.account.regions), 21408),
            (len(body) > 1600, 21617),
            (bool(callback) and not _is_address(callback), 21609),
            (self.ledger.has_stopped(to), 21610),
        )
        return next((refusal(code=code) for is_so, code in tests if is_so), None)

    def _take(self, form: Mapping[str, str]) -> Text:
        at = self._now()
        text = Text(
            sid=new_sid(),
            direction=Direction.OUT,
            sender=form.get("From", ""),
            to=form["To"],
            body=form["Body"],
            status=Status.QUEUED if form.get("From") else Status.ACCEPTED,
            created_at=at,
            updated_at=at,
            service=form.get("MessagingServiceSid", ""),
            callback=form.get("StatusCallback", ""),
        )
        self.ledger.add(text)
        return text

    def _begin(self, text: Text, script: Script) -> None:
        """Let a text live in a thread of its own, so that one slow callback delays no other text."""
        self._lives = [life for life in self._lives if life.is_alive()]
        steps = list(reports(script))
        life = threading.Thread(
            target=self._live, args=(text.sid, steps, script.calls, script.late_s), name=text.sid, daemon=True
        )
        self._lives.append(life)
        life.start()

    def _live(self, sid: str, steps: list[tuple[Status, int | None]], calls: Calls, late_s: float) -> None:
        seen: list[Text] = []
        for status, code in steps:
            if self._stopping.wait(self._pace_s):
                return
            text = self.ledger.move(sid, status, error_code=code)
            seen.append(text)
            if calls in {Calls.IN_ORDER, Calls.TWICE} and not late_s:
                self._report(text, twice=calls is Calls.TWICE)
        if calls is Calls.OUT_OF_ORDER:
            seen.reverse()
        elif calls is Calls.NEVER or not late_s:
            return
        if not self._stopping.wait(late_s):
            for text in seen:
                self._report(text, twice=calls is Calls.TWICE)

    def _report(self, text: Text, *, twice: bool) -> None:
        if not text.callback:
            return
        for _ in range(2 if twice else 1):
            try:
                self._post(text.callback, answers.status_report(text, account=self.account.sid))
            except requests.RequestException as why:
                log.info("status callback not taken", extra={"sid": text.sid, "why": type(why).__name__})

    def _post(self, address: str, form: dict[str, str]) -> requests.Response:
        # What follows a # tells Twilio how to call; it is neither sent nor signed.
        address, _ = urldefrag(address)
        signature = self._signer.compute_signature(address, form)
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                address,
                data=form,
                headers={"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"},
                timeout=_WEBHOOK_PATIENCE_S,
            )

    def _last_sender(self, phone: str) -> str:
        senders = [text.sender for text in self.texts_to(phone) if text.sender]
        return senders[-1] if senders else self.account.sender

    def _reply(self, text: Text, twiml: str) -> Text:
        try:
            said = [node.text or "" for node in _messages(ET.fromstring(twiml))] if twiml.strip() else []  # noqa: S314 - our own platform's answer, on loopback
        except ET.ParseError:
            return self.ledger.note_trouble(text.sid, "12100: the platform's answer is not TwiML")
        for body in said:
            at = self._now()
            reply = Text(new_sid(), Direction.REPLY, text.to, text.sender, body, Status.QUEUED, at, at)
            if not self.ledger.has_stopped(text.sender):
                self.ledger.add(reply)
                self._begin(reply, self._script(text.sender))
        return text


def _messages(response: ET.Element) -> list[ET.Element]:
    """Return what is to be texted back.  A Message holds its words itself or in a Body."""
    if response.tag != "Response":
        raise ET.ParseError("the root is not Response")
    found = []
    for node in response.iter("Message"):
        body = node.find("Body")
        found.append(node if body is None else body)
    return found


def _is_address(address: str) -> bool:
    parts = urlsplit(address)
    # Twilio refuses an underscore in the host.  Source: its OpenAPI, CreateMessageRequest.StatusCallback.
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or "")

"""How does a mail leave: a one-time link, or a question?  The one door to the site's mail server.

Sent at once, tried again a few times while a link is worth it, and bounded: whoever waits in vain asks again.  An
alert never goes this way.
"""

import asyncio
import enum
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final

import aiosmtplib
from prometheus_client import Counter

log = logging.getLogger(__name__)

MAILS: Final = Counter("telecare_api_mails", "E-mails by what is in them: sent, refused, failed.", ["what", "became"])

# Each answer of the server; a mail server that takes longer is not there.  Ours.
_ANSWER_S: Final = 20.0
# Before each further try, real seconds: a link is valid for a quarter of an hour.  Ours.
_WAITS_S: Final = (2.0, 15.0)
# Connections at once, and mails that may wait for one; more are somebody's attack.  Ours.
_AT_ONCE: Final = 4
_WAITING_MAX: Final = 100
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Became(enum.StrEnum):
    """What became of a mail."""

    SENT = "sent"  # the mail server has it; whether anybody reads it is another question
    REFUSED = "refused"  # it would be refused again
    FAILED = "failed"  # it may be tried later


class Tls(enum.StrEnum):
    """How the line to the mail server is kept from others."""

    STARTTLS = "starttls"  # plain until both agree, never beyond that (RFC 3207)
    IMPLICIT = "implicit"  # from the first byte (RFC 8314)
    NONE = "none"  # only to this machine itself


_PORTS: Final[Mapping[Tls, int]] = {Tls.STARTTLS: 587, Tls.IMPLICIT: 465, Tls.NONE: 25}


@dataclass(frozen=True, slots=True)
class Config:
    """The site's mail server.

    Attributes:
        host: its name, which its certificate must have.
        sender: what mails come from.
        user: None: it asks for none.
        authorities: a file of those who may have signed its certificate; None: the system's.
    """

    host: str
    port: int
    tls: Tls
    sender: str
    user: str | None = None
    password: str = field(default="", repr=False)
    authorities: Path | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config | None":
        """Return what the environment says, or None where nothing is said of a mail server.

        Raises:
            ValueError: half of it is missing, or would send a password or a link in the clear.
        """
        host, sender = env.get("TELECARE_SMTP_HOST", ""), env.get("TELECARE_SMTP_FROM", "")
        if not host:
            return None
        try:
            tls = Tls(env.get("TELECARE_SMTP_TLS", "") or "starttls")
        except ValueError as why:
            raise ValueError(f"TELECARE_SMTP_TLS must be one of {', '.join(Tls)}.") from why
        if tls is Tls.NONE and host not in _LOOPBACK:
            raise ValueError("TELECARE_SMTP_TLS may be none only for a server on this machine's own loopback.")
        port = env.get("TELECARE_SMTP_PORT", "") or str(_PORTS[tls])
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError("TELECARE_SMTP_PORT must be a port.")
        user, password = env.get("TELECARE_SMTP_USER", ""), env.get("TELECARE_SMTP_PASSWORD", "")
        if bool(user) != bool(password):
            raise ValueError("TELECARE_SMTP_USER and TELECARE_SMTP_PASSWORD must be set both or neither.")
        authorities = env.get("TELECARE_SMTP_CA", "")
        return cls(
            host, int(port), tls, _address(sender), user or None, password, Path(authorities) if authorities else None
        )


def _address(said: str) -> str:
    try:
        address = Address(addr_spec=said)
    except (ValueError, IndexError) as why:
        raise ValueError("TELECARE_SMTP_FROM must be an e-mail address.") from why
    if not address.domain:
        raise ValueError("TELECARE_SMTP_FROM must be an e-mail address.")
    return said


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one mailbox.

    Attributes:
        headers: besides the usual ones.
        is_log_in: whether it lets somebody in, and is counted so.
    """

    to: str
    subject: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_log_in: bool = False

    @property
    def what(self) -> str:
        """What it is, in words for the log and the count."""
        return "log-in link" if self.is_log_in else "question"


class Mail:
    """The door; see the module."""

    def __init__(self, config: Config, *, waits_s: Sequence[float] = _WAITS_S) -> None:
        self._config = config
        self._waits_s = waits_s
        self._connections = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def send_link(self, to: str, url: str, *, service: str, minutes: int, real_now: datetime) -> None:
        """Send a one-time link to somebody's mailbox; what becomes of it is counted, and logged where it fails."""
        said = (
            f"Open this to sign in:\n\n{url}\n\n"
            f"It works once, for {minutes} minutes. Give it to nobody.\n"
            "If you did not ask for it, do nothing: it opens nothing for whoever did.\n"
        )
        await self.send(Letter(to, f"Sign in to {service}", said, is_log_in=True), service=service, real_now=real_now)

    async def send(self, letter: Letter, *, service: str, real_now: datetime) -> Became:
        """Send a mail, and return what became of it; that is counted, and logged where it fails.

        Args:
            letter: what.
            service: as it calls itself.
            real_now: by the system's clock.
        """
        became, why = await self._try(letter, service, real_now=real_now)
        MAILS.labels(letter.what, became.value).inc()
        if became is Became.REFUSED:
            log.warning("mail refused by the mail server", extra={"what": letter.what, "why": why})
        elif became is Became.FAILED:
            log.error("mail not sent", extra={"what": letter.what, "why": why})
        return became

    async def _try(self, letter: Letter, service: str, *, real_now: datetime) -> tuple[Became, str]:
        try:
            message = _message(self._config.sender, letter, service, real_now=real_now)
        except (ValueError, IndexError):
            return Became.REFUSED, "no mailbox has such an address"
        if self._waiting >= _WAITING_MAX:
            return Became.FAILED, "too many are waiting"
        self._waiting += 1
        try:
            async with self._connections:
                return await self._send(message)
        finally:
            self._waiting -= 1

    async def _send(self, message: EmailMessage) -> tuple[Became, str]:
        last = ""
        for wait_s in (0.0, *self._waits_s):
            await asyncio.sleep(wait_s)
            try:
                await self._hand_over(message)
            except (aiosmtplib.SMTPException, OSError) as why:
                last = type(why).__name__
                if _is_refused(why):
                    return Became.REFUSED, last
            else:
                return Became.SENT, ""
        return Became.FAILED, last

    async def _hand_over(self, message: EmailMessage) -> None:
        config = self._config
        is_plain = config.tls is Tls.NONE
        await aiosmtplib.send(
            message,
            hostname=config.host,
            port=config.port,
            username=config.user,
            password=config.password or None,
            use_tls=config.tls is Tls.IMPLICIT,
            start_tls=config.tls is Tls.STARTTLS,
            tls_context=None if is_plain else ssl.create_default_context(cafile=config.authorities),
            timeout=_ANSWER_S,
        )


class _Whole(UnstructuredHeader, BaseHeader):
    """A header that is sent as it is, on one line."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _headers() -> HeaderRegistry:
    """Return the kinds of headers, where the address behind which mails are ended is whole.

    Longer than a line it would be written as `=?utf-8?q?...`, which may stand in text alone (RFC 2047, section 5): no
    mail program finds the address in it.  Longer lines for all would not do: whoever sends it folds it anew.
    """
    kinds = HeaderRegistry()
    kinds.map_to_type("List-Unsubscribe", _Whole)
    return kinds


def _message(sender: str, letter: Letter, service: str, *, real_now: datetime) -> EmailMessage:
    """Return the mail.

    Raises:
        ValueError: the address is none that a mail can be sent to.
    """
    message = EmailMessage(EmailPolicy(header_factory=_headers()))
    message["Subject"] = " ".join(letter.subject.split())
    message["From"] = Address(display_name=" ".join(service.split()), addr_spec=sender)
    # One mailbox: an address with a comma or a line break in it is refused here, never sent to two.
    message["To"] = Address(addr_spec=letter.to)
    message["Date"] = format_datetime(real_now)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    # No holiday note shall answer it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(letter.body)
    return message


def _is_refused(why: Exception) -> bool:
    """Return whether this one mail would be refused again: a reply of 5xx to it (RFC 5321, 4.2.1).

    What the server has against us, such as a wrong password, is nobody's mailbox: it is ours to mend, and loud.
    """
    if isinstance(why, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in why.recipients)
    return isinstance(why, aiosmtplib.SMTPDataError) and why.code >= 500

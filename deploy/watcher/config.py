"""What was the watcher told by its environment?"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alerts.telling import sms
from deploy.watcher.judging import Limits
from deploy.watcher.seen import Kind, Part
from deploy.watcher.standing import Rules
from gateway import secret
from gateway.health import Address

_HEALTH: Final = "127.0.0.1:8461"
_PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}")
# Each kind with its variable.  What a health address has is under /ready; the others are asked as they stand.
_LOOKED_AT: Final = {
    Kind.INGEST: "TELECARE_WATCHER_INGEST",
    Kind.ALERTS: "TELECARE_WATCHER_ALERTS",
    Kind.API: "TELECARE_WATCHER_API",
    Kind.PAGES: "TELECARE_WATCHER_PAGES",
    Kind.BACKUP: "TELECARE_WATCHER_BACKUP",
    Kind.BROKER: "TELECARE_WATCHER_BROKER",
}
# Ours: more of them is a fleet, and its own Prometheus.
_PARTS_MAX: Final = 64
_PHONES_MAX: Final = 5


class NotConfigured(ValueError):
    """A variable is missing or wrong; whoever starts the watcher must change what the one sentence says."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that the watcher can be told.

    Attributes:
        parts: what to look at.
        phones: whom to text, in E.164; all of them get each text.
        twilio: how texts leave; None only where no phone is named.
        ping: called while all is well; None: nobody notices the watcher's own death.  A secret.
        time: an address outside whose `Date` is asked now and then; None: the kernel alone vouches for our clock.
        service: which installation speaks.
        health: where /health, /ready and /metrics answer.
        every: real time between two looks.
        state: a file that keeps what was told over a restart; None forgets.
        rules: how often is what said.
        limits: from when on something is wrong.
        trusted: whose certificates are believed; None: whom the system believes.
    """

    parts: tuple[Part, ...]
    phones: tuple[str, ...]
    twilio: sms.Config | None
    health: Address
    ping: str | None = field(default=None, repr=False)
    time: str | None = None
    service: str = ""
    every: timedelta = timedelta(seconds=15)
    state: Path | None = None
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    trusted: ssl.SSLContext | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Return what an environment says.

        Raises:
            NotConfigured: something is missing or wrong.
        """
        try:
            env = secret.opened(env)
            twilio = sms.Config.from_env(env, is_called_back=False)
            health = Address.parse(env.get("TELECARE_WATCHER_HEALTH") or _HEALTH)
            patience = _seconds(env, "TELECARE_WATCHER_PATIENCE_S", 60.0)
            again = _seconds(env, "TELECARE_WATCHER_AGAIN_S", 1800.0)
            every = _seconds(env, "TELECARE_WATCHER_EVERY_S", 15.0)
            backup_age = timedelta(hours=_number(env, "TELECARE_WATCHER_BACKUP_HOURS", 26.0))
        except ValueError as why:
            raise NotConfigured(f"{why}.") from None
        phones = _phones(env.get("TELECARE_WATCHER_TELLS", ""))
        if phones and twilio is None:
            raise NotConfigured("TELECARE_WATCHER_TELLS names phones, and TELECARE_TWILIO_ACCOUNT_SID is not set.")
        ping = _url(env, "TELECARE_WATCHER_PING")
        if not phones and ping is None:
            raise NotConfigured("Nobody would be told: set TELECARE_WATCHER_TELLS, TELECARE_WATCHER_PING, or both.")
        state = env.get("TELECARE_WATCHER_STATE", "")
        return cls(
            parts=_parts(env),
            phones=phones,
            twilio=twilio,
            health=health,
            ping=ping,
            time=_url(env, "TELECARE_WATCHER_TIME") or (_root_of(ping) if ping else None),
            service=env.get("TELECARE_WATCHER_SERVICE", "")[:40],
            every=every,
            state=Path(state) if state else None,
            rules=Rules(patience=patience, again_after=again),
            limits=Limits(backup_age=backup_age),
            trusted=_trusted(env.get("TELECARE_WATCHER_CA", "")),
        )


def _parts(env: Mapping[str, str]) -> tuple[Part, ...]:
    parts = [
        _part(kind, name, said.strip(), env)
        for kind, name in _LOOKED_AT.items()
        for said in env.get(name, "").split(",")
        if said.strip()
    ]
    if not parts:
        raise NotConfigured(f"Nothing is looked at: set {', '.join(_LOOKED_AT.values())}.")
    if len(parts) > _PARTS_MAX:
        raise NotConfigured(f"At most {_PARTS_MAX} addresses are looked at, not {len(parts)}.")
    return tuple(dict.fromkeys(parts))


def _part(kind: Kind, name: str, said: str, env: Mapping[str, str]) -> Part:
    if kind is not Kind.BROKER:
        return Part(kind, _address(name, said))
    if "://" in said:
        raise NotConfigured(f"{name} must be host:port, where hubs reach the broker with TLS.")
    where = _address(name, said).removeprefix("http://")
    return Part(kind, f"mqtts://{where}", env.get("TELECARE_WATCHER_BROKER_NAME", ""))


def _trusted(file: str) -> ssl.SSLContext | None:
    """Return a context that believes the authorities in a file beside the system's, or None without one."""
    if not file:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(file)
    except OSError as why:
        said = why.strerror or type(why).__name__
        raise NotConfigured(f"TELECARE_WATCHER_CA cannot be used: {said}.") from None
    return context


def _address(name: str, said: str) -> str:
    """Return an address as `http://...`; `host:port` is one on a network of the site's own."""
    if "://" in said:
        return _checked(name, said)
    try:
        Address.parse(said)
    except ValueError as why:
        raise NotConfigured(f"{name}: {why}.") from None
    return f"http://{said}"


def _url(env: Mapping[str, str], name: str) -> str | None:
    said = env.get(name, "")
    return _checked(name, said) if said else None


def _checked(name: str, said: str) -> str:
    # What was said is not repeated: an address may hold a secret.
    try:
        parts = urlsplit(said)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not said.isascii() or any(letter.isspace() for letter in said):
        raise NotConfigured(f"{name} must be an address such as https://telecare.example.")
    return said.rstrip("/")


def _root_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _phones(said: str) -> tuple[str, ...]:
    phones = tuple(dict.fromkeys(one.strip() for one in said.split(",") if one.strip()))
    if not all(_PHONE.fullmatch(phone) for phone in phones) or len(phones) > _PHONES_MAX:
        raise NotConfigured(f"TELECARE_WATCHER_TELLS must be 1 to {_PHONES_MAX} numbers like +447700900123.")
    return phones


def _seconds(env: Mapping[str, str], name: str, usual: float) -> timedelta:
    return timedelta(seconds=_number(env, name, usual))


def _number(env: Mapping[str, str], name: str, usual: float) -> float:
    said = env.get(name) or str(usual)
    try:
        number = float(said)
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= 86_400:
        raise ValueError(f"{name} must be a number from 0.01 to 86400, not {said!r}")
    return number

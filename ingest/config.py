"""What was ingest told by its environment?"""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from gateway import secret
from gateway.health import Address
from gateway.wire import LANES
from ingest import waiting

DEFAULT_HEALTH: Final = "127.0.0.1:8431"

KEPT_DAYS_MIN: Final = 100
"""As long as the log is: what judgement and its looks back rest on.  The database refuses to drop what is younger."""


class Misconfigured(Exception):
    """A variable is missing or wrong; whoever starts ingest must change what the one sentence says."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the platform's broker is, and who we are to it.

    Attributes:
        addresses: of its MQTT listeners: one, or each node's of a cluster, tried in turn.
        user: None where the broker asks for none.
        password: of that user.
        tls: None speaks plainly, which is for a broker on this machine.
    """

    addresses: tuple[Address, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that ingest can be told.

    Attributes:
        database_url: as libpq reads it.
        broker: where hubs are heard and answered.
        health: where /health, /ready and /metrics answer.
        lanes: how many lanes this worker owns at most; fewer than 64 leave some to others.
        tick: how often each lane is said to be complete, in real time.
        answer_every: how often hubs are answered about readings, in real time.
        waiting_bytes_max: of messages that wait for the database.
        readings_kept: how long readings are kept; None: for good.
    """

    database_url: str = field(repr=False)
    broker: Broker
    health: Address
    lanes: int = LANES
    tick: timedelta = timedelta(seconds=1)
    answer_every: timedelta = timedelta(seconds=2)
    waiting_bytes_max: int = waiting.BYTES_MAX
    readings_kept: timedelta | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Return what an environment says.

        Raises:
            Misconfigured: something is missing or wrong.
        """
        try:
            env = secret.opened(env)
        except secret.Unreadable as why:
            raise Misconfigured(f"{why}.") from None
        return cls(
            database_url=_needed(env, "TELECARE_DATABASE_URL"),
            broker=_broker(env),
            health=_parsed(env, "TELECARE_INGEST_HEALTH", DEFAULT_HEALTH, Address.parse),
            lanes=_parsed(env, "TELECARE_LANES", str(LANES), _lanes),
            tick=_parsed(env, "TELECARE_INGEST_TICK_S", "1", _seconds),
            answer_every=_parsed(env, "TELECARE_INGEST_ANSWER_S", "2", _seconds),
            waiting_bytes_max=_parsed(env, "TELECARE_INGEST_WAITING_MB", "64", _megabytes),
            readings_kept=_parsed(env, "TELECARE_READINGS_KEPT_DAYS", "0", _kept),
        )


def _broker(env: Mapping[str, str]) -> Broker:
    return Broker(
        addresses=_parsed(env, "TELECARE_BROKER", _needed(env, "TELECARE_BROKER"), Address.parse_all),
        user=env.get("TELECARE_BROKER_USER") or None,
        password=env.get("TELECARE_BROKER_PASSWORD") or None,
        tls=_parsed(env, "TELECARE_BROKER_TLS", "", lambda said: _tls(said, env.get("TELECARE_BROKER_NAME", ""))),
    )


def _needed(env: Mapping[str, str], name: str) -> str:
    said = env.get(name, "")
    if not said:
        raise Misconfigured(f"{name} is not set.")
    return said


_T = TypeVar("_T")


def _parsed(env: Mapping[str, str], name: str, default: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(env.get(name) or default)
    except (ValueError, OSError) as why:
        raise Misconfigured(f"{name} cannot be used: {why}.") from why


class _Named(ssl.SSLContext):
    """Asks for a certificate of this name, whatever address was connected to: a broker on this machine has another."""

    name: str

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature is ssl's
        do_handshake_on_connect: bool = True,  # noqa: FBT001, FBT002 - as above
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - as above
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        asked = self.name or server_hostname
        return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, asked, session)


def _tls(said: str, name: str) -> ssl.SSLContext | None:
    """Return how to speak TLS: not at all, with the system's authorities (`system`), or with a file of them.

    Args:
        said: of these.
        name: that the certificate must have; empty is that of the address.
    """
    if not said:
        return None
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.name = name
    if said == "system":
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=said)
    return context


def _lanes(said: str) -> int:
    lanes = int(said)
    if not 1 <= lanes <= LANES:
        raise ValueError(f"a worker owns 1 to {LANES} lanes, not {said}")
    return lanes


def _seconds(said: str) -> timedelta:
    seconds = float(said)
    if not 0.01 <= seconds <= 60:
        raise ValueError(f"{said} is not from 0.01 to 60 seconds")
    return timedelta(seconds=seconds)


def _kept(said: str) -> timedelta | None:
    days = int(said)
    if days != 0 and not KEPT_DAYS_MIN <= days <= 36_500:
        raise ValueError(f"readings are kept {KEPT_DAYS_MIN} days or longer, or 0 for good, not {said}")
    return timedelta(days=days) if days else None


def _megabytes(said: str) -> int:
    megabytes = int(said)
    if not 1 <= megabytes <= 4096:
        raise ValueError(f"{said} is not from 1 to 4096 MB")
    return megabytes * 1024 * 1024

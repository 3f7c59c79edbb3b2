"""A real MQTT broker with the platform's permissions: NATS and Mosquitto, since we are a client of MQTT."""

import itertools
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from deploy.broker.permissions import HubAccess, Login, hub_access, login
from deploy.embedded import knock, machine
from deploy.embedded.broker import Broker, wait_until
from deploy.embedded.machine import Missing
from deploy.embedded.mosquitto import mosquitto
from deploy.embedded.nats import nats

_number = itertools.count(1)


@dataclass(slots=True)
class PlatformBroker:
    """The platform's broker, its hubs, and ways to be cruel to it.

    Attributes:
        kind: `nats` or `mosquitto`.
        server: the broker itself.
        ingest_user: who may read all hubs and answer them; `ingest_secret` goes with it.
    """

    kind: str
    server: Broker
    ingest_user: str = "ingest"
    ingest_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _hubs: dict[str, HubAccess] = field(default_factory=dict)
    _ingest: Login = field(init=False)

    def __post_init__(self) -> None:
        """Write the permissions of a platform without hubs."""
        self._ingest = login(self.ingest_user, self.ingest_secret)
        self.server.permit([], self._ingest)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def hosts(self) -> str:
        """What a hub is told."""
        return self.server.address

    @property
    def addresses(self) -> str:
        """What ingest is told."""
        return f"{self.server.address}:{self.port}"

    def add_hub(self, hub: str, lane: int) -> str:
        """Let a hub in, and return its secret once the broker knows it."""
        secret = secrets.token_urlsafe(32)
        self._hubs[hub] = hub_access(hub, lane, secret)
        self.server.permit(list(self._hubs.values()), self._ingest)
        if self.server.process is not None:
            assert wait_until(lambda: knock.lets_in(self.port, hub, secret)), f"{self.kind} never let {hub} in"
        return secret

    def remove_hub(self, hub: str, secret: str) -> None:
        """Turn a hub away, and return once the broker does so."""
        del self._hubs[hub]
        self.server.permit(list(self._hubs.values()), self._ingest)
        assert wait_until(lambda: not knock.lets_in(self.port, hub, secret)), f"{self.kind} still lets {hub} in"

    def start(self) -> None:
        """Start it, and return once ingest could log in."""
        self.server.start()
        assert wait_until(lambda: knock.lets_in(self.port, self.ingest_user, self.ingest_secret))

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        """Kill it with -9."""
        self.server.kill()

    def wipe(self) -> None:
        """Lose all that it keeps on its disk; it must be stopped or killed, and keeps its permissions."""
        assert self.server.process is None
        for kept in (self.server.folder / "store", self.server.folder / "mosquitto.db"):
            if kept.is_dir():
                shutil.rmtree(kept)
            else:
                kept.unlink(missing_ok=True)


BROKERS: Final[dict[str, Callable[..., Broker]]] = {"nats": nats, "mosquitto": mosquitto}


def platform_broker(kind: str, folder: Path) -> PlatformBroker:
    """Return a broker that is not started yet, in a folder that an unprivileged account can reach.

    Raises:
        Missing: this machine does not have it.
    """
    server = BROKERS[kind](folder, port=machine.free_port(), log=folder.with_suffix(".log"), environment=os.environ)
    return PlatformBroker(kind, server)


def _running(kind: str, folder: Path) -> Iterator[PlatformBroker]:
    try:
        broker = platform_broker(kind, folder)
    except Missing as why:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(why))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=sorted(BROKERS))
def broker(request: pytest.FixtureRequest, open_folder: Path) -> Iterator[PlatformBroker]:
    """Run each broker in turn."""
    yield from _running(request.param, open_folder / f"broker-{next(_number)}")


@pytest.fixture
def nats_broker(open_folder: Path) -> Iterator[PlatformBroker]:
    """Run the broker that we embed, for tests about something else."""
    yield from _running("nats", open_folder / f"broker-{next(_number)}")

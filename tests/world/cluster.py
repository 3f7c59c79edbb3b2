"""Three NATS servers that are one MQTT broker, each on an address of its own of this machine's loopback."""

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from deploy.broker.permissions import HubAccess, hub_access, login
from deploy.embedded import knock, machine, runtime
from deploy.embedded.broker import wait_until
from deploy.embedded.nats import Nats

_HOSTS: Final = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
_PATIENCE_S: Final = 90.0


class Node(Nats):
    """One of three."""

    def __init__(self, folder: Path, *, program: Path, host: str, port: int, routes: int, log: Path) -> None:
        """Describe it; `routes` is the port on which the nodes speak with one another."""
        super().__init__(folder, program=program, port=port, log=log)
        self._host = host
        self._routes = routes

    @property
    def address(self) -> str:
        return self._host

    def _settings(self) -> Mapping[str, str]:
        files = dict(super()._settings())
        (name,) = files
        others = ", ".join(f'"nats://{host}:{self._routes}"' for host in _HOSTS if host != self._host)
        alone = files[name].replace(f'server_name: "telecare-{self.port}"', f'server_name: "node-{self._host}"')
        # Our sessions are clean, so what a broker keeps for one need not outlive a node; kept on disk by all three,
        # no session could be begun for a minute after one of them died (tried 2026-11, nats-server 2.15).
        together = alone.replace(
            'ack_wait: "', 'stream_replicas: 3, consumer_replicas: 1, consumer_memory_storage: true, ack_wait: "'
        )
        assert together != alone != files[name]
        listen = f'cluster {{ name: "telecare", listen: "{self._host}:{self._routes}", routes: [{others}] }}\n'
        return {name: together + listen}


class Cluster:
    """A broker of three nodes, with the platform's permissions on each."""

    kind = "nats cluster"

    def __init__(self, folder: Path) -> None:
        """Describe it; nothing runs yet."""
        program = runtime.nats_program(machine.default_runtime(os.environ))
        self.port, routes = machine.free_port(), machine.free_port()
        self.nodes = [
            Node(
                folder / host,
                program=program,
                host=host,
                port=self.port,
                routes=routes,
                log=folder.with_name(f"{folder.name}-{host}.log"),
            )
            for host in _HOSTS
        ]
        self.ingest_user, self.ingest_secret = "ingest", secrets.token_urlsafe(32)
        self._ingest = login(self.ingest_user, self.ingest_secret)
        self._hubs: list[HubAccess] = []

    @property
    def hosts(self) -> str:
        """What a hub is told."""
        return ",".join(_HOSTS)

    @property
    def addresses(self) -> str:
        """What ingest is told."""
        return ",".join(f"{host}:{self.port}" for host in _HOSTS)

    def start(self) -> None:
        """Start all, and return once each lets ingest in: until there are two of three, nobody is."""
        self._permit()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            self.waits_for(node)

    def waits_for(self, node: Node) -> None:
        """Return once a node lets ingest in."""
        in_ = lambda: knock.lets_in(self.port, self.ingest_user, self.ingest_secret, host=node.address)  # noqa: E731
        assert wait_until(in_, patience_s=_PATIENCE_S), f"{node.address} lets nobody in: see {node.log}"

    def add_hub(self, hub: str, lane: int) -> str:
        """Let a hub in at each node, and return its secret."""
        secret = secrets.token_urlsafe(32)
        self._hubs.append(hub_access(hub, lane, secret))
        self._permit()
        for node in self.nodes:
            if node.process is not None:
                assert wait_until(
                    lambda host=node.address: knock.lets_in(self.port, hub, secret, host=host),  # type: ignore[misc] # mypy cannot infer a lambda's default
                    patience_s=_PATIENCE_S,
                )
        return secret

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def _permit(self) -> None:
        for node in self.nodes:
            node.permit(self._hubs, self._ingest)


@pytest.fixture
def cluster(open_folder: Path) -> Iterator[Cluster]:
    """Run three nodes."""
    one = Cluster(open_folder / "cluster")
    one.start()
    yield one
    one.stop()

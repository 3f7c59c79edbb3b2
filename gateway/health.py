"""Is this process well?  Its health address answers, with the reason where it is not.

`/health` says that the process runs (200 while it does) and of which release it is, `/ready` that it can do its work
(503 and the reasons when it cannot), `/metrics` what it counted (Prometheus).  Loopback unless told otherwise.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import REGISTRY, generate_latest

from gateway.clock import Clock, kernel_is_synchronised
from gateway.release import version

Check = Callable[[], str | None]
"""Return None while all is well, otherwise why it is not, in one sentence without a person in it."""

Facts = Callable[[], Mapping[str, object]]
"""Return what else `/ready` shall tell, such as how far the process has come; fit for JSON."""

Text = Callable[[], str]
"""Return a page of plain text, such as what an installer wants to know."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process answers about its health."""

    host: str
    port: int

    @classmethod
    def parse(cls, said: str) -> "Address":
        """Return the address in `host:port`; port 0 lets the system choose.

        Raises:
            ValueError: it is not of that form.
        """
        host, colon, port = said.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{said!r} is not an address of the form host:port")
        return cls(host, int(port))

    @classmethod
    def parse_all(cls, said: str) -> "tuple[Address, ...]":
        """Return the addresses in `host:port`, or several with commas between them: the nodes of a cluster.

        Raises:
            ValueError: one is not of that form, or there is none.
        """
        return tuple(cls.parse(part.strip()) for part in said.split(","))


def hosts_and_port(said: str) -> tuple[str, int]:
    """Return the hosts, with commas between them, and the one port of a broker or of a cluster's nodes.

    Raises:
        ValueError: it is not of that form, or the nodes have different ports, which a hub's file cannot say.
    """
    nodes = Address.parse_all(said)
    ports = {node.port for node in nodes}
    if len(ports) > 1:
        raise ValueError(f"{said!r} names nodes with different ports; hubs want one for all")
    return ",".join(node.host for node in nodes), ports.pop()


class HealthServer:
    """Answers on one address from a thread of its own, until it is closed."""

    def __init__(
        self,
        process: str,
        address: Address,
        checks: Mapping[str, Check],
        *,
        facts: Facts = dict,
        clock: Clock | None = None,
        texts: Mapping[str, Text] | None = None,
    ) -> None:
        """Listen at once.

        Args:
            process: its name.
            address: where.
            checks: what must be well for it to be ready, by name.
            facts: what else `/ready` shall tell.
            clock: of the process; what it says now is told too, so that another machine can compare.
            texts: by path, what else there is to read.

        Raises:
            OSError: the address is taken or not ours.
        """

        class Handler(_Handler):
            name = process
            asked = checks
            told = staticmethod(facts)
            time = clock
            read = texts or {}

        self._server = ThreadingHTTPServer((address.host, address.port), Handler)
        self._server.daemon_threads = True
        self.address = Address(address.host, self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    name = ""
    asked: Mapping[str, Check]
    told: Facts
    time: Clock | None
    read: Mapping[str, Text]
    timeout = 5

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(HTTPStatus.OK, {"process": self.name, "health": "running", "version": version()})
        elif self.path == "/ready":
            wrong = {name: why for name, check in self.asked.items() if (why := check()) is not None}
            status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
            said = {"process": self.name, "version": version(), "ready": not wrong, "why": wrong}
            self._answer(status, {**self.told(), **self._clock(), **said})
        elif self.path == "/metrics":
            self._send(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", generate_latest(REGISTRY))
        elif self.path in self.read:
            self._send(HTTPStatus.OK, "text/plain; charset=utf-8", self.read[self.path]().encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"paths": ["/health", "/ready", "/metrics", *self.read]})

    def _clock(self) -> Mapping[str, object]:
        if self.time is None:
            return {}
        return {"now": self.time.now().isoformat(), "clock_synchronised": kernel_is_synchronised()}

    def _answer(self, status: HTTPStatus, body: object) -> None:
        self._send(status, "application/json", json.dumps(body).encode() + b"\n")

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a health check every second is not an event."""

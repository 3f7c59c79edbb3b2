"""How does a test or a demo tell a home what is to happen?

A small HTTP server on the loopback address: `POST /homes/{home}/{order}`, `POST /homes/{home}/sensors/{sensor}/{order}`
and `GET /health`.  It decides nothing: what was asked goes into the queue of the thread that lives the homes, and
its answer comes back.  The orders are those of `faults.Do`.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote

_ANSWER_WITHIN_S: Final = 10.0
_BODY_BYTES_MAX: Final = 65_536

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Something was asked: an order for a home, or, without one, how it goes; answered with an HTTP status and body."""

    home: str | None = None
    order: str | None = None
    sensor: str | None = None
    answer: "Future[Answer]" = field(default_factory=Future)


class Control:
    """The server and its thread."""

    def __init__(self, port: int, ask: Callable[[Asked], None]) -> None:
        """Listen on 127.0.0.1.

        Args:
            port: 0 for any that is free.
            ask: called from a request's thread; must not block.

        Raises:
            OSError: the port is taken.
        """
        handler = type("Handler", (_Handler,), {"ask": staticmethod(ask)})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="control", daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    ask: Callable[[Asked], None]
    timeout = _ANSWER_WITHIN_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/health":
            self._pass_on(Asked())
        else:
            self._say(404, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        if not self._drop_body():
            return
        match [unquote(part) for part in self.path.strip("/").split("/")]:
            case ["homes", home, order]:
                self._pass_on(Asked(home, order))
            case ["homes", home, "sensors", sensor, order]:
                self._pass_on(Asked(home, order, sensor))
            case _:
                self._say(404, {"error": "there is nothing here"})

    def _drop_body(self) -> bool:
        """Read a body that we have no use for, so that the connection can be used again."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            self._say(413, {"error": "an order has no body"})
            return False
        self.rfile.read(int(length))
        return True

    def _pass_on(self, asked: Asked) -> None:
        self.ask(asked)
        try:
            status, body = asked.answer.result(timeout=_ANSWER_WITHIN_S)
        except TimeoutError:
            status, body = 503, {"error": "no answer in time; the order may still take effect"}
        self._say(status, body)

    def _say(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, _format: str, *_args: object) -> None:
        """Say nothing: the diary has every order."""

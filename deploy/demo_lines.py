"""What is a simulated home's line to the platform, that it can be cut?

A plain relay: each hub reaches the platform's broker through a port of its own, which hands on bytes both ways and
knows nothing of them.  Cutting a line ends what goes through it and takes no more; to the hub it is a broadband cut.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Self

_CHUNK_BYTES: Final = 65_536
_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class _Line:
    """One home's line; `server` is None while it is cut."""

    port: int
    server: asyncio.Server | None = None
    through_it: set[asyncio.StreamWriter] = field(default_factory=set)


class Lines:
    """The lines of a street, in a thread of their own.  Its methods may be called from any other thread."""

    def __init__(self, broker_port: int) -> None:
        """Describe them; a line begins with `open`."""
        self._broker_port = broker_port
        self._lines: dict[str, _Line] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for home in self._lines:
            self.cut(home)
        self._wait_for(self._all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WITHIN_S)
        self._loop.close()

    def open(self, home: str, port: int) -> None:
        """Let a home reach the broker through a port of this machine.

        Raises:
            OSError: the port is taken.
        """
        self._lines[home] = _Line(port)
        self.mend(home)

    def cut(self, home: str) -> None:
        """End what goes through a home's line, and let nothing through until it is mended; cut already is no matter."""
        self._wait_for(self._cut(self._lines[home]))

    def mend(self, home: str) -> None:
        """Let a home reach the broker again; whole already is no matter."""
        self._wait_for(self._mend(self._lines[home]))

    def _wait_for(self, doing: Coroutine[Any, Any, None]) -> None:
        done: Future[None] = asyncio.run_coroutine_threadsafe(doing, self._loop)
        done.result(_WITHIN_S)

    @staticmethod
    async def _all_ended() -> None:
        """Wait for what still hands on; what was cut ends at once, and a loop that stops sooner complains."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    @staticmethod
    async def _cut(line: _Line) -> None:
        if line.server is not None:
            line.server.close()
            line.server = None
        for writer in tuple(line.through_it):
            writer.transport.abort()

    async def _mend(self, line: _Line) -> None:
        if line.server is not None:
            return

        async def hand_on(hub: asyncio.StreamReader, to_hub: asyncio.StreamWriter) -> None:
            await self._hand_on(line, hub, to_hub)

        line.server = await asyncio.start_server(hand_on, "127.0.0.1", line.port)

    async def _hand_on(self, line: _Line, hub: asyncio.StreamReader, to_hub: asyncio.StreamWriter) -> None:
        """Hand on both ways until either side ends."""
        with contextlib.suppress(OSError):
            broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
            both = {to_hub, to_broker}
            line.through_it |= both
            await asyncio.gather(_copy(hub, to_broker), _copy(broker, to_hub))
            line.through_it -= both
        to_hub.transport.abort()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while some := await source.read(_CHUNK_BYTES):
            to.write(some)
            await to.drain()
    # Whoever waits for the other half is told at once.
    to.transport.abort()

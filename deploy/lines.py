"""What lies between two parts, that it can be cut, slow, or play tricks on what goes through?

A plain relay: whoever is to be cut off reaches the other side through a port of its own, which hands on bytes both
ways.  Cutting a line ends what goes through it and takes no more; to a hub it is a broadband cut.  For the cruel a line
can also stall (nothing is lost, nothing comes), be slow, or, where it carries MQTT, do to single messages what
networks and brokers do.  It reads MQTT just well enough to see where a packet ends and whether it is a PUBLISH.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

_CHUNK_BYTES: Final = 65_536
_WITHIN_S: Final = 10.0
# A packet of the platform's broker is at most 1 MiB; what claims to be more is no MQTT of ours.
_PACKET_BYTES_MAX: Final = 4 << 20
_PUBLISH: Final = 3

Treat = Callable[[bytes], tuple[list[bytes], bytes]]
"""From a PUBLISH that goes up: what goes on instead, and what is answered on the other side's behalf."""


class NoPacket(Exception):
    """What goes through a line of MQTT is no MQTT; the line ends it."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to everything that goes through a line.

    Attributes:
        delay_s: how long each piece is held back, both ways; order is kept.
        bytes_a_second: no more than so many, each way; None is as many as come.
        is_stalled: nothing comes through, and nobody is told.
        message: what is done to each PUBLISH that goes up; on lines of MQTT alone.
    """

    delay_s: float = 0.0
    bytes_a_second: float | None = None
    is_stalled: bool = False
    message: Treat | None = None


UNTREATED: Final = Treatment()


@dataclass(slots=True)
class Done:
    """What was done to a line since it was opened.

    Attributes:
        ended: connections that a cut broke off.
        turned_away: connections that were refused because the line was cut.
        held_bytes: bytes that came later than they would have.
        treated: PUBLISH packets that became something else than themselves.
        passed_bytes: all that went through.
    """

    ended: int = 0
    turned_away: int = 0
    held_bytes: int = 0
    treated: int = 0
    passed_bytes: int = 0


@dataclass(slots=True)
class _Line:
    """One line; `server` is None while it is cut."""

    port: int
    to: int
    is_mqtt: bool
    server: asyncio.Server | None = None
    treatment: Treatment = UNTREATED
    eased: asyncio.Event = field(default_factory=asyncio.Event)
    done: Done = field(default_factory=Done)
    through_it: set[asyncio.StreamWriter] = field(default_factory=set)


class Lines:
    """Lines that lead to ports of this machine, in a thread of their own.  Its methods may be called from any other."""

    def __init__(self, port: int) -> None:
        """Describe them; a line begins with `open`.

        Args:
            port: where a line leads that is not told otherwise.
        """
        self._port = port
        self._lines: dict[str, _Line] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._lines:
            self.treat(name, UNTREATED)
            self.cut(name)
        self._wait_for(self._all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WITHIN_S)
        self._loop.close()

    def open(self, name: str, port: int, *, to: int | None = None, is_mqtt: bool = False) -> None:
        """Let somebody reach the other side through a port of this machine.

        Args:
            name: of the line, by which it is cut.
            port: of 127.0.0.1, where it begins.
            to: the port where it leads; None is the usual one.
            is_mqtt: whether single messages may be treated.

        Raises:
            OSError: the port is taken.
        """
        self._lines[name] = _Line(port, self._port if to is None else to, is_mqtt)
        self.mend(name)

    def cut(self, name: str) -> None:
        """End what goes through a line, and let nothing through until it is mended; cut already is no matter."""
        self._wait_for(self._cut(self._lines[name]))

    def mend(self, name: str) -> None:
        """Let the other side be reached again; whole already is no matter."""
        self._wait_for(self._mend(self._lines[name]))

    def treat(self, name: str, treatment: Treatment) -> None:
        """Do something to what goes through a line from now on, in place of what was done before."""
        self._wait_for(self._change(self._lines[name], treatment))

    def done(self, name: str) -> Done:
        """Return a copy of what was done to a line so far."""
        return replace(self._lines[name].done)

    def names(self) -> list[str]:
        return list(self._lines)

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
            line.done.ended += len(line.through_it) // 2
        for writer in tuple(line.through_it):
            writer.transport.abort()

    async def _mend(self, line: _Line) -> None:
        if line.server is not None:
            return

        async def hand_on(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
            await self._hand_on(line, near, to_near)

        line.server = await asyncio.start_server(hand_on, "127.0.0.1", line.port)

    @staticmethod
    async def _change(line: _Line, treatment: Treatment) -> None:
        line.treatment = treatment
        line.eased.set()
        line.eased = asyncio.Event()

    @staticmethod
    async def _hand_on(line: _Line, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        """Hand on both ways until either side ends."""
        with contextlib.suppress(OSError):
            far, to_far = await asyncio.open_connection("127.0.0.1", line.to)
            both = {to_near, to_far}
            line.through_it |= both
            await asyncio.gather(_copy(line, near, to_far, to_near), _copy(line, far, to_near, None))
            line.through_it -= both
        to_near.transport.abort()


async def _copy(
    line: _Line, source: asyncio.StreamReader, to: asyncio.StreamWriter, back: asyncio.StreamWriter | None
) -> None:
    """Hand on one way; with `back` it is the way up, where messages may be treated and answered."""
    packets = _Packets()
    with contextlib.suppress(OSError, NoPacket):
        while some := await source.read(_CHUNK_BYTES):
            for piece in packets.of(some) if line.is_mqtt else (some,):
                await _hold(line, piece)
                instead, answer = _treated(line, piece) if back is not None else ([piece], b"")
                for one in instead:
                    to.write(one)
                if back is not None and answer:
                    back.write(answer)
                line.done.passed_bytes += len(piece)
                await to.drain()
    # Whoever waits for the other half is told at once.
    to.transport.abort()


async def _hold(line: _Line, piece: bytes) -> None:
    """Hold a piece back for as long as the line's treatment asks for."""
    if line.treatment is UNTREATED:
        return
    treatment, is_held = line.treatment, line.treatment.is_stalled
    while line.treatment.is_stalled:
        await line.eased.wait()
    wait_s = treatment.delay_s + (len(piece) / treatment.bytes_a_second if treatment.bytes_a_second else 0.0)
    if wait_s:
        # Whoever eases the line does not wait for what is held.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(line.eased.wait(), wait_s)
    if is_held or wait_s:
        line.done.held_bytes += len(piece)


def _treated(line: _Line, piece: bytes) -> tuple[list[bytes], bytes]:
    treat = line.treatment.message
    if treat is None or not line.is_mqtt or piece[0] >> 4 != _PUBLISH:
        return [piece], b""
    instead, answer = treat(piece)
    line.done.treated += instead != [piece]
    return instead, answer


class _Packets:
    """Cuts what comes into whole MQTT packets (MQTT 3.1.1, 2.2: a byte, the remaining length, the rest)."""

    def __init__(self) -> None:
        self._waiting = b""

    def of(self, some: bytes) -> Iterator[bytes]:
        """Return the packets that are whole now.

        Raises:
            NoPacket: it is no MQTT.
        """
        self._waiting += some
        while (end := _end_of_packet(self._waiting)) is not None:
            packet, self._waiting = self._waiting[:end], self._waiting[end:]
            yield packet


def _end_of_packet(said: bytes) -> int | None:
    length, shift = 0, 0
    for place, byte in enumerate(said[1:5], start=2):
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            if length > _PACKET_BYTES_MAX:
                raise NoPacket(f"a packet of {length} bytes")
            return place + length if len(said) >= place + length else None
    if len(said) >= 5:
        raise NoPacket("a length of more than four bytes")
    return None


# What can be done to messages.


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH (MQTT 3.1.1, 3.3), taken apart.

    Attributes:
        flags: the first byte.
        identifier: two bytes at QoS 1, none at QoS 0.
    """

    flags: int
    topic: bytes
    identifier: bytes
    payload: bytes

    def packet(self) -> bytes:
        body = len(self.topic).to_bytes(2, "big") + self.topic + self.identifier + self.payload
        length, left = b"", len(body)
        while True:
            left, seven = left >> 7, left & 0x7F
            length += bytes([seven | (0x80 if left else 0)])
            if not left:
                return bytes([self.flags]) + length + body


def publish_in(packet: bytes) -> Publish:
    """Return a PUBLISH taken apart."""
    start = next(place for place, byte in enumerate(packet[1:5], start=2) if not byte & 0x80)
    after = start + 2 + int.from_bytes(packet[start : start + 2], "big")
    ends = after + (2 if packet[0] & 0x06 else 0)
    return Publish(packet[0], packet[start + 2 : after], packet[after:ends], packet[ends:])


_DUPLICATE: Final = 0x08
_PUBACK: Final = b"\x40\x02"


def twice(packet: bytes) -> tuple[list[bytes], bytes]:
    """Deliver everything two times."""
    return [packet, bytes([packet[0] | _DUPLICATE]) + packet[1:]], b""


class Overtaken:
    """Every other message is overtaken by the next; the last may be held until the line is mended."""

    def __init__(self) -> None:
        self._held: bytes | None = None
        self.swapped = 0

    def __call__(self, packet: bytes) -> tuple[list[bytes], bytes]:
        if self._held is None:
            self._held = packet
            return [], b""
        before, self._held = self._held, None
        self.swapped += 1
        return [packet, before], b""


class Forgetful:
    """A broker that acknowledges every pack and has lost some of them."""

    def __init__(self, is_lost: Callable[[], bool]) -> None:
        """Describe it.

        Args:
            is_lost: asked for each pack.  By chance, not each sixth in turn: a hub that goes back six packs would lose
                the same one for ever.
        """
        self.lost = 0
        self._is_lost = is_lost

    def __call__(self, packet: bytes) -> tuple[list[bytes], bytes]:
        found = publish_in(packet)
        if not found.identifier or b'"first":' not in found.payload or not self._is_lost():
            return [packet], b""
        self.lost += 1
        return [], _PUBACK + found.identifier

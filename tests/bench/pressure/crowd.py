"""Thousands of hubs in few processes: what each says and when is the gateway's own rule, the MQTT below it by hand.

A gateway has a thread for each of its two connections, and ten thousand threads do not fit here.  So the lines are
asyncio's; when to come back is `gateway.connection`, what to ask, send and send again is `gateway.window`, and the
bytes are `gateway.wire`.  MQTT 3.1.1, section numbers of the standard beside each packet.
"""

import asyncio
import random
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway import window as windows
from gateway import wire
from gateway.config import Config, OutboxFile, Platform, Sending
from gateway.connection import KEEPALIVE_S, Door, attempt_after, wait_s
from gateway.health import Address
from gateway.heartbeat import Heartbeat
from gateway.publisher import _door
from gateway.reading import HubId, SensorId
from gateway.window import Pace, Window
from gateway.wire import Ask, Header, Leaf, Link, Record, Stream

_SENDING: Final = Sending()
_READINGS: Final = Pace(
    pack_records=_SENDING.pack_records,
    window_packs=_SENDING.window_packs,
    linger_s=_SENDING.linger_ms / 1000,
    patience_s=5,
    patience_s_max=60,
)
_PACES: Final = {Stream.READINGS: _READINGS, Stream.ALARMS: windows.ALARMS}
_QUANTITY: Final = {Stream.READINGS: "movement", Stream.ALARMS: "pendant_alarm"}
_CONNECT_PATIENCE_S: Final = 30.0


@dataclass(slots=True)
class CrowdHub:
    """One hub of the crowd.

    Attributes:
        last: the highest number that it has taken in, of each stream.
        stored: called with a stream once all of it is stored.
    """

    hub: str
    lane: int
    secret: str
    stored: Callable[[Stream], None]
    last: dict[Stream, int] = field(default_factory=lambda: dict.fromkeys(Stream, 0))
    began_s: float = field(default_factory=time.time)

    def door(self, stream: Stream, port: int) -> Door:
        """Return how its gateway would hold on to the broker."""
        config = Config(
            hub=HubId(self.hub),
            lane=self.lane,
            secret=self.secret,
            platform=Platform(host="127.0.0.1", port=port, tls=False),
            outbox=OutboxFile(path=":memory:"),
            radio=None,
            recording=None,
            sending=_SENDING,
            health=Address("127.0.0.1", 0),
        )
        return _door(config, stream)

    def topic(self, leaf: Leaf) -> str:
        return wire.topic(self.lane, HubId(self.hub), leaf)

    def uptime_ms(self) -> int:
        return 3_600_000 + int((time.time() - self.began_s) * 1000)

    def pack(self, stream: Stream, first: int, last: int) -> bytes:
        """Return a pack of what it took in, each reading a second after the one before."""
        now_s = time.time()
        records = [
            Record(number, SensorId("hall"), _QUANTITY[stream], 1.0, now_s, "boot-1", 3_600_000 + number)
            for number in range(first, last + 1)
        ]
        header = Header("box-1", stream, first, last, 1, now_s, "boot-1", self.uptime_ms())
        return wire.encode_pack(header, records)


class Line(asyncio.Protocol):
    """One MQTT connection of one hub, and the stream that it drains."""

    def __init__(self, hub: CrowdHub, stream: Stream, door: Door, came: Callable[[Stream], None]) -> None:
        self.over = asyncio.Event()
        self.settled = asyncio.Event()  # It is up, or it never will be.
        self._came = came
        self._is_up = False
        self._up_at_s: float | None = None
        self._hub, self._stream, self._door = hub, stream, door
        self._transport: asyncio.Transport | None = None
        self._bytes = b""
        self._packet = 0
        self._window: Window = windows.opened(now_s=time.monotonic())
        self._next: asyncio.TimerHandle | None = None
        self._ping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        will = self._door.will
        flags = 0b1100_0010 | (0b0010_1100 if will else 0)  # 3.1.2: user, password, clean; will, QoS 1, retained.
        body = (
            _text(b"MQTT") + bytes([4, flags]) + struct.pack(">H", KEEPALIVE_S) + _text(self._door.client_id.encode())
        )
        body += _text(will.topic.encode()) + _text(will.payload) if will else b""
        body += _text(self._door.user.encode()) + _text(self._door.password.encode())
        self._write(0x10, body)

    def connection_lost(self, _: Exception | None) -> None:
        self._is_up = False
        self.settled.set()
        for timer in (self._next, self._ping):
            if timer is not None:
                timer.cancel()
        self.over.set()

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        while (packet := self._packet_at_front()) is not None:
            kind, flags, body = packet
            if kind == 2:  # 3.2 CONNACK
                self._connected(body)
            elif kind == 9:  # 3.9 SUBACK
                self._subscribed()
            elif kind == 3:  # 3.3 PUBLISH
                self._heard(flags, body)

    def up_s(self) -> float:
        """Return since when it is up, or was for how long, in seconds; 0 where it never was."""
        return 0.0 if self._up_at_s is None else time.monotonic() - self._up_at_s

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def look(self) -> None:
        """Ask and send what is due, and look again when more will be."""
        if not self._is_up or self._transport is None or self._transport.is_closing():
            return
        now_s, pace, last = time.monotonic(), _PACES[self._stream], self._hub.last[self._stream]
        for _ in range(100):
            self._window, due = windows.due(
                self._window, oldest=1, last=last, pace=pace, now_s=now_s, chance=random.random()
            )
            if due.ask:
                readings, alarms = (self._hub.last[stream] for stream in (Stream.READINGS, Stream.ALARMS))
                ask = Ask("box-1", readings, alarms, time.time(), "boot-1", self._hub.uptime_ms())
                self._publish(Leaf.ASK, wire.encode_message(ask))
            for first, end in due.packs:
                self._publish(Leaf(self._stream), self._hub.pack(self._stream, first, end))
            if not due.ask and not due.packs:
                break
        if self._next is not None:
            self._next.cancel()
        at_s = windows.next_at(self._window, pace=pace)
        if at_s is not None:
            wait = max(0.01, at_s - time.monotonic())
            self._next = asyncio.get_running_loop().call_later(wait, self.look)

    def _connected(self, body: bytes) -> None:
        if body[1] != 0:
            self.close()
            return
        topic = _text(self._door.topics[0].encode()) + bytes([self._door.qos])
        self._write(0x82, struct.pack(">H", self._next_packet()) + topic)  # 3.8 SUBSCRIBE

    def _subscribed(self) -> None:
        self._is_up, self._up_at_s = True, time.monotonic()
        self.settled.set()
        self._came(self._stream)
        self._window = windows.opened(now_s=time.monotonic())
        if self._stream is Stream.READINGS:
            self._publish(Leaf.LINK, wire.encode_message(Link(up=True)), retain=True)
            beat = Heartbeat(outbox="box-1", sent_at=time.time(), boot="boot-1", uptime_ms=self._hub.uptime_ms())
            self._publish(Leaf.HEARTBEAT, wire.encode_message(beat))
        self._keep_alive()
        self.look()

    def _heard(self, flags: int, body: bytes) -> None:
        (length,) = struct.unpack_from(">H", body)
        at = 2 + length
        if flags & 0b110:
            self._write(0x40, body[at : at + 2])  # 3.4 PUBACK
            at += 2
        answer = wire.decode_stored(body[at:])
        if answer.stream is not self._stream:
            return
        self._window = windows.answered(
            self._window,
            answer.through,
            answers_ask=answer.answers_ask,
            pace=_PACES[self._stream],
            now_s=time.monotonic(),
        )
        if self._window.stored is not None and self._window.stored >= self._hub.last[self._stream]:
            self._hub.stored(self._stream)
        self.look()

    def _keep_alive(self) -> None:
        self._write(0xC0, b"")  # 3.12 PINGREQ
        self._ping = asyncio.get_running_loop().call_later(KEEPALIVE_S, self._keep_alive)

    def _publish(self, leaf: Leaf, payload: bytes, *, retain: bool = False) -> None:
        head = _text(self._hub.topic(leaf).encode()) + struct.pack(">H", self._next_packet())
        self._write(0x32 | int(retain), head + payload)

    def _next_packet(self) -> int:
        self._packet = self._packet % 65_535 + 1
        return self._packet

    def _write(self, first: int, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(bytes([first]) + _length(len(body)) + body)

    def _packet_at_front(self) -> tuple[int, int, bytes] | None:
        size, shift, at = 0, 0, 1
        while at < len(self._bytes):
            size |= (self._bytes[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not self._bytes[at - 1] & 0x80:
                break
        else:
            return None
        if len(self._bytes) < at + size:
            return None
        first, body = self._bytes[0], self._bytes[at : at + size]
        self._bytes = self._bytes[at + size :]
        return first >> 4, first & 0x0F, body


async def hold_on(
    hub: CrowdHub,
    stream: Stream,
    port: int,
    *,
    came: Callable[[Stream], None],
    went: Callable[[Stream], None],
    is_urgent: Callable[[Stream], bool],
) -> None:
    """Hold on to the broker for ever, coming back as a gateway's connection does.

    Args:
        hub: whose line.
        stream: which of its two.
        port: of the broker.
        came: told before the line asks and sends for the first time.
        went: told whenever an attempt has ended, however it went.
        is_urgent: whether a stream has what cannot wait.
    """
    door = hub.door(stream, port)
    loop, attempt = asyncio.get_running_loop(), 0
    while True:
        line = Line(hub, stream, door, came)
        try:
            async with asyncio.timeout(_CONNECT_PATIENCE_S):
                await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]  # a default is not seen through
                await line.settled.wait()
            await line.over.wait()
        except (OSError, TimeoutError):
            line.close()
        went(stream)
        attempt = attempt_after(door, attempt, up_s=line.up_s())
        await asyncio.sleep(wait_s(door, attempt, random.random(), is_urgent=is_urgent(stream)))


def _text(said: bytes) -> bytes:
    return struct.pack(">H", len(said)) + said


def _length(size: int) -> bytes:
    said = b""
    while True:
        size, low = size >> 7, size & 0x7F
        if not size:
            return said + bytes([low])
        said += bytes([low | 0x80])

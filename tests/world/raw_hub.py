"""A hub without a gateway: says exactly what a test tells it to, and keeps what it was answered."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway import wire
from gateway.heartbeat import Heartbeat
from gateway.reading import HubId, SensorId
from gateway.wire import Ask, Header, Leaf, Record, Stored, Stream

PATIENCE_S = 60.0


def record(
    number: int, *, value: float = 1.0, quantity: str = "movement", sensor: str = "hall", boot: str = "boot-1"
) -> Record:
    """Return one reading, observed when its number is milliseconds of uptime."""
    return Record(number, SensorId(sensor), quantity, value, time.time(), boot, number)


def pack(stream: Stream, records: list[Record], *, outbox: str = "box-1", oldest: int = 1, **header: object) -> bytes:
    """Return a pack that is sent now, from a hub whose clock is right and whose uptime is an hour."""
    said = {
        "outbox": outbox,
        "stream": stream,
        "first": records[0].number,
        "last": records[-1].number,
        "oldest": oldest,
        "sent_at": time.time(),
        "boot": "boot-1",
        "uptime_ms": 3_600_000,
    } | header
    return wire.encode_pack(msgspec.convert(said, Header), records)


class RawHub:
    """One MQTT connection as a hub; its answers in the order in which they came."""

    def __init__(self, hub: str, lane: int, *, port: int, secret: str) -> None:
        """Connect to nothing yet."""
        self.hub = HubId(hub)
        self.lane = lane
        self.answers: list[Stored] = []
        self._news = threading.Condition()
        self._subscribed = threading.Event()
        self._paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{hub}-raw-{time.monotonic_ns()}")
        self._paho.username_pw_set(hub, secret)
        self._paho.on_connect = self._on_connect
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_message = self._on_message
        self._paho.reconnect_delay_set(1, 1)
        self._port = port

    def __enter__(self) -> Self:
        self._paho.connect("127.0.0.1", self._port)
        self._paho.loop_start()
        assert self._subscribed.wait(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, where: TracebackType | None
    ) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    @property
    def is_connected(self) -> bool:
        return self._paho.is_connected()

    def say(self, leaf: Leaf, payload: bytes, *, retain: bool = False, lane: int | None = None) -> None:
        """Publish, and return when the broker has it."""
        topic = wire.topic(self.lane if lane is None else lane, self.hub, leaf)
        self._paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def send(self, stream: Stream, numbers: range, **more: object) -> None:
        """Send readings or alarms with these numbers."""
        quantity = "pendant_alarm" if stream is Stream.ALARMS else "movement"
        said = pack(stream, [record(number, quantity=quantity) for number in numbers], **more)  # type: ignore[arg-type]
        self.say(Leaf(stream), said)

    def ask(self, *, outbox: str = "box-1", readings: int = 0, alarms: int = 0) -> None:
        """Ask what is stored."""
        self.say(Leaf.ASK, wire.encode_message(Ask(outbox, readings, alarms, time.time(), "boot-1", 3_600_000)))

    def beat(self, **more: object) -> None:
        """Say that it is alive."""
        said = {"outbox": "box-1", "sent_at": time.time(), "boot": "boot-1", "uptime_ms": 3_600_000} | more
        self.say(Leaf.HEARTBEAT, wire.encode_message(msgspec.convert(said, Heartbeat)))

    def through(self, stream: Stream, *, outbox: str = "box-1") -> int | None:
        """Return what it was last told is stored."""
        with self._news:
            told = [one.through for one in self.answers if (one.stream, one.outbox) == (stream, outbox)]
        return told[-1] if told else None

    def wait_until(self, is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> bool:
        """Return whether something came true with the answers that came in time."""
        with self._news:
            return self._news.wait_for(is_so, within_s)

    def wait_through(self, stream: Stream, number: int, *, outbox: str = "box-1", within_s: float = PATIENCE_S) -> bool:
        """Return whether it was told in time that so much is stored."""
        return self.wait_until(
            lambda: any((a.stream, a.outbox, a.through) == (stream, outbox, number) for a in self.answers),
            within_s=within_s,
        )

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if not code.is_failure:
            client.subscribe(wire.topic(self.lane, self.hub, Leaf.STORED), qos=1)

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed.set()

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.answers.append(wire.decode_stored(bytes(message.payload)))
            self._news.notify_all()

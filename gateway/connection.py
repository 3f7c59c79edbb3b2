"""How does a hub hold on to a broker?  The one place that meets paho; `radio` and `publisher` stand on it.

A new client for each connection: paho keeps what it did not send and would send it again on the next one, with
a header that says the time of the last.  What was not sent is in the outbox anyway.
"""

import itertools
import logging
import random
import ssl
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.clock import monotonic_s

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 20
"""A stalled line is given up after half as long again, 30 s: the platform stops trusting a header's `sent_at` that
is off by more (design, Clocks)."""

_QUEUED_MAX: Final = 500
"""Messages that wait in paho for the line.  What does not fit is sent again from the outbox."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker shall say, retained, when we are gone."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Door:
    """Which broker, as whom, and how soon to come back.

    Attributes:
        name: for logs and metrics.
        host: of the broker; of a cluster, those of its nodes with commas between them.
        port: likewise.
        client_id: one for each connection of a hub.
        user: empty where the broker asks for none.
        password: likewise.
        topics: to hear.
        qos: at which they are heard.
        is_session_kept: whether the broker shall keep what it could not deliver.
        first_wait_s: the first wait before coming back is even between 0 and this; then doubled.
        longest_wait_s: up to this.  Full jitter, so that 10,000 hubs come back in an orderly way (ETSI TS 103 645 4.9).
        urgent_wait_s: up to this while something waits that cannot.
        tls: how to check the broker's certificate, or None without TLS.
        will: what the broker says when we are gone, or None.
    """

    name: str
    host: str
    port: int
    client_id: str
    user: str
    password: str
    topics: tuple[str, ...]
    qos: int = 1
    is_session_kept: bool = False
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    urgent_wait_s: float = 5.0
    tls: ssl.SSLContext | None = None
    will: Will | None = None


def wait_s(door: Door, attempt: int, chance: float, *, is_urgent: bool = False) -> float:
    """Return how long to wait before coming back, in real seconds.

    Args:
        door: where to.
        attempt: how many failed in a row before this wait, less one.
        chance: 0 to 1, evenly.
        is_urgent: whether something waits that cannot, an alarm.
    """
    longest_s = min(door.longest_wait_s, door.urgent_wait_s) if is_urgent else door.longest_wait_s
    return chance * min(longest_s, door.first_wait_s * 2.0 ** min(attempt, 16))


def attempt_after(door: Door, attempt: int, *, up_s: float) -> int:
    """Return how many attempts failed in a row, once one is over.

    A line that breaks at once is no better than one that cannot be made: two hubs with one name do that.  And that an
    attempt took long says nothing for it: a broker to which all hubs come at once answers none of them for half a
    minute, and must not find that they come back the sooner.

    Args:
        door: where to.
        attempt: how many had failed before.
        up_s: for how long the line was up, in real seconds; 0 where it never was.
    """
    return 0 if up_s > door.longest_wait_s else attempt + 1


def nodes(door: Door) -> tuple[str, ...]:
    """Return the hosts as this client tries them, from one of its own: else all hubs meet at the one named first."""
    hosts = [host for part in door.host.split(",") if (host := part.strip())] or [door.host]
    first = zlib.crc32(door.client_id.encode()) % len(hosts)
    return (*hosts[first:], *hosts[:first])


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as a broker handed it to us.

    Attributes:
        topic: empty where it was not even UTF-8.
        payload: as published.
        is_retained: whether the broker kept it from earlier.
        packet: the broker's own number for it, the same when it hands it out again (MQTT 3.1.1, 4.4).
        is_again: whether the broker says that it handed it out before.
    """

    topic: str
    payload: bytes
    is_retained: bool = False
    packet: int = 0
    is_again: bool = False


class Listener(Protocol):
    """Hears what happens on a connection, in the connection's own thread."""

    def connected(self, name: str, *, has_session: bool) -> None: ...

    def disconnected(self, name: str) -> None: ...

    def received(self, name: str, delivery: Delivery) -> bool:
        """Take a message in, and return whether it was: only then it is acknowledged to the broker."""


class Connection:
    """Keeps one connection to a broker, from a thread of its own, until it is closed."""

    def __init__(self, door: Door, listener: Listener, *, chance: Callable[[], float] = random.random) -> None:
        self._door = door
        self._nodes = nodes(door)
        self._hosts = itertools.cycle(self._nodes)
        self._listener = listener
        self._chance = chance
        self._client: paho.Client | None = None  # The one that is connected and subscribed.
        self._trying: paho.Client | None = None
        self._up_at_s: float | None = None
        self._closing = threading.Event()
        self._is_urgent = False
        self._turned = threading.Event()  # It is urgent now, or we are closed: whoever waits looks again.
        self._thread = threading.Thread(target=self._run, name=door.name, daemon=True)

    def open(self) -> None:
        """Begin to connect, and come back by itself from now on."""
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Return whether it is connected and what it wants to hear is subscribed."""
        return self._client is not None

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the line at QoS 1, and return whether it was taken; that it arrives is not known."""
        client = self._client
        if client is None:
            return False
        return client.publish(topic, payload, qos=1, retain=retain).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def hurry(self, *, is_urgent: bool) -> None:
        """Come back now, and soon from now on, while something waits that cannot.

        So of the thousands that come back over a minute the few that hold an alarm are first.
        """
        began, self._is_urgent = is_urgent and not self._is_urgent, is_urgent
        if began:
            self._turned.set()

    def close(self, *, last_words: Will | None = None, within_s: float = 3.0) -> None:
        """Say a last retained message, go, and come back no more.  Never longer than `within_s` each step."""
        self._closing.set()
        self._turned.set()
        client, trying = self._client, self._trying
        if client is not None and last_words is not None:
            said = client.publish(last_words.topic, last_words.payload, qos=1, retain=True)
            if said.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
                said.wait_for_publish(within_s)
        if trying is not None:
            trying.disconnect()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            self._up_at_s = None
            self._live(self._prepared(), next(self._hosts))
            up_s = 0.0 if self._up_at_s is None else monotonic_s() - self._up_at_s
            attempt = attempt_after(self._door, attempt, up_s=up_s)
            self._wait(attempt)

    def _wait(self, attempt: int) -> None:
        """Wait before coming back, and less if that becomes urgent meanwhile."""
        self._turned.clear()
        if self._closing.is_set():
            return
        # Nodes that were not tried yet are no reason to wait longer.
        attempt //= len(self._nodes)
        if self._turned.wait(wait_s(self._door, attempt, self._chance(), is_urgent=self._is_urgent)):
            self._closing.wait(wait_s(self._door, 0, self._chance(), is_urgent=True))

    def _live(self, client: paho.Client, host: str) -> None:
        """Connect, and stay until the line breaks or we are closed."""
        self._trying = client
        try:
            client.connect(host, self._door.port, KEEPALIVE_S)
            client.loop_forever()
        except OSError as why:
            log.info("broker not reached", extra={"door": self._door.name, "why": type(why).__name__})
        except Exception:  # A hub whose thread has died is mute for good; whatever it was, come back.
            log.exception("connection broke", extra={"door": self._door.name})
        finally:
            if self._client is not None:
                self._client = None
                self._listener.disconnected(self._door.name)

    def _prepared(self) -> paho.Client:
        door = self._door
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=door.client_id,
            clean_session=not door.is_session_kept,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_queued_messages_set(_QUEUED_MAX)
        client.max_inflight_messages_set(_QUEUED_MAX)
        if door.user:
            client.username_pw_set(door.user, door.password)
        if door.tls is not None:
            client.tls_set_context(door.tls)
        if door.will is not None:
            client.will_set(door.will.topic, door.will.payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: paho.Client, _: object, flags: paho.ConnectFlags, code: ReasonCode, __: Properties | None
    ) -> None:
        if self._closing.is_set():
            client.disconnect()
            return
        if code.is_failure:
            log.warning("broker turned us away", extra={"door": self._door.name, "why": str(code)})
            client.disconnect()
            return
        client.user_data_set(flags.session_present)
        client.subscribe([(topic, self._door.qos) for topic in self._door.topics])

    def _on_subscribe(
        self, client: paho.Client, had_session: object, _: int, codes: list[ReasonCode], __: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes):
            log.warning("broker does not let us listen", extra={"door": self._door.name})
            client.disconnect()
            return
        self._client, self._up_at_s = client, monotonic_s()
        self._listener.connected(self._door.name, has_session=bool(had_session))

    def _on_message(self, client: paho.Client, __: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # Not MQTT (section 1.5.3), and no topic of ours: passed over.
        delivery = Delivery(topic, bytes(message.payload), message.retain, message.mid, message.dup)
        if self._listener.received(self._door.name, delivery):
            client.ack(message.mid, message.qos)

"""How does a message get from a home's Zigbee2MQTT to the home's own broker?

The one door to paho.  It behaves as Zigbee2MQTT's client does: MQTT 3.1.1, a clean session, a last will that says
the bridge is offline; what is published while there is no connection is lost, and what was on its way when the
line broke is sent again after it is back.  The network has a thread of its own, which only ever puts what it
learns into the queue it was given; everything else is done by the one thread that reads that queue.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware_sim.bridge import STATE_TOPIC, Message

_KEEP_ALIVE_S: Final = 60
# mqtt.js tries every second; we back off a little, so that a street of homes does not hammer a broker that starts.
_RECONNECT_S: Final = (1, 8)
_QUEUED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a home's own broker listens, and as whom Zigbee2MQTT signs in."""

    host: str
    port: int
    user: str | None
    password: str | None


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker of this home took the connection."""

    home: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection of this home is gone, or was refused."""

    home: str
    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The broker acknowledged a message (QoS 1), or the network took it (QoS 0)."""

    home: str
    message_id: int
    real_s: float


Told = Connected | Disconnected | Delivered


class Radio:
    """One home's connection to its broker; it comes back by itself."""

    def __init__(self, home: str, broker: Broker, tell: Callable[[Told], None]) -> None:
        """Prepare a connection; nothing is opened yet.

        Args:
            home: whose it is; named in all that is told.
            broker: where to, and as whom.
            tell: called from the network's thread; must not block.
        """
        self._home = home
        self._broker = broker
        self._tell = tell
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"mqttjs_{os.urandom(4).hex()}",
            clean_session=True,
            protocol=paho.MQTTv311,
        )
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        client.will_set(STATE_TOPIC, '{"state":"offline"}', qos=1, retain=True)
        client.reconnect_delay_set(*_RECONNECT_S)
        client.max_queued_messages_set(_QUEUED_MAX)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client
        self._is_cut = False

    def start(self) -> None:
        """Start the network's thread, which connects, and connects again whenever it must."""
        self._is_cut = False
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=_KEEP_ALIVE_S)
        self._client.loop_start()

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected() and not self._is_cut

    def send(self, message: Message) -> int | None:
        """Send a message and return the id under which its fate will be told, or None: it is lost."""
        if not self._client.is_connected():
            return None
        sent = self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        # Without a connection paho keeps a QoS 1 message for the next one, as mqtt.js does; anything else is lost.
        kept = sent.rc == paho.MQTT_ERR_SUCCESS or (sent.rc == paho.MQTT_ERR_NO_CONN and message.qos > 0)
        return sent.mid if kept else None

    def cut(self) -> None:
        """Be gone without a word, as when the power fails: the broker finds out and says the last will."""
        self._is_cut = True
        self._client.loop_stop()
        line = self._client.socket()
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()

    def stop(self) -> None:
        """Say good-bye to the broker, so that it keeps the last will to itself, and end the network's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self,
        _client: paho.Client,
        _user_data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(Disconnected(self._home, str(reason)) if reason.is_failure else Connected(self._home))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _user_data: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(Disconnected(self._home, str(reason)))

    def _on_publish(
        self,
        _client: paho.Client,
        _user_data: object,
        message_id: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._tell(Delivered(self._home, message_id, time.time()))

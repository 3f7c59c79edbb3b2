"""What does the home's equipment say?  The door to the home's own broker.

Its session is kept there, and a message is acknowledged only once it is in the outbox: a gateway that restarts
has missed nothing that was published at QoS 1.  But MQTT carries no time.  What waited at the broker for longer
than a restart takes is *late*: an alarm counts, a reading would be stamped with the wrong moment and is left out.
What waited is told from what is new by a *marker* that we send ourselves: the broker hands out first what waited.

A kill between our commit and our acknowledgement makes the broker hand the same message out *again*.  The last
few that were kept are therefore remembered in the same transaction; an alarm counts even so.  A message is known
again by the moment in it (Zigbee2MQTT's `last_seen`), or without one by the broker's number for it.  Mosquitto keeps
that number; NATS begins at 1 again, and would make one movement another's echo: beside NATS the moment is needed.
"""

import hashlib
import logging
import secrets
from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.adapters.zigbee2mqtt import Message
from gateway.clock import Moment, kernel_boot_id
from gateway.config import Radio as RadioConfig
from gateway.connection import Connection, Delivery, Door, Listener
from gateway.reading import HubId, from_unix_s
from gateway.wire import Record

log = logging.getLogger(__name__)

NAME: Final = "radio"

LOCAL_ALARM_TOPIC: Final = "telecare/local/alarm"
"""Where the hub says aloud, on the home's own broker, that an alarm has not reached anybody yet."""

LATE_AFTER_S: Final = 60.0
"""A reading that waited no longer than this is stamped with now.  A restart takes seconds; stillness counts minutes."""

_MARKER_TOPIC: Final = "telecare/local/here"

_MARKER_MISSED_AFTER_S: Final = 10.0
"""A broker that does not let us publish the marker must not make every reading late for good: where nothing came for so
long, nothing waits."""

_MARKER_MISSED_AFTER_S_MAX: Final = 600.0
"""And where something comes all the time, not for longer than this.  Ours: 20,000 messages that had waited were heard
within 10 s here (2026-11-22), and are within minutes on a hub that is ten times slower."""


_NO_BOOT: Final = ""
"""Of no kernel: nobody knows for how long the radio was not heard."""

_REMEMBERED_MAX: Final = 128
"""Messages that may be on their way to us at once: Mosquitto stops at 20 by default, NATS at 100."""


class LastHeard(msgspec.Struct, frozen=True):
    """What the outbox remembers of the radio, so that a restart knows what it missed and what it has.

    Attributes:
        boot: the kernel's id of the boot in which this was written.
        real_s: when, in real seconds of that boot.
        taken: the last messages that were kept, as `_fingerprint`.
    """

    boot: str
    real_s: float
    taken: list[str]


class LocalAlarm(msgspec.Struct, frozen=True):
    """What is said aloud: nobody outside knows of this alarm yet."""

    sensor: str
    quantity: str
    observed_at: str


class Radio:
    """The connection to the home's own broker.  All methods are for the thread that owns the outbox."""

    def __init__(self, config: RadioConfig, hub: HubId, listener: Listener, *, last: LastHeard | None) -> None:
        """Prepare it.

        Args:
            config: which broker.
            hub: whose.
            listener: hears what comes in.
            last: what the outbox remembers of the radio, or None.
        """
        self._marker_topic = f"{_MARKER_TOPIC}/{hub}"
        self._connection = Connection(
            Door(
                name=NAME,
                host=config.host,
                port=config.port,
                client_id=f"{hub}-radio",
                user=config.user,
                password=config.password,
                topics=(f"{config.base_topic}/#", self._marker_topic),
                is_session_kept=True,
                first_wait_s=0.5,
                longest_wait_s=5.0,
            ),
            listener,
        )
        self._boot = kernel_boot_id()
        self._away_since_s = last.real_s if last is not None and last.boot == self._boot else None
        self._taken = deque(() if last is None else last.taken, maxlen=_REMEMBERED_MAX)
        self._connected_at_s: float | None = None
        self._waiting_heard_at_s = 0.0
        self._marker: bytes | None = None

    def open(self) -> None:
        self._connection.open()

    def close(self) -> None:
        self._connection.close()

    def hears(self, *, moment: Moment) -> bool:
        """Return whether what the equipment says now is heard as new: what waited at the broker is behind us."""
        return self._connection.is_up and self._is_caught_up(moment.real_s)

    def connected(self, *, moment: Moment) -> None:
        """Take in that the connection was made."""
        self._connected_at_s = self._waiting_heard_at_s = moment.real_s
        self._marker = secrets.token_hex(8).encode()
        self._connection.send(self._marker_topic, self._marker)

    def disconnected(self, *, moment: Moment) -> None:
        if self._connected_at_s is not None and self._marker is None:
            self._away_since_s = moment.real_s
        self._connected_at_s = None

    def heard(self, delivery: Delivery, *, moment: Moment) -> Message | None:
        """Return the message for the adapter, or None if it was our own marker."""
        if delivery.topic == self._marker_topic:
            if delivery.payload == self._marker:
                self._marker = None
            return None
        is_late = self._has_waited(moment.real_s)
        self._waiting_heard_at_s = moment.real_s
        return Message(
            topic=delivery.topic,
            payload=delivery.payload,
            is_retained=delivery.is_retained,
            wall_at=moment.now,
            uptime_ms=moment.uptime_ms,
            is_late=is_late,
        )

    def is_taken_already(self, delivery: Delivery) -> bool:
        """Return whether this very message was kept before, and only our acknowledgement of it was lost."""
        return delivery.is_again and _fingerprint(delivery) in self._taken

    def last_heard(self, taken: Iterable[Delivery], *, moment: Moment) -> LastHeard:
        """Return what to remember once these messages, too, are kept.

        While we still hear what waited, a restart must know since when it waits, and not that we were alive just now.
        """
        self._taken.extend(_fingerprint(delivery) for delivery in taken)
        through_s = moment.real_s if self._is_caught_up(moment.real_s) else self._away_since_s
        if through_s is None:
            return LastHeard(_NO_BOOT, 0.0, list(self._taken))
        return LastHeard(self._boot, through_s, list(self._taken))

    def say_aloud(self, alarm: Record) -> None:
        """Say in the home that an alarm has not reached anybody yet."""
        said = LocalAlarm(alarm.sensor, alarm.quantity, from_unix_s(max(0.0, alarm.wall_s)).isoformat())
        if not self._connection.send(LOCAL_ALARM_TOPIC, msgspec.json.encode(said)):
            log.error("alarm not said aloud: the home's own broker is away", extra={"number": alarm.number})

    def _has_waited(self, real_s: float) -> bool:
        """Return whether a message that comes now may have waited at the broker for too long."""
        if self._is_caught_up(real_s):
            return False
        return self._away_since_s is None or real_s - self._away_since_s > LATE_AFTER_S

    def _is_caught_up(self, real_s: float) -> bool:
        if self._connected_at_s is None:
            return False
        is_missed = (
            real_s - self._waiting_heard_at_s > _MARKER_MISSED_AFTER_S
            or real_s - self._connected_at_s > _MARKER_MISSED_AFTER_S_MAX
        )
        if is_missed:
            self._marker = None
        return self._marker is None


class _Dated(msgspec.Struct, frozen=True):
    """The part of a Zigbee2MQTT message that says when the device spoke, if `advanced.last_seen` is set."""

    last_seen: str | int | None = None


_decode_dated: Final = msgspec.json.Decoder(_Dated).decode


def _fingerprint(delivery: Delivery) -> str:
    whole = hashlib.blake2b(delivery.topic.encode() + b"\0" + delivery.payload, digest_size=8).hexdigest()
    return whole if _is_dated(delivery.payload) else f"{delivery.packet}:{whole}"


def _is_dated(payload: bytes) -> bool:
    """Return whether it carries a moment to the millisecond (`ISO_8601` and `epoch` do, `ISO_8601_local` does not)."""
    try:
        said = _decode_dated(payload).last_seen
    except msgspec.DecodeError:
        return False
    return isinstance(said, int) or (said is not None and "." in said)

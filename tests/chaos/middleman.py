"""Stands between a hub and the broker, and does to its messages what networks and brokers do.

It reads MQTT just well enough to see where a packet ends and whether it is a PUBLISH.
"""

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final

from deploy.embedded import machine

_PUBLISH: Final = 3
_PUBACK: Final = b"\x40\x02"
_DUPLICATE: Final = 0x08

Treat = Callable[[bytes], tuple[list[bytes], bytes]]
"""From a PUBLISH of the hub: what the broker gets instead, and what the hub is answered on the broker's behalf."""


def twice(packet: bytes) -> tuple[list[bytes], bytes]:
    """Deliver everything two times."""
    return [packet, bytes([packet[0] | _DUPLICATE]) + packet[1:]], b""


class Forgetful:
    """A broker that acknowledges every pack and has lost a sixth of them."""

    def __init__(self) -> None:
        self.lost = 0
        self._chance = random.Random(1)

    def __call__(self, packet: bytes) -> tuple[list[bytes], bytes]:
        identifier = _packet_identifier(packet)
        # By chance, not each sixth in turn: a hub that goes back six packs would lose the same one for ever.
        if identifier is None or b'"first":' not in packet or self._chance.random() > 1 / 6:
            return [packet], b""
        self.lost += 1
        return [], _PUBACK + identifier


class Middleman:
    """Listens where the hub believes that the broker is."""

    def __init__(self, broker_port: int, treat: Treat) -> None:
        """Listen at once."""
        self.port = machine.free_port()
        self._broker_port = broker_port
        self._treat = treat
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, name="middleman", daemon=True).start()

    def stop(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                hub, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
                self._open += [hub, broker]
                # What both threads say to the hub goes out in whole packets, one after the other.
                one_by_one = threading.Lock()
                threading.Thread(target=self._to_broker, args=(hub, broker, one_by_one), daemon=True).start()
                threading.Thread(target=self._to_hub, args=(broker, hub, one_by_one), daemon=True).start()

    def _to_broker(self, hub: socket.socket, broker: socket.socket, one_by_one: threading.Lock) -> None:
        with contextlib.suppress(OSError):
            for packet in _packets(hub):
                instead, answer = self._treat(packet) if packet[0] >> 4 == _PUBLISH else ([packet], b"")
                for one in instead:
                    broker.sendall(one)
                with one_by_one:
                    hub.sendall(answer)
        _end(hub, broker)

    @staticmethod
    def _to_hub(broker: socket.socket, hub: socket.socket, one_by_one: threading.Lock) -> None:
        with contextlib.suppress(OSError):
            for packet in _packets(broker):
                with one_by_one:
                    hub.sendall(packet)
        _end(hub, broker)


def _end(*several: socket.socket) -> None:
    for one in several:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _packets(source: socket.socket) -> Iterator[bytes]:
    """Return whole MQTT packets (MQTT 3.1.1, 2.2: a byte, the remaining length, the rest) until the line ends."""
    waiting = b""
    while some := source.recv(65536):
        waiting += some
        while (end := _end_of_packet(waiting)) is not None:
            yield waiting[:end]
            waiting = waiting[end:]


def _end_of_packet(said: bytes) -> int | None:
    length, shift = 0, 0
    for place, byte in enumerate(said[1:5], start=2):
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return place + length if len(said) >= place + length else None
    return None


def _packet_identifier(packet: bytes) -> bytes | None:
    """Return the identifier of a QoS 1 PUBLISH (3.3.2.2), which follows its topic."""
    if not packet[0] & 0x06:
        return None
    start = next(place for place, byte in enumerate(packet[1:5], start=2) if not byte & 0x80)
    topic = int.from_bytes(packet[start : start + 2], "big")
    return packet[start + 2 + topic : start + 4 + topic]

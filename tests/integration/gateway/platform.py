"""A platform that keeps numbers as the design says, written from the design alone: it imports nothing of the gateway.

It lives behind a real broker.  A test may make it mute, deaf to some packs, or restore it from an older backup.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

Key = tuple[str, str, str]  # hub, outbox, stream


class Platform:
    """Answers hubs: what is stored, through which number."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self.through: dict[Key, int] = defaultdict(int)
        self.records: dict[Key, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.lost: list[tuple[Key, int, int]] = []
        self.packs: list[tuple[float, Key, dict[str, Any], list[dict[str, Any]]]] = []
        self.asks: list[tuple[str, dict[str, Any]]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.links: list[bool] = []
        self.order: list[str] = []
        self.is_mute = False
        self.hears: Callable[[int], bool] = lambda _: True  # Given a count of packs so far: is this one heard?
        self._count = 0
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="platform-of-the-tests")
        self._client.username_pw_set(user, secret)
        self._client.reconnect_delay_set(1, 1)
        self._ready = threading.Event()
        leaves = ("readings", "alarms", "heartbeat", "link", "ask")
        self._client.on_connect = lambda c, *_: c.subscribe([(f"telecare/v1/+/+/{leaf}", 1) for leaf in leaves])
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._port = port

    def start(self) -> "Platform":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._ready.wait(60)
        return self

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def restore(self, backup: dict[Key, int]) -> None:
        """Go back to what an older backup has."""
        with self._lock:
            for key in list(self.through):
                self.through[key] = backup.get(key, 0)
                self.records[key] = {n: r for n, r in self.records[key].items() if n <= self.through[key]}

    def values(self, hub: str, stream: str) -> list[tuple[str, float]]:
        """Return all names and values stored of a hub's stream, outbox by outbox, in order of their numbers."""
        return [
            (record["n"], record["v"])
            for key, records in self.records.items()
            if (key[0], key[2]) == (hub, stream)
            for _, record in sorted(records.items())
        ]

    def _on_message(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        _, _, lane, hub, leaf = message.topic.split("/")
        with self._lock:
            self.order.append(leaf)
            if leaf == "heartbeat":
                self.heartbeats.append(json.loads(message.payload))
            elif leaf == "link":
                self.links.append(json.loads(message.payload)["up"])
            elif leaf == "ask":
                self._asked(lane, hub, json.loads(message.payload))
            elif leaf in {"readings", "alarms"}:
                self._take(lane, hub, leaf, bytes(message.payload))

    def _asked(self, lane: str, hub: str, ask: dict[str, Any]) -> None:
        self.asks.append((hub, ask))
        for stream in ("readings", "alarms"):
            self._answer(lane, (hub, ask["outbox"], stream), answers_ask=True)

    def _take(self, lane: str, hub: str, stream: str, payload: bytes) -> None:
        self._count += 1
        if not self.hears(self._count):
            return
        line, body = payload.split(b"\n", 1)
        header, records = json.loads(line), json.loads(body)
        key = (hub, header["outbox"], stream)
        self.packs.append((time.monotonic(), key, header, records))
        if header["oldest"] > self.through[key] + 1:
            self.lost.append((key, self.through[key] + 1, header["oldest"] - 1))
            self.through[key] = header["oldest"] - 1
        if header["first"] <= self.through[key] + 1:
            for number, record in enumerate(records, start=header["first"]):
                if number == self.through[key] + 1:
                    assert number not in self.records[key]
                    self.records[key][number] = record
                    self.through[key] = number
        self._answer(lane, key)

    def _answer(self, lane: str, key: Key, *, answers_ask: bool = False) -> None:
        if self.is_mute:
            return
        said: dict[str, Any] = {"outbox": key[1], "stream": key[2], "through": self.through[key]}
        if answers_ask:
            said["answers_ask"] = True
        self._client.publish(f"telecare/v1/{lane}/{key[0]}/stored", json.dumps(said), qos=1)

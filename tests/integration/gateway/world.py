"""A home with real brokers around a real gateway: what the tests of this folder are told in."""

import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded import machine
from gateway.clock import Clock
from gateway.config import Config
from gateway.hub import Hub, Status

HUB = "hub-1"
LANE = 7


def wait_until(true: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Return once something is true; fail loudly if it does not become so."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class LocalBroker:
    """A home's own Mosquitto, open to all on the loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = machine.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

    def start(self) -> None:
        program = self.program()
        assert program is not None
        config = self._folder / "local.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: machine.accepts(self.port))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Equipment:
    """Zigbee2MQTT's place on the home's own broker."""

    def __init__(self, port: int, user: str = "", password: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="zigbee2mqtt")
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_message = lambda _, __, m: self.heard.append((m.topic, bytes(m.payload)))
        ready = threading.Event()
        self._client.on_connect = lambda c, *_: c.subscribe("telecare/local/alarm", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(60)

    def says(self, device: str, said: dict[str, Any] | bytes, *, retain: bool = False) -> None:
        payload = said if isinstance(said, bytes) else json.dumps(said).encode()
        self._client.publish(f"zigbee2mqtt/{device}", payload, qos=1, retain=retain).wait_for_publish(5)

    def begins_to_say(self, device: str, said: dict[str, Any]) -> None:
        """Say it without waiting until the broker has it."""
        self._client.publish(f"zigbee2mqtt/{device}", json.dumps(said).encode(), qos=1)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class RunningHub:
    """A gateway in a thread of the test, which can be stopped in order and started again."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.hub: Hub | None = None
        self._thread: threading.Thread | None = None
        self._boots = 0

    def start(self) -> Hub:
        self._boots += 1
        made: queue.SimpleQueue[Hub] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(made,), name="hub", daemon=True)
        self._thread.start()
        self.hub = made.get(timeout=60)
        return self.hub

    def _run(self, made: "queue.SimpleQueue[Hub]") -> None:
        # Made in the thread that runs it: sqlite minds.
        hub = Hub(Config.from_env(self.env), Clock.from_env(self.env), boot=f"boot-{self._boots}")
        made.put(hub)
        hub.run()

    def stop(self) -> None:
        if self.hub is not None and self._thread is not None:
            self.hub.stop()
            self._thread.join(60)
            assert not self._thread.is_alive()
            self.hub = None

    def now(self) -> datetime:
        return Clock.from_env(self.env).now()

    @property
    def status(self) -> Status:
        assert self.hub is not None
        return self.hub.status

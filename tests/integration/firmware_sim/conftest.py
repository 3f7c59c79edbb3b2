"""A home's own broker, a simulator as a process of its own, and a listener that writes down what it hears."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded import machine

SECONDS: Final = 60.0
ROOMS: Final = ("hallway", "lounge", "kitchen", "bathroom", "bedroom")


def wait_until(condition: Callable[[], bool], *, within_s: float = SECONDS) -> bool:
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass(slots=True)
class HomeBroker:
    """The broker in a home, which can be killed and started again on the same disk."""

    words: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log)
        assert wait_until(self._listens), self.log.read_text()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _listens(self) -> bool:
        with socket.socket() as knocker:
            return knocker.connect_ex(("127.0.0.1", self.port)) == 0


def nats(folder: Path, port: int) -> list[str]:
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: home\nlisten: "127.0.0.1:{machine.free_port()}"\n'
        f'jetstream {{ store_dir: "{folder}/store" }}\nmqtt {{ listen: "127.0.0.1:{port}" }}\n'
    )
    # The wheel puts it beside the interpreter that runs us.
    return [str(Path(sys.executable).parent / "nats-server"), "-c", str(config)]


def mosquitto(folder: Path, port: int) -> list[str]:
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("mosquitto is not installed on this machine")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    return [binary, "-c", str(config)]


@pytest.fixture(params=[nats, mosquitto], ids=["nats", "mosquitto"])
def home_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HomeBroker]:
    port = machine.free_port()
    broker = HomeBroker(request.param(tmp_path, port), port, tmp_path / "broker.log")
    broker.start()
    yield broker
    broker.kill()


@dataclass(slots=True)
class Heard:
    """What one listener heard, in order: topic, payload, QoS, retained."""

    client: paho.Client
    messages: list[tuple[str, Any, int, bool]] = field(default_factory=list)

    def of(self, topic: str) -> list[Any]:
        return [payload for it, payload, _, _ in self.messages if it == topic]


@pytest.fixture
def listen(home_broker: HomeBroker) -> Iterator[Callable[[], Heard]]:
    """Return a function that begins to listen to everything in the home."""
    opened: list[Heard] = []

    def begin() -> Heard:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"listener-{len(opened)}")
        heard = Heard(client)
        ready = threading.Event()
        client.on_message = lambda _c, _u, message: heard.messages.append(
            (message.topic, json.loads(message.payload), message.qos, message.retain)
        )
        client.on_subscribe = lambda *_: ready.set()
        client.connect("127.0.0.1", home_broker.port)
        client.loop_start()
        opened.append(heard)
        assert wait_until(client.is_connected)
        client.subscribe("zigbee2mqtt/#", qos=1)
        assert ready.wait(SECONDS)
        return heard

    yield begin
    for heard in opened:
        heard.client.disconnect()
        heard.client.loop_stop()


@dataclass(slots=True)
class Street:
    """A simulator with one home, and the clock that it follows."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    ready: dict[str, Any] = field(default_factory=dict)
    _at: tuple[float, float, float] = (0.0, 0.0, 1.0)

    @property
    def diary(self) -> Path:
        return self.folder / "diary" / "h1.jsonl"

    def now(self) -> float:
        real, simulated, speed = self._at
        return simulated + (time.time() - real) * speed

    def set_clock(self, to: datetime | None = None, *, speed: float) -> None:
        """Move the clock, or let it run at another speed from where it is."""
        self._at = (time.time(), self.now() if to is None else to.timestamp(), speed)
        new = self.folder / "clock.new"
        new.write_text(json.dumps(dict(zip(("real", "simulated", "speed"), self._at, strict=True)) | {"stretch_s": 0}))
        new.replace(self.folder / "clock.json")

    def start(self) -> None:
        words = ["--street", "street.toml", "--diary", "diary", "--seed", "4", "--clock", "clock.json"]
        with (self.folder / "simulator.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "firmware_sim", *words, "--control-port", "0"],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.folder / "simulator.log").read_text()
        self.ready = json.loads(line)

    def ends_with(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status

    def post(self, path: str) -> tuple[int, dict[str, Any]]:
        """Give an order and return status and body of the answer."""
        url = f"http://127.0.0.1:{self.ready['control_port']}{path}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def is_connected(self) -> bool:
        """Return whether it says that it is connected to its broker."""
        url = f"http://127.0.0.1:{self.ready['control_port']}/health"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return bool(json.load(answer)["homes"]["h1"]["connected"])

    def lines(self) -> list[dict[str, Any]]:
        """Return the whole lines of the diary."""
        return [json.loads(line) for line in self.diary.read_bytes().split(b"\n")[:-1]]

    def messages(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "topic" in line]

    def fates(self) -> dict[int, str]:
        return {line["serial"]: line["radio"] for line in self.lines() if "radio" in line}


@pytest.fixture
def street(home_broker: HomeBroker, tmp_path: Path) -> Iterator[Street]:
    sensors = [f'[[home.sensor]]\nname = "{room}-motion"\nkind = "motion"\nroom = "{room}"\n' for room in ROOMS]
    sensors.append('[[home.sensor]]\nname = "front-door"\nkind = "contact"\nroom = "front door"\n')
    sensors.append('[[home.sensor]]\nname = "pendant"\nkind = "pendant"\n')
    (tmp_path / "street.toml").write_text(
        f'[[home]]\nid = "h1"\nresident = "early riser"\nbroker = "127.0.0.1:{home_broker.port}"\n' + "".join(sensors)
    )
    it = Street(tmp_path, home_broker.port)
    yield it
    if it.process is not None:
        it.ends_with(signal.SIGKILL)

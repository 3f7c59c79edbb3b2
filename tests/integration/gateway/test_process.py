"""The program itself: started, killed, stopped and set up wrongly."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded import machine
from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, Equipment, RunningHub, wait_until


class Program:
    """`python -m gateway` with an environment of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = machine.free_port()
        self._env = {"PATH": os.environ["PATH"], "TELECARE_GATEWAY_HEALTH": f"127.0.0.1:{self.port}"} | env
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "gateway"], env=self._env, stderr=log)

    def ready(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as why:
            with why:
                return dict(json.loads(why.read()))
        except OSError:
            return {"ready": False}

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code


@pytest.fixture
def program(hub: RunningHub, tmp_path: Path) -> Iterator[Program]:
    there = Program(hub.env, tmp_path / "gateway.log")
    yield there
    if there.process is not None:
        there.end(signal.SIGKILL)


def test_a_killed_gateway_loses_nothing_that_the_homes_broker_handed_over(
    program: Program, platform: Platform, equipment: Equipment
) -> None:
    """Kill -9 in the middle of a busy hour: what was acknowledged to the home's broker is on the disk."""
    program.start()
    wait_until(lambda: program.ready()["ready"])
    for round_ in range(3):
        for number in range(10):
            equipment.says("hall", {"occupancy": number % 2 == 0, "linkquality": 1})
        equipment.says("pendant", {"action": "emergency"})
        program.end(signal.SIGKILL)
        program.start()
        wait_until(lambda: program.ready()["ready"])
        # NATS and Mosquitto alike keep what was not acknowledged for a session that comes back.
        wait_until(lambda expected=round_ + 1: len(platform.values(HUB, "alarms")) >= expected)  # type: ignore[misc] # mypy cannot see a default in a lambda

    wait_until(lambda: len(platform.values(HUB, "readings")) >= 30)

    movements = [v for n, v in platform.values(HUB, "readings") if n == "hall/movement"]
    assert movements == [1.0, 0.0] * 15
    assert platform.lost == []


def test_a_stopped_gateway_says_goodbye_and_exits_cleanly(program: Program, platform: Platform) -> None:
    """An update is no outage: the platform is told that the line goes down."""
    program.start()
    wait_until(lambda: program.ready()["ready"])
    wait_until(lambda: platform.links == [True])

    assert program.end(signal.SIGTERM) == 0
    wait_until(lambda: platform.links == [True, False])
    assert "Traceback" not in program.log.read_text()


def test_a_killed_gateway_is_reported_by_its_last_will(program: Program, platform: Platform) -> None:
    """A line that goes down without a word is still heard to go down."""
    program.start()
    wait_until(lambda: platform.links == [True])

    program.end(signal.SIGKILL)

    wait_until(lambda: platform.links == [True, False], within_s=45)


@pytest.mark.parametrize(
    ("said", "code", "names"),
    [
        ({"TELECARE_HUB_LANE": "99"}, 78, "hub.lane"),
        ({"TELECARE_CLOCK_FILE": "/nowhere/clock"}, 69, "clock"),
        ({"TELECARE_GATEWAY_HEALTH": "192.0.2.1:1"}, 69, "health address"),
    ],
)
def test_a_wrong_set_up_is_one_line_and_never_a_traceback(
    said: dict[str, str], code: int, names: str, tmp_path: Path
) -> None:
    """Whoever installs a hub is not a programmer."""
    env = {
        "TELECARE_HUB_ID": HUB,
        "TELECARE_HUB_LANE": "7",
        "TELECARE_HUB_SECRET": "s",
        "TELECARE_PLATFORM_HOST": "127.0.0.1",
        "TELECARE_RADIO_HOST": "127.0.0.1",
        "TELECARE_OUTBOX_PATH": str(tmp_path / "outbox.db"),
    }
    program = Program(env | said, tmp_path / "gateway.log")
    program.start()
    assert program.process is not None

    assert program.process.wait(20) == code
    lines = program.log.read_text().splitlines()
    assert len(lines) == 1
    assert names in lines[0]


def test_a_hub_needs_nothing_that_belongs_to_the_platform() -> None:
    """A hub is a small machine: `telecare[gateway]` brings no numpy, no database driver, no web server."""
    asked = "import sys, gateway.__main__; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)

    loaded = set(printed.stdout.split())
    assert not loaded & {
        "numpy",
        "psycopg",
        "psycopg_pool",
        "aiomqtt",
        "fastapi",
        "pydantic",
        "river",
        "twilio",
        "scipy",
    }
    assert not loaded & {"ingest", "alerts", "api", "deploy", "firmware_sim"}

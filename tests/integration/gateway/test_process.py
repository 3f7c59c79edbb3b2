"""The program itself: started, killed, stopped and set up wrongly."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded import machine
from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, Equipment, RunningHub, wait_until

_MANY = 400
"""Messages of one sensor, so many that a kill finds some taken in, some acknowledged and some neither."""


class Program:
    """`python -m gateway` with an environment of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = machine.free_port()
        self.env = {"PATH": os.environ["PATH"], "TELECARE_GATEWAY_HEALTH": f"127.0.0.1:{self.port}"} | env
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "gateway"], env=self.env, stderr=log)

    def ready(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=60) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as why:
            with why:
                return dict(json.loads(why.read()))
        except OSError:
            return {"ready": False}

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process = None
        return code


@pytest.fixture
def program(hub: RunningHub, tmp_path: Path) -> Iterator[Program]:
    there = Program(hub.env, tmp_path / "gateway.log")
    yield there
    if there.process is not None:
        there.end(signal.SIGKILL)


def _is_killed(program: Program, platform: Platform, equipment: Equipment, *, times: int) -> list[float]:
    """Kill it in the middle of busy moments, and return the movements that the platform has in the end."""
    program.start()
    wait_until(lambda: program.ready()["ready"])
    for round_ in range(times):
        for number in range(10):
            moment = f"2026-11-22T09:{round_:02}:{number:02}.000Z"
            equipment.says("hall", {"occupancy": number % 2 == 0, "linkquality": 1, "last_seen": moment})
        equipment.says("pendant", {"action": "emergency"})
        program.end(signal.SIGKILL)
        program.start()
        wait_until(lambda expected=round_ + 1: len(platform.values(HUB, "alarms")) >= expected, within_s=90)  # type: ignore[misc] # mypy cannot see a default in a lambda
    wait_until(lambda: len(platform.values(HUB, "readings")) >= 10 * times, within_s=90)
    assert platform.lost == []
    return [value for name, value in platform.values(HUB, "readings") if name == "hall/movement"]


def test_a_killed_gateway_loses_and_doubles_nothing_that_the_homes_broker_handed_over(
    program: Program, platform: Platform, equipment: Equipment
) -> None:
    """What was acknowledged is on the disk, and what was kept and not yet acknowledged is known when it comes again."""
    assert _is_killed(program, platform, equipment, times=5) == [1.0, 0.0] * 25


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_a_gateway_that_is_killed_again_and_again_under_many_messages_loses_and_doubles_none(
    program: Program, platform: Platform, equipment: Equipment
) -> None:
    """Each kill finds some taken in, some acknowledged and some neither, and all have the same two words."""
    program.start()
    wait_until(lambda: program.ready()["ready"])
    for number in range(_MANY):
        equipment.begins_to_say("hall", {"occupancy": number % 2 == 0, "last_seen": 1_788_000_000_000 + number})
    for kills in range(1, 4):
        wait_until(lambda more=kills: len(platform.values(HUB, "readings")) >= more * _MANY // 10)  # type: ignore[misc]
        program.end(signal.SIGKILL)
        program.start()

    wait_until(lambda: len(platform.values(HUB, "readings")) >= _MANY, within_s=120)
    assert [value for _, value in platform.values(HUB, "readings")] == [1.0, 0.0] * (_MANY // 2)
    assert platform.lost == []


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_the_same_with_nats_as_the_homes_own_broker(program: Program, platform: Platform, nats_home: int) -> None:
    """The demo's homes have NATS, and chaos counts what they say.

    It numbers anew what it hands out again, so that only the moment in a message tells it from another.
    """
    equipment = Equipment(nats_home, "equipment", "s3cret")
    program.env |= {
        "TELECARE_RADIO_PORT": str(nats_home),
        "TELECARE_RADIO_USER": "equipment",
        "TELECARE_RADIO_PASSWORD": "s3cret",
    }

    movements = _is_killed(program, platform, equipment, times=1)

    program.end(signal.SIGTERM)
    equipment.stop()
    assert movements == [1.0, 0.0] * 5


def test_an_alarm_goes_out_though_the_disk_can_no_longer_be_written(
    program: Program, platform: Platform, equipment: Equipment
) -> None:
    """That a press was sent is written down first; a card that broke in between must not keep the press back."""
    platform.is_mute = True
    program.start()
    wait_until(lambda: not program.ready().get("why") and program.ready()["ready"])
    equipment.says("pendant", {"action": "emergency"})
    wait_until(lambda: program.ready()["held_alarms"] == 1)

    assert program.process is not None
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    platform.is_mute = False

    wait_until(lambda: len(platform.values(HUB, "alarms")) == 1)
    wait_until(lambda: platform.packs[-1][0] < time.monotonic() - 4)  # Answered, it is not sent again.
    assert len({key[1] for _, key, _, _ in platform.packs}) == 1, "its own alarm made it think that its card is old"


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

    wait_until(lambda: platform.links == [True, False], within_s=90)


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

    assert program.process.wait(60) == code
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

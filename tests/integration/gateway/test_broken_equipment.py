"""The hub's own disk breaks, its home broker is another make, its line is encrypted: it goes on."""

import contextlib
import logging
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deploy.embedded import machine
from gateway.config import OutboxFile
from gateway.connection import Connection, Delivery, Door
from gateway.look import CannotLook, look
from gateway.outbox import NoRoom, Outbox
from gateway.reading import Observation, Quantity, SensorId
from gateway.wire import Stream
from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, Equipment, LocalBroker, RunningHub, wait_until


def _presses(equipment: Equipment) -> None:
    equipment.says("pendant-1", {"action": "emergency"})


def test_a_card_that_breaks_while_the_hub_runs_does_not_silence_the_pendant(
    hub: RunningHub, platform: Platform, equipment: Equipment, tmp_path: Path
) -> None:
    """Cheap cards wear out, and nobody in the home would notice."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _presses(equipment)
    wait_until(lambda: len(platform.values(HUB, "alarms")) == 1)

    for ending in ("", "-wal"):
        (tmp_path / f"outbox.db{ending}").write_bytes(b"\xff" * 40_000)
    _presses(equipment)
    wait_until(lambda: len(platform.values(HUB, "alarms")) == 2)
    hub.stop()
    _presses(equipment)
    hub.start()

    wait_until(lambda: len(platform.values(HUB, "alarms")) == 3)
    wait_until(lambda: any(beat["troubles"] == ["outbox lost"] for beat in platform.heartbeats))


def test_a_hub_without_a_disk_still_calls_for_help(hub: RunningHub, platform: Platform, equipment: Equipment) -> None:
    """It cannot promise to keep anything, says so, and sends what it can."""
    hub.env["TELECARE_OUTBOX_PATH"] = "/nowhere/outbox.db"
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _presses(equipment)

    wait_until(lambda: len(platform.values(HUB, "alarms")) == 1)
    wait_until(lambda: any(beat["troubles"] == ["disk unwritable"] for beat in platform.heartbeats))


def test_going_on_without_a_disk_leaves_no_alarm_behind_on_it(
    hub: RunningHub, platform: Platform, equipment: Equipment, tmp_path: Path
) -> None:
    """A press that the line kept back must go out with the next one, not when someone mends the hub."""
    limits = OutboxFile(path=str(tmp_path / "outbox.db"), bytes_max=1, reserve_bytes=4096)
    pull = Observation(SensorId("cord"), Quantity.PULL_CORD_ALARM, 1.0, hub.now(), 1)
    with closing(Outbox(limits, now=hub.now())) as outbox:
        with contextlib.suppress(NoRoom):
            while True:
                outbox.keep([pull], boot="b")
        kept_back = outbox.held(Stream.ALARMS)
    platform.is_mute = True
    hub.env |= {"TELECARE_OUTBOX_BYTES_MAX": "1", "TELECARE_OUTBOX_RESERVE_BYTES": "4096"}
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    assert hub.status.held_alarms == kept_back > 100

    _presses(equipment)
    wait_until(lambda: "disk unwritable" in hub.status.troubles)
    platform.is_mute = False

    wait_until(lambda: len(platform.values(HUB, "alarms")) == kept_back + 1)
    assert platform.values(HUB, "alarms")[-1] == ("pendant-1/pendant_alarm", 1.0)


def test_the_platform_is_told_when_the_homes_own_broker_is_away(
    hub: RunningHub, platform: Platform, equipment: Equipment, local_broker: LocalBroker
) -> None:
    """A hub that hears no sensor is alive and blind; its heartbeat must not pass for a watched home."""
    hub.start()
    wait_until(lambda: any(beat["radio_up"] for beat in platform.heartbeats))
    equipment.stop()

    local_broker.kill()
    wait_until(lambda: platform.heartbeats[-1]["radio_up"] is False)
    local_broker.start()
    wait_until(lambda: platform.heartbeats[-1]["radio_up"] is True, within_s=90)


def test_the_platform_is_told_when_zigbee2mqtt_is_away(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """The broker may run while nothing listens to the sensors."""
    equipment.says("bridge/state", {"state": "online"}, retain=True)
    hub.start()
    wait_until(lambda: any(beat["radio_up"] for beat in platform.heartbeats))

    equipment.says("bridge/state", {"state": "offline"}, retain=True)

    wait_until(lambda: platform.heartbeats[-1]["radio_up"] is False)


def test_the_homes_own_broker_may_be_nats(hub: RunningHub, platform: Platform, nats_home: int) -> None:
    """The demo has no other; we are a client of MQTT, not of one broker."""
    equipment = Equipment(nats_home, "equipment", "s3cret")
    hub.env |= {
        "TELECARE_RADIO_PORT": str(nats_home),
        "TELECARE_RADIO_USER": "equipment",
        "TELECARE_RADIO_PASSWORD": "s3cret",
    }
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _presses(equipment)
    equipment.says("hall", {"occupancy": True})
    wait_until(lambda: len(platform.values(HUB, "readings")) == 1)  # NATS may hand out again only after 5 s.
    hub.stop()
    equipment.says("hall", {"occupancy": False})
    hub.start()

    wait_until(lambda: len(platform.values(HUB, "readings")) == 2)
    assert len(platform.values(HUB, "alarms")) == 1
    hub.stop()
    equipment.stop()


def test_an_outbox_left_behind_is_sent_after_a_start(
    hub: RunningHub, platform: Platform, equipment: Equipment, tmp_path: Path
) -> None:
    """What was kept before a power cut is the first thing that goes out after it."""
    platform.is_mute = True
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _presses(equipment)
    wait_until(lambda: hub.status.held_alarms == 1)
    hub.stop()
    platform.is_mute = False

    hub.start()

    wait_until(lambda: len(platform.values(HUB, "alarms")) == 1)
    wait_until(lambda: hub.status.held_alarms == 0)
    hub.stop()
    with closing(Outbox(OutboxFile(path=str(tmp_path / "outbox.db")), now=hub.now())) as outbox:
        assert outbox.numbers(outbox.current, Stream.ALARMS).stored == 1


class _Diary:
    """Writes down what a connection hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def connected(self, name: str, *, has_session: bool) -> None:
        self.heard.append(f"{name} connected, session {has_session}")

    def disconnected(self, name: str) -> None:
        self.heard.append(f"{name} disconnected")

    def received(self, name: str, delivery: Delivery) -> bool:
        self.heard.append(f"{name} received {delivery}")
        return True


@contextmanager
def _tls_broker(folder: Path) -> Iterator[int]:
    program, openssl = LocalBroker.program(), shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("mosquitto or openssl is not installed")
    port = machine.free_port()
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    config = folder / "tls.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n"
        "user root\n"
    )
    process = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: machine.accepts(port))
    yield port
    process.kill()
    process.wait()


# paho leaves the socket of a refused certificate to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_a_line_is_encrypted_and_a_stranger_in_the_middle_is_not_talked_to(tmp_path: Path) -> None:
    """A hub's password must reach nobody but the platform."""
    with _tls_broker(tmp_path) as port:

        def heard_with(context: ssl.SSLContext) -> list[str]:
            diary = _Diary()
            door = Door("readings", "127.0.0.1", port, "c", "u", "p", ("t",), first_wait_s=0.05, tls=context)
            connection = Connection(door, diary)
            connection.open()
            began = time.monotonic()
            wait_until(lambda: bool(diary.heard) or time.monotonic() - began > 1.5)
            connection.close()
            return diary.heard

        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        stranger = ssl.create_default_context()
        assert heard_with(trusting)[:1] == ["readings connected, session False"]
        assert heard_with(stranger) == []


def test_a_line_that_waits_to_come_back_comes_now_that_somebody_calls(
    local_broker: LocalBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """After a long outage a hub comes back within a minute, one of thousands; with an alarm in hand that is late."""
    caplog.set_level(logging.INFO)
    local_broker.kill()
    diary = _Diary()
    door = Door("alarms", "127.0.0.1", local_broker.port, "c", "", "", ("t",), first_wait_s=300, longest_wait_s=300)
    connection = Connection(door, diary, chance=lambda: 1.0)
    connection.open()
    wait_until(lambda: "broker not reached" in caplog.text)
    local_broker.start()

    connection.hurry(is_urgent=True)

    wait_until(lambda: diary.heard == ["alarms connected, session False"])
    connection.close()


def test_whoever_installs_a_sensor_reads_on_the_hub_what_it_can_tell(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """On a ladder with a phone in one hand nobody looks for a reason in a log."""
    assert platform
    listed = (Path(__file__).parents[2] / "contract" / "zigbee2mqtt" / "definitions.json").read_bytes()
    equipment.says("bridge/devices", listed, retain=True)
    there = hub.start()
    wait_until(lambda: "Wall SOS" in there.equipment())

    assert look("live", hub.env) == there.equipment()
    assert "Wall_SOS)\n  CALLS" in there.equipment()


def test_looking_where_nothing_is_kept_says_what_to_mend(hub: RunningHub, local_broker: LocalBroker) -> None:
    """The usual reason is that Zigbee2MQTT was never started."""
    assert local_broker
    with pytest.raises(CannotLook, match="does Zigbee2MQTT run"):
        look("live", hub.env)

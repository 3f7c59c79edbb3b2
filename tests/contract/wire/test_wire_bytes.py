"""The bytes on disk are what a hub sends and what the platform reads, both ways."""

from pathlib import Path

import pytest

from gateway import heartbeat, wire
from gateway.heartbeat import Heartbeat
from gateway.reading import SensorId
from gateway.wire import Ask, Header, Link, Pack, Record, Stored, Stream

HERE = Path(__file__).parent
OUTBOX = "5f0c9be7a1d24c3c8e0b6a7f9d2e4c11"
BOOT = "9a1f6c0e-7d1b-4a53-8a43-1f0f5f2f8a10"
EARLIER_BOOT = "0c7cbb0e-1111-4a53-8a43-1f0f5f2f8a10"
NOON_S = 1795262400.0
UP_MS = 86_400_000

READINGS = Pack(
    Header(OUTBOX, Stream.READINGS, 41, 45, 12, NOON_S + 0.25, BOOT, UP_MS + 250),
    (
        Record(41, SensorId("Front_door"), "open", 1.0, NOON_S - 2, BOOT, UP_MS - 2000),
        Record(42, SensorId("bedroom"), "temperature_c", 18.34, NOON_S - 1, BOOT, UP_MS - 1000),
        Record(43, SensorId("hall"), "battery_mv", 3005.0, NOON_S - 0.5, BOOT, UP_MS - 500),
        Record(44, SensorId("hall"), "movement", 0.0, NOON_S - 86_400, EARLIER_BOOT, 70_000),
        Record(45, SensorId("K:c3bc:che"), "link_quality", 80.0, NOON_S, BOOT, UP_MS, may_repeat=True),
    ),
)
ALARM = Pack(
    Header(OUTBOX, Stream.ALARMS, 3, 3, 1, NOON_S + 0.25, BOOT, UP_MS + 250),
    (Record(3, SensorId("pendant"), "pendant_alarm", 1.0, NOON_S, BOOT, UP_MS),),
)
UNSET = Pack(
    Header("9f2c7a1e5b3d4f60", Stream.READINGS, 46, 47, 12, 1782000100.5, "b7", 60_500),
    (
        Record(46, SensorId("hall"), "movement", 1.0, 1781990000.0, "b6", 5000, is_wall_unset=True),
        Record(47, SensorId("hall"), "movement", 0.0, 1782000095.0, "b7", 55_000),
    ),
)
HEARTBEAT = Heartbeat(
    outbox=OUTBOX,
    sent_at=NOON_S + 0.25,
    boot=BOOT,
    uptime_ms=UP_MS + 250,
    held_readings=4,
    radio_up=True,
    version="0.1.0",
    troubles=("old card",),
)


@pytest.mark.parametrize(
    ("name", "pack"), [("readings.bin", READINGS), ("readings_unset.bin", UNSET), ("alarm.bin", ALARM)]
)
def test_a_pack_is_these_bytes(name: str, pack: Pack) -> None:
    """A hub in a home for years must still be understood, and understand."""
    there = (HERE / name).read_bytes()

    assert wire.encode_pack(pack.header, pack.records) == there
    assert wire.decode_pack(there, pack.header.stream) == pack


def test_a_question_an_answer_a_link_and_a_heartbeat_are_these_bytes() -> None:
    """They decide what a hub lets go, and whether its home counts as watched."""
    ask = Ask(OUTBOX, 45, 3, NOON_S + 0.25, BOOT, UP_MS + 250)
    stored = Stored(OUTBOX, Stream.READINGS, 45)
    bytes_of = {name: (HERE / f"{name}.json").read_bytes() for name in ("ask", "stored", "link", "heartbeat")}

    assert (wire.encode_message(ask), wire.decode_ask(bytes_of["ask"])) == (bytes_of["ask"], ask)
    assert (wire.encode_message(stored), wire.decode_stored(bytes_of["stored"])) == (bytes_of["stored"], stored)
    assert (wire.encode_message(Link(up=True)), wire.decode_link(bytes_of["link"])) == (bytes_of["link"], Link(up=True))
    assert wire.encode_message(HEARTBEAT) == bytes_of["heartbeat"]
    assert heartbeat.decode(bytes_of["heartbeat"]) == HEARTBEAT

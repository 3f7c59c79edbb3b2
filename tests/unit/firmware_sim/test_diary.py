"""Does a diary remember all it was told, through a crash at any byte?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bridge import ONLINE, Message
from firmware_sim.diary import Diary, lines_of, recollection_of
from firmware_sim.faults import Do, Order

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MOVED = Message(
    "zigbee2mqtt/hall", '{"occupancy":true}', 1, retain=False, why="movement", sensor="hall", news={"occupancy": True}
)
PRESSED = Message(
    "zigbee2mqtt/pendant",
    '{"action":"emergency","battery":90}',
    1,
    retain=False,
    why="pressed",
    sensor="pendant",
    news={"action": "emergency"},
    is_alarm=True,
)


def written(path: Path) -> None:
    """Write a little of everything."""
    book = Diary(path)
    book.write_message(ONLINE, now=NINE)
    book.write_message(MOVED, now=NINE + timedelta(minutes=1))
    book.write_fate(2, "acknowledged", real_s=1.5)
    book.write_order(Order(NINE + timedelta(minutes=2), Do.COLLAPSE))
    book.write_message(PRESSED, now=NINE + timedelta(minutes=3))
    book.write_leap(NINE + timedelta(minutes=3), NINE + timedelta(hours=1))
    book.close()


def test_what_was_written_is_remembered(tmp_path: Path) -> None:
    """A restart knows nothing but this."""
    written(tmp_path / "h1.jsonl")

    past = Diary(tmp_path / "h1.jsonl").recollection

    assert past.serial == 3
    assert past.through == NINE + timedelta(hours=1)
    assert past.orders == [Order(NINE + timedelta(minutes=2), Do.COLLAPSE)]
    assert past.states == {"hall": {"occupancy": True}, "pendant": {"action": "emergency", "battery": 90}}
    assert past.heard_at == {"hall": NINE + timedelta(minutes=1), "pendant": NINE + timedelta(minutes=3)}


def test_a_message_has_all_that_a_count_against_the_table_needs(tmp_path: Path) -> None:
    """Who counts must not have to guess what was new, when, and whether anyone took it."""
    written(tmp_path / "h1.jsonl")

    lines = list(lines_of(tmp_path / "h1.jsonl"))

    assert lines[1] == {
        "serial": 2,
        "at": "2026-03-02T09:01:00.000+00:00",
        "at_ms": 1772442060000,
        "sensor": "hall",
        "why": "movement",
        "what": {"occupancy": True},
        "topic": "zigbee2mqtt/hall",
        "payload": {"occupancy": True},
        "qos": 1,
        "retain": False,
        "alarm": False,
        "who": None,
    }
    assert lines[2] == {"serial": 2, "radio": "acknowledged", "real_ms": 1500}
    assert lines[4]["alarm"] is True


@given(st.data())
def test_a_crash_at_any_byte_leaves_a_diary_that_goes_on_without_repeating_a_serial(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A half line was never sent, so its number is still free; a whole one may have been."""
    path = tmp_path_factory.mktemp("diary") / "h1.jsonl"
    written(path)
    whole = path.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    path.write_bytes(cut)
    kept = [json.loads(line) for line in cut.split(b"\n")[:-1]]

    book = Diary(path)
    serial = book.write_message(MOVED, now=NINE + timedelta(hours=2))
    book.close()

    lines = list(lines_of(path))
    assert lines[:-1] == kept
    assert serial == 1 + max((line["serial"] for line in kept if "topic" in line), default=0)


def test_an_order_at_the_end_leaves_its_own_moment_to_be_lived(tmp_path: Path) -> None:
    """Its press may not have been said yet; taken as said it would be lost."""
    book = Diary(tmp_path / "h1.jsonl")
    book.write_order(Order(NINE, Do.PRESS))
    book.close()

    assert recollection_of(tmp_path / "h1.jsonl").through == NINE - timedelta(milliseconds=1)


def test_what_was_only_said_again_does_not_count_as_heard(tmp_path: Path) -> None:
    """A dead sensor must not look alive because the bridge was restarted."""
    book = Diary(tmp_path / "h1.jsonl")
    book.write_message(MOVED, now=NINE)
    again = Message("zigbee2mqtt/hall", '{"occupancy":true}', 1, retain=False, why="cached", sensor="hall", news={})
    book.write_message(again, now=NINE + timedelta(days=3))
    book.close()

    past = recollection_of(tmp_path / "h1.jsonl")

    assert past.heard_at == {"hall": NINE}
    assert past.through == NINE

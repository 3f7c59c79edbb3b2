"""Is what sensors said, and no hub took in, found in diary and cards?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.chaos import diary
from deploy.chaos.cards import Seen
from deploy.chaos.diary import Said

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NINE + timedelta(minutes=minute)


def said(minute: int, *, is_alarm: bool = False) -> Said:
    return Said("home", "pendant", minute, at(minute), is_alarm)


def seen(minute: int, quantity: str, *, boot: str = "boot") -> Seen:
    return Seen("home", "hub", "pendant", quantity, 1.0, at(minute), boot, int(at(minute).timestamp() * 1000) + 40)


def test_a_press_is_on_the_card_only_as_a_press() -> None:
    """The pendant's check-in a minute later must not stand in for it."""
    cards = [seen(0, "battery_pct"), seen(5, "pendant_alarm"), seen(5, "battery_pct")]
    assert diary.not_on_a_card([said(0), said(5, is_alarm=True)], cards) == []
    assert [one.serial for one in diary.not_on_a_card([said(0), said(4, is_alarm=True)], cards[:1])] == [4]


def test_what_came_before_it_was_said_is_something_else() -> None:
    """A hub cannot have seen it before the sensor spoke."""
    assert len(diary.not_on_a_card([said(5)], [seen(4, "battery_pct")])) == 1


def test_what_a_wrong_clock_saw_is_counted() -> None:
    """Its moment says nothing; that it is on the card says enough."""
    wrong = seen(-420, "pendant_alarm", boot="odd")
    assert diary.not_on_a_card([said(5, is_alarm=True)], [wrong], odd_boots={"odd"}) == []
    assert len(diary.not_on_a_card([said(5, is_alarm=True)], [wrong])) == 1


def test_a_press_without_a_card_does_not_take_the_place_of_one_that_waited() -> None:
    """Presses while a hub was away are on its card when it is back; one on its full disk, long before, never is."""
    presses = [said(minute, is_alarm=True) for minute in (0, 40, 46)]
    cards = [seen(47, "pendant_alarm"), seen(48, "pendant_alarm")]
    assert [one.serial for one in diary.not_on_a_card(presses, cards)] == [0]


def test_what_the_table_has_without_a_card_is_known_before_a_wrong_clock_is_counted() -> None:
    """A press on a full disk, and then one by a wrong clock: neither may use up what stands for the other."""
    presses = [said(minute, is_alarm=True) for minute in (0, 4, 30)]
    wrong = seen(-420, "pendant_alarm", boot="odd")
    row = diary.Beside("home", "pendant", is_alarm=True, at=at(1))
    missing = diary.not_on_a_card(presses, [wrong, seen(30, "pendant_alarm")], odd_boots={"odd"}, beside=[row])
    assert missing == []
    assert len(diary.not_on_a_card(presses, [wrong, seen(30, "pendant_alarm")], odd_boots={"odd"})) == 1


def test_what_is_gone_with_the_table_uses_up_no_wrong_clock() -> None:
    """One press went with a full disk and the table, another came by a wrong clock: that one is on the card."""
    presses = [said(0, is_alarm=True), said(30, is_alarm=True)]
    wrong = seen(-420, "pendant_alarm", boot="odd")
    gone = diary.not_on_a_card(presses, [wrong], odd_boots={"odd"}, is_gone=lambda one: one.at == at(0))
    assert gone == []
    assert len(diary.not_on_a_card(presses, [wrong], odd_boots={"odd"})) == 1


def test_only_what_the_homes_broker_took_is_owed(tmp_path: Path) -> None:
    """What never was on the radio nobody can have."""
    common = {"sensor": "pendant", "why": "pressed", "topic": "zigbee2mqtt/pendant", "alarm": True}
    lines = [
        {"serial": 1, "at_ms": 1000, **common},
        {"serial": 1, "radio": "acknowledged", "real_ms": 5},
        {"serial": 2, "at_ms": 2000, **common},
        {"serial": 2, "radio": "lost", "real_ms": 6},
        {"serial": 3, "at_ms": 3000, **common, "why": "cached"},
        {"order": "press", "at_ms": 1000, "sensor": None},
    ]
    path = tmp_path / "home.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = diary.read("home", path)
    assert [(one.serial, one.is_alarm) for one in found.said] == [(1, True)]
    assert found.unsaid == 1

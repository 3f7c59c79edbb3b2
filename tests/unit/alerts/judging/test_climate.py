"""Is a room that is too cold or too hot noticed, and a thermometer that says nothing not believed?"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.policy import Policy, to_json
from tests.unit.alerts.judging.recorded import NINE, Lane, hours, minutes, one, said, warmth

POLICY = Policy(policy=3, cold_c=16.0, cold_for=hours(2), hot_c=30.0, hot_for=hours(1), still_for=timedelta(days=7))


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine."""
    return watched()


def watched() -> Lane:
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=POLICY)
    return lane


def measure(lane: Lane, value_c: float, *, since: datetime, until: datetime) -> None:
    """The thermometer reports every half hour; the end is excluded."""
    at = since
    while at < until:
        lane.receive(warmth(at, value_c=value_c), at=at)
        at += minutes(30)


def test_a_cold_room_is_found_after_the_policys_time(lane: Lane) -> None:
    """A heating that failed at breakfast is told of before noon, not when somebody shivers."""
    measure(lane, 14.5, since=NINE, until=NINE + hours(4))

    found = one(lane.findings())
    assert (found.question, found.since, found.at) == (Question.COLD, NINE, NINE + hours(2))
    assert (found.why["room"], found.why["said_c"], found.why["limit_c"]) == ("kitchen", 14.5, 16.0)


def test_a_hot_room_is_found_too(lane: Lane) -> None:
    """Heat takes old people as cold does."""
    measure(lane, 33.0, since=NINE, until=NINE + hours(2))

    assert (one(lane.findings()).question, one(lane.findings()).at) == (Question.HOT, NINE + hours(1))


def test_a_window_that_was_open_for_an_hour_is_nothing(lane: Lane) -> None:
    """Airing a room is not a broken heating."""
    measure(lane, 12.0, since=NINE, until=NINE + hours(1))
    measure(lane, 19.0, since=NINE + hours(1), until=NINE + hours(5))

    assert lane.found == []


def test_a_thermometer_that_says_nothing_is_not_cold(lane: Lane) -> None:
    """A flat battery must not send somebody out with a heater."""
    lane.receive(warmth(NINE, value_c=12.0), at=NINE)
    lane.give("policy", to_json(replace(POLICY, cold_for=hours(6))), at=NINE)
    lane.pass_(NINE + hours(20))

    assert lane.found == []


def test_after_a_gap_the_cold_begins_anew(lane: Lane) -> None:
    """Nobody knows what it was meanwhile."""
    lane.give("policy", to_json(replace(POLICY, cold_for=hours(4))), at=NINE)
    lane.receive(warmth(NINE, value_c=12.0), at=NINE)
    back = NINE + hours(5)
    measure(lane, 12.0, since=back, until=back + hours(5))

    assert (one(lane.findings()).since, one(lane.findings()).at) == (back, back + hours(4))


def test_it_ends_when_the_room_is_a_degree_warmer(lane: Lane) -> None:
    """At the very edge it must not be told again and again."""
    measure(lane, 15.0, since=NINE, until=NINE + hours(3))
    measure(lane, 16.5, since=NINE + hours(3), until=NINE + hours(4))
    assert lane.endings() == []
    measure(lane, 17.0, since=NINE + hours(4), until=NINE + hours(5))

    (ended,) = lane.endings(Question.COLD)
    assert (ended.at, ended.episode) == (NINE + hours(4), one(lane.findings()).episode)


@pytest.mark.parametrize("room", ["fridge", "garden", "Loft"])
def test_what_is_no_room_may_be_cold(lane: Lane, room: str) -> None:
    """A thermometer in the fridge is for the food."""
    for half_hours in range(8):
        at = NINE + minutes(30 * half_hours)
        lane.receive(said(at, "thermometer", "temperature_c", 4.0, room=room), at=at)

    assert lane.found == []


def test_a_sensor_that_is_no_thermometer_feels_itself(lane: Lane) -> None:
    """A door contact on a cold frame says nothing about the room."""
    sensors = [{"sensor": "thermometer", "room": "hall", "kind": "contact"}]
    lane.give("sensors", {"sensors": sensors}, at=NINE)  # type: ignore[dict-item]  # list is invariant
    measure(lane, 8.0, since=NINE, until=NINE + hours(4))

    assert lane.found == []


@given(st.lists(st.sampled_from([10.0, 15.9, 16.0, 16.9, 17.0, 22.0]), max_size=30))
@settings(deadline=None)
def test_between_two_findings_it_was_warm_enough(measured: list[float]) -> None:
    """Whoever was told of the cold is not told again of the same cold."""
    lane = watched()
    for number, value_c in enumerate(measured):
        at = NINE + hours(number)
        lane.receive(warmth(at, value_c=value_c), at=at)
    lane.pass_(NINE + hours(len(measured)))

    kinds = [type(each).__name__ for each in lane.found]
    assert kinds == [("Finding", "Ended")[number % 2] for number in range(len(kinds))]

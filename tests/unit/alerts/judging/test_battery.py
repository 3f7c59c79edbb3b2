"""Is a low battery told once, and a good one never?"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.policy import Policy
from tests.unit.alerts.judging.recorded import NINE, Lane, hours, one, said

POLICY = Policy(policy=3, battery_low_pct=15.0, again_after=hours(1), still_for=timedelta(days=7))


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine."""
    return watched()


def watched() -> Lane:
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=POLICY)
    return lane


def says(lane: Lane, hour: float, value: float, quantity: str = "battery_pct", sensor: str = "pir") -> None:
    at = NINE + hours(hour)
    lane.receive(said(at, sensor, quantity, value, room="bathroom"), at=at)
    lane.pass_(at)


def test_a_low_battery_is_a_fault_at_once(lane: Lane) -> None:
    """Weeks before it is empty, somebody who comes by anyway can change it."""
    says(lane, 1, 40)
    says(lane, 2, 15)

    found = one(lane.findings())
    assert (found.question, found.at, found.why["said_pct"]) == (Question.BATTERY_LOW, NINE + hours(2), 15)


def test_it_is_told_once_although_it_goes_on_falling(lane: Lane) -> None:
    """One battery is one errand."""
    for hour, value in enumerate([15, 14, 16, 13, 17, 12]):
        says(lane, hour, value)

    assert len(lane.found) == 1


def test_a_new_battery_ends_it(lane: Lane) -> None:
    """Nobody has to tick off what the sensor says itself."""
    says(lane, 1, 9)
    says(lane, 2, 100)

    (ended,) = lane.endings(Question.BATTERY_LOW)
    assert ended.episode == one(lane.findings()).episode


def test_one_that_only_says_that_it_is_low_is_believed(lane: Lane) -> None:
    """Many contacts give no number."""
    says(lane, 1, 1, "battery_low")
    says(lane, 2, 0, "battery_low")

    assert [type(each).__name__ for each in lane.found] == ["Finding", "Ended"]


def test_two_batteries_are_two_faults(lane: Lane) -> None:
    """Changing the one must not quieten the other."""
    says(lane, 1, 9, sensor="pir")
    says(lane, 1.5, 9, sensor="door")

    assert [found.why["sensor"] for found in lane.findings()] == ["pir", "door"]


def test_closed_while_it_is_low_it_comes_again(lane: Lane) -> None:
    """A click charges nothing."""
    says(lane, 1, 9)
    lane.close(one(lane.findings()), at=NINE + hours(2), outcome="mended")
    lane.pass_(NINE + hours(9))

    assert [found.at for found in lane.findings()] == [NINE + hours(1), NINE + hours(3)]


@given(st.lists(st.integers(0, 100), max_size=30))
def test_findings_and_endings_take_turns(measured: list[int]) -> None:
    """Whatever a gauge makes up, nobody is told twice of the same."""
    lane = watched()
    for hour, value in enumerate(measured):
        says(lane, hour, float(value))

    kinds = [type(each).__name__ for each in lane.found]
    assert kinds == [("Finding", "Ended")[number % 2] for number in range(len(kinds))]

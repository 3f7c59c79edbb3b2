"""Is a door that stands open noticed, and one of which nobody can tell left alone?"""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from alerts.alert import Question
from alerts.judging.detectors.open_door import too_long_at
from alerts.judging.policy import Policy
from tests.unit.alerts.judging.recorded import MOMENTS, NINE, Lane, front_door, hours, minutes, one


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine, whose front door was heard to shut."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=Policy(door_open_for=minutes(30), still_for=hours(24), again_after=hours(1)))
    lane.receive(front_door(NINE, is_open=False), at=NINE)
    return lane


def test_an_open_door_is_found_after_the_policys_time(lane: Lane) -> None:
    """Nobody has to be standing in it for somebody to shut it."""
    at = NINE + hours(1)
    lane.receive(front_door(at, is_open=True), at=at)
    lane.pass_(at + hours(2))

    found = one(lane.findings(Question.DOOR_OPEN))
    assert (found.since, found.at, found.why["door"]) == (at, at + minutes(30), "front door")


def test_a_door_that_was_shut_in_time_is_nothing(lane: Lane) -> None:
    """Carrying in the shopping takes a while."""
    at = NINE + hours(1)
    lane.receive(front_door(at, is_open=True), at=at)
    lane.receive(front_door(at + minutes(29), is_open=False), at=at + minutes(29))
    lane.pass_(at + hours(2))

    assert lane.found == []


def test_shutting_it_ends_it(lane: Lane) -> None:
    """Whoever was told need not go because of the door any more."""
    at = NINE + hours(1)
    lane.receive(front_door(at, is_open=True), at=at)
    lane.pass_(at + hours(1))
    lane.receive(front_door(at + hours(1), is_open=False), at=at + hours(1))

    (ended,) = lane.endings(Question.DOOR_OPEN)
    assert ended.episode == one(lane.findings(Question.DOOR_OPEN)).episode


def test_a_door_that_never_says_when_it_shuts_cannot_stand_open() -> None:
    """Some sensors and every recording tell of openings alone: they would stand open for ever."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=Policy(still_for=hours(24)))
    lane.receive(front_door(NINE, is_open=True), at=NINE)
    lane.pass_(NINE + hours(9))

    assert lane.findings(Question.DOOR_OPEN) == []


def test_an_opening_that_arrives_after_the_shutting_opens_nothing(lane: Lane) -> None:
    """What was on its way says nothing of now."""
    at = NINE + hours(1)
    lane.receive(front_door(at, is_open=False), at=at)
    lane.receive(front_door(at - minutes(5), is_open=True), at=at + minutes(1))
    lane.pass_(at + hours(2))

    assert lane.found == []


def test_closed_by_a_person_while_it_stands_open_it_comes_again(lane: Lane) -> None:
    """A click shuts no door."""
    at = NINE + hours(1)
    lane.receive(front_door(at, is_open=True), at=at)
    lane.pass_(at + hours(1))
    lane.close(one(lane.findings()), at=at + hours(1))
    lane.pass_(at + hours(3))

    assert [found.at for found in lane.findings()] == [at + minutes(30), at + hours(2)]


@pytest.mark.parametrize(
    ("opened_at", "expected"),
    [
        ((14, 0), (14, 30)),  # by day
        ((21, 30), (22, 0)),  # the night begins, and it has been open for more than ten minutes
        ((21, 55), (22, 5)),
        ((3, 0), (3, 10)),  # at night
        ((6, 55), (7, 25)),  # the night is over before it has been open for ten minutes
    ],
)
def test_at_night_somebody_looks_sooner(opened_at: tuple[int, int], expected: tuple[int, int]) -> None:
    """A door that is open while everybody sleeps was forgotten, or somebody went out."""
    day = datetime(2026, 1, 14, tzinfo=UTC)
    opened = day.replace(hour=opened_at[0], minute=opened_at[1])

    assert too_long_at(opened, Policy()) == day.replace(hour=expected[0], minute=expected[1])


@given(MOMENTS)
def test_a_door_never_stands_open_for_longer_than_by_day(opened_at: datetime) -> None:
    """Also in the nights in which the clocks change."""
    policy = Policy()

    assert policy.door_open_at_night_for <= too_long_at(opened_at, policy) - opened_at <= policy.door_open_for

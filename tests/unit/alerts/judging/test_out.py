"""Is somebody who went out and is not back noticed, and somebody who only shut the door too?"""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.detectors.out import too_long_at
from alerts.judging.ground import Left
from alerts.judging.policy import Policy, to_json
from tests.unit.alerts.judging.recorded import HOME, MOMENTS, NINE, Lane, front_door, hours, minutes, movement, one

FOUR_HOURS = Policy(policy=3, out_for=hours(4), still_for=hours(2), waking_from=NINE.time(), learned=False)


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine, whose resident was seen in the hall at ten."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=FOUR_HOURS)
    lane.receive(movement(NINE + hours(1), room="hallway"), at=NINE + hours(1))
    return lane


def leaves(lane: Lane, at: datetime) -> datetime:
    """Open the front door and shut it behind oneself."""
    lane.receive(front_door(at - timedelta(seconds=9), is_open=True), at=at)
    lane.receive(front_door(at, is_open=False), at=at)
    return at


def test_out_and_not_back_is_found_after_the_policys_time(lane: Lane) -> None:
    """Whoever waits at home with the dinner wonders at some point, and then asks."""
    left_at = leaves(lane, NINE + hours(2))
    lane.pass_(left_at + hours(4) - timedelta(seconds=1))
    assert lane.findings() == []
    lane.pass_(left_at + hours(4))

    found = one(lane.findings(Question.OUT))
    assert (found.since, found.at, found.policy) == (left_at, left_at + hours(4), 3)
    assert (found.why["left_by"], found.why["out_for_s"]) == ("front door", 4 * 3600)


def test_whoever_collapses_behind_the_shut_door_is_found_by_then(lane: Lane) -> None:
    """Being out names a stillness and puts it off; it must never be the reason why nobody comes (P3)."""
    left_at = leaves(lane, NINE + hours(2))
    assert lane.now().next_alert_at == left_at + hours(4)
    lane.pass_(left_at + hours(4))

    found = one(lane.findings(Question.STILL))
    assert (found.at, found.why["left_at"], found.why["left_by"]) == (
        left_at + hours(4),
        left_at.isoformat(),
        "front door",
    )


def test_a_movement_inside_after_the_door_is_being_in(lane: Lane) -> None:
    """A neighbour went, the resident stayed: now the stillness counts as ever."""
    left_at = leaves(lane, NINE + hours(2))
    lane.receive(movement(left_at + minutes(1), room="hallway"), at=left_at + minutes(1))
    lane.pass_(left_at + hours(5))

    assert [found.question for found in lane.findings()] == [Question.STILL]
    assert one(lane.findings()).at == left_at + minutes(1) + hours(2)
    assert "left_at" not in one(lane.findings()).why


def test_being_seen_inside_ends_it(lane: Lane) -> None:
    """Whoever was told wants to hear that she is back."""
    left_at = leaves(lane, NINE + hours(2))
    lane.pass_(left_at + hours(4))
    back_at = leaves(lane, left_at + hours(5))
    assert lane.endings(Question.OUT) == []
    lane.receive(movement(back_at + minutes(1)), at=back_at + minutes(1))

    (ended,) = lane.endings(Question.OUT)
    assert (ended.episode, ended.why["room"]) == (one(lane.findings(Question.OUT)).episode, "kitchen")


def test_closed_while_it_holds_it_comes_again(lane: Lane) -> None:
    """A wrong click must not be the end of it."""
    left_at = leaves(lane, NINE + hours(2))
    lane.pass_(left_at + hours(4))
    lane.close(one(lane.findings(Question.OUT)), at=left_at + hours(5))
    lane.pass_(left_at + hours(6))

    again = lane.findings(Question.OUT)[1]
    assert (again.at, again.again_of is not None) == (left_at + hours(6), True)


def test_where_nothing_inside_ever_moved_nobody_is_called_out() -> None:
    """A home with a door contact alone could never say that she is back."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=FOUR_HOURS)
    leaves(lane, NINE + hours(2))
    lane.pass_(NINE + hours(12))

    assert lane.findings(Question.OUT) == []


def test_a_home_can_do_without_the_question(lane: Lane) -> None:
    """For somebody who is out every day it would be noise; the stillness is then judged as ever."""
    off = Policy(policy=4, is_out_asked=False, still_for=hours(2), waking_from=NINE.time(), learned=False)
    lane.give("policy", to_json(off), at=NINE + hours(1))
    left_at = leaves(lane, NINE + hours(2))
    lane.pass_(left_at + hours(5))

    assert one(lane.findings()).at == left_at + hours(2)


def test_an_inner_door_is_no_way_out(lane: Lane) -> None:
    """A contact may be on a cupboard; whoever set it up says which door leads out."""
    sensors = [{"sensor": "door", "room": "front door", "kind": "contact", "is_outer": False}]
    lane.give("sensors", {"sensors": sensors}, at=NINE + hours(1))  # type: ignore[dict-item]  # list is invariant
    left_at = leaves(lane, NINE + hours(2))

    assert lane.now(HOME).next_alert_at == left_at + hours(2)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_nobody_is_out_for_longer_than_the_policy_says(left_at: datetime, usual: timedelta) -> None:
    """Whatever the hour and the clocks do, being out ends a wait: it never lengthens it beyond `out_for`."""
    policy = Policy()
    due = too_long_at(Left(left_at, "front door", usual), policy)

    assert min(policy.out_at_night_for, policy.out_for) <= due - left_at <= policy.out_for


@pytest.mark.parametrize(
    ("left_at", "expected"),
    [
        ((2026, 1, 14, 10, 0), (2026, 1, 14, 16, 0)),  # after six hours
        ((2026, 1, 14, 18, 0), (2026, 1, 14, 22, 0)),  # expected by ten at night
        ((2026, 1, 14, 21, 50), (2026, 1, 14, 22, 20)),
        ((2026, 1, 14, 2, 0), (2026, 1, 14, 2, 30)),  # nobody goes for a walk at two
        ((2026, 1, 14, 6, 50), (2026, 1, 14, 12, 50)),  # nearly morning
        ((2026, 6, 10, 17, 0), (2026, 6, 10, 21, 0)),  # ten at night in London's summer
        ((2026, 10, 25, 0, 30), (2026, 10, 25, 1, 0)),  # in the hour that comes twice
    ],
)
def test_being_expected_by_an_hour(left_at: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """In the evening and at night somebody looks sooner."""
    policy = Policy(out_for=hours(6), home_by=time(22), out_at_night_for=minutes(30))

    left = Left(datetime(*left_at, tzinfo=UTC), "front door")  # type: ignore[arg-type,misc]  # mypy cannot see how many
    assert too_long_at(left, policy) == datetime(*expected, tzinfo=UTC)  # type: ignore[arg-type,misc]  # mypy cannot see how many


def test_where_a_door_is_the_evenings_last_word_nobody_is_called_out_for_it() -> None:
    """In some homes nothing sees the bedroom: a bolt is shot at half past eleven, and then everybody sleeps."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=NINE)
    lane.watch(policy=Policy(still_for=timedelta(days=7), learned=False))
    for day in range(5):
        lane.receive(movement(NINE + timedelta(days=day)), at=NINE + timedelta(days=day))
        leaves(lane, NINE + timedelta(days=day, hours=14.5))
        lane.pass_(NINE + timedelta(days=day, hours=21))
        up_at = NINE + timedelta(days=day, hours=21)
        lane.receive(movement(up_at, room="bathroom"), at=up_at)

    # Three nights are told, and then it is known; never for longer than the policy's eight hours.
    assert [found.since.day for found in lane.findings(Question.OUT)] == [18, 19, 20]

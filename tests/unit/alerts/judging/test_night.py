"""Is somebody who walks about in the night noticed, and an ordinary night left alone?"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.policy import Policy
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, hours, minutes, movement, one, said

POLICY = Policy(policy=3, night_up_for=minutes(30), still_for=timedelta(days=7), learned=False)
ONE = NINE + hours(16)
"""One in the morning of the next day."""


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine in the morning."""
    return watched()


def watched() -> Lane:
    lane = Lane()
    lane.give("stretch", {"stretch_s": 60 * 86400.0}, at=NINE)
    lane.watch(policy=POLICY)
    return lane


def walk(lane: Lane, rooms: Iterable[str], *, since: datetime, every: timedelta) -> datetime:
    """Move through these rooms, and return when the last of it was seen."""
    at = since
    for room in rooms:
        lane.receive(movement(at, room=room), at=at)
        at += every
    return at - every


def test_walking_about_in_the_night_is_found(lane: Lane) -> None:
    """Who walks and walks at one in the morning may be lost in the own home."""
    last_at = walk(lane, ["kitchen", "lounge", "hall"] * 3, since=ONE, every=minutes(5))
    lane.pass_(last_at)

    found = one(lane.findings(Question.NIGHT_UP))
    assert (found.since, found.at) == (ONE, ONE + minutes(25))
    assert (found.why["up_for_s"], found.why["rooms"], found.why["usual_s"]) == (
        1800,
        ["kitchen", "lounge", "hall"],
        None,
    )


def test_visits_to_the_bathroom_are_ordinary(lane: Lane) -> None:
    """Three a night are nobody's business."""
    for visit in range(4):
        rooms = ["bedroom", "hall", "bathroom", "bathroom", "hall", "bedroom"]
        walk(lane, rooms, since=ONE + minutes(50 * visit), every=minutes(3))
    lane.pass_(ONE + hours(5))

    assert lane.found == []


def test_turning_over_in_bed_is_not_walking(lane: Lane) -> None:
    """A restless night in bed is seen by the bedroom's sensor all the time."""
    walk(lane, ["bedroom"] * 60, since=ONE, every=minutes(3))

    assert lane.found == []


def test_by_day_nobody_counts(lane: Lane) -> None:
    """Being up is what the day is for."""
    walk(lane, ["kitchen", "lounge"] * 40, since=NINE, every=minutes(5))

    assert lane.found == []


def test_a_cup_of_tea_is_nothing(lane: Lane) -> None:
    """A quarter of an hour in the kitchen at one in the morning is not worth a text."""
    walk(lane, ["kitchen"] * 8, since=ONE, every=minutes(2))
    lane.pass_(ONE + hours(8))

    assert lane.found == []


def test_quiet_again_ends_it(lane: Lane) -> None:
    """Whoever was woken by it wants to know whether it is over."""
    last_at = walk(lane, ["lounge"] * 8, since=ONE, every=minutes(5))
    lane.pass_(ONE + hours(3))

    (ended,) = lane.endings(Question.NIGHT_UP)
    assert (ended.at, ended.episode) == (last_at + minutes(30), one(lane.findings()).episode)


def test_the_morning_ends_it(lane: Lane) -> None:
    """Who is up at five is up for the day."""
    walk(lane, ["lounge"] * 20, since=ONE + hours(3), every=minutes(5))
    lane.pass_(ONE + hours(6))

    (ended,) = lane.endings(Question.NIGHT_UP)
    assert ended.at == ONE + hours(4)


def test_closed_by_a_person_only_what_comes_after_counts(lane: Lane) -> None:
    """Who has just looked knows what was before; half an hour more of it is news."""
    walk(lane, ["lounge"] * 6, since=ONE, every=minutes(5))
    lane.pass_(ONE + minutes(26))
    lane.close(one(lane.findings()), at=ONE + minutes(26))
    walk(lane, ["lounge"] * 4, since=ONE + minutes(30), every=minutes(5))
    assert len(lane.findings()) == 1
    walk(lane, ["lounge"] * 4, since=ONE + minutes(50), every=minutes(5))
    lane.pass_(ONE + hours(2))

    first, second = lane.findings()
    assert (second.at, second.episode == first.episode) == (ONE + minutes(50), False)


def test_what_is_usual_here_is_not_told(lane: Lane) -> None:
    """Somebody has always slept badly: three weeks of it, and then it is no news."""
    for night in range(20):
        since = ONE + timedelta(days=night)
        walk(lane, ["lounge"] * 8, since=since, every=minutes(5))
        lane.pass_(since + hours(12))
    early, late = NINE + timedelta(days=14), NINE + timedelta(days=16)
    found = lane.findings()

    assert len([one for one in found if one.at < early]) == 14
    assert [one for one in found if one.at > late] == []


def test_more_than_is_usual_here_says_what_is(lane: Lane) -> None:
    """A carer who knows what is usual decides better."""
    for night in range(20):
        since = ONE + timedelta(days=night)
        walk(lane, ["lounge"] * 8, since=since, every=minutes(5))
        lane.receive(movement(since + hours(8)), at=since + hours(8))
    worst = ONE + timedelta(days=20)
    walk(lane, ["lounge"] * 13, since=worst, every=minutes(5))
    lane.pass_(worst + hours(1))

    found = lane.findings()[-1]
    assert (found.at, found.why["usual_s"], found.why["nights"]) == (worst + minutes(55), 40 * 60, 20)


def test_out_of_bed_and_not_back_is_found_although_nothing_moves(lane: Lane) -> None:
    """Who fell beside the bed moves no more; the bed knows that it is empty."""
    bed(lane, ONE - hours(2), is_occupied=True)
    bed(lane, ONE, is_occupied=False)
    lane.pass_(ONE + hours(1))

    found = one(lane.findings(Question.NIGHT_UP))
    assert (found.since, found.at, found.why["out_of_bed"]) == (ONE, ONE + minutes(30), True)


def test_back_in_bed_ends_it(lane: Lane) -> None:
    """And a short absence is nothing at all."""
    bed(lane, ONE, is_occupied=False)
    bed(lane, ONE + minutes(20), is_occupied=True)
    bed(lane, ONE + hours(1), is_occupied=False)
    bed(lane, ONE + hours(2), is_occupied=True)

    assert one(lane.findings()).at == ONE + hours(1) + minutes(30)
    assert [ended.at for ended in lane.endings(Question.NIGHT_UP)] == [ONE + hours(2)]


def test_what_arrives_in_the_morning_raises_nothing(lane: Lane) -> None:
    """Late readings explain; they never raise a message about the past."""
    morning = ONE + hours(7)
    lane.receive(*(movement(ONE + minutes(5 * slot), room="lounge") for slot in range(20)), at=morning)
    lane.pass_(morning + hours(1))

    assert lane.found == []


def bed(lane: Lane, at: datetime, *, is_occupied: bool) -> None:
    sensors = [{"sensor": "bed", "room": "bedroom", "kind": "bed"}]
    if "bed" not in lane.judge.state_of(HOME).sensors:
        lane.give("sensors", {"sensors": sensors}, at=NINE)  # type: ignore[dict-item]  # list is invariant
    lane.receive(said(at, "bed", "presence", float(is_occupied)), at=at)


_MOVES = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["kitchen", "hall", "bathroom", "bedroom"])), max_size=40
)


@given(_MOVES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_in_which_order_a_night_arrives_changes_nothing_of_what_is_learnt(
    moves: list[tuple[int, str]], chance: object
) -> None:
    """A hub that sends its backlog out of order must not teach us another night."""
    shuffled = list(moves)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # random.Random
    learnt = []
    for order in (moves, shuffled):
        lane = watched()
        lane.receive(*(movement(ONE + timedelta(minutes=m / 2), room=room) for m, room in order), at=ONE + hours(3))
        lane.receive(movement(ONE + hours(9)), at=ONE + hours(9))
        learnt.append(lane.judge.state_of(HOME).night.nights_s)

    assert learnt[0] == learnt[1]

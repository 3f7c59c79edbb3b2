"""Is somebody asked to look when a home cannot be seen for too long, and not before?"""

from datetime import timedelta

import pytest

from alerts.alert import Question
from alerts.judging.policy import Policy
from gateway import heartbeat as promise
from tests.unit.alerts.judging.recorded import HUB, NINE, Lane, heartbeat, hours, minutes, movement, one

FOUR = Policy(policy=3, unseen_for=hours(4), again_after=hours(1), still_for=hours(6))


@pytest.fixture
def lane() -> Lane:
    """A home whose resident was seen in the bathroom at five past nine; its box says nothing after six past."""
    lane = Lane()
    lane.watch(policy=FOUR)
    lane.receive(movement(NINE + minutes(5), room="bathroom"), at=NINE + minutes(5))
    lane.beat(since=NINE + minutes(1), until=NINE + minutes(7))
    return lane


DARK = NINE + minutes(6)


def test_a_home_that_cannot_be_seen_is_told_after_the_policys_time(lane: Lane) -> None:
    """Somebody may have fallen in the minute in which the line went down; no stillness could ever be found."""
    lane.pass_(DARK + hours(4) - timedelta(seconds=1))
    assert lane.findings(Question.UNSEEN) == []
    lane.pass_(DARK + hours(9))

    found = one(lane.findings(Question.UNSEEN))
    assert (found.since, found.at, found.policy) == (DARK, DARK + hours(4), 3)
    assert (found.why["last_seen_room"], found.why["blind_why"]) == ("bathroom", ["hub"])
    assert found.why["last_seen_at"] == (NINE + minutes(5)).isoformat()
    assert lane.findings(Question.STILL) == []


def test_a_page_can_say_when_somebody_will_be_asked(lane: Lane) -> None:
    """Blind is no reason to say nothing of what happens next."""
    lane.pass_(DARK + minutes(30))

    now = lane.now()

    assert now.next_alert_at is None
    assert now.next_alert_why["unseen_at"] == (DARK + hours(4)).isoformat()


def test_it_is_over_when_the_home_is_seen_again_and_the_stillness_is_asked_anew(lane: Lane) -> None:
    """The cause ends; how the resident is, a person says."""
    lane.pass_(DARK + hours(5))

    lane.receive(heartbeat(), at=DARK + hours(5))
    lane.pass_(DARK + hours(5) + minutes(1))

    (ended,) = lane.endings(Question.UNSEEN)
    assert (ended.episode, ended.at) == (one(lane.findings(Question.UNSEEN)).episode, DARK + hours(5))


def test_a_gap_shorter_than_the_policys_time_is_nobodys_alert(lane: Lane) -> None:
    """A broadband fault of an hour is told to the operator as a fault, and to nobody as a person in need."""
    lane.pass_(DARK + hours(3))
    lane.beat(since=DARK + hours(3), until=DARK + hours(5))

    assert lane.findings(Question.UNSEEN) == []


def test_after_our_own_outage_nobody_is_asked_before_the_boxes_could_report() -> None:
    """Five thousand carers must not be woken because we were away for a night."""
    lane = Lane()
    lane.watch(policy=FOUR)
    back = NINE + hours(7)

    lane.are_deaf(NINE + minutes(1), back)
    lane.receive(heartbeat(), at=back + minutes(1))
    lane.beat(since=back + minutes(2), until=back + minutes(10))

    assert lane.findings(Question.UNSEEN) == []


def test_a_box_that_does_not_come_back_after_our_outage_is_asked_about() -> None:
    """What was not seen by our fault was not seen."""
    lane = Lane()
    lane.watch(policy=FOUR)
    back = NINE + hours(7)

    lane.are_deaf(NINE + minutes(1), back)
    lane.pass_(back + minutes(10))

    found = one(lane.findings(Question.UNSEEN))
    assert found.since == NINE + minutes(1)
    assert found.at == back + promise.EVERY + promise.GRACE


def test_a_home_that_was_never_heard_is_a_set_up_that_is_not_done() -> None:
    """Its operator sees it; no carer is sent to a home that was never watched."""
    lane = Lane()
    lane.give("watched", {"hub": HUB, "since": NINE.isoformat()}, at=NINE)

    lane.pass_(NINE + hours(30))

    assert lane.findings(Question.UNSEEN) == []


def test_it_is_asked_again_after_a_wrong_click(lane: Lane) -> None:
    """Promise P3, for blindness too."""
    lane.pass_(DARK + hours(4))
    lane.close(one(lane.findings(Question.UNSEEN)), at=DARK + hours(4) + minutes(5), outcome="all well")

    lane.pass_(DARK + hours(6))

    first, again = lane.findings(Question.UNSEEN)
    assert again.at == DARK + hours(5) + minutes(5)
    assert again.again_of is not None
    assert again.episode != first.episode


def test_where_it_is_not_asked_nobody_is_told() -> None:
    """An operator may know better: a home with a nurse in it day and night."""
    lane = Lane()
    lane.watch(policy=Policy(policy=4, is_unseen_asked=False))

    lane.pass_(NINE + hours(30))

    assert lane.findings(Question.UNSEEN) == []

"""Is what is true of one home said, and nothing else?"""

from datetime import datetime, timedelta

import pytest

from alerts.alert import Question
from alerts.judging.detectors.device_silence import BACKLOG_WAIT
from alerts.judging.finding import JSON
from alerts.judging.home import FORMAT, dump, load
from alerts.judging.policy import Policy, to_json
from alerts.judging.watched import Watched
from gateway import heartbeat as promise
from ingest import entry
from tests.unit.alerts.judging.recorded import (
    HOME,
    HUB,
    NINE,
    Lane,
    heartbeat,
    hours,
    minutes,
    movement,
    one,
    press,
    warmth,
)

SIX_HOURS = Policy(policy=3, still_for=hours(6), again_after=hours(1))
FAR: dict[str, JSON] = {"stretch_s": 30 * 86400.0}
"""Promises kept for a month: for tests that are not about heartbeats."""


@pytest.fixture
def lane() -> Lane:
    """A home that is watched since nine, whose hub need not report."""
    lane = Lane()
    lane.give("stretch", FAR, at=NINE)
    lane.watch(policy=SIX_HOURS)
    return lane


# Alarms.


def test_an_alarm_is_found_the_moment_it_is_received(lane: Lane) -> None:
    """Nothing may stand between a pendant and a person."""
    at = NINE + minutes(10)

    lane.receive(press(at), at=at)

    found = one(lane.findings())
    assert (found.question, found.episode, found.since, found.at) == (Question.ALARM, "hub-1/box/7", at, at)
    assert found.alarm == press(at)


def test_an_alarm_that_was_on_its_way_for_days_is_still_told(lane: Lane) -> None:
    """A press is never too old: somebody must find out what became of it."""
    received_at = NINE + timedelta(days=3)

    lane.receive(press(NINE), at=received_at)

    found = one(lane.findings(Question.ALARM))
    assert (found.since, found.at, found.why["late_by_s"]) == (NINE, received_at, 3 * 86400)


def test_an_alarm_of_a_home_that_nobody_knows_is_still_told() -> None:
    """A hub that was never set up may hang on a wall where somebody is waiting."""
    lane = Lane()

    lane.receive(press(NINE, home=None), press(NINE, home="unknown", identity="hub-1/box/8"), at=NINE)

    assert [f.home for f in lane.findings(Question.ALARM)] == [None, "unknown"]


def test_an_alarm_that_nobody_can_read_is_told_and_is_no_sign_of_life(lane: Lane) -> None:
    """Bytes that make no sense may be a call for help; they do not prove that somebody moved."""
    at = NINE + hours(2)
    garbled = entry.Alarm(HOME, HUB, "hub-1/sha", None, None, "pendant_alarm", 1.0, at, unreadable="not JSON")

    lane.receive(garbled, at=at)

    assert one(lane.findings()).why["unreadable"] == "not JSON"
    assert lane.now().last_seen_at is None


def test_every_press_is_told_even_while_one_is_open(lane: Lane) -> None:
    """Who presses again is not being helped yet."""
    for count in range(3):
        at = NINE + minutes(count)
        lane.receive(press(at, identity=f"hub-1/box/{count}"), at=at)

    assert len(lane.findings(Question.ALARM)) == 3


# Stillness.


def test_a_stillness_is_found_to_the_second(lane: Lane) -> None:
    """The moment at which it is true does not depend on when somebody looked."""
    lane.receive(movement(NINE + minutes(5)), at=NINE + minutes(5))

    lane.pass_(NINE + hours(6) + minutes(4))
    assert lane.findings() == []
    lane.pass_(NINE + hours(9))

    found = one(lane.findings())
    assert (found.question, found.since, found.at) == (
        Question.STILL,
        NINE + minutes(5),
        NINE + minutes(5) + hours(6),
    )
    assert (found.policy, found.why["last_seen_room"], found.why["still_for_s"]) == (3, "kitchen", 6 * 3600)


def test_a_temperature_is_no_sign_of_life(lane: Lane) -> None:
    """A thermometer goes on reporting beside somebody who lies on the floor."""
    for hour in range(1, 6):
        lane.receive(warmth(NINE + hours(hour)), at=NINE + hours(hour))

    lane.pass_(NINE + hours(6))

    assert one(lane.findings()).since == NINE


def test_a_home_in_which_nothing_was_ever_seen_is_found_still_too(lane: Lane) -> None:
    """Sensors that never report must not look like a resident who is well."""
    lane.pass_(NINE + hours(6))

    found = one(lane.findings(Question.STILL))
    assert (found.since, found.why["last_seen_at"]) == (NINE, None)


def test_a_reading_that_comes_late_never_takes_back_what_was_seen_since(lane: Lane) -> None:
    """Otherwise an hour-old reading would bring an alert an hour nearer."""
    lane.receive(movement(NINE + hours(2)), at=NINE + hours(2))
    lane.receive(movement(NINE + hours(1), room="hall"), at=NINE + hours(2) + minutes(1))

    assert (lane.now().last_seen_at, lane.now().last_seen_room) == (NINE + hours(2), "kitchen")


@pytest.mark.parametrize("uncertain_since", [NINE, NINE + hours(4)])
def test_a_reading_of_uncertain_time_neither_ends_nor_starts_a_stillness(lane: Lane, uncertain_since: datetime) -> None:
    """It may be yesterday's."""
    at = NINE + hours(5)
    lane.receive(movement(at, uncertain_since=uncertain_since), at=at)

    assert (lane.now().state, lane.now().why) == (Watched.DEGRADED, ("clock",))
    lane.pass_(NINE + hours(6))
    assert one(lane.findings()).since == NINE


def test_a_reading_from_the_future_counts_as_of_now(lane: Lane) -> None:
    """A clock a day ahead must not promise a day of life."""
    lane.receive(movement(NINE + timedelta(days=1)), at=NINE + hours(1))

    assert lane.now().last_seen_at == NINE + hours(1)


def test_being_seen_again_ends_a_stillness_once(lane: Lane) -> None:
    """Whoever was told wants to know; movement is no proof that all is well, so only a person closes."""
    lane.pass_(NINE + hours(6))
    lane.receive(movement(NINE + hours(7)), at=NINE + hours(7))
    lane.receive(movement(NINE + hours(8)), at=NINE + hours(8))

    (ended,) = lane.endings()
    assert (ended.episode, ended.at, ended.why["room"]) == (
        one(lane.findings()).episode,
        NINE + hours(7),
        "kitchen",
    )
    assert lane.now().next_alert_at == NINE + hours(23)  # Five hours until ten at night, and one from seven on.


def test_a_late_reading_ends_a_stillness_and_says_that_it_came_late(lane: Lane) -> None:
    """What was on its way explains the alert, and must not look like news."""
    lane.pass_(NINE + hours(6))
    lane.receive(movement(NINE + hours(3)), at=NINE + hours(7))

    (ended,) = lane.endings()
    assert (ended.at, ended.why["late_by_s"]) == (NINE + hours(7), 4 * 3600)


def test_smoke_is_told_and_ends_no_stillness(lane: Lane) -> None:
    """Who lies on the floor does not move because there is a fire."""
    lane.pass_(NINE + hours(6))
    lane.receive(
        entry.Alarm(HOME, HUB, "hub-1/box/8", "smoke", "kitchen", "smoke_alarm", 1.0, NINE + hours(7)),
        at=NINE + hours(7),
    )

    assert [found.question for found in lane.findings()] == [Question.STILL, Question.ALARM]
    assert lane.endings() == []


def test_a_second_stillness_is_found_although_nobody_closed_the_first(lane: Lane) -> None:
    """An alert that somebody forgot to close must not leave a home unwatched from then on."""
    lane.pass_(NINE + hours(6))
    lane.receive(movement(NINE + hours(6.5)), at=NINE + hours(6.5))
    lane.pass_(NINE + hours(30))

    first, second = lane.findings(Question.STILL)
    assert (second.since, second.again_of) == (NINE + hours(6.5), None)
    assert second.episode != first.episode


def test_closing_the_first_late_does_not_close_the_second(lane: Lane) -> None:
    """Clearing up yesterday's list must not quieten what is true today."""
    lane.pass_(NINE + hours(6))
    lane.receive(movement(NINE + hours(6.5)), at=NINE + hours(6.5))
    lane.pass_(NINE + hours(30))
    first, second = lane.findings(Question.STILL)
    lane.close(first, at=NINE + hours(30))
    lane.pass_(NINE + hours(40))

    assert lane.findings(Question.STILL) == [first, second]
    assert lane.now().next_alert_at == second.at


def test_a_stillness_closed_under_another_name_comes_again(lane: Lane) -> None:
    """A judge that was rebuilt must not wait for ever for the closing of a name that only it knows."""
    lane.pass_(NINE + hours(6))
    lane.give(
        "closed",
        {"question": "still", "episode": "x", "outcome": "all well", "by": "Ann", "at": (NINE + hours(7)).isoformat()},
        at=NINE + hours(7),
    )
    lane.pass_(NINE + hours(8))

    assert [found.at for found in lane.findings(Question.STILL)] == [NINE + hours(6), NINE + hours(8)]


def test_a_stillness_closed_while_it_lasts_comes_again(lane: Lane) -> None:
    """A wrong click must not be the end of it."""
    lane.pass_(NINE + hours(6))
    first = one(lane.findings())
    lane.close(first, at=NINE + hours(6) + minutes(10), by="Ann", outcome="false alarm")
    lane.pass_(NINE + hours(9))

    again = lane.findings()[1]
    assert (again.since, again.at) == (first.since, NINE + hours(7) + minutes(10))
    assert again.episode != first.episode
    assert again.again_of is not None
    assert (again.again_of["closed_by"], again.again_of["outcome"]) == ("Ann", "false alarm")


def test_closed_again_and_again_it_has_another_name_each_time(lane: Lane) -> None:
    """Two alerts of one name would be one alert, and the second would never be raised."""
    for count in range(3):
        lane.pass_(NINE + hours(8 + 2 * count))
        lane.close(lane.findings()[-1], at=NINE + hours(8 + 2 * count))
    lane.pass_(NINE + timedelta(days=1))

    episodes = [found.episode for found in lane.findings()]
    assert len(episodes) == 4
    assert len(set(episodes)) == 4


def test_closing_what_was_never_raised_changes_nothing(lane: Lane) -> None:
    """An old click that arrives late must not quieten what comes next."""
    lane.give(
        "closed",
        {"question": "still", "episode": "x", "outcome": "all well", "by": "Ann", "at": NINE.isoformat()},
        at=NINE + hours(1),
    )
    lane.pass_(NINE + hours(6))

    assert one(lane.findings()).at == NINE + hours(6)


def test_a_shorter_threshold_counts_from_the_moment_it_was_set(lane: Lane) -> None:
    """What an operator asks for now is judged now, not in the past."""
    lane.give("policy", to_json(Policy(policy=4, still_for=hours(2))), at=NINE + hours(5))
    lane.pass_(NINE + hours(5))

    found = one(lane.findings())
    assert (found.at, found.policy) == (NINE + hours(5), 4)


# Hub silence and blindness.


@pytest.fixture
def heard() -> Lane:
    """A home that is watched since nine, whose hub must report every minute."""
    lane = Lane()
    lane.watch(policy=SIX_HOURS)
    return lane


DEADLINE = NINE + promise.EVERY + promise.GRACE


def test_a_hub_is_silent_at_the_first_moment_after_its_promise(heard: Lane) -> None:
    """Silent disconnection is what people died of."""
    heard.pass_(DEADLINE - timedelta(microseconds=1))
    assert (heard.now().state, heard.findings()) == (Watched.WATCHED, [])
    heard.pass_(DEADLINE)

    found = one(heard.findings())
    assert (found.question, found.hub, found.since, found.at) == (Question.HUB_SILENT, HUB, NINE, DEADLINE)
    # The minutes after the last thing heard are blind for good (P2), not only those after the promise broke.
    assert (heard.now().state, heard.now().why, heard.now().since) == (Watched.BLIND, ("hub",), NINE)


def test_the_promise_is_written_down_before_it_is_broken(heard: Lane) -> None:
    """A page that nobody refreshes must know when to stop saying fine."""
    assert heard.now().promised_until == DEADLINE
    assert heard.now().last_heard_at == NINE


def test_time_that_is_sped_up_stretches_the_grace(heard: Lane) -> None:
    """A second's pause of the machine must not be an hour's blindness of the street."""
    heard.give("stretch", {"stretch_s": 600.0}, at=NINE)

    heard.pass_(DEADLINE + minutes(9))
    assert heard.findings() == []
    heard.pass_(DEADLINE + minutes(10))

    assert one(heard.findings()).at == DEADLINE + minutes(10)


def test_a_hub_that_is_heard_again_ends_its_own_fault(heard: Lane) -> None:
    """Nobody drives out for a hub that came back."""
    back = NINE + hours(1)
    heard.receive(heartbeat(), at=back)
    heard.pass_(back)

    (ended,) = heard.endings(Question.HUB_SILENT)
    assert (ended.episode, ended.at) == (one(heard.findings()).episode, back)
    assert (heard.now().state, heard.now().since) == (Watched.WATCHED, back)


def test_a_hub_never_heard_is_not_fine_from_the_first_moment() -> None:
    """No news is not good news."""
    lane = Lane()
    lane.give("watched", {"hub": HUB, "since": NINE.isoformat()}, at=NINE)

    assert (lane.now().state, lane.now().why) == (Watched.BLIND, ("never heard",))
    lane.pass_(DEADLINE)
    assert one(lane.findings()).question is Question.HUB_SILENT


def test_before_a_home_is_watched_nothing_is_missed() -> None:
    """A box that is still in its parcel is not silent."""
    lane = Lane()
    lane.receive(heartbeat(), movement(NINE), at=NINE)
    lane.pass_(NINE + timedelta(days=2))

    assert lane.found == []


def test_while_blind_no_stillness_is_found_and_the_page_says_why(heard: Lane) -> None:
    """We cannot say that nothing moved where we could not look."""
    heard.pass_(NINE + hours(8))

    assert heard.findings(Question.STILL) == []
    assert heard.now().next_alert_at is None
    unseen_at = (NINE + SIX_HOURS.unseen_for).isoformat()
    assert heard.now().next_alert_why == {
        "reason": "blind",
        "blind": ["hub"],
        "unseen_at": unseen_at,
        "quiet": "hub silent",
    }


def test_what_still_holds_when_the_hub_is_back_is_found_then(heard: Lane) -> None:
    """A resident who fell during the power cut is still on the floor."""
    back = NINE + hours(8)
    heard.receive(heartbeat(), at=back)
    heard.pass_(back)

    found = one(heard.findings(Question.STILL))
    assert (found.since, found.at) == (NINE, back)
    assert (found.why["unseen_since"], found.why["unseen_until"]) == (NINE.isoformat(), back.isoformat())
    assert found.why["unwatched_s"] == hours(8).total_seconds()


def test_a_hub_that_holds_readings_is_waited_for(heard: Lane) -> None:
    """What it has not sent yet may show that all is well."""
    back = NINE + hours(8)
    heard.receive(heartbeat(held=40), at=back)
    heard.receive(movement(back - minutes(9)), at=back + minutes(1))
    heard.receive(heartbeat(held=0), at=back + minutes(1))
    heard.pass_(back + minutes(2))

    assert heard.findings(Question.STILL) == []


def test_a_hub_that_never_gets_rid_of_its_readings_is_not_waited_for_for_ever(heard: Lane) -> None:
    """A stuck queue must not keep a resident from being noticed."""
    back = NINE + hours(8)
    heard.beat(since=back, until=back + minutes(10), held=40)

    assert one(heard.findings(Question.STILL)).at == back + BACKLOG_WAIT


def test_a_hub_that_cannot_hear_its_sensors_is_blind(heard: Lane) -> None:
    """It lives, and sees nothing: fine would be a lie."""
    heard.receive(heartbeat(radio_up=False), at=NINE + minutes(1))

    assert (heard.now().state, heard.now().why) == (Watched.BLIND, ("radio",))
    heard.beat(since=NINE + minutes(2), until=NINE + minutes(9), radio_up=False)
    assert one(heard.findings(Question.HUB_TROUBLE)).why["what"] == "radio"
    heard.receive(heartbeat(radio_up=True), at=NINE + minutes(10))
    assert [ended.question for ended in heard.endings()] == [Question.HUB_TROUBLE]
    assert heard.now().state is Watched.WATCHED


def test_with_two_hubs_one_silent_hub_leaves_the_home_half_seen(heard: Lane) -> None:
    """The other still sees something, so stillness is judged, and the page says what is missing."""
    heard.give("watched", {"hub": "hub-2", "since": NINE.isoformat()}, at=NINE)
    heard.receive(heartbeat(hub="hub-2"), at=NINE)
    heard.beat(since=NINE, until=NINE + hours(7))

    assert (heard.now().state, heard.now().why) == (Watched.DEGRADED, ("hub",))
    assert one(heard.findings(Question.HUB_SILENT)).hub == "hub-2"
    assert one(heard.findings(Question.STILL)).at == NINE + hours(6)


def test_two_silent_hubs_are_two_faults(heard: Lane) -> None:
    """Mending the one must not be the only way to hear of the other."""
    heard.give("watched", {"hub": "hub-2", "since": NINE.isoformat()}, at=NINE)
    heard.receive(heartbeat(hub="hub-2"), at=NINE)
    heard.pass_(NINE + hours(1))
    first, second = heard.findings(Question.HUB_SILENT)
    heard.close(first, at=NINE + hours(1), outcome="mended")
    heard.pass_(NINE + hours(5))

    assert (first.hub, second.hub) == (HUB, "hub-2")
    assert [f.hub for f in heard.findings(Question.HUB_SILENT)[2:]] == [HUB]
    assert heard.findings(Question.HUB_SILENT)[2].again_of is not None


def test_a_hub_that_was_taken_away_is_not_missed(heard: Lane) -> None:
    """Whoever swaps a hub must be able to say so."""
    heard.give("watched", {"hub": HUB, "until": NINE.isoformat()}, at=NINE)
    heard.pass_(NINE + hours(1))

    assert heard.findings() == []


# We ourselves were away.


def test_while_we_were_deaf_the_home_was_blind_and_it_was_us(heard: Lane) -> None:
    """A family that reads of a silent box looks for a fault at home which was ours."""
    heard.are_deaf(NINE + minutes(1), NINE + minutes(6))

    now = heard.now()
    assert (now.state, now.why, now.since) == (Watched.BLIND, ("us",), NINE + minutes(1))
    assert now.next_alert_at is None
    assert (now.next_alert_why["reason"], now.next_alert_why["blind"]) == ("blind", ["us"])


def test_a_home_is_watched_again_once_its_hub_is_heard_and_not_before(heard: Lane) -> None:
    """That we can hear again does not say that there is anything to hear."""
    heard.are_deaf(NINE + minutes(1), NINE + minutes(6))
    heard.pass_(NINE + minutes(7))
    assert heard.now().state is Watched.BLIND
    heard.receive(heartbeat(), at=NINE + minutes(8))

    assert (heard.now().state, heard.now().since) == (Watched.WATCHED, NINE + minutes(8))
    assert heard.found == []


def test_a_hub_that_was_silent_before_stays_silent(heard: Lane) -> None:
    """Our outage is no excuse for a promise that was broken before it, and no second alert of it either."""
    heard.are_deaf(DEADLINE, DEADLINE + hours(1))
    heard.pass_(DEADLINE + hours(2))

    assert one(heard.findings()).at == DEADLINE
    assert (heard.now().why, heard.now().since) == (("hub",), NINE)


def test_what_broke_at_the_very_moment_we_went_deaf_was_broken(heard: Lane) -> None:
    """Up to that moment everything was heard."""
    heard.are_deaf(DEADLINE, DEADLINE + minutes(5))

    assert one(heard.findings()).question is Question.HUB_SILENT


def test_a_stillness_due_while_we_were_deaf_is_judged_when_the_hub_is_heard(heard: Lane) -> None:
    """Who fell while we were away is still on the floor."""
    heard.beat(since=NINE, until=NINE + hours(5))
    heard.are_deaf(NINE + hours(5), NINE + hours(7))
    back = NINE + hours(7) + minutes(1)
    heard.pass_(back - timedelta(seconds=1))
    assert heard.findings() == []
    heard.receive(heartbeat(), at=back)
    heard.pass_(back)

    found = one(heard.findings())
    assert (found.question, found.since, found.at) == (Question.STILL, NINE, back)
    assert found.why["unseen_until"] == back.isoformat()


def test_what_the_hub_kept_for_us_is_waited_for(heard: Lane) -> None:
    """She moved while we were away, and the hub is about to say so."""
    heard.beat(since=NINE, until=NINE + hours(5))
    heard.are_deaf(NINE + hours(5), NINE + hours(7))
    back = NINE + hours(7) + minutes(1)
    heard.receive(heartbeat(held=12), at=back)
    heard.receive(movement(NINE + hours(6)), at=back + minutes(1))
    heard.receive(heartbeat(), at=back + minutes(1))
    heard.pass_(back + minutes(10))

    assert heard.findings(Question.STILL) == []
    assert heard.now().last_seen_at == NINE + hours(6)


def test_with_two_hubs_the_one_not_heard_yet_is_waited_for_as_long_as_its_promise(heard: Lane) -> None:
    """It may hold the movement that the other did not see; but a resident is not left for a hub that never comes."""
    heard.give("watched", {"hub": "hub-2", "since": NINE.isoformat()}, at=NINE)
    for minute in range(300):
        heard.receive(heartbeat(), heartbeat(hub="hub-2"), at=NINE + minutes(minute))
    heard.are_deaf(NINE + hours(5), NINE + hours(7))
    heard.receive(heartbeat(), at=NINE + hours(7) + minutes(1))
    assert (heard.now().state, heard.now().why) == (Watched.DEGRADED, ("us",))
    heard.beat(since=NINE + hours(7) + minutes(2), until=NINE + hours(7) + minutes(5))

    assert one(heard.findings(Question.STILL)).at == NINE + hours(7) + minutes(3)


def test_a_silence_in_which_we_were_deaf_for_long_is_not_learnt(heard: Lane) -> None:
    """What looked like an hour without a movement may have been an hour without us."""
    heard.receive(movement(NINE + minutes(1)), at=NINE + minutes(1))
    heard.are_deaf(NINE + minutes(2), NINE + hours(1))
    heard.receive(heartbeat(), at=NINE + hours(1) + minutes(1))
    heard.receive(movement(NINE + hours(2)), at=NINE + hours(2))

    assert heard.judge.state_of(HOME).routine.silences == []
    assert heard.judge.state_of(HOME).routine.days_learnt() == 0


def test_an_alarm_is_told_while_we_know_nothing_else(heard: Lane) -> None:
    """The first thing that arrives may be the press that waited for us."""
    heard.are_deaf(NINE + minutes(1), NINE + minutes(6))
    heard.receive(press(NINE + minutes(2)), at=NINE + minutes(6) + timedelta(microseconds=1))

    assert one(heard.findings()).question is Question.ALARM


# Faults.


def test_lost_readings_are_a_fault_of_their_own_range(lane: Lane) -> None:
    """What is gone is written down as gone, once for each hole."""
    at = NINE + minutes(1)
    lane.receive(
        entry.Lost(HOME, HUB, "box", "readings", 5, 9), entry.Lost(HOME, HUB, "box", "readings", 20, 20), at=at
    )

    assert [(f.episode, f.why["lost"]) for f in lane.findings(Question.READINGS_LOST)] == [
        ("box/readings/5-9", 5),
        ("box/readings/20-20", 1),
    ]


def test_a_flood_of_one_trouble_is_one_fault_a_day(lane: Lane) -> None:
    """A hub that repeats itself must not fill the operator's list."""
    for count in range(50):
        lane.receive(entry.Trouble(HOME, HUB, "wrong clock"), at=NINE + minutes(count))
    lane.receive(entry.Trouble(HOME, HUB, "wrong clock"), at=NINE + timedelta(days=1))

    assert len(lane.findings(Question.HUB_TROUBLE)) == 2


def test_a_trouble_in_the_heartbeat_is_found_once_and_ends_when_it_is_gone(lane: Lane) -> None:
    """A full disk is told when it fills and when it is mended."""
    for count in range(1, 5):
        lane.receive(heartbeat(troubles=("disk full",)), at=NINE + minutes(count))
    lane.receive(heartbeat(), at=NINE + minutes(5))

    found = one(lane.findings(Question.HUB_TROUBLE))
    assert [(e.episode, e.at) for e in lane.endings()] == [(found.episode, NINE + minutes(5))]


def test_a_trouble_that_was_closed_while_it_lasts_comes_again(lane: Lane) -> None:
    """A click does not empty a disk."""
    lane.receive(heartbeat(troubles=("disk full",)), at=NINE + minutes(1))
    lane.close(one(lane.findings()), at=NINE + minutes(2), outcome="mended")
    for count in range(3, 90):
        lane.receive(heartbeat(troubles=("disk full",)), at=NINE + minutes(count))

    first, again = lane.findings(Question.HUB_TROUBLE)
    assert again.at == NINE + minutes(62)
    assert again.episode != first.episode


def test_an_input_that_cannot_be_read_stops_nothing_and_is_a_fault(lane: Lane) -> None:
    """One bad row must not keep the alarms behind it waiting."""
    lane.give("policy", {"still_for_s": -1}, at=NINE + minutes(1))
    lane.pass_(NINE + hours(6))

    assert [f.question for f in lane.findings()] == [Question.HUB_TROUBLE, Question.STILL]


# The morning, and what is remembered.


def test_up_since_is_the_first_sign_of_life_after_a_quiet_night(lane: Lane) -> None:
    """A family asks each morning: is she up?"""
    bed, up = NINE + hours(14), NINE + hours(22)
    lane.receive(movement(bed), at=bed)
    lane.receive(movement(up, room="bathroom"), at=up)
    lane.receive(movement(up + hours(4)), at=up + hours(4))

    assert lane.now().up_since == up


def test_a_state_that_another_format_wrote_is_rebuilt(lane: Lane) -> None:
    """A half understood memory is worse than none."""
    saved = dump(lane.judge.state_of(HOME))

    assert load(saved, FORMAT, "0.26.1") == lane.judge.state_of(HOME)
    assert load(saved, FORMAT + 1, "0.26.1") is None
    assert load(b'{"home": 3}', FORMAT, "0.26.1") is None

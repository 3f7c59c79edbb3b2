"""Is a sensor that broke its promise noticed, and one that could not be heard not blamed?"""

from datetime import datetime, timedelta

import pytest

from alerts.alert import FAULTS, Question
from alerts.judging.finding import JSON
from alerts.judging.policy import Policy, to_json
from alerts.judging.watched import Watched, hides_life, silent_in
from tests.unit.alerts.judging.recorded import (
    HUB,
    NINE,
    Lane,
    front_door,
    heartbeat,
    hours,
    minutes,
    movement,
    one,
    press,
    said,
    warmth,
)

POLICY = Policy(
    policy=3, sensor_silent_after=hours(25), gauge_silent_after=hours(3), still_for=timedelta(days=7), learned=False
)
SENSORS: list[JSON] = [
    {"sensor": "pir-kitchen", "room": "kitchen", "kind": "motion"},
    {"sensor": "thermometer", "room": "lounge", "kind": "climate"},
]
DAY = timedelta(days=1)


@pytest.fixture
def lane() -> Lane:
    """A home with two sensors, watched since nine; its hub need not report."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 0.0}, at=NINE)
    lane.watch(policy=POLICY)
    lane.give("sensors", {"sensors": SENSORS}, at=NINE)
    return lane


def live(lane: Lane, *, since: datetime, until: datetime, warm: bool = True, moves: bool = True) -> None:
    """The hub reports every two minutes; the sensors every half hour, those that are asked to."""
    at = since
    while at < until:
        entries = [heartbeat()]
        is_half_hour = (at - NINE) % minutes(30) == timedelta(0)
        more = [warmth(at)] if warm and is_half_hour else []
        more += [movement(at)] if moves and is_half_hour else []
        lane.receive(*entries, *more, at=at)
        at += minutes(2)


def test_a_thermometer_that_stops_is_found(lane: Lane) -> None:
    """What measures all the time is silent after hours, not after a day."""
    live(lane, since=NINE, until=NINE + hours(2))
    live(lane, since=NINE + hours(2), until=NINE + hours(6), warm=False)

    found = one(lane.findings())
    assert (found.question, found.since) == (Question.SENSOR_SILENT, NINE + hours(1.5))
    assert (found.at, found.why["sensor"], found.why["room"]) == (NINE + hours(4.5), "thermometer", "lounge")


def test_while_a_sensor_is_silent_the_home_is_partly_watched_and_says_why(lane: Lane) -> None:
    """P2: fine would be a lie about what nobody can see."""
    live(lane, since=NINE, until=NINE + hours(2))
    live(lane, since=NINE + hours(2), until=NINE + hours(6), warm=False)

    assert lane.now().state is Watched.DEGRADED
    (reason,) = lane.now().why
    silent = silent_in(reason)
    assert silent is not None
    assert (silent.sensor, silent.kind, silent.since) == ("lounge", "climate", NINE + hours(1.5))
    lane.receive(warmth(NINE + hours(6)), at=NINE + hours(6))
    assert (lane.now().state, lane.now().why) == (Watched.WATCHED, ())
    assert [ended.question for ended in lane.endings()] == [Question.SENSOR_SILENT]


def test_fine_is_promised_no_longer_than_the_sensors_promise(lane: Lane) -> None:
    """A page that nobody refreshes must stop saying fine when a sensor's promise breaks."""
    lane.give("stretch", {"stretch_s": 3 * 86400.0}, at=NINE)
    lane.give("policy", to_json(Policy(gauge_silent_after=minutes(1))), at=NINE)

    assert lane.now().promised_until == NINE + timedelta(days=3) + minutes(1)


def test_a_motion_sensor_that_checks_in_is_not_silent_though_nobody_moves(lane: Lane) -> None:
    """A guest room is empty for weeks; its sensor's link quality shows that it lives."""
    for hour in range(72):
        at = NINE + hours(hour)
        lane.receive(heartbeat(), warmth(at), said(at, "pir-kitchen", "link_quality", 90.0), at=at)
        for minute in range(2, 60, 2):
            lane.receive(heartbeat(), at=at + minutes(minute))

    assert lane.findings() == []


def test_an_alarm_shows_that_its_pendant_lives(lane: Lane) -> None:
    """A press is as good as a check-in."""
    lane.give("sensors", {"sensors": [{"sensor": "pendant", "kind": "pendant"}]}, at=NINE)
    live(lane, since=NINE, until=NINE + hours(20), warm=False, moves=False)
    lane.receive(press(NINE + hours(20)), at=NINE + hours(20))
    live(lane, since=NINE + hours(20), until=NINE + hours(40), warm=False, moves=False)

    assert lane.findings(Question.SENSOR_SILENT) == []


def test_a_silent_hub_mutes_its_sensors(lane: Lane) -> None:
    """One thing is broken, and it is told once."""
    live(lane, since=NINE, until=NINE + hours(1))
    lane.pass_(NINE + 3 * DAY)
    assert [found.question for found in lane.findings() if found.question in FAULTS] == [Question.HUB_SILENT]
    live(lane, since=NINE + 3 * DAY, until=NINE + 3 * DAY + hours(5))

    assert lane.findings(Question.SENSOR_SILENT) == []


def test_a_short_break_does_not_forgive_a_sensor_for_ever(lane: Lane) -> None:
    """A hub that restarts every hour must not hide a dead sensor."""
    at = NINE
    while at < NINE + hours(8):
        live(lane, since=at, until=at + minutes(54), warm=at < NINE + hours(1), moves=True)
        at += hours(1)

    found = one(lane.findings(Question.SENSOR_SILENT))
    # Half past nine was the last; three hours are promised, and three breaks of at most eight minutes are forgiven.
    assert NINE + hours(3.5) < found.at <= NINE + hours(3.5) + minutes(24)


def test_our_own_deafness_is_no_silence_of_theirs(lane: Lane) -> None:
    """We were away for a day; the sensors were not."""
    live(lane, since=NINE, until=NINE + hours(1))
    lane.are_deaf(NINE + hours(1), NINE + DAY)
    live(lane, since=NINE + DAY, until=NINE + DAY + hours(1))

    assert lane.findings() == []


def test_a_sensor_that_never_spoke_is_silent_too(lane: Lane) -> None:
    """No news is not good news: it may never have been paired."""
    live(lane, since=NINE, until=NINE + hours(4), warm=False)

    found = one(lane.findings())
    assert (found.since, found.at, found.why["last_heard_at"]) == (NINE, NINE + hours(3), None)


def test_a_sensor_that_was_taken_away_is_not_missed(lane: Lane) -> None:
    """Whoever changes the equipment must be able to say so."""
    live(lane, since=NINE, until=NINE + hours(4), warm=False)
    lane.give("sensors", {"sensors": SENSORS[:1]}, at=NINE + hours(4))

    assert lane.now().state is Watched.WATCHED


def test_two_silent_sensors_are_two_faults(lane: Lane) -> None:
    """Mending the one must not be the only way to hear of the other."""
    live(lane, since=NINE, until=NINE + hours(27), warm=False, moves=False)

    assert [found.why["sensor"] for found in lane.findings()] == ["thermometer", "pir-kitchen"]


def test_a_home_may_have_sensors_that_promise_nothing(lane: Lane) -> None:
    """Some radios never check in; then an operator says so, and nobody is sent out for nothing."""
    lane.give("policy", to_json(Policy(is_sensor_asked=False, still_for=timedelta(days=7))), at=NINE)
    live(lane, since=NINE, until=NINE + hours(27), warm=False, moves=False)

    assert lane.findings() == []
    assert lane.now().state is Watched.WATCHED


def test_all_sensors_silent_is_still_a_stillness(lane: Lane) -> None:
    """It looks just like somebody on the floor, and may be."""
    lane.give("policy", to_json(Policy(still_for=hours(6), sensor_silent_after=hours(2))), at=NINE)
    live(lane, since=NINE, until=NINE + hours(7), warm=False, moves=False)

    assert Question.STILL in {found.question for found in lane.findings()}


def test_what_shows_no_life_keeps_nobody_from_learning() -> None:
    """A dead thermometer hides no movement; a dead motion sensor does."""
    assert not hides_life(f"sensor/climate/{NINE.isoformat()}/lounge")
    assert hides_life(f"sensor/motion/{NINE.isoformat()}/bath/room")
    assert silent_in("hub") is None
    assert HUB


def test_an_outer_door_that_is_silent_says_where(lane: Lane) -> None:
    """The operator goes to the right door."""
    lane.give("sensors", {"sensors": [{"sensor": "door", "room": "front door", "kind": "contact"}]}, at=NINE)
    lane.receive(front_door(NINE, is_open=False), at=NINE)
    live(lane, since=NINE, until=NINE + hours(26), warm=False, moves=False)

    assert one(lane.findings()).why["room"] == "front door"

"""Is nobody looked for who is away, is an alarm told all the same, and does it end by itself?"""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.policy import Policy
from alerts.judging.rule import Rule, Sees
from alerts.judging.watched import HUB, PAUSED, Watched
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, front_door, heartbeat, hours, minutes, movement, press

POLICY = Policy(
    still_for=hours(6),
    learned=False,
    rules=(Rule(name="kitchen", sees=Sees.NO_MOVEMENT, rooms=("kitchen",), lasts=hours(3)),),
)
TOMORROW = NINE + timedelta(days=1)


def watched_home() -> Lane:
    """A home that is watched, whose hub goes on for days, and in which somebody was just seen."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 1e7}, at=NINE)
    lane.watch(policy=POLICY)
    lane.receive(movement(NINE + minutes(1)), at=NINE + minutes(1))
    return lane


def pause(lane: Lane, since: datetime, until: datetime, *, at: datetime) -> None:
    lane.give("pause", {"kind": "away", "since": since.isoformat(), "until": until.isoformat()}, at=at)


def questions(lane: Lane) -> list[Question]:
    return [found.question for found in lane.findings()]


def test_who_is_away_is_not_still() -> None:
    """A week in hospital is not thirty alerts about an empty flat, after which nobody looks any more."""
    lane = watched_home()
    pause(lane, NINE + hours(1), NINE + timedelta(days=7), at=NINE + minutes(2))
    lane.pass_(NINE + timedelta(days=7))

    assert questions(lane) == []
    now = lane.judge.now_of(HOME)
    assert lane.judge.state_of(HOME).pause is None
    assert now.state is not Watched.PAUSED


def test_it_is_its_own_state_and_says_until_when_nothing_is_raised() -> None:
    """P2: nobody may read of an empty flat that all is well, and whoever reads sees when that ends."""
    lane = watched_home()
    pause(lane, NINE + hours(1), TOMORROW, at=NINE + minutes(2))
    before = lane.judge.now_of(HOME)
    lane.pass_(NINE + hours(1))
    now = lane.judge.now_of(HOME)

    assert before.state is Watched.WATCHED
    assert (now.state, now.why, now.since) == (Watched.PAUSED, (PAUSED,), NINE + hours(1))
    assert (now.next_alert_at, now.next_alert_why) == (
        None,
        {"reason": "paused", "kind": "away", "until": TOMORROW.isoformat(), "quiet": "paused"},
    )


def test_an_alarm_is_told_while_somebody_is_away() -> None:
    """Who comes home a day early and falls has a pendant, and it is never a wrong moment for it."""
    lane = watched_home()
    pause(lane, NINE, TOMORROW, at=NINE + minutes(2))
    lane.receive(press(NINE + hours(3)), at=NINE + hours(3))

    assert questions(lane) == [Question.ALARM]


def test_after_it_a_stillness_counts_from_its_end() -> None:
    """Nobody is raised out of bed because of days for which everybody knew that she was away."""
    lane = watched_home()
    pause(lane, NINE, TOMORROW, at=NINE + minutes(2))
    lane.pass_(TOMORROW + hours(3) - minutes(1))
    early = questions(lane)
    lane.pass_(TOMORROW + hours(6))

    assert early == []
    assert [(one.question, one.at) for one in lane.findings()] == [
        (Question.RULE, TOMORROW + hours(3)),
        (Question.STILL, TOMORROW + hours(6)),
    ]


def test_who_left_by_the_door_and_was_away_is_not_out_the_moment_it_ends() -> None:
    """Saturday at six was said; at six sharp she is still on the bus."""
    lane = watched_home()
    lane.receive(front_door(NINE + minutes(5), is_open=True), at=NINE + minutes(5))
    lane.receive(front_door(NINE + minutes(6), is_open=False), at=NINE + minutes(6))
    pause(lane, NINE, TOMORROW, at=NINE + minutes(7))
    lane.pass_(TOMORROW + hours(2))

    assert questions(lane) == []


def test_it_can_be_taken_back() -> None:
    """She came home early: from then on somebody looks for her again."""
    lane = watched_home()
    pause(lane, NINE, TOMORROW, at=NINE + minutes(2))
    lane.give("pause", {}, at=NINE + hours(2))
    lane.pass_(NINE + hours(8))

    assert [(one.question, one.at) for one in lane.findings()] == [
        (Question.RULE, NINE + hours(5)),
        (Question.STILL, NINE + hours(8)),
    ]


def test_a_stillness_that_is_open_stays_open() -> None:
    """Somebody is on the way: that a form was filled in meanwhile does not say how she is."""
    lane = watched_home()
    lane.pass_(NINE + hours(7))
    pause(lane, NINE + hours(7), TOMORROW, at=NINE + hours(7))
    now = lane.judge.now_of(HOME)

    assert now.next_alert_why["is_open"] is True
    assert now.state is Watched.PAUSED
    # Pages say "Away" by this, and not that the resident asked not to be watched.
    assert (now.next_alert_why["kind"], now.next_alert_why["until"]) == ("away", TOMORROW.isoformat())


def test_a_silent_box_is_a_fault_as_ever_and_is_said_beside_the_pause() -> None:
    """The pendant goes through it, and whoever comes home early counts on that."""
    lane = Lane()
    lane.watch(policy=POLICY)
    pause(lane, NINE, TOMORROW, at=NINE + minutes(1))
    lane.pass_(NINE + hours(1))

    assert questions(lane) == [Question.HUB_SILENT]
    assert lane.judge.now_of(HOME).why == (PAUSED, HUB)


def test_what_was_quiet_meanwhile_is_not_learnt() -> None:
    """An afternoon at her son's is not how long she usually sits still."""
    learnt = []
    for is_paused in (False, True):
        lane = watched_home()
        if is_paused:
            pause(lane, NINE + minutes(2), NINE + hours(2), at=NINE + minutes(2))
        lane.receive(movement(NINE + hours(2) + minutes(1)), at=NINE + hours(2) + minutes(1))
        learnt.append(len(lane.judge.state_of(HOME).routine.silences))

    assert learnt == [1, 0]


@given(
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    st.lists(st.timedeltas(timedelta(0), timedelta(days=7)), max_size=6),
)
def test_nothing_about_the_resident_is_found_true_of_a_moment_within_it(
    after: timedelta, lasts: timedelta, moved: list[timedelta]
) -> None:
    """Whatever moves meanwhile, a visitor say, the resident asked to be left alone, or is not there."""
    lane = watched_home()
    since = NINE + minutes(2) + after
    pause(lane, since, since + lasts, at=NINE + minutes(2))
    for moment in sorted(NINE + minutes(3) + one for one in moved):
        lane.receive(movement(moment), at=moment)
    lane.pass_(NINE + timedelta(days=9))

    within = [one for one in lane.findings() if since <= one.at < since + lasts]
    assert within == []
    assert lane.judge.now_of(HOME).state is Watched.WATCHED


@given(st.timedeltas(timedelta(0), timedelta(days=3)), st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
def test_it_begins_and_ends_at_its_moments_to_the_microsecond(after: timedelta, lasts: timedelta) -> None:
    """The minutes that are counted as paused are those that were asked for."""
    lane = watched_home()
    since, until = NINE + minutes(2) + after, NINE + minutes(2) + after + lasts
    pause(lane, since, until, at=NINE + minutes(2))
    lane.receive(heartbeat(), at=NINE + minutes(2))
    states = []
    for moment in (since - timedelta(microseconds=1), since, until - timedelta(microseconds=1), until):
        lane.pass_(moment)
        states.append(lane.judge.now_of(HOME).state is Watched.PAUSED)

    assert states == [after == timedelta(0), True, True, False]

"""Is what is usual learnt from what was seen, and from nothing else?"""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.detectors.routine import DAYS_NEEDED, LEAST, LONGEST, SOONEST, Routine, river_version
from alerts.judging.policy import Policy, to_json
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, heartbeat, hours, minutes, movement, one

DAYS = 30
USUAL = hours(3)
BEGINS = hours(4)
EVENING = hours(14.5)
"""Each day somebody is about from 09:00 on, still from 13:00 to 16:00, and about again until half past eleven."""


def days_pass(lane: Lane, *, first: int, last: int, until: timedelta = EVENING) -> None:
    """Let days go by that are all alike."""
    for day in range(first, last):
        morning = NINE + timedelta(days=day)
        at = morning
        while at <= morning + until:
            if not BEGINS < at - morning < BEGINS + USUAL:
                lane.receive(movement(at), at=at)
            at += minutes(10)


@pytest.fixture
def lane() -> Lane:
    """A home of which a month was seen, whose plain timer is out of the way."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    days_pass(lane, first=0, last=DAYS)
    days_pass(lane, first=DAYS, last=DAYS + 1, until=BEGINS - minutes(10))
    assert lane.findings(Question.STILL_UNUSUAL) == []
    return lane


def _after(day: int, past: timedelta) -> datetime:
    return NINE + timedelta(days=day) + past


def test_a_silence_much_longer_than_usual_here_at_this_time_is_found(lane: Lane) -> None:
    """Three hours after lunch are usual in this home; a whole afternoon is not."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(9))

    found = one(lane.findings())
    assert (found.question, found.since, found.at) == (Question.STILL_UNUSUAL, at, at + 1.5 * USUAL)
    assert (found.why["usual_s"], found.why["days"], found.why["start_hour"]) == (3 * 3600, DAYS + 1, 13.0)


def test_one_stillness_is_one_alert_whichever_question_found_it_first(lane: Lane) -> None:
    """A second text about the same stillness tells nothing new, and makes people read fewer of them."""
    lane.give("policy", to_json(Policy(still_for=hours(6))), at=_after(DAYS, BEGINS - minutes(5)))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(20))

    assert [found.question for found in lane.findings()] == [Question.STILL_UNUSUAL]


def test_what_is_usual_at_one_time_of_day_is_not_at_another(lane: Lane) -> None:
    """Whoever rests after lunch does not therefore rest in the evening."""
    days_pass(lane, first=DAYS, last=DAYS + 1, until=hours(10))
    lane.pass_(_after(DAYS, hours(19)))

    found = one(lane.findings())
    assert (found.since, found.at) == (_after(DAYS, hours(10)), _after(DAYS, hours(10)) + SOONEST)


def test_until_enough_days_were_seen_nothing_is_called_unusual() -> None:
    """Untrained is not calm: the page says that it is still learning, and the plain timer stands alone."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    days_pass(lane, first=0, last=DAYS_NEEDED - 1)

    assert lane.now().learning == {"question": "still_unusual", "days": DAYS_NEEDED - 1, "of": DAYS_NEEDED}
    lane.pass_(_after(DAYS_NEEDED + 4, hours(0)))
    assert lane.findings(Question.STILL_UNUSUAL) == []


def test_a_policy_may_leave_the_learned_question_out(lane: Lane) -> None:
    """An operator can switch it off for a home in which nothing is usual."""
    lane.watch(at=_after(DAYS, hours(0)), policy=Policy(still_for=timedelta(days=7), learned=False))
    lane.pass_(_after(DAYS + 5, hours(0)))

    assert lane.findings() == []
    assert lane.now().learning == {}


@pytest.mark.parametrize(
    ("outcome", "is_learnt"), [("all well", True), ("false alarm", True), ("ambulance", False), ("help given", False)]
)
def test_what_somebody_had_to_help_with_is_not_usual(lane: Lane, outcome: str, is_learnt: bool) -> None:
    """A night on the floor must not teach that nights on the floor are normal."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.receive(movement(at + hours(8)), at=at + hours(8))
    before = len(_silences(lane))

    lane.close(one(lane.findings()), at=at + hours(8), outcome=outcome)

    assert len(_silences(lane)) - before == (1 if is_learnt else 0)


def test_an_alert_closed_before_the_resident_was_seen_again_teaches_as_much(lane: Lane) -> None:
    """The order in which the ambulance and the sensor report must not matter."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(5))
    lane.close(one(lane.findings()), at=at + hours(5), outcome="ambulance")
    before = len(_silences(lane))
    lane.receive(movement(at + hours(5.5)), at=at + hours(5.5))

    assert len(_silences(lane)) == before


def test_a_silence_that_was_not_watched_teaches_nothing(lane: Lane) -> None:
    """A hub without power makes a home look still for hours."""
    before = len(_silences(lane))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.give("stretch", {"stretch_s": 0.0}, at=at)
    lane.receive(heartbeat(), at=at + hours(2))
    lane.receive(movement(at + hours(2)), at=at + hours(2))

    assert len(_silences(lane)) == before


def test_a_hub_that_fails_every_night_does_not_make_nights_unusual() -> None:
    """Nights that were never watched whole were never learnt, so nothing may be called unusual."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    for day in range(DAYS):
        days_pass(lane, first=day, last=day + 1)
        lane.give("stretch", {"stretch_s": 0.0}, at=_after(day, hours(16)))
        lane.receive(heartbeat(), at=_after(day, hours(17)))
        lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=_after(day, hours(17)))

    assert lane.findings(Question.STILL_UNUSUAL) == []
    assert lane.now().learning["days"] == 1


def test_a_blink_in_the_night_does_not_keep_a_night_from_being_learnt(lane: Lane) -> None:
    """A hub that restarts for its update takes five minutes, not the night."""
    before = len(_silences(lane))
    at = _after(DAYS, hours(4))
    lane.receive(movement(at), at=at)
    lane.receive(heartbeat(), at=at + minutes(30))
    lane.give("stretch", {"stretch_s": 0.0}, at=at + minutes(30))
    lane.receive(heartbeat(), at=at + minutes(36))
    lane.receive(movement(at + minutes(38)), at=at + minutes(38))

    assert [f.question for f in lane.findings()] == [Question.HUB_SILENT]
    assert len(_silences(lane)) == before + 1


def test_a_reading_of_uncertain_time_teaches_nothing(lane: Lane) -> None:
    """Nobody knows how long the silence before it was."""
    before = len(_silences(lane))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.receive(movement(at + hours(1), uncertain_since=at), at=at + hours(1))
    lane.receive(movement(at + hours(2)), at=at + hours(2))

    assert len(_silences(lane)) == before


def test_what_is_learnt_is_forgotten_after_six_weeks() -> None:
    """People change, and so do seasons."""
    routine = Routine()
    routine.learn(NINE, NINE + hours(1))
    routine.learn(NINE + timedelta(days=43), NINE + timedelta(days=43, hours=1))

    assert len(routine.silences) == 1


@given(st.lists(st.tuples(st.integers(0, 60 * 1440), st.integers(0, 2880)), max_size=60), st.integers(0, 1440))
@settings(max_examples=200, deadline=None)
def test_what_is_usual_stays_within_its_bounds(silences: list[tuple[int, int]], began: int) -> None:
    """Whatever was learnt, nobody waits longer than the cap, and nobody is disturbed at once."""
    routine = Routine()
    for at, lasted in sorted(silences):
        routine.learn(NINE + minutes(at), NINE + minutes(at + lasted))

    usual = routine.usual(NINE + minutes(began))
    assert SOONEST <= usual.longest <= LONGEST
    assert usual.silences <= len([lasted for _, lasted in silences if minutes(lasted) >= LEAST])


@given(st.lists(st.integers(15, 700), min_size=5, max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_longer_silence_never_makes_the_usual_shorter(lasted: list[int]) -> None:
    """Who rests longer is to be left alone longer."""
    shorter, longer = Routine(), Routine()
    for count, each in enumerate(lasted):
        began = NINE + minutes(count * 0.1)
        shorter.learn(began, began + minutes(each))
        longer.learn(began, began + minutes(each + 30))

    assert longer.usual(NINE).longest >= shorter.usual(NINE).longest


def test_rivers_version_can_be_written_down() -> None:
    """What was learnt with which release must be told from what is saved."""
    assert river_version().startswith("0.")


def _silences(lane: Lane) -> list[tuple[int, int, int]]:
    return list(lane.judge.state_of(HOME).routine.silences)

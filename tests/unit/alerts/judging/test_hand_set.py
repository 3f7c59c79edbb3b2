"""Are rules asked where, when and for as long as an operator wrote them, also when the clocks change?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging import words
from alerts.judging.detectors.hand_set import runs
from alerts.judging.policy import LONDON, Policy, to_json
from alerts.judging.rule import Rule
from ingest import entry
from tests.unit.alerts.judging.recorded import HUB, MOMENTS, NINE, Lane, heartbeat, hours, minutes, movement, one, rules

KITCHEN = "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"
DOOR = "back door: open in back door for 10 min on every day from 22:00 to 06:00"
MIDNIGHT = NINE - hours(9)  # A Wednesday.


def watched(*written: str, since: datetime = MIDNIGHT, **numbers: object) -> Lane:
    """Give a home that is judged by these rules, and whose hub is forgiven for days."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 30 * 86400.0}, at=since)
    lane.watch(at=since, policy=ruled(*written, **numbers))
    lane.receive(movement(since, room="bedroom"), at=since)
    return lane


def ruled(*written: str, **numbers: object) -> Policy:
    rules_ = tuple(words.rule(line) for line in written)
    return Policy(still_for=timedelta(days=6), learned=False, rules=rules_, **numbers)  # type: ignore[arg-type]  # a policy's


def opened(at: datetime, value: float = 1.0) -> entry.Reading:
    return entry.Reading("elm-3", HUB, "contact-1", "back door", "open", value, at)


def raised(lane: Lane) -> list[tuple[datetime, datetime]]:
    return [(found.since, found.at) for found in lane.findings(Question.RULE)]


def test_a_quiet_morning_is_found_when_it_has_lasted() -> None:
    """She makes tea in the kitchen every weekday; when she has not by noon, somebody looks."""
    lane = watched(KITCHEN)
    lane.receive(movement(NINE - hours(1)), at=NINE - hours(1))
    lane.receive(movement(NINE + hours(1), room="hall"), at=NINE + hours(1))

    lane.pass_(NINE + hours(20))

    found = one(lane.findings(Question.RULE))
    assert (found.since, found.at) == (NINE, NINE + hours(3))
    assert (found.why["rule"], found.why["last_seen_at"]) == ("quiet kitchen", (NINE - hours(1)).isoformat())


def test_tea_at_ten_is_enough() -> None:
    """What is left of the morning is shorter than the rule lasts."""
    lane = watched(KITCHEN)
    lane.receive(movement(NINE + hours(1)), at=NINE + hours(1))

    lane.pass_(NINE + hours(20))

    assert raised(lane) == []


def test_at_the_weekend_she_sleeps_in() -> None:
    """Days are those on which the hours begin."""
    lane = watched(KITCHEN, since=MIDNIGHT + timedelta(days=3))

    lane.pass_(MIDNIGHT + timedelta(days=5))

    assert raised(lane) == []


def test_a_movement_there_ends_it_and_elsewhere_does_not() -> None:
    """The kitchen is what was asked about."""
    lane = watched(KITCHEN)
    lane.pass_(NINE + hours(3.5))

    lane.receive(movement(NINE + hours(4), room="hall"), at=NINE + hours(4))
    assert lane.endings(Question.RULE) == []
    lane.receive(movement(NINE + hours(5)), at=NINE + hours(5))
    assert one_ending(lane) == one(lane.findings(Question.RULE)).episode


def one_ending(lane: Lane) -> str:
    (ended,) = lane.endings(Question.RULE)
    return ended.episode


def test_the_next_morning_is_another_one_once_somebody_looked() -> None:
    """Closed with all well on Wednesday says nothing of Thursday."""
    lane = watched(KITCHEN)
    lane.pass_(NINE + hours(4))
    lane.close(one(lane.findings(Question.RULE)), at=NINE + hours(4))

    lane.pass_(NINE + timedelta(days=1, hours=4))

    assert [since for since, _ in raised(lane)] == [NINE, NINE + timedelta(days=1)]


def test_a_door_that_was_open_before_the_night_counts_from_its_beginning() -> None:
    """By day it may stand open; at ten in the evening the ten minutes begin."""
    lane = watched(DOOR)
    ten = MIDNIGHT + hours(22)
    lane.receive(opened(ten - hours(5)), at=ten - hours(5))

    lane.pass_(ten + hours(1))

    assert raised(lane) == [(ten, ten + minutes(10))]
    lane.receive(opened(ten + hours(2), 0.0), at=ten + hours(2))
    assert len(lane.endings(Question.RULE)) == 1


def test_a_rule_set_after_its_hours_says_nothing_of_them() -> None:
    """Nobody is sent for a morning that was over when somebody thought of it; tomorrow counts."""
    lane = watched()
    lane.give("policy", to_json(ruled(KITCHEN)), at=NINE + hours(5))

    lane.pass_(NINE + timedelta(days=1, hours=5))

    tomorrow = NINE + timedelta(days=1)
    assert raised(lane) == [(tomorrow, tomorrow + hours(3))]


def test_a_rule_set_within_its_hours_is_asked_at_once() -> None:
    """What still holds now is judged now."""
    lane = watched()
    long = "quiet kitchen: no movement in kitchen for 1 h from 09:00 to 18:00"
    lane.give("policy", to_json(ruled(long)), at=NINE + hours(5))

    lane.pass_(NINE + hours(5))

    assert [at for _, at in raised(lane)] == [NINE + hours(5)]


def test_a_rule_all_the_time_knows_no_midnight() -> None:
    """Thirty hours without the bathroom are thirty hours."""
    lane = watched("bathroom: no movement in bathroom for 30 h")
    lane.receive(movement(NINE, room="bathroom"), at=NINE)

    lane.pass_(NINE + timedelta(days=3))

    assert raised(lane) == [(NINE, NINE + hours(30))]


def test_an_excepted_home_is_not_asked() -> None:
    """The street's rule does not hold for whoever has breakfast in bed."""
    lane = watched("quiet kitchen: not asked")

    lane.pass_(NINE + timedelta(days=3))

    assert raised(lane) == []


@pytest.mark.parametrize(
    ("night", "lasted"), [(datetime(2026, 3, 28, tzinfo=UTC), 7), (datetime(2026, 10, 24, tzinfo=UTC), 9)]
)
def test_the_night_of_the_clocks_change_has_its_own_length(night: datetime, lasted: int) -> None:
    """From ten to six is seven hours in March and nine in October."""
    rule = words.rule("night: open for 1 min on sat from 22:00 to 06:00")

    begins, due, ends = next(runs(rule, night, as_of=night))

    assert due - begins == minutes(1)
    assert ends - begins == timedelta(hours=lasted)
    assert (begins.astimezone(LONDON).hour, ends.astimezone(LONDON).hour) == (22, 6)


@given(rules(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_a_rule_is_broken_within_its_days_and_hours_and_never_sooner_than_it_lasts(
    rule: Rule, since: datetime, waited: timedelta
) -> None:
    """On every night of the year, also the two on which the clocks change."""
    begins, due, ends = next(runs(rule, since, as_of=since + waited))

    assert since <= begins or begins == since
    assert begins + rule.lasts == due <= ends
    if rule.hours_from != rule.hours_until:
        last = (due - timedelta(microseconds=1)).astimezone(LONDON)
        first = (
            last if last.time() >= rule.hours_from or rule.hours_from < rule.hours_until else last - timedelta(days=1)
        )
        assert first.isoweekday() in rule.days


def test_while_nothing_can_be_seen_no_rule_is_broken() -> None:
    """Silence of a hub is not stillness of a person; what is found later is found while it matters."""
    lane = watched(KITCHEN)
    lane.give("stretch", {"stretch_s": 0.0}, at=NINE)
    lane.receive(heartbeat(), at=NINE + minutes(1))
    lane.pass_(NINE + hours(3.5))
    assert raised(lane) == []

    lane.receive(heartbeat(), at=NINE + hours(4))
    lane.pass_(NINE + hours(4))

    assert [at for _, at in raised(lane)] == [NINE + hours(4)]

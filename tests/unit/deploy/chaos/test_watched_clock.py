"""Is a minute found that is written as seen although nothing of the home could be known?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploy.chaos.sight import Dark, Step
from deploy.chaos.watched_clock import Span, vouched

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)
LEASE = timedelta(minutes=4)
SLACK = timedelta(minutes=1)


def at(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


def dark(since: float, until: float, step: Step = Step.HEARD, *, home: str = "mill") -> Dark:
    return Dark(home, at(since), at(until), step)


def found(spans: list[tuple[float, float | None, str]], *times: Dark) -> list[tuple[float, float]]:
    """Return what is vouched for in spans of one home, in minutes after nine."""
    written = [Span("mill", at(since), None if until is None else at(until), state) for since, until, state in spans]
    return [
        ((one.since - NINE) / timedelta(minutes=1), (one.until - NINE) / timedelta(minutes=1))
        for one in vouched(written, times, lease=LEASE, slack=SLACK)
    ]


def test_a_home_that_is_written_as_seen_while_its_line_was_cut_is_found() -> None:
    """That is the lie of which people die; a degraded home is vouched for as well."""
    assert found([(0, 10, "watched"), (10, None, "degraded")], dark(2, 12)) == [(3, 10), (10, 12)]


def test_blind_since_it_was_last_heard_is_the_truth() -> None:
    """The watched clock must say so from the last thing heard on, not from when the promise broke."""
    assert found([(0, 2.5, "watched"), (2.5, 12, "blind"), (12, None, "watched")], dark(2, 12)) == []
    assert found([(0, 6, "watched"), (6, 12, "blind"), (12, None, "watched")], dark(2, 12)) == [(3, 6)]


def test_a_time_that_is_shorter_than_the_promises_last_is_forgiven() -> None:
    """A heartbeat that is missed once is no blindness."""
    assert found([(0, None, "watched")], dark(2, 6.9)) == []
    assert found([(0, None, "watched")], dark(2, 7.1)) == [(3, 7.1)]


def test_times_that_follow_each_other_are_one_but_hearing_and_judging_are_not_added_up() -> None:
    """A line that is cut while the broker was away has been silent all the time; the judge has a grace of its own."""
    assert found([(0, None, "watched")], dark(2, 5), dark(4, 8)) == [(3, 8)]
    for step in (Step.STORED, Step.JUDGED):
        assert found([(0, None, "watched")], dark(2, 5), dark(4, 8, step)) == []
        assert found([(0, None, "watched")], dark(2, 9, step)) == [(3, 8)]


def test_a_neighbour_may_be_seen() -> None:
    """A cut line hides one home alone."""
    assert found([(0, None, "watched")], dark(2, 60, home="shore")) == []


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20)), max_size=6))
def test_who_writes_blind_all_the_time_never_vouches(times: list[tuple[float, float]]) -> None:
    """Nothing is found but what is vouched for."""
    assert found([(0, None, "blind")], *(dark(since, since + lasts) for since, lasts in times)) == []

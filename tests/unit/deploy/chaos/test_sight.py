"""Is what is certain about darkness certain, and never more than that?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploy.chaos.sight import Sight, minutes_beyond

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_in_the_dark_the_last_open_moment_is_the_one_before_it() -> None:
    """The family's page is held against this; if it were later, a page could lie unnoticed."""
    now = [NINE]
    sight = Sight(lambda: now[0])
    with sight.dark(["here"]):
        now[0] = NINE + 5 * MINUTE
        assert sight.last_open("here", now[0]) == NINE
        assert sight.last_open("there", now[0]) == now[0]
    assert sight.last_open("here", NINE + 4 * MINUTE) == NINE
    assert sight.last_open("here", NINE + 5 * MINUTE) == NINE + 5 * MINUTE
    assert [(one.since, one.until) for one in sight.all()] == [(NINE, NINE + 5 * MINUTE)]


def test_two_darknesses_at_once_begin_with_the_first() -> None:
    """A broker that is frozen behind a line that is cut."""
    now = [NINE]
    sight = Sight(lambda: now[0])
    with sight.dark(["here"]):
        now[0] = NINE + MINUTE
        with sight.dark(["here"]):
            now[0] = NINE + 2 * MINUTE
            assert sight.last_open("here", now[0]) == NINE


def test_what_something_else_held_up_may_still_arrive_in_the_dark() -> None:
    """The hub is dead, but the line beyond it gives out what it had said before: a page may vouch from there on."""
    now = [NINE]
    sight = Sight(lambda: now[0])
    with sight.delayed(["here"]):
        now[0] = NINE + MINUTE
        gone = sight.dark(["here"])
        gone.__enter__()
        now[0] = NINE + 2 * MINUTE
        assert sight.last_open("here", now[0]) == now[0]
    now[0] = NINE + 9 * MINUTE
    assert sight.last_open("here", now[0]) == NINE + 3 * MINUTE
    gone.__exit__(None, None, None)
    assert [(one.since, one.until) for one in sight.all()] == [(NINE + 3 * MINUTE, NINE + 9 * MINUTE)]


def test_what_holds_up_later_lets_nothing_from_before_arrive() -> None:
    """Otherwise a stalled line would excuse itself."""
    now = [NINE]
    sight = Sight(lambda: now[0])
    with sight.dark(["here"]), sight.delayed(["here"]):
        now[0] = NINE + 5 * MINUTE
        assert sight.last_open("here", now[0]) == NINE
    assert [one.since for one in sight.all()] == [NINE]


def test_a_time_that_was_leapt_over_was_dark() -> None:
    """Nobody can be seen in minutes that never were."""
    sight = Sight(lambda: NINE)
    sight.was_dark(["here"], NINE, NINE + 5 * MINUTE)
    assert sight.last_open("here", NINE + MINUTE) == NINE
    assert [(one.since, one.until) for one in sight.all()] == [(NINE, NINE + 5 * MINUTE)]


@given(st.integers(-600, 600), st.integers(0, 300))
def test_what_vouches_beyond_its_lease_is_a_falsehood_and_nothing_else_is(beyond_s: int, lease_s: int) -> None:
    """One second too long is found; the very end of the lease is still true."""
    lease = timedelta(seconds=lease_s)
    ends = NINE + lease + timedelta(seconds=beyond_s)
    found = minutes_beyond(ends, last_open=NINE, lease=lease)
    assert bool(found) == (beyond_s > 0)
    assert len(found) <= max(beyond_s, 0) // 60 + 2
    assert minutes_beyond(None, last_open=NINE, lease=lease) == []

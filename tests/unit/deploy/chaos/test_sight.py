"""Is what is certain about darkness certain, and never more than that?"""

from datetime import UTC, datetime, timedelta

from deploy.chaos.sight import Sight

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

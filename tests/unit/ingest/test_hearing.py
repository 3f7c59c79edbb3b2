"""Since when is a lane heard without a gap?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.hearing import FORGIVEN, Hearing

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
NONE = timedelta(0)
MOMENT = timedelta(microseconds=1)

_lanes = st.frozensets(st.integers(0, 5))
_pauses = st.sampled_from([timedelta(seconds=1), FORGIVEN, FORGIVEN + MOMENT, timedelta(minutes=5)])


def test_what_is_heard_all_the_time_is_heard_since_the_beginning() -> None:
    """A new connection within seconds is no outage."""
    hearing = Hearing()
    for count in range(4):
        hearing.hear(frozenset({7}), now=NINE + FORGIVEN * count, stretch=NONE)

    assert hearing.since == {7: NINE}


def test_after_a_gap_everything_is_heard_anew() -> None:
    """What was said in between is not known to us, whatever the reason."""
    hearing = Hearing()
    hearing.hear(frozenset({7, 8}), now=NINE, stretch=NONE)
    back = NINE + FORGIVEN + MOMENT
    hearing.hear(frozenset({7, 8}), now=back, stretch=NONE)

    assert hearing.since == {7: back, 8: back}


def test_time_that_is_sped_up_stretches_what_is_forgiven() -> None:
    """A second's pause of the machine is an hour of the demo's clock."""
    hearing = Hearing()
    hearing.hear(frozenset({7}), now=NINE, stretch=NONE)
    hearing.hear(frozenset({7}), now=NINE + timedelta(hours=1), stretch=timedelta(hours=1))

    assert hearing.since == {7: NINE}


def test_a_lane_that_was_given_away_meanwhile_is_heard_anew() -> None:
    """Another worker had it, and what it heard we did not."""
    hearing = Hearing()
    for second, lanes in enumerate([{7, 8}, {8}, {7, 8}]):
        hearing.hear(frozenset(lanes), now=NINE + timedelta(seconds=second), stretch=NONE)

    assert hearing.since == {7: NINE + timedelta(seconds=2), 8: NINE}


@given(st.lists(st.tuples(_pauses, _lanes), min_size=1))
def test_within_what_is_called_unbroken_every_look_heard_the_lane(
    looks: list[tuple[timedelta, frozenset[int]]],
) -> None:
    """It is what a whole street's promises are judged by."""
    hearing, at, diary = Hearing(), NINE, []
    for pause, lanes in looks:
        at += pause
        hearing.hear(lanes, now=at, stretch=NONE)
        diary.append((at, lanes))

    assert hearing.since.keys() == looks[-1][1]
    for lane, since in hearing.since.items():
        during = [(moment, lanes) for moment, lanes in diary if moment >= since]
        assert all(lane in lanes for _, lanes in during)
        assert all(b - a <= FORGIVEN for (a, _), (b, _) in pairwise(during))

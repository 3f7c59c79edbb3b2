"""Is it known at which times of day somebody moves about, and on which days that rests?"""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judging.detectors.moving import Moving
from alerts.judging.policy import local

NOON = datetime(2026, 6, 1, 11, tzinfo=UTC)  # 12:00 in London
MIDNIGHT = datetime(2026, 5, 31, 23, tzinfo=UTC)  # 00:00 in London
DAY = timedelta(days=1)


def lived(*seen: datetime, unwatched: frozenset[int] = frozenset()) -> Moving:
    """Return what is remembered after somebody was seen at these moments; some days were not watched whole."""
    moving = Moving()
    for at in seen:
        moving.see(at, day=local(at).toordinal(), was_whole=moving.day not in unwatched)
    return moving


def test_a_silence_is_likelier_to_end_when_somebody_usually_moves_about() -> None:
    """Who fell asleep at nine wakes when she always wakes, and so does who fell asleep at one."""
    moving = lived(*(NOON + day * DAY for day in range(15)))

    odds = moving.odds(MIDNIGHT)

    noon = 12 * 4 - 1  # The first of the steps is a quarter of an hour after the beginning.
    assert odds.shape == (55,)
    assert odds[noon] > 0 > odds[noon + 2]
    assert int(np.argmax(odds)) == noon
    assert odds[noon - 8] == moving.odds(MIDNIGHT + timedelta(hours=2))[noon - 16]


def test_before_a_day_was_seen_no_time_of_day_stands_out() -> None:
    """Nothing learnt is nothing said."""
    odds = lived(NOON, NOON + timedelta(hours=5)).odds(MIDNIGHT)

    assert np.ptp(odds) == 0


def test_a_day_that_was_not_watched_whole_says_nothing() -> None:
    """A hub without power makes a morning look empty."""
    days = [NOON + day * DAY for day in range(6)]
    unwatched = frozenset({local(days[3]).toordinal()})

    assert lived(*days, unwatched=unwatched).days < lived(*days).days
    assert lived(*days[:3], *days[4:]).seen != lived(*days).seen


def test_what_was_a_fortnight_ago_counts_a_half() -> None:
    """People change, and what is usual with them."""
    moving = lived(NOON, NOON + 14 * DAY)

    assert moving.days == 0.5
    assert max(moving.seen) == 0.5


@given(st.lists(st.integers(0, 40 * 96), min_size=1, max_size=60))
@settings(max_examples=50)
def test_what_is_remembered_is_bounded_and_always_a_chance(quarters: list[int]) -> None:
    """Nights of the clocks, late readings and long absences included."""
    begins = datetime(2026, 10, 5, tzinfo=UTC)

    moving = lived(*(begins + timedelta(minutes=15 * number) for number in quarters))

    odds = moving.odds(begins)
    assert np.isfinite(odds).all()
    assert all(0 <= seen <= moving.days + 0.01 for seen in moving.seen)
    assert len(moving.today) <= len(moving.seen) == 96

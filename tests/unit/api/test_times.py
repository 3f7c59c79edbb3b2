"""Are moments, days, waits and numbers said as people in Britain say them?"""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import times

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned there


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 6, 16, 8, 14, 59, tzinfo=UTC), "09:14"),
        (datetime(2026, 1, 16, 8, 14, tzinfo=UTC), "08:14"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "01:30 BST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "01:30 GMT"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "02:00"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "02:00"),
    ],
)
def test_a_moment_is_said_in_wall_time(at: datetime, said: str) -> None:
    """A carer reads the clock on the wall; in the hour that comes twice she must know which."""
    assert times.clock_time(at) == said


@given(MOMENTS, st.integers(1, 60 * 26))
def test_two_minutes_within_a_day_are_never_said_alike(at: datetime, minutes: int) -> None:
    """Two presses an hour apart in an autumn night must not look like one."""
    later = at + timedelta(minutes=minutes)
    if times.local_date(at) == times.local_date(later):
        assert times.clock_time(at) != times.clock_time(later)


@given(MOMENTS)
def test_a_day_begins_at_its_midnight(at: datetime) -> None:
    """The row of a day in a picture holds what happened on it, also where it has 23 or 25 hours."""
    on = times.local_date(at)

    assert times.midnight(on) <= at < times.midnight(on + timedelta(days=1))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOW, "09:14"),
        (NOW - timedelta(hours=10), "23:14 yesterday"),
        (NOW - timedelta(days=8), "09:14 on Monday 8 June"),
        (NOW - timedelta(days=365), "09:14 on Monday 16 June 2025"),
    ],
)
def test_a_day_is_said_where_it_is_not_today(at: datetime, said: str) -> None:
    """Last seen at 23:14 would be read as tonight."""
    assert times.when(at, now=NOW) == said


def test_a_moment_to_come_says_its_day_too() -> None:
    """A wait over the night ends tomorrow."""
    assert times.at_what_time(NOW + timedelta(hours=23), now=NOW) == "08:14 tomorrow"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=45, seconds=59), "45 min"),
        (timedelta(hours=8), "8 h"),
        (timedelta(hours=58, minutes=52), "58 h 52 min"),
    ],
)
def test_a_wait_is_said_without_seconds(length: timedelta, said: str) -> None:
    """Seconds promise a precision that nobody needs."""
    assert times.wait(length) == said


@given(st.text(max_size=70))
def test_whatever_is_typed_is_a_phone_number_or_none(typed: str) -> None:
    """The box on the log-in page takes anything; what comes out is stored and texted."""
    phone = times.phone_as_dialled(typed)

    assert phone is None or (
        phone[0] == "+" and phone[1:].isascii() and phone[1:].isdecimal() and 8 <= len(phone) <= 16
    )


@given(st.integers(10**9, 10**10 - 1))
def test_a_british_number_is_found_again_as_it_is_written(digits: int) -> None:
    """What a page shows can be typed into the log-in page."""
    phone = f"+44{digits}"

    assert times.phone_as_dialled(times.spoken_phone(phone)) == phone


def test_a_named_day_counts_from_the_day_of_the_reader() -> None:
    """Yesterday is yesterday over the end of a year."""
    assert times.day(date(2026, 12, 31), today=date(2027, 1, 1)) == "yesterday"
    assert times.day(date(2026, 12, 30), today=date(2027, 1, 1)) == "Wednesday 30 December 2026"

"""Is the plain timer due when it says, on every day of the year?"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judging.detectors.stillness import due_at
from alerts.judging.policy import Policy
from tests.unit.alerts.judging.recorded import MOMENTS, policies

_LONDON = ZoneInfo("Europe/London")
DAY = Policy(still_for=timedelta(hours=6), waking_from=time(7), waking_until=time(22))


def _london(*wall: int) -> datetime:
    return datetime(*wall, tzinfo=_LONDON).astimezone(UTC)  # type: ignore[misc, arg-type]  # year, month, day ...


@pytest.mark.parametrize(
    ("last_seen", "due"),
    [
        (_london(2026, 11, 18, 9), _london(2026, 11, 18, 15)),
        (_london(2026, 11, 18, 16), _london(2026, 11, 18, 22)),  # Exactly at the end of waking hours.
        (_london(2026, 11, 18, 16, 1), _london(2026, 11, 19, 7, 1)),
        (_london(2026, 11, 18, 22), _london(2026, 11, 19, 13)),  # A night's sleep is no stillness.
        (_london(2026, 11, 19, 3), _london(2026, 11, 19, 13)),
        (_london(2026, 3, 28, 22), _london(2026, 3, 29, 13)),  # The night is an hour shorter, the wall time stays.
        (_london(2026, 10, 24, 22), _london(2026, 10, 25, 13)),  # The night is an hour longer.
    ],
)
def test_only_waking_hours_count(last_seen: datetime, due: datetime) -> None:
    """An alert at four in the morning because somebody sleeps teaches a family to switch it off."""
    assert due_at(last_seen, DAY) == due


def test_waking_hours_may_cross_midnight() -> None:
    """Some get up at noon and go to bed at two."""
    owl = Policy(still_for=timedelta(hours=4), waking_from=time(12), waking_until=time(2))

    assert due_at(_london(2026, 11, 18, 23), owl) == _london(2026, 11, 19, 13)


def test_waking_time_that_is_skipped_in_spring_does_not_count() -> None:
    """Between one and two there is nothing on that night; counting it would be an hour too soon."""
    night = Policy(still_for=timedelta(hours=2), waking_from=time(0), waking_until=time(3))

    assert due_at(_london(2026, 3, 29, 0), night) == _london(2026, 3, 29, 3)


@given(MOMENTS, policies())
@settings(max_examples=150)
def test_it_is_never_due_before_the_time_has_passed(last_seen: datetime, policy: Policy) -> None:
    """Waking time is never more than time."""
    assert due_at(last_seen, policy) >= last_seen + policy.still_for


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)), policies())
@settings(max_examples=150)
def test_seen_later_is_never_due_sooner(last_seen: datetime, later: timedelta, policy: Policy) -> None:
    """Whoever moves must not bring the alert nearer."""
    assert due_at(last_seen + later, policy) >= due_at(last_seen, policy)


@given(MOMENTS, policies())
@settings(max_examples=150)
def test_it_is_due_inside_waking_hours_or_at_their_end(last_seen: datetime, policy: Policy) -> None:
    """A carer is not woken at night for what could be said in the morning or had to be said in the evening."""
    due = due_at(last_seen, policy)

    assert any(begins < due <= ends for begins, ends in _spans_around(last_seen, due, policy))


@given(
    MOMENTS.map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(1, 3 * 24 * 60).map(lambda count: timedelta(minutes=count)),
    st.integers(4, 23),
    st.integers(4, 23),
)
@settings(max_examples=60)
def test_it_agrees_with_counting_the_minutes_on_a_clock(
    last_seen: datetime, still_for: timedelta, waking_from: int, waking_until: int
) -> None:
    """A second way to the same answer: look at London's clock every minute and count those that are waking."""
    policy = Policy(still_for=still_for, waking_from=time(waking_from), waking_until=time(waking_until))

    counted, at = timedelta(0), last_seen
    while counted < still_for:
        counted += timedelta(minutes=1) if _is_waking(at, waking_from, waking_until) else timedelta(0)
        at += timedelta(minutes=1)

    assert due_at(last_seen, policy) == at


def _is_waking(at: datetime, waking_from: int, waking_until: int) -> bool:
    hour = at.astimezone(_LONDON).hour
    if waking_from < waking_until:
        return waking_from <= hour < waking_until
    return hour >= waking_from or hour < waking_until


def _spans_around(since: datetime, until: datetime, policy: Policy) -> list[tuple[datetime, datetime]]:
    spans = []
    for begins, ends in policy.waking_spans(since):
        spans.append((begins, ends))
        if ends >= until:
            break
    return spans

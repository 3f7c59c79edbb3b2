"""Who is asked how confident they feel, when, and how often at most?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.telling import asking
from alerts.telling.asking import Asking, Audience, Move

LONDON = ZoneInfo("Europe/London")
ADDED = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 11, 0, tzinfo=UTC)
DAYS = st.integers(0, 1000).map(lambda days: timedelta(days=days))
ANY_TIME = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def _due(**facts: object) -> Asking:
    usual: dict[str, object] = {
        "asked_at": None,
        "answer_until": None,
        "reminded_at": None,
        "last_asked_at": None,
        "is_in_frame": True,
        "is_alert_open": False,
    }
    return Asking(**{**usual, **facts})  # type: ignore[arg-type]  # each test says what it changes


def _asked(at: datetime, **facts: object) -> Asking:
    return _due(asked_at=at, answer_until=at + asking.ANSWER_WITHIN, **facts)


@pytest.mark.parametrize(
    ("days", "number", "due"),
    [(1, 0, 1), (29, 0, 1), (30, 1, 30), (60, 2, 60), (91, 3, 91), (181, 3, 91), (182, 4, 182), (365, 6, 364)],
)
def test_a_home_is_asked_about_at_once_monthly_and_then_quarterly(days: int, number: int, due: int) -> None:
    """The series is only worth something if everybody's is as long and as dense."""
    found = asking.current_round(ADDED, now=ADDED + timedelta(days=days))

    assert found == asking.Round(number, ADDED + timedelta(days=due))


def test_a_home_that_is_being_set_up_is_not_asked_about() -> None:
    """On the first day nobody knows yet how confident they feel."""
    assert asking.current_round(ADDED, now=ADDED + timedelta(hours=23)) is None


@given(DAYS, DAYS)
def test_rounds_never_go_back_and_lie_more_than_28_days_apart(one: timedelta, more: timedelta) -> None:
    """Each round is asked once by its number; two of one number, or two too near, would ask somebody twice."""
    earlier = asking.current_round(ADDED, now=ADDED + one)
    later = asking.current_round(ADDED, now=ADDED + one + more)

    if earlier is not None and later is not None:
        assert later.number >= earlier.number
        assert (later.number == earlier.number) == (later.due_at == earlier.due_at)
        assert later == earlier or later.due_at - earlier.due_at >= asking.RESTS


@given(DAYS, DAYS)
def test_who_joins_late_waits_for_the_next_round(joined: timedelta, now: timedelta) -> None:
    """The schedule asks, not the moment at which somebody was given access."""
    found = asking.round_to_ask(ADDED, ADDED + joined, now=ADDED + now)

    if found is not None:
        assert found.due_at <= ADDED + now < found.due_at + timedelta(days=14)
        assert joined <= now


@pytest.mark.parametrize(
    ("views", "kinds", "audience"),
    [
        ({"family"}, set(), Audience.FAMILY),
        ({"family", "carer"}, {"family contact"}, Audience.FAMILY),
        ({"carer"}, {"unpaid carer"}, Audience.UNPAID),
        ({"carer"}, set(), Audience.UNPAID),
        ({"carer"}, {"paid carer"}, Audience.PAID),
        ({"carer", "family"}, {"paid carer"}, Audience.PAID),
        ({"family"}, {"resident"}, None),
        (set(), {"family contact"}, None),
    ],
)
def test_each_is_asked_the_question_of_what_they_are(
    views: set[str], kinds: set[str], audience: Audience | None
) -> None:
    """A warden's trust in the texts is not a daughter's peace of mind; the two are never added up."""
    assert asking.audience_of(frozenset(views), frozenset(kinds)) == audience


@given(ANY_TIME, st.booleans(), st.one_of(st.none(), DAYS))
def test_nobody_is_asked_at_night_during_an_alert_or_twice_in_28_days(
    now: datetime, is_alert_open: bool, ago: timedelta | None
) -> None:
    """Somebody who waits for news of an ambulance must not be asked for a number."""
    last = None if ago is None else now - ago

    move = asking.next_move(_due(last_asked_at=last, is_alert_open=is_alert_open), now=now)

    if move is Move.ASK:
        assert 10 <= now.astimezone(LONDON).hour < 20
        assert not is_alert_open
        assert ago is None or ago >= timedelta(days=28)
    assert move is not Move.WITHDRAW


@given(ANY_TIME)
def test_what_was_put_off_is_asked_within_a_day_of_the_end_of_the_alert(now: datetime) -> None:
    """An alert puts the question off and never cancels it: the unhappy are asked too."""
    moves = {asking.next_move(_due(), now=now + timedelta(hours=hour)) for hour in range(25)}

    assert Move.ASK in moves


def test_who_is_no_longer_in_the_frame_is_not_asked() -> None:
    """A resident who took back their yes is not spoken of any more."""
    assert asking.next_move(_due(is_in_frame=False), now=NOON) is Move.WITHDRAW


def test_one_reminder_after_four_days_and_none_after_it() -> None:
    """Who does not want to answer has said so by then."""
    asked = _asked(NOON)

    assert asking.next_move(asked, now=NOON + timedelta(days=3, hours=23)) is Move.WAIT
    assert asking.next_move(asked, now=NOON + timedelta(days=4)) is Move.REMIND
    again = _asked(NOON, reminded_at=NOON + timedelta(days=4))
    assert asking.next_move(again, now=NOON + timedelta(days=9)) is Move.WAIT


@given(ANY_TIME, st.booleans(), st.booleans())
def test_a_question_lapses_after_a_fortnight_whatever_happened(now: datetime, alert: bool, frame: bool) -> None:
    """The quarter that it belongs to must close."""
    asked = _asked(now - timedelta(days=14), is_alert_open=alert, is_in_frame=frame)

    assert asking.next_move(asked, now=now) is Move.LAPSE


@given(ANY_TIME)
def test_a_text_that_did_not_leave_by_the_evening_is_not_sent_at_night(now: datetime) -> None:
    """Twilio may be away at eight, and back at three in the morning."""
    if asking.is_day(now):
        ends = asking.day_ends_at(now)
        assert now < ends <= now + timedelta(hours=10)
        assert not asking.is_day(ends)

"""Are the minutes that a home could be seen counted right?"""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judging.minutes import MINUTE, Figures, Gap, Span, as_known, figures, gaps
from alerts.judging.watched import Watched
from tests.unit.alerts.judging.recorded import NINE, hours, minutes

_STATES = st.sampled_from(list(Watched))
_LASTS = st.sampled_from(
    [
        *(timedelta(microseconds=1), timedelta(seconds=1), timedelta(seconds=30), timedelta(seconds=59)),
        *(minutes(1), minutes(1.5), minutes(2), minutes(3), minutes(17)),
    ]
)
_RANK = [Watched.WATCHED, Watched.DEGRADED, Watched.PAUSED, Watched.BLIND]


@st.composite
def tiled(draw: st.DrawFn, begins: datetime = NINE) -> list[Span]:
    """Draw spans that tile a time."""
    at, spans = begins + draw(_LASTS), []
    for lasts, state in draw(st.lists(st.tuples(_LASTS, _STATES), min_size=1, max_size=20)):
        spans.append(Span(at, at + lasts, state, (state.value,)))
        at += lasts
    return spans


def counted(spans: list[Span], since: datetime, until: datetime) -> dict[Watched, int]:
    """Count minute by minute, as somebody with a clock and a list would."""
    counts = dict.fromkeys(Watched, 0)
    minute = since.replace(second=0, microsecond=0)
    while minute + MINUTE <= until:
        touching = [one.state for one in spans if one.since < minute + MINUTE and (one.until or until) > minute]
        if minute >= since and minute >= spans[0].since and touching:
            counts[max(touching, key=_RANK.index)] += 1
        minute += MINUTE
    return counts


@given(tiled(), _LASTS, _LASTS)
@settings(max_examples=300, deadline=None)
def test_the_figures_are_those_of_counting_minute_by_minute(
    spans: list[Span], after: timedelta, before: timedelta
) -> None:
    """A council that counts for itself must come to the same."""
    since, until = NINE + after, (spans[-1].until or NINE) - before

    got = figures(spans, since=since, until=until)

    expected = counted(spans, since, until)
    assert {
        Watched.WATCHED: got.watched,
        Watched.DEGRADED: got.degraded,
        Watched.BLIND: got.blind,
        Watched.PAUSED: got.paused,
    } == expected
    assert sum(got.by_cause.values()) == got.blind


@given(tiled(), _LASTS, _LASTS)
@settings(max_examples=100, deadline=None)
def test_a_lapsed_lease_is_blind_in_every_figure(spans: list[Span], lapsed: timedelta, waits: timedelta) -> None:
    """What is written as watched, and goes on, is not watched beyond its lease (promise P2)."""
    last = spans[-1]
    spans[-1] = Span(last.since, None, Watched.WATCHED, ())
    now = last.since + lapsed + waits

    known = as_known(spans, blind_since=last.since + lapsed, why=("us",), now=now)

    assert known[-1] == Span(last.since + lapsed, now, Watched.BLIND, ("us",))
    assert all(one.until == two.since for one, two in pairwise(known))


def test_the_night_on_which_the_clocks_go_back_has_no_hour_more_to_hide_in() -> None:
    """On 25 October 2026 the hour from 01:00 comes twice in London; both are counted."""
    midnight = datetime.fromisoformat("2026-10-25T00:00:00+01:00")
    six = datetime.fromisoformat("2026-10-25T06:00:00+00:00")
    spans = [
        Span(midnight, midnight + hours(1), Watched.WATCHED, ()),
        Span(midnight + hours(1), six, Watched.BLIND, ()),
    ]

    got = figures(spans, since=midnight, until=six)

    assert (got.watched, got.blind) == (60, 6 * 60)


def test_one_second_without_sight_is_a_minute() -> None:
    """Whoever is told 99 % must never have been seen less."""
    second = timedelta(seconds=1)
    spans = [
        Span(NINE, NINE + minutes(10), Watched.WATCHED, ()),
        Span(NINE + minutes(10), NINE + minutes(10) + second, Watched.BLIND, ("hub",)),
        Span(NINE + minutes(10) + second, NINE + minutes(100), Watched.WATCHED, ()),
    ]

    got = figures(spans, since=NINE, until=NINE + minutes(100))

    assert (got.watched, got.blind, got.share) == (99, 1, 0.99)


def test_a_paused_time_is_no_part_of_the_share() -> None:
    """Who goes on holiday is not badly watched."""
    spans = [
        Span(NINE, NINE + hours(1), Watched.WATCHED, ()),
        Span(NINE + hours(1), NINE + hours(9), Watched.PAUSED, ("paused",)),
    ]

    got = figures(spans, since=NINE, until=NINE + hours(9))

    assert (got.to_watch, got.paused, got.share) == (60, 480, 1.0)


def test_a_blindness_that_changes_its_reason_is_one_gap() -> None:
    """The box fell silent while our own service was away: a family hears of one gap, with both reasons."""
    spans = [
        Span(NINE, NINE + hours(1), Watched.WATCHED, ()),
        Span(NINE + hours(1), NINE + hours(2), Watched.BLIND, ("us",)),
        Span(NINE + hours(2), NINE + hours(3), Watched.BLIND, ("hub",)),
        Span(NINE + hours(3), NINE + hours(4), Watched.WATCHED, ()),
    ]

    assert gaps(spans) == [Gap(NINE + hours(1), NINE + hours(3), ("us", "hub"))]


def test_a_home_that_was_never_to_be_watched_has_no_share() -> None:
    """No figure at all is honest; a hundred per cent of nothing is not."""
    assert figures([], since=NINE, until=NINE + hours(1)) == Figures()
    assert Figures().share is None

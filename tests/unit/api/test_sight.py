"""Do pictures and words show what was seen, and what was not?"""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.watched import HUB, US, Watched
from alerts.store import Span
from api import activity, pictures, times
from api.activity import Outing, Unseen
from api.views import sight, state
from ingest.readings import Slot

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
SINCE = NOW - timedelta(days=28)
SEEN = state.Truth(Watched.WATCHED, (), NOW - timedelta(days=1), NOW, timedelta(minutes=1))
HOUR = timedelta(hours=1)
NIGHTS_OF_CHANGE = [datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)]


def slot(at: datetime, room: str | None = "kitchen", *, is_door: bool = False) -> Slot:
    """Return a slot that begins with its only sign of life."""
    return Slot(at, room, is_door, at, at)


def span(hours_ago: float, until_ago: float | None, seen: Watched = Watched.WATCHED, *why: str) -> Span:
    """Return how well a home was seen between two moments before now."""
    return Span(NOW - hours_ago * HOUR, None if until_ago is None else NOW - until_ago * HOUR, seen, why)


def test_a_gap_is_said_with_its_reason() -> None:
    """What we could not see is shown, how long and why."""
    spans = [span(2000, 48), span(48, 40, Watched.BLIND, HUB), span(40, None)]
    gaps = sight.unseen(spans, SEEN, since=SINCE, now=NOW)

    shown = sight.sight(gaps, spans, now=NOW)

    assert shown is not None
    assert [(gap.long, gap.when, gap.why) for gap in shown.gaps] == [
        ("8 h", "09:14 to 17:14 on Sunday 14 June", "The box in the home was silent.")
    ]


def test_a_lapsed_lease_is_a_gap_that_nobody_wrote_down() -> None:
    """While our judge stands still nothing is written; the page counts it all the same."""
    lapsed = state.Truth(Watched.BLIND, (US,), NOW - 2 * HOUR, NOW - 2 * HOUR, timedelta(minutes=5))

    gaps = sight.unseen([span(2000, None)], lapsed, since=SINCE, now=NOW)

    assert gaps == [(Unseen(NOW - 2 * HOUR, NOW), (US,))]


def test_a_gap_that_goes_on_is_one_gap() -> None:
    """What the judge wrote and what the page knows of the same silence is not said twice."""
    blind = state.Truth(Watched.BLIND, (HUB,), NOW - 5 * HOUR, NOW, timedelta(minutes=5))

    gaps = sight.unseen([span(9, 5), span(5, None, Watched.BLIND, HUB)], blind, since=SINCE, now=NOW)

    assert gaps == [(Unseen(NOW - 5 * HOUR, NOW), (HUB,))]


@given(st.lists(st.tuples(st.floats(0.1, 30), st.sampled_from(Watched)), max_size=12), st.booleans())
def test_gaps_never_overlap_and_never_exceed_the_time(parts: list[tuple[float, Watched]], is_blind: bool) -> None:
    """Hours that we could not see are counted once, or the figure on the page is wrong."""
    spans, ago = [], sum(length for length, _ in parts)
    for length, seen in parts:
        spans.append(span(ago, max(ago - length, 0), seen))
        ago -= length
    told = state.Truth(Watched.BLIND, (), NOW - HOUR, NOW, HOUR) if is_blind else SEEN

    gaps = [gap for gap, _ in sight.unseen(spans, told, since=SINCE, now=NOW)]

    assert all(gap.since < gap.until <= NOW for gap in gaps)
    assert all(first.until <= second.since for first, second in pairwise(gaps))


def test_the_time_before_a_home_was_watched_is_striped_not_empty() -> None:
    """An empty row says that nobody went in; before the sensors went in nobody knows."""
    assert sight.not_yet_watched([span(24, None)], since=SINCE, now=NOW) == [Unseen(SINCE, NOW - 24 * HOUR)]
    assert sight.not_yet_watched([], since=SINCE, now=NOW) == [Unseen(SINCE, NOW)]
    assert sight.not_yet_watched([span(2000, None)], since=SINCE, now=NOW) == []


def test_the_day_in_words_says_spells_and_gaps_in_order() -> None:
    """Who cannot see the picture gets the same facts."""
    seen = [
        slot(NOW - 3 * HOUR, "bathroom"),
        slot(NOW - 3 * HOUR + timedelta(minutes=9), "kitchen"),
        slot(NOW - HOUR, None),
    ]

    lines = sight.day_in_words(seen, [Unseen(NOW - 2.5 * HOUR, NOW - 1.5 * HOUR)], now=NOW)

    assert lines == [
        "06:14 to 06:23: bathroom and kitchen.",
        "06:44 to 07:44: we could not see.",
        "08:14: elsewhere.",
    ]


@pytest.mark.parametrize("noon", [NOW, *NIGHTS_OF_CHANGE])
def test_each_day_of_the_table_is_one_day_also_where_clocks_change(noon: datetime) -> None:
    """28 rows are 28 days, none twice and none left out."""
    days = activity.days([], [], now=noon)

    assert [day.on for day in days] == [times.local_date(noon) - timedelta(days=27 - n) for n in range(28)]


@given(
    st.lists(st.timedeltas(timedelta(0), timedelta(days=27)), max_size=40),
    st.sampled_from([NOW, *NIGHTS_OF_CHANGE]),
)
def test_every_sign_of_life_is_in_exactly_one_day(ago: list[timedelta], noon: datetime) -> None:
    """A night of 25 hours must not lose an hour of somebody's life, nor show it twice."""
    slots = sorted((slot(noon - back) for back in ago), key=lambda one: one.begins)

    days = activity.days(slots, [], now=noon)

    assert sorted(one.begins for day in days for one in day.slots) == [one.begins for one in slots]


def test_a_day_that_was_not_seen_is_not_said_to_be_empty() -> None:
    """That it was none would be more than we know."""
    days = activity.days([], [Unseen(NOW - 40 * HOUR, NOW - 30 * HOUR)], now=NOW)

    lines = {line.day: line for line in sight.days_in_words(days, now=NOW)}

    assert lines["Sun 14 Jun"].first == "not known"
    assert lines["Sat 13 Jun"].first == "none"


ROOMS = st.none() | st.sampled_from(
    ["kitchen", "bedroom", "Bathroom", "lounge", "hall", "study", "attic", "porch", "loft", "den"]
)


@given(
    st.lists(st.tuples(st.timedeltas(timedelta(0), timedelta(days=27)), ROOMS, st.booleans()), max_size=60),
    st.lists(
        st.tuples(st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), timedelta(days=9))),
        max_size=4,
    ),
    st.sampled_from([NOW, *NIGHTS_OF_CHANGE]),
)
def test_nothing_is_drawn_outside_a_picture(
    signs: list[tuple[timedelta, str | None, bool]], gaps: list[tuple[timedelta, timedelta]], noon: datetime
) -> None:
    """A mark outside its picture is a mark that nobody sees."""
    slots = sorted((slot(noon - ago, room, is_door=door) for ago, room, door in signs), key=lambda one: one.begins)
    unseen = [Unseen(noon - ago, min(noon - ago + length, noon)) for ago, length in gaps]
    rows = activity.rows([one for one in slots if one.begins >= noon - timedelta(days=1)])

    for drawn in (
        pictures.of_day(rows, unseen, now=noon, mark=(noon - HOUR, "up")),
        pictures.of_month(activity.days(slots, unseen, now=noon), unseen, now=noon),
    ):
        for box in (*drawn.unseen, *drawn.nights, *drawn.signs):
            assert 0 <= box.x <= box.x + box.width <= pictures.WIDTH + 0.2
            assert 0 <= box.y <= box.y + box.height <= drawn.height
            assert box.width >= 0
        assert all(0 <= word.x <= pictures.WIDTH for word in drawn.words)
    assert len(rows) <= 8


def test_rooms_for_rest_are_short_in_the_month() -> None:
    """Tall is up and about; a night in the bathroom is not."""
    at = NOW - 5 * HOUR
    month = pictures.of_month(activity.days([slot(at, "bathroom")], [], now=NOW), [], now=NOW)

    assert {shape.kind: bool(shape.path) for shape in month.shapes} == {"r": True, "m": False, "dr": False}


def test_an_hour_between_two_openings_of_the_door_is_probably_out() -> None:
    """A long quiet on the picture is either a walk or a fall; the door tells which is the likelier."""
    seen = [
        slot(NOW - 3 * HOUR, "hall"),
        slot(NOW - 3 * HOUR + timedelta(minutes=2), None, is_door=True),
        slot(NOW - 2 * HOUR, None, is_door=True),
        slot(NOW - 2 * HOUR + timedelta(minutes=1), "hall"),
    ]

    assert activity.outings(seen, []) == [Outing(NOW - 3 * HOUR + timedelta(minutes=2), NOW - 2 * HOUR)]
    assert activity.outings(seen, [Unseen(NOW - 2.5 * HOUR, NOW - 2.4 * HOUR)]) == []
    assert activity.outings([one for one in seen if not one.is_door], []) == []


MINUTES = st.integers(0, 600).map(lambda minute: NOW - timedelta(minutes=minute))


@given(st.lists(st.tuples(MINUTES, st.booleans()), max_size=40), st.lists(st.tuples(MINUTES, MINUTES), max_size=2))
def test_nobody_is_said_to_be_out_while_seen_inside(
    signs: list[tuple[datetime, bool]], gaps: list[tuple[datetime, datetime]]
) -> None:
    """Who reads *probably out* stops worrying: it must not stand where somebody was seen, or nobody could be."""
    seen = [slot(at, None if door else "hall", is_door=door) for at, door in signs]
    unseen = [Unseen(min(ends), max(ends)) for ends in gaps]

    for out in activity.outings(seen, unseen):
        assert out.until - out.since >= timedelta(minutes=30)
        assert not any(out.since < one.first_at < out.until for one in seen if not one.is_door)
        assert activity.overlap(unseen, out.since, out.until) == timedelta(0)


def mornings(*minutes: int | None) -> list[activity.Day]:
    """Return days of which each was first seen so many minutes after midnight, or not wholly seen, and today."""
    made = []
    for number, minute in enumerate(reversed([*minutes, 0])):
        on = times.local_date(NOW) - timedelta(days=number)
        first = times.midnight(on) + timedelta(minutes=minute or 600)
        made.append(activity.Day(on, (), first, first, timedelta(0) if minute is not None else HOUR))
    return made[::-1]


def test_usual_mornings_are_counted_from_those_that_were_seen_whole() -> None:
    """Usual must say how many mornings it rests on, and neither a late one nor a gap may stretch it."""
    days = mornings(*[5 * 60 + 23, 7 * 60 + 7] * 8, 11 * 60, 12 * 60, 13 * 60, None)

    assert sight.usual_mornings(days, "Margaret") == (
        "Usual: on 16 of 19 mornings that we saw whole, Margaret was first seen between 05:23 and 07:07."
    )


def test_too_few_mornings_say_nothing_of_what_is_usual() -> None:
    """Thirteen mornings are not a habit."""
    assert sight.usual_mornings(mornings(*[400] * 13), "Margaret") == ""


@given(st.lists(st.integers(240, 1439) | st.none(), max_size=27))
def test_usual_mornings_hold_four_of_five(minutes: list[int | None]) -> None:
    """The sentence must be true of the mornings that it was made from."""
    said = sight.usual_mornings(mornings(*minutes), "M")

    seen = [minute for minute in minutes if minute is not None]
    if len(seen) < 14:
        assert said == ""
        return
    held, whole, *ends = (int(number) for number in re.findall(r"\d+", said))
    first, last = ends[0] * 60 + ends[1], ends[2] * 60 + ends[3]
    assert whole == len(seen)
    assert held >= 0.8 * whole
    assert sum(first <= minute <= last for minute in seen) >= held


def test_after_midnight_is_said_where_a_day_ends_there() -> None:
    """A table that puts 00:13 beside Friday, without a word, is read as Friday's first hour."""
    late = times.midnight(times.local_date(NOW)) + timedelta(minutes=13)
    day = activity.days([slot(NOW - 20 * HOUR), slot(late)], [], now=NOW)[-2]

    assert sight.days_in_words([day], now=NOW)[0].last == "00:13, after midnight"

"""Who is on duty, also in the nights in which the clocks change."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.telling.rota import LOOK_MAX, Duty, Override, Rota, Shift, duties, moment_of, next_change, on_duty

EVERY_DAY = frozenset(range(7))
START = date(2026, 1, 1)
# The nights in which Britain's clocks change (gov.uk, "When do the clocks change?").
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def shift(person: str, begins: str, ends: str, *, days: frozenset[int] = EVERY_DAY, place: int = 1) -> Shift:
    return Shift(person, place, days, time.fromisoformat(begins), time.fromisoformat(ends), START)


DAY_AND_NIGHT = Rota(shifts=(shift("anne", "08:00", "20:00"), shift("jim", "20:00", "08:00")))


def test_a_shift_keeps_its_wall_time_when_the_clocks_change() -> None:
    """Eight in the evening is eight in the evening; whole rotas have moved by an hour in October elsewhere."""
    winter, summer = at(2026, 3, 28, 19, 59), at(2026, 3, 29, 18, 59)

    assert (on_duty(DAY_AND_NIGHT, now=winter), on_duty(DAY_AND_NIGHT, now=summer)) == (("anne",), ("anne",))
    assert (on_duty(DAY_AND_NIGHT, now=winter + timedelta(minutes=1))) == ("jim",)
    assert (on_duty(DAY_AND_NIGHT, now=summer + timedelta(minutes=1))) == ("jim",)


def test_a_night_shift_goes_on_past_midnight() -> None:
    """Who began on Friday evening is still there on Saturday morning, and not on Saturday evening."""
    friday_night = Rota(always=("anne",), shifts=(shift("jim", "20:00", "08:00", days=frozenset({4})),))

    assert on_duty(friday_night, now=at(2026, 6, 13, 6, 59)) == ("jim", "anne")
    assert on_duty(friday_night, now=at(2026, 6, 13, 7)) == ("anne",)
    assert on_duty(friday_night, now=at(2026, 6, 13, 20)) == ("anne",)


def test_the_place_says_who_comes_first() -> None:
    """Jim on duty as the second does not wake before Anne, who is always told first."""
    rota = Rota(always=("anne", "moira"), shifts=(shift("jim", "00:00", "00:00", place=2),))

    assert on_duty(rota, now=at(2026, 6, 10, 12)) == ("anne", "jim", "moira")


def test_two_at_the_same_place_are_both_told() -> None:
    """Shifts that overlap are a plan with two people in it, never an error that tells nobody."""
    rota = Rota(shifts=(shift("anne", "08:00", "20:00"), shift("jim", "18:00", "22:00")))

    assert on_duty(rota, now=at(2026, 6, 10, 18)) == ("anne", "jim")


def test_hours_without_anybody_are_shown() -> None:
    """A hole in the plan must be seen before the night in which it matters."""
    rota = Rota(shifts=(shift("anne", "08:00", "20:00"),), operator="control")

    ahead = duties(rota, since=at(2026, 6, 10, 0), until=at(2026, 6, 11, 0))

    assert [(duty.since.hour, duty.until.hour) for duty in ahead if not duty.persons] == [(0, 7), (19, 0)]


def test_somebody_stands_in_and_only_for_that_time() -> None:
    """A swap is for one evening; on the next the plan holds again."""
    begins, ends = at(2026, 6, 10, 7), at(2026, 6, 10, 19)
    rota = Rota(DAY_AND_NIGHT.always, DAY_AND_NIGHT.shifts, (Override("anne", "moira", begins, ends),))

    assert on_duty(rota, now=begins) == ("moira",)
    assert on_duty(rota, now=ends - timedelta(seconds=1)) == ("moira",)
    assert on_duty(rota, now=begins + timedelta(days=1)) == ("anne",)


def test_a_swap_of_two_is_a_swap() -> None:
    """Each stands in for the other; neither is lost between the two."""
    since, until = at(2026, 6, 10, 0), at(2026, 6, 12, 0)
    both = (Override("anne", "jim", since, until), Override("jim", "anne", since, until))
    rota = Rota(shifts=DAY_AND_NIGHT.shifts, overrides=both)

    assert on_duty(rota, now=at(2026, 6, 10, 12)) == ("jim",)
    assert on_duty(rota, now=at(2026, 6, 10, 22)) == ("anne",)


def test_the_next_change_is_seen_a_day_ahead() -> None:
    """An alert that nobody took is asked on when somebody else comes on duty."""
    assert next_change(DAY_AND_NIGHT, now=at(2026, 6, 10, 12)) == at(2026, 6, 10, 19)
    assert next_change(Rota(always=("anne",)), now=at(2026, 6, 10, 12)) is None


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1), LOOK_MAX + timedelta(seconds=1)])
def test_a_look_ahead_has_a_bound(length: timedelta) -> None:
    """A page must not be asked for ten years of nights."""
    with pytest.raises(ValueError, match="looked at"):
        duties(DAY_AND_NIGHT, since=at(2026, 6, 10, 0), until=at(2026, 6, 10, 0) + length)


walls = st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)) | st.datetimes(  # noqa: DTZ001 - wall times
    datetime(2026, 10, 23),  # noqa: DTZ001 - wall times
    datetime(2026, 10, 27),  # noqa: DTZ001 - wall times
)


@given(walls, walls)
def test_a_later_wall_time_is_never_an_earlier_moment(one: datetime, other: datetime) -> None:
    """From this it follows that neighbours on paper are neighbours in the night."""
    earlier, later = sorted([one, other])

    assert moment_of(earlier) <= moment_of(later)


@st.composite
def whole_weeks(draw: st.DrawFn) -> Rota:
    """Return a pattern that covers the week without a hole on paper, cut at any minutes."""
    cuts = sorted(draw(st.sets(st.integers(0, 24 * 60 - 1), min_size=1, max_size=6)))
    times = [time(cut // 60, cut % 60) for cut in cuts]
    shifts = [
        Shift(f"p{draw(st.integers(0, 3))}", draw(st.integers(1, 3)), EVERY_DAY, begins, ends, START)
        for begins, ends in zip(times, [*times[1:], times[0]], strict=True)
    ]
    return Rota(shifts=tuple(shifts))


nights = st.sampled_from([SPRING, AUTUMN]).flatmap(
    lambda on: st.datetimes(
        datetime.combine(on - timedelta(days=2), time()), datetime.combine(on + timedelta(days=2), time())
    ).map(lambda moment: moment.replace(tzinfo=UTC))
)


@given(whole_weeks(), nights)
def test_a_plan_without_a_hole_never_leaves_nobody(rota: Rota, now: datetime) -> None:
    """Not in any second of the two nights in which the clocks change."""
    assert on_duty(rota, now=now)


@given(whole_weeks(), nights)
def test_a_plan_without_a_hole_has_one_at_a_time(rota: Rota, now: datetime) -> None:
    """Nor does anybody's shift reach into the next one's because the clocks went back."""
    assert len(on_duty(rota, now=now)) == 1


@given(
    whole_weeks(),
    nights,
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=6),
    st.booleans(),
)
def test_an_override_never_leaves_nobody(
    rota: Rota, now: datetime, changes: list[tuple[int, int | None]], has_operator: bool
) -> None:
    """Whoever says "I can't" must not be the last one who would have been told."""
    overrides = tuple(
        Override(f"p{who}", None if instead is None else f"p{instead}", now, now + timedelta(hours=1))
        for who, instead in changes
    )
    changed = Rota(rota.always, rota.shifts, overrides, "control" if has_operator else None)

    assert on_duty(changed, now=now) or has_operator


@given(whole_weeks(), nights, st.integers(1, 14 * 24))
def test_duties_say_the_same_as_asking_at_any_moment(rota: Rota, since: datetime, hours: int) -> None:
    """The plan that is shown is the plan that is followed."""
    until = since + timedelta(hours=hours)
    ahead = duties(rota, since=since, until=until)

    assert (ahead[0].since, ahead[-1].until) == (since, until)
    assert all(one.until == other.since for one, other in itertools.pairwise(ahead))
    for step in range(0, hours * 60, max(1, hours)):
        now = since + timedelta(minutes=step)
        assert [duty.persons for duty in ahead if duty.since <= now < duty.until] == [on_duty(rota, now=now)]


def test_like_neighbours_are_one_duty() -> None:
    """Three shifts of Anne in a row are one line on her page."""
    rota = Rota(shifts=tuple(shift("anne", begins, ends) for begins, ends in [("00:00", "09:00"), ("09:00", "00:00")]))
    since, until = at(2026, 10, 24, 12), at(2026, 10, 27, 12)

    assert duties(rota, since=since, until=until) == (Duty(since, until, ("anne",)),)

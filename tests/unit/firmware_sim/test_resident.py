"""Is a made-up day a day that someone could have lived, and always the same one?"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.resident import LOCAL, ROUTINES, Happening, Routine, What, day, life

routines = st.sampled_from(list(ROUTINES.values()))
seeds = st.integers(0, 10_000)
homes = st.sampled_from(["h1", "h2", "church-wynd-8"])
dates = st.dates(date(2024, 1, 1), date(2030, 12, 31))
# Both odd nights of seven years, the Sundays before them and the Mondays after.
odd_nights = st.sampled_from(
    [
        on
        for year in range(2024, 2031)
        for month in (3, 10)
        for last in [date(year, month, 31)]
        for on in [last - timedelta(days=(last.weekday() + 1) % 7 + shift) for shift in (1, 0, -1)]
    ]
)


def midnight(on: date) -> datetime:
    return datetime.combine(on, time(), LOCAL).astimezone(UTC)


@given(routines, seeds, homes, dates | odd_nights)
def test_a_day_is_in_order_and_stays_inside_itself(routine: Routine, seed: int, home: str, on: date) -> None:
    """Two days played one after the other must not run into each other, not even when the clocks change."""
    happened = day(routine, seed=seed, home=home, on=on)

    moments = [midnight(on) - timedelta(milliseconds=1), *(it.at for it in happened), midnight(on + timedelta(days=1))]
    assert all(earlier < later for earlier, later in pairwise(moments))


@given(routines, seeds, homes, dates)
def test_the_same_seed_home_and_date_are_the_same_day(routine: Routine, seed: int, home: str, on: date) -> None:
    """A restart in the middle of a day must find the day it was in."""
    assert day(routine, seed=seed, home=home, on=on) == day(routine, seed=seed, home=home, on=on)


@given(routines, seeds, dates)
def test_no_two_days_are_alike(routine: Routine, seed: int, on: date) -> None:
    """A routine learnt from copies of one day would be sure of things that nobody can be sure of."""

    def since_midnight(on: date) -> set[timedelta]:
        return {it.at - midnight(on) for it in day(routine, seed=seed, home="h1", on=on)}

    assert len(since_midnight(on) & since_midnight(on + timedelta(days=7))) <= 2


@given(routines, seeds, dates)
def test_neighbours_with_the_same_routine_do_not_move_in_step(routine: Routine, seed: int, on: date) -> None:
    """Homes that do the same at the same millisecond would hide every mix-up between them."""
    ours = {it.at for it in day(routine, seed=seed, home="h1", on=on)}
    theirs = {it.at for it in day(routine, seed=seed, home="h2", on=on)}

    # Midnight itself is the one moment at which two people who sit up late are both seen.
    assert len(ours & theirs - {midnight(on)}) <= 2


@given(routines, seeds, homes, dates | odd_nights)
def test_a_door_that_opens_closes_before_it_opens_again(routine: Routine, seed: int, home: str, on: date) -> None:
    """A door contact that says open twice is a fault of the contact, and none is meant here."""
    doors = [it.what for it in day(routine, seed=seed, home=home, on=on) if it.what is not What.MOVED]

    assert doors == [What.DOOR_OPENED, What.DOOR_CLOSED] * (len(doors) // 2)


@pytest.mark.parametrize("routine", ROUTINES.values(), ids=ROUTINES)
def test_a_month_has_the_number_of_movements_of_real_homes(routine: Routine) -> None:
    """Detectors are shown these homes; a day of 20 movements or of 5,000 would teach them nothing."""
    counts = [len(day(routine, seed=7, home="h1", on=date(2026, 2, 1) + timedelta(days=days))) for days in range(56)]

    assert 250 < sum(counts) / len(counts) < 600
    assert min(counts) > 150


@pytest.mark.parametrize("routine", ROUTINES.values(), ids=ROUTINES)
def test_nobody_sits_still_for_hours_between_rising_and_bed(routine: Routine) -> None:
    """Otherwise a stillness alert in the demo would be right, and nobody would have asked for one."""
    for days in range(56):
        on = date(2026, 2, 1) + timedelta(days=days)
        awake_from, awake_until = midnight(on) + timedelta(hours=11), midnight(on) + timedelta(hours=19)
        at = [it.at for it in day(routine, seed=7, home="h1", on=on) if awake_from <= it.at < awake_until]
        assert max(later - earlier for earlier, later in pairwise(at)) < timedelta(hours=4)


def first_kitchen(happened: tuple[Happening, ...], on: date) -> timedelta:
    """Return the wall time of the first visit to the kitchen after 05:00, as breakfast."""
    five = datetime.combine(on, time(5), LOCAL)
    return next(
        it.at.astimezone(LOCAL).replace(tzinfo=None) - datetime.combine(on, time())
        for it in happened
        if it.room == "kitchen" and it.at >= five
    )


def test_breakfast_is_at_the_same_wall_time_before_and_after_the_clocks_change() -> None:
    """People live by the clock on the wall; a routine in UTC would be an hour off for half the year."""
    early = ROUTINES["early riser"]
    for change in (date(2026, 3, 29), date(2026, 10, 25)):
        for on in (change - timedelta(days=1), change, change + timedelta(days=1)):
            breakfast = first_kitchen(day(early, seed=3, home="h1", on=on), on)
            assert timedelta(hours=5, minutes=45) < breakfast < timedelta(hours=7, minutes=30)


def test_a_late_riser_is_up_past_midnight_and_an_early_riser_is_not() -> None:
    """The three routines must differ where the detectors look: in the small hours."""

    def lounge_after_midnight(name: str) -> int:
        days = [date(2026, 2, 1) + timedelta(days=days) for days in range(28)]
        return sum(
            it.room == "lounge" and it.at.astimezone(LOCAL).hour == 0
            for on in days
            for it in day(ROUTINES[name], seed=5, home="h1", on=on)
        )

    assert lounge_after_midnight("late riser") > 20
    assert lounge_after_midnight("early riser") == 0


def test_a_night_walker_is_seen_more_at_night_than_others() -> None:
    """Wandering can only be found in a home where somebody wanders."""

    def seen_at_night(name: str) -> int:
        return sum(
            it.room != "bedroom" and 2 <= it.at.astimezone(LOCAL).hour < 5
            for days in range(28)
            for it in day(ROUTINES[name], seed=5, home="h1", on=date(2026, 2, 1) + timedelta(days=days))
        )

    assert seen_at_night("night walker") > 2 * seen_at_night("early riser")


@given(routines, seeds, dates)
def test_life_is_one_day_after_the_other(routine: Routine, seed: int, since: date) -> None:
    """Playing on across midnight must not skip or repeat anything."""
    two_days = day(routine, seed=seed, home="h1", on=since) + day(
        routine, seed=seed, home="h1", on=since + timedelta(days=1)
    )

    lived = life(routine, seed=seed, home="h1", since=since)

    assert tuple(next(lived) for _ in two_days) == two_days

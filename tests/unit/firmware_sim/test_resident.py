"""Is a made-up day a day that someone could have lived, and always the same one?"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.happening import LOCAL, Happening, What, Who
from firmware_sim.hours import begins_at, begins_on
from firmware_sim.resident import Course, day
from firmware_sim.routines import ROUTINES, Routine
from firmware_sim.walk import Posture

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


def seen_in(happened: Sequence[Happening]) -> list[Happening]:
    return [it for it in happened if it.what is What.MOVED]


@given(routines, seeds, homes, dates | odd_nights)
def test_a_day_is_in_order_and_stays_inside_itself(routine: Routine, seed: int, home: str, on: date) -> None:
    """Two days played one after the other must not run into each other, not even when the clocks change."""
    happened = day(routine, seed=seed, home=home, on=on)

    first, last = begins_at(on) - timedelta(milliseconds=1), begins_at(on + timedelta(days=1))
    assert all(earlier < later for earlier, later in pairwise([first, *(it.at for it in happened), last]))


@given(routines, seeds, homes, dates | odd_nights, st.booleans())
def test_someone_is_in_one_place_and_gets_there_on_foot(
    routine: Routine, seed: int, home: str, on: date, is_ill: bool
) -> None:
    """A movement in the kitchen of someone who lies in bed would teach the detectors a second person."""
    room, in_bed, seated, inside = "bedroom", True, False, True
    for it in day(routine, seed=seed, home=home, on=on, is_ill=is_ill):
        match it.what:
            case What.MOVED:
                assert inside
                assert room in (it.room, "nowhere")
                room = it.room
            case What.LEFT:
                assert not in_bed
                assert not seated
                assert it.room == room
                room = "nowhere"
            case What.LAY_DOWN | What.GOT_UP:
                assert in_bed is (it.what is What.GOT_UP)
                assert room == "bedroom"
                in_bed = not in_bed
            case What.SAT_DOWN | What.STOOD_UP:
                assert seated is (it.what is What.STOOD_UP)
                seated = not seated
            case What.WENT_OUT | What.CAME_HOME:
                assert inside is (it.what is What.WENT_OUT)
                inside, room = not inside, "nowhere"
    assert in_bed
    assert inside


@given(routines, seeds, dates | odd_nights)
def test_a_day_begins_and_ends_in_bed(routine: Routine, seed: int, on: date) -> None:
    """This is why one day needs nothing of the day before."""
    happened = day(routine, seed=seed, home="h1", on=on)

    assert next(it.what for it in happened if it.what in (What.LAY_DOWN, What.GOT_UP)) is What.GOT_UP
    assert [it.what for it in happened if it.what in (What.LAY_DOWN, What.GOT_UP)][-1] is What.LAY_DOWN


@given(routines, seeds, dates, st.timedeltas(timedelta(0), timedelta(hours=23)))
def test_a_day_begun_in_the_middle_ends_in_bed_too(routine: Routine, seed: int, on: date, after: timedelta) -> None:
    """Whoever is helped up at any hour goes on as the hour suggests."""
    at = begins_at(on) + after
    course = Course(
        routine,
        seed=seed,
        home="h1",
        who=Who.RESIDENT,
        at=at,
        posture=Posture("lounge", is_in_bed=False),
        name="helped up",
    )
    course.is_helped_up()
    course.lives_on(is_ill=False)

    assert course.happened[0].room == "lounge"
    assert all(it.at < begins_at(on + timedelta(days=1)) for it in course.happened)
    rests = [it.what for it in course.happened if it.what in (What.LAY_DOWN, What.GOT_UP)]
    assert rests == [] or rests[-1] is What.LAY_DOWN or after > timedelta(hours=22)


@given(seeds, dates)
def test_who_is_ill_stays_in_and_mostly_in_bed(seed: int, on: date) -> None:
    """A week in bed is not a fall, and a platform that cannot tell them apart wakes somebody every day."""
    ill = day(ROUTINES["busy"], seed=seed, home="h1", on=on, is_ill=True)

    assert not [it for it in ill if it.what is What.WENT_OUT]
    assert len(seen_in(ill)) < 0.7 * len(seen_in(day(ROUTINES["busy"], seed=seed, home="h1", on=on)))


@given(dates | odd_nights, st.timedeltas(timedelta(0), timedelta(hours=30)))
def test_every_moment_belongs_to_the_day_that_is_being_lived(on: date, after: timedelta) -> None:
    """An order at 02:00 replaces what was left of the evening before, on the two odd nights too."""
    at = begins_at(on) + after

    its = begins_on(at)

    assert begins_at(its) <= at < begins_at(its + timedelta(days=1))


@given(routines, seeds, homes, dates)
def test_the_same_seed_home_and_date_are_the_same_day(routine: Routine, seed: int, home: str, on: date) -> None:
    """A restart in the middle of a day must find the day it was in."""
    assert day(routine, seed=seed, home=home, on=on) == day(routine, seed=seed, home=home, on=on)


@given(routines, seeds, dates)
def test_no_two_days_are_alike(routine: Routine, seed: int, on: date) -> None:
    """A routine learnt from copies of one day would be sure of things that nobody can be sure of."""

    def since_its_beginning(on: date) -> set[timedelta]:
        return {it.at - begins_at(on) for it in day(routine, seed=seed, home="h1", on=on)}

    assert len(since_its_beginning(on) & since_its_beginning(on + timedelta(days=7))) <= 2


@given(routines, seeds, dates)
def test_neighbours_with_the_same_routine_do_not_move_in_step(routine: Routine, seed: int, on: date) -> None:
    """Homes that do the same at the same millisecond would hide every mix-up between them."""
    ours = {it.at for it in day(routine, seed=seed, home="h1", on=on)}
    theirs = {it.at for it in day(routine, seed=seed, home="h2", on=on)}

    assert len(ours & theirs) <= 2


@given(routines, seeds, homes, dates | odd_nights)
def test_a_door_that_opens_closes_before_it_opens_again(routine: Routine, seed: int, home: str, on: date) -> None:
    """A door contact that says open twice is a fault of the contact, and none is meant here."""
    happened = day(routine, seed=seed, home=home, on=on)

    for door in ("front door", "back door", "fridge door"):
        swings = [it.what for it in happened if it.room == door and it.what in (What.DOOR_OPENED, What.DOOR_CLOSED)]
        assert swings == [What.DOOR_OPENED, What.DOOR_CLOSED] * (len(swings) // 2)
    for switched in ("kettle", "television"):
        turns = [it.what for it in happened if it.room == switched]
        assert turns == [What.SWITCHED_ON, What.SWITCHED_OFF] * (len(turns) // 2)


@pytest.mark.parametrize("routine", ROUTINES.values(), ids=ROUTINES)
def test_a_month_has_the_number_of_movements_of_real_homes(routine: Routine) -> None:
    """Detectors are shown these homes; a day of 20 movements or of 5,000 would teach them nothing."""
    days = [day(routine, seed=7, home="h1", on=date(2026, 2, 1) + timedelta(days=days)) for days in range(56)]
    counts = [len(seen_in(happened)) for happened in days]

    assert 150 < sum(counts) / len(counts) < 900
    assert min(counts) > 100


@pytest.mark.parametrize("routine", ROUTINES.values(), ids=ROUTINES)
def test_nobody_sits_still_for_hours_between_rising_and_bed(routine: Routine) -> None:
    """Otherwise a stillness alert in the demo would be right, and nobody would have asked for one."""
    for days in range(56):
        on = date(2026, 2, 1) + timedelta(days=days)
        awake_from, awake_until = midnight(on) + timedelta(hours=11), midnight(on) + timedelta(hours=19)
        happened = seen_in(day(routine, seed=7, home="h1", on=on))
        at = [it.at for it in happened if awake_from <= it.at < awake_until]
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
    """The routines must differ where the detectors look: in the small hours."""

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

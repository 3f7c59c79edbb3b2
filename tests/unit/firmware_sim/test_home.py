"""Is a home that is begun again the same home, and does it do as it is told?"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.faults import Do, NotNow, Order
from firmware_sim.happening import Who
from firmware_sim.home import Home, HomeSpec
from firmware_sim.models import USUAL_MODEL, Kind
from firmware_sim.routines import ROUTINES, Household
from firmware_sim.sensors import Said, SensorSpec, Why

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROOMS = ("hallway", "lounge", "kitchen", "bathroom", "bedroom")
SENSORS = (
    *(SensorSpec(f"{room} motion", Kind.MOTION, room, "SNZB-03") for room in ROOMS),
    SensorSpec("lounge corner", Kind.MOTION, "lounge", "RTCGQ11LM"),
    SensorSpec("front door", Kind.CONTACT, "front door", "MCCGQ11LM"),
    SensorSpec("pendant", Kind.PENDANT, "", "TS0215A_sos"),
    SensorSpec("lounge climate", Kind.CLIMATE, "lounge", USUAL_MODEL[Kind.CLIMATE]),
)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)).map(  # noqa: DTZ001 - hypothesis wants naive bounds.
    lambda naive: naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
)


def home(routine: str = "early riser", *, orders: Sequence[Order] = (), now: datetime = NINE) -> Home:
    return Home(HomeSpec("h1", Household(ROUTINES[routine]), SENSORS), seed=4, orders=orders, now=now)


def lives(it: Home, until: datetime) -> list[Said]:
    return list(it.said_until(until))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(ROUTINES)),
    moments,
    st.timedeltas(timedelta(minutes=1), timedelta(hours=20)),
    st.floats(0, 1),
)
def test_a_restart_at_any_moment_goes_on_with_exactly_what_was_not_yet_said(
    routine: str, begins: datetime, span: timedelta, share: float
) -> None:
    """A simulator that repeats or leaves out a movement would make the platform look guilty of it."""
    ends = begins + span
    whole = lives(home(routine, now=begins), ends)
    # The diary knows only when the last thing was said: nothing finer than that may be needed.
    cut = round(share * len(whole))
    through = whole[cut - 1].at if cut else begins

    rest = lives(home(routine, now=through), ends)

    assert rest == whole[cut:]


def test_a_restart_just_after_midnight_still_says_off_to_a_movement_from_before_it() -> None:
    """The day is made anew at midnight, and a sensor's timer must not be."""
    begins = datetime(2026, 2, 2, 23, 40, tzinfo=UTC)
    ends = begins + timedelta(minutes=40)
    whole = lives(home("late riser", now=begins), ends)
    around = [cut for cut, said in enumerate(whole, start=1) if abs(said.at - begins) < timedelta(minutes=30)]
    assert any(said.at.hour == 23 for said in whole)
    assert any(said.at.hour == 0 for said in whole)

    for cut in around:
        assert lives(home("late riser", now=whole[cut - 1].at), ends) == whole[cut:]


@settings(max_examples=25, deadline=None)
@given(moments, st.floats(0, 1), st.integers(1, 600))
def test_a_restart_after_orders_goes_on_as_if_there_had_been_none(
    begins: datetime, share: float, collapses_after_min: int
) -> None:
    """Someone who lies on the floor must not be up and about because a process died."""
    collapses = Order(begins + timedelta(minutes=collapses_after_min), Do.COLLAPSE)
    presses = Order(collapses.at + timedelta(minutes=7), Do.PRESS)
    recovers = Order(presses.at + timedelta(hours=2), Do.RECOVER)
    ends = recovers.at + timedelta(hours=1)
    straight = home(now=begins)
    whole: list[Said] = []
    for order in (collapses, presses, recovers):
        whole += lives(straight, order.at)
        straight.obey(order)
    whole += lives(straight, ends)
    cut = max(1, round(share * len(whole)))
    through = whole[cut - 1].at

    given_by_then = [order for order in (collapses, presses, recovers) if order.at <= through]
    again = home(orders=given_by_then, now=through)
    rest: list[Said] = []
    for order in (collapses, presses, recovers)[len(given_by_then) :]:
        rest += lives(again, order.at)
        again.obey(order)
    rest += lives(again, ends)

    assert rest == whole[cut:]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(ROUTINES)), moments)
def test_a_home_says_one_thing_at_a_time_and_in_order(routine: str, begins: datetime) -> None:
    """Each moment names one message, so that the diary needs nothing else to go on from."""
    at = [it.at for it in lives(home(routine, now=begins), begins + timedelta(days=1))]

    assert all(earlier < later for earlier, later in pairwise(at))
    assert all(begins < it <= begins + timedelta(days=1) for it in at)
    assert all(it.microsecond % 1000 == 0 for it in at)


def test_nothing_moves_after_a_collapse_and_the_sensors_still_check_in() -> None:
    """That is the whole difference between a resident in need and a dead sensor."""
    it = home()
    it.obey(Order(NINE, Do.COLLAPSE))

    said = lives(it, NINE + timedelta(hours=8))

    assert {one.why for one in said if one.at > NINE + timedelta(minutes=2)} == {Why.CHECK_IN}
    assert {one.sensor for one in said} == {spec.name for spec in SENSORS}


def test_someone_who_gets_up_is_seen_first_where_they_lay() -> None:
    """The first movement after a fall should not be at the other end of the home."""
    it = home()
    lives(it, NINE + timedelta(hours=2))
    lay_in = it._people._posture[Who.RESIDENT].room
    it.obey(Order(NINE + timedelta(hours=2), Do.COLLAPSE))
    lives(it, NINE + timedelta(hours=5))

    it.obey(Order(NINE + timedelta(hours=5), Do.RECOVER))
    said = lives(it, NINE + timedelta(hours=5, minutes=2))

    assert next(one.sensor for one in said if one.why is Why.MOVEMENT) == f"{lay_in} motion"


def test_a_press_is_said_at_once_with_the_products_own_word() -> None:
    """The pendant is the one thing that must never wait."""
    it = home()
    it.obey(Order(NINE, Do.PRESS))

    said = lives(it, NINE + timedelta(milliseconds=1))

    assert [(one.sensor, one.news) for one in said] == [("pendant", {"action": "emergency"})]


def test_a_press_that_was_ordered_but_not_said_before_a_crash_is_said_after_it() -> None:
    """The order is on the disk first, so a crash in between can delay a press and never lose it."""
    ordered = Order(NINE, Do.PRESS)

    again = home(orders=[ordered], now=NINE - timedelta(milliseconds=1))

    assert lives(again, NINE + timedelta(seconds=1))[0].news == {"action": "emergency"}


def test_going_out_is_a_door_and_then_nothing_until_the_door_again() -> None:
    """Out is the likeliest reason for silence, and the door is the only witness."""
    it = home()
    it.obey(Order(NINE, Do.OUT))
    leaving = [one for one in lives(it, NINE + timedelta(hours=3)) if one.why in (Why.DOOR, Why.MOVEMENT)]
    it.obey(Order(NINE + timedelta(hours=3), Do.BACK))
    coming = [one for one in lives(it, NINE + timedelta(hours=3, seconds=12)) if one.why is not Why.CHECK_IN]

    assert [one.news for one in leaving if one.why is Why.DOOR] == [{"contact": False}, {"contact": True}]
    assert leaving[-1].at < NINE + timedelta(seconds=60)
    assert [one.sensor for one in coming][:3] == ["front door", "front door", "hallway motion"]


def test_a_sensor_with_a_dead_battery_is_silent_until_it_is_changed_and_then_reports_it() -> None:
    """A silent sensor and a still resident look the same unless the check-in is missed."""
    it = home()
    it.obey(Order(NINE, Do.BATTERY_DIES, "lounge motion"))
    silent = lives(it, NINE + timedelta(hours=6))
    it.obey(Order(NINE + timedelta(hours=6), Do.BATTERY_CHANGED, "lounge motion"))
    after = lives(it, NINE + timedelta(hours=6, minutes=40))

    assert "lounge motion" not in {one.sensor for one in silent}
    assert "lounge corner" in {one.sensor for one in silent}
    assert any("battery" in one.news for one in after if one.sensor == "lounge motion")


@pytest.mark.parametrize(
    ("orders", "then"),
    [
        ([], Do.RECOVER),
        ([], Do.BACK),
        ([Do.COLLAPSE], Do.COLLAPSE),
        ([Do.COLLAPSE], Do.OUT),
        ([Do.OUT], Do.COLLAPSE),
        ([Do.OUT], Do.PRESS),
    ],
)
def test_an_order_that_makes_no_sense_is_turned_down_and_changes_nothing(orders: list[Do], then: Do) -> None:
    """A test that believes it knocked someone down who was out would pass for the wrong reason."""
    it = home()
    for do in orders:
        it.obey(Order(NINE, do))
    before = it.condition

    with pytest.raises(NotNow):
        it.obey(Order(NINE, then))

    assert it.condition == before


@pytest.mark.parametrize(
    ("do", "sensor"), [(Do.BATTERY_DIES, None), (Do.BATTERY_DIES, "loft"), (Do.PRESS, "lounge motion")]
)
def test_an_order_for_a_sensor_that_cannot_is_turned_down(do: Do, sensor: str | None) -> None:
    """A typing error in a sensor's name must not pass for a dead battery."""
    with pytest.raises(KeyError):
        home().obey(Order(NINE, do, sensor))


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_sensors_keep_their_half_hours_through_the_night_when_the_clocks_change(change: date) -> None:
    """A radio knows no wall clock; an hour without check-ins would be 23 silent sensors."""
    begins = datetime(change.year, change.month, change.day, tzinfo=UTC) - timedelta(hours=3)

    said = lives(home("late riser", now=begins), begins + timedelta(hours=8))

    for spec in SENSORS:
        at = [one.at for one in said if one.sensor == spec.name and one.why is Why.CHECK_IN]
        assert len(at) == 16
        for earlier, later in pairwise(at):
            assert abs(later - earlier - timedelta(minutes=30)) < timedelta(seconds=1)

"""Does what befalls a home, by order or by chance, show as it would, and is all of it in the diary?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.chance import INCIDENTS, Fate
from firmware_sim.faults import NEEDS_SENSOR, Condition, Do, NotNow, Order, condition_after
from firmware_sim.happening import Happening, What, Who
from firmware_sim.home import Home, HomeSpec
from firmware_sim.hours import begins_at
from firmware_sim.models import USUAL_MODEL, Kind
from firmware_sim.routines import ROUTINES, VISITS, Household
from firmware_sim.sensors import Said, SensorSpec, Why

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROOMS = ("hallway", "lounge", "kitchen", "bathroom", "bedroom")
SENSORS = (
    *(SensorSpec(f"{room} motion", Kind.MOTION, room, "SNZB-03") for room in ROOMS),
    SensorSpec("lounge presence", Kind.MOTION, "lounge", "FP1E"),
    SensorSpec("bedroom presence", Kind.MOTION, "bedroom", "FP1E"),
    *(SensorSpec(door, Kind.CONTACT, door, "MCCGQ11LM") for door in ("front door", "back door", "fridge door")),
    SensorSpec("bed", Kind.BED, "bed", USUAL_MODEL[Kind.BED]),
    SensorSpec("chair", Kind.CHAIR, "chair", USUAL_MODEL[Kind.CHAIR]),
    *(SensorSpec(plug, Kind.PLUG, plug, USUAL_MODEL[Kind.PLUG]) for plug in ("kettle", "television")),
    SensorSpec("smoke", Kind.SMOKE, "kitchen", USUAL_MODEL[Kind.SMOKE]),
    SensorSpec("water", Kind.WATER, "kitchen", USUAL_MODEL[Kind.WATER]),
    SensorSpec("pendant", Kind.PENDANT, "", "TS0215A_sos"),
    SensorSpec("climate", Kind.CLIMATE, "lounge", USUAL_MODEL[Kind.CLIMATE]),
)
ALONE = Household(ROUTINES["early riser"])
FULL = Household(ROUTINES["napper"], ROUTINES["early riser"], (VISITS["home carer"], VISITS["cleaner"]), 1)
ALL = frozenset(spec.name for spec in SENSORS)
BY_SOMEBODY = {Why.MOVEMENT, Why.DOOR, Why.REST, Why.PRESSED}

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)).map(  # noqa: DTZ001 - hypothesis wants naive bounds.
    lambda naive: naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
)


def home(household: Household = ALONE, *, orders: Sequence[Order] = (), now: datetime = NINE) -> Home:
    return Home(HomeSpec("h1", household, SENSORS), seed=4, orders=orders, now=now)


def quiet_home(household: Household = ALONE, *, now: datetime = NINE) -> Home:
    """Return a home whose sensors speak only when something happens, as in a recording: a tenth of the work."""
    return Home(HomeSpec("h1", household, SENSORS), seed=4, now=now, only=ALL)


def lives(it: Home, until: datetime) -> list[Said]:
    return list(it.said_until(until))


def by(who: Who, said: Sequence[Said]) -> list[Said]:
    return [one for one in said if one.who is who]


def obeys(it: Home, do: Do, at: datetime, sensor: str | None = None) -> list[Said | Happening]:
    """Let a home live until a moment and obey; return what was told on the way."""
    told = list(it.told_until(at))
    it.obey(Order(at, do, sensor))
    return told


orders = st.lists(
    st.tuples(
        st.sampled_from(sorted(Do, key=lambda do: do.value)),
        st.sampled_from([spec.name for spec in SENSORS]),
        st.integers(1, 14 * 60),
    ),
    max_size=12,
)


def as_they_can(begins: datetime, drawn: Sequence[tuple[Do, str, int]]) -> list[Order]:
    """Return those of the drawn orders that make sense, one after the other."""
    given: list[Order] = []
    at = begins
    for do, sensor, after_min in drawn:
        at += timedelta(minutes=after_min)
        order = Order(at, do, sensor if do in NEEDS_SENSOR else None)
        try:
            condition_after([*given, order])
        except NotNow:
            continue
        given.append(order)
    return given


@settings(max_examples=12, deadline=None)
@given(moments, orders, st.floats(0, 1))
def test_a_restart_amid_anything_goes_on_with_exactly_what_was_not_yet_said(
    begins: datetime, drawn: list[tuple[Do, str, int]], share: float
) -> None:
    """Whatever befell a home, a process that dies must not change what comes after."""
    all_ = as_they_can(begins, drawn)
    ends = (all_[-1].at if all_ else begins) + timedelta(hours=3)

    def lives_through(it: Home, coming: Sequence[Order]) -> list[Said]:
        said: list[Said] = []
        for order in coming:
            said += lives(it, order.at)
            it.obey(order)
        return said + lives(it, ends)

    whole = lives_through(home(FULL, now=begins), all_)
    cut = max(1, round(share * len(whole)))
    through = whole[cut - 1].at
    given_by_then = [order for order in all_ if order.at <= through]
    again = home(FULL, orders=given_by_then, now=through)

    assert lives_through(again, all_[len(given_by_then) :]) == whole[cut:]


@settings(max_examples=10, deadline=None)
@given(moments, st.booleans())
def test_every_word_of_a_sensor_has_a_cause(begins: datetime, is_full: bool) -> None:
    """A detector that is blamed for an alert is judged by who was really there."""
    said = lives(quiet_home(FULL if is_full else ALONE, now=begins), begins + timedelta(days=2))

    living = {Who.RESIDENT, Who.PARTNER, Who.VISITOR, Who.CAT} if is_full else {Who.RESIDENT}
    assert {one.who for one in said if one.why in BY_SOMEBODY} <= living


@settings(max_examples=10, deadline=None)
@given(moments, st.integers(1, 2000))
def test_who_has_collapsed_moves_no_more_until_they_are_found(begins: datetime, after_min: int) -> None:
    """Presence stays, movement ends: that is the whole of what a fall looks like from the wall."""
    it = quiet_home(FULL, now=begins)
    falls_at = begins + timedelta(minutes=after_min)
    told = obeys(it, Do.COLLAPSE, falls_at)
    told += list(it.told_until(falls_at + timedelta(hours=30)))
    it.obey(Order(falls_at + timedelta(hours=30), Do.RECOVER))
    found = list(it.told_until(falls_at + timedelta(hours=31)))

    fell = next(n for n, one in enumerate(told) if isinstance(one, Happening) and one.what is What.COLLAPSED)
    after = [one for one in told[fell + 1 :] if one.who is Who.RESIDENT]
    # A door that was just being opened falls shut; a kettle switches itself off.
    assert all(isinstance(one, Said) and one.why in (Why.DOOR, Why.POWER) for one in after if one.at > falls_at)
    assert any(isinstance(one, Happening) and one.what is What.WAS_HELPED_UP for one in found)
    assert any(one.who is Who.RESIDENT for one in found)


@settings(max_examples=10, deadline=None)
@given(moments, st.integers(1, 2000))
def test_on_holiday_nothing_moves_but_the_cat(begins: datetime, after_min: int) -> None:
    """An empty home is not a still one, and a cat is not a resident."""
    it = quiet_home(FULL, now=begins)
    leaves_at = begins + timedelta(minutes=after_min)
    obeys(it, Do.HOLIDAY, leaves_at)
    lives(it, leaves_at + timedelta(minutes=3))

    away = lives(it, leaves_at + timedelta(days=6))
    it.obey(Order(leaves_at + timedelta(days=6), Do.BACK))
    back = lives(it, leaves_at + timedelta(days=6, hours=1))

    assert {one.who for one in away if one.why in BY_SOMEBODY} == {Who.CAT}
    assert {Who.RESIDENT, Who.PARTNER} <= {one.who for one in back}


def test_who_is_ill_for_a_week_does_not_go_out_and_does_again_when_well() -> None:
    """The door is the only witness of a life outside."""

    def went_out(told: Sequence[Said | Happening]) -> int:
        return sum(isinstance(one, Happening) and one.what is What.WENT_OUT for one in told)

    it = quiet_home()
    well = obeys(it, Do.FALL_ILL, NINE + timedelta(days=7))
    ill = obeys(it, Do.GET_WELL, NINE + timedelta(days=14))
    again = list(it.told_until(NINE + timedelta(days=21)))

    assert went_out(well) >= 2
    assert went_out(ill) == 0
    assert went_out(again) >= 2


def test_who_wanders_at_night_is_seen_all_over_and_goes_back_to_bed() -> None:
    """Night walking is many rooms in an hour, and the bed empty all the while."""
    at = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    it = quiet_home()
    obeys(it, Do.WANDER, at)

    said = by(Who.RESIDENT, lives(it, at + timedelta(hours=2)))

    assert len({one.sensor for one in said if one.why is Why.MOVEMENT}) >= 4
    bed = [one.news["occupancy"] for one in said if one.sensor == "bed"]
    assert bed[0] is False
    assert bed[-1] is True


def test_a_forgotten_door_stands_open_through_all_comings_and_goings_until_it_is_shut() -> None:
    """One open and no close is all that there is to see."""
    it = home(FULL)
    obeys(it, Do.FORGET_DOOR, NINE)
    ajar = lives(it, NINE + timedelta(hours=30))
    it.obey(Order(NINE + timedelta(hours=30), Do.SHUT_DOOR))
    shut_ = lives(it, NINE + timedelta(hours=30, minutes=2))

    open_ = [one.news for one in ajar if one.sensor == "front door" and one.why is Why.DOOR]
    shut = [one.news for one in shut_ if one.sensor == "front door" and one.why is Why.DOOR]

    assert open_ == [{"contact": False}]
    assert shut[0] == {"contact": True}


def test_a_visitor_comes_in_moves_about_and_leaves() -> None:
    """Company explains a lively afternoon, and hides a fall."""
    it = home()
    obeys(it, Do.VISITOR, NINE)

    told = [one for one in it.told_until(NINE + timedelta(hours=2)) if one.who is Who.VISITOR]

    truths = [one.what for one in told if isinstance(one, Happening)]
    assert truths == [What.CAME_TO_VISIT, What.ENDED_THE_VISIT]
    assert [one.news for one in told if isinstance(one, Said) and one.why is Why.DOOR] == [
        {"contact": shut} for shut in (False, True, False, True)
    ]


@pytest.mark.parametrize("name", ["hallway motion", "lounge presence", "front door", "bed", "kettle", "pendant"])
def test_a_dead_sensor_says_nothing_more_and_a_stuck_one_only_that_it_is_there(name: str) -> None:
    """The one is a silence, the other is worse: it looks well."""
    dead, stuck = home(FULL), home(FULL)
    obeys(dead, Do.BATTERY_DIES, NINE, name)
    obeys(stuck, Do.SENSOR_STICKS, NINE, name)

    assert [one for one in lives(dead, NINE + timedelta(days=1)) if one.sensor == name] == []
    assert {one.why for one in lives(stuck, NINE + timedelta(days=1)) if one.sensor == name} == {Why.CHECK_IN}


def test_a_fading_battery_is_reported_before_it_dies() -> None:
    """A week's warning is what makes a battery a chore and not a fault."""
    it = home()
    obeys(it, Do.BATTERY_FADES, NINE, "hallway motion")
    faded = [one.news for one in lives(it, NINE + timedelta(hours=1)) if "battery" in one.news]
    it.obey(Order(NINE + timedelta(hours=1), Do.BATTERY_CHANGED, "hallway motion"))
    later = [one.news for one in lives(it, NINE + timedelta(hours=2)) if one.sensor == "hallway motion"]

    assert [news for news in faded if int(news["battery"]) < 10] == [
        {"battery": 4, "voltage": 2520, "battery_low": True}
    ]
    assert any(int(news.get("battery", 0)) > 10 for news in later)


def test_in_a_power_cut_what_hangs_on_the_mains_is_dark_and_comes_back_with_what_holds() -> None:
    """A plug and a mmWave sensor know nothing of what happened meanwhile."""
    mains = {"kettle", "television", "lounge presence", "bedroom presence"}
    it = home()
    obeys(it, Do.POWER_CUT, NINE)
    dark = lives(it, NINE + timedelta(hours=6))
    it.obey(Order(NINE + timedelta(hours=6), Do.POWER_BACK))
    light = lives(it, NINE + timedelta(hours=6, seconds=1))

    assert not mains & {one.sensor for one in dark}
    assert {one.sensor for one in light if one.why is Why.POWER} == mains


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), moments, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_a_restart_finds_the_same_fate(seed: int, since: datetime, after: timedelta) -> None:
    """What befalls a home by chance must not depend on when its process was started."""
    until = since + timedelta(days=90)
    whole = list(Fate("h1", SENSORS, seed=seed, since=since).due(until))

    again = list(Fate("h1", SENSORS, seed=seed, since=since + after).due(until))

    assert again == [order for order in whole if order.at > since + after]
    assert all(earlier.at <= later.at for earlier, later in pairwise(whole))


def test_chance_strikes_about_as_often_as_it_says() -> None:
    """Whoever counts missed falls in a bench divides by this."""
    homes, days = 30, 365
    counted = dict.fromkeys((incident.begins for incident in INCIDENTS), 0)
    for number in range(homes):
        fate = Fate(f"h{number}", SENSORS, seed=3, since=NINE)
        for order in fate.due(NINE + timedelta(days=days)):
            if order.do in counted:
                counted[order.do] += 1

    for incident in INCIDENTS:
        expected = homes * days / incident.days_between
        assert 0.6 * expected < counted[incident.begins] < 1.5 * expected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), moments)
def test_what_chance_began_it_ends(seed: int, since: datetime) -> None:
    """Nobody lies on the floor, away or in the dark for ever because two misfortunes crossed."""
    longest = {incident.begins: timedelta(hours=incident.lasts_h[1]) for incident in INCIDENTS}
    ends = {incident.ends: incident.begins for incident in INCIDENTS if incident.begins not in NEEDS_SENSOR}
    begun: dict[Do, datetime] = {}
    condition = Condition()
    for order in Fate("h1", SENSORS, seed=seed, since=since).due(since + timedelta(days=400)):
        assert all(order.at <= at + longest[do] for do, at in begun.items())
        try:
            condition = condition.after(order)
        except NotNow:
            continue
        if order.do in ends.values() and order.do not in (Do.PRESS, Do.WANDER, Do.VISITOR, Do.SMOKE, Do.LEAK):
            begun[order.do] = order.at
        begun.pop(ends.get(order.do, order.do) if order.do in ends else Do.PRESS, None)


def test_the_next_day_after_any_night_begins_at_four() -> None:
    """The planning of days and the odd nights must not meet in the middle of somebody's walk."""
    for on in (datetime(2026, 3, 29, 12, tzinfo=UTC).date(), datetime(2026, 10, 25, 12, tzinfo=UTC).date()):
        hours = (begins_at(on) - begins_at(on - timedelta(days=1))).total_seconds() / 3600
        assert hours == (23 if on.month == 3 else 25)

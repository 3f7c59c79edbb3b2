"""Is a silence sorted before anybody is told, and each kind as what it is?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.outage import EVERYWHERE
from alerts.judging.quiet import Quiet, may_be_asked
from alerts.judging.sorting import of_alert, sort
from alerts.judging.watched import BROKER, CLOCK, HUB, LINE, NEVER_HEARD, RADIO, US, Watched
from tests.unit.alerts.judging.recorded import NINE, Lane, front_door, hours, minutes, movement, one

_REASONS = st.lists(st.sampled_from([HUB, LINE, RADIO, BROKER, US, CLOCK, NEVER_HEARD]), unique=True)


def sorted_now(lane: Lane) -> Quiet:
    return Quiet(str(lane.now().next_alert_why["quiet"]))


@pytest.fixture
def lane() -> Lane:
    """A home whose resident was seen in the kitchen at one minute past nine."""
    lane = Lane()
    lane.watch()
    sensors = [{"sensor": "pir-kitchen", "kind": "motion", "room": "kitchen"}, {"sensor": "door", "kind": "contact"}]
    lane.give("sensors", {"sensors": sensors}, at=NINE)  # type: ignore[dict-item]  # It is JSON.
    lane.receive(movement(NINE + minutes(1)), at=NINE + minutes(1))
    return lane


@given(st.sampled_from(Watched), _REASONS, st.booleans(), st.booleans(), st.booleans())
def test_only_a_home_that_is_seen_may_be_asked_about(
    state: Watched, why: list[str], is_out: bool, is_hidden: bool, is_in_outage: bool
) -> None:
    """No news is not good news, and it is no stillness either: while blind or paused no question may be answered."""
    quiet = sort(state, why, is_out=is_out, is_hidden=is_hidden, is_in_outage=is_in_outage)

    assert may_be_asked(quiet) == (state in (Watched.WATCHED, Watched.DEGRADED))


@given(_REASONS)
def test_our_own_fault_is_never_laid_on_a_home_whose_box_did_not_break_its_promise(why: list[str]) -> None:
    """A family that is told to look at the box looks in vain; an operator who is told it is us lets the box be."""
    quiet = sort(Watched.BLIND, why)

    is_box = bool({HUB, LINE, RADIO} & set(why))
    assert (quiet is Quiet.HUB) == is_box
    assert (quiet is Quiet.OURS) == (not is_box and bool({BROKER, US} & set(why)))


@given(_REASONS)
def test_neighbours_make_an_outage_only_of_a_box_that_is_silent(why: list[str]) -> None:
    """While we are away ourselves, no district is without power because of it."""
    alone, together = sort(Watched.BLIND, why), sort(Watched.BLIND, why, is_in_outage=True)

    assert together is (Quiet.AREA if alone is Quiet.HUB else alone)


def test_a_movement_that_stays_away_is_a_stillness(lane: Lane) -> None:
    """All that could tell reports: it is the resident who is quiet."""
    lane.beat(since=NINE + minutes(2), until=NINE + hours(8))

    assert sorted_now(lane) is Quiet.STILL
    assert one(lane.findings(Question.STILL)).why["quiet"] == "resident still"


def test_after_an_outer_door_the_resident_is_out(lane: Lane) -> None:
    """Who is at the shops is not on the floor."""
    lane.receive(front_door(NINE + minutes(2), is_open=True), at=NINE + minutes(2))
    lane.receive(front_door(NINE + minutes(3), is_open=False), at=NINE + minutes(3))
    lane.beat(since=NINE + minutes(4), until=NINE + hours(1))

    assert sorted_now(lane) is Quiet.OUT


def test_where_the_last_sensor_that_saw_somebody_is_silent_it_may_be_the_sensor(lane: Lane) -> None:
    """It is said; and the stillness is told all the same, for it may be one."""
    lane.beat(since=NINE + minutes(2), until=NINE + hours(26))

    assert sorted_now(lane) is Quiet.SENSOR
    assert lane.findings(Question.STILL)
    assert lane.findings(Question.SENSOR_SILENT)


def test_a_box_that_stops_is_the_box(lane: Lane) -> None:
    """Nothing can be said of a resident whose box is silent."""
    lane.pass_(NINE + hours(1))

    assert sorted_now(lane) is Quiet.HUB


def test_our_own_absence_is_ours(lane: Lane) -> None:
    """Nobody is sent to a home because we were away."""
    lane.are_deaf(NINE + minutes(2), NINE + hours(7))

    assert sorted_now(lane) is Quiet.OURS
    assert lane.findings() == []


def test_a_pause_goes_before_all_else(lane: Lane) -> None:
    """Who asked not to be watched is not looked for, whatever else is silent."""
    until = (NINE + hours(30)).isoformat()
    lane.give("pause", {"kind": "away", "since": (NINE + minutes(5)).isoformat(), "until": until}, at=NINE + minutes(5))
    lane.pass_(NINE + hours(3))

    assert sorted_now(lane) is Quiet.PAUSED


def test_an_alert_says_what_its_silence_was_sorted_as() -> None:
    """One truth for the judge, the story and the pages."""
    assert of_alert(Question.HUB_SILENT, {}) is Quiet.HUB
    assert of_alert(Question.HUB_SILENT, {}, is_in_outage=True) is Quiet.AREA
    assert of_alert(Question.UNSEEN, {"quiet": "hub silent"}, is_in_outage=True) is Quiet.AREA
    assert of_alert(Question.UNSEEN, {"quiet": "our own parts"}, is_in_outage=True) is Quiet.OURS
    assert of_alert(Question.OUTAGE, {"area": "district:LS6"}) is Quiet.AREA
    assert of_alert(Question.OUTAGE, {"area": EVERYWHERE}) is Quiet.OURS
    assert of_alert(Question.SENSOR_SILENT, {}) is Quiet.SENSOR
    assert of_alert(Question.STILL, {}) is None, "an alert of an earlier release does not say it"

"""Does a sensor say what its product would say, and no sooner?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.happening import Happening, What, Who
from firmware_sim.models import MODELS, USUAL_MODEL, Kind
from firmware_sim.sensors import Said, Sensor, SensorSpec, Why, sensor_from

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PIRS = [name for name, model in MODELS.items() if model.kind is Kind.MOTION and not model.is_presence]

gaps_s = st.lists(st.integers(1, 400), min_size=1, max_size=60)


def put_up(model: str, room: str = "hallway") -> Sensor:
    return sensor_from(SensorSpec("it", MODELS[model].kind, room, model), seed="1/h1/it", since=NINE)


def walked_past(sensor: Sensor, gaps: Sequence[int]) -> list[Said]:
    """Return all that a sensor says while someone moves after each of these gaps, and ten minutes after."""
    said: list[Said] = []
    at = NINE
    for gap in [*gaps, 600]:
        at += timedelta(seconds=gap)
        while sensor.due_at <= at:
            said.append(sensor.falls_due(now=sensor.due_at))
        heard = sensor.meets(Happening(at, What.MOVED, sensor.spec.room), now=at)
        said += [heard] if heard else []
    while sensor.due_at <= at + timedelta(minutes=10):
        said.append(sensor.falls_due(now=sensor.due_at))
    return said


@pytest.mark.parametrize("model", PIRS)
@given(gaps=gaps_s)
def test_a_pir_never_says_off_before_it_has_said_on(model: str, gaps: list[int]) -> None:
    """An OFF out of nowhere would be a movement to somebody who looks at changes."""
    on = False
    for said in walked_past(put_up(model), gaps):
        if said.why is Why.HOLD_ENDED:
            assert on
        on = on if "occupancy" not in said.news else bool(said.news["occupancy"])
    assert not on


@pytest.mark.parametrize("model", PIRS)
@given(gaps=gaps_s)
def test_a_pir_is_blind_after_it_has_spoken_and_says_off_in_its_own_time(model: str, gaps: list[int]) -> None:
    """Two people in a hallway are one ON a minute, which is why counting ONs counts nothing."""
    said = [it for it in walked_past(put_up(model), gaps) if "occupancy" in it.news]
    ons = [it.at for it in said if it.news["occupancy"]]
    offs = [it.at for it in said if not it.news["occupancy"]]

    assert all(later - earlier >= MODELS[model].blind for earlier, later in pairwise(ons))
    for off in offs:
        assert off - max(on for on in ons if on < off) == MODELS[model].hold


def test_an_aqara_pir_says_on_again_while_someone_keeps_moving() -> None:
    """Its OFF comes 90 s after the last ON and it sees again after 60, so a lively room is ON, ON, ON, OFF."""
    said = [it.news for it in walked_past(put_up("RTCGQ11LM"), [30] * 8) if "occupancy" in it.news]

    assert [it["occupancy"] for it in said] == [True, True, True, True, False, True, False]
    assert all("illuminance" in it for it in said if it["occupancy"])


def test_a_sensor_takes_no_notice_of_another_room() -> None:
    """Walls are what makes a reading mean something."""
    sensor = put_up("SNZB-03", room="kitchen")

    assert sensor.meets(Happening(NINE, What.MOVED, "lounge"), now=NINE) is None
    assert sensor.meets(Happening(NINE, What.DOOR_OPENED, "kitchen"), now=NINE) is None


@pytest.mark.parametrize("model", ["MCCGQ11LM", "SNZB-04"])
def test_a_contact_says_false_for_open(model: str) -> None:
    """`contact` is the magnet's view: true is shut.  Turned round, a home would stand open all night."""
    sensor = put_up(model, room="front door")

    opened = sensor.meets(Happening(NINE, What.DOOR_OPENED, "front door"), now=NINE)
    closed = sensor.meets(Happening(NINE, What.DOOR_CLOSED, "front door"), now=NINE)

    assert opened is not None
    assert opened.news == {"contact": False}
    assert closed is not None
    assert closed.news == {"contact": True}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_sensor_checks_in_every_half_hour(kind: Kind) -> None:
    """A sensor that speaks only when triggered could be dead for weeks and look calm."""
    sensor = put_up(USUAL_MODEL[kind])
    checked_in = [sensor.falls_due(now=sensor.due_at) for _ in range(48)]

    at = [it.at for it in checked_in]
    assert all(it.why is Why.CHECK_IN for it in checked_in)
    assert timedelta(0) < at[0] - NINE <= timedelta(minutes=30)
    assert {later - earlier for earlier, later in pairwise(at)} == {timedelta(minutes=30)}


@given(st.integers(0, 100_000))
def test_a_battery_is_reported_on_change_and_not_twice_in_six_hours(seed: int) -> None:
    """Radios save their battery by not talking about it."""
    spec = SensorSpec("it", Kind.MOTION, "hallway", "SNZB-03")
    sensor = sensor_from(spec, seed=str(seed), since=NINE)

    said = [sensor.falls_due(now=sensor.due_at) for _ in range(48 * 40)]

    levels = [(it.at, it.news["battery"]) for it in said if "battery" in it.news]
    assert len(levels) > 2
    assert all(20 <= int(level) <= 100 for _, level in levels)
    for (earlier, level), (later, next_level) in pairwise(levels):
        assert next_level != level
        # The first report comes whenever it joins; from then on, steps of six hours.
        assert earlier == levels[0][0] or later - earlier >= timedelta(hours=5, minutes=30)


def test_check_ins_of_a_street_do_not_come_at_once() -> None:
    """A thousand sensors with one phase would be a storm every half hour that no real street makes."""
    phases = {
        sensor_from(SensorSpec("it", Kind.MOTION, "hallway", "SNZB-03"), seed=f"1/h{n}/it", since=NINE).due_at
        for n in range(100)
    }

    assert len(phases) == 100


def put_up_in(kind: Kind, room: str) -> Sensor:
    return sensor_from(SensorSpec("it", kind, room, USUAL_MODEL[kind]), seed="1/h1/it", since=NINE)


def meets(sensor: Sensor, what: What, *, after_s: float = 0, who: Who = Who.RESIDENT) -> Said | None:
    at = NINE + timedelta(seconds=after_s)
    return sensor.meets(Happening(at, what, sensor.spec.room, who), now=at)


def test_a_mmwave_sensor_sees_who_sits_still_until_the_last_has_left() -> None:
    """It is why presence is not movement: someone who lies on the floor is present too."""
    sensor = put_up("FP1E", room="lounge")

    entered = meets(sensor, What.MOVED)
    other_entered = meets(sensor, What.MOVED, after_s=70, who=Who.PARTNER)
    still = sensor.falls_due(now=sensor.due_at)
    one_left = meets(sensor, What.LEFT, after_s=120, who=Who.PARTNER)
    last_left = meets(sensor, What.LEFT, after_s=130)
    gone = sensor.falls_due(now=sensor.due_at)

    assert entered is not None
    assert entered.news == {"presence": True, "movement": "movement"}
    assert other_entered is not None
    assert still.news == {"movement": "no_movement"}
    assert one_left is None
    assert last_left is None
    assert gone.news == {"presence": False, "movement": "no_presence"}
    assert gone.at == NINE + timedelta(seconds=130) + MODELS["FP1E"].hold


def test_a_bed_feels_the_resident_and_nobody_else() -> None:
    """The strap lies on one side of the bed."""
    sensor = put_up_in(Kind.BED, "bed")

    lay_down = meets(sensor, What.LAY_DOWN)
    partner = meets(sensor, What.GOT_UP, after_s=60, who=Who.PARTNER)
    got_up = meets(sensor, What.GOT_UP, after_s=120)

    assert lay_down is not None
    assert lay_down.news["occupancy"] is True
    assert partner is None
    assert got_up is not None
    assert got_up.news["occupancy"] is False


def test_a_kettle_draws_power_and_its_zero_comes_eleven_seconds_late() -> None:
    """Zigbee2MQTT does not believe a plug's first zero."""
    sensor = put_up_in(Kind.PLUG, "kettle")

    on = meets(sensor, What.SWITCHED_ON)
    off = meets(sensor, What.SWITCHED_OFF, after_s=150)
    zero = sensor.falls_due(now=sensor.due_at)

    assert on is not None
    assert int(on.news["power"]) > 2500
    assert off is None
    assert (zero.at, zero.news) == (NINE + timedelta(seconds=161), {"power": 0, "current": 0})


def test_a_cat_sets_off_a_sensor_unless_it_takes_no_notice_of_pets() -> None:
    """Half of what moves at night in some homes has four legs."""
    sees = sensor_from(SensorSpec("it", Kind.MOTION, "lounge", "SNZB-03"), seed="1", since=NINE)
    does_not = sensor_from(SensorSpec("it", Kind.MOTION, "lounge", "SNZB-03", sees_pets=False), seed="1", since=NINE)

    assert meets(sees, What.MOVED, who=Who.CAT) is not None
    assert meets(does_not, What.MOVED, who=Who.CAT) is None
    assert meets(does_not, What.MOVED) is not None


@pytest.mark.parametrize(
    ("kind", "begins", "ends", "name"),
    [(Kind.SMOKE, What.SMOKED, What.SMOKE_CLEARED, "smoke"), (Kind.WATER, What.LEAKED, What.DRIED, "water_leak")],
)
def test_a_danger_is_said_and_its_end(kind: Kind, begins: What, ends: What, name: str) -> None:
    """A life-safety device is the one thing besides the pendant that must never wait."""
    sensor = put_up_in(kind, "kitchen")

    said = [meets(sensor, begins), meets(sensor, ends, after_s=240)]

    assert [one and dict(one.news) for one in said] == [{name: True}, {name: False}]


def test_without_heating_a_room_cools_and_with_it_warms_again() -> None:
    """Too cold is a question of its own, and needs a home that gets cold slowly."""
    sensor = put_up_in(Kind.CLIMATE, "lounge")
    warm = float(sensor.falls_due(now=sensor.due_at).news["temperature"])

    sensor.unheated_since = NINE
    for _ in range(48):
        cold = float(sensor.falls_due(now=sensor.due_at).news["temperature"])
    sensor.unheated_since = None
    again = float(sensor.falls_due(now=sensor.due_at).news["temperature"])

    assert cold < 10
    assert again > 15
    assert abs(again - warm) < 3

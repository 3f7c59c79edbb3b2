"""A device is read by what it exposes: the definitions of real products, and anything else a list may hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters import explain
from gateway.adapters.exposes import DEVICES_MAX, Device, Setup, read_devices
from gateway.adapters.meaning import meaning_of, unannounced
from gateway.adapters.properties import Kind, Property, Unused, Use
from gateway.reading import ALARMS, Quantity
from ingest.admission import why_impossible

LISTED = (Path(__file__).parents[2] / "contract" / "zigbee2mqtt" / "definitions.json").read_bytes()

TELLING = {
    # Friendly name in definitions.json -> what of it is used, link quality left out; written by hand.
    "Kitchen smoke": "smoke=smoke_alarm battery=battery_pct battery_low=battery_low voltage=battery_mv"
    " temperature_38=temperature_c",
    "Landing smoke": "alarm_1=smoke_alarm alarm_2=smoke_alarm battery=battery_pct battery_low=battery_low"
    " tamper=tamper",
    "Boiler CO": "carbon_monoxide=co_alarm battery=battery_pct battery_low=battery_low tamper=tamper",
    "Gas meter cupboard": "gas=gas_alarm",
    "Bath floor": "alarm_status=water_alarm battery=battery_pct",
    "Sink floor": "water_leak_alarm_1=water_alarm water_leak_alarm_2=water_alarm battery=battery_pct"
    " battery_low=battery_low tamper=tamper",
    "Bed call": "sos=pendant_alarm battery=battery_pct battery_low=battery_low tamper=tamper",
    "Alarm keypad": "battery=battery_pct battery_low=battery_low tamper=tamper voltage=battery_mv",
    "Key fob": "",
    "Wall SOS": "battery=battery_pct",
    "Bedside SOS": "battery=battery_pct",
    "Sofa pad": "pressure=presence battery=battery_pct battery_low=battery_low voltage=battery_mv",
    "Bed strap": "occupancy=presence battery=battery_pct illuminance=illuminance_lux",
    "Chair strap": "pressure_state=presence temperature=temperature_c humidity=humidity_pct battery=battery_pct",
    "Lounge radar": "presence=presence movement=movement",
    "Hall radar": "fall_down_status=fall_alarm presence=presence occupancy=presence illuminance=illuminance_lux",
    "Bathroom fall": "fall_status=fall_alarm occupancy=movement",
    "Bedroom fall": "status=fall_alarm",
    "Stairs presence": "occupancy=movement",
    "Drawer": "vibration=vibration battery=battery_pct voltage=battery_mv",
    "Kettle": "power=power_w energy=energy_kwh",
    "Radiator": "local_temperature=temperature_c battery=battery_pct",
    "Window handle": "opening_state=open battery=battery_pct",
    "Store": "alarm_1=movement occupancy=movement temperature=temperature_c humidity=humidity_pct"
    " illuminance=illuminance_lux battery=battery_pct battery_low=battery_low tamper=tamper",
    "Lamp": "tamper=tamper",
    "Light switch": "battery=battery_pct",
    "Air": "temperature=temperature_c humidity=humidity_pct",
    "Weather": "local_temperature=temperature_c humidity=humidity_pct power=power_w energy=energy_kwh",
    "Front lock": "battery=battery_pct",
    "Garage": "alarm_1=open battery_low=battery_low tamper=tamper",
    "Bulb": "",
    "Cube": "battery=battery_pct voltage=battery_mv",
    "Old contact": "contact=open temperature=temperature_c battery=battery_pct voltage=battery_mv",
    "Meter": "power=power_w energy=energy_kwh",
    "New sensor": "",
    "Strange box": "",
    "Cellar door": "contact=open battery=battery_pct battery_low=battery_low voltage=battery_mv",
}


def _devices(setup: Setup | None = None) -> dict[str, Device]:
    devices = read_devices(LISTED, setup or Setup())
    assert devices is not None
    return devices


def _values(device: Device, said: dict[str, Any]) -> dict[str, float | None]:
    return {device.uses[key].quantity.value: device.uses[key].reads.value(value) for key, value in said.items()}


@pytest.mark.parametrize("name", TELLING)
def test_a_product_is_used_for_what_it_can_tell(name: str) -> None:
    """A smoke alarm that is taken for a thermometer is worse than none: somebody relies on it."""
    uses = _devices()[name].uses

    told = {key: use.quantity.value for key, use in uses.items() if use.quantity is not Quantity.LINK_QUALITY}
    assert told == dict(pair.split("=") for pair in TELLING[name].split())


def test_every_listed_product_is_judged_here() -> None:
    """A definition that nobody looked at proves nothing."""
    assert set(_devices()) == set(TELLING)


def test_every_property_is_used_or_says_why_not() -> None:
    """An installer who looks for something must find it on one side or the other."""
    devices = _devices()

    for listed in json.loads(LISTED):
        device = devices.get(listed["friendly_name"])
        definition = listed.get("definition")
        if device is None or definition is None:
            continue
        keys = {e["property"] for e in definition["exposes"] if "property" in e and e["property"] != "action"}
        assert keys == {*keys} & {*device.uses, *device.unused}
        assert not {*device.uses} & {*device.unused}
        assert all(unused.why for unused in device.unused.values())


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("Wall SOS", Quantity.PENDANT_ALARM),  # its only action is `emergency`
        ("Bedside SOS", Quantity.PENDANT_ALARM),  # single, double, hold; its maker calls it an SOS button
        ("Alarm keypad", None),  # arms and disarms, too
        ("Key fob", None),
        ("Light switch", None),
        ("Cube", None),  # its `fall` is the cube's
        ("Drawer", None),
    ],
)
def test_whose_every_action_calls_for_help(name: str, calls: Quantity | None) -> None:
    """A press that calls nobody costs a life; a light switch that calls everybody costs all the others."""
    assert _devices()[name].calls is calls


def test_what_the_installer_says_comes_before_what_the_maker_says() -> None:
    """A light switch by the bed may be all that somebody can reach."""
    setup = Setup(pendants=frozenset({"Light switch"}), switches=frozenset({"Bedside SOS", "Pendant lamp"}))
    devices = _devices(setup)

    assert devices["Light switch"].calls is Quantity.PENDANT_ALARM
    assert devices["Bedside SOS"].calls is None


@pytest.mark.parametrize(
    ("name", "quiet", "loud", "alarm"),
    [
        ("Bathroom fall", "normal", "fall_warning", "fall_alarm"),
        ("Hall radar", "none", "maybe_fall", "fall_alarm"),
        ("Bath floor", "normal", "alarm", "water_alarm"),
        ("Kitchen smoke", False, True, "smoke_alarm"),
        ("Kitchen smoke", 0, "smouldering", "smoke_alarm"),
        ("Bed call", "", {"pressed": 1}, "pendant_alarm"),
        ("Bedroom fall", "on_the_bed", "falling", "fall_alarm"),
    ],
)
def test_an_alarm_is_whatever_is_not_plainly_quiet(name: str, quiet: object, loud: object, alarm: str) -> None:
    """The next release of a converter may have a new word for the same fire."""
    device = _devices()[name]
    key = next(key for key, use in device.uses.items() if use.quantity.value == alarm)

    assert _values(device, {key: quiet}) == {alarm: 0.0}
    assert _values(device, {key: loud}) == {alarm: 1.0}


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("Sofa pad", {"pressure": True}, {"presence": 1.0}),
        ("Chair strap", {"pressure_state": "sedentary"}, {"presence": 1.0}),
        ("Chair strap", {"pressure_state": "none"}, {"presence": 0.0}),
        ("Lounge radar", {"movement": "movement", "presence": True}, {"movement": 1.0, "presence": 1.0}),
        ("Lounge radar", {"movement": "no_movement", "presence": True}, {"movement": 0.0, "presence": 1.0}),
        ("Lounge radar", {"movement": "unknown_1"}, {"movement": 0.0}),
        ("Window handle", {"opening_state": "tilted"}, {"open": 1.0}),
        ("Window handle", {"opening_state": "closed"}, {"open": 0.0}),
        ("Old contact", {"contact": "ON"}, {"open": 0.0}),  # `ON`: the magnet is near
        ("Old contact", {"contact": "OFF"}, {"open": 1.0}),
        ("Cellar door", {"contact": False}, {"open": 1.0}),
        ("Garage", {"alarm_1": True}, {"open": 1.0}),
        ("Kettle", {"power": 2012.4, "energy": 31.07}, {"power_w": 2012.4, "energy_kwh": 31.07}),
        ("Radiator", {"local_temperature": None, "battery": 87}, {"temperature_c": None, "battery_pct": 87.0}),
    ],
)
def test_values_are_read_as_the_device_says_them(name: str, said: dict[str, Any], told: dict[str, float]) -> None:
    """`ON` and `OFF`, `tilted` and `none` are all answers to the same few questions."""
    assert _values(_devices()[name], said) == told


@pytest.mark.parametrize(
    ("name", "unit", "said", "told"),
    [
        ("temperature", "°F", 68, 20.0),
        ("temperature", "°C", 20.5, 20.5),
        ("temperature", "K", 293.15, 20.0),
        ("temperature", None, 20.5, 20.5),
        ("voltage", "V", 3.1, 3100.0),
        ("voltage", "mV", 3100, 3100.0),
        ("illuminance", "klx", 1.5, 1500.0),
        ("power", "kW", 2.1, 2100.0),
        ("energy", "Wh", 1500, 1.5),
        ("humidity", "%", 55.5, 55.5),
    ],
)
def test_a_unit_is_converted(name: str, unit: str | None, said: float, told: float) -> None:
    """68 is a warm room or a fire."""
    use = meaning_of(Property(name, name, "numeric", unit=unit), Kind(has_battery=True))

    assert isinstance(use, Use)
    assert use.reads.value(said) == told


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Property("temperature", "temperature", "numeric", unit="°Ré"), "unit `°Ré` is not known"),
        (Property("illuminance", "illuminance", "numeric"), "no unit"),
        (Property("illuminance", "illuminance", "numeric", unit="%"), "unit `%` is not known"),
        (Property("temperature", "temperature", "numeric", unit="°C", is_published=False), "never reports"),
        (Property("state", "state", "binary", is_settable=True), "a setting or a switch"),
        (Property("smoke", "smoke", "binary", category="config"), "a setting or a switch"),
        (Property("alarm", "alarm", "binary", is_settable=True), "a setting or a switch"),
        (Property("test", "test", "binary"), "nothing is known"),
        (Property("smoke_alarm_silenced", "x", "binary"), "nothing is known"),
        (Property("co2", "co2", "numeric", unit="ppm"), "no question is asked"),
        (Property("gas", "gas", "numeric", unit="m³"), "no question is asked"),
        (Property("color", "color", "composite"), "of type composite"),
        (Property("x", "x", "hologram"), "of type hologram"),
    ],
)
def test_what_is_of_no_use_says_why(one: Property, why: str) -> None:
    """`It does not work` is no answer to an installer on a ladder."""
    meaning = meaning_of(one, Kind())

    assert isinstance(meaning, Unused)
    assert why in meaning.why


def test_a_bed_makes_presence_of_what_it_senses() -> None:
    """A contact under a mattress is no door."""
    seat = Kind(is_seat=True)
    pad = meaning_of(Property("contact", "contact", "binary", on=False, off=True), seat)
    shaken = meaning_of(Property("vibration", "vibration", "binary"), seat)

    assert isinstance(pad, Use)
    assert isinstance(shaken, Use)
    assert (pad.quantity, pad.reads.value(True)) == (Quantity.PRESENCE, 1.0)
    assert shaken.quantity is Quantity.MOVEMENT


@pytest.mark.parametrize(("said", "moves"), [("large", 1.0), ("small", 1.0), ("static", 0.0), ("none", 0.0)])
def test_who_sits_still_before_a_radar_is_there_and_does_not_move(said: str, moves: float) -> None:
    """`static` is a person who breathes; taken for movement, it hides one who cannot get up."""
    radar = Property("motion_state", "motion_state", "enum", values=("none", "large", "small", "static"))
    use = meaning_of(radar, Kind(frozenset({"radar"})))

    assert isinstance(use, Use)
    assert (use.quantity, use.reads.value(said)) == (Quantity.MOVEMENT, moves)


def test_one_broken_entry_spoils_itself_alone() -> None:
    """A neighbour's new gadget must not make the pendant unknown."""
    good = {
        "friendly_name": "Good",
        "definition": {"exposes": [{"type": "binary", "property": "smoke", "name": "smoke"}]},
    }
    broken: list[Any] = [
        7, {"friendly_name": 7}, {"friendly_name": "A", "definition": {"exposes": 5}},
        {"friendly_name": "B", "definition": {"exposes": [None, {"features": 3}, {"type": "binary", "access": "x"}]}},
    ]  # fmt: skip
    devices = read_devices(json.dumps([*broken, good]).encode(), Setup())

    assert devices is not None
    assert set(devices) == {"A", "B", "Good"}
    assert devices["Good"].uses["smoke"].quantity is Quantity.SMOKE_ALARM
    assert devices["A"].trouble


def test_a_list_without_end_is_cut() -> None:
    """The hub's memory is not the internet's."""
    listed = json.dumps([{"friendly_name": f"d{n}"} for n in range(DEVICES_MAX + 5)]).encode()

    assert len(read_devices(listed, Setup()) or {}) == DEVICES_MAX


def test_the_installer_reads_what_calls_what_is_used_and_what_is_not() -> None:
    """Whoever hangs a sensor must see there and then that it will be heard."""
    setup = Setup(pendants=frozenset({"Lost pendant"}), appliances=frozenset({"Kettle"}))
    page = explain.report(_devices(setup).values(), setup)

    assert "Wall SOS  (Tuya TS0601_sos; on the platform: Wall_SOS)\n  CALLS      every action" in page
    assert "used       smoke: smoke_alarm, AN ALARM" in page
    assert "not used   voltage: the mains voltage" in page
    assert "that it is switched on is a sign of life" in page
    assert "NOTHING OF USE" not in page.partition("Bulb")[0]
    assert "its interview is not complete" in page
    assert "radio.pendants names 'Lost pendant', and there is no such device" in page


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
_exposes = st.lists(
    st.dictionaries(
        st.sampled_from(["type", "name", "property", "unit", "access", "value_on", "value_off", "values", "features"]),
        st.sampled_from(["binary", "enum", "numeric", "smoke", "action", "alarm", "°F", 1, 5, 7]) | _json,
        max_size=7,
    ),
    max_size=5,
)
_lists = st.lists(
    st.fixed_dictionaries(
        {"friendly_name": st.text(max_size=8)},
        optional={"definition": st.fixed_dictionaries({"exposes": _exposes}) | _json, "ieee_address": _json},
    )
    | _json,
    max_size=5,
)


@given(_lists)
@example([{"friendly_name": "a", "definition": {"exposes": [{"features": [{"features": [1]}], "type": "switch"}]}}])
def test_whatever_is_listed_can_be_read_and_explained(listed: list[Any]) -> None:
    """The report is asked for when something is odd, and must not break on it."""
    devices = read_devices(json.dumps(listed).encode(), Setup())

    assert devices is not None
    assert explain.report(devices.values(), Setup())


@given(
    st.sampled_from(["smoke", "gas", "carbon_monoxide", "water_leak", "sos", "fall_status", "smoke_alarm_1", "alarm"]),
    st.sampled_from(["binary", "enum"]),
    st.text(max_size=12) | st.booleans(),
)
def test_no_word_of_a_life_safety_device_is_unreadable(name: str, kind: str, said: object) -> None:
    """Yes or no: a third answer would be an alarm that nobody hears."""
    meaning = meaning_of(Property(name, name, kind, values=("normal", "alarm")), Kind(frozenset({"detector"})))

    assert isinstance(meaning, Use)
    assert meaning.quantity in ALARMS
    if name != "alarm":
        assert meaning.reads.value(said) in (0.0, 1.0)


@given(st.text(max_size=20) | st.sampled_from(["smoke", "temperature", "contact", "voltage", "battery"]), _json)
def test_what_was_not_announced_is_read_by_its_name_and_stays_possible(name: str, said: Any) -> None:
    """What a yes-or-no quantity gets must be one, or ingest refuses it."""
    meaning = meaning_of(unannounced(name, said), Kind(has_battery=True))
    value = meaning.reads.value(said) if isinstance(meaning, Use) else None

    if isinstance(meaning, Use) and value is not None and meaning.quantity in {*ALARMS, Quantity.OPEN}:
        assert why_impossible(meaning.quantity, value) is None

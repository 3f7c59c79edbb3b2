"""What does a property that a Zigbee device exposes tell about a person or a home, and if nothing, why?

A property is judged by what the device itself says of it (name, type, unit, access, values) and never by its model;
so a product that came out yesterday is read like its elders.  Names and units are those of Zigbee2MQTT 2.14.1 and
zigbee-herdsman-converters 26.112.0, whose 4,516 models were all read for this (2026-11-22).
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from gateway.adapters.properties import (
    Call,
    Kind,
    Number,
    Property,
    Reads,
    Truth,
    Unused,
    Use,
    is_quiet,
    set_of,
    words_of,
)
from gateway.reading import ALARMS, Quantity


def meaning_of(one: Property, kind: Kind) -> Use | Unused:
    """Return what a property tells, or why nothing."""
    if not one.is_published:
        return Unused("the device never reports it", is_expected=True)
    if call := _call(one, kind):
        return call
    if one.category == "config" or (one.is_settable and one.name not in _NEVER_SET):
        return Unused("a setting or a switch, not something that was measured", is_expected=True)
    read_as = {"numeric": _measure, "binary": _state, "enum": _word}.get(one.type, _other)
    return read_as(one, kind)


def unannounced(key: str, said: object) -> Property:
    """Return what a property of which the device said nothing may be, by its name and a value."""
    name = re.sub(r"_\d+$", "", key)
    if isinstance(said, bool):
        return Property(name, key, "binary", is_guessed=True)
    if isinstance(said, int | float):
        return Property(name, key, "numeric", unit=_USUAL_UNIT.get(name), is_guessed=True)
    return Property(name, key, "enum" if isinstance(said, str) else "composite", is_guessed=True)


# Calls for help, and life safety.


# Words of a name that make it something beside the alarm: its test, its level, its switch.
_BESIDE: Final = set_of(
    "test testing silenced silence mute enable enabled switch sensitivity level value count fault density unit"
    " battery interval time delay concentration threshold duration temperature humidity volume co2 calibration"
    " overcurrent overheat overvoltage undervoltage load valve power quick lux ntc temp dwell linkage manual pm sound"
    " light"
)

_CALLS: Final[tuple[tuple[frozenset[str], Quantity], ...]] = tuple(
    (set_of(words), quantity)
    for words, quantity in (
        ("smoke", Quantity.SMOKE_ALARM),
        ("fire", Quantity.SMOKE_ALARM),
        ("heat alarm", Quantity.SMOKE_ALARM),
        ("carbon monoxide", Quantity.CO_ALARM),
        ("co", Quantity.CO_ALARM),
        ("gas", Quantity.GAS_ALARM),
        ("leak", Quantity.WATER_ALARM),
        ("leakage", Quantity.WATER_ALARM),
        ("flood", Quantity.WATER_ALARM),
        ("sos", Quantity.PENDANT_ALARM),
        ("panic", Quantity.PENDANT_ALARM),
        ("emergency", Quantity.PENDANT_ALARM),
        ("fall", Quantity.FALL_ALARM),
    )
)

# What an alarm without a name of its own is, by the description of the device that has it.
_ALARM_OF: Final = (
    ({"smoke"}, Quantity.SMOKE_ALARM),
    ({"heat"}, Quantity.SMOKE_ALARM),
    ({"co", "monoxide"}, Quantity.CO_ALARM),
    ({"gas"}, Quantity.GAS_ALARM),
    ({"leak", "leakage", "flood"}, Quantity.WATER_ALARM),
    ({"fall"}, Quantity.FALL_ALARM),
    ({"vibration", "shock"}, Quantity.VIBRATION),
    ({"door", "window", "opening", "contact"}, Quantity.OPEN),
    ({"pir", "motion", "presence", "occupancy"}, Quantity.MOVEMENT),
)

_ALARM_WORDS: Final = set_of("alarm state status contact occupancy")

# Devices whose `alarm` is about themselves.
_SIRENS: Final = set_of("siren thermostat valve handle watering metering monitoring purifier")


def _call(one: Property, kind: Kind) -> Use | Unused | None:
    """Return which alarm a property is, None if it is none.

    A siren's `alarm` says that it sounds.  One that names no danger, on a device that does not either, is an alarm of
    an unknown kind: better a walk too many.
    """
    if not _may_be_call(one):
        return None
    words = _words(one.name)
    if "alarm" in words and {word for word in words if not word.isdecimal()} <= _ALARM_WORDS:
        return _nameless_alarm(one, kind)
    danger = next((quantity for needed, quantity in _CALLS if needed <= words), None)
    if one.name == "water":
        danger = Quantity.WATER_ALARM
    return None if danger is None else Use(danger, Call(is_announced=not one.is_guessed))


def _may_be_call(one: Property) -> bool:
    is_of_a_type = one.type in {"binary", "enum"} or (one.is_guessed and one.type == "numeric")
    return is_of_a_type and not (one.is_settable or one.category == "config" or _words(one.name) & _BESIDE)


def _nameless_alarm(one: Property, kind: Kind) -> Use | Unused | None:
    if kind.words & _SIRENS:
        return Unused("the device's own alarm, about itself")
    reads: Reads = Call(is_announced=not one.is_guessed)
    if one.type == "enum" and not one.is_guessed:
        loud = tuple(v for v in one.values if "alarm" in str(v).casefold() and not _words(str(v)) & _BESIDE)
        loud = tuple(v for v in loud if not is_quiet(str(v)))
        if not loud:
            return None
        reads = Truth(loud, tuple(v for v in one.values if v not in loud))
    quantity = next((q for words, q in _ALARM_OF if (kind.words | _words(one.name)) & words), Quantity.UNKNOWN_ALARM)
    if quantity in ALARMS:
        return Use(quantity, reads)
    if one.name != one.name.removesuffix("_2"):
        return Unused("a second alarm of a door or a motion sensor; the first is used")
    return Use(quantity, reads if one.type == "enum" else Truth((one.on,), (one.off,)))


# What people do, and what is measured.

# A magnet cannot be set from outside, whatever a device says.
_NEVER_SET = frozenset({"contact", "occupancy", "presence"})

_STATES: Final[Mapping[str, Quantity]] = {
    "occupancy": Quantity.MOVEMENT,
    "occupancy_status": Quantity.MOVEMENT,
    "motion": Quantity.MOVEMENT,
    "motion_status": Quantity.MOVEMENT,
    "presence": Quantity.PRESENCE,
    "pressure": Quantity.PRESENCE,  # A pad that somebody sits or lies on; as a number it is the weather's.
    "contact": Quantity.OPEN,
    "garage_door_contact": Quantity.OPEN,
    "vibration": Quantity.VIBRATION,
    "tamper": Quantity.TAMPER,
    "tamper_alarm": Quantity.TAMPER,
    "battery_low": Quantity.BATTERY_LOW,
}

_PRESENT_WORDS: Final = {
    "presence_state": Quantity.PRESENCE,
    "pressure_state": Quantity.PRESENCE,
    "occupancy_state": Quantity.PRESENCE,
    "motion_state": Quantity.MOVEMENT,
    "human_motion_state": Quantity.MOVEMENT,
    "movement": Quantity.MOVEMENT,
}

# Somebody is there and does not move: to be seen by a radar, and no movement.
_STILL: Final = set_of("static still stationary peaceful")

_WORDS: Final[Mapping[str, Truth]] = {
    "door_state": Truth(("open", "opened"), ("closed", "close")),
    "window_state": Truth(("open", "opened"), ("closed", "close")),
    "opening_state": Truth(("open", "opened", "tilted"), ("closed", "close")),
    "opening_mode": Truth(("open", "opened", "tilted"), ("closed", "close")),
    "battery_state": Truth(("low",), ("medium", "middle", "high", "usb")),
    "battery_level": Truth(("low",), ("medium", "middle", "high", "usb")),
}

_MEASURES: Final[Mapping[str, Quantity]] = {
    "temperature": Quantity.TEMPERATURE_C,
    "local_temperature": Quantity.TEMPERATURE_C,
    "humidity": Quantity.HUMIDITY_PCT,
    "illuminance": Quantity.ILLUMINANCE_LUX,
    "illuminance_lux": Quantity.ILLUMINANCE_LUX,  # before Zigbee2MQTT 2.0
    "power": Quantity.POWER_W,
    "energy": Quantity.ENERGY_KWH,
    "battery": Quantity.BATTERY_PCT,
    "voltage": Quantity.BATTERY_MV,
    "battery_voltage": Quantity.BATTERY_MV,
    "linkquality": Quantity.LINK_QUALITY,
}

# What guesses from a fall in temperature that a window is open.
_HEATING: Final = set_of("thermostat valve trv radiator heater heating")

_ONE = Number()
_UNITS: Final[Mapping[Quantity, Mapping[str | None, Number]]] = {
    # Zigbee measures in degrees Celsius and per cent (Zigbee Cluster Library revision 8, 4.4 and 4.7).
    Quantity.TEMPERATURE_C: {
        "°c": _ONE, "c": _ONE, None: _ONE, "°f": Number(5 / 9, -160 / 9), "f": Number(5 / 9, -160 / 9),
        "k": Number(1.0, -273.15),
    },
    Quantity.HUMIDITY_PCT: {"%": _ONE, "%rh": _ONE, None: _ONE},
    Quantity.ILLUMINANCE_LUX: {"lx": _ONE, "lux": _ONE, "klx": Number(1000)},
    Quantity.POWER_W: {"w": _ONE, "kw": Number(1000), "mw": Number(0.001)},
    Quantity.ENERGY_KWH: {"kwh": _ONE, "wh": Number(0.001), "mwh": Number(1000)},
    Quantity.BATTERY_PCT: {"%": _ONE, None: _ONE},
    Quantity.BATTERY_MV: {"mv": _ONE, "v": Number(1000)},
    Quantity.LINK_QUALITY: {"lqi": _ONE, None: _ONE},
}  # fmt: skip

# What Zigbee2MQTT's own converters say where a device has not been listed yet.
_USUAL_UNIT: Final = {
    "temperature": "°C", "local_temperature": "°C", "humidity": "%", "illuminance": "lx", "illuminance_lux": "lx",
    "power": "W", "energy": "kWh", "battery": "%", "voltage": "mV", "battery_voltage": "mV",
}  # fmt: skip

_ROOM_WORDS = frozenset({"radar", "mmwave", "microwave", "presence", "human"})


def _measure(one: Property, kind: Kind) -> Use | Unused:
    quantity = _MEASURES.get(one.name)
    if quantity is None:
        return Unused("a measurement that no question is asked of")
    if quantity is Quantity.BATTERY_MV and one.name == "voltage" and not kind.has_battery:
        return Unused("the mains voltage, which says nothing of a battery", is_expected=True)
    reads = _UNITS[quantity].get(None if one.unit is None else one.unit.strip().casefold())
    if reads is None:
        return Unused(f"its unit `{one.unit}` is not known" if one.unit else "it has no unit")
    return Use(quantity, reads)


def _state(one: Property, kind: Kind) -> Use | Unused:
    quantity = _STATES.get(one.name)
    if quantity is None:
        return Unused("a yes or no of which nothing is known that it would mean for a person")
    truth = _told_by(one)
    if quantity is Quantity.OPEN:
        # Zigbee2MQTT's contact is the magnet's: yes means that it is near, and the door is closed.
        return Use(*_contact(truth, kind))
    if kind.is_seat and quantity is Quantity.VIBRATION:
        return Use(Quantity.MOVEMENT, truth)
    if quantity is Quantity.MOVEMENT and (kind.is_seat or (kind.words & _ROOM_WORDS and "pir" not in kind.words)):
        return Use(Quantity.PRESENCE, truth)
    return Use(quantity, truth)


def _contact(truth: Truth, kind: Kind) -> tuple[Quantity, Truth]:
    """Return what a contact tells: a door, or a pad under somebody, which is closed by their weight.

    Devices differ in which of the two they call `on`, but not in which of them is the magnet's yes.
    """
    near = tuple(v for v in (*truth.yes, *truth.no) if _is_near(v))
    away = tuple(v for v in (*truth.yes, *truth.no) if not _is_near(v))
    return (Quantity.PRESENCE, Truth(near, away)) if kind.is_seat else (Quantity.OPEN, Truth(away, near))


def _is_near(said: object) -> bool:
    if isinstance(said, str):
        return said.casefold() in {"true", "on", "yes", "closed", "close"}
    return said in (True, 1)


def _word(one: Property, kind: Kind) -> Use | Unused:
    if one.name in _PRESENT_WORDS:
        quantity = Quantity.PRESENCE if kind.is_seat else _PRESENT_WORDS[one.name]
        unlike = {"unknown"} | (_STILL if quantity is Quantity.MOVEMENT else set())
        there = tuple(v for v in one.values if not is_quiet(str(v)) and not words_of(str(v)) & unlike)
        return Use(quantity, Truth(there, tuple(v for v in one.values if v not in there)))
    if one.name in _WORDS:
        if kind.words & _HEATING:
            return Unused("a thermostat's own guess")
        said = _WORDS[one.name]
        quantity = Quantity.BATTERY_LOW if one.name.startswith("battery") else Quantity.OPEN
        is_known = not one.values or any(said.value(v) is not None for v in one.values)
        return Use(quantity, said) if is_known else Unused("none of its words is known")
    if one.is_guessed and one.name in _STATES:
        return _state(one, kind)
    fallen = {"falling", "fall"} if "fall" in kind.words else {"falling"}
    if falls := tuple(v for v in one.values if words_of(str(v)) & fallen):
        return Use(Quantity.FALL_ALARM, Truth(falls, tuple(v for v in one.values if v not in falls)))
    return Unused("words of which nothing is known that they would mean for a person")


def _other(one: Property, _: Kind) -> Unused:
    return Unused(f"of type {one.type or 'nothing'}, and only numbers, states and alarms are read")


def _told_by(one: Property) -> Truth:
    """Return which values are a yes and a no: those that the device names, and in any case true and false."""
    usual: tuple[tuple[object, ...], tuple[object, ...]] = (True, 1), (False, 0)
    if one.is_guessed:
        usual = (True, 1, "true", "on", "yes", "detected"), (False, 0, "false", "off", "no", "none", "clear")
    if isinstance(one.on, bool):
        return Truth(*usual) if one.on or one.name.endswith("contact") else Truth(usual[1], usual[0])
    return Truth((one.on,), (one.off,))


def _words(name: str) -> frozenset[str]:
    return words_of(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))


def is_call_word(action: object, calls: Collection[str] = ("emergency", "sos", "panic", "help")) -> bool:
    """Return whether an action's own words call for help: `emergency`, `sos_press`, `panic_1`."""
    return bool(words_of(str(action)) & frozenset(calls))

"""What did a Zigbee device in the home say?  Zigbee2MQTT's messages -> observations.

Format: www.zigbee2mqtt.io, "MQTT Topics and Messages" and "Exposes" (2.x).  What constrains a change:

- Zigbee2MQTT repeats its cached state with every report, so a message is no event.  A state (movement, open ...)
  is a reading when it changes, or when it is the first that we hear and a yes: a first no shows only that somebody
  reported, not that somebody did something.  A measurement is one when it changes or after half an hour.  A message
  that brings nothing new still shows that the sensor lives: its link quality is the check-in.
- A call for help is never dropped: any action of a pendant is an alarm, even one that cannot be decoded.
- A retained message says nothing about now, so it is neither; it only fills in what a state was.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from gateway.reading import ALARMS, Observation, Quantity, SensorId

PAYLOAD_BYTES_MAX: Final = 64 * 1024
"""A device's message is below 1 kB; one with every option and history about 10 kB."""

BRIDGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""`bridge/devices` takes 2 to 20 kB a device."""

DEVICES_MAX: Final = 500
"""Devices of a home.  A Zigbee coordinator serves at most some 200."""

_AGAIN_AFTER_MS: Final = 30 * 60 * 1000
"""An unchanged measurement is a reading again after this long: the check-in of common radios (CASAS, about 30 min)."""

_ALARM_AGAIN_AFTER_MS: Final = 10 * 60 * 1000
"""A smoke that lasts is said again after this long, should its end have been lost.  Ours (2026-11)."""

# An observation's name -> what a device calls it, when it is a yes or no.
_STATES: Final = {
    "occupancy": Quantity.MOVEMENT,
    "presence": Quantity.PRESENCE,
    "contact": Quantity.OPEN,  # Turned round: true means that the magnet is near, so the door is closed.
    "tamper": Quantity.TAMPER,
    "battery_low": Quantity.BATTERY_LOW,
}

_MEASURES: Final = {
    "temperature": Quantity.TEMPERATURE_C,
    "humidity": Quantity.HUMIDITY_PCT,
    "illuminance": Quantity.ILLUMINANCE_LUX,
    "illuminance_lux": Quantity.ILLUMINANCE_LUX,  # before Zigbee2MQTT 2.0
    "power": Quantity.POWER_W,
    "battery": Quantity.BATTERY_PCT,
    "voltage": Quantity.BATTERY_MV,
}

_TRIGGERS: Final = {
    "smoke": Quantity.SMOKE_ALARM,
    "carbon_monoxide": Quantity.CO_ALARM,
    "gas": Quantity.GAS_ALARM,
    "water_leak": Quantity.WATER_ALARM,
    "sos": Quantity.PENDANT_ALARM,
    "emergency": Quantity.PENDANT_ALARM,
    "panic": Quantity.PENDANT_ALARM,
    "fall": Quantity.FALL_ALARM,
    "fall_down_status": Quantity.FALL_ALARM,  # Tuya's radars: none, maybe_fall, fall
}

_MEASURE_MAX = 1e12
"""Beyond this no device measures anything."""

_CALLS_FOR_HELP: Final = frozenset({"emergency", "sos", "panic"})

_NO_ACTION: Final = (None, "")
"""Zigbee2MQTT before 2.0 sends an empty action after each."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the installer said of the home's devices, by friendly name."""

    base_topic: str = "zigbee2mqtt"
    pendants: frozenset[str] = frozenset()
    pull_cords: frozenset[str] = frozenset()
    retriggers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """What came from the home's own broker.

    Attributes:
        topic: as published.
        payload: likewise.
        is_retained: whether the broker kept it from earlier.
        is_late: it waited at the broker while we were away, so nobody knows when it was said.
        wall_at: when it reached us, by the hub's wall clock.
        uptime_ms: likewise by its uptime.
    """

    topic: str
    payload: bytes
    is_retained: bool
    wall_at: datetime
    uptime_ms: int
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A value that a device said, and when we last made an observation of it (None: in an earlier run)."""

    value: float
    uptime_ms: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the home's equipment.

    Attributes:
        devices: friendly name -> the properties that its model exposes, from `bridge/devices`.
        pendants: of those, the ones whose `action` can call for help.
        last: what each sensor last said of each quantity.
        bridge_up: whether Zigbee2MQTT itself says that it runs; None until it said so.
    """

    devices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pendants: frozenset[str] = frozenset()
    last: Mapping[tuple[SensorId, Quantity], Said] = field(default_factory=dict)
    bridge_up: bool | None = None

    @classmethod
    def after(cls, last_values: Mapping[tuple[SensorId, str], float]) -> "State":
        """Return the state after a restart, from what was kept: a repeated state is then no new one.

        Alarms are left out: better the same smoke twice than never.
        """
        known = {q.value: q for q in _STATES.values()}
        return cls(last={(s, known[q]): Said(value) for (s, q), value in last_values.items() if q in known})


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one message.

    Attributes:
        state: from now on.
        observations: readings and alarms; both may be there.
        note: what became of it, in a few fixed words for a counter: `taken`, or why it was of no use.
    """

    state: State
    observations: tuple[Observation, ...]
    note: str


def hear(state: State, message: Message, setup: Setup) -> Heard:
    """Return what a message says, and what is known after it.  Never raises, whatever the bytes."""
    below = message.topic.removeprefix(setup.base_topic + "/")
    if below == message.topic or not below:
        return Heard(state, (), "another topic")
    if below.startswith("bridge/"):
        return _hear_bridge(state, below, message)
    device, attribute = _addressed(state, below)
    if attribute == "action":
        return _hear_plain_action(state, device, message, setup)
    if attribute:
        return Heard(state, (), "a command, an availability or a lone attribute")
    return _hear_device(state, device, message, setup)


def sensor_id(friendly_name: str) -> SensorId:
    """Return what a device is called on the wire: its friendly name, with what may not be there escaped.

    `Front door` becomes `Front_door`, `Küche` becomes `K:c3bc:che`.  Two names never become one: a space is the
    only thing that becomes an underscore, everything else becomes its UTF-8 bytes in hexadecimal between colons,
    and what is too long keeps its beginning and a hash of the whole.
    """
    if not friendly_name:
        return SensorId("x::")
    safe = "".join(map(_escaped, friendly_name))
    if safe.endswith("/"):
        safe = f"{safe[:-1]}:2f:"
    if not (safe[0].isascii() and safe[0].isalnum()):
        safe = f"x:{safe}"  # A name on the wire begins with a letter or digit.
    if len(safe) > _ID_CHARACTERS_MAX:
        whole = hashlib.sha256(friendly_name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        safe = f"{safe[: _ID_CHARACTERS_MAX - 34]}::{whole}"
    return SensorId(safe)


_ID_CHARACTERS_MAX = 96
_AS_IT_IS = re.compile(r"[A-Za-z0-9.\-/]")


def _escaped(character: str) -> str:
    if _AS_IT_IS.fullmatch(character):
        return character
    if character == " ":
        return "_"
    return f":{character.encode('utf-8', 'surrogatepass').hex()}:"


# The bridge: Zigbee2MQTT about itself.


class _Expose(msgspec.Struct):
    property: str | None = None
    values: list[Any] = msgspec.field(default_factory=list)
    features: list[dict[str, Any]] = msgspec.field(default_factory=list)


class _Definition(msgspec.Struct):
    exposes: list[_Expose] = msgspec.field(default_factory=list)


class _Device(msgspec.Struct):
    friendly_name: Annotated[str, msgspec.Meta(min_length=1)]
    type: str = ""
    definition: _Definition | None = None


_decode_devices = msgspec.json.Decoder(list[_Device]).decode


def _hear_bridge(state: State, below: str, message: Message) -> Heard:
    if below == "bridge/state":
        said = _decoded(message.payload) or {"state": message.payload.decode(errors="replace")}
        return Heard(replace(state, bridge_up=said.get("state") == "online"), (), "bridge state")
    if below != "bridge/devices":
        return Heard(state, (), "bridge")
    if len(message.payload) > BRIDGE_BYTES_MAX:
        return Heard(state, (), "too long")
    try:
        listed = _decode_devices(message.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Heard(state, (), "bridge devices not understood")
    devices = [d for d in listed if d.type != "Coordinator"][:DEVICES_MAX]
    exposed = {d.friendly_name: frozenset(_properties(d)) for d in devices}
    pendants = frozenset(d.friendly_name for d in devices if _can_call_for_help(d))
    return Heard(replace(state, devices=exposed, pendants=pendants), (), "bridge devices")


def _properties(device: _Device) -> list[str]:
    exposes = device.definition.exposes if device.definition else []
    inner = [f.get("property") for e in exposes for f in e.features]
    return [name for name in (*(e.property for e in exposes), *inner) if isinstance(name, str)]


def _can_call_for_help(device: _Device) -> bool:
    exposes = device.definition.exposes if device.definition else []
    return any(e.property == "action" and _CALLS_FOR_HELP & {str(v).casefold() for v in e.values} for e in exposes)


# Devices.


def _addressed(state: State, below: str) -> tuple[str, str]:
    """Return the friendly name in a topic, and what stands behind it; names may contain slashes."""
    if below in state.devices:
        return below, ""
    name, slash, attribute = below.rpartition("/")
    if slash and (name in state.devices or attribute in {"set", "get", "availability", "action"}):
        return name, attribute
    return below, ""


def _help_from(state: State, device: str, setup: Setup) -> Quantity | None:
    """Return which alarm a device's actions are, or None if they call nobody."""
    if device in setup.pull_cords:
        return Quantity.PULL_CORD_ALARM
    words = re.split(r"[/ _-]", device.casefold())
    if device in setup.pendants or device in state.pendants or any(w.startswith("pendant") for w in words):
        return Quantity.PENDANT_ALARM
    return None


def _decoded(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        said = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return said if isinstance(said, dict) else None


def _undecodable(state: State, device: str, message: Message, setup: Setup) -> Heard:
    if not message.payload:
        return Heard(state, (), "empty")  # Zigbee2MQTT clears what it retained of a renamed device.
    why = "too long" if len(message.payload) > PAYLOAD_BYTES_MAX else "not understood"
    if message.is_retained or _help_from(state, device, setup) is None:
        return Heard(state, (), why)
    return Heard(state, (_observed(sensor_id(device), Quantity.UNKNOWN_ALARM, 1.0, message),), why)


def _hear_plain_action(state: State, device: str, message: Message, setup: Setup) -> Heard:
    """Read an action that came on a topic of its own (Zigbee2MQTT's `output: attribute`), bare or as JSON."""
    help_from = _help_from(state, device, setup)
    calls = message.payload.decode(errors="replace").strip('"').casefold() in _CALLS_FOR_HELP
    is_none = message.payload in {b"", b'""', b"null"}
    if message.is_retained or is_none or not (help_from or calls):
        return Heard(state, (), "an action that calls nobody")
    alarm = _observed(sensor_id(device), help_from or Quantity.PENDANT_ALARM, 1.0, message)
    return Heard(state, (alarm,), "taken")


def _hear_device(state: State, device: str, message: Message, setup: Setup) -> Heard:
    said = _decoded(message.payload)
    if said is None:
        return _undecodable(state, device, message, setup)
    sensor = sensor_id(device)
    alarms = () if message.is_retained else _pressed(sensor, said, _help_from(state, device, setup), message)
    known = {s for s, _ in state.last}
    if sensor not in known and len(known) >= DEVICES_MAX:
        return Heard(state, alarms, "too many devices")
    last, news = dict(state.last), []
    for quantity, value in _values(said, state.devices.get(device, frozenset())).items():
        before = last.get((sensor, quantity))
        is_retriggered = quantity is Quantity.MOVEMENT and value > 0 and device in setup.retriggers
        if is_retriggered or _is_new(before, quantity, value, message):
            # A first no is remembered, so that what comes after it is a change.
            is_first_no = before is None and value == 0 and quantity in _STATES.values()
            news += [] if is_first_no else [_observed(sensor, quantity, value, message)]
            last[sensor, quantity] = Said(value, None if message.is_retained else message.uptime_ms)
    found = (*alarms, *(o for o in news if _may_be_told(o, message))) or _check_in(sensor, said, message)
    return Heard(replace(state, last=last), found, "retained" if message.is_retained else "taken")


def _values(said: Mapping[str, Any], exposed: Collection[str]) -> dict[Quantity, float]:
    """Return what a message says of each quantity; what cannot be read is passed over."""
    values: dict[Quantity, float] = {}
    for name, quantity in _STATES.items():
        truth = _truth(said.get(name))
        if truth is not None:
            values[quantity] = float(truth is not (name == "contact"))
    for name, quantity in _MEASURES.items():
        number = said.get(name)
        if name == "voltage" and "power" in {*exposed, *said}:
            continue  # The mains voltage of a plug, in volts.
        # The bound is also false for NaN, and keeps an integer of 400 digits from becoming a float.
        if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < _MEASURE_MAX:
            values[quantity] = float(number)
    for name, quantity in _TRIGGERS.items():
        truth = _truth(said.get(name))
        if truth is not None:
            values[quantity] = max(values.get(quantity, 0.0), float(truth))
    return values


_WORDS: Final = {
    "true": True, "on": True, "yes": True, "detected": True, "fall": True, "maybe_fall": True, "alarm": True,
    "false": False, "off": False, "no": False, "none": False, "clear": False, "": False,
}  # fmt: skip


def _truth(said: object) -> bool | None:
    if isinstance(said, bool):
        return said
    if isinstance(said, int | float) and said in (0, 1):
        return bool(said)
    return _WORDS.get(said.casefold()) if isinstance(said, str) else None


def _pressed(
    sensor: SensorId, said: Mapping[str, Any], help_from: Quantity | None, message: Message
) -> tuple[Observation, ...]:
    """Return the alarm in a message's action: anything from a pendant, or a word that calls for help."""
    action = said.get("action")
    if action in _NO_ACTION or (help_from is None and str(action).casefold() not in _CALLS_FOR_HELP):
        return ()
    return (_observed(sensor, help_from or Quantity.PENDANT_ALARM, 1.0, message),)


def _is_new(before: Said | None, quantity: Quantity, value: float, message: Message) -> bool:
    if before is None or before.value != value:
        return True
    if quantity in _STATES.values():
        return False
    again_after = _ALARM_AGAIN_AFTER_MS if quantity in ALARMS else _AGAIN_AFTER_MS
    return before.uptime_ms is None or message.uptime_ms - before.uptime_ms >= again_after


def _may_be_told(seen: Observation, message: Message) -> bool:
    """Return whether something new may go out: nothing retained, and nothing stamped with now that waited for us.

    An alarm that waited always may.  The end of a smoke is no alarm.
    """
    if seen.quantity in ALARMS:
        return seen.value > 0 and not message.is_retained
    return not (message.is_retained or message.is_late)


def _check_in(sensor: SensorId, said: Mapping[str, Any], message: Message) -> tuple[Observation, ...]:
    quality = said.get("linkquality")
    if message.is_retained or isinstance(quality, bool) or not isinstance(quality, int | float):
        return ()
    if message.is_late or not 0 <= quality <= 255:
        return ()
    return (_observed(sensor, Quantity.LINK_QUALITY, float(quality), message),)


def _observed(sensor: SensorId, quantity: Quantity, value: float, message: Message) -> Observation:
    return Observation(sensor, quantity, value, message.wall_at, message.uptime_ms)

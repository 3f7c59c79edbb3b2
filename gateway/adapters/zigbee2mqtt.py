"""What did a Zigbee device in the home say?  Zigbee2MQTT's messages -> observations.

Format: www.zigbee2mqtt.io, "MQTT Topics and Messages" (2.x); what each property means is the business of `exposes`.
What constrains a change:

- Zigbee2MQTT repeats its cached state with every report, so a message is no event.  A state (movement, open ...)
  is a reading when it changes, or when it is the first that we hear and a yes: a first no shows only that somebody
  reported, not that somebody did something.  A measurement is one when it changes or after half an hour.  A message
  that brings nothing new still shows that the sensor lives: its link quality is the check-in.
- When it starts, it says everything that it remembers, also of sensors that died long ago.  For a while then only a
  change is a reading, and nothing is a check-in.
- A call for help is never dropped: any action of a pendant is an alarm, even one that cannot be decoded.
- A retained message says nothing about now, so it is neither; it only fills in what a state was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from gateway.adapters.exposes import DEVICES_MAX, Device, Setup, read_devices, unlisted
from gateway.adapters.meaning import is_call_word, meaning_of, unannounced
from gateway.adapters.names import sensor_id
from gateway.adapters.properties import Use
from gateway.reading import ALARMS, Observation, Quantity, SensorId

PAYLOAD_BYTES_MAX: Final = 64 * 1024
"""A device's message is below 1 kB; one with every option and history about 10 kB."""

BRIDGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""`bridge/devices` takes 2 to 20 kB a device."""

_AGAIN_AFTER_MS: Final = 30 * 60 * 1000
"""An unchanged measurement is a reading again after this long: the check-in of common radios (CASAS, about 30 min)."""

_ALARM_AGAIN_AFTER_MS: Final = 10 * 60 * 1000
"""A smoke that lasts is said again after this long, should its end have been lost.  Ours (2026-11)."""

_REMEMBERS_FOR_MS: Final = 15 * 1000
"""So long after its start Zigbee2MQTT may still be saying what it remembers: it connects, starts some fifteen
extensions, and then publishes its cache (2.14.1, `controller.js`); seconds on a small machine.  Ours (2026-11)."""

_STATES: Final = frozenset(
    {
        Quantity.MOVEMENT,
        Quantity.PRESENCE,
        Quantity.OPEN,
        Quantity.VIBRATION,
        Quantity.POWER_ON,
        Quantity.TAMPER,
        Quantity.BATTERY_LOW,
    }
)
"""What is a reading when it changes, and only then."""

_OFF_BELOW_W, _ON_FROM_W = 8.0, 10.0
"""What tells an appliance that somebody switched on from one in standby, which may draw 8 W at the most, and that only
if it hangs in a network (Commission Regulation (EU) 2023/826, annex II)."""

_KEYS_MAX: Final = 500
"""Properties that are read of one message."""

_ACTIONS: Final = frozenset({"action", "click"})
"""`click` is what an action was called before Zigbee2MQTT 1.0, and until 2.0 where it was told so."""

_NO_ACTION: Final = (None, "")
"""Zigbee2MQTT before 2.0 sends an empty action after each."""


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
        devices: friendly name -> what it is, from `bridge/devices`.
        last: what each sensor last said of each quantity.
        bridge_up: whether Zigbee2MQTT itself says that it runs; None until it said so.
        remembers_until_ms: by the hub's uptime, until when Zigbee2MQTT may be saying what it remembers.
    """

    devices: Mapping[str, Device] = field(default_factory=dict)
    last: Mapping[tuple[SensorId, Quantity], Said] = field(default_factory=dict)
    bridge_up: bool | None = None
    remembers_until_ms: int = -1

    @classmethod
    def after(cls, last_values: Mapping[tuple[SensorId, str], float]) -> "State":
        """Return the state after a restart, from what was kept: a repeated state is then no new one.

        Alarms are left out: better the same smoke twice than never.
        """
        known = {q.value: q for q in Quantity if q not in ALARMS}
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
        return _hear_bridge(state, below, message, setup)
    name, attribute = _addressed(state, below)
    device = state.devices.get(name) or unlisted(name, setup)
    if attribute in _ACTIONS:
        return _hear_plain_action(state, device, message)
    if attribute:
        return Heard(state, (), "a command, an availability or a lone attribute")
    return _hear_device(state, device, message, setup)


# The bridge: Zigbee2MQTT about itself.


def _hear_bridge(state: State, below: str, message: Message, setup: Setup) -> Heard:
    if below == "bridge/state":
        return Heard(_bridge_said(state, message), (), "bridge state")
    if below != "bridge/devices":
        return Heard(state, (), "bridge")
    if len(message.payload) > BRIDGE_BYTES_MAX:
        return Heard(state, (), "too long")
    devices = read_devices(message.payload, setup)
    if devices is None:
        return Heard(state, (), "bridge devices not understood")
    return Heard(replace(state, devices=devices, last=_renamed(state, devices)), (), "bridge devices")


def _bridge_said(state: State, message: Message) -> State:
    said = _decoded(message.payload) or {"state": message.payload.decode(errors="replace")}
    is_up = said.get("state") == "online"
    begins = is_up and not message.is_retained
    until_ms = message.uptime_ms + _REMEMBERS_FOR_MS if begins else state.remembers_until_ms
    return replace(state, bridge_up=is_up, remembers_until_ms=until_ms)


def _renamed(state: State, devices: Mapping[str, Device]) -> Mapping[tuple[SensorId, Quantity], Said]:
    """Return what was last said, under the new names of devices that were renamed, without those that are gone.

    Otherwise the first word under a new name would be news, and a door that has stood open would be opened now.
    """
    before = {device.address: sensor_id(name) for name, device in state.devices.items() if device.address}
    after = {device.address: sensor_id(name) for name, device in devices.items() if device.address}
    moved = {sensor: after.get(address) for address, sensor in before.items() if after.get(address) != sensor}
    last = {key: said for key, said in state.last.items() if key[0] not in moved}
    for (sensor, quantity), said in state.last.items():
        if (now := moved.get(sensor)) is not None:
            last[now, quantity] = said
    return last


# Devices.


def _addressed(state: State, below: str) -> tuple[str, str]:
    """Return the friendly name in a topic, and what stands behind it; names may contain slashes."""
    if below in state.devices:
        return below, ""
    name, slash, attribute = below.rpartition("/")
    if slash and (name in state.devices or attribute in {"set", "get", "availability", *_ACTIONS}):
        return name, attribute
    return below, ""


def _decoded(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        said = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return said if isinstance(said, dict) else None


def _leniently(payload: bytes) -> dict[str, Any] | None:
    """Return what a message says in which one number is out of bounds (1e400) or one text is broken."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _undecodable(state: State, device: Device, message: Message) -> Heard:
    if not message.payload:
        return Heard(state, (), "empty")  # Zigbee2MQTT clears what it retained of a renamed device.
    why = "too long" if len(message.payload) > PAYLOAD_BYTES_MAX else "not understood"
    if message.is_retained or not device.may_call:
        return Heard(state, (), why)
    return Heard(state, (_observed(sensor_id(device.name), Quantity.UNKNOWN_ALARM, 1.0, message),), why)


def _hear_plain_action(state: State, device: Device, message: Message) -> Heard:
    """Read an action that came on a topic of its own (Zigbee2MQTT's `output: attribute`), bare or as JSON."""
    is_none = message.payload in {b"", b'""', b"null"}
    calls = _called(device, message.payload[:PAYLOAD_BYTES_MAX].decode(errors="replace"))
    if message.is_retained or is_none or calls is None:
        return Heard(state, (), "an action that calls nobody")
    return Heard(state, (_observed(sensor_id(device.name), calls, 1.0, message),), "taken")


def _hear_device(state: State, device: Device, message: Message, setup: Setup) -> Heard:
    said = _decoded(message.payload)
    if said is None and not device.may_call:
        said = _leniently(message.payload)  # There may be a fire beside what cannot be read.
    if said is None:
        return _undecodable(state, device, message)
    sensor = sensor_id(device.name)
    values = _values(device, said)
    if setup.has(setup.appliances, device.name):
        values |= _drawn(values, state.last.get((sensor, Quantity.POWER_ON)))
    pressed = _pressed(sensor, device, said, message)
    known = {s for s, _ in state.last}
    if sensor not in known and len(known) >= DEVICES_MAX:
        fires = (_observed(sensor, q, v, message) for q, v in values.items() if q in ALARMS)
        return Heard(state, tuple(o for o in (*pressed, *fires) if _may_be_told(o, message)), "too many devices")
    last, news = _compared(state, sensor, values, message, is_retriggered=setup.has(setup.retriggers, device.name))
    found = tuple(o for o in (*pressed, *news) if _may_be_told(o, message))
    if not found and not _is_memory(state, message):
        found = _check_in(sensor, values.get(Quantity.LINK_QUALITY), message)
    return Heard(replace(state, last=last), found, "retained" if message.is_retained else "taken")


def _values(device: Device, said: Mapping[str, Any]) -> dict[Quantity, float]:
    """Return what a message says of each quantity; what cannot be read is passed over.

    Of two properties that are the same yes or no (two zones, two doors) either is enough.
    """
    values: dict[Quantity, float] = {}
    for key in [*said][:_KEYS_MAX]:
        use = device.uses.get(key) or _guessed(device, key, said)
        value = None if use is None else use.reads.value(said[key])
        if use is None or value is None:
            continue
        if use.quantity in _STATES or use.quantity in ALARMS:
            values[use.quantity] = max(values.get(use.quantity, 0.0), value)
        elif key in device.uses or use.quantity not in values:
            values[use.quantity] = value
    return values


def _guessed(device: Device, key: str, said: Mapping[str, Any]) -> Use | None:
    """Return what an unannounced property is by its name: a device may say more than its listing, above all `smoke`."""
    if key in device.unused or key in _ACTIONS or said[key] is None:
        return None
    meaning = meaning_of(unannounced(key, said[key]), device.kind)
    if not isinstance(meaning, Use):
        return None
    is_mains = meaning.quantity is Quantity.BATTERY_MV and {"power", "current", "energy"} & {*said, *device.uses}
    return None if is_mains else meaning


def _drawn(values: Mapping[Quantity, float], before: Said | None) -> dict[Quantity, float]:
    """Return whether an appliance is on; between the two bounds it stays as it was."""
    power_w = values.get(Quantity.POWER_W)
    if power_w is None:
        return {}
    was_on = before is not None and before.value > 0
    return {Quantity.POWER_ON: float(power_w >= (_OFF_BELOW_W if was_on else _ON_FROM_W))}


def _called(device: Device, action: object) -> Quantity | None:
    """Return which alarm an action is: anything from a pendant, or a word that calls for help from anything."""
    return device.calls or (Quantity.PENDANT_ALARM if is_call_word(action) else None)


def _pressed(sensor: SensorId, device: Device, said: Mapping[str, Any], message: Message) -> tuple[Observation, ...]:
    """Return the alarm in a message's actions, of which older releases say two for one press."""
    actions = [said[name] for name in sorted(_ACTIONS & {*said}) if said[name] not in _NO_ACTION]
    calls = next((q for action in actions if (q := _called(device, action)) is not None), None)
    return () if calls is None else (_observed(sensor, calls, 1.0, message),)


def _compared(
    state: State, sensor: SensorId, values: Mapping[Quantity, float], message: Message, *, is_retriggered: bool
) -> tuple[dict[tuple[SensorId, Quantity], Said], list[Observation]]:
    """Return what is last known after a message, and what in it is news; link quality is neither."""
    last, news = dict(state.last), []
    is_memory = _is_memory(state, message)
    for quantity, value in values.items():
        before = last.get((sensor, quantity))
        is_again = is_retriggered and quantity is Quantity.MOVEMENT and value > 0
        if quantity is Quantity.LINK_QUALITY or not (is_again or _is_new(before, quantity, value, message)):
            continue
        if not _is_only_learnt(before, quantity, value, is_memory=is_memory):
            news.append(_observed(sensor, quantity, value, message))
        last[sensor, quantity] = Said(value, None if message.is_retained else message.uptime_ms)
    return last, news


def _is_memory(state: State, message: Message) -> bool:
    return message.uptime_ms < state.remembers_until_ms


def _is_new(before: Said | None, quantity: Quantity, value: float, message: Message) -> bool:
    if before is None or before.value != value:
        return True
    if quantity in _STATES:
        return False
    again_after = _ALARM_AGAIN_AFTER_MS if quantity in ALARMS else _AGAIN_AFTER_MS
    return before.uptime_ms is None or message.uptime_ms - before.uptime_ms >= again_after


def _is_only_learnt(before: Said | None, quantity: Quantity, value: float, *, is_memory: bool) -> bool:
    """Return whether something new is remembered, so that what comes after it is a change, but not told.

    That is a state's first no, and what Zigbee2MQTT remembers without a change.
    """
    if quantity in ALARMS:
        return False
    if is_memory and (before is None or before.value == value):
        return True
    return before is None and value == 0 and quantity in _STATES


def _may_be_told(seen: Observation, message: Message) -> bool:
    """Return whether something new may go out: nothing retained, and nothing stamped with now that waited for us.

    An alarm that waited always may.  The end of a smoke is no alarm.
    """
    if seen.quantity in ALARMS:
        return seen.value > 0 and not message.is_retained
    return not (message.is_retained or message.is_late)


def _check_in(sensor: SensorId, quality: float | None, message: Message) -> tuple[Observation, ...]:
    if message.is_retained or message.is_late or quality is None or not 0 <= quality <= 255:
        return ()
    return (_observed(sensor, Quantity.LINK_QUALITY, quality, message),)


def _observed(sensor: SensorId, quantity: Quantity, value: float, message: Message) -> Observation:
    return Observation(sensor, quantity, value, message.wall_at, message.uptime_ms)

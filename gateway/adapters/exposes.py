"""Which devices does Zigbee2MQTT list, and what of what each exposes do we use?

Input: `bridge/devices` (www.zigbee2mqtt.io, "MQTT Topics and Messages" and "Exposes", 2.x), a list of devices, each
with `definition.exposes`.  One broken entry spoils itself and no other.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec

from gateway.adapters.meaning import is_call_word, meaning_of
from gateway.adapters.names import sensor_id
from gateway.adapters.properties import Kind, Property, Unused, Use, words_of
from gateway.reading import ALARMS, Quantity

DEVICES_MAX: Final = 500
"""Devices of a home.  A Zigbee coordinator serves at most some 200."""

PROPERTIES_MAX: Final = 400
"""Properties of a device; the richest of the converters 26.112.0 exposes 220."""

_PUBLISHED, _SETTABLE = 1, 2  # Bits of `access`.


@dataclass(frozen=True, slots=True)
class Setup:
    """What the installer said of the home's devices, by friendly name or by sensor id.

    Attributes:
        base_topic: Zigbee2MQTT's.
        pendants: their every action is a call for help.
        pull_cords: likewise.
        switches: their actions are none, unless the action's own word says so.
        seats: sensors that lie in or under a bed or a chair.
        appliances: plugs of what somebody switches on by hand: a kettle, a television.
        retriggers: motion sensors that say each time that they see someone, and never that it ended.
    """

    base_topic: str = "zigbee2mqtt"
    pendants: frozenset[str] = frozenset()
    pull_cords: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    appliances: frozenset[str] = frozenset()
    retriggers: frozenset[str] = frozenset()

    def has(self, listed: frozenset[str], name: str) -> bool:
        """Return whether a device is listed, by its friendly name or by what it is called on the platform."""
        return name in listed or sensor_id(name) in listed


@dataclass(frozen=True, slots=True)
class Device:
    """One device, and what it is to us.

    Attributes:
        name: its friendly name.
        address: IEEE address, which a renamed device keeps.
        model: what the product is called, for people.
        kind: what it is as a whole.
        uses: by key in its messages.
        unused: why the others are of no use, likewise.
        calls: which alarm each of its actions is; None if only an action whose own word says so.
        has_action: whether it has actions at all.
        trouble: why less can be said of it than of others, or empty.
    """

    name: str
    address: str = ""
    model: str = ""
    kind: Kind = field(default_factory=Kind)
    uses: Mapping[str, Use] = field(default_factory=dict)
    unused: Mapping[str, Unused] = field(default_factory=dict)
    calls: Quantity | None = None
    has_action: bool = False
    trouble: str = ""

    @property
    def may_call(self) -> bool:
        """Whether it is there to call for help, so that even what nobody can read of it is an alarm."""
        return self.calls is not None or any(use.quantity in ALARMS for use in self.uses.values())


def unlisted(name: str, setup: Setup) -> Device:
    """Return a device of which Zigbee2MQTT has not told us yet: it is read by the usual names."""
    kind = Kind(is_seat=setup.has(setup.seats, name), has_battery=True)
    trouble = "not listed by Zigbee2MQTT yet: read by the usual names"
    return Device(name, kind=kind, calls=_calls_by_name(name, setup), has_action=True, trouble=trouble)


def read_devices(payload: bytes, setup: Setup) -> dict[str, Device] | None:
    """Return the devices in `bridge/devices` by friendly name, the coordinator left out; None where it is no list."""
    try:
        listed = _decode_list(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    found: dict[str, Device] = {}
    for raw in listed:
        if len(found) >= DEVICES_MAX:
            break
        try:
            said = _decode_device(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue  # Without a name no message is its own; with one it is read by the usual names.
        if said.type != "Coordinator":
            found[said.friendly_name] = _device(said, setup)
    return found


class _Expose(msgspec.Struct):
    type: str = ""
    name: str | None = None
    property: str | None = None
    unit: str | None = None
    access: int = 1
    category: str | None = None
    value_on: Any = True
    value_off: Any = False
    values: list[Any] = msgspec.field(default_factory=list)
    features: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Definition(msgspec.Struct):
    model: str | None = None
    vendor: str | None = None
    description: str | None = None
    exposes: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Device(msgspec.Struct):
    friendly_name: Annotated[str, msgspec.Meta(min_length=1)]
    type: str | None = None
    ieee_address: str | None = None
    power_source: str | None = None
    disabled: bool | None = None
    interview_completed: bool | None = None
    interview_state: str | None = None
    definition: msgspec.Raw = msgspec.Raw(b"null")


_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_device = msgspec.json.Decoder(_Device).decode
_decode_definition = msgspec.json.Decoder(_Definition | None).decode
_decode_expose = msgspec.json.Decoder(_Expose).decode


def _device(said: _Device, setup: Setup) -> Device:
    try:
        definition = _decode_definition(said.definition)
        exposed = list(_properties(definition.exposes if definition else []))[:PROPERTIES_MAX]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        definition, exposed = None, []
    name, words = said.friendly_name, words_of(definition.description or "") if definition else frozenset[str]()
    kind = Kind(
        words=words,
        is_seat=setup.has(setup.seats, name) or bool(words & _SEATS),
        has_battery=_has_battery(said.power_source, exposed),
    )
    actions = next((p.values for p in exposed if p.name == "action"), None)
    uses, unused = _sorted_out([p for p in exposed if p.name != "action"], kind)
    return Device(
        name,
        said.ieee_address or "",
        f"{definition.vendor or ''} {definition.model or ''}".strip() if definition else "",
        kind,
        uses,
        unused,
        _calls(name, words, actions, setup),
        actions is not None,
        _trouble(said, definition),
    )


def _properties(exposes: list[msgspec.Raw], depth: int = 0) -> Iterator[Property]:
    """Yield what is exposed, with the features of switches, lights, locks, climates and covers.

    The features of a composite are not yielded: they stand inside its own value.
    """
    for raw in exposes:
        try:
            said = _decode_expose(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        if said.features and said.type not in {"composite", "list"} and depth < 4:
            yield from _properties(said.features, depth + 1)
        elif key := said.property or said.name:
            yield Property(
                name=said.name or key,
                key=key,
                type=said.type,
                unit=said.unit,
                is_published=bool(said.access & _PUBLISHED),
                is_settable=bool(said.access & _SETTABLE),
                category=said.category or "",
                on=said.value_on,
                off=said.value_off,
                values=tuple(said.values),
            )


def _sorted_out(exposed: Collection[Property], kind: Kind) -> tuple[dict[str, Use], dict[str, Unused]]:
    """Return what is used and what is not; of two that measure the same, the first is."""
    uses: dict[str, Use] = {}
    unused: dict[str, Unused] = {}
    measured: dict[Quantity, str] = {}
    for one in sorted(exposed, key=lambda p: p.name in _SECOND_CHOICES):
        meaning = meaning_of(one, kind)
        if isinstance(meaning, Unused):
            unused[one.key] = meaning
        elif one.type == "numeric" and meaning.quantity in measured:
            unused[one.key] = Unused(f"it measures the same as `{measured[meaning.quantity]}`, which is used")
        else:
            measured.setdefault(meaning.quantity, one.key)
            uses[one.key] = meaning
    return uses, {key: why for key, why in unused.items() if key not in uses}


# A valve on a radiator says how warm the radiator is; a sensor beside it, or the device's other one, is believed first.
_SECOND_CHOICES = frozenset({"local_temperature", "illuminance_lux", "battery_voltage"})

_SEATS = frozenset({"bed", "chair", "seat", "mattress", "sofa", "pad", "strap"})


def _has_battery(source: str | None, exposed: Collection[Property]) -> bool:
    """Return whether `voltage` is a battery's; a mains device may have a battery to fall back on."""
    if source and "battery" in source.casefold():
        return True
    names = {p.name for p in exposed}
    return bool(names & {"battery", "battery_low"}) and not names & {"power", "current", "energy"}


def _trouble(said: _Device, definition: _Definition | None) -> str:
    if said.disabled:
        return "disabled in Zigbee2MQTT, which then says nothing of it"
    if said.interview_completed is False or said.interview_state not in {None, "SUCCESSFUL"}:
        return "its interview is not complete: read by the usual names; if that lasts, pair it again"
    if definition is None:
        return "not known to Zigbee2MQTT: read by the usual names"
    return ""


# Calls for help.

_HELP_WORDS = frozenset({"emergency", "sos", "panic", "nurse"})
_NO_BUTTONS = frozenset({"arm", "disarm", "lock", "unlock"})


def _calls(name: str, words: frozenset[str], actions: tuple[object, ...] | None, setup: Setup) -> Quantity | None:
    """Return which alarm every action of a device is, or None if only those that say so themselves.

    It is one if the installer said so, if the device has no other action, or if its maker calls it an SOS, emergency
    or panic button.  A keypad that can also arm and disarm calls with its own word alone.
    """
    by_name = _calls_by_name(name, setup)
    if by_name is not None or setup.has(setup.switches, name) or not actions:
        return by_name
    if any(words_of(str(action)) & _NO_BUTTONS for action in actions):
        return None
    if all(is_call_word(action) for action in actions) or words & _HELP_WORDS:
        return Quantity.PENDANT_ALARM
    return None


def _calls_by_name(name: str, setup: Setup) -> Quantity | None:
    if setup.has(setup.switches, name):
        return None
    words = re.split(r"[/ _-]", name.casefold())
    if setup.has(setup.pull_cords, name) or {"pull", "cord"} <= set(words):
        return Quantity.PULL_CORD_ALARM
    if setup.has(setup.pendants, name) or any(word.startswith("pendant") for word in words):
        return Quantity.PENDANT_ALARM
    return None

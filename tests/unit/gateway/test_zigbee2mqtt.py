"""Zigbee2MQTT's messages become readings and alarms: the exact bytes of real models, and any bytes at all."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters import zigbee2mqtt
from gateway.adapters.exposes import DEVICES_MAX, Setup
from gateway.adapters.names import sensor_id
from gateway.adapters.zigbee2mqtt import PAYLOAD_BYTES_MAX, Heard, Message, State
from gateway.reading import ALARMS, Observation, Quantity, SensorId
from gateway.wire import is_sensor_id

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE_MS = 60_000
FRAMES = Path(__file__).parents[2] / "contract" / "zigbee2mqtt"
PENDANTS = Setup(pendants=frozenset({"Emergency button", "Bedside button", "Remote button", "Table button"}))


def _message(
    device: str, said: dict[str, Any] | bytes, *, minute: float = 0, is_retained: bool = False, is_late: bool = False
) -> Message:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Message(f"zigbee2mqtt/{device}", payload, is_retained, NOON, int(minute * MINUTE_MS), is_late)


def _told(*messages: Message, setup: Setup = PENDANTS, state: State | None = None) -> list[list[Observation]]:
    """Return what is observed at each message, in turn."""
    state = state or State()
    told = []
    for message in messages:
        heard = zigbee2mqtt.hear(state, message, setup)
        state = heard.state
        told.append(list(heard.observations))
    return told


def _said(observations: Sequence[Observation]) -> list[tuple[str, float]]:
    return [(o.quantity.value, o.value) for o in observations]


def _of_model(name: str) -> list[list[tuple[str, float]]]:
    """Return what comes of each message in a model's file, availability left out."""
    lines = [json.loads(line) for line in (FRAMES / f"{name}.json").read_text().splitlines()]
    messages = [
        Message(f["topic"], f["payload"].encode(), f["retain"], NOON, i * MINUTE_MS)
        for i, f in enumerate(lines)
        if not f["topic"].endswith("/availability")
    ]
    return [_said(told) for told in _told(*messages)]


def test_a_repeated_state_is_a_check_in_and_no_movement() -> None:
    """Zigbee2MQTT repeats its cache with every battery report; taken as movement, it hides a fall."""
    told = _told(
        _message("Hall", {"occupancy": True, "linkquality": 80}),
        _message("Hall", {"occupancy": True, "linkquality": 70}, minute=1),
        _message("Hall", {"occupancy": False, "linkquality": 60}, minute=2),
        _message("Hall", {"occupancy": True, "linkquality": 60}, minute=3),
    )

    assert [_said(t) for t in told] == [
        [("movement", 1.0)],
        [("link_quality", 70.0)],
        [("movement", 0.0)],
        [("movement", 1.0)],
    ]


_CLEAR = {"occupancy": False, "presence": False, "contact": True, "tamper": False, "battery_low": False}


@pytest.mark.parametrize("name", _CLEAR)
def test_the_first_no_of_a_state_is_a_check_in(name: str) -> None:
    """A hub that was reset shows a closed front door as "last seen", though nobody has touched it."""
    quiet, stirred = {name: _CLEAR[name], "linkquality": 90}, {name: not _CLEAR[name], "linkquality": 90}
    told = [_said(t) for t in _told(_message("A", quiet), _message("A", stirred), _message("A", quiet))]

    assert told[0] == [("link_quality", 90.0)]
    assert [value for ((_, value),) in told[1:]] == [1.0, 0.0]


@pytest.mark.parametrize("name", _CLEAR)
def test_the_first_yes_of_a_state_is_news(name: str) -> None:
    """It may be the very movement that woke a sensor which never spoke before."""
    (told,) = _told(_message("A", {name: not _CLEAR[name]}))

    assert [o.value for o in told] == [1.0]


def test_the_aqara_sensors_bytes() -> None:
    """A real motion sensor says two messages for one movement, and its temperature is not the room's."""
    told = _of_model("motion_aqara_rtcgq11lm")

    movements = [value for message in told for name, value in message if name == "movement"]
    assert movements == [1.0, 0.0, 1.0, 0.0]
    assert not [name for message in told for name, _ in message if name == "temperature_c"]


@pytest.mark.parametrize(
    ("model", "presses"),
    [
        ("pendant_tuya_ts0215a_sos", 1),
        ("pendant_heiman_hs1eb", 3),
        ("pendant_aqara_wxkg11lm", 4),
        ("pendant_sonoff_snzb_01", None),
        ("pendant_ikea_e1812", None),
    ],
)
def test_every_action_of_a_pendants_bytes_is_an_alarm(model: str, presses: int | None) -> None:
    """Each model has its own word for `pressed`; the one that we did not know must count too."""
    text = (FRAMES / f"{model}.json").read_text()
    presses = presses if presses is not None else text.count('\\"action\\"')
    device = json.loads(text.splitlines()[0])["topic"].split("/")[1]
    frames = [json.loads(line) for line in text.splitlines()]
    messages = [Message(f["topic"], f["payload"].encode(), f["retain"], NOON, 0) for f in frames]

    told = _told(*messages, setup=Setup(pendants=frozenset({device})))

    alarms = [o for message in told for o in message if o.quantity in ALARMS]
    assert presses > 0
    assert len(alarms) == presses
    assert {o.quantity for o in alarms} == {Quantity.PENDANT_ALARM}


@pytest.mark.parametrize("path", sorted(FRAMES.glob("contact_*.json")), ids=lambda p: p.stem)
def test_contact_true_is_a_closed_door(path: Path) -> None:
    """Zigbee2MQTT's contact is the magnet's: true means that it is near."""
    opens = [value for message in _of_model(path.stem) for name, value in message if name == "open"]
    frames = [json.loads(json.loads(line)["payload"]) for line in path.read_text().splitlines()]
    contacts = [f["contact"] for f in frames if isinstance(f, dict) and "contact" in f]

    # The first closed door is what the sensor reports, not what somebody did.
    changes = [c for i, c in enumerate(contacts) if (i == 0 and not c) or (i > 0 and contacts[i - 1] != c)]
    assert opens == [float(not c) for c in changes]
    assert opens


@pytest.mark.parametrize("path", sorted(FRAMES.glob("climate_*.json")), ids=lambda p: p.stem)
def test_the_climate_sensors_bytes(path: Path) -> None:
    """Cold homes kill: what the sensor measured must come through to the second decimal."""
    names = {name for message in _of_model(path.stem) for name, _ in message}

    assert {"temperature_c", "humidity_pct", "battery_pct"} <= names


def _after_bridge() -> State:
    state = State()
    for line in (FRAMES / "bridge.json").read_text().splitlines():
        frame = json.loads(line)
        message = Message(frame["topic"], frame["payload"].encode(), frame["retain"], NOON, 0)
        state = zigbee2mqtt.hear(state, message, Setup()).state
    return state


def test_a_device_whose_model_can_call_for_help_is_a_pendant_whatever_its_name() -> None:
    """Nobody should have to name a device in a file before its press counts."""
    state = _after_bridge()

    assert state.devices["Pendant"].calls is Quantity.PENDANT_ALARM
    assert state.devices["Hallway motion"].calls is None
    assert "Hallway motion" in state.devices
    assert "Coordinator" not in state.devices


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("bed_tuya_ts0601", [("presence", 1.0), ("presence", 0.0), ("presence", 1.0)]),
        ("plug_tuya_ts011f", [("power_on", 1.0), ("power_on", 0.0)]),
        ("smoke_tuya_ts0205", [("smoke_alarm", 1.0), ("tamper", 1.0), ("tamper", 0.0)]),
        ("water_aqara_sjcgq11lm", [("water_alarm", 1.0), ("water_alarm", 1.0)]),
        (
            "presence_aqara_fp1e",
            [
                *(("presence", 1.0), ("movement", 1.0), ("movement", 0.0), ("movement", 1.0), ("presence", 0.0)),
                *(("movement", 0.0), ("presence", 1.0), ("movement", 1.0)),
            ],
        ),
    ],
)
def test_what_becomes_of_the_bytes_of_beds_plugs_radars_smoke_and_water(
    model: str, told: list[tuple[str, float]]
) -> None:
    """One lie on a bed, one kettle, one fire and one flood each: no more, and no less."""
    state, setup = State(), Setup(appliances=frozenset({"Kettle"}))
    wide = (FRAMES / "bridge-wide.json").read_text().splitlines()
    lines = [json.loads(line) for line in [*wide, *(FRAMES / f"{model}.json").read_text().splitlines()]]
    messages = [
        Message(f["topic"], f["payload"].encode(), f["retain"], NOON, (i + 1) * MINUTE_MS) for i, f in enumerate(lines)
    ]

    heard = [_said(t) for t in _told(*messages, setup=setup, state=state)]

    asked = {name for name, _ in told}
    assert [one for said in heard for one in said if one[0] in asked] == told


def test_the_bridge_says_whether_zigbee_is_heard() -> None:
    """A broker that runs while Zigbee2MQTT is dead hears nobody; the home is blind."""
    assert _after_bridge().bridge_up is False
    up = zigbee2mqtt.hear(State(), _message("bridge/state", b'{"state":"online"}', is_retained=True), Setup())
    plain = zigbee2mqtt.hear(State(), _message("bridge/state", b"online", is_retained=True), Setup())

    assert up.state.bridge_up is True
    assert plain.state.bridge_up is True  # Before Zigbee2MQTT 1.30.


@pytest.mark.parametrize("payload", [b'{"action": "emerg', b"\xff\xfe", b"[" * 200_000, b'{"a":1e400}', b"emergency"])
def test_what_cannot_be_decoded_from_a_pendant_is_still_an_alarm(payload: bytes) -> None:
    """Somebody pressed something; that the message broke on its way is no reason to leave them."""
    (told,) = _told(_message("pendant hall", payload), setup=Setup())

    assert _said(told) == [("unknown_alarm", 1.0)]


def test_too_long_a_message_of_a_pendant_is_still_an_alarm() -> None:
    """The bound is there for the hub's memory, not against the resident."""
    (told,) = _told(_message("pendant hall", b'{"action":"' + b"x" * PAYLOAD_BYTES_MAX + b'"}'), setup=Setup())

    assert _said(told) == [("unknown_alarm", 1.0)]


@pytest.mark.parametrize(
    "message",
    [
        _message("Bedside button", {"action": "single"}, is_retained=True),
        _message("Bedside button", b"{broken", is_retained=True),
        _message("Bedside button", {"action": ""}),
        _message("Bedside button", {"action": None}),
        _message("Bedside button", {"battery": 90}, is_retained=True),
        _message("Bedside button", b""),
        _message("Bedside button/availability", {"state": "online"}),
        _message("Bedside button/set", {"action": "single"}),
        _message("Hall", {"smoke": True}, is_retained=True),
        _message("Hall", {"smoke": False}),
        _message("Light switch", {"action": "toggle"}),
    ],
)
def test_what_is_no_call_for_help_makes_no_alarm(message: Message) -> None:
    """Each false alarm costs a walk through the night, and trust."""
    (told,) = _told(message)

    assert [o for o in told if o.quantity in ALARMS] == []


@pytest.mark.parametrize(
    ("said", "quantity"),
    [
        ({"smoke": True}, Quantity.SMOKE_ALARM),
        ({"carbon_monoxide": True}, Quantity.CO_ALARM),
        ({"gas": True}, Quantity.GAS_ALARM),
        ({"water_leak": True}, Quantity.WATER_ALARM),
        ({"sos": True}, Quantity.PENDANT_ALARM),
        ({"emergency": "ON"}, Quantity.PENDANT_ALARM),
        ({"fall_down_status": "maybe_fall"}, Quantity.FALL_ALARM),
        ({"action": "panic"}, Quantity.PENDANT_ALARM),
        ({"action": "Emergency"}, Quantity.PENDANT_ALARM),
    ],
)
def test_life_safety_is_heard_from_any_device(said: dict[str, Any], quantity: Quantity) -> None:
    """Smoke is smoke, listed or not."""
    (told,) = _told(_message("0x00158d0001abcdef", said), setup=Setup())

    assert _said(told) == [(quantity.value, 1.0)]


def test_a_lasting_smoke_is_said_again_but_not_with_every_report() -> None:
    """Its end may have been lost on the radio; the next fire must not be taken for the last one."""
    minutes = [0, 1, 5, 9.9, 10, 15]
    told = _told(*(_message("Kitchen smoke", {"smoke": True}, minute=m) for m in minutes))

    assert [len(t) for t in told] == [1, 0, 0, 0, 1, 0]


def test_a_pull_cord_is_told_from_a_pendant() -> None:
    """Where to run differs."""
    (told,) = _told(_message("Bath cord", {"action": "on"}), setup=Setup(pull_cords=frozenset({"Bath cord"})))

    assert _said(told) == [("pull_cord_alarm", 1.0)]


def test_a_sensor_that_never_says_that_it_ended_is_heard_each_time() -> None:
    """Some motion sensors speak only when they see someone; each time is a movement."""
    seen = [_message("Porch", {"occupancy": True}, minute=m) for m in (0, 3, 9)]

    assert [len(t) for t in _told(*seen, setup=Setup(retriggers=frozenset({"Porch"})))] == [1, 1, 1]


def test_an_unchanged_measurement_is_a_reading_every_half_hour() -> None:
    """A cold room that stays as cold is still being measured."""
    minutes = [0, 10, 29, 30, 45, 60]
    told = _told(*(_message("Climate", {"temperature": 14.0}, minute=m) for m in minutes))

    assert [len(t) for t in told] == [1, 0, 0, 1, 0, 1]


def test_after_a_restart_a_repeated_state_is_no_event() -> None:
    """A door report after a restart would otherwise be a resident at the door."""
    state = State.after({(SensorId("Door"), "open"): 0.0, (SensorId("Door"), "pendant_alarm"): 1.0})
    told = _told(
        _message("Door", {"contact": True, "linkquality": 9}), _message("Door", {"contact": False}), state=state
    )

    assert [_said(t) for t in told] == [[("link_quality", 9.0)], [("open", 1.0)]]


def test_what_waited_at_the_broker_counts_only_if_it_is_an_alarm() -> None:
    """A movement of three hours ago, stamped with now, would hide three hours of stillness."""
    told = _told(
        _message("Hall", {"occupancy": True, "linkquality": 80}, is_late=True),
        _message("Bedside button", {"action": "single"}, is_late=True),
    )

    assert [_said(t) for t in told] == [[], [("pendant_alarm", 1.0)]]


def test_a_mains_plugs_volts_are_not_a_battery() -> None:
    """230 would be a flat battery in millivolts."""
    (told,) = _told(_message("Kettle", {"power": 2000, "voltage": 230, "state": "ON"}))

    assert _said(told) == [("power_w", 2000.0)]


def test_a_lone_attribute_is_passed_over_but_a_lone_action_is_heard() -> None:
    """Zigbee2MQTT may be set to send each attribute on a topic of its own; a press must count even so."""
    told = _told(
        _message("Bedside button/action", b"single"),
        _message("Bedside button/action", b""),
        _message("anything/action", b"emergency"),
        _message("anything/action", b"toggle"),
    )

    assert [_said(t) for t in told] == [[("pendant_alarm", 1.0)], [], [("pendant_alarm", 1.0)], []]


def test_a_home_with_too_many_devices_still_calls_for_help() -> None:
    """A neighbour's broken bridge must not fill the hub's memory, nor silence the pendant."""
    state = State()
    for number in range(DEVICES_MAX + 50):
        state = zigbee2mqtt.hear(state, _message(f"d{number}", {"occupancy": True}), Setup()).state
    heard = zigbee2mqtt.hear(state, _message("pendant 9", {"action": "on", "occupancy": True}), Setup())

    assert len({sensor for sensor, _ in state.last}) == DEVICES_MAX
    assert _said(heard.observations) == [("pendant_alarm", 1.0)]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_words = st.sampled_from(
    [
        "occupancy", "contact", "action", "battery", "voltage", "power", "linkquality", "smoke", "sos",
        "temperature", "fall_down_status", "presence", "tamper", "illuminance",
    ]
)  # fmt: skip
_payloads = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(_words | st.text(max_size=12), _json, max_size=8).map(lambda d: json.dumps(d).encode()),
)
_topics = st.one_of(
    st.text(max_size=40),
    st.text(max_size=30).map(lambda t: f"zigbee2mqtt/{t}"),
    st.sampled_from(["bridge/devices", "bridge/state", "pendant", "a/action", "x/set"]).map(
        lambda t: f"zigbee2mqtt/{t}"
    ),
)


def _listed(*devices: tuple[str, str], setup: Setup = PENDANTS, state: State | None = None) -> State:
    """Return the state after Zigbee2MQTT listed these devices, each a name and an address."""
    payload = json.dumps([{"friendly_name": name, "ieee_address": address} for name, address in devices]).encode()
    message = _message("bridge/devices", payload, is_retained=True)
    return zigbee2mqtt.hear(state or State(), message, setup).state


def test_what_zigbee2mqtt_remembers_at_its_start_is_no_sign_that_a_sensor_lives() -> None:
    """A sensor that died a fortnight ago was seen as dead only after the next restart (Zigbee2MQTT #27652)."""
    online, cached = b'{"state":"online"}', {"occupancy": False, "temperature": 19.5, "linkquality": 80}
    told = _told(
        _message("bridge/state", online),
        _message("Hall", cached, minute=0.1),
        _message("Hall", {**cached, "occupancy": True}, minute=0.2),  # a change is news all the same
        _message("Bath smoke", {"smoke": True}, minute=0.2),
        _message("Hall", cached | {"occupancy": True}, minute=1),
    )

    assert [_said(t) for t in told] == [[], [], [("movement", 1.0)], [("smoke_alarm", 1.0)], [("link_quality", 80.0)]]


def test_a_renamed_device_is_not_opened_by_its_new_name() -> None:
    """A door that has stood open is no sign of life because somebody tidied up the names."""
    state = _listed(("Door", "0x1"), ("Hall", "0x2"))
    state = zigbee2mqtt.hear(state, _message("Door", {"contact": False, "linkquality": 7}), PENDANTS).state
    state = _listed(("Front door", "0x1"), ("Hall", "0x2"), state=state)
    (told,) = _told(_message("Front door", {"contact": False, "linkquality": 9}), state=state)

    assert _said(told) == [("link_quality", 9.0)]
    assert not [sensor for sensor, _ in state.last if sensor == "Door"]


def test_two_devices_that_swapped_names_keep_what_each_said() -> None:
    """The bathroom's door must not be opened by the kitchen's."""
    state = _listed(("A", "0x1"), ("B", "0x2"))
    state = zigbee2mqtt.hear(state, _message("A", {"contact": False}), PENDANTS).state
    state = zigbee2mqtt.hear(state, _message("B", {"contact": True}), PENDANTS).state
    state = _listed(("B", "0x1"), ("A", "0x2"), state=state)

    assert {str(sensor): said.value for (sensor, _), said in state.last.items()} == {"B": 1.0, "A": 0.0}


@pytest.mark.parametrize(
    "said", [{"click": "single"}, {"action": "single", "click": "single"}, {"action": "", "click": 1}]
)
def test_an_old_releases_click_is_one_press(said: dict[str, Any]) -> None:
    """Hubs are not updated every year, and the press must count even so, once."""
    (told,) = _told(_message("Bedside button", said))

    assert _said(told) == [("pendant_alarm", 1.0)]


@pytest.mark.parametrize(
    ("action", "calls"),
    [("on", False), ("toggle", False), ("emergency", True), ("sos_press", True), ("panic", True), ("fall", False)],
)
def test_a_light_switch_calls_only_with_a_word_that_says_so(action: str, calls: bool) -> None:
    """Whatever the installer named it: a switch's `on` is the light, and its `emergency` is not."""
    setup = Setup(switches=frozenset({"Pendant light switch"}))
    (told,) = _told(_message("Pendant light switch", {"action": action}), setup=setup)

    assert bool(told) is calls


def test_what_a_smoke_alarm_says_that_nobody_can_read_is_an_alarm() -> None:
    """It is there for one thing."""
    payload = (FRAMES / "definitions.json").read_bytes()
    listed = zigbee2mqtt.hear(State(), _message("bridge/devices", payload), Setup()).state
    told = _told(_message("Kitchen smoke", b"{smo"), _message("Weather", b"{tem"), state=listed, setup=Setup())

    assert [_said(t) for t in told] == [[("unknown_alarm", 1.0)], []]


def test_a_property_that_the_listing_lacks_is_heard_by_its_name() -> None:
    """A converter that forgot to list `smoke` must not silence it."""
    state = _listed(("Kitchen", "0x1"))
    (told,) = _told(_message("Kitchen", {"smoke": True, "nonsense": 4}), state=state)

    assert _said(told) == [("smoke_alarm", 1.0)]


def test_an_appliance_is_switched_on_and_off_but_does_not_flicker() -> None:
    """A television in standby is nobody at home; one whose picture darkens is not switched off and on."""
    watts = [1.2, 9.0, 85.0, 9.0, 8.0, 7.9, 9.0, 10.0]
    told = _told(
        *(_message("TV", {"power": w}, minute=m) for m, w in enumerate(watts)),
        setup=Setup(appliances=frozenset({"TV"})),
    )

    assert [[v for q, v in _said(t) if q == "power_on"] for t in told] == [[], [], [1.0], [], [], [0.0], [], [1.0]]


def test_a_plug_that_is_no_appliance_is_no_sign_of_life() -> None:
    """A fridge switches itself on all night."""
    (told,) = _told(_message("Fridge", {"power": 90.0}))

    assert _said(told) == [("power_w", 90.0)]


def test_of_two_zones_either_is_enough() -> None:
    """A second probe that stays dry must not hide the first."""
    told = _told(
        _message("Sink", {"water_leak_alarm_1": False, "water_leak_alarm_2": True}),
        _message("Room", {"occupancy_1": True, "occupancy_2": False}),
    )

    assert [_said(t) for t in told] == [[("water_alarm", 1.0)], [("movement", 1.0)]]


def test_a_full_home_still_hears_a_fire() -> None:
    """The bound on what is remembered is none on what is told."""
    state = State(last={(SensorId(f"d{n}"), Quantity.MOVEMENT): zigbee2mqtt.Said(1.0) for n in range(DEVICES_MAX)})
    (told,) = _told(_message("One more", {"smoke": True}), state=state)

    assert _said(told) == [("smoke_alarm", 1.0)]


@given(
    st.sampled_from([{"action": "emergency"}, {"smoke": True}, {"sos": "ON"}, {"water_leak": 1}, {"click": "sos"}]),
    st.dictionaries(_words | st.text(max_size=8), _json, max_size=6),
    st.booleans(),
)
def test_nothing_that_is_said_beside_it_hides_a_call_for_help(
    call: dict[str, Any], beside: dict[str, Any], is_late: bool
) -> None:
    """One strange property must not cost a life."""
    (told,) = _told(_message("Any device", {**beside, **call}, is_late=is_late), setup=Setup())

    assert [o for o in told if o.quantity in ALARMS]


@given(st.lists(st.tuples(_topics, _payloads, st.booleans()), max_size=12))
@example([("zigbee2mqtt/x", b'{"temperature":1' + b"0" * 400 + b"}", False)])
@example([("zigbee2mqtt/x", b'{"linkquality":1' + b"0" * 400 + b"}", False)])
@example([("zigbee2mqtt/bridge/devices", b'[{"friendly_name":"a","definition":{"exposes":[{"features":[1]}]}}]', True)])
def test_no_bytes_stop_the_hub_and_all_that_comes_of_them_fits_the_wire(
    messages: list[tuple[str, bytes, bool]],
) -> None:
    """One broken device must not take the others' readings with it."""
    state = State()
    for topic, payload, is_retained in messages:
        heard: Heard = zigbee2mqtt.hear(state, Message(topic, payload, is_retained, NOON, 0), PENDANTS)
        state = heard.state
        assert not (is_retained and heard.observations)
        for observed in heard.observations:
            assert is_sensor_id(observed.sensor)
            assert abs(observed.value) < float("inf")
            assert len(f"{observed.sensor}/{observed.quantity}") <= 128


@given(st.text(min_size=0, max_size=150))
@example("pendant Küche/links")
@example("/")
@example("")
@example("x" * 200)
def test_every_friendly_name_has_a_name_on_the_wire(name: str) -> None:
    """A device that someone called `Omas Zimmer 🛏` must not be mute for it."""
    assert is_sensor_id(sensor_id(name))


@given(st.text(max_size=60), st.text(max_size=60))
@example("a b", "a_b")
@example("x:", "x::")
@example("Küche", "K:c3bc:che")
@example("a/", "a:2f:")
@example("_", "x:_")
@example("_a", "x:_a")
def test_two_friendly_names_never_become_one(one: str, other: str) -> None:
    """Two sensors under one name would each vouch for the other's silence."""
    assert (sensor_id(one) == sensor_id(other)) == (one == other)


def test_long_names_that_begin_alike_stay_apart() -> None:
    """Names are cut to fit; what is cut off still counts."""
    assert sensor_id("a" * 100 + "1") != sensor_id("a" * 100 + "2")


def test_plain_names_stay_readable() -> None:
    """Whoever reads a log at night should recognise the sensor."""
    assert sensor_id("Front door") == "Front_door"
    assert sensor_id("kitchen/fridge-door") == "kitchen/fridge-door"

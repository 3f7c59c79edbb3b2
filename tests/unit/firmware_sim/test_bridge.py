"""Are these the bytes that the real Zigbee2MQTT publishes?

The files in tests/contract/zigbee2mqtt were made by the real converters and serialiser; the gateway's adapter is
tested on the same ones.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bridge import OFFLINE, OFFLINE_AFTER, ONLINE, Bridge, devices_payload, stable_json
from firmware_sim.happening import Happening, What
from firmware_sim.models import MODELS, Kind
from firmware_sim.sensors import Said, SensorSpec, Why, sensor_from

CONTRACT = Path(__file__).parents[2] / "contract" / "zigbee2mqtt"
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def real_devices() -> dict[str, dict[str, Any]]:
    """Return model -> its record in the real `bridge/devices`."""
    lines = lines_of(CONTRACT / "bridge.json") + lines_of(CONTRACT / "bridge-wide.json")
    payloads = [json.loads(it["payload"]) for it in lines if it["topic"].endswith("/devices")]
    return {device["definition"]["model"]: device for them in payloads for device in them if "definition" in device}


def recorded() -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield model, friendly name and messages of each recorded product that we play."""
    model_of = {device["friendly_name"]: model for model, device in real_devices().items()}
    for path in sorted(CONTRACT.glob("*_*.json")):
        messages = lines_of(path)
        name = messages[-1]["topic"].removeprefix("zigbee2mqtt/")
        if model_of[name] in MODELS:
            yield model_of[name], name, messages


RECORDED = list(recorded())


def bridge(*sensors: SensorSpec, qos: int = 0, cached: dict[str, dict[str, Any]] | None = None) -> Bridge:
    return Bridge("h1", sensors, qos=qos, cached=cached or {}, heard_at={}, now=NINE)


def test_every_product_that_we_play_was_recorded() -> None:
    """A product without recorded bytes would be our own idea of it."""
    assert {model for model, _, _ in RECORDED} == set(MODELS)


@pytest.mark.parametrize(("model", "name", "messages"), RECORDED, ids=[it[0] for it in RECORDED])
def test_given_the_same_news_the_bytes_are_the_recorded_ones(
    model: str, name: str, messages: list[dict[str, Any]]
) -> None:
    """Cache, order of keys, numbers, QoS and retain: an adapter that reads ours must read the real ones."""
    spec = SensorSpec(name, MODELS[model].kind, "", model)
    played = bridge(spec)
    before: dict[str, Any] = {}
    assert messages[0]["topic"].endswith("/availability")
    for real in messages[1:]:
        state = json.loads(real["payload"])
        news = {key: value for key, value in state.items() if key != "linkquality" and before.get(key) != value}
        before = {key: value for key, value in state.items() if not key.startswith("action")}

        (ours,) = played.hears(Said(NINE, name, Why.CHECK_IN, news))

        same_link = json.loads(ours.payload) | {"linkquality": state["linkquality"]}
        assert same_link.pop("last_seen") == "2026-03-02T09:00:00.000Z"  # Switched on at ours, not in the recording.
        assert len(json.loads(ours.payload)) == len(same_link) + 1
        assert stable_json(same_link) == real["payload"]
        assert ours.payload == stable_json(json.loads(ours.payload))
        assert (ours.topic, ours.qos, ours.retain) == (real["topic"], real["qos"], real["retain"])


@pytest.mark.parametrize("model", MODELS)
def test_a_device_is_listed_as_the_real_one_is(model: str) -> None:
    """What a property means is read from `exposes`; only address and name are a home's own."""
    (_, ours) = devices_payload("h1", [SensorSpec("it", MODELS[model].kind, "", model)])

    own = {"ieee_address", "network_address", "friendly_name"}
    real = real_devices()[model]
    assert {k: v for k, v in ours.items() if k not in own} == {k: v for k, v in real.items() if k not in own}
    assert ours["friendly_name"] == "it"
    assert len(ours["ieee_address"]) == len(real["ieee_address"])


@pytest.mark.parametrize("model", MODELS)
def test_a_sensor_says_only_what_its_product_exposes_and_everything_it_was_recorded_to_say(model: str) -> None:
    """A property that the real thing does not have would be tested for nothing, and a missing one never."""
    spec = SensorSpec("it", MODELS[model].kind, "here", model)
    sensor = sensor_from(spec, seed="1", since=NINE)
    said: dict[str, Any] = dict(MODELS[model].steady)
    for what in What:
        room = "it" if what is What.PENDANT_PRESSED else "here"
        heard = sensor.meets(Happening(NINE, what, room), now=NINE)
        said |= heard.news if heard else {}
    for _ in range(48):
        said |= sensor.falls_due(now=sensor.due_at).news

    exposes = {it["property"]: it for it in real_devices()[model]["definition"]["exposes"] if "property" in it}
    messages = next(messages for it, _, messages in RECORDED if it == model)
    recorded_keys = {key for real in messages[1:] for key in json.loads(real["payload"])} - {"linkquality"}
    assert recorded_keys - set(said) <= {"action_rate"}
    for key, value in said.items():
        # These Aqara counters are published and not exposed.
        assert key in exposes or key in recorded_keys
        if "values" in exposes.get(key, {}):
            assert value in exposes[key]["values"]


def test_the_bridge_says_who_it_is_in_the_real_words() -> None:
    """The gateway's own watch over the equipment hangs on these two messages."""
    states = [it for it in lines_of(CONTRACT / "bridge.json") if it["topic"] == "zigbee2mqtt/bridge/state"]

    assert [(ONLINE.topic, ONLINE.payload, ONLINE.retain)] == [
        (it["topic"], it["payload"], it["retain"]) for it in states if "online" in it["payload"]
    ]
    assert (OFFLINE.topic, OFFLINE.payload, OFFLINE.retain) in [
        (it["topic"], it["payload"], it["retain"]) for it in states
    ]


def test_after_its_own_start_the_old_states_are_sent_again_and_no_press_among_them() -> None:
    """This is how a hub's restart looks like movement to somebody who does not know it."""
    pir = SensorSpec("hall", Kind.MOTION, "hallway", "SNZB-03")
    pendant = SensorSpec("pendant", Kind.PENDANT, "", "TS0215A_sos")
    cached: dict[str, dict[str, Any]] = {
        "hall": {"occupancy": True, "battery": 90, "linkquality": 80},
        "pendant": {"action": "emergency", "battery": 70, "linkquality": 80},
    }

    said = bridge(pir, pendant, cached=cached).starts(now=NINE)

    assert [it.why for it in said] == ["bridge", "bridge", "availability", "availability", "cached", "cached"]
    assert json.loads(said[4].payload)["occupancy"] is True
    assert set(json.loads(said[5].payload)) == {"battery", "linkquality", "last_seen"}
    assert not any(it.is_alarm for it in said)


def test_a_sensor_is_given_up_after_25_hours_and_taken_back_with_its_first_word() -> None:
    """Zigbee2MQTT notices a dead battery a day late, which is why nobody should wait for it."""
    pir = SensorSpec("hall", Kind.MOTION, "hallway", "SNZB-03")
    it = bridge(pir)
    said = it.hears(Said(NINE, "hall", Why.CHECK_IN, {}))

    almost = it.looks_after_itself(now=NINE + OFFLINE_AFTER - timedelta(seconds=1))
    gone = it.looks_after_itself(now=NINE + OFFLINE_AFTER)
    back = it.hears(Said(NINE + OFFLINE_AFTER, "hall", Why.CHECK_IN, {}))

    assert [one.topic for one in said] == ["zigbee2mqtt/hall"]
    assert [one for one in almost if one.why == "availability"] == []
    assert [(one.topic, one.payload, one.qos, one.retain) for one in gone if one.why == "availability"] == [
        ("zigbee2mqtt/hall/availability", '{"state":"offline"}', 1, True)
    ]
    assert [one.why for one in back] == ["availability", "check-in"]
    assert back[0].payload == '{"state":"online"}'


def test_its_health_is_published_every_ten_minutes_with_each_sensors_count() -> None:
    """It is the only sign of life of Zigbee2MQTT itself while nobody moves."""
    it = bridge(SensorSpec("hall", Kind.MOTION, "hallway", "SNZB-03"))
    it.hears(Said(NINE, "hall", Why.CHECK_IN, {}))

    early = it.looks_after_itself(now=NINE + timedelta(minutes=9))
    due = it.looks_after_itself(now=NINE + timedelta(minutes=10))

    assert early == []
    (health,) = due
    assert (health.topic, health.qos, health.retain) == ("zigbee2mqtt/bridge/health", 1, True)
    (device,) = json.loads(health.payload)["devices"].values()
    assert device["messages"] == 1
    real = next(line for line in lines_of(CONTRACT / "bridge.json") if line["topic"] == health.topic)
    assert list(json.loads(health.payload)) == list(json.loads(real["payload"]))
    assert list(device) == list(next(iter(json.loads(real["payload"])["devices"].values())))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXYZ_1", max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_stable_json_says_what_it_was_given(value: object) -> None:
    """A serialiser of our own must not change what is meant."""
    assert json.loads(stable_json(value)) == value

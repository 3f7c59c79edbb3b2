"""Is what the diary says what a real broker carried, whatever is killed?"""

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from firmware_sim.happening import TRUTHS
from tests.integration.firmware_sim.conftest import Heard, HomeBroker, Street, wait_until

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_every_message_of_the_diary_was_heard_once_and_nothing_else(
    street: Street, listen: Callable[[], Heard]
) -> None:
    """The diary is what the platform is counted against, so it is counted first."""
    heard = listen()
    street.set_clock(NINE, speed=600)
    street.start()
    assert wait_until(lambda: len(street.messages()) > 60)

    assert street.ends_with(signal.SIGTERM) == 0

    written = [(it["topic"], it["payload"]) for it in street.messages() if not it["topic"].endswith("/devices")]
    assert wait_until(lambda: len(heard.messages) >= len(written) + 1)
    assert [(topic, payload) for topic, payload, _, _ in heard.messages if not topic.endswith("/devices")] == written
    assert [it["serial"] for it in street.messages()] == list(range(1, len(street.messages()) + 1))
    assert set(street.fates()) == {it["serial"] for it in street.messages()}
    assert all(
        fate == ("acknowledged" if it["qos"] else "sent")
        for it, fate in zip(street.messages(), (street.fates()[it["serial"]] for it in street.messages()), strict=True)
    )


def test_who_listens_later_is_told_what_is_retained_and_no_old_movement(
    street: Street, listen: Callable[[], Heard]
) -> None:
    """A hub that restarts must find the list of devices, and must not find a press."""
    street.set_clock(NINE, speed=600)
    street.start()
    assert street.post("/homes/h1/press")[0] == 200
    assert wait_until(lambda: len(street.messages()) > 40)

    heard = listen()

    expected = {"zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/pendant/availability"}
    assert wait_until(lambda: expected <= {it[0] for it in list(heard.messages)})
    # What is said now comes after what was kept, so by then all that was kept has come.
    assert wait_until(lambda: any(not it[3] for it in list(heard.messages)))
    retained = {topic for topic, _, _, is_retained in list(heard.messages) if is_retained}
    assert expected <= retained
    assert not {"zigbee2mqtt/pendant", "zigbee2mqtt/hallway-motion"} & retained
    (devices,) = heard.of("zigbee2mqtt/bridge/devices")
    assert [it["friendly_name"] for it in devices][-2:] == ["front-door", "pendant"]


def test_what_nobody_will_hear_of_is_said_to_whoever_orders_it(street: Street) -> None:
    """A newcomer who lets it smoke, and hears of nothing, concludes that smoke alarms do not work."""
    street.set_clock(NINE, speed=1)
    street.start()

    answers = [street.post(f"/homes/h1/{order}") for order in ("smoke", "leak", "heating-fails", "press")]

    assert [status for status, _ in answers] == [200] * 4
    assert [answer.get("note") for _, answer in answers] == [
        *(
            f"this home has no sensor of kind {kind}, so nobody will hear of it"
            for kind in ("smoke", "water", "climate")
        ),
        None,
    ]


def test_a_press_is_on_the_radio_at_once_and_on_the_disk_before(street: Street, listen: Callable[[], Heard]) -> None:
    """The demo's button, and every chaos test's, is this order."""
    heard = listen()
    street.set_clock(NINE, speed=1)
    street.start()

    status, answer = street.post("/homes/h1/press")

    assert status == 200
    assert wait_until(lambda: any("action" in it for it in heard.of("zigbee2mqtt/pendant")))
    (press,) = [it for it in street.messages() if it["alarm"]]
    assert press["serial"] == answer["serial"]
    assert press["what"] == {"action": "emergency"}
    order = next(number for number, it in enumerate(street.lines()) if it.get("order") == "press")
    assert order < next(number for number, it in enumerate(street.lines()) if it.get("alarm"))
    assert wait_until(lambda: street.fates().get(press["serial"]) == "acknowledged")


def test_orders_are_obeyed_refused_or_unknown_in_plain_words(street: Street) -> None:
    """A test that ordered something impossible must fail there and not much later."""
    street.set_clock(NINE, speed=60)
    street.start()

    assert street.post("/homes/h1/collapse")[0] == 200
    assert street.post("/homes/h1/out") == (409, {"error": "cannot out while lying"})
    assert street.post("/homes/h2/press")[0] == 404
    assert street.post("/homes/h1/dance")[0] == 404
    assert street.post("/homes/h1/sensors/loft/battery-dies")[0] == 404
    assert street.post("/homes/h1/sensors/hallway-motion/battery-dies")[0] == 200
    assert street.post("/elsewhere")[0] == 404
    assert [it["order"] for it in street.lines() if "order" in it] == ["collapse", "battery-dies"]


def test_a_killed_simulator_goes_on_where_it_stopped_without_repeating_a_serial(
    street: Street, listen: Callable[[], Heard]
) -> None:
    """It is killed in the chaos tests like everything else, and must not be what they find."""
    heard = listen()
    street.set_clock(NINE, speed=600)
    street.start()
    street.post("/homes/h1/collapse")
    assert wait_until(lambda: len(street.messages()) > 30)
    street.ends_with(signal.SIGKILL)
    street.set_clock(speed=0.001)
    before = street.messages()

    street.set_clock(speed=600)
    street.start()
    assert street.ready["homes"]["h1"]["whereabouts"] == "lying"
    assert wait_until(lambda: len(street.messages()) > len(before) + 12)
    street.ends_with(signal.SIGTERM)

    serials = [it["serial"] for it in street.messages()]
    assert serials == list(range(1, len(serials) + 1))
    moments = [it["at_ms"] for it in street.messages() if it["what"] is not None and it["why"] != "cached"]
    assert moments == sorted(set(moments))
    assert not [it for it in street.messages()[len(before) :] if it["why"] == "movement"]
    # The broker said it for us the first time; the second time we said it ourselves.
    assert wait_until(lambda: heard.of("zigbee2mqtt/bridge/state")[-1:] == [{"state": "offline"}])
    states = [it["state"] for it in heard.of("zigbee2mqtt/bridge/state")]
    assert states == ["online", "offline", "online", "offline"]


def test_while_the_broker_is_away_messages_are_lost_and_said_to_be(
    street: Street, home_broker: HomeBroker, listen: Callable[[], Heard]
) -> None:
    """Zigbee2MQTT keeps nothing for later; what the hub never took in is listed apart."""
    street.set_clock(NINE, speed=600)
    street.start()
    assert wait_until(lambda: len(street.messages()) > 20)
    home_broker.kill()
    assert wait_until(lambda: "lost" in street.fates().values())
    street.set_clock(speed=1)
    home_broker.start()
    heard = listen()
    assert wait_until(street.is_connected)
    street.set_clock(speed=600)
    count = len(street.messages())
    assert wait_until(lambda: len(street.messages()) > count + 20)
    street.ends_with(signal.SIGTERM)

    fates = street.fates()
    assert set(fates) == {it["serial"] for it in street.messages()}
    heard_since = [json.dumps(payload) for _, payload, _, _ in heard.messages]
    for it in street.messages()[count:]:
        assert fates[it["serial"]] in ("acknowledged", "sent")
        assert json.dumps(it["payload"]) in heard_since
    lost = [it["serial"] for it in street.messages() if fates[it["serial"]] == "lost"]
    assert lost
    assert max(lost) <= count


def test_a_clock_that_leaps_ahead_plays_only_the_last_quarter_of_an_hour(street: Street) -> None:
    """Three days of radio in a second is no life; what was left out must be known to have been."""
    street.set_clock(NINE, speed=1)
    street.start()
    assert street.post("/homes/h1/collapse")[0] == 200
    leap_to = NINE + timedelta(days=3)

    street.set_clock(leap_to, speed=1)

    assert wait_until(lambda: any("skipped_until" in it for it in street.lines()))
    assert wait_until(lambda: street.messages()[-1]["at_ms"] > (leap_to - timedelta(minutes=15)).timestamp() * 1000)
    (leap,) = [it for it in street.lines() if "skipped_until" in it]
    until_ms = leap["skipped_until_ms"]
    assert abs(until_ms - (leap_to - timedelta(minutes=15)).timestamp() * 1000) < 60_000
    after = [it["at_ms"] for it in street.messages() if it["at_ms"] > leap["skipped_from_ms"]]
    assert all(at_ms > until_ms for at_ms in after)
    assert not [it for it in street.messages() if it["at_ms"] in after and it["why"] == "movement"]
    assert street.ends_with(signal.SIGINT) == 0


def test_it_stops_within_seconds_when_no_broker_was_ever_there(street: Street, home_broker: HomeBroker) -> None:
    """A launcher that cannot stop its children has to kill them, and then nothing is said properly."""
    home_broker.kill()
    street.set_clock(NINE, speed=600)
    street.start()
    assert street.ready["homes"]["h1"]["connected"] is False
    assert wait_until(lambda: len(street.messages()) > 5)

    assert street.ends_with(signal.SIGTERM) == 0

    assert set(street.fates().values()) == {"lost"}
    home_broker.start()


def test_a_power_cut_is_the_last_will_then_nothing_then_a_start_from_the_beginning(
    street: Street, listen: Callable[[], Heard]
) -> None:
    """Who watches the radio hears no good-bye, and what the sensors said in the dark is lost and written down."""
    heard = listen()
    street.set_clock(NINE, speed=600)
    street.start()
    assert wait_until(lambda: len(street.messages()) > 20)

    assert street.post("/homes/h1/power-cut")[0] == 200
    cut_at = len(street.messages())
    assert wait_until(lambda: heard.of("zigbee2mqtt/bridge/state")[-1:] == [{"state": "offline"}])
    assert wait_until(lambda: len(street.messages()) > cut_at + 10)
    lists = len(heard.of("zigbee2mqtt/bridge/devices"))
    assert street.post("/homes/h1/power-cut") == (409, {"error": "cannot power-cut: it is so already"})
    assert street.post("/homes/h1/power-back")[0] == 200

    assert wait_until(lambda: heard.of("zigbee2mqtt/bridge/state")[-1:] == [{"state": "online"}])
    assert wait_until(lambda: len(heard.of("zigbee2mqtt/bridge/devices")) == lists + 1)
    assert wait_until(street.is_connected)
    in_the_dark = [it["serial"] for it in street.messages()[cut_at : cut_at + 10]]
    assert {street.fates()[serial] for serial in in_the_dark} == {"lost"}
    assert {it["life"] for it in street.lines() if "life" in it} <= {what.value for what in TRUTHS}

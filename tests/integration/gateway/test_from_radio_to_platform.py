"""What the equipment says reaches the platform once, over real brokers, whatever breaks in between."""

import json

import pytest

from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, Equipment, LocalBroker, RunningHub, wait_until
from tests.world.broker import PlatformBroker


def _is_quiet(hub: RunningHub) -> bool:
    return hub.status.platform_up and hub.status.held_readings == 0 and hub.status.held_alarms == 0


def _is_stored(hub: RunningHub, platform: Platform, readings: int) -> bool:
    """Return whether the platform has so many readings, and the hub knows it."""
    return len(platform.values(HUB, "readings")) == readings and _is_quiet(hub)


def _moves(equipment: Equipment, times: int) -> None:
    for _ in range(times):
        equipment.says("hall", {"occupancy": True, "linkquality": 80})
        equipment.says("hall", {"occupancy": False, "linkquality": 80})


def test_a_movement_and_a_press_arrive_once_each(hub: RunningHub, platform: Platform, equipment: Equipment) -> None:
    """The plain day: nothing else matters if this does not work."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _moves(equipment, 3)
    equipment.says("pendant-1", {"action": "emergency", "battery": 90, "linkquality": 70})
    wait_until(lambda: len(platform.values(HUB, "readings")) == 7 and len(platform.values(HUB, "alarms")) == 1)

    assert platform.values(HUB, "alarms") == [("pendant-1/pendant_alarm", 1.0)]
    assert [v for n, v in platform.values(HUB, "readings") if n == "hall/movement"] == [1.0, 0.0] * 3
    wait_until(lambda: _is_quiet(hub))
    assert platform.links[-1] is True


def test_a_hub_asks_before_it_sends(hub: RunningHub, platform: Platform, equipment: Equipment) -> None:
    """A hub that sends first could have its readings taken for others' of an old card."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _moves(equipment, 1)
    wait_until(lambda: "readings" in platform.order)

    assert platform.order.index("ask") < platform.order.index("readings")


def test_while_the_platform_is_mute_everything_is_kept(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """A broker's PUBACK proves nothing: only `stored through` lets the hub call a reading stored."""
    platform.is_mute = True
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _moves(equipment, 2)
    wait_until(lambda: hub.status.held_readings == 4)
    assert platform.packs == []  # Its question was not answered, so it sent nothing.
    platform.is_mute = False

    wait_until(lambda: _is_stored(hub, platform, 4))


def test_lost_packs_are_sent_again_until_there_is_no_hole(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """Every third pack is lost behind the broker's PUBACK, and still nothing is missing or doubled."""
    platform.hears = lambda count: count % 3 != 1
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _moves(equipment, 8)

    wait_until(lambda: _is_stored(hub, platform, 16), within_s=60)
    assert platform.lost == []


def test_a_hub_restart_loses_and_doubles_nothing(hub: RunningHub, platform: Platform, equipment: Equipment) -> None:
    """What the equipment said while the gateway was restarting waits at the home's own broker."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _moves(equipment, 2)
    wait_until(lambda: _is_stored(hub, platform, 4))

    hub.stop()
    _moves(equipment, 2)
    equipment.says("pendant-1", {"action": "emergency"})
    hub.start()

    wait_until(lambda: len(platform.values(HUB, "readings")) == 8 and len(platform.values(HUB, "alarms")) == 1)
    assert platform.links[-3:] == [True, False, True]


def test_a_broker_that_loses_its_disk_costs_nothing(
    hub: RunningHub, platform: Platform, equipment: Equipment, broker: PlatformBroker
) -> None:
    """Nothing depends on the broker's memory or disk."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _moves(equipment, 3)
    wait_until(lambda: _is_stored(hub, platform, 6))

    broker.kill()
    broker.wipe()
    _moves(equipment, 3)
    wait_until(lambda: hub.status.held_readings == 6)
    broker.start()

    wait_until(lambda: _is_stored(hub, platform, 12), within_s=60)


def test_hubs_heal_a_server_that_was_restored_from_an_older_backup(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """What the backup lacks is still on the hub, and goes there again under its own numbers."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _moves(equipment, 2)
    wait_until(lambda: _is_stored(hub, platform, 4))
    backup = dict(platform.through)
    _moves(equipment, 4)
    wait_until(lambda: _is_stored(hub, platform, 12))

    platform.restore(backup)
    _moves(equipment, 1)

    wait_until(lambda: len(platform.values(HUB, "readings")) == 14)
    assert platform.lost == []


def test_an_alarm_that_is_not_stored_is_said_aloud_once(
    hub: RunningHub, platform: Platform, equipment: Equipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone in the home can still be asked for help when the outside cannot."""
    monkeypatch.setattr("gateway.publisher.ALOUD_AFTER_S", 0.5)
    platform.is_mute = True
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    equipment.says("pendant-1", {"action": "emergency"})
    wait_until(lambda: bool(equipment.heard))
    platform.is_mute = False
    wait_until(lambda: _is_quiet(hub))

    assert [topic for topic, _ in equipment.heard] == ["telecare/local/alarm"]
    assert json.loads(equipment.heard[0][1])["quantity"] == "pendant_alarm"


def test_a_retained_press_is_no_alarm(
    hub: RunningHub, platform: Platform, equipment: Equipment, local_broker: LocalBroker
) -> None:
    """A broker that kept last week's press must not call anybody today."""
    equipment.says("pendant-1", {"action": "emergency"}, retain=True)
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)

    _moves(equipment, 1)
    wait_until(lambda: len(platform.values(HUB, "readings")) == 2)

    assert platform.values(HUB, "alarms") == []


def test_an_old_card_begins_a_new_outbox_and_marks_what_may_repeat(
    hub: RunningHub, platform: Platform, equipment: Equipment
) -> None:
    """A card put back would give numbers a second time, and the platform would drop new readings as known."""
    hub.start()
    wait_until(lambda: hub.status.platform_up and hub.status.radio_up)
    _moves(equipment, 2)
    wait_until(lambda: _is_stored(hub, platform, 4))
    (key,) = [k for k in platform.through if k[2] == "readings"]
    platform.through[key] += 10  # What this hub sent before its card was put back.

    hub.stop()
    _moves(equipment, 2)
    hub.start()

    wait_until(lambda: len(platform.values(HUB, "readings")) == 8)
    wait_until(lambda: _is_quiet(hub))
    assert hub.status.troubles == ("old card",)
    outboxes = {k[1] for k in platform.through if k[2] == "readings" and platform.records[k]}
    assert len(outboxes) == 2

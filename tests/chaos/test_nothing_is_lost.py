"""Promise P1: what a hub took in is stored exactly once, whatever is killed, frozen, wiped or restored."""

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.lines import Forgetful, twice
from gateway.clock import Anchor, write_anchor
from tests.chaos.world import Backup, Story
from tests.world.broker import PlatformBroker
from tests.world.processes import wait_until


def test_a_quiet_day(story: Story) -> None:
    """The measure itself must hold when nothing is cruel."""
    story.gateway()
    story.ingest()

    story.sensors.say(200, apart_s=0.005)

    story.everything_arrives(within_s=15)
    assert story.sensors.never_taken_in() == set()
    assert story.lost() == 0


def test_ingest_is_killed(story: Story) -> None:
    """Whatever it had read and not committed comes again."""
    story.gateway()
    ingest = story.ingest()

    with story.sensors.speaking():
        assert wait_until(lambda: story.count() > 20)
        ingest.kill()
        story.ingest()
        assert wait_until(lambda: story.count() > 200)

    story.everything_arrives()


def test_the_broker_is_killed_and_its_disk_wiped(story: Story) -> None:
    """Nothing depends on what a broker remembers."""
    story.gateway()
    story.ingest()

    with story.sensors.speaking():
        assert wait_until(lambda: story.count() > 20)
        assert isinstance(story.broker, PlatformBroker)
        story.broker.kill()
        story.broker.wipe()
        story.broker.start()
        assert wait_until(lambda: story.count() > 200)

    story.everything_arrives()


def test_the_database_is_killed(story: Story) -> None:
    """What it acknowledged it has; what it did not comes again."""
    story.gateway()
    ingest = story.ingest()

    with story.sensors.speaking():
        assert wait_until(lambda: story.count() > 20)
        story.database.server.kill()
        assert wait_until(lambda: not ingest.is_ready())
        story.database.server.start()
        assert wait_until(lambda: story.count() > 200)

    story.everything_arrives()
    assert story.lost() == 0


def test_the_database_comes_back_from_an_older_backup(story: Story, open_folder: Path) -> None:
    """Hubs heal the server: it answers an older number, and they send again from there, for 30 days."""
    gateway, ingest = story.gateway(), story.ingest()
    story.sensors.say(100, apart_s=0.005)
    story.everything_arrives()
    backup = Backup(story.database.server, open_folder / "backup")
    story.sensors.say(100, apart_s=0.005)
    story.everything_arrives()

    backup.restore()

    assert story.count() < 200
    with story.sensors.speaking():
        story.everything_arrives()
    story.everything_arrives()
    assert story.lost() == 0
    assert gateway.pid
    assert ingest.pid


def test_an_older_backup_is_healed_from_a_book_that_is_written_no_more(story: Story, open_folder: Path) -> None:
    """After an old card the hub has two books, and no connection of it breaks when the server is put back.

    `telecare chaos --seed 14` found it: the old book was never asked for again.
    """
    gateway = story.gateway()
    story.ingest()
    story.sensors.say(10, apart_s=0.005)
    story.everything_arrives()
    backup = Backup(story.database.server, open_folder / "backup")
    story.sensors.say(50, apart_s=0.005)
    story.everything_arrives()
    assert gateway.stop() == 0
    old = story.copy_card()
    gateway = story.gateway()
    story.sensors.say(10, apart_s=0.005)
    story.everything_arrives()
    only_on_the_newer_card = set(range(61, 71))
    assert gateway.stop() == 0
    story.put_back(old)
    gateway = story.gateway()
    assert wait_until(lambda: gateway.metric("telecare_gateway_turned_over_total") == 1)
    # What is stored of both books was asked and answered by the time that something new is stored, twice.
    for _ in range(2):
        story.sensors.say(10, apart_s=0.1)
        story.everything_arrives()

    backup.restore()

    story.sensors.say(10, apart_s=0.005)
    story.everything_arrives(but_for=only_on_the_newer_card)
    assert story.lost() == 0


def test_the_hub_is_killed(story: Story) -> None:
    """What is in its outbox is not forgotten; numbers are not used twice."""
    gateway = story.gateway()
    story.sensors.say(50, apart_s=0.005)
    assert wait_until(lambda: gateway.metric("telecare_gateway_kept_total") >= 50)
    gateway.kill()

    gateway = story.gateway()
    story.ingest()
    story.sensors.say(50, apart_s=0.005)

    story.everything_arrives()
    assert gateway.metric("telecare_gateway_kept_total") >= 50


def test_an_old_copy_of_the_hubs_card_is_put_back(story: Story) -> None:
    """Numbers would be used twice: the server notices, the hub begins a new book, and what may repeat is marked."""
    gateway = story.gateway()
    story.ingest()
    story.sensors.say(60, apart_s=0.005)
    story.everything_arrives()
    assert gateway.stop() == 0
    old = story.copy_card()
    gateway = story.gateway()
    story.sensors.say(60, apart_s=0.005)
    story.everything_arrives()
    assert gateway.stop() == 0

    story.put_back(old)
    gateway = story.gateway()
    story.sensors.say(60, apart_s=0.005)

    story.everything_arrives()
    assert wait_until(lambda: gateway.metric("telecare_gateway_turned_over_total") == 1)
    assert wait_until(lambda: "old card" in story.troubles())


def test_the_hubs_disk_is_full(story: Story) -> None:
    """The oldest readings go, alarms never, and each number that is gone is written down as lost."""
    gateway = story.gateway(TELECARE_OUTBOX_BYTES_MAX="120000", TELECARE_OUTBOX_RESERVE_BYTES="100000")
    story.sensors.say(3000)
    taken_in = story.sensors.taken_in()
    assert wait_until(lambda: gateway.metric("telecare_gateway_kept_total") >= len(taken_in), within_s=60)

    story.ingest()

    alarms = {serial for serial in taken_in if serial % 10 == 0}
    assert wait_until(lambda: set(story.stored()) >= alarms and len(story.stored()) + story.lost() >= len(taken_in))
    stored = story.stored()
    assert [serial for serial, times in stored.items() if times > 1] == []
    assert alarms <= set(stored)
    assert story.lost() == len(taken_in) - len(stored) > 0


def test_the_hubs_clock_is_wrong(story: Story) -> None:
    """It came up in the year 2001; what it observes is placed by its uptime, and told as a fault."""
    clock = story.folder / "clock.json"
    write_anchor(clock, Anchor(time.time(), 1_000_000_000.0, 1.0, timedelta(0)))
    began_at = datetime.fromtimestamp(time.time(), UTC)
    story.gateway(TELECARE_CLOCK_FILE=str(clock))
    story.sensors.say(50, apart_s=0.005)
    assert wait_until(lambda: len(story.sensors.taken_in()) == 50)

    story.ingest()

    story.everything_arrives()
    (earliest, latest, uncertain) = story.times()
    assert began_at - timedelta(seconds=1) <= earliest <= latest
    assert latest - earliest < timedelta(seconds=30)
    assert uncertain == 0
    assert "wrong clock" in story.troubles()


def test_every_message_comes_twice(story: Story) -> None:
    """QoS 1 promises at least once."""
    story.gateway(TELECARE_PLATFORM_PORT=str(story.treated_line(twice)))
    ingest = story.ingest()

    story.sensors.say(300, apart_s=0.005)

    story.everything_arrives()
    assert ingest.metric("telecare_ingest_packs_known_total") > 0
    assert len(story.alarms()) == len(set(story.alarms())) == 30


def test_a_broker_acknowledges_what_it_then_loses(story: Story) -> None:
    """A PUBACK proves nothing; only the platform's own word lets a hub forget."""
    chance = random.Random(1)
    forgetful = Forgetful(lambda: chance.random() < 1 / 6)
    story.gateway(TELECARE_PLATFORM_PORT=str(story.treated_line(forgetful)))
    story.ingest()

    with story.sensors.speaking():
        assert wait_until(lambda: forgetful.lost > 5)

    story.everything_arrives()
    assert story.lost() == 0


def test_a_frozen_worker_wakes_up_beside_its_successor(story: Story) -> None:
    """Both believe that the lanes are theirs; the one whose epoch is over writes nothing, and says nothing."""
    story.gateway()
    frozen = story.ingest()

    with story.sensors.speaking():
        assert wait_until(lambda: story.count() > 20)
        frozen.freeze()
        successor = story.ingest()
        assert wait_until(lambda: successor.metric("telecare_ingest_lanes_owned") == 64)
        frozen.thaw()
        assert wait_until(lambda: bool(frozen.said("lanes are another worker's now")))
        assert wait_until(lambda: story.count() > 600)

    story.everything_arrives()
    both = (frozen, successor)
    assert wait_until(lambda: [one.metric("telecare_ingest_lanes_owned") for one in both] == [32, 32], within_s=120)
    assert story.positions_have_no_holes()


def test_ingest_ends_in_order_while_the_database_hangs(story: Story) -> None:
    """Whoever stops it in an outage must not have to kill it, and nothing of what waits is needed."""
    story.gateway()
    ingest = story.ingest()
    story.sensors.say(20, apart_s=0.005)
    story.everything_arrives()

    with story.database_hangs("telecare ingest"):
        assert wait_until(lambda: not ingest.is_ready())
        assert ingest.stop() == 0

    story.sensors.say(20, apart_s=0.005)
    story.ingest()
    story.everything_arrives()

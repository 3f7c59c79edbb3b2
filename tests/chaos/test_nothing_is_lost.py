"""Promise P1: what a hub took in is stored exactly once, whatever is killed, frozen, wiped or restored."""

from tests.chaos.world import Story
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

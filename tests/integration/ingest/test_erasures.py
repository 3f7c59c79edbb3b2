"""What a hub of an erased home sends is not kept; asked for, it is finished by the process itself."""

from gateway.wire import Stream
from ingest import erasures
from tests.world.ingest_platform import Platform
from tests.world.leftovers import leftovers
from tests.world.processes import wait_until

HOME, HUB = "rose-cottage", "hub-1"

_ASK = """
    INSERT INTO erasure (what, subject, subject_sha256, instead, lane, input, hubs, hubs_sha256, asked_at)
    SELECT 'home', home, %s, 'erased-1', lane, 1, %s, %s, now() FROM home WHERE home = %s
"""


def ask(platform: Platform) -> None:
    """Ask that the home be erased, of which judgement knows nothing."""
    platform.rows("UPDATE hub SET revoked_at = now() WHERE hub = %s RETURNING hub", HUB)
    platform.rows("UPDATE judging_lane SET input = 1 RETURNING lane")
    platform.rows(_ASK + " RETURNING lane", erasures.digest(HOME), [HUB], [erasures.digest(HUB)], HOME)


def test_ingest_erases_what_was_asked_for_and_keeps_nothing_that_its_hub_sends(platform: Platform) -> None:
    """A box in somebody's drawer goes on sending for months: each message names the home that is forgotten."""
    platform.ingest()
    hub = platform.add_hub(HUB, HOME)
    other = platform.add_hub("hub-2", "mill-lane-3")
    for one in (hub, other):
        one.send(Stream.READINGS, range(1, 21))
        assert one.wait_through(Stream.READINGS, 20)
    with platform.database.connect() as conn:
        assert {table for table, _, _ in leftovers(conn, [HUB])} >= {"reading", "stored_log", "stream", "hub"}

    ask(platform)
    assert wait_until(lambda: platform.rows("SELECT done_at IS NOT NULL FROM erasure") == [(True,)], within_s=60)
    hub.send(Stream.READINGS, range(21, 31))
    hub.send(Stream.ALARMS, range(1, 2))
    other.send(Stream.READINGS, range(21, 31))
    assert other.wait_through(Stream.READINGS, 30)

    assert hub.through(Stream.READINGS) == 20
    with platform.database.connect() as conn:
        assert leftovers(conn, [HOME, HUB]) == set()
    assert platform.rows("SELECT count(*) FROM reading WHERE home = 'mill-lane-3'") == [(30,)]

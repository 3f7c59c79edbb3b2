"""A block of the database's disk is damaged: whom does that hold up, and who says so?"""

from gateway.wire import Stream
from tests.world.ingest_platform import Platform
from tests.world.processes import wait_until

_DAMAGE = """
    CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'could not read block 7 in file "base/1/2": Input/output error' USING ERRCODE = '58030'; END $$;
    CREATE TRIGGER damaged BEFORE INSERT OR UPDATE ON stream FOR EACH ROW WHEN (NEW.hub = 'hub-1')
    EXECUTE FUNCTION damaged();
"""


def test_one_hubs_damaged_row_holds_up_no_other_and_its_home_is_not_called_seen(nats_platform: Platform) -> None:
    """A bad sector under one hub's book was taken for a database that is away: nobody was heard, and nobody told."""
    ingest = nats_platform.ingest(TELECARE_INGEST_TICK_S="0.2")
    damaged, well = nats_platform.add_hub(), nats_platform.add_hub("hub-2", "mill-lane")
    well.send(Stream.READINGS, range(1, 3))
    assert well.wait_through(Stream.READINGS, 2)
    assert damaged.lane != well.lane
    complete_at = "SELECT complete_through FROM lane WHERE lane = %s"
    assert wait_until(lambda: nats_platform.rows(complete_at, damaged.lane) != [(None,)])
    with nats_platform.database.connect() as conn:
        conn.execute(_DAMAGE)

    damaged.send(Stream.READINGS, range(1, 6))
    said = {"database": f"the database cannot read its disk: hubs of lanes [{damaged.lane}] are not stored"}
    assert wait_until(lambda: ingest.why_not_ready() == said), ingest.last_words()
    ((complete,),) = nats_platform.rows(complete_at, damaged.lane)
    well.send(Stream.ALARMS, range(1, 2))
    well.send(Stream.READINGS, range(3, 6))

    assert well.wait_through(Stream.ALARMS, 1)
    assert well.wait_through(Stream.READINGS, 5)
    further = "SELECT count(*) FROM lane WHERE lane = %s AND complete_through > %s::timestamptz + INTERVAL '1 s'"
    assert wait_until(lambda: nats_platform.rows(further, well.lane, complete) == [(1,)])
    assert nats_platform.rows(complete_at, damaged.lane) == [(complete,)]

    with nats_platform.database.connect() as conn:
        conn.execute("DROP TRIGGER damaged ON stream")
    damaged.send(Stream.READINGS, range(1, 6))
    assert damaged.wait_through(Stream.READINGS, 5)

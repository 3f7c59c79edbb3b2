"""A block of the database's disk is damaged: whom does that hold up, and who says so?"""

from itertools import count

from gateway.wire import Stream
from ingest import devices
from ingest.entry import Deaf, Heard, Reading, unpack
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
    damaged.beat()
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


def test_neighbours_in_its_lane_do_not_keep_a_home_watched_of_which_nothing_is_stored(nats_platform: Platform) -> None:
    """Each word of theirs, and its own heartbeats, said that all was heard, while nobody who moved in it was seen."""
    ingest = nats_platform.ingest(TELECARE_INGEST_TICK_S="0.2")
    damaged = nats_platform.add_hub()
    names = (f"home-{number}" for number in count())
    home = next(name for name in names if devices.lane_of(name) == damaged.lane)
    neighbour = nats_platform.add_hub("hub-2", home)
    assert damaged.lane == neighbour.lane
    neighbour.send(Stream.READINGS, range(1, 2))
    assert neighbour.wait_through(Stream.READINGS, 1)
    with nats_platform.database.connect() as conn:
        conn.execute(_DAMAGE)
    damaged.send(Stream.READINGS, range(1, 3))
    said = {"database": f"the database cannot read its disk: hubs of lanes [{damaged.lane}] are not stored"}
    assert wait_until(lambda: ingest.why_not_ready() == said), ingest.last_words()
    where = "SELECT position, complete_through FROM lane WHERE lane = %s"
    ((position, complete),) = nats_platform.rows(where, damaged.lane)

    for number in range(2, 6):
        damaged.send(Stream.READINGS, range(1, 3))
        damaged.beat()
        neighbour.beat()
        neighbour.send(Stream.READINGS, range(number, number + 1))
        assert neighbour.wait_through(Stream.READINGS, number)

    log = "SELECT received_at, entries FROM stored_log WHERE lane = %s AND position > %s ORDER BY position"
    rows = nats_platform.rows(log, damaged.lane, position)
    at = [received_at for received_at, _ in rows]
    said_in = [unpack(packed) for _, packed in rows]  # type: ignore[arg-type]
    # Nothing is claimed to be heard from one row to the next.
    starts = [complete, *at[1::2]]
    assert said_in[::2] == [(Deaf(since, until, "us"),) for since, until in zip(starts, at[::2], strict=False)]  # type: ignore[arg-type]
    told = [one for said in said_in[1::2] for one in said]
    assert {one.hub for one in told if isinstance(one, Heard | Reading)} == {neighbour.hub}
    assert sum(isinstance(one, Heard) for one in told) >= 4

"""Lanes: claimed by epoch, fenced in every write."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection

from gateway.wire import LANES
from ingest import processes, stored_log
from ingest.db.pool import Pool, open_pool
from ingest.entry import ENTRIES_MAX, Heard, pack
from ingest.lanes import Lanes, NotOurs, new_owner, reaches
from tests.world.database import Database

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BEAT = Heard("rose-cottage", "hub-1", 0, 0)


@pytest.fixture
async def db(database: Database) -> AsyncIterator[Pool]:
    """Give a pool on a database of one's own."""
    pool = await open_pool(database.dsn, name="test")
    yield pool
    await pool.close()


async def _claim(db: Pool, lanes: Lanes) -> frozenset[int]:
    async with db.connection() as conn:
        return await lanes.claim(conn)


async def _write(db: Pool, lanes: Lanes, lane: int, *, at: datetime, many: int = 1) -> datetime:
    async with db.connection() as conn, conn.transaction():
        received_at = await lanes.fence(conn, {lane: at})
        await stored_log.append(conn, {lane: [BEAT] * many}, received_at)
    return received_at[lane]


async def _tick(db: Pool, lanes: Lanes, *, now: datetime) -> frozenset[int]:
    async with db.connection() as conn:
        return (await lanes.tick(conn, now=now, unbroken_since=dict.fromkeys(lanes.owned, LONG_AGO))).lost


async def test_one_worker_owns_every_lane_and_another_none(db: Pool) -> None:
    """One process is enough for a town; a second stands by."""
    first, second = Lanes(new_owner()), Lanes(new_owner())

    assert await _claim(db, first) == frozenset(range(LANES))
    assert await _claim(db, second) == frozenset()


async def test_many_workers_that_start_at_once_never_share_a_lane(db: Pool) -> None:
    """Two owners of a lane would be two orders of one home's life."""
    workers = [Lanes(new_owner(), wanted=16) for _ in range(4)]

    won = await asyncio.gather(*(_claim(db, worker) for worker in workers))

    assert sorted(lane for lanes in won for lane in lanes) == sorted(set().union(*won))


async def test_a_silent_owners_lanes_are_claimed_and_it_writes_nothing_more(db: Pool) -> None:
    """A process that was stopped for a minute wakes up believing that nothing happened."""
    stopped, next_one = Lanes(new_owner(), lease=timedelta(0)), Lanes(new_owner(), lease=timedelta(0))
    await _claim(db, stopped)
    await _claim(db, next_one)

    with pytest.raises(NotOurs) as why:
        await _write(db, stopped, 7, at=NINE)

    assert why.value.lanes == {7}
    assert await _tick(db, stopped, now=NINE) == frozenset(range(LANES))
    assert stopped.owned == frozenset()
    async with db.connection() as conn:
        assert await stored_log.follow(conn, 7, 0, None) == []


async def test_an_epoch_that_a_backup_brought_back_fences_nobody_in(db: Pool, database: Database) -> None:
    """After a restore two workers may have the same number for a lane; each has a name of its own."""
    first, second = Lanes(new_owner(), lease=timedelta(0)), Lanes(new_owner(), lease=timedelta(0))
    await _claim(db, first)
    with database.connect() as conn:
        conn.execute("UPDATE lane SET epoch = 0, owner = NULL, heard_at = NULL")
    await _claim(db, second)

    with pytest.raises(NotOurs):
        await _write(db, first, 7, at=NINE)


async def test_a_lane_cannot_be_claimed_while_its_owner_writes(db: Pool) -> None:
    """Whoever holds the fence commits before anyone else can be the owner."""
    writer, claimer = Lanes(new_owner(), lease=timedelta(0)), Lanes(new_owner(), lease=timedelta(0))
    await _claim(db, writer)

    async with db.connection() as conn, conn.transaction():
        await writer.fence(conn, {3: NINE, 4: NINE})
        won = await _claim(db, claimer)

    assert won == frozenset(range(LANES)) - {3, 4}


async def test_received_at_rises_whatever_our_clock_does(db: Pool) -> None:
    """Judging goes by it; a clock that was set back must not put today's news before yesterday's."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)

    times = [await _write(db, lanes, 7, at=at) for at in (NINE, NINE, NINE - 60 * SECOND, NINE + SECOND)]

    assert times == sorted(set(times))
    assert times[-1] == NINE + SECOND


async def test_what_is_received_after_a_tick_lies_after_it(db: Pool) -> None:
    """'All received up to T is in the log' must stay true for good."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    await _tick(db, lanes, now=NINE)

    assert await _write(db, lanes, 7, at=NINE) > NINE


async def test_a_tick_never_takes_back_what_was_said(db: Pool) -> None:
    """Something may have been judged by it."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    await _tick(db, lanes, now=NINE)
    await _tick(db, lanes, now=NINE - 60 * SECOND)

    async with db.connection() as conn:
        assert {reach.complete_through for reach in await reaches(conn)} == {NINE}


async def test_the_log_is_followed_in_order_and_without_holes(db: Pool) -> None:
    """Alerts read nothing else."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    for second in range(5):
        await _write(db, lanes, 7, at=NINE + second * SECOND)
        await _write(db, lanes, 8, at=NINE + second * SECOND)

    async with db.connection() as conn:
        first = await stored_log.follow(conn, 7, 0, None, limit=2)
        rest = await stored_log.follow(conn, 7, first[-1].position, first[-1].received_at)

    batches = first + rest
    assert [batch.position for batch in batches] == [1, 2, 3, 4, 5]
    assert [batch.received_at for batch in batches] == [NINE + second * SECOND for second in range(5)]
    assert all(batch.entries == (BEAT,) for batch in batches)


async def test_long_rows_come_few_at_a_time_and_none_is_passed_over(db: Pool) -> None:
    """After an outage a row holds 20,000 entries; 200 of them at once made judging as large as the log."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    many = [ENTRIES_MAX, 1, ENTRIES_MAX, ENTRIES_MAX, 1, 1]
    for second, entries in enumerate(many):
        await _write(db, lanes, 7, at=NINE + second * SECOND, many=entries)

    pages: list[list[tuple[int, int]]] = []
    position, received = 0, None
    async with db.connection() as conn:
        while page := await stored_log.follow(conn, 7, position, received):
            position, received = page[-1].position, page[-1].received_at
            pages.append([(batch.position, len(batch.entries)) for batch in page])

    assert [row for page in pages for row in page] == list(enumerate(many, start=1))
    packed = {number: len(pack([BEAT] * entries)) for number, entries in enumerate(many, start=1)}
    assert len(pages) > 1
    assert all(sum(packed[number] for number, _ in page[:-1]) < stored_log.PAGE_BYTES for page in pages)


async def test_a_rolled_back_batch_leaves_no_hole(db: Pool) -> None:
    """A sequence would; the lane's own row does not."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    await _write(db, lanes, 7, at=NINE)
    async with db.connection() as conn, conn.transaction(force_rollback=True):
        await stored_log.append(conn, {7: [BEAT]}, await lanes.fence(conn, {7: NINE}))
    await _write(db, lanes, 7, at=NINE)

    async with db.connection() as conn:
        assert [batch.position for batch in await stored_log.follow(conn, 7, 0, None)] == [1, 2]


async def test_who_listens_is_told_of_each_lane_that_has_news(db: Pool, database: Database) -> None:
    """Alerts need not ask 64 lanes over and over."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    with database.connect() as listener:
        listener.execute(f"LISTEN {stored_log.CHANNEL}")
        await _write(db, lanes, 7, at=NINE)
        told = [note.payload for note in listener.notifies(timeout=5, stop_after=1)]

    assert told == ["7"]


async def test_old_log_is_dropped_by_whole_days(db: Pool) -> None:
    """It is kept for 100 days; dropping chunks costs nothing, deleting rows would."""
    lanes = Lanes(new_owner())
    await _claim(db, lanes)
    for days in (0, 50, 150):
        await _write(db, lanes, 7, at=NINE + timedelta(days=days))

    async with db.connection() as conn:
        dropped = await stored_log.drop_before(conn, NINE + timedelta(days=150) - stored_log.KEPT)
        left = await stored_log.follow(conn, 7, 0, None)

    assert dropped == 1
    assert [batch.position for batch in left] == [2, 3]


async def _worker(database: Database, name: str, *, heard: float = 0, since: float = 60, **doing: object) -> None:
    """Let a worker of ingest be known; heard and started so many seconds ago."""
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        await processes.beat(conn, "ingest", name, {"lanes_max": LANES} | doing, now=NINE)
        await conn.execute(
            "UPDATE process_heartbeat SET heard_at = clock_timestamp() - make_interval(secs => %s), "
            "started_at = clock_timestamp() - make_interval(secs => %s) WHERE instance = %s",
            (heard, since, name),
        )


async def _looked(db: Pool, lanes: Lanes) -> int:
    async with db.connection() as conn:
        await lanes.look(conn)
    return lanes.share.lanes


async def test_who_is_alive_and_looks_for_lanes_has_a_share(db: Pool, database: Database) -> None:
    """The others are counted as the table of processes has them, each of them for a reason."""
    lanes = Lanes(new_owner())
    await _worker(database, "well")
    await _worker(database, "small", lanes_max=8)
    assert await _looked(db, lanes) == 28

    await _worker(database, "silent", heard=11)
    await _worker(database, "just started, and perhaps dead at once again", since=2)
    await _worker(database, "stuck", lanes_max=None)
    await _worker(database, "of a release that shares nothing", lanes_max="many")
    async with db.connection() as conn:
        await processes.beat(conn, "alerts", "of another kind", {"lanes_max": LANES}, now=NINE)
    assert await _looked(db, lanes) == 28

    with database.connect() as conn:
        conn.execute("UPDATE process_heartbeat SET ended_at = clock_timestamp() WHERE instance = 'well'")
    assert await _looked(db, lanes) == 56


async def test_what_is_let_go_is_the_newcomers_and_is_written_by_nobody_else(db: Pool, database: Database) -> None:
    """The first finishes what it has in hand, lets go, and from then on the fence keeps it out."""
    first, second = Lanes("first"), Lanes("second")
    await _claim(db, first)
    for name in ("first", "second"):
        await _worker(database, name)
    await _looked(db, first)
    await _looked(db, second)

    async with db.connection() as conn:
        gone = await first.let_go(conn)
        assert await first.let_go(conn) == frozenset()
    won = await _claim(db, second)

    assert (gone, first.owned | won) == (won, frozenset(range(LANES)))
    assert len(won) == 32
    with pytest.raises(NotOurs):
        await _write(db, first, min(won), at=NINE)
    await _write(db, second, min(won), at=NINE)


async def test_a_lane_that_nobody_takes_is_taken_beyond_share_and_limit(db: Pool, database: Database) -> None:
    """A home that nobody watches is worse than a worker with much to do."""
    lanes = Lanes(new_owner(), wanted=16)
    await _worker(database, "looks, and takes nothing")
    assert await _looked(db, lanes) == 16
    with database.connect() as conn:
        conn.execute("UPDATE lane SET heard_at = clock_timestamp()")
    assert len(await _claim(db, lanes)) == 16
    assert await _claim(db, lanes) == frozenset()

    with database.connect() as conn:
        conn.execute("UPDATE lane SET heard_at = heard_at - interval '6 s' WHERE owner IS NULL")

    assert len(await _claim(db, lanes)) == 48


async def test_a_dead_workers_lanes_are_free_after_the_lease_and_left_after_a_while(
    db: Pool, database: Database
) -> None:
    """Whoever has room takes them first, so that nothing has to move again."""
    dead, full, roomy = Lanes("dead"), Lanes("full", wanted=1), Lanes("roomy")
    await _claim(db, dead)
    for name in ("full", "roomy"):
        await _worker(database, name)
    await _looked(db, full)
    full.share.lanes = 0

    def silent_for(seconds: int) -> None:
        with database.connect() as conn:
            conn.execute("UPDATE lane SET heard_at = clock_timestamp() - make_interval(secs => %s)", (seconds,))

    silent_for(9)
    assert (await _claim(db, full), await _claim(db, roomy)) == (frozenset(), frozenset())
    silent_for(12)
    assert await _claim(db, full) == frozenset()
    assert len(await _claim(db, roomy)) == LANES
    silent_for(16)
    assert len(await _claim(db, full)) == LANES

"""Ingest, or what it needs, is away for minutes: our outage is not the silence of every hub."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Question
from alerts.judging.watched import US, Watched
from alerts.watch import Watch
from gateway import heartbeat
from gateway.clock import monotonic_s
from gateway.wire import Ask, Leaf, Stream, encode_message
from ingest import devices, stored_log
from ingest.db.pool import open_pool
from ingest.entry import Alarm, Deaf, Entry
from ingest.waiting import SPAN_S
from tests.integration.alerts.conftest import HOME, HUB, NINE, Conn, furnish
from tests.integration.alerts.platform import MovedClock, until, worker
from tests.world.broker import PlatformBroker
from tests.world.database import Database
from tests.world.ingest_platform import Platform
from tests.world.processes import Process, wait_until
from tests.world.raw_hub import RawHub

LANE = devices.lane_of(HOME)
AWAY = timedelta(minutes=5)
PATIENCE_S = 30.0


@dataclass
class World:
    """A home, its hub, a real broker and ingest, and the judging loop; the clock stands until it is moved."""

    platform: Platform
    clock: MovedClock
    conn: Conn
    watch: Watch
    hub: RawHub
    ingest: Process

    async def catches_up(self) -> None:
        """Wait until all that was received up to now is stored and judged."""

        async def is_judged() -> bool:
            await self.watch.turn(everything=True)
            seen = await store.watch_of(self.conn, HOME, stretch=timedelta(0))
            return seen is not None and seen.true_at >= self.clock.now()

        await until(is_judged, within_s=PATIENCE_S, what=f"judged through {self.clock.now()}")

    async def beats(self) -> None:
        """Let the hub report, and wait until that is judged."""
        before = len(await self.log())
        self.hub.beat(sent_at=self.clock.now().timestamp(), radio_up=True)

        async def is_stored() -> bool:
            return len(await self.log()) > before

        await self.comes_true(is_stored)
        await self.catches_up()

    async def is_heard_after(self, *, seconds: float, alarm: int | None = None) -> None:
        """Let the hub speak a while later, and return once ingest has it, in memory at least."""
        received, began_s = self.ingest.metric("telecare_ingest_messages_received_total"), monotonic_s()
        sent_at = self.clock.move(seconds=seconds).timestamp()
        if alarm is None:
            self.hub.beat(sent_at=sent_at, radio_up=True)
        else:
            self.hub.send(Stream.ALARMS, range(alarm, alarm + 1), sent_at=sent_at)
        assert wait_until(lambda: self.ingest.metric("telecare_ingest_messages_received_total") > received)
        # What arrives within a real second may be stored as one, however far the clock was moved meanwhile.
        assert wait_until(lambda: monotonic_s() - began_s > SPAN_S)

    async def lives(self, by: timedelta, *, step: timedelta = timedelta(seconds=20)) -> None:
        """Let time pass, in steps that are no gap."""
        end = self.clock.now() + by
        while (now := self.clock.now()) < end:
            self.clock.set(min(now + step, end))
            await self.catches_up()

    async def log(self) -> list[Entry]:
        return [said for batch in await stored_log.follow(self.conn, LANE, 0, None) for said in batch.entries]

    async def deaf(self) -> list[Deaf]:
        return [said for said in await self.log() if isinstance(said, Deaf)]

    async def alerts(self) -> list[tuple[Question | str, datetime, datetime]]:
        return [(a.question, a.since, a.at) for a in await store.recent_alerts(self.conn, HOME, NINE - AWAY)]

    async def blind_by_us(self) -> list[tuple[datetime, datetime | None]]:
        spans = await store.watch_spans(self.conn, HOME, NINE, self.clock.now() + AWAY)
        return [(span.since, span.until) for span in spans if US in span.why]

    async def state(self) -> Watched:
        seen = await store.watch_of(self.conn, HOME, stretch=timedelta(0))
        assert seen is not None
        return seen.state

    async def has_begun(self) -> None:
        async def is_complete() -> bool:
            return await self.is_complete_through() is not None

        await self.comes_true(is_complete)

    async def is_complete_through(self) -> datetime | None:
        rows = await self.conn.execute("SELECT complete_through FROM lane WHERE lane = %s", (LANE,))
        return next(iter(await rows.fetchone() or ()), None)

    async def comes_true(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        await until(is_so, within_s=PATIENCE_S)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """End what a story has begun."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def world(
    database: Database, nats_broker: PlatformBroker, tmp_path: Path, stack: ExitStack
) -> AsyncIterator[World]:
    """Give a home that is watched since nine, whose hub was just heard."""
    platform = Platform(database, nats_broker, tmp_path, stack)
    clock = MovedClock(tmp_path / "clock.json", NINE)
    async with _database(database) as conn:
        await furnish(conn, database.dsn)
        async with await open_pool(database.dsn, name="test", size_max=8) as pool:
            secret = nats_broker.add_hub(HUB, LANE)
            ingest = platform.ingest(TELECARE_CLOCK_FILE=str(clock.path), TELECARE_INGEST_TICK_S="0.05")
            hub = stack.enter_context(RawHub(HUB, LANE, port=nats_broker.port, secret=secret))
            watch, _ = worker(pool, clock)
            world = World(platform, clock, conn, watch, hub, ingest)
            await world.has_begun()
            await store.set_watched(conn, HOME, HUB, now=NINE)
            await world.beats()
            await world.lives(timedelta(seconds=20))
            yield world


@asynccontextmanager
async def _database(database: Database) -> AsyncIterator[Conn]:
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        yield conn


async def test_ingest_that_was_killed_for_five_minutes_makes_no_hub_silent(world: World) -> None:
    """One restart that took too long must not text a whole street about boxes that did nothing wrong."""
    went = world.clock.now()
    world.ingest.kill()
    back = world.clock.move(seconds=AWAY.total_seconds())
    world.ingest.start_ready()
    await world.catches_up()
    assert await world.state() is Watched.BLIND
    await world.lives(timedelta(seconds=20))
    await world.beats()

    assert await world.alerts() == []
    assert await world.deaf() == [Deaf(went, back)]
    ((since, end),) = await world.blind_by_us()
    assert since == went
    assert end is not None
    assert back + timedelta(seconds=20) <= end <= world.clock.now() + timedelta(seconds=1)
    assert await world.state() is Watched.WATCHED


async def test_a_broker_that_was_away_for_five_minutes_makes_no_hub_silent(world: World) -> None:
    """Hubs keep what they cannot send; nothing of it is a fault of theirs."""
    went = world.clock.now()
    world.platform.broker.kill()
    assert wait_until(lambda: world.ingest.why_not_ready().get("broker") not in (None, ""))
    world.clock.move(seconds=AWAY.total_seconds())
    # Nothing is complete while nothing is heard, however often it is looked.
    await world.watch.turn(everything=True)
    assert await world.is_complete_through() == went
    world.platform.broker.start()
    await world.catches_up()
    assert wait_until(lambda: world.hub.is_connected)
    await world.beats()

    assert await world.alerts() == []
    assert [said.since for said in await world.deaf()] == [went]
    assert len(await world.blind_by_us()) == 1
    assert await world.state() is Watched.WATCHED


async def test_a_hub_that_does_not_come_back_is_silent_when_its_new_promise_breaks(world: World) -> None:
    """A power cut takes our servers and the home's box; ours coming back must not hide that theirs did not."""
    world.ingest.kill()
    back = world.clock.move(seconds=AWAY.total_seconds())
    world.ingest.start_ready()
    await world.catches_up()
    due = back + heartbeat.EVERY + heartbeat.GRACE

    await world.lives(due - back - timedelta(seconds=1))
    assert await world.alerts() == []
    await world.lives(timedelta(seconds=1))

    ((question, since, at),) = await world.alerts()
    assert (question, at) == (Question.HUB_SILENT, due)
    assert since - NINE < timedelta(seconds=1)  # When it was truly heard last.


async def test_ingest_that_was_away_for_a_moment_was_not_deaf(world: World) -> None:
    """A release must not leave a gap in what a family reads."""
    world.ingest.kill()
    world.clock.move(seconds=20)
    world.ingest.start_ready()
    await world.catches_up()

    assert await world.deaf() == []
    assert await world.state() is Watched.WATCHED


async def test_an_alarm_that_overtakes_what_waited_for_the_database_makes_no_hub_silent(world: World) -> None:
    """Alarms are stored first; whoever spoke in the meantime is still waiting behind them."""
    went = world.clock.now()
    async with world.conn.transaction():
        await world.conn.execute("SELECT FROM lane FOR UPDATE")  # The database answers nobody who writes.
        for _ in range(10):
            await world.is_heard_after(seconds=30)
        await world.is_heard_after(seconds=1, alarm=1)
    await world.catches_up()
    await world.beats()

    assert [question for question, _, _ in await world.alerts()] == [Question.ALARM]
    assert len([said for said in await world.log() if isinstance(said, Alarm)]) == 1
    (deaf,) = await world.deaf()
    assert went <= deaf.since < deaf.until < world.clock.now()


async def test_a_backlog_of_the_database_is_no_deafness(world: World) -> None:
    """What was heard while the database was away is stored as of then, minute by minute."""
    async with world.conn.transaction():
        await world.conn.execute("SELECT FROM lane FOR UPDATE")
        for _ in range(10):
            await world.is_heard_after(seconds=30)
    await world.catches_up()

    assert await world.alerts() == []
    assert await world.deaf() == []


async def test_a_question_that_overtakes_what_waits_makes_nobody_deaf(world: World) -> None:
    """A hub that calls is answered first; what the others said meanwhile was heard all the same."""
    async with world.conn.transaction():
        await world.conn.execute("SELECT FROM lane FOR UPDATE")
        for _ in range(3):
            await world.is_heard_after(seconds=30)
        sent_at = world.clock.now().timestamp()
        world.hub.say(Leaf.ASK, encode_message(Ask("box-1", 0, 0, sent_at, "boot-1", 3_600_000)))
        assert wait_until(lambda: world.ingest.metric('telecare_ingest_messages_received_total{leaf="ask"}') > 0)
    await world.catches_up()

    assert world.hub.wait_through(Stream.ALARMS, 0)
    assert await world.alerts() == []
    assert await world.deaf() == []


async def test_a_database_that_was_restored_makes_no_hub_silent(world: World) -> None:
    """What it lacks since the backup was heard then, and is not heard again; no hub was quiet for that long."""
    backup = world.clock.now()
    await world.lives(timedelta(minutes=2))
    await world.conn.execute("UPDATE lane SET complete_through = %s WHERE lane = %s", (backup, LANE))
    world.clock.move(seconds=1)
    await world.catches_up()

    async def is_admitted() -> bool:
        return [said.since for said in await world.deaf()] == [backup]

    await world.comes_true(is_admitted)

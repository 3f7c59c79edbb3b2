"""Workers come and go while one of them reads the log again for hours: do lanes move within seconds then too?"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import psycopg
import pytest

from alerts import rebuilding, store, watch
from alerts.judging.home import HomeState
from alerts.lanes import JudgingLanes, Place
from gateway.clock import monotonic_s
from ingest import devices, entry
from tests.integration.alerts.conftest import HOME, NINE, Conn
from tests.integration.alerts.platform import worker
from tests.integration.alerts.test_watch import LANE, Watching, watching
from tests.world.database import Database

__all__ = ["watching"]

OTHER = next(name for name in (f"mill-lane-{n}" for n in range(99)) if devices.lane_of(name) > LANE)
OTHERS_LANE = devices.lane_of(OTHER)
# Longer than any look takes on a busy machine: here a lease ends when a test says so.
_LEASE = timedelta(minutes=5)


async def _upgraded(watching: Watching, database: Database) -> None:
    """Have two homes in two lanes, and a worker that cannot read what the one before it remembered of either."""
    with psycopg.connect(database.dsn, autocommit=True) as blocking:
        devices.add_home(blocking, OTHER, now=NINE)
        devices.add_hub(blocking, "hub-other", OTHER, ("x", "y"), now=NINE)
    await store.set_telling(watching.conn, OTHER, ["jim"])
    await store.set_watched(watching.conn, OTHER, "hub-other", now=NINE)
    await watching.lives(minutes=1, moves=True)
    await watching.watch._leave()
    await watching.conn.execute("UPDATE home_judgement SET format = 0")
    await _is_alive(watching.conn, "upgraded")
    watching.watch = watch.Watch(
        watching.pool, watching.clock.clock, JudgingLanes("upgraded", lease=_LEASE), wake=lambda: None, sweep_s=0.05
    )


async def _is_alive(conn: Conn, name: str) -> None:
    """Have a worker's word, and not its first, stand in the table for longer than this test takes."""
    await conn.execute(
        "INSERT INTO process_heartbeat (instance, process, release, started_at, heard_at, said_at, doing) VALUES "
        "(%s, 'alerts', '0', clock_timestamp() - INTERVAL '1 min', clock_timestamp() + INTERVAL '1 h', %s, "
        "'{\"lanes_max\": 64}')",
        (name, NINE),
    )


def _for_long(monkeypatch: pytest.MonkeyPatch, look: Callable[[], Awaitable[bool]]) -> list[int]:
    """Have the first lane that is remembered again take until something is so; return the lanes, as they come."""
    lanes: list[int] = []

    async def rebuild(
        conn: Conn, place: Place, homes: Collection[str], between: Callable[[Conn], Awaitable[None]]
    ) -> dict[str, HomeState]:
        lanes.append(place.lane)
        deadline = monotonic_s() + 60
        while len(lanes) == 1 and not await look():
            assert monotonic_s() < deadline, "it did not come about while homes were remembered again"
            await between(conn)
            await asyncio.sleep(0.02)
        return await rebuilding.rebuild(conn, place, homes, between)

    monkeypatch.setattr(watch, "rebuild", rebuild)
    return lanes


async def test_a_worker_that_joins_gets_its_share(
    watching: Watching, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts more workers to be through sooner must not wait until the first is through."""
    await _upgraded(watching, database)
    joiner, joined = JudgingLanes("joiner", lease=_LEASE), list[int]()

    async def has_joined() -> bool:
        if joiner.share.lanes == 64:  # It has not looked yet.
            await _is_alive(watching.conn, "joiner")
        await joiner.look(watching.conn)
        joined.extend(place.lane for place in await joiner.claim(watching.conn, held=joined))
        return len(joined) == 32

    lanes = _for_long(monkeypatch, has_joined)
    await watching.turns()

    # What waited went first, for nothing was done for it; what was being read again stayed, and is judged.
    assert lanes == [LANE]
    assert OTHERS_LANE in joined
    assert sorted(watching.watch._mine) == sorted(set(range(64)) - set(joined))
    assert watching.watch.status.trouble is None


async def test_the_lanes_of_one_that_died_are_taken_and_their_alarms_told(
    watching: Watching, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its residents press as before; for hours nobody would have heard them."""
    await _upgraded(watching, database)
    dead = JudgingLanes("dead", lease=_LEASE)
    await dead.claim(watching.conn, held=[lane for lane in range(64) if lane != OTHERS_LANE])
    at = watching.clock.now()
    press = entry.Alarm(OTHER, "hub-other", "hub-other/box/1", "pendant", None, "pendant_alarm", 1.0, at)
    await watching.ingest.stores(OTHERS_LANE, press, now=at)
    has_died = False

    async def is_told() -> bool:
        nonlocal has_died
        if not has_died:
            await watching.conn.execute(
                "UPDATE judging_lane SET heard_at = heard_at - %s WHERE lane = %s", (_LEASE, OTHERS_LANE)
            )
            has_died = True
        return ("jim", "alert", "due") in await watching.street.texts()

    lanes = _for_long(monkeypatch, is_told)
    await watching.turns()

    assert lanes == [LANE, OTHERS_LANE]
    assert len(watching.watch._mine) == 64
    assert await watching.street.texts() == [("jim", "alert", "due")]


async def test_a_lane_that_was_lost_meanwhile_is_left_to_its_owner(
    watching: Watching, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that slept for longer than its lease must not go on with what another judges by now."""
    await _upgraded(watching, database)
    thief, taken = JudgingLanes("thief", lease=_LEASE), list[int]()

    async def is_taken() -> bool:
        if not taken:
            await watching.conn.execute("UPDATE judging_lane SET heard_at = heard_at - %s", (_LEASE,))
            but = [lane for lane in range(64) if lane != LANE]
            taken.extend(place.lane for place in await thief.claim(watching.conn, held=but))
        return False

    _for_long(monkeypatch, is_taken)
    await watching.turns()

    assert taken == [LANE]
    assert sorted(watching.watch._mine) == [lane for lane in range(64) if lane != LANE]
    rows = await watching.conn.execute("SELECT owner FROM judging_lane WHERE lane = %s", (LANE,))
    assert await rows.fetchone() == ("thief",)


async def test_what_goes_wrong_with_what_all_lanes_share_is_no_fault_of_the_lane_that_is_remembered(
    watching: Watching, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That lane rested for it, unjudged; and nobody read that it was the disk under all of them."""
    await _upgraded(watching, database)

    async def is_damaged() -> bool:
        await watching.conn.execute(
            "CREATE OR REPLACE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE 'invalid page in block 7' USING ERRCODE = 'XX001'; END $$; "
            "CREATE OR REPLACE TRIGGER damaged BEFORE UPDATE ON judging_lane FOR EACH ROW EXECUTE FUNCTION damaged()"
        )
        return False

    _for_long(monkeypatch, is_damaged)
    with pytest.raises(psycopg.errors.DataCorrupted):
        await watching.turns()

    assert watching.watch._resting == {}


async def test_what_can_be_judged_at_once_does_not_wait_for_what_cannot(
    watching: Watching, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One home of an older format would keep the judge from all homes in lanes behind its own."""
    await _upgraded(watching, database)
    await watching.conn.execute("DELETE FROM home_judgement WHERE home = %s", (OTHER,))
    seen: list[bool] = []

    async def is_judged() -> bool:
        seen.append(OTHERS_LANE in watching.watch._mine)
        return True

    _for_long(monkeypatch, is_judged)
    await watching.turns()

    assert seen == [True]
    assert HOME in watching.watch._mine[LANE].judge.homes()
    again, _ = worker(watching.pool, watching.clock)
    await again.turn(everything=True)
    assert again.status.lanes == 0

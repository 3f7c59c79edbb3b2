"""Somebody presses while their lane is not judged: a row of it cannot be read, or its homes are remembered again."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
import psycopg
import pytest

from alerts.alert import Question
from alerts.judging.finding import Finding
from alerts.lanes import JudgingLanes, Place
from alerts.pressed import Pressed
from alerts.store import thresholds
from alerts.watch import Watch
from ingest import entry, stored_log
from ingest.entry import Batch
from tests.integration.alerts.conftest import HOME, HUB, Conn
from tests.integration.alerts.platform import until
from tests.integration.alerts.test_watch import LANE, Watching, watching
from tests.world.database import Database

__all__ = ["watching"]

DAMAGED = b"no msgpack"
OF_A_NEWER_RELEASE = msgspec.msgpack.encode([["h", HOME, HUB, 0, 0], ["of the next release", HOME, 1]])


@pytest.mark.parametrize("row", [DAMAGED, OF_A_NEWER_RELEASE], ids=["damaged", "newer"])
async def test_a_press_behind_a_row_that_cannot_be_judged_is_told(watching: Watching, row: bytes) -> None:
    """All homes of a lane would otherwise have a dead pendant until somebody mends a row at three in the morning."""
    await watching.lives(minutes=1)
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=1))
    await watching.conn.execute("UPDATE stored_log SET entries = %s WHERE lane = %s AND position = 2", (row, LANE))

    await watching.presses()
    watching.clock.move(seconds=1)
    await watching.presses(2)

    assert (await watching.street.only_alert()).question is Question.ALARM
    assert await watching.street.texts() == [("anne", "alert", "due")]
    rows = await watching.conn.execute("SELECT identity FROM alarm ORDER BY identity")
    assert await rows.fetchall() == [(f"{HUB}/box/1",), (f"{HUB}/box/2",)]
    assert watching.watch.status.trouble == f"lanes [{LANE}] cannot be judged"


@pytest.mark.parametrize("code", ["XX001", "58030", "58P01"])
async def test_a_press_behind_a_row_that_the_database_cannot_read_is_told(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """A page of a disk went bad: the database itself refuses the row, and no lane may lose its judge by that."""
    await watching.lives(minutes=1)
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=1))
    follow = stored_log.follow

    async def damaged(
        conn: Conn,
        lane: int,
        after: int,
        received: datetime | None,
        limit: int = stored_log.BATCHES_MAX,
        *,
        skip_newer: bool = False,
    ) -> list[Batch]:
        if after < 2 <= after + limit:
            await conn.execute(f"DO $$ BEGIN RAISE 'invalid page in block 7' USING ERRCODE = '{code}'; END $$")
        return await follow(conn, lane, after, received, limit, skip_newer=skip_newer)

    monkeypatch.setattr(stored_log, "follow", damaged)

    await watching.presses()
    watching.clock.move(seconds=1)
    await watching.presses(2)

    assert await watching.street.texts() == [("anne", "alert", "due")]
    rows = await watching.conn.execute("SELECT identity FROM alarm ORDER BY identity")
    assert await rows.fetchall() == [(f"{HUB}/box/1",), (f"{HUB}/box/2",)]
    assert watching.watch.status.trouble == f"lanes [{LANE}] cannot be judged: the database cannot read its disk"


async def test_a_press_beside_what_only_a_newer_release_knows_is_told(watching: Watching) -> None:
    """That release's ingest stores both in one row; and the worker that could judge it may not run yet."""
    await watching.lives(minutes=1)
    at = watching.clock.now()
    press = entry.Alarm(HOME, HUB, f"{HUB}/box/1", "pendant", None, "pendant_alarm", 1.0, at)
    said = [*msgspec.msgpack.decode(entry.pack([press])), ["of the next release", HOME, 1]]
    await watching.ingest.stores(LANE, press, now=at)
    await watching.conn.execute(
        "UPDATE stored_log SET entries = %s WHERE lane = %s AND position = 2", (msgspec.msgpack.encode(said), LANE)
    )

    await watching.turns()

    assert await watching.street.texts() == [("anne", "alert", "due")]
    assert watching.watch.status.trouble == f"lanes [{LANE}] cannot be judged"


async def test_a_press_after_a_whole_log_that_cannot_be_read_is_told(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is passed over ends where the log does, or whoever presses once it is mended would be passed over too."""
    await watching.lives(minutes=1)

    with monkeypatch.context() as patched:

        async def damaged(*_: object, **__: object) -> list[Batch]:
            raise psycopg.errors.DataCorrupted

        patched.setattr(stored_log, "follow", damaged)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=1))
        await watching.turns()
    await watching.presses()

    assert await watching.street.texts() == [("anne", "alert", "due")]


async def test_a_press_that_could_not_be_written_is_tried_again_while_its_lane_rests(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    """A lane may rest for days, until somebody mends a row: what went wrong for a second must not count as told."""
    await watching.lives(minutes=1)
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=1))
    await watching.conn.execute("UPDATE stored_log SET entries = %s WHERE lane = %s AND position = 2", (DAMAGED, LANE))
    await watching.conn.execute(
        "CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE 'could not extend file' USING ERRCODE = '58030'; END $$; "
        f"CREATE TRIGGER damaged BEFORE INSERT ON alarm FOR EACH ROW WHEN (NEW.identity = '{HUB}/box/1') "
        "EXECUTE FUNCTION damaged()"
    )
    await watching.presses()
    await watching.turns()
    assert await watching.street.texts() == []
    watching.clock.move(seconds=1)
    await watching.presses(2)
    rows = await watching.conn.execute("SELECT identity FROM alarm")
    assert await rows.fetchall() == [(f"{HUB}/box/2",)], "it keeps no other from being told"

    await watching.conn.execute("DROP TRIGGER damaged ON alarm")
    await watching.turns()
    await watching.turns()

    rows = await watching.conn.execute("SELECT identity FROM alarm ORDER BY identity")
    assert await rows.fetchall() == [(f"{HUB}/box/1",), (f"{HUB}/box/2",)]
    assert await watching.street.texts() == [("anne", "alert", "due")]
    assert watching.watch.status.trouble == f"lanes [{LANE}] cannot be judged"
    assert [said.message for said in caplog.records].count("alarm cannot be told") == 1


async def test_a_lane_whose_alarms_cannot_be_told_ends_no_judging(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours is one lane's trouble: the other lanes are judged, and their people told."""
    await watching.lives(minutes=1)
    other = Place((LANE + 1) % 64, 1, 0, None, 0, None, None)
    watching.watch._behind[other.lane] = other

    async def mistaken(*_: object, **__: object) -> list[Finding]:
        raise AttributeError("a mistake of ours")

    monkeypatch.setattr(Pressed, "tell", mistaken)
    await watching.turns()
    await watching.presses()

    assert await watching.street.texts() == [("anne", "alert", "due")]
    assert [said.message for said in caplog.records].count("alarms of a lane cannot be told") == 1


async def test_thresholds_that_cannot_be_settled_end_no_judging(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What an operator wrote, or a newer release, must not be what ends the judging and telling of every home."""

    async def mistaken(*_: object, **__: object) -> bool:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(thresholds, "settle_due", mistaken)
    await watching.lives(minutes=1)
    await watching.presses()

    assert await watching.street.texts() == [("anne", "alert", "due")]
    assert watching.watch.status.trouble == "thresholds cannot be settled: the log says how"
    assert [said.message for said in caplog.records].count("thresholds cannot be settled") == 1


async def test_a_mistake_of_ours_in_judging_ends_no_telling(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both run in one process: one that ends again and again texts nobody, not about what was judged before either."""
    stop = asyncio.Event()

    async def mistaken(*_: object) -> list[Place]:
        raise AttributeError("a mistake of ours")

    async def is_said() -> bool:
        return watching.watch.status.trouble == "judging fails; the log says how"

    with monkeypatch.context() as patched:
        patched.setattr(JudgingLanes, "look", mistaken)
        running = asyncio.create_task(watching.watch.run(stop))
        await until(is_said)
    await watching.ingest.ticks(now=watching.clock.now())

    async def is_well() -> bool:
        return watching.watch.status.trouble is None

    await until(is_well)
    stop.set()
    await asyncio.wait_for(running, 60)
    assert "judging failed" in {said.message for said in caplog.records}


class Slow(JudgingLanes):
    """Lanes whose claims were an hour ago: what their homes remember is read again for as long."""

    async def claim(self, conn: Conn, *, held: Collection[int], but: Collection[int] = ()) -> list[Place]:
        claimed = await super().claim(conn, held=held, but=but)
        await conn.execute("UPDATE judging_lane SET heard_at = heard_at - INTERVAL '1 hour'")
        return claimed


async def _upgraded(watching: Watching, wake: Callable[[], None]) -> Watch:
    """Return a worker of a release that cannot read what the one before remembered, after it has saved and gone."""
    await watching.lives(minutes=2, moves=True)
    await watching.watch._leave()
    await watching.conn.execute("UPDATE home_judgement SET format = 0")
    return Watch(watching.pool, watching.clock.clock, Slow("upgraded"), wake=wake)


async def test_a_press_is_told_before_its_home_is_remembered_again(watching: Watching, database: Database) -> None:
    """After an upgrade a year of homes is read again for hours; nobody may lie on the floor for as long."""
    told: list[tuple[bool, bool]] = []

    def wake() -> None:
        with psycopg.connect(database.dsn) as conn:
            row = conn.execute(
                "SELECT heard_at > clock_timestamp() - INTERVAL '10 s' FROM judging_lane WHERE lane = %s", (LANE,)
            ).fetchone()
        told.append((LANE in watch._mine, row == (True,)))

    watching.watch = watch = await _upgraded(watching, wake)

    await watching.presses()

    # Nobody may take the lane meanwhile: two workers would take it from each other for ever, and neither judge it.
    is_remembered, is_ours = told[0]
    assert (is_remembered, is_ours) == (False, True)
    assert (await watching.street.only_alert()).question is Question.ALARM
    # Then it is judged as if nothing had been, and the press is not told twice.
    assert LANE in watch._mine
    assert watch.status.trouble is None
    assert await watching.street.texts() == [("anne", "alert", "due")]


async def test_a_lane_that_waits_stays_ours_while_others_are_swept(watching: Watching) -> None:
    """A sweep may take longer than a lease, and whoever took the lane would begin to read it from the start."""
    await watching.lives(minutes=1)
    watch = watching.watch
    watch._behind[LANE] = watch._mine.pop(LANE).place
    await watching.conn.execute("UPDATE judging_lane SET heard_at = heard_at - INTERVAL '9 s'")
    watch._alive_at_s = float("-inf")

    await watch._sweep(watching.conn)

    rows = await watching.conn.execute(
        "SELECT heard_at > clock_timestamp() - INTERVAL '8 s' FROM judging_lane WHERE lane = %s", (LANE,)
    )
    assert await rows.fetchone() == (True,)


async def test_a_worker_that_reads_again_ends_when_it_is_told_to(watching: Watching) -> None:
    """One that cannot be stopped is killed after its time, and its lanes wait for a lease to end."""
    stop = asyncio.Event()
    watch = await _upgraded(watching, stop.set)
    at = watching.clock.now()
    press = entry.Alarm(HOME, HUB, f"{HUB}/box/1", "pendant", None, "pendant_alarm", 1.0, at)
    await watching.ingest.stores(LANE, press, now=at)

    await asyncio.wait_for(watch.run(stop), 60)

    rows = await watching.conn.execute("SELECT count(*) FROM judging_lane WHERE owner IS NOT NULL")
    assert await rows.fetchone() == (0,)
    rows = await watching.conn.execute("SELECT format FROM home_judgement WHERE home = %s", (HOME,))
    assert await rows.fetchone() == (0,), "it read on although it was told to stop"
    assert await watching.street.texts() == [("anne", "alert", "due")]

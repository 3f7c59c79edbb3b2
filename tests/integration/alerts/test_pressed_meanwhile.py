"""Somebody presses while their lane is not judged: a row of it cannot be read, or its homes are remembered again."""

import asyncio
from collections.abc import Callable, Collection

import msgspec
import psycopg
import pytest

from alerts.alert import Question
from alerts.lanes import JudgingLanes, Place
from alerts.watch import Watch
from ingest import entry
from tests.integration.alerts.conftest import HOME, HUB, Conn
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

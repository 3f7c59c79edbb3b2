"""A block of the database's disk is damaged, and PostgreSQL says so: does more stop than must, and who hears of it?"""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from alerts import metrics, store
from alerts.store import thresholds
from alerts.store.versions import ALL
from ingest import devices, entry
from tests.integration.alerts.conftest import HOME, HUB, NINE
from tests.integration.alerts.platform import until, worker
from tests.integration.alerts.test_watch import LANE, Watching, watching
from tests.world.database import Database

__all__ = ["watching"]

BEHIND = next(name for name in (f"mill-lane-{n}" for n in range(99)) if devices.lane_of(name) >= LANE + 8)
BEFORE = next(name for name in (f"mill-lane-{n}" for n in range(99)) if devices.lane_of(name) < LANE)
OTHER = next(name for name in (f"mill-lane-{n}" for n in range(99)) if devices.lane_of(name) != LANE)
CODES = ["58030", "XX001"]


async def _is_damaged(watching: Watching, table: str, code: str, *, only: str = "true", on: str = "UPDATE") -> None:
    """Have the database say of rows of a table, as they are written, that their block cannot be read."""
    await watching.conn.execute(
        f"CREATE OR REPLACE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE 'could not read block 7 in file \"base/1/2\": Input/output error' USING ERRCODE = '{code}'; END $$; "
        f"CREATE TRIGGER damaged BEFORE {on} ON {table} FOR EACH ROW WHEN ({only}) EXECUTE FUNCTION damaged()"
    )


@pytest.mark.parametrize("code", CODES)
async def test_a_lane_with_a_damaged_block_stops_no_other_and_is_fine_no_more(
    watching: Watching, database: Database, code: str
) -> None:
    """Taken for a database that is away, one bad sector kept the judge from all homes for ever, without a word."""
    await _other_home(watching, database, OTHER)
    await watching.lives(minutes=2, moves=True)
    before = metrics.UNREADABLE._value.get()
    await _is_damaged(watching, "home_watch", code, only=f"NEW.home = '{HOME}'", on="INSERT OR UPDATE")

    for _ in range(6):
        at = watching.clock.move(seconds=30)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)
        await watching.ingest.stores(devices.lane_of(OTHER), entry.Heard(OTHER, "hub-other", 0, 0, True), now=at)
        await watching.turns()
    await watching.presses()

    now = watching.clock.now()
    seen = await store.watches_of(watching.conn, [HOME, OTHER], stretch=timedelta(0))
    assert (seen[HOME].fine_until <= now, seen[OTHER].fine_until > now) == (True, True)
    assert _trouble(watching) == f"lanes [{LANE}] cannot be judged: the database cannot read its disk"
    assert metrics.UNREADABLE._value.get() > before
    assert await watching.street.texts() == [("anne", "alert", "due")], "whoever presses is heard all the same"

    await watching.conn.execute("DROP TRIGGER damaged ON home_watch")
    watching.watch._resting = dict.fromkeys(watching.watch._resting, 0.0)
    await watching.turns()
    assert _trouble(watching) is None
    assert await watching.street.texts() == [("anne", "alert", "due")]


async def _other_home(watching: Watching, database: Database, home: str) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as blocking:
        devices.add_home(blocking, home, now=NINE)
        devices.add_hub(blocking, "hub-other", home, ("x", "y"), now=NINE)
    await store.set_watched(watching.conn, home, "hub-other", now=NINE)
    await store.set_telling(watching.conn, home, ["jim"])


async def _presses_there(watching: Watching, home: str) -> None:
    at = watching.clock.now()
    press = entry.Alarm(home, "hub-other", "hub-other/box/1", "pendant", None, "pendant_alarm", 1.0, at)
    await watching.ingest.stores(devices.lane_of(home), press, now=at)


@pytest.mark.parametrize("code", ["23514", "23001", "XX000"])
async def test_a_lane_whose_result_cannot_be_written_stops_no_other(
    watching: Watching, database: Database, code: str
) -> None:
    """A rule of a table that one home breaks ended each sweep there: no lane behind it was ever judged again."""
    await _other_home(watching, database, BEHIND)
    await watching.lives(minutes=1)
    await _is_damaged(watching, "home_watch", code, only=f"NEW.home = '{HOME}'", on="INSERT OR UPDATE")

    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=20))
    await _presses_there(watching, BEHIND)
    await watching.turns()

    assert await watching.street.texts() == [("jim", "alert", "due")]
    assert watching.watch.status.trouble == f"lanes [{LANE}] cannot be judged", "that is not the disk"


async def test_a_sweep_that_ends_early_keeps_nobody_who_presses_from_being_heard(
    watching: Watching, database: Database
) -> None:
    """One statement that takes too long ends each sweep, and in lanes that wait nobody was heard meanwhile."""
    await _other_home(watching, database, BEFORE)
    await watching.lives(minutes=1)
    await _presses_there(watching, BEFORE)
    await watching.conn.execute(
        "UPDATE stored_log SET entries = 'no msgpack' WHERE lane = %s", (devices.lane_of(BEFORE),)
    )
    watching.clock.move(seconds=1)
    await _is_damaged(watching, "home_watch", "57014", only=f"NEW.home = '{HOME}'", on="INSERT OR UPDATE")
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=watching.clock.move(seconds=20))
    press = entry.Alarm(
        BEFORE, "hub-other", "hub-other/box/2", "pendant", None, "pendant_alarm", 1.0, watching.clock.now()
    )
    await watching.ingest.stores(devices.lane_of(BEFORE), press, now=watching.clock.now())

    with pytest.raises(psycopg.errors.QueryCanceled):
        await watching.turns()

    assert await watching.street.texts() == [("jim", "alert", "due")]


async def test_a_home_whose_grace_cannot_be_written_keeps_no_threshold_from_counting(watching: Watching) -> None:
    """One broken row of one home kept from counting what every operator had set for every home."""
    now = watching.clock.now()
    change = thresholds.Change(by="control", why="at night", at=now, from_=now + timedelta(seconds=30))
    await thresholds.set_numbers(watching.conn, ALL, {"escalate_after_s": 600}, change)
    await _is_damaged(watching, "judging_input", "XX001", only="NEW.kind = 'stretch'", on="INSERT")
    watching.clock.stretch = timedelta(minutes=1)

    watching.clock.move(seconds=40)
    await watching.turns()

    assert (await store.policy_of(watching.conn, HOME)).escalate_after == timedelta(minutes=10)
    assert _trouble(watching) == "grace of sped-up time cannot be set: the database cannot read its disk"
    await watching.conn.execute("DROP TRIGGER damaged ON judging_input")
    await watching.turns()
    assert _trouble(watching) is None


def _trouble(watching: Watching) -> str | None:
    return watching.watch.status.trouble


@pytest.mark.parametrize("code", CODES)
async def test_a_damaged_block_of_what_all_lanes_share_ends_no_process(
    watching: Watching, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop that tells of alarms runs in the same process; and whoever looks must not read that it is away."""
    await _is_damaged(watching, "judging_lane", code)
    stop = asyncio.Event()
    running = asyncio.create_task(watching.watch.run(stop))

    async def is_said() -> bool:
        return (watching.watch.status.trouble or "").startswith("the database cannot read its disk: ")

    async def is_well() -> bool:
        await watching.ingest.ticks(now=watching.clock.now())
        return watching.watch.status.trouble is None

    await until(is_said)
    await watching.conn.execute("DROP TRIGGER damaged ON judging_lane")
    await until(is_well)
    stop.set()
    await asyncio.wait_for(running, 60)

    assert "ERROR" in {said.levelname for said in caplog.records if said.message == "judging waits"}


async def test_a_worker_that_cannot_write_as_it_leaves_leaves_all_the_same(watching: Watching) -> None:
    """It would end with an error, and the judging that is stopped beside it would not give its lanes back."""
    _, tell = worker(watching.pool, watching.clock)
    await watching.street.presses()
    await watching.conn.execute("UPDATE notification SET claimed_by = %s, claimed_at = now()", (tell._log._owner,))
    await _is_damaged(watching, "notification", "XX001")

    await tell._leave()

    rows = await watching.conn.execute("SELECT claimed_by FROM notification")
    assert await rows.fetchone() == (tell._log._owner,), "its claim lapses by itself"


@pytest.mark.parametrize("code", CODES)
async def test_an_alert_whose_block_is_damaged_holds_up_no_other(watching: Watching, code: str) -> None:
    """Who is next on another alert is asked on; of the damaged one it is said that nobody is."""
    _, tell = worker(watching.pool, watching.clock)
    street = watching.street
    for hub in ("hub-a", HUB):
        await street.presses(hub=hub, home=None if hub == "hub-a" else HOME)
    watching.clock.move(minutes=6)
    await _is_damaged(watching, "alert", code, only="NEW.hub = 'hub-a'")

    await tell._ask_on(watching.conn, now=watching.clock.now())

    assert len(tell._resting) == 1
    assert [person for person, purpose, _ in await street.texts() if purpose == "alert"][-1] == "jim"

"""A block of the database's disk is damaged, and PostgreSQL says so: does more stop than must, and who hears of it?"""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from alerts import metrics, store
from ingest import devices, entry
from tests.integration.alerts.conftest import HOME, HUB, NINE
from tests.integration.alerts.platform import until, worker
from tests.integration.alerts.test_watch import LANE, Watching, watching
from tests.world.database import Database

__all__ = ["watching"]

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
    with psycopg.connect(database.dsn, autocommit=True) as blocking:
        devices.add_home(blocking, OTHER, now=NINE)
        devices.add_hub(blocking, "hub-other", OTHER, ("x", "y"), now=NINE)
    await store.set_watched(watching.conn, OTHER, "hub-other", now=NINE)
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

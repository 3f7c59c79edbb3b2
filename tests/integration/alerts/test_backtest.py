"""What other thresholds would have done, looked up in a real log: five days of Margaret's, one with a fall."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Outcome
from alerts.backtest import LookBack, look_back
from alerts.judging.numbers import Numbers
from alerts.judging.policy import Policy
from alerts.price import price_of
from alerts.store import recorded, thresholds
from alerts.store.versions import Scope, Width
from deploy import backtest
from deploy.admin import Cannot
from ingest import entry
from ingest.db.pool import open_pool
from tests.integration.alerts.conftest import HOME, HUB, NINE, Street, furnish
from tests.integration.alerts.platform import Ingest, MovedClock, worker
from tests.world.database import Database

DAYS = 5
HERE = Scope(Width.HOME, HOME)
LANE_OF = "SELECT lane FROM home WHERE home = %s"
# On the fourth day nothing moves from one in the afternoon until a carer comes at half past eight in the evening.
FELL = NINE + timedelta(days=3, hours=4)
HELPED = FELL + timedelta(hours=7.5)
NOW = NINE + timedelta(days=DAYS)


def moves(hour: datetime) -> bool:
    """Return whether she moves in an hour: by day, but for the afternoon on which she fell."""
    return 6 <= hour.hour < 21 and not FELL < hour < HELPED


@asynccontextmanager
async def lived(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Live the days: heartbeats and movements by the hour, on a clock that forgives that; then judge them."""
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    pool = await open_pool(database.dsn, name="test", size_max=4)
    async with pool, conn:
        street = await furnish(conn, database.dsn)
        clock = MovedClock(tmp_path / "clock.json", NINE)
        ingest = Ingest(conn)
        await ingest.start()
        await ingest.ticks(now=NINE)
        lane = int((await (await conn.execute(LANE_OF, (HOME,))).fetchall())[0][0])
        await store.set_policy(conn, HOME, Policy(still_for=timedelta(hours=5)), by="control", why="x", now=NINE)
        await store.set_watched(conn, HOME, HUB, now=NINE)
        await store.set_stretch(conn, HOME, timedelta(days=2), now=NINE)
        watch, _ = worker(pool, clock)
        for number in range(1, DAYS * 24):
            at = NINE + timedelta(hours=number)
            said: list[entry.Entry] = [entry.Heard(HOME, HUB, 0, 0, radio_up=True)]
            said += [entry.Reading(HOME, HUB, "pir", "kitchen", "movement", 1.0, at)] if moves(at) else []
            await ingest.stores(lane, *said, now=at)
        clock.set(NOW)
        await ingest.ticks(now=NOW)
        await watch._claim(conn)
        # Not a whole turn: the clock's own stretch would be given, and here the recorded one counts.
        await watch._judge_lanes(conn, [lane])
        street.now = NOW
        yield street


async def looked_back(street: Street, numbers: Numbers, *, days: int = 4) -> LookBack:
    since = NOW - timedelta(days=days)
    steps = await recorded.steps_of(street.conn, HOME, since=since - timedelta(days=42), until=NOW)
    raised = await recorded.raised_in(street.conn, HOME, since=since, until=NOW)
    policies = await thresholds.proposed(street.conn, HOME, HERE, numbers, at=NOW)
    return look_back(HOME, steps, policies, raised, since=since, until=NOW)


async def test_the_numbers_of_now_give_what_was_raised_and_later_ones_the_price(
    database: Database, tmp_path: Path
) -> None:
    """Fewer alerts are bought with the time that somebody lies on the floor."""
    async with lived(database, tmp_path) as street:
        (fall,) = await store.recent_alerts(street.conn, HOME, NINE)
        await store.close(street.conn, fall.alert, "anne", Outcome.HELP_GIVEN, None, now=NOW)

        same = await looked_back(street, {"still_for_s": 5 * 3600})
        later = await looked_back(street, {"still_for_s": 7 * 3600})
        never = await looked_back(street, {"still_for_s": 14 * 3600})
        sooner = await looked_back(street, {"still_for_s": 1800})

    assert [(one.since, one.now_at, one.then_at) for one in same.alerts] == [(fall.since, fall.at, fall.at)]
    assert [(one.then_at, one.was_needed) for one in later.alerts] == [(fall.at + timedelta(hours=2), True)]
    assert (price_of([never]).lost, price_of([never]).lost_needed) == (1, 1)
    assert (price_of([sooner]).gained > 0, price_of([sooner]).sooner) == (True, 1)
    assert all(one.outcome is None for one in sooner.alerts if one.is_gained)
    noon = next(delay for delay in later.delays if delay.hour == 12)
    assert (noon.now, noon.then) == (timedelta(hours=5), timedelta(hours=7))


def test_the_command_prints_the_price_and_leaves_a_record(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operators look at a resident's life too, and she can have the record of it."""

    async def live() -> None:
        async with lived(database, tmp_path):
            pass

    asyncio.run(live())
    environment = {"TELECARE_DATABASE_URL": database.dsn}
    asked = backtest.Asked(home=HOME, changes=("still_for=7h",), days=4)

    backtest.run(asked, tmp_path, environment, now=NOW)

    said = capsys.readouterr().out
    assert "alerts in 4 days: 1 now, 1 proposed" in said
    assert "1 later" in said
    assert re.search(r"12:00 +5 h 00 min +7 h 00 min", said)
    with database.connect() as conn:
        assert conn.execute("SELECT viewer, home, view FROM access_record").fetchall() == [
            ("control", HOME, "look back")
        ]
    for wrong, word in (
        (backtest.Asked(home="nowhere"), "no home 'nowhere'"),
        (backtest.Asked(home=HOME, by="nobody"), "no person 'nobody'"),
        (backtest.Asked(home=HOME, changes=("still_for",)), "still_for=5h"),
        (backtest.Asked(home=HOME, rules=("nonsense",)), "not written like"),
    ):
        with pytest.raises(Cannot, match=word):
            backtest.run(wrong, tmp_path, environment, now=NOW)

"""Which processes of ours are there, and when was each last alive?"""

from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection

from deploy.processes import state_of
from gateway.clock import Clock
from ingest import processes
from ingest.db import pool
from tests.integration.alerts.platform import until
from tests.world.database import Database

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)


async def test_a_process_is_there_while_it_runs_and_stopped_afterwards(database: Database) -> None:
    """After a night one must be able to tell a process that was stopped from one that died."""
    opened = await pool.open_pool(database.dsn, name="test")

    async def is_there() -> bool:
        return bool(_all(database))

    async with processes.alive(opened, "ingest", "host-1-ab", Clock(), lambda: {"lanes": 64}):
        await until(is_there)
        (running,) = _all(database)
    (stopped,) = _all(database)
    await opened.close()

    assert (running.process, running.doing, running.ended_at) == ("ingest", {"lanes": 64}, None)
    assert state_of(running).startswith("runs since")
    assert state_of(stopped).startswith("stopped")


async def test_who_died_is_silent_and_is_forgotten_after_a_week(database: Database) -> None:
    """The table stays small, however often a process is started again."""
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        for instance, days in (("a", 8), ("b", 6)):
            await processes.beat(conn, "alerts", instance, {}, now=NINE)
            await conn.execute(
                "UPDATE process_heartbeat SET started_at = started_at - %(ago)s, heard_at = heard_at - %(ago)s "
                "WHERE instance = %(instance)s",
                {"ago": timedelta(days=days), "instance": instance},
            )

        assert await processes.prune(conn) == 1

    (left,) = _all(database)
    assert left.instance == "b"
    assert state_of(left).startswith("SILENT since")


def _all(database: Database) -> list[processes.Process]:
    with pool.connect(database.dsn, name="test") as conn:
        return processes.list_processes(conn)

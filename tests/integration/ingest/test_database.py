"""The database: brought to this release, refused when it forgets."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from alerts.judging.policy import Policy, from_json
from deploy.embedded import postgres
from ingest.db import catalogue, migrate, pool
from ingest.db.migrate import CannotMigrate, Migration
from ingest.db.pool import Unfit
from tests.world.database import Database, drop_database
from tests.world.processes import wait_until

_NAME = "test_migrations"


@pytest.fixture
def empty(postgres_server: postgres.Server) -> Iterator[str]:
    """Give the address of a database that has nothing in it."""
    drop_database(postgres_server, _NAME)
    yield postgres_server.create_database(_NAME)
    drop_database(postgres_server, _NAME)


def _one(number: int, sql: str) -> Migration:
    return Migration(number, f"{number:04d}_ingest_test.sql", sql, f"{hash(sql):064x}")


def test_all_migrations_are_what_schema_sql_says(database: Database) -> None:
    """Nobody should have to add up the migrations.  Made anew by `python -m ingest.db.catalogue DATABASE_URL`."""
    with pool.connect(database.dsn, name="test") as conn:
        assert catalogue.dump(conn) == catalogue.SCHEMA.read_text()


def test_a_second_run_has_nothing_to_do(empty: str) -> None:
    """Every start of the platform runs them."""
    first = migrate.migrate(empty)

    assert first == [one.name for one in migrate.read_all()]
    assert migrate.migrate(empty) == []


def test_two_runs_at_once_run_each_file_once(empty: str) -> None:
    """Two machines that start together must not both make the tables."""
    with ThreadPoolExecutor(2) as both:
        ran = list(both.map(migrate.migrate, [empty, empty]))

    assert sorted(len(names) for names in ran) == [0, len(migrate.read_all())]


def test_a_file_that_fails_leaves_nothing_behind(empty: str) -> None:
    """Half a migration is a database that no release knows."""
    with pytest.raises(CannotMigrate, match="0002"):
        migrate.migrate(empty, migrations=[_one(1, "CREATE TABLE a ()"), _one(2, "CREATE TABLE b (); SELECT nonsense")])

    with psycopg.connect(empty) as conn:
        there = conn.execute("SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NOT NULL").fetchone()
    assert there == (True, False)


def test_a_file_that_waits_for_somebody_who_waits_for_it_runs_again(database: Database) -> None:
    """Under load an upgrade and a worker may each hold a table that the other wants: nobody should read a traceback."""
    ours = migrate.read_all()
    sql = (
        "SET LOCAL deadlock_timeout = '3s';\nALTER TABLE home ADD COLUMN next_a text;\n"
        "ALTER TABLE person ADD COLUMN next_b text;"
    )
    following = [*ours, Migration(len(ours) + 1, "9999_ingest_next.sql", sql, "0" * 64)]
    with database.connect() as worker, ThreadPoolExecutor() as threads:
        worker.execute("SET deadlock_timeout = '10min'")  # Who looks first whether two wait for each other gives way.
        with worker.transaction():
            worker.execute("LOCK TABLE person IN ACCESS SHARE MODE")
            running = threads.submit(migrate.migrate, database.dsn, migrations=following)
            waits = "SELECT FROM pg_locks WHERE relation = 'person'::regclass AND NOT granted"
            assert wait_until(lambda: worker.execute(waits).fetchone() is not None)
            worker.execute("LOCK TABLE home IN ACCESS SHARE MODE")

        assert running.result(60) == ["9999_ingest_next.sql"]
        assert worker.execute("SELECT next_a FROM home").fetchall() == []


def test_a_file_that_changed_after_it_ran_is_refused(empty: str) -> None:
    """Two databases of one number would have different tables."""
    migrate.migrate(empty, migrations=[_one(1, "CREATE TABLE a ()")])

    with pytest.raises(CannotMigrate, match="never changed"):
        migrate.migrate(empty, migrations=[_one(1, "CREATE TABLE a (b int)")])


def test_a_database_of_a_later_release_is_left_alone(empty: str) -> None:
    """Going back one release must work: removal comes one release after the last use."""
    migrate.migrate(empty, migrations=[_one(1, "CREATE TABLE a ()"), _one(2, "CREATE TABLE b ()")])

    assert migrate.migrate(empty, migrations=[_one(1, "CREATE TABLE a ()")]) == []


def test_from_each_earlier_number_with_rows_forward_to_now(empty: str) -> None:
    """A database in use is not empty; a column that may not be null would stop there."""
    every = migrate.read_all()
    for upto in range(1, len(every) + 1):
        migrate.migrate(empty, migrations=every[:upto])
        if upto == 2:
            with psycopg.connect(empty) as conn:
                conn.execute("INSERT INTO home VALUES ('rose-cottage', 3, now())")
                conn.execute("INSERT INTO hub VALUES ('hub-1', 'rose-cottage', 3, 'a', 'b', now())")
                conn.execute(
                    "INSERT INTO reading VALUES (NULL, 'h', 's', NULL, 'movement', 1, now(), NULL, now(), false)"
                )

        if upto == 6:
            with psycopg.connect(empty) as conn:
                conn.execute(
                    "INSERT INTO policy (home, still_for, waking_from, waking_until, hub_silent_carer_after, "
                    "escalate_after, again_after, learned, in_force_since, set_at, set_by, why) VALUES "
                    "('rose-cottage', '5 h', '07:00', '21:30', '2 h', '5 min', '1 h', false, now(), now(), 'a', 'b')"
                )

    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT count(*) FROM reading").fetchone() == (1,)
        # What was set by hand stays in force under its number; what equals the product's own was set by nobody.
        assert conn.execute("SELECT version, scope, home, numbers FROM policy_version").fetchall() == [
            (1, "home", "rose-cottage", {"still_for_s": 18000, "waking_until": "21:30:00", "learned": False})
        ]
        row = conn.execute("SELECT policy, numbers, versions FROM policy").fetchone()
        assert row is not None
        number, numbers, versions = row
        assert from_json({**numbers, "policy": number, "versions": versions}) == Policy(
            policy=1, versions=(1,), still_for=timedelta(hours=5), waking_until=time(21, 30), learned=False
        )
        again = conn.execute(
            "INSERT INTO policy_version (scope, numbers, in_force_since, set_at, set_by, why) "
            "VALUES ('all', '{}', now(), now(), 'a', 'b') RETURNING version"
        ).fetchone()
        assert again == (2,)


async def test_a_database_that_would_forget_is_refused_in_one_sentence(database: Database) -> None:
    """With synchronous_commit off, what a hub was told is stored can be gone after a power cut."""
    with database.connect() as conn:
        conn.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off")

    with pytest.raises(Unfit, match=r"^The database has synchronous_commit = off .*\.$"):
        await pool.open_pool(database.dsn, name="test")


async def test_a_database_without_our_tables_is_refused(empty: str) -> None:
    """A wrong address is found at the start and not at the first reading."""
    with pytest.raises(Unfit, match="timescaledb"):
        await pool.open_pool(empty, name="test")

    migrate.migrate(empty, migrations=[])
    with psycopg.connect(empty) as conn:
        conn.execute("DROP TABLE migration")
    with pytest.raises(Unfit, match="tables"):
        await pool.open_pool(empty, name="test")


@pytest.mark.parametrize(
    ("fsync", "synchronous_commit", "has_timescaledb", "word"),
    [
        ("off", "on", True, "fsync"),
        ("on", "off", True, "synchronous_commit"),
        ("on", "on", False, "timescaledb"),
        ("on", "on", True, None),
        ("on", "remote_apply", True, None),
        ("on", "local", True, None),
    ],
)
def test_what_makes_a_database_unfit(
    fsync: str, synchronous_commit: str, has_timescaledb: bool, word: str | None
) -> None:
    """The setting fsync cannot be switched off for one database, so its sentence is tried here."""
    why = pool.why_unfit(fsync, synchronous_commit, has_timescaledb)

    assert why is None if word is None else word in str(why)


async def test_a_transaction_that_stands_still_is_ended(database: Database) -> None:
    """A stopped process must not hold a lane's row for longer than its lease."""
    opened = await pool.open_pool(database.dsn, name="test")
    async with opened.connection() as conn:
        row = await (await conn.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
        assert row == ("8s",)
        assert conn.autocommit
    await opened.close()


async def test_a_database_that_was_away_for_an_hour_is_looked_for_every_few_seconds(database: Database) -> None:
    """A pool that tries less and less often left a press waiting for minutes after the database was back."""
    opened = await pool.open_pool(database.dsn, name="test")

    async with opened:
        assert opened.reconnect_timeout <= 3


async def test_who_gave_up_waiting_for_a_database_stands_in_nobodys_way(database: Database) -> None:
    """In an outage every second somebody gives up; with a hundred of them the pool never tried to connect again."""
    opened = await pool.open_pool(database.dsn, name="test", size_max=1)

    async with opened:
        async with opened.connection():
            for _ in range(120):
                with pytest.raises(PoolTimeout):
                    await opened.getconn(timeout=0.001)
        async with opened.connection() as conn:
            assert await (await conn.execute("SELECT 1")).fetchone() == (1,)

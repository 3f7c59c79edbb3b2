"""What may each of our processes do in the database?  Tried as the accounts themselves, on real tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from ingest import readings, stored_log
from ingest.db import pool, roles
from tests.world.database import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PASSWORDS = {process: f"password of {process}" for process in roles.ALL}
READING = "INSERT INTO reading VALUES (NULL, 'h', 's', NULL, 'movement', 1, now(), NULL, now(), false)"


@pytest.fixture
def accounts(database: Database) -> Iterator[Database]:
    """Give a database with an account for each process."""
    roles.ensure(database.dsn, PASSWORDS)
    yield database
    with database.connect() as conn:
        for process in roles.ALL:
            conn.execute(f"DROP OWNED BY {roles.account(process)}".encode())
            conn.execute(f"DROP ROLE {roles.account(process)}".encode())


def tries(database: Database, process: str, sentence: str) -> None:
    """Do something as the account of a process."""
    with psycopg.connect(roles.url_for(database.dsn, process, PASSWORDS[process]), autocommit=True) as conn:
        conn.execute(sentence.encode())


def test_what_each_process_may_not(accounts: Database) -> None:
    """Who breaks into one of them must not find all of it: one line for each thing that is forbidden."""
    forbidden = [
        # Ingest hears every home's hub, and speaks with a network of strangers' boxes.
        *(("ingest", f"SELECT * FROM {table}") for table in ("person", "resident", "notification", "alert", "session")),
        ("ingest", "DELETE FROM reading WHERE observed_at < '2026-01-01'"),
        ("ingest", "UPDATE reading SET value = 0 WHERE observed_at > '2026-01-01'"),
        ("ingest", "UPDATE hub SET home = 'another'"),
        ("ingest", "UPDATE migration SET sha256 = ''"),
        # Judging reads what happened, and must not be able to make it so.
        *(("alerts", f"DELETE FROM {table}") for table in ("alert", "notification", "alarm")),
        ("alerts", READING),
        ("alerts", "INSERT INTO stored_log (lane, position, received_at, entries) VALUES (1, 1, now(), '')"),
        ("alerts", "UPDATE lane SET owner = 'me'"),
        ("alerts", "SELECT * FROM session"),
        ("alerts", "SELECT * FROM access_record"),
        # The pages are what the world reaches.
        ("api", READING),
        ("api", "DELETE FROM reading WHERE observed_at < '2026-01-01'"),
        ("api", "UPDATE stored_log SET entries = '' WHERE received_at > '2026-01-01'"),
        ("api", "UPDATE lane SET complete_through = now()"),
        ("api", "DELETE FROM access_record"),
        ("api", "UPDATE access_record SET viewer = 'another'"),
        ("api", "DELETE FROM change_record"),
        ("api", "DELETE FROM alert"),
        ("api", "UPDATE confidence_edition SET content = ''"),
        # A backup reads.
        ("backup", "DELETE FROM reading WHERE observed_at < '2026-01-01'"),
        ("backup", "UPDATE person SET phone = NULL"),
        # Nobody but the owner changes tables, drops readings, or makes accounts.
        *((process, "CREATE TABLE mine (a int)") for process in roles.ALL),
        *((process, "SELECT drop_chunks('reading', older_than => now())") for process in roles.ALL),
        *((process, "SELECT drop_chunks('stored_log', older_than => now())") for process in roles.ALL),
        *(
            (process, f"SELECT {function}")
            for function in ("drop_stored_log_before(now())", "drop_readings_before(now())", "erase(1, now())")
            for process in roles.ALL
            if process != "ingest"
        ),
        # And that only as far as it was asked for, and of what is old.
        ("ingest", "INSERT INTO erasure (what, subject_sha256, instead, asked_at) VALUES ('person', '', 'x', now())"),
        ("ingest", "UPDATE erasure SET subject = 'another'"),
        *(("ingest", f"SELECT {function}") for function in ("erase_words('.')", "erase_key('home', 'a', 'b')")),
        *((process, "CREATE ROLE other") for process in roles.ALL),
    ]

    allowed = []
    for process, sentence in forbidden:
        try:
            tries(accounts, process, sentence)
        except InsufficientPrivilege:
            continue
        allowed.append((process, sentence))

    assert allowed == []


def test_what_each_process_must(accounts: Database) -> None:
    """An account that may do too little loses a reading or a text, at night."""
    for process, sentence in (
        ("ingest", READING),
        ("ingest", "SELECT home, hub FROM hub"),
        ("ingest", "SELECT lane FROM lane FOR UPDATE"),
        ("ingest", "UPDATE erasure SET log_cleared_at = now()"),
        ("ingest", "SELECT erase(1, now()), drop_readings_before(now())"),
        ("alerts", "SELECT lane FROM lane FOR UPDATE"),
        ("alerts", "SELECT home FROM home FOR UPDATE"),
        ("alerts", "SELECT entries FROM stored_log WHERE received_at > '2026-01-01'"),
        ("alerts", "UPDATE notification SET state = 'sent'"),
        ("api", "SELECT lane FROM lane FOR UPDATE"),
        ("api", "SELECT value FROM reading WHERE observed_at > '2026-11-01'"),
        ("api", "INSERT INTO home (home, lane, added_at) VALUES ('rose-cottage', 3, now())"),
        ("backup", "SELECT full_name FROM person"),
        ("backup", "SELECT count(*) FROM _timescaledb_catalog.chunk"),
    ):
        tries(accounts, process, sentence)


async def test_ingest_drops_old_log_and_no_other(accounts: Database) -> None:
    """The log is kept 100 days by a process that may drop nothing else."""
    with accounts.connect() as conn:
        for day in ("2026-01-01", "2026-11-22"):
            conn.execute("INSERT INTO stored_log (lane, position, received_at, entries) VALUES (1, 1, %s, '')", (day,))
    opened = await pool.open_pool(roles.url_for(accounts.dsn, "ingest", PASSWORDS["ingest"]), name="test")

    async with opened.connection() as one:
        assert await stored_log.drop_before(one, NOW - stored_log.KEPT) == 1
    await opened.close()

    with accounts.connect() as conn:
        assert conn.execute("SELECT count(*) FROM stored_log").fetchone() == (1,)


async def test_readings_are_dropped_by_age_and_never_young_ones(accounts: Database) -> None:
    """Who breaks into ingest, or mistypes a number, must not drop what judgement rests on."""
    old, young = NOW - timedelta(days=400), datetime.now(UTC) - timedelta(days=60)  # noqa: TID251 - the database's clock
    with accounts.connect() as conn:
        for at in (old, young):
            conn.execute(
                "INSERT INTO reading VALUES (NULL, 'h', 's', NULL, 'movement', 1, %s, NULL, %s, false)", (at, at)
            )
    opened = await pool.open_pool(roles.url_for(accounts.dsn, "ingest", PASSWORDS["ingest"]), name="test")

    async with opened.connection() as one:
        assert await readings.drop_before(one, NOW - timedelta(days=500)) == 0
        assert await readings.drop_before(one, young + timedelta(days=59)) == 1
    await opened.close()

    with accounts.connect() as conn:
        assert conn.execute("SELECT observed_at FROM reading WHERE observed_at > '2020-01-01'").fetchall() == [(young,)]


def test_every_table_is_somebodys(accounts: Database) -> None:
    """A table of which nobody said whose it is would be out of reach of every process."""
    with accounts.connect() as conn:
        tables = {name for (name,) in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    assert tables <= roles.owners().keys()


def test_a_second_time_there_is_nothing_to_do(accounts: Database) -> None:
    """Each start looks; what is right is left, and what somebody changed is put right."""
    with pool.connect(accounts.dsn, name="test") as conn:
        assert roles.grant(conn) == 0
        conn.execute("GRANT DELETE ON access_record TO telecare_api")
        conn.execute("REVOKE SELECT ON reading FROM telecare_api")
        assert roles.grant(conn) == 2
        assert roles.grant(conn) == 0


def test_an_installation_with_one_account_goes_on(database: Database) -> None:
    """Whoever installed the release before has no such accounts, and is asked for nothing."""
    with pool.connect(database.dsn, name="test") as conn:
        assert roles.grant(conn) == 0


@pytest.mark.parametrize("dsn", ["host=a dbname=b", "postgresql:///name", "nonsense"])
def test_an_address_without_a_place_is_refused_without_repeating_it(dsn: str) -> None:
    """It may hold a password."""
    with pytest.raises(ValueError, match="must be like") as why:
        roles.url_for(dsn, "api", "x")

    assert dsn not in str(why.value)
    assert "p%40ss%2F" in roles.url_for("postgresql://owner:secret@host:5/name", "api", "p@ss/")

"""Our own PostgreSQL: what it keeps, whom it lets in, and what it says when it cannot start."""

import os
import stat
from pathlib import Path

import psycopg
import pytest

from deploy.embedded import machine, postgres
from deploy.embedded.machine import Missing
from tests.world.database import Database


def _sibling(server: postgres.Server, folder: Path, port: int) -> postgres.Server:
    return postgres.Server(folder, programs=server._programs, port=port, log=folder.with_suffix(".log"))


def test_what_was_committed_outlives_a_power_cut(database: Database) -> None:
    """A hub lets go of a reading when we say that it is stored."""
    with database.connect() as conn:
        conn.execute("CREATE TABLE kept (number int)")
        for number in range(500):
            conn.execute("INSERT INTO kept VALUES (%s)", (number,))

    database.server.kill()
    database.server.start()

    with database.connect() as conn:
        assert conn.execute("SELECT count(*), max(number) FROM kept").fetchone() == (500, 499)


def test_a_migrated_database_has_hypertables(database: Database) -> None:
    """The extension is the point of building it."""
    with database.connect() as conn:
        row = conn.execute("SELECT count(*) FROM timescaledb_information.hypertables").fetchone()

    assert row is not None
    assert row[0] in range(1, 100)


def test_it_takes_no_shortcut_with_the_disk(database: Database) -> None:
    """The platform refuses a database that would answer before a reading is on the disk."""
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "127.0.0.1",
        "timescaledb.telemetry_level": "off",
    }

    with database.connect() as conn:
        found = {name: conn.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in wanted}

    assert found == {name: (value,) for name, value in wanted.items()}


@pytest.mark.parametrize("password", ["", "wrong"])
def test_another_account_of_the_machine_is_not_let_in(database: Database, password: str) -> None:
    """Every account can reach 127.0.0.1; residents' lives are not theirs to read."""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host=127.0.0.1 port={database.server.port} user=telecare dbname=postgres", password=password)


def test_the_password_is_readable_by_its_owner_alone(database: Database) -> None:
    """Whoever reads the file reads every home."""
    password = database.server.folder / "password"

    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert len(password.read_text().strip()) == 64


def test_a_restored_backup_is_the_moment_it_was_taken(database: Database, open_folder: Path) -> None:
    """Hubs heal a server that was restored, if the restore is whole and of one moment."""
    with database.connect() as conn:
        conn.execute("CREATE TABLE kept (number int)")
        conn.execute("INSERT INTO kept VALUES (1)")
    backup = open_folder / "backup"
    database.server.back_up(backup)
    with database.connect() as conn:
        conn.execute("INSERT INTO kept VALUES (2)")

    database.server.stop()
    database.server.restore(backup)
    database.server.start()

    with database.connect() as conn:
        assert conn.execute("SELECT number FROM kept").fetchall() == [(1,)]


def test_a_lock_that_names_another_program_does_not_keep_the_database_down(database: Database) -> None:
    """After a restart of the machine, the number in the lock may be anybody's."""
    database.server.kill()
    lock = database.server.folder / "cluster" / "postmaster.pid"
    killed = lock.read_text().split("\n", 1)
    lock.write_text(f"{os.getpid()}\n{killed[1]}")

    database.server.start()

    with database.connect() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_second_server_on_the_same_folder_is_refused(database: Database) -> None:
    """Two servers on one disk destroy it; the sentence says which process has it."""
    second = _sibling(database.server, database.server.folder, machine.free_port())
    assert database.server.process is not None

    with pytest.raises(Missing, match=rf"process {database.server.process.pid}.*--data DIR\.$"):
        second.start()


def test_a_port_that_is_taken_is_one_sentence(database: Database, open_folder: Path) -> None:
    """The founder of a site reads this, not a traceback."""
    second = _sibling(database.server, open_folder / "second", database.server.port)

    with pytest.raises(Missing, match=rf"^Port {database.server.port} is taken.*choose another port .*\.$"):
        second.start()


def test_an_environment_of_the_caller_does_not_reach_the_server(
    database: Database, monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    """A PGDATA or a library path that someone has set for another PostgreSQL must not change ours."""
    for name in ("PGDATA", "PGPORT", "LD_LIBRARY_PATH", "PGOPTIONS"):
        monkeypatch.setenv(name, "/nowhere" if name != "PGPORT" else "1")
    monkeypatch.delenv("PGOPTIONS")
    other = _sibling(database.server, open_folder / "other", machine.free_port())

    other.start()

    try:
        with psycopg.connect(other.dsn("postgres")) as conn:
            assert conn.execute("SHOW port").fetchone() == (str(other.port),)
    finally:
        other.stop()

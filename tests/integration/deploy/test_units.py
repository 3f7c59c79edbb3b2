"""Do the processes that systemd starts reach the database as themselves, and no further?"""

import configparser
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from deploy import admin, roles
from deploy.accounts import of_configured
from deploy.platform import Kept
from ingest.db.roles import ALL, account, there
from tests.world.database import Database

UNITS: Final = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
ACCOUNTS: Final = "/var/lib/telecare-migrate/accounts/"

_READING: Final = "INSERT INTO reading VALUES (NULL, 'h', 's', NULL, 'movement', 1, now(), NULL, now(), false)"
FORBIDDEN: Final = {
    "ingest": ("SELECT * FROM person", "SELECT * FROM resident", "DROP TABLE reading"),
    "alerts": (_READING, "SELECT * FROM session", "DROP TABLE reading"),
    "api": (_READING, "DELETE FROM access_record", "DROP TABLE reading"),
    "backup": (_READING, "UPDATE person SET phone = NULL", "DROP TABLE reading"),
}


def settings(process: str) -> list[tuple[str, str]]:
    """Return the settings of a unit's service, in their order."""
    body = (UNITS / f"telecare-{process}.service").read_text().partition("[Service]")[2].partition("[Install]")[0]
    pairs = [line.partition("=") for line in body.splitlines() if "=" in line and not line.startswith("#")]
    return [(name, value) for name, _, value in pairs]


def address_file(process: str, out: Path) -> Path:
    """Return the file that a unit's `TELECARE_DATABASE_URL_FILE` shows its process, where `db roles` wrote it."""
    found = settings(process)
    assert ("Environment", "TELECARE_DATABASE_URL_FILE=%d/database") in found
    assert ("UnsetEnvironment", "TELECARE_DATABASE_URL") in found
    (shown,) = [value for name, value in found if name == "LoadCredential" and value.startswith("database:")]
    place = shown.removeprefix("database:")
    assert place.startswith(ACCOUNTS)
    return out / place.removeprefix(ACCOUNTS)


def forget(database: Database) -> None:
    """Drop the accounts: they are the server's, and other tests use it too."""
    with database.connect() as conn:
        for process in ALL:
            conn.execute(f"DROP OWNED BY {account(process)}".encode())
            conn.execute(f"DROP ROLE {account(process)}".encode())


@pytest.fixture
def accounts(database: Database, tmp_path: Path) -> Iterator[Path]:
    """Make the accounts as telecare-migrate does, twice as after an update; give the folder of their addresses."""
    out = tmp_path / "accounts"
    for _ in range(2):
        roles.make(out, tmp_path, {"TELECARE_DATABASE_URL": database.dsn})
    yield out
    forget(database)


def test_a_unit_starts_its_process_with_an_account_that_may_do_little(accounts: Path) -> None:
    """Whoever breaks into one process of a site that was set up as the page says must not find all of it."""
    allowed = []
    for process, sentences in FORBIDDEN.items():
        with psycopg.connect(address_file(process, accounts).read_text().strip(), autocommit=True) as conn:
            assert conn.execute("SELECT current_user").fetchone() == (account(process),)
            for sentence in sentences:
                try:
                    conn.execute(sentence.encode())
                except InsufficientPrivilege:
                    continue
                allowed.append((process, sentence))

    assert (sorted(FORBIDDEN), allowed) == (sorted(ALL), [])


def test_an_account_is_there_only_once_its_address_is_written(database: Database, tmp_path: Path) -> None:
    """A full disk, or a kill in between: an account whose password nobody knows keeps its process down for good."""
    (tmp_path / "file").touch()

    with pytest.raises(roles.CannotMake, match="cannot be written"):
        roles.make(tmp_path / "file" / "accounts", tmp_path, {"TELECARE_DATABASE_URL": database.dsn})

    with database.connect() as conn:
        assert there(conn) == frozenset()


def test_a_second_host_is_told_whose_address_it_lacks(
    accounts: Path, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New passwords would shut out the first host, and a failure would keep down who has what it needs."""
    second = tmp_path / "second"
    second.mkdir()
    (second / "api").write_text((accounts / "api").read_text())
    capsys.readouterr()

    roles.make(second, tmp_path, {"TELECARE_DATABASE_URL": database.dsn})

    last = capsys.readouterr().out.splitlines()[-1]
    assert f"No file in {second} has the address of ingest, alerts, backup: copy it" in last
    assert [one.name for one in second.iterdir()] == ["api"]
    for process in ALL:
        psycopg.connect((accounts / process).read_text().strip()).close()


def test_a_password_that_is_given_is_in_the_file_too(accounts: Path, database: Database, tmp_path: Path) -> None:
    """Where a file is lost for good, one command brings it back, and touches nobody else's."""
    before = {one: (accounts / one).read_text() for one in ALL}
    (accounts / "api").unlink()
    environment = {"TELECARE_DATABASE_URL": database.dsn, "TELECARE_API_DATABASE_PASSWORD": "a new one"}

    roles.make(accounts, tmp_path, environment)

    assert [one for one in ALL if (accounts / one).read_text() != before[one]] == ["api"]
    psycopg.connect((accounts / "api").read_text().strip()).close()


def test_the_owners_address_is_shown_to_what_makes_the_tables_alone() -> None:
    """It may drop everything; and what waits for the accounts begins after they were made."""
    shown = {unit.stem: unit.read_text().count("database-owner:") for unit in UNITS.glob("*.service")}
    order = [value.partition("telecare ")[2].split()[:2] for name, value in settings("migrate") if name == "ExecStart"]

    assert [name for name, times in shown.items() if times] == ["telecare-migrate"]
    assert order == [["db", "migrate"], ["db", "roles"]]
    for process in ALL:
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.read_string((UNITS / f"telecare-{process}.service").read_text().partition("[Service]")[0])
        assert unit["Unit"]["Requires"] == "telecare-migrate.service"


def test_up_makes_accounts_in_a_database_of_ones_own(database: Database, tmp_path: Path) -> None:
    """Who starts everything by one command must not get less than who follows the page."""
    said: list[str] = []
    kept = Kept(tmp_path)
    environment = {"TELECARE_DATABASE_URL": database.dsn}
    try:
        first = of_configured(database.dsn, kept, environment, said.append)
        again = of_configured(database.dsn, Kept(tmp_path), environment, said.append)
        # Another installation of ours on the same server must not take this one's passwords away.
        others = of_configured(database.dsn, Kept(tmp_path / "other"), environment, said.append)
        with psycopg.connect(first["ingest"], autocommit=True) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute("SELECT * FROM person")
    finally:
        forget(database)

    assert (sorted(first), again, others) == (sorted(ALL), first, {})
    assert len(said) == 1
    assert "others know their passwords" in said[0]


def test_up_goes_on_where_another_owner_made_the_accounts(database: Database, tmp_path: Path) -> None:
    """From PostgreSQL 16 on, who may make accounts may not change another's: that must keep nobody down."""
    said: list[str] = []
    of_configured(database.dsn, Kept(tmp_path), {"TELECARE_DATABASE_URL": database.dsn}, said.append)
    with database.connect() as conn:
        conn.execute("CREATE ROLE other LOGIN CREATEROLE PASSWORD 'x'")
        # So that it owns the tables too.
        conn.execute(sql.SQL("GRANT {} TO other").format(sql.Identifier(conn.info.user)))
    try:
        others = urlsplit(database.dsn)
        dsn = urlunsplit(others._replace(netloc=f"other:x@{others.netloc.rpartition('@')[2]}"))
        found = of_configured(dsn, Kept(tmp_path), {"TELECARE_DATABASE_URL": dsn}, said.append)
        by_hand = {"TELECARE_DATABASE_URL": dsn, "TELECARE_API_DATABASE_PASSWORD": "a new one"}
        with pytest.raises(roles.CannotMake, match="PostgreSQL 16"):
            roles.make(None, tmp_path, by_hand)
    finally:
        forget(database)
        with database.connect() as conn:
            conn.execute("DROP ROLE other")

    assert found == {}
    assert len(said) == 1
    assert "which another made" in said[0]


def test_tables_are_made_once_the_database_answers(database: Database, tmp_path: Path) -> None:
    """After a power cut the database comes up last; a unit that failed meanwhile would keep all the others down."""
    database.server.stop()
    environment = {"TELECARE_DATABASE_URL": database.dsn}
    migrating = threading.Thread(target=lambda: admin.migrate(tmp_path, environment, waits=True))
    migrating.start()
    migrating.join(1)
    assert migrating.is_alive()

    database.server.start()
    migrating.join(60)

    assert not migrating.is_alive()

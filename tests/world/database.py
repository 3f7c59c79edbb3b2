"""A real PostgreSQL with TimescaleDB: one server a test run, a fresh database a test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql

from deploy.embedded import machine, postgres
from ingest.db.migrate import migrate

_TEMPLATE: Final = "template_migrated"
_number = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """One database with all migrations, of the server that all tests share.

    A test that kills, stops or restores the server does so to every database; nobody else is running.
    """

    server: postgres.Server
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection that commits each statement by itself."""
        return psycopg.connect(self.dsn, autocommit=True)

    def server_connection(self) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection to its server that is in none of our databases."""
        return psycopg.connect(self.server.dsn("postgres"), autocommit=True)


def drop_database(server: postgres.Server, name: str) -> None:
    """Drop a database and whoever is connected to it."""
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """Give a folder that an unprivileged account can reach, which pytest's own are not when root runs it."""
    folder = Path(tempfile.mkdtemp(prefix="telecare-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(open_folder: Path) -> Iterator[postgres.Server]:
    """Run one server for the whole test run; the first run on a machine builds it."""
    server = postgres.server(open_folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _migrated(postgres_server: postgres.Server) -> str:
    postgres_server.start()
    migrate(postgres_server.create_database(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database(postgres_server: postgres.Server, _migrated: str) -> Iterator[Database]:
    """Give a database of one's own, copied from one that has run all migrations."""
    postgres_server.start()  # The test before may have killed it.
    name = f"test_{next(_number)}"
    postgres_server.create_database(name, template=_migrated)
    yield Database(postgres_server, name)
    postgres_server.start()
    drop_database(postgres_server, name)

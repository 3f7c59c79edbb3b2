"""How does a database get the tables of this release, from empty or from any earlier release?

Each file runs once, whole, in a transaction of its own, under a lock that keeps two runs apart.  What ran is
written down with the file's hash: a file that changed after it ran would leave two kinds of database with one name.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from ingest.db import pool

FOLDER: Final = Path(__file__).parent / "migrations"

_NAME = re.compile(r"([0-9]{4})_(ingest|alerts|api)_[a-z][a-z0-9_]*\.sql")
_HEADER = re.compile(r"-- owner: (?P<owner>[a-z]+)\n-- why: +(?P<why>\S.*)\n")

# An index on a large table takes its time; lock waits are bounded by the files themselves.
_STATEMENT_TIMEOUT: Final = timedelta(hours=1)

# PostgreSQL ends one of two that wait for each other, and nothing of that one is left.
_TRIES: Final = 10

# A number of our own among the database's advisory locks: "tele" in ASCII.
_LOCK: Final = 0x74656C65

_TABLE = """
    CREATE TABLE IF NOT EXISTS migration (
        number     integer     NOT NULL,
        name       text        NOT NULL,
        sha256     text        NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),

        CONSTRAINT migration_runs_once PRIMARY KEY (number)
    )
"""


class CannotMigrate(Exception):
    """The files or the database are not what they should be; a developer or an operator must look."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its place in the order, its name, and what it does."""

    number: int
    name: str
    sql: str
    sha256: str


def read_all(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations in a folder, in their order.

    Raises:
        CannotMigrate: a name or a header does not parse, or the numbers are not 1, 2, 3 ...
    """
    found = [_read(path) for path in sorted(folder.glob("*.sql"))]
    numbers = [one.number for one in found]
    if numbers != list(range(1, len(found) + 1)):
        raise CannotMigrate(f"The migrations are numbered {numbers}, not one after the other from 1.")
    return found


def _read(path: Path) -> Migration:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise CannotMigrate(f"{path.name} is not named NNNN_owner_what.sql.")
    text = path.read_bytes()
    header = _HEADER.match(text.decode())
    if header is None or header["owner"] != named[2]:
        raise CannotMigrate(f"{path.name} does not begin with its owner, {named[2]}, and why it is there.")
    return Migration(int(named[1]), path.name, text.decode(), hashlib.sha256(text).hexdigest())


def migrate(dsn: str, *, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Bring a database to this release, and return the names of the files that ran now.

    A database that a *later* release has extended is left alone: removal comes one release after the last use, so
    this release still works on it.

    Args:
        dsn: of an account that may create tables, and the extension where it is not there.
        migrations: other than those of this release; for tests.

    Raises:
        CannotMigrate: a file that ran here has changed since, or ours are not the files that ran here.
        psycopg.OperationalError: the database is away, or another run holds the lock for a minute.
    """
    wanted = read_all() if migrations is None else list(migrations)
    _make_extension(dsn)
    # TimescaleDB wants a connection that began after the extension was there.
    with pool.connect(dsn, name="migrate", statement_timeout=_STATEMENT_TIMEOUT) as conn:
        _lock(conn)
        conn.execute(_TABLE)
        ran: dict[int, str] = dict(conn.execute("SELECT number, name || ' ' || sha256 FROM migration").fetchall())
        _compare(ran, wanted)
        todo = [one for one in wanted if one.number not in ran]
        for one in todo:
            _run(conn, one)
    return [one.name for one in todo]


def _make_extension(dsn: str) -> None:
    with pool.connect(dsn, name="migrate") as conn:
        if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None:
            return
        _lock(conn)
        try:
            conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.Error as why:
            # Not installed, not in shared_preload_libraries, or not for this account: the server says which.
            raise CannotMigrate(f"TimescaleDB cannot be created in this database: {str(why).splitlines()[0]}.") from why


def _lock(conn: Connection[TupleRow]) -> None:
    """Keep other runs out until this connection ends."""
    conn.execute("SET lock_timeout = '60s'")
    conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    conn.execute("RESET lock_timeout")


def _compare(ran: dict[int, str], wanted: Sequence[Migration]) -> None:
    for one in wanted:
        if ran.get(one.number, f"{one.name} {one.sha256}") != f"{one.name} {one.sha256}":
            raise CannotMigrate(
                f"{one.name} is not the file that ran here as number {one.number}; one that ran is never changed."
            )
    missing = set(range(1, max(ran, default=0) + 1)) - set(ran)
    if missing:
        raise CannotMigrate(f"Migrations {sorted(missing)} never ran here, but later ones did.")


def _run(conn: Connection[TupleRow], one: Migration) -> None:
    """Run one file, again where it and the processes that go on meanwhile waited for each other's tables."""
    for left in reversed(range(_TRIES)):
        try:
            _run_once(conn, one)
        except psycopg.errors.DeadlockDetected as why:
            if not left:
                raise CannotMigrate(f"{one.name} and others wait for each other's tables; run it again.") from why
        else:
            return


def _run_once(conn: Connection[TupleRow], one: Migration) -> None:
    try:
        with conn.transaction():
            conn.execute(one.sql.encode())
            conn.execute(
                "INSERT INTO migration (number, name, sha256) VALUES (%s, %s, %s)", (one.number, one.name, one.sha256)
            )
    except psycopg.errors.LockNotAvailable as why:
        raise CannotMigrate(f"{one.name} waited too long for a table that is in use; run it again.") from why
    except psycopg.ProgrammingError as why:
        raise CannotMigrate(f"{one.name} does not run: {why}") from why

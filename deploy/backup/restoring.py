"""How does a backup become a database again, and how is it known to be the whole of it?

It is filled beside whatever is there, compared row count by row count with what was backed up, and only then given
the name; what had the name before is kept under another.
"""

import contextlib
import secrets
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from pyrage.x25519 import Identity

from deploy.backup import making, programs, sealed, shelf
from deploy.backup.problems import Different
from deploy.backup.shelf import Backup
from deploy.embedded.machine import Missing
from gateway.clock import monotonic_s

# A connection that was closed is there until the server has noticed.
_GONE_WITHIN_S: Final = 5.0
_WHO_IS_IN: Final = """
    SELECT DISTINCT coalesce(nullif(application_name, ''), usename::text, '?') FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' ORDER BY 1
"""

# Whom one may connect to while databases are made and renamed.
_DOORS: Final = ("postgres", "template1")


def fill(backup: Backup, dsn: str, key: Identity, environment: Mapping[str, str]) -> bool:
    """Restore a backup into an empty database, see that every row is there, and return whether roles were granted.

    Raises:
        Damaged: the backup is not what was written.
        Different: rows are missing, or there are too many.
        Missing: a program, the extension in its version, or the right key.
    """
    shelf.require_whole(backup)
    manifest = backup.manifest
    program = programs.folder_for(manifest.postgres, dsn, environment) / "pg_restore"
    where, variables = programs.address(dsn)
    with making.plain_connection(dsn) as conn:
        _make_extension(conn, manifest.timescaledb)
        has_roles = _has_roles(conn, manifest.roles)
    rights = () if has_roles else ("--no-privileges",)
    arguments = (str(program), "--exit-on-error", "--no-owner", *rights, "--no-password", "--dbname", where)
    # TimescaleDB wants connections that began after it was there, and again after it was told.
    with making.plain_connection(dsn) as conn:
        conn.execute("SELECT timescaledb_pre_restore()")
    with (backup.folder / shelf.DATABASE).open("rb") as source, programs.writing_to(arguments, variables) as out:
        sealed.unseal(source, out, key)
    with making.plain_connection(dsn) as conn:
        conn.execute("SELECT timescaledb_post_restore()")
    with making.plain_connection(dsn) as conn:
        _compare(making.rows_of(conn), manifest.rows)
        # Without statistics the first minutes would be slow, when everything comes at once.
        conn.execute("ANALYZE")
    return has_roles


def _make_extension(conn: Connection[TupleRow], version: str) -> None:
    try:
        conn.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(version)),
        )
    except psycopg.Error as why:
        raise Missing(
            f"The backup needs TimescaleDB {version}, which this server cannot give: {str(why).splitlines()[0]}."
        ) from why


def _has_roles(conn: Connection[TupleRow], roles: list[str]) -> bool:
    row = conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", (roles,)).fetchone()
    return row is not None and int(row[0]) == len(roles)


def _compare(found: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    wrong = [
        f"{table} has {found.get(table, 0)} rows instead of {wanted.get(table, 0)}"
        for table in sorted({*found, *wanted})
        if found.get(table) != wanted.get(table)
    ]
    if wrong:
        raise Different(f"The restored database differs: {'; '.join(wrong)}.")


# Databases beside each other.


def sibling(dsn: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return make_conninfo(dsn, dbname=name)


def name_in(dsn: str) -> str:
    """Return what the database in an address is called.

    Raises:
        Missing: the address names none.
    """
    name = conninfo_to_dict(dsn).get("dbname")
    if not name:
        raise Missing("TELECARE_DATABASE_URL names no database; put its name at the end.")
    return str(name)


@contextlib.contextmanager
def at_the_door(dsn: str) -> Iterator[Connection[TupleRow]]:
    """Give a connection to the same server that is in none of our databases.

    Raises:
        psycopg.OperationalError: the server is away.
    """
    failed: psycopg.OperationalError | None = None
    for name in _DOORS:
        try:
            conn = making.plain_connection(sibling(dsn, name))
        except psycopg.OperationalError as why:
            failed = why
            continue
        with conn:
            yield conn
        return
    assert failed is not None, "there are doors"
    raise failed


def exists(dsn: str) -> bool:
    """Return whether the server has the database of this address."""
    with at_the_door(dsn) as conn:
        return conn.execute("SELECT FROM pg_database WHERE datname = %s", (name_in(dsn),)).fetchone() is not None


def is_empty(dsn: str) -> bool:
    """Return whether nothing would be missed if this database were put aside: nobody and no home is in it."""
    with making.plain_connection(dsn) as conn:
        return not any(
            conn.execute(sql.SQL("SELECT 1 FROM public.{} LIMIT 1").format(sql.Identifier(table))).fetchone()
            for table in making.tables_of(conn)
            if table not in _MADE_WITH
        )


# Rows of these are there from the first start on, before anybody has set anything up.
_MADE_WITH: Final = ("migration", "lane", "judging_lane", "stored_log", "confidence_question")


@contextlib.contextmanager
def beside(dsn: str) -> Iterator[str]:
    """Give the address of a new, empty database on the same server; it is dropped unless it was given a name."""
    name = f"telecare_new_{secrets.token_hex(6)}"
    with at_the_door(dsn) as conn:
        try:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as why:
            raise Missing("This account may not make a database; use one with CREATEDB for a restore.") from why
    try:
        yield sibling(dsn, name)
    finally:
        with contextlib.suppress(psycopg.OperationalError), at_the_door(dsn) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def take_the_place(filled: str, dsn: str, *, now: datetime) -> str | None:
    """Give a filled database the name of another, and return what that one is called now, or None if there was none.

    Raises:
        Missing: somebody is still connected; the sentence says who.
    """
    name, aside = name_in(dsn), f"{name_in(dsn)}_before_{now:%Y%m%d_%H%M%S}"
    was_there = exists(dsn)
    require_nobody_in(dsn)
    # Both or neither: a start in between would make a new, empty one.
    with at_the_door(dsn) as conn, conn.transaction():
        if was_there:
            _rename(conn, name, aside)
        _rename(conn, name_in(filled), name)
    return aside if was_there else None


def require_nobody_in(dsn: str) -> None:
    """See that nobody works in a database; whoever hung up just now is waited for.

    Raises:
        Missing: somebody does; the sentence says who.
    """
    deadline_s = monotonic_s() + _GONE_WITHIN_S
    with at_the_door(dsn) as conn:
        while (rows := conn.execute(_WHO_IS_IN, (name_in(dsn),)).fetchall()) and monotonic_s() < deadline_s:
            time.sleep(0.05)
    if rows:
        who = ", ".join(str(row[0]) for row in rows)
        raise Missing(f"The database is in use by {who}; stop every process of telecare, then restore again.")


def _rename(conn: Connection[TupleRow], old: str, new: str) -> None:
    conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


def check(backup: Backup, dsn: str, key: Identity, environment: Mapping[str, str]) -> Mapping[str, int]:
    """Restore a backup into a database of its own that is dropped again, and return how many rows each table has.

    Raises:
        Damaged: the backup is not what was written.
        Different: what was restored is not what was backed up.
        Missing: a program, the extension in its version, or the right key.
    """
    with beside(dsn) as scratch:
        fill(backup, scratch, key, environment)
    return backup.manifest.rows


def unpack_files(backup: Backup, key: Identity, to: Path) -> list[str]:
    """Lay the files of a backup into a new folder, and return their names.

    Raises:
        Damaged: they are not what was written.
        Missing: the key is another one's.
    """
    to.mkdir(mode=0o700, parents=True)
    with tempfile.TemporaryFile(dir=to) as clear, (backup.folder / shelf.FILES).open("rb") as source:
        sealed.unseal(source, clear, key)
        clear.seek(0)
        with tarfile.open(fileobj=clear, mode="r:gz") as packed:
            # Debian 12's Python is older than filters (3.11.4); only who has our public key could have made this.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            packed.extractall(to)  # noqa: S202 - filtered, and authenticated
            return packed.getnames()

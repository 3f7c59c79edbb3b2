"""How is a backup made, of one moment, while everybody goes on writing?

One transaction shows the database as of a moment; how many rows each table has is counted in it, and pg_dump reads
through the same window.  What it says is encrypted as it comes, so nothing readable ever lies on the disk.
"""

import contextlib
import os
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from pyrage.x25519 import Recipient

from deploy.backup import programs, sealed, shelf
from deploy.backup.shelf import Manifest, Part
from deploy.embedded.machine import Missing
from ingest.db import pool

# gzip's third step: a street's readings shrink to a tenth, and one core keeps up with a disk.  Ours.
_COMPRESS: Final = "3"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be backed up, and where to.

    Attributes:
        dsn: of the database.
        shelf: the folder of all backups.
        to: whose keys open it; at least one.
        files: what else cannot be had again; a folder stands for all that is in it.
        environment: says where programs are looked for.
        has_log: whether the server's own files are wanted as well, from which its log leads on.
    """

    dsn: str
    shelf: Path
    to: Sequence[Recipient]
    files: Sequence[Path]
    environment: Mapping[str, str]
    has_log: bool = False


class _Server:
    """What must be known of a server and a database before either can be restored."""

    def __init__(self, conn: Connection[TupleRow]) -> None:
        self.postgres = conn.info.server_version // 10_000
        self.timescaledb = str(one(conn, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"))
        self.database = conn.info.dbname
        self.migration = int(one(conn, "SELECT max(number) FROM migration"))
        self.number = str(one(conn, "SELECT system_identifier::text FROM pg_control_system()"))
        self.roles = [role for (role,) in conn.execute(_GRANTED).fetchall()]


# The owner's own rights are not granted, and what everybody may do is nobody's role.
_GRANTED: Final = """
    SELECT DISTINCT pg_get_userbyid(acl.grantee) AS role
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) acl
    WHERE n.nspname = 'public' AND acl.grantee <> 0 AND acl.grantee <> c.relowner ORDER BY role
"""

_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""


def one(conn: Connection[TupleRow], query: str, *values: object) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return the first column of the only row.

    Raises:
        Missing: there is none.
    """
    row = conn.execute(query.encode(), values).fetchone()
    if row is None or row[0] is None:
        raise Missing("This is no database of telecare's; run the migrations first.")
    return row[0]


def plain_connection(dsn: str) -> Connection[TupleRow]:
    """Return a connection that may stand idle and take hours over a statement, as a backup's does."""
    told = {**pool.settings("backup"), "options": "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"}
    return psycopg.connect(dsn, **told)  # type: ignore[arg-type]  # libpq's own words


def tables_of(conn: Connection[TupleRow]) -> list[str]:
    """Return the names of our tables."""
    return [name for (name,) in conn.execute(_TABLES).fetchall()]


def rows_of(conn: Connection[TupleRow]) -> dict[str, int]:
    """Return how many rows each of our tables has."""
    tables = tables_of(conn)
    count = sql.SQL("SELECT count(*) FROM public.{}")
    found = {name: conn.execute(count.format(sql.Identifier(name))).fetchone() for name in tables}
    return {name: 0 if row is None else int(row[0]) for name, row in found.items()}


def make(asked: Asked, *, now: datetime) -> shelf.Backup:
    """Make a backup and return it; it is on the disk, whole, when this returns.

    Args:
        asked: what and where to.
        now: by the system's clock: what the backup is called.

    Raises:
        Missing: a program is, or it could not be made; nothing is left of it then.
        psycopg.OperationalError: the database is away.
        OSError: the folder cannot be written.
    """
    with shelf.in_the_making(asked.shelf, now) as folder, plain_connection(asked.dsn) as conn:
        try:
            server = _Server(conn)
        except psycopg.errors.UndefinedTable as why:
            raise Missing("This is no database of telecare's; run the migrations first.") from why
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            window = str(one(conn, "SELECT pg_export_snapshot()"))
            parts = {shelf.DATABASE: _dump(asked, folder, server.postgres, window)}
            rows = rows_of(conn)
            judged_through = judged_through_of(conn)
        log_from = ""
        if asked.has_log:
            log_from = str(one(conn, "SELECT pg_walfile_name(pg_current_wal_lsn())"))
            parts[shelf.CLUSTER] = _copy_files(asked, folder, server.postgres)
        parts[shelf.FILES] = part_of(folder / shelf.FILES, asked.to, _packed(asked.files))
        manifest = Manifest(
            made_at=now,
            judged_through=judged_through,
            release=version("telecare"),
            migration=server.migration,
            postgres=server.postgres,
            timescaledb=server.timescaledb,
            database=server.database,
            roles=server.roles,
            rows=rows,
            parts=parts,
            public_keys=[str(key) for key in asked.to],
            server=server.number if asked.has_log else "",
            log_from=log_from,
        )
        shelf.write_manifest(folder, manifest)
    return shelf.read(asked.shelf / shelf.name_of(now))


def judged_through_of(conn: Connection[TupleRow]) -> datetime | None:
    """Return up to when homes were judged, and so people told; None where nothing was judged yet."""
    row = conn.execute("SELECT max(judged_through) FROM judging_lane").fetchone()
    return None if row is None else row[0]


def _dump(asked: Asked, folder: Path, postgres: int, window: str) -> Part:
    program = programs.folder_for(postgres, asked.dsn, asked.environment) / "pg_dump"
    where, environment = programs.address(asked.dsn)
    arguments = (
        *(str(program), "--format=custom", f"--compress={_COMPRESS}", f"--snapshot={window}"),
        *("--lock-wait-timeout=60s", "--no-password", "--dbname", where),
    )
    return part_of(folder / shelf.DATABASE, asked.to, programs.reading_from(arguments, environment))


def _copy_files(asked: Asked, folder: Path, postgres: int) -> Part:
    """Copy the files of the server, with the log that makes them whole."""
    program = programs.folder_for(postgres, asked.dsn, asked.environment) / "pg_basebackup"
    where, environment = programs.address(asked.dsn)
    arguments = (
        *(str(program), "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast"),
        *(f"--compress={_COMPRESS}", "--no-password", "--dbname", where),
    )
    return part_of(folder / shelf.CLUSTER, asked.to, programs.reading_from(arguments, environment))


def part_of(path: Path, to: Sequence[Recipient], source: contextlib.AbstractContextManager[IO[bytes]]) -> Part:
    """Encrypt what a source gives into a new file, see it onto the disk, and return what was written."""
    with path.open("xb") as out:
        summed = sealed.Summed(out)
        with source as said:
            sealed.seal(said, summed, to)
        out.flush()
        os.fsync(out.fileno())
    return Part(summed.size_bytes, summed.sha256)


@contextlib.contextmanager
def _packed(files: Sequence[Path]) -> Iterator[IO[bytes]]:
    """Give these files as one tar, packed by gzip, as they are read.

    A thread packs them: tarfile writes where the encryption reads.
    """
    read_end, write_end = os.pipe()
    failed: list[OSError] = []

    def pack() -> None:
        try:
            with os.fdopen(write_end, "wb") as out, tarfile.open(fileobj=out, mode="w|gz") as packed:
                for path in files:
                    packed.add(path, arcname=str(path.resolve()).lstrip("/"))
        except BrokenPipeError:
            pass  # Who reads has given up, and says why.
        except OSError as why:
            failed.append(why)

    packing = threading.Thread(target=pack, name="packing", daemon=True)
    with os.fdopen(read_end, "rb") as source:
        packing.start()
        yield source
    packing.join()
    if failed:
        raise failed[0]

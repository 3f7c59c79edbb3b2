"""What may each of our processes do in the database?  An account for each, with the least that it needs.

Ingest sees no person, the pages and alerts write no reading, and who looked at a home cannot be taken back by those who
show it.  A table is its owner's and later stages' to use, as its migration says whose it is; what is narrower, or
wider, stands here table by table.  Only the migrating owner changes tables.

An installation that has only ever had one account has none of these, and goes on as it was.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from ingest.db import migrate, pool

log = logging.getLogger(__name__)

PROCESSES: Final = ("ingest", "alerts", "api")
"""Those that write; `backup` only reads."""

READER: Final = "backup"
ALL: Final = (*PROCESSES, READER)

_READ: Final = frozenset({"SELECT"})
_ADD: Final = _READ | {"INSERT"}
_WRITE: Final = _ADD | {"UPDATE"}
_OWN: Final = _WRITE | {"DELETE"}
_NOTHING: Final = frozenset[str]()

# By whose a table is: what each process may do with it unless it stands below.
_USUAL: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "ingest": {"ingest": _OWN, "alerts": _READ, "api": _READ},
    "alerts": {"ingest": _NOTHING, "alerts": _OWN, "api": _OWN},
    "api": {"ingest": _NOTHING, "alerts": _NOTHING, "api": _OWN},
}

_OTHERWISE: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    # What ran is the owner's to say.
    "migration": {"ingest": _READ, "alerts": _READ, "api": _READ},
    "process_heartbeat": {"ingest": _OWN, "alerts": _OWN, "api": _OWN},
    # What there is, is set up on the operator's pages.
    "home": {"ingest": _READ, "api": _WRITE},
    "hub": {"ingest": _READ, "api": _WRITE},
    # Asked for on the pages, and done by one function of the owner's.
    "erasure": {"ingest": _READ, "api": _WRITE},
    "sensor": {"ingest": _READ, "api": _OWN},
    # What was received is never changed, and readings are dropped by whoever owns the data alone.
    "reading": {"ingest": _ADD},
    "refused": {"ingest": _ADD},
    # What happened is never deleted.
    "alarm": {"alerts": _WRITE, "api": _READ},
    "alert": {"alerts": _WRITE, "api": _WRITE},
    "notification": {"alerts": _WRITE, "api": _WRITE},
    "acknowledgement": {"alerts": _WRITE, "api": _WRITE},
    "judging_lane": {"api": _READ},
    "home_judgement": {"api": _READ},
    # Who looked, and which operator changed what, stays as it was written.
    "access_record": {"api": _ADD},
    "change_record": {"alerts": _ADD, "api": _ADD},
    "confidence_edition": {"api": _ADD},
    # Whom alerts asks how confident they feel, and what they said.
    "access_grant": {"alerts": _READ},
    "consent": {"alerts": _READ},
    "confidence_question": {"alerts": _READ},
    "confidence_report": {"alerts": _WRITE},
}

# To hold a row until the end of a transaction one must be allowed to change something of it.  All 64 lanes are there,
# so no change of the number of one can succeed; and when a home was added is of no consequence.
_HELD: Final = (
    *(("alerts", "lane", "lane"), ("api", "lane", "lane"), ("alerts", "home", "added_at")),
    # And that the log is free of a home is ingest's to say.
    ("ingest", "erasure", "log_cleared_at"),
)

_CREATE_TABLE: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", flags=re.MULTILINE)
_RENAME: Final = re.compile(r"^ALTER TABLE (\w+) RENAME TO (\w+)", flags=re.MULTILINE)
# What ingest may do without being allowed to do more.
_FUNCTIONS: Final = {
    "drop_stored_log_before": "timestamptz",
    "drop_readings_before": "timestamptz",
    "erase": "bigint, timestamptz",
}


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that an account may do.

    Attributes:
        role: the account.
        table: of which.
        column: the one column that it holds for; empty for the whole table.
        privilege: as SQL names it.
    """

    role: str
    table: str
    column: str
    privilege: str


def account(process: str) -> str:
    """Return what the account of a process is called in the database."""
    return f"telecare_{process}"


def owners() -> dict[str, str]:
    """Return each table with the stage whose it is, as the migrations say."""
    owned = {"migration": "ingest"}
    for one in migrate.read_all():
        owner = one.name.split("_")[1]
        for table in _CREATE_TABLE.findall(one.sql):
            owned[table] = owner
        for before, after in _RENAME.findall(one.sql):
            owned[after] = owned.pop(before, owner)
    return owned


def may(process: str, table: str, owner: str) -> frozenset[str]:
    """Return what a process may do with a table."""
    if process == READER:
        return _READ
    return _OTHERWISE.get(table, {}).get(process, _USUAL[owner][process])


def wanted(tables: set[str]) -> set[Grant]:
    """Return every grant on these tables; one that no migration of ours made is nobody's."""
    owned = owners()
    grants = {
        Grant(account(process), table, "", privilege)
        for table in tables & owned.keys()
        for process in ALL
        for privilege in may(process, table, owned[table])
    }
    return grants | {
        Grant(account(process), table, column, "UPDATE") for process, table, column in _HELD if table in tables
    }


def ensure(dsn: str, passwords: Mapping[str, str]) -> None:
    """Make the accounts of these processes, or give them these passwords, and let each do what it needs.

    Args:
        dsn: of the owner, who may make accounts.
        passwords: by process.

    Raises:
        psycopg.errors.InsufficientPrivilege: the owner may not make accounts.
    """
    with pool.connect(dsn, name="roles") as conn, conn.transaction():
        give(conn, passwords)


def hold(conn: Connection[TupleRow]) -> None:
    """Let nobody else make accounts, nor change what they may, until the end of this transaction."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def give(conn: Connection[TupleRow], passwords: Mapping[str, str]) -> None:
    """Do what `ensure` does, as part of the caller's transaction: what comes before its end is true if they are."""
    hold(conn)
    for process, password in passwords.items():
        _ensure_account(conn, account(process), password)
    grant(conn)


def grant(conn: Connection[TupleRow]) -> int:
    """Give every account of ours that is there what it needs, take what it does not, and return how much was changed.

    What is right already is not touched, so that a start waits for nobody's lock.
    """
    with conn.transaction():
        hold(conn)
        accounts = {account(process) for process in there(conn)}
        if not accounts:
            return 0
        tables = {name for (name,) in conn.execute(_TABLES)}
        now = {Grant(*row) for row in conn.execute(_GRANTED, {"roles": sorted(accounts)})}
        right = {one for one in wanted(tables) if one.role in accounts}
        for one in sorted(now - right):
            conn.execute(_sentence("REVOKE {} ON {} FROM {}", one))
        for one in sorted(right - now):
            conn.execute(_sentence("GRANT {} ON {} TO {}", one))
        _grant_the_rest(conn, accounts)
    return len(now ^ right)


def let_copy(dsn: str, *, may_copy: bool) -> None:
    """Let backups copy the server's own files, or no longer; that is wanted where its log is kept, and only there.

    Args:
        dsn: of a superuser, as the owner of an embedded database is.
        may_copy: whether they may.
    """
    with pool.connect(dsn, name="roles") as conn:
        conn.execute(
            b"ALTER ROLE telecare_backup REPLICATION" if may_copy else b"ALTER ROLE telecare_backup NOREPLICATION"
        )


def there(conn: Connection[TupleRow]) -> frozenset[str]:
    """Return which processes have an account on this server."""
    found = {name for (name,) in conn.execute(_ACCOUNTS, ([account(process) for process in ALL],))}
    return frozenset(process for process in ALL if account(process) in found)


def may_make(conn: Connection[TupleRow]) -> bool:
    """Return whether whoever is connected may make accounts."""
    row = conn.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return row is not None and bool(row[0])


def url_for(dsn: str, process: str, password: str) -> str:
    """Return a database's address with the account of a process in it.

    Raises:
        ValueError: it is not an address such as postgresql://user@host/name.
    """
    parts = urlsplit(dsn)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError("the database's address must be like postgresql://user@host/name")
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{account(process)}:{quote(password, safe='')}@{place}"))


_LOCK: Final = 0x726F6C65  # "role" in ASCII
_ACCOUNTS: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
_TABLES: Final = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
_GRANTED: Final = """
    SELECT r.rolname, c.relname, '', a.privilege_type
    FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND r.rolname = ANY(%(roles)s)
    UNION ALL
    SELECT r.rolname, c.relname, t.attname, a.privilege_type
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
         JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND r.rolname = ANY(%(roles)s)
"""


def _sentence(form: str, one: Grant) -> sql.Composed:
    privilege = sql.SQL(one.privilege)
    if one.column:
        privilege = sql.SQL("{} ({})").format(privilege, sql.Identifier(one.column))  # type: ignore[assignment]  # SQL, and of it composed
    return sql.SQL(form).format(privilege, sql.Identifier(one.table), sql.Identifier(one.role))


def _grant_the_rest(conn: Connection[TupleRow], accounts: set[str]) -> None:
    """Let accounts use what is no table of ours: numbers that are counted up, and ingest's functions."""
    for name in sorted(accounts):
        conn.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(name)))
        what = "SELECT" if name == account(READER) else "USAGE"
        conn.execute(
            sql.SQL("GRANT {} ON ALL SEQUENCES IN SCHEMA public TO {}").format(sql.SQL(what), sql.Identifier(name))
        )
    if account(READER) in accounts:
        _let_read_all(conn)
    for name, takes in _FUNCTIONS.items() if account("ingest") in accounts else ():
        if conn.execute("SELECT to_regproc(%s)", (name,)).fetchone() != (None,):
            said = sql.SQL(f"{name}({takes})")
            conn.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO telecare_ingest").format(said))


def _let_read_all(conn: Connection[TupleRow]) -> None:
    """Let backups read TimescaleDB's own tables too, where the owner may give that; elsewhere the owner makes them."""
    try:
        with conn.transaction():
            conn.execute("GRANT pg_read_all_data TO telecare_backup")
    except psycopg.errors.InsufficientPrivilege:
        log.info("backups must be made by the owner of the database")


def _ensure_account(conn: Connection[TupleRow], name: str, password: str) -> None:
    # Only what it comes to is sent, so that no log of the server can hold the password.
    hashed = conn.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    is_there = conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is not None
    form = "ALTER ROLE {} WITH LOGIN PASSWORD {}" if is_there else "CREATE ROLE {} WITH LOGIN PASSWORD {}"
    conn.execute(sql.SQL(form).format(sql.Identifier(name), sql.Literal(hashed)))

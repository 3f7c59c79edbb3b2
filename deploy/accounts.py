"""With which account does each process that is started here reach the database?

With one of its own, so that whoever breaks into one of them does not find all of it.  In a database that somebody else
runs such an account is made only where that takes nobody's away: accounts are a server's, not a database's.
"""

from collections.abc import Mapping
from typing import Protocol

import psycopg

from deploy.embedded.runtime import Say
from ingest.db import roles
from ingest.db.pool import connect


class CannotMake(Exception):
    """The accounts cannot be made as things are, says its one sentence; every process then uses the owner's."""


class Keeps(Protocol):
    """Where passwords are kept."""

    def said(self, name: str) -> str | None:
        """Return one that is kept, or None."""
        ...

    def secret(self, name: str) -> str:
        """Return one, made when it is first asked for."""
        ...


def password_variable(process: str) -> str:
    """Return the variable that holds the password of a process's account in the database."""
    return f"TELECARE_{process.upper()}_DATABASE_PASSWORD"


def of_embedded(dsn: str, kept: Keeps, *, has_log: bool) -> Mapping[str, str]:
    """Return each process's address of a database of our own; `has_log` lets backups copy the server too."""
    named = _kept(kept)
    roles.ensure(dsn, named)
    roles.let_copy(dsn, may_copy=has_log)
    return {one: roles.url_for(dsn, one, said) for one, said in named.items()}


def of_configured(dsn: str, kept: Keeps, environment: Mapping[str, str], say: Say) -> Mapping[str, str]:
    """Return the addresses of the processes that have accounts of their own in a configured database.

    Where passwords are set, `telecare db roles` has made the accounts; where none is, they are made here, and if that
    cannot be, every process uses the owner's, and it is said why.

    Args:
        dsn: of the owner.
        kept: passwords of accounts that were made here.
        environment: may hold passwords.
        say: told what is not as it should be.
    """
    named = {one: said for one in roles.ALL if (said := environment.get(password_variable(one), ""))}
    with connect(dsn, name="platform") as conn:
        roles.grant(conn)
    if not named:
        try:
            return _made_here(dsn, kept)
        except CannotMake as why:
            say(f"every process uses the account of TELECARE_DATABASE_URL: {why}; see deploy/site.md")
    return {one: roles.url_for(dsn, one, said) for one, said in named.items()}


def _kept(kept: Keeps) -> dict[str, str]:
    return {one: kept.secret(_name(one)) for one in roles.ALL}


def _name(process: str) -> str:
    return f"database {process}"


def _made_here(dsn: str, kept: Keeps) -> Mapping[str, str]:
    """Make the accounts, and return their addresses.

    Raises:
        CannotMake: every process had better use the owner's.
    """
    with connect(dsn, name="platform") as conn:
        if any(kept.said(_name(one)) is None for one in roles.there(conn)):
            raise CannotMake("there are such accounts on its server, and others know their passwords")
        if not roles.may_make(conn):
            raise CannotMake("it may make no others (CREATEROLE)")
    named = _kept(kept)
    try:
        found = {one: roles.url_for(dsn, one, said) for one, said in named.items()}
        roles.ensure(dsn, named)
        for address in found.values():
            connect(address, name="platform").close()
    except ValueError as why:
        raise CannotMake(str(why)) from None
    except psycopg.errors.InsufficientPrivilege:  # PostgreSQL 16 asks for more than CREATEROLE.
        raise CannotMake("it may not change the accounts on its server, which another made") from None
    except psycopg.OperationalError:
        raise CannotMake("its server does not let other accounts in (pg_hba.conf)") from None
    return {one: address for one, address in found.items() if one != roles.READER or _may_copy_all(dsn)}


def _may_copy_all(dsn: str) -> bool:
    """Return whether the account of backups may read TimescaleDB's own tables; otherwise the owner makes them."""
    with connect(dsn, name="platform") as conn:
        try:
            found = conn.execute("SELECT pg_has_role('telecare_backup', 'pg_read_all_data', 'member')").fetchone()
        except psycopg.errors.UndefinedObject:  # Before PostgreSQL 14 there is no such role.
            return False
    return found == (True,)

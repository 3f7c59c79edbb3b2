"""How does a site give each process an account of its own in the database?"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import psycopg

from deploy.accounts import password_variable
from deploy.platform import running_database
from gateway import secret
from ingest.db import roles
from ingest.db.pool import connect


class CannotMake(Exception):
    """The accounts cannot be made as things are; the one sentence says why, to whoever asked."""


def make(out: Path | None, data: Path, environment: Mapping[str, str]) -> None:
    """Make the accounts, let each do what it needs, and print what was done; may be repeated.

    Whose password is in the environment is given that.  For the others one is made with the account; an account that is
    there keeps the one it has.  Each address that is known so is written into a file before the account is there: who
    is killed meanwhile leaves a file too many, which the next time replaces, and no password that nobody knows.

    Whose file is missing all the same, because another host or another folder has it, is said, and is no failure: what
    waits for this would then keep the others down too.

    Args:
        out: the folder for such files.
        data: of a running platform, where no database is configured.
        environment: names the database, as its owner.

    Raises:
        CannotMake: an account would have a password that nobody knows, or the owner may make none.
    """
    environment = secret.opened(environment)
    dsn = running_database(environment, data)
    given = {one: said for one in roles.ALL if (said := environment.get(password_variable(one), ""))}
    try:
        with connect(dsn, name="roles") as conn, conn.transaction():
            roles.hold(conn)  # Another host may be making them.
            there = roles.there(conn)
            new = {one: secrets.token_urlsafe(32) for one in roles.ALL if one not in given and one not in there}
            if new and out is None:
                named = ", ".join(password_variable(one) for one in new)
                raise CannotMake(f"Name a folder with --out for the addresses of {', '.join(new)}, or set {named}.")
            roles.give(conn, given | new)
            if out is not None:
                _write_all(out, {one: roles.url_for(dsn, one, said) for one, said in (given | new).items()})
    except psycopg.errors.InsufficientPrivilege as why:
        raise CannotMake(
            "TELECARE_DATABASE_URL must be of an account that may make others (CREATEROLE), and change those that are "
            "there: from PostgreSQL 16 on, whoever made them, or a superuser."
        ) from why
    for one in roles.ALL:
        how = "the password given" if one in given else "a new password" if one in new else "as it was"
        is_written = out is not None and (one in given or one in new)
        print(f"{roles.account(one)}: {how}{f'; its address is in {out}/{one}' if is_written else ''}")
    if out is not None and (missing := [one for one in roles.ALL if not (out / one).exists()]):
        print(
            f"No file in {out} has the address of {', '.join(missing)}: copy it from where it was written when the "
            "account was made (deploy/runbook.md, A new release)."
        )


def _write_all(out: Path, addresses: Mapping[str, str]) -> None:
    """Write each address into a file of its own.

    Raises:
        CannotMake: they cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        for one, address in addresses.items():
            _write(out / one, address)
        _to_disk(out)
    except OSError as why:
        raise CannotMake(f"The addresses cannot be written to {out}: {why.strerror}.") from why


def _write(path: Path, line: str) -> None:
    """Write one line that only its owner reads, in place of what stood there."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{line}\n")
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def _to_disk(folder: Path) -> None:
    """Let what was written into a folder outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

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

    Whose password is in the environment is given that.  For the others one is made with the account, and its address is
    written into a file; an account that is there keeps the one it has.

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
    with connect(dsn, name="roles") as conn:
        there = roles.there(conn)
    new = {one: secrets.token_urlsafe(32) for one in roles.ALL if one not in given and one not in there}
    if new and out is None:
        named = ", ".join(password_variable(one) for one in new)
        raise CannotMake(f"Name a folder with --out for the addresses of {', '.join(new)}, or set {named}.")
    try:
        roles.ensure(dsn, given | new)
    except psycopg.errors.InsufficientPrivilege as why:
        raise CannotMake("TELECARE_DATABASE_URL must be of an account that may make others (CREATEROLE).") from why
    for one, password in new.items():
        assert out is not None
        _write(out / one, roles.url_for(dsn, one, password))
    for one in roles.ALL:
        how = "the password given" if one in given else f"its address is in {out}/{one}" if one in new else "as it was"
        print(f"{roles.account(one)}: {how}")


def _write(path: Path, line: str) -> None:
    """Write one line that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{line}\n")

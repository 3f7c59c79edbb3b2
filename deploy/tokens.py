"""Which programs may ask, and for whom?  The commands that make, list and revoke their tokens."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api import programs
from api.v1 import tokens
from api.v1.tokens import Scope
from deploy.admin import BY_HAND, clock_of
from deploy.platform import running_database
from gateway.clock import Clock
from ingest.db.pool import settings

Conn = AsyncConnection[TupleRow]
Result = TypeVar("Result")


def add(
    person: str,
    name: str,
    scopes: Sequence[str],
    homes: Sequence[str],
    days: int,
    data: Path,
    environment: Mapping[str, str],
) -> None:
    """Make a token and print it, this once.

    Raises:
        Mistakes: a scope, the person or a home is not known, or the name was used before.
    """
    fields = {"person": person, "name": name, "scopes": ",".join(scopes), "homes": ",".join(homes), "days": str(days)}
    now = clock_of(data, environment).now()

    async def make(conn: Conn) -> programs.Made:
        return await programs.make(conn, fields, by=BY_HAND, now=now, real_now=Clock().now())

    made = _with_database(make, data, environment)
    print(f"{made.token}\n\nThis is the only time that it is shown. It speaks for {person} and ends in {days} days.")


def made(
    person: str,
    name: str,
    scopes: Sequence[str],
    dsn: str,
    *,
    homes: Sequence[str] = (),
    valid_for: timedelta = timedelta(days=1),
) -> str:
    """Make a token and return it.

    Raises:
        tokens.NoSuch: the person or a home is not known, or the name was used before.
    """

    async def make(conn: Conn) -> str:
        return await tokens.make(
            *(conn, name, person, [Scope(scope) for scope in scopes], list(homes) or None),
            made_by=BY_HAND,
            valid_for=valid_for,
            real_now=Clock().now(),
        )

    return _asked_of(dsn, make)


def listed(data: Path, environment: Mapping[str, str]) -> None:
    """Print every token: for whom, what it may do, until when, and when it was used last."""
    now = Clock().now()
    found = _with_database(tokens.listed, data, environment)
    if not found:
        print("no tokens")
    for one in found:
        state = "revoked" if one.revoked_at else "ended" if one.valid_until <= now else f"until {one.valid_until:%F}"
        used = f"used {one.last_used_at:%F %H:%M} UTC" if one.last_used_at else "never used"
        homes = "every home" if one.homes is None else ",".join(one.homes)
        print(f"{one.name:20} {one.person:16} {state:17} {used:26} {homes}  {','.join(one.scopes)}")


def revoke(name: str, data: Path, environment: Mapping[str, str]) -> None:
    """Let a token open nothing from now on.

    Raises:
        Mistakes: there is none of that name.
    """
    now = clock_of(data, environment).now()

    async def end(conn: Conn) -> None:
        await programs.revoke(conn, name, by=BY_HAND, now=now, real_now=Clock().now())

    _with_database(end, data, environment)
    print(f"{name} opens nothing from now on")


def _with_database(ask: Callable[[Conn], Awaitable[Result]], data: Path, environment: Mapping[str, str]) -> Result:
    return _asked_of(running_database(environment, data), ask)


def _asked_of(dsn: str, ask: Callable[[Conn], Awaitable[Result]]) -> Result:
    async def asked() -> Result:
        async with await AsyncConnection.connect(dsn, **settings("token")) as conn:  # type: ignore[arg-type]  # libpq's own words
            return await ask(conn)

    return asyncio.run(asked())

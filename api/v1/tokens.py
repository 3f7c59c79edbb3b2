"""Whose token is it, and what may it do?  The SQL of tokens.

A token is shown once, when it is made; kept is its hash.  Its time is the system's, like that of sessions.
"""

import enum
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.signing_in.secrets import hashed
from api.store import Viewer, viewer_for

Connection = AsyncConnection[Any]

PREFIX: Final = "telecare_"
"""So that a token which got into a place where it should not be can be found there."""

DAYS_MAX: Final = 400
"""Ours: a key that nobody has renewed for more than a year is a key that nobody remembers."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_USED_AGAIN: Final = timedelta(minutes=1)


class Scope(enum.StrEnum):
    """What a token may do."""

    HOMES_READ = "homes:read"  # how homes are seen, and what happens next
    READINGS_READ = "readings:read"
    ALERTS_READ = "alerts:read"
    ALERTS_ANSWER = "alerts:answer"  # mine, cannot, help, outcome: as the token's person, a carer there or an operator
    PEOPLE_READ = "people:read"  # who lives there, who is told, who looked
    CONFIDENCE_READ = "confidence:read"  # what the token's own person answered, and nobody else
    # What follows is for an operator's token alone.
    FLEET_READ = "fleet:read"  # the whole street in numbers
    LEDGER_READ = "ledger:read"  # the quarter that is still open, in numbers
    CALLS_ANSWER = "calls:answer"  # who is to be rung about confidence, and what came of it
    HOMES_WRITE = "homes:write"  # who lives there, rooms, sensors, hubs
    PEOPLE_WRITE = "people:write"  # who there is, who may see what on whose word
    ROTA_WRITE = "rota:write"  # who is told, shifts, who stands in
    THRESHOLDS_WRITE = "thresholds:write"  # look back, and save what was looked back at


OPERATORS_ALONE: Final = frozenset(
    {
        Scope.FLEET_READ,
        Scope.LEDGER_READ,
        Scope.CALLS_ANSWER,
        Scope.HOMES_WRITE,
        Scope.PEOPLE_WRITE,
        Scope.ROTA_WRITE,
        Scope.THRESHOLDS_WRITE,
    }
)
"""Scopes with which a token that speaks for anybody else can do nothing."""


class NoSuch(Exception):
    """A person or home that a token should be for does not exist, or its name is taken; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A program, and the person for whom it asks.

    Attributes:
        name: the token's.
        only: the homes that it is limited to; None: all that its person may see.
    """

    name: str
    scopes: frozenset[Scope]
    only: frozenset[str] | None
    viewer: Viewer


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is listed; nothing here opens anything."""

    name: str
    person: str
    scopes: tuple[str, ...]
    homes: tuple[str, ...] | None
    made_at: datetime
    made_by: str
    valid_until: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def make(
    conn: Connection,
    name: str,
    person: str,
    scopes: Sequence[Scope],
    homes: Sequence[str] | None,
    *,
    made_by: str,
    valid_for: timedelta,
    real_now: datetime,
) -> str:
    """Make a token and return it; it is not kept, so nobody can show it again.

    Raises:
        NoSuch: the name is none or taken, or there is no such person or home.
        ValueError: it may do nothing, or would be valid too long.
    """
    if not _NAME.fullmatch(name):
        raise NoSuch(f"{name!r} is no name for a token: small letters, digits and -, at most 32.")
    if not scopes or not timedelta(0) < valid_for <= timedelta(days=DAYS_MAX):
        raise ValueError(f"a token has a scope at least, and is valid for up to {DAYS_MAX} days")
    token = PREFIX + secrets.token_urlsafe(32)
    async with conn.transaction():
        await _check_known(conn, person, homes)
        row = await conn.execute(
            """
            INSERT INTO api_token (name, token_sha256, person, scopes, homes, made_at, made_by, valid_until)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING RETURNING name
            """,
            (
                *(name, hashed(token), person, sorted(set(scopes)), None if homes is None else sorted(set(homes))),
                *(real_now, made_by, real_now + valid_for),
            ),
        )
        if await row.fetchone() is None:
            raise NoSuch(f"There was a token {name!r} already; a name is used once.")
    return token


async def _check_known(conn: Connection, person: str, homes: Sequence[str] | None) -> None:
    rows = await conn.execute("SELECT FROM person WHERE person = %s", (person,))
    if await rows.fetchone() is None:
        raise NoSuch(f"There is no person {person!r}.")
    rows = await conn.execute("SELECT home FROM home WHERE home = ANY(%s) AND erased_at IS NULL", (list(homes or []),))
    known = {home for (home,) in await rows.fetchall()}
    for home in homes or []:
        if home not in known:
            raise NoSuch(f"There is no home {home!r}.")


async def find(conn: Connection, token: str, *, real_now: datetime, now: datetime) -> Caller | None:
    """Return whose token this is, with the grants in force now, or None if it opens nothing.

    Args:
        conn: the connection.
        token: as it was shown when it was made.
        real_now: by the system's clock, on which tokens age.
        now: by the homes' clock, on which consents end.
    """
    rows = await conn.execute(
        """
        SELECT name, person, scopes, homes, last_used_at FROM api_token
        WHERE token_sha256 = %(token)s AND revoked_at IS NULL AND valid_until > %(now)s
        """,
        {"token": hashed(token), "now": real_now},
    )
    row = await rows.fetchone()
    if row is None:
        return None
    name, person, scopes, homes, used_at = row
    if used_at is None or used_at <= real_now - _USED_AGAIN:
        await conn.execute("UPDATE api_token SET last_used_at = %s WHERE name = %s", (real_now, name))
    viewer = await viewer_for(conn, person, hashed(token), now=now)
    if viewer is None:
        return None
    known = frozenset(Scope(scope) for scope in scopes if scope in frozenset(Scope))
    return Caller(name, known, None if homes is None else frozenset(homes), viewer)


async def listed(conn: Connection) -> list[Token]:
    """Return every token, the newest first; at most 500."""
    rows = await conn.execute(
        "SELECT name, person, scopes, homes, made_at, made_by, valid_until, last_used_at, revoked_at "
        "FROM api_token ORDER BY made_at DESC, name LIMIT 500"
    )
    return [
        Token(name, person, tuple(scopes), None if homes is None else tuple(homes), *rest)
        for name, person, scopes, homes, *rest in await rows.fetchall()
    ]


async def revoke(conn: Connection, name: str, *, real_now: datetime) -> bool:
    """Let a token open nothing from now on; return whether there is one of that name."""
    rows = await conn.execute(
        "UPDATE api_token SET revoked_at = COALESCE(revoked_at, %s) WHERE name = %s RETURNING name", (real_now, name)
    )
    return await rows.fetchone() is not None

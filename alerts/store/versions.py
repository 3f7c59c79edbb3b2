"""What did operators set for all homes, a group or one; when, and why?  To be read; `thresholds` writes it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.judging.numbers import Numbers

Conn = AsyncConnection[TupleRow]

HISTORY_MAX: Final = 100
"""Versions of one scope that are listed; ours: more than a year of changing it every week."""


class Width(enum.StrEnum):
    """For how many homes something is set."""

    ALL = "all"
    GROUP = "group"
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Scope:
    """For which homes something is set.

    Attributes:
        width: all, a group or one.
        name: of the group or the home; empty for all.
    """

    width: Width
    name: str = ""

    def __post_init__(self) -> None:
        if (self.width is Width.ALL) != (self.name == ""):
            raise ValueError(f"all homes have no name, and a group and a home have one: {self.width} {self.name!r}")

    @property
    def home(self) -> str | None:
        return self.name if self.width is Width.HOME else None

    @property
    def group(self) -> str | None:
        return self.name if self.width is Width.GROUP else None


ALL: Final = Scope(Width.ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What stood for a scope from some moment on.

    Attributes:
        numbers: those that this scope sets, as `alerts.judging.numbers` has them.
        settled_at: when its homes began to be judged so; None while its moment has not come.
        set_by: a person, or "setup" for a setup file; `set_by_name` is None for that.
        takes_back: its numbers are those that stood before this version; None where it takes nothing back.
    """

    version: int
    scope: Scope
    numbers: Numbers
    in_force_since: datetime
    settled_at: datetime | None
    set_at: datetime
    set_by: str
    set_by_name: str | None
    why: str
    takes_back: int | None


async def groups(conn: Conn) -> dict[str, tuple[str, ...]]:
    """Return the groups with their homes, by name."""
    rows = await conn.execute(
        "SELECT home_group, array_remove(array_agg(home ORDER BY home), NULL) "
        "FROM home_group LEFT JOIN home_group_member USING (home_group) GROUP BY 1 ORDER BY 1"
    )
    return {str(group): tuple(homes) for group, homes in await rows.fetchall()}


async def group_of(conn: Conn, home: str) -> str | None:
    """Return which group a home is in."""
    rows = await conn.execute("SELECT home_group FROM home_group_member WHERE home = %s", (home,))
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def versions_behind(conn: Conn, policy: int) -> list[Version]:
    """Return the versions that a policy is made of, the widest first: what an alert that names it was raised by."""
    return await _read(
        conn,
        "WHERE version = ANY((SELECT versions FROM policy WHERE policy = %(policy)s)::bigint[]) "
        "ORDER BY array_position('{all,group,home}', scope), version",
        policy=policy,
    )


async def latest_of(conn: Conn, scope: Scope) -> Version | None:
    """Return the newest version of a scope, also one that is still to come; None: nothing was ever set."""
    return await _first(conn, "", scope)


async def history_of(conn: Conn, scope: Scope) -> list[Version]:
    """Return the versions of a scope, newest first."""
    return await _of_scope(conn, "", scope, limit=HISTORY_MAX)


async def find_version(conn: Conn, version: int) -> Version | None:
    """Return a version, or None if there is none."""
    found = await _read(conn, "WHERE version = %(version)s", version=version)
    return found[0] if found else None


async def in_force(conn: Conn, scope: Scope, *, at: datetime) -> Version | None:
    """Return the version of a scope that is in force: the newest of those whose moment has come."""
    return await _first(conn, "AND in_force_since <= %(at)s", scope, at=at)


async def before(conn: Conn, version: Version) -> Version | None:
    """Return what stood for the same scope before a version; None: nothing."""
    return await _first(conn, "AND version < %(before)s", version.scope, before=version.version)


async def still_to_come(conn: Conn, *, now: datetime) -> list[Version]:
    """Return the versions whose moment has come and that are not settled yet, the first first."""
    return await _read(conn, "WHERE settled_at IS NULL AND in_force_since <= %(now)s ORDER BY version", now=now)


@dataclass(frozen=True, slots=True)
class _Row:
    """A version as a row has it."""

    version: int
    scope: str
    name: str
    numbers: dict[str, Any]
    in_force_since: datetime
    settled_at: datetime | None
    set_at: datetime
    set_by: str
    set_by_name: str | None
    why: str
    takes_back: int | None

    def version_(self) -> Version:
        return Version(
            version=self.version,
            scope=Scope(Width(self.scope), self.name),
            numbers=self.numbers,
            in_force_since=self.in_force_since,
            settled_at=self.settled_at,
            set_at=self.set_at,
            set_by=self.set_by,
            set_by_name=self.set_by_name,
            why=self.why,
            takes_back=self.takes_back,
        )


_VERSIONS: Final = """
    SELECT version, scope, COALESCE(home, home_group, '') AS name, numbers, in_force_since, settled_at, set_at, set_by,
           (SELECT full_name FROM person WHERE person = set_by) AS set_by_name, why, takes_back
    FROM policy_version
"""


async def _first(conn: Conn, also: str, scope: Scope, **values: object) -> Version | None:
    found = await _of_scope(conn, also, scope, limit=1, **values)
    return found[0] if found else None


async def _of_scope(conn: Conn, also: str, scope: Scope, *, limit: int, **values: object) -> list[Version]:
    return await _read(
        conn,
        f"WHERE scope = %(scope)s AND COALESCE(home, home_group, '') = %(name)s {also} "
        "ORDER BY version DESC LIMIT %(limit)s",
        **{"scope": scope.width.value, "name": scope.name, "limit": limit, **values},
    )


async def _read(conn: Conn, which: str, **values: object) -> list[Version]:
    async with conn.cursor(row_factory=class_row(_Row)) as cur:
        await cur.execute((_VERSIONS + which).encode(), values)
        return [row.version_() for row in await cur.fetchall()]

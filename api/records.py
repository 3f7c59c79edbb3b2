"""Who may see a home, and who has looked?  Reads alone: `access` grants the look and leaves the record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from api import consents

Conn = AsyncConnection[Any]

# Ours: people with a view of one home.
_GRANTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Grant:
    """Somebody may see a home.

    Attributes:
        what: daughter, neighbour: as others know them; None where nobody wrote that down.
        view: family or carer.
        until: when the resident's consent to it ends, excluded; None for an operator, who needs none.
    """

    person: str
    full_name: str
    what: str | None
    view: str
    given_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody looked at a home.

    Attributes:
        viewer: a person's key, or what else looked.
        full_name: None where the viewer is no person that we know any more.
        view: from which page.
        quarter: the beginning of the quarter of an hour.
    """

    viewer: str
    full_name: str | None
    what: str | None
    is_operator: bool
    view: str
    quarter: datetime


async def grants_of(conn: Conn, home: str, *, now: datetime) -> list[Grant]:
    """Return who may see a home now, by name: who was given it, and the resident's consent to that holds.

    Operators, who may see every home, are among them only if named.
    """
    async with conn.cursor(row_factory=class_row(Grant)) as cur:
        await cur.execute(
            f"""
            SELECT person, full_name, person.what, access_grant.view, given_at,
                   (SELECT max(until) FROM consent WHERE consent.home = access_grant.home
                    AND consent.person = access_grant.person AND consent.view = access_grant.view
                    AND withdrawn_at IS NULL AND since <= %(now)s) AS until
            FROM access_grant JOIN person USING (person)
            WHERE home = %(home)s AND withdrawn_at IS NULL AND left_at IS NULL
              AND (is_operator OR {consents.IN_FORCE})
            ORDER BY full_name, access_grant.view DESC LIMIT %(most)s
            """,  # noqa: S608 - a constant of ours
            {"home": home, "now": now, "most": _GRANTS_MAX},
        )
        return await cur.fetchall()


async def homes_lived_in(conn: Conn, person: str) -> list[str]:
    """Return the homes in which a person lives who signs in as their resident, at most 100."""
    rows = await conn.execute(
        "SELECT home FROM resident WHERE person = %s ORDER BY home LIMIT %s", (person, _GRANTS_MAX)
    )
    return [home for (home,) in await rows.fetchall()]


async def operators(conn: Conn) -> list[str]:
    """Return the full names of the operators, at most 100."""
    rows = await conn.execute(
        "SELECT full_name FROM person WHERE is_operator AND left_at IS NULL ORDER BY full_name LIMIT %s", (_GRANTS_MAX,)
    )
    return [name for (name,) in await rows.fetchall()]


async def looks_at(
    conn: Conn, home: str, *, since: datetime, most: int, behind: int = 0, by: str | None = None
) -> list[Looked]:
    """Return the looks at a home, newest first.

    Args:
        conn: any.
        home: which.
        since: the earliest that is wanted.
        most: of them.
        behind: how many to pass over.
        by: of this viewer only; None: of all.
    """
    async with conn.cursor(row_factory=class_row(Looked)) as cur:
        await cur.execute(
            """
            SELECT viewer, full_name, what, COALESCE(is_operator, false) AS is_operator, view, quarter
            FROM access_record LEFT JOIN person ON person.person = access_record.viewer
            WHERE home = %(home)s AND quarter >= %(since)s AND (%(by)s::text IS NULL OR viewer = %(by)s)
            ORDER BY quarter DESC, viewer, view LIMIT %(most)s OFFSET %(behind)s
            """,
            {"home": home, "since": since, "by": by, "most": most, "behind": behind},
        )
        return await cur.fetchall()


async def count_looks(conn: Conn, home: str, *, since: datetime) -> list[tuple[str, int]]:
    """Return how many looks each viewer had since then, the most first: full name, or the viewer's key; at most 100."""
    rows = await conn.execute(
        """
        SELECT COALESCE(full_name, viewer), count(*) FROM access_record
        LEFT JOIN person ON person.person = access_record.viewer
        WHERE home = %s AND quarter >= %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
        """,
        (home, since, _GRANTS_MAX),
    )
    return [(name, looks) for name, looks in await rows.fetchall()]

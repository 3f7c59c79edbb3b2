"""Who changed what, and when?  One row for every act of an operator, a setup or a carer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

Connection = AsyncConnection[Any]

# A page of them; older ones are in the table.  Ours.
_SHOWN_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Change:
    """One act.

    Attributes:
        by: the name of a person, or what stood for one: setup, or the command line.
        what: in the past tense.
        content: what was written.
    """

    at: datetime
    by: str
    home: str | None
    person: str | None
    what: str
    content: Mapping[str, Any]


async def note(
    conn: Connection,
    what: str,
    *,
    by: str,
    now: datetime,
    home: str | None = None,
    person: str | None = None,
    content: Mapping[str, object],
) -> None:
    """Write down what was done; in the transaction that does it."""
    await conn.execute(
        "INSERT INTO change_record (at, by, home, person, what, content) VALUES (%s, %s, %s, %s, %s, %s)",
        (now, by, home, person, what, Jsonb({name: _plain(value) for name, value in content.items()})),
    )


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


async def lately(conn: Connection, *, home: str | None = None, person: str | None = None) -> list[Change]:
    """Return the newest changes of a home or of a person, or of all, the newest first; at most 30."""
    rows = await conn.execute(
        """
        SELECT c.at, COALESCE(p.full_name, c.by), c.home, c.person, c.what, c.content
        FROM change_record c LEFT JOIN person p ON p.person = c.by
        WHERE (%(home)s::text IS NULL OR c.home = %(home)s) AND (%(person)s::text IS NULL OR c.person = %(person)s)
        ORDER BY c.at DESC, c.change DESC LIMIT %(most)s
        """,
        {"home": home, "person": person, "most": _SHOWN_MAX},
    )
    return [Change(*row) for row in await rows.fetchall()]

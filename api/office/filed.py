"""What did a setup file say the last time, and has somebody changed it since?

A file may be run again at any time, and people change on pages what it says.  So of each thing three states are
compared: what the file says, what it said the last time, and what stands in the tables.  Where what stands is not what
the file said the last time, a person changed it: it is kept, and that is said, unless whoever runs the file wants the
file's.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

Connection = AsyncConnection[Any]
Plain = Mapping[str, Any] | Sequence[str] | None
"""What is said of one thing: words, or words by name; None: nothing."""

_REMEMBER: Final = """
    INSERT INTO setup_said (subject, home, content, said_at)
    SELECT subject, home, content, %(now)s
    FROM unnest(%(subjects)s::text[], %(homes)s::text[], %(contents)s::jsonb[]) AS s(subject, home, content)
    ON CONFLICT (subject) DO UPDATE SET content = excluded.content, said_at = excluded.said_at
"""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Rows that are added and removed, never changed: shifts and covers.

    Attributes:
        standing: the numbers of those that count now.
        add: writes one, and returns its number.
        remove: lets one count no more.
    """

    standing: Collection[int]
    add: Callable[[Mapping[str, str]], Awaitable[int]]
    remove: Callable[[int], Awaitable[None]]


@dataclass(slots=True)
class Filed:
    """One run of a setup file.

    Attributes:
        takes_all: also what a person changed since is written as the file has it.
        before: what the file said the last time, by subject.
        kept: what a person changed since and stays so, one sentence each.
    """

    takes_all: bool
    before: dict[str, Any]
    kept: list[str] = field(default_factory=list)
    _now: dict[str, tuple[str | None, Any]] = field(default_factory=dict)

    def is_to_write(self, subject: str, said: Plain, stands: Plain) -> bool:
        """Return whether `bring` would write what the file says: it differs, and nobody changed it since."""
        return stands != said and (self.takes_all or stands == self.before.get(subject))

    async def bring(
        self, subject: str, said: Plain, stands: Plain, write: Callable[[], Awaitable[None]], *, home: str | None = None
    ) -> None:
        """Have something stand as the file says, unless a person changed it since.

        Args:
            subject: what it is, in words, the same in every run.
            said: as the file has it.
            stands: as the tables have it.
            write: writes what the file says.
            home: whose it is.
        """
        if self.is_to_write(subject, said, stands):
            await write()
        elif stands != said:
            self.kept.append(f"{subject}: {_difference(said, stands)}")
            return
        self._now[subject] = (home, said)

    async def bring_numbered(
        self, whose: str, said: Mapping[str, Mapping[str, str]], rows: Numbered, *, home: str | None = None
    ) -> None:
        """Have rows stand as the file has them: what is new in it is added, and what it no longer has is removed.

        Args:
            whose: with what the subjects begin.
            said: the fields of each, by a name that says all of it.
            rows: how they are written.
            home: whose they are.
        """
        for name, fields in said.items():
            subject = f"{whose}{name}"
            number = self.before.get(subject)
            if number is None or (number not in rows.standing and self.takes_all):
                number = await rows.add(fields)
            elif number not in rows.standing:
                self.kept.append(f"{subject}: was taken away since")
                continue
            self._now[subject] = (home, number)
        gone = [one for one in self.before if one.startswith(whose) and one.removeprefix(whose) not in said]
        for subject in gone:
            if self.before[subject] in rows.standing:
                await rows.remove(self.before[subject])
            self._now[subject] = (home, None)

    async def remember(self, conn: Connection, *, now: datetime) -> None:
        """Write down what the file said, for the next time; in the transaction that wrote it."""
        fresh = {name: said for name, said in self._now.items() if self.before.get(name) != said[1]}
        said = {name: (home, Jsonb(content)) for name, (home, content) in fresh.items() if content is not None}
        values = {
            "subjects": list(said),
            "homes": [home for home, _ in said.values()],
            "contents": [content for _, content in said.values()],
        }
        await conn.execute(_REMEMBER, {**values, "now": now})
        gone = [one for one in fresh if one not in said]
        await conn.execute("DELETE FROM setup_said WHERE subject = ANY(%s)", (gone,))


async def last_time(conn: Connection, homes: Collection[str], *, takes_all: bool) -> Filed:
    """Return a run of a setup file that knows what was said of these homes, and of no single home, the last time."""
    rows = await conn.execute(
        "SELECT subject, content FROM setup_said WHERE home IS NULL OR home = ANY(%s)", (list(homes),)
    )
    return Filed(takes_all, dict(await rows.fetchall()))


def _difference(said: Plain, stands: Plain) -> str:
    if not isinstance(said, Mapping) or not isinstance(stands, Mapping):
        return f"is {_shown(stands)}, and the file says {_shown(said)}"
    differ = [name for name in dict.fromkeys([*said, *stands]) if said.get(name) != stands.get(name)]
    return "; ".join(
        f"{name} is {_shown(stands.get(name))}, and the file says {_shown(said.get(name))}" for name in differ
    )


def _shown(said: object) -> str:
    if isinstance(said, Mapping):
        said = list(said.values())
    return "nothing" if not said else ", ".join(map(str, said)) if isinstance(said, list) else str(said)

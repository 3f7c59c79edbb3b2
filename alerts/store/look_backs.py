"""Who looked back at which change of thresholds, how far is it, and what was found?

A look back is asked for here, done by `alerts.looking_back` in a process of its own, and named by the version that is
saved after it was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from alerts.backtest import LookBack
from alerts.judging import numbers as layers
from alerts.judging.numbers import Numbers
from alerts.store import thresholds
from alerts.store.thresholds import CannotSet, Change
from alerts.store.versions import Scope, Width

Conn = AsyncConnection[TupleRow]

HOMES_MAX: Final = 12
"""Homes that one look back takes; ours: a minute or two of one core.  Of more every so-manyth is taken, by name."""

WORTH: Final = timedelta(hours=2)
"""Ours: a price that was seen before lunch is not the price any more; on the homes' clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A look back, as it stands.

    Attributes:
        homes: those that are looked at, of `homes_in_all` that the change concerns.
        done: how much of it is done, from 0 to 1.
        found: home by home; None while it is not done.
        failed: why nothing was found; None unless so.
    """

    look_back: int
    scope: Scope
    numbers: Numbers
    takes_back: int | None
    why: str
    in_force_from: datetime | None
    days: int
    homes: tuple[str, ...]
    homes_in_all: int
    asked_at: datetime
    asked_by: str
    done: float
    found: tuple[LookBack, ...] | None
    failed: str | None


async def ask(
    conn: Conn, scope: Scope, numbers: Numbers, change: Change, *, days: int, takes_back: int | None = None
) -> int:
    """Write down that somebody wants to know what a change would have done; return its number.

    Raises:
        CannotSet: a number is none, or does not go together with the others of some home; or there is nothing to say
            why.
    """
    try:
        said = layers.checked(numbers)
    except ValueError as why:
        raise CannotSet(str(why)) from why
    if not change.why.strip():
        raise CannotSet("Say why: whoever finds this at three in the morning will ask.")
    homes = await thresholds.homes_of(conn, scope)
    if not homes:
        raise CannotSet("There is no home that this would concern.")
    for home in homes:
        await thresholds.proposed(conn, home, scope, said, at=change.at)
    rows = await conn.execute(
        """
        INSERT INTO look_back (scope, home_group, home, numbers, takes_back, why, in_force_from, days, homes,
                               homes_in_all, asked_at, asked_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING look_back
        """,
        (
            *(scope.width.value, scope.group, scope.home, Jsonb(said), takes_back, change.why, change.from_, days),
            *(_some(homes), len(homes), change.at, change.by),
        ),
    )
    row = await rows.fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


async def find(conn: Conn, look_back: int) -> Asked | None:
    """Return a look back as it stands, or None if there is none."""
    async with conn.cursor(row_factory=class_row(_Row)) as cur:
        await cur.execute(
            "SELECT look_back, scope, COALESCE(home, home_group, '') AS name, numbers, takes_back, why, in_force_from, "
            "days, homes, homes_in_all, asked_at, asked_by, done, found, failed FROM look_back WHERE look_back = %s",
            (look_back,),
        )
        row = await cur.fetchone()
        return None if row is None else row.asked()


async def save(conn: Conn, asked: Asked, *, by: str, now: datetime) -> int | None:
    """Set what was looked back at, and return the version; None where it stands already.

    Raises:
        CannotSet: it was not seen to its end, by this person, in the last two hours; or it cannot be set any more.
    """
    if asked.found is None or asked.asked_by != by or not asked.asked_at <= now < asked.asked_at + WORTH:
        raise CannotSet("Look back first: a threshold is saved by who has just seen its price.")
    since = asked.in_force_from if asked.in_force_from is not None and asked.in_force_from > now else None
    change = Change(by=by, why=asked.why, at=now, from_=since, look_back=asked.look_back)
    return await thresholds.set_numbers(conn, asked.scope, asked.numbers, change, takes_back=asked.takes_back)


async def is_busy(conn: Conn, by: str, *, now: datetime) -> bool:
    """Return whether somebody has a look back that is not done; one of long ago has died with its process."""
    rows = await conn.execute(
        "SELECT FROM look_back WHERE asked_by = %s AND found IS NULL AND failed IS NULL AND asked_at > %s LIMIT 1",
        (by, now - WORTH),
    )
    return await rows.fetchone() is not None


async def fail(conn: Conn, look_back: int, why: str) -> None:
    """Write down why nothing was found, unless it was."""
    await conn.execute(
        "UPDATE look_back SET failed = %s WHERE look_back = %s AND found IS NULL AND failed IS NULL",
        (why[:300], look_back),
    )


async def finish(conn: Conn, look_back: int, found: Sequence[LookBack]) -> None:
    """Write down what was found, unless it was said to have failed."""
    await conn.execute(
        "UPDATE look_back SET found = %s, done = 1 WHERE look_back = %s AND failed IS NULL",
        (Jsonb(msgspec.to_builtins(list(found))), look_back),
    )


def _some(homes: Sequence[str]) -> list[str]:
    step = -(-len(homes) // HOMES_MAX)
    return list(homes[::step])


@dataclass(frozen=True, slots=True)
class _Row:
    """A look back as a row has it."""

    look_back: int
    scope: str
    name: str
    numbers: dict[str, Any]
    takes_back: int | None
    why: str
    in_force_from: datetime | None
    days: int
    homes: list[str]
    homes_in_all: int
    asked_at: datetime
    asked_by: str
    done: float
    found: list[Any] | None
    failed: str | None

    def asked(self) -> Asked:
        return Asked(
            look_back=self.look_back,
            scope=Scope(Width(self.scope), self.name),
            numbers=self.numbers,
            takes_back=self.takes_back,
            why=self.why,
            in_force_from=self.in_force_from,
            days=self.days,
            homes=tuple(self.homes),
            homes_in_all=self.homes_in_all,
            asked_at=self.asked_at,
            asked_by=self.asked_by,
            done=self.done,
            found=None if self.found is None else msgspec.convert(self.found, tuple[LookBack, ...]),
            failed=self.failed,
        )

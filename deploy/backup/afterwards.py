"""What must be done in a restored database before anybody works on it?

1. What was taken away since the backup is taken away again.
2. What was due is held, the operator is told, and numbers from the forgotten time are not given twice.

Hubs do the rest: they hear an older `stored through` and send again what they still have.  What they have not is
written down as lost by ingest.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import AsyncConnection

from alerts.store import restores
from alerts.store.restores import Restored
from deploy.backup import gone, making
from deploy.backup.gone import Fact
from ingest.db import pool

_ALIVE: Final = ".alive"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done after a restore.

    Attributes:
        restored: what is written down of it.
        redone: how many things were taken away again.
        not_done: what a person must take away by hand, in a sentence each.
    """

    restored: Restored
    redone: int
    not_done: Sequence[str]


def put_in_order(
    dsn: str,
    backup: str,
    facts: Sequence[Fact],
    *,
    shows: datetime,
    told_until: datetime,
    now: datetime,
    real_now: datetime,
) -> Done:
    """Make a restored database fit to be worked on; nobody works on it yet."""

    async def act() -> Done:
        async with await AsyncConnection.connect(dsn, **pool.settings("restore")) as conn:  # type: ignore[arg-type]  # libpq's own words
            not_done = await gone.redo(conn, facts, now=now, real_now=real_now)
            found = await restores.put_in_order(conn, backup=backup, shows=shows, told_until=told_until, now=now)
            return Done(found, len(facts) - len(not_done), not_done)

    return asyncio.run(act())


def note_alive(shelf: Path, judged_through: datetime | None) -> None:
    """Write down outside the database until when people were being told."""
    if judged_through is not None:
        new = shelf / f"{_ALIVE}.new"
        new.write_text(json.dumps({"judged_through": judged_through.isoformat()}))
        new.replace(shelf / _ALIVE)


def told_until(shelf: Path, old: str | None, *, shows: datetime, now: datetime) -> datetime:
    """Return until when people were being told before a restore, as far as anything says; now where nothing does.

    Args:
        shelf: the folder of all backups, where it was noted every few seconds.
        old: the address of the database that is put aside, where there is one.
        shows: the moment that the backup shows.
        now: by the platform's clock.
    """
    known = []
    with suppress(OSError, ValueError, KeyError):
        known.append(datetime.fromisoformat(json.loads((shelf / _ALIVE).read_text())["judged_through"]))
    if old is not None:
        with suppress(psycopg.Error), making.plain_connection(old) as conn:
            known += [at] if (at := making.judged_through_of(conn)) else []
    # Without a word from anybody the operator decides about everything up to now.
    return min(max([shows, *known]), now) if known else now

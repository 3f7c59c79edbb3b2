"""Who is away, or asked not to be watched over for a time?  Written by operators and carers; it ends by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerts.store import pauses
from alerts.store.pauses import Kind, Pause
from api.office import changes, homes, said
from api.office.said import Form, Mistake, Mistakes

Connection = AsyncConnection[Any]

KINDS: Final[Mapping[Kind, str]] = {
    "away": "away: nobody is there",
    "paused": "paused: the resident asked not to be watched",
}
# Ours: who is away for longer has moved, and a pause that nobody remembers is a home that nobody watches.
LONGEST: Final = timedelta(days=92)


async def begin(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Have nobody look for a resident for a time: kind, since (now where empty), until, why.

    A moment is written as a day and a time, or as a day, which for `until` means its end.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form({"kind": "away", **{name: value for name, value in fields.items() if value}})
    kind = form.take("kind", said.one_of(KINDS))
    since = form.may_take("since", said.moment) or now
    until, why = form.take("until", end_of), form.take("why", said.words)
    since = max(since, now)
    if until is not None and not since < until <= since + LONGEST:
        form.wrong("until", "is over already, before the beginning, or more than 92 days after it")
    form.require_right()
    assert kind is not None, "it is needed"
    assert until is not None, "it is needed"
    assert why is not None, "it is needed"
    await homes.require(conn, home)
    async with conn.transaction():
        await pauses.begin(conn, home, Pause(kind=kind, since=since, until=until, why=why, by=by), now=now)
        content = {"kind": kind, "since": since, "until": until, "why": why}
        await changes.note(conn, "away or paused", by=by, now=now, home=home, content=content)


async def end(conn: Connection, home: str, *, by: str, now: datetime) -> None:
    """Have somebody look for a resident again.

    Raises:
        Mistakes: nothing of this home is paused.
    """
    async with conn.transaction():
        if not await pauses.end(conn, home, by=by, now=now):
            raise Mistakes([Mistake("", f"Nothing is paused in {home}.")])
        await changes.note(conn, "pause ended", by=by, now=now, home=home, content={})


def end_of(written: str) -> datetime:
    """Return the moment of a day and time, or the end of a day, on clocks in London."""
    return said.end_of(written) if len(written) <= len("2026-06-14") else said.moment(written)

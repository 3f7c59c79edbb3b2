"""When is a resident away, or has asked not to be watched over?  Written with the judging input that makes it so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.store.inputs import give_to_judgement

Conn = AsyncConnection[TupleRow]
Kind = Literal["away", "paused"]

_KIND: Final = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time in which nobody looks for a resident; alarms are told all the same.

    Attributes:
        kind: away, or paused by the resident.
        since: it begins then.
        until: its end, excluded.
        by: who wrote it down: a name, setup or the command line.
    """

    kind: str
    since: datetime
    until: datetime
    why: str
    by: str


async def of_home(conn: Conn, home: str, *, now: datetime) -> Pause | None:
    """Return the pause of a home that lasts or is to come; None: there is none."""
    async with conn.cursor(row_factory=class_row(Pause)) as cur:
        await cur.execute(
            "SELECT kind, since, until, why, COALESCE(full_name, written_by) AS by "
            "FROM pause LEFT JOIN person ON person = written_by "
            "WHERE home = %s AND ended_at IS NULL AND until > %s",
            (home, now),
        )
        return await cur.fetchone()


async def begin(conn: Conn, home: str, said: Pause, *, now: datetime) -> None:
    """Have a home paused for a time, instead of what was written before; in one transaction with its judging input."""
    async with conn.transaction():
        # Two who write it at once must not both be the one that counts.
        await conn.execute("SELECT FROM home WHERE home = %s FOR UPDATE", (home,))
        await _end(conn, home, by=said.by, now=now)
        await conn.execute(
            "INSERT INTO pause (home, kind, since, until, why, written_at, written_by) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (home, said.kind, said.since, said.until, said.why, now, said.by),
        )
        content = {"kind": said.kind, "since": said.since.isoformat(), "until": said.until.isoformat()}
        await give_to_judgement(conn, home, _KIND, content, now=now)


async def end(conn: Conn, home: str, *, by: str, now: datetime) -> bool:
    """Have nothing of a home paused any more; return whether that was news."""
    async with conn.transaction():
        was_news = await _end(conn, home, by=by, now=now)
        if was_news:
            await give_to_judgement(conn, home, _KIND, {}, now=now)
    return was_news


async def _end(conn: Conn, home: str, *, by: str, now: datetime) -> bool:
    """Write down the end of what is there; return whether it had not ended by itself."""
    rows = await conn.execute(
        "UPDATE pause SET ended_at = %s, ended_by = %s WHERE home = %s AND ended_at IS NULL RETURNING until",
        (now, by, home),
    )
    return any(until > now for (until,) in await rows.fetchall())

"""Who pressed in a lane whose judging waits, and who is told of it?

An alarm is told whatever else is wrong: while homes are remembered again after an upgrade, or where a row of the log or
a mistake of ours keeps a lane from being judged.  It is known by its identity, so judging it later tells nobody twice.
"""

import logging
from datetime import datetime
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.judging.detectors import alarm
from alerts.judging.finding import Finding
from alerts.lanes import Place
from alerts.store import judged
from ingest import stored_log
from ingest.db.pool import UNREADABLE, is_away
from ingest.entry import Alarm, Batch

Conn = AsyncConnection[TupleRow]
log = logging.getLogger(__name__)

# Rows of the log at a time, and looks at the log in one go: ours, so that no other lane waits for a long one.
_PAGE: Final = 200
_LOOKS_MAX: Final = 50

# What says that a row cannot be read: what is in it is damaged, or the database itself finds the row so.
_UNREADABLE: Final = (
    *(ValueError, TypeError, LookupError, RecursionError, psycopg.DataError, psycopg.InternalError),
    *UNREADABLE,
)


class Pressed:
    """Follows the log of lanes that wait, for the alarms in it alone."""

    def __init__(self) -> None:
        """Have read nothing yet."""
        self._read: dict[int, tuple[int, datetime | None]] = {}

    def forget(self, lane: int) -> None:
        """Begin anew when this lane waits again: it was judged meanwhile."""
        self._read.pop(lane, None)

    async def tell(self, conn: Conn, place: Place, *, now: datetime) -> list[Finding]:
        """Write the alarms of a lane that came after a place, and whom they are told; return those that became alerts.

        Args:
            conn: not in a transaction.
            place: how far the lane was judged.
            now: when this is done.
        """
        position, received = self._read.get(place.lane, (place.position, place.received_through))
        raised = []
        for _ in range(_LOOKS_MAX):
            batches, reached = await _next(conn, place.lane, position, received)
            if reached == position:
                break
            position, received = reached, batches[-1].received_at if batches else received
            for batch in batches:
                for said in batch.entries:
                    raised += await _tell(conn, said, batch, now=now) if isinstance(said, Alarm) else []
            self._read[place.lane] = (position, received)
        return raised


async def _next(conn: Conn, lane: int, position: int, received: datetime | None) -> tuple[list[Batch], int]:
    """Return the next rows that can be read, and the position up to which that is all; a row that cannot be is left."""
    trouble: Exception | None = None
    for rows in (_PAGE, 1):
        try:
            # A press beside what only a newer release knows is told like any other.
            batches = await stored_log.follow(conn, lane, position, received, rows, skip_newer=True)
        except _UNREADABLE as why:
            trouble = why
            continue  # Rows beside it can be read.
        return batches, batches[-1].position if batches else position
    stored = await conn.execute("SELECT position FROM lane WHERE lane = %s", (lane,))
    if position >= next(iter(await stored.fetchone() or ()), 0):
        return [], position  # Beyond what is stored is nothing to pass over: the next press will be there.
    log.error("row passed over for alarms", extra={"lane": lane, "position": position + 1, "why": repr(trouble)})
    return [], position + 1


async def _tell(conn: Conn, said: Alarm, batch: Batch, *, now: datetime) -> list[Finding]:
    """Write one alarm; one that cannot be written is said, and keeps no other from being told."""
    try:
        finding = alarm.finding_of(said, None, received_at=batch.received_at)
        async with conn.transaction():
            return await judged.keep(conn, [finding], now=now)
    except Exception as why:
        if is_away(why):
            raise
        log.exception("alarm cannot be told", extra={"lane": batch.lane, "position": batch.position})
        return []

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
# Ours: rows of a lane with alarms that could not be written.  Where there are so many none can be, and the log waits.
_FAILED_MAX: Final = 100

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
        # By lane, the rows read with an alarm that could not be written yet: when each was received, by its position.
        self._failed: dict[int, dict[int, datetime]] = {}

    def forget(self, lane: int) -> None:
        """Begin anew when this lane waits again: it was judged meanwhile."""
        self._read.pop(lane, None)
        self._failed.pop(lane, None)

    async def tell(self, conn: Conn, place: Place, *, now: datetime) -> list[Finding]:
        """Write the alarms of a lane that came after a place, and whom they are told; return those that became alerts.

        One that cannot be written is said, keeps no other from being told, and is tried again each time.

        Args:
            conn: not in a transaction.
            place: how far the lane was judged.
            now: when this is done.
        """
        position, received = self._read.get(place.lane, (place.position, place.received_through))
        failed = self._failed.setdefault(place.lane, {})
        raised = await _tell_again(conn, place.lane, failed, now=now)
        for _ in range(_LOOKS_MAX):
            if len(failed) >= _FAILED_MAX:
                break
            batches, reached = await _next(conn, place.lane, position, received)
            if reached == position:
                break
            position, received = reached, batches[-1].received_at if batches else received
            for batch in batches:
                raised += await _tell(conn, batch, failed, now=now)
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


async def _tell_again(conn: Conn, lane: int, failed: dict[int, datetime], *, now: datetime) -> list[Finding]:
    """Write the alarms of the rows of a lane that failed before; what goes well is taken out of them."""
    raised = []
    for position, received_at in list(failed.items()):
        try:
            batches = await stored_log.follow(conn, lane, position - 1, received_at, 1, skip_newer=True)
        except _UNREADABLE:
            continue
        if not batches or batches[0].position != position:
            del failed[position]  # The log does not reach back so far any more.
            continue
        raised += await _tell(conn, batches[0], failed, now=now)
    return raised


async def _tell(conn: Conn, batch: Batch, failed: dict[int, datetime], *, now: datetime) -> list[Finding]:
    """Write the alarms of one row, and note the row among those that failed where one of them cannot be written."""
    raised: list[Finding] = []
    is_well, is_said = True, batch.position in failed
    for said in batch.entries:
        if not isinstance(said, Alarm):
            continue
        try:
            finding = alarm.finding_of(said, None, received_at=batch.received_at)
            async with conn.transaction():
                raised += await judged.keep(conn, [finding], now=now)
        except Exception as why:
            if is_away(why):
                raise
            if not is_said:
                log.exception("alarm cannot be told", extra={"lane": batch.lane, "position": batch.position})
            is_well = False
    if is_well:
        failed.pop(batch.position, None)
    else:
        failed[batch.position] = batch.received_at
    return raised

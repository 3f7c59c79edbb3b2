"""What was stored, lane by lane, in the order in which it was: appended here, followed by alerts.

Positions come from the lane's own row inside the transaction that writes, so they have no holes and none is
committed late; `received_at` rises from row to row within a lane.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ingest.entry import ENTRIES_MAX, Alarm, Batch, Entry, Reading, pack, unpack

CHANNEL: Final = "telecare_log"
"""What to LISTEN on: one notification a lane and commit, whose payload is the lane's number."""

KEPT: Final = timedelta(days=100)
"""How long the log is kept: a routine is learnt from 56 days, and a season must fit into a replay."""

BATCHES_MAX: Final = 500

# The lane's row is locked already (lanes.fence); its position moves in the same statement that uses it.
_APPEND: Final = """
    WITH said AS (
        SELECT * FROM unnest(%(lanes)s::smallint[], %(at)s::timestamptz[], %(since)s::timestamptz[],
                             %(until)s::timestamptz[], %(entries)s::bytea[])
               AS s(lane, received_at, observed_since, observed_until, entries)
    ), moved AS (
        UPDATE lane SET position = lane.position + 1, received_through = said.received_at,
                        complete_through = said.received_at, heard_at = clock_timestamp()
        FROM said WHERE lane.lane = said.lane
        RETURNING lane.lane, lane.position
    )
    INSERT INTO stored_log (lane, position, received_at, observed_since, observed_until, entries)
    SELECT said.lane, moved.position, said.received_at, said.observed_since, said.observed_until, said.entries
    FROM said JOIN moved USING (lane)
"""

_NOTIFY: Final = "SELECT pg_notify(%s, lane::text) FROM unnest(%s::int[]) AS lane"

PAGE_BYTES: Final = 2**20
"""A page of the log ends with the row that goes beyond this: a row is one second on a good day, and 20,000 entries when
the database comes back."""

# Both bounds: the position finds the row, the time keeps the search out of a hundred chunks.
_FOLLOW: Final = """
    SELECT lane, position, received_at, entries FROM (
        SELECT *, sum(length(entries)) OVER (ORDER BY position) - length(entries) AS bytes_before FROM (
            SELECT lane, position, received_at, entries FROM stored_log
            WHERE lane = %s AND position > %s AND received_at >= coalesce(%s, '-infinity'::timestamptz)
            ORDER BY position LIMIT %s
        ) page
    ) weighed
    WHERE bytes_before < %s
    ORDER BY position
"""


async def append(
    conn: AsyncConnection[TupleRow],
    entries: Mapping[int, Sequence[Entry]],
    received_at: Mapping[int, datetime],
) -> None:
    """Append one row to each lane that has entries, and tell whoever listens once it is committed.

    Args:
        conn: in a transaction that holds the lanes (`Lanes.fence`).
        entries: by lane, in the order in which they were taken in; up to `ENTRIES_MAX` a lane.
        received_at: by lane, from the fence.

    Raises:
        ValueError: more entries than a follower is promised.
    """
    written = {lane: said for lane, said in sorted(entries.items()) if said}
    if not written:
        return
    if any(len(said) > ENTRIES_MAX for said in written.values()):
        raise ValueError(f"a row of the log holds at most {ENTRIES_MAX} entries")
    spans = [_observed(said) for said in written.values()]
    await conn.execute(
        _APPEND,
        {
            "lanes": list(written),
            "at": [received_at[lane] for lane in written],
            "since": [since for since, _ in spans],
            "until": [until for _, until in spans],
            "entries": [pack(said) for said in written.values()],
        },
    )
    await conn.execute(_NOTIFY, (CHANNEL, list(written)))


async def follow(
    conn: AsyncConnection[TupleRow],
    lane: int,
    after_position: int,
    received_through: datetime | None,
    limit: int = BATCHES_MAX,
    *,
    skip_newer: bool = False,
) -> list[Batch]:
    """Return what stands in a lane's log after a position, in order: nothing where nothing does, else one row or more.

    Args:
        conn: any.
        lane: 0 to 63.
        after_position: of the last row that was read; 0 before the first.
        received_through: `received_at` of that row; None before the first, which looks through the whole log.
        limit: rows at most; fewer where they are long (`PAGE_BYTES`).
        skip_newer: leave out what only a newer release knows, instead of refusing the row.

    Raises:
        NewerRelease: a row holds what only a newer release knows.
        ValueError: a row cannot be read: the log is damaged.
    """
    rows = await conn.execute(_FOLLOW, (lane, after_position, received_through, limit, PAGE_BYTES))
    return [
        Batch(lane, position, at, unpack(bytes(said), skip_newer=skip_newer))
        for lane, position, at, said in await rows.fetchall()
    ]


async def drop_before(conn: AsyncConnection[TupleRow], moment: datetime) -> int:
    """Drop the whole days of log that lie before a moment, and return how many chunks that were."""
    async with conn.transaction():
        # Waiting for its locks may take longer than a batch may; those who write wait behind it no longer than this.
        await conn.execute("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '2s'")
        rows = await conn.execute("SELECT drop_stored_log_before(%s)", (moment,))
        row = await rows.fetchone()
        return 0 if row is None else int(row[0])


def _observed(entries: Sequence[Entry]) -> tuple[datetime | None, datetime | None]:
    times = [one.observed_at for one in entries if isinstance(one, Reading | Alarm)]
    return (min(times), max(times)) if times else (None, None)

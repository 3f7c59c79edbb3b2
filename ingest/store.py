"""How is a batch stored: in one transaction, for lanes that are ours, or not at all?"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.wire import Stream
from ingest import devices, erasures, readings, refused, stored_log
from ingest.arrivals import AskCame, Came
from ingest.db.pool import UNREADABLE, Pool
from ingest.entry import ENTRIES_MAX, Deaf, Linked
from ingest.hearing import FORGIVEN
from ingest.intake import Change, Kept, Key, Known, Memory, Rules, StreamState, Unreadable, Unstorable, sort_out
from ingest.lanes import Lanes, NotOurs
from ingest.streams import Book, Span

log = logging.getLogger(__name__)

_LATELY: Final = timedelta(hours=1)

_MOMENT: Final = timedelta(microseconds=1)

_STREAMS: Final = """
    SELECT hub, outbox, stream, stored_through, observed_through, first_heard_at, last_heard_at
    FROM stream WHERE hub = ANY(%s) AND stream = ANY(%s)
"""
_LOST: Final = """
    SELECT hub, outbox, stream, first, last FROM lost_range
    WHERE hub = ANY(%s) AND stream = ANY(%s) AND recovered_at IS NULL ORDER BY hub, outbox, stream, first
"""
_COMPLETE: Final = "SELECT lane, complete_through FROM lane WHERE lane = ANY(%s) AND complete_through IS NOT NULL"
_BOXES: Final = "SELECT hub, outbox, heard_at FROM hub_report WHERE hub = ANY(%s)"

_KEEP_STREAMS: Final = """
    INSERT INTO stream (hub, outbox, stream, stored_through, first_heard_at, last_heard_at, observed_through)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],
                         %s::timestamptz[])
    ON CONFLICT (hub, outbox, stream) DO UPDATE SET stored_through = excluded.stored_through,
        last_heard_at = excluded.last_heard_at, observed_through = excluded.observed_through
"""
_KEEP_LOST: Final = """
    INSERT INTO lost_range (hub, outbox, stream, first, last, noticed_at)
    VALUES (%(hub)s, %(outbox)s, %(stream)s, %(first)s, %(last)s, %(at)s)
"""
# A row is lost or recovered, whole; so one of which a part came is replaced by up to three.
_KEEP_RECOVERED: Final = """
    WITH whole AS (
        DELETE FROM lost_range
        WHERE hub = %(hub)s AND outbox = %(outbox)s AND stream = %(stream)s AND recovered_at IS NULL
          AND first <= %(first)s AND last >= %(last)s
        RETURNING *
    )
    INSERT INTO lost_range (hub, outbox, stream, first, last, noticed_at, recovered_at)
    SELECT hub, outbox, stream, piece.first, piece.last, noticed_at, piece.recovered_at
    FROM whole CROSS JOIN LATERAL (VALUES
        (whole.first, %(first)s - 1, NULL::timestamptz),
        (%(first)s, %(last)s, %(at)s),
        (%(last)s + 1, whole.last, NULL)
    ) AS piece (first, last, recovered_at)
    WHERE piece.first <= piece.last
"""


class Database:
    """The database as the intake's store."""

    def __init__(
        self,
        pool: Pool,
        lanes: Lanes,
        memory: Memory,
        *,
        rules: Callable[[], Rules],
        unbroken_since: Callable[[], Mapping[int, datetime]],
        whose: Callable[[datetime], str] = lambda _since: "us",
        unread: Callable[[], Collection[int]] = frozenset,
    ) -> None:
        """Own nothing, open nothing.

        Args:
            pool: of the database.
            lanes: of this worker.
            memory: of this process.
            rules: asked for each batch, since they depend on how fast the clock runs.
            unbroken_since: asked for each batch: since when all that was said in a lane was received, and is stored or
                comes now; a lane that is missing has just begun.
            whose: whose doing it is that nothing was heard since a moment: `broker` or `us`.
            unread: asked for each batch: the lanes of which something could not be stored lately.
        """
        self._whose = whose
        self._unread = unread
        self._unbroken_since = unbroken_since
        self.deaf_until: dict[int, datetime] = {}
        self._rules = rules
        self._pool = pool
        self._lanes = lanes
        self._memory = memory

    async def keep(self, batch: Sequence[Came]) -> Kept:
        """Store a batch whole, or nothing of it.

        1. Hold the lanes: whoever does not own them writes nothing.
        2. Read what is known of the hubs, and sort the batch out by it.
        3. Admit, where we were deaf before it, that we were.
        4. Write readings, streams, lost ranges, refused, devices, and last the log.

        Raises:
            Unstorable: the database refuses something in the batch for what it is, or the batch is too long.
            Unreadable: a damaged block of the database's disk holds what is known of somebody in the batch.
            NotOurs: a lane is another worker's; try again without it.
            psycopg.Error: anything else; nothing is stored unless the connection broke during the commit, and
                then trying again stores nothing twice.
        """
        arrived_at: dict[int, datetime] = {}
        for came in batch:
            if came.topic is not None:
                at = came.delivery.arrived_at
                arrived_at[came.topic.lane] = max(arrived_at.get(came.topic.lane, at), at)
        if foreign := arrived_at.keys() - self._lanes.owned:
            raise NotOurs(frozenset(foreign))
        rules = self._rules()
        try:
            async with self._pool.connection() as conn, conn.transaction():
                received_at = await self._lanes.fence(conn, arrived_at)
                known = await _known(conn, batch, received_at)
                kept = sort_out(batch, known, self._memory, rules)
                _require_bounded(kept)
                until = {lane: at - _MOMENT for lane, at in received_at.items()}
                # Questions overtake what waits, and write nothing that would have to stand behind it.
                is_silent = not kept.entries and all(isinstance(came, AskCame) for came in batch)
                deaf = {} if is_silent else await self._write_deaf(conn, until, rules)
                await _write(conn, kept, received_at, rules)
        except (psycopg.DataError, psycopg.IntegrityError) as why:
            raise Unstorable(str(why).splitlines()[0]) from why
        except UNREADABLE as why:
            raise Unreadable(type(why).__name__) from why
        self._memory.remember(kept.told)
        self._admitted(deaf)
        return kept

    async def admit_deafness(self, lanes: Iterable[int], *, now: datetime) -> None:
        """Append to lanes that we were deaf until now.

        Raises:
            NotOurs: a lane is another worker's; nothing is written.
            psycopg.Error: nothing is written unless the connection broke during the commit, and then trying again
                writes nothing twice.
        """
        async with self._pool.connection() as conn, conn.transaction():
            received_at = await self._lanes.fence(conn, dict.fromkeys(lanes, now))
            deaf = await self._write_deaf(conn, received_at, self._rules())
        self._admitted(deaf)

    async def _write_deaf(
        self, conn: AsyncConnection[TupleRow], until: Mapping[int, datetime], rules: Rules
    ) -> dict[int, Deaf]:
        """Append `Deaf` to the lanes where that is so, and return it by lane.

        A lane of which nothing was ever complete has not been deaf.  One in which a hub's messages cannot be stored is
        so up to each of its rows, however soon they follow one another.
        """
        forgiven, unbroken = FORGIVEN + rules.stretch, self._unbroken_since()
        unread = dict.fromkeys(self._unread(), timedelta(0))
        rows = await (await conn.execute(_COMPLETE, (sorted(until),))).fetchall()
        deaf = {
            lane: Deaf(through, until[lane], self._whose(through))
            for lane, through in rows
            if until[lane] - through > unread.get(lane, forgiven) and unbroken.get(lane, until[lane]) > through
        }
        await stored_log.append(conn, {lane: [said] for lane, said in deaf.items()}, until)
        return deaf

    def _admitted(self, deaf: Mapping[int, Deaf]) -> None:
        # What is shorter than a gap let nothing wait, and is said by what could not be stored.
        gaps = {lane: said for lane, said in deaf.items() if said.until - said.since > FORGIVEN}
        if gaps:
            self.deaf_until |= {lane: said.until for lane, said in gaps.items()}
            longest = max(said.until - said.since for said in gaps.values())
            log.warning("we were deaf", extra={"lanes": len(gaps), "longest_s": longest.total_seconds()})


def _require_bounded(kept: Kept) -> None:
    """See that each lane's row of the log is one that a follower may be given.

    Raises:
        Unstorable: it is too long; a record with a base name takes 16 bytes, so a few packs may come to that.
    """
    # Each hub whose line changed takes one more.
    longest = max(map(len, kept.entries.values()), default=0) + len(kept.links)
    if longest > ENTRIES_MAX:
        raise Unstorable(f"{longest} entries are more than a row of the log holds")


async def _write(
    conn: AsyncConnection[TupleRow], kept: Kept, received_at: Mapping[int, datetime], rules: Rules
) -> None:
    await readings.write(conn, kept.rows)
    await _write_streams(conn, kept.streams)
    await _write_changes(conn, kept.changes)
    await refused.write(conn, kept.refused)
    await devices.heard(conn, list(kept.beats.values()), stretch=rules.stretch)
    entries = {lane: list(said) for lane, said in kept.entries.items()}
    for hub, home, lane, is_up in await devices.linked(conn, kept.links):
        entries.setdefault(lane, []).append(Linked(home, hub, is_up))
    await stored_log.append(conn, entries, received_at)


async def _known(conn: AsyncConnection[TupleRow], batch: Sequence[Came], received_at: Mapping[int, datetime]) -> Known:
    names = sorted({came.topic.hub for came in batch if came.topic is not None})
    hubs = await devices.hubs(conn, names)
    homes = {hub.home for hub in hubs.values() if hub.home is not None}
    boxes = await conn.execute(_BOXES, (names,))
    lately = max(came.delivery.arrived_at for came in batch) - _LATELY
    return Known(
        hubs,
        await devices.rooms(conn, homes),
        await _streams(conn, names),
        {hub: (outbox, at) for hub, outbox, at in await boxes.fetchall()},
        await refused.without_number(conn, names, lately),
        received_at,
        await erasures.of_hubs(conn, [name for name in names if name not in hubs]),
    )


async def _streams(conn: AsyncConnection[TupleRow], hubs: Sequence[str]) -> dict[Key, StreamState]:
    lost: dict[Key, list[Span]] = {}
    for hub, outbox, stream, first, last in await (await conn.execute(_LOST, (hubs, list(Stream)))).fetchall():
        lost.setdefault(Key(hub, outbox, Stream(stream)), []).append(Span(first, last))
    found = {}
    for hub, outbox, stream, through, not_before, first_at, last_at in await (
        await conn.execute(_STREAMS, (hubs, list(Stream)))
    ).fetchall():
        key = Key(hub, outbox, Stream(stream))
        found[key] = StreamState(Book(through, tuple(lost.get(key, ()))), not_before, first_at, last_at)
    return found


async def _write_streams(conn: AsyncConnection[TupleRow], streams: Mapping[Key, StreamState]) -> None:
    if not streams:
        return
    columns = zip(
        *(
            (*key, state.book.through, state.first_heard_at, state.last_heard_at, state.not_before)
            for key, state in streams.items()
        ),
        strict=True,
    )
    await conn.execute(_KEEP_STREAMS, [list(column) for column in columns])


async def _write_changes(conn: AsyncConnection[TupleRow], changes: Sequence[Change]) -> None:
    for change in changes:
        said = change.key._asdict() | {"first": change.span.first, "last": change.span.last, "at": change.at}
        await conn.execute(_KEEP_RECOVERED if change.is_recovered else _KEEP_LOST, said)

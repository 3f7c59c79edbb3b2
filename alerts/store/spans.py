"""How well could homes be seen, and when: written here, a span at a time, and never rewritten.

A home's spans tile its time, from the first on: the database refuses a hole or an overlap.  What is known only later
(that a hub had been silent since it was last heard) cuts the span that is still open, never one that has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.judging.finding import SeenLater
from alerts.judging.watched import US, Watch, Watched, watched_of

Conn = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class Change:
    """How well a home is seen, from a moment on.

    Attributes:
        home: which.
        watch: how well, and since when.
        known_at: up to where the home was judged when that was found; None: no further than to where it began.
    """

    home: str
    watch: Watch
    known_at: datetime | None = None


async def open_spans(conn: Conn, lane: int) -> dict[str, Watch]:
    """Return how well each home of a lane is seen, as it was written last."""
    rows = await conn.execute(
        "SELECT home, state, why, since FROM watch_span JOIN home USING (home) "
        "WHERE lane = %s AND until IS NULL AND erased_at IS NULL",
        (lane,),
    )
    return {home: Watch(watched_of(state), tuple(why), since) for home, state, why, since in await rows.fetchall()}


# Two changes in one moment: the later one is what was true from that moment on.
_CORRECT = """
    UPDATE watch_span SET state = %(state)s, why = %(why)s
    WHERE home = %(home)s AND until IS NULL AND since BETWEEN %(since)s AND %(known_at)s
"""
_CUT = """
    UPDATE watch_span SET until = %(since)s WHERE home = %(home)s AND until IS NULL AND since < %(since)s
    AND (state, why) IS DISTINCT FROM (%(state)s, %(why)s::text[])
"""
_GO_ON = """
    INSERT INTO watch_span (home, since, state, why, follows)
    SELECT %(home)s, %(since)s, %(state)s, %(why)s, (SELECT max(until) FROM watch_span WHERE home = %(home)s)
    WHERE NOT EXISTS (SELECT FROM watch_span WHERE home = %(home)s AND (until IS NULL OR until > %(since)s))
"""


async def write_spans(conn: Conn, changes: Sequence[Change]) -> None:
    """Write that how well homes are seen changed, in the order in which it did.

    What is already known is not written again, and nothing before the open span is: a log that is judged again
    after a crash rewrites nothing.
    """
    for change in changes:
        watch = change.watch
        # A hub that is found silent after a time in which nobody judged may have been heard last within it, before the
        # open span: that is blind from its beginning on.  Nothing else is ever found to have been so before.
        is_found_later = watch.state is Watched.BLIND and change.known_at is not None
        told = {
            "home": change.home,
            "since": watch.since,
            "known_at": change.known_at if is_found_later else watch.since,
            "state": watch.state.value,
            "why": list(watch.why),
        }
        for step in (_CORRECT, _CUT, _GO_ON):
            await conn.execute(step, told)


async def write_gap(
    conn: Conn,
    current: Mapping[str, Watch],
    since: datetime,
    until: datetime,
    *,
    late: Mapping[str, datetime] | None = None,
    is_over: bool = True,
) -> None:
    """Write that nobody judged these homes for a while: they were blind, for good, whatever arrived later.

    Args:
        conn: in a transaction.
        current: how well each home is seen at the end of the gap.
        since: the last moment before it that was judged.
        until: its end, excluded.
        late: when the hubs of homes were last heard that were overdue when it began: they may have been gone by then.
        is_over: it ends there; otherwise it lasts, and is written again when it is over.
    """
    begins = dict.fromkeys(sorted(current), since) | dict(late or {})
    rows = await conn.execute(
        "SELECT home, GREATEST(since, begins) FROM watch_span "
        "JOIN unnest(%s::text[], %s::timestamptz[]) AS gap (home, begins) USING (home) "
        "WHERE until IS NULL AND state NOT IN ('blind', 'paused') AND since < %s",
        (list(begins), list(begins.values()), until),
    )
    blind = [Change(home, Watch(Watched.BLIND, (US,), begins)) for home, begins in await rows.fetchall()]
    await write_spans(conn, blind)
    if is_over:
        await write_spans(
            conn, [Change(home, Watch(watch.state, watch.why, until)) for home, watch in sorted(current.items())]
        )


async def write_seen_later(conn: Conn, seen: SeenLater) -> None:
    """Write beside a time that was blind what arrived of it afterwards; said once."""
    await conn.execute(
        "INSERT INTO watch_seen_later (home, since, until, first_seen_at, last_seen_at, readings, known_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (home, since) DO NOTHING",
        (seen.home, seen.since, seen.until, seen.first_seen_at, seen.last_seen_at, seen.readings, seen.at),
    )

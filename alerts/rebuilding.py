"""What would homes remember if they had been judged from the beginning of the log?

Asked where a saved state does not fit this release.  A year of homes takes hours, so whoever asks is let go on with its
other work between two pages.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.judging.home import HomeState
from alerts.judging.lane import Input, LaneJudge
from alerts.lanes import Place
from alerts.order import merged
from ingest import stored_log
from ingest.entry import Batch, Deaf

Conn = AsyncConnection[TupleRow]

PAGE: Final = 200
"""Rows of the log at a time: ours; a row holds what was received in one transaction, usually a few readings."""

INPUTS_MAX: Final = 1_000


async def rebuild(
    conn: Conn, place: Place, homes: Collection[str], between: Callable[[Conn], Awaitable[None]]
) -> dict[str, HomeState]:
    """Return what homes of a lane would remember at a place if they had been judged from the beginning of the log.

    What was found on the way was found before, so it is left out; and so is a home of which nothing was ever said.

    Args:
        conn: any.
        place: how far the lane was judged.
        homes: which, together: the log is read once.
        between: called before each page.
    """
    wanted = frozenset(homes)
    inputs = [one for one in await inputs_after(conn, place.lane, 0, homes=sorted(wanted)) if one.input <= place.input]
    judge, position, received = LaneJudge({}, None), 0, None
    while position < place.position:
        await between(conn)
        rows = min(PAGE, place.position - position)
        # A newer release that was taken back judged by what it knew; this one goes on by what it knows itself.
        page = await stored_log.follow(conn, place.lane, position, received, rows, skip_newer=True)
        if not page:
            break  # The log does not reach back so far any more.
        position, received = page[-1].position, page[-1].received_at
        for step in merged([_of_homes(batch, wanted) for batch in page], inputs, known_through=None):
            _feed(judge, step)
            inputs = inputs[1:] if isinstance(step, Input) else inputs
    for one in inputs:
        judge.apply(one)
    if place.saved_through is not None:
        judge.advance(place.saved_through)
    return {home: judge.state_of(home) for home in judge.homes()}


async def inputs_after(conn: Conn, lane: int, after: int, *, homes: list[str] | None = None) -> list[Input]:
    """Return the inputs of a lane after one, in the order in which they count; of some homes all of them."""
    async with conn.cursor(row_factory=class_row(Input)) as cur:
        await cur.execute(
            "SELECT input, home, counts_from, kind, content FROM judging_input "
            "WHERE lane = %s AND input > %s AND (%s::text[] IS NULL OR home = ANY(%s)) ORDER BY input LIMIT %s",
            (lane, after, homes, homes, INPUTS_MAX if homes is None else None),
        )
        return await cur.fetchall()


def _feed(judge: LaneJudge, step: Batch | Input) -> None:
    if isinstance(step, Input):
        judge.apply(step)
    else:
        judge.take(step)


def _of_homes(batch: Batch, homes: frozenset[str]) -> Batch:
    entries = tuple(one for one in batch.entries if isinstance(one, Deaf) or one.home in homes)
    return Batch(batch.lane, batch.position, batch.received_at, entries)

"""What was received from one home, given for it and raised in it, over its last days?"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.alert import FAULTS, Question
from alerts.backtest import Raised
from alerts.judging.lane import Input
from alerts.order import merged
from alerts.thinning import thinned
from ingest import stored_log
from ingest.entry import Batch, Deaf

Conn = AsyncConnection[TupleRow]

# Rows of the log at a time, of all homes of the lane; ours: some MB, and read well within a second.
_PAGE: Final = 2_000

STEPS_MAX: Final = 2_000_000
"""Ours: 100 days of a busy home (CASAS, 8,000 readings a day) fit twice."""


class TooMuch(Exception):
    """So much was recorded of a home that it cannot be looked through; whoever asked takes fewer days."""


async def steps_of(
    conn: Conn, home: str, *, since: datetime, until: datetime, say: Callable[[float], None] = lambda _: None
) -> list[Batch | Input]:
    """Return what was received from a home since a moment, and all that was ever given for it, as it counted.

    Idle heartbeats are left out where there is one hub; they change nothing (`thinning`).

    Args:
        conn: to the database.
        home: which; known.
        since: from when on what was received is read; the log is kept for 100 days.
        until: up to when.
        say: is told now and then how much is read, from 0 to 1.

    Raises:
        TooMuch: it does not fit.
    """
    inputs = await _inputs(conn, home)
    batches: list[Batch] = []
    async for batch in _batches(conn, home, since=since, until=until):
        batches.append(batch)
        if len(batches) > STEPS_MAX:
            raise TooMuch(f"more than {STEPS_MAX} messages of {home}")
        if len(batches) % 1_000 == 0:
            say((batch.received_at - since) / (until - since))
    steps = merged(batches, [one for one in inputs if one.counts_from <= until], known_through=until)
    hubs = {one.content.get("hub") for one in inputs if one.kind == "watched"}
    return list(thinned(steps, home) if len(hubs) == 1 else steps)


async def raised_in(conn: Conn, home: str, *, since: datetime, until: datetime) -> list[Raised]:
    """Return which alerts about the resident were raised in a home between two moments, and how they ended."""
    rows = await conn.execute(
        "SELECT question, since, at, outcome FROM alert WHERE home = %s AND at >= %s AND at < %s "
        "AND question = ANY(%s) ORDER BY at",
        # What a newer release asked cannot be asked again by this one.
        (home, since, until, sorted(set(Question) - FAULTS - {Question.ALARM})),
    )
    return [Raised(Question(question), *rest) for question, *rest in await rows.fetchall()]


async def _inputs(conn: Conn, home: str) -> list[Input]:
    async with conn.cursor(row_factory=class_row(Input)) as cur:
        await cur.execute(
            "SELECT input, home, counts_from, kind, content FROM judging_input WHERE home = %s ORDER BY input", (home,)
        )
        return await cur.fetchall()


async def _batches(conn: Conn, home: str, *, since: datetime, until: datetime) -> AsyncIterator[Batch]:
    rows = await conn.execute("SELECT lane FROM home WHERE home = %s", (home,))
    row = await rows.fetchone()
    assert row is not None, "the home is known"
    lane, position, received_through = int(row[0]), 0, since
    while page := await stored_log.follow(conn, lane, position, received_through, _PAGE, skip_newer=True):
        for batch in page:
            if batch.received_at >= until:
                return
            said = tuple(one for one in batch.entries if isinstance(one, Deaf) or one.home == home)
            if said:
                yield Batch(lane, batch.position, batch.received_at, said)
        position, received_through = page[-1].position, page[-1].received_at

"""What do judging's tables hold: what homes remember, what is true of them now, and how well they could be seen?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from alerts.judging import home as homes
from alerts.judging.detectors.routine import river_version
from alerts.judging.home import HomeState, Now
from alerts.judging.watched import US, Watch, Watched

Conn = AsyncConnection[TupleRow]


async def load_states(conn: Conn, lane: int) -> tuple[dict[str, HomeState], list[str]]:
    """Return what the homes of a lane remember, and the homes whose saved state does not fit."""
    rows = await conn.execute(
        "SELECT home, state, format, river_version FROM home_judgement JOIN home USING (home) WHERE lane = %s", (lane,)
    )
    fit: dict[str, HomeState] = {}
    unfit: list[str] = []
    for home, state, saved_format, river in await rows.fetchall():
        loaded = homes.load(bytes(state), saved_format, river)
        if loaded is None:
            unfit.append(home)
        else:
            fit[home] = loaded
    return fit, unfit


async def save_states(conn: Conn, states: Sequence[HomeState], *, now: datetime) -> None:
    """Write what homes remember."""
    if not states:
        return
    await conn.execute(
        """
        INSERT INTO home_judgement (home, format, river_version, state, written_at)
        SELECT home, %s, %s, state, %s FROM unnest(%s::text[], %s::bytea[]) said (home, state)
        ON CONFLICT (home) DO UPDATE SET format = excluded.format, river_version = excluded.river_version,
            state = excluded.state, written_at = excluded.written_at
        """,
        (
            *(homes.FORMAT, river_version(), now),
            *([state.home for state in states], [homes.dump(state) for state in states]),
        ),
    )


async def write_now(conn: Conn, true: Mapping[str, Now], *, now: datetime) -> None:
    """Write what is true of homes now."""
    if not true:
        return
    async with conn.cursor() as cur:
        await cur.executemany(
            """
            INSERT INTO home_watch (home, state, why, since, promised_until, last_seen_at, last_seen_room,
                                    last_seen_sensor, up_since, next_alert_at, next_alert_why, learning, last_heard_at,
                                    written_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (home) DO UPDATE SET state = excluded.state, why = excluded.why, since = excluded.since,
                promised_until = excluded.promised_until, last_seen_at = excluded.last_seen_at,
                last_seen_room = excluded.last_seen_room, last_seen_sensor = excluded.last_seen_sensor,
                up_since = excluded.up_since, next_alert_at = excluded.next_alert_at,
                next_alert_why = excluded.next_alert_why, learning = excluded.learning,
                last_heard_at = excluded.last_heard_at, written_at = excluded.written_at
            """,
            [
                (
                    *(home, said.state.value, list(said.why), said.since, said.promised_until, said.last_seen_at),
                    *(said.last_seen_room, said.last_seen_sensor, said.up_since, said.next_alert_at),
                    *(Jsonb(dict(said.next_alert_why)), Jsonb(dict(said.learning)), said.last_heard_at, now),
                )
                for home, said in sorted(true.items())
            ],
        )


async def open_spans(conn: Conn, lane: int) -> dict[str, Watch]:
    """Return how well each home of a lane is seen, as it was written last."""
    rows = await conn.execute(
        "SELECT home, state, why, since FROM watch_span JOIN home USING (home) WHERE lane = %s AND until IS NULL",
        (lane,),
    )
    return {home: Watch(Watched(state), tuple(why), since) for home, state, why, since in await rows.fetchall()}


async def write_spans(conn: Conn, changes: Sequence[tuple[str, Watch]]) -> None:
    """Write that how well homes are seen changed, in the order in which it did.

    What is already known is not written again, and nothing before the open span is: a log that is judged again
    after a crash rewrites nothing.
    """
    for home, watch in changes:
        told = {"home": home, "since": watch.since, "state": watch.state.value, "why": list(watch.why)}
        # Two changes in one moment: the later one is what was true from that moment on.
        await conn.execute(
            "UPDATE watch_span SET state = %(state)s, why = %(why)s "
            "WHERE home = %(home)s AND until IS NULL AND since = %(since)s",
            told,
        )
        await conn.execute(
            "UPDATE watch_span SET until = %(since)s WHERE home = %(home)s AND until IS NULL AND since < %(since)s "
            "AND (state, why) IS DISTINCT FROM (%(state)s, %(why)s::text[])",
            told,
        )
        await conn.execute(
            "INSERT INTO watch_span (home, since, state, why) SELECT %(home)s, %(since)s, %(state)s, %(why)s "
            "WHERE NOT EXISTS (SELECT FROM watch_span WHERE home = %(home)s AND (until IS NULL OR until > %(since)s))",
            told,
        )


async def write_gap(conn: Conn, current: Mapping[str, Watch], since: datetime, until: datetime) -> None:
    """Write that nobody judged these homes for a while: they were blind, for good, whatever arrived later.

    Args:
        conn: in a transaction.
        current: how well each home is seen at the end of the gap.
        since: the last moment before it that was judged.
        until: its end, excluded.
    """
    names = sorted(current)
    await conn.execute(
        """
        WITH ended AS (
            UPDATE watch_span SET until = %(since)s
            WHERE home = ANY(%(homes)s) AND until IS NULL AND state <> 'blind' AND since < %(since)s RETURNING home
        )
        INSERT INTO watch_span (home, since, until, state, why)
        SELECT home, %(since)s, %(until)s, 'blind', ARRAY[%(us)s] FROM ended ON CONFLICT DO NOTHING
        """,
        {"homes": names, "since": since, "until": until, "us": US},
    )
    await write_spans(conn, [(home, Watch(current[home].state, current[home].why, until)) for home in names])

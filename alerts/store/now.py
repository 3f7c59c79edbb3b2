"""What do judging's tables hold: what homes remember, and what is true of them now?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from alerts.judging import home as homes
from alerts.judging.detectors.routine import river_version
from alerts.judging.home import HomeState, Now

Conn = AsyncConnection[TupleRow]


async def load_states(conn: Conn, lane: int) -> tuple[dict[str, HomeState], list[str]]:
    """Return what the homes of a lane remember, and the homes whose saved state does not fit."""
    rows = await conn.execute(
        "SELECT home, state, format, river_version FROM home_judgement JOIN home USING (home) "
        "WHERE lane = %s AND erased_at IS NULL",
        (lane,),
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

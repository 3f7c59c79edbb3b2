"""How is what influences judgement besides the log written down, and from which moment does it count?"""

from collections.abc import Mapping
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

Conn = AsyncConnection[TupleRow]


async def give_to_judgement(conn: Conn, home: str, kind: str, content: object, *, now: datetime) -> None:
    """Write down what is to influence the judgement of a home, and from when on; see `give_all_to_judgement`."""
    await give_all_to_judgement(conn, kind, {home: content}, now=now)


async def give_all_to_judgement(conn: Conn, kind: str, contents: Mapping[str, object], *, now: datetime) -> None:
    """Write down what is to influence the judgement of some homes, and from when on.

    It counts after everything that the lane has received or declared complete, whose row is held until the commit;
    so the judge, live or in a replay, meets it at the same place.  Within a lane these moments never go back.
    """
    async with conn.transaction():
        await conn.execute(
            """
            WITH said AS (
                SELECT * FROM unnest(%(homes)s::text[], %(contents)s::jsonb[]) AS s(home, content)
            ), held AS (
                SELECT lane, complete_through, received_through
                FROM lane WHERE lane IN (SELECT lane FROM home JOIN said USING (home)) ORDER BY lane FOR UPDATE
            )
            INSERT INTO judging_input (lane, home, counts_from, kind, content)
            SELECT held.lane, home, COALESCE(GREATEST(held.complete_through, held.received_through,
                (SELECT max(counts_from) FROM judging_input earlier WHERE earlier.lane = held.lane)), %(now)s),
                %(kind)s, said.content
            FROM held JOIN home USING (lane) JOIN said USING (home) ORDER BY held.lane, home
            """,
            {
                "homes": list(contents),
                "contents": [Jsonb(content) for content in contents.values()],
                "kind": kind,
                "now": now,
            },
        )

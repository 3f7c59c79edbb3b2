"""What could not be read or believed: kept whole, as bytes, with the reason, for an operator to look at."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.wire import PAYLOAD_BYTES_MAX

_REASON_MAX: Final = 500
_TOPIC_MAX: Final = 500

_INSERT: Final = """
    INSERT INTO refused (hub, outbox, stream, first, last, topic, payload, reason, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# The same as `digest`; a test compares them.
_DIGESTS: Final = """
    SELECT hub, array_agg(sha256(CASE WHEN feed BETWEEN 1 AND length(payload) - 1
                                      THEN substring(payload FROM feed + 1) ELSE payload END))
    FROM refused, LATERAL (SELECT position('\\x0a'::bytea IN payload)) AS header (feed)
    WHERE hub = ANY(%s) AND received_at >= %s AND first IS NULL GROUP BY hub
"""
_LATELY: Final = """
    SELECT hub, outbox, stream, first, last, topic, payload, reason, received_at
    FROM refused WHERE received_at >= %s AND (%s::text IS NULL OR hub = %s)
    ORDER BY received_at DESC, refused DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message, or the numbers of one, that was not stored as readings.

    Attributes:
        hub: whose topic it came on; None where even that cannot be read.
        outbox: None, like the three that follow, where the header could not be read.
        stream: `readings` or `alarms`.
        first: the numbers that it stood for, which count as stored.
        last: included.
        topic: as it came.
        payload: as it came, cut at `PAYLOAD_BYTES_MAX`.
        reason: why, for an operator.
        received_at: by the ingest clock.
    """

    hub: str | None
    outbox: str | None
    stream: str | None
    first: int | None
    last: int | None
    topic: str
    payload: bytes
    reason: str
    received_at: datetime


def digest(payload: bytes) -> bytes:
    """Return the sha256 by which a message without numbers is known when it is sent again.

    Of its body, since a header says when it was sent, each time anew; of all of it where it has no body.
    """
    kept = payload[:PAYLOAD_BYTES_MAX]
    return hashlib.sha256(kept.partition(b"\n")[2] or kept).digest()


async def write(conn: AsyncConnection[TupleRow], refused: Sequence[Refused]) -> None:
    """Keep what was refused."""
    if not refused:
        return
    async with conn.cursor() as cursor:
        await cursor.executemany(
            _INSERT,
            [
                (
                    *(one.hub, one.outbox, one.stream, one.first, one.last),
                    plain(one.topic, _TOPIC_MAX),
                    one.payload[:PAYLOAD_BYTES_MAX],
                    plain(one.reason, _REASON_MAX),
                    one.received_at,
                )
                for one in refused
            ],
        )


async def without_number(
    conn: AsyncConnection[TupleRow], hubs: Iterable[str], since: datetime
) -> dict[str, frozenset[bytes]]:
    """Return the `digest` of each message without numbers that was kept since a moment, by hub."""
    rows = await conn.execute(_DIGESTS, (list(hubs), since))
    return {hub: frozenset(map(bytes, kept)) for hub, kept in await rows.fetchall()}


async def lately(
    conn: AsyncConnection[TupleRow], since: datetime, *, hub: str | None = None, limit: int = 100
) -> list[Refused]:
    """Return what was refused since a moment, newest first, of one hub or of all."""
    rows = await conn.execute(_LATELY, (since, hub, hub, limit))
    return [Refused(*row) for row in await rows.fetchall()]


def plain(text: str, length: int) -> str:
    """Return a text that every database and terminal takes: printable ASCII, the rest escaped, cut to a length."""
    escaped = text.encode("ascii", "backslashreplace").decode()
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in escaped)[:length]

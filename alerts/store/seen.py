"""For how much of their time could homes be seen?  Reads only; the worst first.

Minutes are counted as `judging.minutes` counts them; a test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.judging.finding import SeenLater
from alerts.store.fleet import PAGE_MAX, SEEN, given

Conn = AsyncConnection[TupleRow]

_MOMENT: Final = timedelta(microseconds=1)
# Ours: gaps of a month that may be explained; one that flickers more often is listed by its newest.
_LATER_MAX: Final = 200

# Every blind time within the window, widened to whole minutes and laid together, so that no minute counts twice; what
# a lapsed lease makes blind is one of them.
_MINUTES: Final = """
    , edge AS (
        SELECT date_trunc('minute', %(from)s::timestamptz + interval '1 minute' - %(moment)s) AS begins,
               date_trunc('minute', %(now)s::timestamptz) AS ends
    ), first AS (
        SELECT home, GREATEST(begins, date_trunc('minute', since + interval '1 minute' - %(moment)s)) AS begins
        FROM edge, watch_span WHERE follows IS NULL AND since < %(now)s
    ), blind AS (
        SELECT home, since, LEAST(until, %(now)s) AS until, state, why FROM watch_span
        WHERE state IN ('blind', 'paused') AND since < %(now)s AND (until > %(from)s OR until IS NULL)
        UNION ALL
        SELECT seen.home, GREATEST(seen_since, open.since), %(now)s, 'blind', ARRAY[cause]
        FROM seen JOIN watch_span open ON open.home = seen.home AND open.until IS NULL AND open.state <> 'blind'
        WHERE kind = 'blind' AND seen.state NOT IN ('blind', 'paused') AND is_judged AND seen_since < %(now)s
    ), whole AS (
        SELECT home, state, since, until, why, tstzrange(date_trunc('minute', since),
            date_trunc('minute', COALESCE(until, %(now)s) + interval '1 minute' - %(moment)s)) AS minutes FROM blind
    ), laid AS (
        SELECT home, range_agg(minutes) FILTER (WHERE state = 'blind') AS blind,
               range_agg(minutes) AS either FROM whole GROUP BY home
    ), cut AS (
        SELECT first.home, part.time, laid.blind * part.time AS blind, laid.either * part.time AS either
        FROM edge, first LEFT JOIN laid USING (home), LATERAL (
            SELECT tstzmultirange(tstzrange(first.begins, GREATEST(edge.ends, first.begins))) AS time) part
    ), counted AS (
        SELECT home, minutes[1] AS minutes, minutes[2] AS blind, minutes[3] AS not_seen
        FROM cut, LATERAL (SELECT ARRAY(
            SELECT (SELECT COALESCE(EXTRACT(epoch FROM sum(upper(one) - lower(one))) / 60, 0)::int
                    FROM unnest(laid) one)
            FROM unnest(ARRAY[cut.time, cut.blind, cut.either]) WITH ORDINALITY AS each (laid, place) ORDER BY place
        ) AS minutes) summed
    )
"""
# The last gap is looked up of the homes of one page alone: of all of them it takes seconds where thousands are watched.
_LEAST: Final = (
    SEEN  # noqa: S608 - constants
    + _MINUTES
    + """
    , least AS (
        SELECT home, minutes - (not_seen - blind) AS to_watch_min, blind AS blind_min,
               blind::float / (minutes - (not_seen - blind)) AS share
        FROM counted
        WHERE minutes > not_seen - blind AND (%(homes)s::text[] IS NULL OR home = ANY(%(homes)s))
        ORDER BY share DESC, home LIMIT %(most)s OFFSET %(behind)s
    )
    SELECT home, to_watch_min, blind_min, gap.since AS gap_since, NULLIF(gap.until, %(now)s) AS gap_until,
           gap.why[1] AS gap_cause
    FROM least LEFT JOIN LATERAL (
        SELECT since, until, why FROM blind WHERE blind.home = least.home AND state = 'blind'
        ORDER BY since DESC LIMIT 1) gap ON true
    ORDER BY share DESC, home
    """
)
_ALL: Final = (
    SEEN  # noqa: S608 - constants
    + _MINUTES
    + """
    SELECT COALESCE(sum(minutes - (not_seen - blind)), 0)::bigint, COALESCE(sum(blind), 0)::bigint FROM counted
    """
)


@dataclass(frozen=True, slots=True)
class SeenFor:
    """For how many minutes a home was to be watched, and could not be seen.

    Attributes:
        to_watch_min: without what was paused; above 0.
        blind_min: of these.
        gap_since: when the newest blindness began; None: there was none.
        gap_until: excluded; None: it goes on, or there was none.
        gap_cause: its first reason.
    """

    home: str
    to_watch_min: int
    blind_min: int
    gap_since: datetime | None
    gap_until: datetime | None
    gap_cause: str | None

    @property
    def share(self) -> float:
        """Of the minutes to be watched, those in which it could be seen."""
        return 1 - self.blind_min / self.to_watch_min


async def least_seen(
    conn: Conn,
    since: datetime,
    *,
    now: datetime,
    stretch: timedelta,
    homes: Sequence[str] | None = None,
    most: int = PAGE_MAX,
    behind: int = 0,
) -> list[SeenFor]:
    """Return for how much of their time homes could be seen, the least seen first.

    Args:
        conn: to the database.
        since: what was before does not count.
        now: what comes later does not, and the leases are held against it.
        stretch: how much the clock stretches promises while time is sped up.
        homes: of these only; None: of all.
        most: of them, at most PAGE_MAX.
        behind: how many to pass over.
    """
    asked = _given(since, now, stretch, homes) | {"most": min(most, PAGE_MAX), "behind": behind}
    async with conn.cursor(row_factory=class_row(SeenFor)) as cur:
        await cur.execute(_LEAST, asked)
        return await cur.fetchall()


async def minutes_of_all(conn: Conn, since: datetime, *, now: datetime, stretch: timedelta) -> tuple[int, int]:
    """Return for how many minutes all homes together were to be watched since then, and could not be seen."""
    row = await (await conn.execute(_ALL, _given(since, now, stretch, None))).fetchone()
    assert row is not None, "sums have a row"
    return int(row[0]), int(row[1])


async def seen_later(conn: Conn, home: str, since: datetime, until: datetime) -> list[SeenLater]:
    """Return what arrived afterwards of blind times that touch a time, in order; of more than 200 the newest."""
    rows = await conn.execute(
        "SELECT home, since, until, first_seen_at, last_seen_at, readings, known_at FROM watch_seen_later "
        "WHERE home = %s AND since < %s AND until > %s ORDER BY since DESC LIMIT %s",
        (home, until, since, _LATER_MAX),
    )
    return [SeenLater(*row) for row in reversed(await rows.fetchall())]


def _given(since: datetime, now: datetime, stretch: timedelta, homes: Sequence[str] | None) -> dict[str, Any]:
    return given(now, stretch, homes) | {"from": since, "moment": _MOMENT}

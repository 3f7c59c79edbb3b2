"""How are all homes seen now, or some, and which alerts are open in them?  Counted and cut into pages by the database.

The lease is held against the clock in SQL here, so that thousands of homes are counted without being fetched.  It is
the rule of `api.views.state.truth`, by which each home that is shown is judged once more; a test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.judging.watched import HUB, LINE, NEVER_HEARD, US, watched_of
from alerts.store.facts import Alert, HomeWatch, Resident
from alerts.store.shown import ALERT, GRACE, alert_of

Conn = AsyncConnection[TupleRow]
Kind = Literal["blind", "degraded", "learning", "watched", "paused"]

PAGE_MAX: Final = 200
"""Homes or alerts that one question may bring back; ours."""

# Homes that stopped being seen for one reason, each within this of the one before, are told as one.  Ours: hubs on
# one broken line miss their heartbeats within a minute of each other, and judging adds some seconds.
_TOGETHER: Final = timedelta(minutes=5)
# Ours: more causes than these at once are a page of their own.
_GROUPS_MAX: Final = 50

# How each home is seen now, with its lease held against the clock.
# The district is the first half of a British postcode; the second half would name a street.
SEEN: Final = r"""
    WITH told AS (
        SELECT h.home, w.state, w.why, w.since, w.last_seen_at, w.last_seen_room, w.last_seen_sensor, w.up_since,
               w.next_alert_at, w.next_alert_why, w.learning, w.last_heard_at, j.judged_through,
               w.home IS NOT NULL AND j.judged_through IS NOT NULL AS is_judged,
               CASE WHEN w.promised_until IS NULL OR l.complete_through IS NULL THEN w.since
                    ELSE LEAST(w.promised_until, l.complete_through + %(grace)s, j.judged_through + %(grace)s) END
                   AS fine_until,
               j.judged_through + %(grace)s <= %(now)s AS is_us,
               r.first_name, r.full_name, r.phone, r.address, r.know,
               substring(upper(r.address) FROM '\m([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}\M') AS district
        FROM home h LEFT JOIN home_watch w USING (home) LEFT JOIN lane l USING (lane)
             LEFT JOIN judging_lane j USING (lane) LEFT JOIN resident r USING (home)
        WHERE h.erased_at IS NULL AND (%(homes)s::text[] IS NULL OR h.home = ANY(%(homes)s))
    ), seen AS (
        SELECT told.*,
               CASE WHEN is_judged AND state = 'paused' THEN 'paused'
                    WHEN NOT is_judged OR state NOT IN ('watched', 'degraded') OR fine_until <= %(now)s THEN 'blind'
                    WHEN state = 'watched' AND (learning->'days')::numeric < (learning->'of')::numeric THEN 'learning'
                    ELSE state END AS kind,
               CASE WHEN NOT is_judged THEN %(never_heard)s
                    WHEN state NOT IN ('blind', 'paused') AND fine_until <= %(now)s
                         THEN CASE WHEN is_us THEN %(us)s ELSE %(hub)s END
                    WHEN cardinality(why) = 0 AND is_us THEN %(us)s ELSE why[1] END AS cause,
               CASE WHEN NOT is_judged THEN NULL WHEN state IN ('blind', 'paused') OR fine_until > %(now)s THEN since
                    ELSE LEAST(CASE WHEN is_us THEN judged_through ELSE last_heard_at END, fine_until) END AS seen_since
        FROM told
    )
"""
_COUNT: Final = SEEN + "SELECT kind, count(*) FROM seen GROUP BY kind"  # noqa: S608 - constants
_LIST: Final = (
    SEEN  # noqa: S608 - constants
    + """
    SELECT home, first_name, full_name, phone, address, know, district, is_judged, state, why, since, fine_until,
           last_seen_at, last_seen_room, last_seen_sensor, up_since, next_alert_at, next_alert_why, learning,
           last_heard_at, judged_through
    FROM seen
    WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(like)s::text IS NULL OR home ILIKE %(like)s OR full_name ILIKE %(like)s OR address ILIKE %(like)s
           OR replace(address, ' ', '') ILIKE replace(%(like)s, ' ', ''))
    ORDER BY array_position(ARRAY['blind', 'degraded', 'learning', 'watched', 'paused'], kind), seen_since NULLS FIRST,
             home
    LIMIT %(most)s OFFSET %(behind)s
    """
)
_TOGETHER_BLIND: Final = (
    SEEN  # noqa: S608 - constants
    + """
    , cut AS (
        SELECT seen.home, district, seen_since, CASE WHEN cause = %(hub)s AND line.is_down THEN %(line)s
                                                     ELSE cause END AS cause
        FROM seen LEFT JOIN LATERAL (
            SELECT bool_and(hub_report.link_up IS FALSE) AS is_down FROM hub JOIN hub_report USING (hub)
            WHERE hub.home = seen.home AND hub.revoked_at IS NULL) line ON true
        WHERE kind = 'blind'
    ), marked AS (
        SELECT cut.*, COALESCE(seen_since - lag(seen_since) OVER spoken > %(together)s, false)::int AS is_new
        FROM cut WINDOW spoken AS (PARTITION BY cause ORDER BY seen_since NULLS FIRST, home)
    ), grouped AS (
        SELECT marked.*, sum(is_new) OVER (PARTITION BY cause ORDER BY seen_since NULLS FIRST, home) AS number
        FROM marked
    )
    SELECT cause, count(*), min(seen_since), max(seen_since), (array_agg(home ORDER BY home))[1:3],
           (array_agg(DISTINCT COALESCE(district, '')))[1:3]
    FROM grouped GROUP BY cause, number ORDER BY count(*) DESC, min(seen_since) NULLS FIRST LIMIT %(most)s
    """
)
_HOURS: Final = (
    SEEN  # noqa: S608 - constants
    + """
    , begun AS (
        SELECT home, GREATEST(first.since, %(from)s) AS since
        FROM home, LATERAL (SELECT since FROM watch_span WHERE watch_span.home = home.home ORDER BY since LIMIT 1) first
        WHERE home.erased_at IS NULL
    ), gap AS (
        SELECT LEAST(COALESCE(until, %(now)s), %(now)s) - GREATEST(since, %(from)s) AS lasts, why[1] = %(us)s AS is_ours
        FROM watch_span JOIN home USING (home) WHERE state = 'blind' AND since < %(now)s
            AND (until > %(from)s OR until IS NULL) AND erased_at IS NULL
        UNION ALL
        SELECT %(now)s - GREATEST(seen_since, %(from)s), cause = %(us)s
        FROM seen WHERE kind = 'blind' AND state <> 'blind' AND is_judged AND seen_since < %(now)s
    )
    SELECT COALESCE((SELECT sum(%(now)s - since) FROM begun WHERE since < %(now)s), interval '0'),
           COALESCE((SELECT sum(lasts) FROM gap), interval '0'),
           COALESCE((SELECT sum(lasts) FROM gap WHERE is_ours), interval '0')
    """
)
# Nobody left to tell comes before nobody yet, and that before somebody's; then the one that waits longest.
_OPEN: Final = (
    ALERT
    + """
    WHERE a.state <> 'closed' AND a.part_of IS NULL AND a.home IS NOT NULL AND a.is_fault = %(is_fault)s
    ORDER BY a.state <> 'open', a.nobody_left_at IS NULL, a.at, a.alert LIMIT %(most)s OFFSET %(behind)s
    """
)
_COUNT_OPEN: Final = """
    SELECT count(*) FILTER (WHERE NOT is_fault), count(*) FILTER (WHERE NOT is_fault AND state = 'open'),
           count(*) FILTER (WHERE NOT is_fault AND state = 'open' AND nobody_left_at IS NOT NULL),
           count(*) FILTER (WHERE is_fault), count(*) FILTER (WHERE is_fault AND state = 'open')
    FROM alert WHERE state <> 'closed' AND part_of IS NULL AND home IS NOT NULL
    AND (%(homes)s::text[] IS NULL OR home = ANY(%(homes)s))
"""
_TEXTS: Final = """
    SELECT alert, count(*) FILTER (WHERE state IN ('failed', 'undelivered')) AS failed,
           count(*) FILTER (WHERE state = 'delivered') AS delivered,
           count(*) FILTER (WHERE state IN ('due', 'trying', 'sent')) AS under_way
    FROM notification WHERE alert = ANY(%s) AND purpose IN ('alert', 'again', 'help') AND state <> 'not needed'
    GROUP BY alert
"""


@dataclass(frozen=True, slots=True)
class HomeSeen:
    """A home, who lives there, and what is written of it.

    Attributes:
        resident: None where nobody wrote that down.
        district: the first half of the address's postcode; None where there is none.
        watch: None where nothing was ever judged.
    """

    home: str
    resident: Resident | None
    district: str | None
    watch: HomeWatch | None


@dataclass(frozen=True, slots=True)
class BlindTogether:
    """Homes that cannot be seen for one reason, each since within five minutes of the one before.

    Attributes:
        cause: a reason of `judging.watched`, or LINE.
        since: the first; None: never seen.
        last_since: the last.
        some: up to three of them.
        districts: up to three, empty for an address without one.
    """

    cause: str
    homes: int
    since: datetime | None
    last_since: datetime | None
    some: tuple[str, ...]
    districts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many alerts are open.

    Attributes:
        alerts: about residents.
        unanswered: of these, those that nobody has said "mine" to.
        nobody_left: of these, those where there is nobody left to tell.
        faults: of equipment.
        faults_unanswered: of these, those that nobody has taken.
    """

    alerts: int
    unanswered: int
    nobody_left: int
    faults: int
    faults_unanswered: int


@dataclass(frozen=True, slots=True)
class Hours:
    """How much time homes were to be watched, how much of it they could not be seen, and how much of that was us."""

    to_be_watched: timedelta
    blind: timedelta
    ours: timedelta


@dataclass(frozen=True, slots=True)
class Texts:
    """What became of the texts that asked somebody to look at an alert."""

    alert: int
    failed: int
    delivered: int
    under_way: int


async def count_homes(conn: Conn, *, now: datetime, stretch: timedelta) -> dict[Kind, int]:
    """Return how many homes are seen how, all kinds named.

    Args:
        conn: to the database.
        now: that the leases are held against.
        stretch: how much the clock stretches promises while time is sped up.
    """
    counts: dict[Kind, int] = {"blind": 0, "degraded": 0, "learning": 0, "watched": 0, "paused": 0}
    rows = await conn.execute(_COUNT, given(now, stretch, None))
    return counts | dict(await rows.fetchall())


async def list_homes(
    conn: Conn,
    *,
    now: datetime,
    stretch: timedelta,
    homes: Sequence[str] | None = None,
    kind: Kind | None = None,
    search: str = "",
    most: int = PAGE_MAX,
    behind: int = 0,
) -> list[HomeSeen]:
    """Return homes, those that cannot be seen first, and of these the one that is longest without sight.

    Args:
        conn: to the database.
        now: that the leases are held against.
        stretch: how much the clock stretches promises while time is sped up.
        homes: of these only; None: of all.
        kind: seen so only; None: however they are.
        search: part of the home's key, the resident's name or the address; empty: all.
        most: of them, at most PAGE_MAX.
        behind: how many to pass over.
    """
    asked = given(now, stretch, homes) | {
        "kind": kind,
        "like": f"%{_literally(search)}%" if search else None,
        "most": min(most, PAGE_MAX),
        "behind": behind,
    }
    rows = await conn.execute(_LIST, asked)
    return [_home_seen(*row) for row in await rows.fetchall()]


async def blind_together(conn: Conn, *, now: datetime, stretch: timedelta) -> list[BlindTogether]:
    """Return the homes that cannot be seen, by cause and by when it began; the most first, at most 50 groups."""
    asked = given(now, stretch, None) | {"line": LINE, "together": _TOGETHER, "most": _GROUPS_MAX}
    rows = await conn.execute(_TOGETHER_BLIND, asked)
    return [
        BlindTogether(cause, homes, since, last, tuple(some), tuple(districts))
        for cause, homes, since, last, some, districts in await rows.fetchall()
    ]


async def hours_seen(conn: Conn, since: datetime, *, now: datetime, stretch: timedelta) -> Hours:
    """Return for how long all homes together were to be watched since then, and could not be seen."""
    rows = await conn.execute(_HOURS, given(now, stretch, None) | {"from": since})
    row = await rows.fetchone()
    assert row is not None, "sums have a row"
    return Hours(*row)


async def count_open(conn: Conn, homes: Sequence[str] | None = None) -> OpenCounts:
    """Return how many alerts are open in these homes; None: in all."""
    row = await (await conn.execute(_COUNT_OPEN, {"homes": None if homes is None else list(homes)})).fetchone()
    assert row is not None, "counts have a row"
    return OpenCounts(*row)


async def open_everywhere(conn: Conn, *, is_fault: bool, most: int = PAGE_MAX, behind: int = 0) -> list[Alert]:
    """Return open alerts of all homes, those that nobody comes to first, then the one that waits longest."""
    rows = await conn.execute(_OPEN, {"is_fault": is_fault, "most": min(most, PAGE_MAX), "behind": behind})
    return [alert_of(row) for row in await rows.fetchall()]


async def texts_of(conn: Conn, alerts: Sequence[int]) -> dict[int, Texts]:
    """Return what became of the texts that asked somebody to look, by alert; one without any is left out."""
    async with conn.cursor(row_factory=class_row(Texts)) as cur:
        await cur.execute(_TEXTS, (list(alerts),))
        return {one.alert: one for one in await cur.fetchall()}


def given(now: datetime, stretch: timedelta, homes: Sequence[str] | None) -> dict[str, Any]:
    """Return what `SEEN` asks for."""
    named = None if homes is None else list(homes)
    return {
        "now": now,
        "grace": GRACE + stretch,
        "homes": named,
        "never_heard": NEVER_HEARD,
        "hub": HUB,
        "us": US,
    }


def _literally(search: str) -> str:
    """Return words for LIKE in which nothing stands for anything else."""
    return search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _home_seen(
    home: str,
    first_name: str | None,
    full_name: str | None,
    phone: str | None,
    address: str | None,
    know: str | None,
    district: str | None,
    is_judged: bool,  # noqa: FBT001 - a column
    *watch: Any,  # noqa: ANN401 - the columns of a watch
) -> HomeSeen:
    resident = Resident(home, first_name, full_name, phone, address, know) if first_name and full_name else None
    if not is_judged:
        return HomeSeen(home, resident, district, None)
    state, why, *rest = watch
    return HomeSeen(home, resident, district, HomeWatch(home, watched_of(state), tuple(why), *rest))

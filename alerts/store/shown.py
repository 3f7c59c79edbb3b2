"""What do pages show of alerts, homes and people?  Reads only; each answer is bounded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.alert import State, outcome_of, question_of, state_of
from alerts.judging.watched import watched_of
from alerts.store import rotas
from alerts.store.facts import Alert, Contact, HomeWatch, Resident, Span, StoryStep
from alerts.telling import rota

Conn = AsyncConnection[TupleRow]

GRACE: Final = timedelta(seconds=30)
"""How far a lane or its judge may lag behind the clock before *fine* lapses: a pause of a second is no blindness.

Ours: a restart of either takes about 5 s on two shared cores (2026-11).
"""

# Ours: a carer with more open alerts than these needs another page than a list.
_ALERTS_MAX: Final = 200
_STORY_MAX: Final = 500
# Ours: a home that changes its state every ten minutes for a month.
_SPANS_MAX: Final = 4_500

ALERT: Final = """
    SELECT a.alert, a.home, a.hub, a.question, a.is_fault, a.for_operator, a.since, a.at, a.raised_at, a.why,
           a.state, a.outcome, a.closed_at, a.closed_by, closer.full_name, a.closing_word, a.cause_ended_at,
           a.nobody_left_at, held.person, holder.full_name, held.at,
           (SELECT min(due_at) FROM notification again WHERE again.alert = a.alert AND again.person = held.person
            AND again.purpose = 'again' AND again.state <> 'not needed' AND again.due_at >= held.at),
           a.next_telling_at
    FROM alert a
    LEFT JOIN acknowledgement held ON held.alert = a.alert AND held.let_go_at IS NULL
    LEFT JOIN person holder ON holder.person = held.person
    LEFT JOIN person closer ON closer.person = a.closed_by
"""


async def open_alerts(conn: Conn, homes: Sequence[str]) -> list[Alert]:
    """Return the alerts of these homes that are not closed, newest first; at most 200."""
    rows = await conn.execute(
        ALERT + "WHERE a.home = ANY(%s) AND a.state <> 'closed' AND a.part_of IS NULL "
        "ORDER BY a.raised_at DESC, a.alert DESC LIMIT %s",
        (list(homes), _ALERTS_MAX),
    )
    return [alert_of(row) for row in await rows.fetchall()]


async def homeless_alerts(conn: Conn) -> list[Alert]:
    """Return the alerts of hubs without a home that are not closed, newest first; at most 200.  For operators."""
    rows = await conn.execute(
        ALERT + "WHERE a.home IS NULL AND a.state <> 'closed' AND a.part_of IS NULL "
        "ORDER BY a.raised_at DESC, a.alert DESC LIMIT %s",
        (_ALERTS_MAX,),
    )
    return [alert_of(row) for row in await rows.fetchall()]


async def recent_alerts(
    conn: Conn, home: str, since: datetime, *, most: int = _ALERTS_MAX, behind: int = 0
) -> list[Alert]:
    """Return the alerts of a home that were raised since then, newest first; at most 200.

    Args:
        conn: to the database.
        home: which.
        since: the earliest that is wanted.
        most: of them.
        behind: how many to pass over.
    """
    rows = await conn.execute(
        ALERT + "WHERE a.home = %s AND a.raised_at >= %s AND a.part_of IS NULL "
        "ORDER BY a.raised_at DESC, a.alert DESC LIMIT %s OFFSET %s",
        (home, since, min(most, _ALERTS_MAX), behind),
    )
    return [alert_of(row) for row in await rows.fetchall()]


async def alerts_before(
    conn: Conn,
    homes: Sequence[str],
    before: int | None,
    *,
    states: Sequence[State],
    since: datetime | None = None,
    limit: int,
) -> list[Alert]:
    """Return a page of these homes' alerts, the highest number first.

    Args:
        conn: to the database.
        homes: whose.
        before: only those with a lower number; None: from the newest.
        states: only those in one of these.
        since: only those raised since then.
        limit: how many at most.
    """
    rows = await conn.execute(
        ALERT + "WHERE a.home = ANY(%(homes)s) AND a.part_of IS NULL AND a.state = ANY(%(states)s) "
        "AND (%(before)s::bigint IS NULL OR a.alert < %(before)s) "
        "AND (%(since)s::timestamptz IS NULL OR a.raised_at >= %(since)s) ORDER BY a.alert DESC LIMIT %(limit)s",
        {
            "homes": list(homes),
            "states": [state.value for state in states],
            "before": before,
            "since": since,
            "limit": min(limit, _ALERTS_MAX + 1),
        },
    )
    return [alert_of(row) for row in await rows.fetchall()]


async def find_alert(conn: Conn, alert: int) -> Alert | None:
    """Return an alert, or None if there is none of that number.  One that joined another is that other."""
    rows = await conn.execute(
        ALERT + "WHERE a.alert = (SELECT COALESCE(b.part_of, b.alert) FROM alert b WHERE b.alert = %s)",  # noqa: S608 - constants
        (alert,),
    )
    row = await rows.fetchone()
    return None if row is None else alert_of(row)


def alert_of(row: tuple[Any, ...]) -> Alert:
    """Return the alert in a row of `ALERT`, its words turned into what they mean."""
    cells = list(row)
    cells[3], cells[10] = question_of(cells[3]), state_of(cells[10])
    cells[11] = None if cells[11] is None else outcome_of(cells[11])
    return Alert(*cells)


# `seen` is the last sign of life that a stillness counts from.  Presses stand where they were made, so that a
# late one is seen to be late.  In one moment what happened comes before the texts that followed from it.  That a box
# is silent with many others is told in the story of its silence, and in that of nobody having seen the home meanwhile.
_STORY: Final = """
    WITH whole AS (SELECT * FROM alert WHERE alert = %(alert)s OR part_of = %(alert)s),
    text AS (SELECT * FROM notification WHERE alert = %(alert)s),
    held AS (SELECT * FROM acknowledgement WHERE alert = %(alert)s),
    step AS (
        SELECT since AS at, 0 AS place, 0::bigint AS number, 'seen' AS kind, NULL::text AS person,
               COALESCE(why->>'last_seen_room', '') AS detail
        FROM whole WHERE question IN ('still', 'still_unusual') AND part_of IS NULL
        UNION ALL
        SELECT observed_at, 1, 0, 'pressed', NULL, concat_ws(', ', quantity, room, unreadable, 'reached us ' || CASE
            WHEN received_at - observed_at >= interval '1 minute'
            THEN to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END)
        FROM alarm WHERE alert = %(alert)s
        UNION ALL SELECT raised_at, 2, alert, 'raised', NULL, question FROM whole
        UNION ALL
        SELECT min(mine.joined_at), 3, 0, 'outage', NULL, count(DISTINCT every.home) || ' ' || outage.area
        FROM whole JOIN outage_home mine ON mine.alert = whole.alert OR (whole.question = 'unseen'
            AND mine.home = whole.home AND mine.since < COALESCE(whole.cause_ended_at, 'infinity')
            AND COALESCE(mine.back_at, 'infinity') > whole.since)
        JOIN outage USING (outage) JOIN outage_home every USING (outage) GROUP BY outage.outage, outage.area
        UNION ALL SELECT cause_ended_at, 3, alert, 'seen again', NULL, question FROM whole
        UNION ALL SELECT at, 4, acknowledgement, 'mine', person, how FROM held
        UNION ALL SELECT let_go_at, 5, acknowledgement, 'let go', person, COALESCE(let_go_why, '') FROM held
        WHERE let_go_why IS DISTINCT FROM 'said again'
        UNION ALL
        SELECT closed_at, 6, 0, 'closed', closed_by, concat_ws(', ', outcome, NULLIF(closing_word, ''))
        FROM whole WHERE part_of IS NULL
        UNION ALL
        SELECT due_at, 7, notification, 'text due', person, concat_ws(', ', purpose, why)
        FROM text WHERE state <> 'not needed'
        UNION ALL SELECT sent_at, 7, notification, 'text sent', person, purpose FROM text
        UNION ALL SELECT delivered_at, 7, notification, 'text delivered', person, purpose FROM text
        UNION ALL SELECT failed_at, 7, notification, 'text failed', person, concat_ws(', ', purpose, error) FROM text
    )
    SELECT step.at, step.kind, person.full_name, step.detail
    FROM step LEFT JOIN person USING (person) WHERE step.at IS NOT NULL
    ORDER BY step.at, step.place, step.number, array_position(
        ARRAY['text due', 'text sent', 'text delivered', 'text failed'], step.kind) LIMIT %(most)s
"""


async def story(conn: Conn, alert: int) -> list[StoryStep]:
    """Return what happened around an alert in the order of time, failures where they happened; at most 500 steps."""
    rows = await conn.execute(_STORY, {"alert": alert, "most": _STORY_MAX})
    return [StoryStep(*row) for row in await rows.fetchall()]


async def telling_of(conn: Conn, home: str, *, at: datetime | None = None) -> list[Contact]:
    """Return who is told about a home at a moment, the first first and the operator last; each once.

    Without a moment: those who are told at any hour, whatever the shifts say.
    """
    since = at or datetime.max.replace(tzinfo=UTC)
    planned = await rotas.rota_of(conn, home, since=since)
    persons = rota.on_duty(planned, now=at) if at is not None else planned.always
    told = list(dict.fromkeys([*persons, *([planned.operator] if planned.operator else [])]))
    async with conn.cursor(row_factory=class_row(Contact)) as cur:
        await cur.execute(
            "SELECT person, full_name, what, phone FROM person WHERE person = ANY(%(told)s) "
            "ORDER BY array_position(%(told)s::text[], person)",
            {"told": told},
        )
        return await cur.fetchall()


async def resident_of(conn: Conn, home: str) -> Resident | None:
    """Return who lives in a home, or None if nobody wrote that down."""
    async with conn.cursor(row_factory=class_row(Resident)) as cur:
        await cur.execute(
            "SELECT home, first_name, full_name, phone, address, know FROM resident WHERE home = %s", (home,)
        )
        return await cur.fetchone()


async def residents_of(conn: Conn, homes: Sequence[str]) -> dict[str, Resident]:
    """Return who lives in some homes, by home; one that nobody wrote down is left out."""
    async with conn.cursor(row_factory=class_row(Resident)) as cur:
        await cur.execute(
            "SELECT home, first_name, full_name, phone, address, know FROM resident WHERE home = ANY(%s)",
            (list(homes),),
        )
        return {one.home: one for one in await cur.fetchall()}


_WATCH: Final = """
    SELECT w.home, w.state, w.why, w.since, LEAST(w.promised_until, l.complete_through + %(grace)s,
           j.judged_through + %(grace)s), w.promised_until IS NULL OR l.complete_through IS NULL,
           w.last_seen_at, w.last_seen_room, w.last_seen_sensor, w.up_since, w.next_alert_at, w.next_alert_why,
           w.learning, w.last_heard_at, j.judged_through
    FROM home_watch w JOIN home h USING (home) JOIN lane l USING (lane) JOIN judging_lane j USING (lane)
    WHERE w.home = ANY(%(homes)s) AND j.judged_through IS NOT NULL
"""


async def watch_of(conn: Conn, home: str, *, stretch: timedelta) -> HomeWatch | None:
    """Return what is true of a home now and until when that may be believed; None while nothing was ever judged.

    Args:
        conn: to the database.
        home: which.
        stretch: how much the clock stretches promises while time is sped up.
    """
    return (await watches_of(conn, [home], stretch=stretch)).get(home)


async def watches_of(conn: Conn, homes: Sequence[str], *, stretch: timedelta) -> dict[str, HomeWatch]:
    """Return the same for many homes, in one question; a home of which nothing was ever judged is left out."""
    rows = await conn.execute(_WATCH, {"homes": list(homes), "grace": GRACE + stretch})
    found = {}
    for name, state, why, since, lapses_at, is_unpromised, *rest in await rows.fetchall():
        # LEAST leaves nulls out, so a promise that nobody gave must not count as one that holds.
        fine_until = since if is_unpromised else lapses_at
        found[name] = HomeWatch(name, watched_of(state), tuple(why), since, fine_until, *rest)
    return found


async def watch_spans(conn: Conn, home: str, since: datetime, until: datetime) -> list[Span]:
    """Return how well a home could be seen between two moments, in order; the first and last may reach beyond.

    Of more than 4,500 the newest.
    """
    rows = await conn.execute(
        "SELECT since, until, state, why FROM watch_span "
        "WHERE home = %s AND since < %s AND (until IS NULL OR until > %s) ORDER BY since DESC LIMIT %s",
        (home, until, since, _SPANS_MAX),
    )
    found = [Span(begins, ends, watched_of(state), tuple(why)) for begins, ends, state, why in await rows.fetchall()]
    return found[::-1]

"""Which silent hubs are told as one outage, and which home's silence was part of one?

Everything here is about the operator's text on equipment.  An alarm, a stillness, a home that was not seen for too
long, and the first carer's text about a silent hub are told as ever.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from alerts.alert import Question
from alerts.judging.finding import iso
from alerts.judging.outage import EVERYWHERE, HOLD, TOGETHER, Outage, SilentHub, belongs, homes_min, outages
from alerts.store import answers, owing
from alerts.store.owing import Scene

Conn = AsyncConnection[TupleRow]

LOOK_AGAIN: Final = timedelta(minutes=30)
"""How long after an outage was closed, or has only this home left, a home that is still silent is told by itself."""

# What homes share.  A district is the first half of a postcode; a pattern that `fleet.SEEN` shares.
_AREAS: Final = r"""
    SELECT home, 'district:' || substring(upper(address) FROM '\m([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}\M') AS area
    FROM resident
    UNION ALL SELECT home, 'group:' || home_group FROM home_group_member
    UNION ALL SELECT home, 'network:' || network FROM hub WHERE revoked_at IS NULL AND home IS NOT NULL
    UNION ALL SELECT home, %(everywhere)s FROM home
"""
_OF_HOME: Final = f"SELECT DISTINCT area FROM ({_AREAS}) place WHERE home = %(home)s AND area IS NOT NULL"  # noqa: S608 - constants
# Homes that have a hub which was heard within a day: only such can fall silent.
_HEARD: Final = f"""
    SELECT area, count(DISTINCT place.home) FROM ({_AREAS}) place
    JOIN hub ON hub.home = place.home AND hub.revoked_at IS NULL JOIN hub_report USING (hub)
    WHERE area = ANY(%(areas)s) AND heard_at > %(at)s - interval '1 day' GROUP BY area
"""  # noqa: S608 - constants
_UNDECIDED: Final = """
    question = 'hub_silent' AND state = 'open' AND cause_ended_at IS NULL AND part_of IS NULL
      AND since BETWEEN %(at)s - %(together)s AND %(at)s + %(together)s
      AND NOT EXISTS (SELECT FROM outage_home WHERE outage_home.alert = alert.alert)
"""
_OTHERS: Final = f"SELECT EXISTS (SELECT FROM alert WHERE {_UNDECIDED} AND home <> %(home)s)"  # noqa: S608 - constants
_SILENT: Final = f"""
    SELECT alert, alert.home, since, array_agg(DISTINCT area) FILTER (WHERE area IS NOT NULL)
    FROM alert JOIN ({_AREAS}) place USING (home) WHERE {_UNDECIDED}
    GROUP BY alert, alert.home, since ORDER BY since LIMIT 10000
"""  # noqa: S608 - constants
_LASTING: Final = """
    SELECT outage, area, min(outage_home.since), max(outage_home.since)
    FROM outage JOIN outage_home USING (outage)
    JOIN alert told ON told.alert = outage.alert
    WHERE ended_at IS NULL AND told.state <> 'closed' AND area = ANY(%s) GROUP BY outage, area ORDER BY outage
"""
_AWAY: Final = """
    SELECT count(*) FROM outage_home other JOIN outage USING (outage) JOIN alert told ON told.alert = outage.alert
    WHERE ended_at IS NULL AND told.state <> 'closed' AND other.back_at IS NULL
    AND outage = (SELECT outage FROM outage_home WHERE alert = %s)
"""


@dataclass(frozen=True, slots=True)
class OutageOfHome:
    """An outage that a home's hub is silent in.

    Attributes:
        area: what its homes share.
        homes: how many fell silent.
        silent: how many of them still are.
        since: when the first was last heard.
    """

    area: str
    homes: int
    silent: int
    since: datetime


async def hold_or_join(conn: Conn, alert: int, home: str, since: datetime, *, now: datetime) -> bool:
    """Return whether the operator's text about a hub that was just found silent waits, or is told with others.

    Args:
        conn: in a transaction that holds `owing.one_at_a_time`.
        alert: of the silence, just written.
        home: whose hub it is.
        since: when it was last heard.
        now: when this is done.
    """
    rows = await conn.execute(_OF_HOME, {"home": home, "everywhere": EVERYWHERE})
    hub = SilentHub(alert, home, since, frozenset(str(area) for (area,) in await rows.fetchall()))
    for number, area, first, last in await (await conn.execute(_LASTING, (sorted(hub.areas),))).fetchall():
        if belongs(hub, area, first, last):
            await _join(conn, number, hub, now=now)
            return True
    if not await _may_be_outage(conn, hub):
        return False
    await conn.execute("UPDATE alert SET next_telling_at = %s WHERE alert = %s", (now + HOLD, alert))
    return True


async def is_covered(conn: Conn, scene: Scene, *, now: datetime) -> bool:
    """Return whether an alert is told as part of an outage now, so that nobody is asked about it by itself.

    The first time that this is asked of a silent hub, after others had time to be found, decides whether it is one.
    The first carer is told all the same, when the policy says so.
    """
    if scene.question != Question.HUB_SILENT or scene.home is None or scene.state != "open":
        return False
    if not await _is_in_outage(conn, scene.alert) and not await _begin(conn, scene, now=now):
        return False
    row = await (await conn.execute(_AWAY, (scene.alert,))).fetchone()
    if row is None or row[0] < 2:
        return False
    carer_at = await owing.tell_carer_alone(conn, scene, now=now)
    again_at = now + LOOK_AGAIN
    await conn.execute(
        "UPDATE alert SET next_telling_at = %s WHERE alert = %s",
        (again_at if carer_at is None else min(carer_at, again_at), scene.alert),
    )
    return True


async def heard_again(conn: Conn, alert: int, *, at: datetime, now: datetime) -> None:
    """Note that a hub of an outage was heard again; with the last of them the outage is over, and that is told."""
    rows = await conn.execute(
        "UPDATE outage_home SET back_at = %s WHERE alert = %s AND back_at IS NULL RETURNING outage", (at, alert)
    )
    row = await rows.fetchone()
    if row is None:
        return
    rows = await conn.execute(
        "UPDATE outage SET ended_at = %(at)s WHERE outage = %(outage)s AND ended_at IS NULL AND NOT EXISTS "
        "(SELECT FROM outage_home WHERE outage = %(outage)s AND back_at IS NULL) RETURNING alert",
        {"at": at, "outage": row[0]},
    )
    over = await rows.fetchone()
    if over is None:
        return
    await conn.execute("UPDATE alert SET cause_ended_at = %s WHERE alert = %s", (at, over[0]))
    scene = await owing.scene_of(conn, int(over[0]))
    if scene is not None:
        await answers.mend(conn, scene, at=at, now=now)


async def outage_of(conn: Conn, home: str) -> OutageOfHome | None:
    """Return the outage in which a home's hub is silent now, or None."""
    async with conn.cursor(row_factory=class_row(OutageOfHome)) as cur:
        await cur.execute(
            """
            SELECT area, count(DISTINCT home)::int AS homes,
                   (count(DISTINCT home) FILTER (WHERE back_at IS NULL))::int AS silent, min(since) AS since
            FROM outage JOIN outage_home USING (outage)
            WHERE ended_at IS NULL AND outage = (
                SELECT max(outage) FROM outage_home WHERE outage_home.home = %s AND back_at IS NULL)
            GROUP BY outage, area
            """,
            (home,),
        )
        return await cur.fetchone()


async def homes_in_outage(conn: Conn, homes: Sequence[str]) -> set[str]:
    """Return which of these homes have a hub that is silent in an outage now."""
    rows = await conn.execute(
        "SELECT DISTINCT home FROM outage_home JOIN outage USING (outage) "
        "WHERE home = ANY(%s) AND back_at IS NULL AND ended_at IS NULL",
        (list(homes),),
    )
    return {str(home) for (home,) in await rows.fetchall()}


async def _may_be_outage(conn: Conn, hub: SilentHub) -> bool:
    """Return whether others may be found silent with a hub: some are already, or enough homes share a place."""
    asked = {"home": hub.home, "at": hub.since, "together": TOGETHER}
    row = await (await conn.execute(_OTHERS, asked)).fetchone()
    if row is not None and row[0]:
        return True
    heard = await _heard(conn, hub.areas - {EVERYWHERE}, at=hub.since)
    return any(homes >= homes_min(area, homes) for area, homes in heard.items())


async def _heard(conn: Conn, areas: Collection[str], *, at: datetime) -> dict[str, int]:
    """Return how many homes of each area were heard within the day before a moment, or since."""
    rows = await conn.execute(_HEARD, {"areas": sorted(areas), "at": at, "everywhere": EVERYWHERE})
    return dict(await rows.fetchall())


async def _is_in_outage(conn: Conn, alert: int) -> bool:
    return await (await conn.execute("SELECT FROM outage_home WHERE alert = %s", (alert,))).fetchone() is not None


async def _begin(conn: Conn, scene: Scene, *, now: datetime) -> bool:
    """Write down the outage that a silent hub is part of, and tell the operator; return whether it is part of one."""
    rows = await conn.execute(_SILENT, {"at": scene.since, "together": TOGETHER, "everywhere": EVERYWHERE})
    silent = [SilentHub(alert, home, since, frozenset(areas)) for alert, home, since, areas in await rows.fetchall()]
    heard = await _heard(conn, {area for hub in silent for area in hub.areas}, at=scene.since)
    outage = next((one for one in outages(silent, heard) if scene.alert in {hub.alert for hub in one.hubs}), None)
    if outage is None:
        return False
    alert = await _raise(conn, outage, now=now)
    row = await (
        await conn.execute("INSERT INTO outage (area, alert) VALUES (%s, %s) RETURNING outage", (outage.area, alert))
    ).fetchone()
    assert row is not None, "an insert returns its row"
    for hub in outage.hubs:
        await _join(conn, int(row[0]), hub, now=now)
    told = await owing.scene_of(conn, alert)
    assert told is not None, "it was just written"
    await owing.tell_next(conn, told, now=now)
    return True


async def _raise(conn: Conn, outage: Outage, *, now: datetime) -> int:
    row = await (
        await conn.execute(
            """
            INSERT INTO alert (hub, question, subject, episode, is_fault, for_operator, since, at, raised_at, why,
                               state)
            VALUES (%(area)s, 'outage', %(area)s, %(episode)s, true, true, %(since)s, %(now)s, %(now)s, %(why)s, 'open')
            RETURNING alert
            """,
            {
                "area": outage.area,
                "episode": f"{outage.area}/{iso(outage.since)}/{outage.hubs[0].alert}",
                "since": outage.since,
                "now": now,
                "why": Jsonb({"area": outage.area, "homes": outage.homes}),
            },
        )
    ).fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


async def _join(conn: Conn, outage: int, hub: SilentHub, *, now: datetime) -> None:
    """Have a silent hub told with an outage; looked at again soon, for the first carer's sake."""
    await conn.execute(
        "INSERT INTO outage_home (alert, outage, home, since, joined_at) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (alert) DO NOTHING",
        (hub.alert, outage, hub.home, hub.since, now),
    )
    await conn.execute("UPDATE alert SET next_telling_at = %s WHERE alert = %s", (now, hub.alert))

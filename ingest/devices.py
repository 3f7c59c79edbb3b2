"""Which homes, hubs and sensors are there, and when was each hub last heard?

Homes and hubs are added by people, one at a time, over a blocking connection; what hubs say about themselves is
written by ingest, many at a time.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow

from gateway import heartbeat
from gateway.heartbeat import Heartbeat
from gateway.wire import LANES, is_hub_id, is_sensor_id
from ingest.refused import plain


class CannotAdd(Exception):
    """What a person asked for contradicts what is there; its one sentence says how."""


class Access(NamedTuple):
    """A hub that may speak on the platform's broker, its lane, and what each broker keeps of its secret."""

    hub: str
    lane: int
    nats_hash: str
    mosquitto_hash: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub as it was added.

    Attributes:
        home: None while it has none; its alarms then go to the operator.
        lane: of its topics.
        revoked_at: from when on it may no longer speak.
    """

    hub: str
    home: str | None
    lane: int
    added_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor as people know it.

    Attributes:
        is_outer: whether it is on an outer door; None: nobody said, or its room's name says so.
    """

    home: str
    sensor: str
    room: str | None
    kind: str
    is_outer: bool | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a hub last said about itself; see `gateway.heartbeat.Heartbeat`."""

    hub: str
    heard_at: datetime
    outbox: str
    boot: str
    clock_off_by: timedelta
    held_readings: int
    held_alarms: int
    radio_up: bool | None
    clock_set: bool | None
    link_up: bool | None
    version: str
    troubles: tuple[str, ...]


def lane_of(name: str) -> int:
    """Return the lane of a home, for good: by its name alone, alike on every machine and in every release."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % LANES


def add_home(conn: Connection[TupleRow], home: str, *, now: datetime) -> int:
    """Add a home if it is not there, and return its lane.

    Raises:
        CannotAdd: a home cannot be called so, or one that was erased was.
    """
    if not is_hub_id(home):  # The same letters: both are words of a topic, a file name and an address.
        raise CannotAdd(f"A home's name is lower case letters, digits and hyphens, at most 32: not {home!r}.")
    erased = "SELECT FROM erasure WHERE what = 'home' AND subject_sha256 = sha256(convert_to(%s, 'UTF8'))"
    if conn.execute(erased, (home,)).fetchone() is not None:
        raise CannotAdd(f"The home {home} was erased, and its name is not given again; call it something else.")
    conn.execute(
        "INSERT INTO home (home, lane, added_at) VALUES (%s, %s, %s) ON CONFLICT (home) DO NOTHING",
        (home, lane_of(home), now),
    )
    row = conn.execute("SELECT lane FROM home WHERE home = %s", (home,)).fetchone()
    assert row is not None
    return int(row[0])


def add_hub(conn: Connection[TupleRow], hub: str, home: str | None, hashes: tuple[str, str], *, now: datetime) -> int:
    """Add a hub, or give one that is there a new secret (and let it speak again), and return its lane.

    Args:
        conn: in no transaction.
        hub: lower case letters, digits and hyphens, at most 32.
        home: one that was added; None while it has none.
        hashes: of its secret, as NATS and as Mosquitto keep it.
        now: when.

    Raises:
        CannotAdd: the name is not a hub's, the home is not there, or the hub speaks for another home.
    """
    if not is_hub_id(hub):
        raise CannotAdd(f"A hub's name is lower case letters, digits and hyphens, at most 32: not {hub!r}.")
    with conn.transaction():
        lane = lane_of(hub) if home is None else _lane(conn, home)
        there = conn.execute("SELECT home FROM hub WHERE hub = %s FOR UPDATE", (hub,)).fetchone()
        if there is not None and there[0] not in (None, home):
            raise CannotAdd(f"The hub {hub} speaks for another home already; revoke it and use another name.")
        conn.execute(
            """
            INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (hub) DO UPDATE SET home = excluded.home, lane = excluded.lane, revoked_at = NULL,
                nats_hash = excluded.nats_hash, mosquitto_hash = excluded.mosquitto_hash
            """,
            (hub, home, lane, *hashes, now),
        )
    return lane


def _lane(conn: Connection[TupleRow], home: str) -> int:
    row = conn.execute("SELECT lane FROM home WHERE home = %s", (home,)).fetchone()
    if row is None:
        raise CannotAdd(f"There is no home {home}; add it first.")
    return int(row[0])


def revoke_hub(conn: Connection[TupleRow], hub: str, *, now: datetime) -> bool:
    """Let a hub speak no longer, and return whether it could until now.  The broker must be told as well."""
    done = conn.execute("UPDATE hub SET revoked_at = %s WHERE hub = %s AND revoked_at IS NULL", (now, hub))
    return done.rowcount == 1


def list_hubs(conn: Connection[TupleRow], home: str | None = None) -> list[Hub]:
    """Return the hubs of a home, or all, by name; revoked ones too."""
    rows = conn.execute(
        """
        SELECT hub, home, lane, added_at, revoked_at FROM hub
        WHERE %(home)s::text IS NULL OR home = %(home)s ORDER BY hub
        """,
        {"home": home},
    )
    return [Hub(*row) for row in rows]


def list_homes(conn: Connection[TupleRow]) -> list[tuple[str, int]]:
    """Return every home with its lane, by name."""
    return [
        (str(home), int(lane))
        for home, lane in conn.execute("SELECT home, lane FROM home WHERE erased_at IS NULL ORDER BY home")
    ]


def hub_access(conn: Connection[TupleRow]) -> list[Access]:
    """Return who may speak on the platform's broker: every hub that was added and not revoked."""
    rows = conn.execute(
        "SELECT hub, lane, nats_hash, mosquitto_hash FROM hub WHERE revoked_at IS NULL ORDER BY hub",
    )
    return [Access(*row) for row in rows]


def set_sensor(conn: Connection[TupleRow], sensor: Sensor) -> None:
    """Say what a sensor is and in which room; what is stored already keeps the room that it had.

    Whether it is on an outer door stays as it was said last, where nothing is said of that.

    Raises:
        CannotAdd: the home is not there, or no sensor can be called so.
    """
    if not is_sensor_id(sensor.sensor):
        raise CannotAdd(f"No sensor can be called {sensor.sensor!r}.")
    try:
        conn.execute(
            """
            INSERT INTO sensor (home, sensor, room, kind, is_outer) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (home, sensor) DO UPDATE SET room = excluded.room, kind = excluded.kind,
                is_outer = COALESCE(excluded.is_outer, sensor.is_outer)
            """,
            (sensor.home, sensor.sensor, sensor.room, sensor.kind, sensor.is_outer),
        )
    except psycopg.errors.ForeignKeyViolation as why:
        raise CannotAdd(f"There is no home {sensor.home}; add it first.") from why


def list_sensors(conn: Connection[TupleRow], home: str) -> list[Sensor]:
    """Return a home's sensors, by name."""
    rows = conn.execute(
        "SELECT home, sensor, room, kind, is_outer FROM sensor WHERE home = %s ORDER BY sensor", (home,)
    )
    return [Sensor(*row) for row in rows]


async def hubs(conn: AsyncConnection[TupleRow], names: Iterable[str]) -> dict[str, Hub]:
    """Return what is known of some hubs."""
    rows = await conn.execute(
        "SELECT hub, home, lane, added_at, revoked_at FROM hub WHERE hub = ANY(%s)", (list(names),)
    )
    return {row[0]: Hub(*row) for row in await rows.fetchall()}


async def rooms(conn: AsyncConnection[TupleRow], homes: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the room of each sensor of some homes, by home and sensor, where it is known."""
    rows = await conn.execute(
        "SELECT home, sensor, room FROM sensor WHERE home = ANY(%s) AND room IS NOT NULL", (list(homes),)
    )
    return {(home, sensor): room for home, sensor, room in await rows.fetchall()}


async def hubs_of(conn: AsyncConnection[TupleRow], home: str) -> list[str]:
    """Return the names of the hubs that speak for a home now."""
    rows = await conn.execute("SELECT hub FROM hub WHERE home = %s AND revoked_at IS NULL ORDER BY hub", (home,))
    return [hub for (hub,) in await rows.fetchall()]


async def sensors_of(conn: AsyncConnection[TupleRow], home: str) -> list[Sensor]:
    """Return a home's sensors, by room and name; at most 1000."""
    rows = await conn.execute(
        "SELECT home, sensor, room, kind, is_outer FROM sensor WHERE home = %s ORDER BY room, sensor LIMIT 1000",
        (home,),
    )
    return [Sensor(*row) for row in await rows.fetchall()]


async def reports(conn: AsyncConnection[TupleRow], home: str | None = None) -> list[Report]:
    """Return what the hubs of a home, or all, last said about themselves, by name."""
    rows = await conn.execute(
        """
        SELECT r.hub, r.heard_at, r.outbox, r.boot, r.clock_off_by, r.held_readings, r.held_alarms, r.radio_up,
               r.clock_set, r.link_up, r.version, r.troubles
        FROM hub_report r JOIN hub USING (hub)
        WHERE %(home)s::text IS NULL OR hub.home = %(home)s ORDER BY r.hub
        """,
        {"home": home},
    )
    return [Report(*(*row[:-1], tuple(row[-1]))) for row in await rows.fetchall()]


async def heard_spans(
    conn: AsyncConnection[TupleRow], hub: str, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the spans in which a hub's heartbeats came in time, as far as they touch a stretch of time.

    A span ends with its last heartbeat; the promise it made then holds for `heartbeat.EVERY + GRACE` more.
    """
    rows = await conn.execute(
        """
        SELECT heard_since, heard_until FROM hub_heard
        WHERE hub = %s AND heard_until >= %s AND heard_since < %s ORDER BY heard_since
        """,
        (hub, since, until),
    )
    return [(begun, ended) for begun, ended in await rows.fetchall()]


# A heartbeat that comes while the promise of the one before still holds makes the span longer; the moment at which the
# promise breaks is the first bad one.
_HEARD: Final = """
    WITH beat AS (SELECT * FROM unnest(%(hubs)s::text[], %(at)s::timestamptz[]) AS b(hub, at)),
    last AS (
        SELECT beat.hub, beat.at, max(hub_heard.heard_since) AS heard_since
        FROM beat JOIN hub_heard ON hub_heard.hub = beat.hub GROUP BY beat.hub, beat.at
    ),
    longer AS (
        UPDATE hub_heard SET heard_until = greatest(hub_heard.heard_until, last.at)
        FROM last WHERE hub_heard.hub = last.hub AND hub_heard.heard_since = last.heard_since
          AND hub_heard.heard_until > last.at - %(promise)s::interval
        RETURNING hub_heard.hub
    )
    INSERT INTO hub_heard (hub, heard_since, heard_until)
    SELECT hub, at, at FROM beat WHERE hub NOT IN (SELECT hub FROM longer)
    ON CONFLICT (hub, heard_since) DO NOTHING
"""
_REPORT: Final = """
    INSERT INTO hub_report (hub, heard_at, outbox, boot, clock_off_by, held_readings, held_alarms, radio_up, clock_set,
                            version, troubles)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (hub) DO UPDATE SET heard_at = excluded.heard_at, outbox = excluded.outbox, boot = excluded.boot,
        clock_off_by = excluded.clock_off_by, held_readings = excluded.held_readings,
        held_alarms = excluded.held_alarms, radio_up = excluded.radio_up, clock_set = excluded.clock_set,
        version = excluded.version, troubles = excluded.troubles
"""
_LINK: Final = """
    UPDATE hub_report SET link_up = said.up
    FROM unnest(%(hubs)s::text[], %(up)s::boolean[]) AS said(hub, up) JOIN hub USING (hub)
    WHERE hub_report.hub = said.hub AND hub_report.link_up IS DISTINCT FROM said.up
    RETURNING hub.hub, hub.home, hub.lane, said.up
"""


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat that arrived.

    Attributes:
        heard_at: when it counts as heard.
        clock_off_by: our clock less the hub's; None where the hub's names no moment.
    """

    hub: str
    heard_at: datetime
    clock_off_by: timedelta | None
    said: Heartbeat


async def heard(conn: AsyncConnection[TupleRow], beats: Sequence[Beat], *, stretch: timedelta) -> None:
    """Write down heartbeats: the span in which the hub was heard, and what it last said.

    Args:
        conn: in a transaction.
        beats: at most one a hub.
        stretch: by how much promises are stretched on a fast clock.
    """
    if not beats:
        return
    await conn.execute(
        _HEARD,
        {
            "hubs": [beat.hub for beat in beats],
            "at": [beat.heard_at for beat in beats],
            "promise": heartbeat.EVERY + heartbeat.GRACE + stretch,
        },
    )
    async with conn.cursor() as cursor:
        await cursor.executemany(_REPORT, [_report(beat) for beat in beats])


async def linked(conn: AsyncConnection[TupleRow], up: Mapping[str, bool]) -> list[tuple[str, str | None, int, bool]]:
    """Write down the broker's last word on some hubs' lines: a hint, and only for hubs that were heard.

    Returns:
        What changed, by hub: (hub, home, lane, whether its line is up).
    """
    if not up:
        return []
    rows = await conn.execute(_LINK, {"hubs": list(up), "up": list(up.values())})
    return sorted((hub, home, lane, is_up) for hub, home, lane, is_up in await rows.fetchall())


# PostgreSQL's interval holds 178 million years, but a hub that says 9999 need not be taken at its word.
_OFF_MAX: Final = timedelta(days=36_500)


def _report(beat: Beat) -> tuple[object, ...]:
    said = beat.said
    # Any text can stand in a heartbeat; a NUL in a version must not cost the home its being watched.
    troubles = [plain(trouble, 64) for trouble in said.troubles]
    off_by = _OFF_MAX if beat.clock_off_by is None else max(min(beat.clock_off_by, _OFF_MAX), -_OFF_MAX)
    return (
        *(beat.hub, beat.heard_at, plain(said.outbox, 64), plain(said.boot, 64), off_by),
        *(said.held_readings, said.held_alarms, said.radio_up, said.clock_set, plain(said.version, 64), troubles),
    )

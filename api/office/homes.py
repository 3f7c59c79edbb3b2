"""Which homes are there, who lives in them, what stands in which room, and who is told?"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import psycopg
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store import rotas
from api.office import changes, people, said
from api.office.said import Form, Mistake, Mistakes
from ingest import devices
from ingest.db.pool import connect

Connection = AsyncConnection[Any]
T = TypeVar("T")

# A list of homes for the command line; a page has the fleet for it.  Ours.
_HOMES_MAX: Final = 1_000
# Where the form for another home is.
_NEW: Final = "new"


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor as people know it."""

    sensor: str
    kind: str
    room: str | None


@dataclass(frozen=True, slots=True)
class Hub:
    """A box of a home.

    Attributes:
        heard_at: when it was heard last; None: never.
        revoked_at: from when on it may no longer speak; None: it may.
        network: what carries its line to us; None: nobody said.
    """

    hub: str
    heard_at: datetime | None
    revoked_at: datetime | None
    network: str | None = None


async def blocking(dsn: str, act: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Do something of `ingest.devices` on a connection of its own, beside the loop."""

    def do() -> T:
        with connect(dsn, name="operator") as conn:
            return act(conn)

    return await asyncio.to_thread(do)


async def is_there(conn: Connection, home: str) -> bool:
    """Return whether there is a home of this name."""
    rows = await conn.execute("SELECT FROM home WHERE home = %s AND erased_at IS NULL", (home,))
    return await rows.fetchone() is not None


async def require(conn: Connection, home: str) -> None:
    """Go on only if there is such a home.

    Raises:
        Mistakes: there is not.
    """
    if not await is_there(conn, home):
        raise Mistakes([Mistake("home", f"there is no home {home!r}")])


async def add(conn: Connection, dsn: str, fields: Mapping[str, str], *, by: str, now: datetime) -> str:
    """Add a home with the person who lives there, and return its name.

    Args:
        conn: to the database.
        dsn: of the same.
        fields: home, and those of `save_resident`.
        by: who writes.
        now: when.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    home = form.take("home", said.key)
    if home == _NEW:
        form.wrong("home", f"a home cannot be called {home}: its pages would not be found")
    elif home is not None and await is_there(conn, home):
        form.wrong("home", f"there is a home {home} already")
    resident = _resident(form)
    form.require_right()
    assert home is not None, "it is needed"
    try:
        await blocking(dsn, lambda conn: devices.add_home(conn, home, now=now))
    except devices.CannotAdd as why:
        raise Mistakes([Mistake("home", str(why))]) from why
    async with conn.transaction():
        await changes.note(conn, "home added", by=by, now=now, home=home, content={})
        await _write_resident(conn, home, resident, by=by, now=now)
    return home


async def save_resident(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write who lives in a home: first_name, name, phone, address, know, and the person as whom they sign in.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    resident = _resident(form)
    person = form.may_take("person", said.key)
    one = await people.find(conn, person) if person else None
    if person and (one is None or one.left_at is not None):
        form.wrong("person", f"there is no person {person!r}")
    form.require_right()
    async with conn.transaction():
        await _write_resident(conn, home, resident, by=by, now=now, person=person)


def _resident(form: Form) -> dict[str, str | None]:
    return {
        "first_name": form.take("first_name", said.words),
        "full_name": form.take("name", said.words),
        "phone": form.may_take("phone", said.e164),
        "address": form.may_take("address", said.words),
        "know": form.may_take("know", said.words),
    }


async def _write_resident(
    conn: Connection,
    home: str,
    resident: Mapping[str, str | None],
    *,
    by: str,
    now: datetime,
    person: str | None = None,
) -> None:
    await alerts_store.set_resident(conn, home, **resident)  # type: ignore[arg-type]  # what is needed is there
    await conn.execute("UPDATE resident SET person = %s WHERE home = %s", (person, home))
    await changes.note(conn, "resident written", by=by, now=now, home=home, content={**resident, "person": person})


async def signs_in_as(conn: Connection, home: str) -> str | None:
    """Return the person as whom a resident signs in, or None."""
    rows = await conn.execute("SELECT person FROM resident WHERE home = %s", (home,))
    row = await rows.fetchone()
    return None if row is None else row[0]


# Rooms and sensors.


async def rooms(conn: Connection, home: str) -> list[str]:
    """Return the rooms of a home, by name."""
    rows = await conn.execute("SELECT room FROM home_room WHERE home = %s ORDER BY room LIMIT 200", (home,))
    return [room for (room,) in await rows.fetchall()]


async def save_rooms(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write which rooms a home has; one in which a sensor stands cannot go.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form({"rooms": fields.get("rooms", "").replace("\r", "").replace("\n", ",")})
    wanted = form.take("rooms", said.several(said.words)) or ()
    rows = await conn.execute(
        "SELECT room, string_agg(sensor, ', ' ORDER BY sensor) FROM sensor "
        "WHERE home = %s AND room IS NOT NULL AND room <> ALL(%s) GROUP BY room ORDER BY room",
        (home, list(wanted)),
    )
    for room, sensors in await rows.fetchall():
        form.wrong("rooms", f"{room!r} is still the room of {sensors}")
    if len(wanted) > 40:
        form.wrong("rooms", "more than 40 are not a home's")
    form.require_right()
    async with conn.transaction():
        await conn.execute("DELETE FROM home_room WHERE home = %s AND room <> ALL(%s)", (home, list(wanted)))
        await add_rooms(conn, home, wanted)
        await changes.note(conn, "rooms written", by=by, now=now, home=home, content={"rooms": wanted})


async def add_rooms(conn: Connection, home: str, named: tuple[str, ...]) -> None:
    """Write that a home has these rooms too."""
    await conn.execute(
        "INSERT INTO home_room (home, room) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING", (home, list(named))
    )


async def sensors(conn: Connection, home: str) -> list[Sensor]:
    """Return the sensors of a home, by name; at most 200."""
    rows = await conn.execute(
        "SELECT sensor, kind, room FROM sensor WHERE home = %s ORDER BY sensor LIMIT 200", (home,)
    )
    return [Sensor(*row) for row in await rows.fetchall()]


async def save_sensor(
    conn: Connection, dsn: str, home: str, fields: Mapping[str, str], *, by: str, now: datetime
) -> None:
    """Write what a sensor is and where it stands: sensor, kind, room; and let judgement know.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    sensor, kind = form.take("sensor", said.sensor), form.take("kind", said.one_of(said.KINDS))
    room = form.may_take("room", said.words)
    known = await rooms(conn, home)
    if room is not None and room not in known:
        form.wrong(
            "room", f"there is no room {room!r} in {home}; its rooms are {', '.join(known) or 'not written yet'}"
        )
    form.require_right()
    assert sensor is not None, "it is needed"
    assert kind is not None, "it is needed"
    await blocking(dsn, lambda conn: devices.set_sensor(conn, devices.Sensor(home, sensor, room, kind)))
    async with conn.transaction():
        await alerts_store.set_sensors(conn, home, now=now)
        await changes.note(
            conn, "sensor written", by=by, now=now, home=home, content={"sensor": sensor, "kind": kind, "room": room}
        )


async def remove_sensor(conn: Connection, home: str, sensor: str, *, by: str, now: datetime) -> None:
    """Let a sensor be no longer one of a home's: its silence is no fault any more.  What it said is kept.

    Raises:
        Mistakes: the home has none of this name.
    """
    async with conn.transaction():
        gone = await conn.execute("DELETE FROM sensor WHERE home = %s AND sensor = %s", (home, sensor))
        if gone.rowcount != 1:
            raise Mistakes([Mistake("sensor", f"{home} has no sensor {sensor!r}")])
        await alerts_store.set_sensors(conn, home, now=now)
        await changes.note(conn, "sensor removed", by=by, now=now, home=home, content={"sensor": sensor})


# Who is told.


async def save_told(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write who is told about a home at any hour, the first first: told, keys with commas between them.

    Raises:
        Mistakes: somebody is not there or has no phone; or it would be nobody and `sure` does not say yes.
    """
    form = Form({**fields, "told": fields.get("told", "").replace("\n", ",")})
    wanted = form.may_take("told", said.several(said.key)) or ()
    for person in wanted:
        one = await people.find(conn, person)
        if one is None or one.left_at is not None:
            form.wrong("told", f"there is no person {person!r}")
        elif one.phone is None:
            form.wrong("told", f"{one.full_name} has no phone number")
    if not wanted and not form.said("told") and form.said("sure") != "yes":
        form.wrong("told", "would be empty: outside shifts nobody but the operator would be told")
    form.require_right()
    async with conn.transaction():
        await alerts_store.set_telling(conn, home, wanted)
        await changes.note(conn, "told-order written", by=by, now=now, home=home, content={"told": wanted})


# The boxes.


async def hubs(conn: Connection, home: str) -> list[Hub]:
    """Return the hubs of a home, by name, revoked ones too; at most 50."""
    rows = await conn.execute(
        "SELECT hub, heard_at, revoked_at, network FROM hub LEFT JOIN hub_report USING (hub) WHERE home = %s "
        "ORDER BY revoked_at IS NOT NULL, hub LIMIT 50",
        (home,),
    )
    return [Hub(*row) for row in await rows.fetchall()]


async def lacks(conn: Connection, home: str) -> list[str]:
    """Return what is still to be written before a home is watched, one sentence each."""
    found = []
    if await alerts_store.resident_of(conn, home) is None:
        found.append("Nobody is written as living there.")
    if not await sensors(conn, home):
        found.append("It has no sensors.")
    if not any(hub.revoked_at is None for hub in await hubs(conn, home)):
        found.append("It has no hub: nothing can be heard from it.")
    rows = await conn.execute("SELECT FROM service WHERE operator IS NOT NULL")
    has_operator = await rows.fetchone() is not None
    if not await rotas.always_told(conn, home):
        found.append("Nobody but the operator is told outside shifts." if has_operator else "NOBODY IS TOLD.")
    if not has_operator:
        found.append("Nobody gets what nobody else can be told: name the service's operator.")
    return found


async def listed(conn: Connection) -> list[tuple[str, str | None, int, int, int]]:
    """Return every home by name, at most 1,000: resident, hubs that may speak, sensors, and how many are told."""
    rows = await conn.execute(
        """
        SELECT home, full_name, (SELECT count(*) FROM hub WHERE hub.home = h.home AND revoked_at IS NULL),
               (SELECT count(*) FROM sensor s WHERE s.home = h.home),
               (SELECT count(*) FROM telling_step t WHERE t.home = h.home)
        FROM home h LEFT JOIN resident USING (home) WHERE erased_at IS NULL ORDER BY home LIMIT %s
        """,
        (_HOMES_MAX,),
    )
    return await rows.fetchall()

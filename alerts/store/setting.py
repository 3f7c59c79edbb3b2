"""How do people, homes and numbers get into the tables?  Each call may be repeated; it writes only what changed.

What influences judgement is written as a judging input besides, and only when it changed: so a setup file that is
read twice changes no judgement.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.judging.lane import ERASED
from alerts.store import thresholds
from alerts.store.inputs import give_to_judgement

Conn = AsyncConnection[TupleRow]

OPERATOR: Final = "operator"
"""The kind of person that has a column of its own: what an operator may, no other kind may."""


async def set_service(conn: Conn, name: str, operator: str | None) -> None:
    """Write what the service is called and who gets what nobody else can be told; the operator is a known person."""
    async with conn.transaction():
        await conn.execute(
            "INSERT INTO service (name, operator) VALUES (%s, %s) "
            "ON CONFLICT (only_one) DO UPDATE SET name = excluded.name, operator = excluded.operator",
            (name, operator),
        )
        await conn.execute("UPDATE person SET is_operator = true WHERE person = %s AND NOT is_operator", (operator,))


async def set_person(
    conn: Conn,
    person: str,
    full_name: str,
    *,
    what: str | None,
    phone: str | None,
    email: str | None = None,
    likes: str = "text",
    kinds: Sequence[str] | None = None,
) -> None:
    """Write who a person is; without `kinds` these stay as they are.

    Raises:
        psycopg.errors.CheckViolation: the phone is not in E.164.
        psycopg.errors.UniqueViolation: somebody else has this phone or address.
    """
    others = None if kinds is None else [kind for kind in kinds if kind != OPERATOR]
    await conn.execute(
        """
        INSERT INTO person (person, full_name, what, phone, email, likes, kinds, is_operator)
        VALUES (%(person)s, %(full_name)s, %(what)s, %(phone)s, %(email)s, %(likes)s,
                COALESCE(%(kinds)s::text[], '{}'), COALESCE(%(is_operator)s, false))
        ON CONFLICT (person) DO UPDATE SET full_name = excluded.full_name, what = excluded.what,
            phone = excluded.phone, email = excluded.email, likes = excluded.likes,
            kinds = COALESCE(%(kinds)s::text[], person.kinds),
            is_operator = COALESCE(%(is_operator)s, person.is_operator)
        """,
        {
            "person": person,
            "full_name": full_name,
            "what": what,
            "phone": phone,
            "email": email,
            "likes": likes,
            "kinds": others,
            "is_operator": None if kinds is None else OPERATOR in kinds,
        },
    )


async def take_off_rota(conn: Conn, person: str, *, now: datetime) -> None:
    """Let a person be told no more: not always, not in shifts, and not instead of others."""
    async with conn.transaction():
        await conn.execute("DELETE FROM telling_step WHERE person = %s", (person,))
        await conn.execute(
            "UPDATE rota_shift SET removed_at = %s WHERE person = %s AND removed_at IS NULL", (now, person)
        )
        await conn.execute(
            "UPDATE rota_override SET removed_at = %s WHERE (person = %s OR instead = %s) AND removed_at IS NULL",
            (now, person, person),
        )


async def set_resident(
    conn: Conn,
    home: str,
    *,
    first_name: str,
    full_name: str,
    phone: str | None = None,
    address: str | None = None,
    know: str | None = None,
) -> None:
    """Write who lives in a home, and what someone who goes there should know."""
    await conn.execute(
        """
        INSERT INTO resident (home, first_name, full_name, phone, address, know) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (home) DO UPDATE SET first_name = excluded.first_name, full_name = excluded.full_name,
            phone = excluded.phone, address = excluded.address, know = excluded.know
        """,
        (home, first_name, full_name, phone, address, know),
    )


async def set_telling(conn: Conn, home: str, persons: Sequence[str]) -> None:
    """Write who is told about a home, the first first; the operator comes after the last by itself."""
    async with conn.transaction():
        await conn.execute("DELETE FROM telling_step WHERE home = %s", (home,))
        await conn.execute(
            "INSERT INTO telling_step (home, position, person) "
            "SELECT %s, position, person FROM unnest(%s::text[]) WITH ORDINALITY told (person, position)",
            (home, list(persons)),
        )


async def set_sensors(conn: Conn, home: str, *, now: datetime) -> None:
    """Tell judgement which sensors the table has for a home, if that changed."""
    rows = await conn.execute(
        "SELECT sensor, room, kind, is_outer FROM sensor WHERE home = %s ORDER BY sensor", (home,)
    )
    sensors = [
        {"sensor": sensor, "room": room, "kind": kind} | ({} if is_outer is None else {"is_outer": is_outer})
        for sensor, room, kind, is_outer in await rows.fetchall()
    ]
    await _give_if_changed(conn, home, "sensors", {"sensors": sensors}, now=now)


async def set_watched(conn: Conn, home: str, hub: str, *, now: datetime) -> None:
    """Tell judgement that a home is watched through a hub from now on, unless it is already."""
    async with conn.transaction():
        await _hold(conn, home)
        rows = await conn.execute(
            "SELECT content ? 'since' FROM judging_input WHERE home = %s AND kind = 'watched' AND content->>'hub' = %s "
            "ORDER BY input DESC LIMIT 1",
            (home, hub),
        )
        row = await rows.fetchone()
        if row is None or not row[0]:
            await give_to_judgement(conn, home, "watched", {"hub": hub, "since": now.isoformat()}, now=now)
        # A home that nobody set anything for is judged by what was set for all.
        await thresholds.settle(conn, [home], thresholds.Change(by=thresholds.SETUP, why="as set for all", at=now))


async def set_unwatched(conn: Conn, home: str, hub: str, *, now: datetime) -> None:
    """Tell judgement that a home is not watched through a hub from now on: its silence is no fault any more."""
    async with conn.transaction():
        await _hold(conn, home)
        await give_to_judgement(conn, home, "watched", {"hub": hub, "until": now.isoformat()}, now=now)


async def set_erased(conn: Conn, home: str, *, now: datetime) -> int:
    """Tell judgement to forget a home, and return the number of the input that says so."""
    async with conn.transaction():
        await _hold(conn, home)
        await give_to_judgement(conn, home, ERASED, {}, now=now)
        rows = await conn.execute("SELECT max(input) FROM judging_input WHERE home = %s", (home,))
        row = await rows.fetchone()
    assert row is not None, "max() returns a row"
    return int(row[0])


async def set_stretch(conn: Conn, home: str, stretch: timedelta, *, now: datetime) -> None:
    """Tell judgement how much later promises may be kept while time is sped up, if that changed."""
    await _give_if_changed(conn, home, "stretch", {"stretch_s": stretch.total_seconds()}, now=now)


async def _give_if_changed(conn: Conn, home: str, kind: str, content: Mapping[str, Any], *, now: datetime) -> None:
    async with conn.transaction():
        await _hold(conn, home)
        rows = await conn.execute(
            "SELECT content FROM judging_input WHERE home = %s AND kind = %s ORDER BY input DESC LIMIT 1", (home, kind)
        )
        row = await rows.fetchone()
        if row is None or row[0] != content:
            await give_to_judgement(conn, home, kind, dict(content), now=now)


async def _hold(conn: Conn, home: str) -> None:
    """Keep two setups of one home from writing the same thing twice."""
    await conn.execute("SELECT FROM home WHERE home = %s FOR UPDATE", (home,))

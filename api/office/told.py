"""Who is told of a home's alarms in the coming weeks, and by what: the told-order, a shift, or standing in?

Being told is one thing and seeing another: who is told without being let in has a text and no page behind it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerts.store import rotas
from alerts.store.rotas import KeptShift
from alerts.telling import rota
from api import consents, times

Connection = AsyncConnection[Any]

# Ours: what is further ahead is looked at by whoever makes the next rota.
_AHEAD: Final = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who is told.

    Attributes:
        is_operator: who sees every home.
        may_see: whether the carer's page of this home is theirs today.
        how: behind "is told of alarms here": empty for the told-order, " on a shift", ...
        instead: what is to be changed where they should not be told.
    """

    person: str
    full_name: str
    is_operator: bool
    may_see: bool
    how: str
    instead: str


async def told_soon(conn: Connection, home: str, *, now: datetime) -> list[Told]:
    """Return who is told about a home at any hour, in shifts and instead of others within four weeks, each once."""
    how: dict[str, tuple[str, str]] = {}
    for person in await rotas.always_told(conn, home):
        how[person] = ("", "take them off the told-order")
    for shift in await rotas.shifts_of(conn, home):
        if _is_soon(shift, now=now):
            team = f" of the team {shift.team}" if shift.team else ""
            how.setdefault(shift.person, (f" on a shift{team}", f"take their shift{team} away"))
    on_the_rota = set(how)
    for one in (await rotas.rota_of(conn, home, since=now)).overrides:
        if one.instead is not None and one.person in on_the_rota and one.since < now + _AHEAD:
            day = times.long_day(times.local_date(max(one.since, now)))
            how.setdefault(one.instead, (f" from {day} on, standing in", "let somebody else stand in"))
    rows = await conn.execute(
        f"""
        SELECT person, full_name, is_operator, EXISTS (
            SELECT FROM access_grant WHERE access_grant.person = person.person AND home = %(home)s AND view = 'carer'
            AND withdrawn_at IS NULL AND {consents.IN_FORCE})
        FROM person WHERE person = ANY(%(told)s) AND left_at IS NULL
        ORDER BY array_position(%(told)s::text[], person)
        """.encode(),  # noqa: S608 - a constant of ours
        {"home": home, "told": list(how), "now": now},
    )
    return [
        Told(person, full_name, is_operator, may_see, *how[person])
        for person, full_name, is_operator, may_see in await rows.fetchall()
    ]


def _is_soon(shift: KeptShift, *, now: datetime) -> bool:
    """Return whether a shift goes on now, or begins within four weeks."""
    planned, first = shift.planned(), times.local_date(now) - timedelta(days=1)
    days = (first + timedelta(days=number) for number in range(_AHEAD.days + 2))
    return any(
        hours[0] < now + _AHEAD and now < hours[1] for on in days if (hours := rota.hours_of(planned, on)) is not None
    )

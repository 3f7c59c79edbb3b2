"""Who is on duty, as the tables have it?  Shifts and overrides are written here, and read by telling and by pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerts.telling.rota import Override, Rota, Shift

Conn = AsyncConnection[TupleRow]

# Ours: a home with more shifts than these has a plan that nobody can read.
_ROWS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class KeptShift:
    """A shift as it was written; exactly one of `home` and `team` is not None."""

    shift: int
    home: str | None
    team: str | None
    person: str
    full_name: str
    place: int
    weekdays: tuple[int, ...]
    begins: time
    ends: time
    valid_from: date
    valid_until: date | None

    def planned(self) -> Shift:
        return Shift(
            *(self.person, self.place, frozenset(self.weekdays), self.begins, self.ends),
            *(self.valid_from, self.valid_until),
        )


@dataclass(frozen=True, slots=True)
class KeptOverride:
    """An override as it was written; without home and team it holds wherever its person is on duty."""

    override: int
    home: str | None
    team: str | None
    person: str
    full_name: str
    instead: str | None
    instead_name: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Team:
    """Carers who share the shifts of several homes."""

    team: str
    name: str
    homes: int


async def rota_of(conn: Conn, home: str | None, *, since: datetime) -> Rota:
    """Return everything that says who is told about a home from a moment on; of none, the operator alone."""
    always = await always_told(conn, home)
    shifts = tuple(one.planned() for one in await shifts_of(conn, home)) if home is not None else ()
    overrides = await _overrides(conn, home, since=since) if home is not None else []
    rows = await conn.execute("SELECT operator FROM service")
    row = await rows.fetchone()
    planned = tuple(Override(one.person, one.instead, one.since, one.until) for one in overrides)
    return Rota(always, shifts, planned, None if row is None else row[0])


async def always_told(conn: Conn, home: str | None) -> tuple[str, ...]:
    """Return who is told about a home at any hour, the first first."""
    rows = await conn.execute(
        "SELECT person FROM telling_step JOIN person USING (person) WHERE home = %s AND left_at IS NULL "
        "ORDER BY position",
        (home,),
    )
    return tuple(person for (person,) in await rows.fetchall())


_SHIFTS: Final = """
    SELECT shift, home, team, person, full_name, place, weekdays, begins, ends, valid_from, valid_until
    FROM rota_shift JOIN person USING (person) WHERE removed_at IS NULL AND left_at IS NULL
"""


async def shifts_of(conn: Conn, home: str) -> list[KeptShift]:
    """Return the shifts of a home and of its team, by place; at most 200."""
    return await _kept_shifts(
        conn,
        "AND (home = %(home)s OR team = (SELECT team FROM home_team WHERE home = %(home)s)) "
        "ORDER BY place, home IS NULL, shift",
        home=home,
    )


async def shifts_of_team(conn: Conn, team: str) -> list[KeptShift]:
    """Return the shifts of a team, by place; at most 200."""
    return await _kept_shifts(conn, "AND team = %(team)s ORDER BY place, shift", team=team)


async def find_shift(conn: Conn, shift: int) -> KeptShift | None:
    """Return a shift that was not removed, or None."""
    found = await _kept_shifts(conn, "AND shift = %(shift)s", shift=shift)
    return found[0] if found else None


async def _kept_shifts(conn: Conn, which: str, **values: object) -> list[KeptShift]:
    rows = await conn.execute((_SHIFTS + which + " LIMIT %(most)s").encode(), {**values, "most": _ROWS_MAX})
    return [KeptShift(*(*row[:6], tuple(row[6]), *row[7:])) for row in await rows.fetchall()]


_OVERRIDES: Final = """
    SELECT o.override, o.home, o.team, o.person, p.full_name, o.instead, q.full_name AS instead_name, o.since, o.until
    FROM rota_override o JOIN person p USING (person)
    LEFT JOIN person q ON q.person = o.instead AND q.left_at IS NULL
    WHERE o.removed_at IS NULL AND o.until > %(since)s AND (o.instead IS NULL OR q.person IS NOT NULL)
"""


async def _overrides(conn: Conn, home: str, *, since: datetime) -> list[KeptOverride]:
    return await _kept_overrides(
        conn,
        "AND ((o.home IS NULL AND o.team IS NULL) OR o.home = %(home)s "
        "OR o.team = (SELECT team FROM home_team WHERE home = %(home)s)) ORDER BY o.override",
        since=since,
        home=home,
    )


async def overrides_of(conn: Conn, person: str, *, since: datetime) -> list[KeptOverride]:
    """Return when a person cannot, or stands in, as far as that ends after a moment; at most 200."""
    which = "AND (o.person = %(person)s OR o.instead = %(person)s) ORDER BY o.since, o.override"
    return await _kept_overrides(conn, which, since=since, person=person)


async def all_overrides(conn: Conn, *, since: datetime) -> list[KeptOverride]:
    """Return every override that ends after a moment; at most 200."""
    return await _kept_overrides(conn, "ORDER BY o.since, o.override", since=since)


async def _kept_overrides(conn: Conn, which: str, **values: object) -> list[KeptOverride]:
    async with conn.cursor(row_factory=class_row(KeptOverride)) as cur:
        await cur.execute((_OVERRIDES + which + " LIMIT %(most)s").encode(), {**values, "most": _ROWS_MAX})
        return await cur.fetchall()


async def add_shift(
    conn: Conn, shift: Shift, *, home: str | None = None, team: str | None = None, now: datetime
) -> int:
    """Write a shift of a home or of a team, and return its number."""
    rows = await conn.execute(
        """
        INSERT INTO rota_shift (home, team, person, place, weekdays, begins, ends, valid_from, valid_until, made_at)
        VALUES (%s, %s, %s, %s, %s::smallint[], %s, %s, %s, %s, %s) RETURNING shift
        """,
        (
            *(home, team, shift.person, shift.place, sorted(shift.weekdays), shift.begins, shift.ends),
            *(shift.valid_from, shift.valid_until, now),
        ),
    )
    return _number(await rows.fetchone())


async def remove_shift(conn: Conn, shift: int, *, now: datetime) -> bool:
    """Let a shift count no more, and return whether it did until now."""
    done = await conn.execute(
        "UPDATE rota_shift SET removed_at = %s WHERE shift = %s AND removed_at IS NULL", (now, shift)
    )
    return done.rowcount == 1


async def add_override(
    conn: Conn, override: Override, *, home: str | None = None, team: str | None = None, now: datetime
) -> int:
    """Write that somebody cannot for a time; without home and team wherever this person is on duty."""
    rows = await conn.execute(
        """
        INSERT INTO rota_override (home, team, person, instead, since, until, made_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING override
        """,
        (home, team, override.person, override.instead, override.since, override.until, now),
    )
    return _number(await rows.fetchone())


async def remove_override(conn: Conn, override: int, *, now: datetime) -> KeptOverride | None:
    """Let an override count no more, and return what it was; None where it did not count any more."""
    found = await _kept_overrides(conn, "AND o.override = %(override)s", since=now, override=override)
    done = await conn.execute(
        "UPDATE rota_override SET removed_at = %s WHERE override = %s AND removed_at IS NULL", (now, override)
    )
    return found[0] if found and done.rowcount == 1 else None


async def homes_with(conn: Conn, person: str, *, since: datetime) -> list[str]:
    """Return the homes on whose rota a person stands, always, in shifts or instead of somebody; at most 200."""
    rows = await conn.execute(
        """
        SELECT home FROM (
            SELECT home FROM telling_step WHERE person = %(person)s
            UNION SELECT COALESCE(s.home, t.home) FROM rota_shift s LEFT JOIN home_team t USING (team)
            WHERE s.person = %(person)s AND s.removed_at IS NULL
            UNION SELECT COALESCE(o.home, t.home) FROM rota_override o LEFT JOIN home_team t USING (team)
            WHERE o.instead = %(person)s AND o.removed_at IS NULL AND o.until > %(since)s
            UNION SELECT steps.home FROM rota_override o JOIN telling_step steps USING (person)
            WHERE o.instead = %(person)s AND o.removed_at IS NULL AND o.until > %(since)s
              AND o.home IS NULL AND o.team IS NULL
            UNION SELECT COALESCE(s.home, t.home) FROM rota_override o JOIN rota_shift s USING (person)
            LEFT JOIN home_team t ON t.team = s.team
            WHERE o.instead = %(person)s AND o.removed_at IS NULL AND o.until > %(since)s
              AND o.home IS NULL AND o.team IS NULL AND s.removed_at IS NULL
        ) here WHERE home IS NOT NULL ORDER BY home LIMIT %(most)s
        """,
        {"person": person, "since": since, "most": _ROWS_MAX},
    )
    return [home for (home,) in await rows.fetchall()]


# Teams.


async def set_team(conn: Conn, team: str, name: str) -> None:
    """Write what a team is called."""
    await conn.execute(
        "INSERT INTO team (team, name) VALUES (%s, %s) ON CONFLICT (team) DO UPDATE SET name = excluded.name",
        (team, name),
    )


async def set_home_team(conn: Conn, home: str, team: str | None) -> None:
    """Write whose shifts are told about a home besides its own; None: nobody's."""
    async with conn.transaction():
        await conn.execute("DELETE FROM home_team WHERE home = %s", (home,))
        if team is not None:
            await conn.execute("INSERT INTO home_team (home, team) VALUES (%s, %s)", (home, team))


async def team_of(conn: Conn, home: str) -> str | None:
    """Return the team of a home, or None."""
    rows = await conn.execute("SELECT team FROM home_team WHERE home = %s", (home,))
    row = await rows.fetchone()
    return None if row is None else str(row[0])


async def teams(conn: Conn) -> list[Team]:
    """Return every team with the number of its homes, by name; at most 200."""
    async with conn.cursor(row_factory=class_row(Team)) as cur:
        await cur.execute(
            "SELECT team, name, (SELECT count(*) FROM home_team h WHERE h.team = t.team) AS homes "
            "FROM team t ORDER BY name, team LIMIT %s",
            (_ROWS_MAX,),
        )
        return await cur.fetchall()


async def homes_of_team(conn: Conn, team: str) -> Sequence[str]:
    """Return the homes of a team, by name; at most 200."""
    rows = await conn.execute("SELECT home FROM home_team WHERE team = %s ORDER BY home LIMIT %s", (team, _ROWS_MAX))
    return [home for (home,) in await rows.fetchall()]


def _number(row: TupleRow | None) -> int:
    assert row is not None, "an insert returns its row"
    return int(row[0])

"""Who is on duty when: shifts, and who stands in for whom.  Written by operators, and by carers for themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerts.store import rotas
from alerts.telling import rota
from alerts.telling.rota import Duty, Override, Shift
from api import times
from api.office import changes, homes, people, said
from api.office.said import Form, Mistake, Mistakes

Connection = AsyncConnection[Any]

# Ours: who cannot for longer has left, or wants another shift.
_OVERRIDE_MAX: Final = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A home's rota from now on.

    Attributes:
        duties: who is told when, in order and without a hole.
        gaps: as far as nobody but the operator is told.
        has_operator: whether somebody is told after them.
    """

    home: str
    duties: Sequence[Duty]
    gaps: Sequence[Duty]
    has_operator: bool


async def ahead(conn: Connection, home: str, *, now: datetime, days: int = 7) -> Ahead:
    """Return who is told about a home in the days to come."""
    planned = await rotas.rota_of(conn, home, since=now)
    found = rota.duties(planned, since=now, until=times.midnight(times.local_date(now) + timedelta(days=days)))
    return Ahead(home, found, [duty for duty in found if not duty.persons], planned.operator is not None)


async def names(conn: Connection, looked: Ahead) -> dict[str, str]:
    """Return what the persons of a rota are called."""
    persons = sorted({person for one in looked.duties for person in one.persons})
    rows = await conn.execute("SELECT person, full_name FROM person WHERE person = ANY(%s)", (persons,))
    return dict(await rows.fetchall())


async def add_shift(conn: Connection, fields: Mapping[str, str], *, by: str, now: datetime) -> int:
    """Write a shift of a home or a team, and return its number.

    Args:
        conn: to the database.
        fields: home or team; person, days, begins, ends, place, valid_from (today where empty), valid_until (the last
            day; empty: it goes on).
        by: who writes.
        now: when.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form({"place": "1", "days": "every day", **{name: value for name, value in fields.items() if value}})
    home, team = await _whose(conn, form)
    person = await _who(conn, form, "person")
    days, place = form.take("days", said.weekdays), form.take("place", said.place)
    begins, ends = form.take("begins", said.wall_time), form.take("ends", said.wall_time)
    valid_from = form.may_take("valid_from", said.day) or times.local_date(now)
    last = form.may_take("valid_until", said.day)
    if last is not None and last < valid_from:
        form.wrong("valid_until", "is before the shift begins to count")
    form.require_right()
    assert person is not None, "it is needed"
    assert days is not None, "they are needed"
    assert place is not None, "it is needed"
    assert begins is not None, "it is needed"
    assert ends is not None, "it is needed"
    until = None if last is None else last + timedelta(days=1)
    shift = Shift(person, place, days, begins, ends, valid_from, until)
    content = {"team": team, "days": sorted(days), "begins": begins, "ends": ends, "place": place, "until": last}
    async with conn.transaction():
        number = await rotas.add_shift(conn, shift, home=home, team=team, now=now)
        await changes.note(
            conn, "shift added", by=by, now=now, home=home, person=person, content={"shift": number, **content}
        )
    return number


async def remove_shift(conn: Connection, shift: int, *, by: str, now: datetime, home: str | None = None) -> None:
    """Let a shift count no more.

    Raises:
        Mistakes: there is none of this number, or not of this home.
    """
    async with conn.transaction():
        one = await rotas.find_shift(conn, shift)
        if one is None or home not in (None, one.home) or not await rotas.remove_shift(conn, shift, now=now):
            raise Mistakes([Mistake("", f"There is no shift {shift}; `telecare rota show` has their numbers.")])
        await changes.note(
            conn, "shift removed", by=by, now=now, home=one.home, person=one.person, content={"shift": shift}
        )


async def add_override(conn: Connection, fields: Mapping[str, str], *, by: str, now: datetime) -> int:
    """Write that somebody cannot for a time, and who stands in: person, instead, since, until; home or team or neither.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    home, team = await _whose(conn, form) if fields.get("home") or fields.get("team") else (None, None)
    person, instead = await _who(conn, form, "person"), None
    if form.said("instead"):
        instead = await _who(conn, form, "instead")
    since, until = form.take("since", said.moment), form.take("until", said.moment)
    if since is not None and until is not None and not since < until <= since + _OVERRIDE_MAX:
        form.wrong("until", "is not after the beginning, or more than 92 days after it")
    elif until is not None and until <= now:
        form.wrong("until", "is over already")
    if person is not None and person == instead:
        form.wrong("instead", "nobody can stand in for themselves")
    form.require_right()
    assert person is not None, "it is needed"
    assert since is not None, "it is needed"
    assert until is not None, "it is needed"
    async with conn.transaction():
        made = Override(person, instead, since, until)
        number = await rotas.add_override(conn, made, home=home, team=team, now=now)
        content = {"override": number, "team": team, "instead": instead, "since": since, "until": until}
        await changes.note(conn, "override added", by=by, now=now, home=home, person=person, content=content)
    return number


async def remove_override(conn: Connection, override: int, *, by: str, now: datetime, of: str | None = None) -> None:
    """Let an override count no more.

    Raises:
        Mistakes: there is none of this number; or it is about others than `of`.
    """
    async with conn.transaction():
        one = await rotas.remove_override(conn, override, now=now)
        if one is None or of not in (None, one.person, one.instead):
            raise Mistakes([Mistake("", f"There is no override {override} to take back.")])
        await changes.note(
            conn, "override removed", by=by, now=now, home=one.home, person=one.person, content={"override": override}
        )


# What carers do by themselves.


def no_colleague() -> Mistake:
    """Return what is wrong with somebody who cannot stand in."""
    return Mistake("instead", "is nobody who is on duty where you are")


async def colleagues(conn: Connection, person: str) -> list[tuple[str, str]]:
    """Return key and name of whoever stands on a rota with this person, always or in shifts; at most 50."""
    rows = await conn.execute(
        """
        WITH on_rota AS (
            SELECT home, person FROM telling_step
            UNION SELECT COALESCE(s.home, t.home), s.person FROM rota_shift s LEFT JOIN home_team t USING (team)
            WHERE s.removed_at IS NULL
        )
        SELECT DISTINCT other.person, full_name
        FROM on_rota mine JOIN on_rota other USING (home) JOIN person p ON p.person = other.person
        WHERE mine.person = %(person)s AND other.person <> %(person)s AND left_at IS NULL AND phone IS NOT NULL
        ORDER BY full_name, other.person LIMIT 50
        """,
        {"person": person},
    )
    return await rows.fetchall()


async def nobody_instead(conn: Connection, person: str, *, now: datetime) -> list[rotas.KeptOverride]:
    """Return when a colleague of this person cannot and nobody stands in."""
    theirs = {key for key, _ in await colleagues(conn, person)}
    return [one for one in await rotas.all_overrides(conn, since=now) if one.person in theirs and one.instead is None]


async def take_over(conn: Connection, override: int, person: str, *, now: datetime) -> None:
    """Stand in for a colleague who cannot and for whom nobody does.

    Raises:
        Mistakes: there is no such hour any more: somebody else was quicker, or it was taken back.
    """
    async with conn.transaction():
        found = [one for one in await nobody_instead(conn, person, now=now) if one.override == override]
        if not found or await rotas.remove_override(conn, override, now=now) is None:
            raise Mistakes([Mistake("", "That is no longer open: somebody else stands in, or it was taken back.")])
        one = found[0]
        made = Override(one.person, person, one.since, one.until)
        number = await rotas.add_override(conn, made, home=one.home, team=one.team, now=now)
        content = {"override": number, "instead_of": override, "since": one.since, "until": one.until}
        await changes.note(conn, "stands in", by=person, now=now, home=one.home, person=one.person, content=content)


async def phone_of(conn: Connection, person: str) -> str:
    """Return the phone to which this person is texted, as people write it."""
    one = await people.find(conn, person)
    return people.spoken(one) if one is not None else ""


async def gaps(conn: Connection, *, now: datetime) -> list[tuple[str, Sequence[Duty]]]:
    """Return the homes, at most fifty, in which nobody but the operator is told at some hour of the week to come.

    Only those without anybody who is told at every hour are looked at: the others have no such hour unless somebody
    cannot, which the list of those who cannot says.
    """
    rows = await conn.execute(
        "SELECT home FROM home h WHERE erased_at IS NULL "
        "AND NOT EXISTS (SELECT FROM telling_step t WHERE t.home = h.home) ORDER BY home LIMIT 50"
    )
    looked = [await ahead(conn, home, now=now) for (home,) in await rows.fetchall()]
    return [(one.home, one.gaps) for one in looked if one.gaps]


# Teams.


async def save_team(conn: Connection, fields: Mapping[str, str], *, by: str, now: datetime) -> str:
    """Write a team, team and name, and return its key.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    team, name = form.take("team", said.key), form.take("name", said.words)
    form.require_right()
    assert team is not None, "it is needed"
    assert name is not None, "it is needed"
    async with conn.transaction():
        await rotas.set_team(conn, team, name)
        await changes.note(conn, "team written", by=by, now=now, content={"team": team, "name": name})
    return team


async def set_home_team(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write whose shifts are told about a home besides its own: team; empty: nobody's.

    Raises:
        Mistakes: there is no such team.
    """
    form = Form(fields)
    team = form.may_take("team", said.key)
    if team is not None and team not in {one.team for one in await rotas.teams(conn)}:
        form.wrong("team", f"there is no team {team!r}")
    form.require_right()
    async with conn.transaction():
        await rotas.set_home_team(conn, home, team)
        await changes.note(conn, "team of a home written", by=by, now=now, home=home, content={"team": team})


async def _whose(conn: Connection, form: Form) -> tuple[str | None, str | None]:
    """Return the home or the team that a form is about; exactly one."""
    home, team = form.may_take("home", said.key), form.may_take("team", said.key)
    if bool(form.said("home")) == bool(form.said("team")):
        form.wrong("home", "a shift is of a home, or of a team")
    if home is not None and not await homes.is_there(conn, home):
        form.wrong("home", f"there is no home {home!r}")
    if team is not None and team not in {one.team for one in await rotas.teams(conn)}:
        form.wrong("team", f"there is no team {team!r}")
    return home, team


async def _who(conn: Connection, form: Form, field: str) -> str | None:
    """Return a person who can be told."""
    person = form.take(field, said.key)
    one = await people.find(conn, person) if person else None
    if person and (one is None or one.left_at is not None):
        form.wrong(field, f"there is no person {person!r}")
    elif one is not None and one.phone is None:
        form.wrong(field, f"{one.full_name} has no phone number")
    return person

"""How does what a setup file says get into the tables, without undoing what people have changed since?

Everything is compared with what the file said the last time (`api.office.filed`).  What the file no longer has of who
may see a home, of shifts, covers, groups and teams is taken away; people, homes, sensors, rooms and consents stay until
a person takes them away.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

import alerts.store as alerts_store
import api.store as api_store
from alerts.store import pauses, rotas, thresholds, versions
from alerts.store.versions import ALL, Scope, Version, Width
from api import consents, times
from api.office import away, changes, duty, filed, homes, people, said
from api.office.filed import Filed, Numbered
from api.office.said import Mistake, Mistakes, e164
from deploy import street_thresholds
from deploy.street import Agreed, Home, Person, Sensor, Street
from deploy.street_rota import Cover, Shift
from deploy.street_thresholds import Thresholds
from ingest import devices, erasures

_BY: Final = "setup"

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a file.

    Attributes:
        dsn: of the same database, for what is written beside the connection.
    """

    conn: Connection
    dsn: str
    filed: Filed
    now: datetime


async def apply(conn: Connection, dsn: str, street: Street, *, now: datetime, takes_all: bool = False) -> list[str]:
    """Write what a street file says; only what changed counts as a change.

    Args:
        conn: in no transaction.
        dsn: of the same database.
        street: what the file says.
        now: when.
        takes_all: also what a person changed on a page since.

    Returns:
        What a person changed since and was kept, one sentence each.

    Raises:
        Mistakes: what the file says does not go together with what others wrote; nothing but its homes is written.
        CannotSet: likewise of thresholds.
    """
    named = {"home": [home.id for home in street.home], "person": [person.id for person in street.person]}
    gone = [f"{what} {key}" for what, keys in named.items() for key in await erasures.among(conn, what, keys)]
    if gone:
        raise Mistakes([Mistake("", f"{one} was erased: take it out of the file") for one in gone])

    def add_homes(blocking: Any) -> None:  # noqa: ANN401 - as `homes.blocking` gives it
        for home in street.home:
            devices.add_home(blocking, home.id, now=now)

    await homes.blocking(dsn, add_homes)
    async with conn.transaction():
        last = await filed.last_time(conn, [home.id for home in street.home], takes_all=takes_all)
        run = _Run(conn, dsn, last, now)
        await _people(run, street)
        await _service(run, street)
        for team in street.team:
            await _team(run, team.id, team.name)
            await _shifts(run, f"team {team.id}", team.shift, await rotas.shifts_of_team(conn, team.id), team=team.id)
        for home in street.home:
            await _home(run, home, street.service.operator)
        for person in street.person:
            await _covers(run, person.id, [one for one in street.cover if one.person == person.id])
        await _thresholds(run, street)
        await last.remember(conn, now=now)
        content = {"homes": [home.id for home in street.home], "people": [person.id for person in street.person]}
        await changes.note(conn, "street set up", by=_BY, now=now, content={**content, "kept": last.kept})
    return last.kept


def kinds_of(person: Person, street: Street) -> tuple[str, ...]:
    """Return what somebody is: what the file says, or else what follows from the homes that they stand in."""
    kinds = set(person.kinds)
    if not kinds:
        kinds |= {"family contact"} if any(person.id in home.family for home in street.home) else set()
        kinds |= {"unpaid carer"} if any(person.id in (*home.told, *home.carers) for home in street.home) else set()
    kinds |= {"operator"} if person.id == street.service.operator else set()
    return tuple(kind for kind in people.KINDS if kind in kinds)


# People.


@dataclass(frozen=True, slots=True)
class _Person:
    """One person of the file.

    Attributes:
        one: as the tables have them before this run; None: not at all.
        wanted: as the file has them, without their kinds.
    """

    one: people.Person | None
    key: str
    wanted: dict[str, Any]
    kinds: Sequence[str]

    @property
    def subject(self) -> str:
        return f"person {self.key}"

    @property
    def said(self) -> dict[str, Any]:
        return {**self.wanted, "kinds": sorted(self.kinds)}

    @property
    def stands(self) -> dict[str, Any] | None:
        if self.one is None:
            return None
        return {name: getattr(self.one, name) for name in self.wanted} | {"kinds": sorted(self.one.kinds)}


async def _people(run: _Run, street: Street) -> None:
    """Write everybody; whoever is written lets go of phone and address first, so that two may swap theirs."""
    written: list[_Person] = []
    for person in street.person:
        one = await people.find(run.conn, person.id)
        if one is not None and one.left_at is not None:
            run.filed.kept.append(f"person {person.id}: left on {times.short_day(times.local_date(one.left_at))}")
        else:
            written.append(_Person(one, person.id, _wanted(person), kinds_of(person, street)))
    changed = [each.key for each in written if run.filed.is_to_write(each.subject, each.said, each.stands)]
    await run.conn.execute("UPDATE person SET phone = NULL, email = NULL WHERE person = ANY(%s)", (changed,))
    for each in written:
        await run.filed.bring(each.subject, each.said, each.stands, partial(_person, run, each))


def _wanted(person: Person) -> dict[str, Any]:
    return {
        "full_name": person.name,
        "what": person.what,
        "phone": e164(person.phone) if person.phone else None,
        "email": person.email,
        "likes": person.likes,
    }


async def _person(run: _Run, person: _Person) -> None:
    reached: dict[str, str | None] = {"phone": person.wanted["phone"], "email": person.wanted["email"]}
    if others := await people.others_with(run.conn, person.key, **reached):
        raise Mistakes([Mistake(f"{person.subject}: {field}", f"is {name}'s") for field, name in others])
    await alerts_store.set_person(run.conn, person.key, **person.wanted, kinds=person.kinds)
    if person.one is not None:
        await people.forget_old_ways(run.conn, person.one, **reached)


async def _service(run: _Run, street: Street) -> None:
    wanted = {"name": street.service.name, "operator": street.service.operator}
    name, operator = await people.service(run.conn)
    stands = {"name": name, "operator": operator} if name else None
    await run.filed.bring("service", wanted, stands, partial(alerts_store.set_service, run.conn, *wanted.values()))


# Homes.


async def _home(run: _Run, home: Home, operator: str) -> None:
    this = f"home {home.id}"
    await _resident(run, home)
    told = list(await rotas.always_told(run.conn, home.id)) or None
    write = partial(alerts_store.set_telling, run.conn, home.id, home.told)
    await run.filed.bring(f"{this}: told", list(home.told), told, write, home=home.id)
    await homes.add_rooms(run.conn, home.id, home.every_room())
    await _sensors(run, home)
    await _sights(run, home, operator)
    for agreed in home.consent:
        await _consents(run, home, agreed)
    team = await rotas.team_of(run.conn, home.id)
    write = partial(rotas.set_home_team, run.conn, home.id, home.team)
    await run.filed.bring(f"{this}: team", home.team, team, write, home=home.id)
    kept = [one for one in await rotas.shifts_of(run.conn, home.id) if one.home == home.id]
    await _shifts(run, this, home.shift, kept, home=home.id)
    await _away(run, home)
    group = await versions.group_of(run.conn, home.id)
    await run.filed.bring(f"{this}: group", home.group, group, partial(_group, run, home, group), home=home.id)


async def _resident(run: _Run, home: Home) -> None:
    resident = home.resident
    wanted: dict[str, str | None] = {
        "first_name": resident.first_name,
        "full_name": resident.name,
        "phone": e164(resident.phone) if resident.phone else None,
        "address": resident.address,
        "know": resident.know,
    }
    one = await alerts_store.resident_of(run.conn, home.id)
    stands = None if one is None else {name: getattr(one, name) for name in wanted}
    write = partial(alerts_store.set_resident, run.conn, home.id, **wanted)  # type: ignore[arg-type]  # what is needed is there
    await run.filed.bring(f"home {home.id}: resident", wanted, stands, write, home=home.id)


async def _sensors(run: _Run, home: Home) -> None:
    rows = await run.conn.execute("SELECT sensor, kind, room, is_outer FROM sensor WHERE home = %s", (home.id,))
    standing = {sensor: rest for sensor, *rest in await rows.fetchall()}
    changed: list[Sensor] = []

    for sensor in home.sensor:
        wanted = {"kind": sensor.kind, "room": sensor.room, "door": sensor.door}
        stands = None
        if sensor.id in standing:
            kind, room, is_outer = standing[sensor.id]
            # A door of which the file says nothing stays as it is.
            door = None if sensor.door is None or is_outer is None else "outer" if is_outer else "inner"
            stands = {"kind": kind, "room": room, "door": door}
        write = partial(_note, changed, sensor)
        await run.filed.bring(f"home {home.id}: sensor {sensor.id}", wanted, stands, write, home=home.id)

    def write_all(blocking: Any) -> None:  # noqa: ANN401 - as `homes.blocking` gives it
        for one in changed:
            is_outer = None if one.door is None else one.door == "outer"
            devices.set_sensor(blocking, devices.Sensor(home.id, one.id, one.room, one.kind, is_outer))

    if changed:
        await homes.blocking(run.dsn, write_all)
    await alerts_store.set_sensors(run.conn, home.id, now=run.now)


async def _note(changed: list[Sensor], sensor: Sensor) -> None:
    changed.append(sensor)


async def _sights(run: _Run, home: Home, operator: str) -> None:
    """Let who stands in the file see the home; and who no longer does, no longer."""
    rows = await run.conn.execute(
        "SELECT person, array_agg(view ORDER BY view) FROM access_grant "
        "WHERE home = %s AND withdrawn_at IS NULL GROUP BY person",
        (home.id,),
    )
    standing: dict[str, list[str]] = dict(await rows.fetchall())
    # Who gets what nobody else took must be able to see it, take it and close it.
    given = {"carer": {*home.carers, operator}, "family": set(home.family)}
    subject = f"home {home.id}: sight of "
    was_given = {one.removeprefix(subject) for one in run.filed.before if one.startswith(subject)}
    for person in sorted({*given["carer"], *given["family"], *was_given}):
        views: list[api_store.View] = [view for view in ("carer", "family") if person in given[view]]  # type: ignore[misc]  # both are views
        write = partial(api_store.set_access, run.conn, person, home.id, views, given_by=_BY, now=run.now)
        await run.filed.bring(f"{subject}{person}", views or None, standing.get(person), write, home=home.id)


async def _consents(run: _Run, home: Home, agreed: Agreed) -> None:
    if agreed.to == "care":
        await _consent(run, home, agreed)
        return
    for view, given in (("family", home.family), ("carer", home.carers)):
        for person in given:
            if not agreed.who or person in agreed.who:
                await _consent(run, home, agreed, person, view)


async def _consent(run: _Run, home: Home, agreed: Agreed, person: str | None = None, view: str | None = None) -> None:
    until = times.midnight(agreed.until + timedelta(days=1))
    about = "care" if person is None else f"sight of {person}, {view}"
    subject = f"home {home.id}: consent to {about}"
    if until <= run.now:
        run.filed.kept.append(f"{subject}: is over since the end of {agreed.until}, and was not written")
        return
    words = {"basis": agreed.basis, "said_by": agreed.said_by, "why": agreed.why}
    of_this = [one for one in await consents.of_home(run.conn, home.id) if (one.person, one.view) == (person, view)]
    stands: dict[str, str] | None = None
    if of_this:
        newest = of_this[0]
        stands = {name: getattr(newest, name) for name in words} | {"until": _last_day(newest.until)}
        stands |= {"taken back": "yes"} if newest.withdrawn_at is not None else {}
    whom = partial(consents.write, run.conn, home.id, agreed.to, person=person, view=view)
    write = partial(whom, **words, until=until, by=_BY, now=run.now)
    await run.filed.bring(subject, {**words, "until": agreed.until.isoformat()}, stands, write, home=home.id)


async def _away(run: _Run, home: Home) -> None:
    """Write when nobody looks for the resident; what is over, or was taken back by a person, is not written again."""
    if home.away is not None and away.end_of(home.away.until) <= run.now:
        return
    subject = f"home {home.id}: away"
    before, stands = run.filed.before.get(subject), await pauses.of_home(run.conn, home.id, now=run.now)
    is_the_files = stands is not None and stands.by == _BY
    if home.away is None and not is_the_files:
        return  # Somebody wrote it on a page, where such things belong.
    wanted: dict[str, str] = {} if home.away is None else msgspec.to_builtins(home.away)
    fields = {name: value for name, value in wanted.items() if value}

    async def write() -> None:
        if fields:
            await away.begin(run.conn, home.id, fields, by=_BY, now=run.now)
        else:
            await away.end(run.conn, home.id, by=_BY, now=run.now)

    # What the file wrote stands as the file had it, also where it has ended by itself.
    has_ended = before is not None and away.end_of(before["until"]) <= run.now
    standing = before if is_the_files or has_ended else None if stands is None else _away_said(stands)
    await run.filed.bring(subject, fields or None, standing, write, home=home.id)


def _away_said(stands: pauses.Pause) -> dict[str, str]:
    return {"kind": stands.kind, "until": times.iso(stands.until), "why": stands.why, "by": stands.by}


def _last_day(until: datetime) -> str:
    return times.local_date(until - timedelta(seconds=1)).isoformat()


async def _group(run: _Run, home: Home, was_in: str | None) -> None:
    """Let a home be in the group that the file says, and in no other."""
    group = home.group or was_in
    assert group is not None, "it differs from what stands"
    others = (await versions.groups(run.conn)).get(group, ())
    members = sorted({*others, home.id} if home.group else {*others} - {home.id})
    change = thresholds.Change(by=_BY, why="as the setup file says", at=run.now)
    await thresholds.make_group(run.conn, group, members, change)


# The rota.


async def _team(run: _Run, team: str, name: str) -> None:
    stands = {one.team: one.name for one in await rotas.teams(run.conn)}
    await run.filed.bring(f"team {team}", name, stands.get(team), partial(rotas.set_team, run.conn, team, name))


async def _shifts(
    run: _Run,
    whose: str,
    shifts: Sequence[Shift],
    standing: Collection[rotas.KeptShift],
    *,
    home: str | None = None,
    team: str | None = None,
) -> None:
    async def add(fields: Mapping[str, str]) -> int:
        of = {"home": home or "", "team": team or ""}
        return await duty.add_shift(run.conn, {**fields, **of}, by=_BY, now=run.now)

    rows = Numbered({one.shift for one in standing}, add, partial(duty.remove_shift, run.conn, by=_BY, now=run.now))
    wanted = {_spoken(shift.fields()): shift.fields() for shift in shifts}
    await run.filed.bring_numbered(f"{whose}: shift ", wanted, rows, home=home)


async def _covers(run: _Run, person: str, covers: Sequence[Cover]) -> None:
    """Write when somebody cannot, and who stands in; what is over is left as it was."""

    async def add(fields: Mapping[str, str]) -> int:
        return await duty.add_override(run.conn, fields, by=_BY, now=run.now)

    standing = {one.override for one in await rotas.all_overrides(run.conn, since=run.now)}
    rows = Numbered(standing, add, partial(duty.remove_override, run.conn, by=_BY, now=run.now))
    wanted = {_spoken(one.fields()): one.fields() for one in covers if said.moment(one.until) > run.now}
    await run.filed.bring_numbered(f"cover of {person}: ", wanted, rows)


def _spoken(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


# Thresholds.


async def _thresholds(run: _Run, street: Street) -> None:
    wanted = [(ALL, street.thresholds), *((Scope(Width.GROUP, one.id), one.thresholds) for one in street.group)]
    wanted += [(Scope(Width.HOME, home.id), home.thresholds) for home in street.home]
    groups = await versions.groups(run.conn)
    for scope, numbers in wanted:
        if scope.group is not None and scope.group not in groups:
            change = thresholds.Change(by=_BY, why="as the setup file says", at=run.now)
            await thresholds.make_group(run.conn, scope.group, [], change)
        kept = await _set(run, scope, numbers)
        if kept is not None:
            by, on = kept.set_by_name or kept.set_by, times.short_day(times.local_date(kept.set_at))
            what = f"{scope.width} {scope.name}: thresholds" if scope.name else "thresholds"
            run.filed.kept.append(f"{what}: are those that {by} set on {on} (version {kept.version})")


async def _set(run: _Run, scope: Scope, said: Thresholds) -> Version | None:
    numbers = street_thresholds.numbers_of(said)
    return await thresholds.set_as_file_says(run.conn, scope, numbers, now=run.now, takes_all=run.filed.takes_all)

"""What does whoever is at the server do by hand with people, homes and the rota?

The same functions as the operator's pages have, said on the command line: what is wrong comes back all at once, one
sentence a field, and every act leaves a change record by "the command line".
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store import rotas
from api import consents, times
from api.office import agreed, away, duty, erasing, homes, people, said
from api.views import fleet, state
from deploy.admin import BY_HAND, Cannot, clock_of
from deploy.platform import running_database
from gateway.clock import Clock
from ingest.db.pool import settings

T = TypeVar("T")
Connection = AsyncConnection[Any]
Fields = Mapping[str, str | None]

_AHEAD_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the database is, and what time it is there.

    Attributes:
        stretch: by how much promises may be kept later while time is sped up.
    """

    dsn: str
    now: datetime
    real_now: datetime
    stretch: timedelta = timedelta(0)

    @classmethod
    def at(cls, data: Path, environment: Mapping[str, str]) -> "Desk":
        """Return the desk of a running platform.

        Raises:
            Missing: there is none.
        """
        clock = clock_of(data, environment)
        return cls(running_database(environment, data), clock.now(), Clock().now(), clock.stretch())

    def do(self, act: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something with a connection of one's own."""

        async def connected() -> T:
            async with await AsyncConnection.connect(self.dsn, **settings("desk")) as conn:  # type: ignore[arg-type]  # libpq's own words
                return await act(conn)

        return asyncio.run(connected())


def _given(fields: Fields) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


# People.


def people_list(desk: Desk, like: str) -> None:
    """Print who is there, at most a hundred."""
    found = desk.do(lambda conn: people.listed(conn, like=like))
    for one in found:
        what = f", {one.what}" if one.what else ""
        is_last = "  (gets what nobody else can be told)" if one.is_last else ""
        reached = one.email if one.email and not one.phone else people.spoken(one)
        print(f"{one.person:20} {one.full_name}{what}; {reached}; {', '.join(one.kinds) or '-'}{is_last}")
    if not found:
        print("nobody")
    if len(found) == people.PEOPLE_MAX:
        print(f"the first {people.PEOPLE_MAX}; `telecare people list PART` finds others")


def people_add(desk: Desk, fields: Fields) -> None:
    """Add a person."""
    person = desk.do(lambda conn: people.save(conn, _given(fields), is_new=True, by=BY_HAND, now=desk.now))
    print(f"{person} is added")


def people_change(desk: Desk, person: str, fields: Fields) -> None:
    """Change what is said about a person; what is not said stays."""

    async def change(conn: Connection) -> None:
        one = await people.find(conn, person)
        if one is None:
            raise Cannot(f"There is no person {person!r}; `telecare people list` shows them.")
        before = {"name": one.full_name, "what": one.what, "phone": one.phone, "email": one.email, "likes": one.likes}
        written = {**_given({**before, "kinds": ",".join(one.kinds)}), **_given(fields), "person": person}
        await people.save(conn, written, is_new=False, by=BY_HAND, now=desk.now)

    desk.do(change)
    print(f"{person} is changed")


def people_leave(desk: Desk, person: str, *, is_sure: bool) -> None:
    """Let somebody be no longer one of us; not without a word where then nobody would be told."""

    async def leave(conn: Connection) -> people.Leaving:
        means = await people.leaving(conn, person, now=desk.now)
        if means.only_one_in and not is_sure:
            raise Cannot(
                f"Then nobody but the operator would be told at every hour in {', '.join(means.only_one_in)}. "
                "Write who is told there instead, or say --yes."
            )
        await people.leave(conn, person, by=BY_HAND, now=desk.now, real_now=desk.real_now)
        return means

    means = desk.do(leave)
    print(f"{person} has left: signed out, given nothing, told of nothing")
    if means.told_in:
        print(f"was told of alarms in {', '.join(means.told_in)}")


def people_erase(desk: Desk, person: str, sure: str | None) -> None:
    """Say what erasing a person takes away; with their key again, have it done."""
    if sure is None:
        print("\n".join(desk.do(lambda conn: _person_goes(conn, person))))
        return
    asked = partial(erasing.erase_person, by=BY_HAND, now=desk.now, real_now=desk.real_now)
    desk.do(lambda conn: asked(conn, person, sure))
    print(f"{person} is signed out and told of nothing; ingest erases the rest within a minute")


async def _person_goes(conn: Connection, person: str) -> list[str]:
    one = await people.find(conn, person)
    if one is None:
        raise Cannot(f"There is no person {person!r}; `telecare people list` shows them.")
    return [
        f"erasing {person} takes away:",
        *(f"  {line}" for line in erasing.of_person(one)),
        f"`telecare people erase {person} --sure {person}` does it; it cannot be undone",
    ]


def homes_erase(desk: Desk, home: str, sure: str | None) -> None:
    """Say what erasing a home takes away; with its name again, have it done."""
    if sure is None:
        print("\n".join(desk.do(lambda conn: _home_goes(conn, home, now=desk.now))))
        return
    asked = partial(erasing.erase_home, by=BY_HAND, now=desk.now, real_now=desk.real_now)
    desk.do(lambda conn: asked(conn, home, sure))
    print(f"{home} is shown and judged no more, and its boxes are turned away; ingest erases the rest within minutes")


async def _home_goes(conn: Connection, home: str, *, now: datetime) -> list[str]:
    await homes.require(conn, home)
    goes = await erasing.of_home(conn, home)
    lines = [f"erasing {home} takes away:", *(f"  {line}" for line in goes.sentences(now=now))]
    lines += [f"first close the open alert {alert}" for alert in goes.open_alerts]
    lines += [f"{name} sees or is told of no other home: `telecare people erase {key}`" for key, name in goes.only_here]
    return [*lines, f"`telecare homes erase {home} --sure {home}` does it; it cannot be undone"]


def people_reset_factor(desk: Desk, person: str, why: str) -> None:
    """Take somebody's password and second factor away, whose authenticator is lost."""
    desk.do(lambda conn: people.reset_factor(conn, person, why, by=BY_HAND, now=desk.now, real_now=desk.real_now))
    print(f"{person} has no password any more, and is signed out; `telecare log-in {person}` prints a link")


def people_service(desk: Desk, name: str, operator: str) -> None:
    """Write what the service is called, and whose phone gets what nobody else can be told."""
    fields = {"service": name, "operator": operator}
    desk.do(lambda conn: people.set_last(conn, fields, by=BY_HAND, now=desk.now))
    print(f"{name}: {operator} gets what nobody else can be told")


# Homes.


def homes_list(desk: Desk) -> None:
    """Print every home, at most a thousand."""
    found = desk.do(homes.listed)
    print(f"{'home':32} {'resident':28} {'boxes':>5} {'sensors':>7} {'told':>4}")
    for home, name, boxes, sensors, told in found:
        print(f"{home:32} {name or '-':28} {boxes:5} {sensors:7} {told:4}")


def homes_add(desk: Desk, fields: Fields) -> None:
    """Add a home with its resident."""
    home = desk.do(lambda conn: homes.add(conn, desk.dsn, _given(fields), by=BY_HAND, now=desk.now))
    print(f"{home} is there; what is still to do: `telecare homes show {home}`")


def homes_resident(desk: Desk, home: str, fields: Fields) -> None:
    """Change what is said about a resident, who may have moved house within the same home; what is not said stays."""

    async def change(conn: Connection) -> None:
        await homes.require(conn, home)
        one = await alerts_store.resident_of(conn, home)
        before: Fields = {}
        if one is not None:
            before = {
                "first_name": one.first_name,
                "name": one.full_name,
                "phone": one.phone,
                "address": one.address,
                "know": one.know,
                "person": await homes.signs_in_as(conn, home),
            }
        written = {**_given(before), **_given(fields)}
        await homes.save_resident(conn, home, written, by=BY_HAND, now=desk.now)

    desk.do(change)
    print(f"the resident of {home} is written")


def homes_rooms(desk: Desk, home: str, named: list[str]) -> None:
    """Write which rooms a home has."""
    _in_home(desk, home, lambda conn, by: homes.save_rooms(conn, home, {"rooms": ",".join(named)}, **by))
    print(f"{home} has the rooms {', '.join(named)}")


def homes_sensor(desk: Desk, home: str, fields: Fields) -> None:
    """Write what a sensor is, and where it stands."""
    _in_home(desk, home, lambda conn, by: homes.save_sensor(conn, desk.dsn, home, _given(fields), **by))
    print(f"{fields['sensor']} is a sensor of {home}")


def homes_no_sensor(desk: Desk, home: str, sensor: str) -> None:
    """Let a sensor be no longer a home's."""
    _in_home(desk, home, lambda conn, by: homes.remove_sensor(conn, home, sensor, **by))
    print(f"{sensor} is no sensor of {home} any more; what it said is kept")


def homes_told(desk: Desk, home: str, persons: list[str], *, is_sure: bool) -> None:
    """Write who is told at every hour, the first first."""
    fields = {"told": ",".join(persons), "sure": "yes" if is_sure else ""}
    _in_home(desk, home, lambda conn, by: homes.save_told(conn, home, fields, **by))
    print(f"told about {home}: {', then '.join(persons) or 'nobody but the operator'}")


def homes_give(desk: Desk, home: str, fields: Fields) -> None:
    """Let a person see a home, with the consent that it rests on."""
    _in_home(desk, home, lambda conn, by: agreed.give_sight(conn, home, _given(fields), **by))
    print(f"{fields['person']} may see {home} until the end of {fields['until']}")


def homes_consent(desk: Desk, home: str, fields: Fields) -> None:
    """Write the consent to being watched over."""
    _in_home(desk, home, lambda conn, by: agreed.give_care(conn, home, _given(fields), **by))
    print(f"{home} may be watched over until the end of {fields['until']}")


def homes_withdraw(desk: Desk, consent: int) -> None:
    """Take a consent back."""
    warnings = desk.do(lambda conn: agreed.withdraw(conn, consent, by=BY_HAND, now=desk.now))
    print("\n".join([f"consent {consent} is taken back, and what it allowed is over", *warnings]))


def homes_away(desk: Desk, home: str, fields: Fields) -> None:
    """Have nobody look for a resident for a time."""
    _in_home(desk, home, lambda conn, by: away.begin(conn, home, _given(fields), **by))
    print(f"nobody looks for whoever lives in {home} until {fields['until']}; alarms are told all the same")


def homes_back(desk: Desk, home: str) -> None:
    """Have somebody look for a resident again."""
    _in_home(desk, home, lambda conn, by: away.end(conn, home, **by))
    print(f"the pause of {home} is over: whoever lives there is looked for again, as far as the home can be seen")


def homes_team(desk: Desk, home: str, team: str) -> None:
    """Write whose shifts count for a home besides its own."""
    _in_home(desk, home, lambda conn, by: duty.set_home_team(conn, home, {"team": team}, **by))
    print(f"{home} belongs to {team or 'no team'}")


def homes_show(desk: Desk, home: str) -> None:
    """Print everything that is written of a home, how it is seen now, and what is still to do."""
    print("\n".join(desk.do(lambda conn: _home(conn, home, stretch=desk.stretch, now=desk.now))))


async def _home(conn: Connection, home: str, *, stretch: timedelta, now: datetime) -> list[str]:
    await homes.require(conn, home)
    one = await alerts_store.resident_of(conn, home)
    lines = [f"{home}: {one.full_name if one else 'no resident is written'}"]
    lines += [f"  rooms: {', '.join(await homes.rooms(conn, home)) or 'none'}"]
    for sensor in await homes.sensors(conn, home):
        lines.append(f"  sensor {sensor.sensor}: {sensor.kind}, {sensor.room or 'no room'}")
    for hub in await homes.hubs(conn, home):
        heard = "never heard" if hub.heard_at is None else f"last heard {times.when(hub.heard_at, now=now)}"
        network = f", on network {hub.network}" if hub.network else ""
        lines.append(f"  hub {hub.hub}: {'revoked' if hub.revoked_at else heard}{network}")
    told = [contact.full_name for contact in await alerts_store.telling_of(conn, home, at=now)]
    lines.append(f"  told now: {', then '.join(told) or 'nobody'}")
    for consent in await consents.of_home(conn, home):
        if consent.is_in_force(now=now):
            to = "being watched over" if consent.what == "care" else f"{consent.full_name}: {consent.view}'s page"
            last_day = times.long_day(times.local_date(consent.until - timedelta(seconds=1)))
            said_by = f"{consent.basis}, {consent.said_by}"
            lines.append(f"  consent {consent.consent} to {to}; {said_by}; until the end of {last_day}")
    lines.append(f"  seen now: {await _seen(conn, home, stretch=stretch, now=now)}")
    lines += [f"  TO DO: {warning}" for warning in await to_do(conn, home, now=now)]
    return lines


async def _seen(conn: Connection, home: str, *, stretch: timedelta, now: datetime) -> str:
    """Return how well a home is seen, and if not well, why and since when."""
    watch = await alerts_store.watch_of(conn, home, stretch=stretch)
    told = state.truth(watch, now=now, speed=1.0, stretch=stretch)
    why = ", ".join(fleet.causes_in_words(watch, told, now=now))
    since = f" since {times.when(told.since, now=now)}" if told.since is not None else ""
    return f"{told.state.value}{since}{f': {why}' if why else ''}"


async def to_do(conn: Connection, home: str, *, now: datetime) -> list[str]:
    """Return what a home lacks to be watched as it should, one sentence each."""
    return [*await homes.lacks(conn, home), *await agreed.warnings(conn, home, now=now)]


def _in_home(desk: Desk, home: str, act: Callable[[Connection, dict[str, Any]], Awaitable[None]]) -> None:
    async def do(conn: Connection) -> None:
        await homes.require(conn, home)
        await act(conn, {"by": BY_HAND, "now": desk.now})

    desk.do(do)


# The rota.


def rota_show(desk: Desk, home: str) -> None:
    """Print who is told in the days to come, with shifts and overrides by number; hours without anybody stand out."""
    print("\n".join(desk.do(lambda conn: _rota(conn, home, now=desk.now))))


async def _rota(conn: Connection, home: str, *, now: datetime) -> list[str]:
    await homes.require(conn, home)
    ahead = await duty.ahead(conn, home, now=now, days=_AHEAD_DAYS)
    names = await duty.names(conn, ahead)
    lines = []
    for one in ahead.duties:
        said_by = ", then ".join(names[person] for person in one.persons)
        last = "the operator" if ahead.has_operator else "NOBODY"
        begins, ends = times.local(one.since), times.local(one.until)
        lines.append(f"{begins:%a %d %b %H:%M} to {ends:%a %d %b %H:%M}  {said_by or f'nobody but {last}'}")
    for shift in await rotas.shifts_of(conn, home):
        of = f" (team {shift.team})" if shift.team else ""
        days = ",".join(said.WEEKDAYS[day] for day in shift.weekdays)
        lines.append(f"shift {shift.shift}: {shift.full_name}, {days}, {shift.begins:%H:%M} to {shift.ends:%H:%M}{of}")
    for override in await rotas.all_overrides(conn, since=now):
        if override.home in (None, home):
            instead = f"{override.instead_name} instead" if override.instead else "nobody instead"
            begins, ends = times.local(override.since), times.local(override.until)
            when = f"{begins:%a %d %b %Y %H:%M} to {ends:%a %d %b %Y %H:%M}"
            lines.append(f"override {override.override}: {override.full_name} cannot, {instead}, {when}")
    return lines


def rota_shift(desk: Desk, fields: Fields) -> None:
    """Add a shift."""
    number = desk.do(lambda conn: duty.add_shift(conn, _given(fields), by=BY_HAND, now=desk.now))
    print(f"shift {number} counts")


def rota_no_shift(desk: Desk, shift: int) -> None:
    """Remove a shift."""
    desk.do(lambda conn: duty.remove_shift(conn, shift, by=BY_HAND, now=desk.now))
    print(f"shift {shift} counts no more")


def rota_override(desk: Desk, fields: Fields) -> None:
    """Add an override."""
    number = desk.do(lambda conn: duty.add_override(conn, _given(fields), by=BY_HAND, now=desk.now))
    print(f"override {number} counts")


def rota_no_override(desk: Desk, override: int) -> None:
    """Remove an override."""
    desk.do(lambda conn: duty.remove_override(conn, override, by=BY_HAND, now=desk.now))
    print(f"override {override} counts no more")


def rota_team(desk: Desk, team: str, name: str) -> None:
    """Write a team."""
    desk.do(lambda conn: duty.save_team(conn, {"team": team, "name": name}, by=BY_HAND, now=desk.now))
    print(f"the team {team} is {name}")

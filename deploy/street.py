"""What does a setup file say: which homes, who lives there, who is told, which equipment, which thresholds?

One readable TOML file, the *street*, describes all of it; `street.md` has every key.  Everything is checked before
anything is written, and every mistake is reported with where it stands, all at once.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from alerts.judging import numbers
from api import consents
from api.office import away, people
from api.office.said import KINDS, e164, email, moment, one_of
from deploy import shapes, street_rota, street_thresholds
from deploy.street_rota import Cover, Shift, Team
from deploy.street_thresholds import Thresholds, numbers_of

_Id = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="lower case letters, digits and hyphens, at most 32"
    ),
]
_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Wrong(Exception):
    """The file cannot be used as it is; whoever wrote it must mend what the lines say.

    Attributes:
        mistakes: one sentence each, with where it stands.
    """

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who runs this, and whose phone gets what nobody else can be told."""

    name: _Words
    operator: _Id


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who may be told or may sign in: to be texted takes a phone, to sign in a phone or a mailbox."""

    id: _Id
    name: _Words
    phone: str | None = None
    what: _Words | None = None
    email: str | None = None
    likes: str = "text"
    kinds: tuple[str, ...] = ()


class Resident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person who is watched over."""

    first_name: _Words
    name: _Words
    phone: str | None = None
    address: _Words | None = None
    know: _Words | None = None


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensor as its hub calls it."""

    id: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9\-:._]{0,63}$", description="letters, digits and - : . _, at most 64"
        ),
    ]
    kind: str
    room: _Words | None = None
    door: Literal["outer", "inner"] | None = None  # None: the room's name says so: "front door"


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent: to being watched over, or to these people's seeing; left out: everybody in `family` and `carers`."""

    to: Literal["care", "data"]
    basis: str
    said_by: _Words
    why: _Words
    until: date
    who: tuple[_Id, ...] = ()


class Away(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When nobody looks for a resident: away, or paused because the resident asked for it."""

    until: str
    why: _Words
    since: str | None = None
    kind: Literal["away", "paused"] = "away"


class Home(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A watched place."""

    id: _Id
    resident: Resident
    hub: _Id
    told: tuple[_Id, ...]
    family: tuple[_Id, ...] = ()
    carers: tuple[_Id, ...] = ()
    rooms: tuple[_Words, ...] = ()
    sensor: tuple[Sensor, ...] = ()
    consent: tuple[Agreed, ...] = ()
    shift: tuple[Shift, ...] = ()
    away: Away | None = None
    group: _Id | None = None
    team: _Id | None = None
    thresholds: Thresholds = street_thresholds.NONE
    network: _Id | None = None  # what carries the hub's line

    def every_room(self) -> tuple[str, ...]:
        """Return the rooms, in the order in which they stand there: named as such, and of sensors."""
        return tuple(dict.fromkeys([*self.rooms, *(sensor.room for sensor in self.sensor if sensor.room)]))


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Homes that are judged by the same numbers where they have none of their own."""

    id: _Id
    thresholds: Thresholds = street_thresholds.NONE


class Street(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in one setup file."""

    service: Service
    person: tuple[Person, ...]
    home: tuple[Home, ...]
    team: tuple[Team, ...] = ()
    group: tuple[Group, ...] = ()
    cover: tuple[Cover, ...] = ()
    thresholds: Thresholds = street_thresholds.NONE  # for all homes


def read(path: Path) -> Street:
    """Return what a setup file says, checked.

    Raises:
        Wrong: it cannot be read or does not hold together.
    """
    try:
        street = shapes.struct_of(Street, tomllib.loads(path.read_bytes().decode()))
    except OSError as why:
        raise Wrong([f"{path} cannot be read: {why.strerror}"]) from why
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise Wrong([f"{path}: {why}"]) from why
    except shapes.Shapeless as why:
        raise Wrong(f"{path}: {mistake}" for mistake in why.mistakes) from why
    mistakes = [f"{path}: {mistake}" for mistake in _mistakes(street)]
    if mistakes:
        raise Wrong(mistakes)
    return street


def _mistakes(street: Street) -> Iterator[str]:
    people = {person.id for person in street.person}
    yield from _twice("person id", (person.id for person in street.person))
    yield from _twice("home id", (home.id for home in street.home))
    hubs = [home.hub for home in street.home]
    yield from _twice("hub", hubs)
    if "ingest" in hubs:
        yield "hub 'ingest' is the platform's own name on the broker; choose another"
    for person in street.person:
        yield from (f"person {person.id}: {mistake}" for mistake in _mistakes_of_a_person(person, street))
    yield from _twice("phone", filter(None, (_phone_of(person) for person in street.person)))
    yield from _twice("email", (person.email.lower() for person in street.person if person.email))
    if street.service.operator not in people:
        yield f"service: operator {street.service.operator!r} is not a person in this file"
    for home in street.home:
        yield from (f"home {home.id}: {mistake}" for mistake in _mistakes_of_a_home(home, people))
    yield from _mistakes_in_rotas(street, people)
    yield from _mistakes_in_thresholds(street)


def _phone_of(person: Person) -> str | None:
    """Return a person's phone; None where there is none, or it is one of the mistakes."""
    try:
        return None if person.phone is None else e164(person.phone)
    except ValueError:
        return None


def _mistakes_of_a_person(person: Person, street: Street) -> Iterator[str]:
    if person.phone is not None:
        yield from _refusals("phone", e164, person.phone)
    elif where := _told_in(person.id, street):
        yield f"phone: {people.phone_is_needed(where)}"
    elif person.email is None and _signs_in(person, street):
        yield f"phone: {people.REACH_IS_NEEDED}"
    if person.email is not None:
        yield from _refusals("email", email, person.email)
    yield from _refusals("likes", one_of(people.LIKES), person.likes)
    for kind in person.kinds:
        yield from _refusals("kinds", one_of(people.KINDS), kind)


def _told_in(person: str, street: Street) -> list[str]:
    """Return where a person is texted about alarms: always, in shifts, or instead of another."""
    homes = [home.id for home in street.home if person in {*home.told, *(shift.person for shift in home.shift)}]
    teams = [f"the team {team.id}" for team in street.team if person in {shift.person for shift in team.shift}]
    covers = [f"place of {one.person}" for one in street.cover if one.instead == person]
    return [*(["every home"] if person == street.service.operator else []), *homes, *teams, *covers]


def _signs_in(person: Person, street: Street) -> bool:
    sees = any(person.id in (*home.family, *home.carers) for home in street.home)
    return sees or people.signs_in(person.kinds)


def _mistakes_of_a_home(home: Home, people: set[str]) -> Iterator[str]:
    if home.id == "new":
        yield "id: a home cannot be called new: its pages would not be found"
    if not home.told:
        yield "told is empty: somebody must be told when something is wrong"
    yield from _twice("person in told", home.told)
    for role in ("told", "family", "carers"):
        for person in getattr(home, role):
            if person not in people:
                yield f"{role}: {person!r} is not a person in this file"
    yield from _mistakes_in_sensors(home)
    yield from _mistakes_in_consents(home)
    if home.resident.phone is not None:
        yield from _refusals("resident: phone", e164, home.resident.phone)
    yield from street_rota.mistakes_in_shifts(home.shift, people)
    if home.away is not None:
        yield from _refusals("away: until", away.end_of, home.away.until)
        yield from _refusals("away: since", moment, home.away.since) if home.away.since else ()


def _mistakes_in_sensors(home: Home) -> Iterator[str]:
    yield from _twice("sensor id", (sensor.id for sensor in home.sensor))
    for sensor in home.sensor:
        if sensor.kind not in KINDS:
            yield f"sensor {sensor.id}: kind {sensor.kind!r} is none of {', '.join(KINDS)}"
        if home.rooms and sensor.room is not None and sensor.room not in home.rooms:
            yield f"sensor {sensor.id}: there is no room {sensor.room!r}; the rooms are {', '.join(home.rooms)}"


def _mistakes_in_consents(home: Home) -> Iterator[str]:
    for agreed in home.consent:
        yield from _refusals("consent: basis", one_of(consents.BASES), agreed.basis)
        for person in agreed.who:
            if person not in {*home.family, *home.carers}:
                yield f"consent: {person!r} is neither in family nor in carers"
        if agreed.to == "care" and agreed.who:
            yield "consent: to care names nobody: it is about being watched over, not about who sees"


def _mistakes_in_rotas(street: Street, people: Collection[str]) -> Iterator[str]:
    teams = {team.id for team in street.team}
    yield from _twice("team", (team.id for team in street.team))
    for team in street.team:
        yield from (f"team {team.id}: {wrong}" for wrong in street_rota.mistakes_in_shifts(team.shift, people))
    for home in street.home:
        if home.team is not None and home.team not in teams:
            yield f"home {home.id}: team: {home.team!r} is not a team in this file"
    homes = {home.id for home in street.home}
    yield from street_rota.mistakes_in_covers(street.cover, people=people, homes=homes, teams=teams)


def _mistakes_in_thresholds(street: Street) -> Iterator[str]:
    yield from _twice("group", (group.id for group in street.group))
    found = [f"thresholds: {wrong}" for wrong in street_thresholds.mistakes(street.thresholds)]
    for group in street.group:
        found += [f"group {group.id}: thresholds: {wrong}" for wrong in street_thresholds.mistakes(group.thresholds)]
    for home in street.home:
        rooms = frozenset(room.casefold() for room in home.every_room())
        wrongs = street_thresholds.mistakes(home.thresholds, rooms)
        found += [f"home {home.id}: thresholds: {wrong}" for wrong in wrongs]
    yield from found or _mistakes_together(street)


def _mistakes_together(street: Street) -> Iterator[str]:
    """Return the homes for which the numbers of all, of their group and their own do not go together."""
    of_groups = {group.id: group.thresholds for group in street.group}
    for home in street.home:
        layers = (street.thresholds, of_groups.get(home.group or "", street_thresholds.NONE), home.thresholds)
        try:
            numbers.made_of([numbers_of(one) for one in layers], policy=None, versions=())
        except ValueError as why:
            yield f"home {home.id}: thresholds: {why}"


def _refusals(where: str, parse: Callable[[str], object], said: str) -> Iterator[str]:
    try:
        parse(said)
    except ValueError as why:
        yield f"{where}: {why}"


def _twice(what: str, values: Iterable[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"{what} {value!r} stands there {times} times"

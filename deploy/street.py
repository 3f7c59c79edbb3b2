"""What does a setup file say: which homes, who lives there, who is told, which equipment, which thresholds?

One readable TOML file, the *street*, describes all of it.  Everything is checked before anything is written,
and every mistake is reported with where it stands, all at once.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
import phonenumbers

_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

_DURATION = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}

KINDS: Final = (
    *("motion", "contact", "pendant", "pull-cord", "climate", "bed", "chair", "plug", "smoke", "water", "button"),
)
"""What a sensor is, for people; what it measures is told by its messages."""

RADIO_LISTS: Final[Mapping[str, frozenset[str]]] = {
    "pendants": frozenset({"pendant"}),
    "pull_cords": frozenset({"pull-cord"}),
    "seats": frozenset({"bed", "chair"}),
    # A plug in a street file is of what somebody switches on by hand; a fridge's is none of ours.
    "appliances": frozenset({"plug"}),
}
"""In which list of a hub's table `radio` a sensor stands, by its kind: what its messages do not tell."""


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
    """Someone who may be told or may sign in."""

    id: _Id
    name: _Words
    phone: str
    what: _Words | None = None


class Resident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person who is watched over."""

    first_name: _Words
    name: _Words
    phone: str | None = None
    address: _Words | None = None
    know: _Words | None = None


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensor as its hub calls it."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-:._]{0,63}$")]
    kind: str
    room: _Words | None = None


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers that a home is judged by; those left out are the product's own."""

    still_for: str | None = None
    waking: tuple[str, str] | None = None
    hub_silent_carer_after: str | None = None
    escalate_after: str | None = None
    again_after: str | None = None
    learned: bool | None = None


class Home(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A watched place."""

    id: _Id
    resident: Resident
    hub: _Id
    told: tuple[_Id, ...]
    family: tuple[_Id, ...] = ()
    carers: tuple[_Id, ...] = ()
    sensor: tuple[Sensor, ...] = ()
    thresholds: Thresholds = Thresholds()


class Street(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in one setup file."""

    service: Service
    person: tuple[Person, ...]
    home: tuple[Home, ...]


def read(path: Path) -> Street:
    """Return what a setup file says, checked.

    Raises:
        Wrong: it cannot be read or does not hold together.
    """
    try:
        street = msgspec.toml.decode(path.read_bytes(), type=Street)
    except OSError as why:
        raise Wrong([f"{path} cannot be read: {why.strerror}"]) from why
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Wrong([f"{path}: {_in_plain_words(str(why))}"]) from why
    mistakes = [f"{path}: {mistake}" for mistake in _mistakes(street)]
    if mistakes:
        raise Wrong(mistakes)
    return street


def duration(said: str) -> timedelta:
    """Return what `5 min`, `90s`, `4 h` or `1h 30min` says.

    Raises:
        ValueError: it is not a duration above zero.
    """
    parts = _DURATION.findall(said)
    if not parts or _DURATION.sub("", said).strip():
        raise ValueError(f"{said!r} is not a duration such as 5 min, 90s, 4h or 1h 30min")
    found = timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))
    if not timedelta(0) < found <= timedelta(days=366):
        raise ValueError(f"{said!r} is not between a second and a year")
    return found


def wall_time(said: str) -> time:
    """Return a time of day such as 07:00.

    Raises:
        ValueError: it is not one.
    """
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", said) is None:
        raise ValueError(f"{said!r} is not a time of day such as 07:00")
    return time.fromisoformat(said)


def e164(said: str) -> str:
    """Return a phone number as +447700900123; one without a country is taken for British.

    Raises:
        ValueError: nobody can be reached under it.
    """
    try:
        # Ofcom's numbers for drama (07700 900xxx) are possible but never valid, and demos need them.
        number = phonenumbers.parse(said, "GB")
        if not phonenumbers.is_possible_number(number):
            raise ValueError(f"{said!r} is not a phone number")
    except phonenumbers.NumberParseException as why:
        raise ValueError(f"{said!r} is not a phone number") from why
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _mistakes(street: Street) -> Iterator[str]:
    people = {person.id for person in street.person}
    yield from _twice("person id", (person.id for person in street.person))
    yield from _twice("home id", (home.id for home in street.home))
    hubs = [home.hub for home in street.home]
    yield from _twice("hub", hubs)
    if "ingest" in hubs:
        yield "hub 'ingest' is the platform's own name on the broker; choose another"
    phones: list[str] = []
    for person in street.person:
        try:
            phones.append(e164(person.phone))
        except ValueError as why:
            yield f"person {person.id}: {why}"
    yield from _twice("phone", phones)
    if street.service.operator not in people:
        yield f"service: operator {street.service.operator!r} is not a person in this file"
    for home in street.home:
        yield from (f"home {home.id}: {mistake}" for mistake in _mistakes_of_a_home(home, people))


def _mistakes_of_a_home(home: Home, people: set[str]) -> Iterator[str]:
    if not home.told:
        yield "told is empty: somebody must be told when something is wrong"
    yield from _twice("person in told", home.told)
    for role in ("told", "family", "carers"):
        for person in getattr(home, role):
            if person not in people:
                yield f"{role}: {person!r} is not a person in this file"
    yield from _twice("sensor id", (sensor.id for sensor in home.sensor))
    for sensor in home.sensor:
        if sensor.kind not in KINDS:
            yield f"sensor {sensor.id}: kind {sensor.kind!r} is none of {', '.join(KINDS)}"
    if home.resident.phone is not None:
        yield from _refusals("resident: phone", e164, home.resident.phone)
    yield from _mistakes_in_thresholds(home.thresholds)


def _mistakes_in_thresholds(thresholds: Thresholds) -> Iterator[str]:
    for name in ("still_for", "hub_silent_carer_after", "escalate_after", "again_after"):
        said = getattr(thresholds, name)
        if said is not None:
            yield from _refusals(f"thresholds: {name}", duration, said)
    for said in thresholds.waking or ():
        yield from _refusals("thresholds: waking", wall_time, said)
    if thresholds.waking is not None and thresholds.waking[0] == thresholds.waking[1]:
        yield "thresholds: waking begins and ends at the same time"


def _refusals(where: str, parse: Callable[[str], object], said: str) -> Iterator[str]:
    try:
        parse(said)
    except ValueError as why:
        yield f"{where}: {why}"


def _twice(what: str, values: Iterable[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"{what} {value!r} stands there {times} times"


def _in_plain_words(complaint: str) -> str:
    """Return msgspec's complaint with a path that a reader of TOML knows: `home[0].told`."""
    return complaint.replace("`$.", "`").replace("[...]", " (one of them)").replace("Object", "a table")

"""Which homes are there, who lives in them, and what hangs on their walls?

A street file is TOML:

    [[home]]
    id = "h1"
    resident = "early riser"          # a routine: see routines.ROUTINES; or "anyone": an invented household
    partner = "napper"                # optional: a second person, likewise
    visitors = ["cleaner"]            # optional: see routines.VISITS
    cats = 1                          # optional
    broker = "127.0.0.1:18831"        # the home's own broker
    user = "zigbee2mqtt"              # optional, with password or password_file
    password_file = "h1.secret"       # beside the street file, or absolute
    qos = 1                           # Zigbee2MQTT's device_options.qos, 0 or 1; 1 unless said

    [[home.sensor]]
    name = "Hallway motion"           # the friendly name
    kind = "motion"                   # see models.Kind
    room = "hallway"                  # a contact on the front door: room = "front door"
    model = "SNZB-03"                 # optional, see models.MODELS
    sees_pets = false                 # optional: a motion sensor that takes no notice of a cat

Rooms are hallway, kitchen, lounge, bedroom and bathroom; doors are front door, back door and fridge door; a bed
sensor's room is bed, a chair's is chair, a plug's is kettle or television.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from firmware_sim.home import HomeSpec
from firmware_sim.models import MODELS, USUAL_MODEL, Kind
from firmware_sim.radio import Broker
from firmware_sim.routines import ANYONE, ROUTINES, VISITS, Household, anyone
from firmware_sim.sensors import SensorSpec

_HOMES_MAX: Final = 1000
_SENSORS_MAX: Final = 100
_CATS_MAX: Final = 5
_USUAL_ROOM: Final = {Kind.BED: "bed", Kind.CHAIR: "chair"}


class BadStreet(Exception):
    """The street file cannot be lived in; whoever wrote it must mend it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A home of a street: how it is lived in, and how its equipment reaches its broker."""

    spec: HomeSpec
    broker: Broker
    qos: int


def street_in(path: Path, *, seed: int) -> tuple[Address, ...]:
    """Return the homes of a street file; `seed` decides who lives where it says `anyone`.

    Raises:
        BadStreet: it is missing, or a home in it is not complete; the message names the home.
    """
    try:
        street = tomllib.loads(path.read_text(encoding="utf-8"))
        homes = street.get("home", [])
        if not 0 < len(homes) <= _HOMES_MAX:
            raise BadStreet(f"{path} has {len(homes)} homes; 1 to {_HOMES_MAX} can be lived in")
        addresses = tuple(_address(home, beside=path.parent, seed=seed) for home in homes)
    except (OSError, ValueError) as why:
        raise BadStreet(f"{path}: {why}") from why
    _refuse_twice([address.spec.home for address in addresses], "home")
    return addresses


def _address(home: Mapping[str, Any], *, beside: Path, seed: int) -> Address:
    name = home.get("id", "without an id")
    try:
        spec = HomeSpec(
            home=_name(home["id"]),
            household=_household(home, seed=seed),
            sensors=tuple(_sensor(sensor) for sensor in home["sensor"]),
        )
        broker = _broker(home, beside=beside)
        qos = int(home.get("qos", 1))
    except (KeyError, TypeError, ValueError) as why:
        raise BadStreet(f"home {name}: not complete or not known: {why}") from why
    if qos not in (0, 1) or len(spec.sensors) > _SENSORS_MAX:
        raise BadStreet(f"home {name}: qos must be 0 or 1, and at most {_SENSORS_MAX} sensors fit")
    _refuse_twice([sensor.name for sensor in spec.sensors], f"sensor of home {name}")
    return Address(spec, broker, qos)


def _household(home: Mapping[str, Any], *, seed: int) -> Household:
    if home["resident"] == ANYONE:
        return anyone(seed=seed, home=str(home["id"]))
    cats = int(home.get("cats", 0))
    if not 0 <= cats <= _CATS_MAX:
        raise ValueError(f"{cats} cats")
    return Household(
        resident=ROUTINES[home["resident"]],
        partner=ROUTINES[home["partner"]] if "partner" in home else None,
        visits=tuple(VISITS[name] for name in home.get("visitors", [])),
        cats=cats,
    )


def _sensor(sensor: Mapping[str, Any]) -> SensorSpec:
    kind = Kind(sensor["kind"])
    model = sensor.get("model", USUAL_MODEL[kind])
    if not MODELS[model].fits(kind):
        raise ValueError(f"{model} is not a {kind.value} sensor")
    room = str(sensor.get("room", _USUAL_ROOM.get(kind, "")))
    return SensorSpec(_name(sensor["name"]), kind, room, model, sees_pets=bool(sensor.get("sees_pets", True)))


def _broker(home: Mapping[str, Any], *, beside: Path) -> Broker:
    host, _, port = str(home["broker"]).rpartition(":")
    password = home.get("password")
    if "password_file" in home:
        password = (beside / home["password_file"]).read_text(encoding="utf-8").strip()
    return Broker(host.strip("[]") or "127.0.0.1", int(port), home.get("user"), password)


def _name(text: object) -> str:
    """Return a name that can stand in an MQTT topic and in a file name.

    Raises:
        ValueError: it cannot.
    """
    name = str(text)
    if not name or len(name) > 64 or any(sign in "+#/\\\0" or not sign.isprintable() for sign in name):
        raise ValueError(f"{name!r} cannot name a topic")
    return name


def _refuse_twice(names: list[str], what: str) -> None:
    for name in set(names):
        if names.count(name) > 1:
            raise BadStreet(f"the {what} {name!r} is there twice")

"""Who lives in the demo's street beyond the three homes of its file?

As many homes as are asked for, with invented names and the numbers that Ofcom keeps for drama (07700 900200 and up).
Each has TIHM's five rooms and a front door, and some of what else a home may have; who lives there is for the simulator
to invent.
"""

from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from deploy import street
from deploy.street import Agreed, Home, Person, Resident, Sensor, Street

FILE: Final = Path(__file__).with_name("demo_street.toml")
HOMES_MAX: Final = 100
"""Each has a gateway and a broker of its own, which take some 60 MB together."""

_FIRST_PHONE: Final = 200
_UNTIL: Final = date(2099, 12, 31)
_FIRST_NAMES: Final = ("Agnes", "Bill", "Chandra", "Doris", "Ewan", "Fatima", "George", "Hazel", "Iain", "Jean")
_LAST_NAMES: Final = ("Adams", "Begum", "Cairns", "Duff", "Elliot", "Forbes", "Gray", "Hussain", "Innes", "Kerr")
_CHILDREN: Final = ("Nadia", "Owen", "Priya", "Ross", "Sheila", "Tariq", "Una", "Vikram", "Wendy", "Yusuf")
_ROADS: Final = ("Shore Road", "Mill Lane", "Church Wynd", "Station Brae", "Harbour Street")
_ALWAYS: Final = (
    Sensor("hall-motion", "motion", "hallway"),
    Sensor("kitchen-motion", "motion", "kitchen"),
    Sensor("lounge-motion", "motion", "lounge"),
    Sensor("bedroom-motion", "motion", "bedroom"),
    Sensor("bathroom-motion", "motion", "bathroom"),
    Sensor("front-door", "contact", "front door"),
    Sensor("pendant", "pendant"),
)
# Every home has some of these: which, by its number.
_SOMETIMES: Final = (
    Sensor("bed", "bed", "bedroom"),
    Sensor("kettle", "plug", "kitchen"),
    Sensor("lounge-climate", "climate", "lounge"),
    Sensor("back-door", "contact", "back door"),
    Sensor("smoke", "smoke", "kitchen"),
    Sensor("chair", "chair", "lounge"),
    Sensor("television", "plug", "lounge"),
    Sensor("fridge-door", "contact", "fridge door"),
    Sensor("water", "water", "kitchen"),
    Sensor("lounge-presence", "motion", "lounge"),
)


def street_of(homes: int) -> Street:
    """Return the demo's street with so many homes: those of its file first.

    Raises:
        ValueError: it cannot have so many.
    """
    if not 1 <= homes <= HOMES_MAX:
        raise ValueError(f"a demo has 1 to {HOMES_MAX} homes, not {homes}")
    written = street.read(FILE)
    further = [_invented(number) for number in range(len(written.home) + 1, homes + 1)]
    # What else the file says, such as who is a team, stands as it is.
    return msgspec.structs.replace(
        written,
        person=(*written.person, *(person for person, _ in further)),
        home=(*written.home[:homes], *(home for _, home in further)),
    )


def _invented(number: int) -> tuple[Person, Home]:
    """Return a home and the relative of who lives there."""
    # Ten and ten names are a hundred residents, each once.
    first, last = _FIRST_NAMES[number % 10], _LAST_NAMES[(number // 10 + number) % 10]
    child = _CHILDREN[(number * 7) % 10]
    road = _ROADS[number % len(_ROADS)]
    house = 20 + number
    name = f"{road.lower().replace(' ', '-')}-{house}"
    person = Person(
        id=f"{child.lower()}-{number}",
        name=f"{child} {last}",
        phone=f"07700 900{_FIRST_PHONE + number}",
        what=f"{first}'s {'daughter' if child in ('Nadia', 'Priya', 'Sheila', 'Una', 'Wendy') else 'son'}",
    )
    home = Home(
        id=name,
        resident=Resident(first_name=first, name=f"{first} {last}", address=f"{house} {road}"),
        hub=f"hub-{name}",
        told=(person.id, "jim"),
        family=(person.id,),
        carers=(person.id, "jim"),
        sensor=(*_ALWAYS, *(sensor for place, sensor in enumerate(_SOMETIMES) if (number + place) % 3 != 0)),
        consent=(
            Agreed("care", "resident", f"{first} {last}", "so that somebody comes when something is wrong", _UNTIL),
            Agreed("data", "resident", f"{first} {last}", "so that my family and my neighbour know how I am", _UNTIL),
        ),
    )
    return person, home

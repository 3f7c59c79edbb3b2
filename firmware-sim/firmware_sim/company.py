"""Who else sets off the sensors: those who come, and the cat?"""

import random
from datetime import date, datetime, timedelta
from typing import Final

from firmware_sim.happening import LOCAL, Happening, What, Who
from firmware_sim.hours import begins_at, wall
from firmware_sim.routines import Visits

_ROOMS: Final = ("kitchen", "lounge", "hallway", "bathroom", "bedroom")
# How long a cat rests between its walks, in minutes (shortest, longest), and when it mostly walks: dusk and dawn.
_RESTS_MIN: Final = (12.0, 260.0)
_LIVELY_HOURS: Final = frozenset({5, 6, 7, 17, 18, 19, 20, 21})
_VISITOR_STAYS_S: Final = (15.0, 240.0)


def visits_on(visits: Visits, *, seed: int, home: str, on: date) -> list[Happening]:
    """Return what someone who comes on some weekdays does on a date, or nothing."""
    chance = random.Random(f"{seed}/{home}/{visits.name}/{on.isoformat()}")
    if on.weekday() not in visits.days or chance.random() < 0.05:
        return []
    return visit(chance, at=wall(on, visits.comes_min + chance.gauss(0, 8)), minutes=visits.lasts_min)


def visit(chance: random.Random, *, at: datetime, minutes: float) -> list[Happening]:
    """Return a visit: in by the front door, about the rooms, and out again."""
    until = at + timedelta(minutes=minutes * chance.uniform(0.7, 1.2))
    seen = _Seen(Who.VISITOR, at)
    seen.through_the_front_door(chance)
    seen.happens(What.CAME_TO_VISIT, "front door")
    seen.passes(2)
    seen.happens(What.MOVED, "hallway")
    while seen.at < until:
        seen.happens(What.LEFT, seen.room)
        seen.passes(chance.uniform(3, 8))
        seen.room = chance.choice([room for room in _ROOMS if room != seen.room])
        for _ in range(chance.randint(2, 8)):
            seen.happens(What.MOVED, seen.room)
            shortest_s, longest_s = _VISITOR_STAYS_S
            seen.passes(shortest_s * (longest_s / shortest_s) ** chance.random())
    seen.happens(What.LEFT, seen.room)
    seen.happens(What.MOVED, "hallway")
    seen.passes(5)
    seen.happens(What.LEFT, "hallway")
    seen.through_the_front_door(chance)
    seen.happens(What.ENDED_THE_VISIT, "front door")
    return seen.happened


def cat_on(*, seed: int, home: str, cat: int, on: date) -> list[Happening]:
    """Return where a cat walks from 04:00 of a date to 04:00 of the next."""
    chance = random.Random(f"{seed}/{home}/cat {cat}/{on.isoformat()}")
    ends_at = begins_at(on + timedelta(days=1))
    seen = _Seen(Who.CAT, begins_at(on))
    shortest, longest = _RESTS_MIN
    while True:
        rests = shortest * (longest / shortest) ** chance.random()
        seen.passes(60 * rests * (0.5 if seen.at.astimezone(LOCAL).hour in _LIVELY_HOURS else 1))
        for _ in range(chance.randint(1, 3)):
            seen.happens(What.LEFT, seen.room)
            seen.room = chance.choice(_ROOMS)
            seen.happens(What.MOVED, seen.room)
            seen.passes(chance.uniform(4, 90))
        if seen.at >= ends_at:
            return [one for one in seen.happened if one.at < ends_at]


class _Seen:
    """Somebody who is seen here and there; it remembers."""

    def __init__(self, who: Who, at: datetime) -> None:
        self.at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        self.room = "hallway"
        self.happened: list[Happening] = []
        self._who = who

    def passes(self, seconds: float) -> None:
        self.at += timedelta(milliseconds=max(1, round(seconds * 1000)))

    def happens(self, what: What, room: str) -> None:
        self.happened.append(Happening(self.at, what, room, self._who))
        self.at += timedelta(milliseconds=1)

    def through_the_front_door(self, chance: random.Random) -> None:
        self.happens(What.DOOR_OPENED, "front door")
        self.passes(chance.uniform(5, 14))
        self.happens(What.DOOR_CLOSED, "front door")

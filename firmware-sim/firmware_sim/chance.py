"""What befalls a home by chance, and when does it end?

Off unless asked for.  Each incident begins on a date with its own rate and brings its end with it: who collapses
is found, a battery that dies is changed.  All of it is a function of seed, home and date, so a restart finds the same
fate.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from firmware_sim.faults import NEEDS_SENSOR, Do, Order
from firmware_sim.hours import begins_at, begins_on
from firmware_sim.models import MODELS
from firmware_sim.sensors import SensorSpec


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that may befall a home: how often, when, and after how long which order ends it.

    Attributes:
        begins: the order with which it begins.
        days_between: in the mean.
        hours: the wall hours between which it begins, counted from the midnight of its date.
        ends: the order with which it ends, or None: it ends by itself.
        lasts_h: between how many and how many hours after; evenly on a log scale.
    """

    begins: Do
    days_between: float
    hours: tuple[float, float] = (0, 24)
    ends: Do | None = None
    lasts_h: tuple[float, float] = (1, 1)


# A third of people over 65 fall once a year or more (NICE CG161, 2013, introduction); here somebody falls and stays
# down twice a year, so that a bench has something to find.  The other rates are ours, for the same reason.
INCIDENTS: Final = (
    Incident(Do.COLLAPSE, 180, (5, 27), Do.RECOVER, (1, 20)),
    Incident(Do.PRESS, 60, (6, 24)),
    Incident(Do.WANDER, 45, (24, 27)),
    Incident(Do.FORGET_DOOR, 60, (9, 20), Do.SHUT_DOOR, (0.5, 8)),
    Incident(Do.FALL_ILL, 120, (6, 20), Do.GET_WELL, (96, 240)),
    Incident(Do.HOLIDAY, 180, (8, 15), Do.BACK, (60, 350)),
    Incident(Do.VISITOR, 14, (10, 19)),
    Incident(Do.SMOKE, 365, (7, 20)),
    Incident(Do.LEAK, 730, (6, 23)),
    Incident(Do.HEATING_FAILS, 365, (0, 24), Do.HEATING_MENDED, (12, 72)),
    Incident(Do.BATTERY_FADES, 365, (0, 24), Do.BATTERY_CHANGED, (72, 400)),
    Incident(Do.BATTERY_DIES, 180, (0, 24), Do.BATTERY_CHANGED, (24, 240)),
    Incident(Do.SENSOR_STICKS, 365, (0, 24), Do.SENSOR_MENDED, (24, 240)),
    Incident(Do.POWER_CUT, 120, (0, 24), Do.POWER_BACK, (0.05, 12)),
    Incident(Do.LINE_CUT, 40, (0, 24), Do.LINE_BACK, (0.1, 72)),
    Incident(Do.CLOCK_WRONG, 365, (0, 24), Do.CLOCK_RIGHT, (1, 48)),
)
_LONGEST: Final = timedelta(days=18)


class Fate:
    """What chance holds for one home, from a moment on."""

    def __init__(self, home: str, sensors: Sequence[SensorSpec], *, seed: int, since: datetime) -> None:
        """Begin after a moment; what began before it and has not ended is known, so that it ends."""
        self._home = home
        self._sensors = sensors
        self._seed = seed
        self._drawn_until = begins_on(since - _LONGEST)
        self._coming: list[tuple[datetime, int, Order]] = []
        self._number = 0
        self._draw(since)
        while self._coming and self._coming[0][0] <= since:
            heapq.heappop(self._coming)

    def due(self, now: datetime) -> Iterator[Order]:
        """Yield what befalls the home up to and at `now`, in order; whether it can is for the home to say."""
        self._draw(now)
        while self._coming and self._coming[0][0] <= now:
            yield heapq.heappop(self._coming)[2]

    def next_at(self, now: datetime) -> datetime:
        """Return when something may befall the home next: not later, perhaps never."""
        self._draw(now)
        until = begins_at(self._drawn_until)
        return min(self._coming[0][0], until) if self._coming else until

    def _draw(self, now: datetime) -> None:
        while begins_at(self._drawn_until) <= now:
            for order in _befalls(self._home, self._sensors, seed=self._seed, on=self._drawn_until):
                self._number += 1
                heapq.heappush(self._coming, (order.at, self._number, order))
            self._drawn_until += timedelta(days=1)


def _befalls(home: str, sensors: Sequence[SensorSpec], *, seed: int, on: date) -> Iterator[Order]:
    """Yield the orders of all incidents that begin on a date, with their ends."""
    chance = random.Random(f"{seed}/{home}/{on.isoformat()}/chance")
    for incident in INCIDENTS:
        first, last = incident.hours
        # A date's own day begins at 04:00, and what is drawn for it may not begin before.
        at = begins_at(on) + timedelta(hours=max(0, chance.uniform(first, last) - 4))
        shortest, longest = incident.lasts_h
        ends_at = at + timedelta(hours=shortest * (longest / shortest) ** chance.random())
        sensor = _sensor_for(incident.begins, sensors, chance)
        befalls = chance.random() < 1 / incident.days_between
        if not befalls or (incident.begins in NEEDS_SENSOR and sensor is None):
            continue
        yield Order(_to_the_ms(at), incident.begins, sensor, is_chance=True)
        if incident.ends is not None:
            yield Order(_to_the_ms(ends_at), incident.ends, sensor, is_chance=True)


def _sensor_for(do: Do, sensors: Sequence[SensorSpec], chance: random.Random) -> str | None:
    """Return which sensor it befalls: one with a battery, where it is the battery's."""
    may = [spec.name for spec in sensors if do is Do.SENSOR_STICKS or not MODELS[spec.model].is_mains]
    drawn = chance.random()
    return may[int(drawn * len(may))] if may and do in NEEDS_SENSOR else None


def _to_the_ms(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)

"""Does a sensor need a new battery?

Some sensors say how full it is, in their own idea of per cent; others only that it is low.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from alerts.alert import Question
from alerts.judging import spell
from alerts.judging.finding import JSON, Verdict
from alerts.judging.given import Close
from alerts.judging.ground import Ground
from alerts.judging.sensed import Sensed
from alerts.judging.spell import SENSORS_MAX, Spell
from gateway.reading import Quantity

# Ours: a battery gives more in a warm room than in a cold one; a new one is far above.
_HYSTERESIS_PCT: Final = 10.0


@dataclass(slots=True)
class Battery:
    """A sensor's battery.

    Attributes:
        room: where; None where nobody said.
        said_at: when it was last heard of.
        said_pct: what it said then, or earlier; None: it never said a number.
        is_low: since when it is low, and what became of that.
    """

    room: str | None
    said_at: datetime
    said_pct: float | None = None
    is_low: Spell = field(default_factory=Spell)


@dataclass(slots=True)
class Batteries:
    """The batteries of a home."""

    batteries: dict[str, Battery] = field(default_factory=dict)

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in what is said of a battery."""
        if said.quantity not in {Quantity.BATTERY_PCT, Quantity.BATTERY_LOW}:
            return []
        battery = self.batteries.get(said.sensor)
        if battery is None:
            if len(self.batteries) >= SENSORS_MAX:
                return []
            battery = self.batteries[said.sensor] = Battery(said.room, said.at)
        elif said.at < battery.said_at:
            return []
        battery.said_at, battery.room = said.at, said.room
        if said.quantity == Quantity.BATTERY_PCT:
            battery.said_pct = said.value
        limit = ground.policy.battery_low_pct
        if _is_low(said, limit):
            battery.is_low.begin(said.at)
        elif _is_well(said, battery, limit):
            why: dict[str, JSON] = {"sensor": said.sensor, "room": said.room, "said_pct": battery.said_pct}
            return [*battery.is_low.end(Question.BATTERY_LOW, why, ground, at=said.received_at)]
        return []

    def due(self, ground: Ground) -> datetime | None:
        """Return when the next low battery is found; None: none is."""
        return min((due for _, _, due in self._dues(ground)), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the batteries that are low."""
        found: list[Verdict] = []
        for sensor, battery, due in list(self._dues(ground)):
            if due <= at:
                why: dict[str, JSON] = {
                    "sensor": sensor,
                    "room": battery.room,
                    "said_pct": battery.said_pct,
                    "limit_pct": ground.policy.battery_low_pct,
                }
                found.append(battery.is_low.raise_(Question.BATTERY_LOW, sensor, why, ground, at=at))
        return found

    def close(self, said: Close) -> None:
        """Take in that a person closed a finding."""
        if said.question is Question.BATTERY_LOW:
            spell.close({sensor: battery.is_low for sensor, battery in self.batteries.items()}, said)

    def _dues(self, ground: Ground) -> Iterator[tuple[str, Battery, datetime]]:
        if not ground.policy.is_battery_asked:
            return
        for sensor, battery in sorted(self.batteries.items()):
            low = battery.is_low
            if low.since is not None and low.asked.open is None:
                yield sensor, battery, max(ground.as_of, low.held_back_until(ground) or ground.as_of)


def _is_low(said: Sensed, limit_pct: float) -> bool:
    return said.value > 0 if said.quantity == Quantity.BATTERY_LOW else said.value <= limit_pct


def _is_well(said: Sensed, battery: Battery, limit_pct: float) -> bool:
    """Return whether it is low no more: fuller by the hysteresis, or said so by one that gives no number."""
    if said.quantity == Quantity.BATTERY_LOW:
        return battery.said_pct is None or battery.said_pct > limit_pct
    return said.value >= min(limit_pct + _HYSTERESIS_PCT, 100.0)

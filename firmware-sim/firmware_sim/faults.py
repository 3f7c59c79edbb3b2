"""What can befall a home by order or by chance, and what holds there because of it?

Orders come from outside (a test, a demo) or from chance, and are written into the diary, so that a restart knows them
again.  What they lead to is a small state: where the resident is and how they are, and what of the equipment works.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final


class Do(enum.Enum):
    """What can be ordered."""

    PRESS = "press"  # the pendant
    COLLAPSE = "collapse"  # no more movement until they are helped up
    RECOVER = "recover"
    OUT = "out"  # leaves by the front door, whatever the routine says
    HOLIDAY = "holiday"  # likewise, all who live there, and nobody comes
    BACK = "back"
    WANDER = "wander"  # walks about without aim for an hour
    FORGET_DOOR = "forget-door"  # the front door stands open
    SHUT_DOOR = "shut-door"
    FALL_ILL = "fall-ill"  # stays in bed but for the bathroom and a drink
    GET_WELL = "get-well"
    VISITOR = "visitor"  # somebody comes for an hour
    SMOKE = "smoke"  # burnt toast; the air is clear after four minutes
    LEAK = "leak"  # a pipe, mopped up after half an hour
    HEATING_FAILS = "heating-fails"
    HEATING_MENDED = "heating-mended"

    BATTERY_FADES = "battery-fades"  # of one sensor, nearly empty
    BATTERY_DIES = "battery-dies"  # it is silent from now on
    BATTERY_CHANGED = "battery-changed"
    SENSOR_STICKS = "sensor-sticks"  # it checks in, and notices nothing
    SENSOR_MENDED = "sensor-mended"
    POWER_CUT = "power-cut"  # of the whole home, its hub and broker included
    POWER_BACK = "power-back"
    LINE_CUT = "line-cut"  # from the hub to the platform
    LINE_BACK = "line-back"
    CLOCK_WRONG = "clock-wrong"  # the hub's
    CLOCK_RIGHT = "clock-right"


NEEDS_SENSOR: Final = {Do.BATTERY_FADES, Do.BATTERY_DIES, Do.BATTERY_CHANGED, Do.SENSOR_STICKS, Do.SENSOR_MENDED}


@dataclass(frozen=True, slots=True)
class Order:
    """Something done to a home at a moment; `sensor` where it is done to one (a press may name a pendant)."""

    at: datetime
    do: Do
    sensor: str | None = None
    is_chance: bool = False


class Whereabouts(enum.Enum):
    """Where orders have put the resident."""

    LIVING = "living"  # as the routine has it
    LYING = "lying"  # on the floor; does not move
    AWAY = "away"  # out of the house
    HOLIDAY = "on holiday"  # likewise, with all who live there; only the cat moves


_MOVES: Final = {
    (Whereabouts.LIVING, Do.COLLAPSE): Whereabouts.LYING,
    (Whereabouts.LIVING, Do.OUT): Whereabouts.AWAY,
    (Whereabouts.LIVING, Do.HOLIDAY): Whereabouts.HOLIDAY,
    (Whereabouts.LYING, Do.RECOVER): Whereabouts.LIVING,
    (Whereabouts.AWAY, Do.BACK): Whereabouts.LIVING,
    (Whereabouts.HOLIDAY, Do.BACK): Whereabouts.LIVING,
}
# What someone must be at home and on their feet for.
_NEEDS_LIVING: Final = {Do.WANDER, Do.FORGET_DOOR, Do.FALL_ILL}


class NotNow(Exception):
    """The order makes no sense as things stand; whoever gave it must look again."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds in a home because of orders.

    Attributes:
        whereabouts: of the resident.
        holds: of what is so until something undoes it, the orders that began it.
        unheated_since: when the heating failed; None while it works.
        faded: sensors whose battery is nearly empty.
        silent: sensors whose battery is dead.
        stuck: sensors that check in and notice nothing.
    """

    whereabouts: Whereabouts = Whereabouts.LIVING
    holds: frozenset[Do] = frozenset()
    unheated_since: datetime | None = None
    faded: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()

    @property
    def is_ill(self) -> bool:
        """Whether the resident keeps to their bed."""
        return Do.FALL_ILL in self.holds

    @property
    def door_stands_open(self) -> bool:
        """Whether the front door was forgotten; nobody notices until it is shut by order."""
        return Do.FORGET_DOOR in self.holds

    @property
    def has_power(self) -> bool:
        """Whether the home's mains are on."""
        return Do.POWER_CUT not in self.holds

    @property
    def has_line(self) -> bool:
        """Whether the hub reaches the platform, on which nothing in here depends."""
        return Do.LINE_CUT not in self.holds

    @property
    def has_right_clock(self) -> bool:
        """Whether the hub's clock is right, likewise."""
        return Do.CLOCK_WRONG not in self.holds

    def after(self, order: Order) -> "Condition":
        """Return what holds after an order.

        Raises:
            NotNow: it cannot be obeyed now (nobody who is away can collapse at home).
        """
        if order.do in NEEDS_SENSOR:
            return self._after_a_sensors(order)
        self._refuse_what_needs_someone(order.do)
        if any(order.do is do for _, do in _MOVES):
            moved = _MOVES.get((self.whereabouts, order.do))
            if moved is None:
                raise NotNow(f"cannot {order.do.value} while {self.whereabouts.value}")
            return replace(self, whereabouts=moved)
        if order.do is Do.HEATING_FAILS and self.unheated_since is None:
            return replace(self, unheated_since=order.at)
        if order.do is Do.HEATING_MENDED and self.unheated_since is not None:
            return replace(self, unheated_since=None)
        return self._after_a_switch(order.do)

    def _refuse_what_needs_someone(self, do: Do) -> None:
        if do is Do.PRESS and self.whereabouts in (Whereabouts.AWAY, Whereabouts.HOLIDAY):
            raise NotNow("the resident is away, and so is the pendant")
        if do in _NEEDS_LIVING and self.whereabouts is not Whereabouts.LIVING:
            raise NotNow(f"cannot {do.value} while {self.whereabouts.value}")

    def _after_a_sensors(self, order: Order) -> "Condition":
        it = {order.sensor or ""}
        match order.do:
            case Do.BATTERY_FADES:
                return replace(self, faded=self.faded | it)
            case Do.BATTERY_DIES:
                return replace(self, silent=self.silent | it)
            case Do.BATTERY_CHANGED:
                return replace(self, silent=self.silent - it, faded=self.faded - it)
            case Do.SENSOR_STICKS:
                return replace(self, stuck=self.stuck | it)
        return replace(self, stuck=self.stuck - it)

    def _after_a_switch(self, do: Do) -> "Condition":
        """Return what holds after something that is so or is not; ordering what is so already makes no sense."""
        if do in (Do.PRESS, Do.WANDER, Do.VISITOR, Do.SMOKE, Do.LEAK):
            return self
        undone = _UNDOES.get(do)
        if do in _UNDOES.values() and do not in self.holds:
            return replace(self, holds=self.holds | {do})
        if undone in self.holds:
            return replace(self, holds=self.holds - {undone})
        raise NotNow(f"cannot {do.value}: it is so already")


_UNDOES: Final = {
    Do.SHUT_DOOR: Do.FORGET_DOOR,
    Do.GET_WELL: Do.FALL_ILL,
    Do.POWER_BACK: Do.POWER_CUT,
    Do.LINE_BACK: Do.LINE_CUT,
    Do.CLOCK_RIGHT: Do.CLOCK_WRONG,
}


def condition_after(orders: Iterable[Order]) -> Condition:
    """Return what holds after these orders, given one after the other."""
    condition = Condition()
    for order in orders:
        condition = condition.after(order)
    return condition

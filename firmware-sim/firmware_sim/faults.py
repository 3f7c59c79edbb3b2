"""What has been done to a home by order: a press, a fall, a dead battery; and what holds now because of it?

Orders come from outside (a test, a demo) and are written into the diary, so that a restart knows them again.
What they lead to is a small state: where the resident is, and which sensors are silent.
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
    BACK = "back"
    BATTERY_DIES = "battery-dies"  # of one sensor, which is silent from now on
    BATTERY_CHANGED = "battery-changed"


NEEDS_SENSOR: Final = {Do.BATTERY_DIES, Do.BATTERY_CHANGED}


@dataclass(frozen=True, slots=True)
class Order:
    """Something done to a home at a moment; `sensor` where it is done to one (a press may name a pendant)."""

    at: datetime
    do: Do
    sensor: str | None = None


class Whereabouts(enum.Enum):
    """Where orders have put the resident."""

    LIVING = "living"  # as the routine has it
    LYING = "lying"  # on the floor; nothing in the home moves
    AWAY = "away"  # out of the house; nothing in the home moves


_NEXT: Final = {
    (Whereabouts.LIVING, Do.COLLAPSE): Whereabouts.LYING,
    (Whereabouts.LIVING, Do.OUT): Whereabouts.AWAY,
    (Whereabouts.LYING, Do.RECOVER): Whereabouts.LIVING,
    (Whereabouts.AWAY, Do.BACK): Whereabouts.LIVING,
}


class NotNow(Exception):
    """The order makes no sense as things stand; whoever gave it must look again."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds in a home because of orders."""

    whereabouts: Whereabouts = Whereabouts.LIVING
    silent: frozenset[str] = frozenset()

    def after(self, order: Order) -> "Condition":
        """Return what holds after an order.

        Raises:
            NotNow: it cannot be obeyed now (nobody who is away can collapse at home).
        """
        match order.do:
            case Do.PRESS:
                if self.whereabouts is Whereabouts.AWAY:
                    raise NotNow("the resident is away, and so is the pendant")
                return self
            case Do.BATTERY_DIES:
                return replace(self, silent=self.silent | {order.sensor or ""})
            case Do.BATTERY_CHANGED:
                return replace(self, silent=self.silent - {order.sensor or ""})
        moved = _NEXT.get((self.whereabouts, order.do))
        if moved is None:
            raise NotNow(f"cannot {order.do.value} while {self.whereabouts.value}")
        return replace(self, whereabouts=moved)


def condition_after(orders: Iterable[Order]) -> Condition:
    """Return what holds after these orders, given one after the other."""
    condition = Condition()
    for order in orders:
        condition = condition.after(order)
    return condition

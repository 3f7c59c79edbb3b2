"""What is said in one home, in which order, from a moment on?

The resident's day and the sensors' own timers are merged into one line of messages, each at a millisecond of
its own.  It is a pure machine: it reads no clock and touches nothing outside, so a home that is begun again at
any moment, with the same orders, goes on with exactly the messages that were not yet said.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from firmware_sim.faults import NEEDS_SENSOR, Condition, Do, Order, Whereabouts, condition_after
from firmware_sim.resident import LOCAL, Happening, Routine, What, life
from firmware_sim.sensors import MODELS, Kind, Said, Sensor, SensorSpec, Value, sensor_from

_MS: Final = timedelta(milliseconds=1)
# What leaving, coming back and getting up look like, as seconds from the order.
_LEAVES: Final = ((0, What.MOVED, "hallway"), (4, What.DOOR_OPENED, "front door"), (13, What.DOOR_CLOSED, "front door"))
_RETURNS: Final = ((0, What.DOOR_OPENED, "front door"), (6, What.DOOR_CLOSED, "front door"), (9, What.MOVED, "hallway"))


@dataclass(frozen=True, slots=True)
class HomeSpec:
    """A home: who lives there how, and what hangs on its walls."""

    home: str
    routine: Routine
    sensors: tuple[SensorSpec, ...]


class Home:
    """One home, lived in from a moment on."""

    def __init__(self, spec: HomeSpec, *, seed: int, orders: Sequence[Order] = (), now: datetime) -> None:
        """Begin, or begin again: whatever was said up to and at `now` is taken as said.

        Args:
            spec: the home.
            seed: with the home's id it decides everything that is left to chance.
            orders: all that was ever ordered here, oldest first; what those after `now` lead to is yet to be said.
            now: aware.
        """
        self.spec = spec
        # The night before is enough for every timer in here to have settled.
        begins_on = now.astimezone(LOCAL).date() - timedelta(days=1)
        begins_at = datetime.combine(begins_on, time(), LOCAL)
        earlier = [order for order in orders if order.at < begins_at]
        self.condition: Condition = condition_after(earlier)
        self.sensors: dict[str, Sensor] = {
            s.name: sensor_from(s, seed=f"{seed}/{spec.home}/{s.name}", since=begins_at) for s in spec.sensors
        }
        # What a listener would know of each sensor; a door was shut when its sensor was put up.
        self.known: dict[str, dict[str, Value]] = {
            s.name: {**MODELS[s.model].steady, **({"contact": True} if s.kind is Kind.CONTACT else {})}
            for s in spec.sensors
        }
        self._life = life(spec.routine, seed=seed, home=spec.home, since=begins_on)
        self._coming = next(self._life)
        self._ordered: list[tuple[datetime, int, Happening]] = []
        self._orders_obeyed = 0
        self._unsaid: deque[Said] = deque()
        self._last_at = begins_at - _MS
        self._last_room = "bedroom"
        for order in orders[len(earlier) :]:
            self._live_until(min(order.at, now))
            self.obey(order)
        self._live_until(now)

    @property
    def next_at(self) -> datetime:
        """When something next happens here, heard or not; nothing can be said before."""
        return self._unsaid[0].at if self._unsaid else self._next()[0]

    def said_until(self, now: datetime) -> Iterator[Said]:
        """Yield what the sensors say up to and at `now`, in order, each at a millisecond of its own."""
        while self.next_at <= now:
            if not self._unsaid:
                self._step()
            if self._unsaid and self._unsaid[0].at <= now:
                said = self._unsaid.popleft()
                self.known[said.sensor].update(said.news)
                yield said

    def can_obey(self, order: Order) -> Condition:
        """Return what would hold after the order.

        Raises:
            NotNow: it cannot be obeyed as things stand.
            KeyError: it names a sensor that is not here, or there is none of the kind it needs.
        """
        self._sensor_of(order)
        return self.condition.after(order)

    def obey(self, order: Order) -> None:
        """Let an order take effect at its time, which is not before the last thing said.

        Raises:
            NotNow: it cannot be obeyed as things stand.
            KeyError: it names a sensor that is not here, or there is none of the kind it needs.
        """
        self.condition = self.can_obey(order)
        sensor = self._sensor_of(order)
        match order.do:
            case Do.PRESS:
                self._happens_by_order(order.at, ((0, What.PENDANT_PRESSED, sensor),))
            case Do.OUT:
                self._happens_by_order(order.at, _LEAVES)
            case Do.BACK:
                self._happens_by_order(order.at, _RETURNS)
            case Do.RECOVER:
                room = self._last_room
                self._happens_by_order(
                    order.at, ((0, What.MOVED, room), (40, What.MOVED, "hallway"), (70, What.MOVED, "kitchen"))
                )
            case Do.BATTERY_CHANGED:
                self.sensors[sensor].battery_changed()

    def _sensor_of(self, order: Order) -> str:
        """Return the sensor an order is done to, or an empty name where it is done to the resident."""
        if order.do not in NEEDS_SENSOR and order.do is not Do.PRESS:
            return ""
        pendants = [spec.name for spec in self.spec.sensors if spec.kind is Kind.PENDANT]
        fitting = pendants if order.do is Do.PRESS else list(self.sensors)
        name = order.sensor or next(iter(pendants if order.do is Do.PRESS else ()), None)
        if name not in fitting:
            raise KeyError(f"{order.do.value} needs one of {fitting}")
        return name

    def _happens_by_order(self, at: datetime, course: Sequence[tuple[int, What, str]]) -> None:
        for after_s, what, room in course:
            self._orders_obeyed += 1
            happening = Happening(at + timedelta(seconds=after_s), what, room)
            heapq.heappush(self._ordered, (happening.at, self._orders_obeyed, happening))

    def _live_until(self, now: datetime) -> None:
        for _ in self.said_until(now):
            pass

    def _next(self) -> tuple[datetime, int]:
        """Return the earliest of what is coming, and what it is: 0 by order, 1 by routine, from 2 a sensor."""
        first = (self._coming.at, 1)
        if self._ordered:
            first = min(first, (self._ordered[0][0], 0))
        for place, sensor in enumerate(self.sensors.values(), start=2):
            first = min(first, (sensor.due_at, place))
        return first

    def _step(self) -> None:
        """Let the next thing happen, and put what is said about it into `_unsaid`."""
        at, which = self._next()
        if which == 0:
            self._happens(heapq.heappop(self._ordered)[2])
        elif which == 1:
            happening, self._coming = self._coming, next(self._life)
            if self.condition.whereabouts is Whereabouts.LIVING:
                self._happens(happening)
        else:
            sensor = list(self.sensors.values())[which - 2]
            self._say(sensor.falls_due(now=self._moment(at)))

    def _happens(self, happening: Happening) -> None:
        if happening.what is What.MOVED:
            self._last_room = happening.room
        for sensor in self.sensors.values():
            said = sensor.meets(happening, now=self._moment(happening.at))
            if said is not None:
                self._say(said)

    def _moment(self, at: datetime) -> datetime:
        """Return `at`, or the next free millisecond: the radio is one, and says one thing at a time."""
        return max(at, self._last_at + _MS)

    def _say(self, said: Said) -> None:
        if said.sensor in self.condition.silent:
            return  # Its battery is dead; the moment is free for another.
        self._last_at = said.at
        self._unsaid.append(said)

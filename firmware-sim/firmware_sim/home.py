"""What is said in one home, in which order, from a moment on?

What people do and the sensors' own timers are merged into one line, each message at a millisecond of its own.  It is a
pure machine: it reads no clock and touches nothing outside, so a home that is begun again at any moment, with the same
orders, goes on with exactly the messages that were not yet said.
"""

import heapq
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from firmware_sim.faults import NEEDS_SENSOR, Condition, Do, Order, Whereabouts, condition_after
from firmware_sim.happening import TRUTHS, Happening, What, Who
from firmware_sim.hours import begins_at, begins_on
from firmware_sim.models import MODELS, Kind, Value
from firmware_sim.people import People
from firmware_sim.routines import Household
from firmware_sim.sensors import Said, Sensor, SensorSpec, Why, sensor_from

_MS: Final = timedelta(milliseconds=1)
_SMOKES_FOR: Final = timedelta(minutes=4)
_LEAKS_FOR: Final = timedelta(minutes=30)
_OF_PEOPLE: Final = {
    *(Do.COLLAPSE, Do.RECOVER, Do.OUT, Do.HOLIDAY, Do.BACK, Do.WANDER, Do.FORGET_DOOR, Do.SHUT_DOOR),
    *(Do.FALL_ILL, Do.GET_WELL, Do.VISITOR),
}


@dataclass(frozen=True, slots=True)
class HomeSpec:
    """A home: who lives there how, and what hangs on its walls."""

    home: str
    household: Household
    sensors: tuple[SensorSpec, ...]


class Home:
    """One home, lived in from a moment on."""

    def __init__(
        self,
        spec: HomeSpec,
        *,
        seed: int,
        orders: Sequence[Order] = (),
        now: datetime,
        only: Collection[str] | None = None,
    ) -> None:
        """Begin, or begin again: whatever was said up to and at `now` is taken as said.

        Args:
            spec: the home.
            seed: with the home's id it decides everything that is left to chance.
            orders: all that was ever ordered here, oldest first; what those after `now` lead to is yet to be said.
            now: aware.
            only: play these sensors alone, and of them only what they say the moment something happens: for recordings.
        """
        self.spec = spec
        self._seed = seed
        begins = _first_day(orders, now)
        begun_at = begins_at(begins)
        self._only = only
        self._is_impaired = False
        self.condition: Condition = condition_after(order for order in orders if order.at < begun_at)
        self._people = People(spec.home, spec.household, seed=seed, condition=self.condition, on=begins)
        self.sensors: dict[str, Sensor] = {
            s.name: sensor_from(s, seed=f"{seed}/{spec.home}/{s.name}", since=begun_at) for s in spec.sensors
        }
        # What a listener would know of each sensor; a door was shut when its sensor was put up.
        self.known: dict[str, dict[str, Value]] = {
            s.name: {**MODELS[s.model].steady, **({"contact": True} if s.kind is Kind.CONTACT else {})}
            for s in spec.sensors
        }
        self._ordered: list[tuple[datetime, int, Happening]] = []
        self._orders_obeyed = 0
        self._unsaid: deque[Said | Happening] = deque()
        self._last_at = begun_at - _MS
        self._hang_up()
        self._look_after_condition()
        for order in orders:
            if order.at >= begun_at:
                self._live_until(min(order.at, now))
                self.obey(order)
        self._live_until(now)

    def _hang_up(self) -> None:
        """Put each sensor in its room, knowing what holds at 04:00 and what was ordered before."""
        self._placed = list(self.sensors.values())
        self._by_room: dict[str, list[int]] = {}
        for place, sensor in enumerate(self._placed):
            spec = sensor.spec
            if self._only is None or spec.name in self._only:
                self._by_room.setdefault(spec.name if spec.kind is Kind.PENDANT else spec.room, []).append(place)
            sensor.is_faded = spec.name in self.condition.faded
            sensor.unheated_since = self.condition.unheated_since
            if spec.room == "bedroom":
                sensor.inside.update(self._people.asleep())
            if spec.room == "front door" and self.condition.door_stands_open:
                sensor.stands_open()
        self._timers: list[tuple[datetime, int]] = []
        self._wound: dict[int, datetime] = {}
        for place in range(len(self._placed)):
            self._wind(place)

    @property
    def next_at(self) -> datetime:
        """When something next happens here, heard or not; nothing can be said before."""
        return self._unsaid[0].at if self._unsaid else self._next()[0]

    def told_until(self, now: datetime) -> Iterator[Said | Happening]:
        """Yield what the sensors say up to and at `now`, and what only the diary knows, in order.

        Each message has a millisecond of its own.
        """
        while True:
            while self._unsaid:
                if self._unsaid[0].at > now:
                    return
                told = self._unsaid.popleft()
                if isinstance(told, Said):
                    self.known[told.sensor].update(told.news)
                yield told
            at, which = self._next()
            if at > now:
                return
            self._step(at, which)

    def said_until(self, now: datetime) -> Iterator[Said]:
        """Yield what the sensors say up to and at `now`, in order."""
        for told in self.told_until(now):
            if isinstance(told, Said):
                yield told

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
        self._look_after_condition()
        if order.do in _OF_PEOPLE:
            self._people.obey(order, self.condition)
        elif order.do in NEEDS_SENSOR:
            self._obey_to_a_sensor(order)
        else:
            self._obey_to_the_home(order)

    def _look_after_condition(self) -> None:
        """Remember whether any sensor may be kept from speaking: it is asked for each word."""
        condition = self.condition
        self._is_impaired = bool(condition.silent or condition.stuck or not condition.has_power)

    def _obey_to_a_sensor(self, order: Order) -> None:
        sensor = self.sensors[order.sensor or ""]
        if order.do is Do.BATTERY_FADES:
            sensor.battery_fades()
        if order.do is Do.BATTERY_CHANGED:
            sensor.battery_changed()

    def _obey_to_the_home(self, order: Order) -> None:
        at = order.at
        match order.do:
            case Do.PRESS:
                self._comes(Happening(at, What.PENDANT_PRESSED, self._sensor_of(order)))
            case Do.SMOKE:
                self._endangers(at, (What.SMOKED, What.SMOKE_CLEARED), _SMOKES_FOR, Kind.SMOKE)
            case Do.LEAK:
                self._endangers(at, (What.LEAKED, What.DRIED), _LEAKS_FOR, Kind.WATER)
            case Do.HEATING_FAILS | Do.HEATING_MENDED:
                for sensor in self._placed:
                    sensor.unheated_since = self.condition.unheated_since
                what = What.HEATING_FAILED if order.do is Do.HEATING_FAILS else What.HEATING_WORKS
                self._comes(Happening(at, what, "", Who.NOBODY))
            case Do.POWER_BACK:
                self._power_returns(at)

    def _endangers(self, at: datetime, what: tuple[What, What], lasts: timedelta, kind: Kind) -> None:
        for room in sorted({sensor.spec.room for sensor in self._placed if sensor.spec.kind is kind}):
            self._comes(Happening(at, what[0], room, Who.NOBODY), Happening(at + lasts, what[1], room, Who.NOBODY))

    def _power_returns(self, at: datetime) -> None:
        for place, sensor in enumerate(self._placed):
            if sensor.model.is_mains:
                self._say(sensor.power_returns(now=self._moment(at)))
                self._wind(place)

    def _sensor_of(self, order: Order) -> str:
        """Return the sensor an order is done to, or an empty name where it is done to none."""
        if order.do not in NEEDS_SENSOR and order.do is not Do.PRESS:
            return ""
        pendants = [spec.name for spec in self.spec.sensors if spec.kind is Kind.PENDANT]
        fitting = pendants if order.do is Do.PRESS else list(self.sensors)
        name = order.sensor or next(iter(pendants if order.do is Do.PRESS else ()), None)
        if name not in fitting:
            raise KeyError(f"{order.do.value} needs one of {fitting}")
        return name

    def _comes(self, *happenings: Happening) -> None:
        for happening in happenings:
            self._orders_obeyed += 1
            heapq.heappush(self._ordered, (happening.at, self._orders_obeyed, happening))

    def _live_until(self, now: datetime) -> None:
        for _ in self.told_until(now):
            pass

    def _next(self) -> tuple[datetime, int]:
        """Return the earliest of what is coming, and what it is: -2 by order, -1 by people, from 0 a sensor."""
        first = (self._people.next_at, -1)
        if self._ordered:
            first = min(first, (self._ordered[0][0], -2))
        while self._timers and self._timers[0][0] != self._wound[self._timers[0][1]]:
            heapq.heappop(self._timers)  # It was wound anew since.
        return min(first, self._timers[0]) if self._timers else first

    def _wind(self, place: int) -> None:
        """Put a sensor's timer where it belongs; what was there before is found to be out of date later."""
        if self._only is not None:
            return
        due_at = self._placed[place].due_at
        if self._wound.get(place) != due_at:
            self._wound[place] = due_at
            heapq.heappush(self._timers, (due_at, place))

    def _step(self, at: datetime, which: int) -> None:
        """Let the next thing happen, and put what is said about it into `_unsaid`."""
        if which == -2:
            self._happens(heapq.heappop(self._ordered)[2])
        elif which == -1:
            happening = self._people.next()
            if happening is not None:
                self._happens(happening)
        else:
            heapq.heappop(self._timers)
            self._say(self._placed[which].falls_due(now=self._moment(at)))
            self._wind(which)

    def _happens(self, happening: Happening) -> None:
        # Whoever forgot the door does not notice it, and neither does anybody else until it is shut by order.
        is_open = self.condition.door_stands_open and happening.what is What.DOOR_CLOSED
        if is_open and happening.room == "front door":
            return
        if happening.what in TRUTHS:
            self._unsaid.append(happening)
        for place in self._by_room.get(happening.room, ()):
            said = self._placed[place].meets(happening, now=self._moment(happening.at))
            if said is not None:
                self._say(said)
            self._wind(place)

    def _moment(self, at: datetime) -> datetime:
        """Return `at`, or the next free millisecond: the radio is one, and says one thing at a time."""
        return max(at, self._last_at + _MS)

    def _say(self, said: Said) -> None:
        if self._is_impaired and self._is_kept_from(said):
            return  # The moment is free for another.
        self._last_at = said.at
        self._unsaid.append(said)

    def _is_kept_from(self, said: Said) -> bool:
        condition = self.condition
        is_off = not condition.has_power and self.sensors[said.sensor].model.is_mains
        is_stuck = said.sensor in condition.stuck and said.why is not Why.CHECK_IN
        return is_off or is_stuck or said.sensor in condition.silent


def _first_day(orders: Sequence[Order], now: datetime) -> date:
    """Return the day to begin with: the one before, in which every timer settles, or that of a fall not yet over.

    Where somebody lies is known only from how they lived before.
    """
    day = begins_on(now) - timedelta(days=1)
    before = [order for order in orders if order.at < begins_at(day)]
    if condition_after(before).whereabouts is Whereabouts.LYING:
        fell_at = next(order.at for order in reversed(before) if order.do is Do.COLLAPSE)
        return min(day, begins_on(fell_at))
    return day

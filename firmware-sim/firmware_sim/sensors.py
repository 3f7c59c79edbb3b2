"""What does a sensor make of what happens, and when does it say so?

Each sensor hears of what happens in its room and answers with what it says on the radio, if it says anything:
a PIR is blind for a while after it has spoken, a door contact speaks twice, a plug's zero comes late, a pendant has a
word of its own.  Beside that every one checks in about every 30 minutes, and reports its battery at most every 6
hours and only on change (the radios of the CASAS homes; see that dataset's own description).

Nothing here reads a clock or shares its chance: what a sensor says is a function of what it met and when.
"""

import enum
import math
import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from firmware_sim.happening import LOCAL, Happening, What, Who
from firmware_sim.models import MODELS, Kind, Model, News, Value

_CHECK_IN_S: Final = 1800
_BATTERY_S: Final = 6 * 3600
_FADED_PCT: Final = 4
_LOW_PCT: Final = 10
# What draws power, in watts; the rest is a lamp.
_WATTS: Final = {"kettle": 2790, "television": 92}
_LAMP_W: Final = 40
_MAINS_V: Final = 236
# A British flat without heating in winter: where its air goes, and how fast (a time constant of a brick house, hours).
_OUTSIDE_C: Final = 4.0
_COOLS_IN_H: Final = 15.0


class Why(enum.Enum):
    """Why a sensor speaks."""

    MOVEMENT = "movement"
    HOLD_ENDED = "hold ended"
    DOOR = "door"
    REST = "rest"  # someone lies down or gets up, sits down or stands up
    POWER = "power"
    DANGER = "danger"
    PRESSED = "pressed"
    CHECK_IN = "check-in"


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """A sensor as it was screwed to the wall: its friendly name, its room, its product, and whether it sees cats."""

    name: str
    kind: Kind
    room: str
    model: str
    sees_pets: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a sensor; `news` is what is new in it, empty for a bare check-in; `who` is who caused it."""

    at: datetime
    sensor: str
    why: Why
    news: News
    who: Who | None = None


@dataclass(slots=True)
class Sensor:
    """One sensor and where it is in its own timing."""

    spec: SensorSpec
    seed: str
    check_in_at: datetime
    model: Model
    inside: set[Who] = field(default_factory=set)
    is_faded: bool = False
    unheated_since: datetime | None = None
    _off_at: datetime | None = None
    _sees_again_at: datetime | None = None
    _battery_said: int | None = None
    _is_open: bool = False
    _watts: int = 0

    @property
    def due_at(self) -> datetime:
        """When it speaks next if nothing happens."""
        return self.check_in_at if self._off_at is None else min(self._off_at, self.check_in_at)

    def meets(self, happening: Happening, *, now: datetime) -> Said | None:
        """Return what it says to something that happens now, or None if it does not notice or does not care."""
        if happening.room != (self.spec.name if self.spec.kind is Kind.PENDANT else self.spec.room):
            return None
        said = self._notices(happening, now)
        return None if said is None else Said(now, self.spec.name, said[0], said[1], happening.who)

    def _notices(self, happening: Happening, now: datetime) -> tuple[Why, News] | None:
        if self.spec.kind is Kind.MOTION:
            is_seen = happening.who is not Who.CAT or self.spec.sees_pets
            return self._watches(happening, now) if is_seen else None
        match self.spec.kind, happening.what:
            case Kind.CONTACT, What.DOOR_OPENED | What.DOOR_CLOSED:
                return self._swings(is_open=happening.what is What.DOOR_OPENED)
            case Kind.PLUG, What.SWITCHED_ON | What.SWITCHED_OFF:
                return self._draws(now, is_on=happening.what is What.SWITCHED_ON)
            case Kind.PENDANT, What.PENDANT_PRESSED:
                return Why.PRESSED, {"action": self.model.press_says}
        return self._carries(happening, now) or self._warns(happening.what)

    def falls_due(self, *, now: datetime) -> Said:
        """Return what it says at `due_at`."""
        if self._off_at is not None and self._off_at <= self.check_in_at:
            self._off_at = None
            return Said(now, self.spec.name, Why.HOLD_ENDED, self._off())
        due_at = self.check_in_at
        self.check_in_at = due_at + timedelta(seconds=_CHECK_IN_S)
        return Said(now, self.spec.name, Why.CHECK_IN, self._battery(due_at) | self._climate(due_at) | self._mains(now))

    def battery_changed(self) -> None:
        """Say the battery at the next check-in again, whatever was said before."""
        self._battery_said = None
        self.is_faded = False

    def battery_fades(self) -> None:
        """Say at the next check-in that the battery is nearly empty."""
        self.is_faded = True

    def stands_open(self) -> None:
        """Be at an open door from the beginning."""
        self._is_open = True

    def power_returns(self, *, now: datetime) -> Said:
        """Say what holds after a power cut, as what lives on mains does; an appliance stays off."""
        self._watts, self._off_at = 0, None
        news = {"power": 0, "current": 0} if self.spec.kind is Kind.PLUG else {"presence": bool(self.inside)}
        return Said(now, self.spec.name, Why.POWER, news)

    def _off(self) -> News:
        match self.spec.kind:
            case Kind.PLUG:
                return {"power": 0, "current": 0}
            case Kind.MOTION if self.model.is_presence and self.inside:
                return {"movement": "no_movement"}
            case Kind.MOTION if self.model.is_presence:
                return {"presence": False, "movement": "no_presence"}
        return {"occupancy": False}

    def _watches(self, happening: Happening, now: datetime) -> tuple[Why, News] | None:
        """See a movement, or, with mmWave, that nobody is left."""
        was_inside = bool(self.inside)
        if happening.what is What.MOVED:
            self.inside.add(happening.who)
            if self.model.is_presence and not was_inside:
                self._sees_again_at = None  # Who comes in is seen at once.
            return self._sees(now)
        if happening.what is What.LEFT and self.model.is_presence:
            self.inside.discard(happening.who)
            if was_inside and not self.inside:
                self._off_at = now + self.model.hold
        return None

    def _sees(self, now: datetime) -> tuple[Why, News] | None:
        if self._sees_again_at is not None and now < self._sees_again_at:
            return None
        self._sees_again_at = now + self.model.blind
        self._off_at = now + self.model.hold
        if self.model.is_presence:
            return Why.MOVEMENT, {"presence": True, "movement": "movement"}
        return Why.MOVEMENT, {"occupancy": True} | self._light(now)

    def _swings(self, *, is_open: bool) -> tuple[Why, News] | None:
        """Say that a door moved, if it did: two people in a doorway open it once."""
        if is_open is self._is_open:
            return None
        self._is_open = is_open
        return Why.DOOR, {"contact": not is_open}

    def _draws(self, now: datetime, *, is_on: bool) -> tuple[Why, News] | None:
        if not is_on:
            self._off_at = now + self.model.hold if self._watts else None
            self._watts = 0
            return None
        self._off_at = None
        usual = _WATTS.get(self.spec.room, _LAMP_W)
        self._watts = round(usual * (0.97 + 0.06 * self._share(now)))
        return Why.POWER, {"power": self._watts, "current": round(self._watts / _MAINS_V, 2)}

    def _carries(self, happening: Happening, now: datetime) -> tuple[Why, News] | None:
        """Feel the resident's weight, in bed or in the chair that is theirs."""
        if happening.who is not Who.RESIDENT or self.spec.kind not in (Kind.BED, Kind.CHAIR):
            return None
        match happening.what:
            case What.LAY_DOWN | What.SAT_DOWN:
                return Why.REST, {"occupancy": True} | self._light(now)
            case What.GOT_UP | What.STOOD_UP:
                return Why.REST, {"occupancy": False} | self._light(now)
        return None

    def _warns(self, what: What) -> tuple[Why, News] | None:
        match self.spec.kind, what:
            case Kind.SMOKE, What.SMOKED | What.SMOKE_CLEARED:
                return Why.DANGER, {"smoke": what is What.SMOKED}
            case Kind.WATER, What.LEAKED | What.DRIED:
                return Why.DANGER, {"water_leak": what is What.LEAKED}
        return None

    def _battery(self, at: datetime) -> dict[str, Value]:
        """Return the battery if it is time for it and it changed; a level of 20 is followed by a new cell."""
        if self.model.is_mains:
            return {}
        cell = random.Random(f"{self.seed}/battery")
        # A coin cell lasts one to two years at this rate (makers' figures for the models above).
        days_per_pct = cell.uniform(4, 7)
        days = at.timestamp() // _BATTERY_S * _BATTERY_S / 86400
        pct = _FADED_PCT if self.is_faded else 20 + round(cell.uniform(40, 80) - days / days_per_pct) % 81
        if pct == self._battery_said:
            return {}
        self._battery_said = pct
        said: dict[str, Value] = {"battery": pct}
        if self.model.has_voltage:
            said["voltage"] = 2500 + 5 * pct
        if "battery_low" in self.model.steady:
            said["battery_low"] = pct < _LOW_PCT
        return said

    def _light(self, now: datetime) -> dict[str, Value]:
        """Return the light of a room where lamps burn in the evening; such a sensor says it with each ON."""
        if not self.model.has_light:
            return {}
        lux = {range(8, 17): 160, range(17, 23): 40}
        usual = next((level for hours, level in lux.items() if now.astimezone(LOCAL).hour in hours), 3)
        return {"illuminance": round(usual * (0.5 + 1.1 * self._share(now)))}

    def _climate(self, at: datetime) -> dict[str, Value]:
        """Return the air of a heated British living room: 17 °C before dawn, 21 °C in the early evening."""
        if self.spec.kind is not Kind.CLIMATE:
            return {}
        local = at.astimezone(LOCAL)
        hour = local.hour + local.minute / 60
        drift = random.Random(f"{self.seed}/{at.isoformat()}").gauss(0, 0.15)
        heated_c = 19 + 2 * math.cos((hour - 18) / 24 * 2 * math.pi)
        if self.unheated_since is not None and at > self.unheated_since:
            hours = (at - self.unheated_since).total_seconds() / 3600
            heated_c = _OUTSIDE_C + (heated_c - _OUTSIDE_C) * math.exp(-hours / _COOLS_IN_H)
        temperature_c = heated_c + drift
        return {"temperature": round(temperature_c, 2), "humidity": round(78 - 1.5 * temperature_c + drift, 2)}

    def _mains(self, at: datetime) -> dict[str, Value]:
        """Return a plug's meter: the mains' voltage, and a kilowatt-hour in about three days."""
        if self.spec.kind is not Kind.PLUG:
            return {}
        kwh = (at.timestamp() / 86400 / 3) % 10_000
        return {"voltage": round(_MAINS_V - 3 + 6 * self._share(at)), "energy": round(kwh, 2)}

    def _share(self, at: datetime) -> float:
        """Return a chance of this sensor's own at a moment, from 0 to 1."""
        return zlib.crc32(f"{self.seed}/{at.isoformat()}".encode()) / 2**32


def sensor_from(spec: SensorSpec, *, seed: str, since: datetime) -> Sensor:
    """Return a sensor whose check-ins have a phase of their own, the next one after `since`."""
    phase_s = random.Random(f"{seed}/phase").uniform(0, _CHECK_IN_S)
    passed = (since.timestamp() - phase_s) // _CHECK_IN_S
    at_ms = round((phase_s + (passed + 1) * _CHECK_IN_S) * 1000)
    return Sensor(spec, seed, datetime.fromtimestamp(at_ms / 1000, UTC), MODELS[spec.model])

"""What does a sensor make of what happens, and when does it say so?

Each sensor hears of what happens in its room and answers with what it says on the radio, if it says anything:
a PIR is blind for a while after it has spoken, a door contact speaks twice, a pendant has a word of its own.
Beside that every one checks in about every 30 minutes, and reports its battery at most every 6 hours and only
on change (the radios of the CASAS homes; see that dataset's own description).

Nothing here reads a clock or shares its chance: what a sensor says is a function of what it met and when.
"""

import enum
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from firmware_sim.resident import LOCAL, Happening, What

Value = bool | int | float | str
News = Mapping[str, Value]

_CHECK_IN_S: Final = 1800
_BATTERY_S: Final = 6 * 3600


class Kind(enum.Enum):
    """What a sensor is for."""

    MOTION = "motion"
    CONTACT = "contact"
    PENDANT = "pendant"
    CLIMATE = "climate"


class Why(enum.Enum):
    """Why a sensor speaks."""

    MOVEMENT = "movement"
    HOLD_ENDED = "hold ended"
    DOOR = "door"
    PRESSED = "pressed"
    CHECK_IN = "check-in"


@dataclass(frozen=True, slots=True)
class Model:
    """What we need to know of a real product beyond what Zigbee2MQTT publishes of it.

    `hold` is the time from the last ON to the OFF; `blind` how long after an ON the next movement goes unseen;
    `steady` what it also says and what hardly ever changes.
    """

    kind: Kind
    hold: timedelta = timedelta(0)
    blind: timedelta = timedelta(0)
    press_says: str = ""
    has_voltage: bool = True
    has_light: bool = False
    steady: Mapping[str, Value] = field(default_factory=dict)


# Aqara RTCGQ11LM: blind for 60 s after each report (Zigbee2MQTT's device page), and Zigbee2MQTT itself says OFF
# 90 s after the last ON (`occupancy_timeout`, converters 26.112.0).  SONOFF SNZB-03: one-minute intervals in the
# device; OFF is its own (maker's answer in Koenkk/zigbee2mqtt#4874).  The words of the pendants are those that the
# converters 26.112.0 make of a short press.
_AQARA: Final = {"device_temperature": 23, "power_outage_count": 2}
MODELS: Final[dict[str, Model]] = {
    "SNZB-03": Model(
        Kind.MOTION,
        hold=timedelta(seconds=60),
        blind=timedelta(seconds=60),
        steady={"battery_low": False},
    ),
    "RTCGQ11LM": Model(
        Kind.MOTION, hold=timedelta(seconds=90), blind=timedelta(seconds=60), has_light=True, steady=_AQARA
    ),
    "MCCGQ11LM": Model(Kind.CONTACT, steady=_AQARA | {"trigger_count": 1}),
    "SNZB-04": Model(Kind.CONTACT, steady={"battery_low": False}),
    "TS0215A_sos": Model(Kind.PENDANT, press_says="emergency"),
    "WXKG11LM": Model(Kind.PENDANT, press_says="single", steady=_AQARA),
    "SNZB-01": Model(Kind.PENDANT, press_says="single"),
    "E1812": Model(Kind.PENDANT, press_says="on", has_voltage=False),
    "WSDCGQ11LM": Model(Kind.CLIMATE, steady={"power_outage_count": 4, "pressure": 1013.3}),
    "SNZB-02": Model(Kind.CLIMATE),
}
USUAL_MODEL: Final = {
    Kind.MOTION: "SNZB-03",
    Kind.CONTACT: "MCCGQ11LM",
    Kind.PENDANT: "TS0215A_sos",
    Kind.CLIMATE: "WSDCGQ11LM",
}


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """A sensor as it was screwed to the wall: its friendly name, its room, its product."""

    name: str
    kind: Kind
    room: str
    model: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a sensor; `news` is what is new in it, empty for a bare check-in."""

    at: datetime
    sensor: str
    why: Why
    news: News


@dataclass(slots=True)
class Sensor:
    """One sensor and where it is in its own timing."""

    spec: SensorSpec
    seed: str
    check_in_at: datetime
    _off_at: datetime | None = None
    _sees_again_at: datetime | None = None
    _battery_said: int | None = None

    @property
    def model(self) -> Model:
        return MODELS[self.spec.model]

    @property
    def due_at(self) -> datetime:
        """When it speaks next if nothing happens."""
        return self.check_in_at if self._off_at is None else min(self._off_at, self.check_in_at)

    def meets(self, happening: Happening, *, now: datetime) -> Said | None:
        """Return what it says to something that happens now, or None if it does not notice or does not care."""
        match self.spec.kind, happening.what:
            case Kind.MOTION, What.MOVED if happening.room == self.spec.room:
                return self._sees(now)
            case Kind.CONTACT, What.DOOR_OPENED | What.DOOR_CLOSED if happening.room == self.spec.room:
                return Said(now, self.spec.name, Why.DOOR, {"contact": happening.what is What.DOOR_CLOSED})
            case Kind.PENDANT, What.PENDANT_PRESSED if happening.room == self.spec.name:
                return Said(now, self.spec.name, Why.PRESSED, {"action": self.model.press_says})
        return None

    def falls_due(self, *, now: datetime) -> Said:
        """Return what it says at `due_at`."""
        if self._off_at is not None and self._off_at <= self.check_in_at:
            self._off_at = None
            return Said(now, self.spec.name, Why.HOLD_ENDED, {"occupancy": False})
        due_at = self.check_in_at
        self.check_in_at = due_at + timedelta(seconds=_CHECK_IN_S)
        return Said(now, self.spec.name, Why.CHECK_IN, self._battery(due_at) | self._climate(due_at))

    def battery_changed(self) -> None:
        """Say the battery at the next check-in again, whatever was said before."""
        self._battery_said = None

    def _sees(self, now: datetime) -> Said | None:
        if self._sees_again_at is not None and now < self._sees_again_at:
            return None
        self._sees_again_at = now + self.model.blind
        self._off_at = now + self.model.hold
        return Said(now, self.spec.name, Why.MOVEMENT, {"occupancy": True} | self._light(now))

    def _battery(self, at: datetime) -> dict[str, Value]:
        """Return the battery if it is time for it and it changed; a level of 20 is followed by a new cell."""
        cell = random.Random(f"{self.seed}/battery")
        # A coin cell lasts one to two years at this rate (makers' figures for the models above).
        days_per_pct = cell.uniform(4, 7)
        days = at.timestamp() // _BATTERY_S * _BATTERY_S / 86400
        pct = 20 + round(cell.uniform(40, 80) - days / days_per_pct) % 81
        if pct == self._battery_said:
            return {}
        self._battery_said = pct
        return {"battery": pct, "voltage": 2500 + 5 * pct} if self.model.has_voltage else {"battery": pct}

    def _light(self, at: datetime) -> dict[str, Value]:
        """Return the light of a room where lamps burn in the evening; such a sensor says it with each movement."""
        if not self.model.has_light:
            return {}
        lux = {range(8, 17): 160, range(17, 23): 40}
        usual = next((level for hours, level in lux.items() if at.astimezone(LOCAL).hour in hours), 3)
        return {"illuminance": round(usual * random.Random(f"{self.seed}/{at.isoformat()}").uniform(0.5, 1.6))}

    def _climate(self, at: datetime) -> dict[str, Value]:
        """Return the air of a heated British living room: 17 °C before dawn, 21 °C in the early evening."""
        if self.spec.kind is not Kind.CLIMATE:
            return {}
        local = at.astimezone(LOCAL)
        hour = local.hour + local.minute / 60
        drift = random.Random(f"{self.seed}/{at.isoformat()}").gauss(0, 0.15)
        temperature_c = 19 + 2 * math.cos((hour - 18) / 24 * 2 * math.pi) + drift
        return {"temperature": round(temperature_c, 2), "humidity": round(78 - 1.5 * temperature_c + drift, 2)}


def sensor_from(spec: SensorSpec, *, seed: str, since: datetime) -> Sensor:
    """Return a sensor whose check-ins have a phase of their own, the next one after `since`."""
    phase_s = random.Random(f"{seed}/phase").uniform(0, _CHECK_IN_S)
    passed = (since.timestamp() - phase_s) // _CHECK_IN_S
    at_ms = round((phase_s + (passed + 1) * _CHECK_IN_S) * 1000)
    return Sensor(spec, seed, datetime.fromtimestamp(at_ms / 1000, UTC))

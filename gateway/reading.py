"""What is a reading, and what may be measured?"""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NewType

HomeId = NewType("HomeId", str)
HubId = NewType("HubId", str)
SensorId = NewType("SensorId", str)


class Quantity(enum.StrEnum):
    """What a reading measures; the unit, where there is one, is the end of the name.

    Those without a unit are 1 for yes and 0 for no.
    """

    MOVEMENT = "movement"  # someone moved in the sensor's field; 0 when the sensor says that it ended
    PRESENCE = "presence"  # someone is in a bed or chair, or seen by a mmWave sensor, moving or not
    OPEN = "open"  # a door, window or drawer
    VIBRATION = "vibration"  # something shook; traffic and washing machines shake too, so it tells of no person
    POWER_ON = "power_on"  # an appliance that somebody switches on draws power
    TEMPERATURE_C = "temperature_c"
    HUMIDITY_PCT = "humidity_pct"
    ILLUMINANCE_LUX = "illuminance_lux"
    POWER_W = "power_w"
    ENERGY_KWH = "energy_kwh"  # drawn since the meter began
    BATTERY_PCT = "battery_pct"
    BATTERY_MV = "battery_mv"
    BATTERY_LOW = "battery_low"
    LINK_QUALITY = "link_quality"  # 0 to 255, the radio's own figure
    TAMPER = "tamper"

    PENDANT_ALARM = "pendant_alarm"
    PULL_CORD_ALARM = "pull_cord_alarm"
    FALL_ALARM = "fall_alarm"
    SMOKE_ALARM = "smoke_alarm"
    CO_ALARM = "co_alarm"
    GAS_ALARM = "gas_alarm"
    WATER_ALARM = "water_alarm"
    UNKNOWN_ALARM = "unknown_alarm"  # something asked for help, and we do not know what it was


ALARMS: Final = frozenset(q for q in Quantity if q.name.endswith("_ALARM"))
"""What goes through the alarms stream: a resident's or a life-safety device's own trigger."""

SIGNS_OF_LIFE: Final = frozenset(
    {
        Quantity.MOVEMENT,
        Quantity.PRESENCE,
        Quantity.OPEN,
        Quantity.POWER_ON,
        Quantity.PENDANT_ALARM,
        Quantity.PULL_CORD_ALARM,
        Quantity.FALL_ALARM,
    }
)
"""What a person does.  A battery report or a temperature is not a sign of life, nor is smoke, water or gas: an empty
home can burn.  What nobody could read may be any of these."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One measurement as the hub saw it, before it has a number.

    Attributes:
        sensor: the sensor within its home.
        quantity: what was measured.
        value: finite, in the unit that the quantity's name ends in.
        wall_at: by the hub's wall clock, which may be wrong.
        uptime_ms: by the hub's uptime, which is right within one boot.
    """

    sensor: SensorId
    quantity: Quantity
    value: float
    wall_at: datetime
    uptime_ms: int


def is_sign_of_life(quantity: str, value: float) -> bool:
    """Return whether a reading shows that someone in the home did something.

    The end of a movement (value 0) is the sensor's own timing and shows nothing; a door that closes was
    closed by someone, so any value of `open` counts.
    """
    if quantity == Quantity.OPEN:
        return True
    return value > 0 and quantity in SIGNS_OF_LIFE


def from_unix_s(seconds: float) -> datetime:
    """Return the moment that many seconds after 1970, aware and in UTC.

    Raises:
        ValueError: it is not a moment between the years 1970 and 9999.
    """
    if not 0 <= seconds < 253_402_300_800:  # Also false for NaN.
        raise ValueError(f"{seconds!r} is not a time between 1970 and 9999")
    return datetime.fromtimestamp(seconds, UTC)

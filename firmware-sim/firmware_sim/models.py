"""Which products hang on the walls of a street, and what must be known of them beyond what Zigbee2MQTT publishes?

Each was recorded: tests/contract/zigbee2mqtt holds its bytes, made by the real converters.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

Value = bool | int | float | str
News = Mapping[str, Value]


class Kind(enum.Enum):
    """What a sensor is for."""

    MOTION = "motion"
    CONTACT = "contact"
    PENDANT = "pendant"
    CLIMATE = "climate"
    BED = "bed"
    CHAIR = "chair"
    PLUG = "plug"
    SMOKE = "smoke"
    WATER = "water"


@dataclass(frozen=True, slots=True)
class Model:
    """What we need to know of a product.

    Attributes:
        kind: what it is for.
        also: what it is for as well.
        hold: the time from the last ON to the OFF; with `is_presence`, from the last person's leaving.
        blind: how long after an ON the next movement goes unseen.
        press_says: a pendant's word.
        is_presence: mmWave: it sees who sits still, too.
        is_mains: it has no battery, and dies with the home's power.
        has_voltage: it reports its cell's voltage.
        has_light: it reports the light with each ON.
        steady: what it also says and what hardly ever changes.
    """

    kind: Kind
    also: Kind | None = None
    hold: timedelta = timedelta(0)
    blind: timedelta = timedelta(0)
    press_says: str = ""
    is_presence: bool = False
    is_mains: bool = False
    has_voltage: bool = True
    has_light: bool = False
    steady: News = field(default_factory=dict)

    def fits(self, kind: Kind) -> bool:
        return kind in (self.kind, self.also)


# Aqara RTCGQ11LM: blind for 60 s after each report (Zigbee2MQTT's device page), and Zigbee2MQTT itself says OFF
# 90 s after the last ON (`occupancy_timeout`, converters 26.112.0).  SONOFF SNZB-03: one-minute intervals in the
# device; OFF is its own (maker's answer in Koenkk/zigbee2mqtt#4874).  The PIRs of TIHM's homes are blind for 60 s too:
# the shortest gap in all 442,000 of their movements is 61 s.  FP1E: ours, as no maker's figure for its delay was
# found.  The words of the pendants are those that the converters 26.112.0 make of a short press.
_AQARA: Final = {"device_temperature": 23, "power_outage_count": 2}
_MINUTE: Final = timedelta(seconds=60)
MODELS: Final[dict[str, Model]] = {
    "SNZB-03": Model(Kind.MOTION, hold=_MINUTE, blind=_MINUTE, steady={"battery_low": False}),
    "RTCGQ11LM": Model(Kind.MOTION, hold=timedelta(seconds=90), blind=_MINUTE, has_light=True, steady=_AQARA),
    "FP1E": Model(
        Kind.MOTION, hold=timedelta(seconds=15), blind=_MINUTE, is_presence=True, is_mains=True, steady=_AQARA
    ),
    "MCCGQ11LM": Model(Kind.CONTACT, steady=_AQARA | {"trigger_count": 1}),
    "SNZB-04": Model(Kind.CONTACT, steady={"battery_low": False}),
    "TS0215A_sos": Model(Kind.PENDANT, press_says="emergency"),
    "WXKG11LM": Model(Kind.PENDANT, press_says="single", steady=_AQARA),
    "SNZB-01": Model(Kind.PENDANT, press_says="single"),
    "E1812": Model(Kind.PENDANT, press_says="on", has_voltage=False),
    "WSDCGQ11LM": Model(Kind.CLIMATE, steady={"power_outage_count": 4, "pressure": 1013.3}),
    "SNZB-02": Model(Kind.CLIMATE),
    "TS0601_bed_presence_sensor": Model(Kind.BED, also=Kind.CHAIR, has_voltage=False, has_light=True),
    # The plug's own zero comes late: twice its reporting interval of 5 s, and one (converters 26.112.0, lib/tuya).
    "TS011F_plug_1": Model(
        Kind.PLUG,
        hold=timedelta(seconds=11),
        is_mains=True,
        steady={"state": "ON", "power": 0, "current": 0, "voltage": 236, "energy": 120.34},
    ),
    "TS0205": Model(Kind.SMOKE, has_voltage=False, steady={"smoke": False, "tamper": False}),
    "SJCGQ11LM": Model(Kind.WATER, steady=_AQARA | {"battery_low": False, "water_leak": False}),
}
USUAL_MODEL: Final = {
    Kind.MOTION: "SNZB-03",
    Kind.CONTACT: "MCCGQ11LM",
    Kind.PENDANT: "TS0215A_sos",
    Kind.CLIMATE: "WSDCGQ11LM",
    Kind.BED: "TS0601_bed_presence_sensor",
    Kind.CHAIR: "TS0601_bed_presence_sensor",
    Kind.PLUG: "TS011F_plug_1",
    Kind.SMOKE: "TS0205",
    Kind.WATER: "SJCGQ11LM",
}

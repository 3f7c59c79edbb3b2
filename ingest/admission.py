"""Is a reading believable, and when was it really observed?

A value is impossible or it is taken.  A time is never refused, only corrected, once: a hub's uptime is right within
one boot whatever its wall clock says, so a reading of the running boot is placed by uptime before the moment of
sending.  One of an earlier boot has nothing but that boot's wall clock, or the interval that it must lie in.
"""

import enum
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.reading import ALARMS, HubId, Quantity, from_unix_s
from gateway.wire import RELATIVE_BELOW

TOLERANCE: Final = timedelta(seconds=30)
"""How far a clock may be off and still be called right.  Ours: a slow line and a batch take seconds, NTP less."""

OLDEST: Final = timedelta(days=366)
"""Nothing is placed earlier than this before it was received.

Ours: a hub holds 200 MB, which is months at the busiest recording's rate (CASAS, 21 MB in 30 days), and each week of
an invented past would cost the database a chunk of its own.
"""

_OLDEST_MS: Final = OLDEST // timedelta(milliseconds=1)

_BOOTS_REMEMBERED: Final = 100_000  # About 20 MB, and ten times the hubs of a large authority.

_YES_OR_NO: Final = (
    frozenset(
        {
            Quantity.MOVEMENT,
            Quantity.PRESENCE,
            Quantity.OPEN,
            Quantity.VIBRATION,
            Quantity.POWER_ON,
            Quantity.BATTERY_LOW,
            Quantity.TAMPER,
        }
    )
    | ALARMS
)

_RANGE: Final = {
    # Sensirion SHT4x datasheet, version 6: the specified range of its temperature sensor, the widest of the usual ones.
    Quantity.TEMPERATURE_C: (-40.0, 125.0),
    # Zigbee Cluster Library revision 8 (07-5123-08), 4.7.2: relative humidity, 0 to 100 %.
    Quantity.HUMIDITY_PCT: (0.0, 100.0),
    # The same, 4.2.2.2.1: illuminance, up to 3.576 million lux.
    Quantity.ILLUMINANCE_LUX: (0.0, 3_576_000.0),
    # A single-phase supply: 100 A cut-out at 230 V and ten in a hundred above (ESQC Regulations 2002, 27).  Below 0 a
    # home with panels gives back.
    Quantity.POWER_W: (-25_300.0, 25_300.0),
    # Zigbee Smart Energy 1.4 (07-5356-19), D.3.2.2.1.1: a meter's sum is 48 bits, of Wh here.  Below 0 it gives back.
    Quantity.ENERGY_KWH: (-(2.0**48) / 1000, 2.0**48 / 1000),
    # Zigbee Cluster Library, 3.3.2.2.3.2: in half per cent, 0 to 200.
    Quantity.BATTERY_PCT: (0.0, 100.0),
    # The same, 3.3.2.2.3.1: one byte of 100 mV.
    Quantity.BATTERY_MV: (0.0, 25_500.0),
    # IEEE 802.15.4-2015, 10.2.6: the link quality indication is one byte.
    Quantity.LINK_QUALITY: (0.0, 255.0),
}


class Impossible(enum.StrEnum):
    """Why a value cannot be what its quantity says."""

    NEITHER_YES_NOR_NO = "neither 1 for yes nor 0 for no"
    TOO_LOW = "below what this quantity can be"
    TOO_HIGH = "above what this quantity can be"


def why_impossible(quantity: str, value: float) -> Impossible | None:
    """Return why a finite value is impossible for its quantity, or None.

    A quantity that this release does not know has no range here and is taken: hubs may be newer than we are.
    """
    if quantity in _YES_OR_NO:
        return None if value in (0.0, 1.0) else Impossible.NEITHER_YES_NOR_NO
    lowest, highest = _RANGE.get(quantity, (value, value))  # type: ignore[call-overload]  # a StrEnum's own text
    if value < lowest:
        return Impossible.TOO_LOW
    return Impossible.TOO_HIGH if value > highest else None


class Clock(enum.Enum):
    """Which clock told the moment of sending."""

    HUB = "the hub's wall clock, which agrees with ours"
    UPTIME = "the hub's uptime, since its wall clock agreed with ours earlier in this boot; the message was late"
    OURS = "ours, since the hub's wall clock is wrong or was never seen to be right"


@dataclass(frozen=True, slots=True)
class Sending:
    """When a message was sent, as well as it can be known.

    Attributes:
        at: never after the message arrived.
        boot: of the hub, that sent.
        uptime_ms: of the hub, at `at`.
        by: which clock told.
    """

    at: datetime
    boot: str
    uptime_ms: int
    by: Clock

    def boot_began_at(self) -> datetime | None:
        """Return when the sending boot began, or None where its uptime is too long to tell anything by."""
        return self.at - timedelta(milliseconds=self.uptime_ms) if _is_recent(self.uptime_ms) else None


class How(enum.Enum):
    """What a reading's time rests on."""

    UPTIME = "the running boot's uptime"
    WALL = "an earlier boot's wall clock, which fits"
    INTERVAL = "nothing but what came before it and after it"


@dataclass(frozen=True, slots=True)
class Time:
    """When a reading was observed.

    Attributes:
        observed_at: the latest that it can have been.
        uncertain_since: the earliest, where that differs in kind; None where the time is certain.
        how: what it rests on.
    """

    observed_at: datetime
    uncertain_since: datetime | None
    how: How

    @property
    def earliest(self) -> datetime:
        """What the next reading of the stream cannot be earlier than."""
        return self.uncertain_since or self.observed_at


class Clocks:
    """What has been seen of each hub's wall clock, boot by boot, since this process began.

    A message that waited in a broker is late, not wrong.  It can be told from a wrong clock only if the clock was
    seen to be right in the same boot; then uptime says when it was sent.
    """

    def __init__(self) -> None:
        self._boot_began_at: OrderedDict[tuple[HubId, str], datetime] = OrderedDict()

    def sending(
        self, hub: HubId, boot: str, uptime_ms: int, sent_at_s: float, *, arrived_at: datetime, tolerance: timedelta
    ) -> Sending:
        """Return when a message was sent, and remember the clock if it was right.

        Args:
            hub: that sent it.
            boot: of the hub.
            uptime_ms: of the hub, when it sent.
            sent_at_s: by its wall clock, seconds since 1970, any finite number.
            arrived_at: by our clock.
            tolerance: how far apart the two may be.
        """
        sent_at = moment(sent_at_s)
        if sent_at is not None and abs(arrived_at - sent_at) <= tolerance:
            at = min(sent_at, arrived_at)
            self._remember(hub, boot, at, uptime_ms)
            return Sending(at, boot, uptime_ms, Clock.HUB)
        began_at = self._boot_began_at.get((hub, boot))
        if sent_at is not None and sent_at < arrived_at and began_at is not None and _is_recent(uptime_ms):
            at = min(began_at + timedelta(milliseconds=uptime_ms), arrived_at)
            return Sending(at, boot, uptime_ms, Clock.UPTIME)
        return Sending(arrived_at, boot, uptime_ms, Clock.OURS)

    def _remember(self, hub: HubId, boot: str, at: datetime, uptime_ms: int) -> None:
        # On a file's clock a hub's "uptime" counts from 1970; as an origin for later messages that serves as well.
        if uptime_ms <= at.timestamp() * 1000:
            self._boot_began_at[hub, boot] = at - timedelta(milliseconds=uptime_ms)
            self._boot_began_at.move_to_end((hub, boot))
        if len(self._boot_began_at) > _BOOTS_REMEMBERED:
            self._boot_began_at.popitem(last=False)


def place(
    wall_s: float | None,
    boot: str,
    uptime_ms: int,
    sending: Sending,
    *,
    not_before: datetime | None,
    received_at: datetime,
) -> Time:
    """Return when a reading was observed.

    1. Of the boot that sends: by uptime.
    2. Of an earlier boot, and its wall time lies after the reading before it and before the running boot: that.
    3. Otherwise it lies somewhere in that interval.

    Args:
        wall_s: by the hub's wall clock when it was observed, seconds since 1970, any finite number; None where nothing
            had set that clock.
        boot: in which it was observed.
        uptime_ms: of that boot, when it was observed.
        sending: of the message that it came in.
        not_before: the earliest that the reading before it in its stream can have been; None where there is none.
        received_at: by our clock; never before `sending.at`.
    """
    latest = sending.at
    if boot == sending.boot:
        age_ms = sending.uptime_ms - uptime_ms
        if age_ms >= 0 and _is_recent(age_ms):
            return Time(latest - timedelta(milliseconds=age_ms), None, How.UPTIME)
    floor = received_at - OLDEST
    lowest = floor if not_before is None else max(not_before, floor)
    if boot != sending.boot:
        latest = sending.boot_began_at() or sending.at
        wall_at = None if wall_s is None else moment(wall_s)
        if wall_at is not None and lowest <= wall_at <= latest:
            return Time(wall_at, None, How.WALL)
    return Time(latest, min(lowest, latest), How.INTERVAL)


def moment(seconds: float) -> datetime | None:
    """Return the moment that a hub's clock names, or None where it cannot be meant.

    Below 2**28 (the year 1978) RFC 8428 reads a time as relative, and ours are absolute: a clock never set.
    """
    if seconds < RELATIVE_BELOW:
        return None
    try:
        return from_unix_s(seconds)
    except ValueError:
        return None


def _is_recent(uptime_ms: int) -> bool:
    return uptime_ms <= _OLDEST_MS

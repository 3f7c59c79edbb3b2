"""When does a day begin, and when does somebody get up and go to bed?

Times are of the wall clock in London, with its two odd nights, and are handed out in UTC.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from firmware_sim.happening import LOCAL, Who
from firmware_sim.routines import DAY_MIN, Routine

BEGINS_MIN: Final = 4 * 60
"""When a day begins, in minutes of the wall clock.  The clocks change between 01:00 and 02:00, in its middle."""

_EARLIEST_RISE_MIN: Final = BEGINS_MIN + 30
_LATEST_RISE_MIN: Final = 11 * 60
# Nobody's plan falls between 01:00 and 02:00, which does not exist in March and comes twice in October.
_LATEST_BED_MIN: Final = DAY_MIN + 55


@dataclass(frozen=True, slots=True)
class Moments:
    """When someone gets up on a date and goes to bed at its end, in wall minutes since its midnight."""

    rise_min: float
    bed_min: float


def begins_on(now: datetime) -> date:
    """Return the date whose day a moment belongs to: before 04:00, that of the evening before."""
    local = now.astimezone(LOCAL)
    return local.date() - timedelta(days=local.hour * 60 + local.minute < BEGINS_MIN)


def begins_at(on: date) -> datetime:
    """Return the moment at which a date's day begins."""
    return wall(on, BEGINS_MIN)


def wall(on: date, minutes: float) -> datetime:
    """Return the UTC moment of a local wall time, in minutes since that date's midnight."""
    return (datetime.combine(on, time(), LOCAL) + timedelta(minutes=minutes)).astimezone(UTC)


def moments(routine: Routine, *, seed: int, home: str, who: Who, on: date) -> Moments:
    """Return when someone rises and goes to bed on a date."""
    chance = random.Random(f"{seed}/{home}/{who.value}/{on.isoformat()}/moments")
    lie_in = routine.sunday_lie_in_min if on.weekday() == 6 else 0
    rise = chance.gauss(routine.rise_min + lie_in, routine.rise_spread_min)
    bed = chance.gauss(routine.bed_min, routine.bed_spread_min)
    return Moments(
        rise_min=min(max(rise, _EARLIEST_RISE_MIN), _LATEST_RISE_MIN),
        bed_min=min(max(bed, 19 * 60), _LATEST_BED_MIN),
    )

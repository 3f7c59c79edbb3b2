"""Is it still for longer than is usual here at this time?

Learned online from the silences of this home alone: how long those lasted that began at about the same time of day.
river is met only here, and imported only when a first threshold is computed.  What is saved is our own JSON: the
silences themselves and nothing of river's, so any version of river can go on from it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from alerts.judging.policy import local

# The crude learned rule of the study on the TIHM homes (2026-11), measured again here with this code: the figures
# stand in tests/bench/bench_judging.py.
_QUANTILE: Final = 0.97
_MARGIN: Final = 1.3
LONGEST: Final = timedelta(hours=10)
LEAST: Final = timedelta(hours=1)
_KEPT_FOR: Final = timedelta(days=42)

DAYS_NEEDED: Final = 14
"""Days on which life was seen before the question is asked: the study's learning time, two of each weekday."""

# Ours: below this many silences at a time of day, a quantile of 0.97 is only their maximum; LONGEST stands instead.
_SILENCES_NEEDED: Final = 5

# Ours: TIHM's busiest home has fewer than 15 silences of an hour or more a day; a bound, not a setting.
_SILENCES_MAX: Final = 42 * 15

# Half hours of the London day, and how many to either side count as the same time of day: an hour and a half.
_SLOTS: Final = 48
_NEAR_SLOTS: Final = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual here at this time.

    Attributes:
        longest: a stillness that lasts this long is unusual.
        quantile: of the silences it is drawn from; None where there were too few, and `longest` is the cap.
        silences: how many that were.
        days: on how many days life was seen here in the last six weeks.
        start_hour: London time at which the silence began, by half hours: 22.5.
    """

    longest: timedelta
    quantile: timedelta | None
    silences: int
    days: int
    start_hour: float


@dataclass(slots=True)
class Routine:
    """What has been learnt of a home.

    Attributes:
        silences: (when it began, seconds since 1970; how long it lasted, seconds; the half hour of the London day in
            which it began), in the order in which they ended.
        days: ordinals of the local days on which life was seen, ascending.
        usual_s: for each half hour of the day: quantile in seconds, number of silences; computed once and forgotten
            when something is learnt.
    """

    silences: list[tuple[int, int, int]] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    usual_s: dict[int, tuple[float, int]] = field(default_factory=dict)

    def see(self, at: datetime) -> None:
        """Count the day of a sign of life that was watched."""
        today = local(at).toordinal()
        if self.days and self.days[-1] >= today:
            return
        self.days.append(today)
        oldest = today - _KEPT_FOR.days
        self.days = [day for day in self.days if day > oldest]

    def learn(self, began: datetime, ended: datetime) -> None:
        """Take a silence as usual, if it is long enough to say anything."""
        if ended - began < LEAST:
            return
        self.silences.append((int(began.timestamp()), (ended - began) // timedelta(seconds=1), _slot(began)))
        oldest = ended.timestamp() - _KEPT_FOR.total_seconds()
        self.silences = [silence for silence in self.silences[-_SILENCES_MAX:] if silence[0] >= oldest]
        self.usual_s.clear()

    def is_learnt(self) -> bool:
        """Return whether enough days were seen to ask the question at all."""
        return len(self.days) >= DAYS_NEEDED

    def usual(self, began: datetime) -> Usual:
        """Return what is usual for a silence that began then."""
        slot = _slot(began)
        if slot not in self.usual_s:
            self.usual_s[slot] = self._quantile_s(slot)
        quantile_s, count = self.usual_s[slot]
        enough = count >= _SILENCES_NEEDED
        longest = min(timedelta(seconds=round(quantile_s * _MARGIN)), LONGEST) if enough else LONGEST
        return Usual(
            longest=max(longest, LEAST),
            quantile=timedelta(seconds=round(quantile_s)) if enough else None,
            silences=count,
            days=len(self.days),
            start_hour=slot / 2,
        )

    def _quantile_s(self, slot: int) -> tuple[float, int]:
        near = [lasted for _, lasted, its in self.silences if _slots_apart(its, slot) <= _NEAR_SLOTS]
        if not near:
            return 0.0, 0
        quantile = _stats().RollingQuantile(_QUANTILE, window_size=len(near))
        for lasted in near:
            quantile.update(lasted)
        return float(quantile.get()), len(near)


def river_version() -> str:
    """Return river's version, to be written down beside what was learnt with it."""
    return version("river")


@cache
def _stats() -> Any:  # noqa: ANN401  # river ships no types.
    from river import stats  # noqa: PLC0415  # Half a second that a process which never asks need not pay.

    return stats


def _slot(at: datetime) -> int:
    wall = local(at)
    return wall.hour * 2 + wall.minute // 30


def _slots_apart(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, _SLOTS - apart)

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

# Chosen by hand among some 70 settings on the TIHM recordings, in hindsight and on the same homes (2026-11; figures in
# tests/bench/bench_judging.py): near this choice the figures hardly move, so another home's may differ, but not wildly.
QUANTILE: Final = 0.99
MARGIN: Final = 1.5
LEAST: Final = timedelta(minutes=15)  # Shorter silences say nothing: they are between two rooms.
SOONEST: Final = timedelta(hours=3, minutes=30)  # Sooner is hardly ever right, and costs half of the false alarms.
LONGEST: Final = timedelta(hours=10)  # One hour less costs a tenth more false alarms.
_KEPT_FOR: Final = timedelta(days=42)

DAYS_NEEDED: Final = 14
"""Days that were watched before the question is asked: the study's learning time, two of each weekday."""

# Ours: TIHM's homes have 13 such silences a day on average; a bound, not a setting.
_SILENCES_MAX: Final = 42 * 30

# Half hours of the London day, and how many to either side count as the same time of day: an hour and a half.
_SLOTS: Final = 48
_NEAR_SLOTS: Final = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual here at this time.

    Attributes:
        longest: a stillness that lasts this long is unusual.
        quantile: of the silences that began at about this time of day; 0 where there were none.
        silences: how many that were.
        days: how many of the last six weeks' days were watched whole.
        start_hour: London time at which the silence began, by half hours: 22.5.
    """

    longest: timedelta
    quantile: timedelta
    silences: int
    days: int
    start_hour: float


@dataclass(slots=True)
class Routine:
    """What has been learnt of a home.

    Attributes:
        silences: (when it began, seconds since 1970; how long it lasted, seconds; the half hour of the London day in
            which it began), in the order in which they ended.
        days: the local days on which life was seen, by their ordinals: whether no silence that ended then was missed.
        usual_s: for each half hour of the day: quantile in seconds, number of silences; computed once and forgotten
            when something is learnt.
    """

    silences: list[tuple[int, int, int]] = field(default_factory=list)
    days: dict[int, bool] = field(default_factory=dict)
    usual_s: dict[int, tuple[float, int]] = field(default_factory=dict)

    def see(self, at: datetime) -> None:
        """Count the day of a sign of life."""
        self._count(at, is_whole=True)

    def miss(self, ended: datetime) -> None:
        """Count the day out: a silence ended that nobody watched, so what is usual may be missing from what is learnt.

        Without this, a hub that fails every night would make every night unusual.
        """
        self._count(ended, is_whole=False)

    def _count(self, at: datetime, *, is_whole: bool) -> None:
        today = local(at).toordinal()
        if self.days.get(today) in (is_whole, False):
            return
        self.days[today] = is_whole
        oldest = today - _KEPT_FOR.days
        self.days = {day: whole for day, whole in self.days.items() if day > oldest}

    def days_learnt(self) -> int:
        """Return how many of the last six weeks' days were watched whole."""
        return sum(self.days.values())

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
        return self.days_learnt() >= DAYS_NEEDED

    def usual(self, began: datetime) -> Usual:
        """Return what is usual for a silence that began then."""
        slot = _slot(began)
        if slot not in self.usual_s:
            self.usual_s[slot] = self._quantile_s(slot)
        quantile_s, count = self.usual_s[slot]
        longest = timedelta(seconds=round(quantile_s * MARGIN))
        return Usual(
            longest=min(max(longest, SOONEST), LONGEST),
            quantile=timedelta(seconds=round(quantile_s)),
            silences=count,
            days=self.days_learnt(),
            start_hour=slot / 2,
        )

    def _quantile_s(self, slot: int) -> tuple[float, int]:
        near = [lasted for _, lasted, its in self.silences if _slots_apart(its, slot) <= _NEAR_SLOTS]
        if not near:
            return 0.0, 0
        quantile = _stats().RollingQuantile(QUANTILE, window_size=len(near))
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

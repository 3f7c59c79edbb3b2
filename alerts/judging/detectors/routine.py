"""Is it still for longer than is usual here, in this place at this time?

Learned online from this home alone, in two ways that are put together: a model of how likely a silence ends soon
(`ending`), which knows when somebody usually moves about here (`moving`), corrected by the silences of the last six
weeks that began at about this time and were like this one (`likeness`).  From that follows how long it is right to
wait (`waiting`).  What is saved is our own JSON: the silences themselves and the model's weights, nothing of river's;
so any version of river can go on from it.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from alerts.judging.detectors.ending import GUESS, chances, learnt, river_version
from alerts.judging.detectors.likeness import STEP, STEPS, Beginning, Like, Place, Silence, like, place_of, silence
from alerts.judging.detectors.moving import Moving
from alerts.judging.detectors.waiting import best, lasting
from alerts.judging.policy import local

__all__ = ["DAYS_NEEDED", "LEAST", "LONGEST", "SOONEST", "Beginning", "Routine", "Usual", "river_version"]

LEAST: Final = STEP  # Shorter silences say nothing: they are between two rooms.
SOONEST: Final = 4 * STEP  # Ours: nobody is disturbed within an hour.
LONGEST: Final = STEPS * STEP
_LEARNT_FOR_MAX: Final = timedelta(hours=24)
"""A longer silence is no routine: somebody is away, or the equipment is dead."""

_KEPT_FOR: Final = timedelta(days=42)

DAYS_NEEDED: Final = 7
"""Days that were watched before the question is asked: one of each weekday."""

_DAYS_SURE: Final = 14
"""Until so many days were watched a false alarm weighs more, for the silences of a week are few."""

# Ours: TIHM's homes have 13 such silences a day on average; a bound, not a setting.
_SILENCES_MAX: Final = 42 * 30

_DOOR_COUNTS_FOR: Final = timedelta(minutes=10)
_ACTIVITY_FADES: Final = timedelta(hours=1)
_USUAL_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual here, in this place at this time.

    Attributes:
        longest: a stillness that lasts this long is unusual.
        quantile: nine of ten silences like this one were over by then; 0 where there were none.
        silences: how many that were, each counting as much as it is like this one.
        share: of silences like this one, how many are expected to last longer than `longest` by themselves; 0 to 1.
        days: how many of the last six weeks' days were watched whole.
        start_hour: London time at which the silence began, by half hours: 22.5.
    """

    longest: timedelta
    quantile: timedelta
    silences: int
    share: float
    days: int
    start_hour: float


@dataclass(slots=True)
class Routine:
    """What has been learnt of a home.

    Attributes:
        silences: those of the last six weeks, in the order in which they ended.
        days: the local days on which life was seen, by their ordinals: whether no silence that ended then was missed.
        weights: of the model, by name.
        moving: at which times of day somebody moves about.
        active: how often anybody was seen lately, as of the last sign of life; what is an hour old counts a third.
        last_at: the last sign of life.
        last_place: where that was.
        door_at: when an outer door was last used.
        computed: what `usual` last gave: (the silence's beginning, the patience asked for, it); forgotten when
            something is learnt.
    """

    silences: list[Silence] = field(default_factory=list)
    days: dict[int, bool] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=GUESS.copy)
    moving: Moving = field(default_factory=Moving)
    active: float = 0.0
    last_at: datetime | None = None
    last_place: Place = Place.OTHER
    door_at: datetime | None = None
    computed: tuple[Beginning, timedelta, Usual] | None = None

    def see(self, at: datetime, room: str | None) -> None:
        """Take in a sign of life: its day counts, and the next silence begins there."""
        self._count(at, is_whole=True)
        before = self.moving.day
        was_whole = before is not None and self.days.get(before, False)
        self.moving.see(at, day=local(at).toordinal(), was_whole=was_whole)
        faded = 0.0 if self.last_at is None else math.exp(-max(at - self.last_at, timedelta(0)) / _ACTIVITY_FADES)
        self.active = self.active * faded + 1.0
        self.last_at, self.last_place = at, place_of(room)
        if self.last_place is Place.OUTER_DOOR:
            self.door_at = at

    def beginning(self, began: datetime) -> Beginning:
        """Return how the present silence began: with the last sign of life, if there was one."""
        if began != self.last_at:
            return Beginning(began)
        is_after_door = self.door_at is not None and began - self.door_at < _DOOR_COUNTS_FOR
        return Beginning(began, self.last_place, is_after_door, self.active)

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
        self.forget_computed()

    def days_learnt(self) -> int:
        """Return how many of the last six weeks' days were watched whole."""
        return sum(self.days.values())

    def learn(self, began: Beginning, ended: datetime) -> None:
        """Take a silence as usual, if it is long enough to say anything and short enough to be a habit."""
        if not LEAST <= ended - began.at <= _LEARNT_FOR_MAX:
            return
        self.silences.append(silence(began, ended))
        oldest = self.silences[-1][0] + self.silences[-1][1] - _KEPT_FOR.total_seconds()
        self.silences = [one for one in self.silences[-_SILENCES_MAX:] if one[0] >= oldest]
        self.weights = learnt(self.weights, began, self.moving.odds(began.at), ended)
        self.forget_computed()

    def forget_computed(self) -> None:
        """Compute anew what is asked next."""
        self.computed = None

    def is_learnt(self) -> bool:
        """Return whether enough days were seen to ask the question at all."""
        return self.days_learnt() >= DAYS_NEEDED

    def usual(self, began: datetime, patience: timedelta) -> Usual:
        """Return what is usual for the silence that began then.

        Args:
            began: when.
            patience: how many hours of waiting, over all that might have happened, one false alarm is worth.
        """
        beginning = self.beginning(began)
        if self.computed is None or self.computed[:2] != (beginning, patience):
            self.computed = (beginning, patience, self._usual(beginning, patience))
        return self.computed[2]

    def _usual(self, began: Beginning, patience: timedelta) -> Usual:
        known = like(began, self.silences)
        chance = chances(self.weights, began, self.moving.odds(began.at))
        lasts = lasting(chance, known.about, known.alike)
        days = self.days_learnt()
        patience_h = patience / timedelta(hours=1) * max(1.0, _DAYS_SURE / max(days, 1))
        step = best(lasts, moving_h=known.moving_h(days), patience_h=patience_h, soonest=SOONEST // STEP, longest=STEPS)
        wall = local(began.at)
        return Usual(
            longest=step * STEP,
            quantile=_quantile(known),
            silences=round(float(known.weights.sum())),
            share=round(float(lasts[step]), 4),
            days=days,
            start_hour=wall.hour + wall.minute // 30 / 2,
        )


def _quantile(known: Like) -> timedelta:
    """Return how long nine of ten lasted at most, each counting as much as it is like the one asked about."""
    total = float(known.weights.sum())
    if total <= 0.0:
        return timedelta(0)
    order = np.argsort(known.lasted_s, kind="stable")
    through = np.cumsum(known.weights[order])
    number = min(int(np.searchsorted(through, _USUAL_SHARE * total)), len(order) - 1)
    return timedelta(seconds=int(known.lasted_s[order][number]))

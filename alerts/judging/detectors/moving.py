"""At which times of day does somebody move about here?

A silence ends when the home usually wakes, whenever it began.  So for each quarter of an hour of London's day it is
kept on what share of the days that were watched whole anybody was seen in it, the last fortnight counting most.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from alerts.judging.detectors.likeness import LASTED_S, STEP_S, STEPS, Array, wall_s

_DAY_S: Final = 86400.0
_SLOTS: Final = int(_DAY_S / STEP_S)

# Half of what is remembered is younger than this.  Between 4 and 21 days the figures of the TIHM homes hardly
# move (tests/bench/README.md, 2026-11).
_HALF_LIFE_DAYS: Final = 14.0
# Ours: as many days in which each quarter of an hour was like the average of all weigh beside those that were seen.
_GUESS_DAYS: Final = 2.0
# Ours: before a day was seen, somebody moves about in a third of all quarters of an hour.
_SHARE: Final = 0.35
# So that the average of a home's day is about 0: the log-odds of a share between a quarter and a third are -1.
_CENTRE: Final = 1.0


@dataclass(slots=True)
class Moving:
    """What is remembered of it.

    Attributes:
        seen: by quarter of an hour, on how many days anybody was seen in it; a fortnight ago counts a half.
        days: how many days that were, counted likewise.
        day: the London day that is going on, as its ordinal; None before the first.
        today: in which quarters of an hour anybody was seen in it, in order.
    """

    seen: list[float] = field(default_factory=lambda: [0.0] * _SLOTS)
    days: float = 0.0
    day: int | None = None
    today: list[int] = field(default_factory=list)

    def see(self, at: datetime, *, day: int, was_whole: bool) -> None:
        """Take in a sign of life.

        Args:
            at: when.
            day: the London day, as its ordinal.
            was_whole: whether the day that was going on was watched whole; one that was not says nothing.
        """
        if day != self.day:
            if self.day is not None and was_whole:
                self._keep(self.today, fading=0.5 ** (abs(day - self.day) / _HALF_LIFE_DAYS))
            self.day, self.today = day, []
        slot = int(wall_s(at) % _DAY_S // STEP_S)
        if slot not in self.today:
            self.today = sorted([*self.today, slot])

    def odds(self, began: datetime) -> Array:
        """Return how likely somebody moves about when a silence has lasted each step.

        Args:
            began: when it did.

        Returns:
            Shape (55,), log-odds from the first step on, about 0 for an average time of day.
        """
        mean = sum(self.seen) / _SLOTS / self.days if self.days else _SHARE
        share = (np.array(self.seen) + _GUESS_DAYS * mean) / (self.days + _GUESS_DAYS)
        place = (wall_s(began) % _DAY_S + LASTED_S[1:STEPS]) / STEP_S
        first = np.floor(place).astype(np.int64)
        part = place - first
        then = (1 - part) * share[first % _SLOTS] + part * share[(first + 1) % _SLOTS]
        then = np.clip(then, 0.01, 0.99)
        return np.asarray(np.log(then / (1 - then)) + _CENTRE)

    def _keep(self, slots: list[int], *, fading: float) -> None:
        faded = [round(days * fading, 3) for days in self.seen]
        for slot in slots:
            faded[slot] = round(faded[slot] + fading, 3)
        self.seen, self.days = faded, round((self.days + 1) * fading, 3)

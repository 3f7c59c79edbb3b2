"""How strange was this quarter of the day, beside this home's own?

Learned online from this home alone, and known at the end of each block of six hours.  The score is for sorting: what
is worth a look first.  It raises nothing by itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final

from alerts.judging.policy import LONDON, local

BLOCKS: Final = (time(0), time(6), time(12), time(18))
"""When the blocks of a London day begin.  On the days on which the clocks are changed the first lasts five or seven
hours."""

# Weight of the newest day: half of what is remembered is younger than about two weeks.
_FADING: Final = 0.05
# Spread of the log of a block's activity that is taken for granted, so that a regular home is not strange at once.
_SPREAD_MIN: Final = 0.5
# People move in bursts: how much more a count varies than one of things that happen singly (whose log varies by one
# in the count).  Both ours, and near them the figures hardly move (tests/bench/README.md, 2026-11).
_BURSTS: Final = 16.0
_LOCATIONS_MAX: Final = 256


@dataclass(slots=True)
class Past:
    """What one block of the day has been like.

    Attributes:
        days: how many were seen.
        mean: of the log of how often anybody was seen, newer days counting more.
        variance: of the same.
    """

    days: int = 0
    mean: float = 0.0
    variance: float = 0.0


@dataclass(slots=True)
class Strangeness:
    """What is remembered of a home's blocks.

    Attributes:
        past: by block of the day.
        seen: how often somebody was seen in the present block, by location.
    """

    past: dict[int, Past] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def see(self, location: str) -> None:
        """Count a sign of life in the present block."""
        if location in self.seen or len(self.seen) < _LOCATIONS_MAX:
            self.seen[location] = self.seen.get(location, 0) + 1

    def close(self, block: int) -> float:
        """Return how strange the present block was, and learn from it; higher is stranger, 0 is usual.

        Args:
            block: which of the day's it was, 0 to 3.
        """
        past = self.past.setdefault(block, Past())
        activity = _activity(self.seen)
        score = 0.0
        if past.days:
            by_chance = _BURSTS / math.exp(past.mean)
            score = (activity - past.mean) / math.sqrt(past.variance + _SPREAD_MIN**2 + by_chance)
        _learn(past, activity)
        self.seen = {}
        return score


def _activity(seen: Mapping[str, int]) -> float:
    return math.log1p(sum(seen.values()))


def _learn(past: Past, activity: float) -> None:
    # While little is known each day counts alike; later the newest counts `_FADING`.
    past.days += 1
    weight = max(1 / past.days, _FADING)
    off = activity - past.mean
    past.mean += weight * off
    past.variance = (1 - weight) * (past.variance + weight * off * off)


def block_of(at: datetime) -> tuple[datetime, datetime, int]:
    """Return the block that a moment lies in: when it begins, its end, excluded, and which of the day's it is."""
    wall = local(at)
    block = wall.hour // 6
    begins = datetime.combine(wall.date(), BLOCKS[block], LONDON)
    last = block == len(BLOCKS) - 1
    ends = datetime.combine(wall.date() + timedelta(days=last), BLOCKS[0 if last else block + 1], LONDON)
    return begins, ends, block

"""How strange was this quarter of the day, beside this home's own?

Counted is how often somebody went from one place to another, or moved again after a pause: that is how restlessness
looks from the sensors.  Learned online from this home alone, and known at the end of each block of six hours.  The
score is for sorting: what is worth a look first.  It raises nothing by itself.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final

from alerts.judging.policy import LONDON, local

BLOCKS: Final = (time(0), time(6), time(12), time(18))
"""When the blocks of a London day begin.  On the days on which the clocks are changed the first lasts five or seven
hours."""

# Somebody who moves in the same place again after this has come back to it, as far as anybody can tell.  Ours.
_PAUSE: Final = timedelta(minutes=10)

# What a home is taken for of which nothing is known: how often somebody moves on in each block, and how much the log of
# that varies.  Medians of the TIHM homes (tests/bench/README.md, 2026-11); it counts as much as a fortnight, for good.
_ANYBODY: Final = tuple(math.log1p(count) for count in (10, 85, 85, 65))
_ANYBODY_VARIES: Final = 0.7
_ANYBODY_DAYS: Final = 14.0

# As many days are remembered, the last ones counting most; and no block is learnt as stranger than by one spread, or a
# few wild days were soon the measure of all that follows.  Both chosen on the TIHM homes, in hindsight.
_DAYS_MAX: Final = 50.0
_STRANGEST: Final = 1.0
_FEW_DAYS: Final = 5
# Spread of the log of a block's count that is taken for granted, so that a regular home is not strange at once.
_SPREAD_MIN: Final = 0.5
# People move in bursts: how much more a count varies than one of things that happen singly (whose log varies by one
# in the count).  Both ours, and near them the figures hardly move (tests/bench/README.md, 2026-11).
_BURSTS: Final = 16.0


@dataclass(slots=True)
class Past:
    """What one block of the day has been like.

    Attributes:
        days: how many were seen.
        mean: of the log of how often somebody moved on.
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
        moves: how often somebody moved on in the present block.
        last_at: the last sign of life; None before the first.
        last_location: where that was.
    """

    past: dict[int, Past] = field(default_factory=dict)
    moves: int = 0
    last_at: datetime | None = None
    last_location: str = ""

    def see(self, location: str, at: datetime) -> None:
        """Take in a sign of life in the present block; they come in order of time."""
        if self.last_at is None or location != self.last_location or at - self.last_at >= _PAUSE:
            self.moves += 1
        self.last_at, self.last_location = at, location

    def close(self, block: int) -> float:
        """Return how strange the present block was, and learn from it; higher is stranger, 0 is usual.

        Args:
            block: which of the day's it was, 0 to 3.
        """
        past = self.past.setdefault(block, Past())
        moves, self.moves = math.log1p(self.moves), 0
        score = 0.0
        if past.days:
            days = min(past.days, _DAYS_MAX)
            mean = (days * past.mean + _ANYBODY_DAYS * _ANYBODY[block]) / (days + _ANYBODY_DAYS)
            variance = (days * past.variance + _ANYBODY_DAYS * _ANYBODY_VARIES**2) / (days + _ANYBODY_DAYS)
            score = (moves - mean) / _spread(mean, variance)
        _learn(past, moves)
        return score


def _spread(mean: float, variance: float) -> float:
    return math.sqrt(variance + _SPREAD_MIN**2 + _BURSTS / math.exp(mean))


def _learn(past: Past, moves: float) -> None:
    if past.days >= _FEW_DAYS:
        strangest = _STRANGEST * _spread(past.mean, past.variance)
        moves = min(max(moves, past.mean - strangest), past.mean + strangest)
    past.days += 1
    weight = 1 / min(past.days, _DAYS_MAX)
    off = moves - past.mean
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

"""How long is it right to wait before somebody is told?

Not until a silence is rarer than some share, the same at noon and at night: a night's silence costs hours whatever
one does, so false alarms are spent where they buy most.  Waiting until T costs, for a resident who fell as this
silence began or during it, the time up to T, as far as the silence would have lasted at all; telling at T costs a
false alarm as often as silences like this one last longer by themselves.  The sum has a least.
"""

from typing import Final

import numpy as np

from alerts.judging.detectors.likeness import LASTED_S, STEPS, Array

# How much the guess of the model counts beside silences of about this time, and those beside silences that are alike
# in all: as many as this.  Chosen by hand on the TIHM homes, in hindsight (tests/bench/README.md, 2026-11).
_GUESS_COUNTS: Final = 8.0
_ABOUT_COUNTS: Final = 2.0

_STEP_H: Final = float(LASTED_S[1]) / 3600


def lasting(chances: Array, about: Array, alike: Array) -> Array:
    """Return, of shape (57,), how likely a silence that lasted a quarter of an hour lasts longer than each step.

    Args:
        chances: shape (55,): how likely it ends within each step from the first on, as the model has it.
        about: shape (57,): how many that began at about this time of day lasted longer than each step.
        alike: likewise, of those that were like it in all.
    """
    first = _together(chances, about, _GUESS_COUNTS)
    ends = _together(first, alike, _ABOUT_COUNTS)
    return np.concatenate([[1.0, 1.0], np.cumprod(1.0 - ends)])


def _together(guess: Array, longer: Array, counts: float) -> Array:
    """Return a guess corrected by what was seen: the mean of a beta distribution that begins as the guess."""
    return (longer[1:STEPS] - longer[2:] + counts * guess) / (longer[1:STEPS] + counts)


def best(lasts: Array, *, moving_h: float, patience_h: float, soonest: int, longest: int) -> int:
    """Return the step at which to tell somebody.

    Args:
        lasts: shape (57,): how likely a silence lasts longer than each step.
        moving_h: for how many hours somebody moves about for each such silence: where silences are rare, much.
        patience_h: how many hours of waiting, over all that might have happened, one false alarm is worth.
        soonest: no step before this one.
        longest: no step after this one.
    """
    until = moving_h + np.concatenate([[0.0, 0.0], np.cumsum((lasts[2:] + lasts[1:-1]) / 2) * _STEP_H])
    waited = np.concatenate([[0.0], np.cumsum((until[1:] + until[:-1]) / 2) * _STEP_H])
    cost = waited + patience_h * lasts
    return soonest + int(np.argmin(cost[soonest : longest + 1]))

"""How likely does a silence end in the next quarter of an hour?

A logistic regression that learns online, quarter by quarter, from the silences of this home alone; river is met only
here.  It begins with what anybody would guess (the longer it lasts the less likely it ends soon, less at night, less
after an outer door, more when somebody usually moves about), and nothing in it comes from any recording.  What is
saved is our own: the weights, by name.
"""

import math
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from alerts.judging.detectors.likeness import LASTED_S, STEPS, Array, Beginning, Place, wall_s

# Chosen by hand on the TIHM homes, in hindsight (tests/bench/README.md, 2026-11): twice or half of it gives
# a tenth of an hour more delay.
_LEARNING_RATE: Final = 0.008

# A hazard of a quarter an hour at first, falling as the silence lasts: ours, by what a home with people in it does.
GUESS: Final = {"always": -1.2, "after 15 min": -0.2, "midnight": -0.5, "after a door": -0.4, "moving": 0.5}

# From the first step on: shorter silences are between two rooms.
_HOURS: Final[Array] = LASTED_S[1:STEPS] / 3600
_LOG_H: Final[Array] = np.log(_HOURS)
_KNOTS_H: Final = {"after 15 min": 0.25, "after 1 h": 1.0, "after 4 h": 4.0}
_PLACES: Final = {
    Place.KITCHEN: "kitchen",
    Place.HALL: "hall",
    Place.BEDROOM: "bedroom",
    Place.BATHROOM: "bathroom",
    Place.OUTER_DOOR: "outer door",
}


def facts(began: Beginning, moving: Array) -> dict[str, Array]:
    """Return what the chance rests on, by name, each of shape (55,): one for each step from the first.

    Args:
        began: how the silence did.
        moving: shape (55,): how likely somebody moves about here at that time of day, as `Moving.odds` has it.
    """
    clock = 2 * math.pi * ((wall_s(began.at) / 3600) % 24 + _HOURS) / 24
    same = np.ones_like(_HOURS)
    known: dict[str, Array] = {"always": same}
    known |= {name: np.maximum(0.0, np.log(_HOURS / knot)) for name, knot in _KNOTS_H.items()}
    known |= {"midnight": np.cos(clock), "morning": np.sin(clock)}
    known |= {"midnight and noon": np.cos(2 * clock), "morning and evening": np.sin(2 * clock)}
    known |= {"midnight, longer": _LOG_H * np.cos(clock), "morning, longer": _LOG_H * np.sin(clock)}
    for place, name in _PLACES.items():
        known[name] = same * (began.place is place)
        known[f"{name}, longer"] = _LOG_H * (began.place is place)
    known["after a door"] = same * began.is_after_door
    known["after a door, longer"] = _LOG_H * began.is_after_door
    active = math.log1p(began.activity)
    known["activity"] = same * active
    known["activity, longer"] = _LOG_H * active
    known["moving"] = moving
    return known


def chances(weights: dict[str, float], began: Beginning, moving: Array) -> Array:
    """Return, of shape (55,), how likely a silence that lasted each step ends before the next."""
    score = sum((weights.get(name, 0.0) * value for name, value in facts(began, moving).items()), np.zeros_like(_HOURS))
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0))))


def learnt(weights: dict[str, float], began: Beginning, moving: Array, ended: datetime) -> dict[str, float]:
    """Return the weights after a silence was seen to its end.

    Args:
        weights: those before; not changed.
        began: how it began.
        moving: shape (55,): how likely somebody moves about here at that time of day.
        ended: when somebody was seen again.
    """
    model = _model(weights)
    known = facts(began, moving)
    lasted_s = (ended - began.at).total_seconds()
    # One that lasted to the very end of a step ended in it, as `Like` counts them too.
    for step in range(int(np.count_nonzero(LASTED_S[1:STEPS] < lasted_s))):
        has_ended = bool(lasted_s <= LASTED_S[step + 2])
        model.learn_one({name: float(value[step]) for name, value in known.items()}, has_ended)
    return {name: float(weight) for name, weight in model.weights.items()}


def river_version() -> str:
    """Return river's version, to be written down beside what was learnt with it."""
    return version("river")


def _model(weights: dict[str, float]) -> Any:  # noqa: ANN401  # river ships no types.
    linear_model, optim = _river()
    model = linear_model.LogisticRegression(optimizer=optim.SGD(_LEARNING_RATE), intercept_lr=0.0)
    model._weights.update(weights)  # noqa: SLF001  # River has no other way to go on from weights that were saved.
    return model


@cache
def _river() -> tuple[Any, Any]:
    from river import linear_model, optim  # noqa: PLC0415  # Half a second that who never learns need not pay.

    return linear_model, optim

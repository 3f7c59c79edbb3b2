"""Which of the silences here were like this one, and how many of those lasted how long?

A silence is like another that began at about the same time of day, in the same kind of place, with or without an
outer door just before, on the same kind of day, after about as much moving about, and not long ago.
"""

import enum
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alerts.judging.policy import local

Array: TypeAlias = npt.NDArray[np.float64]

STEP: Final = timedelta(minutes=15)
STEPS: Final = 56
"""Silences are counted in steps of a quarter of an hour, up to 14 hours."""

STEP_S: Final = STEP.total_seconds()
LASTED_S: Final[Array] = np.arange(STEPS + 1, dtype=np.float64) * STEP_S

# The widths and the weights of what is different were chosen by hand on the TIHM homes, in hindsight; near
# this choice the figures hardly move (tests/bench/README.md, 2026-11).
_ABOUT_S: Final = 3600.0
_ABOUT_H: Final = _ABOUT_S / 3600 * math.sqrt(2 * math.pi)  # As long as what counts as about this time, in all.
_LIKE_S: Final = 4500.0
_FAR_S: Final = 3 * 3600.0
_OTHER_PLACE: Final = 0.1
_OTHER_DOOR: Final = 0.3
_OTHER_DAY: Final = 0.6
_OTHER_ACTIVITY: Final = 1.2
_FADES_S: Final = 30 * 86400.0

_DAY_S: Final = 86400.0
_THURSDAY: Final = 3  # 1970-01-01, if Monday is 0.


class Place(enum.IntEnum):
    """Kinds of places, which are alike in most homes."""

    OTHER = 0
    KITCHEN = 1
    HALL = 2
    BEDROOM = 3
    BATHROOM = 4
    OUTER_DOOR = 5


# The first word that occurs in the name decides: a fridge has a door, and a bedroom may have a toilet.
_WORDS: Final = (
    (Place.KITCHEN, ("kitchen", "fridge", "freezer", "kettle", "cooker")),
    (Place.BEDROOM, ("bedroom", "bed")),
    (Place.BATHROOM, ("bath", "toilet", "shower", "wc")),
    (Place.OUTER_DOOR, ("door", "porch")),
    (Place.HALL, ("hall", "landing", "stairs", "corridor")),
)


def place_of(room: str | None) -> Place:
    """Return which kind of place a room or door is, by its name."""
    name = (room or "").lower()
    return next((place for place, words in _WORDS if any(word in name for word in words)), Place.OTHER)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a silence began.

    Attributes:
        at: the last sign of life before it.
        place: where that was.
        is_after_door: an outer door was used within the ten minutes before.
        activity: how often anybody was seen lately; what is an hour old counts a third.
    """

    at: datetime
    place: Place = Place.OTHER
    is_after_door: bool = False
    activity: float = 1.0


Silence: TypeAlias = tuple[int, int, int, int, float]
"""When it began by London's wall, in seconds since 1970; how long it lasted, in seconds; place; whether after a door;
activity; all whole numbers but the last."""


def wall_s(at: datetime) -> float:
    """Return what London's clocks show, in seconds since they would have shown 1970-01-01 00:00."""
    offset = local(at).utcoffset()
    return at.timestamp() + (0.0 if offset is None else offset.total_seconds())


def silence(began: Beginning, ended: datetime) -> Silence:
    """Return a silence as it is remembered."""
    lasted = (ended - began.at) // timedelta(seconds=1)
    return (int(wall_s(began.at)), lasted, int(began.place), int(began.is_after_door), round(began.activity, 2))


@dataclass(frozen=True, slots=True)
class Like:
    """How many silences lasted how long, each counting as much as it is like the one asked about.

    Attributes:
        about: shape (57,): of those that began at about this time of day, how many lasted longer than each step.
        alike: likewise, of those that were like it in all.
        lasted_s: shape (n,): how long each of all lasted.
        weights: shape (n,): how much each is like it, 0 to 1.
        still_days: on how many of the days before it was still at this very time of day.
    """

    about: Array
    alike: Array
    lasted_s: Array
    weights: Array
    still_days: int

    def moving_h(self, days: int) -> float:
        """Return for how many hours somebody moved about here for each silence that began at about this time.

        Args:
            days: how many were watched whole.
        """
        share = max(days - self.still_days, 0) + 1
        return days * _ABOUT_H * share / (days + 1) / (float(self.about[1]) + 1)


def like(began: Beginning, silences: list[Silence]) -> Like:
    """Return how many of these silences were like one that began so, by how long they lasted."""
    if not silences:
        nothing = np.zeros(STEPS + 1)
        return Like(nothing, nothing, np.zeros(0), np.zeros(0), 0)
    known: Array = np.fromiter(chain.from_iterable(silences), np.float64, 5 * len(silences)).reshape(-1, 5)
    at_s, lasted_s, activity = known[:, 0], known[:, 1], known[:, 4]
    now_s = wall_s(began.at)
    apart_s = np.abs(at_s - now_s) % _DAY_S
    apart_s = np.minimum(apart_s, _DAY_S - apart_s)
    is_near = apart_s < _FAR_S
    about = np.exp(-0.5 * (apart_s / _ABOUT_S) ** 2) * is_near
    weights = (
        np.exp(-0.5 * (apart_s / _LIKE_S) ** 2)
        * is_near
        * np.where(known[:, 2] == began.place, 1.0, _OTHER_PLACE)
        * np.where(known[:, 3] == began.is_after_door, 1.0, _OTHER_DOOR)
        * np.where(_is_weekend(at_s) == _is_weekend(now_s), 1.0, _OTHER_DAY)
        * np.exp(-0.5 * ((np.log1p(activity) - np.log1p(began.activity)) / _OTHER_ACTIVITY) ** 2)
        * np.exp(-np.abs(now_s - at_s) / _FADES_S)
    )
    still_days = int(np.count_nonzero((now_s - at_s) % _DAY_S < lasted_s))
    return Like(_longer(lasted_s, about), _longer(lasted_s, weights), lasted_s, weights, still_days)


def _longer(lasted_s: Array, weights: Array) -> Array:
    """Return how much those weigh together that lasted longer than each step, of shape (57,)."""
    steps = np.minimum(np.ceil(lasted_s / STEP_S), STEPS + 1).astype(np.int64)
    by_step = np.bincount(steps, weights, minlength=STEPS + 2)
    return np.asarray(by_step[::-1].cumsum()[::-1][1:])


def _is_weekend(at_s: Any) -> Any:  # noqa: ANN401 - a number or an array of them
    return (at_s // _DAY_S + _THURSDAY) % 7 >= 5

"""Can we see this home now, and if not, why not?"""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.judging.detectors.device_silence import Hub


class Watched(enum.StrEnum):
    """How well a home is seen."""

    WATCHED = "watched"  # every promise is kept
    DEGRADED = "degraded"  # some question cannot be answered, or not surely
    BLIND = "blind"  # a movement would not reach us; no news says nothing


NEVER_HEARD: Final = "never heard"
HUB: Final = "hub"
RADIO: Final = "radio"
CLOCK: Final = "clock"
US: Final = "us"
"""Why a home is not watched, in the words of a fixed list.

`us` is our own deafness, as the log has it.  The page adds it on its own too, from the leases of the lane and of the
judge: what does not run cannot say so.
"""


@dataclass(frozen=True, slots=True)
class Watch:
    """How well a home is seen, why not better, and since when that is so."""

    state: Watched
    why: tuple[str, ...]
    since: datetime


def watched(hubs: Collection[Hub], *, is_time_uncertain: bool) -> tuple[Watched, tuple[str, ...]]:
    """Return how well a home with these hubs is seen, and why not better.

    With every hub silent, unheard or without its sensors, stillness cannot be told from blindness.  With only one of
    several, the others still see something: stillness is judged, and rather too soon than not at all.
    """
    if not hubs:
        return Watched.BLIND, (NEVER_HEARD,)
    reasons = {_reason(hub) for hub in hubs} - {None}
    why = [reason for reason in (NEVER_HEARD, HUB, US, RADIO) if reason in reasons]
    if not any(hub.sees() for hub in hubs):
        return Watched.BLIND, tuple(why)
    if is_time_uncertain:
        why.append(CLOCK)
    return (Watched.DEGRADED if why else Watched.WATCHED), tuple(why)


def _reason(hub: Hub) -> str | None:
    if hub.heard_at is None:
        return NEVER_HEARD
    if hub.is_silent:
        return HUB
    if hub.deaf_until is not None:
        return US
    return RADIO if hub.radio_down_since is not None else None

"""Can we see this home now, and if not, why not?"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.judging.detectors.device_silence import Hub
from alerts.judging.detectors.sensor_silence import Silent


class Watched(enum.StrEnum):
    """How well a home is seen."""

    WATCHED = "watched"  # every promise is kept
    DEGRADED = "degraded"  # some question cannot be answered, or not surely
    BLIND = "blind"  # a movement would not reach us; no news says nothing
    PAUSED = "paused"  # the resident asked not to be watched: never fine, and nobody's fault


def watched_of(word: str) -> Watched:
    """Return how well a home is seen by the word of a row; one that only a newer release knows is never fine."""
    return Watched(word) if word in frozenset(Watched) else Watched.BLIND


NEVER_HEARD: Final = "never heard"
HUB: Final = "hub"
LINE: Final = "line"
RADIO: Final = "radio"
CLOCK: Final = "clock"
BROKER: Final = "broker"
US: Final = "us"
PAUSED: Final = "paused"
"""Why a home is not watched, in the words of a fixed list.

`hub` is a box that says nothing, `line` one whose connection the broker saw end: no power there, or no network.
`broker` and `us` are our own deafness, as the log has it.  The page adds `us` on its own too, from the leases of the
lane and of the judge: what does not run cannot say so.
"""

HUB_SILENT: Final = frozenset({HUB, LINE})
"""A box is silent: since it was last heard nothing is known."""

OURS: Final = frozenset({BROKER, US})
"""The home can do nothing for it: our own parts."""

_SENSOR: Final = "sensor"
_STUCK: Final = "stuck"

NO_LIFE: Final = frozenset({"climate", "smoke", "water", "pendant"})
"""Kinds of sensors without which movements are seen as well as with them."""


def reason_of(silent: Silent) -> str:
    """Return a silent sensor as a reason why a home is not watched: `sensor/kind/since/where`.

    One that reports and notices nothing is `stuck/kind/since/where`.
    """
    what = _STUCK if silent.is_stuck else _SENSOR
    return f"{what}/{silent.kind}/{silent.since.isoformat()}/{silent.room or silent.sensor}"


def silent_in(reason: str) -> Silent | None:
    """Return the silent or stuck sensor that a reason speaks of, called as its room is; None: of something else."""
    what, *more = reason.split("/", 3)
    if what not in (_SENSOR, _STUCK) or len(more) != 3:
        return None
    kind, since, where = more
    return Silent(where, kind, where, datetime.fromisoformat(since), is_stuck=what == _STUCK)


def hides_life(reason: str) -> bool:
    """Return whether movements may go unseen for that reason."""
    silent = silent_in(reason)
    return silent is None or silent.kind not in NO_LIFE


@dataclass(frozen=True, slots=True)
class Watch:
    """How well a home is seen, why not better, and since when that is so."""

    state: Watched
    why: tuple[str, ...]
    since: datetime


def watched(
    hubs: Collection[Hub], silent: Sequence[Silent] = (), *, is_time_uncertain: bool, is_paused: bool = False
) -> tuple[Watched, tuple[str, ...]]:
    """Return how well a home with these hubs and these silent or stuck sensors is seen, and why not better.

    With every hub silent, unheard or without its sensors, stillness cannot be told from blindness.  With only one of
    several, the others still see something: stillness is judged, and rather too soon than not at all.  The same goes
    for sensors, even if all of them are silent: that looks like a stillness, and may be one.

    While the resident is away, or asked not to be watched over, that goes before all else; that nothing could be seen
    is said besides, for a pendant would not reach us either.
    """
    state, why = _seen(hubs, silent, is_time_uncertain=is_time_uncertain)
    if is_paused:
        return Watched.PAUSED, (PAUSED, *(why if hubs and state is Watched.BLIND else ()))
    return state, why


def _seen(
    hubs: Collection[Hub], silent: Sequence[Silent], *, is_time_uncertain: bool
) -> tuple[Watched, tuple[str, ...]]:
    if not hubs:
        return Watched.BLIND, (NEVER_HEARD,)
    reasons = {_reason(hub) for hub in hubs} - {None}
    why = [reason for reason in (NEVER_HEARD, HUB, LINE, BROKER, US, RADIO) if reason in reasons]
    if not any(hub.sees() for hub in hubs):
        return Watched.BLIND, tuple(why)
    if is_time_uncertain:
        why.append(CLOCK)
    why += [reason_of(one) for one in silent]
    return (Watched.DEGRADED if why else Watched.WATCHED), tuple(why)


def _reason(hub: Hub) -> str | None:
    if hub.heard_at is None:
        return NEVER_HEARD
    if hub.is_silent:
        return LINE if hub.line_is_down else HUB
    if hub.deaf_until is not None:
        return BROKER if hub.is_deaf_by_broker else US
    return RADIO if hub.radio_down_since is not None else None

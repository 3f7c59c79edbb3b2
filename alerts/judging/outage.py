"""Are many silent hubs one outage?

One postcode's power cut is one thing to mend, not forty.  Hubs that were last heard within minutes of each other, in
one district, in one group of homes or on one network, share a cause: so one message goes to the operator, and each
home says so.  What this decides is who is told of equipment, and never what is known of a resident.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway import heartbeat

TOGETHER: Final = heartbeat.EVERY + heartbeat.GRACE
"""Hubs last heard within this of the first fell silent together: each may have missed as much before it is noticed."""

HOMES_MIN: Final = 3
"""Ours: where each of 200 homes loses its hub once a month, three within three minutes happen by chance once in four
years (200 a month are r = 0.0046 a minute; three within three minutes come to r (3 r)^2 / 2 = 4.5e-7 a minute)."""

_LOST_EVERY: Final = timedelta(days=30)
_BY_CHANCE_EVERY: Final = timedelta(days=4 * 365)
# A bound: it is 7 for 5,000 homes and 20 for 50,000.
_LEAST_MAX: Final = 50

EVERYWHERE: Final = "everywhere:"
"""What all homes share: the line to us.  When most are silent at once it is that, and not their own."""

HOLD: Final = timedelta(seconds=90)
"""How long the operator's text about one silent hub waits for others, where an outage could be.

Hubs report every minute, each in its own second, and judging adds some: so all of one power cut are found within this.
An alarm, a stillness, and a carer's text never wait for it.
"""


@dataclass(frozen=True, slots=True)
class SilentHub:
    """A hub that says nothing.

    Attributes:
        alert: of its silence.
        home: whose.
        since: when it was last heard.
        areas: what it shares with other homes: its district, its group, its network, and that it is one of ours.
    """

    alert: int
    home: str
    since: datetime
    areas: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outage:
    """Hubs that fell silent together.

    Attributes:
        area: what they share.
        hubs: by when they were last heard.
    """

    area: str
    hubs: tuple[SilentHub, ...]

    @property
    def since(self) -> datetime:
        return self.hubs[0].since

    @property
    def homes(self) -> int:
        return len({hub.home for hub in self.hubs})


def homes_min(area: str, heard: int) -> int:
    """Return how many homes of an area must fall silent together to be an outage.

    As many as fall silent together by chance no more than once in four years, each of them once a month; and of all
    homes everywhere more than half, for a storm cuts many lines that are not ours.

    Args:
        area: what they share.
        heard: how many homes that share it could be heard lately.
    """
    # The reckoning of HOMES_MIN for any number of homes: r (m ^ (k - 1)) / (k - 1)! with m = r * TOGETHER.
    together = heard * (TOGETHER / _LOST_EVERY)
    by_chance, least = heard * (_BY_CHANCE_EVERY / _LOST_EVERY) * together**2 / 2, HOMES_MIN
    while by_chance > 1 and least < _LEAST_MAX:
        by_chance *= together / least
        least += 1
    return max(least, heard // 2 + 1) if area == EVERYWHERE else least


def outages(silent: Iterable[SilentHub], heard: Mapping[str, int] | None = None) -> list[Outage]:
    """Return which hubs fell silent together, the most homes first; each hub is in one outage at most.

    Args:
        silent: hubs that are silent and told of by nobody yet.
        heard: how many homes of each area could be heard lately; one that is left out is small.
    """
    left = sorted(silent, key=lambda hub: (hub.since, hub.home, hub.alert))
    areas = {area for hub in left for area in hub.areas}
    least = {area: homes_min(area, (heard or {}).get(area, 0)) for area in areas}
    found: list[Outage] = []
    while True:
        possible = [one for area in sorted({area for hub in left for area in hub.areas}) for one in _in(area, left)]
        best = max((one for one in possible if one.homes >= least[one.area]), key=lambda one: one.homes, default=None)
        if best is None:
            return found
        found.append(best)
        left = [hub for hub in left if hub not in best.hubs]


def belongs(hub: SilentHub, area: str, first: datetime, last: datetime) -> bool:
    """Return whether a hub that is found silent belongs to an outage that is known.

    Args:
        hub: it.
        area: of the outage.
        first: when the first of its hubs was last heard.
        last: and the last.
    """
    return area in hub.areas and last - TOGETHER <= hub.since <= first + TOGETHER


def _in(area: str, hubs: Sequence[SilentHub]) -> list[Outage]:
    """Return, from each hub of an area on, those that fell silent together with it; `hubs` in order of `since`."""
    there = [hub for hub in hubs if area in hub.areas]
    return [
        Outage(area, tuple(hub for hub in there[number:] if hub.since - first.since <= TOGETHER))
        for number, first in enumerate(there)
    ]


def area_in_words(area: str) -> str:
    """Return where an area's homes are, in words: `in district LS6`, `on network mobile-a`, `everywhere`."""
    kind, _, name = area.partition(":")
    if area == EVERYWHERE:
        return kind
    return f"{'on' if kind == 'network' else 'in'} {kind} {name}"

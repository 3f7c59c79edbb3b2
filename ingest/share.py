"""How many of the 64 lanes may one worker own, beside those that are alive with it?

Every worker reckons for itself, from the same table, and none waits for another: what it owns beyond its share it lets
go, once; what is free it takes, up to its share.  Whoever is wrong about the others for a while owns too few or too
many lanes, and never one that is another's: that the epochs see to (`ingest.lanes`).

A worker that is cut off from the broker counts for nobody who hears, and lets everything go to whoever does.  Where
nobody hears, nothing is gained by moving lanes, and they stay.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.wire import LANES

LEFT_AFTER: Final = timedelta(seconds=5)
"""A lane that was free for so long is anybody's, whatever the shares say: who has room looks every second or two.

Ours: five such looks.  So nothing that is wrong with a worker, with what is known of it, or with anybody's limits
leaves a home without an owner.
"""

PROVEN_AFTER: Final = timedelta(seconds=4)
"""A worker counts for the others from its second word on, which comes 5 s after the first.

So one that dies as often as it is started never has the others let lanes go for it.
"""


AGAIN_AFTER_LOOKS: Final = 30
"""After so many looks what was not taken is offered again, about half a minute.

Ours: whoever has room and did not take it within `LEFT_AFTER` was busier than a machine should be, and is not any more.
"""


def fair_share(limit: int, others: Collection[int]) -> int:
    """Return how many lanes a worker may own.

    As many as the others, but for those whose limit is lower.  If all limits together leave lanes to nobody, the
    lowest are exceeded: a home that nobody watches is worse than a worker with much to do.

    Args:
        limit: of this worker, 1 to 64.
        others: the limits of the others that are alive, each 1 to 64.

    Returns:
        1 to 64; the shares of all together are at least 64.
    """
    limits = [limit, *others]
    if sum(limits) < LANES:
        return max(limit, next(n for n in range(1, LANES + 1) if sum(max(one, n) for one in limits) >= LANES))
    return min(limit, next(n for n in range(1, LANES + 1) if sum(min(one, n) for one in limits) >= LANES))


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of another worker.

    Attributes:
        limit: it owns at most so many lanes, 1 to 64, while others have room for the rest.
        hears: whether it hears hubs; None where it does not say.
        silent_s: since its last word, in seconds.
    """

    limit: int
    hears: bool | None = None
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Own:
    """What a worker knows of its own line to the broker.

    Attributes:
        hears: whether it hears hubs; None where that cannot be told, or where it needs no line.
        cut_s: for how long it is cut off without a line, in seconds; None while it is not.
    """

    hears: bool | None = None
    cut_s: float | None = None


NO_LINE: Final = Own()
"""Of a worker that needs no line to the broker."""


class Share:
    """What one worker knows of its share."""

    def __init__(self, limit: int = LANES) -> None:
        """Know of nobody else.

        Args:
            limit: at most so many lanes, 1 to 64, while others have room for the rest.
        """
        if not 1 <= limit <= LANES:
            raise ValueError(f"a worker owns 1 to {LANES} lanes, not {limit}")
        self.limit = limit
        self.lanes = limit
        self._others: Mapping[str, int] = {}
        self._looks_at_rest = 0
        self._gives = True
        self._takes = True

    @property
    def takes(self) -> bool:
        """Whether lanes may be taken at all: whoever is cut off leaves them to those who hear."""
        return self._takes

    def seen(self, others: Mapping[str, Peer], own: Own = NO_LINE) -> None:
        """Reckon the share anew.

        Args:
            others: each other worker that is alive, by its name.
            own: how well we hear ourselves.
        """
        is_deaf = own.hears is False
        hearing = [one for one in others.values() if one.hears]
        counted = {name: one.limit for name, one in others.items() if is_deaf or one.hears is not False}
        is_another_company = counted != self._others
        self._looks_at_rest = 0 if is_another_company else max(0, self._looks_at_rest - 1)
        self._others = counted
        self._takes = not (is_deaf and hearing)
        self._gives = not is_deaf
        self.lanes = fair_share(self.limit, counted.values())
        # What it said before our line broke may have been said on the broker's last day.
        if own.cut_s is not None and any(one.silent_s < own.cut_s for one in hearing):
            self._gives, self._looks_at_rest, self.lanes = True, 0, 0

    def excess(self, owned: int) -> int:
        """Return how many lanes are to be let go, of so many.

        None for a while, once that was done in this company: what it owns beyond its share since is what nobody took.
        """
        return 0 if self._looks_at_rest or not self._gives else max(0, owned - self.lanes)

    def has_shared(self) -> None:
        """Note that the excess was let go, or that there was none."""
        self._looks_at_rest = self._looks_at_rest or AGAIN_AFTER_LOOKS

    def room(self, owned: int) -> int:
        """Return how many lanes more may be taken as soon as they are free."""
        return max(0, self.lanes - owned) if self._takes else 0

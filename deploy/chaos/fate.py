"""What befalls the street at once, and how do several faults go on side by side?

Each fault is a row of steps, between which the street lives on; so one thread does all of them, and no two need the
same part of the street at a time.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deploy.chaos.scene import Evidence, Kind, Scene, Steps
from deploy.chaos.street import CruelStreet
from gateway.clock import Clock

_APART_S_MAX: Final = 6.0
"""So much later than the first at the most the others of one blow begin: some meet, and some follow each other."""

_TRIES: Final = 30
"""So often another fault is drawn where the one that was drawn would need what another one has."""

_LASTS_S_MAX: Final = 300.0
"""A blow that is not over by then is given up, and what was still going on of it does not count."""


@dataclass(frozen=True, slots=True)
class Befallen:
    """A fault that is over.

    Attributes:
        at: when it began, in real time.
        lasted_s: of real time.
        others: how many went on at its beginning.
        bit: what shows that it bit; empty where it did not.
    """

    kind: Kind
    target: str
    at: datetime
    lasted_s: float
    others: int
    bit: Evidence


@dataclass(slots=True)
class _Hand:
    """One fault of a blow."""

    kind: Kind
    target: str
    begins_s: float
    scene: Scene
    at: datetime | None = None
    steps: Steps | None = None
    others: int = 0


class Fate:
    """Whoever strikes; each blow is a few faults of different parts of the street."""

    def __init__(
        self, street: CruelStreet, kinds: Sequence[Kind], chance: random.Random, *, over: Callable[[Befallen], None]
    ) -> None:
        """Describe it.

        Args:
            street: which is struck.
            kinds: what may befall it.
            chance: decides what, to whom and how long.
            over: told of each fault that is over, whether it bit or not.
        """
        self._street = street
        self._kinds = kinds
        self._chance = chance
        self._over = over

    def strike(self, most: int) -> None:
        """Let up to so many faults befall the street, and return when all of them are over or we are to stop."""
        hands: list[_Hand] = []
        for kind, target in drawn(self._street, self._kinds, self._chance, self._chance.randint(1, most)):
            begins_s = time.monotonic() + (self._chance.uniform(0.0, _APART_S_MAX) if hands else 0.0)
            scene = Scene(self._street, target, random.Random(self._chance.random()))
            hands.append(_Hand(kind, target, begins_s, scene))
        going = list(hands)
        try:
            self._street.lives(_LASTS_S_MAX, until=lambda: not going, each_tick=lambda: self._go_on(going))
        finally:
            for hand in hands:
                if hand.steps is not None:
                    hand.steps.close()

    def _go_on(self, going: list[_Hand]) -> None:
        """Do the next step of each fault whose time has come."""
        for hand in tuple(going):
            if hand.steps is None:
                if time.monotonic() < hand.begins_s:
                    continue
                hand.begins_s, hand.at = time.monotonic(), Clock().now()
                hand.others = sum(other.steps is not None for other in going)
                hand.steps = hand.kind.happens(hand.scene)
            bit = _next(hand.steps)
            if bit is not None:
                going.remove(hand)
                self._tell(hand, bit)

    def _tell(self, hand: _Hand, bit: Evidence) -> None:
        assert hand.at is not None
        lasted_s = round(time.monotonic() - hand.begins_s, 1)
        self._over(Befallen(hand.kind, hand.target, hand.at, lasted_s, hand.others, bit))


def drawn(street: CruelStreet, kinds: Sequence[Kind], chance: random.Random, many: int) -> list[tuple[Kind, str]]:
    """Return up to so many faults with their targets, no two of which take the same of the street."""
    found: list[tuple[Kind, str]] = []
    taken: set[str] = set()
    for _ in range(_TRIES):
        (kind,) = chance.choices(kinds, [kind.weight for kind in kinds])
        target = chance.choice(sorted(kind.targets(street)))
        if taken.isdisjoint(needed := {*kind.takes(target)}):
            taken |= needed
            found.append((kind, target))
        if len(found) == many:
            break
    return found


def _next(steps: Steps) -> Evidence | None:
    """Do a fault's next step; return what shows that it bit once it is over, None before."""
    try:
        next(steps)
    except StopIteration as over:
        bit: Evidence = over.value
        return bit
    return None

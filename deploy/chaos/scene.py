"""What has fate at hand when it does something to the street?  And what is a fault that bit?"""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from deploy.chaos.street import SERVERS, CruelStreet

Evidence = Mapping[str, str | int | float]
"""What was seen of a fault's having bitten; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One fault's moment.

    Attributes:
        street: to which it is done.
        target: of what it is done to; what it means is the fault's.
        chance: decides how long and how hard.
    """

    street: CruelStreet
    target: str
    chance: random.Random

    def lasts(self, least_s: float = 2.0, most_s: float = 14.0) -> None:
        """Let it last, while the street lives on and somebody presses."""
        self.street.lives(self.chance.uniform(least_s, most_s))

    def until(self, is_so: Callable[[], bool], *, within_s: float = 60.0) -> bool:
        """Return whether something comes true in time."""
        self.street.lives(within_s, until=is_so)
        return is_so()

    def homes_behind(self, part: str) -> Collection[str]:
        """Return the homes of which nothing is known while a part, or what it is connected by, is gone."""
        first = part.split(" ", 1)
        if part.startswith("gateway "):
            return [first[1]]
        if part == "api":
            return []
        if part in SERVERS:
            return list(self.street.homes)
        home = part.removesuffix(" to broker")
        if home in self.street.homes:
            return [home]
        return [] if part.startswith("api") else list(self.street.homes)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: as in the ledger.
        targets: what it may be done to, in this street.
        happens: does it, lets it last and mends it; returns what shows that it bit.
        weight: how often, beside the others.
    """

    name: str
    targets: Callable[[CruelStreet], Collection[str]]
    happens: Callable[[Scene], Evidence]
    weight: float = 1.0

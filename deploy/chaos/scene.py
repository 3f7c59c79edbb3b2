"""What has fate at hand when it does something to the street?  And what is a fault that bit?"""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from deploy.chaos.sight import Step
from deploy.chaos.street import SERVERS, CruelStreet

Evidence = Mapping[str, str | int | float]
"""What was seen of a fault's having bitten; empty where it did not."""

BACKUP: Final = "backup"
"""What a fault takes that must not meet another which changes what the backup knows of."""

Steps = Generator[None, None, Evidence]
"""A fault on its way: between two steps the street lives on, and other faults do what they do."""


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

    def lasts(self, least_s: float = 2.0, most_s: float = 14.0) -> Generator[None, None, None]:
        """Let it last, while the street lives on and somebody presses."""
        yield from self.until(lambda: False, within_s=self.chance.uniform(least_s, most_s))

    def until(self, is_so: Callable[[], bool], *, within_s: float = 60.0) -> Generator[None, None, bool]:
        """Return whether something comes true in time."""
        deadline_s = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() >= deadline_s:
                return False
            yield
        return True

    def dark(self, part: str | None = None) -> AbstractContextManager[None]:
        """Take down that the homes behind a part, or the target, are dark from now until the block ends."""
        part = part or self.target
        return self.street.sight.dark(self.homes_behind(part), _step_of(part))

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Take down that the homes behind the target are dark until the block ends; what is on its way arrives then."""
        with self.dark(), self.street.sight.delayed(self.homes_behind(self.target)):
            yield

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


def _step_of(part: str) -> Step:
    """Return what is impossible without a part, or without what it is connected by."""
    if part == "alerts" or part.startswith("alerts "):
        return Step.JUDGED
    return Step.STORED if part in {"postgres", "ingest to database"} else Step.HEARD


def of_the_hub(home: str) -> Collection[str]:
    """Return what a fault of a hub takes, by its home: the hub, whatever else may be done to that."""
    return (f"gateway {home}",)


def _itself(target: str) -> Collection[str]:
    return (target,)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: as in the ledger.
        targets: what it may be done to, in this street.
        happens: does it, lets it last and mends it; returns what shows that it bit.
        weight: how often, beside the others.
        takes: what of the street it has for itself, by target; two faults that would need the same do not overlap.
    """

    name: str
    targets: Callable[[CruelStreet], Collection[str]]
    happens: Callable[[Scene], Steps]
    weight: float = 1.0
    takes: Callable[[str], Collection[str]] = _itself

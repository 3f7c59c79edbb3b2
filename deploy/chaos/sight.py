"""Could anything of a home arrive at all at this moment, as far as we ourselves prevented it?

What is certain is taken down, and nothing else: between the moment at which a part was surely gone, or a line surely
closed, and the moment at which that began to be mended.  So whoever shows a home as seen for longer than its promises
last after such a time began, shows what cannot be known.
"""

import contextlib
import enum
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_ARRIVES_WITHIN: Final = timedelta(minutes=1)
"""So long after nothing holds it any more the last of what was held arrives: three seconds of real time. Ours."""


class Step(enum.Enum):
    """The first step on the way from a home to a page that was impossible."""

    HEARD = "heard"  # by ingest, which keeps in mind what it cannot store
    STORED = "stored"
    JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class Dark:
    """A time in which nothing of a home could be heard, stored and judged.

    Attributes:
        home: which.
        since: from then on, by the street's clock.
        until: excluded; None while it goes on.
        step: the first that was impossible.
    """

    home: str
    since: datetime
    until: datetime | None
    step: Step


class Sight:
    """The times in which homes were dark.  May be asked from any thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with none.

        Args:
            now: the street's clock.
        """
        self._now = now
        self._lock = threading.Lock()
        self._over: list[Dark] = []
        self._open: list[Dark] = []
        self._delays: list[Dark] = []

    @contextlib.contextmanager
    def dark(self, homes: Collection[str], step: Step = Step.HEARD) -> Iterator[None]:
        """Take down that homes are dark from now until the block ends; it must end before anything is mended."""
        begun = [Dark(home, self._now(), None, step) for home in homes]
        with self._lock:
            self._open += begun
        try:
            yield
        finally:
            until = self._now()
            with self._lock:
                self._open = [one for one in self._open if one not in begun]
                self._over += [Dark(one.home, one.since, max(until, one.since), step) for one in begun]

    def was_dark(self, homes: Collection[str], since: datetime, until: datetime) -> None:
        """Take down a time in which homes were dark and that no block can hold: one that was leapt over."""
        with self._lock:
            self._over += [Dark(home, since, until, Step.HEARD) for home in homes]

    @contextlib.contextmanager
    def delayed(self, homes: Collection[str]) -> Iterator[None]:
        """Take down that what was said of homes may arrive late, at the end of the block at the latest."""
        begun = [Dark(home, self._now(), None, Step.HEARD) for home in homes]
        with self._lock:
            self._delays += begun
        try:
            yield
        finally:
            until = self._now()
            with self._lock:
                self._delays = [one for one in self._delays if one not in begun]
                self._delays += [Dark(one.home, one.since, max(until, one.since), one.step) for one in begun]

    def last_open(self, home: str, at: datetime) -> datetime:
        """Return the last moment, not after `at`, at which something of a home may have come through."""
        with self._lock:
            dark = [one for one in (*self._over, *self._open) if one.home == home and _covers(one, at)]
            found = [min(at, self._arrived(one, at)) for one in dark]
        return min(found, default=at)

    def all(self) -> list[Dark]:
        """Return the times that are over, each from when on nothing that was said before it could arrive any more."""
        with self._lock:
            found = [Dark(one.home, self._arrived(one, one.until), one.until, one.step) for one in self._over]
        return [one for one in found if one.until is not None and one.since < one.until]

    def _arrived(self, dark: Dark, at: datetime | None) -> datetime:
        """Return from when on nothing said before a time that is dark could arrive: something else may have held it."""
        since, later = dark.since, sorted(self._delays, key=lambda one: one.since)
        for one in later:
            if one.home == dark.home and one.since < since and (one.until is None or since < one.until):
                since = at or since if one.until is None else one.until + _ARRIVES_WITHIN
        return since


def minutes_beyond(ends: datetime | None, *, last_open: datetime, lease: timedelta) -> list[int]:
    """Return the minutes, counted from 1970, of which something is vouched for that nobody can know.

    Args:
        ends: until when what was shown vouches for itself, excluded; None where it vouches for nothing.
        last_open: the last moment at which something of the home may have come through.
        lease: for how long after that it may be vouched for.
    """
    if ends is None or ends <= last_open + lease:
        return []
    first, last = (last_open + lease).timestamp() // 60, (ends.timestamp() - 1e-6) // 60
    return list(range(int(first), int(last) + 1))


def _covers(one: Dark, at: datetime) -> bool:
    return one.since <= at and (one.until is None or at < one.until)

"""Since when do we hear each lane without a gap?

A gap is what could break a promise that was kept: no connection to the broker, or this process or its clock stood
still or was moved.  What is shorter than `FORGIVEN` is none, so that a new connection costs nobody a second.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

FORGIVEN: Final = timedelta(seconds=30)
"""On the platform's clock, and by the promises' stretch more.

Ours: longer than it takes to notice that a keep-alive fails (20 s), and a quarter of a hub's grace, so that no hub that
is heard every minute is called silent for a gap that is passed over.
"""


class Hearing:
    """What this process hears, lane by lane, as of the last time it was certain."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._lanes: frozenset[int] = frozenset()
        self._since: dict[int, datetime] = {}
        self._last: datetime | None = None
        self._began: datetime | None = None

    @property
    def began(self) -> datetime | None:
        """Since when anything is heard without a gap, whichever lanes these were; None: nothing was ever heard."""
        return self._began

    @property
    def since(self) -> Mapping[int, datetime]:
        """Since when each lane was heard without a gap, up to the last time that was certain."""
        return self._since

    def hear(self, lanes: frozenset[int], *, now: datetime, stretch: timedelta) -> None:
        """Note that these lanes are heard now; with every message, and often enough between two."""
        is_gap = self._last is None or now - self._last > FORGIVEN + stretch
        self._last = now
        if is_gap:
            self._since = dict.fromkeys(lanes, now)
            self._began = now
        elif lanes != self._lanes:
            self._since = {lane: self._since.get(lane, now) for lane in lanes}
        self._lanes = lanes


class Awake:
    """Since when does this process run without a standstill?  What tells the broker's absence from our own."""

    def __init__(self) -> None:
        """Begin with the first `stay`."""
        self._since: datetime | None = None
        self._last: datetime | None = None

    def stay(self, *, now: datetime, stretch: timedelta) -> None:
        """Note that this process runs now; often enough between two."""
        if self._last is None or not timedelta(0) <= now - self._last <= FORGIVEN + stretch:
            self._since = now
        self._last = now

    def is_since(self, moment: datetime) -> bool:
        """Return whether it has run since that moment, but for what is no gap."""
        return self._since is not None and self._since <= moment + FORGIVEN

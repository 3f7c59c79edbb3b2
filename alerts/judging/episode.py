"""Which finding is open for a question, and when may the next be raised?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.judging.finding import JSON, iso


@dataclass(frozen=True, slots=True)
class Open:
    """A finding that nobody has closed yet.

    Attributes:
        hub: which one it is about, where it is about a hub.
        is_over: its cause ended; it stays open until a person closes it.
    """

    episode: str
    since: datetime
    at: datetime
    hub: str | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """How the last finding was closed."""

    episode: str
    since: datetime
    at: datetime
    by: str
    outcome: str


@dataclass(slots=True)
class Asked:
    """One question of one home: at most one finding is open, and a closed one comes again while its cause holds.

    Attributes:
        times: how often the finding that began at `closed.since` has been raised.
    """

    open: Open | None = None
    closed: Closed | None = None
    times: int = 0

    def may_be_raised_from(self, since: datetime, again_after: timedelta) -> datetime | None:
        """Return from when on a finding that began then may be raised; None where nothing holds it back.

        Whoever closed the last one has just looked, so what was already so at that moment waits.
        """
        if self.closed is None or since > self.closed.at:
            return None
        return self.closed.at + again_after

    def raise_(
        self, since: datetime, *, at: datetime, hub: str | None = None, name: str = ""
    ) -> tuple[str, Mapping[str, JSON] | None]:
        """Open a finding; return its episode, and who closed it before while its cause held.

        Args:
            since: when it began, which is what makes it this one.
            at: the moment that it is true of.
            hub: which one it is about, where it is about a hub.
            name: what else tells it from others of the same beginning.
        """
        episode, again_of = f"{name}/{iso(since)}" if name else iso(since), None
        if self.closed is not None and self.closed.since == since:
            self.times += 1
            episode = f"{episode} again {self.times}"
            again_of = {
                "episode": self.closed.episode,
                "closed_by": self.closed.by,
                "outcome": self.closed.outcome,
                "closed_at": iso(self.closed.at),
            }
        else:
            self.times = 0
        self.open = Open(episode, since, at, hub)
        return episode, again_of

    def end(self) -> None:
        """Note that the cause of what is open is over."""
        assert self.open is not None
        self.open = replace(self.open, is_over=True)

    def forget(self) -> None:
        """Let go what is open without a person: a fault that mended itself."""
        self.open = None

    def close(self, *, at: datetime, by: str, outcome: str) -> Open:
        """Close what is open, and return it."""
        assert self.open is not None
        was = self.open
        self.closed = Closed(was.episode, was.since, at, by, outcome)
        self.open = None
        return was

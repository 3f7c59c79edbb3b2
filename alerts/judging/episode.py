"""Which finding is open for a question, and when may the next be raised?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.judging.finding import JSON, iso

# Ours: alerts that nobody has closed although their cause is over; those forgotten are only not learnt from.
_OVER_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Open:
    """A finding that nobody has closed yet."""

    episode: str
    since: datetime
    at: datetime


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
    """One question of one home: at most one finding is open while its cause holds, and a closed one comes again.

    Attributes:
        open: what was raised, was not closed, and still holds.
        over: what was raised, was not closed, and holds no more: its episode, and since when it was.  It no longer
            keeps the question from being asked; it waits for its outcome.
        mended_since: since when what last ended without a person had been so; None: nothing has.
        times: how often the finding of the same beginning has been raised again.
    """

    open: Open | None = None
    over: dict[str, datetime] = field(default_factory=dict)
    closed: Closed | None = None
    mended_since: datetime | None = None
    times: int = 0

    def may_be_raised_from(self, since: datetime, again_after: timedelta) -> datetime | None:
        """Return from when on a finding that began then may be raised; None where nothing holds it back.

        Whoever closed the last one has just looked, so what was already so at that moment waits.
        """
        if self.closed is None or since > self.closed.at:
            return None
        return self.closed.at + again_after

    def raise_(self, since: datetime, *, at: datetime, name: str = "") -> tuple[str, Mapping[str, JSON] | None]:
        """Open a finding; return its episode, and who closed it before while its cause held.

        Args:
            since: when it began, which is what makes it this one.
            at: the moment that it is true of.
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
        elif self.mended_since == since:
            # Over and back within one moment: a second finding, which needs a name of its own to reach anybody.
            self.times += 1
            episode = f"{episode} again {self.times}"
        else:
            self.times = 0
        self.open = Open(episode, since, at)
        return episode, again_of

    def end(self) -> None:
        """Note that the cause of what is open is over."""
        assert self.open is not None
        self.over[self.open.episode] = self.open.since
        if len(self.over) > _OVER_MAX:
            self.over.pop(next(iter(self.over)))
        self.open = None

    def is_waiting_for_outcome(self, since: datetime) -> bool:
        """Return whether a finding that began then was raised and nobody has closed it yet."""
        return since in self.over.values() or (self.open is not None and self.open.since == since)

    def forget(self) -> None:
        """Let go what is open without a person: a fault that mended itself."""
        if self.open is not None:
            self.mended_since = self.open.since
        self.open = None

    def close_as(self, episode: str, *, at: datetime, by: str, outcome: str) -> datetime | None:
        """Close what a person closed, open or over; return since when it was, or None if there is nothing to close.

        A name that is not known closes what is open.
        """
        since = self.over.pop(episode, None)
        if since is None and self.open is not None:
            since = self.close(at=at, by=by, outcome=outcome).since
        return since

    def close(self, *, at: datetime, by: str, outcome: str) -> Open:
        """Close what is open, and return it."""
        assert self.open is not None
        was = self.open
        self.closed = Closed(was.episode, was.since, at, by, outcome)
        self.open = None
        return was

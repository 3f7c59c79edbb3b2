"""How well was a home seen, and since when?

Kept beside how well it is seen *now* (`watched`): what was not watched is not learnt from, and is said with a
stillness that it fell into.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.judging import watched as watching
from alerts.judging.detectors.device_silence import Hub
from alerts.judging.detectors.routine import LEAST
from alerts.judging.detectors.sensor_silence import Silent
from alerts.judging.finding import SeenLater
from alerts.judging.watched import Watch, Watched
from gateway.heartbeat import EVERY

_BLINK: Final = LEAST
"""A silence is learnt from although this much of it was not watched: who moved then only, moved hardly at all."""

_GAPS_MAX: Final = 32
"""Ours: gaps that may still be explained by what a hub kept; one that flickers for longer is not explained."""


@dataclass(slots=True)
class Gap:
    """A time in which nothing could be seen, and what arrived of it afterwards.

    Attributes:
        since: when it began.
        until: when it was over; None: it lasts.
        first_seen_at: the first reading of it; None: none has arrived.
        last_seen_at: and the last.
        readings: how many.
    """

    since: datetime
    until: datetime | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    readings: int = 0


@dataclass(slots=True, kw_only=True)
class Sight:
    """What is remembered of how well a home was seen.

    Attributes:
        watch: how well it is seen now.
        is_time_uncertain: the last sign of life had an uncertain time.
        blind_since: since when nothing could be seen; None while something can.
        unseen: the last time that nothing could be seen: (since, until).
        unwatched_since: since when a movement may go unseen; None while none may.
        unwatched_for: how long that was, in all, since the last sign of life; without what lasts still.
        is_paused: the resident asked not to be watched.
        sure_since: the last `since` of a watch that may be written down; nothing before it changes any more.
        gaps: times in which nothing could be seen, of which something may still arrive, oldest first; one that lasts
            is the last of them, and without an end.
    """

    watch: Watch
    is_time_uncertain: bool = False
    blind_since: datetime | None = None
    unseen: tuple[datetime, datetime] | None = None
    unwatched_since: datetime | None = None
    unwatched_for: timedelta = timedelta(0)
    is_paused: bool = False
    sure_since: datetime | None = None
    gaps: list[Gap] = field(default_factory=list)

    @property
    def is_blind(self) -> bool:
        return self.watch.state is Watched.BLIND

    def look(self, hubs: Collection[Hub], silent: Sequence[Silent], at: datetime) -> None:
        """Write down how well the home is seen from this moment on."""
        self._confirm(hubs)
        state, why = watching.watched(hubs, silent, is_time_uncertain=self.is_time_uncertain, is_paused=self.is_paused)
        if (state, why) == (self.watch.state, self.watch.why):
            return
        if state is Watched.BLIND and self.blind_since is None:
            # After a pause nobody was looked for before its end, so it is not dark since before that either.
            was_paused = self.watch.state is Watched.PAUSED
            self.blind_since = at if was_paused else min(max((hub.last_heard for hub in hubs), default=at), at)
        elif state is not Watched.BLIND and self.blind_since is not None:
            self.unseen = (self.blind_since, at)
            self.blind_since = None
        self._count(is_watched=not any(watching.hides_life(reason) for reason in why), at=at)
        was = self.watch.state
        since = at
        # The minutes after the last thing heard of a silent hub are blind for good: we know only now that they were.
        # A pause is no claim that anything was seen: what was paused stays so.
        was_claimed = was not in (Watched.BLIND, Watched.PAUSED)
        if state is Watched.BLIND and was_claimed and watching.HUB_SILENT & set(why) and self.blind_since:
            since = max(self.blind_since, self.sure_since or self.blind_since)
        self.watch = Watch(state, why, since)
        self._mark(was, at)
        self._confirm(hubs)

    @property
    def is_sure(self) -> bool:
        """Whether how well the home is seen may be written down for good.

        What became true while nothing was heard may turn out to have been blind: it waits for the next thing heard.
        """
        return self.sure_since == self.watch.since

    def _confirm(self, hubs: Collection[Hub]) -> None:
        is_claim = self.watch.state in (Watched.WATCHED, Watched.DEGRADED)
        if not is_claim or any(hub.last_heard >= self.watch.since for hub in hubs):
            self.sure_since = self.watch.since

    def _mark(self, was: Watched, at: datetime) -> None:
        """Remember since when nothing can be seen, or that it was over."""
        if self.is_blind and was is not Watched.BLIND:
            self.gaps = [*self.gaps, Gap(self.watch.since)][-_GAPS_MAX:]
        elif was is Watched.BLIND and not self.is_blind and self.gaps:
            self.gaps[-1].until = at

    def arrive(self, observed_at: datetime, *, at: datetime) -> None:
        """Take in a reading: one of a time in which nothing could be seen explains that time, and ends nothing."""
        for gap in reversed(self.gaps):
            if gap.since <= observed_at < (gap.until or at):
                gap.first_seen_at = min(gap.first_seen_at or observed_at, observed_at)
                gap.last_seen_at = max(gap.last_seen_at or observed_at, observed_at)
                gap.readings += 1
                return

    def settle(self, home: str, *, at: datetime) -> list[SeenLater]:
        """Return what is known by now of times that were blind: the hub holds nothing more of them."""
        over = [gap for gap in self.gaps if gap.until is not None and gap.until < at]
        self.gaps = [gap for gap in self.gaps if gap.until is None or gap.until >= at]
        return [
            SeenLater(home, gap.since, gap.until, gap.first_seen_at, gap.last_seen_at, gap.readings, at)
            for gap in over
            if gap.until is not None and gap.first_seen_at is not None and gap.last_seen_at is not None
        ]

    def miss(self, since: datetime, hubs: Collection[Hub], silent: Sequence[Silent]) -> None:
        """Take in that nobody could be heard: nothing was seen from then on, until a hub is heard again.

        Up to then all was heard, so it was not blind since the last heartbeat already; but a hub that was late by then
        may have been gone, and nobody will ever know.
        """
        since = max(late_since(hubs, since) or since, self.watch.since)
        self.blind_since = self.blind_since or since
        self.look(hubs, silent, since)

    def see(self) -> None:
        """Begin to count anew how long the home was not watched: the resident was seen."""
        self.unwatched_for = timedelta(0)

    def unwatched_by(self, at: datetime) -> timedelta:
        """Return for how long a movement may have gone unseen since the last sign of life."""
        lasts = timedelta(0) if self.unwatched_since is None else at - self.unwatched_since
        return self.unwatched_for + max(lasts, timedelta(0))

    def was_watched(self, began: datetime) -> bool:
        """Return whether a silence that ends now was seen, but for the blink of an eye."""
        was_blind = self.unseen is not None and self.unseen[1] > began and self.unseen[1] - self.unseen[0] > _BLINK
        return self.unwatched_since is None and self.unwatched_for <= _BLINK and not was_blind

    def _count(self, *, is_watched: bool, at: datetime) -> None:
        if not is_watched and self.unwatched_since is None:
            self.unwatched_since = self.blind_since or at
        elif is_watched and self.unwatched_since is not None:
            self.unwatched_for += at - self.unwatched_since
            self.unwatched_since = None


def late_since(hubs: Collection[Hub], at: datetime) -> datetime | None:
    """Return when a home was last heard, if the next heartbeat was overdue at a moment; None where it was not."""
    heard = max((hub.last_heard for hub in hubs), default=at)
    return heard if at - heard > EVERY else None

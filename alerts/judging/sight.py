"""How well was a home seen, and since when?

Kept beside how well it is seen *now* (`watched`): what was not watched is not learnt from, and is said with a
stillness that it fell into.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.judging import watched as watching
from alerts.judging.detectors.device_silence import Hub
from alerts.judging.detectors.routine import LEAST
from alerts.judging.detectors.sensor_silence import Silent
from alerts.judging.watched import Watch, Watched

_BLINK: Final = LEAST
"""A silence is learnt from although this much of it was not watched: who moved then only, moved hardly at all."""


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
    """

    watch: Watch
    is_time_uncertain: bool = False
    blind_since: datetime | None = None
    unseen: tuple[datetime, datetime] | None = None
    unwatched_since: datetime | None = None
    unwatched_for: timedelta = timedelta(0)

    @property
    def is_blind(self) -> bool:
        return self.watch.state is Watched.BLIND

    def look(self, hubs: Collection[Hub], silent: Sequence[Silent], at: datetime) -> None:
        """Write down how well the home is seen from this moment on."""
        state, why = watching.watched(hubs, silent, is_time_uncertain=self.is_time_uncertain)
        if (state, why) == (self.watch.state, self.watch.why):
            return
        if state is Watched.BLIND and self.blind_since is None:
            self.blind_since = min(max((hub.last_heard for hub in hubs), default=at), at)
        elif state is not Watched.BLIND and self.blind_since is not None:
            self.unseen = (self.blind_since, at)
            self.blind_since = None
        self._count(is_watched=not any(watching.hides_life(reason) for reason in why), at=at)
        # The minutes after the last thing heard of a silent hub are blind for good: we know only now that they were.
        is_newly_blind = state is Watched.BLIND and not self.is_blind and watching.HUB in why
        since = max(self.blind_since, self.watch.since) if is_newly_blind and self.blind_since else at
        self.watch = Watch(state, why, since)

    def miss(self, since: datetime, hubs: Collection[Hub], silent: Sequence[Silent]) -> None:
        """Take in that nobody could be heard: nothing was seen from then on, until a hub is heard again."""
        since = max(since, self.watch.since)
        # Up to then all was heard, so it was not blind since the last heartbeat already.
        self.blind_since = self.blind_since or since
        self.look(hubs, silent, since)

    def see(self) -> None:
        """Begin to count anew how long the home was not watched: the resident was seen."""
        self.unwatched_for = timedelta(0)

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

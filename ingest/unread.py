"""Of which hubs can the database not read what it has, and what is not believed meanwhile?

A hub whose messages cannot be stored keeps them and says them again within a minute.  Until then its home must not go
on as watched by its heartbeats, while nothing that moves in it would be seen: they are left out with the rest, and its
lane is deaf.
"""

from collections.abc import Sequence
from typing import Final

from ingest.arrivals import BeatCame, Came

# So long after the last message that could not be stored.  Ours: a hub says it again within a minute, and is late by
# the half of that at most.
_FOR_S: Final = 90.0


class Unread:
    """The hubs of which something could not be stored lately, by lane and name."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last_s: dict[tuple[int, str], float] = {}
        self.lanes: frozenset[int] = frozenset()

    def note(self, left: Sequence[Came], *, now_s: float) -> None:
        """Take in what of a batch could not be stored, and forget what was so long ago."""
        lasts = {hub: at_s for hub, at_s in self._last_s.items() if now_s - at_s < _FOR_S}
        topics = [came.topic for came in left if came.topic is not None]
        self._last_s = lasts | dict.fromkeys(((topic.lane, topic.hub) for topic in topics), now_s)
        self.lanes = frozenset(lane for lane, _ in self._last_s)

    def without_their_beats(self, batch: Sequence[Came]) -> Sequence[Came]:
        """Return a batch without the heartbeats of these hubs; whatever else they say may be stored by now."""
        return [
            came
            for came in batch
            if not (isinstance(came, BeatCame) and (came.topic.lane, came.topic.hub) in self._last_s)
        ]

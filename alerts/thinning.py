"""Which heartbeats of a recorded hub may be left out without anything about the resident being judged differently?

A hub reports every minute and nearly always says the same: that all is well.  Of a row of such reports that kept its
promise only the first and the last are judged; in between the promise is stretched for as long as the row lasts.
What is left out says nothing but that the hub lives, so nothing else can depend on it (a property test compares).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.judging.detectors.device_silence import HUB, broken_at
from alerts.judging.lane import Input
from ingest.entry import Alarm, Batch, Entry, Heard, Reading

_ROW_STRETCH: Final = timedelta(days=365)
"""Longer than any row lasts: the log is kept for 100 days."""


def thinned(steps: Iterable[Batch | Input], home: str) -> Iterator[Batch | Input]:
    """Yield what was recorded of one home, in order, without the heartbeats that change nothing.

    Args:
        steps: of this home alone, in the order in which they count.
        home: which; one with a single hub, for with two nobody knows whose promise a stretch would bend.
    """
    row = _Row(home)
    for step in steps:
        yield from row.take(step)
    yield from row.end()


@dataclass(slots=True)
class _Row:
    """A row of plain heartbeats that keep their promise, and what was received since the last of them.

    Attributes:
        last: the batch of the last heartbeat; None: there is no row.
        is_kept: it was judged already, as the first of its row.
        waiting: what came after it; judged once it is known whether the row goes on.
        stretch: what was given as true, beside what a row bends it to.
    """

    home: str
    last: Batch | None = None
    is_kept: bool = False
    waiting: list[Batch | Input] = field(default_factory=list)
    stretch: timedelta = timedelta(0)

    def take(self, step: Batch | Input) -> Iterator[Batch | Input]:
        if self.last is not None and _at(step) >= broken_at(self.last.received_at, HUB) + self.stretch:
            yield from self.end()
        if isinstance(step, Batch):
            yield from self._take_batch(step)
        elif step.kind in {"stretch", "watched"}:
            # What is promised changes: only a heartbeat that comes after this keeps it.
            yield from self.end()
            if step.kind == "stretch":
                self.stretch = timedelta(seconds=float(str(step.content["stretch_s"])))
            yield step
        else:
            yield from self._later(step)

    def _take_batch(self, batch: Batch) -> Iterator[Batch | Input]:
        if any(not _is_plain(said) and not isinstance(said, Reading | Alarm) for said in batch.entries):
            # A hub in trouble, a loss, deafness of our own: all of that is judged as it came.
            yield from self.end()
            yield batch
        elif not any(_is_plain(said) for said in batch.entries):
            yield from self._later(batch)
        elif self.last is None:
            self.last, self.is_kept = batch, True
            yield batch
            yield self._stretched(_ROW_STRETCH, batch.received_at)
        else:
            yield from self._without_heartbeat()
            self.last, self.is_kept = batch, False

    def _without_heartbeat(self) -> Iterator[Batch | Input]:
        """Yield what came with and after the last heartbeat, which is neither the first of its row nor the last."""
        assert self.last is not None
        rest = tuple(said for said in self.last.entries if not isinstance(said, Heard))
        if rest and not self.is_kept:
            yield Batch(self.last.lane, self.last.position, self.last.received_at, rest)
        yield from self.waiting
        self.waiting.clear()

    def _later(self, step: Batch | Input) -> Iterator[Batch | Input]:
        if self.last is None:
            yield step
        else:
            self.waiting.append(step)

    def end(self) -> Iterator[Batch | Input]:
        """End the row: from its last heartbeat on the hub is held to what it promised."""
        if self.last is None:
            return
        if not self.is_kept:
            yield self.last
        yield self._stretched(self.stretch, self.last.received_at)
        yield from self.waiting
        self.waiting.clear()
        self.last = None

    def _stretched(self, stretch: timedelta, at: datetime) -> Input:
        return Input(0, self.home, at, "stretch", {"stretch_s": stretch.total_seconds()})


def _is_plain(said: Entry) -> bool:
    return isinstance(said, Heard) and not said.held_readings and said.radio_up is not False and not said.troubles


def _at(step: Batch | Input) -> datetime:
    return step.received_at if isinstance(step, Batch) else step.counts_from

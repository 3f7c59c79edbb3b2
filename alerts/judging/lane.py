"""In which order is a lane judged?

Used alike by the live loop and by a replay: everything that is due at t is judged after all that was received up to
t, and before anything later.  What was due while we were deaf waits until we hear again.  Homes of one moment come in
the order of their names.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.alert import Question
from alerts.judging.detectors import alarm, equipment
from alerts.judging.finding import JSON, Finding, Verdict, iso
from alerts.judging.home import HomeState, Now, unknown
from ingest import entry

ERASED: Final = "erased"
"""The kind of input by which a home is forgotten."""


@dataclass(frozen=True, slots=True)
class Input:
    """What influences judgement besides the log: a row of `judging_input`.

    Attributes:
        input: its number.
        home: whose.
        counts_from: it counts for all that is judged after this moment.
        kind: policy, closed, sensors, watched, stretch, pause or erased.
        content: as its kind has it.
    """

    input: int
    home: str
    counts_from: datetime
    kind: str
    content: Mapping[str, JSON]


class LaneJudge:
    """The homes of one lane, judged in order.

    Attributes:
        judged_through: everything due up to here was judged; None: nothing was yet.
    """

    def __init__(self, homes: Mapping[str, HomeState], judged_through: datetime | None) -> None:
        self._homes = dict(homes)
        self.judged_through = judged_through
        self._changed: set[str] = set()
        # A home may stand in the heap more than once; only the entry that equals its due time counts.
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        for home in self._homes:
            self._schedule(home)

    def take(self, batch: entry.Batch) -> list[Verdict]:
        """Judge what was due before a batch was received, then take it in.

        What was due while we were deaf is judged after that, for nobody knows yet what was said meanwhile.
        """
        at = batch.received_at
        since = deaf_since(batch)
        found = self._judge(at, is_included=False) if since is None else self._judge(since, is_included=True)
        touched: set[str] = set()
        for said in batch.entries:
            states = self._whom(said)
            found += _of_nobody(said, at) if not states else []
            for state in states:
                found += state.take(said, at=at)
                touched.add(state.home)
        self._settle(touched)
        self._reach(at)
        return found

    def apply(self, given: Input) -> list[Verdict]:
        """Judge what was due up to the moment from which an input counts, then take it in.

        One that cannot be read changes nothing and is a fault: nothing behind it may wait for it.
        """
        found = self._judge(given.counts_from, is_included=True)
        if given.kind == ERASED:
            self._forget(given.home)
            return found
        state = self._homes.get(given.home) or unknown(given.home, as_of=given.counts_from)
        try:
            state.give(given.kind, given.content, counts_from=given.counts_from)
        except ValueError as why:
            return [*found, _unreadable(given, why)]
        self._homes[given.home] = state
        self._settle({given.home})
        return found

    def advance(self, complete_through: datetime) -> list[Verdict]:
        """Judge everything due up to a moment of which all that was received is taken in."""
        return self._judge(complete_through, is_included=True)

    def now_of(self, home: str) -> Now:
        """Return what is true of a home.

        Raises:
            KeyError: nothing was ever given for it.
        """
        return self._homes[home].now()

    def state_of(self, home: str) -> HomeState:
        """Return what is remembered of a home.

        Raises:
            KeyError: nothing was ever given for it.
        """
        return self._homes[home]

    def homes(self) -> list[str]:
        """Return the homes that are known, in order."""
        return sorted(self._homes)

    def changed(self) -> set[str]:
        """Return the homes whose state may have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def _judge(self, until: datetime, *, is_included: bool) -> list[Verdict]:
        found: list[Verdict] = []
        while self._heap and (self._heap[0][0] < until or (is_included and self._heap[0][0] == until)):
            due, home = heapq.heappop(self._heap)
            if self._due.get(home) != due:
                continue
            del self._due[home]  # So that the same moment may be due again.
            found += self._homes[home].judge(due)
            self._settle({home})
        self._reach(until)
        return found

    def _reach(self, moment: datetime) -> None:
        if self.judged_through is None or moment > self.judged_through:
            self.judged_through = moment

    def _whom(self, said: entry.Entry) -> list[HomeState]:
        """Return the homes that something received is about."""
        if isinstance(said, entry.Deaf):
            return [self._homes[home] for home in self.homes()]
        state = None if said.home is None else self._homes.get(said.home)
        return [] if state is None else [state]

    def _forget(self, home: str) -> None:
        self._homes.pop(home, None)
        self._due.pop(home, None)
        self._changed.discard(home)

    def _settle(self, touched: set[str]) -> None:
        self._changed |= touched
        for home in touched:
            self._schedule(home)

    def _schedule(self, home: str) -> None:
        due = self._homes[home].next_due()
        if due is None:
            self._due.pop(home, None)
        elif self._due.get(home) != due:
            self._due[home] = due
            heapq.heappush(self._heap, (due, home))


def deaf_since(batch: entry.Batch) -> datetime | None:
    """Return since when a batch says that we were deaf; None where it does not say so."""
    return min((said.since for said in batch.entries if isinstance(said, entry.Deaf)), default=None)


def _of_nobody(said: entry.Entry, at: datetime) -> list[Verdict]:
    """Return what is found where the home is not known: alarms and faults, for the operator."""
    match said:
        case entry.Alarm():
            return [alarm.finding_of(said, None, received_at=at)]
        case entry.Lost():
            return [equipment.lost(said, None, received_at=at)]
        case entry.Trouble():
            return [equipment.trouble(said, None, received_at=at)]
        case entry.Reading() | entry.Heard() | entry.Deaf() | entry.Linked():
            return []


def _unreadable(given: Input, why: ValueError) -> Finding:
    return Finding(
        home=given.home,
        hub=None,
        question=Question.HUB_TROUBLE,
        episode=f"input/{given.input}",
        since=given.counts_from,
        at=given.counts_from,
        why={"what": "input", "detail": f"{given.kind} {given.input}: {why}"[:200], "at": iso(given.counts_from)},
        policy=None,
    )

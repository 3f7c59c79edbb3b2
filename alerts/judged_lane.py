"""What does a worker know of a lane that it judges, from the log's rows to what is to be written?

In memory it is ahead of what is saved by what raised nothing; `watch` decides when it is saved.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.judging.finding import Verdict
from alerts.judging.home import HomeState, Now
from alerts.judging.lane import ERASED, Input, LaneJudge, deaf_since
from alerts.judging.sight import late_since
from alerts.judging.watched import US, Watched
from alerts.judging.watched import Watch as Seen
from alerts.lanes import Place
from alerts.store import now as true_now
from alerts.store import spans
from gateway.clock import monotonic_s
from ingest.entry import Batch

Conn = AsyncConnection[TupleRow]

SAVE_S: Final = 60.0
"""Real seconds between two saves of what quiet homes remember: a crash costs at most this much judging again."""

_MOMENT: Final = timedelta(microseconds=1)

_REACH: Final = """
    SELECT lane, position, complete_through,
           (SELECT input FROM judging_input i WHERE i.lane = lane.lane ORDER BY counts_from DESC, input DESC LIMIT 1)
    FROM lane WHERE lane = ANY(%s) ORDER BY lane
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a lane has come, seen in one snapshot: what it does not hold counts later than all it holds."""

    position: int
    complete_through: datetime | None
    last_input: int | None


@dataclass(slots=True)
class Lane:
    """A lane of ours, in memory: ahead of what is saved by what raised nothing.

    Attributes:
        place: what is saved.
        position: of the last row that was judged; so with `received_through` and `input`.
        dark_since: up to here it was judged in time; None: nobody ever judged it, or as of the last write.  It stays
            until we have caught up, for until then nobody is told how a home is seen.
        unsaved: homes whose states are not saved as they are.
        seen: how well each home was seen when last written or noted.
        changes: changes of that, not written yet.
        written_through: everything found up to here was written, or stands as blind, before we took the lane.
        left_blind: homes that whoever had the lane before us left in a time in which nobody judged them.
        deaf: when nothing was heard in the lane, as the log has it: (since, until); of what is not written yet.
        true: what was last written of each home.
    """

    place: Place
    judge: LaneJudge
    position: int
    received_through: datetime | None
    input: int
    dark_since: datetime | None
    saved_at_s: float
    unsaved: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    changes: list[spans.Change] = field(default_factory=list)
    written_through: datetime | None = None
    left_blind: set[str] = field(default_factory=set)
    deaf: list[tuple[datetime, datetime]] = field(default_factory=list)
    true: dict[str, Now] = field(default_factory=dict)

    def reached(self) -> Place:
        """Return where its states stand now; that it is judged up to there is only said with what is true then."""
        return Place(
            self.place.lane,
            self.place.epoch,
            self.position,
            self.received_through,
            self.input,
            self.judge.judged_through,
            None,
        )

    def judge_step(self, step: Batch | Input) -> list[Verdict]:
        """Judge a batch or an input, and note which homes it changed."""
        if isinstance(step, Input):
            found = self.judge.apply(step)
            self.input = step.input
            if step.kind == ERASED:
                self.forget(step.home)
        else:
            # In two parts, so that a home that was blind until just now is noted as blind.
            since = deaf_since(step)
            self.deaf += [] if since is None else [(since, step.received_at)]
            found = self.judge.advance(step.received_at - _MOMENT if since is None else since)
            self.note()
            found += self.judge.take(step)
            self.position, self.received_through = step.position, step.received_at
        self.note()
        return found

    def forget(self, home: str) -> None:
        """Write nothing more of a home; what is written already goes with it."""
        self.unsaved.discard(home)
        self.fresh.discard(home)
        self.seen.pop(home, None)
        self.true.pop(home, None)
        self.left_blind.discard(home)
        self.changes = [change for change in self.changes if change.home != home]

    def note(self) -> None:
        """Note which homes changed, and where how well they are seen did.

        What is judged again after a crash is not written again: of a time that nobody judged, it would seem judged.
        What counts from the very moment up to which it was judged was not known then, and is news.
        """
        through = self.judge.judged_through
        is_news = self.written_through is None or (through is not None and through >= self.written_through)
        for home in sorted(self.judge.changed()):
            self.unsaved.add(home)
            self.fresh.add(home)
            state = self.judge.state_of(home)
            if self.seen.get(home) != state.watch and state.is_watch_sure:
                self.seen[home] = state.watch
                if is_news:
                    self.changes.append(spans.Change(home, state.watch, through))

    def dark(self, *, now: datetime, forgiven: timedelta) -> tuple[datetime, datetime] | None:
        """Return since and until when nobody judged it in time, or None where it is no later than is forgiven.

        As late as that no page called a home fine any more; and what waited for a database that was away is stored
        bit by bit, so how far each look takes us says nothing.  While we were deaf there was nothing to judge, and the
        homes say so themselves.
        """
        since, until = self.dark_since, self.judge.judged_through
        if since is None or until is None or until <= since:
            return None
        known = since
        for went, came_back in self.deaf:
            known = max(known, came_back) if went - known <= forgiven else known
        return (since, until) if now - known > forgiven else None

    def is_behind(self, *, now: datetime, forgiven: timedelta) -> bool:
        """Return whether what comes next will be judged too late as well."""
        return self.judge.judged_through is not None and now - self.judge.judged_through > forgiven

    def seen_again(self) -> list[spans.Change]:
        """Return how homes are seen since we judge them that were left blind, and of which nothing changed since."""
        since = self.written_through
        if since is None:
            return []
        found = {home: self.judge.state_of(home).watch for home in sorted(self.left_blind)}
        return [
            spans.Change(home, Seen(watch.state, watch.why, since))
            for home, watch in found.items()
            if watch.state is not Watched.BLIND and watch.since <= since
        ]

    def news(self) -> dict[str, Now]:
        """Return what is true now of the homes where that is not what was written."""
        true = {home: self.judge.now_of(home) for home in sorted(self.fresh)}
        return {home: now for home, now in true.items() if self.true.get(home) != now}


async def write_true(conn: Conn, lane: Lane, news: dict[str, Now], *, now: datetime, forgiven: timedelta) -> None:
    """Write what is true of homes; where it was judged later than is forgiven, they were blind."""
    await true_now.write_now(conn, news, now=now)
    dark = lane.dark(now=now, forgiven=forgiven)
    if dark is not None:
        states = {home: lane.judge.state_of(home) for home in lane.judge.homes()}
        current = {home: state.watch for home, state in states.items()}
        late = {home: at for home, state in states.items() if (at := late_since(state.hubs.values(), dark[0]))}
        # One that was heard again meanwhile is late no more, and was found silent on the way.
        late |= {home: min(late.get(home, at), at) for home, at in _blind_since(lane.changes, dark[0]).items()}
        is_over = not lane.is_behind(now=now, forgiven=forgiven)
        await spans.write_gap(conn, current, *dark, late=late, is_over=is_over)
    else:
        await spans.write_spans(conn, [*lane.seen_again(), *lane.changes])


def _blind_since(changes: list[spans.Change], moment: datetime) -> dict[str, datetime]:
    """Return since when homes were blind that by these changes were at a moment, which may have been found only later.

    What is judged again after a crash begins before what is written, so only the last change before the moment counts.
    """
    then = {change.home: change.watch for change in changes if change.watch.since < moment}
    return {home: watch.since for home, watch in then.items() if watch.state is Watched.BLIND}


def as_far_as(
    horizon: datetime, batches: list[Batch], known_through: datetime | None
) -> tuple[list[Batch], datetime | None]:
    """Return what of a page may be judged while inputs after `horizon` are not read yet."""
    near = [batch for batch in batches if batch.received_at <= horizon]
    # Where something later was received, all that was received up to the horizon is here.
    known = [horizon] if len(near) < len(batches) else []
    known += [] if known_through is None else [min(known_through, horizon)]
    return near, max(known, default=None)


async def read_reaches(conn: Conn, lanes: list[int], found: dict[int, Reach]) -> None:
    """Add how far lanes have come, seen in one snapshot."""
    rows = await conn.execute(_REACH, (lanes,))
    found |= {row[0]: Reach(*row[1:]) for row in await rows.fetchall()}


async def lane_of(conn: Conn, place: Place, states: dict[str, HomeState], unfit: Collection[str]) -> Lane:
    """Return a lane with what its homes remember; of the unfit ones that is not saved yet."""
    written = await spans.open_spans(conn, place.lane)
    # What is not sure yet waits, as it did before.
    seen = written | {home: state.watch for home, state in states.items() if state.is_watch_sure}
    is_unsaid = place.judged_through is None or (place.saved_through or place.judged_through) > place.judged_through
    return Lane(
        place=place,
        judge=LaneJudge(states, place.saved_through),
        position=place.position,
        received_through=place.received_through,
        input=place.input,
        dark_since=place.judged_through,
        # Lanes that were claimed together are not all saved together.
        saved_at_s=monotonic_s() - random.random() * SAVE_S,  # noqa: S311 - no secret
        unsaved=states.keys() & set(unfit),
        fresh=set(states),
        seen=seen,
        # What was saved and not said any more.
        changes=[
            spans.Change(home, watch, place.saved_through)
            for home, watch in sorted(seen.items())
            if (is_unsaid or home in unfit or home not in written) and written.get(home) != watch
        ],
        written_through=place.judged_through,
        left_blind={home for home in states.keys() & written.keys() if written[home].why == (US,)},
    )

"""For how many minutes could a home be seen, and when was the last time that it could not?

Minutes are those of the clock, in UTC, so that no night has 23 or 25 hours.  A minute is as bad as its worst moment:
one second without sight makes it blind.  A paused minute is nobody's to watch, and counts for nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.judging.watched import Watched

MINUTE: Final = timedelta(minutes=1)

MONTH: Final = timedelta(days=30)
"""The time that figures speak of."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = timedelta(microseconds=1)
# The best first: a minute that is two of these is the last of them.
_WORST: Final = (Watched.WATCHED, Watched.DEGRADED, Watched.PAUSED, Watched.BLIND)


@dataclass(frozen=True, slots=True)
class Span:
    """How well a home could be seen from `since` until `until` (excluded; None: it goes on)."""

    since: datetime
    until: datetime | None
    state: Watched
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a home could not be seen.

    Attributes:
        since: the last thing heard before it.
        until: excluded; None: it goes on.
        why: the reasons, each once, in the order in which they came.
    """

    since: datetime
    until: datetime | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Whole minutes of a time, by how well a home could be seen in them.

    Attributes:
        watched: every promise was kept.
        degraded: some question could not be answered.
        blind: nothing could be seen, for a moment at least.
        paused: the resident asked not to be watched; no part of the share.
        by_cause: the blind ones, by the first reason of each.
        last_gap: the newest blindness that touches the time; None: there was none.
    """

    watched: int = 0
    degraded: int = 0
    blind: int = 0
    paused: int = 0
    by_cause: dict[str, int] = field(default_factory=dict)
    last_gap: Gap | None = None

    @property
    def to_watch(self) -> int:
        return self.watched + self.degraded + self.blind

    @property
    def share(self) -> float | None:
        """Of the minutes that were to be watched, those in which the home could be seen; None: there were none."""
        return (self.watched + self.degraded) / self.to_watch if self.to_watch else None


def as_known(spans: Sequence[Span], *, blind_since: datetime | None, why: tuple[str, ...], now: datetime) -> list[Span]:
    """Return spans as they stand now: each ends by now, and where the lease has lapsed, the last one ends with it.

    Args:
        spans: as they were written, in order.
        blind_since: since when nothing is known, whatever is written; None: something is.
        why: the reasons for that.
        now: when they are looked at.
    """
    known = [Span(one.since, min(one.until or now, now), one.state, one.why) for one in spans if one.since < now]
    if blind_since is None or not spans or spans[-1].until is not None or spans[-1].state is Watched.BLIND:
        return known
    since = max(blind_since, spans[-1].since)
    if since >= now:
        return known
    last = known.pop()
    return [*known, *([Span(last.since, since, last.state, last.why)] if since > last.since else []),
            Span(since, now, Watched.BLIND, why)]  # fmt: skip


def figures(spans: Sequence[Span], *, since: datetime, until: datetime) -> Figures:
    """Return the whole minutes from one moment to another, by how well a home could be seen in them.

    Args:
        spans: that tile the time from the first one on, in order, each with an end.
        since: minutes that began before are left out, as are those before the first span.
        until: minutes that end later are left out.
    """
    if not spans:
        return Figures()
    first, last = _number(max(since, spans[0].since) + MINUTE - _MOMENT), _number(until)
    counts: Counter[Watched] = Counter()
    causes: Counter[str] = Counter()
    for minute, ends, span in _worst(spans):
        inside = min(ends, last) - max(minute, first)
        if inside > 0:
            counts[span.state] += inside
            if span.state is Watched.BLIND:
                causes[span.why[0] if span.why else ""] += inside
    return Figures(
        watched=counts[Watched.WATCHED],
        degraded=counts[Watched.DEGRADED],
        blind=counts[Watched.BLIND],
        paused=counts[Watched.PAUSED],
        by_cause=dict(causes),
        last_gap=next((gap for gap in reversed(gaps(spans)) if gap.until is None or gap.until > since), None),
    )


def gaps(spans: Iterable[Span]) -> list[Gap]:
    """Return the times in which a home could not be seen, in order; blindness that changes its reason is one."""
    found: list[Gap] = []
    for span in spans:
        if span.state is not Watched.BLIND:
            continue
        if found and found[-1].until == span.since:
            why = tuple(dict.fromkeys((*found[-1].why, *span.why)))
            found[-1] = Gap(found[-1].since, span.until, why)
        else:
            found.append(Gap(span.since, span.until, span.why))
    return found


def _worst(spans: Sequence[Span]) -> Iterator[tuple[int, int, Span]]:
    """Yield stretches of minutes (first, end excluded) with the worst span of each, in order."""
    minute, worst = -1, spans[0]
    for span in spans:
        assert span.until is not None, "a span that goes on has no minutes yet"
        first, last = _number(span.since), _number(span.until - _MOMENT)
        if first != minute:
            yield minute, minute + 1, worst
            worst = span
        elif _WORST.index(span.state) > _WORST.index(worst.state):
            worst = span
        minute = first
        if last > first:
            yield first, first + 1, worst
            yield first + 1, last, span
            minute, worst = last, span
    yield minute, minute + 1, worst


def _number(at: datetime) -> int:
    """Return which minute since 1970 a moment lies in."""
    return (at - _EPOCH) // MINUTE

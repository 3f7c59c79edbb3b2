"""For how much of thirty days could a home be seen, in words: the same on every page, and never rounded up?"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts.judging.finding import SeenLater
from alerts.judging.minutes import MINUTE, MONTH, Figures, Gap, Span, as_known, figures
from alerts.judging.watched import BROKER, CLOCK, HUB, LINE, NEVER_HEARD, RADIO, US, Watched
from alerts.store import SeenFor
from api import times
from api.views.said import since_when
from api.views.state import Truth

CAUSES: Final[Mapping[str, str]] = {
    HUB: "the box was silent",
    LINE: "the box had lost its connection",
    RADIO: "the box could not hear its sensors",
    NEVER_HEARD: "no box reported",
    CLOCK: "the box's clock was wrong",
    BROKER: "our message service was away",
    US: "our own service was away",
}
"""Why a home could not be seen, in a few words; a reason of no list of ours has none."""

_SHARE_FROM: Final = timedelta(hours=1)
"""Ours: before its box reports for the first time nothing of a home can be seen, which is most of its first minutes."""


def counted(spans: Sequence[Span], told: Truth, *, since: datetime, now: datetime) -> Figures:
    """Return a home's minutes, with the lease held against the clock.

    Args:
        spans: as they were written live, in order.
        told: how well the home is seen now.
        since: what was before does not count.
        now: what comes later does not.
    """
    lapsed = told.since if told.state is Watched.BLIND else None
    return figures(as_known(spans, blind_since=lapsed, why=told.why, now=now), since=since, until=now)


def percent(share: float) -> str:
    """Return a share with one decimal place, cut and never rounded up: only the whole is 100 %."""
    return f"{math.floor(max(share, 0.0) * 1000 + 1e-9) / 10:.1f} %"


def in_words(
    seen: Figures, later: Sequence[SeenLater], *, begins: datetime | None, since: datetime, now: datetime
) -> str:
    """Return `Watched 99.2 % of 30 days; last gap Tuesday 02:10 to 02:25, the box was silent`.

    Args:
        seen: of the home.
        later: what arrived afterwards of times that were blind.
        begins: when the home was first to be watched; None: it never was.
        since: since when minutes were counted.
        now: until when.
    """
    if seen.share is None or begins is None:
        return "Not watched for a whole minute yet."
    if now - begins < _SHARE_FROM:
        said = f"Watched since {since_when(begins, now=now)}, too short for a share"
    else:
        said = _share(seen, f"of {MONTH.days} days" if begins <= since else f"since {since_when(begins, now=now)}")
    said += "; no gap." if seen.last_gap is None else f"; last gap {_gap(seen.last_gap, later, now=now)}."
    if seen.paused:
        said += f" Paused for {times.wait(seen.paused * MINUTE)} besides."
    return said


def _share(seen: Figures, whole: str) -> str:
    said = f"Watched {percent(seen.share or 0.0)} {whole}"
    return f"{said}, {percent(seen.degraded / seen.to_watch)} only in part" if seen.degraded else said


def row_in_words(seen: SeenFor, *, now: datetime) -> str:
    """Return the same for a line in a list of homes."""
    lasts = seen.to_watch_min * MINUTE
    said = f"Watched {percent(seen.share)} of {_length(seen)}"
    if lasts < _SHARE_FROM:
        said = f"Watched for {times.wait(lasts)}, too short for a share"
    if seen.gap_since is None:
        return f"{said}; no gap."
    why = () if seen.gap_cause is None else (seen.gap_cause,)
    return f"{said}; last gap {_gap(Gap(seen.gap_since, seen.gap_until, why), (), now=now)}."


def _length(seen: SeenFor) -> str:
    lasts = seen.to_watch_min * MINUTE
    return f"{MONTH.days} days" if lasts >= MONTH - timedelta(hours=1) else times.wait(lasts)


def _gap(gap: Gap, later: Sequence[SeenLater], *, now: datetime) -> str:
    begins = times.when(gap.since, now=now)
    if gap.until is None or gap.until >= now:
        said = f"since {begins}"
    elif times.local_date(gap.since) == times.local_date(gap.until):
        said = f"{times.clock_time(gap.since)} to {times.when(gap.until, now=now)}"
    else:
        said = f"{begins} to {times.when(gap.until, now=now)}"
    causes = [CAUSES[why] for why in gap.why if why in CAUSES]
    is_explained = any(one.since < (gap.until or now) and one.until > gap.since for one in later)
    return ", ".join([said, *causes, *(["seen later"] if is_explained else [])])

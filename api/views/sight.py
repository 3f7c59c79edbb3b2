"""When could we see, and what did we see, in words?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from alerts.judging.watched import BROKER, CLOCK, HUB, LINE, NEVER_HEARD, RADIO, US, Watched
from alerts.store import Span
from api import activity, times
from api.activity import Day, Spell, Unseen
from api.views.state import Truth
from ingest.readings import Slot

# "When we could see" lists this many gaps, newest first, and counts the others.
_GAPS_MAX: Final = 12


Why = tuple[Unseen, tuple[str, ...]]
"""A time in which we could not see, and the reasons."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which we could not see, in words."""

    long: str
    when: str
    why: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The gaps in what was seen; the share of time that they leave is said by `watched_time` alone.

    Attributes:
        gaps: newest first.
        more: gaps left out.
    """

    gaps: tuple[Gap, ...]
    more: int


def unseen(spans: Sequence[Span], told: Truth, *, since: datetime, now: datetime) -> list[Why]:
    """Return when we could not see, with reasons, oldest first.

    What goes on is counted until now; where the lease has lapsed, what was *watched* ends with the lease.

    Args:
        spans: as they were known live, in order.
        told: how well the home is seen now.
        since: where the time begins.
        now: where it ends.
    """
    gaps: list[Why] = []
    for span in spans:
        if span.state is Watched.BLIND:
            _add(gaps, max(span.since, since), min(span.until or now, now), span.why)
    if told.state is Watched.BLIND and told.since is not None:
        _add(gaps, max(told.since, since), now, told.why)
    return gaps


def not_yet_watched(spans: Sequence[Span], *, since: datetime, now: datetime) -> list[Unseen]:
    """Return the time before the home was watched at all: in pictures it is striped, never empty."""
    begins = min((span.since for span in spans), default=now)
    return [Unseen(since, min(begins, now))] if begins > since else []


def _add(gaps: list[Why], since: datetime, until: datetime, why: tuple[str, ...]) -> None:
    """Add a gap after the others; one that touches the last and has its reason lengthens it."""
    if gaps and since <= gaps[-1][0].until:
        last, reasons = gaps[-1]
        if until <= last.until:
            return
        if reasons == why or since < last.until:
            gaps[-1] = (Unseen(last.since, until), reasons)
            return
    if until > since:
        gaps.append((Unseen(since, until), why))


def sight(gaps: Sequence[Why], spans: Sequence[Span], *, now: datetime) -> Sight | None:
    """Return in words when we could not see, or None where the home was never to be watched."""
    if not spans:
        return None
    said = [_gap(gap, why, now=now) for gap, why in reversed(gaps)]
    return Sight(tuple(said[:_GAPS_MAX]), max(len(said) - _GAPS_MAX, 0))


def _gap(gap: Unseen, why: Sequence[str], *, now: datetime) -> Gap:
    goes_on = gap.until >= now
    when = f"since {times.when(gap.since, now=now)}" if goes_on else _from_to(gap.since, gap.until, now=now)
    reasons = " ".join(_WHY_PAST[reason] for reason in why if reason in _WHY_PAST)
    long = f"{times.wait(gap.until - gap.since)}{' so far' if goes_on else ''}"
    return Gap(long, when, reasons or "We do not know why.")


_WHY_PAST: Final[Mapping[str, str]] = {
    HUB: "The box in the home was silent.",
    RADIO: "The box in the home could not hear its sensors.",
    NEVER_HEARD: "No box in the home reported.",
    CLOCK: "The clock of the box in the home was wrong.",
    LINE: "The box in the home had lost its connection: no power there, or no network.",
    BROKER: "Our message service was away. It was our fault.",
    US: "Our own service had not kept up. It was our fault.",
}


def _from_to(since: datetime, until: datetime, *, now: datetime) -> str:
    begins, ends = times.when(since, now=now), times.when(until, now=now)
    if times.local_date(since) == times.local_date(until):
        begins = times.clock_time(since)
    return f"{begins} to {ends}"


def day_in_words(slots: Sequence[Slot], gaps: Sequence[Unseen], *, now: datetime) -> list[str]:
    """Return the strip of the day as lines, oldest first: who cannot see the picture reads this."""
    since = now - timedelta(days=1)
    said = [(spell.since, _spell(spell, now=now)) for spell in activity.spells(slots)]
    for gap in gaps:
        begins, ends = max(gap.since, since), min(gap.until, now)
        if begins < ends:
            until = "now" if gap.until >= now else times.when(gap.until, now=now)
            said.append((begins, f"{times.when(begins, now=now)} to {until}: we could not see."))
    return [line for _, line in sorted(said)]


def _spell(spell: Spell, *, now: datetime) -> str:
    begins, ends = times.when(spell.since, now=now), times.when(spell.until, now=now)
    if times.clock_time(spell.since) == times.clock_time(spell.until):
        return f"{begins}: {_listed(spell.places)}."
    if times.local_date(spell.since) == times.local_date(spell.until):
        begins = times.clock_time(spell.since)
    return f"{begins} to {ends}: {_listed(spell.places)}."


def _listed(places: Sequence[str]) -> str:
    return places[0] if len(places) == 1 else f"{', '.join(places[:-1])} and {places[-1]}"


@dataclass(frozen=True, slots=True)
class DayInWords:
    """A line of the table of four weeks."""

    day: str
    first: str
    last: str
    out: str
    unseen: str


def days_in_words(days: Sequence[Day], *, now: datetime) -> list[DayInWords]:
    """Return the four weeks as a table, newest first.

    Where part of a day was not seen, "none" would be more than we know.
    """
    today = times.local_date(now)
    return [
        DayInWords(
            "Today" if day.on == today else times.short_day(day.on),
            times.clock_time(day.first_at) if day.first_at else _none(day),
            ("so far " if day.on == today else "") + _of_its_day(day.last_at, day.on) if day.last_at else _none(day),
            ", ".join(f"{times.clock_time(one.since)} to {times.clock_time(one.until)}" for one in day.outings),
            times.wait(day.unseen) if day.unseen else "",
        )
        for day in reversed(days)
    ]


def _of_its_day(at: datetime, on: date) -> str:
    """Return a clock time; one after midnight belongs to the day that it ends, and says so."""
    return times.clock_time(at) + (", after midnight" if times.local_date(at) > on else "")


# Fewer mornings than these say nothing of what is usual; so many of ten are "most".  Ours.
_MORNINGS_MIN: Final = 14
_MOST: Final = 0.8


def usual_mornings(days: Sequence[Day], name: str) -> str:
    """Return when somebody is usually seen first, or nothing where too few mornings were seen.

    The shortest stretch of the clock that holds four of five mornings; today is no part of what is usual, nor is a
    day of which we could not see all.

    Args:
        days: oldest first, today last.
        name: of the resident.
    """
    mornings = [
        local.hour * 60 + local.minute
        for day in days[:-1]
        if day.first_at is not None and not day.unseen
        for local in [day.first_at.astimezone(times.LONDON)]
    ]
    if len(mornings) < _MORNINGS_MIN:
        return ""
    mornings.sort()
    held = math.ceil(_MOST * len(mornings))
    first, last = min(zip(mornings, mornings[held - 1 :], strict=False), key=lambda ends: ends[1] - ends[0])
    begins, ends = (f"{minute // 60:02}:{minute % 60:02}" for minute in (first, last))
    return (
        f"Usual: on {held} of {len(mornings)} mornings that we saw whole, {name} was first seen "
        f"between {begins} and {ends}."
    )


def _none(day: Day) -> str:
    return "not known" if day.unseen else "none"

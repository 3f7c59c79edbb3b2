"""What does a person's rota say, in words?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api import times
from api.office.duty import Ahead

_PLACES = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, slots=True)
class Line:
    """Hours in which somebody is at one place.

    Attributes:
        since: as it begins; now, where it has begun.
        day: `today`, or the day.
        hours: `08:00 to 18:00`.
        place: `first`, `second, after Anne Reid`; empty: off.
    """

    since: datetime
    until: datetime
    day: str
    hours: str
    place: str


@dataclass(frozen=True, slots=True)
class Week:
    """One home's week for one person.

    Attributes:
        gaps: hours in which nobody but the operator is told, in words.
        has_operator: whether somebody is told then at all.
    """

    home: str
    called: str
    lines: Sequence[Line]
    gaps: Sequence[str]
    has_operator: bool


def week(ahead: Ahead, called: str, person: str, names: Mapping[str, str], *, now: datetime) -> Week:
    """Return the hours of one person in a home's rota, those off left out.

    Neighbouring hours at the same place are one line, however the others change.
    """
    lines: list[Line] = []
    for one in ahead.duties:
        place = _place(one.persons, person, names)
        if not place:
            continue
        if lines and lines[-1].until == one.since and lines[-1].place == place:
            before = lines.pop()
            lines.append(_line(before.since, one.until, place, now=now))
        else:
            lines.append(_line(one.since, one.until, place, now=now))
    gaps = [_hours(gap.since, gap.until, now=now) for gap in ahead.gaps]
    return Week(ahead.home, called, lines, gaps, ahead.has_operator)


def now_on(weeks: Sequence[Week], *, now: datetime) -> str:
    """Return in one sentence whether this person is on duty now, and until when."""
    on = [(line, one) for one in weeks for line in one.lines if line.since <= now]
    if not on:
        coming = sorted((line.since, one.called) for one in weeks for line in one.lines)
        if not coming:
            return "you are on duty nowhere in the next seven days."
        return f"you are off now, and on duty from {times.at_what_time(coming[0][0], now=now)} for {coming[0][1]}."
    line, one = min(on, key=lambda found: found[0].until)
    more = f", and for {len(on) - 1} more" if len(on) > 1 else ""
    return f"you are on duty until {times.at_what_time(line.until, now=now)} for {one.called}, {line.place}{more}."


def _place(persons: Sequence[str], person: str, names: Mapping[str, str]) -> str:
    if person not in persons:
        return ""
    number = persons.index(person)
    named = _PLACES[number] if number < len(_PLACES) else f"number {number + 1}"
    return named if number == 0 else f"{named}, after {names[persons[number - 1]]}"


def _line(since: datetime, until: datetime, place: str, *, now: datetime) -> Line:
    day = times.day(times.local_date(since), today=times.local_date(now))
    return Line(since, until, day[:1].upper() + day[1:], _hours(since, until, now=now), place)


def _hours(since: datetime, until: datetime, *, now: datetime) -> str:
    """Return `08:00 to 18:00`, with the day of the end where that is another."""
    begins = times.clock_time(since)
    if times.local_date(until) == times.local_date(since):
        return f"{begins} to {times.clock_time(until)}"
    return f"{begins} to {times.when(until, now=now)}"

"""Who is told of a home's alerts at a moment, in which order, and how long does each have to answer?

Shifts are written in Europe/London wall time and keep it when the clocks change: eight in the evening stays eight in
the evening.  A wall time that a spring night does not have is the moment of the change; of one that an autumn night has
twice the first counts.  So what is next to each other on paper is next to each other in the night: no gap, no overlap.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")

_DAY: Final = timedelta(days=1)

# Ours: a rota is looked at some weeks ahead; a year of changes would be a page that nobody reads.
LOOK_MAX: Final = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Step:
    """One person on a home's rota.

    Attributes:
        person: the key of a person with a phone.
        answers_within: how long after this person's text was due the next one is told, if nobody has said
            "mine"; for the last, how long until nobody is left.
    """

    person: str
    answers_within: timedelta


def steps_of(carers: Iterable[str], operator: str | None, *, answers_within: timedelta) -> tuple[Step, ...]:
    """Return the steps of a home: its carers in order, then the operator's phone.

    Who is named twice is told once, where named first.

    Args:
        carers: persons, the first to be told first; may be empty.
        operator: who is told last, or None where there is none.
        answers_within: above zero.

    Raises:
        ValueError: nobody would have any time to answer.
    """
    if answers_within <= timedelta(0):
        raise ValueError(f"nobody can answer within {answers_within}")
    persons = [*carers, *([] if operator is None else [operator])]
    return tuple(Step(person, answers_within) for person in dict.fromkeys(persons))


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours in which a person is on duty, week after week.

    Attributes:
        person: who.
        place: 1 is told first; before whoever is always told at that place.
        weekdays: on which it begins, 0 is Monday.
        begins: wall time.
        ends: wall time, excluded; not after `begins`: on the next day.
        valid_from: the first day on which it may begin.
        valid_until: the first day on which it does not begin any more; None: it goes on.
    """

    person: str
    place: int
    weekdays: frozenset[int]
    begins: time
    ends: time
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """From `since` until `until` (excluded) somebody is not on duty, and perhaps somebody else is instead.

    Attributes:
        person: who cannot.
        instead: who stands in, at the same place; None: nobody, and the next one comes sooner.
    """

    person: str
    instead: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """Everything that says who is told of a home's alerts.

    Attributes:
        always: who is told at any hour, the first first.
        shifts: who is told in their hours besides.
        overrides: in the order in which they were made; of two about the same person the later one counts.
        operator: who is told last, or None where there is none.
    """

    always: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    overrides: tuple[Override, ...] = field(default=())
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """From `since` until `until` (excluded) these are told, the first first; the operator comes after them."""

    since: datetime
    until: datetime
    persons: tuple[str, ...]


def on_duty(rota: Rota, *, now: datetime) -> tuple[str, ...]:
    """Return who is told at a moment before the operator, the first first, each once.

    An override without anybody instead takes its person out, unless then nobody at all would be left, not even an
    operator: that person is told all the same.
    """
    places = [(place, 1, person) for place, person in enumerate(rota.always, 1)]
    places += [(shift.place, 0, shift.person) for shift in rota.shifts if _is_within(shift, now)]
    planned = [person for _, _, person in sorted(places, key=lambda one: one[:2])]
    instead = {one.person: one.instead for one in rota.overrides if one.since <= now < one.until}
    there = [name for person in planned if (name := instead.get(person, person)) is not None]
    return tuple(dict.fromkeys(there or ([] if rota.operator else planned)))


def duties(rota: Rota, *, since: datetime, until: datetime) -> tuple[Duty, ...]:
    """Return who is told from one moment to another, in order and without a hole; like neighbours are one.

    Raises:
        ValueError: the end is not after the beginning, or more than `LOOK_MAX` after it.
    """
    if not timedelta(0) < until - since <= LOOK_MAX:
        raise ValueError(f"a rota is looked at for {LOOK_MAX} at most, not from {since} until {until}")
    moments = {since, *(at for at in _changes(rota, since, until) if since < at < until)}
    found: list[Duty] = []
    ordered = sorted(moments)
    for begins, ends in zip(ordered, [*ordered[1:], until], strict=True):
        persons = on_duty(rota, now=begins)
        if found and found[-1].persons == persons:
            found[-1] = Duty(found[-1].since, ends, persons)
        else:
            found.append(Duty(begins, ends, persons))
    return tuple(found)


def next_change(rota: Rota, *, now: datetime) -> datetime | None:
    """Return when somebody else is on duty than now, within a day; None: nobody."""
    ahead = duties(rota, since=now, until=now + _DAY)
    return ahead[1].since if len(ahead) > 1 else None


def moment_of(wall: datetime) -> datetime:
    """Return the moment at which clocks in London show a wall time (naive) first; or jump over it.

    It never goes back: of two wall times the later is not an earlier moment.
    """
    moment = wall.replace(tzinfo=LONDON, fold=0).astimezone(UTC)
    if moment.astimezone(LONDON).replace(tzinfo=None) == wall.replace(fold=0):
        return moment
    # Clocks jump over it.  They change at one in the morning, UTC (Summer Time Order 2002, article 2).
    return moment.replace(minute=0, second=0, microsecond=0)


def hours_of(shift: Shift, on: date) -> tuple[datetime, datetime] | None:
    """Return from when until when (excluded) a shift lasts that begins on a day; None where none begins."""
    is_valid = shift.valid_from <= on and (shift.valid_until is None or on < shift.valid_until)
    if not is_valid or on.weekday() not in shift.weekdays:
        return None
    last = on if shift.ends > shift.begins else on + _DAY
    return moment_of(datetime.combine(on, shift.begins)), moment_of(datetime.combine(last, shift.ends))


def _is_within(shift: Shift, now: datetime) -> bool:
    today = now.astimezone(LONDON).date()
    hours = (hours_of(shift, on) for on in (today - _DAY, today))
    return any(since <= now < until for since, until in filter(None, hours))


def _changes(rota: Rota, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield every moment around this stretch at which a shift or an override begins or ends."""
    for override in rota.overrides:
        yield from (override.since, override.until)
    for on in _days(since.astimezone(LONDON).date() - _DAY, until.astimezone(LONDON).date()):
        for shift in rota.shifts:
            yield from hours_of(shift, on) or ()


def _days(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]

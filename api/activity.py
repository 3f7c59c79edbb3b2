"""Where was somebody seen, and when?  From the signs of life in a home to what a picture and its words need.

Signs of life come counted into *slots* of a few minutes, from `ingest.readings`.  Pure.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from api import times
from ingest.readings import Slot

DAY_SLOT: Final = timedelta(minutes=3)
MONTH_SLOT: Final = timedelta(minutes=15)
DAYS: Final = 28

# A pause of this long or longer begins a new line in words.  Ours: shorter ones make an evening of forty lines.
_PAUSE: Final = timedelta(minutes=45)
_SPELLS_MAX: Final = 40
_ROWS_MAX: Final = 8

# A pause of this long inside, between two openings of a door each within ten minutes of its ends.  Ours: shorter ones
# are the bin and the garden.
_OUTING_MIN: Final = timedelta(minutes=30)
_AT_THE_DOOR: Final = timedelta(minutes=10)

# As people call the rooms in which one rests or is for a moment.
_RESTING: Final = ("bed", "bath", "toilet", "wc", "shower", "loo")

ELSEWHERE: Final = "Elsewhere"
DOORS: Final = "Doors"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A time in which we could not see; `until` is excluded."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a picture: the slots of one room, or of all doors."""

    label: str
    kind: str
    begins: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Spell:
    """Somebody was up, or moved about, without a long pause."""

    since: datetime
    until: datetime
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outing:
    """Nobody was seen inside between two openings of a door: somebody was *probably* out."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """What was seen on one day, midnight to midnight in London.

    Attributes:
        slots: of it, doors left out.
        first_at: the first sign of life at or after 04:00; None: none, or not known.
        last_at: the last of the day before 04:00 of the next; None likewise.
        unseen: how long we could not see.
        outings: those that began on it.
    """

    on: date
    slots: tuple[Slot, ...]
    first_at: datetime | None
    last_at: datetime | None
    unseen: timedelta
    outings: tuple[Outing, ...] = ()


def is_for_rest(room: str | None) -> bool:
    """Return whether being seen in a room says little about being up: a bedroom, a bathroom."""
    return room is not None and any(word in room.lower() for word in _RESTING)


def kind(slot: Slot) -> str:
    """Return the style of a slot in a picture: `m` moved about, `r` bedroom or bathroom, `dr` a door."""
    if slot.is_door:
        return "dr"
    return "r" if is_for_rest(slot.room) else "m"


def rows(slots: Iterable[Slot]) -> list[Row]:
    """Return a row for each room, those for rest first, and one for all doors; at most eight."""
    by_room: dict[str, list[Slot]] = {}
    for slot in slots:
        by_room.setdefault(DOORS if slot.is_door else _named(slot.room), []).append(slot)
    doors = by_room.pop(DOORS, [])
    often = sorted(by_room, key=lambda room: -len(by_room[room]))
    kept = often if len(often) < _ROWS_MAX else often[: _ROWS_MAX - 2]
    merged = {room: by_room[room] for room in kept}
    rest = [slot for room in often if room not in kept for slot in by_room[room]]
    if rest:
        merged[ELSEWHERE] = merged.get(ELSEWHERE, []) + rest
    ordered = sorted(merged, key=lambda room: (room == ELSEWHERE, not is_for_rest(room), room))
    made = [Row(room, "r" if is_for_rest(room) else "m", _begins(merged[room])) for room in ordered]
    return [*made, Row(DOORS, "dr", _begins(doors))] if doors else made


def spells(slots: Iterable[Slot]) -> list[Spell]:
    """Return when somebody was about, and where, in time order: the newest forty."""
    made: list[Spell] = []
    for slot in sorted(slots, key=lambda one: one.first_at):
        place = "a door" if slot.is_door else _named(slot.room).lower()
        if made and slot.first_at - made[-1].until < _PAUSE:
            last = made[-1]
            places = last.places if place in last.places else (*last.places, place)
            made[-1] = Spell(last.since, max(last.until, slot.last_at), places)
        else:
            made.append(Spell(slot.first_at, slot.last_at, (place,)))
    return made[-_SPELLS_MAX:]


def outings(slots: Iterable[Slot], unseen: Sequence[Unseen]) -> list[Outing]:
    """Return when somebody was probably out, in time order.

    A pause inside of half an hour or more, with a door that was opened just before nobody was seen any more and one
    just before somebody was seen again; not where we could not see.
    """
    ordered = sorted(slots, key=lambda one: one.first_at)
    doors = [slot for slot in ordered if slot.is_door]
    opened = [slot.first_at for slot in doors]
    inside = [slot for slot in ordered if not slot.is_door]
    found = []
    for last, first in pairwise(inside):
        if first.first_at - last.last_at < _OUTING_MIN:
            continue
        between = doors[bisect_left(opened, last.last_at - _AT_THE_DOOR) : bisect_left(opened, first.first_at)]
        left = [door for door in between if abs(door.first_at - last.last_at) <= _AT_THE_DOOR]
        back = [door for door in between if first.first_at - door.last_at <= _AT_THE_DOOR]
        could_see = overlap(unseen, last.last_at, first.first_at) == timedelta(0)
        if not left or not back or not could_see:
            continue
        # A door is near the last movement inside, and may be before it; being out is after it.
        since, until = max(left[-1].first_at, last.last_at), min(back[-1].last_at, first.first_at)
        if until - since >= _OUTING_MIN:
            found.append(Outing(since, until))
    return found


def days(slots: Sequence[Slot], unseen: Sequence[Unseen], *, now: datetime, count: int = DAYS) -> list[Day]:
    """Return what was seen on each of the last days, oldest first, today last.

    What was only seen in a door is not counted: a door may be opened from outside.

    Args:
        slots: in time order, from the first day's beginning to an hour of `now`.
        unseen: when we could not see; may overlap the ends.
        now: ends today.
        count: of days.
    """
    today = times.local_date(now)
    inside = [slot for slot in slots if not slot.is_door]
    begins = [slot.begins for slot in inside]
    out = outings(slots, unseen)

    def between(since: datetime, until: datetime) -> Sequence[Slot]:
        return inside[bisect_left(begins, since) : bisect_left(begins, until)]

    return [_day(today - timedelta(days=count - 1 - back), between, unseen, out, now=now) for back in range(count)]


def _day(
    on: date,
    between: Callable[[datetime, datetime], Sequence[Slot]],
    unseen: Sequence[Unseen],
    out: Sequence[Outing],
    *,
    now: datetime,
) -> Day:
    begins, ends = times.midnight(on), times.midnight(on + timedelta(days=1))
    wakes, sleeps = _at_four(on), _at_four(on + timedelta(days=1))
    # A slot that begins before 04:00 may end after it.
    awake = between(wakes - MONTH_SLOT, sleeps)
    return Day(
        on,
        tuple(between(begins, ends)),
        min((slot.first_at for slot in awake if slot.first_at >= wakes), default=None),
        max((slot.last_at for slot in awake if wakes <= slot.last_at < sleeps), default=None),
        overlap(unseen, begins, min(ends, now)),
        tuple(one for one in out if begins <= one.since < ends),
    )


def overlap(unseen: Iterable[Unseen], since: datetime, until: datetime) -> timedelta:
    """Return how much of a time we could not see; the spans do not overlap each other."""
    parts = (min(gap.until, until) - max(gap.since, since) for gap in unseen)
    return sum((part for part in parts if part > timedelta(0)), timedelta(0))


def _at_four(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 4, tzinfo=times.LONDON)


def _named(room: str | None) -> str:
    return room[:1].upper() + room[1:] if room else ELSEWHERE


def _begins(slots: Iterable[Slot]) -> tuple[datetime, ...]:
    return tuple(sorted({slot.begins for slot in slots}))

"""Which teams, shifts and covers does a setup file give?  The words are those of `telecare rota`."""

from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from typing import Annotated

import msgspec

from api.office import said
from api.office.said import wall_time

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Id = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="lower case letters, digits and hyphens, at most 32"
    ),
]


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When somebody is on duty, week after week, by the clock on the wall."""

    person: _Id
    begins: str
    ends: str
    days: str = "every day"
    place: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1  # 1 is told first
    valid_from: date | None = None  # None: from the day on which the file is first set up
    valid_until: date | None = None  # the last day

    def fields(self) -> dict[str, str]:
        """Return it as it is written by hand."""
        return {name: str(value) for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


class Team(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Carers who share the shifts of several homes."""

    id: _Id
    name: _Words
    shift: tuple[Shift, ...] = ()


class Cover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When somebody cannot, and who stands in; without home and team wherever they are on duty."""

    person: _Id
    since: str
    until: str
    instead: _Id | None = None
    home: _Id | None = None
    team: _Id | None = None

    def fields(self) -> dict[str, str]:
        """Return it as it is written by hand."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


def mistakes_in_shifts(shifts: Collection[Shift], people: Collection[str]) -> Iterator[str]:
    """Return what is wrong with the shifts of a home or a team."""
    for number, one in enumerate(shifts):
        yield from (f"shift[{number}]: {mistake}" for mistake in _mistakes_in_shift(one, people))
        if one in list(shifts)[:number]:
            yield f"shift[{number}]: stands there twice"


def _mistakes_in_shift(one: Shift, people: Collection[str]) -> Iterator[str]:
    if one.person not in people:
        yield f"{one.person!r} is not a person in this file"
    yield from _refusals("days", said.weekdays, one.days)
    yield from _refusals("begins", wall_time, one.begins)
    yield from _refusals("ends", wall_time, one.ends)
    if one.valid_from and one.valid_until and one.valid_until < one.valid_from:
        yield "valid_until: is before the shift begins to count"


def mistakes_in_covers(
    covers: Collection[Cover], *, people: Collection[str], homes: Collection[str], teams: Collection[str]
) -> Iterator[str]:
    """Return what is wrong with who stands in for whom."""
    for number, one in enumerate(covers):
        for mistake in _mistakes_in_cover(one, people=people, homes=homes, teams=teams):
            yield f"cover[{number}]: {mistake}"


def _mistakes_in_cover(
    one: Cover, *, people: Collection[str], homes: Collection[str], teams: Collection[str]
) -> Iterator[str]:
    for what, named, known in (
        ("person", (one.person, one.instead), people),
        ("home", (one.home,), homes),
        ("team", (one.team,), teams),
    ):
        yield from (f"{name!r} is not a {what} in this file" for name in named if name not in {None, *known})
    if one.home and one.team:
        yield "home and team: one of them, or neither"
    if one.person == one.instead:
        yield "instead: nobody can stand in for themselves"
    wrong = [*_refusals("since", said.moment, one.since), *_refusals("until", said.moment, one.until)]
    yield from wrong
    if not wrong and not timedelta(0) < said.moment(one.until) - said.moment(one.since) <= timedelta(days=92):
        yield "until: is not after the beginning, or more than 92 days after it"


def _refusals(where: str, parse: Callable[[str], object], written: str) -> Iterator[str]:
    try:
        parse(written)
    except ValueError as why:
        yield f"{where}: {why}"

"""What is a rule that an operator sets by hand: where, on which days, at which hours, and for how long?

"No movement in the kitchen from 9 to 12 on weekdays for three hours", "the front door open for ten minutes at night".
"""

import enum
import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Final

import msgspec

RULES_MAX: Final = 16
"""Ours: rules of one home; nobody can say what twenty rules together do."""

_ROOMS_MAX: Final = 16
_LASTS_MAX: Final = timedelta(days=7)  # As for the plain timer: more than a week is no rule but a mistake.
_LASTS_MIN: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)
# What can be said in a text as it stands, and on a page.
_WORDS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.:'()/-]{0,39}")


class Sees(enum.StrEnum):
    """What a rule waits for."""

    NO_MOVEMENT = "no movement"  # nobody shows a sign of life in these rooms
    OPEN = "open"  # a door or window in these rooms stands open


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A hand-set rule.

    Attributes:
        name: as its alert calls it; a rule of the same name that is set nearer to the home stands in its place.
        sees: what it waits for.
        rooms: where; none: anywhere in the home.
        lasts: for how long, within one span of its hours.
        days: on which the span begins: 1 is Monday, 7 is Sunday.
        hours_from: Europe/London wall time.
        hours_until: likewise, excluded; not later than `hours_from` means on the next day, and equal the whole day.
        is_asked: False: a home is excepted from a rule that stands for more homes.

    Raises:
        ValueError: it could never be true, or cannot be read by a person.
    """

    name: str
    sees: Sees
    rooms: tuple[str, ...] = ()
    lasts: timedelta
    days: tuple[int, ...] = _EVERY_DAY
    hours_from: time = time(0)
    hours_until: time = time(0)
    is_asked: bool = True

    def __post_init__(self) -> None:
        for words in (self.name, *self.rooms):
            if _WORDS.fullmatch(words) is None:
                raise ValueError(f"rules and rooms are called in plain words, 40 letters at most: {words!r}")
        if len(self.rooms) > _ROOMS_MAX:
            raise ValueError(f"rule {self.name}: at most {_ROOMS_MAX} rooms")
        if not self.days or not set(self.days) <= set(_EVERY_DAY) or len(set(self.days)) != len(self.days):
            raise ValueError(f"rule {self.name}: days are some of 1 (Monday) to 7 (Sunday): {self.days}")
        if self.hours_from.tzinfo is not None or self.hours_until.tzinfo is not None:
            raise ValueError(f"rule {self.name}: hours are London wall time and carry no zone")
        if not _LASTS_MIN <= self.lasts <= self.longest():
            raise ValueError(f"rule {self.name}: can last from {_LASTS_MIN} to {self.longest()} here: {self.lasts}")

    def longest(self) -> timedelta:
        """Return the longest that such a rule can last: its span of hours; where that is all the time, a week."""
        if self.hours_from == self.hours_until:
            return _LASTS_MAX if len(self.days) == len(_EVERY_DAY) else _DAY
        begins, ends = (timedelta(hours=t.hour, minutes=t.minute) for t in (self.hours_from, self.hours_until))
        return (ends - begins) % _DAY


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as it is written down."""

    name: str
    sees: Sees
    rooms: tuple[str, ...] = ()
    lasts_s: float
    days: tuple[int, ...] = _EVERY_DAY
    hours_from: time = time(0)
    hours_until: time = time(0)
    is_asked: bool = True


def to_json(rule: Rule) -> dict[str, Any]:
    """Return a rule as it is written down; `from_json` undoes it."""
    said: dict[str, Any] = msgspec.to_builtins(
        _Content(
            name=rule.name,
            sees=rule.sees,
            rooms=rule.rooms,
            lasts_s=rule.lasts.total_seconds(),
            days=rule.days,
            hours_from=rule.hours_from,
            hours_until=rule.hours_until,
            is_asked=rule.is_asked,
        )
    )
    return {**said, "rooms": list(rule.rooms), "days": list(rule.days)}


def from_json(said: object) -> Rule:
    """Return the rule in what `to_json` gave.

    Raises:
        ValueError: it is none.
    """
    try:
        content = msgspec.convert(said, _Content)
        return Rule(
            name=content.name,
            sees=content.sees,
            rooms=content.rooms,
            lasts=timedelta(seconds=content.lasts_s),
            days=content.days,
            hours_from=content.hours_from,
            hours_until=content.hours_until,
            is_asked=content.is_asked,
        )
    except (msgspec.ValidationError, OverflowError) as why:
        raise ValueError(f"not a rule: {why}") from why

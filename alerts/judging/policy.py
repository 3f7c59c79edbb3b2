"""By which numbers is a home judged, and what are its waking hours?

The only file of judging, besides the routine's, that knows local time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from alerts.judging.finding import JSON

LONDON: Final = ZoneInfo("Europe/London")

STILL_FOR_MAX: Final = timedelta(days=7)
"""Ours: more than a week without a sign of life is no threshold but a mistake; it also bounds a loop."""

WAKING_MIN: Final = timedelta(hours=1)
"""Ours: fewer waking hours a day would make the longest stillness above months long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An operator's numbers for a home, as they stood from some moment on.

    Attributes:
        policy: its number in the database; None for the default, which nobody has set.
        still_for: no sign of life for this long of waking hours is a finding; up to a week.
        waking_from: Europe/London wall time.
        waking_until: likewise, excluded; not later than `waking_from` means on the next day, and equal means that
            every hour is a waking hour.
        hub_silent_carer_after: a hub silent for this long is told to the first carer too.
        escalate_after: the next person is told when nobody has said "mine" for this long.
        again_after: what was closed while its cause still holds is raised again after this long.
        learned: whether the learned question is asked beside the plain timer.

    Raises:
        ValueError: a number is outside its range.
    """

    policy: int | None = None
    # On the TIHM homes 0.05 false alarms a home-day alone, and 0.08 with the learned question beside it, which then
    # finds a collapse after 4.9 h in the mean (tests/bench/bench_judging.py, 2026-11).
    still_for: timedelta = timedelta(hours=6)
    waking_from: time = time(7)
    waking_until: time = time(22)
    # Ours, and for a pilot to correct: a hub restarts within minutes, a broadband fault lasts hours.
    hub_silent_carer_after: timedelta = timedelta(hours=2)
    # Ours: a text is read within minutes or not at all.
    escalate_after: timedelta = timedelta(minutes=5)
    # Ours: long enough to look in again, short enough that a wrong click costs one hour.
    again_after: timedelta = timedelta(hours=1)
    learned: bool = True

    def __post_init__(self) -> None:
        for name in ("still_for", "hub_silent_carer_after", "escalate_after", "again_after"):
            if not timedelta(0) < getattr(self, name) <= STILL_FOR_MAX:
                raise ValueError(f"{name} must be above 0 and at most {STILL_FOR_MAX}: {getattr(self, name)}")
        for wall in (self.waking_from, self.waking_until):
            if wall.tzinfo is not None:
                raise ValueError(f"waking hours are London wall time and carry no zone: {wall!r}")
        if _length(self.waking_from, self.waking_until) < WAKING_MIN:
            raise ValueError(f"waking hours must be at least {WAKING_MIN}: {self.waking_from} to {self.waking_until}")

    def waking_spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the waking hours from a moment on, each with its end excluded, in order, in UTC, without end."""
        day = since.astimezone(LONDON).date() - timedelta(days=1)
        while True:
            begins, ends = _waking(day, self.waking_from, self.waking_until)
            if ends > since:
                yield max(begins, since), ends
            day += timedelta(days=1)


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it stands in `judging_input.content`."""

    policy: int | None
    still_for_s: float
    waking_from: time
    waking_until: time
    hub_silent_carer_after_s: float
    escalate_after_s: float
    again_after_s: float
    learned: bool


def to_json(policy: Policy) -> dict[str, JSON]:
    """Return a policy as the content of a judging input; `from_json` undoes it."""
    content: dict[str, JSON] = msgspec.to_builtins(
        _Content(
            policy=policy.policy,
            still_for_s=policy.still_for.total_seconds(),
            waking_from=policy.waking_from,
            waking_until=policy.waking_until,
            hub_silent_carer_after_s=policy.hub_silent_carer_after.total_seconds(),
            escalate_after_s=policy.escalate_after.total_seconds(),
            again_after_s=policy.again_after.total_seconds(),
            learned=policy.learned,
        )
    )
    return content


def from_json(content: object) -> Policy:
    """Return the policy in what `to_json` gave.

    Raises:
        ValueError: it is none, or one of its numbers is outside its range.
    """
    try:
        said = msgspec.convert(content, _Content)
        return Policy(
            policy=said.policy,
            still_for=timedelta(seconds=said.still_for_s),
            waking_from=said.waking_from,
            waking_until=said.waking_until,
            hub_silent_carer_after=timedelta(seconds=said.hub_silent_carer_after_s),
            escalate_after=timedelta(seconds=said.escalate_after_s),
            again_after=timedelta(seconds=said.again_after_s),
            learned=said.learned,
        )
    except (msgspec.ValidationError, OverflowError) as why:
        raise ValueError(f"not a policy: {why}") from why


def _length(waking_from: time, waking_until: time) -> timedelta:
    begins, ends = (timedelta(hours=t.hour, minutes=t.minute, seconds=t.second) for t in (waking_from, waking_until))
    return ends - begins if ends > begins else ends - begins + timedelta(days=1)


# A home asks for the same few days again and again, and most homes share their hours.
@lru_cache(maxsize=4096)
def _waking(day: date, waking_from: time, waking_until: time) -> tuple[datetime, datetime]:
    """Return the waking hours that begin on a day, in UTC."""
    last = day if waking_until > waking_from else day + timedelta(days=1)
    return _utc(datetime.combine(day, waking_from)), _utc(datetime.combine(last, waking_until))


def _utc(wall: datetime) -> datetime:
    """Return when London's clocks showed a wall time: the first time of two, never running backwards.

    A time that is skipped in spring stands for the moment of the change, which in the United Kingdom is 01:00 UTC
    (Summer Time Order 2002, SI 2002/262, article 2).
    """
    first = wall.replace(fold=0, tzinfo=LONDON).astimezone(UTC)
    second = wall.replace(fold=1, tzinfo=LONDON).astimezone(UTC)
    # PEP 495: for a skipped time, and only for one, the order of the two is reversed.
    return first if first <= second else first.replace(hour=1, minute=0, second=0, microsecond=0)


def local(at: datetime) -> datetime:
    """Return a moment in London's wall time."""
    return at.astimezone(LONDON)


# Ours: nobody's morning begins before, and hardly anybody's evening ends later.
_DAY_BEGINS: Final = timedelta(hours=4)


def day_of(at: datetime) -> date:
    """Return the day that a moment belongs to for those who live it: it begins at 04:00 in London."""
    return (local(at).replace(tzinfo=None) - _DAY_BEGINS).date()


DEFAULT: Final = Policy()
"""For a home whose policy nobody has set."""

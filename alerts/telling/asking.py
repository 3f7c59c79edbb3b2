"""Who is asked how confident they feel, and when?

The schedule alone decides who is asked: nobody is asked because of what happened, nor left out because of it.  An
open alert puts the question off and never cancels it.  How often is published: once a round; one reminder; never
twice in 28 days; only by day.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_LOCAL: Final = ZoneInfo("Europe/London")

RESTS: Final = timedelta(days=28)
"""From one question to a person until the next, about whichever home.  Source: design, section 8."""

ANSWER_WITHIN: Final = timedelta(days=14)
"""An answer that comes later is kept apart: the quarter it would belong to may be closed.  Ours."""

REMIND_AFTER: Final = timedelta(days=4)
"""Until the only reminder.  Ours."""

RING_AFTER: Final = timedelta(days=3)
"""From the reminder until somebody who has not answered is rung: a week to ring them within the fortnight.  Ours."""

# Rounds of a home, from when it was added.  The first waits a day, so that no home is asked about while it is set up;
# then monthly for three months, each more than 28 days after the one before, then quarterly (design, section 8).
_FIRST: Final = (timedelta(days=1), timedelta(days=30), timedelta(days=60), timedelta(days=91))
_QUARTERLY: Final = timedelta(days=91)
# Who comes into the frame later than this after a round began waits for the next.  Ours.
_JOINS_WITHIN: Final = timedelta(days=14)

# Ours: when most people are up and would take a call.
_DAY_BEGINS: Final = time(10, 0)
_DAY_ENDS: Final = time(20, 0)


class Audience(enum.StrEnum):
    """Whose confidence: each is asked a question of their own, and is a series of its own."""

    FAMILY = "family"
    UNPAID = "unpaid carer"
    PAID = "paid carer"


class Move(enum.StrEnum):
    """What is to be done now about one question to one person."""

    ASK = "ask"
    REMIND = "remind"
    LAPSE = "lapse"  # its time is over, without an answer
    WITHDRAW = "withdraw"  # not asked yet, and no longer in the frame
    PUT_OFF = "put off"  # an alert is open; it will be asked after it
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of a home's schedule: 0 is the baseline, 1 to 3 the months, then quarters."""

    number: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Asking:
    """One question to one person about one home, and what matters to what comes next.

    Attributes:
        asked_at: None while it is due.
        answer_until: excluded; None while it is due.
        reminded_at: None if it was not yet.
        last_asked_at: when this person was asked last about anything, this question left out; None: never.
        is_in_frame: whether this person may still be asked about this home.
        is_alert_open: whether somebody may be on the way to that home.
    """

    asked_at: datetime | None
    answer_until: datetime | None
    reminded_at: datetime | None
    last_asked_at: datetime | None
    is_in_frame: bool
    is_alert_open: bool


def audience_of(views: frozenset[str], kinds: frozenset[str]) -> Audience | None:
    """Return whose question somebody is asked about a home they were given, or None for those who are not asked.

    Args:
        views: "family", "carer", or both, as granted now.
        kinds: what else is known of the person: "family contact", "paid carer" ...
    """
    if "resident" in kinds:
        return None
    if "carer" in views and "paid carer" in kinds:
        return Audience.PAID
    if "family" in views:
        return Audience.FAMILY
    return Audience.UNPAID if "carer" in views else None


def current_round(added_at: datetime, *, now: datetime) -> Round | None:
    """Return the round of a home that began last; None before the first.

    Args:
        added_at: when the home came to the service.
        now: at or after it.
    """
    begun = [wait for wait in _FIRST if added_at + wait <= now]
    if not begun:
        return None
    number = len(begun) - 1
    if number < len(_FIRST) - 1:
        return Round(number, added_at + begun[-1])
    more = (now - added_at - _FIRST[-1]) // _QUARTERLY
    return Round(number + more, added_at + _FIRST[-1] + more * _QUARTERLY)


def round_to_ask(added_at: datetime, in_frame_since: datetime, *, now: datetime) -> Round | None:
    """Return the round in which somebody is asked about a home, if one is under way that they are in time for."""
    current = current_round(added_at, now=now)
    if current is None or now >= current.due_at + _JOINS_WITHIN:
        return None
    return current if in_frame_since <= now else None


def next_move(asking: Asking, *, now: datetime) -> Move:
    """Return what is to be done now."""
    if asking.asked_at is None or asking.answer_until is None:
        return _move_while_due(asking, now=now)
    if now >= asking.answer_until:
        return Move.LAPSE
    may_remind = asking.reminded_at is None and asking.is_in_frame and not asking.is_alert_open
    if may_remind and now >= asking.asked_at + REMIND_AFTER and is_day(now):
        return Move.REMIND
    return Move.WAIT


def _move_while_due(asking: Asking, *, now: datetime) -> Move:
    if not asking.is_in_frame:
        return Move.WITHDRAW
    if asking.last_asked_at is not None and now < asking.last_asked_at + RESTS:
        return Move.WAIT
    if asking.is_alert_open:
        return Move.PUT_OFF
    return Move.ASK if is_day(now) else Move.WAIT


def is_day(now: datetime) -> bool:
    """Return whether people may be texted about something that can wait, by the clock on their wall."""
    return _DAY_BEGINS <= now.astimezone(_LOCAL).time() < _DAY_ENDS


def day_ends_at(now: datetime) -> datetime:
    """Return when the time to text people ends on the day of `now`; a text that did not leave by then does not."""
    local = now.astimezone(_LOCAL)
    return local.replace(hour=_DAY_ENDS.hour, minute=0, second=0, microsecond=0, fold=0).astimezone(now.tzinfo)

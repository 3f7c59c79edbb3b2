"""What do pages and other callers get to know of alerts, homes and people?  Facts, as the tables have them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.alert import Outcome, Question, State
from alerts.judging.minutes import Span
from alerts.judging.watched import Watched

__all__ = [
    "Acknowledged",
    "Alert",
    "Contact",
    "HomeWatch",
    "LetGo",
    "Resident",
    "Span",
    "StoryStep",
]


class Acknowledged(enum.Enum):
    """What became of somebody's "mine"."""

    MINE = "mine"
    ALREADY_YOURS = "already yours"
    SOMEONE_ELSES = "someone else's"
    CLOSED = "closed"  # or there is no such alert


class LetGo(enum.StrEnum):
    """Why somebody does not keep an alert, or does not take it."""

    COULD_NOT_FIND_OUT = "could not find out"
    CANNOT_GO = "cannot go"
    HELP = "help me"  # everybody else is asked at once
    # Nobody says these: it was pressed again, and the one who had it was silent, or not reached, or said "mine" again.
    NO_ANSWER = "no answer"
    NOT_REACHED = "not reached"
    SAID_AGAIN = "said again"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands.

    Attributes:
        home: None for one of a hub that has no home.
        question: a word that is none of ours is a newer release's, and so with `outcome`.
        is_fault: equipment needs someone.
        for_operator: told to the operator first; an alarm too, when it is older than a day or of no home.
        since: when its cause began.
        at: the moment it is true of; `raised_at` is when it was done.
        why: the facts that it rests on, as judging wrote them.
        closed_by: a person's key, or "telecare" for a fault that mended itself.
        cause_ended_at: seen or heard again; None while the cause holds, as far as we know.
        nobody_left_at: everybody was asked and nobody said "mine"; None otherwise.
        mine_by: the person whose it is, and whose it was when it was closed; None where it is nobody's.
        pressed_again_at: when that person was told that it was pressed again, and has not said "mine" again yet.
        next_telling_at: when it is looked at who is told next, if nobody does anything; None: nobody, as things are.
    """

    alert: int
    home: str | None
    hub: str | None
    question: Question | str
    is_fault: bool
    for_operator: bool
    since: datetime
    at: datetime
    raised_at: datetime
    why: Mapping[str, Any]
    state: State
    outcome: Outcome | str | None
    closed_at: datetime | None
    closed_by: str | None
    closed_by_name: str | None
    closing_word: str | None
    cause_ended_at: datetime | None
    nobody_left_at: datetime | None
    mine_by: str | None
    mine_by_name: str | None
    mine_at: datetime | None
    pressed_again_at: datetime | None = None
    next_telling_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One thing that happened in the story of an alert.

    Attributes:
        kind: raised, seen, pressed, text due, text sent, text delivered, text failed, mine, let go, closed,
            seen again, outage.
        person_name: who did it or was told; None where it was nobody.
        detail: the question, the room, the purpose of a text, why it failed, the outcome, how many homes where ...
    """

    at: datetime
    kind: str
    person_name: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who is told about a home."""

    person: str
    full_name: str
    what: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Resident:
    """Who lives there, and what someone who goes there should know."""

    home: str
    first_name: str
    full_name: str
    phone: str | None
    address: str | None
    know: str | None


@dataclass(frozen=True, slots=True)
class HomeWatch:
    """What is true of a home, and until when that may be believed.

    Attributes:
        since: when it became watched, degraded or blind for these reasons.
        fine_until: excluded: from then on nobody knows, whatever `state` says.  In the past where nothing is
            promised.
        last_seen_at: the last sign of life; None: never.
        next_alert_at: when a stillness alert will be raised if nothing more is heard; None: see the reason.
        learning: what is still being learnt.
        last_heard_at: when the one whose promise runs out first was last heard; None: never.
        true_at: everything received up to here has been judged.
    """

    home: str
    state: Watched
    why: tuple[str, ...]
    since: datetime
    fine_until: datetime
    last_seen_at: datetime | None
    last_seen_room: str | None
    last_seen_sensor: str | None
    up_since: datetime | None
    next_alert_at: datetime | None
    next_alert_why: Mapping[str, Any]
    learning: Mapping[str, Any]
    last_heard_at: datetime | None
    true_at: datetime

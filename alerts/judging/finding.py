"""What does a detector conclude?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from alerts.alert import Question
from ingest import entry

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is wrong.

    Attributes:
        home: None where the hub has no home yet.
        hub: the hub it is about or came through; None where it is about the home as a whole.
        question: what was asked, and answered with yes.
        episode: which one it is: two findings with the same home, hub, question and episode are the same one.
        since: when it began: last sign of life, last heartbeat, the press of a button.
        at: the moment that it is true of: a due time, or when what shows it was received.
        why: facts, from which wording makes sentences; no names of people.  Durations end in `_s`, moments in
            `_at`, `_since` or `_until` and are ISO 8601 in UTC.
        policy: the policy in force, by its number in the database; None while none was set.
        alarm: what was received, where the question is the alarm.
        again_of: who closed this before while its cause held, and how; None the first time.
    """

    home: str | None
    hub: str | None
    question: Question
    episode: str
    since: datetime
    at: datetime
    why: Mapping[str, JSON]
    policy: int | None
    alarm: entry.Alarm | None = None
    again_of: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The cause of a finding is over: seen again, heard again.

    A fault closes itself by this; any other alert only notes it, and waits for a person.

    Attributes:
        episode: of the finding.
        at: when what shows it was received.
        why: facts, as in a finding.
    """

    home: str | None
    hub: str | None
    question: Question
    episode: str
    at: datetime
    why: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class SeenLater:
    """Of a time in which a home was blind readings arrived afterwards.  It stays blind, and is explained.

    Attributes:
        since: when it became blind.
        until: when it could be seen again, excluded.
        first_seen_at: the first of these readings was observed then.
        last_seen_at: and the last then.
        readings: how many.
        at: when the hub said that it holds nothing more.
    """

    home: str
    since: datetime
    until: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    readings: int
    at: datetime


Verdict: TypeAlias = Finding | Ended | SeenLater


def iso(at: datetime) -> str:
    """Return a moment as it stands in facts and in episodes."""
    return at.isoformat()


def iso_or_none(at: datetime | None) -> str | None:
    """Return a moment as it stands in facts, or None where there is none."""
    return None if at is None else at.isoformat()


def whole_s(lasted: timedelta) -> int:
    """Return a duration as it stands in facts: whole seconds, rounded down."""
    return lasted // timedelta(seconds=1)

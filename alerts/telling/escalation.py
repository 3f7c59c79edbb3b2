"""Who is told next of an alert, when, and why?

A round goes through the rota once.  The first round starts when the alert is raised; another starts each time the
last person who had said "mine" lets go or could not find out, and it begins behind that person.  "Mine" answers what
was pressed until then: who is told that it was pressed again, and is silent, has it no longer.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from alerts.telling.rota import Step


class Delivery(enum.StrEnum):
    """What is known of a text, in the words of the notification's states."""

    DUE = "due"
    TRYING = "trying"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


def delivery_of(word: str) -> Delivery:
    """Return what is known of a text by the word of a row; with one of a newer release, that it is under way."""
    return Delivery(word) if word in frozenset(Delivery) else Delivery.SENT


_NOT_REACHED = frozenset({Delivery.UNDELIVERED, Delivery.FAILED})


@dataclass(frozen=True, slots=True)
class Told:
    """One person was asked to go.  Not a text that only says how things stand.

    Attributes:
        person: who.
        due_at: when the text was due; the person's time to answer runs from here, however late it left.
        delivery: what is known of it now.
        not_reached_at: when it was known that it did not arrive; None while that is not known.
    """

    person: str
    due_at: datetime
    delivery: Delivery
    not_reached_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.delivery in _NOT_REACHED) != (self.not_reached_at is not None):
            raise ValueError(f"a text that is {self.delivery} cannot be known not to arrive at {self.not_reached_at}")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A named person said "mine".

    Attributes:
        person: who.
        at: when.
        let_go_at: when this person let go or could not find out; None while it is theirs.
        why: that this person let go; or that they were silent, or not reached, when it was pressed again.
    """

    person: str
    at: datetime
    let_go_at: datetime | None = None
    why: "Why" = field(default_factory=lambda: Why.LET_GO)


@dataclass(frozen=True, slots=True)
class Story:
    """All of an alert that decides who is told next.

    Attributes:
        raised_at: when it was raised.
        told: who was asked to go, in any order.
        acknowledgements: who said "mine", in any order.
        is_closed: it has an outcome.
        again: who was told that it was pressed again, in any order.
        reminded: who had said "mine" and was asked how it is, in any order.
        remind_after: who has said "mine" is asked after this long; None: never.
    """

    raised_at: datetime
    told: tuple[Told, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    is_closed: bool = False
    again: tuple[Told, ...] = ()
    reminded: tuple[Told, ...] = ()
    remind_after: timedelta | None = None


class Why(enum.StrEnum):
    """Why this person is told now."""

    FIRST = "first"  # nobody was told before
    NO_ANSWER = "no answer"  # the one before has not said "mine" in time
    NOT_REACHED = "not reached"  # the text to the one before did not arrive
    LET_GO = "let go"  # the one who had said "mine" let go, or could not find out


@dataclass(frozen=True, slots=True)
class Silent:
    """Since `at` it is nobody's: who had said "mine" was told or asked something since, and has not answered that.

    Attributes:
        person: who had it.
        at: when their time was over, or when it was known that the text did not arrive.
        why: which of the two.
    """

    person: str
    at: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Remind:
    """Who has said "mine" is to be asked at `due_at` how it is."""

    person: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Tell:
    """This person is to be told at `due_at`, which is `now` if it should have been before.

    Attributes:
        person: who.
        due_at: when, never before `now`.
        why: what made it this person's turn.
        after: whom the reason is about; None for the first.
    """

    person: str
    due_at: datetime
    why: Why
    after: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whoever was told last has until then to say "mine", and nobody else is told before."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Since `at` nobody is left to be told and nobody has said "mine": say so loudly."""

    at: datetime


Next: TypeAlias = "Tell | Waiting | Remind | Exhausted | Silent | Done"


class Done(enum.Enum):
    """Nobody needs to be told."""

    HELD = "held"  # somebody has said "mine"
    CLOSED = "closed"


def next_step(story: Story, steps: Sequence[Step], *, now: datetime) -> Next:
    """Return what happens next if nobody does anything.

    1. Nothing, while somebody has said "mine", and when the alert has an outcome.  Whoever has it and is told that
       it was pressed again has their time to say "mine" again; then it is nobody's.  The same goes for whoever has it
       and is asked how it is, after nothing was heard for `remind_after`.
    2. The first of the round is told at once.
    3. The next is told when the one before has had their time, counted from when their text was *due*; or as
       soon as it is known that this text did not arrive.  Who is next is who is on duty then: the steps are those of
       now, and whoever was told before keeps their time to answer, on duty still or not.
    4. When all have been told, the last one has their time too.  Then nobody is left.
    """
    if story.is_closed:
        return Done.CLOSED
    held = next((one for one in story.acknowledgements if one.let_go_at is None), None)
    if held is not None:
        return _held(story, held, steps, now=now)

    since, let_go_by, let_go_why = _round_start(story)
    order = _order(steps, let_go_by)
    told = _told_in_order(story, since, [step.person for step in order], let_go_by)
    names = {one.person for one in told}
    to_come = [step.person for step in order if step.person not in names]
    if not told:
        if not to_come:
            return Exhausted(since)
        return Tell(to_come[0], max(since, now), let_go_why, let_go_by)

    before = told[-1]
    within = _time_of(before.person, order or steps)
    ends = before.not_reached_at or before.due_at + within
    if to_come:
        why = Why.NOT_REACHED if before.not_reached_at else Why.NO_ANSWER
        return Tell(to_come[0], max(ends, now), why, before.person)
    return Waiting(ends) if ends > now else Exhausted(ends)


def told_so_far(story: Story) -> tuple[str, ...]:
    """Return everybody who was asked to go, each once, in order: these are told how it stands and how it ended."""
    return tuple(dict.fromkeys(one.person for one in sorted(story.told, key=lambda one: one.due_at)))


def all_but(steps: Sequence[Step], person: str) -> tuple[str, ...]:
    """Return everybody on the rota but one: these are told when that one asks for help."""
    return tuple(step.person for step in steps if step.person != person)


def _held(story: Story, held: Acknowledgement, steps: Sequence[Step], *, now: datetime) -> Next:
    """Return that somebody has it, until when that is so without an answer, or that it no longer is.

    An answer is owed to a new press, and to being asked how it is.
    """
    owed = (*story.again, *story.reminded)
    told = [one for one in owed if one.person == held.person and one.due_at >= held.at]
    if not steps:
        return Done.HELD
    if not told:
        return Done.HELD if story.remind_after is None else Remind(held.person, held.at + story.remind_after)
    within = next((step.answers_within for step in steps if step.person == held.person), steps[0].answers_within)
    silent = Silent(held.person, min(one.due_at for one in told) + within, Why.NO_ANSWER)
    failed = [one.not_reached_at for one in told if one.not_reached_at is not None]
    if len(failed) == len(told) and min(failed) < silent.at:
        silent = Silent(held.person, min(failed), Why.NOT_REACHED)
    return Waiting(silent.at) if silent.at > now else silent


def _round_start(story: Story) -> tuple[datetime, str | None, Why]:
    """Return when the present round began, and who let go to begin it and why; nobody did in the first round."""
    ends = [(held.let_go_at, held.person, held.why) for held in story.acknowledgements if held.let_go_at is not None]
    return max(ends) if ends else (story.raised_at, None, Why.FIRST)


def _order(steps: Sequence[Step], let_go_by: str | None) -> list[Step]:
    """Return the steps of a round: behind the one who let go, who is left out."""
    behind = next((number + 1 for number, step in enumerate(steps) if step.person == let_go_by), 0)
    return [step for step in (*steps[behind:], *steps[:behind]) if step.person != let_go_by]


def _told_in_order(story: Story, since: datetime, order: Sequence[str], let_go_by: str | None) -> list[Told]:
    """Return who was told in this round; of two at the same moment the one who is first on the rota comes first.

    But for the one who let go: on a clock that stands still, that one was told at this moment too.
    """
    told = [one for one in story.told if one.due_at >= since and one.person != let_go_by]
    places = {person: place for place, person in enumerate(order)}
    return sorted(told, key=lambda one: (one.due_at, places.get(one.person, -1)))


def _time_of(person: str, steps: Sequence[Step]) -> timedelta:
    """Return how long a person has to answer; who is off duty by now has as long as the others."""
    others = max((step.answers_within for step in steps), default=timedelta(0))
    return next((step.answers_within for step in steps if step.person == person), others)

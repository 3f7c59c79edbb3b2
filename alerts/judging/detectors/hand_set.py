"""Is a rule broken that an operator set by hand: no movement in the kitchen all morning, the back door open at night?

A rule is asked within its hours, on its days.  What was so before they began counts from their beginning; what was
found too late, because nothing could be seen meanwhile, is found when it can be, but not long after they ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, iso_or_none, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground
from alerts.judging.policy import local, span_on
from alerts.judging.rule import Rule, Sees
from alerts.judging.sensed import Sensed
from gateway.reading import Quantity

# Ours: rooms and doors of one home; what a hub gone wrong invents beyond that is not remembered.
_ROOMS_MAX: Final = 64
_DOORS_MAX: Final = 64

_LATE: Final = timedelta(hours=2)
"""Ours: what a hub that was away tells of a morning may matter at two in the afternoon, and not in the evening."""

# Rows of days with hours around the clock are six days long at most, all other spans less than one; with days around.
_LOOKS_BACK_OF_DAYS: Final = timedelta(days=9)
_LOOKS_BACK: Final = timedelta(days=2)
# Every rule has its hours at least once a week; but for the night of the clocks' change they are long enough.
_SPANS_MAX: Final = 64
_FOR_GOOD: Final = timedelta(days=366)


@dataclass(slots=True)
class Known:
    """A rule that is in force.

    Attributes:
        since: from when on it is.
        asked: what became of its findings.
        about: the door that the open finding is about; None: it is about rooms.
    """

    rule: Rule
    since: datetime
    asked: Asked = field(default_factory=Asked)
    about: str | None = None


@dataclass(slots=True)
class Door:
    """What opens: since when it is open; None: it is shut."""

    room: str
    said_at: datetime
    open_since: datetime | None


@dataclass(frozen=True, slots=True)
class _Due:
    """When a rule is found broken, since when it is, and which door it is about."""

    at: datetime
    since: datetime
    about: str | None


@dataclass(slots=True)
class HandSet:
    """What is remembered for the rules of a home.

    Attributes:
        begun_at: the first reading, also after a pause; what was before, nobody saw.
        moved: when a sign of life was last seen, by room; those without a room under an empty name.
        doors: what opens, by its sensor.
        known: the rules, by their names.
    """

    begun_at: datetime | None = None
    moved: dict[str, datetime] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)

    def expect(self, rules: tuple[Rule, ...], *, since: datetime) -> None:
        """Ask these rules from now on; one that is as it was goes on, and keeps what became of it."""
        asked = {rule.name: rule for rule in rules if rule.is_asked}
        before, self.known = self.known, {}
        for name, rule in asked.items():
            was = before.get(name)
            self.known[name] = was if was is not None and was.rule == rule else Known(rule, since)
            if was is not None:
                self.known[name].asked, self.known[name].about = was.asked, was.about

    def begin_again(self, at: datetime) -> None:
        """Let nothing that was before count: nobody was to be seen."""
        self.begun_at = None if self.begun_at is None else at

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a reading."""
        self.begun_at = self.begun_at or said.at
        found: list[Verdict] = []
        if said.quantity == Quantity.OPEN:
            found += self._open_or_shut(said, ground)
        if said.is_life:
            found += self._move(said, ground)
        return found

    def due(self, ground: Ground) -> datetime | None:
        """Return when the next rule is found broken, if nothing more is said; None: none is."""
        return min((due.at for _, due in self._dues(ground)), default=None)

    def due_if_quiet(self, ground: Ground) -> datetime | None:
        """Return when the next rule about movement is found broken, if nothing moves; None: none is."""
        dues = self._dues(ground)
        return min((due.at for known, due in dues if known.rule.sees is Sees.NO_MOVEMENT), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the rules that are broken by now."""
        return [self._raise(known, due, ground, at=at) for known, due in list(self._dues(ground)) if due.at <= at]

    def close(self, said: Close) -> None:
        """Take in that a person closed a finding."""
        if said.question is not Question.RULE:
            return
        for known in self.known.values():
            known.asked.over.pop(said.episode, None)
            if known.asked.open is not None and known.asked.open.episode == said.episode:
                known.asked.close(at=said.at, by=said.by, outcome=said.outcome)

    # What was seen.

    def _move(self, said: Sensed, ground: Ground) -> list[Verdict]:
        room = said.room or ""
        if room not in self.moved and len(self.moved) >= _ROOMS_MAX:
            return []
        self.moved[room] = max(said.at, self.moved.get(room, said.at))
        ended: list[Verdict] = []
        for name in sorted(self.known):
            known = self.known[name]
            is_about = known.rule.sees is Sees.NO_MOVEMENT and _is_in(room, known.rule)
            if is_about and known.asked.open is not None and said.at > known.asked.open.since:
                why: dict[str, JSON] = {"rule": name, "seen_at": iso(said.at), "room": said.room}
                ended.append(_ended(known, why, ground, at=said.received_at))
        return ended

    def _open_or_shut(self, said: Sensed, ground: Ground) -> list[Verdict]:
        door = self.doors.get(said.sensor)
        if door is None:
            if len(self.doors) >= _DOORS_MAX:
                return []
            door = self.doors[said.sensor] = Door(said.room or "", said.at, None)
        elif said.at <= door.said_at:
            return []  # It came late, and says nothing of now.
        door.said_at = said.at
        if said.value > 0:
            door.open_since = door.open_since or said.at
            return []
        door.open_since = None
        why: dict[str, JSON] = {"shut_at": iso(said.at), "room": said.room}
        return [
            _ended(known, {"rule": name, **why}, ground, at=said.received_at)
            for name, known in sorted(self.known.items())
            if known.asked.open is not None and known.about == said.sensor
        ]

    # When is it too long?

    def _dues(self, ground: Ground) -> Iterator[tuple[Known, _Due]]:
        if ground.is_blind or self.begun_at is None:
            return
        for _, known in sorted(self.known.items()):
            if known.asked.open is not None:
                continue
            dues = [due for since, about in self._begun(known) if (due := _due(known, since, about, ground))]
            if dues:
                yield known, min(dues, key=lambda due: (due.at, due.about or ""))

    def _begun(self, known: Known) -> Iterator[tuple[datetime, str | None]]:
        """Yield since when what a rule waits for is so, and of which door."""
        rule = known.rule
        if rule.sees is Sees.NO_MOVEMENT:
            seen = [at for room, at in self.moved.items() if _is_in(room, rule)]
            assert self.begun_at is not None, "something was read"
            yield max([*seen, self.begun_at]), None
            return
        for sensor, door in self.doors.items():
            if door.open_since is not None and _is_in(door.room, rule):
                yield door.open_since, sensor

    def _raise(self, known: Known, due: _Due, ground: Ground, *, at: datetime) -> Finding:
        rule = known.rule
        episode, again_of = known.asked.raise_(due.since, at=at, name=rule.name)
        known.about = due.about
        seen = [when for room, when in self.moved.items() if _is_in(room, rule)]
        door = self.doors.get(due.about or "")
        return Finding(
            home=ground.home,
            hub=None,
            question=Question.RULE,
            episode=episode,
            since=due.since,
            at=at,
            why={
                "rule": rule.name,
                "sees": rule.sees.value,
                "rooms": list(rule.rooms),
                "lasts_s": whole_s(rule.lasts),
                "hours_from": rule.hours_from.isoformat("minutes"),
                "hours_until": rule.hours_until.isoformat("minutes"),
                "last_seen_at": iso_or_none(max(seen, default=None)),
                "room": door.room or None if door else None,
                "open_since": iso_or_none(door.open_since) if door else None,
            },
            policy=ground.policy.policy,
            again_of=again_of,
        )


def _due(known: Known, since: datetime, about: str | None, ground: Ground) -> _Due | None:
    """Return when what has been so since a moment breaks a rule; None: as far as can be seen it does not."""
    for number, (begins, due, ends) in enumerate(runs(known.rule, since, as_of=ground.as_of)):
        if number >= _SPANS_MAX:
            return None
        if ends <= known.since:
            continue
        held_back = known.asked.may_be_raised_from(begins, ground.policy.again_after)
        at = ground.no_sooner(due, held_back)
        # What a person closed is not raised again outside of the rule's hours.
        if at <= (ends if held_back is not None and held_back > due else ends + _LATE):
            return _Due(at, begins, about)
    return None


def runs(rule: Rule, since: datetime, *, as_of: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Yield when what is so since a moment begins to count, breaks the rule, and no longer can: span by span.

    Hours that go on from one day into the next count as one; those long before `as_of` are passed over.
    """
    if len(rule.days) == len(set(range(1, 8))) and rule.hours_from == rule.hours_until:
        yield since, since + rule.lasts, max(since + rule.lasts, as_of) + _FOR_GOOD
        return
    from_ = max(since, as_of - (_LOOKS_BACK_OF_DAYS if rule.hours_from == rule.hours_until else _LOOKS_BACK))
    day = local(from_).date() - timedelta(days=1)
    begins = last_end = None
    while True:
        if day.isoweekday() in rule.days:
            span_begins, span_ends = span_on(day, rule.hours_from, rule.hours_until)
            if span_ends > from_:
                if begins is None or last_end is None or span_begins > last_end:
                    begins = max(span_begins, from_)
                last_end = span_ends
                if begins + rule.lasts <= span_ends:
                    yield begins, begins + rule.lasts, span_ends
        day += timedelta(days=1)


def _ended(known: Known, why: dict[str, JSON], ground: Ground, *, at: datetime) -> Ended:
    was = known.asked.open
    assert was is not None, "it was asked for"
    known.asked.end()
    known.about = None
    return Ended(ground.home, None, Question.RULE, was.episode, at, why)


def _is_in(room: str, rule: Rule) -> bool:
    return not rule.rooms or room.casefold() in {one.casefold() for one in rule.rooms}

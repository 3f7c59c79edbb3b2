"""Does an outer door stand open for too long?

Only a door that was heard to shut before can be said to stand open: recordings, and some sensors, tell of openings
alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from alerts.alert import Question
from alerts.judging import spell
from alerts.judging.finding import JSON, Verdict, iso, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy, first_within
from alerts.judging.sensed import Sensed
from alerts.judging.spell import Spell
from gateway.reading import Quantity

# Ours: outer doors of one home.
_DOORS_MAX: Final = 16


@dataclass(slots=True)
class Door:
    """An outer door.

    Attributes:
        name: what it is called: its room.
        said_at: when it last said anything.
        was_shut: it was heard to shut at some time.
        stands_open: since when it is open, and what became of that.
    """

    name: str
    said_at: datetime
    was_shut: bool = False
    stands_open: Spell = field(default_factory=Spell)


@dataclass(slots=True)
class Doors:
    """The outer doors of a home."""

    doors: dict[str, Door] = field(default_factory=dict)

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in that a door opened or shut."""
        if said.quantity != Quantity.OPEN or not said.is_outer_door:
            return []
        door = self.doors.get(said.sensor)
        if door is None:
            if len(self.doors) >= _DOORS_MAX:
                return []
            door = self.doors[said.sensor] = Door(said.room or "outer door", said.at)
        elif said.at <= door.said_at:
            return []  # It came late, and says nothing of now.
        door.said_at = said.at
        if said.value > 0:
            door.stands_open.begin(said.at)
            return []
        door.was_shut = True
        why: dict[str, JSON] = {"shut_at": iso(said.at), "door": door.name}
        return [*door.stands_open.end(Question.DOOR_OPEN, why, ground, at=said.received_at)]

    def due(self, ground: Ground) -> datetime | None:
        """Return when the next open door is found, if nothing more is said; None: none is."""
        return min((due for _, _, due in self._dues(ground)), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the doors that have stood open for too long by now."""
        policy = ground.policy
        return [
            door.stands_open.raise_(Question.DOOR_OPEN, sensor, _why(door, policy, at=at), ground, at=at)
            for sensor, door, due in self._dues(ground)
            if due <= at
        ]

    def close(self, said: Close) -> None:
        """Take in that a person closed a finding."""
        if said.question is Question.DOOR_OPEN:
            spell.close({sensor: door.stands_open for sensor, door in self.doors.items()}, said)

    def _dues(self, ground: Ground) -> Iterator[tuple[str, Door, datetime]]:
        if not ground.policy.is_door_asked or ground.is_blind:
            return
        for sensor, door in sorted(self.doors.items()):
            lasts = door.stands_open
            if lasts.since is not None and lasts.asked.open is None and door.was_shut:
                due = too_long_at(lasts.since, ground.policy)
                yield sensor, door, ground.no_sooner(due, lasts.held_back_until(ground))


def too_long_at(opened_at: datetime, policy: Policy) -> datetime:
    """Return when a door has stood open for too long: sooner while the home sleeps.

    Never before `door_open_at_night_for`, and never after `door_open_for` or that, whichever is longer.
    """
    by_day = opened_at + policy.door_open_for
    at_night = first_within(opened_at + policy.door_open_at_night_for, policy.waking_until, policy.waking_from)
    # With every hour a waking hour there is no night.
    return by_day if policy.waking_from == policy.waking_until else min(by_day, at_night)


def _why(door: Door, policy: Policy, *, at: datetime) -> dict[str, JSON]:
    opened_at = door.stands_open.since
    assert opened_at is not None
    is_night = first_within(at, policy.waking_until, policy.waking_from) == at
    return {
        "door": door.name,
        "open_for_s": whole_s(at - opened_at),
        "longest_s": whole_s(policy.door_open_at_night_for if is_night else policy.door_open_for),
        "at_night": is_night and policy.waking_from != policy.waking_until,
    }

"""Does a sensor check in and notice nothing?

It keeps its promise to report, so it is not silent, and what it would show is not seen.  Nobody can know how often a
resident goes to a room; so what is counted is how often others noticed somebody meanwhile: quarters of an hour with a
sign of life elsewhere in the home, up to the sensor's last check-in.  While everything is quiet, nothing is missed: an
empty home counts nothing, nor does a pause.  Learned is the most that this sensor here ever missed between two signs of
life.  A thermometer is stuck when it reports the same again and again; for it, those reports are what is counted.

Several sensors that stop noticing on the same day are rather a resident who keeps to their bed: the more there are, the
longer each must last.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.alert import Outcome, Question
from alerts.judging import spell
from alerts.judging.detectors.sensor_silence import Silent
from alerts.judging.finding import JSON, Verdict, iso_or_none, whole_s
from alerts.judging.given import Close, Sensor
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sensed import Sensed
from alerts.judging.spell import Spell
from gateway.reading import Quantity

_QUARTER: Final = timedelta(minutes=15)
_QUARTER_S: Final = 900
_WEEK: Final = timedelta(days=7)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_GAUGE: Final = "climate"
_MEASURES: Final = frozenset({Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PCT})
"""What changes all the time in a room that people live in."""

_NOT_ASKED: Final = frozenset({"smoke", "water", "pendant"})
"""Kinds that notice nothing for years, as they should; whether they work is shown by testing them."""

# Ours, and looked at on the TIHM homes (tests/bench/README.md, 2026-11): fewer signs of life than these, or a shorter
# time, say little of what is usual.
_NOTICED_MIN: Final = 10
_KNOWN_FOR: Final = timedelta(days=7)
_WEEKS_KEPT: Final = 7
"""Half a season: what was usual in summer is not usual in winter."""

# Four hours of somebody moving elsewhere are within everybody's day.  Chosen on the TIHM homes, likewise.
_LEAST: Final = 16
# Two days of reports every half hour.  Ours: the recordings have no thermometers.
_LEAST_OF_A_GAUGE: Final = 96

# Until it is known what is usual, it is taken for this much: a fortnight of an ordinary TIHM home's 46 a day, and half
# a week of a thermometer's.  A room that is seldom entered is not known sooner.
_UNTAUGHT: Final = 640
_UNTAUGHT_OF_A_GAUGE: Final = 168

_TOGETHER: Final = timedelta(days=1)
"""Sensors that noticed something last within this time of each other stopped together."""

_WAITING_MAX: Final = 1000
"""Ours: quarters of an hour that a check-in may still confirm; ten days."""


@dataclass(slots=True)
class Noticing:
    """What a sensor has noticed, and what it may have missed.

    Attributes:
        kind: what it is, for people.
        room: where; None where nobody said.
        known_since: the home has had it from then on.
        since: it was to notice something from then on: it last did, or was mended.
        noticed_at: when it last did; None: never.
        noticed: how often it did after it had missed something.
        missed: quarters of an hour in which others noticed somebody since, up to its last check-in.
        waiting: likewise after that, each by its number.
        counted: the last one that was counted.
        longest: the most that it missed before it noticed something, by week.
        said: what a thermometer last measured, by quantity.
        stuck: since when it notices nothing, once that is too long; and what became of that.
    """

    kind: str
    room: str | None
    known_since: datetime
    since: datetime
    noticed_at: datetime | None = None
    noticed: int = 0
    missed: int = 0
    waiting: list[int] = field(default_factory=list)
    counted: int = 0
    longest: dict[int, int] = field(default_factory=dict)
    said: dict[str, float] = field(default_factory=dict)
    stuck: Spell = field(default_factory=Spell)

    @property
    def is_gauge(self) -> bool:
        return self.kind == _GAUGE

    def notices(self, said: Sensed) -> bool:
        """Return whether the sensor has something new to say; what a thermometer measured is kept."""
        if not self.is_gauge:
            return said.is_life
        if said.quantity not in _MEASURES:
            return False
        before = self.said.get(said.quantity)
        self.said[said.quantity] = said.value
        return before is not None and before != said.value

    def miss(self, number: int, at: datetime) -> None:
        """Count a quarter of an hour; it counts for good once the sensor has checked in after it."""
        if number > self.counted and at > self.since:
            self.counted = number
            self.waiting = [*self.waiting, number][-_WAITING_MAX:]

    def check_in(self, at: datetime) -> None:
        """Take in that the sensor lives: what it has not noticed by now it has missed."""
        if self.waiting:
            now = _number(at, _QUARTER)
            still = [number for number in self.waiting if number > now]
            self.missed += len(self.waiting) - len(still)
            self.waiting = still

    def notice(self, at: datetime, policy: Policy) -> None:
        """Take in that the sensor noticed something: what it missed before is usual."""
        self.check_in(at)
        if self.missed and self.noticed_at is not None:
            # What was too long to be usual is learnt as what was just too long; or a sensor that was dead for a month
            # would then be let off for months.
            limit = self.limit(at, policy)
            self.learn(self.missed if limit is None else min(self.missed, limit), at=at)
        self.begin(at)
        self.noticed_at = at

    def begin(self, at: datetime) -> None:
        """Count anew from a moment on."""
        self.missed, self.waiting, self.since = 0, [], at

    def learn(self, missed: int, *, at: datetime) -> None:
        """Take it as usual to have missed so much."""
        week = _number(at, _WEEK)
        kept = {one: most for one, most in self.longest.items() if one > week - _WEEKS_KEPT}
        self.longest = kept | {week: max(missed, kept.get(week, 0))}
        self.noticed += 1

    def usual(self, at: datetime) -> int | None:
        """Return the most that it usually misses; None: it is not asked, for nobody can know."""
        week = _number(at, _WEEK)
        longest = max((most for one, most in self.longest.items() if one > week - _WEEKS_KEPT), default=0)
        if self.noticed >= _NOTICED_MIN and at - self.known_since >= _KNOWN_FOR:
            return max(longest, _LEAST_OF_A_GAUGE if self.is_gauge else _LEAST)
        if self.is_gauge:
            return max(longest, _UNTAUGHT_OF_A_GAUGE)
        # A window may stay shut all winter; a room that people live in is entered.
        return max(longest, _UNTAUGHT) if self.kind == "motion" else None

    def limit(self, at: datetime, policy: Policy, *, together: int = 1) -> int | None:
        """Return from which number of missed quarters on it is stuck; None: it never is."""
        usual = self.usual(at)
        return None if usual is None else math.ceil(policy.stuck_times * together * usual)


@dataclass(slots=True)
class Stuck:
    """The sensors of a home that are asked to notice something, and which of them do not."""

    known: dict[str, Noticing] = field(default_factory=dict)

    def expect(self, sensors: Iterable[Sensor], *, since: datetime) -> None:
        """Take in which sensors the home has; those that are new are to notice something from then on."""
        before, self.known = self.known, {}
        for one in sensors:
            if one.kind in _NOT_ASKED:
                continue
            known = before.get(one.sensor)
            if known is None or (known.kind == _GAUGE) != (one.kind == _GAUGE):
                known = Noticing(one.kind, one.room, since, since)
            known.kind, known.room = one.kind, one.room
            self.known[one.sensor] = known

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a reading: a sensor noticed something, or checks in and did not."""
        known, is_paused = self.known.get(said.sensor), ground.quiet is Quiet.PAUSED
        number = _number(said.at, _QUARTER)
        if said.is_life and not is_paused:
            for one in self.known.values():
                if one is not known and not one.is_gauge:
                    one.miss(number, said.at)
        if known is None or said.at <= known.since:
            return []
        if known.notices(said):
            return self._notice(known, said, ground)
        if known.is_gauge and not is_paused:
            known.miss(number, said.at)
        known.check_in(said.at)
        limit = known.limit(said.at, ground.policy)
        if limit is not None and known.missed >= limit and self._is_stuck(known, said.at, ground.policy):
            known.stuck.begin(known.since)
        return []

    def stuck(self, policy: Policy, *, silent: Sequence[Silent] = ()) -> tuple[Silent, ...]:
        """Return which sensors notice nothing, in the order of their names, but for those that are silent anyway."""
        if not policy.is_stuck_asked:
            return ()
        besides = {one.sensor for one in silent}
        return tuple(
            Silent(sensor, known.kind, known.room, known.stuck.since, is_stuck=True)
            for sensor, known in self._all_stuck()
            if known.stuck.since is not None and sensor not in besides
        )

    def due(self, ground: Ground) -> datetime | None:
        """Return when one is told of that is stuck; None: none is."""
        return min((due for _, _, due in self._dues(ground)), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the sensors that are stuck and not told of."""
        found: list[Verdict] = []
        for sensor, known, due in list(self._dues(ground)):
            if due <= at:
                usual = known.usual(at)
                why: dict[str, JSON] = {
                    "sensor": sensor,
                    "kind": known.kind,
                    "room": known.room,
                    "last_noticed_at": iso_or_none(known.noticed_at),
                    "missed_s": known.missed * _QUARTER_S,
                    "usual_s": None if usual is None or known.noticed < _NOTICED_MIN else usual * _QUARTER_S,
                }
                found.append(known.stuck.raise_(Question.SENSOR_STUCK, sensor, why, ground, at=at))
        return found

    def close(self, said: Close) -> None:
        """Take in that a person looked.

        What was mended begins anew.  Whatever else they say, the sensor is well, and what it missed is usual here.
        """
        if said.question is not Question.SENSOR_STUCK:
            return
        known = self.known.get(said.episode.rpartition("/")[0])
        was_open = known is not None and known.stuck.asked.open is not None
        spell.close({sensor: one.stuck for sensor, one in self.known.items()}, said)
        if known is None or not was_open or known.stuck.asked.open is not None:
            return
        known.stuck.since = None
        if said.outcome == Outcome.MENDED:
            known.begin(max(said.at, known.since))
        else:
            known.learn(known.missed, at=said.at)

    def _all_stuck(self) -> list[tuple[str, Noticing]]:
        # Asked with every reading, and nearly always there is none.
        return sorted((sensor, known) for sensor, known in self.known.items() if known.stuck.since is not None)

    def _notice(self, known: Noticing, said: Sensed, ground: Ground) -> list[Verdict]:
        began = known.stuck.since
        known.notice(said.at, ground.policy)
        if began is None:
            return []
        why: dict[str, JSON] = {
            "sensor": said.sensor,
            "room": known.room,
            "stuck_for_s": whole_s(said.at - began),
        }
        return [*known.stuck.end(Question.SENSOR_STUCK, why, ground, at=said.received_at)]

    def _is_stuck(self, known: Noticing, at: datetime, policy: Policy) -> bool:
        """Return whether it has missed too much, even if others stopped together with it."""
        limit = known.limit(at, policy, together=1 if known.is_gauge else 1 + self._stopped_with(known, at))
        return limit is not None and known.missed >= limit

    def _stopped_with(self, known: Noticing, at: datetime) -> int:
        """Return how many others miss more than is usual, since about the same time."""
        return sum(
            one.missed > usual
            for one in self.known.values()
            if one is not known and not one.is_gauge and abs(one.since - known.since) <= _TOGETHER
            if (usual := one.usual(at)) is not None
        )

    def _dues(self, ground: Ground) -> Iterator[tuple[str, Noticing, datetime]]:
        if not ground.policy.is_stuck_asked or ground.is_blind:
            return
        for sensor, known in self._all_stuck():
            if known.stuck.asked.open is None:
                yield sensor, known, ground.no_sooner(ground.as_of, known.stuck.held_back_until(ground))


def _number(at: datetime, each: timedelta) -> int:
    """Return which quarter of an hour, or which week, since 1970 a moment lies in."""
    return (at - _EPOCH) // each

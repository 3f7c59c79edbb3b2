"""Has a sensor broken its promise to report?

What a sensor promises depends on what it is.  One that speaks only when something happens has the promise that its
radio keeps: its check-in.  One that measures reports all the time.  A silent hub mutes its sensors: what cannot reach
us is not silent, and the time in which nothing could be seen is added to the promise.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging import spell
from alerts.judging.finding import JSON, Verdict, iso_or_none, whole_s
from alerts.judging.given import Close, Sensor
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy
from alerts.judging.spell import Spell

_GAUGES: Final = frozenset({"climate", "plug"})
"""Kinds that measure all the time; the others speak when something happens, and check in."""


@dataclass(slots=True)
class Known:
    """A sensor that the home is known to have.

    Attributes:
        kind: what it is, for people.
        room: where; None where nobody said.
        promised_from: it was to be heard from then on.
        heard_at: when it last said anything; None: never.
        hub: through which it last spoke; empty before that.
        unseen_for: how long in all nothing could be seen through that hub, as of then.
        silent: since when it has said nothing, once that is too long; and what became of that.
    """

    kind: str
    room: str | None
    promised_from: datetime
    heard_at: datetime | None = None
    hub: str = ""
    unseen_for: timedelta = timedelta(0)
    silent: Spell = field(default_factory=Spell)

    @property
    def last_heard(self) -> datetime:
        return max(self.heard_at or self.promised_from, self.promised_from)

    def breaks_at(self, ground: Ground) -> datetime | None:
        """Return the first bad moment if nothing more is heard; None: nothing could be heard of it now."""
        unseen_for = ground.sees.get(self.hub) if self.hub else max(ground.sees.values(), default=None)
        if unseen_for is None:
            return None
        blind_for = max(unseen_for - self.unseen_for, timedelta(0))
        return self.last_heard + _promise(self.kind, ground.policy) + ground.stretch + blind_for


@dataclass(frozen=True, slots=True)
class Silent:
    """A sensor that is silent, or notices nothing: why something cannot be seen.

    Attributes:
        since: when it was last heard, or should have been from; likewise when it last noticed something.
        is_stuck: it reports, and notices nothing.
    """

    sensor: str
    kind: str
    room: str | None
    since: datetime
    is_stuck: bool = False


@dataclass(slots=True)
class Silences:
    """The sensors of a home, and which of them are silent."""

    known: dict[str, Known] = field(default_factory=dict)

    def expect(self, sensors: Sequence[Sensor], ground: Ground, *, since: datetime) -> None:
        """Take in which sensors the home has; those that are new are to be heard from then on."""
        before = self.known
        self.known = {}
        unseen_for = max(ground.sees.values(), default=timedelta(0))
        for one in sensors:
            known = before.get(one.sensor) or Known(one.kind, one.room, since, unseen_for=unseen_for)
            known.kind, known.room = one.kind, one.room
            self.known[one.sensor] = known

    def forget_hub(self, hub: str) -> None:
        """Take in that a hub is gone: its sensors are to be heard through another."""
        for known in self.known.values():
            known.hub = "" if known.hub == hub else known.hub

    def hear(self, sensor: str, hub: str, ground: Ground, *, at: datetime, received_at: datetime) -> list[Verdict]:
        """Take in that a sensor said something, whatever it was."""
        known = self.known.get(sensor)
        if known is None:
            return []
        silent_since = known.last_heard
        known.hub, known.heard_at = hub, max(known.heard_at or at, at)
        known.unseen_for = ground.sees.get(hub, known.unseen_for)
        breaks_at = known.breaks_at(ground)
        if known.silent.since is None or (breaks_at is not None and breaks_at <= received_at):
            return []  # It was not silent, or this was said so long ago that it still is.
        why: dict[str, JSON] = {"sensor": sensor, "room": known.room, "silent_for_s": whole_s(at - silent_since)}
        return [*known.silent.end(Question.SENSOR_SILENT, why, ground, at=received_at)]

    def look(self, ground: Ground, *, at: datetime) -> None:
        """Note which sensors are silent by now."""
        for known in self.known.values():
            if known.silent.since is None and ground.policy.is_sensor_asked:
                breaks_at = known.breaks_at(ground)
                if breaks_at is not None and breaks_at <= at:
                    known.silent.begin(known.last_heard)

    def silent(self, policy: Policy) -> tuple[Silent, ...]:
        """Return which sensors are silent, in the order of their names."""
        if not policy.is_sensor_asked:
            return ()
        return tuple(
            Silent(sensor, known.kind, known.room, known.silent.since)
            for sensor, known in sorted(self.known.items())
            if known.silent.since is not None
        )

    def hides(self, sensor: str | None, no_life: Collection[str], *, stuck: Collection[str] = ()) -> bool:
        """Return whether a movement may be hidden: the sensor that showed the last one is silent, or all that could.

        Args:
            sensor: that showed the last; None: not known.
            no_life: kinds that show none.
            stuck: sensors that report and notice nothing, which is as bad.
        """
        that_show = {name: known for name, known in self.known.items() if known.kind not in no_life}
        silent = {name for name, known in that_show.items() if known.silent.since is not None or name in stuck}
        return sensor in silent or (bool(silent) and len(silent) == len(that_show))

    def promised_until(self, ground: Ground) -> datetime | None:
        """Return when the first promise breaks that is not broken yet; None: there is none."""
        if not ground.policy.is_sensor_asked:
            return None
        breaks = (known.breaks_at(ground) for known in self.known.values() if known.silent.since is None)
        return min((moment for moment in breaks if moment is not None), default=None)

    def due(self, ground: Ground) -> datetime | None:
        """Return when the next sensor is found silent, or one is told of that was; None: none is."""
        dues = [due for _, _, due in self._dues(ground)]
        breaks_at = self.promised_until(ground)
        return min(dues if breaks_at is None else [*dues, breaks_at], default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the sensors that are silent and not told of."""
        found: list[Verdict] = []
        for sensor, known, due in list(self._dues(ground)):
            if due <= at:
                why: dict[str, JSON] = {
                    "sensor": sensor,
                    "kind": known.kind,
                    "room": known.room,
                    "last_heard_at": iso_or_none(known.heard_at),
                    "promise_s": whole_s(_promise(known.kind, ground.policy)),
                }
                found.append(known.silent.raise_(Question.SENSOR_SILENT, sensor, why, ground, at=at))
        return found

    def close(self, said: Close) -> None:
        """Take in that a person closed a finding."""
        if said.question is Question.SENSOR_SILENT:
            spell.close({sensor: known.silent for sensor, known in self.known.items()}, said)

    def _dues(self, ground: Ground) -> Iterator[tuple[str, Known, datetime]]:
        if not ground.policy.is_sensor_asked or ground.is_blind:
            return
        for sensor, known in sorted(self.known.items()):
            if known.silent.since is not None and known.silent.asked.open is None:
                yield sensor, known, ground.no_sooner(ground.as_of, known.silent.held_back_until(ground))


def _promise(kind: str, policy: Policy) -> timedelta:
    return policy.gauge_silent_after if kind in _GAUGES else policy.sensor_silent_after

"""Is a room too cold, or too hot?

A thermometer that says nothing is not cold: what it said last counts for as long as it is not silent itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from alerts.alert import Question
from alerts.judging import spell
from alerts.judging.finding import JSON, Verdict, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy
from alerts.judging.sensed import Place, Sensed
from alerts.judging.spell import Spell
from gateway.reading import Quantity

# Ours: a room at the very edge must not be told again and again; common thermometers resolve 0.1 degrees.
_HYSTERESIS_C: Final = 1.0

# Ours: thermometers of one home.
_GAUGES_MAX: Final = 32

_QUESTIONS: Final = (Question.COLD, Question.HOT)


@dataclass(slots=True)
class Gauge:
    """A thermometer.

    Attributes:
        room: where; empty where nobody said.
        said_at: when it was last heard.
        said_c: what it said then.
        spells: since when it is too cold or too hot there, by question.
    """

    room: str
    said_at: datetime
    said_c: float
    spells: dict[Question, Spell] = field(default_factory=lambda: {question: Spell() for question in _QUESTIONS})


@dataclass(slots=True)
class Climate:
    """The thermometers of a home."""

    gauges: dict[str, Gauge] = field(default_factory=dict)

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a temperature."""
        if said.quantity != Quantity.TEMPERATURE_C or said.kind not in {"climate", ""}:
            return []  # Other sensors measure their own warmth.
        if said.place in {Place.STORE, Place.OUTSIDE}:
            return []
        gauge = self.gauges.get(said.sensor)
        if gauge is None:
            if len(self.gauges) >= _GAUGES_MAX:
                return []
            gauge = self.gauges[said.sensor] = Gauge(said.room or "", said.at, said.value)
        elif said.at <= gauge.said_at:
            return []
        elif said.at - gauge.said_at > ground.policy.gauge_silent_after:
            # Nobody knows what it was meanwhile.
            for one in gauge.spells.values():
                one.since = said.at if one.since is not None and one.asked.open is None else one.since
        gauge.said_at, gauge.said_c = said.at, said.value
        return _feel(gauge, said, ground)

    def due(self, ground: Ground) -> datetime | None:
        """Return when the next room is found too cold or too hot, if nothing more is said; None: none is."""
        return min((due for _, _, _, due in self._dues(ground)), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return the rooms that have been too cold or too hot for too long by now."""
        found: list[Verdict] = []
        for sensor, gauge, question, due in list(self._dues(ground)):
            if due <= at:
                lasts = gauge.spells[question]
                why = _why(gauge, question, ground.policy, at=at)
                found.append(lasts.raise_(question, sensor, why, ground, at=at))
        return found

    def close(self, said: Close) -> None:
        """Take in that a person closed a finding."""
        if said.question in _QUESTIONS:
            spell.close({sensor: gauge.spells[said.question] for sensor, gauge in self.gauges.items()}, said)

    def _dues(self, ground: Ground) -> Iterator[tuple[str, Gauge, Question, datetime]]:
        policy = ground.policy
        if ground.is_blind:
            return
        asked = [(Question.COLD, policy.cold_for)] if policy.is_cold_asked else []
        asked += [(Question.HOT, policy.hot_for)] if policy.is_heat_asked else []
        for sensor, gauge in sorted(self.gauges.items()):
            for question, longest in asked:
                lasts = gauge.spells[question]
                if lasts.since is None or lasts.asked.open is not None:
                    continue
                due = ground.no_sooner(lasts.since + longest, lasts.held_back_until(ground))
                if due <= gauge.said_at + policy.gauge_silent_after:
                    yield sensor, gauge, question, due


def _feel(gauge: Gauge, said: Sensed, ground: Ground) -> list[Verdict]:
    """Begin and end what a temperature begins and ends; between, nothing changes."""
    policy, ended = ground.policy, []
    beyond = {Question.COLD: policy.cold_c - said.value, Question.HOT: said.value - policy.hot_c}
    for question, by_c in beyond.items():
        lasts = gauge.spells[question]
        if by_c > 0:
            lasts.begin(said.at)
        elif by_c <= -_HYSTERESIS_C or lasts.asked.open is None:
            why: dict[str, JSON] = {"room": gauge.room or None, "said_c": said.value}
            ended += lasts.end(question, why, ground, at=said.received_at)
    return [*ended]


def _why(gauge: Gauge, question: Question, policy: Policy, *, at: datetime) -> dict[str, JSON]:
    since = gauge.spells[question].since
    assert since is not None
    return {
        "room": gauge.room or None,
        "said_c": gauge.said_c,
        "limit_c": policy.cold_c if question is Question.COLD else policy.hot_c,
        "lasts_s": whole_s(at - since),
    }

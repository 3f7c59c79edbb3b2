"""What must each hub still be told, and when?

At once where it asked or where it is an alarm; with the next round otherwise; and once a second that it must go back.
Only the latest answer to each stream waits, so there are never more of them than streams.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from gateway import wire
from gateway.reading import HubId
from gateway.wire import Leaf, Stream, encode_message
from ingest.intake import Answer, Urgency

HOLE_EVERY: Final = timedelta(seconds=1)
"""How often a stream is told of a hole.  A window full of packs behind one that was lost says it once for each."""

_HOLES_REMEMBERED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Told:
    """An answer on its way."""

    topic: str
    payload: bytes


class _Key(NamedTuple):
    hub: str
    outbox: str
    stream: Stream
    answers_ask: bool


class _Due(NamedTuple):
    answer: Answer
    at_s: float


class Answers:
    """The answers that are due, and those that will be."""

    def __init__(self, *, every: timedelta) -> None:
        """Owe nobody anything.

        Args:
            every: the time between two rounds of answers to readings; real time.
        """
        self.has_urgent = asyncio.Event()
        self._every_s = every.total_seconds()
        self._due: dict[_Key, _Due] = {}
        self._hole_told_s: dict[_Key, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def add(self, answers: Iterable[Answer], *, now_s: float) -> None:
        """Owe these, which are true from now on.

        Args:
            answers: in the order of the commit.
            now_s: real, monotonic.
        """
        for answer in answers:
            stored = answer.stored
            key = _Key(answer.hub, stored.outbox, stored.stream, stored.answers_ask)
            at_s = self._at_s(key, answer.urgency, now_s)
            waiting = self._due.get(key)
            self._due[key] = _Due(answer, min(at_s, waiting.at_s) if waiting else at_s)
            if at_s <= now_s:
                self.has_urgent.set()

    def take(self, lanes: frozenset[int], *, now_s: float) -> list[Told]:
        """Return what is due now, and forget it; of lanes that are no longer ours nothing is said."""
        self.has_urgent.clear()
        due = [key for key, one in self._due.items() if one.at_s <= now_s]
        told = []
        for key in due:
            answer = self._due.pop(key).answer
            if answer.urgency is Urgency.HOLE:
                self._hole_told_s[key] = now_s
            if answer.lane in lanes:
                told.append(_told(answer))
        if len(self._hole_told_s) > _HOLES_REMEMBERED:
            self._hole_told_s.clear()
        return told

    def _at_s(self, key: _Key, urgency: Urgency, now_s: float) -> float:
        match urgency:
            case Urgency.NOW:
                return now_s
            case Urgency.SOON:
                return now_s + self._every_s
            case Urgency.HOLE:
                return max(now_s, self._hole_told_s.get(key, 0.0) + HOLE_EVERY.total_seconds())


def _told(answer: Answer) -> Told:
    topic = wire.topic(answer.lane, HubId(answer.hub), Leaf.STORED)
    return Told(topic, encode_message(answer.stored))

"""What must each hub still be told, and when?

At once where it asked or where it is an alarm; with the next round otherwise; and once a second that it must go back.
Only the latest answer to each stream waits, so there are never more of them than streams.
"""

import asyncio
import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from gateway import wire
from gateway.reading import HubId
from gateway.wire import Leaf, Stream, encode_message
from ingest.intake import Answer, Urgency

HOLE_AFTER: Final = timedelta(seconds=1)
"""How long after the last word to a stream it is told of a hole.

A window full of packs behind one that was lost says it once for each of them; and a hub takes the same number twice
within a round trip for an echo of the first.
"""

_TOLD_REMEMBERED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Told:
    """An answer on its way."""

    topic: str
    payload: bytes


class _Book(NamedTuple):
    hub: str
    outbox: str
    stream: Stream


class _Kind(enum.Enum):
    ANSWER = "to a question"
    PROGRESS = "so much is stored"
    HOLE = "go back"


_Key = tuple[_Book, _Kind]


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
        self._told_s: dict[_Book, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def add(self, answers: Iterable[Answer], *, now_s: float) -> None:
        """Owe these, which are true from now on.

        Args:
            answers: in the order of the commit.
            now_s: real, monotonic.
        """
        for answer in answers:
            book = _Book(answer.hub, answer.stored.outbox, answer.stored.stream)
            kind = _kind(answer)
            at_s = self._at_s(book, answer.urgency, now_s)
            waiting = self._due.get((book, kind))
            self._due[book, kind] = _Due(answer, min(at_s, waiting.at_s) if waiting else at_s)
            if kind is _Kind.PROGRESS:
                self._forget_filled_hole(book, answer.stored.through)
            if at_s <= now_s:
                self.has_urgent.set()

    def take(self, lanes: frozenset[int], *, now_s: float) -> list[Told]:
        """Return what is due now, and forget it; of lanes that are no longer ours nothing is said."""
        self.has_urgent.clear()
        if len(self._told_s) > _TOLD_REMEMBERED:
            self._told_s.clear()
        due = [key for key, one in self._due.items() if one.at_s <= now_s]
        told = []
        for key in due:
            answer = self._due.pop(key).answer
            if answer.lane in lanes:
                told.append(_told(answer))
                self._told_s[key[0]] = now_s
        return told

    def _at_s(self, book: _Book, urgency: Urgency, now_s: float) -> float:
        match urgency:
            case Urgency.NOW:
                return now_s
            case Urgency.SOON:
                return now_s + self._every_s
            case Urgency.HOLE:
                return max(now_s, self._told_s.get(book, -math.inf) + HOLE_AFTER.total_seconds())

    def _forget_filled_hole(self, book: _Book, through: int) -> None:
        hole = self._due.get((book, _Kind.HOLE))
        if hole is not None and hole.answer.stored.through < through:
            del self._due[book, _Kind.HOLE]


def _kind(answer: Answer) -> _Kind:
    if answer.stored.answers_ask:
        return _Kind.ANSWER
    return _Kind.HOLE if answer.urgency is Urgency.HOLE else _Kind.PROGRESS


def _told(answer: Answer) -> Told:
    topic = wire.topic(answer.lane, HubId(answer.hub), Leaf.STORED)
    return Told(topic, encode_message(answer.stored))

"""What has arrived and is not stored yet, and what gives way when there is too much of it?

Hubs keep everything until they are answered, so whatever is dropped here comes again.  Readings give way first, the
oldest of them; an alarm never does, but the same alarm sent again takes the place of the first, and of one hub only so
many wait as it can have on its way.  A question that is put again while it waits is one question, and questions do
not stand behind readings: a hub says its alarm only once it is told what is stored.
"""

import asyncio
from collections import Counter, deque
from datetime import datetime
from typing import Final, NamedTuple

from gateway.wire import Leaf, Malformed, Stream, decode_ask, read_header
from ingest.arrivals import Delivery

BYTES_MAX: Final = 64 * 1024 * 1024
"""Of payloads that wait.  Ours: five minutes of 5,000 homes at 8,000 readings a day are 45 MB."""

MESSAGES_TAKEN_MAX: Final = 2_000

BYTES_TAKEN_MAX: Final = 512 * 1024
"""In one batch: as our hubs write them, a record takes 34 bytes or more, so a batch seldom has more than
`entry.ENTRIES_MAX` entries.  One that has is halved (`store.Database.keep`)."""

SPAN_S: Final = 1.0
"""A batch holds what arrived within this: after an outage of the database the log is then written as it would have
been without, second by second, and nobody seems silent who was not."""

ALARMS_OF_A_HUB_MAX: Final = 100
"""That wait at once.  A gateway has 16 on its way, and one that was put back another 16; a box that has gone mad would
fill the memory with them while the database is away, and then nobody's alarm would wait any more."""

# What one message costs beside its payload, measured with CPython 3.11 (2026-11).
_OVERHEAD_BYTES: Final = 400

_ALARMS: Final = f"/{Leaf.ALARMS}"
_READINGS: Final = f"/{Leaf.READINGS}"
_ASK: Final = f"/{Leaf.ASK}"


class _Waiting(NamedTuple):
    arrived_s: float
    delivery: Delivery


class Waiting:
    """A bounded queue between the broker's door and the database."""

    def __init__(self, *, bytes_max: int = BYTES_MAX) -> None:
        self.has_some = asyncio.Event()
        self.dropped = 0
        self._bytes_max = bytes_max
        self._bytes = 0
        self._alarms: dict[tuple[object, ...], _Waiting] = {}
        self._alarms_of: Counter[str] = Counter()
        self._readings: deque[_Waiting] = deque()
        self._talk: deque[_Waiting] = deque()
        self._asks: deque[_Waiting] = deque()
        self._asks_were_first = False
        self._asked: set[tuple[object, ...]] = set()

    def __len__(self) -> int:
        return len(self._alarms) + len(self._readings) + len(self._talk) + len(self._asks)

    def add(self, delivery: Delivery, *, arrived_s: float) -> None:
        """Let a delivery wait.

        Args:
            delivery: as it came.
            arrived_s: real, monotonic.
        """
        one = _Waiting(arrived_s, delivery)
        if delivery.topic.endswith(_ALARMS):
            self._add_alarm(one)
        elif self._is_asked_again(delivery):
            return
        else:
            self._queue_for(delivery).append(one)
            self._bytes += _size(delivery)
        self._make_room()
        self.has_some.set()

    def _queue_for(self, delivery: Delivery) -> deque[_Waiting]:
        if delivery.topic.endswith(_READINGS):
            return self._readings
        return self._talk if _question(delivery) is None else self._asks

    def _is_asked_again(self, delivery: Delivery) -> bool:
        """Return whether this question waits already, and remember it if not: one answer does for both."""
        question = _question(delivery)
        if question is None or question in self._asked:
            return question is not None
        self._asked.add(question)
        return False

    def _add_alarm(self, one: _Waiting) -> None:
        """Let an alarm wait, in the place of the same one sent before; the newer header knows better what time it is.

        Of one hub only so many: the first, because numbers are taken in order.  The hub says the others again.
        """
        topic = one.delivery.topic
        key = (topic, *_lasting(one.delivery.payload))
        before = self._alarms.pop(key, None)
        if before is None and self._alarms_of[topic] >= ALARMS_OF_A_HUB_MAX:
            self.dropped += 1
            return
        self._alarms_of[topic] += before is None
        self._bytes += _size(one.delivery) - (_size(before.delivery) if before else 0)
        self._alarms[key] = one

    def _take_alarm(self) -> Delivery:
        delivery = self._alarms.pop(next(iter(self._alarms))).delivery
        self._alarms_of[delivery.topic] -= 1
        if not self._alarms_of[delivery.topic]:
            del self._alarms_of[delivery.topic]
        return delivery

    def take(self) -> list[Delivery]:
        """Return what to store next and forget it: alarms first, then what arrived within a second, in order.

        Alarms that overtake what waits for longer are alone: all of a batch counts as received with its last.  So are
        questions, which say nothing of a home; each other time, so that no crowd of them keeps anything from its turn.
        """
        self._asks_were_first = self._may_asks_overtake()
        if self._asks_were_first:
            return self._take_asks()
        taken: list[Delivery] = []
        size = 0
        until_s = self._oldest_s() + SPAN_S
        overtook = any(one.arrived_s > until_s for one in self._alarms.values())
        while len(taken) < MESSAGES_TAKEN_MAX and size < BYTES_TAKEN_MAX and (self._alarms or not overtook):
            one = self._next(until_s)
            if one is None:
                break
            taken.append(one)
            size += len(one.payload)
            self._forget(one)
        if not len(self):
            self.has_some.clear()
        return taken

    def _may_asks_overtake(self) -> bool:
        return (
            bool(self._asks and not self._alarms and not self._asks_were_first)
            and self._asks[-1].arrived_s > self._oldest_s() + SPAN_S
        )

    def _take_asks(self) -> list[Delivery]:
        taken = [self._asks.popleft().delivery for _ in range(min(len(self._asks), MESSAGES_TAKEN_MAX))]
        for one in taken:
            self._forget(one)
        if not len(self):
            self.has_some.clear()
        return taken

    def oldest_at(self) -> datetime | None:
        """Return when the oldest of what waits arrived, by the ingest clock."""
        heads = self._heads()
        return min(one.delivery.arrived_at for one in heads) if heads else None

    def _oldest_s(self) -> float:
        return min((one.arrived_s for one in self._heads()), default=0.0)

    def _heads(self) -> list[_Waiting]:
        alarms = [next(iter(self._alarms.values()))] if self._alarms else []
        return [*alarms, *(queue[0] for queue in (self._readings, self._talk, self._asks) if queue)]

    def _next(self, until_s: float) -> Delivery | None:
        if self._alarms:
            return self._take_alarm()
        all_queues = (self._talk, self._asks, self._readings)
        queues = [queue for queue in all_queues if queue and queue[0].arrived_s <= until_s]
        if not queues:
            return None
        return min(queues, key=lambda queue: queue[0].arrived_s).popleft().delivery

    def _make_room(self) -> None:
        while self._bytes > self._bytes_max and (gives_way := self._readings or self._talk or self._asks):
            self._forget(gives_way.popleft().delivery)
            self.dropped += 1

    def _forget(self, gone: Delivery) -> None:
        self._bytes -= _size(gone)
        if (question := _question(gone)) is not None:
            self._asked.discard(question)


def _lasting(payload: bytes) -> tuple[object, ...]:
    """Return what stays the same when an alarm is sent again.

    Two alarms may say the same; their numbers tell them apart, where those can be read.
    """
    try:
        header, body = read_header(payload, Stream.ALARMS)
    except Malformed:
        return (payload.partition(b"\n")[2] or payload,)
    return header.outbox, header.first, header.last, body


def _question(delivery: Delivery) -> tuple[object, ...] | None:
    """Return what stays the same when a question is put again; None is no question."""
    if not delivery.topic.endswith(_ASK):
        return None
    try:
        ask = decode_ask(delivery.payload)
    except Malformed:
        return None
    return delivery.topic, ask.outbox, ask.boot, ask.readings, ask.alarms


def _size(delivery: Delivery) -> int:
    return len(delivery.payload) + _OVERHEAD_BYTES

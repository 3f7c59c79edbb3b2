"""What did a hub say: a pack, a question, a heartbeat, the state of its line, or something unreadable?

What is read here is not yet believed.  Each kind can be halved, or given up as one refused thing, so that one row
that the database will not have never keeps its neighbours out.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from gateway import heartbeat, wire
from gateway.heartbeat import Heartbeat
from gateway.wire import Ask, Header, Leaf, Malformed, Record, Stream, Topic
from ingest.streams import Span


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, as the broker handed it over.

    Attributes:
        topic: as it came.
        payload: as it came.
        arrived_at: by the ingest clock.
        is_retained: the broker had kept it for newcomers, for nobody knows how long.
    """

    topic: str
    payload: bytes
    arrived_at: datetime
    is_retained: bool = False


@dataclass(frozen=True, slots=True)
class PackCame:
    """A pack whose header could be read, and so its numbers.

    Attributes:
        records: None where they could not be read.
        why: they could not; empty where they could.
    """

    delivery: Delivery
    topic: Topic
    header: Header
    records: tuple[Record, ...] | None
    why: str = ""

    @property
    def numbers(self) -> Span:
        return Span(self.header.first, self.header.last)

    @property
    def body(self) -> bytes:
        """What stays the same when it is sent again; the header does not."""
        return self.delivery.payload.partition(b"\n")[2]


@dataclass(frozen=True, slots=True)
class AskCame:
    """A hub asks what is stored."""

    delivery: Delivery
    topic: Topic
    ask: Ask


@dataclass(frozen=True, slots=True)
class BeatCame:
    """A hub says how it does."""

    delivery: Delivery
    topic: Topic
    said: Heartbeat


@dataclass(frozen=True, slots=True)
class LinkCame:
    """The broker's word on a hub's line."""

    delivery: Delivery
    topic: Topic
    is_up: bool


@dataclass(frozen=True, slots=True)
class UnreadableCame:
    """A message without numbers that can be counted.

    Attributes:
        topic: None where even that is not one of ours.
        why: it cannot be read.
    """

    delivery: Delivery
    topic: Topic | None
    why: str

    @property
    def may_be_alarm(self) -> bool:
        return self.topic is not None and self.topic.leaf is Leaf.ALARMS


Came = PackCame | AskCame | BeatCame | LinkCame | UnreadableCame


def read(delivery: Delivery) -> Came:
    """Return what a delivery says; whatever the bytes are, it is one of the kinds."""
    topic = None
    try:
        topic = wire.read_topic(delivery.topic)
        return _read(delivery, topic)
    except Malformed as why:
        if why.header is not None and topic is not None:
            return PackCame(delivery, topic, why.header, None, str(why))
        return UnreadableCame(delivery, topic, str(why))


def _read(delivery: Delivery, topic: Topic) -> Came:
    match topic.leaf:
        case Leaf.READINGS | Leaf.ALARMS:
            pack = wire.decode_pack(delivery.payload, Stream(topic.leaf))
            return PackCame(delivery, topic, pack.header, pack.records)
        case Leaf.ASK:
            return AskCame(delivery, topic, wire.decode_ask(delivery.payload))
        case Leaf.HEARTBEAT:
            return BeatCame(delivery, topic, heartbeat.decode(delivery.payload))
        case Leaf.LINK:
            # An empty payload is how a retained word is taken back.
            return LinkCame(delivery, topic, bool(delivery.payload) and wire.decode_link(delivery.payload).up)
        case Leaf.STORED:
            raise Malformed("the platform's own answer came back")


def halves(came: Came) -> tuple[Came, Came] | None:
    """Return a pack as two packs with the same numbers, or None where there is nothing to halve."""
    if not isinstance(came, PackCame) or came.records is None or len(came.records) < 2:
        return None
    middle = len(came.records) // 2
    split = came.header.first + middle
    return (
        replace(came, header=msgspec.structs.replace(came.header, last=split - 1), records=came.records[:middle]),
        replace(came, header=msgspec.structs.replace(came.header, first=split), records=came.records[middle:]),
    )


def given_up(came: Came, why: str) -> Came | None:
    """Return what to keep instead of something that the database will not have, or None if that was it already."""
    if isinstance(came, PackCame):
        return None if came.records is None else replace(came, records=None, why=why)
    return None if isinstance(came, UnreadableCame) else UnreadableCame(came.delivery, came.topic, why)

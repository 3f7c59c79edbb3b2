"""In which order is a batch taken in, and what becomes of each thing in it?

The order is the promise: sort out, store all or nothing, and only then answer.  A crash before the answer leaves the
hubs without one; they send again, and the numbers say what is here already.  Nothing here reaches a database or a
broker; both are ports.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from gateway import heartbeat
from gateway.reading import ALARMS, HubId, Quantity
from gateway.wire import Leaf, Record, Stored, Stream
from ingest.admission import Clock, Clocks, Impossible, Sending, moment, place, why_impossible
from ingest.arrivals import (
    AskCame,
    BeatCame,
    Came,
    LinkCame,
    PackCame,
    UnreadableCame,
    given_up,
    halves,
)
from ingest.devices import Beat, Hub
from ingest.entry import Alarm, Entry, Heard, Lost, Reading, Trouble
from ingest.readings import Row
from ingest.refused import Refused, digest, plain
from ingest.streams import Book, Span, Taken, Verdict, take

_TOLD_AGAIN_AFTER: Final = timedelta(hours=1)
"""A trouble that goes on is written into the log once an hour, not with each message that shows it."""

_TWO_OUTBOXES_WITHIN: Final = timedelta(hours=1)

_UNNUMBERED_KEPT: Final = 60
"""Messages without numbers that are kept of a hub in an hour.

They are never answered, so a broken hub could send them for ever and fill the disk; the rest is only counted.
"""

_TROUBLES_REMEMBERED: Final = 100_000


class Unstorable(Exception):
    """The database refuses something in the batch for what it is; halve it, and nobody need act."""


class Unreadable(Exception):
    """The database cannot read what it has of somebody in the batch; halve it, and a person must look at its disk."""


class Store(Protocol):
    """Where a batch is kept, in one transaction."""

    async def keep(self, batch: Sequence[Came]) -> "Kept":
        """Store a batch whole, or nothing of it.

        Raises:
            Unstorable: the database refuses something in it for what it is.
            Unreadable: what is known of somebody in it cannot be read.
        """


class Key(NamedTuple):
    """One outbox's stream."""

    hub: str
    outbox: str
    stream: Stream


class Urgency(enum.Enum):
    """When a hub must be answered."""

    NOW = "it asked, or it is an alarm"
    SOON = "with the next round of answers"
    HOLE = "it must go back, but is told so once a second only"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub is told."""

    lane: int
    hub: str
    stored: Stored
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class StreamState:
    """What is stored of a stream, and when it was heard.

    Attributes:
        not_before: the earliest that its last reading can have been observed; None where there is none.
    """

    book: Book
    not_before: datetime | None
    first_heard_at: datetime
    last_heard_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says about the hubs of a batch, inside the transaction that will store it.

    Attributes:
        hubs: by name; those that were never added are not in it.
        rooms: by home and sensor, where known.
        streams: all of these hubs.
        boxes: the outbox that each hub's last heartbeat named, and when.
        unnumbered: what was kept without numbers in the last hour, as `refused.digest`, by the hub of the topic.
        received_at: by lane, for what is stored now.
        erased: names of hubs of homes that were erased.
    """

    hubs: Mapping[str, Hub]
    rooms: Mapping[tuple[str, str], str]
    streams: Mapping[Key, StreamState]
    boxes: Mapping[str, tuple[str, datetime]]
    unnumbered: Mapping[str, frozenset[bytes]]
    received_at: Mapping[int, datetime]
    erased: frozenset[str] = frozenset()


class Change(NamedTuple):
    """Numbers that were given up, or that came after all."""

    key: Key
    span: Span
    is_recovered: bool
    at: datetime


@dataclass(slots=True)
class Counts:
    """What a batch came to, for the metrics."""

    readings: int = 0
    alarms: int = 0
    refused: int = 0
    lost: int = 0
    known: int = 0
    holes: int = 0
    ignored: int = 0


@dataclass(slots=True)
class Kept:
    """Everything that one transaction writes, and what is said after it.

    Attributes:
        rows: of the reading table.
        entries: of the stored log, by lane, in the order in which they were taken in.
        streams: afterwards, of those that a pack came for.
        changes: of the lost ranges, in order.
        refused: kept whole.
        beats: the last heartbeat of each hub.
        links: the last word on each hub's line.
        answers: to hubs, after the commit.
        shouts: what a person must act on, as log lines with their fields, after the commit.
        told: troubles in `entries`, to be remembered after the commit.
    """

    rows: list[Row] = field(default_factory=list)
    entries: dict[int, list[Entry]] = field(default_factory=dict)
    streams: dict[Key, StreamState] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    beats: dict[str, Beat] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    shouts: list[tuple[str, dict[str, str | int]]] = field(default_factory=list)
    told: dict[tuple[str, str], datetime] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


class Memory:
    """What this process remembers between batches; nothing that is promised depends on it."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self._told: dict[tuple[str, str], datetime] = {}

    def was_told(self, hub: str, what: str, *, now: datetime) -> bool:
        """Return whether this trouble of this hub was written into the log within the last hour."""
        at = self._told.get((hub, what))
        return at is not None and at <= now < at + _TOLD_AGAIN_AFTER

    def remember(self, told: Mapping[tuple[str, str], datetime]) -> None:
        if len(self._told) > _TROUBLES_REMEMBERED:
            self._told.clear()
        self._told.update(told)


async def take_in(batch: Sequence[Came], store: Store, answer: Callable[[Kept], None]) -> list[Came]:
    """Store a batch, then answer the hubs in it; return what could not be stored, which its hub keeps and says again.

    What the database refuses is halved until the one bad row is alone, and that is kept as refused.  Where it cannot
    read what it has, it is halved likewise: one hub's damaged row holds up no other hub.

    Args:
        batch: in the order in which it is to be stored.
        store: all or nothing.
        answer: called after each commit, with what was committed.

    Raises:
        Unstorable: even a refused message cannot be kept; the database is not what we think.
    """
    try:
        kept = await store.keep(batch)
    except Unstorable as why:
        return [left for part in _less(batch, str(why)) for left in await take_in(part, store, answer)]
    except Unreadable:
        if len(batch) == 1:
            return list(batch)
        middle = len(batch) // 2
        return [left for part in (batch[:middle], batch[middle:]) for left in await take_in(part, store, answer)]
    answer(kept)
    return []


def _less(batch: Sequence[Came], why: str) -> list[Sequence[Came]]:
    if len(batch) > 1:
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]
    if split := halves(batch[0]):
        return [[split[0]], [split[1]]]
    instead = given_up(batch[0], f"the database refuses it: {why}")
    if instead is None:
        raise Unstorable(why)
    return [[instead]]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a batch is judged.

    Attributes:
        tolerance: how far a hub's clock may be off and still be right.
        stretch: by how much promises are stretched on a fast clock.
    """

    tolerance: timedelta
    stretch: timedelta


def sort_out(batch: Iterable[Came], known: Known, memory: Memory, rules: Rules) -> Kept:
    """Return what one transaction writes for a batch, and what is said after it.

    Questions are answered with what will be stored once the whole batch is.
    """
    sorter = _Sorter(known, memory, rules)
    asks: list[tuple[AskCame, Hub]] = []
    for came in batch:
        hub = sorter.speaker(came)
        if hub is not None:
            sorter.hear(came, hub)
            asks += [(came, hub)] if isinstance(came, AskCame) else []
    for ask, hub in asks:
        sorter.answer_ask(ask, hub)
    return sorter.kept


class _Sorter:
    """One batch on its way from what came to what is written."""

    def __init__(self, known: Known, memory: Memory, rules: Rules) -> None:
        self.kept = Kept()
        self._known = known
        self._memory = memory
        self._rules = rules
        self._called: set[str] = set()
        self._outboxes: dict[str, list[tuple[str, datetime]]] = {}
        for key, state in known.streams.items():
            self._outboxes.setdefault(key.hub, []).append((key.outbox, state.last_heard_at))

    def speaker(self, came: Came) -> Hub | None:
        """Return the hub that spoke, if it may; otherwise keep what it said as refused, and never answer.

        What the hub of an erased home says is not kept.
        """
        if came.topic is None:
            # The broker's access list keeps these away; whose they would be, nobody can tell.
            self.kept.shouts.append(("message on no topic of ours", {"topic": plain(came.delivery.topic, 100)}))
            self.kept.counts.ignored += 1
            return None
        hub = self._known.hubs.get(came.topic.hub)
        why = _why_not(hub, came.topic.lane)
        if why is None:
            return hub
        if hub is None and came.topic.hub in self._known.erased:
            why = "its home was erased"
            self.kept.counts.ignored += 1
        else:
            self._refuse_unnumbered(came, came.topic.hub, why)
        if came.topic.leaf is Leaf.ALARMS:
            self.kept.shouts.append(("alarm of a hub that may not speak", {"hub": came.topic.hub, "why": why}))
        return None

    def hear(self, came: Came, hub: Hub) -> None:
        """Take up what a hub said that may speak."""
        match came:
            case PackCame():
                self.pack(came, hub)
            case AskCame():
                self.ask(came, hub)
            case BeatCame():
                self.beat(came, hub)
            case LinkCame():
                self.kept.links[hub.hub] = came.is_up
            case UnreadableCame():
                self.unreadable(came, hub)

    def pack(self, came: PackCame, hub: Hub) -> None:
        """Take the numbers that are new, or that were lost and come after all, and pass over the others."""
        key = Key(hub.hub, came.header.outbox, came.header.stream)
        at = self._received_at(hub)
        state = self._state(key) or StreamState(Book(), None, at, at)
        taken = take(state.book, came.numbers, oldest=came.header.oldest)
        self._note_lost(key, taken, hub)
        for span in taken.recovered:
            self._numbers(came, hub, span, None)
        not_before = state.not_before
        if taken.new is not None:
            not_before = self._numbers(came, hub, taken.new, not_before)
            self._look_for_two_outboxes(hub, key.outbox)
        self.kept.streams[key] = StreamState(taken.book, not_before, state.first_heard_at, at)
        self._count(taken)
        self._answer(hub, key, taken.book.through, _urgency(taken, key.stream))

    def ask(self, came: AskCame, hub: Hub) -> None:
        """Learn from a question whether the hub's clock is right, and whether its card was put back."""
        ask = came.ask
        self._sending(hub, ask.boot, ask.uptime_ms, ask.sent_at, came)
        for stream, sent in ((Stream.READINGS, ask.readings), (Stream.ALARMS, ask.alarms)):
            state = self._state(Key(hub.hub, ask.outbox, stream))
            if state is not None and state.book.through > sent:
                self._trouble(hub, "old card", f"stored through {state.book.through}, it remembers sending {sent}")

    def answer_ask(self, came: AskCame, hub: Hub) -> None:
        """Tell what is stored of both streams of an outbox; nothing, where nothing is."""
        for stream in Stream:
            key = Key(hub.hub, came.ask.outbox, stream)
            state = self._state(key)
            self._answer(hub, key, state.book.through if state else 0, Urgency.NOW, answers_ask=True)

    def beat(self, came: BeatCame, hub: Hub) -> None:
        """Write down that a hub is alive, unless a broker kept the news until it was none."""
        said = came.said
        sending = self._sending(hub, said.boot, said.uptime_ms, said.sent_at, came)
        arrived_at = came.delivery.arrived_at
        if arrived_at - sending.at > heartbeat.EVERY + heartbeat.GRACE + self._rules.tolerance:
            self.kept.counts.ignored += 1
            return
        last = self._known.boxes.get(hub.hub)
        if last and last[0] != said.outbox and self._received_at(hub) - last[1] < _TWO_OUTBOXES_WITHIN:
            self._trouble(hub, "two outboxes", "")
        off_by = None if (at := moment(said.sent_at)) is None else arrived_at - at
        self.kept.beats[hub.hub] = Beat(hub.hub, arrived_at, off_by, said)
        troubles = tuple(plain(trouble, 64) for trouble in said.troubles)
        self._log(hub, Heard(hub.home, hub.hub, said.held_readings, said.held_alarms, said.radio_up, troubles))

    def unreadable(self, came: UnreadableCame, hub: Hub) -> None:
        """Keep what cannot be read; on the alarms' topic it is an alarm all the same."""
        if came.may_be_alarm:
            self._call_unreadable(came, hub)
        self._refuse_unnumbered(came, hub.hub, came.why)
        self._trouble(hub, "refused", plain(came.why, 200))

    def _call_unreadable(self, came: UnreadableCame, hub: Hub) -> None:
        """Say that somebody may have called: once for the same bytes, and of a hub that babbles once a minute.

        Each is a row of the log and of the story for good, and a babbling hub says hundreds in a second.
        """
        known_by, kept = digest(came.delivery.payload), self._known.unnumbered.get(hub.hub, frozenset())
        if known_by in kept:
            return
        at = came.delivery.arrived_at
        identity = f"{hub.hub}/{known_by.hex()}"
        if len(kept) + self._unnumbered_kept(hub.hub) >= _UNNUMBERED_KEPT:
            identity = f"{hub.hub}/babbles/{at:%Y-%m-%dT%H:%M}"
        if identity not in self._called:
            self._called.add(identity)
            self._alarm_unreadable(hub, identity, came.why, at)

    def _unnumbered_kept(self, hub: str) -> int:
        return sum(one.hub == hub and one.first is None for one in self.kept.refused)

    def _numbers(self, came: PackCame, hub: Hub, span: Span, not_before: datetime | None) -> datetime | None:
        """Store some numbers of a pack, and return the earliest that the last of them can have been."""
        header = came.header
        if came.records is None:
            self._refuse_numbers(came, hub, span)
            return not_before
        sending = self._sending(hub, header.boot, header.uptime_ms, header.sent_at, came)
        for record in came.records[span.first - header.first : span.last - header.first + 1]:
            not_before = self._record(came, hub, record, sending, not_before)
        return not_before

    def _record(
        self, came: PackCame, hub: Hub, record: Record, sending: Sending, not_before: datetime | None
    ) -> datetime:
        received_at = self._received_at(hub)
        time = place(
            *(None if record.is_wall_unset else record.wall_s, record.boot, record.uptime_ms, sending),
            not_before=not_before,
            received_at=received_at,
        )
        room = self._known.rooms.get((hub.home, record.sensor)) if hub.home else None
        impossible = why_impossible(record.quantity, record.value)
        is_alarm = came.header.stream is Stream.ALARMS or record.quantity in ALARMS
        odd = _why_odd_alarm(record, impossible) if is_alarm else impossible
        if odd is not None:
            why = f"{record.quantity} of {record.value!r} is {odd}"
            self._refuse(came, hub, Span(record.number, record.number), why)
        if odd is not None and not is_alarm:
            return time.earliest
        row = Row(
            *(hub.home, hub.hub, record.sensor, room, record.quantity, record.value),
            *(time.observed_at, time.uncertain_since, received_at, record.may_repeat),
        )
        self.kept.rows.append(row)
        if is_alarm:
            self._log(hub, _alarm(row, _identity(came, record), odd))
            self.kept.counts.alarms += 1
        else:
            self._log(hub, _reading(row))
            self.kept.counts.readings += 1
        return time.earliest

    def _refuse_numbers(self, came: PackCame, hub: Hub, span: Span) -> None:
        self._refuse(came, hub, span, came.why)
        if came.header.stream is Stream.ALARMS:
            # Known by its number, not its bytes: those may be the same next week, and that is another press.
            identity = f"{hub.hub}/{came.header.outbox}/{span.first}"
            self._alarm_unreadable(hub, identity, came.why, came.delivery.arrived_at)

    def _refuse(self, came: PackCame, hub: Hub, span: Span, why: str) -> None:
        said = came.delivery
        where = (hub.hub, came.header.outbox, came.header.stream, span.first, span.last)
        self.kept.refused.append(Refused(*where, said.topic, said.payload, why, self._received_at(hub)))
        self.kept.counts.refused += len(span)
        self._trouble(hub, "refused", plain(why, 200))

    def _refuse_unnumbered(self, came: Came, hub: str, why: str) -> None:
        """Keep a message that no number counts: not twice in an hour, and not for ever."""
        self.kept.counts.refused += 1
        said = came.delivery
        known_by = digest(said.payload)
        kept = self._known.unnumbered.get(hub, frozenset())
        now_kept = [one for one in self.kept.refused if one.hub == hub and one.first is None]
        if known_by in kept or len(kept) + len(now_kept) >= _UNNUMBERED_KEPT:
            return
        if all(digest(one.payload) != known_by for one in now_kept):
            at = said.arrived_at
            self.kept.refused.append(Refused(hub, None, None, None, None, said.topic, said.payload, why, at))

    def _alarm_unreadable(self, hub: Hub, identity: str, why: str, observed_at: datetime) -> None:
        """Somebody may have asked for help: say so, though nobody can tell who, where or how."""
        alarm = Alarm(
            home=hub.home,
            hub=hub.hub,
            identity=identity,
            sensor=None,
            room=None,
            quantity=Quantity.UNKNOWN_ALARM,
            value=1.0,
            observed_at=observed_at,
            unreadable=plain(why, 200),
        )
        self._log(hub, alarm)
        self.kept.counts.alarms += 1

    def _note_lost(self, key: Key, taken: Taken, hub: Hub) -> None:
        at = self._received_at(hub)
        if taken.lost is not None:
            self.kept.changes.append(Change(key, taken.lost, is_recovered=False, at=at))
            self._log(hub, Lost(hub.home, *key[:2], key.stream.value, taken.lost.first, taken.lost.last))
            self.kept.counts.lost += len(taken.lost)
            lost = {"hub": key.hub, "stream": key.stream.value, "first": taken.lost.first, "last": taken.lost.last}
            self.kept.shouts.append(("numbers lost", lost))
        self.kept.changes += [Change(key, span, is_recovered=True, at=at) for span in taken.recovered]

    def _look_for_two_outboxes(self, hub: Hub, outbox: str) -> None:
        """Two books of one hub with news within an hour: its card was put back, or two boxes share a name."""
        since = self._received_at(hub) - _TWO_OUTBOXES_WITHIN
        for other, heard_at in self._outboxes.get(hub.hub, ()):
            if other != outbox and heard_at > since:
                self._trouble(hub, "two outboxes", "")

    def _sending(self, hub: Hub, boot: str, uptime_ms: int, sent_at_s: float, came: Came) -> Sending:
        arrived_at = came.delivery.arrived_at
        sending = self._memory.clocks.sending(
            HubId(hub.hub), boot, uptime_ms, sent_at_s, arrived_at=arrived_at, tolerance=self._rules.tolerance
        )
        if sending.by is Clock.OURS:
            said = moment(sent_at_s)
            self._trouble(hub, "wrong clock", "never set" if said is None else f"off by {arrived_at - said}")
        return sending

    def _trouble(self, hub: Hub, what: str, detail: str) -> None:
        at = self._received_at(hub)
        if (hub.hub, what) not in self.kept.told and not self._memory.was_told(hub.hub, what, now=at):
            self.kept.told[hub.hub, what] = at
            self._log(hub, Trouble(hub.home, hub.hub, what, detail))

    def _log(self, hub: Hub, entry: Entry) -> None:
        self.kept.entries.setdefault(hub.lane, []).append(entry)

    def _state(self, key: Key) -> StreamState | None:
        return self.kept.streams.get(key) or self._known.streams.get(key)

    def _received_at(self, hub: Hub) -> datetime:
        return self._known.received_at[hub.lane]

    def _count(self, taken: Taken) -> None:
        self.kept.counts.known += taken.verdict is Verdict.KNOWN
        self.kept.counts.holes += taken.verdict is Verdict.HOLE

    def _answer(self, hub: Hub, key: Key, through: int, urgency: Urgency, *, answers_ask: bool = False) -> None:
        stored = Stored(key.outbox, key.stream, through, answers_ask)
        self.kept.answers.append(Answer(hub.lane, hub.hub, stored, urgency))


def _reading(row: Row) -> Reading:
    return Reading(
        row.home, row.hub, row.sensor, row.room, row.quantity, row.value, row.observed_at, row.uncertain_since
    )


def _alarm(row: Row, identity: str, odd: str | None) -> Alarm:
    return Alarm(
        home=row.home,
        hub=row.hub,
        identity=identity,
        sensor=row.sensor,
        room=row.room,
        quantity=row.quantity,
        value=row.value,
        observed_at=row.observed_at,
        uncertain_since=row.uncertain_since,
        unreadable=odd,
    )


def _why_not(hub: Hub | None, lane: int) -> str | None:
    """Return why a hub may not speak on a lane's topics, or None if it may."""
    if hub is None:
        return "no hub of this name was added"
    if hub.revoked_at is not None:
        return "the hub was revoked"
    return None if hub.lane == lane else f"the hub's lane is {hub.lane:02d}"


def _why_odd_alarm(record: Record, impossible: Impossible | None) -> str | None:
    """Return what is odd about an alarm, which is told to a person all the same."""
    if record.quantity not in ALARMS:
        return "no alarm that this release knows"
    return None if impossible is None else str(impossible)


def _identity(came: PackCame, record: Record) -> str:
    """Return what makes an alarm the same one, however often it is sent; the two streams have numbers of their own."""
    header = came.header
    number = str(record.number) if header.stream is Stream.ALARMS else f"readings-{record.number}"
    return f"{came.topic.hub}/{header.outbox}/{number}"


def _urgency(taken: Taken, stream: Stream) -> Urgency:
    if taken.verdict is Verdict.HOLE:
        return Urgency.HOLE
    return Urgency.NOW if stream is Stream.ALARMS else Urgency.SOON

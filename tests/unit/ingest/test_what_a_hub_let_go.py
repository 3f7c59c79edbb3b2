"""Does the platform come to know of everything that a hub let go, whatever was put back in between?

The hub's real book, and the platform's pure one; what lies between them is whole here.
"""

import dataclasses
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.config import OutboxFile
from gateway.outbox import Outbox
from gateway.reading import Observation, Quantity, SensorId
from gateway.wire import Record, Stream
from ingest.streams import Book, Span, take

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
_IN_MEMORY = Path("/dev/shm")

Key = tuple[str, Stream]


@dataclass(frozen=True, slots=True)
class Server:
    """What the platform has: its books, and each value with how often it came, those aside that may repeat."""

    books: dict[Key, Book] = field(default_factory=dict)
    values: Counter[float] = field(default_factory=Counter)
    repeated: frozenset[float] = frozenset()

    def copy(self) -> "Server":
        return Server(dict(self.books), Counter(self.values), self.repeated)

    @property
    def lost(self) -> int:
        return sum(len(span) for book in self.books.values() for span in book.lost)


class Story:
    """A hub with a card, and a platform; both may be put back to what they were."""

    def __init__(self, folder: Path) -> None:
        self._card = folder / "card"
        self._old = folder / "old"
        self._card.mkdir()
        # Of what is stored nothing need stay: each `prune` is a disk that is full.
        path = str(self._card / "outbox.db")
        self._limits = OutboxFile(path=path, stored_bytes_max=0, reserve_bytes=4096)
        self.outbox = Outbox(self._limits, now=NOON)
        self.server = Server()
        self._backup = Server()
        self._said = 0
        self.on_the_card: set[float] = set()
        self._on_the_old: set[float] = set()

    def keeps(self, quantity: Quantity = Quantity.TEMPERATURE_C) -> None:
        for _ in range(3):
            self._said += 1
            self.outbox.keep([Observation(SensorId("hall"), quantity, float(self._said), NOON, 1)], boot="b")
            self.on_the_card.add(float(self._said))

    def presses(self) -> None:
        self.keeps(Quantity.PENDANT_ALARM)

    def talks(self) -> None:
        """Ask, send and be answered, until both agree on everything."""
        for outbox in self.outbox.outboxes():
            for stream in Stream:
                self._asks(outbox, stream)
                while outbox in self.outbox.outboxes() and self._sends(outbox, stream):
                    pass

    def lets_stored_go(self) -> None:
        self.outbox.prune(now=NOON)

    def lets_unstored_go(self) -> None:
        while self.outbox._let_go_unstored():
            pass

    def copies_card(self) -> None:
        self.outbox.close()
        shutil.rmtree(self._old, ignore_errors=True)
        shutil.copytree(self._card, self._old)
        self._on_the_old = set(self.on_the_card)
        self.outbox = Outbox(self._limits, now=NOON)

    def puts_old_card_back(self) -> None:
        if self._old.exists():
            self.outbox.close()
            shutil.rmtree(self._card)
            shutil.copytree(self._old, self._card)
            self.on_the_card = set(self._on_the_old)
            self.outbox = Outbox(self._limits, now=NOON)

    def backs_up(self) -> None:
        self._backup = self.server.copy()

    def restores(self) -> None:
        self.server = self._backup.copy()

    def _asks(self, outbox: str, stream: Stream) -> None:
        through = self._through(outbox, stream)
        if self.outbox.answered_too_high(outbox, stream, through):
            self.outbox.turn_over(now=NOON)
            self.talks()
        elif outbox in self.outbox.outboxes():
            self.outbox.stored(outbox, stream, through, now=NOON)

    def _sends(self, outbox: str, stream: Stream) -> bool:
        numbers = self.outbox.numbers(outbox, stream)
        records = self.outbox.records(outbox, stream, max(numbers.stored + 1, numbers.oldest), numbers.last)[:2]
        if not records:
            return False
        self.outbox.will_send(outbox, stream, records[-1].number)
        self._takes(outbox, stream, records, oldest=numbers.oldest)
        self.outbox.stored(outbox, stream, self._through(outbox, stream), now=NOON)
        return True

    def _takes(self, outbox: str, stream: Stream, records: tuple[Record, ...], *, oldest: int) -> None:
        book = self.server.books.get((outbox, stream), Book())
        taken = take(book, Span(records[0].number, records[-1].number), oldest=oldest)
        spans = [*taken.recovered, *([] if taken.new is None else [taken.new])]
        came = [r for r in records if any(r.number in span for span in spans)]
        self.server.books[outbox, stream] = taken.book
        self.server.values.update(r.value for r in came if not r.may_repeat)
        again = self.server.repeated | {r.value for r in came if r.may_repeat}
        self.server = dataclasses.replace(self.server, repeated=again)

    def _through(self, outbox: str, stream: Stream) -> int:
        return self.server.books.get((outbox, stream), Book()).through


@contextmanager
def _told() -> Iterator[Story]:
    # In memory where there is such a place: what a card costs in time is no question here.
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        story = Story(Path(folder))
        try:
            yield story
        finally:
            story.outbox.close()


Step = Callable[[Story], None]
STEPS: list[Step] = [
    Story.keeps,
    Story.presses,
    Story.talks,
    Story.lets_stored_go,
    Story.lets_unstored_go,
    Story.copies_card,
    Story.puts_old_card_back,
    Story.backs_up,
    Story.restores,
]

OF_SEED_20003: list[Step] = [
    Story.keeps,
    Story.copies_card,
    Story.keeps,
    Story.talks,
    Story.puts_old_card_back,
    Story.talks,
    Story.keeps,
    Story.talks,
    Story.lets_stored_go,
    Story.restores,
]

LET_GO_BESIDE_AN_OTHER_LIFE: list[Step] = [
    Story.copies_card,
    Story.keeps,
    Story.talks,
    Story.puts_old_card_back,
    Story.keeps,
    Story.keeps,
    Story.lets_unstored_go,
]


@given(st.lists(st.sampled_from(STEPS), max_size=14))
@example(OF_SEED_20003)
@example(LET_GO_BESIDE_AN_OTHER_LIFE)
@settings(max_examples=60)
def test_what_a_hub_no_longer_has_is_stored_or_written_down_as_lost(steps: list[Step]) -> None:
    """A reading that is gone and that nobody knows of is the one thing that must not be: P1.

    `telecare chaos --seed 20003` found one: an old card, then a full disk, then an older backup.
    """
    with _told() as story:
        for step in steps:
            step(story)
        story.talks()
        story.talks()

        missing = {value for value in story.on_the_card if not story.server.values[value]} - story.server.repeated
        assert len(missing) <= story.server.lost
        assert all(times == 1 for times in story.server.values.values())

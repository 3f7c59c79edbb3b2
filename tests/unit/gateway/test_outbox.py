"""Numbers are never used twice, and nothing that is not stored is let go while there is room."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.config import OutboxFile
from gateway.outbox import IN_MEMORY, Kept, NoRoom, Outbox, OutboxInUse, OutboxUnusable
from gateway.reading import Observation, Quantity, SensorId
from gateway.wire import Stream

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HALL = SensorId("hall")


def _seen(value: float = 1.0, quantity: Quantity = Quantity.MOVEMENT) -> Observation:
    return Observation(HALL, quantity, value, NOON, 1000)


def _press() -> Observation:
    return _seen(1.0, Quantity.PENDANT_ALARM)


@pytest.fixture
def limits(tmp_path: Path) -> OutboxFile:
    return OutboxFile(path=str(tmp_path / "outbox.db"))


@pytest.fixture
def outbox(limits: OutboxFile) -> Iterator[Outbox]:
    opened = Outbox(limits, now=NOON)
    yield opened
    opened.close()


def _values(outbox: Outbox, stream: Stream = Stream.READINGS) -> list[float]:
    return [r.value for box in outbox.outboxes() for r in outbox.records(box, stream, 1, 2**40)]


def test_readings_and_alarms_have_numbers_of_their_own(outbox: Outbox) -> None:
    """An alarm must never wait behind a backlog of readings."""
    kept = outbox.keep([_seen(), _press(), _seen()], boot="b")

    assert kept == Kept(readings=(1, 2), alarms=(1, 1))


def test_numbers_go_on_after_everything_was_let_go(outbox: Outbox, limits: OutboxFile) -> None:
    """A number given twice is taken for a known one: the next alarm would be dropped by the platform."""
    outbox.keep([_press(), _seen()], boot="b")
    for stream in Stream:
        outbox.will_send(outbox.current, stream, 1)
        outbox.stored(outbox.current, stream, 1, now=NOON)
    outbox.prune(now=NOON + 31 * DAY)
    assert _values(outbox) == _values(outbox, Stream.ALARMS) == []
    outbox.close()

    again = Outbox(limits, now=NOON)
    kept = again.keep([_press(), _seen()], boot="b")
    again.close()

    assert kept == Kept(readings=(2, 2), alarms=(2, 2))


def test_a_record_comes_back_as_it_was_kept(outbox: Outbox) -> None:
    """What was observed, when and in which boot is all that the platform has to go by."""
    outbox.keep([Observation(HALL, Quantity.TEMPERATURE_C, 21.5, NOON, 77)], boot="boot-1")

    (record,) = outbox.records(outbox.current, Stream.READINGS, 1, 1)

    assert (record.sensor, record.quantity, record.value) == ("hall", "temperature_c", 21.5)
    assert (record.wall_s, record.boot, record.uptime_ms) == (NOON.timestamp(), "boot-1", 77)


def test_what_is_stored_is_kept_for_thirty_days(outbox: Outbox) -> None:
    """A server restored from a month-old backup is healed from here."""
    outbox.keep([_seen(1.0), _seen(0.0)], boot="b")
    outbox.will_send(outbox.current, Stream.READINGS, 2)
    outbox.stored(outbox.current, Stream.READINGS, 1, now=NOON)

    outbox.prune(now=NOON + 30 * DAY)
    assert _values(outbox) == [1.0, 0.0]
    outbox.prune(now=NOON + 30 * DAY + timedelta(hours=1))
    assert _values(outbox) == [0.0]  # What is not stored stays, however old.
    assert outbox.numbers(outbox.current, Stream.READINGS).oldest == 2


def test_a_restored_platform_takes_back_what_was_stored(outbox: Outbox) -> None:
    """Records that a restored server no longer has must not age as if it had them."""
    outbox.keep([_seen()] * 10, boot="b")
    outbox.will_send(outbox.current, Stream.READINGS, 10)
    outbox.stored(outbox.current, Stream.READINGS, 10, now=NOON)
    outbox.stored(outbox.current, Stream.READINGS, 4, now=NOON + DAY)

    outbox.prune(now=NOON + 60 * DAY)

    assert outbox.held(Stream.READINGS) == len(_values(outbox)) == 6


def test_stored_records_are_let_go_beyond_their_share_of_the_disk(tmp_path: Path) -> None:
    """A small card must not fill with what the platform has long since."""
    limits = OutboxFile(path=str(tmp_path / "outbox.db"), stored_bytes_max=300_000)
    outbox = Outbox(limits, now=NOON)
    for _ in range(20):
        outbox.keep([_seen()] * 500, boot="b")
    outbox.will_send(outbox.current, Stream.READINGS, 10_000)
    outbox.stored(outbox.current, Stream.READINGS, 9_000, now=NOON)

    outbox.prune(now=NOON)

    numbers = outbox.numbers(outbox.current, Stream.READINGS)
    outbox.close()
    assert 2_000 < numbers.oldest <= 9_001
    assert numbers.held == 1_000


def _small(tmp_path: Path) -> OutboxFile:
    return OutboxFile(path=str(tmp_path / "outbox.db"), bytes_max=160_000, reserve_bytes=8192)


def _fill(outbox: Outbox, times: int = 60, seen: Sequence[Observation] = (_seen(),) * 100) -> None:
    for _ in range(times):
        outbox.keep(seen, boot="b")


def test_on_a_full_disk_what_is_stored_goes_first(tmp_path: Path) -> None:
    """The platform has it; what it does not have is the only copy there is."""
    outbox = Outbox(_small(tmp_path), now=NOON)
    _fill(outbox, 10)
    outbox.will_send(outbox.current, Stream.READINGS, 1000)
    outbox.stored(outbox.current, Stream.READINGS, 1000, now=NOON)
    outbox.keep([_press()], boot="b")
    _fill(outbox, 10)

    numbers = outbox.numbers(outbox.current, Stream.READINGS)
    outbox.close()
    assert numbers.oldest <= 1001
    assert numbers.held == 1000


def test_on_a_full_disk_the_oldest_unstored_readings_go_next_and_alarms_never(tmp_path: Path) -> None:
    """A month without a line on a small card costs the oldest readings, and not one call for help."""
    outbox = Outbox(_small(tmp_path), now=NOON)
    outbox.keep([_press()] * 20, boot="b")
    _fill(outbox)

    numbers = outbox.numbers(outbox.current, Stream.READINGS)
    alarms = _values(outbox, Stream.ALARMS)
    troubles = outbox.troubles(now=NOON)
    outbox.close()
    assert 1 < numbers.oldest < numbers.last == 6000
    assert len(alarms) == 20
    assert troubles == ("disk full",)


def test_an_alarm_finds_room_where_readings_have_filled_the_disk(tmp_path: Path) -> None:
    """A press on a hub whose disk is full must still be kept."""
    outbox = Outbox(_small(tmp_path), now=NOON)
    _fill(outbox)

    for _ in range(300):
        outbox.keep([_press()], boot="b")

    held = outbox.held(Stream.ALARMS)
    outbox.close()
    assert held == 300


def test_a_disk_full_of_alarms_says_so(tmp_path: Path) -> None:
    """There is nothing left that may go, and whoever keeps must know it to say so."""
    outbox = Outbox(_small(tmp_path), now=NOON)

    with pytest.raises(NoRoom):
        _fill(outbox, 1000, [_press()] * 20)
    last = outbox.numbers(outbox.current, Stream.ALARMS).last
    assert len(_values(outbox, Stream.ALARMS)) == last
    outbox.close()


def test_a_second_process_is_kept_out(outbox: Outbox, limits: OutboxFile) -> None:
    """Two programs that number in one book would each drop the other's alarms."""
    with pytest.raises(OutboxInUse):
        Outbox(limits, now=NOON)


def test_a_broken_file_is_set_aside_and_a_new_outbox_begun(limits: OutboxFile) -> None:
    """A worn-out card must not make the hub mute; its file is kept for whoever wants to look."""
    first = Outbox(limits, now=NOON)
    first.keep([_seen()] * 5000, boot="b")
    old = first.current
    first.close()
    path = Path(limits.path)
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 20] = b"\xff" * (4096 * 19)
    path.write_bytes(content)

    again = Outbox(limits, now=NOON)

    assert again.current != old
    assert again.troubles(now=NOON) == ("outbox lost",)
    assert again.keep([_press()], boot="b").alarms == (1, 1)
    assert [p.read_bytes() for p in path.parent.glob("*.broken-*")] == [bytes(content)]
    assert again.troubles(now=NOON + DAY) == ()
    again.close()


def test_a_file_that_is_no_database_is_set_aside(limits: OutboxFile) -> None:
    """A card that was filled with anything else is no reason to stay silent."""
    Path(limits.path).write_bytes(b"these are not the bytes of a database" * 100)

    outbox = Outbox(limits, now=NOON)

    assert outbox.troubles(now=NOON) == ("outbox lost",)
    outbox.close()


def test_a_file_of_a_newer_release_is_left_alone(limits: OutboxFile) -> None:
    """A downgrade must not destroy what only the newer release can read."""
    Outbox(limits, now=NOON).close()
    db = sqlite3.connect(limits.path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(OutboxUnusable):
        Outbox(limits, now=NOON)


_FORMAT_1 = """
CREATE TABLE book (id INTEGER PRIMARY KEY AUTOINCREMENT, outbox TEXT NOT NULL UNIQUE);
CREATE TABLE stream (
    book INTEGER NOT NULL REFERENCES book (id), stream TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0, stored INTEGER NOT NULL DEFAULT 0, aloud INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (book, stream)
) WITHOUT ROWID;
CREATE TABLE record (
    book INTEGER NOT NULL REFERENCES book (id), stream TEXT NOT NULL, number INTEGER NOT NULL, sensor TEXT NOT NULL,
    quantity TEXT NOT NULL, value REAL NOT NULL, wall_s REAL NOT NULL, boot TEXT NOT NULL, uptime_ms INTEGER NOT NULL,
    may_repeat INTEGER NOT NULL, PRIMARY KEY (book, stream, number)
) WITHOUT ROWID;
CREATE TABLE stored_mark (
    book INTEGER NOT NULL REFERENCES book (id), stream TEXT NOT NULL, hour INTEGER NOT NULL, through INTEGER NOT NULL,
    PRIMARY KEY (book, stream, hour)
) WITHOUT ROWID;
CREATE TABLE last_value (
    sensor TEXT NOT NULL, quantity TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (sensor, quantity)
) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, said TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO book (outbox) VALUES ('0123456789abcdef');
INSERT INTO stream VALUES (1, 'readings', 0, 0, 0, 0), (1, 'alarms', 7, 6, 6, 6);
INSERT INTO record VALUES (1, 'alarms', 7, 'pendant', 'pendant_alarm', 1.0, 1782000000.0, 'b1', 5, 0);
PRAGMA user_version = 1;
"""


def test_a_file_of_an_earlier_release_is_gone_on_with(limits: OutboxFile) -> None:
    """An update must not cost the press that waited on the disk while it ran."""
    db = sqlite3.connect(limits.path)
    db.executescript(_FORMAT_1)
    db.close()

    outbox = Outbox(limits, now=NOON)
    outbox.keep([_press()], boot="b2", is_wall_unset=True)

    waited, pressed = outbox.records(outbox.current, Stream.ALARMS, 1, 99)
    assert (outbox.current, waited.number, waited.boot, waited.is_wall_unset) == ("0123456789abcdef", 7, "b1", False)
    assert (pressed.number, pressed.is_wall_unset) == (8, True)
    outbox.close()


def test_without_a_disk_a_hub_goes_on_in_memory_and_says_so() -> None:
    """A broken card is a fault; a press that is not sent is a person on the floor."""
    outbox = Outbox(OutboxFile(path=IN_MEMORY), now=NOON)

    assert outbox.keep([_press()], boot="b").alarms == (1, 1)
    assert outbox.troubles(now=NOON) == ("disk unwritable",)
    outbox.close()


def test_an_old_card_is_found_once_and_not_with_each_question_after_it(outbox: Outbox) -> None:
    """The old outbox is asked for as long as it holds anything, a month; each time the platform would see a fault."""
    outbox.keep([_seen(float(n)) for n in range(1, 9)], boot="b")
    outbox.will_send(outbox.current, Stream.READINGS, 5)
    old = outbox.current
    outbox.turn_over(now=NOON)

    outbox.stored(old, Stream.READINGS, 40, now=NOON)
    outbox.stored(old, Stream.ALARMS, 2, now=NOON)

    assert [outbox.numbers(old, stream).sent for stream in (Stream.READINGS, Stream.ALARMS)] == [40, 2]
    assert outbox.numbers(old, Stream.READINGS).stored == outbox.numbers(old, Stream.READINGS).last


def test_an_old_card_renumbers_only_what_is_not_known_to_be_stored(outbox: Outbox) -> None:
    """The rest stays under its old numbers, so that a restored server can still ask for it."""
    outbox.keep([_seen(float(n)) for n in range(1, 9)], boot="b")
    outbox.keep([_press(), _press()], boot="b")
    old = outbox.current
    outbox.will_send(old, Stream.READINGS, 5)
    outbox.stored(old, Stream.READINGS, 3, now=NOON)
    assert outbox.answered_too_high(old, Stream.READINGS, 9)

    outbox.turn_over(now=NOON)
    kept = outbox.keep([_seen(99.0)], boot="b")

    before = outbox.records(old, Stream.READINGS, 1, 100)
    after = outbox.records(outbox.current, Stream.READINGS, 1, 100)
    assert outbox.outboxes() == (old, outbox.current)
    assert [(r.number, r.value, r.may_repeat) for r in before] == [(n, float(n), False) for n in (1, 2, 3)]
    assert [(r.value, r.may_repeat) for r in after] == [(float(n), True) for n in range(4, 9)] + [(99.0, False)]
    assert kept.readings == (6, 6)
    assert outbox.held(Stream.ALARMS) == 2
    assert outbox.troubles(now=NOON) == ("old card",)
    assert not outbox.answered_too_high(old, Stream.READINGS, 9)


def test_a_restored_server_can_ask_an_old_outbox_lower(outbox: Outbox, limits: OutboxFile) -> None:
    """Hubs heal the server from before the old card, too, even after a restart."""
    outbox.keep([_seen(float(n)) for n in range(1, 6)], boot="b")
    old = outbox.current
    outbox.will_send(old, Stream.READINGS, 5)
    outbox.stored(old, Stream.READINGS, 5, now=NOON)
    outbox.turn_over(now=NOON)
    outbox.close()

    again = Outbox(limits, now=NOON)
    again.stored(old, Stream.READINGS, 2, now=NOON)

    assert [r.value for r in again.records(old, Stream.READINGS, 3, 5)] == [3.0, 4.0, 5.0]
    assert again.held(Stream.READINGS) == 3
    again.close()


def test_the_last_value_of_a_sensor_outlives_its_record(outbox: Outbox, limits: OutboxFile) -> None:
    """After a restart a repeated `closed` must not look like a door that someone just closed."""
    outbox.keep([_seen(1.0, Quantity.OPEN), _seen(0.0, Quantity.OPEN)], boot="b")
    outbox.will_send(outbox.current, Stream.READINGS, 2)
    outbox.stored(outbox.current, Stream.READINGS, 2, now=NOON)
    outbox.prune(now=NOON + 60 * DAY)

    assert outbox.last_values() == {(HALL, "open"): 0.0}


class Book(RuleBasedStateMachine):
    """An outbox through everything that can happen to it, against a diary of what was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="telecare-outbox-"))
        self.lives = 0
        self.given: dict[tuple[str, Stream], dict[int, float]] = {}
        self.gone: dict[tuple[str, Stream], set[int]] = {}
        self.now = NOON
        self.count = 0.0

    def _open(self, *, bytes_max: int = 10_000_000) -> None:
        limits = OutboxFile(path=str(self.folder / "outbox.db"), bytes_max=bytes_max, reserve_bytes=4096)
        self.outbox = Outbox(limits, now=self.now)

    @initialize(small=st.booleans())
    def begin(self, *, small: bool) -> None:
        self.is_small = small
        self._open(bytes_max=200_000 if small else 10_000_000)

    @rule(readings=st.integers(0, 300), alarms=st.integers(0, 2))
    def keep(self, readings: int, alarms: int) -> None:
        seen = []
        for quantity, times in ((Quantity.MOVEMENT, readings), (Quantity.PENDANT_ALARM, alarms)):
            for _ in range(times):
                self.count += 1
                seen.append(_seen(self.count, quantity))
        kept = self.outbox.keep(seen, boot="b")
        for stream, numbers in ((Stream.READINGS, kept.readings), (Stream.ALARMS, kept.alarms)):
            mine = [o.value for o in seen if (o.quantity is Quantity.PENDANT_ALARM) == (stream is Stream.ALARMS)]
            if numbers is None:
                assert not mine
                continue
            book = self.given.setdefault((self.outbox.current, stream), {})
            assert numbers[1] - numbers[0] + 1 == len(mine)
            for number, value in zip(range(numbers[0], numbers[1] + 1), mine, strict=True):
                assert number not in book, "a number was used twice"
                book[number] = value

    @rule(stream=st.sampled_from(Stream), share=st.floats(0, 1))
    def send(self, stream: Stream, share: float) -> None:
        last = self.outbox.numbers(self.outbox.current, stream).last
        self.outbox.will_send(self.outbox.current, stream, int(last * share))

    @rule(stream=st.sampled_from(Stream), share=st.floats(0, 1))
    def store(self, stream: Stream, share: float) -> None:
        """The platform answers, perhaps less than before: it was restored."""
        sent = self.outbox.numbers(self.outbox.current, stream).sent
        self.outbox.stored(self.outbox.current, stream, int(sent * share), now=self.now)

    @rule(days=st.integers(0, 40))
    def live_on(self, days: int) -> None:
        self.now += days * DAY
        self.outbox.prune(now=self.now)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self._open(bytes_max=200_000 if self.is_small else 10_000_000)

    @rule()
    def crash(self) -> None:
        """Kill -9: what is on the disk is what a new process finds; the old one never closes its file."""
        self.lives += 1
        there = self.folder / f"life-{self.lives}"
        there.mkdir()
        for ending in ("", "-wal"):
            part = self.folder / f"outbox.db{ending}"
            if part.exists():
                shutil.copy(part, there / part.name)
        self.outbox.close()
        for ending in ("", "-wal", "-shm"):
            (self.folder / f"outbox.db{ending}").unlink(missing_ok=True)
        for part in there.iterdir():
            part.replace(self.folder / part.name)
        self._open(bytes_max=200_000 if self.is_small else 10_000_000)

    @precondition(lambda self: len(self.outbox.outboxes()) < 4)
    @rule()
    def old_card(self) -> None:
        old = {stream: self.outbox.numbers(self.outbox.current, stream) for stream in Stream}
        was = self.outbox.current
        self.outbox.turn_over(now=self.now)
        for stream, numbers in old.items():
            book = self.given.setdefault((was, stream), {})
            moved = [book.pop(n) for n in range(max(numbers.stored + 1, numbers.oldest), numbers.last + 1)]
            self.given[self.outbox.current, stream] = dict(enumerate(moved, start=1))

    @invariant()
    def what_is_held_is_what_was_kept(self) -> None:
        if not hasattr(self, "outbox"):
            return
        for (outbox, stream), book in self.given.items():
            if outbox not in self.outbox.outboxes():
                continue
            numbers = self.outbox.numbers(outbox, stream)
            held = {r.number: r.value for r in self.outbox.records(outbox, stream, 1, 2**40)}
            assert sorted(held) == list(range(numbers.oldest, numbers.last + 1)), "what is held has no hole"
            assert held == {number: book[number] for number in held}
            # What was stored for a month may be gone, and stays gone for a server that is restored after that.
            missing = book.keys() - held.keys() - self.gone.setdefault((outbox, stream), set())
            if stream is Stream.ALARMS or not self.is_small:
                assert all(number <= numbers.stored for number in missing), "not stored, yet let go"
            self.gone[outbox, stream] |= missing

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
        shutil.rmtree(self.folder)


TestBook = Book.TestCase
TestBook.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

"""What has this hub taken in, under which number, and what of it is not known to be stored?

One sqlite file (WAL, synchronous=FULL): what was committed outlives a power cut.  A *book* is the file's name
for one outbox id with its two streams.  Each stream's row counts its numbers and is raised in the same
transaction that keeps the records, so a number is never used twice, not even when everything is let go.  (Not
AUTOINCREMENT: that counts for a whole table, and a new outbox must begin at 1 or its start would be *lost*.)

Not for several threads; a lock file keeps a second process out.
"""

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from gateway.config import OutboxFile
from gateway.reading import ALARMS, Observation, SensorId
from gateway.wire import Record, Stream

_FORMAT: Final = 2

_SCHEMA: Final = """
CREATE TABLE book (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox TEXT NOT NULL UNIQUE
);
CREATE TABLE stream (
    book          INTEGER NOT NULL REFERENCES book (id),
    stream        TEXT    NOT NULL,
    last          INTEGER NOT NULL DEFAULT 0,  -- the highest number ever given
    sent          INTEGER NOT NULL DEFAULT 0,  -- the highest ever sent, written before it is sent
    stored        INTEGER NOT NULL DEFAULT 0,  -- stored through, as last answered
    aloud         INTEGER NOT NULL DEFAULT 0,  -- said aloud in the home, or stored in time, through here
    PRIMARY KEY (book, stream)
) WITHOUT ROWID;
CREATE TABLE record (
    book       INTEGER NOT NULL REFERENCES book (id),
    stream     TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    sensor     TEXT    NOT NULL,
    quantity   TEXT    NOT NULL,
    value      REAL    NOT NULL,
    wall_s     REAL    NOT NULL,
    boot       TEXT    NOT NULL,
    uptime_ms  INTEGER NOT NULL,
    may_repeat INTEGER NOT NULL,
    wall_unset INTEGER NOT NULL DEFAULT 0,  -- nothing had set the wall clock of its boot
    PRIMARY KEY (book, stream, number)
) WITHOUT ROWID;
CREATE TABLE stored_mark (  -- everything through here was stored before this hour ended
    book    INTEGER NOT NULL REFERENCES book (id),
    stream  TEXT    NOT NULL,
    hour    INTEGER NOT NULL,
    through INTEGER NOT NULL,
    PRIMARY KEY (book, stream, hour)
) WITHOUT ROWID;
CREATE TABLE last_value (  -- so that a restart does not take a repeated state for a new one
    sensor   TEXT NOT NULL,
    quantity TEXT NOT NULL,
    value    REAL NOT NULL,
    PRIMARY KEY (sensor, quantity)
) WITHOUT ROWID;
CREATE TABLE note (
    name TEXT PRIMARY KEY,
    said TEXT NOT NULL
) WITHOUT ROWID;
"""

_CHANGES: Final = {
    # From the format before it to each.  What a hub of format 1 kept was believed, and is.
    2: "ALTER TABLE record ADD COLUMN wall_unset INTEGER NOT NULL DEFAULT 0",
}

OLD_CARD: Final = "old card"
OUTBOX_LOST: Final = "outbox lost"
DISK_FULL: Final = "disk full"
DISK_UNWRITABLE: Final = "disk unwritable"

_TROUBLE_LASTS = timedelta(hours=24)
"""How long the hub reports an old card or a lost outbox: long enough that the fault is seen in any outage."""

_CLOCK_IS_SET_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
"""A hub whose clock is before this release was written does not know how old a record is; its age then says nothing."""

# Records let go at once: a transaction of about 100 kB (a record takes some 100 bytes), well inside the reserve.
_LET_GO_AT_ONCE = 1000

# The log is folded into the file after so many pages (256 kB).  On a full disk neither can grow, so the reserve
# must hold both what the log still owes to the file and the transaction that deletes.
_LOG_PAGES_MAX = 64
_SET_ASIDE_MAX = 3

_UNSTORED_ALARMS_MAX = 10_000

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# A card that wears out is mounted read-only by the kernel, or fails to write; letting go would not help.
_UNWRITABLE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


class NoRoom(Exception):
    """Nothing could be written: the disk is broken, or full with nothing left that may be let go."""


class OutboxLost(Exception):
    """The file cannot be read any more; open it again, and it is set aside and a new outbox started."""


class OutboxInUse(Exception):
    """Another process has this outbox open; this one must not start."""


class OutboxUnusable(Exception):
    """The file cannot be opened, or is a newer release's; go on in memory, and let someone look at this hub."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where one stream of one outbox stands.

    Attributes:
        oldest: the lowest number still held, stored or not; `last` + 1 if none is.
        last: the highest number ever given.
        sent: the highest number ever sent.
        stored: everything up to here is on the platform's disk, as last answered.
        aloud: alarms up to here were stored once or said aloud, and need not be said again.
    """

    oldest: int = 1
    last: int = 0
    sent: int = 0
    stored: int = 0
    aloud: int = 0

    @property
    def held(self) -> int:
        """Return how many are held that are not known to be stored."""
        return self.last - max(self.stored, self.oldest - 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """Which numbers were given to what was just kept: first and last of each stream, or None."""

    readings: tuple[int, int] | None
    alarms: tuple[int, int] | None


IN_MEMORY: Final = ":memory:"
"""A path for a hub whose disk is broken: alarms still go out, under an outbox of their own, until the power fails."""


class Outbox:
    """The hub's own book of what it sends."""

    def __init__(self, limits: OutboxFile, *, now: datetime) -> None:
        """Open the file, or begin one; set one aside that cannot be read.

        Raises:
            OutboxInUse: another process has it.
            OutboxUnusable: it cannot be opened, or was written by another release.
        """
        self._limits = limits
        self._path = Path(limits.path)
        self._is_in_memory = limits.path == IN_MEMORY
        self._reserve = self._path.with_name(self._path.name + ".reserve")
        self._last_room = self._path.with_name(self._path.name + ".alarms")
        self._lock = _locked(Path(os.devnull) if self._is_in_memory else self._path)
        self.let_go_unstored = 0
        self._is_unwritable = self._is_full = False
        self._numbers: dict[tuple[str, Stream], Numbers] = {}
        self._books: dict[str, int] = {}
        try:
            self._open_on_any_disk(now)
        except (sqlite3.DatabaseError, OSError, NoRoom, _DiskFull, OutboxUnusable) as why:
            self._lock.close()
            raise OutboxUnusable(f"{self._path} cannot be used: {why}") from None
        self._refill_reserve()

    def _open_on_any_disk(self, now: datetime) -> None:
        """Open the file; on a full disk in the room that was put aside, because sqlite needs some even to read."""
        try:
            self._open(now)
        except (sqlite3.DatabaseError, NoRoom, _DiskFull):
            if not (self._reserve.exists() or self._last_room.exists()):
                raise
            for room in (self._reserve, self._last_room):
                room.unlink(missing_ok=True)
            self._open(now)

    def _open(self, now: datetime) -> None:
        try:
            self._db = _opened(self._path, self._limits)
        except sqlite3.DatabaseError as why:
            if not _is_corrupt(why):
                raise
            _set_aside(self._path, now)
            self._db = _opened(self._path, self._limits)
            self._raise_trouble(OUTBOX_LOST, now)
        with self._changing():
            self._load()
            if not self._books:
                self._begin_book()

    @property
    def current(self) -> str:
        """Return the id of the outbox that gives new numbers."""
        return next(reversed(self._books))

    def outboxes(self) -> tuple[str, ...]:
        """Return the ids of all outboxes of which something is still held, and the current one; it is the last."""
        return tuple(self._books)

    def numbers(self, outbox: str, stream: Stream) -> Numbers:
        """Return where a stream stands.

        Raises:
            KeyError: there is no such outbox here.
        """
        return self._numbers[outbox, stream]

    def held(self, stream: Stream) -> int:
        """Return how many records of a stream are not known to be stored, in all outboxes."""
        return sum(numbers.held for (_, of), numbers in self._numbers.items() if of is stream)

    def keep(
        self,
        observations: Sequence[Observation],
        *,
        boot: str,
        note: tuple[str, str] | None = None,
        is_wall_unset: bool = False,
    ) -> Kept:
        """Write observations down under new numbers, on the disk, before this returns.

        Args:
            observations: in the order in which they shall be numbered; alarms and readings may be mixed.
            boot: in which boot they were observed.
            is_wall_unset: nothing has set the wall clock of that boot.
            note: a name and what to remember under it, in the same transaction.

        Raises:
            NoRoom: the disk is full of what may not be let go; nothing was kept.  Alarms by themselves have room that
                was put aside for them.
            OutboxLost: the file broke; nothing was kept.
        """

        def write() -> Kept:
            with self._changing():
                kept = self._write(observations, boot, is_wall_unset=is_wall_unset)
                if note is not None:
                    self._note(*note)
                return kept

        while True:
            try:
                return write()
            except _DiskFull:
                try:
                    self._make_room()
                except NoRoom:
                    if any(seen.quantity not in ALARMS for seen in observations):
                        raise
                    return self._in_the_last_room(write)

    def records(self, outbox: str, stream: Stream, first: int, last: int) -> tuple[Record, ...]:
        """Return the records with these numbers, both ends counting, as far as they are held, in order."""
        with self._asking():
            rows = self._db.execute(
                "SELECT number, sensor, quantity, value, wall_s, boot, uptime_ms, may_repeat, wall_unset FROM record"
                " WHERE book = ? AND stream = ? AND number BETWEEN ? AND ? ORDER BY number",
                (self._books[outbox], stream, first, last),
            ).fetchall()
        return tuple(
            Record(number, SensorId(sensor), quantity, value, wall_s, boot, uptime_ms, bool(may_repeat), bool(unset))
            for number, sensor, quantity, value, wall_s, boot, uptime_ms, may_repeat, unset in rows
        )

    def unstored_alarms(self) -> tuple[Record, ...]:
        """Return the alarms that are not known to be stored, as far as they can still be read: the newest 10,000."""
        found: list[Record] = []
        with contextlib.suppress(NoRoom, OutboxLost):
            for outbox in self._books:
                numbers = self._numbers[outbox, Stream.ALARMS]
                found += self.records(outbox, Stream.ALARMS, numbers.stored + 1, numbers.last)
        return tuple(found[-_UNSTORED_ALARMS_MAX:])

    def take_over(self, alarms: Sequence[Record]) -> None:
        """Keep alarms of an outbox that is of no use any more, under numbers of this one, as possibly repeated.

        Raises:
            NoRoom: there is no room for them; none was kept.
            OutboxLost: the file broke; none was kept.
        """
        with self._changing_or_no_room():
            numbers = self._numbers[self.current, Stream.ALARMS]
            again = [replace(r, number=n, may_repeat=True) for n, r in enumerate(alarms, start=numbers.last + 1)]
            self._insert(Stream.ALARMS, again)
            self._put(self.current, Stream.ALARMS, replace(numbers, last=numbers.last + len(again)))

    def will_send(self, outbox: str, stream: Stream, through: int) -> None:
        """Write down, before it is sent, that everything up to a number may have been sent.

        An alarm does not wait for a disk that cannot be written.  Should a restart forget that it was sent, the card
        seems an old one, and the alarm is told again, marked.

        Raises:
            NoRoom: it cannot be written down, so these readings must not be sent.
            OutboxLost: the file broke.
        """
        numbers = self._numbers[outbox, stream]
        if through <= numbers.sent:
            return
        sent = min(through, numbers.last)
        try:
            self._set(outbox, stream, replace(numbers, sent=sent))
        except NoRoom:
            if stream is Stream.READINGS:
                raise
            self._numbers[outbox, stream] = replace(self._numbers[outbox, stream], sent=sent)

    def stored(self, outbox: str, stream: Stream, through: int, *, now: datetime) -> None:
        """Take in that everything up to a number is on the platform's disk: higher than before, or lower again.

        Raises:
            NoRoom: it cannot be written down; it will be answered again.
            OutboxLost: the file broke.
        """
        numbers = self._numbers[outbox, stream]
        # Of an old outbox the platform may have more than this card ever sent.  Once is enough to be told of that.
        sent = numbers.sent if outbox == self.current else max(numbers.sent, through)
        through = min(through, numbers.last)
        if (through, sent) == (numbers.stored, numbers.sent):
            return
        hour = int(now.timestamp() // 3600)
        with self._changing_or_no_room():
            key = (self._books[outbox], stream)
            self._db.execute(
                "UPDATE stored_mark SET through = min(through, ?) WHERE book = ? AND stream = ?", (through, *key)
            )
            self._db.execute(
                "INSERT INTO stored_mark (book, stream, hour, through) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET through = excluded.through",
                (*key, hour, through),
            )
            aloud = max(numbers.aloud, through)
            self._put(outbox, stream, replace(numbers, sent=sent, stored=through, aloud=aloud))

    def said_aloud(self, outbox: str, through: int) -> None:
        """Write down that the home was told of the alarms up to a number.

        Raises:
            NoRoom: it cannot be written down.
            OutboxLost: the file broke.
        """
        numbers = self._numbers[outbox, Stream.ALARMS]
        self._set(outbox, Stream.ALARMS, replace(numbers, aloud=max(numbers.aloud, through)))

    def answered_too_high(self, outbox: str, stream: Stream, through: int) -> bool:
        """Return whether the platform has more of the current outbox than this file ever sent: an old card."""
        return outbox == self.current and through > self._numbers[outbox, stream].sent

    def turn_over(self, *, now: datetime) -> None:
        """Begin a new outbox, because the platform knows numbers of the current one that this file never sent.

        The card was put back, or copied.  What is not known to be stored gets new numbers, marked as possibly
        repeated; the rest keeps its outbox and numbers, so that it can be sent from there to a restored server.

        Raises:
            NoRoom: there is no room for it; nothing was changed.
            OutboxLost: the file broke.
        """
        while True:
            try:
                with self._changing():
                    self._turn_over()
                    self._raise_trouble(OLD_CARD, now)
                    return
            except _DiskFull:
                self._make_room()

    def prune(self, *, now: datetime) -> None:
        """Let go what was stored long enough ago, and the oldest of what is stored beyond its share of the disk.

        Raises:
            OutboxLost: the file broke.
        """
        with contextlib.suppress(_DiskFull, NoRoom):
            self._prune_by_age(now)
            while self._bytes_used() > self._limits.stored_bytes_max and self._let_go_stored():
                pass
            self._forget_empty_books()
            self._look_for_room()
        self._refill_reserve()

    def troubles(self, *, now: datetime) -> tuple[str, ...]:
        """Return what is wrong with the outbox itself, for the heartbeat."""
        lasting = [
            name
            for name in (OLD_CARD, OUTBOX_LOST)
            if (since := self.recall(f"trouble {name}")) and now - datetime.fromisoformat(since) < _TROUBLE_LASTS
        ]
        if self._is_unwritable or self._is_in_memory:
            lasting.append(DISK_UNWRITABLE)
        elif self._is_full:
            lasting.append(DISK_FULL)
        return tuple(lasting)

    def last_values(self) -> dict[tuple[SensorId, str], float]:
        """Return what each sensor last said of each quantity, alarms left out, as far as it was ever kept."""
        with self._asking():
            rows = self._db.execute("SELECT sensor, quantity, value FROM last_value").fetchall()
        return {(SensorId(sensor), quantity): value for sensor, quantity, value in rows}

    def remember(self, name: str, said: str) -> None:
        """Write one thing down under a name.

        Raises:
            NoRoom: it cannot be written down.
            OutboxLost: the file broke.
        """
        with self._changing_or_no_room():
            self._note(name, said)

    def recall(self, name: str) -> str | None:
        """Return what was written down under a name, or None."""
        with self._asking():
            row = self._db.execute("SELECT said FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    # What follows runs inside the transactions above.

    def _write(self, observations: Sequence[Observation], boot: str, *, is_wall_unset: bool) -> Kept:
        given: dict[Stream, tuple[int, int] | None] = dict.fromkeys(Stream)
        for stream in Stream:
            mine = [o for o in observations if (o.quantity in ALARMS) == (stream is Stream.ALARMS)]
            if not mine:
                continue
            numbers = self._numbers[self.current, stream]
            first, last = numbers.last + 1, numbers.last + len(mine)
            given[stream] = (first, last)
            records = [_record(o, boot, number) for number, o in enumerate(mine, start=first)]
            self._insert(stream, [replace(r, is_wall_unset=True) for r in records] if is_wall_unset else records)
            self._put(self.current, stream, replace(numbers, last=last))
        self._db.executemany(
            "INSERT INTO last_value (sensor, quantity, value) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            [(o.sensor, o.quantity, o.value) for o in observations if o.quantity not in ALARMS],
        )
        return Kept(given[Stream.READINGS], given[Stream.ALARMS])

    def _insert(self, stream: Stream, records: Sequence[Record]) -> None:
        book = self._books[self.current]
        self._db.executemany(
            "INSERT INTO record (book, stream, number, sensor, quantity, value, wall_s, boot, uptime_ms, may_repeat,"
            " wall_unset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(book, stream, r.number, r.sensor, r.quantity, r.value, r.wall_s, r.boot, r.uptime_ms),
                    *(r.may_repeat, r.is_wall_unset),
                )
                for r in records
            ],
        )

    def _turn_over(self) -> None:
        """Begin a new book; what was let go though it was not stored keeps its place, so that it is told as lost."""
        old = self.current
        self._begin_book()
        for stream in Stream:
            numbers = self._numbers[old, stream]
            gone = max(0, numbers.oldest - numbers.stored - 1) if numbers.held else 0
            moving = self.records(old, stream, max(numbers.stored + 1, numbers.oldest), numbers.last)
            self._db.execute(
                "DELETE FROM record WHERE book = ? AND stream = ? AND number > ?",
                (self._books[old], stream, numbers.stored),
            )
            again = [replace(r, number=number, may_repeat=True) for number, r in enumerate(moving, start=gone + 1)]
            self._insert(stream, again)
            told = sum(1 for r in moving if r.number <= numbers.aloud)
            aloud = gone + told if told else 0
            self._put(self.current, stream, Numbers(oldest=gone + 1, last=gone + len(again), aloud=aloud))
            oldest = min(numbers.oldest, numbers.stored + 1)
            self._put(old, stream, replace(numbers, last=numbers.stored, oldest=oldest))

    def _begin_book(self) -> None:
        outbox = secrets.token_hex(16)
        book = self._db.execute("INSERT INTO book (outbox) VALUES (?)", (outbox,)).lastrowid
        assert book is not None
        self._books[outbox] = book
        for stream in Stream:
            self._put(outbox, stream, Numbers())

    def _put(self, outbox: str, stream: Stream, numbers: Numbers) -> None:
        self._db.execute(
            "INSERT INTO stream (book, stream, last, sent, stored, aloud) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET last = excluded.last, sent = excluded.sent, stored = excluded.stored,"
            " aloud = excluded.aloud",
            (self._books[outbox], stream, numbers.last, numbers.sent, numbers.stored, numbers.aloud),
        )
        self._numbers[outbox, stream] = numbers

    def _set(self, outbox: str, stream: Stream, numbers: Numbers) -> None:
        with self._changing_or_no_room():
            self._put(outbox, stream, numbers)

    def _note(self, name: str, said: str) -> None:
        self._db.execute(
            "INSERT INTO note (name, said) VALUES (?, ?) ON CONFLICT DO UPDATE SET said = excluded.said", (name, said)
        )

    def _raise_trouble(self, name: str, now: datetime) -> None:
        self._note(f"trouble {name}", now.isoformat())

    def _load(self) -> None:
        """Read back what stands in the file; what is in memory may be of a transaction that did not happen."""
        self._books = dict(self._db.execute("SELECT outbox, id FROM book ORDER BY id").fetchall())
        names = {book: outbox for outbox, book in self._books.items()}
        self._numbers = {}
        for book, stream, last, sent, stored, aloud in self._db.execute(
            "SELECT book, stream, last, sent, stored, aloud FROM stream"
        ).fetchall():
            (oldest,) = self._db.execute(
                "SELECT min(number) FROM record WHERE book = ? AND stream = ?", (book, stream)
            ).fetchone()
            held_from = last + 1 if oldest is None else oldest
            self._numbers[names[book], Stream(stream)] = Numbers(held_from, last, sent, stored, aloud)

    # Letting go.

    def _make_room(self) -> None:
        """Let something go on a full disk: what is stored, then the oldest unstored readings, unstored alarms never.

        1. From now on the file grows no more: what the reserve gives back is for deleting, not for new records.
        2. Delete; if there is no room even for that, give the reserve up, fold the log, and delete then.
        3. Put the reserve aside again.

        Raises:
            NoRoom: there is nothing that may be let go.
        """
        self._is_full = True
        try:
            self._let_something_go()
        except _DiskFull:
            self._reserve.unlink(missing_ok=True)
            try:
                self._fold_log()
                self._let_grow(to_bytes=0)
                self._let_something_go()
                self._fold_log()
            except _DiskFull:
                raise NoRoom("the disk is too full even to delete") from None
            finally:
                self._refill_reserve()

    def _in_the_last_room(self, write: Callable[[], Kept]) -> Kept:
        """Return what writes alarms, in the room that was put aside for them; readings find none there.

        Raises:
            NoRoom: that is full, too.
        """
        self._last_room.unlink(missing_ok=True)
        self._let_grow(to_bytes=self._limits.bytes_max + self._limits.reserve_bytes)
        try:
            return write()
        except _DiskFull:
            raise NoRoom("the disk is full, also of alarms") from None
        finally:
            self._let_grow(to_bytes=0)

    def _let_something_go(self) -> None:
        if self._let_go_stored():
            return
        gone = self._let_go_unstored()
        if not gone:
            raise NoRoom("the disk is full and holds only what may not be let go")
        self.let_go_unstored += gone

    def _fold_log(self) -> None:
        with self._asking():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _let_grow(self, *, to_bytes: int) -> None:
        """Bound the file; sqlite takes a bound below the present size as that size."""
        with self._asking():
            _bound(self._db, to_bytes)

    def _look_for_room(self) -> None:
        """Let the file grow again once there is room on the disk, and within its own bound."""
        if self._is_in_memory or not self._is_full:
            return
        disk = os.statvfs(self._path.parent)
        is_roomy = disk.f_bavail * disk.f_frsize > 2 * self._limits.reserve_bytes
        if is_roomy and self._bytes_used() + self._limits.reserve_bytes < self._limits.bytes_max:
            self._let_grow(to_bytes=self._limits.bytes_max)
            self._is_full = False

    def _let_go_stored(self) -> int:
        """Let go some of the oldest of what is stored, readings before alarms, and return how many.

        The last that is stored stays until it is old: should the platform be put back to before it, its pack tells
        what was let go.  No other record may ever follow it, in a book that is written no more.
        """
        for stream in (Stream.READINGS, Stream.ALARMS):
            for outbox in self._books:
                numbers = self._numbers[outbox, stream]
                through = min(numbers.stored - 1, numbers.oldest + _LET_GO_AT_ONCE - 1)
                if through >= numbers.oldest:
                    return self._let_go(outbox, stream, through)
        return 0

    def _let_go_unstored(self) -> int:
        """Let go some of the oldest readings though they are not stored, and return how many.

        The last of each outbox stays until it is stored: its pack tells the platform what was lost before it.
        """
        for outbox in self._books:
            numbers = self._numbers[outbox, Stream.READINGS]
            through = min(numbers.last - 1, numbers.oldest + _LET_GO_AT_ONCE // 4 - 1)
            if through >= numbers.oldest:
                return self._let_go(outbox, Stream.READINGS, through)
        return 0

    def _let_go(self, outbox: str, stream: Stream, through: int) -> int:
        numbers = self._numbers[outbox, stream]
        with self._changing():
            gone = self._db.execute(
                "DELETE FROM record WHERE book = ? AND stream = ? AND number <= ?",
                (self._books[outbox], stream, through),
            ).rowcount
            self._numbers[outbox, stream] = replace(numbers, oldest=max(numbers.oldest, through + 1))
        return gone

    def _prune_by_age(self, now: datetime) -> None:
        until = int((now - timedelta(days=self._limits.stored_days)).timestamp() // 3600)
        since = int(_CLOCK_IS_SET_AFTER.timestamp() // 3600)
        for (outbox, stream), numbers in list(self._numbers.items()):
            key = (self._books[outbox], stream)
            with self._asking():
                (through,) = self._db.execute(
                    "SELECT max(through) FROM stored_mark WHERE book = ? AND stream = ? AND hour BETWEEN ? AND ?",
                    (*key, since, until - 1),
                ).fetchone()
            if through is not None and numbers.oldest <= min(through, numbers.stored):
                self._let_go(outbox, stream, min(through, numbers.stored))
        with self._changing():
            self._db.execute("DELETE FROM stored_mark WHERE hour BETWEEN ? AND ?", (since, until - 1))

    def _forget_empty_books(self) -> None:
        """Forget the outboxes of which nothing is held, except the one in use."""
        empty = [
            outbox
            for outbox in self._books
            if outbox != self.current
            and all(self._numbers[outbox, s].oldest > self._numbers[outbox, s].last for s in Stream)
        ]
        for outbox in empty:
            with self._changing():
                for table in ("stored_mark", "stream"):
                    self._db.execute(f"DELETE FROM {table} WHERE book = ?", (self._books[outbox],))  # noqa: S608 -- two words of ours
                self._db.execute("DELETE FROM book WHERE id = ?", (self._books[outbox],))
                self._load()

    def _bytes_used(self) -> int:
        with self._asking():
            pages, free, size = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def _refill_reserve(self) -> None:
        """Put room aside, if there is enough of it: for deleting first, then for alarms.

        The files are written, not only made long, because a hole in a file is no room.
        """
        if self._is_in_memory:
            return
        for room in (self._reserve, self._last_room):
            if room.exists():
                continue
            try:
                with room.open("wb") as file:
                    file.write(b"\0" * self._limits.reserve_bytes)
                    os.fsync(file.fileno())
            except OSError:
                room.unlink(missing_ok=True)
                return

    # Transactions.

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as why:
            raise _named(why) from why

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Commit what is done inside, or nothing of it, in the file and in memory."""
        before = (dict(self._numbers), dict(self._books))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
            self._is_unwritable = False
        except BaseException as why:
            self._numbers, self._books = before
            with contextlib.suppress(sqlite3.DatabaseError):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            if isinstance(why, sqlite3.DatabaseError):
                self._is_unwritable = _code(why) in _UNWRITABLE
                raise _named(why) from why
            raise

    @contextlib.contextmanager
    def _changing_or_no_room(self) -> Iterator[None]:
        try:
            with self._changing():
                yield
        except _DiskFull:
            self._make_room()
            raise NoRoom("the disk is full") from None


class _DiskFull(Exception):
    """Sqlite has no room to write."""


def _named(why: sqlite3.DatabaseError) -> Exception:
    if _is_corrupt(why):
        return OutboxLost(str(why))
    if _code(why) == sqlite3.SQLITE_FULL:
        return _DiskFull(str(why))
    return NoRoom(f"the disk cannot be written: {why}") if _code(why) in _UNWRITABLE else why


def _is_corrupt(why: sqlite3.DatabaseError) -> bool:
    return _code(why) in _CORRUPT


def _code(why: sqlite3.DatabaseError) -> int:
    """Return sqlite's primary result code; the rest of it says only where it happened."""
    return getattr(why, "sqlite_errorcode", 0) & 0xFF


def _record(seen: Observation, boot: str, number: int) -> Record:
    return Record(number, seen.sensor, seen.quantity.value, seen.value, seen.wall_at.timestamp(), boot, seen.uptime_ms)


def _locked(path: Path) -> IO[bytes]:
    """Return the lock of this outbox, held until it is closed; one in memory needs none."""
    is_needed = path != Path(os.devnull)
    try:
        lock = (path.with_name(path.name + ".lock") if is_needed else path).open("wb")
    except OSError as why:
        raise OutboxUnusable(f"{path} cannot be opened: {why}") from None
    try:
        if is_needed:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise OutboxInUse(f"another process has {path} open") from None
    return lock


def _opened(path: Path, limits: OutboxFile) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES_MAX}")
        _bound(db, limits.bytes_max)
        # A card that loses bits must be found before its numbers are trusted.  About 5 s for 200 MB from a slow card.
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _corrupt(str(verdict))
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT;")
        elif version > _FORMAT:
            raise OutboxUnusable(f"{path} was written by another release (format {version}, ours is {_FORMAT})")
        for to in range(version + 1, _FORMAT + 1) if version else ():
            db.executescript(f"BEGIN; {_CHANGES[to]}; PRAGMA user_version = {to}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _bound(db: sqlite3.Connection, file_bytes: int) -> None:
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    db.execute(f"PRAGMA max_page_count = {max(32, file_bytes // page_bytes)}").fetchall()


def _corrupt(verdict: str) -> sqlite3.DatabaseError:
    why = sqlite3.DatabaseError(verdict)
    why.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return why


def _set_aside(path: Path, now: datetime) -> None:
    """Rename a broken file, with its log, so that someone may look at it and a new one can begin."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    earlier = sorted(path.parent.glob(f"{path.name}.broken-*"))
    for old in earlier[: max(0, len(earlier) - 2 * (_SET_ASIDE_MAX - 1))]:
        old.unlink(missing_ok=True)
    for ending in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(path.with_name(f"{path.name}.broken-{stamp}{ending}"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)

"""What has each hub ever taken in?  Read from the cards themselves, before anything is done to them.

The cards are the hubs' own books: what stands there the platform must have, once.  What was only on a card that was
destroyed is listed apart.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_RECORDS: Final = """
    SELECT book.outbox, stream, number, sensor, quantity, value, wall_s, record.boot, uptime_ms, may_repeat
    FROM record JOIN book ON book.id = record.book
"""
_UNSTORED: Final = """
    SELECT count(*) FROM stream JOIN book ON book.id = stream.book
    WHERE stored < last AND EXISTS (SELECT 1 FROM record WHERE record.book = stream.book
        AND record.stream = stream.stream AND record.number > stream.stored)
"""
_STORED: Final = "SELECT book.outbox, stream, stored FROM stream JOIN book ON book.id = stream.book"


_Cardless = tuple[str, datetime, datetime]
"""A hub, and from when until when it may have gone on without a card."""

_LATE: Final = timedelta(minutes=5)
"""So much earlier it may have been said, since a hub that is started on its small disk is away for some seconds; and
so far from when it was said the table may have it, for what was held up is placed by when it arrived. Ours."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that a hub took in, whatever number it was given.

    Attributes:
        at: by the hub's wall clock.
        boot: in which it was seen, with `uptime_ms`: no two things of a hub share all of these.
    """

    home: str
    hub: str
    sensor: str
    quantity: str
    value: float
    at: datetime
    boot: str
    uptime_ms: int


@dataclass(frozen=True, slots=True)
class Number:
    """What a hub called it: see the outbox's own words."""

    hub: str
    outbox: str
    stream: str
    number: int


class Cards:
    """Everything that was ever seen on a card."""

    def __init__(self) -> None:
        self.numbers: dict[Seen, set[Number]] = {}
        self.gone: set[Seen] = set()
        self.cardless: list[_Cardless] = []
        self._cardless_in_the_table_alone: list[_Cardless] = []
        self._cardless_gone: list[_Cardless] = []
        self._in_the_table_alone: set[Seen] = set()
        self.odd_boots: set[str] = set()

    def is_odd(self, seen: Seen) -> bool:
        """Return whether something was seen while its hub's clock was wrong, so that its time says nothing."""
        return seen.boot in self.odd_boots

    def read(self, home: str, hub: str, card: Path) -> None:
        """Take down everything that stands on a card now."""
        for seen, number, _ in _on(home, hub, card):
            self.numbers.setdefault(seen, set()).add(number)

    def boots(self, hub: str) -> set[str]:
        """Return the boots in which a hub saw anything, as far as was read."""
        return {seen.boot for seen in self.numbers if seen.hub == hub}

    def is_destroyed(self, home: str, hub: str, card: Path, instead: Path, table: Mapping[tuple[str, str], int]) -> int:
        """Take down what goes with a card that another takes the place of, and return how much that is.

        What was not known to be stored, and is not on the other one either, nobody can send any more.  What was stored
        now stands in the table alone.

        Args:
            home: whose hub it is.
            hub: which.
            card: that goes.
            instead: that takes its place.
            table: through which number of each outbox and stream everything is in the table.
        """
        self.read(home, hub, card)
        stays = {seen for seen, _, _ in _on(home, hub, instead)}
        going = {
            seen: is_stored and of.number <= table.get((of.outbox, of.stream), 0)
            for seen, of, is_stored in _on(home, hub, card)
            if seen not in stays
        }
        self._in_the_table_alone |= going.keys()
        unstored = {seen for seen, is_stored in going.items() if not is_stored}
        self.gone |= unstored
        return len(unstored)

    def is_backed_up(self) -> None:
        """Take down that the table was copied: what only stood there stands in the copy, too."""
        self._in_the_table_alone.clear()
        self._cardless_in_the_table_alone.clear()

    def is_put_back(self) -> None:
        """Take down that the table is the copy again: what only stood in it since is gone with it."""
        self.gone |= self._in_the_table_alone
        self._in_the_table_alone.clear()
        self._cardless_gone += self._cardless_in_the_table_alone
        self._cardless_in_the_table_alone.clear()

    def had_no_card(self, hub: str, since: datetime, until: datetime) -> None:
        """Take down that a hub may have gone on without a card, whose book nobody can read: its disk was full."""
        self.cardless.append((hub, since, until))
        self._cardless_in_the_table_alone.append((hub, since, until))

    def may_be_cardless(self, hub: str, at: datetime) -> bool:
        """Return whether a hub may have taken something in without writing it on a card."""
        return any(hub == of and since - _LATE <= at <= until + _LATE for of, since, until in self.cardless)

    def went_without_a_card(self, hub: str, at: datetime) -> bool:
        """Return whether what a hub took in then may have stood in the table alone, and is gone with it."""
        return any(hub == of and since - _LATE <= at <= until for of, since, until in self._cardless_gone)


def _on(home: str, hub: str, card: Path) -> Iterable[tuple[Seen, Number, bool]]:
    """Return what stands on a card: what was seen, under which number, and whether the hub knows that it is stored."""
    with contextlib.closing(_opened(card)) as db:
        stored = {(outbox, stream): through for outbox, stream, through in db.execute(_STORED)}
        rows = db.execute(_RECORDS).fetchall()
    for outbox, stream, number, sensor, quantity, value, wall_s, boot, uptime_ms, _ in rows:
        at = datetime.fromtimestamp(wall_s, UTC)
        seen = Seen(home, hub, sensor, quantity, value, at, boot, uptime_ms)
        yield seen, Number(hub, outbox, stream, number), number <= stored[outbox, stream]


def is_settled(card: Path) -> bool:
    """Return whether a hub knows of everything on its card that it is stored."""
    with contextlib.closing(_opened(card)) as db:
        return bool(db.execute(_UNSTORED).fetchone()[0] == 0)


def last_numbers(card: Path) -> dict[tuple[str, str], int]:
    """Return the highest number that a card ever gave, by outbox and stream."""
    with contextlib.closing(_opened(card)) as db:
        rows = db.execute("SELECT book.outbox, stream, last FROM stream JOIN book ON book.id = stream.book")
        return {(outbox, stream): last for outbox, stream, last in rows}


def _opened(card: Path) -> sqlite3.Connection:
    # To read alone: a hub that runs writes on, and one that was killed finds its log as it left it.
    return sqlite3.connect(f"file:{card}?mode=ro", uri=True, timeout=10)

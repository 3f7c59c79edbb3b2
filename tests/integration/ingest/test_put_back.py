"""Does a database that was put back come to know of everything that a hub no longer has?"""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config import OutboxFile
from gateway.outbox import Outbox
from gateway.reading import HubId, Observation, Quantity, SensorId
from gateway.wire import (
    PACK_RECORDS_MAX,
    Ask,
    Header,
    Leaf,
    Record,
    Stored,
    Stream,
    encode_message,
    encode_pack,
    topic,
)
from ingest import devices
from ingest.admission import TOLERANCE
from ingest.arrivals import Delivery, read
from ingest.db.pool import connect, open_pool
from ingest.intake import Kept, Memory, Rules, take_in
from ingest.lanes import Lanes, new_owner
from ingest.store import Database as Store
from tests.world.database import Database, drop_database

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HUB, HOME = "hub-1", "rose-cottage"


@dataclass
class Ingest:
    """Ingest's own intake and store, spoken to without a broker."""

    store: Store
    lane: int

    async def hears(self, leaf: Leaf, payload: bytes) -> list[Stored]:
        """Take in one message, and return what the hub is answered."""
        answers: list[Stored] = []

        def answer(kept: Kept) -> None:
            answers.extend(one.stored for one in kept.answers)

        came = read(Delivery(topic(self.lane, HubId(HUB), leaf), payload, NOON))
        await take_in([came], self.store, answer)
        return answers


@asynccontextmanager
async def ingest_of(dsn: str) -> AsyncIterator[Ingest]:
    """Serve a database's lanes until the block ends."""
    pool = await open_pool(dsn, name="ingest")
    async with pool:
        lanes = Lanes(new_owner(), lease=timedelta(0))
        async with pool.connection() as conn:
            await lanes.claim(conn)
        rules = Rules(TOLERANCE, timedelta(0))
        unbroken = dict.fromkeys(range(64), NOON - timedelta(days=1))
        store = Store(pool, lanes, Memory(), rules=lambda: rules, unbroken_since=lambda: unbroken)
        yield Ingest(store, devices.lane_of(HOME))


class Hub:
    """A hub's real book on a small card, which may be copied and put back."""

    def __init__(self, folder: Path) -> None:
        self._card, self._copy = folder / "card", folder / "copy"
        self._card.mkdir()
        self._limits = OutboxFile(path=str(self._card / "outbox.db"), bytes_max=160_000, reserve_bytes=8192)
        self.outbox = Outbox(self._limits, now=NOON)

    def keeps(self, many: int) -> None:
        warm = Observation(SensorId("hall"), Quantity.TEMPERATURE_C, 20.0, NOON, 1)
        self.outbox.keep([warm] * many, boot="boot")

    def copies_card(self) -> None:
        self.outbox.close()
        shutil.copytree(self._card, self._copy)
        self.outbox = Outbox(self._limits, now=NOON)

    def puts_copy_back(self) -> None:
        self.outbox.close()
        shutil.rmtree(self._card)
        shutil.copytree(self._copy, self._card)
        self.outbox = Outbox(self._limits, now=NOON)

    async def talks(self, ingest: Ingest) -> None:
        """Ask and send until all that it has is stored, as its publisher does."""
        for box in self.outbox.outboxes():
            for stream in Stream:
                through = await self._asks(ingest, box, stream)
                if self.outbox.answered_too_high(box, stream, through):
                    self.outbox.turn_over(now=NOON)
                    return await self.talks(ingest)
                self.outbox.stored(box, stream, through, now=NOON)
                while await self._sends(ingest, box, stream):
                    pass
        return None

    async def _asks(self, ingest: Ingest, box: str, stream: Stream) -> int:
        readings, alarms = (self.outbox.numbers(box, one).sent for one in (Stream.READINGS, Stream.ALARMS))
        ask = Ask(box, readings, alarms, NOON.timestamp(), "boot", 1)
        (answer,) = [a for a in await ingest.hears(Leaf.ASK, encode_message(ask)) if a.stream is stream]
        return answer.through

    async def _sends(self, ingest: Ingest, box: str, stream: Stream) -> bool:
        numbers = self.outbox.numbers(box, stream)
        first = max(numbers.stored + 1, numbers.oldest)
        records = self.outbox.records(box, stream, first, first + PACK_RECORDS_MAX - 1)
        if not records:
            return False
        last = records[-1].number
        self.outbox.will_send(box, stream, last)
        header = Header(box, stream, first, last, numbers.oldest, NOON.timestamp(), "boot", 1)
        (answer,) = await ingest.hears(Leaf(stream), encode_pack(header, records))
        self.outbox.stored(box, stream, answer.through, now=NOON)
        return True


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    """Give a hub that the platform knows."""
    with connect(database.dsn, name="test") as conn:
        devices.add_home(conn, HOME, now=NOON)
        devices.add_hub(conn, HUB, HOME, ("x", "y"), now=NOON)
    made = Hub(tmp_path)
    yield made
    made.outbox.close()


@pytest.fixture
def backup(database: Database) -> Iterator[Callable[[], str]]:
    """Give what copies the database as it is now, and returns the copy's address."""
    name = f"{database.name}_before"
    yield lambda: database.server.create_database(name, template=database.name)
    drop_database(database.server, name)


async def test_what_a_full_disk_let_go_of_an_old_book_is_written_down_as_lost(
    database: Database, hub: Hub, backup: Callable[[], str]
) -> None:
    """An old card began a new book, a full disk let the old one go, and then the database was put back to before it.

    `telecare chaos --seed 20003` found it: 36 readings were gone, and nobody knew that they had ever been.
    """
    old = hub.outbox.current
    async with ingest_of(database.dsn) as ingest:
        hub.keeps(20)
        await hub.talks(ingest)
    before = backup()
    async with ingest_of(database.dsn) as ingest:
        hub.keeps(40)
        await hub.talks(ingest)
        hub.copies_card()
        hub.keeps(5)  # Only on the newer card.
        await hub.talks(ingest)
        hub.puts_copy_back()
        await hub.talks(ingest)
        assert hub.outbox.current != old
        while any(record.number < 60 for record in held(hub, old)):
            hub.keeps(100)
            await hub.talks(ingest)
            hub.outbox.prune(now=NOON)

    async with ingest_of(before) as ingest:
        await hub.talks(ingest)

    with connect(before, name="test") as conn:
        lost = conn.execute("SELECT first, last FROM lost_range WHERE outbox = %s", (old,)).fetchall()
        through = conn.execute("SELECT max(stored_through) FROM stream WHERE outbox = %s", (old,)).fetchall()
    assert lost == [(21, 59)]
    assert through == [(60,)]


def held(hub: Hub, box: str) -> tuple[Record, ...]:
    """Return what a hub holds of the readings of a book; nothing of one that it has forgotten."""
    return hub.outbox.records(box, Stream.READINGS, 1, 60) if box in hub.outbox.outboxes() else ()

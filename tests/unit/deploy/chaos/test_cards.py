"""Is what stood on a card known, and what went with one?  The hub's own outbox writes the cards."""

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.chaos import cards
from deploy.chaos.cards import Cards
from gateway.config import OutboxFile
from gateway.outbox import Outbox
from gateway.reading import Observation, Quantity, SensorId
from gateway.wire import Stream

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)


def take_in(card: Path, *minutes: int, stored: int = 0) -> None:
    """Let a hub take in a movement at each of these minutes, and be told up to where they are stored."""
    with closing(Outbox(OutboxFile(path=str(card), reserve_bytes=4096), now=NINE)) as outbox:
        for minute in minutes:
            moment = NINE + timedelta(minutes=minute)
            outbox.keep([Observation(SensorId("hall"), Quantity.MOVEMENT, 1.0, moment, minute)], boot="boot")
        outbox.will_send(outbox.current, Stream.READINGS, stored)
        outbox.stored(outbox.current, Stream.READINGS, stored, now=NINE)


def through(card: Path) -> tuple[str, str]:
    """Return the one stream of readings on a card, as the table would name it."""
    return next(key for key in cards.last_numbers(card) if key[1] == Stream.READINGS.value)


def test_everything_on_a_card_is_seen_with_its_number(tmp_path: Path) -> None:
    """The account stands on this."""
    take_in(tmp_path / "card", 1, 2, stored=1)
    book = Cards()
    book.read("home", "hub", tmp_path / "card")
    assert [(one.uptime_ms, [n.number for n in numbers]) for one, numbers in book.numbers.items()] == [
        (1, [1]),
        (2, [2]),
    ]
    assert not cards.is_settled(tmp_path / "card")


def test_with_a_card_goes_what_was_not_stored_and_is_on_no_other(tmp_path: Path) -> None:
    """Only that may be missing; what was stored must still be in the table."""
    card, copy = tmp_path / "card", tmp_path / "copy"
    take_in(card, 1)
    shutil.copy(card, copy)
    take_in(card, 2, 3, stored=2)
    book = Cards()
    assert book.is_destroyed("home", "hub", card, copy, {through(card): 2}) == 1
    assert {one.uptime_ms for one in book.gone} == {3}


def test_what_stood_in_the_table_alone_goes_with_it(tmp_path: Path) -> None:
    """A card destroyed and then the table lost, before it was copied: nobody has it any more."""
    card, copy = tmp_path / "card", tmp_path / "copy"
    take_in(card, 1)
    shutil.copy(card, copy)
    take_in(card, 2, stored=2)
    for is_copied, gone in ((True, set()), (False, {2})):
        book = Cards()
        book.is_destroyed("home", "hub", card, copy, {through(card): 2})
        if is_copied:
            book.is_backed_up()
        book.is_put_back()
        assert {one.uptime_ms for one in book.gone} == gone


def test_a_hub_that_was_told_before_the_table_was_put_back_knows_nothing_of_the_table(tmp_path: Path) -> None:
    """A card that goes before its hub could heal the table takes with it what the table has no more."""
    card, copy = tmp_path / "card", tmp_path / "copy"
    take_in(card, 1)
    shutil.copy(card, copy)
    take_in(card, 2, 3, stored=3)
    book = Cards()
    assert book.is_destroyed("home", "hub", card, copy, {through(card): 2}) == 1
    assert {one.uptime_ms for one in book.gone} == {3}


def test_what_a_hub_had_no_card_for_goes_with_the_table() -> None:
    """Its disk was full, and then the database's was lost: two disks, and there was no third."""
    for is_copied in (True, False):
        book = Cards()
        book.had_no_card("hub", NINE, NINE + timedelta(minutes=4))
        if is_copied:
            book.is_backed_up()
        book.is_put_back()
        assert book.went_without_a_card("hub", NINE + timedelta(minutes=1)) is not is_copied
        assert not book.went_without_a_card("other", NINE + timedelta(minutes=1))
        assert not book.went_without_a_card("hub", NINE + timedelta(minutes=5))

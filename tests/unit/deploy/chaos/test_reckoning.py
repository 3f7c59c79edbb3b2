"""Does the account find what is missing and what is too much, and nothing else?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploy.chaos.cards import Number, Seen
from deploy.chaos.reckoning import Range, Row, compare

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)

# Minutes after nine at which the hall's sensor moved, and which of two values it said.
moves = st.lists(st.tuples(st.integers(0, 600), st.sampled_from((0.0, 1.0))), min_size=1, max_size=30, unique=True)


def seen(minute: int, value: float = 1.0) -> Seen:
    return Seen("home", "hub", "hall", "movement", value, NINE + timedelta(minutes=minute), "boot", minute * 60_000)


def row(minute: int, value: float = 1.0, *, may_repeat: bool = False, is_uncertain: bool = False) -> Row:
    return Row("hub", "hall", "movement", value, NINE + timedelta(minutes=minute), is_uncertain, may_repeat)


def numbered(*things: Seen) -> Mapping[Seen, set[Number]]:
    return {thing: {Number("hub", "outbox", "readings", n)} for n, thing in enumerate(things, start=1)}


@given(moves)
def test_what_is_stored_once_is_right(moved: list[tuple[int, float]]) -> None:
    """A false cry of loss would be looked into for a day."""
    found = compare(numbered(*(seen(*one) for one in moved)), [row(*one) for one in moved])
    assert (found.lost, found.doubled, found.taken_in) == ([], [], len(moved))


@given(moves, st.data())
def test_one_that_is_missing_is_found(moved: list[tuple[int, float]], data: st.DataObject) -> None:
    """One lost press in a million must not hide behind its neighbours."""
    missing = data.draw(st.sampled_from(moved))
    found = compare(numbered(*(seen(*one) for one in moved)), [row(*one) for one in moved if one != missing])
    assert [one.value for one in found.lost] == [missing[1]]
    assert found.doubled == []


@given(moves, st.data())
def test_one_that_is_there_twice_is_found_unless_it_is_marked(
    moved: list[tuple[int, float]], data: st.DataObject
) -> None:
    """After an old card a repeat is honest; without the mark it is a lie about a person."""
    again = data.draw(st.sampled_from(moved))
    rows = [row(*one) for one in moved]
    assert len(compare(numbered(*(seen(*one) for one in moved)), [*rows, row(*again)]).doubled) == 1
    marked = compare(numbered(*(seen(*one) for one in moved)), [*rows, row(*again, may_repeat=True)])
    assert (marked.doubled, marked.lost, marked.repeated) == ([], [], 1)


def test_a_loss_and_a_double_far_apart_do_not_cancel_out() -> None:
    """Counting alone would call it even."""
    found = compare(numbered(seen(0), seen(300)), [row(300), row(301)])
    assert ([one.at.hour for one in found.lost], len(found.doubled)) == ([9], 1)


def test_what_stands_only_marked_is_stored() -> None:
    """The card was put back before the first copy was sent; the second has the mark and is the only one."""
    found = compare(numbered(seen(0)), [row(0, may_repeat=True)])
    assert (found.lost, found.repeated) == ([], 0)


def test_what_a_wrong_clock_saw_is_counted_and_not_timed() -> None:
    """It came up in 2001; the table rightly has the day on which it was."""
    odd = replace(seen(0), at=NINE - timedelta(days=9000))
    assert compare(numbered(odd), [row(0)], is_odd=lambda _: True).lost == []
    assert len(compare(numbered(odd), [row(0)]).lost) == 1


def test_only_what_is_written_down_as_lost_under_every_number_is_written_off() -> None:
    """What was sent again under a new number is owed under that."""
    thing = seen(0)
    both = {thing: {Number("hub", "old", "readings", 4), Number("hub", "new", "readings", 1)}}
    old = Range("hub", "old", "readings", 1, 9)
    assert len(compare(both, [], written_off=[old]).lost) == 1
    assert compare(both, [], written_off=[old, Range("hub", "new", "readings", 1, 1)]).written_off == 1
    assert compare(both, [], gone={thing}).gone == 1


def test_what_a_hub_took_in_without_a_card_is_no_double() -> None:
    """Its disk was full, so its book was in its memory; the table is the only one that has it."""
    found = compare({}, [row(0), row(90)], is_cardless=lambda one: one.observed_at == NINE)
    assert ([one.observed_at for one in found.cardless], len(found.doubled)) == ([NINE], 1)


def test_what_has_no_partner_does_not_take_its_neighbours() -> None:
    """Otherwise the row that is too much is named an hour after it, and is looked for where nothing happened."""
    found = compare(numbered(*(seen(m) for m in (10, 20, 30))), [row(m) for m in (5, 10, 20, 30)])
    assert [one.observed_at.minute for one in found.doubled] == [5]


def test_a_row_without_a_card_uses_up_nothing_that_stands_for_another() -> None:
    """A press on a full disk, one by a wrong clock, and one that came late: three rows, and all three are known."""
    odd = replace(seen(0), at=NINE - timedelta(days=9000), boot="odd")
    found = compare(
        numbered(odd, seen(14)),
        [row(0), row(10), row(15)],
        is_odd=lambda one: one.boot == "odd",
        is_cardless=lambda one: one.observed_at == NINE,
    )
    assert (found.lost, found.doubled) == ([], [])
    assert [one.observed_at for one in found.cardless] == [NINE]


def test_what_is_written_off_takes_no_row_of_what_is_owed() -> None:
    """A hub let go of ten minutes that the table then lost; what a wrong clock saw beside them is still stored once."""
    odd = replace(seen(0), at=NINE - timedelta(hours=7), boot="odd")
    things = {**numbered(seen(0)), odd: {Number("hub", "outbox", "readings", 2)}}
    off = [Range("hub", "outbox", "readings", 1, 1)]
    found = compare(things, [row(9)], written_off=off, is_odd=lambda one: one.boot == "odd")
    assert (found.lost, found.doubled, found.written_off) == ([], [], 1)


def test_what_went_with_a_card_takes_no_row_of_a_full_disk() -> None:
    """Otherwise the press on the full disk is looked for, is on no card, and is called lost."""
    gone = seen(0)
    found = compare(
        numbered(gone), [row(15)], gone={gone}, is_cardless=lambda one: one.observed_at == NINE + timedelta(minutes=15)
    )
    assert (found.lost, found.doubled, found.gone, len(found.cardless)) == ([], [], 1, 1)

"""Exactly once is one integer and a list of lost ranges."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.streams import Book, Span, Taken, Verdict, take

_HIGHEST = 40


@st.composite
def _sent(draw: st.DrawFn) -> list[tuple[Span, int]]:
    """Every pack that a hub ever sent, with the oldest number that it held then, in the order of sending."""
    oldest, sent = 1, []
    for _ in range(draw(st.integers(1, 25))):
        oldest = draw(st.integers(oldest, min(oldest + 6, _HIGHEST)))
        first = draw(st.integers(oldest, _HIGHEST))
        sent.append((Span(first, draw(st.integers(first, min(first + 7, _HIGHEST)))), oldest))
    return sent


@st.composite
def _arrivals(draw: st.DrawFn) -> list[tuple[Span, int]]:
    """What a hub sent, in any order, any of it any number of times or never."""
    sent = draw(_sent())
    return draw(st.lists(st.sampled_from(sent), max_size=60))


def _numbers(taken: Taken) -> list[int]:
    return [n for span in (*taken.recovered, *filter(None, [taken.new])) for n in range(span.first, span.last + 1)]


def _lost(book: Book) -> set[int]:
    return {n for span in book.lost for n in range(span.first, span.last + 1)}


@given(_arrivals())
def test_every_number_is_stored_once_or_is_lost(arrivals: list[tuple[Span, int]]) -> None:
    """Promise P1: whatever is resent, doubled, reordered or dropped, no gap and no double."""
    book, stored = Book(), Counter[int]()

    for pack, oldest in arrivals:
        taken = take(book, pack, oldest=oldest)
        stored.update(_numbers(taken))
        book = taken.book

    assert set(stored.values()) <= {1}
    assert set(stored) | _lost(book) == set(range(1, book.through + 1))
    assert not set(stored) & _lost(book)


@given(_arrivals())
def test_what_is_stored_through_never_goes_back(arrivals: list[tuple[Span, int]]) -> None:
    """A hub lets go of what it was told is stored; the number may only rise while the database lives."""
    book = Book()

    for pack, oldest in arrivals:
        after = take(book, pack, oldest=oldest).book
        assert after.through >= book.through
        book = after


@given(_arrivals())
def test_lost_ranges_stay_in_order_and_apart(arrivals: list[tuple[Span, int]]) -> None:
    """They are rows of a table, one for each stretch; two rows for one number would count it twice."""
    book = Book()

    for pack, oldest in arrivals:
        book = take(book, pack, oldest=oldest).book
        assert list(book.lost) == sorted(book.lost)
        assert all(left.last < right.first for left, right in zip(book.lost, book.lost[1:], strict=False))
        assert all(span.last <= book.through for span in book.lost)


@given(_arrivals(), st.integers(1, _HIGHEST))
def test_a_hub_that_goes_back_gets_to_the_end(arrivals: list[tuple[Span, int]], oldest: int) -> None:
    """However confused the past, sending again from what was answered ends with everything stored or lost."""
    book = Book()
    for pack, held in arrivals:
        book = take(book, pack, oldest=held).book

    for _ in range(_HIGHEST):
        first = max(book.through + 1, oldest)
        if first > _HIGHEST:
            break
        book = take(book, Span(first, min(first + 4, _HIGHEST)), oldest=oldest).book

    assert book.through == _HIGHEST


@given(_arrivals(), st.data())
def test_a_pack_that_comes_twice_changes_nothing(arrivals: list[tuple[Span, int]], data: st.DataObject) -> None:
    """A broker may deliver twice, and a hub resends whenever it is in doubt."""
    book = Book()
    for pack, oldest in arrivals:
        book = take(book, pack, oldest=oldest).book
    pack, oldest = data.draw(_sent().map(lambda sent: sent[-1]))
    once = take(book, pack, oldest=oldest).book

    again = take(once, pack, oldest=oldest)

    assert again.book == once
    assert _numbers(again) == []


@pytest.mark.parametrize(
    ("book", "pack", "oldest", "expected"),
    [
        (Book(10), Span(11, 15), 1, Taken(Book(15), Verdict.NEW, new=Span(11, 15))),
        (Book(10), Span(8, 12), 1, Taken(Book(12), Verdict.NEW, new=Span(11, 12))),
        (Book(10), Span(1, 10), 1, Taken(Book(10), Verdict.KNOWN)),
        (Book(10), Span(13, 15), 1, Taken(Book(10), Verdict.HOLE)),
        (
            Book(10),
            Span(16, 20),
            16,
            Taken(Book(20, (Span(11, 15),)), Verdict.NEW, new=Span(16, 20), lost=Span(11, 15)),
        ),
        (
            Book(10),
            Span(18, 20),
            16,
            Taken(Book(15, (Span(11, 15),)), Verdict.HOLE, lost=Span(11, 15)),
        ),
        (
            Book(20, (Span(11, 15),)),
            Span(12, 13),
            1,
            Taken(Book(20, (Span(11, 11), Span(14, 15))), Verdict.RECOVERED, recovered=(Span(12, 13),)),
        ),
        (
            Book(20, (Span(11, 15),)),
            Span(14, 22),
            11,
            Taken(Book(22, (Span(11, 13),)), Verdict.NEW, new=Span(21, 22), recovered=(Span(14, 15),)),
        ),
        # A header that contradicts itself: the pack itself is proof that the hub holds it.
        (Book(0), Span(1, 2), 7, Taken(Book(2), Verdict.NEW, new=Span(1, 2))),
    ],
)
def test_each_verdict(book: Book, pack: Span, oldest: int, expected: Taken) -> None:
    """The cases of design section 2, written out."""
    assert take(book, pack, oldest=oldest) == expected

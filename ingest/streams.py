"""Which numbers of a pack are new, which are known, and which will never come?

All that is stored of one outbox's stream is one integer and a list of lost ranges.  Everything up to `through` is
stored, refused or lost; whatever arrives however often, in whatever order, each number is taken at most once.
"""

import enum
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"numbers {self.first} to {self.last} are in the wrong order")

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def common(self, other: "Span") -> "Span | None":
        """Return the numbers that are in both."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None

    def without(self, part: "Span") -> list["Span"]:
        """Return what is left of these numbers when some of them are taken out."""
        left = [(self.first, part.first - 1), (part.last + 1, self.last)]
        return [Span(first, last) for first, last in left if first <= last]


@dataclass(frozen=True, slots=True)
class Book:
    """What the platform has of one outbox's stream.

    Attributes:
        through: everything up to this number is stored, refused or lost; 0 where nothing is.
        lost: what was given up and has not come since, in order, apart from one another, none above `through`.
    """

    through: int = 0
    lost: tuple[Span, ...] = ()


class Verdict(enum.Enum):
    """What became of a pack."""

    NEW = "some of it was expected next"
    KNOWN = "all of it was here before"
    RECOVERED = "some of it had been given up as lost"
    HOLE = "something before it has not come yet; the hub must go back"


@dataclass(frozen=True, slots=True)
class Taken:
    """What to do about a pack.

    Attributes:
        book: afterwards.
        verdict: why.
        new: the numbers to store, in the order of the stream; empty where there are none.
        recovered: the numbers to store that were lost; none of them is in `new`.
        lost: the numbers that are lost from now on.
    """

    book: Book
    verdict: Verdict
    new: Span | None = None
    recovered: tuple[Span, ...] = ()
    lost: Span | None = None


def take(book: Book, pack: Span, *, oldest: int) -> Taken:
    """Return which numbers of a pack to store, and the book afterwards.

    1. What the hub no longer has and we never stored is lost, and the stream goes on behind it.
    2. What is expected next is new, up to the end of the pack.
    3. What was given up earlier and is in this pack all the same is taken out of the lost.

    Args:
        book: before.
        pack: the numbers of the pack.
        oldest: the lowest number that the hub still held when it sent.  A pack holds nothing older than this, so
            one that says otherwise is believed about the numbers that it carries.
    """
    oldest = min(oldest, pack.first)
    lost = Span(book.through + 1, oldest - 1) if oldest > book.through + 1 else None
    through = lost.last if lost else book.through
    new = Span(through + 1, pack.last) if pack.first <= through + 1 <= pack.last else None
    recovered = tuple(common for span in book.lost if (common := span.common(pack)))
    left = [piece for span in book.lost for piece in _less(span, pack)]
    after = replace(book, through=new.last if new else through, lost=(*left, lost) if lost else tuple(left))
    return Taken(after, _verdict(pack, through, new, recovered), new, recovered, lost)


def _less(span: Span, pack: Span) -> list[Span]:
    common = span.common(pack)
    return [span] if common is None else span.without(common)


def _verdict(pack: Span, through: int, new: Span | None, recovered: tuple[Span, ...]) -> Verdict:
    if new is not None:
        return Verdict.NEW
    if recovered:
        return Verdict.RECOVERED
    return Verdict.HOLE if pack.first > through + 1 else Verdict.KNOWN

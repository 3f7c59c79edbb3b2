"""How confident do families feel, and which of it may be published?

The arithmetic of the ledger: one answer for each home, Wilson's interval, and what is withheld so that no answer of
few people can be read from a file, nor worked out from it by subtraction.

What may be known: how many homes were asked and how many answered in all, always.  What is protected: how many of few
answered, and what they answered.  A row of a table is shown whole or withheld; with one row, another one is withheld
until what is left of the total, which anybody can subtract, is itself of five answers or more on either side.  Then
each withheld number can have been any of six or more, whoever knows the rest (tests/unit/api/test_confidence.py).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FEW: Final = 5
"""Fewer answers than this are not published.  Source: ONS-based guidance of Cambridgeshire PHI (field study, 4.5)."""

CANNOT_SAY: Final = 0
"""Stands for "can't say", which counts as an answer and not as confident."""

# The 97.5th percentile of the normal distribution.  Source: E. B. Wilson (1927), JASA 22(158), 209-212.
_Z: Final = 1.959963984540054

# How answers are shown, the finest first: the first in which no cell is of few is taken.  4 and 5 make the headline.
_CONFIDENT: Final = (((5,), (4,)), ((4, 5),))
_NOT_CONFIDENT: Final = (
    ((3,), (2,), (1,), (0,)),
    ((3,), (1, 2), (0,)),
    ((3,), (0, 1, 2)),
    ((1, 2, 3), (0,)),
    ((0, 1, 2, 3),),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was put to one person about one home.

    Attributes:
        place: 1 for the contact whose answer counts first.
        answer: 1 to 5, CANNOT_SAY, or None where there was none.
        groups: for each table, which row this home is in.
    """

    home: str
    place: int
    asked_at: datetime
    answer: int | None
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; None is withheld."""

    name: str
    asked: int | None
    answered: int | None
    confident: int | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the share that is confident, where that is shown and there is one."""
        return None if self.confident is None or not self.answered else wilson(self.confident, self.answered)


@dataclass(frozen=True, slots=True)
class Headline:
    """How many homes were asked, answered, and are confident: exactly, or between two numbers, or withheld.

    Attributes:
        least: of homes that answered 4 or 5; None: withheld.
        most: the same number where it is known exactly.
    """

    asked: int
    answered: int
    least: int | None
    most: int | None

    @property
    def is_exact(self) -> bool:
        return self.least is not None and self.least == self.most

    @property
    def interval(self) -> tuple[float, float] | None:
        """From Wilson's lower end of the least to his upper end of the most."""
        if self.least is None or self.most is None:
            return None
        return wilson(self.least, self.answered)[0], wilson(self.most, self.answered)[1]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, each end in 0 to 1.

    Raises:
        ValueError: there were no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is no share")
    share = successes / trials
    middle = share + _Z**2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    # At the ends rounding would leave a hair of 0 or 1.
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == trials else (middle + half) / scale
    return low, high


def is_clear_change(before: tuple[float, float], after: tuple[float, float]) -> bool:
    """Return whether two intervals do not even touch."""
    return before[1] < after[0] or after[1] < before[0]


def one_a_home(asked: Iterable[Asked]) -> list[Asked]:
    """Return what counts for each home, by name: what the first contact who answered at all answered last.

    Who counts does not depend on what was answered.
    """
    counted: dict[str, Asked] = {}
    for one in asked:
        known = counted.get(one.home)
        if known is None or _comes_first(one) < _comes_first(known):
            counted[one.home] = one
    return [counted[home] for home in sorted(counted)]


def _comes_first(one: Asked) -> tuple[bool, int, float]:
    return one.answer is None, one.place, -one.asked_at.timestamp()


def is_confident(answer: int | None) -> bool:
    """Return whether an answer is a 4 or a 5."""
    return answer is not None and answer >= 4


def headline(homes: Sequence[Asked]) -> Headline:
    """Return the figure: exact where five or more are confident and five or more are not, else as far as it may go."""
    answered = sum(one.answer is not None for one in homes)
    confident = sum(is_confident(one.answer) for one in homes)
    rest = answered - confident
    if answered < FEW or (confident < FEW and rest < FEW):
        return Headline(len(homes), answered, None, None)
    if confident < FEW:
        return Headline(len(homes), answered, 0, FEW - 1)
    if rest < FEW:
        return Headline(len(homes), answered, answered - FEW + 1, answered)
    return Headline(len(homes), answered, confident, confident)


def distribution(homes: Sequence[Asked]) -> list[tuple[tuple[int, ...], int]] | None:
    """Return how many gave which answers, neighbours put together until no cell is of few; None: withheld.

    Each entry is the answers that are counted together, 0 for "can't say", and how many homes gave one of them.
    """
    if not headline(homes).is_exact:
        return None
    counts = [sum(one.answer == answer for one in homes) for answer in range(6)]

    def finest(ways: Sequence[tuple[tuple[int, ...], ...]]) -> list[tuple[tuple[int, ...], int]]:
        for way in ways:
            cells = [(answers, sum(counts[answer] for answer in answers)) for answers in way]
            if all(count >= FEW for _, count in cells):
                return cells
        raise AssertionError("the last way is one cell, which the exact headline shows to be of five or more")

    return finest(_CONFIDENT) + finest(_NOT_CONFIDENT)


def table(homes: Sequence[Asked], name: str, rows: Sequence[str]) -> list[Row]:
    """Return one table over all homes, with what is of few withheld, and what would give it away.

    Args:
        homes: one entry for each.
        name: of the table; each home is in one of its rows.
        rows: their names, in order.
    """
    whole = [_whole(row, [one for one in homes if one.groups[name] == row]) for row in rows]
    peopled = [number for number, row in enumerate(whole) if row[1] > 0]
    few = {number for number in peopled if whole[number][2] < FEW}
    no_counts = _with_others(few, peopled, whole, lambda answered, _confident: answered >= FEW)
    risky = {number for number in peopled if not _both_sides(whole[number][2], whole[number][3])}
    no_shares = _with_others(no_counts | risky, peopled, whole, _both_sides)
    return [
        Row(
            row_name,
            None if number in no_counts else asked,
            None if number in no_counts else answered,
            None if number in no_shares else confident,
        )
        for number, (row_name, asked, answered, confident) in enumerate(whole)
    ]


_Whole = tuple[str, int, int, int]


def _whole(name: str, homes: Sequence[Asked]) -> _Whole:
    answered = sum(one.answer is not None for one in homes)
    return name, len(homes), answered, sum(is_confident(one.answer) for one in homes)


def _both_sides(answered: int, confident: int) -> bool:
    """Return whether five or more are confident, and five or more are not."""
    return confident >= FEW and answered - confident >= FEW


def _with_others(
    hidden: set[int], peopled: Sequence[int], whole: Sequence[_Whole], is_safe: Callable[[int, int], bool]
) -> set[int]:
    """Return the rows to withhold: these, and the smallest others until what they come to together is safe."""
    hidden = set(hidden)
    others = sorted(set(peopled) - hidden, key=lambda number: (whole[number][2], number))
    while hidden and others:
        answered = sum(whole[number][2] for number in hidden)
        confident = sum(whole[number][3] for number in hidden)
        if len(hidden) >= 2 and is_safe(answered, confident):
            break
        hidden.add(others.pop(0))
    return hidden


def at_least(count: int) -> int:
    """Return a count of answers in steps of five, so that two looks at it do not show that one person answered."""
    return count // FEW * FEW


def few_or_number(count: int) -> int | None:
    """Return a count of answers, or None where it is of few; that there were none says nothing of anybody."""
    return None if 0 < count < FEW else count

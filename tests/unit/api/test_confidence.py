"""Do the ledger's numbers add up, and can nobody work out what few people answered?"""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import confidence
from api.confidence import FEW, Asked, Row, headline, one_a_home, table, wilson

NINE = datetime(2026, 6, 16, 8, 0, tzinfo=UTC)
ROWS = ("a", "b", "c", "d")

answers = st.one_of(st.none(), st.integers(0, 5))


def _home(number: int, answer: int | None, row: str = "a", *, place: int = 1, day: int = 0) -> Asked:
    return Asked(f"home-{number:03d}", place, NINE + timedelta(days=day), answer, {"t": row})


homes_of_one = st.lists(st.tuples(answers, st.sampled_from(ROWS)), max_size=90).map(
    lambda said: [_home(number, answer, row) for number, (answer, row) in enumerate(said)]
)
# Rows of very different sizes, where few stand beside many.
skewed = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 9)), min_size=1, max_size=len(ROWS)
).map(
    lambda sizes: [
        _home(number, answer, row)
        for number, (answer, row) in enumerate(
            (answer, row)
            for row, (yes, no, none) in zip(ROWS, sizes, strict=False)
            for answer in [5] * yes + [3] * no + [None] * none
        )
    ]
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (24, 30, 0.627, 0.905),
        (48, 60, 0.682, 0.882),
        (80, 100, 0.711, 0.867),
        (160, 200, 0.739, 0.850),
        (87, 124, 0.616, 0.775),
    ],
)
def test_wilsons_interval_is_the_one_in_print(k: int, n: int, low: float, high: float) -> None:
    """The figures of the field study, which were computed elsewhere."""
    assert wilson(k, n) == pytest.approx((low, high), abs=0.0006)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_where_the_score_test_turns(share: tuple[int, int]) -> None:
    """By its definition rather than its formula: each end is a share that lies 1.96 standard errors of its own away."""
    k, n = share
    for end in wilson(k, n):
        assert abs(k / n - end) == pytest.approx(1.959963984540054 * math.sqrt(end * (1 - end) / n), abs=1e-6)
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3), st.integers(0, 80), answers), max_size=60), st.randoms()
)
def test_one_home_counts_once_whoever_comes_first_in_the_list(
    said: list[tuple[int, int, int, int | None]], chance: object
) -> None:
    """Three daughters are one home; and who of them counts must not depend on what they said, nor on the database."""
    asked = [_home(home, answer, place=place, day=day) for home, place, day, answer in said]
    distinct = {(one.home, one.place, one.asked_at): one for one in asked}
    shuffled = list(distinct.values())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    counted = one_a_home(shuffled)

    assert counted == one_a_home(distinct.values())
    assert [one.home for one in counted] == sorted({one.home for one in asked})
    for one in counted:
        rivals = [other for other in shuffled if other.home == one.home and other.answer is not None]
        assert (one.answer is None) == (not rivals)
        assert all(one.place <= other.place for other in rivals)


@given(homes_of_one | skewed)
def test_the_figure_is_exact_or_its_bounds_hold(homes: list[Asked]) -> None:
    """What is said less exactly must still be true."""
    head = headline(homes)
    truly = sum(one.answer in {4, 5} for one in homes)

    assert head.asked == len(homes)
    assert head.answered == sum(one.answer is not None for one in homes)
    if head.least is not None and head.most is not None:
        assert head.least <= truly <= head.most
        assert head.is_exact or head.most - head.least == FEW - 1
        assert not head.is_exact or min(truly, head.answered - truly) >= FEW
        low, high = wilson(truly, head.answered)
        assert head.interval is not None
        assert head.interval[0] <= low + 1e-12
        assert high <= head.interval[1] + 1e-12


@given(homes_of_one | skewed)
def test_the_distribution_adds_up_and_has_no_cell_of_few(homes: list[Asked]) -> None:
    """One who answered 1 among two hundred could be known."""
    head, cells = headline(homes), confidence.distribution(homes)

    assert (cells is not None) == head.is_exact
    for said, count in cells or []:
        assert count >= FEW
        assert count == sum(one.answer in said for one in homes)
    if cells is not None:
        assert sorted(answer for said, _ in cells for answer in said) == [0, 1, 2, 3, 4, 5]
        assert sum(count for said, count in cells if min(said) >= 4) == head.least


def _totals(homes: list[Asked]) -> list[int]:
    """Return what is known of all: confident, answered and not confident, did not answer."""
    yes = sum(one.answer in {4, 5} for one in homes)
    answered = sum(one.answer is not None for one in homes)
    return [yes, answered - yes, len(homes) - answered]


def _equations(rows: list[Row], homes: list[Asked]) -> list[tuple[list[Fraction], Fraction]]:
    """Return all that a reader knows, as sums over the cells (row, confident | not | no answer)."""
    head, size = headline(homes), 3 * len(rows)
    yes, no, none = _totals(homes)
    known: list[tuple[dict[int, int], int]] = [
        (dict.fromkeys(range(size), 1), yes + no + none),
        ({i: 1 for i in range(size) if i % 3 != 2}, yes + no),
    ]
    if head.is_exact:
        known.append(({i: 1 for i in range(size) if i % 3 == 0}, yes))
    for number, row in enumerate(rows):
        at = 3 * number
        if row.asked is not None:
            known.append(({at: 1, at + 1: 1, at + 2: 1}, row.asked))
        if row.answered is not None:
            known.append(({at: 1, at + 1: 1}, row.answered))
        if row.confident is not None:
            known.append(({at: 1}, row.confident))
    return [([Fraction(weights.get(i, 0)) for i in range(size)], Fraction(value)) for weights, value in known]


def follows(target: list[Fraction], equations: list[tuple[list[Fraction], Fraction]]) -> Fraction | None:
    """Return the value of a sum of cells if it follows by adding and subtracting what is known, or None."""
    basis: list[tuple[int, list[Fraction], Fraction]] = []

    def reduce(line: list[Fraction], value: Fraction) -> tuple[list[Fraction], Fraction]:
        for pivot, known, is_ in basis:
            if line[pivot]:
                factor = line[pivot]
                line = [mine - factor * theirs for mine, theirs in zip(line, known, strict=True)]
                value -= factor * is_
        return line, value

    for line, value in equations:
        left, rest = reduce(line, value)
        pivot = next((i for i, weight in enumerate(left) if weight), None)
        if pivot is not None:
            scale = left[pivot]
            basis.append((pivot, [weight / scale for weight in left], rest / scale))
    left, rest = reduce(target, Fraction(0))
    return -rest if not any(left) else None


@settings(max_examples=150, deadline=None)
@given(homes_of_one | skewed)
def test_no_cell_of_few_follows_by_subtraction(homes: list[Asked]) -> None:
    """Elimination over everything a file says: what can be worked out is of five or more, or of a row with nobody."""
    rows = table(homes, "t", ROWS)
    equations = _equations(rows, homes)
    total = headline(homes)

    for number, row in enumerate(rows):
        there = [one for one in homes if one.groups["t"] == row.name]
        if not there or len(there) == total.asked:
            continue  # Nobody is in it, or it is all there is, and its figure the headline.
        answered, confident = [Fraction(0)] * (3 * len(rows)), [Fraction(0)] * (3 * len(rows))
        answered[3 * number] = answered[3 * number + 1] = confident[3 * number] = Fraction(1)
        not_confident = [a - b for a, b in zip(answered, confident, strict=True)]
        for cell in (answered, confident, not_confident):
            worked_out = follows(cell, equations)
            assert worked_out is None or worked_out >= FEW


@settings(max_examples=150, deadline=None)
@given(homes_of_one | skewed)
def test_a_withheld_number_could_have_been_any_of_six(homes: list[Asked]) -> None:
    """Knowing that no count is below nothing, nor above how many answered, must not pin a number down either."""
    rows = table(homes, "t", ROWS)
    whole = {row: [one for one in homes if one.groups["t"] == row] for row in ROWS}
    hidden = [row for row in rows if row.confident is None]
    counts_hidden = [row for row in hidden if row.answered is None]
    head = headline(homes)
    if not head.is_exact:
        assert all(row.confident is None for row in rows if whole[row.name])
        return
    yes = sum(sum(one.answer in {4, 5} for one in whole[row.name]) for row in hidden)
    answered = {row.name: sum(one.answer is not None for one in whole[row.name]) for row in hidden}
    loose = sum(answered[row.name] for row in counts_hidden)
    for row in hidden:
        # A row whose answers are hidden too may have had any part of what all such rows had together.
        most_here = loose if row in counts_hidden else answered[row.name]
        least_elsewhere = sum(answered.values()) - (0 if row in counts_hidden else answered[row.name])
        most = min(most_here, yes)
        least = max(0, yes - least_elsewhere)
        assert most - least >= FEW


@given(homes_of_one | skewed)
def test_what_is_shown_is_true(homes: list[Asked]) -> None:
    """Withholding is allowed, changing is not."""
    for row in table(homes, "t", ROWS):
        there = [one for one in homes if one.groups["t"] == row.name]
        yes, no, none = _totals(there)
        assert row.asked in {None, yes + no + none}
        assert row.answered in {None, yes + no}
        assert row.confident in {None, yes}
        assert row.confident is None or row.answered is not None


@pytest.mark.parametrize(
    ("before", "after", "is_clear"),
    [((0.5, 0.6), (0.6, 0.7), False), ((0.5, 0.6), (0.61, 0.7), True), ((0.61, 0.7), (0.5, 0.6), True)],
)
def test_only_intervals_that_do_not_touch_are_a_clear_change(
    before: tuple[float, float], after: tuple[float, float], is_clear: bool
) -> None:
    """Five points up on a hundred replies is noise, and a council would announce it."""
    assert confidence.is_clear_change(before, after) is is_clear

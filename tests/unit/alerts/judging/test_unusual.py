"""Is a strange quarter of the day told from a usual one, by what was known then?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.detectors.unusual import Strangeness, block_of

counts = st.lists(st.integers(0, 400), min_size=1, max_size=40)


NOON = datetime(2019, 6, 3, 11, tzinfo=UTC)


def walk(strangeness: Strangeness, count: int) -> None:
    """Have somebody go to and fro so often."""
    for number in range(count):
        strangeness.see(("kitchen", "hall")[number % 2], NOON + timedelta(seconds=number))
    strangeness.last_at = None


def score_after(days: list[int], last: int, *, block: int = 1) -> float:
    """Return how strange the last of some days was in one block."""
    strangeness = Strangeness()
    for count in [*days, last]:
        walk(strangeness, count)
        score = strangeness.close(block)
    return score


def test_the_first_of_its_kind_is_neither_strange_nor_usual() -> None:
    """Untrained is not calm, but nor is it strange: nothing is known."""
    assert score_after([], 300) == 0.0


def test_much_more_moving_about_than_usual_is_strange() -> None:
    """That is how restlessness looks from the sensors."""
    assert score_after([100] * 28, 400) > 1.5 > abs(score_after([100] * 28, 110)) + 1


@given(counts, st.integers(0, 400), st.integers(0, 400))
def test_more_is_never_less_strange(days: list[int], one: int, more: int) -> None:
    """The score is for sorting, so it may not turn round."""
    assert score_after(days, one) <= score_after(days, one + more)


def test_a_night_is_measured_by_nights() -> None:
    """Thirty movements are nothing in the morning and a lot in the night."""
    strangeness = Strangeness()
    for _ in range(14):
        for block, count in ((0, 2), (1, 200)):
            walk(strangeness, count)
            strangeness.close(block)
    scores = []
    for block in (0, 1):
        walk(strangeness, 30)
        scores.append(strangeness.close(block))

    assert scores[0] > 0 > scores[1]


def test_a_few_movements_in_a_quiet_night_are_no_great_matter() -> None:
    """Two visits to the bathroom instead of one double the count, and mean nothing."""
    assert score_after([2] * 14, 6) < score_after([100] * 14, 300)


def test_turning_over_in_one_place_is_no_going_about() -> None:
    """A sensor that sees somebody every few seconds must not make a quiet afternoon look restless."""
    strangeness = Strangeness()
    for number in range(100):
        strangeness.see("lounge", NOON + timedelta(minutes=number))
    assert strangeness.moves == 1

    strangeness.see("lounge", NOON + timedelta(minutes=120))
    strangeness.see("kitchen", NOON + timedelta(minutes=121))
    assert strangeness.moves == 3


def test_a_few_wild_days_are_not_soon_the_measure() -> None:
    """Whoever is restless after a weekend full of visitors is still to be looked at."""
    assert score_after([100] * 30 + [1000] * 3, 300) > 0.9 * score_after([100] * 30, 300)


def test_a_home_that_nobody_knows_yet_is_measured_by_what_is_common() -> None:
    """One quiet day must not make the second, which is ordinary, a strange one."""
    assert abs(score_after([20], 80)) < 0.5


@pytest.mark.parametrize(
    ("at", "hours", "block"),
    [
        (datetime(2019, 3, 31, 4, tzinfo=UTC), 5, 0),
        (datetime(2019, 10, 27, 4, tzinfo=UTC), 7, 0),
        (datetime(2019, 6, 3, 22, 59, tzinfo=UTC), 6, 3),
        (datetime(2019, 6, 3, 23, 0, tzinfo=UTC), 6, 0),
    ],
)
def test_blocks_are_quarters_of_a_london_day(at: datetime, hours: int, block: int) -> None:
    """In the nights on which the clocks are changed the first is an hour shorter or longer."""
    begins, ends, found = block_of(at)

    assert found == block
    assert begins <= at < ends
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(hours=hours)

"""The log and what else influences judgement, merged into one order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.lane import Input
from alerts.order import merged
from ingest.entry import Batch

NINE = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)


def at(second: int) -> datetime:
    return NINE + timedelta(seconds=second)


def batches_at(seconds: list[int]) -> list[Batch]:
    return [Batch(0, number, at(second), ()) for number, second in enumerate(seconds, 1)]


def inputs_at(seconds: list[int]) -> list[Input]:
    return [Input(number, "home", at(second), "closed", {}) for number, second in enumerate(seconds, 1)]


def moment(step: Batch | Input) -> tuple[datetime, bool]:
    """Return where a step stands: what was received at c comes before what counts from c."""
    return (step.received_at, False) if isinstance(step, Batch) else (step.counts_from, True)


RISING = st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted)
NEVER_FALLING = st.lists(st.integers(0, 60), max_size=20).map(sorted)


@given(RISING, NEVER_FALLING, st.integers(0, 70))
def test_all_that_is_known_comes_in_its_order(received: list[int], counts: list[int], through: int) -> None:
    """An input that counts one batch too early or too late is a replay that differs from live."""
    steps = list(merged(batches_at(received), inputs_at(counts), known_through=at(through)))

    assert [moment(step) for step in steps] == sorted(moment(step) for step in steps)
    known = max([through, *received])
    assert len(steps) == len(received) + sum(count <= known for count in counts)


@given(RISING, NEVER_FALLING, st.integers(0, 20))
def test_reading_in_pages_gives_the_same_order(received: list[int], counts: list[int], cut: int) -> None:
    """How much was read at a time must not be seen in what was judged."""
    batches, inputs = batches_at(received), inputs_at(counts)
    whole = list(merged(batches, inputs, known_through=at(60)))

    first = list(merged(batches[:cut], inputs, known_through=None))
    rest = inputs[sum(isinstance(step, Input) for step in first) :]
    second = list(merged(batches[cut:], rest, known_through=at(60)))

    assert first + second == whole


def test_what_may_still_be_received_earlier_is_waited_for() -> None:
    """An input of this very second waits until the lane is complete up to it."""
    (batch,), (now, later) = batches_at([5]), inputs_at([5, 6])

    assert list(merged([batch], [now, later], known_through=None)) == [batch, now]
    assert list(merged([], [later], known_through=None)) == []
    assert list(merged([], [later], known_through=at(6))) == [later]

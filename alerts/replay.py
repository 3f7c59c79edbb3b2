"""What would have been found?  The same judging over a recording, in the order in which it was known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from alerts.judging.finding import Verdict
from alerts.judging.home import HomeState
from alerts.judging.lane import Input, LaneJudge
from ingest import entry


def in_order(batches: Iterable[entry.Batch], inputs: Sequence[Input]) -> Iterator[entry.Batch | Input]:
    """Yield what was received and what was given in the order in which they count.

    An input counts after every batch received up to its `counts_from`, and before any later one.

    Args:
        batches: of one lane, by position.
        inputs: of the same lane, in any order.
    """
    waiting = iter(sorted(inputs, key=attrgetter("counts_from", "input")))
    given = next(waiting, None)
    for batch in batches:
        while given is not None and given.counts_from < batch.received_at:
            yield given
            given = next(waiting, None)
        yield batch
    while given is not None:
        yield given
        given = next(waiting, None)


def replay(
    batches: Iterable[entry.Batch],
    inputs: Sequence[Input] = (),
    *,
    homes: Mapping[str, HomeState] | None = None,
    complete_through: datetime,
) -> Iterator[Verdict]:
    """Yield what is found in a recording of one lane, in order.

    Args:
        batches: by position, all received up to `complete_through`.
        inputs: that counted meanwhile.
        homes: the states that the recording begins with; they are changed.  None: nothing is known.
        complete_through: judge what was due up to here.
    """
    judge = LaneJudge(homes or {}, None)
    for happened in in_order(batches, inputs):
        yield from judge.take(happened) if isinstance(happened, entry.Batch) else judge.apply(happened)
    yield from judge.advance(complete_through)

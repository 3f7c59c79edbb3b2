"""What would have been found?  The same judging over a recording, in the order in which it was known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from alerts.judging.finding import Verdict
from alerts.judging.home import HomeState
from alerts.judging.lane import Input, LaneJudge
from alerts.order import merged
from ingest import entry


def replay(
    batches: Sequence[entry.Batch],
    inputs: Sequence[Input] = (),
    *,
    homes: Mapping[str, HomeState] | None = None,
    complete_through: datetime,
) -> Iterator[Verdict]:
    """Yield what is found in a recording of one lane, in order.

    Args:
        batches: by position, all received up to `complete_through`.
        inputs: that counted meanwhile, in any order.
        homes: the states that the recording begins with; they are changed.  None: nothing is known.
        complete_through: judge what was due up to here.
    """
    judge = LaneJudge(homes or {}, None)
    given = sorted(inputs, key=attrgetter("counts_from", "input"))
    for happened in merged(batches, given, known_through=complete_through):
        yield from judge.take(happened) if isinstance(happened, entry.Batch) else judge.apply(happened)
    yield from judge.advance(complete_through)

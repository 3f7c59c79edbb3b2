"""In which order do the log and what else influences judgement count?

An input that counts from c comes after everything received up to c and before everything received later.  Within a
lane the moments of both rise, so two lists in order are merged into one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from alerts.judging.lane import Input
from ingest.entry import Batch


def merged(
    batches: Sequence[Batch], inputs: Sequence[Input], *, known_through: datetime | None
) -> Iterator[Batch | Input]:
    """Yield batches and inputs in the order in which they count, as far as that is known.

    Args:
        batches: those next in the lane, in order.
        inputs: those next in the lane, in order.  None that counts before the last of the batches is missing.
        known_through: no further batch was received up to here; None: nothing is known beyond the batches.
    """
    waiting = iter(inputs)
    given = next(waiting, None)
    for batch in batches:
        while given is not None and given.counts_from < batch.received_at:
            yield given
            given = next(waiting, None)
        yield batch
    # What is received next in a lane is later than what was received last.
    known = [known_through, batches[-1].received_at if batches else None]
    through = max((moment for moment in known if moment is not None), default=None)
    while given is not None and through is not None and given.counts_from <= through:
        yield given
        given = next(waiting, None)

"""Is everything that a hub took in stored exactly once?  Pure: cards and rows come in, what is wrong comes out.

A row of the table has no number.  What a hub saw and a row are the same if hub, sensor, quantity and value are, and
their times agree; of what was seen or placed by a wrong clock the times say nothing, and only the count must be right.
"""

import bisect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deploy.chaos.cards import Number, Seen

# A send whose own time is off by more than 30 s is placed by when it arrived; at the street's speed a line that holds
# things back for a few seconds is enough for that.  So what is the same may lie this far apart.  Ours.
_APART_MAX: Final = timedelta(minutes=20)

# Those that lie so near are matched first, so that what has no partner does not take its neighbour's.  Ours.
_NEAR: Final = timedelta(seconds=20)

_Key = tuple[str, str, str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table `reading`."""

    hub: str
    sensor: str
    quantity: str
    value: float
    observed_at: datetime
    is_uncertain: bool
    may_repeat: bool


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that are written down as lost or refused, both ends counting."""

    hub: str
    outbox: str
    stream: str
    first: int
    last: int


@dataclass(slots=True)
class Found:
    """What came of the comparison.

    Attributes:
        taken_in: how much the hubs saw.
        lost: what was seen and is not in the table, and nothing says why.
        doubled: rows for which there is nothing that was seen, and no mark that they may be repeated.
        repeated: rows that are so marked, beyond the first.
        gone: what was only on a card that was destroyed.
        cardless: rows that a hub took in while its disk was full, without writing them on its card.
        written_off: what the platform itself has written down as lost or refused.
    """

    taken_in: int = 0
    lost: list[Seen] = field(default_factory=list)
    doubled: list[Row] = field(default_factory=list)
    repeated: int = 0
    gone: int = 0
    cardless: list[Row] = field(default_factory=list)
    written_off: int = 0


def compare(
    seen: Mapping[Seen, Collection[Number]],
    rows: Iterable[Row],
    *,
    gone: Collection[Seen] = (),
    written_off: Sequence[Range] = (),
    is_odd: Callable[[Seen], bool] = lambda _: False,
    is_cardless: Callable[[Row], bool] = lambda _: False,
) -> Found:
    """Hold what hubs saw against what is stored.

    Args:
        seen: everything that was ever on a card, with the numbers that it had.
        rows: everything in the table.
        gone: what was on a card that was destroyed, and nowhere else.
        written_off: what the platform says that it does not have.
        is_odd: whether something was seen while its hub's clock was wrong.
        is_cardless: whether a row may be of something that a hub could not write on its card.
    """
    found = Found(taken_in=len(seen))
    things: defaultdict[_Key, list[Seen]] = defaultdict(list)
    stored: defaultdict[_Key, list[Row]] = defaultdict(list)
    for one in seen:
        things[one.hub, one.sensor, one.quantity, one.value].append(one)
    for row in rows:
        stored[row.hub, row.sensor, row.quantity, row.value].append(row)
    excuses = _Excuses(is_odd, is_cardless, lambda one: one in gone or _is_written_off(seen[one], written_off))
    for key in things.keys() | stored.keys():
        missing = _matched(things[key], stored[key], found, excuses)
        for one in missing:
            if _is_written_off(seen[one], written_off):
                found.written_off += 1
            elif one in gone:
                found.gone += 1
            else:
                found.lost.append(one)
    found.cardless = [row for row in found.doubled if is_cardless(row)]
    found.doubled = [row for row in found.doubled if not is_cardless(row)]
    return found


@dataclass(frozen=True, slots=True)
class _Excuses:
    """What may be missing, or too much, for a reason of its own; it is matched last, and uses up nothing."""

    is_odd: Callable[[Seen], bool]
    is_cardless: Callable[[Row], bool]
    may_be_missing: Callable[[Seen], bool]


def _matched(things: list[Seen], rows: list[Row], found: Found, excuses: _Excuses) -> list[Seen]:
    """Return the things that have no row, and write down the rows that have no thing.

    Rows without a mark stand for things first.  Marked rows stand for things that have no other; the rest are repeats.
    """
    plain = sorted((row for row in rows if not row.may_repeat), key=lambda row: row.observed_at)
    marked = sorted((row for row in rows if row.may_repeat), key=lambda row: row.observed_at)
    left, over = _paired(things, plain, excuses)
    for row in over:
        if row.is_uncertain and left:
            left.pop(0)
        else:
            found.doubled.append(row)
    left, repeats = _paired(left, marked, excuses)
    found.repeated += len(repeats)
    return left


def _paired(things: list[Seen], rows: list[Row], excuses: _Excuses) -> tuple[list[Seen], list[Row]]:
    """Return what of both has no partner; of the things those come first that have no excuse.

    1. What lies near finds each other, so that what has no partner does not take its neighbour's.
    2. What is owed takes the row next to it, and last one that has an excuse of its own.
    3. What a wrong clock saw is only counted.
    4. What may be missing comes last.
    """
    odd = [one for one in things if excuses.is_odd(one)]
    timed = sorted((one for one in things if not excuses.is_odd(one)), key=lambda one: one.at)
    timed, rows = _nearest(timed, rows, _NEAR)
    rows = sorted(rows, key=excuses.is_cardless)
    left = []
    for may_be_missing in (False, True):
        now = [one for one in timed if excuses.may_be_missing(one) is may_be_missing]
        counted = [one for one in odd if excuses.may_be_missing(one) is may_be_missing]
        # One excuse does not use up another: what may be missing takes no row that needs no card.
        apart = [row for row in rows if may_be_missing and excuses.is_cardless(row)]
        now, rows = _nearest(now, [row for row in rows if row not in apart], _APART_MAX)
        left += now + counted[len(rows) :]
        rows = rows[len(counted) :] + apart
    return left, rows


def _nearest(things: list[Seen], rows: list[Row], apart: timedelta) -> tuple[list[Seen], list[Row]]:
    """Return what is left over when each row took the thing next to it, unless that lies too far apart."""
    free = list(things)
    moments = [one.at for one in free]
    over = []
    for row in rows:
        place = bisect.bisect_left(moments, row.observed_at)
        near = [at for at in (place - 1, place) if 0 <= at < len(moments)]
        best = min(near, key=lambda at: abs(moments[at] - row.observed_at), default=None)
        if best is None or abs(moments[best] - row.observed_at) > apart:
            over.append(row)
            continue
        del moments[best], free[best]
    return free, over


def _is_written_off(numbers: Collection[Number], written_off: Sequence[Range]) -> bool:
    """Return whether all numbers under which something was sent lie in a range that the platform wrote off."""
    return bool(numbers) and all(any(_holds(one, number) for one in written_off) for number in numbers)


def _holds(one: Range, number: Number) -> bool:
    return (one.hub, one.outbox, one.stream) == (number.hub, number.outbox, number.stream) and (
        one.first <= number.number <= one.last
    )

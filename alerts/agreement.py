"""Does a replay's file agree with itself?

What the dial promised must come true, and nothing may come that it did not promise, as long as nothing was heard in
between.  Judged from outside: by the lines and the recording alone, with nothing of the judging.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

STILLNESS: Final = "stillness"
"""What the names of the questions about stillness begin with."""

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Dial:
    at: datetime
    next_alert_at: datetime | None


def disagreements(lines: Sequence[Mapping[str, Any]], observed_at: Sequence[datetime]) -> Iterator[str]:
    """Yield what does not agree among the lines of one home, a sentence each.

    Args:
        lines: of the home, in the order of the file.
        observed_at: when it was heard, in order of time; not empty.
    """
    dials = [
        _Dial(_moment(line["at"]), None if line["next_alert_at"] is None else _moment(line["next_alert_at"]))
        for line in lines
        if line["kind"] == "dial"
    ]
    stillness = [
        _moment(line["at"]) for line in lines if line["kind"] == "alert" and line["question"].startswith(STILLNESS)
    ]
    yield from _hours(dials, observed_at)
    for dial in dials:
        yield from _promise(dial, stillness, observed_at)
    for at in stillness:
        yield from _announced(at, dials, observed_at)
    yield from _blocks(lines, observed_at)
    moments = [_known_at(line) for line in lines]
    if moments != sorted(moments):
        yield "the lines are not in order of time"


def _hours(dials: Sequence[_Dial], observed_at: Sequence[datetime]) -> Iterator[str]:
    """Yield which full hours from the first reading to the last have no dial, and which dials are none of them."""
    hour = observed_at[0].replace(minute=0, second=0, microsecond=0)
    hour += _HOUR if hour < observed_at[0] else timedelta(0)
    expected = []
    while hour <= observed_at[-1]:
        expected.append(hour)
        hour += _HOUR
    if [dial.at for dial in dials] != expected:
        yield f"there are {len(dials)} dials for {len(expected)} full hours, or not at those"


def _promise(dial: _Dial, stillness: Sequence[datetime], observed_at: Sequence[datetime]) -> Iterator[str]:
    due = dial.next_alert_at
    if due is None:
        if any(_is_silent(observed_at, after=dial.at, until=at) for at in stillness if at > dial.at):
            yield f"the dial at {dial.at} says that none would come, and one does"
    elif due > dial.at:
        if _is_silent(observed_at, after=dial.at, until=due) and due not in stillness:
            yield f"the dial at {dial.at} promises an alert at {due}, nothing is heard, and none comes"
    elif due not in stillness:
        yield f"the dial at {dial.at} says that one is open since {due}, and there is none"
    elif bisect_right(observed_at, dial.at) > bisect_left(observed_at, due):
        yield f"the dial at {dial.at} says that one is open since {due}, but something was heard since"


def _announced(at: datetime, dials: Sequence[_Dial], observed_at: Sequence[datetime]) -> Iterator[str]:
    before = bisect_left(dials, at, key=lambda dial: dial.at) - 1
    if before < 0:
        return  # It came within the first hour.
    dial = dials[before]
    if dial.next_alert_at != at and _is_silent(observed_at, after=dial.at, until=at):
        yield f"the alert at {at} was not announced by the dial at {dial.at}, which says {dial.next_alert_at}"


def _blocks(lines: Sequence[Mapping[str, Any]], observed_at: Sequence[datetime]) -> Iterator[str]:
    blocks = [(_moment(line["from"]), _moment(line["until"])) for line in lines if line["kind"] == "unusual"]
    for number, (begins, ends) in enumerate(blocks):
        if number and begins != blocks[number - 1][1]:
            yield f"the block from {begins} does not begin where the one before ends"
        if not begins < ends <= observed_at[-1]:
            yield f"the block from {begins} to {ends} was not over"
    if any(begins.hour % 6 or begins.minute or begins.second for begins, _ in blocks):
        yield "a block does not begin at midnight, 06:00, 12:00 or 18:00"


def _is_silent(observed_at: Sequence[datetime], *, after: datetime, until: datetime) -> bool:
    """Return whether nothing was heard between two moments, both excluded."""
    return bisect_right(observed_at, after) >= bisect_left(observed_at, until)


def _known_at(line: Mapping[str, Any]) -> datetime:
    return _moment(line["until"] if line["kind"] == "unusual" else line["at"])


def _moment(said: str) -> datetime:
    at = datetime.fromisoformat(said)
    if at.utcoffset() is None:
        raise ValueError(f"a time without an offset: {said}")
    return at

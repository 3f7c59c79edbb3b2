"""Does the watched clock vouch for minutes in which nothing of a home could be heard, or nobody judged?

Held against the times that fate itself made dark.  One that is longer than the promises last must be written as blind
from its beginning on; a shorter one is forgiven, and may stand as seen.  What could not be heard, what could not be
stored and what was not judged have a grace each, and so are not added up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deploy.chaos.sight import Dark, Step

SPANS: Final = "SELECT home, since, until, state FROM watch_span ORDER BY home, since"

_VOUCHES: Final = frozenset({"watched", "degraded"})


@dataclass(frozen=True, slots=True)
class Span:
    """How well a home was seen for a while, as it was written; `until` is excluded, None while it goes on."""

    home: str
    since: datetime
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """A time that the watched clock calls seen, in which nothing could be known."""

    home: str
    since: datetime
    until: datetime
    dark: Dark
    state: str

    @property
    def minutes(self) -> list[int]:
        """Return the minutes, counted from 1970, that it touches."""
        return list(range(int(self.since.timestamp() // 60), int((self.until.timestamp() - 1e-6) // 60) + 1))


def vouched(spans: Iterable[Span], dark: Sequence[Dark], *, lease: timedelta, slack: timedelta) -> list[Vouched]:
    """Return what is vouched for and could not be known.

    Args:
        spans: as they were written.
        dark: the times that are over in which nothing of a home could be heard, stored or judged.
        lease: for how long after the last thing heard a home may still count as seen.
        slack: how long what was said before may have been on its way, and how far behind who judges again may begin.
    """
    long = [one for one in _joined(dark) if one.until is not None and one.until - one.since > lease + slack]
    found = []
    for span in spans:
        if span.state not in _VOUCHES:
            continue
        for one in long:
            assert one.until is not None
            since = max(span.since, one.since + slack)
            # Who judges again begins where the log had come to, a tick ago; a hub is heard again when it is.
            ends = one.until if one.step is Step.HEARD else one.until - slack
            until = min(span.until or ends, ends)
            if span.home == one.home and since < until:
                found.append(Vouched(span.home, since, until, one, span.state))
    return found


def _joined(dark: Sequence[Dark]) -> list[Dark]:
    """Return the times with those of a home, and of one kind, that touch each other made one."""
    joined: list[Dark] = []
    for one in sorted(dark, key=lambda one: (one.home, one.step.value, one.since)):
        last = joined[-1] if joined else None
        is_next = last is not None and (last.home, last.step) == (one.home, one.step)
        if last is not None and is_next and last.until is not None and one.since <= last.until:
            until = None if one.until is None else max(last.until, one.until)
            joined[-1] = Dark(one.home, last.since, until, one.step)
        else:
            joined.append(one)
    return joined

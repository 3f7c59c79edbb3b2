"""What does a recording of real homes say, and when was that?

A file of lines `home,observed_at,location`, one for each time that a sensor saw someone or a door was opened; the
times are those of a clock on a wall in the United Kingdom.  Rows that are not that are counted and passed over: one
broken row must not cost a month of a home.
"""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

from alerts.judging.policy import LONDON

HEADER: Final = ("home", "observed_at", "location")

ROWS_MAX: Final = 20_000_000
"""Ours: TIHM's 30 homes have 569,074 rows for two months."""

_LINE_MAX: Final = 1_000
_NAME_MAX: Final = 100
_EXAMPLES_MAX: Final = 5
_WALL: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
# Ours: a year outside is a broken clock, and would have every hour of a century looked at.
_YEARS: Final = range(1990, 2101)
_HOUR: Final = timedelta(hours=1)
_GZIP: Final = b"\x1f\x8b"


class Unreadable(Exception):
    """The file is not a recording, or ends in the middle; whoever chose it must look."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Somebody moved there, or that door was opened."""

    at: datetime
    location: str


@dataclass(slots=True)
class Recording:
    """What stands in a recording.

    Attributes:
        homes: each home's observations in order of time.
        rows: how many rows there were of the homes asked for, and of homes that cannot be told.
        malformed: how many could not be used, by reason.
        examples: the first of those, with the number of the line and the reason.
        out_of_order: how many stood behind a later one of their home.
        repeated: how many said the same as another of the same second, and count once.
    """

    homes: dict[str, tuple[Observed, ...]] = field(default_factory=dict)
    rows: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)
    out_of_order: int = 0
    repeated: int = 0

    def _refuse(self, line: int, why: str) -> None:
        self.malformed[why] += 1
        if len(self.examples) < _EXAMPLES_MAX:
            self.examples.append((line, why))


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Open a recording for reading, packed by gzip or not.

    Raises:
        Unreadable: what was read inside ends in the middle, or is not gzip although it begins so.
        OSError: there is no such file, or it may not be read.
    """
    with path.open("rb") as raw:
        is_packed = raw.read(2) == _GZIP
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", errors="replace")
            if is_packed
            else path.open(encoding="utf-8-sig", errors="replace")
        ) as lines:
            yield lines
    except (EOFError, gzip.BadGzipFile) as why:
        raise Unreadable(f"{path} is damaged: {why}") from None


def read(lines: IO[str], homes: Collection[str] = ()) -> Recording:
    """Return what stands in a recording.

    Args:
        lines: of the file; the first may name the columns.
        homes: only these; empty: all.

    Raises:
        Unreadable: it has more than `ROWS_MAX` rows.
    """
    found = Recording()
    walks: dict[str, _Walk] = {}
    for number, line in enumerate(iter(partial(lines.readline, _LINE_MAX), ""), 1):
        if number > ROWS_MAX:
            raise Unreadable(f"it has more than {ROWS_MAX} rows")
        if not line.strip() or (number == 1 and _columns(line) == HEADER):
            continue
        row = _row(line)
        if isinstance(row, tuple) and homes and row[0] not in homes:
            continue
        found.rows += 1
        if isinstance(row, str):
            found._refuse(number, row)  # noqa: SLF001 - its own module
        else:
            home, wall_at, location = row
            walks.setdefault(home, _Walk()).add(wall_at, location)
    for home, walk in sorted(walks.items()):
        found.homes[home], repeated = walk.in_order()
        found.out_of_order += walk.out_of_order
        found.repeated += repeated
    return found


@dataclass(slots=True)
class _Walk:
    """One home's rows, as they stand in the file."""

    observed: list[Observed] = field(default_factory=list)
    latest: datetime | None = None
    out_of_order: int = 0
    known: dict[str, str] = field(default_factory=dict)

    def add(self, wall_at: datetime, location: str) -> None:
        at = placed(wall_at, after=self.latest)
        if self.latest is not None and at < self.latest:
            self.out_of_order += 1
        else:
            self.latest = at
        self.observed.append(Observed(at, self.known.setdefault(location, location)))

    def in_order(self) -> tuple[tuple[Observed, ...], int]:
        """Return the observations by time, each once, and how many were repeated."""
        ordered = sorted(self.observed, key=lambda one: (one.at, one.location))
        once = tuple(one for before, one in pairwise([None, *ordered]) if one is not None and one != before)
        return once, len(ordered) - len(once)


def placed(wall_at: datetime, *, after: datetime | None) -> datetime:
    """Return when a clock on a wall in the United Kingdom showed a time, in UTC.

    An hour that comes twice is taken for its first coming, unless that lies before what the home had said already
    and the second does not.  A time that was skipped is taken as if that clock had not been put forward yet.
    """
    ahead = _ahead_all_day(wall_at.date())
    if ahead is not None:
        return (wall_at - ahead).replace(tzinfo=UTC)
    first = wall_at.replace(tzinfo=LONDON, fold=0).astimezone(UTC)
    if after is None or first >= after:
        return first
    second = wall_at.replace(tzinfo=LONDON, fold=1).astimezone(UTC)
    return second if second - first == _HOUR and second >= after else first


# The same few days come again and again: without this, placing takes most of the time of reading.
@lru_cache(maxsize=4096)
def _ahead_all_day(day: date) -> timedelta | None:
    """Return how far London's clocks are ahead of UTC on a day; None on one on which they are changed."""
    begins, ends = (datetime.combine(each, time(0), LONDON) for each in (day, day + timedelta(days=1)))
    ahead = begins.utcoffset()
    return ahead if ahead == ends.utcoffset() else None


def _columns(line: str) -> tuple[str, ...] | None:
    """Return the fields of a line; None where its quotes do not close.

    Each line is read alone, so that one stray quote does not swallow the rows behind it.
    """
    if '"' not in line:
        return tuple(part.strip() for part in line.rstrip("\r\n").split(","))
    try:
        return tuple(part.strip() for part in next(csv.reader([line], strict=True)))
    except csv.Error:
        return None


def _row(line: str) -> tuple[str, datetime, str] | str:
    """Return what a row says, or why it cannot be used."""
    columns = _columns(line)
    if columns is None or len(columns) != len(HEADER):
        return "not three columns"
    home, observed_at, location = columns
    if not _is_name(home):
        return "no home"
    if not _is_name(location):
        return "no location"
    if _WALL.fullmatch(observed_at) is None:
        return "not a wall time"
    try:
        wall_at = datetime.fromisoformat(observed_at)
    except ValueError:
        return "not a wall time"
    return (home, wall_at, location) if wall_at.year in _YEARS else "a year that cannot be"


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _NAME_MAX and text.isprintable() and "\ufffd" not in text


def reported(recording: Recording) -> Iterable[str]:
    """Return, in sentences, what of a recording could not be used or was not in order."""
    refused = sum(recording.malformed.values())
    if refused:
        reasons: Mapping[str, int] = dict(sorted(recording.malformed.items()))
        yield f"{refused} of {recording.rows} rows cannot be used and are skipped: " + ", ".join(
            f"{count} {why}" for why, count in reasons.items()
        )
        yield from (f"  line {number}: {why}" for number, why in recording.examples)
    if recording.out_of_order:
        yield f"{recording.out_of_order} rows stood behind a later one of their home and were put in order."
    if recording.repeated:
        yield f"{recording.repeated} rows said the same as another of the same second and count once."

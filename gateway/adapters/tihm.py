"""What did a home of the TIHM recording do?  Its rows -> observations, moved to now.

Format: "TIHM: An open dataset for remote healthcare monitoring in dementia" (Scientific Data 2023), activity.csv:
`home,observed_at,location`, one row an activation, no end of it, to the second.  The time zone is not stated; it
is taken as Europe/London's wall time, and moved by whole weeks of wall time, so that a Monday stays a Monday and
breakfast stays at breakfast time over a change of the clocks.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from gateway.reading import Quantity, SensorId

ROWS_MAX: Final = 5_000_000
"""TIHM has 569,074."""

_WHAT: Final[Mapping[str, Quantity]] = {
    "kitchen": Quantity.MOVEMENT,
    "hallway": Quantity.MOVEMENT,
    "lounge": Quantity.MOVEMENT,
    "bedroom": Quantity.MOVEMENT,
    "bathroom": Quantity.MOVEMENT,
    "fridge-door": Quantity.OPEN,
    "front-door": Quantity.OPEN,
    "back-door": Quantity.OPEN,
}

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Activation:
    """One row: a sensor said once that it saw someone, or that a door was opened."""

    wall_at: datetime  # naive, as on a clock in the home
    sensor: SensorId
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Recording:
    """One home's activations, and how many rows could not be used, by reason."""

    activations: tuple[Activation, ...]
    malformed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """An activation at the moment to which it was moved."""

    at: datetime
    sensor: SensorId
    quantity: Quantity


def read(lines: Iterable[str], home: str) -> Recording:
    """Return one home's activations in order of time; rows of other homes are passed over.

    Args:
        lines: of the file, the first may name the columns.
        home: as in the file.
    """
    found: list[Activation] = []
    malformed: Counter[str] = Counter()
    rows = csv.reader(lines, strict=False)
    for row in islice(rows, ROWS_MAX):
        if not row or row == ["home", "observed_at", "location"]:
            continue
        if len(row) != 3:
            malformed["not three columns"] += 1
        elif row[0] == home:
            activation = _activation(row)
            if isinstance(activation, str):
                malformed[activation] += 1
            else:
                found.append(activation)
    found.sort(key=lambda activation: activation.wall_at)  # Stable: what is of one second keeps its order.
    return Recording(tuple(found), dict(malformed))


def shift(recording: Recording, *, now: datetime) -> timedelta:
    """Return by how much wall time to move a recording so that it covers today and tomorrow.

    Whole weeks, the least that let its last day be tomorrow or later (Europe/London), so at most six days later.

    Raises:
        ValueError: there is nothing in it.
    """
    if not recording.activations:
        raise ValueError("the recording has nothing of this home")
    tomorrow = now.astimezone(_london()).date() + _DAY
    last_day = recording.activations[-1].wall_at.date()
    return -((last_day - tomorrow) // _WEEK) * _WEEK


def placed(recording: Recording, by: timedelta) -> tuple[Placed, ...]:
    """Return the activations at the moments to which they are moved, in order of time.

    An hour that comes twice is taken as its first coming, one that is skipped as if the clocks had not been
    changed yet (PEP 495, fold=0): the same on every start.
    """
    london = _london()
    moved = [
        Placed((a.wall_at + by).replace(tzinfo=london, fold=0).astimezone(UTC), a.sensor, a.quantity)
        for a in recording.activations
    ]
    return tuple(sorted(moved, key=lambda activation: activation.at))


def days(recording: Recording, by: timedelta) -> tuple[date, date]:
    """Return the first and last day of a moved recording, in wall time."""
    wall = [activation.wall_at + by for activation in (recording.activations[0], recording.activations[-1])]
    return wall[0].date(), wall[1].date()


def _activation(row: list[str]) -> Activation | str:
    """Return what a row says, or why it cannot be used."""
    quantity = _WHAT.get(row[2])
    if quantity is None:
        return "unknown location"
    try:
        wall_at = datetime.strptime(row[1], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 -- wall time, placed later
    except ValueError:
        return "not a time"
    return Activation(wall_at, SensorId(row[2]), quantity)


def _london() -> ZoneInfo:
    return ZoneInfo("Europe/London")

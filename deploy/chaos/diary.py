"""What did the sensors say, by their own diary, and what of it did the hubs take in?

Held against the cards: what the home's own broker took over for its hub must be on a card, an alarm always, and a
reading unless the hub was away for so long that nobody could say any more when it was (`gateway.radio.LATE_AFTER_S`).
"""

import bisect
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from deploy.chaos.cards import Seen

_OF_THE_BRIDGE: Final = frozenset({"cached", "availability", "bridge"})
"""Reasons for which Zigbee2MQTT says something that no sensor has just said."""

_ALARM: Final = "_alarm"
# The diary's moments are rounded to the millisecond, and the clock of a street runs some twenty times as fast. Ours.
_EARLY_MS: Final = 100
_AT_ONCE_MS: Final = 20_000
_NEAR: Final = timedelta(minutes=10)
"""A message and its row lie no further apart, when the clock is right; half a minute of real time. Ours."""

_Sensor = tuple[str, str, bool]
"""Home, sensor, and whether alarms alone count."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a sensor said.

    Attributes:
        at: by the street's clock.
        is_alarm: somebody called for help.
    """

    home: str
    sensor: str
    serial: int
    at: datetime
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class Diary:
    """What the sensors of a home said.

    Attributes:
        said: what the home's broker took, and so owes to the hub.
        unsaid: how much it did not take, or nobody knows of.
    """

    said: list[Said]
    unsaid: int


def read(home: str, path: Path) -> Diary:
    """Return what a home's sensors said, by its diary."""
    messages: dict[int, Said] = {}
    taken = set()
    for line in _lines(path):
        if "topic" in line and line["sensor"] is not None and line["why"] not in _OF_THE_BRIDGE:
            at = datetime.fromtimestamp(line["at_ms"] / 1000, UTC)
            messages[line["serial"]] = Said(home, line["sensor"], line["serial"], at, bool(line["alarm"]))
        elif line.get("radio") == "acknowledged":
            taken.add(line["serial"])
    said = [one for serial, one in messages.items() if serial in taken]
    return Diary(said, len(messages) - len(said))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as book:
        for line in book:
            if line.endswith(b"\n"):
                yield json.loads(line)


@dataclass(frozen=True, slots=True)
class Beside:
    """Something that reached the table and stands on no card; `at` is when it was observed, as the table has it."""

    home: str
    sensor: str
    is_alarm: bool
    at: datetime


def not_on_a_card(
    said: Iterable[Said],
    seen: Iterable[Seen],
    *,
    odd_boots: Collection[str] = (),
    beside: Iterable[Beside] = (),
    is_gone: Callable[[Said], bool] = lambda _: False,
) -> list[Said]:
    """Return what was said and is on no card, nor in the table without one.

    A hub may see several things in one message, at one moment of its uptime; each such moment stands for one message
    of that sensor.  Of alarms only alarms count.

    Args:
        said: by the sensors.
        seen: by the hubs.
        odd_boots: those in which a hub's clock was wrong, and so its uptime, which is the clock's in such a street.
        beside: what hubs took in and had no card for.
        is_gone: whether something may have stood in the table alone, and is gone with it.
    """
    cardless: defaultdict[_Sensor, set[datetime]] = defaultdict(set)
    for row in beside:
        cardless[row.home, row.sensor, row.is_alarm].add(row.at)
    moments: defaultdict[_Sensor, set[tuple[str, int]]] = defaultdict(set)
    for one in seen:
        moments[one.home, one.sensor, one.quantity.endswith(_ALARM)].add((one.boot, one.uptime_ms))
    by_sensor: defaultdict[_Sensor, list[Said]] = defaultdict(list)
    for message in said:
        by_sensor[message.home, message.sensor, message.is_alarm].append(message)
    missing = []
    for (home, sensor, is_alarm), messages in by_sensor.items():
        # A message that calls may say other things too, at its own moment.
        on_card = moments[home, sensor, is_alarm] - (set() if is_alarm else moments[home, sensor, True])
        odd = sum(boot in odd_boots for boot, _ in on_card)
        without = _unmatched(messages, sorted(ms for boot, ms in on_card if boot not in odd_boots))
        without = _without_a_row(without, cardless[home, sensor, is_alarm])
        # What can be told by its time went first: an odd boot's moments say nothing, and only count.
        missing += [one for one in without if not is_gone(one)][odd:]
    return missing


def _without_a_row(messages: list[Said], rows: Iterable[datetime]) -> list[Said]:
    """Return the messages that no row near them stands for."""
    left = list(messages)
    for at in sorted(rows):
        near = [one for one in left if abs(one.at - at) < _NEAR]
        if near:
            left.remove(min(near, key=lambda one: abs(one.at - at)))
    return left


def _unmatched(messages: list[Said], uptimes_ms: list[int]) -> list[Said]:
    """Return the messages that no moment is left for.

    Those that were taken in at once go first, each with the first moment that is not before it.  What is left of the
    moments are those of messages that had to wait: each takes the last that was said before it, so that one that was
    never written on a card does not take the moment of a later one.
    """
    left, without = list(uptimes_ms), []
    for message in sorted(messages, key=lambda one: one.at):
        at_ms = _at_ms(message)
        place = bisect.bisect_left(left, at_ms)
        if place < len(left) and left[place] <= at_ms + _AT_ONCE_MS:
            del left[place]
        else:
            without.append(message)
    for moment in left:
        place = bisect.bisect_right(without, moment, key=_at_ms)
        if place > 0:
            del without[place - 1]
    return without


def _at_ms(message: Said) -> int:
    """Return the first moment at which a hub can have taken a message in."""
    return int(message.at.timestamp() * 1000) - _EARLY_MS

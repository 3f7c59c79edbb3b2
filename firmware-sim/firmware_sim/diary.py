"""What did the equipment of one home say, and did the home's broker take it?

The book that the tests count the database against, so its one rule is the order: a message is written here
before it is sent.  One JSON object a line; nothing is ever changed.

A message: `serial` (1, 2, 3 ... in this home, never twice), `at` and `at_ms` (the homes' time), `sensor` (None:
the bridge's own), `why`, `what` (property to value: only what is new in it), `topic`, `payload`, `qos`, `retain`,
`alarm`, `who` (who caused it, where somebody did: `resident`, `partner`, `visitor`, `cat`).

Its fate: `serial`, `radio` and `real_ms`; `acknowledged` (PUBACK), `sent` (QoS 0, handed to the network), `lost`
(there was no broker), `unanswered` (we stopped first).

An order: `order`, `at`, `at_ms`, `sensor`, and `by`: `order` or `chance`.

What truly happened and no sensor says, what orders led to included: `life` (`went out`, `collapsed`, `came to visit`),
`at`, `at_ms`, `who`, `room`.

A leap: `skipped_from` (excluded) and `skipped_until` (included), and the same with `_ms`: life that was not played.

A message without a fate: we died in between, and only the broker knows.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from firmware_sim.bridge import Message
from firmware_sim.faults import Do, Order
from firmware_sim.happening import Happening
from firmware_sim.models import Value

_LINE_BYTES_MAX: Final = 1_000_000


@dataclass(slots=True)
class Recollection:
    """What a diary says about the time before: enough to go on from."""

    serial: int = 0
    through: datetime | None = None
    orders: list[Order] = field(default_factory=list)
    lived_through_ms: int = -1
    states: dict[str, dict[str, Value]] = field(default_factory=dict)
    heard_at: dict[str, datetime] = field(default_factory=dict)


class Diary:
    """One home's diary, open for writing; one process writes it."""

    def __init__(self, path: Path) -> None:
        """Open it, read what is there, and cut off a last line that was only half written.

        Such a line was never sent, since sending comes after, so cutting it loses nothing.

        Raises:
            OSError: it cannot be written; nothing may be sent then.
            ValueError: it is not a diary.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        _cut_half_line(self._fd)
        self.recollection = recollection_of(path)
        self._serial = self.recollection.serial

    def write_message(self, message: Message, *, now: datetime) -> int:
        """Write a message that is about to be sent, and return its serial; an alarm is on the disk by then."""
        self._serial += 1
        payload: object = json.loads(message.payload)
        if message.sensor is None and message.topic.endswith("/devices"):
            payload = f"{len(message.payload.encode())} bytes"
        line = {
            "serial": self._serial,
            **_moment("at", now),
            "sensor": message.sensor,
            "why": message.why,
            "what": message.news,
            "topic": message.topic,
            "payload": payload,
            "qos": message.qos,
            "retain": message.retain,
            "alarm": message.is_alarm,
            "who": message.who,
        }
        self._append(line, must_last=message.is_alarm)
        return self._serial

    def write_fate(self, serial: int, radio: str, *, real_s: float) -> None:
        """Write what became of a message."""
        self._append({"serial": serial, "radio": radio, "real_ms": round(real_s * 1000)})

    def write_order(self, order: Order) -> None:
        """Write an order before it takes effect; it is on the disk by then."""
        self._append(order_line(order), must_last=True)

    def write_life(self, happening: Happening) -> None:
        """Write what truly happened; one that a restart plays again is already there."""
        at_ms = round(happening.at.timestamp() * 1000)
        if at_ms > self.recollection.lived_through_ms:
            self._append(life_line(happening))

    def write_leap(self, since: datetime, until: datetime) -> None:
        """Write that the life from `since` (excluded) to `until` (included) was never played."""
        self._append({**_moment("skipped_from", since), **_moment("skipped_until", until)})

    def close(self) -> None:
        """Close it, on the disk."""
        os.fsync(self._fd)
        os.close(self._fd)

    def _append(self, line: dict[str, Any], *, must_last: bool = False) -> None:
        # One write to a file opened for appending: whole, or cut off at the end, and never mixed.
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        written = os.write(self._fd, text)
        if written != len(text):
            raise OSError(f"the disk took {written} of {len(text)} bytes of the diary")
        if must_last:
            os.fsync(self._fd)


def order_line(order: Order) -> dict[str, Any]:
    """Return an order as a line of a diary."""
    by = "chance" if order.is_chance else "order"
    return {"order": order.do.value, **_moment("at", order.at), "sensor": order.sensor, "by": by}


def life_line(happening: Happening) -> dict[str, Any]:
    """Return what truly happened as a line of a diary."""
    where = {"who": happening.who.value, "room": happening.room}
    return {"life": happening.what.value, **_moment("at", happening.at), **where}


def recollection_of(path: Path) -> Recollection:
    """Return what a diary remembers.

    Raises:
        ValueError: a line in it is not one of a diary's.
    """
    found = Recollection()
    for line in lines_of(path):
        if "order" in line:
            is_chance = line.get("by") == "chance"
            found.orders.append(Order(_at(line["at_ms"]), Do(line["order"]), line["sensor"], is_chance))
            # What the order leads to may be said at its very moment, and is not known to have been said.
            _reaches(found, line["at_ms"] - 1)
        elif "life" in line:
            found.lived_through_ms = line["at_ms"]
        elif "skipped_until_ms" in line:
            _reaches(found, line["skipped_until_ms"])
        elif "topic" in line:
            found.serial = line["serial"]
            _remember_message(found, line)
    return found


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a diary, oldest first; one that is still being written is left out.

    Raises:
        ValueError: a line is not a JSON object, or longer than any of ours.
    """
    with path.open("rb") as book:
        for text in book:
            if not text.endswith(b"\n"):
                return
            if len(text) > _LINE_BYTES_MAX:
                raise ValueError(f"a line of {len(text)} bytes in {path}")
            line = json.loads(text)
            if not isinstance(line, dict):
                raise TypeError(f"a line that is no object in {path}")
            yield line


def _remember_message(found: Recollection, line: dict[str, Any]) -> None:
    sensor = line["sensor"]
    if sensor is None or line["why"] == "availability":
        return
    found.states[sensor] = line["payload"]
    if line["why"] != "cached":
        found.heard_at[sensor] = _at(line["at_ms"])
        _reaches(found, line["at_ms"])


def _reaches(found: Recollection, at_ms: int) -> None:
    at = _at(at_ms)
    found.through = at if found.through is None else max(found.through, at)


def _cut_half_line(fd: int) -> None:
    size = os.fstat(fd).st_size
    tail = os.pread(fd, _LINE_BYTES_MAX, max(0, size - _LINE_BYTES_MAX))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(fd, size - len(tail) + tail.rfind(b"\n") + 1)


def _moment(name: str, at: datetime) -> dict[str, object]:
    """Return a moment twice: for people and for counting."""
    return {name: at.isoformat(timespec="milliseconds"), f"{name}_ms": round(at.timestamp() * 1000)}


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)

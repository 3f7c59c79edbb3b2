"""What was done, and what came of it, so that runs add up?  One JSON object a line, never changed.

A fault: `fault` (its kind), `target`, `run`, `number` in the run, `at` (real time), `lasted_s`,
`others` (faults that went on when it began), and `bit`: what shows
that it bit; empty where it did not, and then it does not count.

The end of a run: `run`, `seed`, `homes`, `faults` (that bit), `lost`, `doubled`, `untold`, `blind_minutes_shown`,
`doubled_texts`, and `apart`: what is listed apart.  A run without an end was broken off, and its faults do not count.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ZEROS: Final = ("lost", "doubled", "untold", "blind_minutes_shown")
"""What must be 0."""


@dataclass(slots=True)
class Sum:
    """What a ledger adds up to.

    Attributes:
        runs: that came to their end.
        faults: of those, that bit.
        kinds: the same, by kind.
        broken_off: faults of runs without an end, which do not count.
        wrong: of each of the four that must be 0, how many.
        doubled_texts: over all.
    """

    runs: int = 0
    faults: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    broken_off: int = 0
    wrong: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ZEROS, 0))
    doubled_texts: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether all four are 0."""
        return not any(self.wrong.values())


class Book:
    """A ledger on the disk, that runs add to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, line: Mapping[str, object]) -> None:
        """Add a line; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as out:
            out.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())

    def lines(self) -> list[dict[str, Any]]:
        """Return everything in it; a last line that was only half written is left out."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def sum(self) -> Sum:
        """Return what all of it adds up to."""
        return summed(self.lines())


def summed(lines: list[dict[str, Any]]) -> Sum:
    """Return what a ledger's lines add up to."""
    ended = {line["run"] for line in lines if "lost" in line}
    found = Sum(runs=len(ended))
    for line in lines:
        if "fault" in line and line["bit"]:
            if line["run"] not in ended:
                found.broken_off += 1
                continue
            found.faults += 1
            found.kinds[line["fault"]] = found.kinds.get(line["fault"], 0) + 1
        elif "lost" in line:
            found.doubled_texts += line["doubled_texts"]
            for name in ZEROS:
                found.wrong[name] += line[name]
    return found

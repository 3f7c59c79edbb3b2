"""How is a recording of real homes judged into a file?"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import typer

from alerts import agreement, recording, replayed
from alerts.recording import Observed, Recording
from deploy.admin import Cannot

_SAID_MAX: Final = 10
"""Disagreements that are said; more say nothing more."""


_KINDS: Final = {"alert": "alerts", "dial": "dials", "unusual": "blocks of six hours"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed, and into which file."""

    data: Path
    out: Path
    homes: tuple[str, ...] = ()
    has_check: bool = False


def run(asked: Asked) -> int:
    """Judge a recording as it happened, write the file, and say what came of it; return the exit code.

    The file appears whole or not at all.

    Raises:
        Cannot: the recording cannot be used.
        OSError: a file cannot be read or written.
    """
    recorded = _recorded(asked)
    for sentence in recording.reported(recorded):
        print(sentence)
    began_s = time.monotonic()
    readings = sum(len(observed) for observed in recorded.homes.values())
    counts = _write(asked.out, recorded)
    took_s = time.monotonic() - began_s
    said = ", ".join(f"{counts[kind]} {name}" for kind, name in _KINDS.items())
    print(
        f"{readings} readings of {len(recorded.homes)} homes judged in {took_s:.0f} s, "
        f"{readings / max(took_s, 0.001):,.0f} a second: {said}. Written to {asked.out}."
    )
    return _check(asked.out, recorded) if asked.has_check else 0


def _recorded(asked: Asked) -> Recording:
    try:
        with recording.opened(asked.data) as lines:
            recorded = recording.read(lines, asked.homes)
    except recording.Unreadable as why:
        raise Cannot(f"{asked.data} cannot be replayed: {why}") from None
    missing = sorted(set(asked.homes) - set(recorded.homes))
    if missing:
        raise Cannot(f"{asked.data} has no row of home {', '.join(missing)} that can be used")
    if not recorded.homes:
        raise Cannot(f"{asked.data} has no row that can be used; each should be {','.join(recording.HEADER)}")
    return recorded


def _write(out: Path, recorded: Recording) -> Counter[str]:
    """Write the file, and return how many lines of each kind are in it."""
    counts: Counter[str] = Counter()
    readings = sum(len(observed) for observed in recorded.homes.values())
    workers = min(os.cpu_count() or 1, len(recorded.homes))
    with (
        _whole(out) as file,
        ProcessPoolExecutor(workers) as pool,
        typer.progressbar(length=readings, label="Replaying", file=sys.stderr) as bar,
    ):
        # In the order of the homes, whichever is done first: the same recording gives the same file.
        for home, (lines, kinds) in zip(recorded.homes, pool.map(_lines_of, recorded.homes.items()), strict=True):
            file.write(lines)
            counts.update(kinds)
            bar.update(len(recorded.homes[home]))
    return counts


def _lines_of(home: tuple[str, Sequence[Observed]]) -> tuple[str, Counter[str]]:
    """Return a home's part of the file, and how many lines of each kind it has."""
    written: list[str] = []
    kinds: Counter[str] = Counter()
    for line in replayed.lines_of(*home):
        kinds[str(line["kind"])] += 1
        written.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(written), kinds


@contextmanager
def _whole(out: Path) -> Iterator[IO[str]]:
    """Open a file that takes its name only once it is whole."""
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _check(out: Path, recorded: Recording) -> int:
    """Say whether a file agrees with itself; return the exit code."""
    lines: dict[str, list[dict[str, Any]]] = {home: [] for home in recorded.homes}
    with out.open(encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            lines[line["home"]].append(line)
    found = [
        f"{home}: {sentence}"
        for home, of_home in lines.items()
        for sentence in agreement.disagreements(of_home, [one.at for one in recorded.homes[home]])
    ]
    for sentence in found[:_SAID_MAX]:
        print(sentence)
    print(f"The file disagrees with itself {len(found)} times." if found else "The file agrees with itself.")
    return 1 if found else 0

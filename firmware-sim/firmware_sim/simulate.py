"""How are thousands of homes lived through for weeks, as fast as this machine can, into files?

    python -m firmware_sim.simulate --homes N --days D --out FOLDER [--seed S] [--since DATE] [--chance] [--messages]

`recording.csv.gz` is what a hub would have taken in, in the form of the TIHM recordings: `home,observed_at,location`,
wall time in Europe/London, by home and then in order.  `diary.jsonl.gz` is the truth: who lives in each home, what
happened there, and what befell it.  With `--messages`, `messages.jsonl.gz` has all that Zigbee2MQTT would publish.

Homes are lived side by side in several processes and written in order, a home at a time, so memory does not grow with
their number; the files are the same for the same seed, however many processes there are.
"""

import argparse
import gzip
import io
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, Final

from firmware_sim.bridge import Bridge, Message
from firmware_sim.chance import Fate
from firmware_sim.diary import life_line, order_line
from firmware_sim.faults import NotNow, Order
from firmware_sim.happening import LOCAL, Happening
from firmware_sim.home import Home, HomeSpec
from firmware_sim.hours import wall
from firmware_sim.models import USUAL_MODEL, Kind
from firmware_sim.routines import anyone
from firmware_sim.sensors import Said, SensorSpec

HEADER: Final = b"home,observed_at,location\n"
_ROOMS: Final = ("kitchen", "hallway", "lounge", "bedroom", "bathroom")
_DOORS: Final = ("fridge door", "front door", "back door")
# Beside TIHM's five rooms and three doors: what else a home may have.  The recording has rooms and doors alone.
KIT: Final = (
    *(SensorSpec(room, Kind.MOTION, room, USUAL_MODEL[Kind.MOTION]) for room in _ROOMS),
    *(SensorSpec(door.replace(" ", "-"), Kind.CONTACT, door, USUAL_MODEL[Kind.CONTACT]) for door in _DOORS),
    SensorSpec("lounge-presence", Kind.MOTION, "lounge", "FP1E"),
    SensorSpec("bed", Kind.BED, "bed", USUAL_MODEL[Kind.BED]),
    SensorSpec("chair", Kind.CHAIR, "chair", USUAL_MODEL[Kind.CHAIR]),
    *(SensorSpec(plug, Kind.PLUG, plug, USUAL_MODEL[Kind.PLUG]) for plug in ("kettle", "television")),
    SensorSpec("lounge-climate", Kind.CLIMATE, "lounge", USUAL_MODEL[Kind.CLIMATE]),
    SensorSpec("smoke", Kind.SMOKE, "kitchen", USUAL_MODEL[Kind.SMOKE]),
    SensorSpec("water", Kind.WATER, "kitchen", USUAL_MODEL[Kind.WATER]),
    SensorSpec("pendant", Kind.PENDANT, "", USUAL_MODEL[Kind.PENDANT]),
)
_RECORDED: Final = {spec.name for spec in KIT[: len(_ROOMS) + len(_DOORS)]}
_BRIDGE_EVERY: Final = timedelta(minutes=10)
_HOMES_MAX: Final = 1_000_000
_DAYS_MAX: Final = 3_660
_JOBS_MAX: Final = 64
# Homes that are done and wait to be written, or are being lived, for each process.
_AHEAD: Final = 2
_FAST: Final = 1  # gzip's level: three times as fast as its usual one, for a tenth more bytes.


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be lived: from local midnight of `since` on, for `days` days."""

    homes: int
    days: int
    seed: int
    since: date
    has_chance: bool
    has_messages: bool

    def name_of(self, number: int) -> str:
        """Return what the home of a number, from 1 on, is called."""
        return f"sim-{number:0{len(str(self.homes))}d}"


@dataclass(frozen=True, slots=True)
class Written:
    """One home's part of each file, compressed: such parts one after the other are a file again."""

    recording: bytes
    diary: bytes
    messages: bytes


def simulate(asked: Asked, folder: Path, *, jobs: int, progress: IO[str] | None) -> int:
    """Live all homes and write their files; return how many activations were recorded.

    Args:
        asked: what.
        folder: where to; made if it is missing.
        jobs: how many processes, at least 1.
        progress: where to tell how far it is; None for nowhere.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = ["recording.csv.gz", "diary.jsonl.gz", *(["messages.jsonl.gz"] if asked.has_messages else [])]
    files = [(folder / f"{name}.new").open("wb") for name in names]
    rows = 0
    try:
        files[0].write(gzip.compress(HEADER, mtime=0))
        for done, (written, count) in enumerate(_lived(asked, jobs), start=1):
            rows += count
            for file, part in zip(files, (written.recording, written.diary, written.messages), strict=False):
                file.write(part)
            if progress is not None:
                _tell(progress, done, asked.homes)
    finally:
        for file in files:
            file.close()
    # A file of this name is always whole.
    for name in names:
        (folder / f"{name}.new").replace(folder / name)
    return rows


def live(asked: Asked, number: int) -> tuple[Written, int]:
    """Live one home from beginning to end; return its part of each file, and how many activations it recorded."""
    name = asked.name_of(number)
    spec = HomeSpec(name, anyone(seed=asked.seed, home=name), KIT)
    since, until = wall(asked.since, 0), wall(asked.since + timedelta(days=asked.days), 0)
    home = Home(spec, seed=asked.seed, now=since, only=None if asked.has_messages else _RECORDED)
    recording, diary, messages = _Part(), _Part(), _Part()
    diary.write_json({"home": name, "lives_here": asdict(spec.household)})
    zigbee = _Zigbee(name, home, now=since) if asked.has_messages else None
    rows = 0
    for told in _told(home, asked, since=since, until=until):
        if zigbee is not None:
            for message, at in zigbee.publishes(told):
                messages.write(_as_published(name, message, at))
        if isinstance(told, Said):
            if is_activation(told) and home.condition.has_power:
                recording.write(f"{name},{wall_text(told.at)},{told.sensor}\n".encode())
                rows += 1
        else:
            diary.write_json({"home": name, **(order_line(told) if isinstance(told, Order) else life_line(told))})
    return Written(recording.bytes(), diary.bytes(), messages.bytes()), rows


def is_activation(said: Said) -> bool:
    """Return whether a TIHM home's recording would have this: a movement seen, or a door opened."""
    if said.sensor not in _RECORDED:
        return False
    return said.news.get("occupancy") is True or said.news.get("contact") is False


def wall_text(at: datetime) -> str:
    """Return a moment as the wall clock in London shows it, to the second."""
    return at.astimezone(LOCAL).isoformat(" ", "seconds")[:19]


def _told(home: Home, asked: Asked, *, since: datetime, until: datetime) -> Iterator[Said | Happening | Order]:
    """Yield what is said, what happens and what chance does, up to `until` (excluded)."""
    last = until - timedelta(milliseconds=1)
    if asked.has_chance:
        fate = Fate(home.spec.home, home.spec.sensors, seed=asked.seed, since=since)
        for order in fate.due(last):
            yield from home.told_until(order.at)
            try:
                home.obey(order)
            except NotNow:
                continue
            yield order
    yield from home.told_until(last)


class _Zigbee:
    """What Zigbee2MQTT makes of a home's life, power cuts included."""

    def __init__(self, name: str, home: Home, *, now: datetime) -> None:
        self._name = name
        self._home = home
        self._looks_at = now
        self._bridge: Bridge | None = None

    def publishes(self, told: Said | Happening | Order) -> Iterator[tuple[Message, datetime]]:
        """Yield what is published by the moment of something, and because of it."""
        if not self._home.condition.has_power:
            self._bridge = None
            return
        at = told.at
        if self._bridge is None:
            self._bridge = Bridge(
                self._name, self._home.spec.sensors, qos=1, cached=self._home.known, heard_at={}, now=at
            )
            yield from ((message, at) for message in self._bridge.starts(now=at))
        if at >= self._looks_at + _BRIDGE_EVERY:
            self._looks_at = at
            yield from ((message, at) for message in self._bridge.looks_after_itself(now=at))
        if isinstance(told, Said):
            yield from ((message, at) for message in self._bridge.hears(told))


class _Part:
    """A stretch of a compressed file."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        # No name and no time in its header, so that the same life is the same bytes.
        self._gzip = gzip.GzipFile("", "wb", _FAST, self._bytes, mtime=0)
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) >= 1000:
            self._flush()

    def write_json(self, line: Mapping[str, Any]) -> None:
        self.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")

    def bytes(self) -> bytes:
        """Close it, and return it."""
        self._flush()
        self._gzip.close()
        return self._bytes.getvalue()

    def _flush(self) -> None:
        self._gzip.write(b"".join(self._lines))
        self._lines.clear()


def _as_published(home: str, message: Message, at: datetime) -> bytes:
    """Return a message as a line of JSON; its payload is JSON already."""
    around = {"home": home, "at": at.isoformat(timespec="milliseconds"), "topic": message.topic, "qos": message.qos}
    around |= {"retain": message.retain, "who": message.who}
    return f'{json.dumps(around, separators=(",", ":"))[:-1]},"payload":{message.payload}}}\n'.encode()


def _lived(asked: Asked, jobs: int) -> Iterator[tuple[Written, int]]:
    """Yield each home as it is done, in order, with no more than a few ahead of the one that is written."""
    numbers: Iterable[int] = range(1, asked.homes + 1)
    if jobs == 1:
        yield from (live(asked, number) for number in numbers)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as processes:
        ahead: deque[Future[tuple[Written, int]]] = deque()
        for number in numbers:
            ahead.append(processes.submit(live, asked, number))
            if len(ahead) > jobs * _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _tell(progress: IO[str], done: int, of: int) -> None:
    """Draw how far it is, a hundred times at the most."""
    if done == of or done % max(1, of // 100) == 0:
        filled = round(30 * done / of)
        bar = "#" * filled + "." * (30 - filled)
        progress.write(f"\r[{bar}] {done:,} of {of:,} homes{'' if done < of else chr(10)}")
        progress.flush()


def main(words: list[str] | None = None) -> int:
    """Live what was asked for; return 0, or 2 if it cannot be."""
    asked = _arguments().parse_args(words)
    what = Asked(asked.homes, asked.days, asked.seed, asked.since, asked.chance, asked.messages)
    began_s = time.monotonic()
    try:
        rows = simulate(what, asked.out, jobs=min(asked.jobs, asked.homes), progress=sys.stderr)
    except OSError as why:
        sys.stderr.write(f"{why}\n")
        return 2
    took_s = time.monotonic() - began_s
    lived = what.homes * what.days
    sys.stdout.write(
        f"{_many(what.homes, 'home')} for {_many(what.days, 'day')} in {took_s:.1f} s: "
        f"{lived / took_s:,.1f} home-days a second, "
        f"{rows / lived:.0f} activations a home-day\n{asked.out}\n"
    )
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="telecare simulate", description="Homes that do not exist, into files.")
    parser.add_argument("--homes", type=_from_1_to(_HOMES_MAX), required=True, help="how many")
    parser.add_argument("--days", type=_from_1_to(_DAYS_MAX), required=True, help="for how long")
    parser.add_argument("--out", type=Path, required=True, help="a folder; files in it are replaced")
    parser.add_argument("--seed", type=int, default=1, help="decides all that is left to chance")
    parser.add_argument("--since", type=date.fromisoformat, default=date(2026, 1, 5), help="the first day, YYYY-MM-DD")
    parser.add_argument("--chance", action="store_true", help="let things befall the homes by chance, too")
    parser.add_argument("--messages", action="store_true", help="also write every message of Zigbee2MQTT")
    jobs = min(os.cpu_count() or 1, _JOBS_MAX)
    parser.add_argument("--jobs", type=_from_1_to(_JOBS_MAX), default=jobs, help="processes; one a core unless said")
    return parser


class _from_1_to:  # noqa: N801 - argparse calls it like a function
    """A whole number within bounds."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= self._most:
            raise argparse.ArgumentTypeError(f"not a whole number from 1 to {self._most}: {text!r}")
        return int(text)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what if count == 1 else what + 's'}"


if __name__ == "__main__":
    sys.exit(main())

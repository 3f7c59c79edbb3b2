"""How do several processes run as one program: started in order, restarted when they die, stopped together?

One thread, no pipes: a child writes straight into its own log file, so nothing that happens to us can block
it, and its lines are shown from there.
"""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self, TextIO

from deploy import child
from deploy.child import Command

_TICK_S: Final = 0.2
_STOP_PATIENCE_S: Final = 20.0

# A child that dies at once waits half a second, then twice as long each time; one that lived for a minute
# starts afresh.  It never gives up: a home is not watched until someone looks.
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_LIVED_S: Final = 60.0

_LOG_BYTES_MAX: Final = 32_000_000
_SHOWN_BYTES_A_TICK: Final = 65_536
_LAST_WORDS_LINES: Final = 5


class DidNotStart(Exception):
    """A part died or did not become ready in time; the operator must read its last words in the message."""


class Stopped(Exception):
    """We were asked to stop while parts were still being started; nobody must act."""


def _always() -> bool:
    return True


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the whole.

    Attributes:
        name: short; its log is `NAME.log`, and its lines are shown after it.
        command: asked for before each start, so that it may change (a password, a port).
        is_ready: whether it does its work now.
        ready_within_s: how long it may take from its start until `is_ready`.
        before: done before each start, also after it died (a lock to clear).
    """

    name: str
    command: Callable[[], Command]
    is_ready: Callable[[], bool] = _always
    ready_within_s: float = 60.0
    before: Callable[[], None] = _nothing


@dataclass(slots=True)
class _Running:
    part: Part
    log: Path
    process: subprocess.Popen[bytes]
    command: Command
    started_s: float  # On the monotonic clock, like every *_s here.
    restarts: int = 0
    deaths_in_a_row: int = 0
    again_at_s: float | None = None
    is_held: bool = False
    shown_bytes: int = 0
    began_bytes: int = 0
    unfinished: bytes = field(default=b"")


class Supervisor:
    """Starts parts, keeps them running, and stops all of them in reverse order.

    Use it as a context manager from the main thread.  Inside the block SIGINT, SIGTERM and SIGHUP ask it to
    stop; at the end of the block everything is stopped, whatever the reason.
    """

    _SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(
        self,
        logs: Path,
        *,
        show: TextIO | None = None,
        tell: Callable[[str], object] | None = None,
        stop_patience_s: float = _STOP_PATIENCE_S,
    ) -> None:
        """Describe a supervisor.

        Args:
            logs: the folder of the parts' log files.
            show: where their lines and our own are printed, each after its part's name; None is nowhere.
            tell: told in a line when a part died, and when it runs again.
            stop_patience_s: how long a part may take to end in order before it is killed.
        """
        self._stop_patience_s = stop_patience_s
        self._logs = logs
        self._show = show
        self._tell = tell
        self._parts: dict[str, _Running] = {}
        self._asked_to_stop = threading.Event()
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for one in self._SIGNALS:
            self._before[one] = signal.signal(one, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop_all()
        finally:
            for one, before in self._before.items():
                signal.signal(one, before)

    @property
    def is_stopping(self) -> bool:
        return self._asked_to_stop.is_set()

    def ask_to_stop(self) -> None:
        """End `watch`, as a signal would.  May be called from any thread."""
        self._asked_to_stop.set()

    def start(self, part: Part) -> None:
        """Start a part and return once it is ready.

        Raises:
            DidNotStart: it died, or was not ready in time.
            Stopped: we were asked to stop meanwhile.
            ValueError: a part of this name is there already.
        """
        self.start_together([part])

    def start_together(self, parts: Sequence[Part]) -> None:
        """Start parts that do not wait for each other, and return once all are ready.

        Raises:
            DidNotStart: one died, or was not ready in time.
            Stopped: we were asked to stop meanwhile.
            ValueError: a part of this name is there already.
        """
        for part in parts:
            if part.name in self._parts:
                raise ValueError(f"two parts are called {part.name}")
            self._parts[part.name] = self._spawn(part, self._logs / f"{part.name}.log")
        for part in parts:
            self._wait_for(self._parts[part.name])

    def watch(self, *, each_tick: Callable[[], None] = _nothing, until: Callable[[], bool] | None = None) -> None:
        """Restart what dies, until we are asked to stop or `until` is true.

        Args:
            each_tick: done about five times a second, in this thread.
            until: looked at as often.
        """
        while not self._asked_to_stop.is_set() and not (until and until()):
            self._look()
            each_tick()
            self._asked_to_stop.wait(_TICK_S)

    def hold(self, name: str) -> None:
        """Stop one part in order and leave it stopped, until `release`."""
        running = self._parts[name]
        running.is_held = True
        self._stop_one(running)

    def release(self, name: str) -> None:
        """Start a part that was held; `watch` sees to it if it dies."""
        running = self._parts[name]
        running.is_held = False
        running.again_at_s = time.monotonic()
        self._look()

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return a part's process as it is now; a restart replaces it.

        Raises:
            KeyError: there is no such part.
        """
        return self._parts[name].process

    def is_ready(self, name: str) -> bool:
        """Return whether a part runs and does its work now."""
        running = self._parts[name]
        return running.process.poll() is None and running.part.is_ready()

    def restarts(self, name: str) -> int:
        """Return how often a part was started again after it died."""
        return self._parts[name].restarts

    def names(self) -> Sequence[str]:
        return tuple(self._parts)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal's own shape
        self._asked_to_stop.set()

    def _spawn(self, part: Part, log: Path) -> _Running:
        part.before()
        command = part.command()
        shown = log.stat().st_size if log.exists() else 0
        process = child.start(command, log=log)
        return _Running(part, log, process, command, time.monotonic(), shown_bytes=shown, began_bytes=shown)

    def _wait_for(self, running: _Running) -> None:
        part = running.part
        deadline_s = time.monotonic() + part.ready_within_s
        while not part.is_ready():
            self._tick_while_starting()
            if running.process.poll() is not None:
                raise DidNotStart(f"{part.name} ended with {running.process.returncode}: {_last_words(running)}")
            if time.monotonic() > deadline_s:
                raise DidNotStart(f"{part.name} was not ready within {part.ready_within_s} s: {_last_words(running)}")

    def _tick_while_starting(self) -> None:
        self._look()
        if self._asked_to_stop.wait(0.05):
            raise Stopped("asked to stop while starting")

    def _look(self) -> None:
        """See who died, start who may start again, and show what was said."""
        for running in self._parts.values():
            self._show_lines(running)
            _bound(running)
            if running.is_held or running.process.poll() is None:
                continue
            if running.again_at_s is None:
                self._note_death(running)
            elif time.monotonic() >= running.again_at_s:
                self._start_again(running)

    def _note_death(self, running: _Running) -> None:
        now_s = time.monotonic()
        if now_s - running.started_s >= _LIVED_S:
            running.deaths_in_a_row = 0
        wait_s = min(_FIRST_WAIT_S * 2 ** min(running.deaths_in_a_row, 10), _LONGEST_WAIT_S)
        running.deaths_in_a_row += 1
        running.again_at_s = now_s + wait_s
        self._print(running.part.name, f"ended with {running.process.returncode}; again in {wait_s:g} s")
        if self._tell is not None:
            self._tell(f"{running.part.name} ended ({running.process.returncode}); it is started again")

    def _start_again(self, running: _Running) -> None:
        try:
            running.part.before()
            running.command = running.part.command()
            running.process = child.start(running.command, log=running.log)
        except Exception as why:  # noqa: BLE001 - one part that cannot start must not end the others
            self._print(running.part.name, f"cannot start: {why}")
        else:
            running.restarts += 1
            running.started_s = time.monotonic()
            running.again_at_s = None
            return
        running.deaths_in_a_row += 1
        running.again_at_s = time.monotonic() + _LONGEST_WAIT_S

    def _stop_all(self) -> None:
        # Last started, first stopped: a part may rest on those before it.
        for running in reversed(list(self._parts.values())):
            running.is_held = True
            self._stop_one(running)
        self._parts.clear()

    def _stop_one(self, running: _Running) -> None:
        child.stop(running.process, stop_with=running.command.stop_with, patience_s=self._stop_patience_s)
        self._show_lines(running)

    def _show_lines(self, running: _Running) -> None:
        """Print the whole lines that a part has written since, at most 64 kB a time."""
        if self._show is None:
            return
        with contextlib.suppress(FileNotFoundError), running.log.open("rb") as lines:
            lines.seek(running.shown_bytes)
            new = lines.read(_SHOWN_BYTES_A_TICK)
            running.shown_bytes += len(new)
            *whole, running.unfinished = (running.unfinished + new).split(b"\n")
            running.unfinished = running.unfinished[-_SHOWN_BYTES_A_TICK:]
            for line in whole:
                self._print(running.part.name, line.decode(errors="replace"))

    def _print(self, name: str, line: str) -> None:
        if self._show is not None:
            # A terminal that has gone away must not take the homes with it.
            with contextlib.suppress(OSError, ValueError):
                print(f"{name:<10} | {line}", file=self._show, flush=True)


def _bound(running: _Running) -> None:
    """Keep a log below its limit: one older file, and the child goes on writing to the emptied one."""
    with contextlib.suppress(FileNotFoundError):
        if running.log.stat().st_size > _LOG_BYTES_MAX:
            running.log.with_suffix(".log.1").write_bytes(running.log.read_bytes())
            with running.log.open("r+b") as emptied:
                emptied.truncate(0)
            running.shown_bytes = 0


def _last_words(running: _Running) -> str:
    """Return the last lines that a part has written since it was first started here."""
    said = running.log.read_bytes()[running.began_bytes :] if running.log.exists() else b""
    lines = said.decode(errors="replace").strip().splitlines()[-_LAST_WORDS_LINES:]
    return " / ".join(lines) or "it said nothing"

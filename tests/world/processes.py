"""The real processes of ours, started as their supervisor would, and what can be done to them."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deploy.embedded import machine

PATIENCE_S = 60.0


def wait_until(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> bool:
    """Return whether something came true in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Process:
    """One of our processes, with its log in a file."""

    def __init__(self, package: str, environment: Mapping[str, str], *, folder: Path) -> None:
        """Start nothing yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.health = f"127.0.0.1:{machine.free_port()}"
        self.log = folder / f"{package}-{time.monotonic_ns()}.log"
        self._package = package
        self._environment = {"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
        self._environment |= {**environment, f"TELECARE_{package.upper()}_HEALTH": self.health}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, without waiting for anything."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._package], env=self._environment, stdout=out, stderr=out
            )

    def start_ready(self) -> None:
        """Start it, and return when it can do its work."""
        self.start()
        assert wait_until(self.is_ready), f"{self._package} never got ready:\n{self.last_words()}"

    def is_ready(self) -> bool:
        # Somebody else may listen there before it does.
        with contextlib.suppress(OSError, http.client.HTTPException):
            return bool(urllib.request.urlopen(f"http://{self.health}/ready", timeout=2).status == 200)
        return False

    def why_not_ready(self) -> dict[str, str]:
        """Return what keeps it from its work; everything, while it does not answer."""
        try:
            answer = urllib.request.urlopen(f"http://{self.health}/ready", timeout=2)
        except urllib.error.HTTPError as why:
            answer = why
        except OSError:
            return dict.fromkeys(("radio", "platform", "outbox", "broker", "database", "lanes"), "it does not answer")
        said: dict[str, str] = json.loads(answer.read())["why"]
        return said

    def metric(self, name: str) -> float:
        """Return what it counted, all labels together."""
        text = urllib.request.urlopen(f"http://{self.health}/metrics", timeout=30).read().decode()
        lines = [line.split() for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line[-1]) for line in lines)

    def said(self, event: str) -> list[dict[str, object]]:
        """Return the log lines of one event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def kill(self) -> None:
        """Kill it with -9."""
        self._signal(signal.SIGKILL)
        self._reap()

    def freeze(self) -> None:
        """Stop it where it stands (SIGSTOP), with all its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        if self._process is None:
            return 0
        self.thaw()
        self._signal(signal.SIGTERM)
        return self._reap()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _reap(self) -> int:
        assert self._process is not None
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        self._process = None
        return code


@contextlib.contextmanager
def running(package: str, environment: Mapping[str, str], *, folder: Path) -> Iterator[Process]:
    """Run one of our processes until the block ends, and see that it ends in order."""
    process = Process(package, environment, folder=folder)
    try:
        process.start_ready()
        yield process
    finally:
        process.stop()

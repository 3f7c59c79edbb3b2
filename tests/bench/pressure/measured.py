"""How large did a process grow, how long did it compute, how far has it come, and is it still coming?"""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Self

import psutil

_LOOK_S: Final = 0.5
_SAY_EVERY_S: Final = 10.0


def say(line: str) -> None:
    """Print a line at once: whoever waits sees that something happens."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Memory:
    """Looks at processes until told to stop: megabytes (10^6) of resident sets, seconds of processor time."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """Look once.

        Args:
            pids: by what each process is called in the result.
        """
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self.before_mb = self._now()
        self.largest_mb = dict(self.before_mb)
        self._computed_s = self._computed()
        self._before_s = dict(self._computed_s)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def __str__(self) -> str:
        said = (
            f"{name} {before:.0f} MB before, at most {self.largest_mb[name]:.0f} MB, "
            f"computed {self._computed_s[name] - self._before_s[name]:.1f} s"
            for name, before in self.before_mb.items()
        )
        return f"memory: {'; '.join(said)} (load {os.getloadavg()[0]:.0f})"

    def so_far(self) -> str:
        """Return how large each is now."""
        return ", ".join(f"{name} {mb:.0f} MB" for name, mb in self._now().items())

    def _now(self) -> dict[str, float]:
        return {name: float(one.memory_info().rss) / 1e6 for name, one in self._processes.items() if one.is_running()}

    def _computed(self) -> dict[str, float]:
        times = {name: one.cpu_times() for name, one in self._processes.items() if one.is_running()}
        return {name: float(one.user + one.system) for name, one in times.items()}

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._computed_s |= self._computed()
            for name, mb in self._now().items():
                self.largest_mb[name] = max(self.largest_mb[name], mb)


def until(is_so: Callable[[], bool], *, within_s: float, what: str, so_far: Callable[[], str]) -> float:
    """Wait until something is so, saying every ten seconds how far it is, and return how many seconds that took.

    Raises:
        SystemExit: it did not become so in time.
    """
    began_s = said_s = time.monotonic()
    while not is_so():
        now_s = time.monotonic()
        if now_s - began_s > within_s:
            raise SystemExit(f"not within {within_s:.0f} s: {what}; {so_far()}")
        if now_s - said_s >= _SAY_EVERY_S:
            said_s = now_s
            say(f"  {now_s - began_s:4.0f} s, waiting for {what}: {so_far()}")
        time.sleep(0.1)
    return time.monotonic() - began_s


def require(*, is_so: bool, otherwise: str) -> None:
    """End with exit code 1 where a promise was not kept.

    Raises:
        SystemExit: it is not so.
    """
    if not is_so:
        raise SystemExit(f"NOT KEPT: {otherwise}")

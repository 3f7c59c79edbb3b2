"""What time is it in the homes, and how long until a moment there comes?

All processes of a demo or a test read one small file, which the launcher rewrites when time is to jump or
to run faster: `{"real": unix_s, "simulated": unix_s, "speed": float, "stretch_s": float}`.  Without a file
it is simply now.  `stretch_s` is for those who keep promises and is of no use to a sensor.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_SPEED_MAX = 1_000_000.0


class NoClock(Exception):
    """The clock file cannot be read and never could; whoever started us must write it first."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment known on both clocks, and how fast the simulated one runs from there."""

    real_s: float
    simulated_s: float
    speed: float


_REAL_TIME = Anchor(real_s=0.0, simulated_s=0.0, speed=1.0)


class Clock:
    """The time in the homes, read again whenever the file was changed."""

    def __init__(self, path: Path | None, *, real: Callable[[], float] = time.time) -> None:
        """Read the file once, if there is one.

        Args:
            path: the shared clock file, or None for real time.
            real: gives the real time in unix seconds; a test gives its own.

        Raises:
            NoClock: the file is missing or is not a clock.
        """
        self._path = path
        self._real = real
        self._seen: tuple[int, int, int] | None = None
        self._anchor = _REAL_TIME
        if path is not None:
            try:
                self._anchor = _anchor_in(path.read_bytes())
            except (OSError, ValueError) as why:
                raise NoClock(f"the clock file {path} cannot be read: {why}") from why

    def now(self) -> datetime:
        """Return the time in the homes, aware, in UTC."""
        anchor = self._fresh()
        return datetime.fromtimestamp(anchor.simulated_s + (self._real() - anchor.real_s) * anchor.speed, UTC)

    def real_s_until(self, at: datetime) -> float:
        """Return how many real seconds pass until `at`, 0 if it has come, if the clock is not moved meanwhile.

        While the clock stands still, that is for ever.
        """
        left_s = (at - self.now()).total_seconds()
        if left_s <= 0:
            return 0.0
        return left_s / self._anchor.speed if self._anchor.speed else math.inf

    def _fresh(self) -> Anchor:
        if self._path is None:
            return self._anchor
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if seen != self._seen:
                self._anchor = _anchor_in(self._path.read_bytes())
                self._seen = seen
        except (OSError, ValueError):
            # Half written, or between two renames: the last anchor is still right, and we look again soon.
            pass
        return self._anchor


def _anchor_in(text: bytes) -> Anchor:
    """Return the anchor in a clock file.

    Raises:
        ValueError: it is not one.
    """
    try:
        found = json.loads(text)
        anchor = Anchor(float(found["real"]), float(found["simulated"]), float(found["speed"]))
    except (KeyError, TypeError) as why:
        raise ValueError(f"not a clock: {why}") from why
    if not 0 <= anchor.speed <= _SPEED_MAX:
        raise ValueError(f"speed must be 0 or above and at most {_SPEED_MAX:.0f}, not {anchor.speed}")
    return anchor

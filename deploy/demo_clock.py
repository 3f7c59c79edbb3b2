"""Who moves the demo's clock?  This does: it starts where the last run stopped, and is saved as it goes.

The clock file itself says where the clock would be now, also after a crash; what was *reached* is written
beside it every few seconds, so that a start after a night goes on from the evening before.

Nothing may lie ahead of the moment that a start begins with: whoever judged or wrote it would have known the future.
So the clock stands still before anything is stopped, and while a street that was watched before comes back.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.clock import Anchor, read_anchor, stretch_at, write_anchor

_SAVE_EVERY_S: Final = 2.0
_UNSAVED_S: Final = 2 * _SAVE_EVERY_S
"""Ours: a killed run may have lived for this long of real time since it last wrote down how far it came."""


class DemoClock:
    """The clock file of one run, and the only hand that writes it."""

    def __init__(self, folder: Path, *, stretch: Callable[[float], timedelta] = stretch_at) -> None:
        """Describe a clock.

        Args:
            folder: where it is kept.
            stretch: how much promises' grace is stretched at a speed.
        """
        self._stretch = stretch
        self.file = folder / "clock.json"
        self._reached = folder / "clock-reached.json"
        self._saved_s = 0.0

    def start(self, speed: float, *, begin: datetime | None = None, is_waiting: bool = False) -> datetime:
        """Go on from where the last run stopped, or else from `begin`, or else from now; return that moment.

        Args:
            speed: at which it runs.
            begin: of the first run.
            is_waiting: after an earlier run it stands still until `run_at`, so that nobody is silent for as long as
                the parts take to start.  A first run has nobody to miss, and keeps to the time on the wall.
        """
        last = self._last_reached()
        real = time.time()
        simulated = last if last is not None else begin.timestamp() if begin is not None else real
        self._write(simulated, 0.0 if is_waiting and last is not None else speed, self._stretch(speed))
        return datetime.fromtimestamp(simulated, UTC)

    def now(self) -> datetime:
        return datetime.fromtimestamp(read_anchor(self.file).at(time.time()), UTC)

    def run_at(self, speed: float) -> None:
        """Go on from this moment at another speed."""
        self._write(self.now().timestamp(), speed, self._stretch(speed))

    def stand(self) -> None:
        """Stand still from now on, and write down that it was here: nothing may be judged of what comes after."""
        anchor = read_anchor(self.file)
        self._write(anchor.at(time.time()), 0.0, anchor.stretch)

    def not_before(self, moment: datetime | None) -> None:
        """Go on from a moment if it lies ahead, at the speed of before; None changes nothing."""
        if moment is not None and moment > self.now():
            anchor = read_anchor(self.file)
            self._write(moment.timestamp(), anchor.speed, anchor.stretch)

    def leap(self, by: timedelta) -> None:
        """Go on from a later moment, at the speed of before."""
        anchor = read_anchor(self.file)
        self._write(anchor.at(time.time()) + by.total_seconds(), anchor.speed, anchor.stretch)

    def stand_at(self, moment: datetime, *, stretch: timedelta) -> None:
        """Stand still at a moment, never before the present one, until moved again."""
        simulated = max(moment.timestamp(), read_anchor(self.file).at(time.time()))
        write_anchor(self.file, Anchor(time.time(), simulated, 0.0, stretch))

    def save(self, *, at_once: bool = False) -> None:
        """Write down how far we came, every other second at the most."""
        if at_once or time.monotonic() - self._saved_s >= _SAVE_EVERY_S:
            self._saved_s = time.monotonic()
            anchor = read_anchor(self.file)
            simulated = anchor.at(time.time())
            write_anchor(self._reached, Anchor(time.time(), simulated, 0.0, timedelta(0)))

    def _write(self, simulated: float, speed: float, stretch: timedelta) -> None:
        write_anchor(self.file, Anchor(time.time(), simulated, speed, stretch))
        self.save(at_once=True)

    def _last_reached(self) -> float | None:
        """Return how far an earlier run came, or None; one that was killed came further than it wrote down."""
        try:
            reached = read_anchor(self._reached).simulated
        except (OSError, ValueError):
            return None
        speed = 0.0
        with contextlib.suppress(OSError, ValueError):
            speed = read_anchor(self.file).speed
        return reached + speed * _UNSAVED_S

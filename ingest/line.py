"""Is this worker cut off from the broker, and may others rely on it again?

A line that breaks is new within a second or two, so at first nobody draws a conclusion from it.  Whoever is without
one for longer hears no hub and stores nothing, though the database believes it to be well; and one that comes and goes
is not believed at once, each time less.
"""

from typing import Final

CUT_AFTER_S: Final = 10.0
"""So long without a line, and a worker is cut off: as long as the lease of one that says nothing any more."""

_STEADY_S: Final = 20.0
"""So long the line of one that was cut off must hold.

Ours: longer than every worker needs to be back after the broker itself was away, so that nobody gives lanes to whoever
happens to be first.
"""

_STEADY_S_MAX: Final = 320.0
_CALM_S: Final = 600.0


class Line:
    """A worker's line to the broker, as it was each time that somebody looked."""

    def __init__(self, *, now_s: float) -> None:
        """Have none yet.

        Args:
            now_s: real, monotonic.
        """
        self._is_up = False
        self._is_cut = False
        self._since_s = now_s
        self._now_s = now_s
        self._steady_s = _STEADY_S / 2

    def look(self, *, is_up: bool, now_s: float) -> None:
        """Note whether there is a line now."""
        self._now_s = now_s
        if is_up != self._is_up:
            self._is_up, self._since_s = is_up, now_s
        lasted_s = now_s - self._since_s
        if is_up:
            self._is_cut = self._is_cut and lasted_s < self._steady_s
            if lasted_s >= _CALM_S:
                self._steady_s = _STEADY_S / 2
        elif not self._is_cut and lasted_s >= CUT_AFTER_S:
            self._is_cut = True
            self._steady_s = min(self._steady_s * 2, _STEADY_S_MAX)

    @property
    def hears(self) -> bool | None:
        """Whether hubs are heard; None while that cannot be told, in the first seconds without a line."""
        if self._is_cut:
            return False
        return True if self._is_up else None

    @property
    def cut_s(self) -> float | None:
        """For how long there is no line, once that is long enough to act on it; None otherwise."""
        lasted_s = self._now_s - self._since_s
        return lasted_s if self._is_cut and not self._is_up and lasted_s >= CUT_AFTER_S else None

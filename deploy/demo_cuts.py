"""How do a simulated home's power, line and clock fail for its real gateway?

The simulator says what holds in each home; this does it to what runs there: without power the home's broker and
gateway stand still, without a line the gateway does not reach the platform, and a wrong clock is a clock file hours
behind everybody else's, from which the gateway starts anew as a hub does whose clock's battery is dead.
"""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from deploy.lines import Lines
from deploy.platform import Platform
from deploy.said import Say
from deploy.supervise import Supervisor
from gateway.clock import read_anchor, write_anchor

_LOOK_EVERY_S: Final = 1.0
_ANSWER_WITHIN_S: Final = 1.0
_BEHIND: Final = timedelta(hours=7)
_CLOCK: Final = "TELECARE_CLOCK_FILE"


class Cuts:
    """What is cut in which home now, kept in step with what the simulator says."""

    def __init__(
        self,
        homes: Mapping[str, Path],
        *,
        supervisor: Supervisor,
        platform: Platform,
        lines: Lines,
        clock: Path,
        say: Say,
    ) -> None:
        """Begin with nothing cut.

        Args:
            homes: each home's folder, by its id.
            supervisor: who runs `broker HOME` and `gateway HOME`.
            platform: who knows their variables, and the simulator's port.
            lines: with a line for each home.
            clock: the clock file of the run.
            say: where it is told.
        """
        self._homes = homes
        self._supervisor = supervisor
        self._platform = platform
        self._lines = lines
        self._clock = clock
        self._say = say
        self._now: dict[str, tuple[bool, bool, bool]] = dict.fromkeys(homes, (True, True, True))
        self._looked_s = 0.0

    def look(self) -> None:
        """Ask the simulator what holds, once a second at the most, and do what is new."""
        if time.monotonic() - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = time.monotonic()
        for home, state in self._asked().items():
            if home in self._homes:
                self.follow(home, power=state["power"], line=state["line"], clock=state["clock"])

    def follow(self, home: str, *, power: bool, line: bool, clock: bool) -> None:
        """Let a home have power, a line and a right clock, or not."""
        had_power, had_line, had_clock = self._now[home]
        self._now[home] = (power, line, clock)
        if line is not had_line:
            self._say(f"home {home}: its line is {'back' if line else 'cut'}")
            (self._lines.mend if line else self._lines.cut)(home)
        if clock is not had_clock:
            self._say(f"home {home}: its hub's clock is {'right' if clock else 'wrong'}")
            self._platform.change(f"gateway {home}", {_CLOCK: str(self._clock if clock else self._wrong_clock(home))})
        parts = [f"broker {home}", f"gateway {home}"]
        if power is not had_power:
            self._say(f"home {home}: its power is {'back' if power else 'cut'}")
            self._switch(parts if power else parts[::-1], on=power)
        elif power and clock is not had_clock:
            self._switch(parts[1:], on=False)
            self._switch(parts[1:], on=True)

    def _switch(self, parts: Sequence[str], *, on: bool) -> None:
        for part in parts:
            (self._supervisor.release if on else self._supervisor.hold)(part)

    def _wrong_clock(self, home: str) -> Path:
        anchor = read_anchor(self._clock)
        file = self._homes[home] / "wrong-clock.json"
        write_anchor(file, replace(anchor, simulated=anchor.simulated - _BEHIND.total_seconds()))
        return file

    def _asked(self) -> Mapping[str, Any]:
        """Return what the simulator says of each home; nothing while it does not answer."""
        port = self._platform.kept.said("simulator port")
        with contextlib.suppress(urllib.error.URLError, OSError, ValueError):
            url = f"http://127.0.0.1:{port}/health"
            with urllib.request.urlopen(url, timeout=_ANSWER_WITHIN_S) as answer:
                found: Mapping[str, Any] = json.load(answer)["homes"]
                return found
        return {}

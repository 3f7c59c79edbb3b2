"""What would this hub have heard by now, if it stood in a recorded home?

Each observation is due when the clock reaches the moment to which the recording was moved.  How far it was moved
and how far it is played stand in the outbox, written with the records themselves, so a restart goes on from there.
"""

import gzip
import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.adapters import tihm
from gateway.clock import Moment
from gateway.config import Recording as RecordingConfig
from gateway.outbox import Outbox
from gateway.reading import Observation

log = logging.getLogger(__name__)

NOTE: Final = "recording"
"""Under this name the outbox remembers, as JSON: file, home, shift_days, position, through (ISO 8601, UTC)."""

BATCH_MAX: Final = 500


class Unplayable(Exception):
    """The recording cannot be read or has nothing of this home; whoever set up the hub must mend it."""


class Player:
    """One recorded home, and how far it is played."""

    def __init__(self, config: RecordingConfig, outbox: Outbox, *, moment: Moment) -> None:
        """Read the recording, and go on where the outbox says that we were.

        Raises:
            Unplayable: it cannot be read, or has nothing of this home.
        """
        self._config = config
        recording = _read(config)
        by, self._position, self.through = self._remembered(outbox)
        if by is None:
            told = config.shift_days
            by = tihm.shift(recording, now=moment.now) if told is None else timedelta(days=told)
        self._shift = by
        self._placed = tihm.placed(recording, by)
        first_day, last_day = tihm.days(recording, by)
        log.info(
            "recording begins to play",
            extra={
                "first_day": str(first_day),
                "last_day": str(last_day),
                "position": self._position,
                "records": len(self._placed),
                "malformed": dict(recording.malformed),
            },
        )

    @property
    def next_at(self) -> datetime | None:
        """Return when the next observation is due, or None after the last."""
        return self._placed[self._position].at if self._position < len(self._placed) else None

    def due(self, *, moment: Moment) -> tuple[Observation, ...]:
        """Return the next observations that are due, at most `BATCH_MAX`; they count once `kept` says so.

        Those before this boot come in a batch of their own, with an uptime below zero.
        """
        batch: list[Observation] = []
        for activation in self._placed[self._position : self._position + BATCH_MAX]:
            ago = moment.now - activation.at
            uptime_ms = moment.uptime_ms - ago // timedelta(milliseconds=1)
            if ago < timedelta(0) or (batch and (batch[-1].uptime_ms < 0) is not (uptime_ms < 0)):
                break
            batch.append(Observation(activation.sensor, activation.quantity, 1.0, activation.at, uptime_ms))
        return tuple(batch)

    def note(self, played: int, *, through: datetime) -> tuple[str, str]:
        """Return what the outbox shall remember once `played` more observations are kept, up to a moment."""
        said = {
            "file": self._config.file,
            "home": self._config.home,
            "shift_days": self._shift.days,
            "position": self._position + played,
            "through": through.isoformat(),
        }
        return NOTE, json.dumps(said)

    def kept(self, played: int, *, through: datetime) -> None:
        """Take in that so many observations were kept, and that everything up to a moment is."""
        self._position += played
        self.through = through

    def _remembered(self, outbox: Outbox) -> tuple[timedelta | None, int, datetime | None]:
        said = json.loads(outbox.recall(NOTE) or "{}")
        if (said.get("file"), said.get("home")) != (self._config.file, self._config.home):
            return None, 0, None
        return timedelta(days=said["shift_days"]), said["position"], datetime.fromisoformat(said["through"])


def _read(config: RecordingConfig) -> tihm.Recording:
    path = Path(config.file)
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            recording = tihm.read(file, config.home)
    except (OSError, EOFError, UnicodeDecodeError) as why:
        raise Unplayable(f"the recording {path} cannot be read: {why}") from None
    if not recording.activations:
        raise Unplayable(f"the recording {path} has nothing of home {config.home}")
    return recording

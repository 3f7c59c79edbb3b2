"""Is there a backup that is young enough?  The loop that makes them, and says loudly where it cannot."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from prometheus_client import Counter, Gauge

from deploy.backup import afterwards, gone, making, moment, shelf
from deploy.backup.command import asked_for
from deploy.backup.config import Config
from deploy.backup.problems import Damaged
from deploy.embedded.machine import Missing
from deploy.platform import running_database
from gateway.clock import Clock

log = logging.getLogger(__name__)

AGE_S: Final = Gauge("telecare_backup_age_seconds", "how old the newest backup is; infinite where there is none")
AGE_S.set(float("inf"))  # Until it is known: 0 would say that one was made this moment.
MADE: Final = Counter("telecare_backup_made", "backups made since the start")
FAILED: Final = Counter("telecare_backup_failed", "backups that could not be made since the start")
SIZE_BYTES: Final = Gauge("telecare_backup_bytes", "size of the newest backup")

# Ours: what kept a backup from being made is mostly a full disk or a database that is away.
_AGAIN: Final = timedelta(minutes=10)
_TICK_S: Final = 1.0
# Ours: what is taken away in the last seconds before a disk dies is all that a restore gives back.
_NOTE_S: Final = 5.0


class Keeper:
    """Makes a backup whenever the newest is too old, one at a time."""

    def __init__(self, config: Config, data: Path, environment: Mapping[str, str], clock: Clock) -> None:
        """Make nothing yet.

        Raises:
            Missing: nobody could open a backup.
        """
        config.require_recipient()
        self._config = config
        self._data = data
        self._environment = environment
        self._clock = clock
        self._newest_at = shelf.newest_at(config.shelf)
        self._failed_at: datetime | None = None
        self._book = gone.Book(config.shelf, config.to, since=self._newest_at or clock.now())
        self.trouble: str | None = None
        AGE_S.set_function(self.age_s)

    def age_s(self) -> float:
        """Return how old the newest backup is, in seconds."""
        if self._newest_at is None:
            return float("inf")
        return (self._clock.now() - self._newest_at).total_seconds()

    def run(self, stop: threading.Event) -> None:
        """Keep backups coming until told to stop."""
        while not stop.wait(_TICK_S):
            self.turn(now=self._clock.now())

    def note(self, stop: threading.Event) -> None:
        """Note every few seconds, also while a backup is made, what was taken away and until when people were told."""
        while not stop.wait(_NOTE_S):
            try:
                self.look()
            except (psycopg.Error, Missing, OSError) as why:
                log.warning("not noted what was taken away", extra={"why": type(why).__name__})

    def look(self) -> None:
        """Note what was taken away since the newest backup.

        Raises:
            psycopg.Error: the database is away, or not ours.
            OSError: it cannot be written.
        """
        with making.plain_connection(running_database(self._environment, self._data)) as conn:
            new = self._book.note(conn)
            self._config.shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
            afterwards.note_alive(self._config.shelf, making.judged_through_of(conn))
            if self._config.has_log:
                number = str(making.one(conn, "SELECT system_identifier::text FROM pg_control_system()"))
                moment.take_over(self._data / "postgres" / "wal", self._config.shelf, number, self._config.to)
        if new:
            log.info("taken away", extra={"facts": new})

    def turn(self, *, now: datetime) -> None:
        """Make a backup if one is due."""
        if self._newest_at is not None and now - self._newest_at < self._config.every:
            return
        if self._failed_at is not None and now - self._failed_at < _AGAIN:
            return
        try:
            self._make(now=now)
        except (Missing, Damaged, psycopg.Error, OSError) as why:
            # Words of the database may repeat a row; our own sentences and the system's name files.
            said = str(why) if isinstance(why, Missing | Damaged | OSError) else type(why).__name__
            log.error("backup failed", extra={"why": said})  # noqa: TRY400 - the sentence says it all
            FAILED.inc()
            self._failed_at, self.trouble = now, f"no backup could be made: {said}"

    def _make(self, *, now: datetime) -> None:
        backup = making.make(asked_for(self._config, self._data, self._environment), now=now)
        size_bytes = sum(part.size_bytes for part in backup.manifest.parts.values())
        self._newest_at, self._failed_at, self.trouble = now, None, None
        MADE.inc()
        self._book.begin_again(since=now)
        SIZE_BYTES.set(size_bytes)
        log.info("backup made", extra={"backup": backup.folder.name, "bytes": size_bytes})
        for name in shelf.let_go(self._config.shelf, days=self._config.keep_days, weeks=self._config.keep_weeks):
            log.info("backup let go", extra={"backup": name})
        oldest = shelf.listed(self._config.shelf)[0]
        gone.forget_before(self._config.shelf, oldest.manifest.made_at)
        moment.forget_before(self._config.shelf, oldest)

    def checks(self) -> Mapping[str, Callable[[], str | None]]:
        return {"backup": lambda: self.trouble}

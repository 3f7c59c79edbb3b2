"""A second start goes on from where the first stopped: nothing is missed, and nothing is there of later."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psycopg

from deploy.embedded import machine
from deploy.platform import Kept

_WITHIN_S = 120.0  # One that shares its cores with others starts slowly.
_WATCHED = "SELECT count(*) = 3 FROM home_watch WHERE state IN ('watched', 'degraded')"
_GAPS = """
    SELECT string_agg(concat_ws(' ', home, since, why), ', ' ORDER BY home, since)
    FROM watch_span WHERE state = 'blind'
"""
_FAULTS = "SELECT count(*) FROM alert WHERE is_fault"
_HEARD = """
    SELECT min(last_heard_at) > (SELECT max(complete_through) FROM lane) - interval '5 minutes' FROM home_watch
"""


class Started:
    """A demo as somebody starts it at a terminal, and stops with Ctrl-C."""

    def __init__(self, data: Path, speed: int) -> None:
        self._data = data
        self._said = data.with_name(f"{data.name}-{speed}.txt")
        arguments = ("demo", "--data", str(data), "--speed", str(speed), "--port", str(_two_ports()))
        with self._said.open("wb") as out:
            self._process = subprocess.Popen(
                (Path(sys.executable).with_name("telecare"), *arguments), stdout=out, stderr=out, env=dict(os.environ)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_WITHIN_S)

    @property
    def reached(self) -> datetime:
        """How far its clock came, as it says to the next start."""
        said = json.loads((self._data / "clock-reached.json").read_text())
        return datetime.fromtimestamp(said["simulated"], UTC)

    def value(self, query: str, *given: object) -> object:
        """Return one value from its database, or None while it cannot be asked."""
        try:
            with psycopg.connect(Kept(self._data).said("database_url") or "", autocommit=True) as conn:
                row = conn.execute(query.encode(), given).fetchone()
        except psycopg.Error:
            return None
        return row[0] if row else None

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Return once something is so."""
        deadline = time.monotonic() + _WITHIN_S
        while not is_so():
            said = self._said.read_text(errors="replace")
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, f"{what} did not come true: {said}"
            time.sleep(0.1)


def test_a_second_start_goes_on_as_if_nothing_had_been(open_folder: Path) -> None:
    """To stop a sped-up demo took it an hour in which its boxes fell silent, and families read of it ever after."""
    data = open_folder / "twice"
    with Started(data, 60) as first:
        first.until(lambda: first.value(_WATCHED) is True, "three homes being watched")
        first.until(lambda: first.value("SELECT count(*) > 0 FROM reading") is True, "a first reading")
        # Whoever was heard just now is not found silent while we ask it to stop, however busy the machine is.
        first.until(lambda: first.value(_HEARD) is True, "each home being heard")
        before = first.value(_GAPS), first.value(_FAULTS)
    reached = first.reached

    with Started(data, 1) as second:
        heard = "SELECT min(last_heard_at) > %s FROM home_watch"
        second.until(lambda: second.value(heard, reached) is True, "each home being heard again")

        second.until(lambda: second.value(_WATCHED) is True, "three homes being watched again")
        assert (second.value(_GAPS), second.value(_FAULTS)) == before


def _two_ports() -> int:
    """Return a free port whose successor is free too: for the pages, and for the phones."""
    while True:
        port = machine.free_port()
        if port < 65535 and not machine.accepts(port + 1):
            return port

"""What is the street that is treated cruelly, and where can it be hurt?

The demo's own parts, with a line of ours between any two of them: each hub and the broker, ingest and the broker, and
each process and the database.  The pretend phones live in this process, where they can be asked.
"""

import contextlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy import demo_homes
from deploy.chaos.cards import Cards
from deploy.chaos.sight import Sight
from deploy.demo import Asked, Demo
from deploy.demo_clock import DemoClock
from deploy.embedded import machine, postgres
from deploy.lines import Lines
from deploy.platform import Platform
from deploy.pretend_twilio import PretendTwilio
from deploy.pretend_twilio.behaviour import Account
from deploy.said import Say
from deploy.street import Home, Street
from deploy.supervise import Part, Supervisor
from gateway import heartbeat

SPEED: Final = 20.0
"""Simulated seconds in a real one: what a hub promises for three minutes is broken after nine seconds."""

_FORGIVEN_REAL: Final = timedelta(seconds=3)
"""By so much of real time grace is stretched: without it a tick that two shared cores delay is blindness."""

BEGIN: Final = datetime(2026, 5, 11, 8, tzinfo=UTC)
"""A Monday morning, when residents are up and sensors speak."""

LEASE: Final = heartbeat.EVERY + heartbeat.GRACE + _FORGIVEN_REAL * SPEED
"""After the last thing heard no home may be shown as seen for longer."""

SERVERS: Final = ("ingest", "alerts", "api", "broker", "postgres")

_WELL_WITHIN_S: Final = 90.0
_LOOK_EVERY_S: Final = 1.0
_ASKED_WITHIN_S: Final = 5.0


def stretch_at(speed: float) -> timedelta:
    """Return by how much promises' grace is stretched on the clock of such a run."""
    return _FORGIVEN_REAL * speed


class _Between(Platform):
    """The platform, with a line of ours before whatever its processes rest on."""

    def __init__(self, *given: Any, lines: Lines, **named: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*given, **named)
        self._lines = lines

    def process(
        self, name: str, package: str, extra: Mapping[str, str] | None = None, *, but_for: Collection[str] = ()
    ) -> Part:
        ways = {} if package == "gateway" else self._ways(name, package)
        return super().process(name, package, {**ways, **(extra or {})}, but_for=but_for)

    def _ways(self, name: str, package: str) -> dict[str, str]:
        database = int(self.kept.said("database") or 0)
        through = self._line(f"{name} to database", database, is_mqtt=False)
        found = {"TELECARE_DATABASE_URL": self.database_url.replace(f":{database}/", f":{through}/")}
        if package == "ingest":
            assert self.broker is not None
            found["TELECARE_BROKER"] = f"127.0.0.1:{self._line(f'{name} to broker', self.broker.port, is_mqtt=True)}"
        return found

    def _line(self, name: str, to: int, *, is_mqtt: bool) -> int:
        port = machine.free_port()
        self._lines.open(name, port, to=to, is_mqtt=is_mqtt)
        return port


class NeverWell(Exception):
    """The street did not mend by itself after a fault; look into the logs of the part that it names."""


class CruelStreet(Demo):
    """A running street, and what fate needs to know of it."""

    def __init__(self, data: Path, homes: int, seed: int, *, supervisor: Supervisor, lines: Lines, say: Say) -> None:
        """Describe it; nothing is started yet.

        Args:
            data: a folder of its own.
            homes: how many.
            seed: of the simulated lives.
            supervisor: who runs the parts.
            lines: those between them.
            say: where progress is told.
        """
        clock = DemoClock(data, stretch=stretch_at)
        asked = Asked(data=data, speed=SPEED, port=_two_ports(), recording=None, home=None, seed=seed, homes=homes)
        super().__init__(asked, os.environ, supervisor, clock, say, platform=partial(_Between, lines=lines))
        self.supervisor = supervisor
        self.clock = clock
        self.between = lines
        self.cards = Cards()
        self.told_before: set[str] = set()
        """Alarms of which somebody was told before the table was put back."""
        self.beside: set[str] = set()
        """Parts that run only while a fault lasts."""
        self._is_well, self._look_at_s = False, 0.0
        self.sight = Sight(clock.now)
        self.twilio_server = PretendTwilio(
            now=clock.now,
            account=Account(self.twilio.account_sid, self.twilio.auth_token, self.twilio.sender),
            webhook=f"{self.pages}/twilio/text",
            port=int(self.phones.rpartition(":")[2]),
        )

    def start(self) -> None:
        """Start all of it, and return when every home is seen.

        Raises:
            NeverWell: it did not get well by itself.
        """
        self.clock.start(SPEED, begin=BEGIN)
        self.start_platform(demo_homes.street_of(self.asked.homes or 1))
        self.start_homes(self.between)
        self.gets_well()

    def start_phones(self, street_: Street) -> None:  # noqa: ARG002 - any phone may be texted
        """Start the pretend Twilio in this process."""
        self.twilio_server.start()

    def stop(self) -> None:
        """Stop what is in this process; the supervisor stops the rest."""
        self.twilio_server.stop()

    @property
    def homes(self) -> dict[str, Home]:
        """Every home by its name."""
        assert self.street is not None
        return {home.id: home for home in self.street.home}

    @property
    def server(self) -> postgres.Server:
        """The database server, for those who back it up or put it back."""
        port = int(self.platform.kept.said("database") or 0)
        return postgres.server(self.asked.data, port=port, environment=os.environ, say=self.say)

    def card(self, home: str) -> Path:
        """Return the outbox's file of a home's hub."""
        return self.asked.data / "homes" / home / "outbox.sqlite"

    def lives(
        self,
        seconds: float,
        *,
        until: Callable[[], bool] | None = None,
        each_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Let so many real seconds pass, or fewer if something comes true, while whatever dies is started again."""
        deadline_s = time.monotonic() + seconds
        self.supervisor.watch(
            each_tick=each_tick,
            until=lambda: time.monotonic() >= deadline_s or (until is not None and until()),
        )

    def gets_well(self, *, within_s: float = _WELL_WITHIN_S) -> None:
        """Return once every part does its work.

        Raises:
            NeverWell: one did not in time.
        """
        self._look_at_s = 0.0
        self.lives(within_s, until=self.is_well)
        if self.supervisor.is_stopping:
            return
        if ailing := self.ailing():
            raise NeverWell(f"not well {within_s:g} s after the last fault: {', '.join(ailing)}")

    def is_well(self) -> bool:
        """Return whether every part does its work; looked at once a second at the most, for each look wakes all."""
        if time.monotonic() >= self._look_at_s:
            self._is_well, self._look_at_s = not self.ailing(), time.monotonic() + _LOOK_EVERY_S
        return self._is_well

    def ailing(self) -> list[str]:
        """Return the parts that do not do their work, those aside that run only now and then."""
        return [
            name for name in self.supervisor.names() if name not in self.beside and not self.supervisor.is_ready(name)
        ]

    def order(self, home: str, order: str) -> bool:
        """Tell a simulated home what is to happen; return whether it makes sense there now."""
        address = f"http://127.0.0.1:{self.platform.kept.said('simulator port')}/homes/{home}/{order}"
        request = urllib.request.Request(address, method="POST")
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(request, timeout=_ASKED_WITHIN_S) as said,  # noqa: S310 - as above
        ):
            return bool(said.status == 200)
        return False

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Return rows of the database, asked past all lines; none while it does not answer."""
        with contextlib.suppress(psycopg.OperationalError), self.database() as conn:
            return conn.execute(query.encode(), given).fetchall()
        return []

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Give a connection that commits each statement by itself."""
        with psycopg.connect(
            self.platform.database_url, autocommit=True, connect_timeout=3, options="-c statement_timeout=60000"
        ) as conn:
            yield conn

    def read_card(self, home: str) -> None:
        """Look at everything that a home's hub has on its card."""
        self.cards.read(home, self.homes[home].hub, self.card(home))

    def _way_to(self, broker: int, home: Home, lines: Lines | None) -> int:
        assert lines is not None
        port = self.platform.kept.port(f"line {home.id}")
        lines.open(f"{home.id} to broker", port, to=broker, is_mqtt=True)
        return port


def _two_ports() -> int:
    """Return a free port whose successor is free too: for the pages, and for the phones."""
    while True:
        port = machine.free_port()
        if port < 65535 and not machine.accepts(port + 1):
            return port

"""The whole of telecare on loopback: the demo's own parts, with a clock that the test moves and phones it can ask.

Whatever dies is started again by the supervisor, as it would be at a site, while the test waits for something.
"""

import contextlib
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import psycopg

from api.office.said import e164
from deploy import admin, street
from deploy.demo import Asked, Demo
from deploy.demo_clock import DemoClock
from deploy.embedded import machine
from deploy.pretend_twilio import PretendTwilio
from deploy.pretend_twilio.behaviour import Account
from deploy.said import Say
from deploy.street import Street
from deploy.supervise import Supervisor

STREET = Path(street.__file__).with_name("demo_street.toml")


class NeverCame(AssertionError):
    """What a test waited for did not come true in time."""


class _Quiet(Say):
    def __call__(self, *words: str) -> None:
        """Say nothing: a test's output is its own."""


class Whole(Demo):
    """A running telecare, and ways to act on it as people and fate do."""

    def __init__(self, data: Path, supervisor: Supervisor, clock: DemoClock) -> None:
        asked = Asked(data=data, speed=1.0, port=_two_ports(), recording=None, home=None, seed=1)
        super().__init__(asked, os.environ, supervisor, clock, _Quiet())
        self.clock = clock
        self.supervisor = supervisor
        self.twilio_server = PretendTwilio(
            now=clock.now,
            account=Account(self.twilio.account_sid, self.twilio.auth_token, self.twilio.sender),
            webhook=f"{self.pages}/twilio/text",
            port=int(self.phones.rpartition(":")[2]),
        )

    def start_phones(self, street_: Street) -> None:  # noqa: ARG002 - any phone may be texted
        """Start the pretend Twilio in this process, where the test can ask it."""
        self.twilio_server.start()

    def until(self, is_so: Callable[[], bool], *, within_s: float = 60.0, what: str = "it") -> None:
        """Return once something is true, while whatever dies is started again.

        Raises:
            NeverCame: it was not in time.
        """
        deadline_s = time.monotonic() + within_s
        self.supervisor.watch(until=lambda: time.monotonic() > deadline_s or is_so())
        if not is_so():
            raise NeverCame(f"{what} did not come true within {within_s:g} s")

    def presses(self, home: str) -> None:
        """Let the resident press the pendant."""
        self._order(home, "press")

    def collapses(self, home: str) -> None:
        """Let the resident move no more."""
        self._order(home, "collapse")

    def wanders(self, home: str) -> None:
        """Let the resident walk about, at whatever hour it is."""
        self._order(home, "wander")

    def kill(self, part: str) -> None:
        """Kill a part with -9; it is started again while the test waits for something."""
        process = self.supervisor.process(part)
        process.kill()
        process.wait()

    def wipe_broker(self) -> None:
        """Kill the platform's broker, and lose all that it keeps on its disk."""
        assert self.platform.broker is not None
        self.kill("broker")
        admin.remove_folder(self.platform.broker.folder / "store")

    def phone(self, person: str) -> "Phone":
        assert self.street is not None
        found = next(one for one in self.street.person if one.id == person)
        assert found.phone is not None
        return Phone(self, e164(found.phone))

    @contextlib.contextmanager
    def signed_in(self, person: str) -> Iterator[httpx.Client]:
        """Give a browser without a window in which a person has signed in with a one-time link."""
        with httpx.Client(base_url=self.pages, follow_redirects=True, headers={"Origin": self.pages}) as browser:
            link = admin.make_link(person, self.platform.database_url, self.pages)
            browser.post(link).raise_for_status()
            yield browser

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.platform.database_url, autocommit=True)

    def value(self, query: str, *given: object) -> object:
        """Return one value from the database, or None while it cannot be asked or has no row."""
        with contextlib.suppress(psycopg.OperationalError), self.database() as conn:
            row = conn.execute(query.encode(), given).fetchone()
            return row[0] if row else None
        return None

    def _order(self, home: str, order: str) -> None:
        address = f"http://127.0.0.1:{self.platform.kept.said('simulator port')}/homes/{home}/{order}"
        with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=10) as answer:
            assert answer.status == 200


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of the street."""

    whole: Whole
    number: str

    def texts(self) -> list[str]:
        return [text.body for text in self.whole.twilio_server.texts_to(self.number)]

    def gets(self, *words: str, within_s: float = 60.0) -> str:
        """Wait for a text with all of these words, and return it."""
        found: list[str] = []

        def came() -> bool:
            found[:] = [body for body in self.texts() if all(word in body for word in words)]
            return bool(found)

        self.whole.until(came, within_s=within_s, what=f"a text with {words} (there are {self.texts()})")
        return found[0]

    def answers(self, body: str) -> None:
        self.whole.twilio_server.answer(self.number, body)


@contextlib.contextmanager
def telecare(data: Path, *, begin: datetime | None = None) -> Iterator[Whole]:
    """Run all of it on a street of three homes, until the end of the block."""
    with Supervisor(data / "logs") as supervisor:
        clock = DemoClock(data)
        clock.start(1.0, begin=begin)
        whole = Whole(data, supervisor, clock)
        try:
            whole.start_platform(street.read(STREET))
            whole.start_homes()
            yield whole
        finally:
            whole.twilio_server.stop()


def _two_ports() -> int:
    """Return a free port whose successor is free too: for the pages, and for the phones."""
    while True:
        port = machine.free_port()
        if port < 65535 and not machine.accepts(port + 1):
            return port

"""Who lives in the street while it falls apart?  Residents who press, carers who answer, and a family that looks.

Each in a thread of its own, each with its own chance.  None of them knows what fate does.
"""

import contextlib
import heapq
import random
import re
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import psycopg
import requests

from deploy import admin
from deploy.chaos.sight import minutes_beyond
from deploy.chaos.street import LEASE, SPEED, CruelStreet
from deploy.pretend_twilio import Direction

_SLACK: Final = timedelta(seconds=SPEED)
"""A second of real time between what is known and what is written; less than the machine's own noise."""

_PATIENCE_S: Final = 5.0
"""So long the family waits for a page."""

_CODE: Final = re.compile(r"\b(\d{1,3}) mine\b")
_STATE: Final = re.compile(r'<div class="state (\w+)">')
_LASTS: Final = re.compile(r'data-lasts-s="([0-9.]+)"')
_SEEN: Final = frozenset({"watched", "learning", "degraded"})
"""Words of the family page by which something of the home is known now."""


class Walk(ABC):
    """Something that is done again and again in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when it is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)

    @abstractmethod
    def step(self) -> float:
        """Do it once, and return after how many real seconds again."""

    def _go_on(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self.step())


class Residents(Walk):
    """They press their pendants, and some walk about more than they should."""

    def __init__(self, street: CruelStreet, chance: random.Random) -> None:
        super().__init__("residents")
        self._street = street
        self._chance = chance
        self.pressed = 0

    def step(self) -> float:
        home = self._chance.choice(sorted(self._street.homes))
        if self._chance.random() < 0.4:
            self._street.order(home, "wander")
        elif self._street.order(home, "press"):
            self.pressed += 1
        return self._chance.uniform(2.0, 6.0)


class Carers(Walk):
    """Most say "mine" after a while and then how it was; some never do."""

    def __init__(self, street: CruelStreet, chance: random.Random) -> None:
        super().__init__("carers")
        self._street = street
        self._chance = chance
        self._known: set[str] = set()
        self._later: list[tuple[float, str, str]] = []

    def step(self) -> float:
        for text in self._street.twilio_server.ledger.all():
            if text.direction is Direction.OUT and text.sid not in self._known:
                self._known.add(text.sid)
                self._think_about(text.to, text.body)
        while self._later and self._later[0][0] <= time.monotonic():
            _, phone, body = heapq.heappop(self._later)
            self._street.twilio_server.answer(phone, body)
        return 0.3

    def _think_about(self, phone: str, body: str) -> None:
        code = _CODE.search(body)
        if code is None or self._chance.random() < 0.15:
            return
        goes_s = time.monotonic() + self._chance.uniform(0.5, 5.0)
        heapq.heappush(self._later, (goes_s, phone, f"{code[1]} mine"))
        heapq.heappush(self._later, (goes_s + self._chance.uniform(0.5, 6.0), phone, f"{code[1]} well"))


@dataclass(frozen=True, slots=True)
class Falsehood:
    """A home was shown as seen when nothing of it could be known any more.

    Attributes:
        at: when it was shown, by the street's clock.
        dark_since: from when on nothing of the home could arrive.
        said: what was shown, and until when it vouched for itself.
    """

    home: str
    at: datetime
    dark_since: datetime
    said: str


@dataclass(slots=True)
class Looks:
    """What the family saw.

    Attributes:
        looks: answers that said something of a home.
        seen: those that showed a home as seen.
        dark: those that were asked for while the home was dark.
        false: those that were not true.
        false_minutes: each home and minute of the street's clock of which something false was shown.
    """

    looks: int = 0
    seen: int = 0
    dark: int = 0
    false: list[Falsehood] = field(default_factory=list)
    false_minutes: set[tuple[str, int]] = field(default_factory=set)


class Family(Walk):
    """Somebody looks at the pages all the time, and a program asks the same of `/api/v1`."""

    def __init__(self, street: CruelStreet, token: str) -> None:
        super().__init__("family")
        self._street = street
        self._program = _session({"Authorization": f"Bearer {token}"})
        self._browsers = {home: _Browser(street, told.family[0]) for home, told in street.homes.items() if told.family}
        self._turn = 0
        self._last: dict[str, bool] = dict.fromkeys(street.homes, False)
        self.looks = Looks()

    @property
    def sees_all(self) -> bool:
        """Whether every home was shown as seen when last looked at."""
        return all(self._last.values())

    def step(self) -> float:
        self._ask()
        if self._browsers:
            home = sorted(self._browsers)[self._turn % len(self._browsers)]
            self._turn += 1
            self._look(home)
        return 0.4

    def stop(self) -> None:
        super().stop()
        self._program.close()
        for browser in self._browsers.values():
            browser.close()

    def _ask(self) -> None:
        # The moment before it is asked: what is shown can only speak of a later one.
        now = self._street.clock.now()
        with contextlib.suppress(requests.RequestException, ValueError):
            answer = self._program.get(f"{self._street.pages}/api/v1/homes", timeout=_PATIENCE_S)
            if answer.status_code != 200:
                return
            for said in answer.json()["items"]:
                until = said["not_known_from"]
                ends = None if said["state"] == "blind" or until is None else datetime.fromisoformat(until)
                self._hold(said["home"], now, ends, f"api: {said['state']}")

    def _look(self, home: str) -> None:
        now = self._street.clock.now()
        with contextlib.suppress(requests.RequestException, psycopg.OperationalError):
            page = self._browsers[home].read(f"/homes/{home}")
            state, lasts = _STATE.search(page), _LASTS.search(page)
            if state is None or lasts is None or state[1] == "alert":
                return
            ends = now + timedelta(seconds=float(lasts[1])) * SPEED if state[1] in _SEEN else None
            self._hold(home, now, ends, f"page: {state[1]}")

    def _hold(self, home: str, now: datetime, ends: datetime | None, said: str) -> None:
        """Hold what was shown at a moment, and until when it vouches for itself, against what can be known."""
        # It may have been asked for in the dark and answered after it.
        sight, answered = self._street.sight, self._street.clock.now()
        last_open = max(sight.last_open(home, now), sight.last_open(home, answered))
        self._last[home] = ends is not None
        self.looks.looks += 1
        self.looks.seen += ends is not None
        self.looks.dark += last_open < now
        minutes = minutes_beyond(ends, last_open=last_open, lease=LEASE + _SLACK)
        if minutes and ends is not None:
            self.looks.false.append(Falsehood(home, now, last_open, f"{said} until {ends:%H:%M:%S}"))
            self.looks.false_minutes.update((home, minute) for minute in minutes)


class _Browser:
    """A browser in which somebody signs in whenever it is asked to."""

    def __init__(self, street: CruelStreet, person: str) -> None:
        self._street = street
        self._person = person
        self._again_s = 0.0
        self._http = _session({"Origin": street.pages})

    def read(self, path: str) -> str:
        """Return a page; empty where it is not shown.

        Raises:
            requests.RequestException: the pages do not answer.
            psycopg.OperationalError: a link to sign in cannot be made.
        """
        answer = self._http.get(f"{self._street.pages}{path}", timeout=_PATIENCE_S)
        if answer.status_code == 200 and _STATE.search(answer.text):
            return answer.text
        if answer.status_code < 500 and time.monotonic() >= self._again_s:
            self._again_s = time.monotonic() + 5.0
            link = admin.make_link(self._person, self._street.platform.database_url, self._street.pages)
            self._http.post(link, timeout=_PATIENCE_S)
        return ""

    def close(self) -> None:
        self._http.close()


def _session(headers: dict[str, str]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update(headers)
    return session

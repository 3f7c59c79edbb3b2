"""How does a recorded home live through the real platform?

The recording is moved to end in the near future.  Its past is *lived*: the clock is moved from reading to reading,
as fast as each is stored and judged, through the same gateway, broker, ingest, database and judgement as any other
home.  When the clock has reached the present, it goes on at the chosen speed.

Nobody knows what the people around a recorded home did.  So that one unanswered alert does not stand for months, the
first carer of a lived past says "mine", and closes an alert as *all well* once the resident was seen again.
"""

import asyncio
import contextlib
import gzip
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Final, Literal

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow

import alerts.store as alerts_store
from alerts.alert import Outcome
from deploy.admin import Cannot
from deploy.demo import Asked, Demo, require_ports
from deploy.demo_clock import DemoClock
from deploy.embedded import machine
from deploy.said import Say
from deploy.street import Agreed, Home, Person, Resident, Sensor, Service, Street
from deploy.supervise import Stopped, Supervisor
from gateway.adapters import tihm
from gateway.clock import Clock
from ingest.db.pool import connect, settings

_STEP_MAX: Final = timedelta(minutes=30)
"""How far the clock is moved at once when nothing happens; heartbeats are sent at each step."""

_COMPANY: Final = timedelta(minutes=5)
"""Readings within this of each other are lived in one step, unless an alert may fall due meanwhile."""

_STRETCH: Final = timedelta(hours=1)
"""How much later promises may be kept while the past is lived: more than a step."""

_STEP_WITHIN_S: Final = 60.0
_LOOK_IN_EVERY: Final = timedelta(minutes=10)
_CARER: Final = "anne"

# While the past is lived, each step waits for these two; afterwards the usual ones are right again.
_FAST: Final = {
    "TELECARE_INGEST_TICK_S": "0.02",
    "TELECARE_INGEST_ANSWER_S": "0.05",
    "TELECARE_ALERTS_SWEEP_S": "0.02",
}

_ROOMS: Final = ("kitchen", "hallway", "lounge", "bedroom", "bathroom")
_DOORS: Final = ("fridge-door", "front-door", "back-door")


def run(asked: Asked, environment: Mapping[str, str]) -> int:
    """Run a recorded home until Ctrl-C, and return the exit code.

    Raises:
        Cannot: the recording cannot be used.
        Missing: the machine lacks something.
        DidNotStart: a part of ours did not.
    """
    assert asked.recording is not None, "the demo looked"
    require_ports(asked)
    home, recording = _home_of(asked.recording.absolute(), asked.home)
    say = Say()
    with (
        machine.held(asked.data),
        Supervisor(asked.data / "logs", tell=say) as supervisor,
        contextlib.suppress(Stopped),
        contextlib.ExitStack() as stack,
    ):
        clock = DemoClock(asked.data)
        demo = Demo(asked, environment, supervisor, clock, say)
        by = _shift(demo, home, recording)
        past = tihm.placed(recording, by)
        first, last = tihm.days(recording, by)
        say(f"home {home}: {len(past)} readings, moved by {by.days // 7} weeks to {first} until {last}")
        begun = clock.start(0.0, begin=past[0].at - timedelta(minutes=1))
        clock.stand_at(begun, stretch=_STRETCH)
        stack.callback(clock.stand)
        watched = _street(home, recording)
        demo.start_platform(watched, extra=_FAST)
        file = str(asked.recording.absolute())
        played = {"file": file, "home": home, "eager": True, "shift_days": by.days}
        demo.start_gateway(watched.home[0], {"recording": played})
        demo.tell()
        living = Living(demo.platform.database_url, clock, [one.at for one in past], watched.home[0], say)
        _live(living, demo, supervisor, clock)
        say("stopping")
    say("stopped; the data is kept in", str(asked.data))
    return 0


def _live(living: "Living", demo: Demo, supervisor: Supervisor, clock: DemoClock) -> None:
    """Live the past, and then at the speed that was asked for, until we are asked to stop."""
    living.start()
    supervisor.watch(until=lambda: living.is_done)
    if supervisor.is_stopping:
        living.stop()
        return
    living.raise_what_went_wrong()
    for name in ("ingest", "alerts"):
        demo.platform.start_again(name, without=_FAST)
    clock.run_at(demo.asked.speed)
    demo.say(f"the past is lived; from now on at {demo.asked.speed:g} times the speed of life: {demo.pages}/")
    supervisor.watch(each_tick=clock.save)


def _shift(demo: Demo, home: str, recording: tihm.Recording) -> timedelta:
    """Return by how much the recording is moved: as on the first start, so that a second goes on from there."""
    name = f"shift_days {home}"
    kept = demo.platform.kept.said(name)
    if kept is None:
        by = tihm.shift(recording, now=Clock().now())
        demo.platform.kept.keep(name, str(by.days))
        return by
    return timedelta(days=int(kept))


class Living(threading.Thread):
    """Moves the clock through the past, from one step to the next as each is stored and judged."""

    def __init__(self, dsn: str, clock: DemoClock, moments: Sequence[datetime], home: Home, say: Say) -> None:
        super().__init__(name="living", daemon=True)
        self._dsn = dsn
        self._clock = clock
        self._moments = moments
        self._home = home
        self._say = say
        self._asked_to_stop = threading.Event()
        self._wrong: Exception | None = None
        self.is_done = False

    def stop(self) -> None:
        self._asked_to_stop.set()
        self.join(10)

    def raise_what_went_wrong(self) -> None:
        if self._wrong is not None:
            raise self._wrong

    def run(self) -> None:
        """Live until the present, or until stopped."""
        try:
            while not self._asked_to_stop.is_set() and not self._is_present():
                try:
                    with connect(self._dsn, name="living") as conn:
                        self._live(conn)
                except psycopg.OperationalError:
                    # The database is being started again; the supervisor sees to it.
                    self._asked_to_stop.wait(1)
        except Exception as why:  # noqa: BLE001 - the main thread tells it
            self._wrong = why
        self.is_done = True

    def _live(self, conn: Connection[TupleRow]) -> None:
        began_s, told_s = time.monotonic(), 0.0
        played = self._stored(conn)
        looked_in = self._clock.now()
        while not self._asked_to_stop.is_set() and not self._is_present():
            target, played = self._next(conn, played)
            self._clock.stand_at(target, stretch=_STRETCH)
            self._wait(conn, played, target)
            self._clock.save()
            if target - looked_in >= _LOOK_IN_EVERY:
                looked_in = target
                asyncio.run(_look_in(self._dsn, self._home.id, now=target))
            if time.monotonic() - told_s > 5:
                told_s = time.monotonic()
                share = played / len(self._moments)
                self._say(f"lived until {target:%a %d %b %Y %H:%M}, {share:.0%}, {told_s - began_s:.0f} s")

    def _next(self, conn: Connection[TupleRow], played: int) -> tuple[datetime, int]:
        """Return the moment of the next step, and how many readings are lived by then."""
        now = self._clock.now()
        present = Clock().now()
        coming = self._moments[played] if played < len(self._moments) else present
        target = min(coming, now + _STEP_MAX, present)
        alert_at = _value(conn, "SELECT next_alert_at FROM home_watch WHERE home = %s", self._home.id)
        alone = isinstance(alert_at, datetime) and now < alert_at <= target + _COMPANY
        if target == coming and not alone:
            target = min(target + _COMPANY, present)
        while played < len(self._moments) and self._moments[played] <= target:
            played += 1
        return target, played

    def _wait(self, conn: Connection[TupleRow], played: int, target: datetime) -> None:
        deadline_s = time.monotonic() + _STEP_WITHIN_S
        while not self._asked_to_stop.is_set():
            stored = self._stored(conn)
            judged = _value(
                conn,
                "SELECT judged_through FROM judging_lane JOIN home USING (lane) WHERE home = %s",
                self._home.id,
            )
            if stored >= played and isinstance(judged, datetime) and judged >= target:
                return
            if time.monotonic() > deadline_s:
                raise Cannot(
                    f"The past stands still at {target}: {stored} of {played} readings are stored, "
                    f"judged until {judged}; the logs say more."
                )
            time.sleep(0.002)

    def _stored(self, conn: Connection[TupleRow]) -> int:
        found = _value(
            conn,
            "SELECT sum(stored_through)::bigint FROM stream WHERE hub = %s AND stream = 'readings'",
            self._home.hub,
        )
        return int(found) if isinstance(found, int) else 0

    def _is_present(self) -> bool:
        return self._clock.now() >= Clock().now() - timedelta(seconds=1)


async def _look_in(dsn: str, home: str, *, now: datetime) -> None:
    """Let the first carer say mine, and close what is over."""
    async with await AsyncConnection.connect(dsn, **settings("living")) as conn:  # type: ignore[arg-type]  # libpq's words
        for alert in await alerts_store.open_alerts(conn, [home]):
            await alerts_store.acknowledge(conn, alert.alert, _CARER, how="page", now=now)
            if alert.cause_ended_at is not None:
                await alerts_store.close(conn, alert.alert, _CARER, Outcome.ALL_WELL, "Seen again.", now=now)


def _value(conn: Connection[TupleRow], query: str, *given: object) -> object:
    row = conn.execute(query.encode(), given).fetchone()
    return row[0] if row else None


def _home_of(file: Path, home: str | None) -> tuple[str, tihm.Recording]:
    """Return the home to live: the one that was asked for, or else the one with most days.

    Raises:
        Cannot: the file cannot be read, or there is no such home in it.
    """
    try:
        chosen = home or _with_most_days(file)
        with _lines(file) as lines:
            recording = tihm.read(lines, chosen)
    except (OSError, EOFError, UnicodeDecodeError) as why:
        raise Cannot(f"The recording {file} cannot be read: {why}") from why
    if not recording.activations:
        raise Cannot(f"The recording {file} has nothing of a home {chosen!r}; its rows are home,observed_at,location.")
    if recording.malformed:
        told = ", ".join(f"{count} {why}" for why, count in recording.malformed.items())
        print(f"rows of this home that could not be used: {told}")
    return chosen, recording


def _with_most_days(file: Path) -> str:
    days: defaultdict[str, set[str]] = defaultdict(set)
    with _lines(file) as lines:
        for line in lines:
            home, _, rest = line.partition(",")
            days[home].add(rest[:10])
    days.pop("home", None)
    if not days:
        raise Cannot(f"The recording {file} is empty.")
    return max(sorted(days), key=lambda one: len(days[one]))


@contextlib.contextmanager
def _lines(file: Path) -> Iterator[IO[str]]:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        yield lines


def _agreed(to: Literal["care", "data"]) -> Agreed:
    return Agreed(to=to, basis="resident", said_by="Margaret", why="to be looked after", until=date(2099, 12, 31))


def _street(home: str, recording: tihm.Recording) -> Street:
    """Return a street of this one home, with invented people around it."""
    there = sorted({str(one.sensor) for one in recording.activations})
    sensors = [Sensor(id=one, kind="motion", room=one) for one in there if one in _ROOMS]
    sensors += [Sensor(id=one, kind="contact", room=one.replace("-", " ")) for one in there if one in _DOORS]
    return Street(
        service=Service(name="Kilbrae telecare", operator="control"),
        person=(
            Person(id=_CARER, name="Anne Reid", phone="07700 900101", what="daughter"),
            Person(id="jim", name="Jim Docherty", phone="07700 900102", what="neighbour"),
            Person(id="control", name="Kilbrae alarm centre", phone="07700 900199", what="day and night"),
        ),
        home=(
            Home(
                id=f"recorded-{home.lower()}",
                resident=Resident(first_name="Margaret", name=f"Margaret (home {home} of the recording)"),
                hub=f"hub-recorded-{home.lower()}",
                told=(_CARER, "jim"),
                family=(_CARER,),
                carers=(_CARER, "jim"),
                sensor=tuple(sensors),
                consent=(_agreed("care"), _agreed("data")),
            ),
        ),
    )

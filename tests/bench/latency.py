"""How long from an alarm on the database's disk to the request that leaves for Twilio?

Run by hand: `python -m tests.bench.latency`.  A real alerts process over a real PostgreSQL with TimescaleDB, all on
this machine; the log is written as ingest writes it, with the readings in their table too.  Each press is in another
home, one at a time.  The clock starts when the alarm's commit returns and stops when the request arrives at the pretend
Twilio: judging, the alert's transaction, the claim and `trying` lie between, and Twilio's own time does not.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
from psycopg import AsyncConnection

from alerts import store
from deploy.embedded import machine, postgres
from deploy.pretend_twilio import Account, PretendTwilio
from deploy.pretend_twilio.ledger import Text
from deploy.pretend_twilio.script import Hears, Refusal
from gateway.clock import Clock
from ingest import devices, entry, readings, stored_log
from ingest.db.migrate import migrate
from ingest.lanes import Lanes, new_owner

_CLOCK: Final = Clock()


class TimedTwilio(PretendTwilio):
    """Writes down when the request for each phone arrived, in real seconds."""

    def __init__(self, account: Account) -> None:
        super().__init__(now=_CLOCK.now, account=account)
        self.arrived_s: dict[str, float] = {}
        self.arrived = threading.Condition()

    def create(self, form: Mapping[str, str]) -> tuple[Text | Refusal, Hears]:
        """Take a text, and note when it came."""
        with self.arrived:
            self.arrived_s[form["To"]] = time.monotonic()
            self.arrived.notify_all()
        return super().create(form)

    def wait_for(self, phone: str) -> float:
        """Return when the request for a phone arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: phone in self.arrived_s, timeout=30), "no request within 30 s"
            return self.arrived_s[phone]


def _phone(home: int) -> str:
    return f"+4477009{home:05d}"


def _name(home: int) -> str:
    return f"home-{home}"


async def _furnish(conn: AsyncConnection[tuple[object, ...]], dsn: str, homes: int) -> None:
    now = _CLOCK.now()
    with psycopg.connect(dsn, autocommit=True) as blocking, blocking.transaction():
        for home in range(homes):
            devices.add_home(blocking, _name(home), now=now)
            devices.add_hub(blocking, f"hub-{home}", _name(home), ("x", "y"), now=now)
    async with conn.transaction():
        for home in range(homes):
            await store.set_person(conn, f"p{home}", f"Carer {home}", what=None, phone=_phone(home))
            await store.set_telling(conn, _name(home), [f"p{home}"])
            await store.set_watched(conn, _name(home), f"hub-{home}", now=now)


class Log:
    """The stored log, written as ingest writes it."""

    def __init__(self, conn: AsyncConnection[tuple[object, ...]]) -> None:
        self.conn = conn
        self.lanes = Lanes(new_owner())
        self.stored = 0
        self._turn = asyncio.Lock()

    async def keep(self, said: Mapping[int, list[entry.Entry]]) -> None:
        """Store one batch a lane, readings in their table as well, in one transaction."""
        now = _CLOCK.now()
        async with self._turn, self.conn.transaction():
            received_at = await self.lanes.fence(self.conn, dict.fromkeys(said, now))
            await readings.write(self.conn, _rows(said, received_at))
            await stored_log.append(self.conn, said, received_at)
        self.stored += sum(len(entries) for entries in said.values())

    async def tick(self) -> None:
        async with self._turn:
            now = _CLOCK.now()
            unbroken = dict.fromkeys(self.lanes.owned, now - timedelta(days=1))
            await self.lanes.tick(self.conn, now=now, unbroken_since=unbroken)

    async def load(self, rate: float, homes: int, stop: asyncio.Event) -> None:
        """Store readings and heartbeats of all homes at a rate, in ten transactions a second, until stopped."""
        chance = random.Random(1)
        began, sent = time.monotonic(), 0
        heard = 0.0
        while not stop.is_set():
            due = (time.monotonic() - began) * rate - sent
            said: dict[int, list[entry.Entry]] = {}
            for _ in range(int(min(max(0.0, due), rate))):
                sent += 1
                home = chance.randrange(homes)
                one = entry.Reading(_name(home), f"hub-{home}", "kitchen", "kitchen", "movement", 1.0, _CLOCK.now())
                said.setdefault(devices.lane_of(_name(home)), []).append(one)
            if time.monotonic() - heard >= 30:
                heard = time.monotonic()
                for home in range(homes):
                    one_heard = entry.Heard(_name(home), f"hub-{home}", 0, 0, True)
                    said.setdefault(devices.lane_of(_name(home)), []).append(one_heard)
            if said:
                await self.keep(said)
            await self.tick()
            await asyncio.sleep(0.1)


def _rows(said: Mapping[int, list[entry.Entry]], received_at: Mapping[int, datetime]) -> list[readings.Row]:
    return [
        readings.Row(
            home=one.home,
            hub=one.hub,
            sensor=one.sensor,
            room=one.room,
            quantity=one.quantity,
            value=one.value,
            observed_at=one.observed_at,
            uncertain_since=None,
            received_at=received_at[lane],
            may_repeat=False,
        )
        for lane, entries in said.items()
        for one in entries
        if isinstance(one, entry.Reading)
    ]


async def _press(log: Log, twilio: TimedTwilio, home: int) -> float:
    """Press in a home, and return the seconds from the commit to the request."""
    alarm = entry.Alarm(
        _name(home), f"hub-{home}", f"hub-{home}/box/1", "pendant", None, "pendant_alarm", 1.0, _CLOCK.now()
    )
    await log.keep({devices.lane_of(_name(home)): [alarm]})
    stored_s = time.monotonic()
    return await asyncio.to_thread(twilio.wait_for, _phone(home)) - stored_s


async def _measure(log: Log, twilio: TimedTwilio, homes: range, rate: float, of: int) -> None:
    stop, stored, began = asyncio.Event(), log.stored, time.monotonic()
    loading = asyncio.create_task(log.load(rate, of, stop))
    await asyncio.sleep(5)
    waits = []
    for home in homes:
        waits.append(await _press(log, twilio, home))
        await asyncio.sleep(random.uniform(0.02, 0.2))
    stop.set()
    await loading
    took = time.monotonic() - began
    cuts = statistics.quantiles(waits, n=100, method="inclusive")  # None is longer than the longest that was seen.
    _say(
        f"| {rate:6.0f} | {(log.stored - stored) / took:8.0f} | {len(waits):4d} "
        f"| {1000 * cuts[49]:6.0f} | {1000 * cuts[98]:6.0f} | {1000 * max(waits):6.0f} |"
    )


async def _bench(dsn: str, account: Account, twilio: TimedTwilio, said: argparse.Namespace) -> None:
    conn = await AsyncConnection.connect(dsn, autocommit=True)
    async with conn:
        await _furnish(conn, dsn, said.homes)
        log = Log(conn)
        await log.lanes.claim(conn)
        port = machine.free_port()
        alerts = await _alerts(dsn, account, twilio, port)
        try:
            await _until_ready(log, port)
            _say("| asked/s | stored/s | presses | p50 ms | p99 ms | max ms |")
            _say("|---|---|---|---|---|---|")
            for number, rate in enumerate(said.rates):
                homes = range(number * said.presses, (number + 1) * said.presses)
                await _measure(log, twilio, homes, rate, said.homes)
            await asyncio.to_thread(_say_lag, port)
        finally:
            alerts.terminate()
            await alerts.wait()


async def _alerts(dsn: str, account: Account, twilio: TimedTwilio, port: int) -> asyncio.subprocess.Process:
    """Start judging and telling as a process of its own."""
    env = {
        "PATH": os.environ["PATH"],
        "TELECARE_DATABASE_URL": dsn,
        "TELECARE_ALERTS_HEALTH": f"127.0.0.1:{port}",
        "TELECARE_TWILIO_ACCOUNT_SID": account.sid,
        "TELECARE_TWILIO_AUTH_TOKEN": account.token,
        "TELECARE_TWILIO_FROM": account.sender,
        "TELECARE_TWILIO_BASE_URL": twilio.base_url,
        "TELECARE_PUBLIC_URL": "http://127.0.0.1:9",
    }
    nowhere = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "alerts", env=env, stderr=nowhere)


async def _until_ready(log: Log, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        await log.tick()
        try:
            await asyncio.to_thread(_ready, port)
        except (URLError, OSError):
            await asyncio.sleep(0.2)
        else:
            return
    raise SystemExit("alerts was not ready within 60 s")


def _ready(port: int) -> dict[str, object]:
    with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
        said: dict[str, object] = json.load(answer)
    return said


def _say_lag(port: int) -> None:
    _say(f"lag of the slowest lane at the end: {_ready(port)['lag_s']} s")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=1_000)
    parser.add_argument("--presses", type=int, default=100, help="at each rate")
    parser.add_argument("--rates", type=float, nargs="+", default=[0, 500, 2_000], help="readings a second")
    said = parser.parse_args()
    if said.presses * len(said.rates) > said.homes:
        parser.error("each press needs a home of its own")
    account = Account()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as folder:
        Path(folder).chmod(0o755)
        server = postgres.server(
            Path(folder) / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None
        )
        server.start()
        try:
            dsn = server.create_database("bench")
            migrate(dsn)
            with TimedTwilio(account) as twilio:
                asyncio.run(_bench(dsn, account, twilio, said))
        finally:
            server.stop()


if __name__ == "__main__":
    main()

"""What do ingest and alerts need, and forget, when everything comes at once?

Run by hand: `nice -n 15 python -m tests.bench.pressure away|flood|alerts`.  Real processes over a real PostgreSQL with
TimescaleDB and nats-server, all on this machine; memory is the resident set of one process, looked at twice a second.

- away: the database is stopped for `--seconds` while a hub goes on sending at full rate, and somebody presses.
- flood: `--messages` that nobody meant, of random bytes, and somebody presses in the middle of it.
- alerts: `--homes` pendants are pressed in one moment.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import psutil
import psycopg
from psycopg import AsyncConnection

from deploy.embedded import machine, postgres
from deploy.pretend_twilio import Account
from gateway import wire
from gateway.wire import Leaf, Stream
from ingest import devices, entry
from ingest.db.migrate import migrate
from tests.bench import ingest as bench
from tests.bench import latency
from tests.world.ingest_platform import Platform
from tests.world.raw_hub import RawHub

_SIZE: Final = 20
_PACKS_A_SECOND: Final = 200
_PATIENCE_S: Final = 300.0


class Watched:
    """Looks at a process's memory until told to stop."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self.before_mb = self.largest_mb = self._mb()

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def _mb(self) -> float:
        return float(self._process.memory_info().rss) / 1e6

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self.largest_mb = max(self.largest_mb, self._mb())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _count(platform: Platform, query: str) -> int:
    ((count,),) = platform.rows(f"SELECT count(*) FROM {query}")
    assert isinstance(count, int)
    return count


def _go_back(hub: RawHub, last: int) -> None:
    """Send again from what is stored, as a gateway does, until everything is."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while (through := hub.through(Stream.READINGS) or 0) < last:
        assert time.monotonic() < deadline_s, f"{through} of {last}"
        hub.ask(readings=last)
        first = through // _SIZE + 1
        bench._publish(
            hub, [bench._pack(number, _SIZE) for number in range(first, min(first + 500, last // _SIZE + 1))]
        )
        hub.wait_through(Stream.READINGS, min(first + 499, last // _SIZE) * _SIZE, within_s=10)


def away(platform: Platform, seconds: float) -> None:
    """Stop the database while a hub goes on sending, and see what is stored in the end."""
    hub, presses = platform.add_hub("hub-1", "home-1"), platform.add_hub("hub-2", "home-2")
    ingest = platform.ingest()
    with Watched(ingest.pid) as watched:
        platform.database.server.stop()
        began_s, sent = time.monotonic(), 0
        while (passed_s := time.monotonic() - began_s) < seconds:
            due = int(passed_s * _PACKS_A_SECOND) - sent
            bench._publish(hub, [bench._pack(number, _SIZE) for number in range(sent + 1, sent + due + 1)])
            sent += due
            time.sleep(0.05)
        presses.send(Stream.ALARMS, range(1, 2))
        platform.database.server.start()
        back_s = time.monotonic()
        # A hub sends an alarm again every two seconds.
        while not presses.wait_through(Stream.ALARMS, 1, within_s=2):
            assert time.monotonic() - back_s < _PATIENCE_S
            presses.send(Stream.ALARMS, range(1, 2))
        alarm_s, readings_then = time.monotonic() - back_s, hub.through(Stream.READINGS) or 0
        _go_back(hub, sent * _SIZE)
        all_s = time.monotonic() - back_s
    stored = _count(platform, "reading WHERE hub = 'hub-1'")
    _say(f"database away {seconds:.0f} s, {sent * _SIZE} readings sent meanwhile")
    _say(f"memory of ingest: {watched.before_mb:.0f} MB before, at most {watched.largest_mb:.0f} MB")
    _say(f"alarm stored {alarm_s:.1f} s after it was back, when {readings_then} readings were; all after {all_s:.1f} s")
    _say(f"readings in the table: {stored}; missing or doubled: {stored - sent * _SIZE}")


def flood(platform: Platform, messages: int) -> None:
    """Send what nobody meant, and see when a press in the middle of it is stored."""
    hub, presses = platform.add_hub("hub-1", "home-1"), platform.add_hub("hub-2", "home-2")
    ingest = platform.ingest()
    chance = random.Random(1)
    hub._paho._max_inflight_messages = 500
    topic = wire.topic(hub.lane, hub.hub, Leaf.READINGS)
    with Watched(ingest.pid) as watched:
        began_s = time.monotonic()
        for number in range(messages):
            hub._paho.publish(topic, chance.randbytes(chance.randrange(1, 4096)), qos=1)
            if number == messages // 2:
                presses.send(Stream.ALARMS, range(1, 2))
                pressed_s = time.monotonic()
        while not presses.wait_through(Stream.ALARMS, 1, within_s=2):
            presses.send(Stream.ALARMS, range(1, 2))
        alarm_s = time.monotonic() - pressed_s
        deadline_s = time.monotonic() + _PATIENCE_S
        settled, before = 0, -1
        while settled != before and time.monotonic() < deadline_s:
            before = settled
            time.sleep(3)
            settled = _count(platform, "refused")
        took_s = time.monotonic() - began_s
    _say(f"{messages} messages of random bytes in {took_s:.0f} s; kept as refused: {settled}; ")
    _say(f"dropped by ingest: {ingest.metric('telecare_ingest_messages_dropped_total'):.0f}")
    _say(f"memory of ingest: {watched.before_mb:.0f} MB before, at most {watched.largest_mb:.0f} MB")
    _say(f"a press in the middle was stored after {alarm_s:.1f} s")


def _presses(homes: int) -> dict[int, list[entry.Entry]]:
    """Return one press a home, lane by lane."""
    said: dict[int, list[entry.Entry]] = {}
    for home in range(homes):
        name = latency._name(home)
        pressed = (
            name,
            f"hub-{home}",
            f"hub-{home}/box/1",
            "pendant",
            None,
            "pendant_alarm",
            1.0,
            latency._CLOCK.now(),
        )
        said.setdefault(devices.lane_of(name), []).append(entry.Alarm(*pressed))
    return said


async def _press_all(dsn: str, account: Account, twilio: latency.TimedTwilio, homes: int) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await latency._furnish(conn, dsn, homes)
        log = latency.Log(conn)
        await log.lanes.claim(conn)
        port = machine.free_port()
        alerts = await latency._alerts(dsn, account, twilio, port)
        try:
            await latency._until_ready(log, port)
            with Watched(alerts.pid) as watched:
                await log.keep(_presses(homes))
                began_s = time.monotonic()
                while len(twilio.arrived_s) < homes and time.monotonic() - began_s < _PATIENCE_S:
                    await log.tick()
                    await asyncio.sleep(0.5)
            assert twilio.arrived_s, "nobody was texted"
            waits = sorted(at - began_s for at in twilio.arrived_s.values())
            row = await (await conn.execute("SELECT count(*) FROM alert WHERE question = 'alarm'")).fetchone()
            assert row is not None
            _say(f"{homes} pendants pressed at once: {row[0]} alerts, {len(waits)} phones texted")
            _say(
                f"first after {waits[0]:.1f} s, half after {waits[len(waits) // 2]:.1f} s, last after {waits[-1]:.1f} s"
            )
            _say(f"memory of alerts: {watched.before_mb:.0f} MB before, at most {watched.largest_mb:.0f} MB")
        finally:
            alerts.terminate()
            await alerts.wait()


def _alerts(folder: Path, homes: int) -> None:
    server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
    server.start()
    try:
        dsn = server.create_database("bench")
        migrate(dsn)
        account = Account()
        with latency.TimedTwilio(account) as twilio:
            asyncio.run(_press_all(dsn, account, twilio, homes))
    finally:
        server.stop()


def main() -> None:
    """Do one of them, and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("away", "flood", "alerts"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--homes", type=int, default=5_000)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as named, ExitStack() as stack:
        folder = Path(named)
        folder.chmod(0o755)
        if said.what == "alerts":
            _alerts(folder, said.homes)
            return
        platform = bench._platform(folder, stack)
        try:
            if said.what == "away":
                away(platform, said.seconds)
            else:
                flood(platform, said.messages)
        except psycopg.OperationalError:
            _say(platform.database.server.last_words())
            raise


if __name__ == "__main__":
    main()

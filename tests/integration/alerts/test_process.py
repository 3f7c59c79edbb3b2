"""The alerts process itself: started, ready, texting, stopped, killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from psycopg import AsyncConnection

from alerts import store
from deploy.embedded.machine import free_port
from deploy.pretend_twilio import PretendTwilio
from ingest import devices, entry
from tests.integration.alerts.conftest import ANNE, HOME, HUB, NINE, Street, furnish
from tests.integration.alerts.platform import Ingest, MovedClock, until
from tests.world.database import Database
from tests.world.phones import Carer

LANE = devices.lane_of(HOME)


@dataclass
class Process:
    """A platform in which alerts is a process of its own."""

    street: Street
    ingest: Ingest
    clock: MovedClock
    twilio: PretendTwilio
    env: dict[str, str]
    log: Path
    port: int
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            child = subprocess.Popen([sys.executable, "-m", "alerts"], env=self.env, stderr=out)
        self.children.append(child)
        return child

    def ready(self) -> dict[str, object]:
        """Return what the process says about its readiness; empty while it does not answer."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                said: dict[str, object] = json.load(answer)
        except HTTPError as why:
            said = json.load(why)
        except OSError:
            return {}
        return said

    async def is_ready(self) -> None:
        async def look() -> bool:
            await self.ingest.ticks(now=self.clock.now())
            return (await asyncio.to_thread(self.ready)).get("ready") is True

        await until(look, within_s=90, what=f"ready: {self.log}")

    async def presses(self, number: int) -> None:
        at = self.clock.now()
        alarm = entry.Alarm(HOME, HUB, f"{HUB}/box/{number}", "pendant", None, "pendant_alarm", 1.0, at)
        await self.ingest.stores(LANE, alarm, now=at)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
async def process(database: Database, tmp_path: Path) -> AsyncIterator[Process]:
    """Give everything that an alerts process needs, without one."""
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    clock = MovedClock(tmp_path / "clock.json", NINE)
    twilio = PretendTwilio(now=clock.now)
    twilio.start()
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "TELECARE_DATABASE_URL": database.dsn,
        "TELECARE_ALERTS_HEALTH": f"127.0.0.1:{port}",
        "TELECARE_CLOCK_FILE": str(clock.path),
        "TELECARE_TWILIO_ACCOUNT_SID": twilio.account.sid,
        "TELECARE_TWILIO_AUTH_TOKEN": twilio.account.token,
        "TELECARE_TWILIO_FROM": twilio.account.sender,
        "TELECARE_TWILIO_BASE_URL": twilio.base_url,
        "TELECARE_PUBLIC_URL": "http://127.0.0.1:9",
    }
    async with conn:
        street = await furnish(conn, database.dsn)
        ingest = Ingest(conn)
        await ingest.start()
        await ingest.ticks(now=NINE)
        await store.set_watched(conn, HOME, HUB, now=NINE)
        process = Process(street, ingest, clock, twilio, env, tmp_path / "alerts.log", port)
        yield process
        for child in process.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        await asyncio.to_thread(twilio.stop)


async def test_it_becomes_ready_texts_and_stops_when_told(process: Process) -> None:
    """A whole life; the press wakes it, long before the next look at all lanes."""
    child = process.start()
    await process.is_ready()

    await process.presses(1)
    anne = Carer(process.twilio, ANNE)
    await asyncio.to_thread(anne.waits_for_text, saying="pressed the pendant")
    child.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(child.wait, 60) == 0
    said = [event["event"] for event in process.events()]
    assert said[-1] == "alerts stopped"
    assert "+44" not in process.log.read_text()
    assert "Margaret" not in process.log.read_text()
    rows = await process.street.conn.execute("SELECT count(*) FROM judging_lane WHERE owner IS NOT NULL")
    assert await rows.fetchone() == (0,)


async def test_killed_and_started_again_it_texts_once(process: Process) -> None:
    """The text that was sent is not sent again, and the press that came meanwhile is."""
    child = process.start()
    await process.is_ready()
    await process.presses(1)
    anne = Carer(process.twilio, ANNE)
    await asyncio.to_thread(anne.waits_for_text)
    child.kill()
    child.wait()
    process.clock.move(minutes=2)
    await process.presses(2)

    process.start()
    await asyncio.to_thread(anne.waits_for_text, saying="Pressed again.", within_s=90)

    assert len(anne.received()) == 2


async def test_it_outlives_its_database(process: Process, database: Database) -> None:
    """A database that starts after us, or again, costs seconds, not a person who starts us again."""

    async def waits() -> bool:
        return process.ready().get("why") == {"database": "the database was not reached yet"}

    async def reconnect() -> None:
        process.street.conn = process.ingest.conn = await AsyncConnection.connect(database.dsn, autocommit=True)

    await process.street.conn.close()
    database.server.stop()
    child = process.start()
    await until(waits, within_s=90, what="told why it is not ready")
    database.server.start()
    await reconnect()
    await process.is_ready()

    await process.street.conn.close()
    database.server.kill()
    database.server.start()
    await reconnect()
    await process.is_ready()
    await process.presses(1)

    await asyncio.to_thread(Carer(process.twilio, ANNE).waits_for_text, within_s=90)
    assert child.poll() is None
    await process.street.conn.close()


async def test_without_twilio_it_says_so_once_and_is_ready(process: Process) -> None:
    """Pages still work, and the operator finds the one sentence."""
    del process.env["TELECARE_TWILIO_ACCOUNT_SID"]
    del process.env["TELECARE_TWILIO_AUTH_TOKEN"]
    del process.env["TELECARE_TWILIO_FROM"]
    process.start()
    await process.is_ready()

    errors = [event for event in process.events() if event["level"] == "ERROR"]

    assert [(event["event"], event["why"]) for event in errors] == [("nobody can be texted", "no Twilio configured")]
    assert process.ready()["texts"] == "no Twilio configured"


async def test_a_wrong_environment_is_one_sentence_and_an_exit_code(process: Process) -> None:
    """Whoever starts it at three in the morning reads one line."""
    process.env["TELECARE_DATABASE_URL"] = ""

    child = process.start()

    assert await asyncio.to_thread(child.wait, 60) == 78
    (event,) = process.events()
    assert str(event["event"]).startswith("TELECARE_DATABASE_URL must name the database")

"""A home whose sensors keep a diary of their own, its real gateway, and a platform that is treated cruelly.

The diary is written before the radio speaks.  What the home's own broker acknowledged, the gateway took in, for it
acknowledges nothing that is not in its outbox; the rest is listed apart.  Afterwards the diary is held against the
tables: no gap, no double but those marked, and what is lost is written down.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded import machine, postgres
from deploy.lines import Lines, Treat, Treatment
from ingest import devices
from ingest.db.pool import connect
from ingest.entry import Alarm, Entry, Trouble, unpack
from ingest.hub_secret import hash_mosquitto, hash_nats
from tests.world.broker import PlatformBroker
from tests.world.cluster import Cluster
from tests.world.database import Database
from tests.world.ingest_platform import ADDED_AT
from tests.world.processes import Process, wait_until

HUB: Final = "hub-1"
HOME: Final = "rose-cottage"

_ALARM_EACH: Final = 10
_APART_S: Final = 0.02


class LocalBroker:
    """The home's own Mosquitto, open to all on the loopback."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        assert program is not None, "the home's own broker is mosquitto: apt-get install mosquitto"
        self.port = machine.free_port()
        config = folder / "local.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        self._process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert wait_until(lambda: machine.accepts(self.port))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class Sensors:
    """A thermometer and many pendants, in Zigbee2MQTT's words, each message written down before it is sent.

    Message n is a temperature of n hundredths of a degree, or, each tenth, the press of a pendant of its own: so each
    is found again in the tables.
    """

    def __init__(self, port: int, diary: Path) -> None:
        """Connect, and begin the diary."""
        self._diary = diary
        self._said = 0
        self._sent: dict[int, mqtt.MQTTMessageInfo] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="zigbee2mqtt")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.publish("zigbee2mqtt/bridge/state", b'{"state":"online"}', qos=1, retain=True).wait_for_publish(10)

    def say(self, many: int, *, apart_s: float = 0.0) -> None:
        """Say so many things."""
        for _ in range(many):
            self._say_one()
            if apart_s:
                time.sleep(apart_s)

    @contextmanager
    def speaking(self, *, apart_s: float = _APART_S) -> Iterator[None]:
        """Say things all the time until the block ends."""
        done = threading.Event()
        thread = threading.Thread(target=self._say_until, args=(done, apart_s), name="sensors")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def taken_in(self) -> set[int]:
        """Return what the gateway took in, once the home's broker has acknowledged everything that it will."""
        wait_until(lambda: all(sent.is_published() for sent in self._sent.values()), within_s=5)
        return {serial for serial, sent in self._sent.items() if sent.is_published()}

    def never_taken_in(self) -> set[int]:
        """Return the rest: the platform cannot have it."""
        return set(range(1, self._said + 1)) - self.taken_in()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _say_until(self, done: threading.Event, apart_s: float) -> None:
        while not done.is_set():
            self._say_one()
            done.wait(apart_s)

    def _say_one(self) -> None:
        self._said += 1
        serial = self._said
        with self._diary.open("a") as out:
            out.write(json.dumps({"serial": serial}) + "\n")
        topic, payload = "probe", json.dumps({"temperature": serial / 100}).encode()
        if serial % _ALARM_EACH == 0:
            topic, payload = f"pendant-{serial}", b'{"action":"emergency"}'
        self._sent[serial] = self._client.publish(f"zigbee2mqtt/{topic}", payload, qos=1)


class Backup:
    """A copy of the whole database server's folder, as a cold backup is."""

    def __init__(self, server: postgres.Server, copy: Path) -> None:
        """Take it: the server is stopped for as long as that takes."""
        self._server = server
        self._copy = copy
        server.stop()
        _copy_as_is(server.folder, copy)
        server.start()

    def restore(self) -> None:
        """Put the server back to where it was then, after a crash that cost the whole disk."""
        self._server.kill()
        shutil.rmtree(self._server.folder)
        _copy_as_is(self._copy, self._server.folder)
        shutil.rmtree(self._copy)
        self._server.start()


def _copy_as_is(source: Path, copy: Path) -> None:
    # With owners, since the server does not run as root.
    subprocess.run(["cp", "-a", str(source), str(copy)], check=True)


@dataclass(slots=True)
class Story:
    """Everything of one cruelty, running."""

    database: Database
    broker: PlatformBroker | Cluster
    folder: Path
    stack: ExitStack
    sensors: Sensors
    local: LocalBroker
    secret: str
    lane: int

    @property
    def outbox(self) -> Path:
        return self.folder / "hub" / "outbox.sqlite"

    def gateway(self, **more: str) -> Process:
        """Start the hub's real gateway."""
        self.outbox.parent.mkdir(exist_ok=True)
        environment = {
            "TELECARE_HUB_ID": HUB,
            "TELECARE_HUB_LANE": str(self.lane),
            "TELECARE_HUB_SECRET": self.secret,
            "TELECARE_PLATFORM_HOST": self.broker.hosts,
            "TELECARE_PLATFORM_PORT": str(self.broker.port),
            "TELECARE_PLATFORM_TLS": "false",
            "TELECARE_RADIO_HOST": "127.0.0.1",
            "TELECARE_RADIO_PORT": str(self.local.port),
            "TELECARE_OUTBOX_PATH": str(self.outbox),
            "TELECARE_SENDING_LINGER_MS": "100",
        }
        process = Process("gateway", environment | more, folder=self.folder)
        self.stack.callback(process.stop)
        process.start()
        # The first message after the gateway hears its radio is the first that it can have taken in.
        assert wait_until(lambda: self._radio_is_up(process)), process.last_words()
        return process

    def ingest(self, **more: str) -> Process:
        """Start ingest and return when it works."""
        process = self.ingest_beside(**more)
        assert wait_until(process.is_ready), f"ingest never got ready:\n{process.last_words()}"
        return process

    def ingest_beside(self, **more: str) -> Process:
        """Start ingest beside another: it gets ready when there are lanes for it."""
        environment = {
            "TELECARE_DATABASE_URL": self.database.dsn,
            "TELECARE_BROKER": self.broker.addresses,
            "TELECARE_BROKER_USER": self.broker.ingest_user,
            "TELECARE_BROKER_PASSWORD": self.broker.ingest_secret,
            "TELECARE_INGEST_ANSWER_S": "0.3",
        }
        process = Process("ingest", environment | more, folder=self.folder)
        self.stack.callback(process.stop)
        process.start()
        return process

    def add_hub(self) -> None:
        """Let the hub in again, after a restore that forgot it or at the start."""
        with connect(self.database.dsn, name="test") as conn:
            devices.add_home(conn, HOME, now=ADDED_AT)
            devices.add_hub(conn, HUB, HOME, (hash_nats("x"), hash_mosquitto("x")), now=ADDED_AT)

    def stored(self) -> Counter[int]:
        """Return how often each message of the diary is in the table, those aside that may repeat."""
        return Counter(serial for serial, may_repeat in self._rows() if not may_repeat)

    def repeated(self) -> set[int]:
        """Return what is in the table marked as possibly repeated."""
        return {serial for serial, may_repeat in self._rows() if may_repeat}

    def lost(self) -> int:
        """Return how many numbers are written down as lost and did not come after all."""
        query = "SELECT coalesce(sum(last - first + 1), 0) FROM lost_range WHERE recovered_at IS NULL"
        with self.database.connect() as conn:
            row = conn.execute(query).fetchone()
        assert row is not None
        return int(str(row[0]))

    def count(self) -> int:
        with self.database.connect() as conn:
            row = conn.execute("SELECT count(*) FROM reading").fetchone()
        assert row is not None
        return int(str(row[0]))

    def everything_arrives(self, *, within_s: float = 60.0, but_for: Collection[int] = ()) -> None:
        """See that the table comes to hold everything that was taken in, each once, but what nobody has any more."""
        taken_in = self.sensors.taken_in() - set(but_for)
        assert taken_in, "nothing was said"
        arrived = wait_until(lambda: set(self.stored()) | self.repeated() >= taken_in, within_s=within_s)
        stored = self.stored()
        missing = sorted(taken_in - set(stored) - self.repeated())
        assert arrived, f"{len(missing)} of {len(taken_in)} are missing, from {missing[:5]}"
        assert [serial for serial, times in stored.items() if times > 1] == []

    def times(self) -> tuple[datetime, datetime, int]:
        """Return the earliest and the latest time in the table, and how many are uncertain."""
        query = "SELECT min(observed_at), max(observed_at), count(uncertain_since) FROM reading"
        with self.database.connect() as conn:
            row = conn.execute(query).fetchone()
        assert row is not None
        earliest, latest, uncertain = row
        assert isinstance(earliest, datetime)
        assert isinstance(latest, datetime)
        return earliest, latest, int(str(uncertain))

    def log(self) -> list[Entry]:
        """Return everything that stands in the stored log of the hub's lane."""
        query = "SELECT entries FROM stored_log WHERE lane = %s ORDER BY position"
        with self.database.connect() as conn:
            rows = conn.execute(query, (self.lane,)).fetchall()
        return [entry for (packed,) in rows if isinstance(packed, bytes) for entry in unpack(packed)]

    def alarms(self) -> list[str]:
        """Return the identity of each alarm in the log."""
        return [entry.identity for entry in self.log() if isinstance(entry, Alarm)]

    def troubles(self) -> set[str]:
        """Return what alerts will read of the hub's troubles."""
        return {entry.what for entry in self.log() if isinstance(entry, Trouble)}

    def positions_have_no_holes(self) -> bool:
        """Return whether the log of the hub's lane is numbered 1, 2, 3 ... in the order of its time."""
        query = "SELECT position FROM stored_log WHERE lane = %s ORDER BY received_at"
        with self.database.connect() as conn:
            positions = [row[0] for row in conn.execute(query, (self.lane,))]
        return positions == list(range(1, len(positions) + 1))

    def treated_line(self, treat: Treat) -> int:
        """Put somebody between the hub and the broker, and return the port where the hub finds them."""
        port = machine.free_port()
        lines = self.stack.enter_context(Lines(self.broker.port))
        lines.open("hub", port, is_mqtt=True)
        lines.treat("hub", Treatment(message=treat))
        return port

    @contextmanager
    def database_hangs(self, whose: str) -> Iterator[None]:
        """Let the database answer no new connection until the block ends, and end those of one program."""
        postmaster = self.database.server.process
        assert postmaster is not None
        with self.database.connect() as conn:
            query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
            backends = [int(str(pid)) for (pid,) in conn.execute(query, (whose,))]
        assert backends
        postmaster.send_signal(signal.SIGSTOP)
        try:
            for backend in backends:
                os.kill(backend, signal.SIGTERM)
            yield
        finally:
            postmaster.send_signal(signal.SIGCONT)

    def copy_card(self) -> Path:
        """Copy the hub's card; its gateway must be stopped."""
        copy = self.folder / "old-card"
        shutil.copytree(self.outbox.parent, copy)
        return copy

    def put_back(self, copy: Path) -> None:
        """Put an old copy of the card back."""
        shutil.rmtree(self.outbox.parent)
        shutil.copytree(copy, self.outbox.parent)

    def _rows(self) -> list[tuple[int, bool]]:
        query = "SELECT sensor, quantity, value, may_repeat FROM reading"
        with self.database.connect() as conn:
            rows = conn.execute(query).fetchall()
        return [
            (round(value * 100) if quantity == "temperature_c" else int(sensor.rpartition("-")[2]), may_repeat)
            for sensor, quantity, value, may_repeat in rows
            if isinstance(sensor, str) and isinstance(value, float) and isinstance(may_repeat, bool)
        ]

    @staticmethod
    def _radio_is_up(process: Process) -> bool:
        return "radio" not in process.why_not_ready()

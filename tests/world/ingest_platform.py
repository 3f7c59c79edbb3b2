"""What a hub meets: ingest with everything real around it, a database, a broker, the process itself."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest import devices
from ingest.db.pool import connect
from ingest.hub_secret import hash_mosquitto, hash_nats
from tests.world.broker import PlatformBroker
from tests.world.database import Database
from tests.world.processes import Process, running
from tests.world.raw_hub import RawHub

ADDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Platform:
    """What a hub meets."""

    database: Database
    broker: PlatformBroker
    folder: Path
    stack: ExitStack

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "TELECARE_DATABASE_URL": self.database.dsn,
            "TELECARE_BROKER": f"127.0.0.1:{self.broker.port}",
            "TELECARE_BROKER_USER": self.broker.ingest_user,
            "TELECARE_BROKER_PASSWORD": self.broker.ingest_secret,
            "TELECARE_INGEST_ANSWER_S": "0.2",
            **more,
        }

    def ingest(self, **more: str) -> Process:
        """Run ingest until the test ends."""
        return self.stack.enter_context(running("ingest", self.environment(**more), folder=self.folder))

    def ingest_beside(self, **more: str) -> Process:
        """Start ingest beside another until the test ends: it gets ready when lanes were let go for it."""
        process = Process("ingest", self.environment(**more), folder=self.folder)
        self.stack.callback(process.stop)
        process.start()
        return process

    def add_hub(self, hub: str = "hub-1", home: str | None = "rose-cottage") -> RawHub:
        """Add a hub to the database and the broker, and connect as it until the test ends."""
        with connect(self.database.dsn, name="test") as conn:
            if home is not None:
                devices.add_home(conn, home, now=ADDED_AT)
            hashes = hash_nats("of no use here"), hash_mosquitto("of no use here")
            lane = devices.add_hub(conn, hub, home, hashes, now=ADDED_AT)
        secret = self.broker.add_hub(hub, lane)
        return self.stack.enter_context(RawHub(hub, lane, port=self.broker.port, secret=secret))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self.database.connect() as conn:
            return conn.execute(query, values).fetchall()

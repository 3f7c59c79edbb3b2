"""How is a home with a radio of its own made for a bench: its broker, its equipment, and how its gateway is started?"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.broker.permissions import login
from deploy.embedded import machine
from deploy.embedded.nats import nats
from ingest import devices
from ingest.db.pool import connect
from ingest.hub_secret import hash_mosquitto, hash_nats
from tests.integration.gateway.world import Equipment
from tests.world.ingest_platform import ADDED_AT, Platform


@dataclass(frozen=True, slots=True)
class RadioHome:
    """A home whose equipment speaks.

    Attributes:
        environment: its gateway is started with.
        equipment: in Zigbee2MQTT's place.
    """

    environment: dict[str, str]
    equipment: Equipment

    @property
    def outbox(self) -> Path:
        return Path(self.environment["TELECARE_OUTBOX_PATH"])


@contextmanager
def radio_home(platform: Platform, folder: Path, *, home: str, hub: str) -> Iterator[RadioHome]:
    """Add a hub to the platform, and run its home's own broker until the end of the block.

    Args:
        platform: that the hub belongs to.
        folder: where the home's files are.
        home: by name.
        hub: by name.
    """
    with connect(platform.database.dsn, name="bench") as conn:
        devices.add_home(conn, home, now=ADDED_AT)
        hashes = hash_nats("of no use here"), hash_mosquitto("of no use here")
        lane = devices.add_hub(conn, hub, home, hashes, now=ADDED_AT)
    secret, password = platform.broker.add_hub(hub, lane), secrets.token_urlsafe(16)
    place, port = folder / f"home-of-{hub}", machine.free_port()
    broker = nats(place, port=port, log=folder / f"{hub}.log", environment={}, is_homes_own=True)
    broker.open_to(login("equipment", password))
    broker.start()
    environment = {
        "TELECARE_HUB_ID": hub,
        "TELECARE_HUB_LANE": str(lane),
        "TELECARE_HUB_SECRET": secret,
        "TELECARE_PLATFORM_HOST": "127.0.0.1",
        "TELECARE_PLATFORM_PORT": str(platform.broker.port),
        "TELECARE_PLATFORM_TLS": "false",
        "TELECARE_OUTBOX_PATH": str(folder / f"{hub}.sqlite"),
        "TELECARE_RADIO_HOST": "127.0.0.1",
        "TELECARE_RADIO_PORT": str(broker.port),
        "TELECARE_RADIO_USER": "equipment",
        "TELECARE_RADIO_PASSWORD": password,
    }
    equipment = Equipment(broker.port, "equipment", password)
    try:
        equipment.says("bridge/state", {"state": "online"}, retain=True)
        yield RadioHome(environment, equipment)
    finally:
        equipment.stop()
        broker.stop()

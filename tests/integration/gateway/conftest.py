"""What the gateway's integration tests may ask for by name."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker.permissions import login
from deploy.embedded import machine
from deploy.embedded.nats import nats
from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, LANE, Equipment, LocalBroker, RunningHub
from tests.world.broker import PlatformBroker


@pytest.fixture
def local_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    if LocalBroker.program() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is not installed")
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    broker = LocalBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def equipment(local_broker: LocalBroker) -> Iterator[Equipment]:
    there = Equipment(local_broker.port)
    yield there
    there.stop()


@pytest.fixture
def platform(broker: PlatformBroker) -> Iterator[Platform]:
    there = Platform(broker.port, broker.ingest_user, broker.ingest_secret).start()
    yield there
    there.stop()


@pytest.fixture
def hub(broker: PlatformBroker, local_broker: LocalBroker, tmp_path: Path) -> Iterator[RunningHub]:
    secret = broker.add_hub(HUB, LANE)
    there = RunningHub(
        {
            "TELECARE_HUB_ID": HUB,
            "TELECARE_HUB_LANE": str(LANE),
            "TELECARE_HUB_SECRET": secret,
            "TELECARE_PLATFORM_HOST": "127.0.0.1",
            "TELECARE_PLATFORM_PORT": str(broker.port),
            "TELECARE_PLATFORM_TLS": "false",
            "TELECARE_RADIO_HOST": "127.0.0.1",
            "TELECARE_RADIO_PORT": str(local_broker.port),
            "TELECARE_OUTBOX_PATH": str(tmp_path / "outbox.db"),
            "TELECARE_SENDING_LINGER_MS": "50",
        }
    )
    yield there
    there.stop()


@pytest.fixture
def nats_home(open_folder: Path) -> Iterator[int]:
    """The port of a home's own broker that is NATS."""
    log, port = open_folder / "home.log", machine.free_port()
    home = nats(open_folder / "home", port=port, log=log, environment=os.environ, is_homes_own=True)
    home.open_to(login("equipment", "s3cret"))
    home.start()
    yield home.port
    home.stop()

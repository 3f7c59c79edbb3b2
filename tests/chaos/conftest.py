"""What the cruel tests may ask for by name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ingest.devices import lane_of
from tests.chaos.world import HOME, HUB, LocalBroker, Sensors, Story
from tests.world.broker import PlatformBroker
from tests.world.cluster import Cluster
from tests.world.database import Database


@pytest.fixture
def story(database: Database, broker: PlatformBroker, tmp_path: Path) -> Iterator[Story]:
    """Give a home with sensors, and a platform without processes yet, on each broker in turn."""
    with _told(database, broker, tmp_path) as told:
        yield told


@pytest.fixture
def story_on_nats(database: Database, nats_broker: PlatformBroker, tmp_path: Path) -> Iterator[Story]:
    """Give the same on the broker that we embed, where the story is about something else."""
    with _told(database, nats_broker, tmp_path) as told:
        yield told


@pytest.fixture
def story_of_three(database: Database, cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Story, Cluster]]:
    """Give the same on a broker of three nodes."""
    with _told(database, cluster, tmp_path) as told:
        yield told, cluster


@contextmanager
def _told(database: Database, broker: PlatformBroker | Cluster, folder: Path) -> Iterator[Story]:
    with ExitStack() as stack:
        local = LocalBroker(folder)
        stack.callback(local.stop)
        sensors = Sensors(local.port, folder / "diary.jsonl")
        stack.callback(sensors.stop)
        secret = broker.add_hub(HUB, lane_of(HOME))
        told = Story(database, broker, folder, stack, sensors, local, secret, lane_of(HOME))
        told.add_hub()
        yield told

"""What the cruel tests may ask for by name."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.devices import lane_of
from tests.chaos.world import HOME, HUB, LocalBroker, Sensors, Story
from tests.world.broker import PlatformBroker
from tests.world.database import Database


@pytest.fixture
def story(database: Database, broker: PlatformBroker, tmp_path: Path) -> Iterator[Story]:
    """Give a home with sensors, and a platform without processes yet, on each broker in turn."""
    with ExitStack() as stack:
        local = LocalBroker(tmp_path)
        stack.callback(local.stop)
        sensors = Sensors(local.port, tmp_path / "diary.jsonl")
        stack.callback(sensors.stop)
        secret = broker.add_hub(HUB, lane_of(HOME))
        told = Story(database, broker, tmp_path, stack, sensors, local, secret, lane_of(HOME))
        told.add_hub()
        yield told

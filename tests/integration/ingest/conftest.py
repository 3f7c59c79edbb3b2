"""What the tests of ingest may ask for by name."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.world.broker import PlatformBroker
from tests.world.database import Database
from tests.world.ingest_platform import Platform


@pytest.fixture
def platform(database: Database, broker: PlatformBroker, tmp_path: Path) -> Iterator[Platform]:
    """Give a platform on each broker in turn."""
    with ExitStack() as stack:
        yield Platform(database, broker, tmp_path, stack)


@pytest.fixture
def nats_platform(database: Database, nats_broker: PlatformBroker, tmp_path: Path) -> Iterator[Platform]:
    """Give a platform on the embedded broker, for tests about something else."""
    with ExitStack() as stack:
        yield Platform(database, nats_broker, tmp_path, stack)

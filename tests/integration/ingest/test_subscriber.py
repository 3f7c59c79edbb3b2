"""Does a worker's line to the broker last while it owns nothing?"""

import asyncio
import logging

import pytest

from gateway.clock import Clock, monotonic_s
from gateway.health import Address
from ingest.config import Broker
from ingest.subscriber import Subscriber
from ingest.waiting import Waiting
from tests.world.broker import PlatformBroker


async def _told(connects: list[logging.LogRecord], many: int) -> None:
    deadline = monotonic_s() + 60
    while len(connects) < many:
        assert monotonic_s() < deadline, "never connected"
        await asyncio.sleep(0.01)
    for _ in range(20):
        await asyncio.sleep(0)  # Whoever is to let go of the line now does so.


async def test_a_worker_without_lanes_keeps_its_line(
    nats_broker: PlatformBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever was cut off is believed once its line holds: one that is made anew each second never does."""
    where = Broker(
        (Address("127.0.0.1", nats_broker.port),), nats_broker.ingest_user, password=nats_broker.ingest_secret
    )
    subscriber = Subscriber(where, Waiting(), name="test-worker", clock=Clock.from_env({}))
    none, seven = frozenset[int](), frozenset({7})
    with caplog.at_level(logging.INFO, "ingest.subscriber"):
        running = asyncio.create_task(subscriber.run())
        for connects, lanes in enumerate((none, seven, none), start=1):
            subscriber.listen_to(lanes)
            await _told(caplog.records, connects)
            subscriber.listen_to(lanes)
            await _told(caplog.records, connects)

            assert subscriber.is_connected
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert [record.__dict__["lanes"] for record in caplog.records] == [0, 1, 0]

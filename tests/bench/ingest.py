"""How many readings a second become durable, end to end, and what of that is the transport and what is the disk?

Run by hand: `python -m tests.bench.ingest`.  One publisher (paho, QoS 1) speaks as one hub through nats-server to a
real ingest process over a real PostgreSQL with TimescaleDB; the clock stops when the hub is told `stored through` the
last number.  Beside it, in the same run: the same messages into a bare receive loop that only counts, and COPY alone.
All of it shares this machine.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import aiomqtt
from psycopg import AsyncConnection

from deploy.embedded import machine, postgres
from gateway import wire
from gateway.clock import Clock
from gateway.wire import Leaf, Stream
from ingest import readings
from ingest.db.migrate import migrate
from ingest.db.pool import settings
from tests.world.broker import PlatformBroker, platform_broker
from tests.world.database import Database
from tests.world.ingest_platform import Platform
from tests.world.raw_hub import RawHub, pack, record

_PATIENCE_S = 300.0
_COPY_ROWS = 1000


def main() -> int:
    """Measure each row, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as named, ExitStack() as stack:
        folder = Path(named)
        folder.chmod(0o755)
        platform = _platform(folder, stack)
        copied = asyncio.run(_copy(platform.database.dsn, messages))
        hubs = {size: platform.add_hub(f"hub-{size}", f"home-{size}") for size in (1, 20)}
        said = {size: [_pack(number, size) for number in range(1, messages + 1)] for size in hubs}
        bare_s = {size: _bare(platform.broker, hub, said[size]) for size, hub in hubs.items()}
        # Only now: it would share the machine with the bare loop, and sessions are clean, so it hears nothing of that.
        platform.ingest()
        rows = []
        for size, hub in hubs.items():
            stored_s = _durable(hub, said[size], messages * size)
            rows.append((size, messages / bare_s[size], messages / stored_s, messages * size / stored_s))
    sys.stdout.write(
        "| readings a message | bare loop, messages/s | durable, messages/s | durable, readings/s | of bare | of COPY |"
        "\n"
        "|---|---|---|---|---|---|\n"
    )
    for size, bare, durable, durable_readings in rows:
        sys.stdout.write(
            f"| {size} | {bare:,.0f} | {durable:,.0f} | {durable_readings:,.0f} | {durable / bare:.2f} "
            f"| {durable_readings / copied:.2f} |\n"
        )
    sys.stdout.write(f"\nCOPY alone, {_COPY_ROWS} rows a transaction: {copied:,.0f} readings/s.\n")
    return 0


def _platform(folder: Path, stack: ExitStack, *, broker: str = "nats") -> Platform:
    server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
    server.start()
    stack.callback(server.stop)
    migrate(server.create_database("bench"))
    served = platform_broker(broker, folder / "broker")
    served.start()
    stack.callback(served.stop)
    return Platform(Database(server, "bench"), served, folder, stack)


def _pack(number: int, size: int) -> bytes:
    first = (number - 1) * size + 1
    return pack(Stream.READINGS, [record(one) for one in range(first, first + size)])


def _publish(hub: RawHub, packs: Sequence[bytes]) -> None:
    topic = wire.topic(hub.lane, hub.hub, Leaf.READINGS)
    hub._paho._max_inflight_messages = 500  # The public setter refuses once connected.
    for payload in packs:
        hub._paho.publish(topic, payload, qos=1)


def _durable(hub: RawHub, packs: Sequence[bytes], last: int) -> float:
    began_s = time.monotonic()
    _publish(hub, packs)
    assert hub.wait_through(Stream.READINGS, last, within_s=_PATIENCE_S), hub.through(Stream.READINGS)
    return time.monotonic() - began_s


def _bare(broker: PlatformBroker, hub: RawHub, packs: Sequence[bytes]) -> float:
    """Return how long the same messages take into a loop that only counts them."""
    ready, done = multiprocessing.Event(), multiprocessing.Event()
    topic = wire.topic(hub.lane, hub.hub, Leaf.READINGS)
    told = (broker.port, broker.ingest_user, broker.ingest_secret, topic, len(packs), ready, done)
    loop = multiprocessing.Process(target=_count, args=told)
    loop.start()
    assert ready.wait(30)
    began_s = time.monotonic()
    _publish(hub, packs)
    assert done.wait(_PATIENCE_S)
    took_s = time.monotonic() - began_s
    loop.join()
    return took_s


def _count(port: int, user: str, secret: str, topic: str, messages: int, ready: Event, done: Event) -> None:
    async def count() -> None:
        async with aiomqtt.Client(
            "127.0.0.1", port, username=user, password=secret, protocol=aiomqtt.ProtocolVersion.V311
        ) as client:
            await client.subscribe(topic, qos=1)
            ready.set()
            heard = 0
            async for _ in client.messages:
                heard += 1
                if heard == messages:
                    done.set()
                    return

    asyncio.run(count())


async def _copy(dsn: str, rows: int) -> float:
    now = Clock().now()
    one = [
        readings.Row(None, "hub-copy", "hall", None, "movement", 1.0, now - timedelta(seconds=n), None, now, False)
        for n in range(_COPY_ROWS)
    ]
    async with await AsyncConnection.connect(dsn, **settings("bench")) as conn:  # type: ignore[arg-type]  # libpq's own words
        began_s = time.monotonic()
        times = max(1, rows // _COPY_ROWS)
        for _ in range(times):
            async with conn.transaction():
                await readings.write(conn, one)
        return times * _COPY_ROWS / (time.monotonic() - began_s)


if __name__ == "__main__":
    sys.exit(main())

"""What does ingest need, and does a press get through, while one box says what nobody can read, as fast as it can?"""

import random
import time
from typing import Final

from gateway import wire
from gateway.wire import Leaf, Stream
from tests.bench.pressure.measured import Memory, require, say, until
from tests.world.ingest_platform import Platform
from tests.world.processes import Process
from tests.world.raw_hub import RawHub

_PATIENCE_S: Final = 600.0
_BYTES_MAX: Final = 4_096
# Every so many of its messages are on the alarms' topic, where each may be somebody who called.
_ALARM_EVERY: Final = 4


def flood(platform: Platform, messages: int, away_s: float) -> None:
    """Send random bytes, part of them while the database is away, and see when a press in the middle is stored."""
    hub, presses = platform.add_hub("hub-1", "home-1"), platform.add_hub("hub-2", "home-2")
    ingest = platform.ingest()
    chance = random.Random(1)
    hub._paho._max_inflight_messages = 500  # The public setter refuses once connected.
    with Memory({"ingest": ingest.pid}) as memory:
        began_s = time.monotonic()
        if away_s:
            platform.database.server.stop()
        _babble(hub, messages // 2, chance)
        presses.send(Stream.ALARMS, range(1, 2))
        pressed_s = time.monotonic()
        _babble(hub, messages - messages // 2, chance)
        if away_s:
            time.sleep(max(0.0, began_s + away_s - time.monotonic()))
            platform.database.server.start()
            pressed_s = time.monotonic()
        while not presses.wait_through(Stream.ALARMS, 1, within_s=2):
            require(is_so=time.monotonic() - pressed_s < _PATIENCE_S, otherwise="the press in the middle was stored")
            presses.send(Stream.ALARMS, range(1, 2))
        alarm_s = time.monotonic() - pressed_s
        until(
            lambda: ingest.metric("telecare_ingest_messages_waiting") == 0 and not hub._paho._out_messages,
            within_s=_PATIENCE_S,
            what="ingest to be through",
            so_far=lambda: f"{ingest.metric('telecare_ingest_messages_waiting'):.0f} messages wait",
        )
    say(f"{messages} messages of random bytes in {time.monotonic() - began_s:.0f} s; database away for {away_s:.0f} s")
    say(f"a press in the middle was stored {alarm_s:.1f} s after it{' or the database was back' if away_s else ''}")
    _report(platform, ingest)
    say(str(memory))


def _babble(hub: RawHub, messages: int, chance: random.Random) -> None:
    topics = [wire.topic(hub.lane, hub.hub, leaf) for leaf in (Leaf.READINGS, Leaf.ALARMS)]
    for number in range(messages):
        said = chance.randbytes(chance.randrange(1, _BYTES_MAX))
        hub._paho.publish(topics[number % _ALARM_EVERY == 0], said, qos=1)


def _report(platform: Platform, ingest: Process) -> None:
    ((kept,),) = platform.rows("SELECT count(*) FROM refused")
    dropped = ingest.metric("telecare_ingest_messages_dropped_total")
    alarms = ingest.metric("telecare_ingest_alarms_stored_total")
    say(f"kept as refused: {kept}; given up by ingest: {dropped:.0f}; alarms in the log: {alarms:.0f}")

"""What do broker and ingest need when thousands of hubs connect in one moment, and is every alarm stored first?

The broker is killed under all of them and started again.  While it is away each takes in more readings, and in one
home of ten somebody presses.
"""

import asyncio
import multiprocessing
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.broker.permissions import HubAccess, hub_access
from gateway.wire import Stream
from ingest import devices
from tests.bench.pressure.crowd import CrowdHub, hold_on
from tests.bench.pressure.measured import Memory, require, say, until
from tests.world.ingest_platform import ADDED_AT, Platform

_PROCESSES: Final = 4
_PATIENCE_S: Final = 600.0
# Over so long the hubs come for the first time; with the broker away they come back when their rule says.
_FIRST_WITHIN_S: Final = 60.0
_READINGS: Final = 40
_PRESS_EVERY: Final = 10

_Streams: Final = tuple(Stream)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """What the processes and we know of one another: one place for each hub and stream.

    Attributes:
        through_s: when all that the hub had taken in by `taken` was stored, monotonic; 0 before.
        is_up: whether its line is.
        came_s: when its line was up for the first time, monotonic; 0 before.
        attempts: how often it tried to connect in vain.
        taken: how many readings and alarms each hub has taken in; of alarms only each tenth hub.
    """

    through_s: Any
    is_up: Any
    came_s: Any
    attempts: Any
    taken: Any


def hubs(platform: Platform, count: int, away_s: float) -> None:
    """Let hubs come, kill the broker, start it again, and wait until all that they took in is stored."""
    access = _add(platform, count)
    ingest = platform.ingest()
    crowd = _Crowd(*(multiprocessing.Array(kind, size, lock=False) for kind, size in _shapes(count)))
    crowd.taken[0] = _READINGS
    portions = [range(first, count, _PROCESSES) for first in range(_PROCESSES)]
    processes = [
        multiprocessing.Process(target=_live, args=(access, portion, platform.broker.port, crowd), daemon=True)
        for portion in portions
    ]
    for one in processes:
        one.start()
    try:
        pids = {"ingest": ingest.pid} | {f"hubs {place}": one.pid or 0 for place, one in enumerate(processes)}
        _first(platform, pids, crowd, count)
        _again(platform, pids, crowd, count, away_s)
    finally:
        for one in processes:
            one.terminate()


def _shapes(count: int) -> Sequence[tuple[str, int]]:
    return (("d", 2 * count), ("b", 2 * count), ("d", 2 * count), ("i", 2 * count), ("i", 2))


def _add(platform: Platform, count: int) -> list[tuple[HubAccess, str]]:
    """Add hubs to the database and the broker, and return each with its secret."""
    found = []
    with platform.database.connect() as conn, conn.transaction():
        for number in range(count):
            home, hub, secret = f"home-{number}", f"hub-{number}", secrets.token_urlsafe(32)
            devices.add_home(conn, home, now=ADDED_AT)
            found.append((hub_access(hub, devices.lane_of(home), secret), secret))
            one = found[-1][0]
            devices.add_hub(conn, hub, home, (one.nats_hash, one.mosquitto_hash), now=ADDED_AT)
    platform.broker.server.permit([one for one, _ in found], platform.broker._ingest)
    return found


def _first(platform: Platform, pids: Mapping[str, int], crowd: _Crowd, count: int) -> None:
    with Memory({platform.broker.kind: _pid(platform), **pids}) as memory:
        took_s = until(
            lambda: _is_all_stored(crowd, count),
            within_s=_PATIENCE_S,
            what=f"{count} hubs that come over {_FIRST_WITHIN_S:.0f} s",
            so_far=lambda: _so_far(crowd, count),
        )
    say(f"{count} hubs, {2 * count} connections: all was stored {took_s:.0f} s after the first came")
    say(str(memory))


def _again(platform: Platform, pids: Mapping[str, int], crowd: _Crowd, count: int, away_s: float) -> None:
    platform.broker.kill()
    attempts = sum(crowd.attempts)
    for at in range(2 * count):
        crowd.through_s[at] = crowd.came_s[at] = 0.0
    crowd.taken[0], crowd.taken[1] = 2 * _READINGS, 1
    time.sleep(away_s)
    platform.broker.start()
    back_s = time.monotonic()
    with Memory({platform.broker.kind: _pid(platform), **pids}) as memory:
        until(
            lambda: _is_all_stored(crowd, count),
            within_s=_PATIENCE_S,
            what=f"{count} hubs that come back at once",
            so_far=lambda: _so_far(crowd, count),
        )
    say(f"broker killed for {away_s:.0f} s; {sum(crowd.attempts) - attempts} attempts in vain until all were back")
    for stream in (Stream.ALARMS, Stream.READINGS):
        lines = crowd.came_s[_Streams.index(stream) : 2 * count : 2]
        say(f"{stream.value}: {count} lines up after it was back: {_spread(lines, back_s)}")
    for stream in (Stream.ALARMS, Stream.READINGS):
        through = _through(crowd, count, stream)
        say(f"{stream.value} of {len(through)} hubs stored after it was back: {_spread(through, back_s)}")
    say(str(memory))
    stored = tuple(_count(platform, f"reading WHERE quantity {of} 'movement'") for of in ("=", "<>"))
    wanted = count * 2 * _READINGS, len(range(0, count, _PRESS_EVERY))
    say(f"readings in the table: {stored[0]} of {wanted[0]}; alarms: {stored[1]} of {wanted[1]}; none may be twice")
    require(is_so=stored == wanted, otherwise=f"{wanted} taken in, {stored} stored")


def _spread(moments: Sequence[float], since_s: float) -> str:
    waits = sorted(at - since_s for at in moments)
    parts = ("half", len(waits) // 2), ("99 of 100", len(waits) * 99 // 100), ("last", -1)
    return ", ".join(f"{name} {waits[at]:.1f} s" for name, at in parts)


def _pid(platform: Platform) -> int:
    process = platform.broker.server.process
    assert process is not None
    return process.pid


def _count(platform: Platform, query: str) -> int:
    ((count,),) = platform.rows(f"SELECT count(*) FROM {query}")
    assert isinstance(count, int)
    return count


def _through(crowd: _Crowd, count: int, stream: Stream) -> list[float]:
    """Return when each hub that had something to say was through with it."""
    step = _PRESS_EVERY if stream is Stream.ALARMS else 1
    return [crowd.through_s[2 * hub + _Streams.index(stream)] for hub in range(0, count, step)]


def _is_all_stored(crowd: _Crowd, count: int) -> bool:
    streams = (Stream.READINGS, Stream.ALARMS) if crowd.taken[1] else (Stream.READINGS,)
    return all(all(_through(crowd, count, stream)) for stream in streams)


def _so_far(crowd: _Crowd, count: int) -> str:
    readings, alarms = (sum(map(bool, _through(crowd, count, stream))) for stream in (Stream.READINGS, Stream.ALARMS))
    up = sum(crowd.is_up)
    return f"{up} of {2 * count} lines up, readings of {readings} hubs through, alarms of {alarms}"


# In the processes of the crowd.


def _live(access: Sequence[tuple[HubAccess, str]], portion: range, port: int, crowd: _Crowd) -> None:
    """Be some of the hubs, for ever."""

    async def live() -> None:
        async with asyncio.TaskGroup() as group:
            for place, number in enumerate(portion):
                wait_s = _FIRST_WITHIN_S * place / len(portion)
                group.create_task(_be(*access[number], number, port, crowd, wait_s))

    asyncio.run(live())


async def _be(access: HubAccess, secret: str, number: int, port: int, crowd: _Crowd, wait_s: float) -> None:
    await asyncio.sleep(wait_s)

    def stored(stream: Stream) -> None:
        at = 2 * number + _Streams.index(stream)
        if not crowd.through_s[at] and hub.last[stream] == _taken(crowd, number, stream):
            crowd.through_s[at] = time.monotonic()

    hub = CrowdHub(access.hub, access.lane, secret, stored)

    def came(stream: Stream) -> None:
        hub.last |= {one: _taken(crowd, number, one) for one in Stream}
        at = 2 * number + _Streams.index(stream)
        crowd.is_up[at] = True
        crowd.came_s[at] = crowd.came_s[at] or time.monotonic()

    def went(stream: Stream) -> None:
        at = 2 * number + _Streams.index(stream)
        crowd.attempts[at] += not crowd.is_up[at]
        crowd.is_up[at] = False

    def is_urgent(stream: Stream) -> bool:
        at = 2 * number + _Streams.index(stream)
        return stream is Stream.ALARMS and _taken(crowd, number, stream) > 0 and not crowd.through_s[at]

    async with asyncio.TaskGroup() as group:
        for stream in Stream:
            group.create_task(hold_on(hub, stream, port, came=came, went=went, is_urgent=is_urgent))


def _taken(crowd: _Crowd, number: int, stream: Stream) -> int:
    if stream is Stream.READINGS:
        return int(crowd.taken[0])
    return int(crowd.taken[1]) if number % _PRESS_EVERY == 0 else 0

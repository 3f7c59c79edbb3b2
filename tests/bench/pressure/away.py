"""What do our processes need while the database is away, and what is told and forgotten afterwards?

Real time is spent, so an hour takes an hour; a shorter outage at a higher rate leaves the same backlog.  An hour of
5,000 homes at 8,000 readings a day each is 1,670,000 readings.  They come from one connection, that knows its numbers;
beside it stand two homes with real gateways, in one of which somebody presses when half of the time is over.
"""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.clock import Clock
from gateway.wire import Stream
from tests.bench import ingest as bench
from tests.bench.pressure.measured import Memory, require, say, until
from tests.bench.pressure.radio_home import RadioHome, radio_home
from tests.bench.pressure.told import Telling, telling
from tests.world.ingest_platform import Platform
from tests.world.processes import Process, running
from tests.world.raw_hub import RawHub

_PATIENCE_S: Final = 1_200.0
_PACK: Final = 20
_BEAT_EVERY_S: Final = 30.0
_SAY_EVERY_S: Final = 60.0
# A window of packs: a hub that is behind says so many at once, and waits for its answer.
_WINDOW: Final = 500
# Longer than the grace of a heartbeat: whoever seems silent would have been told of by then.
_AFTERWARDS_S: Final = 200.0
# The homes of the presses: by a pendant half-way, and by a hub of no gateway at the end.
_PRESSED: Final = ("home-3", "home-2")


@dataclass(frozen=True, slots=True)
class _World:
    """Everything that speaks, and what it spoke to.

    Attributes:
        many: says the readings of thousands of homes.
        presses: says one alarm, at the end.
        homes: with real gateways; in the first somebody presses half-way.
    """

    platform: Platform
    many: RawHub
    presses: RawHub
    homes: Sequence[RadioHome]
    ingest: Process
    told: Telling

    def beat(self) -> None:
        self.many.beat()
        self.presses.beat()

    def texts_about(self, home: str) -> list[str]:
        return [body for _, body in self.told.texts() if home in body]


def away(platform: Platform, folder: Path, seconds: float, rate: float) -> None:
    """Stop the database while hubs go on sending and pressing; see what is stored and told in the end."""
    with ExitStack() as stack:
        many, presses = platform.add_hub("hub-1", "home-1"), platform.add_hub("hub-2", "home-2")
        ingest = platform.ingest()
        names = [(f"home-{number}", f"hub-{number}") for number in range(1, 5)]
        homes = [stack.enter_context(radio_home(platform, folder, home=home, hub=hub)) for home, hub in names[2:]]
        told = stack.enter_context(telling(platform, names, Clock()))
        world = _World(platform, many, presses, homes, ingest, told)
        gateways = [stack.enter_context(running("gateway", home.environment, folder=folder)) for home in homes]
        world.beat()
        time.sleep(5)
        broker = platform.broker.server.process
        assert broker is not None
        pids = {"ingest": ingest.pid, "alerts": told.process.pid, "nats-server": broker.pid}
        pids |= {f"gateway {number}": one.pid for number, one in enumerate(gateways, 1)}
        with Memory(pids) as memory:
            platform.database.server.stop()
            sent = _go_on(world, memory, seconds, rate)
            presses.send(Stream.ALARMS, range(1, 2))
            platform.database.server.start()
            _come_back(world, sent)
        say(f"database away {seconds:.0f} s, {sent} readings sent meanwhile")
        say(str(memory))
        say(f"dropped by ingest and sent again: {ingest.metric('telecare_ingest_messages_dropped_total'):.0f} messages")
        _look_back(world, sent)


def _go_on(world: _World, memory: Memory, seconds: float, rate: float) -> int:
    """Send readings at a rate, beat, and press half-way; return how many readings of many homes that were."""
    began_s = beat_s = said_s = time.monotonic()
    sent, is_pressed, moved = 0, False, 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        due = int(passed_s * rate / _PACK) - sent
        bench._publish(world.many, [bench._pack(number, _PACK) for number in range(sent + 1, sent + due + 1)])
        sent += due
        if passed_s >= moved:
            moved += 1
            for home in world.homes:
                home.equipment.begins_to_say("hall", {"occupancy": moved % 2 == 0, "linkquality": 80})
        if passed_s > seconds / 2 and not is_pressed:
            is_pressed = True
            world.homes[0].equipment.says("pendant-1", {"action": "emergency"})
        if time.monotonic() - beat_s >= _BEAT_EVERY_S:
            beat_s = time.monotonic()
            world.beat()
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            load = os.getloadavg()[0]
            say(f"  {passed_s:4.0f} s away, {sent * _PACK} readings sent, load {load:.0f}; {memory.so_far()}")
        time.sleep(0.05)
    return sent * _PACK


def _come_back(world: _World, sent: int) -> None:
    back_s = time.monotonic()
    # A hub sends an alarm again every two seconds.
    while not world.presses.wait_through(Stream.ALARMS, 1, within_s=2):
        require(is_so=time.monotonic() - back_s < _PATIENCE_S, otherwise=f"the press stored within {_PATIENCE_S:.0f} s")
        world.presses.send(Stream.ALARMS, range(1, 2))
    alarm_s, readings_then = time.monotonic() - back_s, world.many.through(Stream.READINGS) or 0
    say(f"the last press stored {alarm_s:.1f} s after it was back; readings stored by then: {readings_then}")
    for home in _PRESSED:
        until(
            lambda home=home: bool(world.texts_about(home)),  # type: ignore[misc]  # a default is not seen through
            within_s=_PATIENCE_S,
            what=f"a text about the press in {home}",
            so_far=lambda: "no text yet",
        )
        say(f"told of {home} {time.monotonic() - back_s:.1f} s after it was back: {world.texts_about(home)[0]}")
    beat_s = 0.0
    while (through := world.many.through(Stream.READINGS) or 0) < sent:
        require(is_so=time.monotonic() - back_s < _PATIENCE_S, otherwise=f"all stored: {through} of {sent}")
        if time.monotonic() - beat_s >= _BEAT_EVERY_S:
            beat_s = time.monotonic()
            world.beat()
            say(f"  {beat_s - back_s:4.0f} s after it was back: {through} of {sent} readings stored")
        _go_back(world.many, through, sent)
    say(f"all readings stored {time.monotonic() - back_s:.0f} s after it was back")


def _go_back(hub: RawHub, through: int, last: int) -> None:
    """Send a window again from what is stored, as a gateway does, and wait for its answer."""
    hub.ask(readings=last)
    first = through // _PACK + 1
    until_pack = min(first + _WINDOW, last // _PACK + 1)
    bench._publish(hub, [bench._pack(number, _PACK) for number in range(first, until_pack)])
    hub.wait_through(Stream.READINGS, (until_pack - 1) * _PACK, within_s=10)


def _look_back(world: _World, sent: int) -> None:
    """See that each reading is there once, and that nobody was told but of the presses."""
    ended_s = time.monotonic()
    while time.monotonic() - ended_s < _AFTERWARDS_S:
        world.beat()
        time.sleep(_BEAT_EVERY_S)
    stored = [_stored(world.platform, hub) for hub in ("hub-1", "hub-3", "hub-4")]
    taken_in = [sent, *(_taken_in(home.outbox) for home in world.homes)]
    texts = world.told.texts()
    say(f"readings in the table: {stored}; taken in: {taken_in}")
    require(is_so=stored == taken_in, otherwise=f"{taken_in} readings taken in, {stored} stored")
    # Nobody answers, so the next person is asked as well.
    others = [body for _, body in texts if not any(home in body for home in _PRESSED)]
    say(f"texts in all, {_AFTERWARDS_S:.0f} s later: {len(texts)}, of something else than the presses: {len(others)}")
    require(is_so=not others, otherwise=f"told of the presses alone, and of this too: {others}")


def _stored(platform: Platform, hub: str) -> int:
    ((stored,),) = platform.rows("SELECT count(*) FROM reading WHERE hub = %s AND quantity <> 'pendant_alarm'", hub)
    assert isinstance(stored, int)
    return stored


def _taken_in(outbox: Path) -> int:
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as file:
        (taken,) = file.execute("SELECT sum(last) FROM stream WHERE stream = 'readings'").fetchone()
    return int(taken)

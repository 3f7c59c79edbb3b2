"""What does ingest need while the database is away, and what is told and forgotten afterwards?

Real time is spent, so an hour takes an hour; a shorter outage at a higher rate leaves the same backlog.  An hour of
5,000 homes at 8,000 readings a day each is 1,670,000 readings.
"""

import time
from typing import Final

from gateway.clock import Clock
from gateway.wire import Stream
from tests.bench import ingest as bench
from tests.bench.pressure.measured import Memory, require, say, until
from tests.bench.pressure.told import Telling, telling
from tests.world.ingest_platform import Platform
from tests.world.raw_hub import RawHub

_PATIENCE_S: Final = 1_200.0
_PACK: Final = 20
_BEAT_EVERY_S: Final = 30.0
_SAY_EVERY_S: Final = 30.0
# A window of packs: a hub that is behind says so many at once, and waits for its answer.
_WINDOW: Final = 500
# Longer than the grace of a heartbeat: whoever seems silent would have been told of by then.
_AFTERWARDS_S: Final = 200.0


def away(platform: Platform, seconds: float, rate: float) -> None:
    """Stop the database while a hub goes on sending and another presses; see what is stored and told in the end."""
    hub, presses = platform.add_hub("hub-1", "home-1"), platform.add_hub("hub-2", "home-2")
    ingest = platform.ingest()
    homes = [("home-1", "hub-1"), ("home-2", "hub-2")]
    with telling(platform, homes, Clock()) as told:
        _beat(hub, presses)
        time.sleep(5)
        with Memory({"ingest": ingest.pid, "alerts": told.process.pid}) as memory:
            platform.database.server.stop()
            sent = _go_on(hub, presses, seconds, rate)
            presses.send(Stream.ALARMS, range(1, 2))
            platform.database.server.start()
            _come_back(platform, hub, presses, told, sent)
        say(f"database away {seconds:.0f} s, {sent} readings sent meanwhile")
        say(str(memory))
        say(f"dropped by ingest and sent again: {ingest.metric('telecare_ingest_messages_dropped_total'):.0f} messages")
        _look_back(platform, hub, presses, told, sent)


def _beat(*hubs: RawHub) -> None:
    for hub in hubs:
        hub.beat()


def _go_on(hub: RawHub, presses: RawHub, seconds: float, rate: float) -> int:
    """Send readings at a rate, and beat; return how many readings that were."""
    began_s = beat_s = said_s = time.monotonic()
    sent = 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        due = int(passed_s * rate / _PACK) - sent
        bench._publish(hub, [bench._pack(number, _PACK) for number in range(sent + 1, sent + due + 1)])
        sent += due
        if time.monotonic() - beat_s >= _BEAT_EVERY_S:
            beat_s = time.monotonic()
            _beat(hub, presses)
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            say(f"  {passed_s:4.0f} s away, {sent * _PACK} readings sent")
        time.sleep(0.05)
    return sent * _PACK


def _come_back(platform: Platform, hub: RawHub, presses: RawHub, told: Telling, sent: int) -> None:
    back_s = time.monotonic()
    # A hub sends an alarm again every two seconds.
    while not presses.wait_through(Stream.ALARMS, 1, within_s=2):
        require(is_so=time.monotonic() - back_s < _PATIENCE_S, otherwise=f"the press stored within {_PATIENCE_S:.0f} s")
        presses.send(Stream.ALARMS, range(1, 2))
    alarm_s, readings_then = time.monotonic() - back_s, hub.through(Stream.READINGS) or 0
    text_s = alarm_s + until(
        lambda: bool(told.texts()), within_s=_PATIENCE_S, what="a text about the press", so_far=lambda: "no text yet"
    )
    say(f"the press stored {alarm_s:.1f} s after it was back, and told after {text_s:.1f} s")
    say(f"readings stored by then: {readings_then}")
    beat_s = 0.0
    while (through := hub.through(Stream.READINGS) or 0) < sent:
        require(is_so=time.monotonic() - back_s < _PATIENCE_S, otherwise=f"all stored: {through} of {sent}")
        if time.monotonic() - beat_s >= _BEAT_EVERY_S:
            beat_s = time.monotonic()
            _beat(hub, presses)
            say(f"  {beat_s - back_s:4.0f} s after it was back: {through} of {sent} readings stored")
        _go_back(hub, through, sent)
    say(f"all readings stored {time.monotonic() - back_s:.0f} s after it was back")


def _go_back(hub: RawHub, through: int, last: int) -> None:
    """Send a window again from what is stored, as a gateway does, and wait for its answer."""
    hub.ask(readings=last)
    first = through // _PACK + 1
    until_pack = min(first + _WINDOW, last // _PACK + 1)
    bench._publish(hub, [bench._pack(number, _PACK) for number in range(first, until_pack)])
    hub.wait_through(Stream.READINGS, (until_pack - 1) * _PACK, within_s=10)


def _look_back(platform: Platform, hub: RawHub, presses: RawHub, told: Telling, sent: int) -> None:
    """See that each reading is there once, and that nobody was told but of the press."""
    ended_s = time.monotonic()
    while time.monotonic() - ended_s < _AFTERWARDS_S:
        _beat(hub, presses)
        time.sleep(_BEAT_EVERY_S)
    ((stored,),) = platform.rows("SELECT count(*) FROM reading WHERE hub = 'hub-1'")
    texts = told.texts()
    say(f"readings in the table: {stored}; sent: {sent}; texts in all, {_AFTERWARDS_S:.0f} s later: {len(texts)}")
    require(is_so=stored == sent, otherwise=f"{sent} readings taken in, {stored} stored")
    # Nobody answers, so the next person is asked as well.
    others = [body for _, body in texts if "home-2" not in body]
    require(is_so=not others, otherwise=f"told of the press alone, and of this too: {others}")

"""A hub that was cut off for three days comes back: what is stored first, what is told, and what of it is said later?

The three days pass on a clock file, an hour in a second; what the hub took in meanwhile is written by the real
outbox, at those moments.  Gateway, brokers, ingest and alerts are real processes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.clock import CLOCK_FILE_VARIABLE, Anchor, Clock, stretch_at, write_anchor
from gateway.config import OutboxFile
from gateway.outbox import Outbox
from gateway.reading import Observation, Quantity, SensorId
from tests.bench.pressure.measured import Memory, require, say, until
from tests.bench.pressure.radio_home import radio_home
from tests.bench.pressure.told import OPERATOR, Telling, telling
from tests.world.ingest_platform import Platform
from tests.world.processes import Process, running

_CUT: Final = timedelta(days=3)
_SPEED: Final = 3_600.0
_SETTLED_S: Final = 10.0
_PATIENCE_S: Final = 600.0
_AFTERWARDS_S: Final = 90.0
# Hours after the line was cut.  The first two are older than a day when they arrive, and go to the operator.
_PRESSED_AFTER_H: Final = (10, 30, 50, 70)
_HOME, _HUB = "home-1", "hub-1"


def three_days(platform: Platform, folder: Path, readings_a_day: int) -> None:
    """Cut a hub off for three days, let it come back, and see what is stored, told and shown."""
    file, clock = _clock(folder)
    env = {CLOCK_FILE_VARIABLE: str(file)}
    ingest = platform.ingest(**env)
    with (
        radio_home(platform, folder, home=_HOME, hub=_HUB) as home,
        telling(platform, [(_HOME, _HUB)], clock, **env) as told,
    ):
        gateway_env = env | home.environment
        with running("gateway", gateway_env, folder=folder):
            until(lambda: _count(platform, "hub_report") == 1, within_s=60, what="the hub is heard", so_far=lambda: "")
            time.sleep(5)
        taken = _fill(home.outbox, clock.now(), readings_a_day)
        _pass(file, clock, told)
        before, back_at = len(told.texts()), clock.now()
        with (
            _running_unready(gateway_env, folder) as gateway,
            Memory({"gateway": gateway, "ingest": ingest.pid, "alerts": told.process.pid}) as memory,
        ):
            _come_back(platform, told, before, taken)
            time.sleep(_AFTERWARDS_S)
        say(str(memory))
        _look_back(platform, told, before, taken, back_at)


@contextmanager
def _running_unready(env: dict[str, str], folder: Path) -> Iterator[int]:
    """Run a gateway at once, whether or not it is ready, and return its process."""
    process = Process("gateway", env, folder=folder)
    process.start()
    try:
        yield process.pid
    finally:
        process.stop()


def _clock(folder: Path) -> tuple[Path, Clock]:
    """Return a clock that shows three days ago."""
    file, real = folder / "clock", time.time()
    write_anchor(file, Anchor(real, real - _CUT.total_seconds(), 1.0, timedelta(0)))
    return file, Clock(file)


def _fill(path: Path, cut_at: datetime, readings_a_day: int) -> tuple[int, int]:
    """Take in what a home does in three days, and return how many readings and alarms that is."""
    outbox = Outbox(OutboxFile(path=str(path)), now=cut_at)
    readings = int(readings_a_day * _CUT / timedelta(days=1))
    apart = _CUT / (readings + 1)
    batch: list[Observation] = []
    for number in range(1, readings + 1):
        batch.append(_seen("hall", Quantity.MOVEMENT, cut_at + number * apart, cut_at))
        if len(batch) == 100:
            outbox.keep(batch, boot="before")
            batch = []
    if batch:
        outbox.keep(batch, boot="before")
    for hours in _PRESSED_AFTER_H:
        at = cut_at + timedelta(hours=hours)
        outbox.keep([_seen("pendant", Quantity.PENDANT_ALARM, at, cut_at)], boot="before")
    outbox.close()
    return readings, len(_PRESSED_AFTER_H)


def _seen(sensor: str, quantity: Quantity, at: datetime, cut_at: datetime) -> Observation:
    return Observation(SensorId(sensor), quantity, 1.0, at, int((at - cut_at).total_seconds() * 1000))


def _pass(file: Path, clock: Clock, told: Telling) -> None:
    """Let three days pass, an hour in a second, and let judging come along."""
    began, real = clock.now(), time.time()
    write_anchor(file, Anchor(real, began.timestamp(), _SPEED, stretch_at(_SPEED)))
    until(
        lambda: clock.now() >= began + _CUT,
        within_s=_PATIENCE_S,
        what="three days to pass",
        so_far=lambda: f"{clock.now() - began} without a line, {len(told.texts())} texts",
    )
    write_anchor(file, Anchor(time.time(), clock.now().timestamp(), 1.0, timedelta(0)))
    time.sleep(_SETTLED_S)
    say(f"three days later {len(told.texts())} texts had left, for the silent hub")


def _come_back(platform: Platform, told: Telling, before: int, taken: tuple[int, int]) -> None:
    began_s = time.monotonic()
    wanted = "alarm", taken[1]
    alarm_s = until(
        lambda: _count(platform, wanted[0]) >= wanted[1],
        within_s=_PATIENCE_S,
        what="the alarms",
        so_far=lambda: f"{_count(platform, 'alarm')} of {taken[1]} alarms, {_count(platform, _READINGS)} readings",
    )
    then = _count(platform, _READINGS)
    say(
        f"{taken[1]} alarms stored and judged {alarm_s:.1f} s after the hub came back, when {then} readings were stored"
    )
    until(
        lambda: len(told.texts()) > before, within_s=_PATIENCE_S, what="a text about them", so_far=lambda: "no text yet"
    )
    say(f"the first text left {time.monotonic() - began_s:.1f} s after it")
    until(
        lambda: _count(platform, _READINGS) >= taken[0],
        within_s=_PATIENCE_S,
        what="the readings",
        so_far=lambda: f"{_count(platform, _READINGS)} of {taken[0]} readings",
    )
    say(f"all {taken[0]} readings stored {time.monotonic() - began_s:.0f} s after it")


_READINGS: Final = "reading WHERE quantity = 'movement'"
_ALARMS: Final = "reading WHERE quantity = 'pendant_alarm'"


def _look_back(platform: Platform, told: Telling, before: int, taken: tuple[int, int], back_at: datetime) -> None:
    stored = _count(platform, _READINGS), _count(platform, "alarm")
    say(f"in the tables: {stored[0]} of {taken[0]} readings, {stored[1]} of {taken[1]} alarms")
    require(is_so=stored == taken, otherwise=f"{taken} taken in, {stored} stored")
    for since, end, count in platform.rows("SELECT since, until, readings FROM watch_seen_later ORDER BY since"):
        say(f"blind from {since} until {end}, and seen later: {count} readings")
    ((explained,),) = platform.rows("SELECT coalesce(sum(readings), 0) FROM watch_seen_later")
    require(
        is_so=int(str(explained)) == taken[0], otherwise=f"{explained} of {taken[0]} readings are said to be seen later"
    )
    texts = told.texts()[before:]
    for phone, body in texts:
        say(f"  to {'the operator' if phone == OPERATOR else 'the carer'}: {body}")
    raised = platform.rows(
        "SELECT question, at FROM alert WHERE question <> 'alarm' AND raised_at > %s AND at < %s",
        back_at,
        back_at - timedelta(hours=1),
    )
    require(is_so=not raised, otherwise=f"alerts about the past were raised when it came back: {raised}")


def _count(platform: Platform, query: str) -> int:
    ((count,),) = platform.rows(f"SELECT count(*) FROM {query}")
    assert isinstance(count, int)
    return count

"""Start alerts: `python -m alerts`, set up by the environment (see `config`).

The only place that reads the environment, opens the database and the health address, and wires.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import uvloop

from alerts import store
from alerts.ask import Ask
from alerts.config import BadConfig, Config
from alerts.lanes import JudgingLanes
from alerts.listening import listen
from alerts.store import owing
from alerts.tell import NO_TWILIO, NoTwilio, Tell
from alerts.telling.sms import Sms
from alerts.watch import Watch
from gateway import logs
from gateway.clock import Clock
from gateway.health import HealthServer
from ingest import processes, stored_log
from ingest.db import pool as pools
from ingest.db.pool import Pool, Unfit
from ingest.lanes import new_owner

log = logging.getLogger("alerts")

_BAD_CONFIG: Final = 78  # EX_CONFIG of sysexits.h
_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE

# Two listen, one judges, one asks on, and the rest write down what became of texts.
_CONNECTIONS: Final = 10


def main(env: Mapping[str, str]) -> int:
    """Judge and tell until told to stop, and return the process's exit code."""
    logs.configure("alerts")
    try:
        config = Config.from_env(env)
        clock = Clock.from_env(env)
        clock.now()
    except BadConfig as why:
        log.error(str(why))  # noqa: TRY400 - one sentence, never a traceback
        return _BAD_CONFIG
    except (OSError, ValueError) as why:
        log.error("the clock file cannot be read", extra={"why": str(why)})  # noqa: TRY400 - one sentence
        return _BAD_CONFIG
    return uvloop.run(_run(config, clock))


async def _run(config: Config, clock: Clock) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    standing = Standing(clock)
    checks = {
        "database": standing.why_not_database,
        "judging": standing.why_not_judging,
        "telling": standing.why_not_telling,
    }
    try:
        health = HealthServer("alerts", config.health, checks, facts=standing.facts, clock=clock)
    except OSError as why:
        log.error("the health address cannot be used", extra={"why": str(why)})  # noqa: TRY400 - one sentence
        return _UNAVAILABLE
    log.info("alerts runs", extra={"health": f"{health.address.host}:{health.address.port}"})
    try:
        pool = await pools.reach(config.database_url, stop, name="alerts", size_max=_CONNECTIONS)
        if pool is not None:
            await _work(config, clock, pool, standing, stop)
    except Unfit as why:
        log.error("cannot start", extra={"why": str(why)})  # noqa: TRY400 - one sentence, never a traceback
        return _UNAVAILABLE
    finally:
        health.close()
    log.info("alerts stopped")
    return 0


async def _work(config: Config, clock: Clock, pool: Pool, standing: "Standing", stop: asyncio.Event) -> None:
    owner = new_owner()
    if config.twilio is None:
        log.error("nobody can be texted", extra={"why": NO_TWILIO})
    tell = Tell(pool, clock, NoTwilio() if config.twilio is None else Sms(config.twilio), owner=owner)
    ask = Ask(pool, clock)
    watch = Watch(pool, clock, JudgingLanes(owner, wanted=config.lanes), wake=tell.stir, sweep_s=config.sweep_s)
    standing.works = Works(watch, tell, ask)
    log.info("database reached", extra={"owner": owner})
    try:
        async with processes.alive(pool, "alerts", owner, clock, standing.facts):
            await _until_stopped(pool, standing.works, stop)
    finally:
        await pool.close()


async def _until_stopped(pool: Pool, works: "Works", stop: asyncio.Event) -> None:
    """Run the loops until told to stop; if one of them ends by itself, so does the process."""

    async def until_stop(running: asyncio.Future[None]) -> None:
        try:
            await running
        finally:
            stop.set()

    watch, tell, ask = works
    loops = [
        asyncio.ensure_future(watch.run(stop)),
        asyncio.ensure_future(tell.run(stop)),
        asyncio.ensure_future(ask.run(stop)),
        asyncio.ensure_future(listen(pool, stored_log.CHANNEL, lambda said: watch.stir(int(said)), stop)),
        asyncio.ensure_future(listen(pool, owing.WAKE, lambda _: tell.stir(), stop)),
    ]
    async with asyncio.TaskGroup() as group:
        for running in loops:
            group.create_task(until_stop(running))


class Works(NamedTuple):
    """What judges, what tells, and what asks how confident people feel."""

    watch: Watch
    tell: Tell
    ask: Ask


class Standing:
    """How this process is, for whoever asks its health address; from the moment that it starts.

    Attributes:
        works: None until the database was reached.
    """

    def __init__(self, clock: Clock) -> None:
        self.works: Works | None = None
        self._clock = clock

    def why_not_database(self) -> str | None:
        return "the database was not reached yet" if self.works is None else None

    def why_not_judging(self) -> str | None:
        return None if self.works is None else why_behind(self.works.watch, self._clock)

    def why_not_telling(self) -> str | None:
        return None if self.works is None else self.works.tell.trouble

    def facts(self) -> Mapping[str, object]:
        return {} if self.works is None else _facts(*self.works)


def _facts(watch: Watch, tell: Tell, ask: Ask) -> Mapping[str, object]:
    """Return how far judging and telling have come, for `/ready` and for the heartbeat."""
    status = watch.status
    return {
        "lanes": status.lanes,
        "lanes_max": watch.lanes_max,
        "lag_s": None if status.lag is None else status.lag.total_seconds(),
        "texts": tell.texting.why_not or "Twilio",
        # Not a reason to restart what tells of alarms.
        "asking": ask.trouble,
        "judged_through": _said(status.judged_through),
        "judging_looked_at": _said(status.looked_at),
        "telling_looked_at": _said(tell.looked_at),
        "oldest_untold_at": _said(tell.oldest_untold_at),
    }


def _said(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def why_behind(watch: Watch, clock: Clock) -> str | None:
    """Return why judging is not where it should be, or None while it is."""
    status = watch.status
    if status.trouble is not None:
        return status.trouble
    if status.lanes == 0:
        return None  # Another worker judges, and this one stands by.
    if status.lag is None:
        return "ingest has not completed every lane yet"
    allowed: timedelta = store.GRACE + clock.stretch()
    return f"judging is {status.lag.total_seconds():.0f} s behind" if status.lag > allowed else None


if __name__ == "__main__":
    sys.exit(main(os.environ))

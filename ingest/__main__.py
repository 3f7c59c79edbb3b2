"""How is ingest started and stopped?  The only place that reads the environment, opens addresses and wires."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from typing import Final

import uvloop

from gateway.clock import Clock
from gateway.health import HealthServer
from gateway.logs import configure
from ingest.config import Config, Misconfigured
from ingest.db.pool import Unfit
from ingest.worker import Worker, end

log = logging.getLogger("ingest")

_END_S_MAX: Final = 5.0


def main(environ: Mapping[str, str]) -> int:
    """Run until told to stop, and return the exit code: 0 in order, 1 where something must be changed first."""
    configure("ingest")
    try:
        config = Config.from_env(environ)
        clock = Clock.from_env(environ)
        clock.now()
    except (Misconfigured, OSError, ValueError) as why:
        log.error("cannot start", extra={"why": str(why)})  # noqa: TRY400 - the sentence says it all
        return 1
    return uvloop.run(_run(config, clock))


async def _run(config: Config, clock: Clock) -> int:
    stop = asyncio.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    worker = Worker(config, clock)
    checks = {
        "database": worker.why_not_database,
        "broker": worker.why_not_broker,
        "lanes": worker.why_not_lanes,
    }
    try:
        health = HealthServer("ingest", config.health, checks, facts=worker.progress, clock=clock)
    except OSError as why:
        log.error("cannot start", extra={"why": f"the health address: {why.strerror}"})  # noqa: TRY400
        return 1
    log.info("started", extra={"health": f"{health.address.host}:{health.address.port}"})
    try:
        await worker.run(stop)
    except Unfit as why:
        log.error("cannot start", extra={"why": str(why)})  # noqa: TRY400
        return 1
    finally:
        health.close()
        await end(asyncio.all_tasks() - {asyncio.current_task()}, within_s=_END_S_MAX)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

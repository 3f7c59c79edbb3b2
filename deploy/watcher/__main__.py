"""Start the watcher: `python -m deploy.watcher`, set up by the environment (see `config`).

The only place that reads the environment, opens the health address, and wires.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from typing import Final

from alerts.telling.sms import Sms
from deploy.watcher.config import Config, NotConfigured
from deploy.watcher.run import Watcher
from gateway import logs
from gateway.clock import Clock
from gateway.health import HealthServer

log = logging.getLogger("watcher")

_BAD_CONFIG: Final = 78  # EX_CONFIG of sysexits.h
_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE


def main(env: Mapping[str, str]) -> int:
    """Watch until told to stop, and return the process's exit code."""
    logs.configure("watcher")
    try:
        config = Config.from_env(env)
        clock = Clock.from_env(env)
        clock.now()
    except NotConfigured as why:
        log.error(str(why))  # noqa: TRY400 - one sentence, never a traceback
        return _BAD_CONFIG
    except (OSError, ValueError) as why:
        log.error("the clock file cannot be read", extra={"why": str(why)})  # noqa: TRY400 - one sentence
        return _BAD_CONFIG
    return asyncio.run(_run(config, clock))


async def _run(config: Config, clock: Clock) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watcher = Watcher(config, clock, None if config.twilio is None or not config.phones else Sms(config.twilio))
    checks = {
        "looking": watcher.why_not_looking,
        "texts": lambda: watcher.cannot_tell,
    }
    try:
        health = HealthServer("watcher", config.health, checks, facts=watcher.facts, clock=clock)
    except OSError as why:
        log.error("the health address cannot be used", extra={"why": str(why)})  # noqa: TRY400 - one sentence
        return _UNAVAILABLE
    log.info("watcher runs", extra={"parts": len(config.parts), "phones": len(config.phones)})
    try:
        await watcher.run(stop)
    finally:
        health.close()
    log.info("watcher stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

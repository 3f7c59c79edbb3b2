"""How is the process started and stopped that makes backups?  The only place that reads its environment."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping

from deploy.backup.config import Config, health_of
from deploy.backup.keeper import Keeper
from deploy.embedded import machine
from deploy.embedded.machine import Missing
from gateway.clock import Clock
from gateway.health import HealthServer
from gateway.logs import configure

log = logging.getLogger("backup")


def main(environ: Mapping[str, str]) -> int:
    """Run until told to stop, and return the exit code: 0 in order, 1 where something must be changed first."""
    configure("backup")
    stop = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: stop.set())
    data = machine.default_data(environ)
    try:
        # Backups and their age are on real time, whatever clock the homes have.
        keeper = Keeper(Config.from_env(environ, data), data, environ, Clock())
        health = HealthServer("backup", health_of(environ), keeper.checks())
    except (Missing, OSError) as why:
        log.error("cannot start", extra={"why": str(why)})  # noqa: TRY400 - the sentence says it all
        return 1
    log.info("started", extra={"health": f"{health.address.host}:{health.address.port}"})
    # One that is being made when we are asked to stop is given up; its half is removed by the next one.
    working = [threading.Thread(target=act, args=(stop,), daemon=True) for act in (keeper.run, keeper.note)]
    for one in working:
        one.start()
    stop.wait()
    for one in working:
        one.join(timeout=2)
    health.close()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

"""Start a gateway: `python -m gateway`, set up by the environment (see `config`).

The only place that reads the environment, opens the health address and wires.
"""

import dataclasses
import logging
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from types import FrameType
from typing import Final

from gateway import logs
from gateway.clock import Clock, kernel_boot_id
from gateway.config import BadConfig, Config
from gateway.health import HealthServer
from gateway.hub import Hub
from gateway.outbox import DISK_UNWRITABLE, OutboxInUse
from gateway.player import Unplayable

log = logging.getLogger("gateway")

_BAD_CONFIG: Final = 78  # EX_CONFIG of sysexits.h
_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE


def main(env: Mapping[str, str]) -> int:
    """Run a gateway until it is told to stop, and return the process's exit code."""
    logs.configure("gateway")
    try:
        config = Config.from_env(env)
        clock = Clock.from_env(env)
        hub = Hub(config, clock, boot=_boot(clock))
    except (BadConfig, Unplayable) as why:
        log.error(str(why))  # noqa: TRY400 -- one sentence, never a traceback
        return _BAD_CONFIG
    except (OutboxInUse, OSError, ValueError) as why:
        log.error("cannot start", extra={"why": str(why)})  # noqa: TRY400 -- one sentence, never a traceback
        return _UNAVAILABLE
    return _run(config, hub)


def _run(config: Config, hub: Hub) -> int:
    def stop(_: int, __: FrameType | None) -> None:
        hub.stop()

    try:
        health = HealthServer(
            "gateway",
            config.health,
            {
                "platform": lambda: None if hub.status.platform_up else "the platform's broker is not reached",
                "radio": lambda: None if hub.status.radio_up else "the home's own broker or Zigbee2MQTT is away",
                "outbox": lambda: DISK_UNWRITABLE if DISK_UNWRITABLE in hub.status.troubles else None,
            },
            facts=lambda: dataclasses.asdict(hub.status),
            texts={"/equipment": hub.equipment},
        )
    except OSError as why:
        log.error("the health address cannot be used", extra={"why": str(why)})  # noqa: TRY400 -- one sentence
        return _UNAVAILABLE
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("gateway runs", extra={"hub": config.hub, "health": f"{health.address.host}:{health.address.port}"})
    try:
        hub.run()
    finally:
        health.close()
    log.info("gateway stopped", extra={"hub": config.hub})
    return 0


def _boot(clock: Clock) -> str:
    """Return the id of this boot: the kernel's, so that a restarted program is still in the same one.

    On a clock file the uptime is the file's, which has nothing to do with the kernel's: each start is a boot.
    """
    return (not clock.is_simulated() and kernel_boot_id()) or uuid.uuid4().hex


if __name__ == "__main__":
    sys.exit(main(os.environ))

"""Serve the pages.  The only place of this process that reads the environment, listens and wires."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Final

import psycopg
import uvicorn

from api import asking_by_mail, publishing
from api.app import build
from api.config import Config, NotConfigured
from api.signing_in import forgetting
from api.signing_in.mail import Mail
from api.tls import follow
from gateway import logs
from gateway.clock import Clock
from gateway.health import HealthServer
from ingest import processes
from ingest.db import pool
from ingest.lanes import new_owner

log = logging.getLogger("api")

# How often the database is asked whether it answers, in real seconds.
_LOOK_S: Final = 5.0
_POOL_MAX: Final = 8
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
# Requests that are still running when we are told to stop get this long.
_STOP_WITHIN_S: Final = 5


class Database:
    """Whether the database answered when it was asked last; read from the health server's thread."""

    def __init__(self) -> None:
        self._answers = threading.Event()

    async def watch(self, opened: pool.Pool) -> None:
        """Ask again and again, until cancelled."""
        while True:
            try:
                async with opened.connection() as conn:
                    await conn.execute("SELECT 1")
                self._answers.set()
            except psycopg.Error:
                self._answers.clear()
            await asyncio.sleep(_LOOK_S)

    def why_not(self) -> str | None:
        return None if self._answers.is_set() else "The database does not answer."


async def serve(config: Config, clock: Clock) -> None:
    """Serve until told to stop.

    While the database is away at the start, only the health address answers, and says so.

    Raises:
        pool.Unfit: the database may not be used as it is.
        OSError: an address is taken.
    """
    database = Database()
    health = HealthServer("api", config.health, {"database": database.why_not}, clock=clock)
    try:
        opened = await _reach(config)
        if opened is not None:
            await _serve(config, clock, opened, database)
    finally:
        health.close()


async def _reach(config: Config) -> pool.Pool | None:
    """Return the database's pool once there is one, or None if we were told to stop before."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    try:
        return await pool.reach(config.database_url, stop, name="api", size_max=_POOL_MAX)
    finally:
        # From here on they are uvicorn's.
        for number in _STOPS:
            loop.remove_signal_handler(number)


async def _serve(config: Config, clock: Clock, opened: pool.Pool, database: Database) -> None:
    watching = asyncio.create_task(database.watch(opened), name="database")
    forgetting_ = asyncio.create_task(forgetting.forget_for_ever(opened, Clock()), name="forgetting")
    publishing_ = asyncio.create_task(publishing.publish_for_ever(opened, clock), name="ledger")
    if config.texts is None:
        log.error("nobody can be texted: Twilio is not configured")
    if config.mails is None:
        log.info("nobody is sent a log-in link or a question by e-mail: TELECARE_SMTP_HOST is not set")
    mailing = asyncio.create_task(_mail_questions(config, opened, clock), name="mailing")
    serving = uvicorn.Config(
        build(config, opened, clock),
        host=config.listen.host,
        port=config.listen.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Uvicorn would believe any process of this machine; the app does it, for those that were named.
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=200,
        h11_max_incomplete_event_size=65_536,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        ssl_certfile=None if config.certificate is None else config.certificate.certificate,
        ssl_keyfile=None if config.certificate is None else config.certificate.key,
    )
    serving.load()
    server = uvicorn.Server(serving)
    # Uvicorn raises the signal that ended it once more when it is done.  Whoever handled it before would then end us
    # at once, and what follows below would never be done.
    for number in _STOPS:
        signal.signal(number, server.handle_exit)
    renewing = (
        asyncio.create_task(follow(config.certificate, serving.ssl), name="certificate")
        if config.certificate is not None and serving.ssl is not None
        else None
    )
    try:
        log.info("pages served", extra={"port": config.listen.port})
        async with processes.alive(opened, "api", new_owner(), clock, dict):
            await server.serve()
    finally:
        if renewing is not None:
            renewing.cancel()
        mailing.cancel()
        watching.cancel()
        publishing_.cancel()
        forgetting_.cancel()
        await opened.close()


async def _mail_questions(config: Config, opened: pool.Pool, clock: Clock) -> None:
    """Ask by e-mail until cancelled, where there is a mail server."""
    if config.mails is not None:
        # With a door of its own: people who wait for a link do not wait behind questions.
        await asking_by_mail.ask_for_ever(opened, Mail(config.mails), config.public_url, clock, Clock())


def main(environ: Mapping[str, str]) -> int:
    """Run until SIGTERM or SIGINT; return the exit status."""
    logs.configure("api")
    try:
        config = Config.from_env(environ)
    except NotConfigured as why:
        log.error("not started: %s", why)  # noqa: TRY400 - the sentence is all there is to say
        return 2
    try:
        asyncio.run(serve(config, Clock.from_env(environ)))
    except pool.Unfit as why:
        log.error("not started: %s", why)  # noqa: TRY400 - as above
        return 2
    except OSError as why:
        log.error("stopped: %s", why.strerror)  # noqa: TRY400 - as above
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

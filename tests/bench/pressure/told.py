"""Who would be texted?  A real alerts process beside a bench, with a carer for each home and a pretend Twilio."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from alerts import store
from deploy.pretend_twilio import Account, PretendTwilio
from gateway.clock import Clock
from tests.world.ingest_platform import Platform
from tests.world.processes import Process, running

OPERATOR = "+447700900999"


@dataclass(frozen=True, slots=True)
class Telling:
    """Judging and telling as a process, and the texts that left."""

    process: Process
    twilio: PretendTwilio

    def texts(self) -> list[tuple[str, str]]:
        """Return every text that left: to which phone, and what it says."""
        return [(text.to, text.body) for text in self.twilio.ledger.all()]


@contextmanager
def telling(platform: Platform, homes: Sequence[tuple[str, str]], clock: Clock, **more: str) -> Iterator[Telling]:
    """Run alerts with these homes watched from now on.

    Args:
        platform: whose database.
        homes: each with its hub; the carer of each has a phone of its own.
        clock: of the platform.
        more: of its environment.
    """
    account = Account()
    with PretendTwilio(now=clock.now, account=account) as twilio:
        asyncio.run(_furnish(platform.database.dsn, homes, now=clock.now()))
        env = {
            "TELECARE_DATABASE_URL": platform.database.dsn,
            "TELECARE_TWILIO_ACCOUNT_SID": account.sid,
            "TELECARE_TWILIO_AUTH_TOKEN": account.token,
            "TELECARE_TWILIO_FROM": account.sender,
            "TELECARE_TWILIO_BASE_URL": twilio.base_url,
            "TELECARE_PUBLIC_URL": "http://127.0.0.1:9",
        }
        with running("alerts", env | more, folder=platform.folder) as process:
            yield Telling(process, twilio)


async def _furnish(dsn: str, homes: Sequence[tuple[str, str]], *, now: datetime) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn, conn.transaction():
        await store.set_person(conn, "operator", "The Operator", what=None, phone=OPERATOR)
        await store.set_service(conn, "telecare", "operator")
        for number, (home, hub) in enumerate(homes):
            await store.set_person(conn, f"p{number}", f"Carer {number}", what=None, phone=f"+4477009{number:05d}")
            await store.set_telling(conn, home, [f"p{number}"])
            await store.set_watched(conn, home, hub, now=now)

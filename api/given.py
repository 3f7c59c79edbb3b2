"""What does every route get: the database, the clocks, the door to Twilio?"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from psycopg import AsyncConnection

from alerts.telling.sms import Sms
from api.config import Config
from api.look_backs import LookBacks
from api.signing_in.mail import Mail
from api.signing_in.passwords import Passwords
from api.signing_in.provider import Provider
from api.signing_in.sealing import Seals
from gateway.clock import Clock
from ingest.db.pool import Pool


@dataclass(frozen=True, slots=True)
class Given:
    """What the app was built from.

    Attributes:
        clock: what homes are judged on, which may be sped up.
        real: the system's, for sessions and links: a link is not older because a demo runs fast.
        look_backs: those that are being done.
        sms: to check Twilio's signatures; None where nobody can be texted.
        passwords: compares and hashes them, a few at a time.
        seals: the keys of second factors; None where nobody can have a password.
        provider: the door to the employer's identity provider; None where there is none.
        mail: the door to the mail server; None where nobody can be mailed.
    """

    config: Config
    pool: Pool
    clock: Clock
    real: Clock
    sms: Sms | None
    look_backs: LookBacks
    mail: Mail | None
    passwords: Passwords
    seals: Seals | None
    provider: Provider | None


def given(request: Request) -> Given:
    """Return what the app was built from."""
    return cast(Given, request.app.state.given)


GivenToAll = Annotated[Given, Depends(given)]


async def connection(world: GivenToAll) -> AsyncIterator[AsyncConnection[Any]]:
    """Yield this request's connection; it commits by itself.

    Raises:
        psycopg.OperationalError: the database is away; the page says so.
    """
    async with world.pool.connection() as conn:
        yield conn


def now(world: GivenToAll) -> datetime:
    """Return the time on the clock that homes are judged on, once for the whole request."""
    return world.clock.now()


def real_now(world: GivenToAll) -> datetime:
    """Return the system's time, once for the whole request."""
    return world.real.now()


Connection = Annotated[AsyncConnection[Any], Depends(connection)]
Now = Annotated[datetime, Depends(now)]
RealNow = Annotated[datetime, Depends(real_now)]

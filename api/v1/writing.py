"""How does what a program wrote reach the office, and how may it be sent again?

The functions of `api.office` are those behind the operator's pages: they take fields as a form has them, and say
everything that is wrong at once.  What a PUT writes may be repeated as it is.  A POST makes something new each time,
so it takes an `Idempotency-Key`: the same key with the same request is done once and answered alike for a day.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from psycopg import AsyncConnection
from pydantic import BaseModel

from api.given import RealNow
from api.v1.caller import AnyCaller
from api.v1.problems import Unreadable
from api.v1.tokens import Caller

_KEPT: Final = timedelta(days=1)
"""How long a key counts; a program that hears nothing for a day has a person look.  Ours."""

_Key = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=100,
        pattern=r"^[\x21-\x7e]+$",
        description="Any name of your own for this request: sent again within a day, it is done once.",
        examples=["6f1c2a"],
    ),
]


def fields_of(wrote: BaseModel, **more: str) -> dict[str, str]:
    """Return what a program wrote as a form has it; what is null or left out is an empty field."""
    return {name: _as_written(value) for name, value in wrote.model_dump(exclude_none=True).items()} | more


def _as_written(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ",".join(map(str, value))
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that makes something new, and by what it is known if it comes again.

    Attributes:
        key: the program's own; None: it is done each time.
        asked: what tells this request from others: of its method, address and body.
        real_now: by the system's clock.
    """

    caller: Caller
    key: str | None
    asked: bytes
    real_now: datetime


async def _sent(request: Request, caller: AnyCaller, real_now: RealNow, idempotency_key: _Key = None) -> Sent:
    said = (request.method.encode(), str(request.url).encode(), await request.body())
    return Sent(caller, idempotency_key, hashlib.sha256(b"\n".join(said)).digest(), real_now)


SentOnce = Annotated[Sent, Depends(_sent)]


async def once(conn: AsyncConnection[Any], sent: Sent, act: Callable[[], Awaitable[int]]) -> tuple[int, bool]:
    """Do something that makes a number, once for each key, and return the number and whether it was made now.

    If `act` raises, nothing was done, and the key may be used again.

    Raises:
        Unreadable: the key came with another request before.
    """
    if sent.key is None:
        return await act(), True
    async with conn.transaction():
        await conn.execute("DELETE FROM api_sent WHERE sent_at <= %s", (sent.real_now - _KEPT,))
        made = await conn.execute(
            "INSERT INTO api_sent (token, key, asked_sha256, sent_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (sent.caller.name, sent.key, sent.asked, sent.real_now),
        )
        if not made.rowcount:
            return await _made_before(conn, sent), False
        number = await act()
        await conn.execute(
            "UPDATE api_sent SET number = %s WHERE token = %s AND key = %s", (number, sent.caller.name, sent.key)
        )
    return number, True


async def _made_before(conn: AsyncConnection[Any], sent: Sent) -> int:
    rows = await conn.execute(
        "SELECT asked_sha256, number FROM api_sent WHERE token = %s AND key = %s", (sent.caller.name, sent.key)
    )
    row = await rows.fetchone()
    if row is None or bytes(row[0]) != sent.asked:
        raise Unreadable("header.idempotency-key", "It came with another request before.")
    return int(row[1])

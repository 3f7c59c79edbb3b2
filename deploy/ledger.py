"""How is the ledger published by hand: a quarter that closed while nothing ran, or a correction?"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection

from api import publishing
from api.ledger import Quarter
from deploy.admin import BY_HAND, Cannot, clock_of
from deploy.platform import running_database


def publish(quarter: str | None, correct: str, data: Path, environment: Mapping[str, str]) -> None:
    """Publish one closed quarter, or all of them, and print what was done.

    Raises:
        Cannot: there is no such quarter, or it may not be published as asked.
    """
    which = None if quarter is None else Quarter.read(quarter)
    if quarter is not None and which is None:
        raise Cannot(f"{quarter!r} is no quarter; write it as 2026-Q2.")
    if correct and which is None:
        raise Cannot("A correction is of one quarter: add --quarter.")
    dsn = running_database(environment, data)
    print("\n".join(asyncio.run(_publish(dsn, which, correct, clock_of(data, environment).now()))))


async def _publish(dsn: str, quarter: Quarter | None, correct: str, now: datetime) -> list[str]:
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        if quarter is None:
            done = await publishing.publish_closed(conn, now=now)
            return [f"{one}: published" for one in done] or ["nothing to do: every closed quarter is published"]
        try:
            edition = await publishing.publish(conn, quarter, by=BY_HAND, why=correct, now=now)
        except publishing.Unpublishable as why:
            raise Cannot(f"{why}") from None
        return [
            f"{quarter}: published before, and left as it is" if edition is None else f"{quarter}: edition {edition}"
        ]

"""How long must somebody wait who has typed what was wrong?

Counted on each account, known or not, and from each place; each further mistake doubles the wait.  Nobody is locked
out by a stranger: a link still lets in at once.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.signing_in.secrets import hashed

Connection = AsyncConnection[Any]

# Mistakes that cost nothing: a person who tries their passwords; an office behind one router.  Ours.
ACCOUNT_FREE: Final = 5
PLACE_FREE: Final = 20
_FIRST: Final = timedelta(seconds=2)
# At this a hundred guesses take a day (NIST SP 800-63B-4, 3.2.2: at most 100 in a row).
LONGEST: Final = timedelta(minutes=15)
_COUNTED_FOR: Final = timedelta(days=1)

# A number of our own among the database's advisory locks: "pass" in ASCII.
_LOCK: Final = 0x70617373


class MustWait(Exception):
    """There were too many mistakes; whoever tries must come back `until` then, or be sent a link."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("too many mistakes")


def wait_after(mistakes: int, free: int) -> timedelta:
    """Return how long after the last of so many mistakes the next try is looked at; a quarter of an hour at most."""
    further = mistakes - free
    return timedelta(0) if further < 0 else min(_FIRST * 2 ** min(further, 20), LONGEST)


async def try_once(conn: Connection, account: str, place: str, *, real_now: datetime) -> None:
    """Count a try as a mistake until it is known to be none.

    Written before anything is compared: many at once would each be looked at before the others were counted.

    Raises:
        MustWait: it is too early; nothing was counted, so that trying in vain makes no wait longer.
    """
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        found = await conn.execute(
            """
            SELECT count(*) FILTER (WHERE account_sha256 = %(account)s),
                   max(tried_at) FILTER (WHERE account_sha256 = %(account)s),
                   count(*) FILTER (WHERE address_sha256 = %(place)s),
                   max(tried_at) FILTER (WHERE address_sha256 = %(place)s)
            FROM login_attempt
            WHERE (account_sha256 = %(account)s OR address_sha256 = %(place)s) AND tried_at > %(since)s
            """,
            {"account": hashed(account), "place": hashed(place), "since": real_now - _COUNTED_FOR},
        )
        on_account, last_on_account, from_place, last_from_place = await found.fetchone() or (0, None, 0, None)
        until = max(
            (last_on_account or real_now) + wait_after(on_account, ACCOUNT_FREE),
            (last_from_place or real_now) + wait_after(from_place, PLACE_FREE),
        )
        if until > real_now:
            raise MustWait(until)
        await conn.execute(
            "INSERT INTO login_attempt (account_sha256, address_sha256, tried_at) VALUES (%s, %s, %s)",
            (hashed(account), hashed(place), real_now),
        )


async def was_right(conn: Connection, account: str) -> None:
    """Forget the mistakes on an account whose owner has shown to be there; a place's on other accounts stay."""
    await conn.execute("DELETE FROM login_attempt WHERE account_sha256 = %s", (hashed(account),))

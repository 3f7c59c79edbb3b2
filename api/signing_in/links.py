"""Who may be sent a one-time link, and whom does one let in?

Texted to a phone or mailed to a mailbox: whoever holds either is let in, once, for a quarter of an hour.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.signing_in.reach import Reach
from api.signing_in.secrets import hashed, new_token

Connection = AsyncConnection[Any]

# Long enough to find the phone again, short enough for a text read over a shoulder.  Ours, as most services have it.
VALID_FOR: Final = timedelta(minutes=15)

# Links sent to one phone or mailbox: a few in a row for one that did not arrive; and in a day, what a person may need.
# Requests from one address: a whole family or an office behind one router.  Ours.
_ONE_SOON: Final = (timedelta(minutes=15), 3)
_ONE_DAY: Final = (timedelta(days=1), 10)
_ADDRESS_HOUR: Final = (timedelta(hours=1), 30)

# A number of our own among the database's advisory locks: "logi" in ASCII.
_LOCK: Final = 0x6C6F6769


async def may_send(conn: Connection, where: Reach, address: str, *, real_now: datetime) -> bool:
    """Write down that a link was asked for, and return whether one may be sent.

    Known and unknown phones and mailboxes are counted alike, so that nothing differs between them.

    Args:
        conn: the connection, which commits by itself.
        where: to be sent to.
        address: of whoever asked, as the network says.
        real_now: by the system's clock.
    """
    async with conn.transaction():
        # One at a time: many at once would each count before the others were written.
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await conn.execute("DELETE FROM login_request WHERE asked_at < %s", (real_now - _ONE_DAY[0],))
        found = await conn.execute(
            """
            SELECT count(*) FILTER (WHERE phone_sha256 = %(to)s AND asked_at > %(soon)s),
                   count(*) FILTER (WHERE phone_sha256 = %(to)s),
                   count(*) FILTER (WHERE address_sha256 = %(address)s AND asked_at > %(hour)s)
            FROM login_request
            WHERE phone_sha256 = %(to)s OR address_sha256 = %(address)s
            """,
            {
                "to": hashed(where.to),
                "address": hashed(address),
                "soon": real_now - _ONE_SOON[0],
                "hour": real_now - _ADDRESS_HOUR[0],
            },
        )
        soon, day, hour = await found.fetchone() or (0, 0, 0)
        if soon >= _ONE_SOON[1] or day >= _ONE_DAY[1] or hour >= _ADDRESS_HOUR[1]:
            return False
        await conn.execute(
            "INSERT INTO login_request (phone_sha256, address_sha256, asked_at) VALUES (%s, %s, %s)",
            (hashed(where.to), hashed(address), real_now),
        )
    return True


async def person_at(conn: Connection, where: Reach) -> str | None:
    """Return who has a phone or a mailbox, or None; whoever left has neither."""
    found = await conn.execute(
        """
        SELECT person FROM person
        WHERE left_at IS NULL AND CASE WHEN %(is_phone)s THEN phone = %(to)s ELSE lower(email) = %(to)s END
        """,
        {"to": where.to, "is_phone": where.by == "text"},
    )
    row = await found.fetchone()
    return row[0] if row else None


async def make(conn: Connection, person: str, public_url: str, *, real_now: datetime) -> str:
    """Return a new address with which one person can sign in once.

    Args:
        conn: the connection.
        person: who; known.
        public_url: how people reach us, without a slash at its end.
        real_now: by the system's clock; the link is valid for VALID_FOR from here.
    """
    token = new_token()
    await conn.execute(
        "INSERT INTO login_link (token_sha256, person, made_at, valid_until) VALUES (%s, %s, %s, %s)",
        (hashed(token), person, real_now, real_now + VALID_FOR),
    )
    return f"{public_url}/log-in/{token}"


async def use(conn: Connection, token: str, *, real_now: datetime) -> str | None:
    """Use up a link and return whom it lets in, or None if it is used, too old or none of ours."""
    found = await conn.execute(
        """
        UPDATE login_link SET used_at = %(now)s
        WHERE token_sha256 = %(token)s AND used_at IS NULL AND valid_until > %(now)s
        RETURNING person
        """,
        {"now": real_now, "token": hashed(token)},
    )
    row = await found.fetchone()
    return row[0] if row else None

"""Which of our people does the identity provider mean?  The SQL of log-ins that were sent on to it, and who came back.

Somebody is bound once: by an e-mail address that the provider says is theirs and that an operator wrote down here, or
by going there while signed in here.  From then on it is the provider's own subject that counts, so that an address
that is given to a successor opens nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.signing_in.provider import Identity, Trip
from api.signing_in.secrets import hashed
from api.signing_in.staff import IS_STAFF

Connection = AsyncConnection[Any]

# To type a password and find a phone, at the provider.  Ours.
TRIP_VALID_FOR: Final = timedelta(minutes=10)
# Log-ins that begin from one place: an office in the morning.  Ours.
_PLACE_HOUR: Final = (timedelta(hours=1), 300)
# From signing in until an account can be said to be one's own: whoever finds a screen that was left on does not make it
# theirs for good.  Ours.
FRESH_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Back:
    """A browser that came back from where we sent it.

    Attributes:
        session_sha256: of the session whose person is to be bound; None: somebody wants to be signed in.
    """

    session_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Own:
    """How the provider knows somebody who is signed in.

    Attributes:
        bound_at: since when; None: it does not.
        is_fresh: whether they signed in lately enough to say which account is theirs.
    """

    bound_at: datetime | None
    is_fresh: bool

    @property
    def may_bind(self) -> bool:
        """Whether an account can be said to be theirs now."""
        return self.bound_at is None and self.is_fresh


async def set_out(
    conn: Connection, trip: Trip, place: str, *, session_sha256: bytes | None = None, real_now: datetime
) -> bool:
    """Write down that a browser is sent to the provider; return False where too many were, from one place."""
    async with conn.transaction():
        found = await conn.execute(
            "SELECT count(*) FROM login_request WHERE address_sha256 = %s AND asked_at > %s",
            (hashed(place), real_now - _PLACE_HOUR[0]),
        )
        row = await found.fetchone()
        if row is not None and row[0] >= _PLACE_HOUR[1]:
            return False
        await conn.execute(
            "INSERT INTO login_request (phone_sha256, address_sha256, asked_at) VALUES (%s, %s, %s)",
            (hashed(secrets.token_hex(16)), hashed(place), real_now),
        )
        await conn.execute(
            "INSERT INTO provider_log_in (state_sha256, browser_sha256, valid_until, session_sha256) "
            "VALUES (%s, %s, %s, %s)",
            (hashed(trip.state), hashed(trip.secret), real_now + TRIP_VALID_FOR, session_sha256),
        )
    return True


async def came_back(conn: Connection, trip: Trip, state: str, *, real_now: datetime) -> Back | None:
    """Use a log-in up that was sent on; None unless this browser set out on it, lately and not yet back."""
    found = await conn.execute(
        "DELETE FROM provider_log_in WHERE state_sha256 = %s AND browser_sha256 = %s "
        "RETURNING valid_until > %s, session_sha256",
        (hashed(state), hashed(trip.secret), real_now),
    )
    row = await found.fetchone()
    return Back(row[1]) if row is not None and row[0] else None


async def person_of(conn: Connection, who: Identity, *, real_now: datetime) -> tuple[str, bool] | None:
    """Return whom the provider means, and whether they were bound by this; None: nobody, and nothing is made.

    Only staff are meant: for families it is their phone.
    """
    found = await conn.execute(
        f"""
        SELECT p.person FROM provider_identity i JOIN person p USING (person)
        WHERE i.issuer = %s AND i.subject = %s AND {IS_STAFF}
        """.encode(),  # noqa: S608 - a constant of ours
        (who.issuer, who.subject),
    )
    if (row := await found.fetchone()) is not None:
        return str(row[0]), False
    if who.email is None:
        return None
    # Neither a subject nor a person that is bound already is bound again.
    found = await conn.execute(
        f"""
        INSERT INTO provider_identity (issuer, subject, person, bound_at)
        SELECT %(issuer)s, %(subject)s, p.person, %(now)s FROM person p
        WHERE lower(p.email) = %(email)s AND {IS_STAFF}
        ON CONFLICT DO NOTHING RETURNING person
        """.encode(),  # noqa: S608 - as above
        {"issuer": who.issuer, "subject": who.subject, "email": who.email, "now": real_now},
    )
    row = await found.fetchone()
    return None if row is None else (str(row[0]), True)


async def bind(conn: Connection, who: Identity, person: str, *, real_now: datetime) -> bool:
    """Let the provider mean a member of staff by its subject; False: it means somebody by it, or them by another."""
    made = await conn.execute(
        f"""
        INSERT INTO provider_identity (issuer, subject, person, bound_at)
        SELECT %(issuer)s, %(subject)s, p.person, %(now)s FROM person p WHERE p.person = %(person)s AND {IS_STAFF}
        ON CONFLICT DO NOTHING
        """.encode(),  # noqa: S608 - as above
        {"issuer": who.issuer, "subject": who.subject, "person": person, "now": real_now},
    )
    return made.rowcount == 1


async def own(conn: Connection, person: str, session_sha256: bytes, issuer: str, *, real_now: datetime) -> Own | None:
    """Return how the provider knows somebody who is signed in; None for those whom it never means."""
    found = await conn.execute(
        f"""
        SELECT i.bound_at, s.made_at > %(fresh)s
        FROM person p JOIN session s USING (person)
        LEFT JOIN provider_identity i ON i.person = p.person AND i.issuer = %(issuer)s
        WHERE p.person = %(person)s AND s.token_sha256 = %(session)s AND {IS_STAFF}
        """.encode(),  # noqa: S608 - as above
        {"fresh": real_now - FRESH_FOR, "issuer": issuer, "person": person, "session": session_sha256},
    )
    row = await found.fetchone()
    return None if row is None else Own(*row)


async def unbind(conn: Connection, person: str) -> bool:
    """Let no subject mean somebody any more; return whether one did."""
    found = await conn.execute("DELETE FROM provider_identity WHERE person = %s RETURNING person", (person,))
    return await found.fetchone() is not None

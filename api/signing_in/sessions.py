"""Who is signed in where, and for how long?

A session ends by itself when it was not used for a while, and in any case some time after it began; both depend on what
its person may see *now*, so that who becomes an operator is held to an operator's times at once.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from psycopg import AsyncConnection

from api.signing_in.secrets import hashed, new_token
from api.store import Viewer, viewer_for

Connection = AsyncConnection[Any]
Way = Literal["link", "password", "provider"]


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session opens anything.

    Attributes:
        unused: since it was used last.
        at_most: since it began.
    """

    unused: timedelta
    at_most: timedelta


# They see every home: a shift, and a day (NIST SP 800-63B-4, 2.2.3: 24 hours at the second level).
OPERATOR: Final = Lasting(timedelta(hours=12), timedelta(hours=24))
# On their employer's round; a phone that is handed on is not signed in for the next one for long.  Ours.
PAID_CARER: Final = Lasting(timedelta(days=14), timedelta(days=90))
# A daughter must not meet a log-in page at three in the morning; it ends with the grant, at once.  Ours.
ANYONE: Final = Lasting(timedelta(days=45), timedelta(days=90))

# How exactly it is known when a session was used last: one write a minute, not one a request.  Ours.
_USED_AGAIN: Final = timedelta(minutes=1)
# What one person has open; more are somebody's script.  Ours.
_LISTED_MAX: Final = 50

_HOLDS: Final = """
    s.ended_at IS NULL AND s.valid_until > %(now)s AND p.left_at IS NULL
    AND s.made_at > %(now)s - CASE WHEN p.is_operator THEN %(operator_most)s
        WHEN 'paid carer' = ANY(p.kinds) THEN %(carer_most)s ELSE %(most)s END
    AND COALESCE(s.used_at, s.made_at) > %(now)s - CASE WHEN p.is_operator THEN %(operator_unused)s
        WHEN 'paid carer' = ANY(p.kinds) THEN %(carer_unused)s ELSE %(unused)s END
"""
_LASTING: Final = {
    "operator_most": OPERATOR.at_most,
    "operator_unused": OPERATOR.unused,
    "carer_most": PAID_CARER.at_most,
    "carer_unused": PAID_CARER.unused,
    "most": ANYONE.at_most,
    "unused": ANYONE.unused,
}


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which somebody is signed in.

    Attributes:
        number: by which its owner ends it; opens nothing.
        browser: as its owner knows it.
        is_this: the one that asks.
    """

    number: int
    way: Way
    browser: str
    made_at: datetime
    used_at: datetime
    is_this: bool


async def begin(
    conn: Connection, person: str, *, way: Way, browser: str, instead_of: str | None, real_now: datetime
) -> str:
    """Begin a session and return its token, which is new each time: one that somebody planted opens nothing.

    Args:
        conn: the connection.
        person: who has proved to be this one.
        way: how.
        browser: see `browser_named`.
        instead_of: the token that this browser sent, if any; its session ends.
        real_now: by the system's clock.
    """
    token = new_token() + new_token()
    async with conn.transaction():
        if instead_of is not None:
            await end(conn, hashed(instead_of), real_now=real_now)
        await conn.execute(
            "INSERT INTO session (token_sha256, person, made_at, valid_until, way, browser) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (hashed(token), person, real_now, real_now + ANYONE.at_most, way, browser),
        )
    return token


async def viewer_of(conn: Connection, token: str, *, real_now: datetime, now: datetime) -> Viewer | None:
    """Return who holds a session, with the grants in force now, or None if it opens nothing.

    A grant is in force while it is not withdrawn and the resident's consent to it holds; operators run the service,
    and what they were given needs no consent to each of them.

    Args:
        conn: the connection.
        token: from the cookie.
        real_now: by the system's clock, on which sessions age.
        now: by the homes' clock, on which consents end.
    """
    found = await conn.execute(
        f"""
        SELECT s.person, COALESCE(s.used_at, s.made_at) FROM session s JOIN person p USING (person)
        WHERE s.token_sha256 = %(token)s AND {_HOLDS}
        """.encode(),  # noqa: S608 - a constant of ours
        {"token": hashed(token), "now": real_now, **_LASTING},
    )
    row = await found.fetchone()
    if row is None:
        return None
    person, used_at = row
    if used_at <= real_now - _USED_AGAIN:
        await conn.execute("UPDATE session SET used_at = %s WHERE token_sha256 = %s", (real_now, hashed(token)))
    return await viewer_for(conn, person, hashed(token), now=now)


async def listed(conn: Connection, person: str, this: bytes, *, real_now: datetime) -> list[Session]:
    """Return where somebody is signed in, the one that was used last first; at most 50."""
    found = await conn.execute(
        f"""
        SELECT s.number, s.way, COALESCE(s.browser, 'a browser'), s.made_at, COALESCE(s.used_at, s.made_at),
               s.token_sha256 = %(this)s
        FROM session s JOIN person p USING (person)
        WHERE s.person = %(person)s AND {_HOLDS}
        ORDER BY 6 DESC, 5 DESC LIMIT %(listed)s
        """.encode(),  # noqa: S608 - as above
        {"person": person, "this": this, "now": real_now, "listed": _LISTED_MAX, **_LASTING},
    )
    return [Session(*row) for row in await found.fetchall()]


async def end(conn: Connection, token_sha256: bytes, *, real_now: datetime) -> None:
    """End a session; its cookie opens nothing from now on."""
    await conn.execute(
        "UPDATE session SET ended_at = %s WHERE token_sha256 = %s AND ended_at IS NULL", (real_now, token_sha256)
    )


async def end_numbered(conn: Connection, person: str, number: int, *, real_now: datetime) -> None:
    """End one of somebody's own sessions; nothing happens for a number that is not theirs."""
    await conn.execute(
        "UPDATE session SET ended_at = %s WHERE number = %s AND person = %s AND ended_at IS NULL",
        (real_now, number, person),
    )


async def end_all(conn: Connection, person: str, *, but: bytes | None = None, real_now: datetime) -> None:
    """Sign somebody out everywhere, or everywhere else, and let no link that is on its way open anything."""
    await conn.execute(
        "UPDATE session SET ended_at = %s WHERE person = %s AND ended_at IS NULL AND token_sha256 IS DISTINCT FROM %s",
        (real_now, person, but),
    )
    await conn.execute("UPDATE login_link SET used_at = %s WHERE person = %s AND used_at IS NULL", (real_now, person))


_PROGRAMS: Final = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("FxiOS", "Firefox")),
    *(("Firefox", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari")),
)
_MACHINES: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "Chromebook")),
    *(("Macintosh", "Mac"), ("Linux", "Linux")),
)


def browser_named(user_agent: str) -> str:
    """Return a browser as its owner knows it: `Firefox on Android`; `a browser` where it does not say."""
    said = re.sub(r"[^\x20-\x7e]", "", user_agent[:400])
    program = next((name for sign, name in _PROGRAMS if sign in said), None)
    machine = next((name for sign, name in _MACHINES if sign in said), None)
    return " on ".join(name for name in (program or "a browser", machine) if name)

"""Who may see what of a home, on whose word, why, and until when?  The SQL of consents.

Consent to care (being watched over at all) and consent to data (this person may see this view) are asked for and kept
apart, as the Care Quality Commission asks.  A grant says what an operator set up; it shows something only while a
consent to data is in force besides.  `now` is the clock that homes are judged on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[Any]

What = Literal["care", "data"]

BASES: Final = {
    "resident": "the resident's own yes",
    "attorney": "an attorney's, or whoever decides by law",
    "best interests": "decided in the resident's best interests",
}
"""On whose word a consent may rest."""

NOT_ASKED_YET: Final = "not asked yet"
"""The basis of what was given before consents were kept."""

# Ours: a home with more than these has been written wrongly, and a page of them is unreadable.
_ROWS_MAX: Final = 500

IN_FORCE: Final = """
    EXISTS (SELECT FROM consent agreed WHERE agreed.home = access_grant.home AND agreed.person = access_grant.person
            AND agreed.view = access_grant.view AND agreed.withdrawn_at IS NULL
            AND agreed.since <= %(now)s AND agreed.until > %(now)s)
"""
"""A condition on a row of `access_grant`: the resident's consent to it holds at `now`."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A yes, as it was written down.

    Attributes:
        what: to care, or to data.
        person: who may see; None for a consent to care.
        basis: one of `BASES`, or `NOT_ASKED_YET`.
        until: excluded.
    """

    consent: int
    home: str
    what: str
    person: str | None
    full_name: str | None
    view: str | None
    basis: str
    said_by: str
    why: str
    since: datetime
    until: datetime
    withdrawn_at: datetime | None

    def is_in_force(self, *, now: datetime) -> bool:
        return self.withdrawn_at is None and self.since <= now < self.until


_CONSENT: Final = """
    SELECT consent, home, consent.what, person, full_name, view, basis, said_by, why, since, until, withdrawn_at
    FROM consent LEFT JOIN person USING (person)
"""


async def of_home(conn: Connection, home: str) -> list[Consent]:
    """Return every consent of a home, also those that ended, the newest first; at most 500."""
    return await _consents(conn, "WHERE home = %(home)s ORDER BY consent DESC", home=home)


async def find(conn: Connection, consent: int) -> Consent | None:
    """Return one consent, or None."""
    found = await _consents(conn, "WHERE consent = %(consent)s", consent=consent)
    return found[0] if found else None


async def ending(conn: Connection, *, since: datetime, until: datetime) -> list[Consent]:
    """Return the consents that end by themselves within a stretch of time, the first first; at most 500.

    Not those that another one of the same kind outlasts: that one was asked for again.
    """
    which = """
        WHERE withdrawn_at IS NULL AND until >= %(since)s AND until < %(until)s AND NOT EXISTS (
            SELECT FROM consent again WHERE again.home = consent.home AND again.what = consent.what
            AND again.person IS NOT DISTINCT FROM consent.person AND again.view IS NOT DISTINCT FROM consent.view
            AND again.withdrawn_at IS NULL AND again.until >= %(until)s)
        ORDER BY until, consent
    """
    return await _consents(conn, which, since=since, until=until)


async def _consents(conn: Connection, which: str, **values: object) -> list[Consent]:
    async with conn.cursor(row_factory=class_row(Consent)) as cur:
        await cur.execute((_CONSENT + which + " LIMIT %(most)s").encode(), {**values, "most": _ROWS_MAX})
        return await cur.fetchall()


async def write(  # noqa: PLR0913 - a consent has these parts, and each is named
    conn: Connection,
    home: str,
    what: What,
    *,
    person: str | None = None,
    view: str | None = None,
    basis: str,
    said_by: str,
    why: str,
    until: datetime,
    by: str,
    now: datetime,
) -> None:
    """Write a consent that counts from now on; one in force that says the same is left as it is."""
    await conn.execute(
        """
        INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, written_by)
        SELECT %(home)s, %(what)s, %(person)s, %(view)s, %(basis)s, %(said_by)s, %(why)s, %(now)s, %(until)s,
               %(now)s, %(by)s
        WHERE NOT EXISTS (
            SELECT FROM consent WHERE home = %(home)s AND what = %(what)s
            AND person IS NOT DISTINCT FROM %(person)s::text AND view IS NOT DISTINCT FROM %(view)s::text
            AND basis = %(basis)s AND said_by = %(said_by)s AND why = %(why)s AND until = %(until)s
            AND withdrawn_at IS NULL AND since <= %(now)s)
        """,
        {
            "home": home,
            "what": what,
            "person": person,
            "view": view,
            "basis": basis,
            "said_by": said_by,
            "why": why,
            "until": until,
            "by": by,
            "now": now,
        },
    )


async def withdraw(conn: Connection, consent: int, *, by: str, now: datetime) -> bool:
    """Write that a yes is taken back, and return whether it held until now; what it allowed is over at once."""
    done = await conn.execute(
        "UPDATE consent SET withdrawn_at = %s, withdrawn_by = %s WHERE consent = %s AND withdrawn_at IS NULL",
        (now, by, consent),
    )
    return done.rowcount == 1


async def withdraw_all_to(conn: Connection, person: str, *, by: str, now: datetime) -> None:
    """Write that nobody agrees any more to this person's seeing anything: they are no longer one of us."""
    await conn.execute(
        "UPDATE consent SET withdrawn_at = %s, withdrawn_by = %s WHERE person = %s AND withdrawn_at IS NULL",
        (now, by, person),
    )


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person was given of a home.

    Attributes:
        until: when the consent that it rests on ends; None: none is in force, and it shows nothing.
    """

    home: str
    view: str
    given_at: datetime
    until: datetime | None


async def given_to(conn: Connection, person: str, *, now: datetime) -> list[Sight]:
    """Return what a person was given and nobody withdrew, by home; at most 500."""
    async with conn.cursor(row_factory=class_row(Sight)) as cur:
        await cur.execute(
            """
            SELECT home, view, given_at,
                   (SELECT max(c.until) FROM consent c WHERE c.home = g.home AND c.person = g.person
                    AND c.view = g.view AND c.withdrawn_at IS NULL AND c.since <= %(now)s
                    AND c.until > %(now)s) AS until
            FROM access_grant g WHERE person = %(person)s AND withdrawn_at IS NULL ORDER BY home, view LIMIT %(most)s
            """,
            {"person": person, "now": now, "most": _ROWS_MAX},
        )
        return await cur.fetchall()

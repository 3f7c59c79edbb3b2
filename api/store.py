"""The SQL of people's access: who may see what, grants, access records; and of confidence reports.

Every function takes a connection that commits by itself.  `now` is the time on the homes' clock.  How somebody is let
in, and for how long, is in `signing_in`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import AsyncConnection

from alerts.telling import asking
from api import consents

Connection = AsyncConnection[Any]
View = Literal["family", "carer"]

_QUARTER_S: Final = 900


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, and which homes that person was given.

    Attributes:
        homes: every home with a grant in force, and its views.
        service: the name of the service, for the page's head.
        session: hash of this session's token.
        texts_refused: why Twilio takes no text from us now; None while it does, as far as is known.
    """

    person: str
    full_name: str
    what: str | None
    is_operator: bool
    homes: Mapping[str, frozenset[str]]
    service: str
    session: bytes
    texts_refused: str | None = None

    def homes_as(self, view: View) -> list[str]:
        """Return the homes that this person may see in a view, by name."""
        return sorted(home for home, views in self.homes.items() if view in views)


@dataclass(frozen=True, slots=True)
class Question:
    """A version of the confidence question.

    Attributes:
        wording: with `{first_name}`.
        labels: for 1 to 5, in that order.
    """

    question: int
    wording: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one person answered last about one home; `answer` is None for "can't say"."""

    question: int
    answer: int | None
    words: str | None
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the answers that somebody gave, with the words that they were asked in."""

    question: int
    wording: str
    origin: str
    answer: int | None
    words: str | None
    answered_at: datetime


# -- who is signed in


async def viewer_for(conn: Connection, person: str, session: bytes, *, now: datetime) -> Viewer | None:
    """Return a person with the grants in force now, or None if there is none of that name any more.

    Args:
        conn: the connection.
        person: who is signed in, or for whom a program asks.
        session: hash of what opened this.
        now: by the homes' clock, on which consents end.
    """
    row = await _first(
        conn,
        f"""
        SELECT full_name, what, is_operator, (SELECT name FROM service),
               array(SELECT ARRAY[home, view] FROM access_grant
                     WHERE access_grant.person = person.person AND withdrawn_at IS NULL
                       AND (person.is_operator OR {consents.IN_FORCE})),
               (SELECT doing->>'texts' FROM process_heartbeat WHERE process = 'alerts' AND ended_at IS NULL
                AND heard_at > clock_timestamp() - interval '30 s' AND doing->>'texts' LIKE 'Twilio %%'
                ORDER BY heard_at DESC LIMIT 1)
        FROM person WHERE person = %(person)s AND left_at IS NULL
        """,  # noqa: S608 - a constant of ours
        {"person": person, "now": now},
    )
    if row is None:
        return None
    full_name, what, is_operator, service, grants, refused = row
    homes: dict[str, frozenset[str]] = {}
    for home, view in grants:
        homes[home] = homes.get(home, frozenset()) | {view}
    return Viewer(person, full_name, what, is_operator, homes, service or "Telecare", session, refused)


async def service_name(conn: Connection) -> str:
    """Return what the service calls itself."""
    row = await _first(conn, "SELECT name FROM service", ())
    return row[0] if row else "Telecare"


# -- grants and access records


async def set_access(
    conn: Connection, person: str, home: str, views: Iterable[View], *, given_by: str, now: datetime
) -> None:
    """Let one person see one home in exactly these views; none of them withdraws all.  May be repeated."""
    wanted = list(views)
    async with conn.transaction():
        await conn.execute(
            """
            UPDATE access_grant SET withdrawn_at = %s
            WHERE person = %s AND home = %s AND withdrawn_at IS NULL AND view <> ALL(%s)
            """,
            (now, person, home, wanted),
        )
        for view in wanted:
            await conn.execute(
                """
                INSERT INTO access_grant (person, home, view, given_at, given_by) VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT ON CONSTRAINT access_grant_is_given_once DO UPDATE
                SET withdrawn_at = NULL, given_at = EXCLUDED.given_at, given_by = EXCLUDED.given_by
                WHERE access_grant.withdrawn_at IS NOT NULL
                """,
                (person, home, view, now, given_by),
            )


async def is_known_home(conn: Connection, home: str) -> bool:
    """Return whether there is a home of this name."""
    # An address may hold a NUL, which PostgreSQL takes in no text.
    return (
        "\0" not in home
        and await _first(conn, "SELECT FROM home WHERE home = %s AND erased_at IS NULL", (home,)) is not None
    )


async def every_home(conn: Connection) -> list[str]:
    """Return the names of all homes."""
    rows = await conn.execute("SELECT home FROM home WHERE erased_at IS NULL ORDER BY home")
    return [home for (home,) in await rows.fetchall()]


async def leave_record(conn: Connection, viewer: str, homes: Sequence[str], view: str, *, now: datetime) -> None:
    """Write down that somebody looks at homes: once for each viewer, home, view and quarter of an hour.

    Raises:
        psycopg.Error: it could not be written; then nothing may be shown.
    """
    begun = now.timestamp() // _QUARTER_S * _QUARTER_S
    await conn.execute(
        """
        INSERT INTO access_record (viewer, home, view, quarter)
        SELECT %(viewer)s, home, %(view)s, to_timestamp(%(quarter)s) FROM unnest(%(homes)s::text[]) AS home
        ON CONFLICT DO NOTHING
        """,
        {"viewer": viewer, "homes": list(homes), "view": view, "quarter": begun},
    )


async def looks_before(
    conn: Connection, home: str, before: tuple[datetime, str, str] | None, *, by: str | None = None, limit: int
) -> list[tuple[datetime, str, str]]:
    """Return who looked at a home from where, as (quarter, viewer, view), the newest first.

    Args:
        conn: the connection.
        home: which.
        before: only what comes after this one in that order; None: from the newest.
        by: of this viewer only; None: of all.
        limit: how many at most.
    """
    rows = await conn.execute(
        """
        SELECT quarter, viewer, view FROM access_record
        WHERE home = %(home)s AND (%(quarter)s::timestamptz IS NULL
              OR (quarter, viewer, view) < (%(quarter)s, %(viewer)s::text, %(view)s::text))
              AND (%(by)s::text IS NULL OR viewer = %(by)s)
        ORDER BY quarter DESC, viewer DESC, view DESC LIMIT %(limit)s
        """,
        dict(zip(("quarter", "viewer", "view"), before or (None, None, None), strict=True))
        | {"home": home, "by": by, "limit": limit},
    )
    return await rows.fetchall()


# -- confidence


async def reaches_back(conn: Connection, home: str, *, now: datetime) -> bool:
    """Return whether the four weeks that are asked about reach back to before a home came to the service."""
    row = await _first(conn, "SELECT added_at > %s FROM home WHERE home = %s", (now - asking.RESTS, home))
    return bool(row and row[0])


async def question_for(conn: Connection, viewer: Viewer, home: str, asked: int | None) -> Question | None:
    """Return the question that somebody is shown about a home: what they were asked, or the newest of their own series.

    Args:
        conn: the connection.
        viewer: who looks.
        home: which was given to them.
        asked: the version that they were asked and have not answered; None: nothing is asked now.

    Returns:
        None where this person is not asked about this home in any series: staff, or the resident.
    """
    row = await _first(conn, "SELECT kinds FROM person WHERE person = %s", (viewer.person,))
    views = viewer.homes.get(home, frozenset())
    audience = asking.audience_of(views, frozenset(row[0] if row else ()))
    if audience is None or (viewer.is_operator and "family" not in views):
        return None
    row = await _first(
        conn,
        """
        SELECT question, wording, labels FROM confidence_question
        WHERE question = %(asked)s OR (%(asked)s::smallint IS NULL AND audience = %(audience)s)
        ORDER BY question DESC LIMIT 1
        """,
        {"asked": asked, "audience": audience.value},
    )
    if row is None:
        raise LookupError("the migrations bring a confidence question, and it is gone")
    return Question(row[0], row[1], tuple(row[2]))


async def own_answers(conn: Connection, home: str, person: str) -> list[Answered]:
    """Return what a person answered about a home, the newest first; at most 100."""
    rows = await conn.execute(
        """
        SELECT question, wording, origin, answer, words, answered_at
        FROM confidence_report JOIN confidence_question USING (question)
        WHERE home = %s AND person = %s ORDER BY answered_at DESC, report DESC LIMIT 100
        """,
        (home, person),
    )
    return [Answered(*row) for row in await rows.fetchall()]


async def last_answer(conn: Connection, home: str, person: str) -> Report | None:
    """Return what a person answered last about a home, or None."""
    row = await _first(
        conn,
        """
        SELECT question, answer, words, answered_at FROM confidence_report
        WHERE home = %s AND person = %s ORDER BY answered_at DESC, report DESC LIMIT 1
        """,
        (home, person),
    )
    return Report(*row) if row else None


async def _first(conn: Connection, query: str, values: Sequence[Any] | Mapping[str, Any]) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = await (await conn.execute(query.encode(), values)).fetchone()
    return row

"""What goes when a home or a person asks to be forgotten, and how is it asked for?

What is asked here counts at once: the home is shown and judged no more and its boxes are turned away; the person is
signed out and told no more.  The data goes within minutes, by `ingest.erasures`.  `deploy/decisions` say what is kept,
and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection

from alerts import store as alerts_store
from api import times
from api.office import changes, homes, hubs, people
from api.office.said import Mistake, Mistakes
from ingest import erasures

Connection = AsyncConnection[Any]

KEPT_OF_HOME: Final = (
    "Kept without a name: that alerts were raised and how they ended, when it could be seen, answers to the question, "
    "who looked when, and what was published"
)
KEPT_OF_PERSON: Final = (
    "Kept without a name: that somebody was told of alerts and answered, looked at homes, changed things, and "
    "answered the question"
)

_LISTED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class OfHome:
    """What erasing a home takes away.

    Attributes:
        resident: the name; None: nobody is written.
        first_reading_at: when the oldest of its readings was observed; None: there are none.
        open_alerts: alerts that a person must close first.
        only_here: people who see or are told of no other home: each is erased by themselves.
        signs_in_as: the person as whom the resident signs in, who is erased with the home.
    """

    resident: str | None
    hubs: Sequence[str]
    first_reading_at: datetime | None
    alerts: int
    open_alerts: Sequence[int]
    only_here: Sequence[tuple[str, str]]
    signs_in_as: str | None

    def sentences(self, *, now: datetime) -> list[str]:
        """Return what goes, a line each, and last what is kept."""
        who = f"{self.resident}: " if self.resident else ""
        readings = "no readings; there are none"
        if self.first_reading_at is not None:
            readings = f"every reading since {times.when(self.first_reading_at, now=now)}"
        lines = [
            f"{who}name, phone, address, and what whoever goes there should know",
            f"{readings}; and what was learnt from them",
            f"the texts, answers and notes of {said_number(self.alerts, 'alert')}",
            "sensors, rooms, thresholds, pauses, consents, who was told and who could see it",
        ]
        lines += [f"the box {hub}, which is turned away" for hub in self.hubs]
        lines += [f"the person {self.signs_in_as}, as whom the resident signs in"] if self.signs_in_as else []
        return [*lines, KEPT_OF_HOME]


def of_person(one: people.Person) -> list[str]:
    """Return what erasing a person takes away, a line each, and last what is kept."""
    reached = ", ".join(said for said in (one.phone, one.email) if said) or "which they have not"
    return [
        f"{one.full_name}: the name wherever it stands, phone and address ({reached})",
        "password, second factor, sessions, links and programs' tokens",
        "what they wrote to us, by text or beside an answer",
        "what they were given, and their hours on the rota",
        KEPT_OF_PERSON,
    ]


def said_number(number: int, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


async def of_home(conn: Connection, home: str) -> OfHome:
    """Return what erasing a home would take away."""
    resident = await alerts_store.resident_of(conn, home)
    rows = await conn.execute(
        "SELECT count(*), COALESCE((array_agg(alert ORDER BY alert) FILTER (WHERE state <> 'closed'))[1:20], '{}') "
        "FROM alert WHERE home = %s",
        (home,),
    )
    count, still_open = (await rows.fetchone()) or (0, [])
    return OfHome(
        None if resident is None else resident.full_name,
        [hub.hub for hub in await homes.hubs(conn, home)],
        await _first_reading_at(conn, home),
        count,
        still_open,
        await _only_here(conn, home),
        await homes.signs_in_as(conn, home),
    )


async def _first_reading_at(conn: Connection, home: str) -> datetime | None:
    # A home has readings since it was added, or from up to a year before; no older chunk is opened.
    rows = await conn.execute(
        "SELECT observed_at FROM reading WHERE home = %(home)s AND observed_at >= "
        "(SELECT added_at - interval '367 days' FROM home WHERE home = %(home)s) ORDER BY observed_at LIMIT 1",
        {"home": home},
    )
    row = await rows.fetchone()
    return None if row is None else row[0]


async def _only_here(conn: Connection, home: str) -> list[tuple[str, str]]:
    rows = await conn.execute(
        """
        WITH tie AS (
            SELECT person, home FROM access_grant WHERE withdrawn_at IS NULL
            UNION SELECT person, home FROM telling_step
            UNION SELECT person, COALESCE(home, 'team ' || team) FROM rota_shift WHERE removed_at IS NULL
        )
        SELECT person, full_name FROM tie JOIN person USING (person)
        WHERE NOT is_operator AND left_at IS NULL
        GROUP BY person, full_name HAVING count(*) = 1 AND min(home) = %s ORDER BY full_name LIMIT %s
        """,
        (home, _LISTED_MAX),
    )
    return [(person, name) for person, name in await rows.fetchall()]


def _must_be_named(what: str, key: str) -> Mistake:
    return Mistake("sure", f"write {key} here, so that it is this {what} and no other")


async def erase_home(conn: Connection, home: str, sure: str, *, by: str, now: datetime, real_now: datetime) -> None:
    """Ask that a home be erased.

    Args:
        conn: to the database.
        home: which.
        sure: its name, written by whoever asks.
        by: who asks.
        now: by the clock that homes are judged on.
        real_now: in real time.

    Raises:
        Mistakes: it is not there, or has an open alert, or another name was written.
    """
    await homes.require(conn, home)
    if sure.strip() != home:
        raise Mistakes([_must_be_named("home", home)])
    goes = await of_home(conn, home)
    if goes.open_alerts:
        named = ", ".join(str(alert) for alert in goes.open_alerts)
        raise Mistakes([Mistake("", f"{home} has open alerts ({named}): somebody closes them first.")])
    await ask_home(conn, home, by=by, now=now, real_now=real_now)


async def ask_home(
    conn: Connection, home: str, *, by: str, now: datetime, real_now: datetime, instead: str | None = None
) -> None:
    """Ask that a home be erased, whatever is open there; one that is being erased already is left as it is.

    Args:
        conn: to the database.
        home: which; it must be there.
        by: who asks.
        now: by the clock that homes are judged on.
        real_now: in real time.
        instead: the key that stands for it in what is kept; None: a new one.
    """
    async with conn.transaction():
        rows = await conn.execute(
            "UPDATE home SET erased_at = %s WHERE home = %s AND erased_at IS NULL RETURNING lane", (now, home)
        )
        row = await rows.fetchone()
        if row is None:
            return
        boxes = await homes.hubs(conn, home)
        signs_in_as = await homes.signs_in_as(conn, home)
        for hub in boxes:
            if hub.revoked_at is None:
                await hubs.revoke(conn, hub.hub, by=by, now=now)
        given = await alerts_store.set_erased(conn, home, now=now)
        await _note(conn, "home", home, instead, now=now, lane=row[0], given=given, boxes=[hub.hub for hub in boxes])
        await changes.note(conn, "home erased", by=by, now=now, home=home, content={})
        if signs_in_as is not None:
            await ask_person(conn, signs_in_as, by=by, now=now, real_now=real_now)


async def erase_person(conn: Connection, person: str, sure: str, *, by: str, now: datetime, real_now: datetime) -> None:
    """Ask that a person be erased, also one who left before.

    Raises:
        Mistakes: there is none, or another key was written, or it is whose phone gets what nobody else can be told,
            or it is whoever asks.
    """
    one = await people.find(conn, person)
    if one is None:
        raise Mistakes([Mistake("", f"There is no person {person!r}.")])
    if sure.strip() != person:
        raise Mistakes([_must_be_named("person", person)])
    if person == by:
        raise Mistakes([Mistake("", "Another operator must erase you.")])
    await ask_person(conn, person, by=by, now=now, real_now=real_now)


async def ask_person(
    conn: Connection, person: str, *, by: str, now: datetime, real_now: datetime, instead: str | None = None
) -> None:
    """Ask that a person be erased; one who is being erased already is left as they are.

    Raises:
        Mistakes: it is whose phone gets what nobody else can be told.
    """
    async with conn.transaction():
        one = await people.find(conn, person)
        if one is None or await _is_asked(conn, "person", person):
            return
        if one.left_at is None:
            await people.leave(conn, person, by=by, now=now, real_now=real_now)
        await _note(conn, "person", person, instead, now=now)
        await changes.note(conn, "person erased", by=by, now=now, person=person, content={})


async def _is_asked(conn: Connection, what: str, subject: str) -> bool:
    rows = await conn.execute("SELECT FROM erasure WHERE what = %s AND subject = %s", (what, subject))
    return await rows.fetchone() is not None


async def _note(
    conn: Connection,
    what: str,
    subject: str,
    instead: str | None,
    *,
    now: datetime,
    lane: int | None = None,
    given: int | None = None,
    boxes: Sequence[str] | None = None,
) -> None:
    await conn.execute(
        """
        INSERT INTO erasure (what, subject, subject_sha256, instead, lane, input, hubs, hubs_sha256, asked_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT ON CONSTRAINT erasure_is_of_a_subject_once DO UPDATE SET subject = excluded.subject,
            lane = excluded.lane, input = excluded.input, hubs = excluded.hubs, asked_at = excluded.asked_at,
            log_cleared_at = NULL, done_at = NULL
        """,
        (
            *(what, subject, erasures.digest(subject), instead or erasures.stand_in(), lane, given),
            *(None if boxes is None else list(boxes), [erasures.digest(hub) for hub in boxes or ()], now),
        ),
    )


async def pending(conn: Connection) -> list[tuple[str, str, datetime]]:
    """Return what is still to be done: home or person, its key, and when it was asked for; the oldest first."""
    rows = await conn.execute(
        "SELECT what, subject, asked_at FROM erasure WHERE done_at IS NULL ORDER BY erasure LIMIT %s", (_LISTED_MAX,)
    )
    return [(what, subject, at) for what, subject, at in await rows.fetchall()]


async def again(
    conn: Connection, what: str, sha256: str, instead: str, *, by: str, now: datetime, real_now: datetime
) -> None:
    """Ask again for what was erased after the moment that a restored database shows; who is not there stays away.

    Raises:
        Mistakes: it is whose phone gets what nobody else can be told, who must be another first.
    """
    table = {"home": "SELECT home FROM home", "person": "SELECT person FROM person"}[what]
    rows = await conn.execute(
        f"{table} WHERE encode(sha256(convert_to({what}, 'UTF8')), 'hex') = %s".encode(), (sha256,)
    )
    row = await rows.fetchone()
    if row is not None:
        ask = ask_home if what == "home" else ask_person
        await ask(conn, row[0], by=by, now=now, real_now=real_now, instead=instead)

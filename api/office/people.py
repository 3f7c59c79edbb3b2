"""Who is there, how are they reached, and what happens when somebody leaves?"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store import LetGo
from api import consents, times
from api.office import changes, said
from api.office.said import Form, Mistake, Mistakes
from api.signing_in import identities, sessions, staff
from ingest import erasures

Connection = AsyncConnection[Any]

KINDS: Final = ("family contact", "unpaid carer", "paid carer", "operator", "resident")
LIKES: Final = {"text": "texts", "ring": "somebody who rings", "e-mail": "e-mail"}

REACH_IS_NEEDED: Final = "is needed, or an e-mail address: nobody signs in without either"

# A page of people; more are found by a part of the name.  Ours.
PEOPLE_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be told or may sign in.

    Attributes:
        kinds: of `KINDS`; may be none or several.
        likes: how they are told things by hand; of an alert everybody is texted.
        left_at: is no longer one of us since; None: still is.
        is_last: whose phone gets what nobody else can be told.
    """

    person: str
    full_name: str
    what: str | None
    phone: str | None
    email: str | None
    likes: str
    kinds: tuple[str, ...]
    left_at: datetime | None
    is_last: bool

    @property
    def is_operator(self) -> bool:
        return "operator" in self.kinds


_PERSON: Final = """
    SELECT person, full_name, what, phone, email, likes,
           kinds || CASE WHEN is_operator THEN ARRAY['operator'] ELSE '{}' END, left_at,
           EXISTS (SELECT FROM service WHERE operator = person)
    FROM person
"""


async def find(conn: Connection, person: str) -> Person | None:
    """Return one person, also who left, or None."""
    found = await _people(conn, "WHERE person = %(person)s", person=person)
    return found[0] if found else None


async def listed(conn: Connection, *, like: str = "", after: str = "") -> list[Person]:
    """Return who is there, by name, of at most 100; who left is not.

    Args:
        conn: to the database.
        like: a part of a name, a key or a phone number; empty: all.
        after: the key of the last one of the page before.
    """
    which = """
        WHERE left_at IS NULL
          AND (position(lower(%(like)s) IN lower(full_name)) > 0 OR position(%(like)s IN person) > 0
               OR (%(digits)s <> '' AND position(%(digits)s IN phone) > 0))
          AND (%(after)s = '' OR (full_name, person) > (SELECT full_name, person FROM person WHERE person = %(after)s))
        ORDER BY full_name, person
    """
    digits = re.sub(r"\D", "", like).removeprefix("0")
    return await _people(conn, which, like=like, digits=digits, after=after)


async def _people(conn: Connection, which: str, **values: object) -> list[Person]:
    rows = await conn.execute((_PERSON + which + " LIMIT %(most)s").encode(), {**values, "most": PEOPLE_MAX})
    return [Person(*(*row[:6], tuple(row[6]), *row[7:])) for row in await rows.fetchall()]


async def save(conn: Connection, fields: Mapping[str, str], *, is_new: bool, by: str, now: datetime) -> str:
    """Write who a person is, and return their key.

    Args:
        conn: to the database.
        fields: person (for a new one made of the name where empty), name, what, phone, email, likes, kinds.
        is_new: there is none of this key yet.
        by: who writes.
        now: when.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    name = form.take("name", said.words)
    what, phone = form.may_take("what", said.words), form.may_take("phone", said.e164)
    email, likes = form.may_take("email", said.email), form.may_take("likes", said.one_of(LIKES)) or "text"
    kinds = form.may_take("kinds", said.some_of(KINDS)) or ()
    person = form.may_take("person", said.key) or await _free_key(conn, name or "person")
    before = await find(conn, person)
    _see_who_it_is(form, person, before, is_new=is_new)
    if is_new and await erasures.among(conn, "person", [person]):
        form.wrong("person", f"{person!r} was somebody who was erased, and is not given again")
    await _see_how_to_reach(conn, form, person, phone, email, now=now)
    if before is not None and before.is_last and "operator" not in kinds:
        form.wrong("kinds", f"{before.full_name} gets what nobody else can be told, and so must be an operator")
    form.require_right()
    assert name is not None, "it is needed"
    written: dict[str, object] = {
        "name": name,
        "what": what,
        "phone": phone,
        "email": email,
        "likes": likes,
        "kinds": kinds,
    }
    try:
        async with conn.transaction():
            await alerts_store.set_person(
                conn, person, name, what=what, phone=phone, email=email, likes=likes, kinds=kinds
            )
            if before is not None:
                await forget_old_ways(conn, before, phone=phone, email=email)
            act = "person added" if before is None else "person changed"
            await changes.note(conn, act, by=by, now=now, person=person, content=written)
    except psycopg.errors.UniqueViolation as why:
        raise Mistakes([Mistake("phone", "somebody else was given this phone or address just now")]) from why
    return person


async def forget_old_ways(conn: Connection, before: Person, *, phone: str | None, email: str | None) -> None:
    """Let nobody in any more by a phone or an address that a person had, in the transaction that changes it."""
    if (before.phone, before.email) != (phone, email):
        # A link that is on its way to what may be somebody else's phone by now.
        await conn.execute("DELETE FROM login_link WHERE person = %s AND used_at IS NULL", (before.person,))
    if before.email != email:
        await conn.execute(
            "UPDATE confidence_mail SET token_sha256 = NULL "
            "WHERE asking IN (SELECT asking FROM confidence_asking WHERE person = %s)",
            (before.person,),
        )
        # Whom the identity provider means was told by the old address.
        await identities.unbind(conn, before.person)


def _see_who_it_is(form: Form, person: str, before: Person | None, *, is_new: bool) -> None:
    if is_new and before is not None:
        form.wrong("person", f"{person!r} is {before.full_name} already")
    elif before is not None and before.left_at is not None:
        form.wrong("person", f"{before.full_name} has left; add them anew under another name")
    elif not is_new and before is None:
        form.wrong("person", f"there is no person {person!r}")


async def _see_how_to_reach(
    conn: Connection, form: Form, person: str, phone: str | None, email: str | None, *, now: datetime
) -> None:
    """Note a phone or an address that is somebody else's, and one that is missing though it is needed."""
    for field, full_name in await others_with(conn, person, phone=phone, email=email):
        form.wrong(field, f"{form.said(field)} is {full_name}'s")
    if form.said("phone"):
        return
    if homes := await told_in(conn, person):
        form.wrong("phone", phone_is_needed(homes))
    elif not form.said("email") and (
        signs_in(form.said("kinds").split(",")) or await consents.given_to(conn, person, now=now)
    ):
        form.wrong("phone", REACH_IS_NEEDED)


async def others_with(
    conn: Connection, person: str, *, phone: str | None, email: str | None
) -> list[tuple[Literal["phone", "email"], str]]:
    """Return who else has this phone or this address: which of the two, and the name."""
    rows = await conn.execute(
        "SELECT full_name, phone = %(phone)s FROM person WHERE person <> %(person)s "
        "AND (phone = %(phone)s OR lower(email) = lower(%(email)s)) ORDER BY person",
        {"person": person, "phone": phone, "email": email},
    )
    return [("phone" if is_phone else "email", full_name) for full_name, is_phone in await rows.fetchall()]


def phone_is_needed(where: Sequence[str]) -> str:
    """Return what is wrong with somebody who has no phone and is texted."""
    return f"is needed: this person is told of alarms in {', '.join(where)}"


def signs_in(kinds: Iterable[str]) -> bool:
    """Return whether somebody of these kinds looks at pages; a resident has a sheet, which can be printed."""
    return any(kind.strip() in KINDS and kind.strip() != "resident" for kind in kinds)


async def told_in(conn: Connection, person: str) -> list[str]:
    """Return the homes of which a person is told, always or in shifts; for whoever gets the rest, every home."""
    rows = await conn.execute(
        """
        SELECT home FROM telling_step WHERE person = %(person)s
        UNION SELECT COALESCE(s.home, 'the team ' || s.team) FROM rota_shift s
        WHERE s.person = %(person)s AND s.removed_at IS NULL
        UNION SELECT 'every home' FROM service WHERE operator = %(person)s
        ORDER BY 1 LIMIT 20
        """,
        {"person": person},
    )
    return [home for (home,) in await rows.fetchall()]


async def _free_key(conn: Connection, name: str) -> str:
    """Return a short name made of a person's name that nobody has."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:26].strip("-") or "person"
    rows = await conn.execute("SELECT person FROM person WHERE person = %s OR person ^@ %s", (base, f"{base}-"))
    taken = {person for (person,) in await rows.fetchall()}
    return next(key for key in (base, *(f"{base}-{number}" for number in range(2, 9_999))) if key not in taken)


# Leaving.


@dataclass(frozen=True, slots=True)
class Leaving:
    """What it would mean if somebody left.

    Attributes:
        told_in: homes, or teams, of whose alarms they are told.
        only_one_in: homes where then nobody but the operator would be told at any hour.
        alone: stands for these homes in a form, however many they are.
        holds: open alerts of which they said "mine"; these go to the next person.
    """

    told_in: Sequence[str]
    only_one_in: Sequence[str]
    holds: Sequence[int]

    @property
    def alone(self) -> str:
        return hashlib.sha256(",".join(self.only_one_in).encode()).hexdigest() if self.only_one_in else ""


async def leaving(conn: Connection, person: str, *, now: datetime) -> Leaving:
    """Return what it would mean if somebody left; a shift that is over, or begins another day, tells nobody now."""
    today = times.local_date(now)
    rows = await conn.execute(
        """
        SELECT home FROM telling_step GROUP BY home HAVING count(*) = 1 AND min(person) = %(person)s
        UNION SELECT home FROM (
            SELECT home, person FROM telling_step
            UNION SELECT COALESCE(s.home, t.home), s.person FROM rota_shift s LEFT JOIN home_team t USING (team)
            WHERE s.removed_at IS NULL AND s.valid_from <= %(today)s
            AND (s.valid_until IS NULL OR s.valid_until >= %(today)s)
        ) told JOIN person USING (person) WHERE home IS NOT NULL AND left_at IS NULL
        GROUP BY home HAVING count(*) = 1 AND min(person) = %(person)s ORDER BY 1
        """,
        {"person": person, "today": today},
    )
    only = [home for (home,) in await rows.fetchall()]
    rows = await conn.execute(
        "SELECT alert FROM acknowledgement WHERE person = %s AND let_go_at IS NULL "
        "AND alert IN (SELECT alert FROM alert WHERE state <> 'closed')",
        (person,),
    )
    return Leaving(await told_in(conn, person), only, [alert for (alert,) in await rows.fetchall()])


def not_sure_of(means: Leaving, wrote: Mapping[str, str]) -> list[Mistake]:
    """Return what nobody has said yet that they have read: sure; alone, the homes that nobody else is told of."""
    found = [] if wrote.get("sure") == "yes" else [Mistake("sure", "say that you have read what it means")]
    if wrote.get("alone", "") != means.alone:
        found.append(Mistake("alone", "say so, or write first who is told there instead"))
    return found


async def leave(conn: Connection, person: str, *, by: str, now: datetime, real_now: datetime) -> None:
    """Let somebody be no longer one of us: told no more, signed out, given nothing; the stories keep the name.

    What they hold goes to the next person first.

    Raises:
        Mistakes: there is no such person, or this is whose phone gets what nobody else can be told.
    """
    one = await find(conn, person)
    if one is None or one.left_at is not None:
        raise Mistakes([Mistake("", f"There is no person {person!r}.")])
    if one.is_last:
        raise Mistakes(
            [Mistake("", f"{one.full_name} gets what nobody else can be told; let somebody else get it first.")]
        )
    async with conn.transaction():
        for alert in (await leaving(conn, person, now=now)).holds:
            await alerts_store.let_go(conn, alert, person, why=LetGo.CANNOT_GO, now=now)
        was_told_in = await told_in(conn, person)
        await alerts_store.take_off_rota(conn, person, now=now)
        await conn.execute(
            "UPDATE access_grant SET withdrawn_at = %s WHERE person = %s AND withdrawn_at IS NULL", (now, person)
        )
        await consents.withdraw_all_to(conn, person, by=by, now=now)
        await sessions.end_all(conn, person, real_now=real_now)
        await staff.take_away(conn, person)
        await identities.unbind(conn, person)
        await conn.execute("UPDATE resident SET person = NULL WHERE person = %s", (person,))
        await conn.execute(
            "UPDATE person SET left_at = %s, phone = NULL, email = NULL, is_operator = false WHERE person = %s",
            (now, person),
        )
        await changes.note(
            conn,
            "person left",
            by=by,
            now=now,
            person=person,
            content={"phone": one.phone, "email": one.email, "told_in": was_told_in},
        )


async def reset_factor(conn: Connection, person: str, why: str, *, by: str, now: datetime, real_now: datetime) -> None:
    """Take somebody's password and second factor away, because the authenticator is lost; a link still lets them in.

    Raises:
        Mistakes: there is none, or nobody said why, or it is one's own: that takes a code.
    """
    form = Form({"why": why})
    said_why = form.take("why", said.words)
    if person == by:
        form.wrong("", "Your own is removed on your own page, with a code.")
    form.require_right()
    async with conn.transaction():
        if not await staff.take_away(conn, person):
            raise Mistakes([Mistake("", f"{person!r} has no password and no second factor.")])
        await sessions.end_all(conn, person, real_now=real_now)
        await changes.note(
            conn, "password and second factor taken away", by=by, now=now, person=person, content={"why": said_why}
        )


# The service itself.


async def set_last(conn: Connection, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write what the service is called and whose phone gets what nobody else can be told: service, operator.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    name, person = form.take("service", said.words), form.take("operator", said.key)
    one = await find(conn, person) if person else None
    if person and (one is None or one.left_at is not None):
        form.wrong("operator", f"there is no person {person!r}")
    elif one is not None and one.phone is None:
        form.wrong("operator", f"{one.full_name} has no phone number")
    form.require_right()
    assert name is not None, "it is needed"
    async with conn.transaction():
        await alerts_store.set_service(conn, name, person)
        await changes.note(conn, "service named", by=by, now=now, person=person, content={"service": name})


async def service(conn: Connection) -> tuple[str, str | None]:
    """Return what the service is called, and who gets what nobody else can be told; empty where nobody wrote it."""
    rows = await conn.execute("SELECT name, operator FROM service")
    row = await rows.fetchone()
    return ("", None) if row is None else (row[0], row[1])


def spoken(person: Person) -> str:
    """Return a person's phone as people write it, or that there is none."""
    return times.spoken_phone(person.phone) if person.phone else "no phone"

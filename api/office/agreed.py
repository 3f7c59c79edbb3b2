"""Who is given sight of a home, and on whose word?  A grant and the consent that it rests on are written together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection

from api import consents, store
from api.office import changes, homes, people, said
from api.office.said import Form, Mistake, Mistakes
from api.office.told import told_soon

Connection = AsyncConnection[Any]

VIEWS: Final = {"family": "the family's page", "carer": "the carer's page"}


async def give_care(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Write the consent to being watched over at all: basis, said_by, why, until.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    agreed = _agreed(form, now=now)
    form.require_right()
    async with conn.transaction():
        await homes.require(conn, home)
        await consents.write(conn, home, "care", **agreed, by=by, now=now)
        await changes.note(conn, "consent to care written", by=by, now=now, home=home, content=agreed)


async def give_sight(conn: Connection, home: str, fields: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Let a person see a home: person, views, and the consent that it rests on: basis, said_by, why, until.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    person = form.take("person", said.key)
    views = form.take("views", said.some_of(VIEWS)) or ()
    one = await people.find(conn, person) if person else None
    if person and (one is None or one.left_at is not None):
        form.wrong("person", f"there is no person {person!r}")
    elif one is not None and one.phone is None and one.email is None:
        form.wrong("person", f"{one.full_name} has neither a phone nor an e-mail address, and so cannot sign in")
    agreed = _agreed(form, now=now)
    form.require_right()
    assert person is not None, "it is needed"
    async with conn.transaction():
        await homes.require(conn, home)
        await write_sight(conn, home, person, views, agreed, by=by, now=now)
        await changes.note(
            conn, "sight given", by=by, now=now, home=home, person=person, content={"views": views, **agreed}
        )


async def write_sight(
    conn: Connection,
    home: str,
    person: str,
    views: tuple[str, ...],
    agreed: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
) -> None:
    """Write a grant of these views and no others, with what each rests on."""
    given: list[store.View] = [view for view in ("family", "carer") if view in views]  # type: ignore[misc]  # both are views
    await store.set_access(conn, person, home, given, given_by=by, now=now)
    for view in given:
        await consents.write(conn, home, "data", person=person, view=view, **agreed, by=by, now=now)


def _agreed(form: Form, *, now: datetime) -> dict[str, Any]:
    until = form.take("until", said.end_of)
    if until is not None and until <= now:
        form.wrong("until", "is over already")
    return {
        "basis": form.take("basis", said.one_of(consents.BASES)),
        "said_by": form.take("said_by", said.words),
        "why": form.take("why", said.words),
        "until": until,
    }


async def withdraw(conn: Connection, consent: int, *, by: str, now: datetime, home: str | None = None) -> list[str]:
    """Take a yes back: what it allowed is over at once.  Return what an operator must know of it, one sentence each.

    Raises:
        Mistakes: there is none of this number, or of this home, that was not taken back before.
    """
    async with conn.transaction():
        one = await consents.find(conn, consent)
        is_ours = one is not None and home in (None, one.home)
        if one is None or not is_ours or not await consents.withdraw(conn, consent, by=by, now=now):
            raise Mistakes([Mistake("", f"There is no consent {consent} that could be withdrawn.")])
        await changes.note(
            conn,
            f"consent to {one.what} withdrawn",
            by=by,
            now=now,
            home=one.home,
            person=one.person,
            content={"consent": consent, "view": one.view},
        )
        if one.what == "care":
            return [f"{one.home} is still watched: revoke its hub if that is what was asked for."]
        still = [told for told in await told_soon(conn, one.home, now=now) if told.person == one.person]
        return [
            f"{told.full_name} is still told of alarms in {one.home}{told.how}: {told.instead} if need be."
            for told in still
        ]


async def warnings(conn: Connection, home: str, *, now: datetime) -> list[str]:
    """Return what an operator should see to about who sees and who is told, one sentence each."""
    found = []
    held = [one for one in await consents.of_home(conn, home) if one.is_in_force(now=now)]
    if not any(one.what == "care" for one in held):
        found.append("Nobody has written down a consent to being watched over.")
    if any(one.basis == consents.NOT_ASKED_YET for one in held):
        found.append("Some may look on a yes that was given before consents were kept; ask for it again.")
    rows = await conn.execute(
        "SELECT DISTINCT g.person, full_name, is_operator FROM access_grant g JOIN person USING (person) "
        "WHERE home = %s AND withdrawn_at IS NULL ORDER BY full_name",
        (home,),
    )
    for person, full_name, is_operator in await rows.fetchall():
        if not is_operator and not any(one.person == person for one in held):
            found.append(f"{full_name} was given this home, and sees nothing: no consent to it holds.")
    return [
        *found,
        *(
            f"{told.full_name} is told of alarms here{told.how}, and may not see the carer's page."
            for told in await told_soon(conn, home, now=now)
            if not told.is_operator and not told.may_see
        ),
    ]

"""Which programs may ask, and for whom?  What is done with their tokens, on an operator's page or by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.office import changes, said
from api.office.said import Form, Mistake, Mistakes
from api.v1 import tokens
from api.v1.tokens import Scope

Connection = AsyncConnection[Any]

DAYS_USUAL: Final = 365
SCOPES: Final[Mapping[Scope, str]] = {
    Scope.HOMES_READ: "read how homes are seen, and what happens next",
    Scope.READINGS_READ: "read what sensors measured",
    Scope.ALERTS_READ: "read alerts",
    Scope.ALERTS_ANSWER: "answer alerts, as its person, who must be a carer there or an operator",
    Scope.PEOPLE_READ: "read who lives there, who is told, and who looked",
    Scope.CONFIDENCE_READ: "read what its person answered about confidence",
    Scope.FLEET_READ: "read the whole street in numbers (an operator's only)",
    Scope.LEDGER_READ: "read the quarter that is still open, in numbers (an operator's only)",
    Scope.CALLS_ANSWER: "list, take and close the calls to families who feel little confidence (an operator's only)",
    Scope.HOMES_WRITE: "write who lives where, rooms, sensors and hubs (an operator's only)",
    Scope.PEOPLE_WRITE: "write who there is, and who may see what (an operator's only)",
    Scope.ROTA_WRITE: "write who is told and when (an operator's only)",
    Scope.THRESHOLDS_WRITE: "look back at thresholds and save them (an operator's only)",
}
"""What a token may be allowed, in words."""


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made.

    Attributes:
        token: it, which nobody can show again.
        days: for how many it is valid.
    """

    token: str
    name: str
    person: str
    days: int


async def make(conn: Connection, fields: Mapping[str, str], *, by: str, now: datetime, real_now: datetime) -> Made:
    """Make a token for a program: name, person, scopes, homes (all that the person may see where empty), days.

    Args:
        conn: to the database.
        fields: as they were written; several scopes or homes with commas between them.
        by: who makes it.
        now: by the homes' clock, for the change record.
        real_now: by the system's clock, on which tokens age.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form({**fields, "days": fields.get("days") or str(DAYS_USUAL)})
    name, person = form.take("name", said.words), form.take("person", said.words)
    scopes, days = form.take("scopes", said.several(_scope)), form.take("days", _days)
    homes = form.may_take("homes", said.several(said.words))
    form.require_right()
    assert name is not None, "it is needed"
    assert person is not None, "it is needed"
    assert scopes is not None, "they are needed"
    assert days is not None, "they are needed"
    try:
        async with conn.transaction():
            token = await tokens.make(
                *(conn, name, person, scopes, homes),
                made_by=by,
                valid_for=timedelta(days=days),
                real_now=real_now,
            )
            content = {"name": name, "scopes": scopes, "homes": homes, "days": days}
            await changes.note(conn, "token made", by=by, now=now, person=person, content=content)
    except tokens.NoSuch as why:
        raise Mistakes([Mistake("", str(why))]) from why
    return Made(token, name, person, days)


async def revoke(conn: Connection, name: str, *, by: str, now: datetime, real_now: datetime) -> None:
    """Let a token open nothing from now on.

    Raises:
        Mistakes: there is none of that name.
    """
    async with conn.transaction():
        if not await tokens.revoke(conn, name, real_now=real_now):
            raise Mistakes([Mistake("", f"There is no token {name!r}.")])
        await changes.note(conn, "token revoked", by=by, now=now, content={"name": name})


def _scope(written: str) -> Scope:
    try:
        return Scope(written)
    except ValueError as why:
        raise ValueError(f"there is no scope {written!r}; there are: {', '.join(Scope)}") from why


def _days(written: str) -> int:
    if not written.isascii() or not written.isdecimal() or not 1 <= int(written[:9]) <= tokens.DAYS_MAX:
        raise ValueError(f"{written!r} is not a number of days from 1 to {tokens.DAYS_MAX}")
    return int(written)

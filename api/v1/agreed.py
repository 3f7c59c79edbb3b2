"""Who may see a home, on whose word, and who looked: what the resident can have, and what an operator writes of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request

from api import access, consents, records, store
from api.given import Connection, Now
from api.office import agreed
from api.office.said import Mistakes
from api.v1 import kept, shapes
from api.v1.caller import AnyCaller, OperatorsHome, SheetHome
from api.v1.paging import Cursor, Limit, foreign_cursor, key_of, next_page
from api.v1.people import PersonInPath
from api.v1.problems import described
from api.v1.tokens import Scope
from api.v1.writing import fields_of
from gateway.reading import HomeId

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

WriteHome = Annotated[HomeId, Depends(OperatorsHome("who may see it", Scope.PEOPLE_WRITE))]
ConsentInPath = Annotated[int, Path(ge=1, le=access.BIGINT_MAX, description="The consent's number.", examples=[1])]


@router.get("/homes/{home}/looks")
async def list_looks(
    request: Request,
    home: Annotated[HomeId, Depends(SheetHome("who looked", Scope.PEOPLE_READ))],
    caller: AnyCaller,
    conn: Connection,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> shapes.Looks:
    """List who looked at a home, the newest first; these requests are among them.

    The resident and an operator read every look, a relative their own.
    """
    before: tuple[datetime, str, str] | None = key_of(cursor, tuple[datetime, str, str])
    if before is not None and before[0].tzinfo is None:
        raise foreign_cursor()
    by = await access.whose_looks(conn, caller.viewer, home)
    rows = await store.looks_before(conn, home, before, by=by, limit=limit + 1)
    items = [shapes.Look(quarter=quarter, viewer=viewer, view=view) for quarter, viewer, view in rows[:limit]]
    return shapes.Looks(home=home, items=items, next=next_page(request, rows[limit - 1]) if len(rows) > limit else None)


@router.get("/homes/{home}/grants")
async def list_grants(
    home: Annotated[HomeId, Depends(SheetHome("who may see it", Scope.PEOPLE_READ))], conn: Connection, now: Now
) -> kept.Grants:
    """List who may see a home now."""
    return await _grants(conn, home, now=now)


async def _grants(conn: Connection, home: str, *, now: Now) -> kept.Grants:
    items = [
        kept.Grant(
            person=one.person,
            name=one.full_name,
            what=one.what,
            view=one.view,
            given_at=one.given_at,
            until=one.until,
        )
        for one in await records.grants_of(conn, home, now=now)
    ]
    return kept.Grants(home=home, items=items, operators=await records.operators(conn))


@router.put("/homes/{home}/grants/{person}")
async def give_sight(
    home: WriteHome,
    person: PersonInPath,
    wrote: kept.SightWritten,
    caller: AnyCaller,
    conn: Connection,
    now: Now,
) -> kept.Grants:
    """Let a person see a home in exactly these views, on a yes that is written with it."""
    await agreed.give_sight(conn, home, fields_of(wrote, person=person), by=caller.viewer.person, now=now)
    return await _grants(conn, home, now=now)


@router.get("/homes/{home}/consents")
async def list_consents(
    home: Annotated[HomeId, Depends(SheetHome("who may see it", Scope.PEOPLE_READ))], conn: Connection, now: Now
) -> kept.Consents:
    """List every yes that was written down for a home, also those that ended."""
    return await _consents(conn, home, now=now)


async def _consents(conn: Connection, home: str, *, now: Now) -> kept.Consents:
    items = [
        kept.Consent(
            consent=one.consent,
            what=one.what,
            person=one.person,
            view=one.view,
            basis=one.basis,
            said_by=one.said_by,
            why=one.why,
            since=one.since,
            until=one.until,
            withdrawn_at=one.withdrawn_at,
            is_in_force=one.is_in_force(now=now),
        )
        for one in await consents.of_home(conn, home)
    ]
    return kept.Consents(home=home, items=items)


@router.put("/homes/{home}/care")
async def give_care(
    home: WriteHome, wrote: kept.AgreedWritten, caller: AnyCaller, conn: Connection, now: Now
) -> kept.Consents:
    """Write the yes to being watched over at all; one in force that says the same is left as it is."""
    await agreed.give_care(conn, home, fields_of(wrote), by=caller.viewer.person, now=now)
    return await _consents(conn, home, now=now)


@router.delete("/homes/{home}/consents/{consent}")
async def withdraw(
    home: WriteHome, consent: ConsentInPath, caller: AnyCaller, conn: Connection, now: Now
) -> kept.Withdrawn:
    """Take a yes back: what it allowed is over at once.  404: it was taken back before, or there was none."""
    try:
        know = await agreed.withdraw(conn, consent, by=caller.viewer.person, now=now, home=home)
    except Mistakes:
        raise HTTPException(404) from None
    return kept.Withdrawn(know=know)

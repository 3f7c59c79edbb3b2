"""People, as operators keep them."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts.store import rotas
from api import access, consents, show
from api.access import CurrentOperator
from api.given import Connection, Now, RealNow
from api.office import changes, erasing, people
from api.office.said import Mistakes
from api.routes import frame, office
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.signing_in import staff
from api.store import Viewer

router = APIRouter()

# Consents that end within this are shown before the families find out.  Ours: time to ask again, by letter too.
_ENDS_SOON: Final = timedelta(days=28)


@router.get("/operator/people")
async def list_people(
    request: Request,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    q: Annotated[str, Query(max_length=60)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """List people, with a form to add one, and what is about to end."""
    return await _people(request, viewer, conn, now=now, q=q, after=after)


@router.post("/operator/people")
async def add_person(request: Request, viewer: CurrentOperator, conn: Connection, now: Now, wrote: Written) -> Response:
    """Add a person."""
    try:
        person = await people.save(conn, wrote, is_new=True, by=viewer.person, now=now)
    except Mistakes as why:
        return await _people(request, viewer, conn, now=now, refused=Refused.by(why, "add", wrote))
    return show.then(f"/operator/people/{person}")


@router.post("/operator/service")
async def name_service(
    request: Request, viewer: CurrentOperator, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Name the service, and whose phone gets what nobody else can be told."""
    try:
        await people.set_last(conn, wrote, by=viewer.person, now=now)
    except Mistakes as why:
        return await _people(request, viewer, conn, now=now, refused=Refused.by(why, "service", wrote))
    return show.then("/operator/people")


async def _people(
    request: Request,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: Now,
    q: str = "",
    after: str = "",
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    ending = await consents.ending(conn, since=now, until=now + _ENDS_SOON)
    await access.leave_record(conn, viewer, sorted({one.home for one in ending}), "consents that end soon", now=now)
    found = await people.listed(conn, like=q.replace("\0", ""), after=after.replace("\0", ""))
    name, operator = await people.service(conn)
    return show.page(
        request,
        "people.html",
        status=422 if refused.at else 200,
        people=found,
        more=found[-1].person if len(found) == people.PEOPLE_MAX else "",
        search=q,
        ending=ending,
        erased=await erasing.pending(conn),
        called=name,
        last=operator or "",
        kinds=people.KINDS,
        likes=people.LIKES,
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "people"),
    )


@router.get("/operator/people/{person}")
async def show_person(request: Request, person: str, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Show one person, with what they are given and told."""
    return await _person(request, person, viewer, conn, now=now)


@router.post("/operator/people/{person}")
async def change_person(
    request: Request, person: str, viewer: CurrentOperator, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Change what is said about a person."""
    try:
        await people.save(conn, {**wrote, "person": person}, is_new=False, by=viewer.person, now=now)
    except Mistakes as why:
        return await _person(request, person, viewer, conn, now=now, refused=Refused.by(why, "change", wrote))
    return show.then(f"/operator/people/{person}")


@router.post("/operator/people/{person}/leave")
async def let_leave(
    request: Request,
    person: str,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    real_now: RealNow,
    wrote: Written,
) -> Response:
    """Let a person be no longer one of us, once somebody has read what that means."""
    try:
        if not_sure := people.not_sure_of(await people.leaving(conn, person, now=now), wrote):
            raise Mistakes(not_sure)
        await people.leave(conn, person, by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        return await _person(request, person, viewer, conn, now=now, refused=Refused.by(why, "leave", wrote))
    return show.then("/operator/people")


@router.post("/operator/people/{person}/erase")
async def erase_person(
    request: Request,
    person: str,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    real_now: RealNow,
    wrote: Written,
) -> Response:
    """Have a person erased, once their short name was written again under what goes."""
    if "\0" in person:
        raise HTTPException(404)
    try:
        await erasing.erase_person(conn, person, wrote.get("sure", ""), by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        return await _person(request, person, viewer, conn, now=now, refused=Refused.by(why, "erase", wrote))
    return show.then("/operator/people#erasing")


@router.post("/operator/people/{person}/factor")
async def take_factor_away(
    request: Request,
    person: str,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    real_now: RealNow,
    wrote: Written,
) -> Response:
    """Take somebody's password and second factor away, who has lost the authenticator."""
    if "\0" in person:
        raise HTTPException(404)
    try:
        await people.reset_factor(conn, person, wrote.get("why", ""), by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        return await _person(request, person, viewer, conn, now=now, refused=Refused.by(why, "factor", wrote))
    return show.then(f"/operator/people/{person}")


async def _person(
    request: Request,
    person: str,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: Now,
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    one = None if "\0" in person else await people.find(conn, person)
    if one is None:
        raise HTTPException(404)
    given = await consents.given_to(conn, person, now=now)
    await access.leave_record(conn, viewer, sorted({grant.home for grant in given}), "who may see it", now=now)
    return show.page(
        request,
        "person.html",
        status=422 if refused.at else 200,
        person=one,
        given=given,
        means=await people.leaving(conn, person, now=now),
        goes=erasing.of_person(one),
        overrides=await rotas.overrides_of(conn, person, since=now),
        held=await staff.held_by(conn, person),
        changed=await changes.lately(conn, person=person),
        kinds=people.KINDS,
        likes=people.LIKES,
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "people"),
    )

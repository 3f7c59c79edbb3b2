"""People, as an operator's program keeps them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from api import consents
from api.given import Connection, Now, RealNow
from api.office import people
from api.v1 import kept
from api.v1.caller import Wide, leave_record
from api.v1.paging import Cursor, Limit, key_of, next_page
from api.v1.problems import described
from api.v1.tokens import Caller, Scope
from api.v1.writing import fields_of

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

Reader = Annotated[Caller, Depends(Wide(Scope.PEOPLE_READ))]
Writer = Annotated[Caller, Depends(Wide(Scope.PEOPLE_WRITE))]
PersonInPath = Annotated[
    str, Path(description="The person's short name.", max_length=32, pattern=kept.KEY, examples=["anne"])
]
CREATED: Final[dict[int | str, dict[str, Any]]] = {201: {"description": "There was none; it was added."}}


@router.get("/people")
async def list_people(
    request: Request,
    caller: Reader,  # noqa: ARG001 - that it may is what counts
    conn: Connection,
    like: Annotated[str, Query(max_length=60, description="A part of a name, a key or a phone number.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> kept.People:
    """List who is there, by name."""
    after: str = key_of(cursor, str) or ""
    found = await people.listed(conn, like=like.replace("\0", ""), after=after.replace("\0", ""))
    shown = found[:limit]
    is_more = len(found) > limit or len(found) == people.PEOPLE_MAX
    return kept.People(
        items=[_said(one) for one in shown], next=next_page(request, shown[-1].person) if is_more else None
    )


@router.get("/people/{person}")
async def read_person(person: PersonInPath, caller: Reader, conn: Connection, now: Now) -> kept.Person:
    """Say who somebody is; also who left."""
    one = await people.find(conn, person)
    if one is None:
        raise HTTPException(404)
    given = await consents.given_to(conn, person, now=now)
    await leave_record(conn, caller, sorted({sight.home for sight in given}), "who may see it", now=now)
    return _said(one)


@router.put("/people/{person}", responses=CREATED)
async def write_person(
    person: PersonInPath,
    wrote: kept.PersonWritten,
    response: Response,
    caller: Writer,
    conn: Connection,
    now: Now,
) -> kept.Person:
    """Write who somebody is; whole, as often as you like."""
    is_new = await people.find(conn, person) is None
    by = caller.viewer.person
    await people.save(conn, fields_of(wrote, person=person), is_new=is_new, by=by, now=now)
    response.status_code = 201 if is_new else 200
    one = await people.find(conn, person)
    assert one is not None, "it was just written"
    return _said(one)


@router.delete("/people/{person}", status_code=204)
async def let_leave(person: PersonInPath, caller: Writer, conn: Connection, now: Now, real_now: RealNow) -> None:
    """Let somebody be no longer one of us: told no more, signed out, given nothing.  What they hold goes to the next.

    422: their phone gets what nobody else can be told; let somebody else get it first.
    """
    one = await people.find(conn, person)
    if one is None or one.left_at is not None:
        raise HTTPException(404)
    await people.leave(conn, person, by=caller.viewer.person, now=now, real_now=real_now)


@router.get("/service")
async def read_service(caller: Reader, conn: Connection) -> kept.Service:  # noqa: ARG001 - that it may is what counts
    """Say what the service is called, and whose phone gets what nobody else can be told."""
    name, operator = await people.service(conn)
    return kept.Service(name=name or None, operator=operator)


@router.put("/service")
async def write_service(wrote: kept.ServiceWritten, caller: Writer, conn: Connection, now: Now) -> kept.Service:
    """Write what the service is called, and whose phone gets what nobody else can be told."""
    fields = {"service": wrote.name, "operator": wrote.operator}
    await people.set_last(conn, fields, by=caller.viewer.person, now=now)
    return await read_service(caller, conn)


def _said(one: people.Person) -> kept.Person:
    return kept.Person(
        person=one.person,
        name=one.full_name,
        what=one.what,
        phone=one.phone,
        email=one.email,
        likes=one.likes,
        kinds=list(one.kinds),
        left_at=one.left_at,
    )

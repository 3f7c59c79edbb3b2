"""Whom is an operator to ring, because they feel little or no confidence?"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response

from alerts.store import ringing
from api import access, calls, show
from api.access import BIGINT_MAX, CurrentOperator
from api.calls import CameOf
from api.given import Connection, Now
from api.routes import frame

router = APIRouter(prefix="/operator/calls")

_VIEW = "confidence call"
# As the table allows.
_NOTE_MAX = 2000


@router.get("")
async def list_calls(request: Request, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """List who is to be rung, and what came of the calls lately."""
    due, made = await calls.due(conn), await calls.made_lately(conn, now=now)
    await access.leave_record(conn, viewer, sorted({one.home for one in (*due, *made)}), _VIEW, now=now)
    return show.page(
        request,
        "calls.html",
        due=due,
        unanswered=len(await ringing.to_ring(conn, now=now)),
        made=made,
        now=now,
        came_of=calls.CAME_OF,
        **frame.facts(request, viewer, "calls"),
    )


async def known_call(call: str, viewer: CurrentOperator, conn: Connection, now: Now) -> int:
    """Return the call in the path, for an operator, and leave the record."""
    number = int(call) if call.isascii() and call.isdecimal() and len(call) < 20 else 0
    home = await calls.home_of(conn, number) if 0 < number <= BIGINT_MAX else None
    if home is None:
        raise HTTPException(404)
    await access.leave_record(conn, viewer, [home], _VIEW, now=now)
    return number


KnownCall = Annotated[int, Depends(known_call)]


@router.post("/{call}/take")
async def take(call: KnownCall, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Write down that this operator will ring."""
    await calls.take(conn, call, viewer.person, now=now)
    return show.then("/operator/calls")


@router.post("/{call}/no-answer")
async def say_no_answer(call: KnownCall, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Write down that it was rung in vain; the call stays due."""
    await calls.no_answer(conn, call, viewer.person, now=now)
    return show.then("/operator/calls")


@router.post("/{call}/close")
async def close(
    call: KnownCall,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    came_of: Annotated[CameOf, Form()],
    note: Annotated[str, Form(max_length=_NOTE_MAX)] = "",
) -> Response:
    """Write down what came of the call."""
    await calls.close(conn, call, viewer.person, came_of, note.replace("\0", "").strip() or None, now=now)
    return show.then("/operator/calls")

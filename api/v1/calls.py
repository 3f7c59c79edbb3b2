"""Who is to be rung because they feel little or no confidence, for an operator's program: list, take, close.

As on the page: that a call is due is said, never what was answered.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from api import access, calls
from api.given import Connection, Now
from api.v1 import kept
from api.v1.caller import Wide, leave_record
from api.v1.problems import Conflict, described
from api.v1.tokens import Caller, Scope
from api.v1.writing import SentOnce, once

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

_VIEW = "confidence call"
Answerer = Annotated[Caller, Depends(Wide(Scope.CALLS_ANSWER))]
CallInPath = Annotated[int, Path(ge=1, le=access.BIGINT_MAX, description="The call's number.", examples=[1])]


@router.get("/calls")
async def list_calls(
    caller: Answerer,
    conn: Connection,
    now: Now,
    state: Annotated[
        Literal["due", "closed"], Query(description="Closed: in the last 28 days, the newest first.")
    ] = "due",
) -> kept.Calls:
    """List who is to be rung, the oldest first; at most 100: the rest is there when these are done."""
    found = await calls.due(conn) if state == "due" else await calls.made_lately(conn, now=now)
    await leave_record(conn, caller, sorted({one.home for one in found}), _VIEW, now=now)
    return kept.Calls(items=[_said(one) for one in found])


async def known_call(call: CallInPath, caller: Answerer, conn: Connection, now: Now) -> calls.Call:
    """Return the call in the path, and leave the record."""
    one = await calls.find(conn, call)
    if one is None:
        raise HTTPException(404)
    await leave_record(conn, caller, [one.home], _VIEW, now=now)
    return one


KnownCall = Annotated[calls.Call, Depends(known_call)]


@router.post("/calls/{call}/take", responses=described(409))
async def take(call: KnownCall, caller: Answerer, conn: Connection, now: Now) -> kept.Call:
    """Write down that this token's person will ring."""
    _require_due(call)
    await calls.take(conn, call.call, caller.viewer.person, now=now)
    return await _as_it_is(conn, call.call)


@router.post("/calls/{call}/no-answer", responses=described(409))
async def say_no_answer(call: KnownCall, caller: Answerer, conn: Connection, now: Now, sent: SentOnce) -> kept.Call:
    """Write down that it was rung in vain; the call stays due."""
    _require_due(call)

    async def count() -> int:
        await calls.no_answer(conn, call.call, caller.viewer.person, now=now)
        return call.call

    await once(conn, sent, count)
    return await _as_it_is(conn, call.call)


@router.post("/calls/{call}/close", responses=described(409))
async def close(call: KnownCall, wrote: kept.CallClosed, caller: Answerer, conn: Connection, now: Now) -> kept.Call:
    """Write down what came of the call; what was answered is not asked for."""
    _require_due(call)
    note = (wrote.note or "").replace("\0", "").strip() or None
    await calls.close(conn, call.call, caller.viewer.person, wrote.came_of, note, now=now)
    return await _as_it_is(conn, call.call)


def _require_due(call: calls.Call) -> None:
    if call.closed_at is not None:
        raise Conflict(f"This call is closed: {call.came_of}.")


async def _as_it_is(conn: Connection, call: int) -> kept.Call:
    one = await calls.find(conn, call)
    assert one is not None, "calls are never deleted"
    return _said(one)


def _said(one: calls.Call) -> kept.Call:
    return kept.Call(
        call=one.call,
        home=one.home,
        resident=one.resident,
        name=one.full_name,
        phone=one.phone,
        email=one.email,
        opened_at=one.opened_at,
        ring_by=one.due_by,
        taken_by=one.taken_by,
        tries=one.tries,
        rung_at=one.rung_at,
        rung_by=one.rung_by,
        closed_at=one.closed_at,
        came_of=one.came_of,
    )

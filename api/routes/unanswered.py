"""Who was asked how confident they feel and has not answered, so that a person rings and asks them?"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts.store import ringing
from api import access, show
from api.access import BIGINT_MAX, CurrentOperator
from api.given import Connection, Now
from api.routes import confidence, frame
from api.store import Viewer

router = APIRouter(prefix="/operator/unanswered")

_VIEW: Final = "confidence call"
_HERE: Final = "/operator/unanswered"
_MISSED: Final = "Nothing was kept: this person has answered meanwhile, or the time to answer is over."


@router.get("")
async def list_unanswered(request: Request, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """List who is to be rung, with the question as it is read aloud."""
    return await _page(request, viewer, conn, now=now)


async def _page(
    request: Request, viewer: Viewer, conn: AsyncConnection, *, now: Now, problem: str | None = None
) -> Response:
    found = await ringing.to_ring(conn, now=now)
    await access.leave_record(conn, viewer, sorted({one.home for one in found}), _VIEW, now=now)
    return show.page(
        request,
        "unanswered.html",
        status=200 if problem is None else 409,
        unanswered=found,
        problem=problem,
        now=now,
        **frame.facts(request, viewer, "calls"),
    )


async def known_asking(asking: str, viewer: CurrentOperator, conn: Connection, now: Now) -> int:
    """Return the asking in the path, for an operator, and leave the record."""
    number = int(asking) if asking.isascii() and asking.isdecimal() and len(asking) < 20 else 0
    home = await ringing.home_of(conn, number) if 0 < number <= BIGINT_MAX else None
    if home is None:
        raise HTTPException(404)
    await access.leave_record(conn, viewer, [home], _VIEW, now=now)
    return number


KnownAsking = Annotated[int, Depends(known_asking)]


@router.post("/{asking}/answer")
async def take_answer(
    request: Request,
    asking: KnownAsking,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    answer: Annotated[str, Form(max_length=20)] = "",
    words: Annotated[str, Form(max_length=confidence.WORDS_MAX)] = "",
) -> Response:
    """Keep what somebody answered on the phone; it is shown to nobody afterwards."""
    if answer not in confidence.ANSWERS:
        raise HTTPException(422)
    said = words.replace("\0", "").strip() or None
    if not await ringing.take_answer(conn, asking, confidence.ANSWERS[answer], said, by=viewer.person, now=now):
        return await _page(request, viewer, conn, now=now, problem=_MISSED)
    return show.then(_HERE)


@router.post("/{asking}/not-reached")
async def say_not_reached(asking: KnownAsking, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Write down that it was rung in vain."""
    await ringing.not_reached(conn, asking, by=viewer.person, now=now)
    return show.then(_HERE)


@router.post("/{asking}/wants-no-question")
async def say_wants_none(asking: KnownAsking, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Write down that this person does not want to be asked; nobody rings them about it again."""
    await ringing.wants_no_question(conn, asking, by=viewer.person, now=now)
    return show.then(_HERE)

"""Tokens for programs, as operators keep them: listed, made, shown once, revoked."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from api import programs, show
from api.access import CurrentOperator
from api.given import Connection, Now, RealNow
from api.office.said import Mistakes
from api.programs import Made
from api.routes import frame, office
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.store import Viewer
from api.v1 import tokens

router = APIRouter()


@router.get("/operator/tokens")
async def list_tokens(request: Request, viewer: CurrentOperator, conn: Connection, real_now: RealNow) -> Response:
    """List the tokens, with a form to make one."""
    return await _tokens(request, viewer, conn, real_now=real_now)


@router.post("/operator/tokens")
async def make_token(
    request: Request, viewer: CurrentOperator, conn: Connection, now: Now, real_now: RealNow, wrote: Written
) -> Response:
    """Make a token; the answer shows it, and nobody can have it shown a second time."""
    try:
        made = await programs.make(conn, wrote, by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        refused = Refused.by(why, "make", wrote)
        return await _tokens(request, viewer, conn, real_now=real_now, refused=refused)
    return await _tokens(request, viewer, conn, real_now=real_now, made=made)


@router.post("/operator/tokens/revoke")
async def revoke_token(
    request: Request, viewer: CurrentOperator, conn: Connection, now: Now, real_now: RealNow, wrote: Written
) -> Response:
    """Let a token open nothing from now on."""
    try:
        await programs.revoke(conn, wrote.get("token", ""), by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        refused = Refused.by(why, "revoke", wrote)
        return await _tokens(request, viewer, conn, real_now=real_now, refused=refused)
    return show.then("/operator/tokens")


async def _tokens(
    request: Request,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    real_now: RealNow,
    refused: Refused = NOTHING_REFUSED,
    made: Made | None = None,
) -> Response:
    return show.page(
        request,
        "tokens.html",
        status=422 if refused.at else 200,
        made=made,
        tokens=await tokens.listed(conn),
        scopes=[(scope.value, said) for scope, said in programs.SCOPES.items()],
        days_usual=programs.DAYS_USUAL,
        days_max=tokens.DAYS_MAX,
        now=real_now,
        **office.facts(refused),
        **frame.facts(request, viewer, "people"),
    )

"""A carer writes down that a resident is away, or asked not to be watched over for a time, and takes it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts.store import pauses
from api import show
from api.access import CurrentViewer, Look
from api.given import Connection, Now
from api.office import away
from api.office.said import Mistakes
from api.routes import frame, office
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.store import Viewer
from gateway.reading import HomeId

router = APIRouter()

AwayHome = Annotated[HomeId, Depends(Look("away", "carer"))]


@router.get("/homes/{home}/away")
async def show_away(request: Request, home: AwayHome, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Show whether somebody is away, with a form to write it down."""
    return await _page(request, home, viewer, conn, now=now)


@router.post("/homes/{home}/away/away")
async def begin_away(
    request: Request, home: AwayHome, viewer: CurrentViewer, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Write down that somebody is away, or asked not to be watched over."""
    try:
        await away.begin(conn, home, wrote, by=viewer.person, now=now)
    except Mistakes as why:
        return await _page(request, home, viewer, conn, now=now, refused=Refused.by(why, "away", wrote))
    return show.then(f"/homes/{home}/away")


@router.post("/homes/{home}/away/away-gone")
async def end_away(request: Request, home: AwayHome, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Have somebody look for the resident again."""
    nothing: Mapping[str, str] = {}
    try:
        await away.end(conn, home, by=viewer.person, now=now)
    except Mistakes as why:
        return await _page(request, home, viewer, conn, now=now, refused=Refused.by(why, "away-gone", nothing))
    return show.then(f"/homes/{home}/away")


async def _page(
    request: Request,
    home: str,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: datetime,
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    return show.page(
        request,
        "away.html",
        status=422 if refused.at else 200,
        home=home,
        here=f"/homes/{home}/away",
        resident=await frame.resident_of(conn, home),
        pause=await pauses.of_home(conn, home, now=now),
        kinds_of_pause=away.KINDS,
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "carer"),
    )

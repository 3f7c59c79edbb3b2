"""When am I on?  A carer's own rota; and the rota of all teams, as operators keep it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts.store import rotas
from api import access, show
from api.access import CurrentOperator, CurrentViewer
from api.given import Connection, Now
from api.office import duty
from api.office.said import Mistakes
from api.routes import frame, office
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.store import Viewer
from api.views import rota as words

router = APIRouter()

# A carer on duty in more homes than these has a team's page at the operator's.  Ours.
_HOMES_MAX: Final = 20
_TEAMS_MAX: Final = 20


@router.get("/rota")
async def show_own(request: Request, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Show when this person is on duty in the week to come, home by home."""
    return await _own(request, viewer, conn, now=now)


@router.post("/rota/cannot")
async def say_cannot(request: Request, viewer: CurrentViewer, conn: Connection, now: Now, wrote: Written) -> Response:
    """Write that this person cannot for a time, and who stands in, if anybody does."""
    mine = {name: wrote.get(name, "") for name in ("since", "until", "instead")}
    try:
        if mine["instead"] and mine["instead"] not in {key for key, _ in await duty.colleagues(conn, viewer.person)}:
            raise Mistakes([duty.no_colleague()])
        await duty.add_override(conn, {**mine, "person": viewer.person}, by=viewer.person, now=now)
    except Mistakes as why:
        return await _own(request, viewer, conn, now=now, refused=Refused.by(why, "cannot", wrote))
    return show.then("/rota")


@router.post("/rota/can-again")
async def say_can_again(
    request: Request, viewer: CurrentViewer, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Take back that this person cannot, or that they stand in."""
    try:
        await duty.remove_override(
            conn, office.number(wrote.get("override", "")), by=viewer.person, now=now, of=viewer.person
        )
    except Mistakes as why:
        return await _own(request, viewer, conn, now=now, refused=Refused.by(why, "can-again", wrote))
    return show.then("/rota")


@router.post("/rota/take")
async def take_over(request: Request, viewer: CurrentViewer, conn: Connection, now: Now, wrote: Written) -> Response:
    """Stand in for a colleague who cannot and for whom nobody does."""
    try:
        await duty.take_over(conn, office.number(wrote.get("override", "")), viewer.person, now=now)
    except Mistakes as why:
        return await _own(request, viewer, conn, now=now, refused=Refused.by(why, "take", wrote))
    return show.then("/rota")


async def _own(
    request: Request,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: datetime,
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    on_rota = (await rotas.homes_with(conn, viewer.person, since=now))[:_HOMES_MAX]
    await access.leave_record(conn, viewer, on_rota, "rota", now=now)
    weeks = []
    for home in on_rota:
        ahead = await duty.ahead(conn, home, now=now)
        # Who lives there is for those who may see the home; who is on its rota may not yet.
        called = (await frame.resident_of(conn, home)).full_name if home in viewer.homes else home
        weeks.append(words.week(ahead, called, viewer.person, await duty.names(conn, ahead), now=now))
    return show.page(
        request,
        "rota.html",
        status=422 if refused.at else 200,
        weeks=weeks,
        now_on=words.now_on(weeks, now=now),
        own=await rotas.overrides_of(conn, viewer.person, since=now),
        open_=await duty.nobody_instead(conn, viewer.person, now=now),
        colleagues=await duty.colleagues(conn, viewer.person),
        phone=await duty.phone_of(conn, viewer.person),
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "rota"),
    )


# -- the operator's


@router.get("/operator/rota")
async def show_all(request: Request, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Show the teams with their shifts, who cannot, and hours in which nobody but the operator is told."""
    return await _all(request, viewer, conn, now=now)


Act = Callable[[AsyncConnection[Any], Mapping[str, str], dict[str, Any]], Awaitable[object]]
_PARTS: Final[dict[str, Act]] = {
    "team": lambda conn, wrote, by: duty.save_team(conn, wrote, **by),
    "shift": lambda conn, wrote, by: duty.add_shift(conn, wrote, **by),
    "shift-gone": lambda conn, wrote, by: duty.remove_shift(conn, office.number(wrote.get("shift", "")), **by),
    "cover": lambda conn, wrote, by: duty.add_override(conn, wrote, **by),
    "cover-gone": lambda conn, wrote, by: duty.remove_override(conn, office.number(wrote.get("override", "")), **by),
}


@router.post("/operator/rota/{part}")
async def write_part(
    request: Request, part: str, viewer: CurrentOperator, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Write one part of the rota."""
    act = _PARTS.get(part)
    if act is None:
        raise HTTPException(404)
    try:
        await act(conn, wrote, {"by": viewer.person, "now": now})
    except Mistakes as why:
        return await _all(request, viewer, conn, now=now, refused=Refused.by(why, part, wrote))
    return show.then(f"/operator/rota#{part.removesuffix('-gone')}")


async def _all(
    request: Request,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: datetime,
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    teams = (await rotas.teams(conn))[:_TEAMS_MAX]
    gaps = await duty.gaps(conn, now=now)
    await access.leave_record(conn, viewer, [home for home, _ in gaps], "rota", now=now)
    return show.page(
        request,
        "rotas.html",
        status=422 if refused.at else 200,
        teams=[(team, await rotas.shifts_of_team(conn, team.team)) for team in teams],
        overrides=await rotas.all_overrides(conn, since=now),
        gaps=gaps,
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "rotas"),
    )

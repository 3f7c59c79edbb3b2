"""Where am I signed in, and with what?  What everybody sees of themselves."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import show
from api.access import CurrentViewer
from api.given import Connection, Given, GivenToAll, RealNow
from api.routes import frame
from api.routes.let_in import let_out
from api.routes.office import Written, number
from api.signing_in import identities, sessions, staff
from api.signing_in.sessions import Way
from api.store import Viewer

router = APIRouter()

_WAYS: Final[dict[Way, str]] = {
    "link": "a link",
    "password": "a password and a code",
    "provider": "your employer's log-in",
}


@router.get("/me")
async def show_me(
    request: Request, viewer: CurrentViewer, world: GivenToAll, conn: Connection, real_now: RealNow
) -> Response:
    """Show where this person is signed in, and with what."""
    return show.page(
        request,
        "me.html",
        sessions=await sessions.listed(conn, viewer.person, viewer.session, real_now=real_now),
        ways=_WAYS,
        may_have_password=world.seals is not None and await staff.may_have(conn, viewer.person),
        held=await staff.held_by(conn, viewer.person),
        own=await _own(world, conn, viewer, real_now=real_now),
        named=world.provider.named if world.provider is not None else "",
        now=real_now,
        **frame.facts(request, viewer, "me"),
    )


async def _own(world: Given, conn: Connection, viewer: Viewer, *, real_now: RealNow) -> identities.Own | None:
    if world.provider is None:
        return None
    return await identities.own(conn, viewer.person, viewer.session, world.provider.issuer, real_now=real_now)


@router.post("/me/sign-out")
async def sign_out_there(viewer: CurrentViewer, conn: Connection, real_now: RealNow, wrote: Written) -> Response:
    """End one of one's own sessions."""
    await sessions.end_numbered(conn, viewer.person, number(wrote.get("number", "")), real_now=real_now)
    return show.then("/me")


@router.post("/me/sign-out-everywhere")
async def sign_out_everywhere(
    viewer: CurrentViewer, world: GivenToAll, conn: Connection, real_now: RealNow
) -> Response:
    """End all of one's own sessions, this one too, and let no link that is on its way open anything."""
    await sessions.end_all(conn, viewer.person, real_now=real_now)
    return let_out(world)

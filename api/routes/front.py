"""Where does somebody begin?"""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import access, records, show
from api.access import CurrentViewer, MaybeViewer
from api.given import Connection, GivenToAll, Now
from api.routes import frame
from api.views import state

router = APIRouter()

# Ours: a person with more homes as family than these is no family.
_HOMES_MAX: Final = 200


@router.get("/")
async def begin(request: Request, viewer: MaybeViewer, conn: Connection) -> Response:
    """Lead to what matters most to whoever this is: an open alert, then the home, or one's own sheet, or the log-in."""
    if viewer is None:
        return show.to_log_in(request)
    if viewer.is_operator:
        return show.then("/operator")
    cared_for = viewer.homes_as("carer")
    is_needed = cared_for and any(not one.is_fault for one in await alerts_store.open_alerts(conn, cared_for))
    if not viewer.homes and (own := await records.homes_lived_in(conn, viewer.person)):
        return show.then(f"/homes/{own[0]}/sheet")
    if is_needed or not viewer.homes_as("family"):
        return show.then("/carer")
    return show.then("/homes")


@router.get("/homes")
async def list_homes(
    request: Request, viewer: CurrentViewer, world: GivenToAll, conn: Connection, now: Now
) -> Response:
    """List the homes that this person was given as family; the only one is shown at once."""
    homes = viewer.homes_as("family")
    if len(homes) == 1:
        return show.then(f"/homes/{homes[0]}")
    await access.leave_record(conn, viewer, homes, "list of homes", now=now)
    seen = await frame.seen_homes(world, conn, homes, now=now, most=_HOMES_MAX)
    return show.page(
        request,
        "homes.html",
        homes=seen,
        more=len(homes) - len(seen),
        lease=state.lease([one.told for one in seen], is_alert=False),
        now=now,
        **frame.facts(request, viewer, "homes"),
    )

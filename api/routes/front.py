"""Where does somebody begin?"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import access, show
from api.access import CurrentViewer, MaybeViewer
from api.given import Connection, Now
from api.routes import frame

router = APIRouter()


@router.get("/")
async def begin(request: Request, viewer: MaybeViewer, conn: Connection) -> Response:
    """Lead to what matters most to whoever this is: an open alert, then the home, then the log-in."""
    if viewer is None:
        return show.to_log_in(request)
    cared_for = viewer.homes_as("carer")
    is_needed = cared_for and any(not one.is_fault for one in await alerts_store.open_alerts(conn, cared_for))
    if is_needed or not viewer.homes_as("family"):
        return show.then("/carer")
    return show.then("/homes")


@router.get("/homes")
async def list_homes(request: Request, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """List the homes that this person was given as family; the only one is shown at once."""
    homes = viewer.homes_as("family")
    if len(homes) == 1:
        return show.then(f"/homes/{homes[0]}")
    await access.leave_record(conn, viewer, homes, "list of homes", now=now)
    residents = [await frame.resident_of(conn, home) for home in homes]
    return show.page(request, "homes.html", residents=residents, **frame.facts(request, viewer, "homes"))

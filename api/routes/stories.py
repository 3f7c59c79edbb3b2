"""The stories of a home: every alert there was, and how it ended."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import show
from api.access import AlertHome, CurrentViewer
from api.given import Connection, Now
from api.routes import frame
from api.views import alert as words

router = APIRouter()

_PAGE: Final = 30
# Alerts are kept for as long as the home is; a page that goes back further than this is asked of the operator.  Ours.
_BACK: Final = timedelta(days=3653)


@router.get("/homes/{home}/alerts")
async def list_stories(
    request: Request,
    home: AlertHome,
    viewer: CurrentViewer,
    conn: Connection,
    now: Now,
    number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
) -> Response:
    """List the alerts of a home, newest first, thirty at a time; faults of its equipment are told too."""
    resident = await frame.resident_of(conn, home)
    behind = (number - 1) * _PAGE
    found = await alerts_store.recent_alerts(conn, home, now - _BACK, most=_PAGE + 1, behind=behind)
    here = f"/homes/{home}/alerts?page="
    stories = [
        (one, words.sentence(one, resident.first_name, now=now), words.ending(one, now=now) or words.who_goes(one))
        for one in found[:_PAGE]
    ]
    return show.page(
        request,
        "stories.html",
        home=home,
        now=now,
        resident=resident,
        stories=stories,
        pages={
            "before": f"{here}{number - 1}" if number > 1 else None,
            "next": f"{here}{number + 1}" if len(found) > _PAGE else None,
        },
        **frame.facts(request, viewer, "stories" if "family" in viewer.homes.get(home, ()) else "carer"),
    )

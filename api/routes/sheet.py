"""The resident's sheet: who can see what, who is told, and who looked; to read, and to print."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import access, consents, records, show, times
from api.access import CurrentViewer, SheetHome
from api.given import Connection, Now
from api.routes import frame
from api.views import looks

router = APIRouter()

_FOUR_WEEKS: Final = timedelta(days=28)
# A sheet of paper; every look has pages of its own.  Ours.
_LOOKS: Final = 12
_LOOKS_PAGE: Final = 100
_EVER: Final = timedelta(days=3653)


@router.get("/homes/{home}/sheet")
async def show_sheet(request: Request, home: SheetHome, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Show the sheet.  The resident, or an operator who prints it, reads who looked; a relative of their own looks."""
    resident = await frame.resident_of(conn, home)
    by = await access.whose_looks(conn, viewer, home)
    found = await records.looks_at(conn, home, since=now - _FOUR_WEEKS, most=_LOOKS + 1, by=by)
    grants, operators = await records.grants_of(conn, home, now=now), await records.operators(conn)
    counts = await records.count_looks(conn, home, since=now - _FOUR_WEEKS)
    return show.page(
        request,
        "sheet.html",
        now=now,
        home=home,
        resident=resident,
        today=times.long_day(times.local_date(now)),
        sees=looks.who_sees([one for one in grants if one.full_name not in operators]),
        operators=operators,
        agreed=looks.agreed(await consents.of_home(conn, home), now=now),
        told=await alerts_store.telling_of(conn, home, at=now),
        looks=looks.to_the_resident(found[:_LOOKS], now=now),
        is_more=len(found) > _LOOKS,
        counts=counts if by is None else [(name, n) for name, n in counts if name == viewer.full_name],
        is_of_all=by is None,
        may_see_home="family" in viewer.homes.get(home, ()),
        since=times.long_day(times.local_date(now - _FOUR_WEEKS)),
        **frame.facts(request, viewer, "fleet" if viewer.is_operator else "sheet"),
    )


@router.get("/homes/{home}/sheet/looks")
async def show_looks(
    request: Request,
    home: SheetHome,
    viewer: CurrentViewer,
    conn: Connection,
    now: Now,
    number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
) -> Response:
    """Show every look at a home, newest first, a hundred at a time."""
    by = await access.whose_looks(conn, viewer, home)
    behind = (number - 1) * _LOOKS_PAGE
    found = await records.looks_at(conn, home, since=now - _EVER, most=_LOOKS_PAGE + 1, behind=behind, by=by)
    here = f"/homes/{home}/sheet/looks?page="
    return show.page(
        request,
        "looks.html",
        now=now,
        home=home,
        resident=await frame.resident_of(conn, home),
        looks=looks.to_the_resident(found[:_LOOKS_PAGE], now=now),
        is_of_all=by is None,
        pages={
            "before": f"{here}{number - 1}" if number > 1 else None,
            "next": f"{here}{number + 1}" if len(found) > _LOOKS_PAGE else None,
        },
        **frame.facts(request, viewer, "fleet" if viewer.is_operator else "sheet"),
    )

"""What is published of how confident families feel: for everybody who has the address, signed in or not.

Nothing here is about a home: what is served are the bytes that were published, and two counts of what was not yet.
"""

from typing import Final, cast

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from api import ledger, publishing, show, store
from api.given import Connection, Now
from api.ledger import Quarter
from api.publishing import Form
from api.views import series

router = APIRouter()

_KINDS: Final = {"page": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}
# As the table allows.
_EDITIONS_MAX: Final = 32_767


@router.get("/ledger")
async def list_editions(request: Request, conn: Connection, now: Now) -> Response:
    """List what was published, draw it over time, and say how many were asked and answered since."""
    published = await publishing.newest_of_each(conn, before=publishing.open_quarter(now=now))
    return show.page(
        request,
        "ledger.html",
        service=await store.service_name(conn),
        editions=await publishing.editions(conn),
        series=series.series_of(published, ledger.AUDIENCES),
        so_far=await publishing.so_far(conn, now=now),
        audiences=ledger.AUDIENCES,
    )


@router.get("/ledger/{quarter}")
async def show_newest(quarter: str, conn: Connection) -> Response:
    """Show the newest edition of a quarter."""
    return await _published(conn, quarter, None, "page")


@router.get("/ledger/{quarter}/{edition}")
async def show_edition(quarter: str, edition: str, conn: Connection) -> Response:
    """Show one edition of a quarter, for good."""
    return await _published(conn, quarter, edition, "page")


@router.get("/ledger/{quarter}/{edition}/ledger.{form}")
async def give_file(quarter: str, edition: str, form: str, conn: Connection) -> Response:
    """Give one edition of a quarter as CSV or JSON."""
    if form not in {"csv", "json"}:
        raise HTTPException(404)
    return await _published(conn, quarter, edition, cast(Form, form))


async def _published(conn: Connection, quarter: str, edition: str | None, form: Form) -> Response:
    which = Quarter.read(quarter)
    number = None
    if edition is not None:
        is_number = edition.isascii() and edition.isdecimal() and len(edition) <= len(str(_EDITIONS_MAX))
        number = int(edition) if is_number else 0
    if which is None or (number is not None and not 0 < number <= _EDITIONS_MAX):
        raise HTTPException(404)
    content = await publishing.content(conn, which, number, form)
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type=_KINDS[form])

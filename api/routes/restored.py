"""The database was put back to an older moment: what is told again, what is dropped, and what is lost?"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from alerts.store import restores
from api import access, show
from api.access import BIGINT_MAX, CurrentOperator
from api.given import Connection, Now
from api.routes import frame

router = APIRouter(prefix="/operator/restored")

_VIEW = "restored from a backup"
_WHY_MAX = 500


@router.get("")
async def show_restored(request: Request, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """List what the operator decides after a restore, which hubs are not back, and what is gone for good."""
    found = await restores.latest(conn)
    texts = await restores.texts_to_decide(conn)
    alerts = await restores.alerts_to_decide(conn, found) if found else []
    lost = await restores.lost_since(conn, found) if found else []
    silent = await restores.not_back_since(conn, found) if found else []
    named = [*(one.home for one in texts), *(one.home for one in alerts), *(one.home for one in lost)]
    homes = {home for home in (*named, *(home for _, home in silent)) if home}
    await access.leave_record(conn, viewer, sorted(homes), _VIEW, now=now)
    residents = await alerts_store.residents_of(conn, sorted(homes))
    return show.page(
        request,
        "restored.html",
        found=found,
        texts=texts,
        alerts=alerts,
        lost=lost,
        silent=silent,
        names={home: frame.resident_in(residents, home).full_name for home in homes},
        now=now,
        **frame.facts(request, viewer, "restored"),
    )


def known_number(number: str, viewer: CurrentOperator) -> int:  # noqa: ARG001 - a stranger is sent to log in first
    """Return the number in the path, for an operator, as far as it can be one of a row."""
    said = int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else 0
    if not 0 < said <= BIGINT_MAX:
        raise HTTPException(404)
    return said


KnownNumber = Annotated[int, Depends(known_number)]


@router.post("/texts/{number}/tell")
async def tell(number: KnownNumber, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:
    """Send a held text now."""
    await restores.decide(conn, number, is_told=True, why="", by=viewer.person, now=now)
    return show.then("/operator/restored")


@router.post("/texts/{number}/drop")
async def drop(
    number: KnownNumber,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    why: Annotated[str, Form(max_length=_WHY_MAX)] = "",
) -> Response:
    """Drop a held text, for a reason."""
    said = why.replace("\0", "").strip()
    if not said:
        raise HTTPException(422)
    await restores.decide(conn, number, is_told=False, why=said, by=viewer.person, now=now)
    return show.then("/operator/restored")


@router.post("/alerts/{number}/tell")
async def tell_on(number: KnownNumber, viewer: CurrentOperator, conn: Connection, now: Now) -> Response:  # noqa: ARG001 - who may is what matters
    """Have an alert told on at once."""
    await restores.tell_on(conn, number, now=now)
    return show.then("/operator/restored")

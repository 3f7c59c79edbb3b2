"""How does an operator set up a home: who lives there, rooms, sensors, the box, who is told, who may see what?"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store import pauses, rotas
from api import consents, show, times
from api.access import CurrentOperator, OperatorsLook
from api.given import Connection, Given, GivenToAll, Now, RealNow
from api.office import agreed, away, changes, duty, erasing, homes, hubs, people, said
from api.office.said import Mistakes
from api.routes import frame, office
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.store import Viewer
from gateway.reading import HomeId

router = APIRouter()

SetUpHome = Annotated[HomeId, Depends(OperatorsLook("set-up"))]
Act = Callable[[AsyncConnection[Any], Given, str, Mapping[str, str], dict[str, Any]], Awaitable[object]]


@router.get("/operator/homes/new")
async def begin_home(request: Request, viewer: CurrentOperator) -> Response:
    """Show the form of a new home."""
    return _new(request, viewer)


@router.post("/operator/homes/new")
async def add_home(
    request: Request, viewer: CurrentOperator, world: GivenToAll, conn: Connection, now: Now, wrote: Written
) -> Response:
    """Add a home with its resident; the rest of it is set up on its own page."""
    try:
        home = await homes.add(conn, world.config.database_url, wrote, by=viewer.person, now=now)
    except Mistakes as why:
        return _new(request, viewer, Refused.by(why, "new", wrote))
    return show.then(f"/operator/homes/{home}/setup")


def _new(request: Request, viewer: Viewer, refused: Refused = NOTHING_REFUSED) -> Response:
    status = 422 if refused.at else 200
    return show.page(
        request, "home_new.html", status=status, **office.facts(refused), **frame.facts(request, viewer, "fleet")
    )


@router.get("/operator/homes/{home}/setup")
async def show_setup(
    request: Request, home: SetUpHome, viewer: CurrentOperator, conn: Connection, now: Now
) -> Response:
    """Show everything that is written of a home, with a form for each part, and what is still to do."""
    return await _setup(request, home, viewer, conn, now=now)


# Each part of the page is one form, and one function of the office behind it.
_PARTS: Final[dict[str, Act]] = {
    "resident": lambda conn, _, home, wrote, by: homes.save_resident(conn, home, wrote, **by),
    "rooms": lambda conn, _, home, wrote, by: homes.save_rooms(conn, home, wrote, **by),
    "sensor": lambda conn, world, home, wrote, by: homes.save_sensor(
        conn, world.config.database_url, home, wrote, **by
    ),
    "sensor-gone": lambda conn, _, home, wrote, by: homes.remove_sensor(conn, home, wrote.get("sensor", ""), **by),
    "told": lambda conn, _, home, wrote, by: homes.save_told(conn, home, wrote, **by),
    "team": lambda conn, _, home, wrote, by: duty.set_home_team(conn, home, wrote, **by),
    "shift": lambda conn, _, home, wrote, by: duty.add_shift(conn, {**wrote, "home": home, "team": ""}, **by),
    "shift-gone": lambda conn, _, home, wrote, by: duty.remove_shift(
        conn, office.number(wrote.get("shift", "")), home=home, **by
    ),
    "care": lambda conn, _, home, wrote, by: agreed.give_care(conn, home, wrote, **by),
    "sight": lambda conn, _, home, wrote, by: agreed.give_sight(conn, home, wrote, **by),
    "withdraw": lambda conn, _, home, wrote, by: agreed.withdraw(
        conn, office.number(wrote.get("consent", "")), home=home, **by
    ),
    "away": lambda conn, _, home, wrote, by: away.begin(conn, home, wrote, **by),
    "away-gone": lambda conn, _, home, __, by: away.end(conn, home, **by),
    "hub-gone": lambda conn, _, home, wrote, by: hubs.revoke(conn, wrote.get("hub", ""), home=home, **by),
}


@router.post("/operator/homes/{home}/setup/hub")
async def add_hub(
    request: Request,
    home: SetUpHome,
    viewer: CurrentOperator,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    wrote: Written,
) -> Response:
    """Let a new hub speak for a home; the answer is its configuration file, and nobody can have it a second time."""
    try:
        added = await hubs.add(
            conn, world.config.database_url, home, wrote, broker=world.config.hubs_broker, by=viewer.person, now=now
        )
    except Mistakes as why:
        return await _setup(request, home, viewer, conn, now=now, refused=Refused.by(why, "hub", wrote))
    named = {"Content-Disposition": f'attachment; filename="{added.hub}.toml"'}
    return Response(added.configuration, media_type="application/toml", headers=named)


@router.post("/operator/homes/{home}/setup/{part}")
async def set_up_part(
    request: Request,
    home: SetUpHome,
    part: str,
    viewer: CurrentOperator,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    wrote: Written,
) -> Response:
    """Write one part of what is set up of a home."""
    act = _PARTS.get(part)
    if act is None:
        raise HTTPException(404)
    try:
        await act(conn, world, home, wrote, {"by": viewer.person, "now": now})
    except Mistakes as why:
        return await _setup(request, home, viewer, conn, now=now, refused=Refused.by(why, part, wrote))
    return show.then(f"/operator/homes/{home}/setup#{part.removesuffix('-gone')}")


@router.post("/operator/homes/{home}/erase")
async def erase_home(
    request: Request,
    home: SetUpHome,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    real_now: RealNow,
    wrote: Written,
) -> Response:
    """Have a home erased, once its name was written again under what goes."""
    try:
        await erasing.erase_home(conn, home, wrote.get("sure", ""), by=viewer.person, now=now, real_now=real_now)
    except Mistakes as why:
        return await _setup(request, home, viewer, conn, now=now, refused=Refused.by(why, "erase", wrote))
    return show.then("/operator/people#erasing")


async def _setup(
    request: Request,
    home: str,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    *,
    now: datetime,
    refused: Refused = NOTHING_REFUSED,
) -> Response:
    told = await rotas.always_told(conn, home)
    team = await rotas.team_of(conn, home)
    ahead = await duty.ahead(conn, home, now=now)
    resident = await alerts_store.resident_of(conn, home)
    return show.page(
        request,
        "home_setup.html",
        status=422 if refused.at else 200,
        home=home,
        resident=resident,
        signs_in_as=await homes.signs_in_as(conn, home) or "",
        rooms=await homes.rooms(conn, home),
        sensors=await homes.sensors(conn, home),
        hubs=await homes.hubs(conn, home),
        usual_hub=hubs.usual_name(home),
        told=told,
        contacts=await alerts_store.telling_of(conn, home, at=now),
        team=team or "",
        pause=await pauses.of_home(conn, home, now=now),
        kinds_of_pause=away.KINDS,
        teams=await rotas.teams(conn),
        shifts=await rotas.shifts_of(conn, home),
        gaps=ahead.gaps,
        consents=[one for one in await consents.of_home(conn, home) if one.is_in_force(now=now)],
        to_do=[*await homes.lacks(conn, home), *await agreed.warnings(conn, home, now=now)],
        changed=await changes.lately(conn, home=home),
        sensor_kinds=said.KINDS,
        bases=consents.BASES,
        views=agreed.VIEWS,
        a_year_on=times.local_date(now).replace(year=now.year + 1, day=min(now.day, 28)).isoformat(),
        people=await people.listed(conn),
        goes=await erasing.of_home(conn, home),
        now=now,
        **office.facts(refused),
        **frame.facts(request, viewer, "fleet"),
    )

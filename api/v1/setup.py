"""How a home is set up, as an operator's program writes it: who lives there, rooms, sensors, hubs."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Response

from alerts.store import rotas
from api import store
from api.given import Connection, GivenToAll, Now
from api.office import agreed, homes, hubs, said
from api.office.said import Mistakes
from api.v1 import kept
from api.v1.caller import AnyCaller, HomeInPath, Operators, OperatorsHome, homes_of, leave_record
from api.v1.people import CREATED
from api.v1.problems import Conflict, Unreadable, described
from api.v1.tokens import Caller, Scope
from api.v1.writing import fields_of
from gateway.reading import HomeId

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

_VIEW = "set-up"
ReadHome = Annotated[HomeId, Depends(OperatorsHome(_VIEW, Scope.HOMES_READ))]
WriteHome = Annotated[HomeId, Depends(OperatorsHome(_VIEW, Scope.HOMES_WRITE))]
SensorInPath = Annotated[
    str,
    Path(description="As its hub calls it.", max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$", examples=["lounge-motion"]),
]
HubInPath = Annotated[
    str, Path(description="The hub's name.", max_length=32, pattern=kept.KEY, examples=["hub-shore-road-14"])
]


@router.get("/homes/{home}/setup")
async def read_setup(home: ReadHome, conn: Connection, now: Now) -> kept.SetUp:
    """Say everything that is written of a home, and what is still to do before it is watched."""
    return await _setup(conn, home, now=now)


async def _setup(conn: Connection, home: str, *, now: Now) -> kept.SetUp:
    return kept.SetUp(
        home=home,
        rooms=await homes.rooms(conn, home),
        sensors=[
            kept.Sensor(sensor=one.sensor, kind=one.kind, room=one.room) for one in await homes.sensors(conn, home)
        ],
        hubs=[
            kept.Hub(hub=one.hub, heard_at=one.heard_at, revoked_at=one.revoked_at, network=one.network)
            for one in await homes.hubs(conn, home)
        ],
        told=list(await rotas.always_told(conn, home)),
        team=await rotas.team_of(conn, home),
        to_do=[*await homes.lacks(conn, home), *await agreed.warnings(conn, home, now=now)],
    )


@router.put("/homes/{home}", responses=CREATED)
async def write_home(
    home: HomeInPath,
    wrote: kept.ResidentWritten,
    response: Response,
    caller: Annotated[Caller, Depends(Operators(Scope.HOMES_WRITE))],
    world: GivenToAll,
    conn: Connection,
    now: Now,
) -> kept.SetUp:
    """Write who lives in a home; a home that is not there is added, by a token that is not limited to some."""
    fields, by = fields_of(wrote), caller.viewer.person
    is_new = home not in await homes_of(conn, caller)
    if is_new:
        if caller.only is not None or await store.is_known_home(conn, home):
            raise HTTPException(404)
        _require_key(home)
        await homes.add(conn, world.config.database_url, {**fields, "home": home}, by=by, now=now)
    await leave_record(conn, caller, [home], _VIEW, now=now)
    if not is_new or wrote.person is not None:
        await homes.save_resident(conn, home, fields, by=by, now=now)
    response.status_code = 201 if is_new else 200
    return await _setup(conn, home, now=now)


def _require_key(home: str) -> None:
    try:
        said.key(home)
    except ValueError as why:
        raise Unreadable("path.home", "It must be small letters, digits and -, at most 32.") from why


@router.put("/homes/{home}/rooms")
async def write_rooms(
    home: WriteHome, wrote: kept.RoomsWritten, caller: AnyCaller, conn: Connection, now: Now
) -> kept.SetUp:
    """Write which rooms a home has; one in which a sensor stands cannot go."""
    await homes.save_rooms(conn, home, fields_of(wrote), by=caller.viewer.person, now=now)
    return await _setup(conn, home, now=now)


@router.put("/homes/{home}/sensors/{sensor}")
async def write_sensor(
    home: WriteHome,
    sensor: SensorInPath,
    wrote: kept.SensorWritten,
    caller: AnyCaller,
    world: GivenToAll,
    conn: Connection,
    now: Now,
) -> kept.SetUp:
    """Write what a sensor is and where it stands."""
    fields = fields_of(wrote, sensor=sensor)
    await homes.save_sensor(conn, world.config.database_url, home, fields, by=caller.viewer.person, now=now)
    return await _setup(conn, home, now=now)


@router.delete("/homes/{home}/sensors/{sensor}", status_code=204)
async def remove_sensor(home: WriteHome, sensor: SensorInPath, caller: AnyCaller, conn: Connection, now: Now) -> None:
    """Let a sensor be no longer one of a home's; what it said is kept."""
    try:
        await homes.remove_sensor(conn, home, sensor, by=caller.viewer.person, now=now)
    except Mistakes:
        raise HTTPException(404) from None


@router.put("/homes/{home}/hubs/{hub}", status_code=201, responses=described(409))
async def add_hub(
    home: WriteHome,
    hub: HubInPath,
    caller: AnyCaller,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    wrote: Annotated[kept.HubWritten | None, Body(examples=[{"network": "mobile-a"}])] = None,
) -> kept.HubAdded:
    """Let a new hub speak for a home.

    The answer holds its configuration with its only secret.  Asked again it is a 409, for nobody can have that a second
    time: where the answer was lost, take the hub away and add it again.
    """
    if any(one.hub == hub and one.revoked_at is None for one in await homes.hubs(conn, home)):
        raise Conflict("This hub may speak already, and its secret was given once. Take it away and add it again.")
    added = await hubs.add(
        *(conn, world.config.database_url, home, fields_of(wrote or kept.HubWritten(), hub=hub)),
        broker=world.config.hubs_broker,
        by=caller.viewer.person,
        now=now,
    )
    return kept.HubAdded(hub=added.hub, lane=added.lane, configuration=added.configuration)


@router.put("/homes/{home}/hubs/{hub}/network")
async def write_network(
    home: WriteHome, hub: HubInPath, wrote: kept.NetworkWritten, caller: AnyCaller, conn: Connection, now: Now
) -> kept.SetUp:
    """Write what carries a hub's line to us, such as a mobile network: hubs on one that fall silent are one outage."""
    try:
        await hubs.set_network(conn, hub, wrote.network, by=caller.viewer.person, now=now, home=home)
    except Mistakes:
        raise HTTPException(404) from None
    return await _setup(conn, home, now=now)


@router.delete("/homes/{home}/hubs/{hub}", status_code=204)
async def revoke_hub(home: WriteHome, hub: HubInPath, caller: AnyCaller, conn: Connection, now: Now) -> None:
    """Turn a hub away from now on; the broker must be told as well."""
    try:
        await hubs.revoke(conn, hub, by=caller.viewer.person, now=now, home=home)
    except Mistakes:
        raise HTTPException(404) from None

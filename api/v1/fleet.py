"""All homes in numbers, for an operator's program."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends

from alerts import store as alerts_store
from api.given import Connection, GivenToAll, Now
from api.v1 import shapes
from api.v1.caller import Scoped, homes_of, leave_record
from api.v1.problems import described
from api.v1.tokens import Caller, Scope
from api.views import state

router = APIRouter(responses=described(401, 403, 429, 503))


@router.get("/fleet")
async def read_fleet(
    caller: Annotated[Caller, Depends(Scoped(Scope.FLEET_READ))], world: GivenToAll, conn: Connection, now: Now
) -> shapes.Fleet:
    """Say how many homes are seen how well, and how many alerts have nobody."""
    homes = await homes_of(conn, caller)
    await leave_record(conn, caller, homes, "fleet", now=now)
    stretch = world.clock.stretch()
    watches = await alerts_store.watches_of(conn, homes, stretch=stretch)
    told = [state.truth(watches.get(home), now=now, speed=world.clock.speed(), stretch=stretch) for home in homes]
    seen = Counter(one.state.value for one in told)
    counts = await alerts_store.count_open(conn, homes)
    return shapes.Fleet(
        true_at=min((one.true_at for one in told), default=now),
        homes=len(homes),
        watched=seen["watched"],
        degraded=seen["degraded"],
        blind=seen["blind"],
        alerts_open=counts.unanswered,
        alerts_taken=counts.alerts - counts.unanswered,
        faults_open=counts.faults,
        nobody_left=counts.nobody_left,
    )

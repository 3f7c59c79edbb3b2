"""Alerts, as programs read and answer them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.alert import Outcome, State
from alerts.store import Acknowledged, LetGo
from api.given import Connection, Now
from api.v1 import facts, shapes
from api.v1.caller import (
    AnyCaller,
    Scoped,
    answerable_alert,
    homes_of,
    leave_record,
    readable_alert,
)
from api.v1.paging import Cursor, Limit, foreign_cursor, key_of, next_page
from api.v1.problems import Unreadable, described
from api.v1.tokens import Caller, Scope

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

Readable = Annotated[alerts_store.Alert, Depends(readable_alert)]
Answerable = Annotated[alerts_store.Alert, Depends(answerable_alert)]

_STATES: Final = {
    "open": (State.OPEN,),
    "acknowledged": (State.ACKNOWLEDGED,),
    "not closed": (State.OPEN, State.ACKNOWLEDGED),
    "closed": (State.CLOSED,),
    "any": tuple(State),
}


@dataclass(frozen=True, slots=True)
class Which:
    """Which alerts are asked for."""

    home: str | None
    states: tuple[State, ...]
    since: datetime | None


def which(
    home: Annotated[str | None, Query(max_length=64, description="Only of this home.")] = None,
    state: Literal["open", "acknowledged", "not closed", "closed", "any"] = "not closed",
    since: Annotated[datetime | None, Query(description="Only those raised since then, with its offset.")] = None,
) -> Which:
    """Return which alerts are asked for.

    Raises:
        Unreadable: the moment has no offset.
    """
    if since is not None and since.utcoffset() is None:
        raise Unreadable("query.since", "It needs an offset, such as Z or +01:00.")
    return Which(home, _STATES[state], since)


@router.get("/alerts")
async def list_alerts(
    request: Request,
    caller: Annotated[Caller, Depends(Scoped(Scope.ALERTS_READ))],
    asked: Annotated[Which, Depends(which)],
    conn: Connection,
    now: Now,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> shapes.Alerts:
    """List the alerts of the homes that this token may see, the newest first."""
    before: int | None = key_of(cursor, int)
    if before is not None and not 0 < before < 2**63:
        raise foreign_cursor()
    homes = await homes_of(conn, caller)
    if asked.home is not None:
        if asked.home not in homes:
            raise HTTPException(404)
        homes = [asked.home]
    # That nothing is listed says something about each of them.
    await leave_record(conn, caller, homes, "alerts", now=now)
    found = await alerts_store.alerts_before(
        conn, homes, before, states=asked.states, since=asked.since, limit=limit + 1
    )
    shown = found[:limit]
    return shapes.Alerts(
        items=[facts.alert_said(one, now=now) for one in shown],
        next=next_page(request, shown[-1].alert) if len(found) > limit else None,
    )


@router.get("/homes/{home}/alerts/{alert}")  # noqa: FAST003 - the alert's own dependency takes the home
async def read_alert(alert: Readable, caller: AnyCaller, conn: Connection, now: Now) -> shapes.Story:
    """Tell one alert and what happened around it."""
    may_read_people = Scope.PEOPLE_READ in caller.scopes
    steps = [
        shapes.Step(
            at=step.at,
            kind=step.kind,
            person_name=step.person_name if may_read_people else None,
            detail=step.detail,
        )
        for step in await alerts_store.story(conn, alert.alert)
    ]
    return shapes.Story(alert=facts.alert_said(alert, now=now), steps=steps)


@router.post("/homes/{home}/alerts/{alert}/mine", responses=described(409))  # noqa: FAST003 - as above
async def say_mine(alert: Answerable, caller: AnyCaller, conn: Connection, now: Now) -> shapes.Alert:
    """Take an alert for the token's person.  Asked again it changes nothing; 409: it is somebody else's, or over."""
    became = await alerts_store.acknowledge(conn, alert.alert, caller.viewer.person, how="page", now=now)
    if became in {Acknowledged.SOMEONE_ELSES, Acknowledged.CLOSED}:
        raise HTTPException(409)
    return await _as_it_is_now(conn, alert.alert, now=now)


@router.post("/homes/{home}/alerts/{alert}/let-go", responses=described(409))  # noqa: FAST003 - as above
async def let_go(
    alert: Answerable, said: shapes.LettingGo, caller: AnyCaller, conn: Connection, now: Now
) -> shapes.Alert:
    """Pass an alert on to the next person, or call everybody; 409: it is somebody else's, or over."""
    if not await alerts_store.let_go(conn, alert.alert, caller.viewer.person, why=LetGo(said.why), now=now):
        raise HTTPException(409)
    return await _as_it_is_now(conn, alert.alert, now=now)


@router.post("/homes/{home}/alerts/{alert}/outcome", responses=described(409))  # noqa: FAST003 - as above
async def say_outcome(
    alert: Answerable, said: shapes.Outcome, caller: AnyCaller, conn: Connection, now: Now
) -> shapes.Alert:
    """Say how it ended.  Asked again with the same outcome it changes nothing; 409: it ended otherwise."""
    if said.outcome == Outcome.MENDED.value and not alert.is_fault:
        raise Unreadable("body.outcome", "Only a fault of equipment can be mended.")
    word = (said.word or "").replace("\0", "").strip() or None
    await alerts_store.close(conn, alert.alert, caller.viewer.person, Outcome(said.outcome), word, now=now)
    ended = await _as_it_is_now(conn, alert.alert, now=now)
    if ended.outcome != said.outcome:
        raise HTTPException(409)
    return ended


async def _as_it_is_now(conn: AsyncConnection, alert: int, *, now: datetime) -> shapes.Alert:
    found = await alerts_store.find_alert(conn, alert)
    assert found is not None
    return facts.alert_said(found, now=now)

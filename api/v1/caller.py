"""Which program asks, for whom, and may it?  The only way for a route of `/api/v1` to get a home.

As on the pages: a home that was not given is answered like one that does not exist, and whoever may look leaves a
record before anything is said.
"""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from alerts import store as alerts_store
from api import access, store
from api.given import Connection, Now, RealNow
from api.v1 import tokens
from api.v1.tokens import Caller, Scope
from gateway.reading import HomeId

PER_MINUTE: Final = 600
"""Requests of one token: a program that looks at every home of a street once a minute.  Ours."""

_TOKEN_MAX: Final = 200
_bearer = HTTPBearer(auto_error=False, description="A token made by an operator (`telecare token add`).")
_LIMIT: Final = RateLimitItemPerMinute(PER_MINUTE)


class Pace:
    """How often each token asked in the last minute; of this process alone."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, name: str) -> bool:
        """Count a request; return whether it is one too many."""
        return not self._limiter.hit(_LIMIT, name)


_pace: Final = Pace()


async def current_caller(
    conn: Connection,
    real_now: RealNow,
    now: Now,
    said: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Return the program whose token came with the request.

    Raises:
        HTTPException: 401, none came or it opens nothing; 429, it asks too often.
    """
    token = said.credentials if said else ""
    found = await tokens.find(conn, token, real_now=real_now, now=now) if 0 < len(token) <= _TOKEN_MAX else None
    if found is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    if _pace.count(found.name):
        raise HTTPException(429, headers={"Retry-After": "10"})
    return found


class Scoped:
    """What a route depends on to get a caller that has a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
        """Return the caller, or raise the 403 that says which scope is missing by its status alone."""
        if self.scope not in caller.scopes:
            raise HTTPException(403)
        if self.scope is Scope.FLEET_READ and not caller.viewer.is_operator:
            raise HTTPException(403)
        return caller


async def homes_of(conn: Connection, caller: Caller) -> list[str]:
    """Return every home that a caller may see, by name."""
    seen: Iterable[str] = await store.every_home(conn) if caller.viewer.is_operator else caller.viewer.homes
    return sorted(home for home in seen if caller.only is None or home in caller.only)


async def leave_record(conn: Connection, caller: Caller, homes: list[str], view: str, *, now: Now) -> None:
    """Write down which program looked, for whom; or raise the 503 with which nothing is said."""
    await access.leave_record(conn, caller.viewer, homes, f"{view} (program {caller.name})", now=now)


HomeInPath = Annotated[str, Path(description="The home's name.", max_length=64, examples=["shore-road-14"])]


class HomeFor:
    """What a route depends on to get its home, for callers that have a scope."""

    def __init__(self, view: str, scope: Scope) -> None:
        self.view = view
        self.scope = scope

    async def __call__(
        self, home: HomeInPath, caller: Annotated[Caller, Depends(current_caller)], conn: Connection, now: Now
    ) -> HomeId:
        """Return the home in the path, and leave the record."""
        caller = Scoped(self.scope)(caller)
        if home not in await homes_of(conn, caller):
            raise HTTPException(404)
        await leave_record(conn, caller, [home], self.view, now=now)
        return HomeId(home)


async def _alert_in(conn: Connection, home: HomeId, alert: int) -> alerts_store.Alert:
    found = await alerts_store.find_alert(conn, alert)
    if found is None or found.home != home:
        raise HTTPException(404)
    return found


AlertInPath = Annotated[int, Path(ge=1, le=access.BIGINT_MAX, description="The alert's number.", examples=[1])]


async def readable_alert(
    home: Annotated[HomeId, Depends(HomeFor("alert", Scope.ALERTS_READ))], alert: AlertInPath, conn: Connection
) -> alerts_store.Alert:
    """Return an alert of a home that this caller may read."""
    return await _alert_in(conn, home, alert)


async def answerable_alert(
    home: Annotated[HomeId, Depends(HomeFor("alert", Scope.ALERTS_ANSWER))],
    caller: Annotated[Caller, Depends(current_caller)],
    alert: AlertInPath,
    conn: Connection,
) -> alerts_store.Alert:
    """Return an alert that this caller may answer: its person cares for the home, and could on the page."""
    if "carer" not in caller.viewer.homes.get(home, frozenset()):
        raise HTTPException(404)
    return await _alert_in(conn, home, alert)

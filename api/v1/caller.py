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
from api.v1.tokens import OPERATORS_ALONE, Caller, Scope
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


AnyCaller = Annotated[Caller, Depends(current_caller)]


class Scoped:
    """What a route depends on to get a caller that has a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, caller: AnyCaller) -> Caller:
        """Return the caller, or raise the 403 that says which scope is missing by its status alone."""
        if self.scope not in caller.scopes:
            raise HTTPException(403)
        if self.scope in OPERATORS_ALONE and not caller.viewer.is_operator:
            raise HTTPException(403)
        return caller


class Wide:
    """What a route depends on to get an operator's token that is not limited to some homes."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, caller: AnyCaller) -> Caller:
        """Return the caller, or raise the 403 of one that may not touch what concerns every home."""
        caller = Scoped(self.scope)(caller)
        if not caller.viewer.is_operator or caller.only is not None:
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


def _require_scope(caller: Caller, scope: Scope) -> None:
    """Go on only with a scope; that its person is none who could use it is not told apart from a hidden home."""
    if scope not in caller.scopes:
        raise HTTPException(403)
    if scope in OPERATORS_ALONE and not caller.viewer.is_operator:
        raise HTTPException(404)


class Operators:
    """What a route depends on to get an operator's token, where a home in the path may be one that is not there yet."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, caller: AnyCaller) -> Caller:
        """Return the caller; to a token of anybody else there is no such address."""
        _require_scope(caller, self.scope)
        if not caller.viewer.is_operator:
            raise HTTPException(404)
        return caller


class HomeFor:
    """What a route depends on to get its home, for callers that have a scope.

    Attributes:
        view: what the record calls it, as a resident will read it.
        scope: that the token needs.
    """

    def __init__(self, view: str, scope: Scope) -> None:
        self.view = view
        self.scope = scope

    async def __call__(self, home: HomeInPath, caller: AnyCaller, conn: Connection, now: Now) -> HomeId:
        """Return the home in the path, and leave the record."""
        _require_scope(caller, self.scope)
        if not await self.may_see(conn, caller, home):
            raise HTTPException(404)
        await leave_record(conn, caller, [home], self.view, now=now)
        return HomeId(home)

    async def may_see(self, conn: Connection, caller: Caller, home: str) -> bool:
        """Return whether this home is one that the caller was given."""
        return home in await homes_of(conn, caller)


class OperatorsHome(HomeFor):
    """The same, where only an operator may look, as on the operator's pages."""

    async def may_see(self, conn: Connection, caller: Caller, home: str) -> bool:
        """Return whether this home is one that the caller was given, as an operator."""
        return caller.viewer.is_operator and await super().may_see(conn, caller, home)


class SheetHome(HomeFor):
    """The same, for what stands on the resident's sheet: to the resident, the family and operators."""

    async def may_see(self, conn: Connection, caller: Caller, home: str) -> bool:
        """Return whether the caller may see the sheet of this home; as on the page."""
        is_within = caller.only is None or home in caller.only
        is_family = "family" in caller.viewer.homes.get(home, frozenset())
        return is_within and (is_family or await access.is_residents_or_operators(conn, caller.viewer, home))


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
    caller: AnyCaller,
    alert: AlertInPath,
    conn: Connection,
) -> alerts_store.Alert:
    """Return an alert that this caller may answer: its person cares for the home, or is an operator, as on the page."""
    if not access.may_answer(caller.viewer, home):
        raise HTTPException(404)
    return await _alert_in(conn, home, alert)

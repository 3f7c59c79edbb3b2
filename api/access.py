"""Who is asking, and may this person see this home?  The only way for a route to get a home.

Signed in but not given: the same 404 as a home that does not exist.  Not signed in: the same log-in for every
address.  Whoever may look leaves a record in the same request, before anything is shown; if it cannot be written,
nothing is shown.
"""

import logging
from collections.abc import Sequence
from typing import Annotated, Final

import psycopg
from fastapi import Depends, HTTPException, Request

from alerts import store as alerts_store
from api import records, store
from api.given import Connection, Given, GivenToAll, Now, RealNow
from api.signing_in import sessions
from api.store import View, Viewer
from gateway.reading import HomeId

log = logging.getLogger(__name__)

BIGINT_MAX: Final = 2**63 - 1


class NotSignedIn(Exception):
    """The cookie opens nothing; the person must sign in."""


def cookie_name(*, is_secure: bool) -> str:
    """Return what our cookie is called; `__Host-` keeps it from other hosts of a domain, and needs https."""
    return "__Host-telecare" if is_secure else "telecare"


def session_token(request: Request, world: Given) -> str | None:
    """Return what this browser holds as the token of a session, or None; whether it opens anything is not said."""
    token = request.cookies.get(cookie_name(is_secure=world.config.is_secure))
    return token if token and len(token) <= 100 else None


async def maybe_viewer(
    request: Request, world: GivenToAll, conn: Connection, real_now: RealNow, now: Now
) -> Viewer | None:
    """Return who is signed in, or None."""
    token = session_token(request, world)
    return None if token is None else await sessions.viewer_of(conn, token, real_now=real_now, now=now)


MaybeViewer = Annotated[Viewer | None, Depends(maybe_viewer)]


def current_viewer(viewer: MaybeViewer) -> Viewer:
    """Return who is signed in.

    Raises:
        NotSignedIn: nobody is.
    """
    if viewer is None:
        raise NotSignedIn
    return viewer


CurrentViewer = Annotated[Viewer, Depends(current_viewer)]


class Look:
    """A look at one home from one kind of page: what a route depends on to get its home.

    Attributes:
        view: what the record calls it, as a resident will read it.
        allowed: the views of which the viewer must have been given one.
        is_the_residents: the resident may look, and an operator for them, whatever was given.
        is_operators: an operator may look, whatever was given: whom an alert comes to when nobody else takes it.
    """

    def __init__(self, view: str, *allowed: View, is_the_residents: bool = False, is_operators: bool = False) -> None:
        self.view = view
        self.allowed = frozenset[str](allowed)
        self.is_the_residents = is_the_residents
        self.is_operators = is_operators

    async def __call__(self, home: str, viewer: CurrentViewer, conn: Connection, now: Now) -> HomeId:
        """Return the home in the path, if this viewer may see it, and leave the record.

        A hidden home is answered exactly like one that does not exist, so that no status code says who lives where.
        """
        is_given = bool(viewer.homes.get(home, frozenset()) & self.allowed)
        if not is_given and not await self._may_ungiven(conn, viewer, home):
            raise HTTPException(404)
        await leave_record(conn, viewer, [home], self.view, now=now)
        return HomeId(home)

    async def _may_ungiven(self, conn: Connection, viewer: Viewer, home: str) -> bool:
        """Return whether this viewer may look at a home that was not given to them."""
        if viewer.is_operator:
            return (self.is_operators or self.is_the_residents) and await store.is_known_home(conn, home)
        return self.is_the_residents and home in await records.homes_lived_in(conn, viewer.person)


async def leave_record(
    conn: Connection,
    viewer: Viewer,
    homes: Sequence[str],
    view: str,
    *,
    now: Now,
) -> None:
    """Write down a look at homes, or raise the 503 with which nothing is shown."""
    try:
        await store.leave_record(conn, viewer.person, homes, view, now=now)
    except psycopg.Error as why:
        log.error("access record not written", extra={"why": type(why).__name__, "view": view})  # noqa: TRY400 - no values
        raise HTTPException(503) from None


def current_operator(viewer: CurrentViewer) -> Viewer:
    """Return who is signed in, if this is an operator; to anybody else there is no such page."""
    if not viewer.is_operator:
        raise HTTPException(404)
    return viewer


CurrentOperator = Annotated[Viewer, Depends(current_operator)]


async def is_residents_or_operators(conn: Connection, viewer: Viewer, home: str) -> bool:
    """Return whether this is who lives in a home, or an operator and there is such a home."""
    if viewer.is_operator:
        return await store.is_known_home(conn, home)
    return home in await records.homes_lived_in(conn, viewer.person)


async def whose_looks(conn: Connection, viewer: Viewer, home: str) -> str | None:
    """Return of whom this viewer may read that they looked at a home; None: of everybody."""
    is_resident = home in await records.homes_lived_in(conn, viewer.person)
    return None if is_resident or viewer.is_operator else viewer.person


class OperatorsLook:
    """An operator's look at one home, given to this person or not: what a route of `/operator` gets its home from.

    Attributes:
        view: what the record calls it, as a resident will read it.
    """

    def __init__(self, view: str) -> None:
        self.view = view

    async def __call__(self, home: str, viewer: CurrentOperator, conn: Connection, now: Now) -> HomeId:
        """Return the home in the path, if there is one, and leave the record."""
        if not await store.is_known_home(conn, home):
            raise HTTPException(404)
        await leave_record(conn, viewer, [home], self.view, now=now)
        return HomeId(home)


OperatorsHome = Annotated[HomeId, Depends(OperatorsLook("everything"))]
FamilyHome = Annotated[HomeId, Depends(Look("home", "family"))]
SheetHome = Annotated[HomeId, Depends(Look("sheet", "family", is_the_residents=True))]
CarerHome = Annotated[HomeId, Depends(Look("alert", "carer", is_operators=True))]
AlertHome = Annotated[HomeId, Depends(Look("alert", "carer", "family", is_operators=True))]


def may_answer(viewer: Viewer, home: str) -> bool:
    """Return whether this viewer may answer the alerts of a home: its carers, and operators as the last to be told."""
    return viewer.is_operator or "carer" in viewer.homes.get(home, frozenset())


async def _alert_in(conn: Connection, home: HomeId, alert: str) -> alerts_store.Alert:
    number = int(alert) if alert.isascii() and alert.isdecimal() and len(alert) < 20 else 0
    found = await alerts_store.find_alert(conn, number) if 0 < number <= BIGINT_MAX else None
    if found is None or found.home != home:
        raise HTTPException(404)
    return found


async def visible_alert(home: AlertHome, alert: str, conn: Connection) -> alerts_store.Alert:
    """Return an alert of a home that this viewer may see."""
    return await _alert_in(conn, home, alert)


async def carers_alert(home: CarerHome, alert: str, conn: Connection) -> alerts_store.Alert:
    """Return an alert of a home that this viewer cares for, or any as an operator, and so may answer."""
    return await _alert_in(conn, home, alert)


VisibleAlert = Annotated[alerts_store.Alert, Depends(visible_alert)]
CarersAlert = Annotated[alerts_store.Alert, Depends(carers_alert)]

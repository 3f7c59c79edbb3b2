"""Signing in at the employer's identity provider: there and back."""

import logging
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from api import show, store
from api.given import Given, GivenToAll, RealNow
from api.office import changes
from api.routes.let_in import LOG_INS, let_in
from api.signing_in import identities
from api.signing_in.addresses import AskedFrom
from api.signing_in.identities import TRIP_VALID_FOR
from api.signing_in.provider import Identity, NotVouched, Provider, ProviderAway, Trip

log = logging.getLogger(__name__)
router = APIRouter()

_BACK: Final = "/log-in/provider/back"
_SECRET_MAX: Final = 100

_OVER: Final = "That took too long, or was begun in another browser. Begin again."
_NO: Final = "It did not let you in. Begin again, or be sent a link."
_AWAY: Final = "It cannot be reached now. Be sent a link instead."
_NOBODY: Final = (
    "Nobody here is known by that account. Whoever runs the service writes down, once, the e-mail address that it has."
)


def provider_of(world: GivenToAll) -> Provider:
    """Return the door to the provider; where none is configured there is no such page."""
    if world.provider is None:
        raise HTTPException(404)
    return world.provider


TheProvider = Annotated[Provider, Depends(provider_of)]


def _cookie(world: Given) -> str:
    return "__Host-telecare-trip" if world.config.is_secure else "telecare-trip"


def _back(world: Given) -> str:
    """Return where the provider sends people back to: our public address, never what a request says of itself."""
    return world.config.public_url + _BACK


@router.get("/log-in/provider")
async def send_on(
    request: Request, world: GivenToAll, provider: TheProvider, place: AskedFrom, real_now: RealNow
) -> Response:
    """Send the browser to the provider, with a secret that only it can come back with."""
    trip = Trip.new()
    try:
        to = await provider.address(trip, _back(world), real_now=real_now)
    except ProviderAway as why:
        return await _away(request, world, why)
    async with world.pool.connection() as conn:
        if not await identities.set_out(conn, trip, place, real_now=real_now):
            raise HTTPException(429)
    answer = show.then(to)
    answer.set_cookie(
        _cookie(world),
        trip.secret,
        max_age=int(TRIP_VALID_FOR.total_seconds()),
        secure=world.config.is_secure,
        httponly=True,
        # Coming back from another site is a plain navigation, which `lax` lets through and a hidden request not.
        samesite="lax",
    )
    return answer


@router.get(_BACK)
async def come_back(
    request: Request,
    world: GivenToAll,
    provider: TheProvider,
    real_now: RealNow,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> Response:
    """Let somebody in whom the provider vouches for and whom an operator has set up."""
    trip = Trip(request.cookies.get(_cookie(world), "")[:_SECRET_MAX])
    async with world.pool.connection() as conn:
        if not await identities.came_back(conn, trip, state, real_now=real_now):
            return await _said(request, world, _OVER, 400)
    try:
        if not code:
            raise NotVouched("it sent no code")
        # No connection is held while the provider is asked.
        who = await provider.identity(trip, code, _back(world), real_now=real_now)
    except NotVouched as why:
        log.warning("identity provider vouched for nobody", extra={"why": str(why)})
        return await _said(request, world, _NO, 403)
    except ProviderAway as why:
        return await _away(request, world, why)
    async with world.pool.connection() as conn:
        person = await _person(conn, who, world, real_now=real_now)
        if person is None:
            # Whoever sets the provider up must see why, and the page must not say more to a stranger.
            log.info("identity provider's account is nobody's", extra={"is_email_verified": who.email is not None})
            return await _said(request, world, _NOBODY, 403)
        answer = await let_in(request, world, conn, person, way="provider", real_now=real_now)
    answer.delete_cookie(_cookie(world), secure=world.config.is_secure, httponly=True, samesite="lax")
    return answer


async def _person(conn: AsyncConnection[Any], who: Identity, world: Given, *, real_now: RealNow) -> str | None:
    async with conn.transaction():
        found = await identities.person_of(conn, who, real_now=real_now)
        if found is None:
            return None
        person, is_bound_now = found
        if is_bound_now:
            content = {"issuer": who.issuer}
            now = world.clock.now()
            await changes.note(conn, "identity bound", by=person, now=now, person=person, content=content)
    return person


async def _away(request: Request, world: Given, why: ProviderAway) -> Response:
    log.error("identity provider cannot be asked", extra={"why": str(why)})
    return await _said(request, world, _AWAY, 503)


async def _said(request: Request, world: Given, said: str, status: int) -> Response:
    """Return why nobody was let in, and the other ways in."""
    LOG_INS.labels("provider", "refused").inc()
    assert world.provider is not None, "the routes are not there without it"
    async with world.pool.connection() as conn:
        return show.page(
            request,
            "provider.html",
            status=status,
            service=await store.service_name(conn),
            named=world.provider.named,
            said=said,
        )

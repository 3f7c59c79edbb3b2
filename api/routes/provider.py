"""Signing in at the employer's identity provider, there and back; and saying which account there is one's own."""

import logging
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from api import access, show, store
from api.access import CurrentViewer
from api.given import Connection, Given, GivenToAll, RealNow
from api.office import changes
from api.routes.let_in import LOG_INS, let_in
from api.signing_in import identities
from api.signing_in.addresses import AskedFrom
from api.signing_in.identities import TRIP_VALID_FOR
from api.signing_in.provider import Identity, NotVouched, Provider, ProviderAway, Trip
from api.store import Viewer

log = logging.getLogger(__name__)
router = APIRouter()

_BACK: Final = "/log-in/provider/back"
_SECRET_MAX: Final = 100

_OVER: Final = "That took too long, or was begun in another browser. Begin again."
_NO: Final = "It did not let you in. Begin again, or be sent a link."
_AWAY: Final = "It cannot be reached now. Be sent a link instead."
_NOBODY: Final = (
    "Nobody here is known by that account. Sign in otherwise, and connect it once on the page behind your name."
)
_TAKEN: Final = "That account was not connected: it is somebody else's here, or you have another."


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
    return _with_secret(show.then(to), trip, world)


@router.post("/me/provider")
async def send_on_from_within(request: Request, world: GivenToAll, place: AskedFrom, real_now: RealNow) -> Response:
    """Offer a member of staff who signed in just now the way to the provider, from which they come back bound.

    A page with a link, since a form may lead to our own pages only.
    """
    trip = Trip.new()
    async with world.pool.connection() as conn:
        viewer = await _viewer(request, world, conn, real_now=real_now)
        provider = provider_of(world)
        own = await identities.own(conn, viewer.person, viewer.session, provider.issuer, real_now=real_now)
        if own is None:
            raise HTTPException(404)
        if not own.may_bind:
            return show.then("/me")
    try:
        # No connection is held while the provider is asked.
        to = await provider.address(trip, _back(world), real_now=real_now)
    except ProviderAway as why:
        return await _away(request, world, why)
    async with world.pool.connection() as conn:
        if not await identities.set_out(conn, trip, place, session_sha256=viewer.session, real_now=real_now):
            raise HTTPException(429)
    shown = show.page(request, "provider_ahead.html", service=viewer.service, named=provider.named, to=to)
    return _with_secret(shown, trip, world)


@router.post("/me/provider/undo")
async def undo(viewer: CurrentViewer, world: GivenToAll, provider: TheProvider, conn: Connection) -> Response:  # noqa: ARG001 - see provider_of
    """Let no account at the provider mean the viewer any more."""
    async with conn.transaction():
        if await identities.unbind(conn, viewer.person):
            now = world.clock.now()
            await changes.note(conn, "identity unbound", by=viewer.person, now=now, person=viewer.person, content={})
    return show.then("/me")


async def _viewer(request: Request, world: Given, conn: AsyncConnection[Any], *, real_now: RealNow) -> Viewer:
    """Return who is signed in, on a connection that is given back before the provider is asked.

    Raises:
        NotSignedIn: nobody is.
    """
    return access.current_viewer(await access.maybe_viewer(request, world, conn, real_now, world.clock.now()))


def _with_secret(answer: Response, trip: Trip, world: Given) -> Response:
    """Return an answer that leaves the secret of a trip in the browser."""
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
        back = await identities.came_back(conn, trip, state, real_now=real_now)
    if back is None:
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
    if back.session_sha256 is None:
        answer = await _let_in(request, world, who, real_now=real_now)
    else:
        answer = await _bind(request, world, who, back.session_sha256, real_now=real_now)
    if answer.status_code < 400:
        answer.delete_cookie(_cookie(world), secure=world.config.is_secure, httponly=True, samesite="lax")
    return answer


async def _let_in(request: Request, world: Given, who: Identity, *, real_now: RealNow) -> Response:
    async with world.pool.connection() as conn:
        person = await _person(conn, who, world, real_now=real_now)
        if person is not None:
            return await let_in(request, world, conn, person, way="provider", real_now=real_now)
    # Whoever sets the provider up must see why, and the page must not say more to a stranger.
    log.info("identity provider's account is nobody's", extra={"is_email_verified": who.email is not None})
    return await _said(request, world, _NOBODY, 403)


async def _bind(request: Request, world: Given, who: Identity, session_sha256: bytes, *, real_now: RealNow) -> Response:
    """Bind whoever set out and is still signed in, in the same session."""
    async with world.pool.connection() as conn:
        viewer = await access.maybe_viewer(request, world, conn, real_now, world.clock.now())
        is_here = viewer is not None and viewer.session == session_sha256
        if viewer is not None and is_here:
            async with conn.transaction():
                if await identities.bind(conn, who, viewer.person, real_now=real_now):
                    await _note_bound(conn, who, viewer.person, world)
                    return show.then("/me")
    return await _said(request, world, _TAKEN, 409) if is_here else await _said(request, world, _OVER, 400)


async def _person(conn: AsyncConnection[Any], who: Identity, world: Given, *, real_now: RealNow) -> str | None:
    async with conn.transaction():
        found = await identities.person_of(conn, who, real_now=real_now)
        if found is None:
            return None
        person, is_bound_now = found
        if is_bound_now:
            await _note_bound(conn, who, person, world)
    return person


async def _note_bound(conn: AsyncConnection[Any], who: Identity, person: str, world: Given) -> None:
    content, now = {"issuer": who.issuer}, world.clock.now()
    await changes.note(conn, "identity bound", by=person, now=now, person=person, content=content)


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

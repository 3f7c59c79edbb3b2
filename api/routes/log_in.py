"""Signing in by a link that is texted, and out again."""

import logging
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from api import show, store, times
from api.access import CurrentViewer, cookie_name
from api.given import Connection, Given, GivenToAll, RealNow

log = logging.getLogger(__name__)
router = APIRouter()


@router.get("/log-in")
async def ask_for_phone(request: Request, world: GivenToAll, conn: Connection) -> Response:
    """Show where a link can be asked for."""
    return await _form(request, world, conn)


async def _form(request: Request, world: Given, conn: AsyncConnection[Any], *, wrong: str | None = None) -> Response:
    """Return the form; with what was typed, where that is no phone number."""
    return show.page(
        request,
        "log_in.html",
        status=200 if wrong is None else 422,
        service=await store.service_name(conn),
        wrong=wrong,
        **_asking(world),
    )


def _asking(world: Given) -> dict[str, Any]:
    """Return what the form needs wherever it stands."""
    minutes = int(store.LINK_VALID_FOR.total_seconds() // 60)
    return {"can_text": world.sms is not None, "minutes": minutes}


@router.post("/log-in")
async def text_link(
    request: Request,
    world: GivenToAll,
    later: BackgroundTasks,
    phone: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Text a link, if the phone is one we know; say the same whether it is or not.

    What cannot be anybody's number is said to be none: that tells nothing of whom we know.

    The work is done after the answer has left, so that the time it takes says nothing either.
    """
    dialled = times.phone_as_dialled(phone)
    if dialled is None:
        # Not this request's own connection: it would be held until the text is written, and a burst would use up all.
        async with world.pool.connection() as conn:
            return await _form(request, world, conn, wrong=phone)
    later.add_task(_text_link, world, dialled, request.client.host if request.client else "")
    answer = show.then("/log-in/sent")
    answer.background = later
    return answer


@router.get("/log-in/sent")
async def say_sent(request: Request, world: GivenToAll, conn: Connection) -> Response:
    """Say what happens if we know the phone."""
    return show.page(
        request,
        "log_in_sent.html",
        service=await store.service_name(conn),
        **_asking(world),
    )


@router.get("/log-in/{token}")
async def offer_button(request: Request, token: str, world: GivenToAll, conn: Connection) -> Response:
    """Show a button.  The link is used up by pressing it: previews of messages only fetch it."""
    return await _link(request, token, world, conn)


async def _link(
    request: Request, token: str, world: Given, conn: AsyncConnection[Any], *, is_used: bool = False
) -> Response:
    """Return the button behind a link, or that the link is used, with the form for another."""
    return show.page(
        request,
        "link.html",
        status=400 if is_used else 200,
        service=await store.service_name(conn),
        token=token[:100],
        is_used=is_used,
        wrong=None,
        **_asking(world),
    )


@router.post("/log-in/{token}")
async def use_link(request: Request, token: str, world: GivenToAll, conn: Connection, real_now: RealNow) -> Response:
    """Use up a link and sign in."""
    session = await store.sign_in(conn, token[:100], real_now=real_now)
    if session is None:
        return await _link(request, token, world, conn, is_used=True)
    answer = show.then("/")
    is_secure = world.config.is_secure
    answer.set_cookie(
        cookie_name(is_secure=is_secure),
        session,
        max_age=int(store.SESSION_VALID_FOR.total_seconds()),
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/log-out")
async def sign_out(viewer: CurrentViewer, world: GivenToAll, conn: Connection, real_now: RealNow) -> Response:
    """End this session."""
    await store.sign_out(conn, viewer.session, real_now=real_now)
    answer = show.then("/log-in")
    is_secure = world.config.is_secure
    answer.delete_cookie(cookie_name(is_secure=is_secure), secure=is_secure, httponly=True, samesite="lax")
    return answer


async def _text_link(world: Given, phone: str, address: str) -> None:
    real_now = world.real.now()
    try:
        async with world.pool.connection() as conn:
            if not await store.may_text_link(conn, phone, address, real_now=real_now):
                log.warning("log-in link not texted, asked for too often")
                return
            person = await store.person_with(conn, phone)
            if person is None:
                return
            url = await store.make_link(conn, person, world.config.public_url, real_now=real_now)
            await alerts_store.owe_login_text(conn, person, url, now=world.clock.now())
    except psycopg.Error as why:
        log.error("log-in link not made", extra={"why": type(why).__name__})  # noqa: TRY400 - no values

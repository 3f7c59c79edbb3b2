"""Signing in by a link that is texted, and out again."""

import logging
from typing import Annotated

import psycopg
from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import show, store, times
from api.access import CurrentViewer, cookie_name
from api.given import Connection, Given, GivenToAll, RealNow

log = logging.getLogger(__name__)
router = APIRouter()


@router.get("/log-in")
async def ask_for_phone(request: Request, world: GivenToAll, conn: Connection) -> Response:
    """Show where a link can be asked for."""
    return show.page(
        request,
        "log_in.html",
        service=await store.service_name(conn),
        can_text=world.sms is not None,
        minutes=int(store.LINK_VALID_FOR.total_seconds() // 60),
    )


@router.post("/log-in")
async def text_link(
    request: Request, world: GivenToAll, later: BackgroundTasks, phone: Annotated[str, Form(max_length=60)] = ""
) -> Response:
    """Text a link, if the phone is one we know; say the same whether it is or not.

    The work is done after the answer has left, so that the time it takes says nothing either.
    """
    dialled = times.phone_as_dialled(phone)
    if dialled is not None:
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
        can_text=world.sms is not None,
        minutes=int(store.LINK_VALID_FOR.total_seconds() // 60),
    )


@router.get("/log-in/{token}")
async def offer_button(request: Request, token: str, conn: Connection) -> Response:
    """Show a button.  The link is used up by pressing it: previews of messages only fetch it."""
    return show.page(request, "link.html", service=await store.service_name(conn), token=token[:100], is_used=False)


@router.post("/log-in/{token}")
async def use_link(request: Request, token: str, world: GivenToAll, conn: Connection, real_now: RealNow) -> Response:
    """Use up a link and sign in."""
    session = await store.sign_in(conn, token[:100], real_now=real_now)
    if session is None:
        service = await store.service_name(conn)
        return show.page(request, "link.html", status=400, service=service, token=token[:100], is_used=True)
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

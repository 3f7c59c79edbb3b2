"""Signing in by a link that is texted or mailed, and out again."""

import logging
from typing import Annotated, Any, Final

import psycopg
from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from api import show, store
from api.access import CurrentViewer
from api.given import Connection, Given, GivenToAll, RealNow
from api.routes.let_in import LOG_INS, let_in, let_out
from api.signing_in import links, sessions
from api.signing_in.addresses import AskedFrom
from api.signing_in.reach import Reach, reach

log = logging.getLogger(__name__)
router = APIRouter()

_MINUTES: Final = int(links.VALID_FOR.total_seconds() // 60)


@router.get("/log-in")
async def ask_where_to(request: Request, world: GivenToAll, conn: Connection) -> Response:
    """Show where a link can be asked for."""
    return await _form(request, world, conn)


async def _form(request: Request, world: Given, conn: AsyncConnection[Any], *, wrong: str | None = None) -> Response:
    """Return the form; with what was typed, where no link can be sent there."""
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
    return {
        "can_text": world.sms is not None,
        "can_mail": world.mail is not None,
        "minutes": _MINUTES,
        "has_passwords": world.seals is not None,
        "provider": world.provider.named if world.provider else "",
    }


def _can_send(world: Given, where: Reach) -> bool:
    return (world.sms if where.by == "text" else world.mail) is not None


@router.post("/log-in")
async def send_link(
    request: Request,
    world: GivenToAll,
    address: AskedFrom,
    later: BackgroundTasks,
    who: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Send a link, if the phone or mailbox is one we know; say the same whether it is or not.

    What cannot be anybody's number or address, or where nothing can be sent to, is said to be so: that tells nothing
    of whom we know.

    The work is done after the answer has left, so that the time it takes says nothing either.
    """
    where = reach(who)
    if where is None or not _can_send(world, where):
        # Not this request's own connection: it would be held until the link is sent, and a burst would use up all.
        async with world.pool.connection() as conn:
            return await _form(request, world, conn, wrong=who)
    later.add_task(_send_link, world, where, address)
    answer = show.then("/log-in/sent")
    answer.background = later
    return answer


@router.get("/log-in/sent")
async def say_sent(request: Request, world: GivenToAll, conn: Connection) -> Response:
    """Say what happens if we know the phone or the mailbox."""
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
    person = await links.use(conn, token[:100], real_now=real_now)
    if person is None:
        LOG_INS.labels("link", "refused").inc()
        return await _link(request, token, world, conn, is_used=True)
    return await let_in(request, world, conn, person, way="link", real_now=real_now)


@router.post("/log-out")
async def sign_out(viewer: CurrentViewer, world: GivenToAll, conn: Connection, real_now: RealNow) -> Response:
    """End this session."""
    await sessions.end(conn, viewer.session, real_now=real_now)
    return let_out(world)


async def _send_link(world: Given, where: Reach, address: str) -> None:
    real_now = world.real.now()
    try:
        async with world.pool.connection() as conn:
            if not await links.may_send(conn, where, address, real_now=real_now):
                log.warning("log-in link not sent, asked for too often")
                return
            person = await links.person_at(conn, where)
            if person is None:
                return
            url = await links.make(conn, person, world.config.public_url, real_now=real_now)
            if where.by == "text":
                await alerts_store.owe_login_text(conn, person, url, now=world.clock.now())
                return
            service = await store.service_name(conn)
    except psycopg.Error as why:
        log.error("log-in link not made", extra={"why": type(why).__name__})  # noqa: TRY400 - no values
        return
    assert world.mail is not None, "nobody is mailed where nobody can be"
    await world.mail.send_link(where.to, url, service=service, minutes=_MINUTES, real_now=real_now)

"""What does the link in a mailed question open?  The question alone, without signing in.

Fetching it changes nothing: previews and mail filters fetch.  A mail program that offers *unsubscribe* as a button of
its own posts to it from nobody's page (RFC 8058), so the secret in the address is all that is asked for.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from alerts import store as alerts_store
from api import asking_by_mail, show, store
from api.given import Connection, Now
from api.routes.confidence import ANSWERS, WORDS_MAX

router = APIRouter()

_TOKEN_MAX: Final = 100


async def _page(request: Request, token: str, conn: Connection, state: str, *, now: Now, status: int = 200) -> Response:
    asked = await asking_by_mail.opened(conn, token, now=now) if state == "asked" else None
    is_over = state == "asked" and asked is None
    return show.page(
        request,
        "answer.html",
        status=410 if is_over else status,
        service=await store.service_name(conn),
        token=token,
        asked=asked,
        state="over" if is_over else state,
    )


@router.get("/answer/{token}")
async def show_mailed_question(request: Request, token: str, conn: Connection, now: Now) -> Response:
    """Show the question that was mailed, as the mail has it, or that it is over."""
    return await _page(request, token[:_TOKEN_MAX], conn, "asked", now=now)


@router.post("/answer/{token}")
async def take_mailed_answer(
    request: Request,
    token: str,
    conn: Connection,
    now: Now,
    question: Annotated[int, Form(ge=1, le=32767)],
    answer: Annotated[str, Form(max_length=20)] = "",
    words: Annotated[str, Form(max_length=WORDS_MAX)] = "",
) -> Response:
    """Keep the answer to a question that was mailed, once."""
    token = token[:_TOKEN_MAX]
    asked = await asking_by_mail.opened(conn, token, now=now)
    if asked is None:
        return await _page(request, token, conn, "asked", now=now)
    if answer not in ANSWERS or question != asked.question.question:
        raise HTTPException(422)
    said = words.replace("\0", "").strip() or None
    await alerts_store.answer_on_page(conn, asked.home, asked.person, question, ANSWERS[answer], said, now=now)
    is_low = (ANSWERS[answer] or 5) <= 2
    return await _page(request, token, conn, "low" if is_low else "answered", now=now)


@router.post("/answer/{token}/{what}")
async def set_mailed(request: Request, token: str, what: str, conn: Connection, now: Now) -> Response:
    """Ask by e-mail no more (`stop`), or again (`start`)."""
    token = token[:_TOKEN_MAX]
    if what not in {"stop", "start"} or not await asking_by_mail.set_stopped(
        conn, token, is_stopped=what == "stop", now=now
    ):
        raise HTTPException(404)
    return await _page(request, token, conn, "stopped" if what == "stop" else "started", now=now)

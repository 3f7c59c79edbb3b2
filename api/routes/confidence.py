"""How confident do people feel?  What families and carers answer on a page, asked or unasked.

Each is shown the question of their own series, so that what a paid carer says never stands among the families'.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store.asking import Pending
from api import show, store
from api.access import CurrentViewer, Look
from api.given import Connection, Now
from api.routes import frame
from api.store import Question, Viewer
from gateway.reading import HomeId

router = APIRouter()

_CANNOT_SAY: Final = "cant-say"
ANSWERS: Final = {_CANNOT_SAY: None, **{str(number): number for number in range(1, 6)}}
"""What a form sends, and what is kept of it."""

WORDS_MAX: Final = 2000
"""As the table allows."""

AskedHome = Annotated[HomeId, Depends(Look("confidence question", "family", "carer"))]


@router.get("/homes/{home}/confidence")
async def show_question(
    request: Request, home: AskedHome, viewer: CurrentViewer, conn: Connection, now: Now
) -> Response:
    """Show this person's question about a home, for those who have no page of the home itself."""
    resident = await frame.resident_of(conn, home)
    asked = await alerts_store.pending(conn, viewer.person, home=home, now=now)
    question = await _question(conn, viewer, home, asked)
    return show.page(
        request,
        "confidence.html",
        home=home,
        resident=resident,
        question=question,
        question_said=question.wording.format(first_name=resident.first_name),
        answered=await store.last_answer(conn, home, viewer.person),
        is_asked=asked is not None and not asked.is_answered,
        reaches_back=await store.reaches_back(conn, home, now=now),
        now=now,
        **frame.facts(request, viewer, "carer"),
    )


async def _question(conn: AsyncConnection[Any], viewer: Viewer, home: str, asked: Pending | None) -> Question:
    """Return this person's question about a home.

    Raises:
        HTTPException: 404, nobody asks this person about it.
    """
    waiting = asked.question if asked is not None and not asked.is_answered else None
    question = await store.question_for(conn, viewer, home, waiting)
    if question is None:
        raise HTTPException(404)
    return question


@router.post("/homes/{home}/confidence")
async def take_answer(
    home: AskedHome,
    viewer: CurrentViewer,
    conn: Connection,
    now: Now,
    question: Annotated[int, Form(ge=1, le=32767)],
    answer: Annotated[str, Form(max_length=20)] = "",
    words: Annotated[str, Form(max_length=WORDS_MAX)] = "",
) -> Response:
    """Keep an answer to the version of the question that the page showed, and go back to the home."""
    asked = await alerts_store.pending(conn, viewer.person, home=home, now=now)
    shown = await _question(conn, viewer, home, asked)
    if answer not in ANSWERS or question != shown.question:
        raise HTTPException(422)
    said = words.replace("\0", "").strip() or None
    await alerts_store.answer_on_page(conn, home, viewer.person, question, ANSWERS[answer], said, now=now)
    return show.then(f"/homes/{home}#confidence" if "family" in viewer.homes[home] else "/carer")

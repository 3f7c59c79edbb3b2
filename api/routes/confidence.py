"""How confident do families feel?  What they answer on the page of their home, asked or unasked."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from alerts import store as alerts_store
from api import show, store
from api.access import CurrentViewer, FamilyHome
from api.given import Connection, Now

router = APIRouter()

_CANNOT_SAY: Final = "cant-say"
_ANSWERS: Final = {_CANNOT_SAY: None, **{str(number): number for number in range(1, 6)}}
# As the table allows.
_WORDS_MAX: Final = 2000


@router.post("/homes/{home}/confidence")
async def take_answer(
    home: FamilyHome,
    viewer: CurrentViewer,
    conn: Connection,
    now: Now,
    question: Annotated[int, Form(ge=1, le=32767)],
    answer: Annotated[str, Form(max_length=20)] = "",
    words: Annotated[str, Form(max_length=_WORDS_MAX)] = "",
) -> Response:
    """Keep an answer to the version of the question that the page showed, and go back to the home."""
    if answer not in _ANSWERS or question != (await store.question_for_families(conn)).question:
        raise HTTPException(422)
    said = words.replace("\0", "").strip() or None
    await alerts_store.answer_on_page(conn, home, viewer.person, question, _ANSWERS[answer], said, now=now)
    return show.then(f"/homes/{home}#confidence")

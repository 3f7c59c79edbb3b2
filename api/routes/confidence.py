"""How confident do families feel?  Answers that they give unasked, and the calls that follow low ones."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from alerts import store as alerts_store
from api import access, show, store
from api.access import BIGINT_MAX, CurrentViewer, FamilyHome
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


@router.post("/confidence/{report}/rung")
async def say_rung(report: int, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Write down that the operator rang a family that answered 1 or 2."""
    homes = viewer.homes_as("carer") if viewer.is_operator else []
    home = await store.write_rung(conn, report, homes, viewer.person, now=now) if 0 < report <= BIGINT_MAX else None
    if home is None:
        raise HTTPException(404)
    await access.leave_record(conn, viewer, [home], "confidence answer", now=now)
    return show.then("/carer")

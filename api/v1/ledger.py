"""How confident families feel, for programs: what was published, as public as the page; and one's own answers.

An answer itself is given by a person to the question in its exact words, on a page, by text or on the phone; so no
token gives one, and nobody's answers can be read but those of the token's own person.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import Response

from api import confidence, publishing, store
from api.given import Connection, Now
from api.ledger import Quarter
from api.v1 import shapes
from api.v1.caller import AnyCaller, HomeFor, Wide
from api.v1.problems import described
from api.v1.tokens import Caller, Scope
from gateway.reading import HomeId

router = APIRouter()

_EDITIONS_MAX: Final = 32_767
QuarterInPath = Annotated[
    str, Path(description="Like 2026-Q2.", max_length=7, pattern=r"^20\d\d-Q[1-4]$", examples=["2026-Q2"])
]
EditionInPath = Annotated[int, Path(ge=1, le=_EDITIONS_MAX, examples=[1])]
_PUBLIC: Final = described(404, 422, 503)
_BYTES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The very bytes that were published; null is withheld.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["format", "service", "quarter", "edition", "made_at", "series"],
                    "properties": {
                        "format": {"type": "integer"},
                        "quarter": {"type": "string"},
                        "edition": {"type": "integer"},
                        "series": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}


@router.get("/ledger", responses=described(503))
async def list_editions(conn: Connection, now: Now) -> shapes.Ledger:
    """List what was published, the newest first, and how many were asked since.  Public, as the page is."""
    editions = [
        shapes.LedgerEdition(
            quarter=str(one.quarter),
            edition=one.edition,
            made_at=one.made_at,
            corrects=one.why or None,
            page=f"/ledger/{one.quarter}/{one.edition}",
            csv=f"/ledger/{one.quarter}/{one.edition}/ledger.csv",
            json=f"/ledger/{one.quarter}/{one.edition}/ledger.json",
        )
        for one in await publishing.editions(conn)
    ]
    so_far = [
        shapes.SoFar(audience=one.audience, asked=one.asked, answered=one.answered)
        for one in await publishing.so_far(conn, now=now)
    ]
    return shapes.Ledger(editions=editions, so_far=so_far)


@router.get("/ledger/open", responses=described(401, 403, 429, 503))
async def read_open_quarter(
    caller: Annotated[Caller, Depends(Wide(Scope.LEDGER_READ))],  # noqa: ARG001 - that it may is what counts
    conn: Connection,
    now: Now,
) -> shapes.OpenQuarter:
    """Say how far the open quarter is: who was asked and answered, by origin; nothing of what they say."""
    items = [
        shapes.OpenSeries(
            audience=one.audience,
            asked=one.asked,
            answered=one.answered,
            may_still_answer=one.may_still_answer,
            origins_at_least={name: confidence.at_least(count) for name, count in one.origins.items()},
        )
        for one in await publishing.open_series(conn, now=now)
    ]
    return shapes.OpenQuarter(quarter=str(publishing.open_quarter(now=now)), true_at=now, items=items)


@router.get("/ledger/{quarter}", responses=_PUBLIC | _BYTES, response_class=Response)
async def read_newest(quarter: QuarterInPath, conn: Connection) -> Response:
    """Give the newest edition of a quarter.  Public, as the page is."""
    return await _published(conn, quarter, None)


@router.get("/ledger/{quarter}/{edition}", responses=_PUBLIC | _BYTES, response_class=Response)
async def read_edition(quarter: QuarterInPath, edition: EditionInPath, conn: Connection) -> Response:
    """Give one edition of a quarter, for good.  Public, as the page is."""
    return await _published(conn, quarter, edition)


async def _published(conn: Connection, said: str, edition: int | None) -> Response:
    quarter = Quarter.read(said)
    content = None if quarter is None else await publishing.content(conn, quarter, edition, "json")
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type="application/json")


@router.get("/homes/{home}/confidence", responses=described(401, 403, 404, 422, 429, 503))
async def list_own_answers(
    home: Annotated[HomeId, Depends(HomeFor("confidence answer", Scope.CONFIDENCE_READ))],
    caller: AnyCaller,
    conn: Connection,
) -> shapes.OwnAnswers:
    """List what this token's own person has answered about a home, and of which origin each answer is."""
    items = [
        shapes.OwnAnswer(
            question=one.question,
            wording=one.wording,
            origin=one.origin,
            answer=one.answer,
            words=one.words,
            answered_at=one.answered_at,
        )
        for one in await store.own_answers(conn, home, caller.viewer.person)
    ]
    return shapes.OwnAnswers(home=home, person=caller.viewer.person, items=items)

"""How does a program hear that it gets nothing?  As problem+json (RFC 9457), whatever it accepts."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from alerts.store.thresholds import CannotSet
from api.office.said import Mistakes
from ingest.db.pool import UNREADABLE, say_if_unreadable

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

_DETAILS: Final[Mapping[int, str]] = {
    401: "Send a token that is in force: Authorization: Bearer TOKEN.",
    403: "The token does not have the scope that this needs.",
    404: "There is nothing here for this token.",
    405: "This address does not know that method.",
    409: "It is somebody else's, or it is over; what is so now must be read first.",
    413: "The body is too long.",
    422: "Something in the request cannot be read; `errors` says what.",
    429: "Too often. Wait for as long as Retry-After says.",
    500: "That is our mistake, and is in our log.",
    503: "The database does not answer, and nothing is said that we cannot vouch for. Try again in a minute.",
}


class Wrong(BaseModel):
    """One thing in a request that cannot be read, or that the office cannot take, and why."""

    where: str = Field(examples=["query.limit"])
    why: str = Field(examples=["Input should be less than or equal to 200"])


class Problem(BaseModel):
    """Why there is nothing (RFC 9457)."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is nothing here for this token."])
    errors: list[Wrong] | None = None


class Unreadable(Exception):
    """Something in a request has the right form and no meaning; whoever sent it must change it.

    Attributes:
        where: as FastAPI names places: `query.since`.
        why: in a sentence, without what was sent.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class Conflict(Exception):
    """A request that is right in itself goes against what is so; whoever sent it must look before they send again.

    Attributes:
        why: in a sentence.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def answer(
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    errors: Sequence[Wrong] | None = None,
    detail: str | None = None,
) -> Response:
    """Return a problem; one of which nothing is known is our own mistake."""
    title = HTTPStatus(status).phrase
    detail = detail or _DETAILS.get(status, title)
    body = Problem(title=title, status=status, detail=detail, errors=None if errors is None else list(errors))
    return JSONResponse(body.model_dump(exclude_none=True), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these problems for the description of a route."""
    return {status: {"model": Problem, "description": _DETAILS[status]} for status in statuses}


def _only_problems(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description in which every problem has its own media type; FastAPI gives all answers the same."""
    ours = {"$ref": "#/components/schemas/Problem"}
    for methods in described["paths"].values():
        for route in methods.values():
            for said in route["responses"].values():
                content = said.get("content", {})
                if content.get("application/json", {}).get("schema") == ours:
                    said["content"] = {MEDIA_TYPE: {"schema": ours}}
    return described


def install(app: FastAPI) -> None:
    """Let every refusal of the app be a problem, in fact and in its description."""
    describe = app.openapi
    app.openapi = lambda: _only_problems(describe())  # type: ignore[method-assign]  # as FastAPI's manual has it
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Unreadable, _meaningless)
    app.add_exception_handler(Mistakes, _mistaken)
    app.add_exception_handler(CannotSet, _cannot_be_set)
    app.add_exception_handler(Conflict, _in_conflict)
    for kind in (psycopg.OperationalError, *UNREADABLE):
        app.add_exception_handler(kind, _database_is_away)
    app.add_exception_handler(Exception, _our_mistake)


async def _refused(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the same for every address
    assert isinstance(why, StarletteHTTPException)
    return answer(why.status_code, why.headers)


async def _unreadable(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the same for every address
    assert isinstance(why, RequestValidationError)
    errors = [Wrong(where=".".join(map(str, one["loc"]))[:200], why=str(one["msg"])[:200]) for one in why.errors()]
    return answer(422, errors=errors[:20])


async def _meaningless(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the same for every address
    assert isinstance(why, Unreadable)
    return answer(422, errors=[Wrong(where=why.where, why=why.why)])


async def _mistaken(request: Request, why: Exception) -> Response:  # noqa: ARG001 - as above
    """Answer what the office says of fields, as it says it to an operator on a page."""
    assert isinstance(why, Mistakes)
    errors = [Wrong(where=f"body.{one.field}" if one.field else "body", why=one.said[:500]) for one in why.mistakes]
    return answer(422, errors=errors[:20])


async def _cannot_be_set(request: Request, why: Exception) -> Response:  # noqa: ARG001 - as above
    return answer(422, errors=[Wrong(where="body", why=str(why)[:500])])


async def _in_conflict(request: Request, why: Exception) -> Response:  # noqa: ARG001 - as above
    assert isinstance(why, Conflict)
    return answer(409, detail=why.why)


async def _our_mistake(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the guard logs where it was
    return answer(500)


async def _database_is_away(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the same for every address
    say_if_unreadable(why)
    return answer(503)

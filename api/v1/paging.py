"""Where does the next page of a list begin?

A cursor holds the key of the last thing on the page, so that what comes in between meanwhile moves nothing.
"""

import base64
import binascii
from typing import Annotated, Any, Final

import msgspec
from fastapi import Query, Request

from api.v1.problems import Unreadable

LIMIT_MAX: Final = 200
_CURSOR_MAX: Final = 400
# As JSON has it; no database takes one, and nothing of ours is called so.
_NUL: Final = rb"\u0000"

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many at most.", examples=[50])]
Cursor = Annotated[
    str | None, Query(max_length=_CURSOR_MAX, description="From `next` of the page before; leave it out for the first.")
]


def next_page(request: Request, key: object) -> str:
    """Return the address of the page that begins after a key."""
    cursor = base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def key_of(cursor: str | None, kind: Any) -> Any:  # noqa: ANN401 - of the kind that was asked for
    """Return the key in a cursor as a kind, or None where there is no cursor.

    Raises:
        Unreadable: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        said = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if _NUL in said:
            raise foreign_cursor()
        return msgspec.json.decode(said, type=kind)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise foreign_cursor() from None


def foreign_cursor() -> Unreadable:
    """Return what is said of a cursor that is none of ours."""
    return Unreadable("query.cursor", "It is not the cursor of a page of this list.")

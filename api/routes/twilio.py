"""What Twilio tells us: what became of a text, and what a person texted back."""

from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from alerts import store as alerts_store
from api.given import Connection, GivenToAll, Now

router = APIRouter(prefix="/twilio")

_FIELDS_MAX = 100


async def signed_form(request: Request, world: GivenToAll) -> dict[str, str]:
    """Return a form that Twilio signed.

    Raises:
        HTTPException: 403, it did not, or we have no account there to check against.
    """
    async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
        said = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    signature = request.headers.get("x-twilio-signature", "")
    if world.sms is None or not world.sms.signature_is_right(path, said, signature):
        raise HTTPException(403)
    return said


SignedForm = Annotated[dict[str, str], Depends(signed_form)]


@router.post("/status/{key}")
async def take_status(key: str, form: SignedForm, conn: Connection, now: Now) -> Response:
    """Take what became of the notification with this key."""
    is_known = await alerts_store.take_status(
        conn,
        key[:100],
        form.get("MessageSid", ""),
        form.get("MessageStatus", ""),
        form.get("ErrorCode") or None,
        now=now,
    )
    return Response(status_code=204 if is_known else 404)


@router.post("/text")
async def take_text(form: SignedForm, conn: Connection, now: Now) -> Response:
    """Take a text from a phone, and answer it."""
    sid, phone = form.get("MessageSid", ""), form.get("From", "")
    if not sid or not phone:
        raise HTTPException(400)
    answer = await alerts_store.take_text(conn, sid, phone, _storable(form.get("Body", "")), now=now)
    said = f"<Message>{escape(answer)}</Message>" if answer else ""
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>', media_type="text/xml")


def _storable(body: str) -> str:
    """Return a text that PostgreSQL can keep: without NUL."""
    return body.replace("\0", "\ufffd")

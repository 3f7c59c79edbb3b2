"""What holds for every request before any route sees it, and for every answer before it leaves?

One layer around the whole app, so that no new route can forget it: bodies have a bound, a form may only come from
our own pages, nothing about a home is kept by a browser, nothing runs in a page that we did not put there, and a
mistake of ours is a page in plain words, never a traceback.
"""

import logging
import secrets
import traceback
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import show

log = logging.getLogger(__name__)

# The largest thing anyone sends us is a word of 2,000 letters; Twilio's forms are under 4 kB.  Ours.
BODY_BYTES_MAX: Final = 32_768

STATIC: Final = "/static/"
# Its callers are not browsers; they are told apart by their signature.
TWILIO: Final = "/twilio/"
# A program sends its token itself; no browser adds it to another site's form, and cookies open nothing there.
PROGRAMS: Final = "/api/v1/"
# Nobody is signed in there: the secret in the address is all that counts, and mail programs press *unsubscribe* from
# nobody's page.
MAILED: Final = "/answer/"

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    # A log-in link is an address; it must not be told to the next page.
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
_POLICY: Final = (
    "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Guard:
    """The layer; see the module."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._public = _origin(public_url)
        self._is_secure = public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(12)
        scope.setdefault("state", {})["nonce"] = nonce
        has_begun = False

        async def guarded_send(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._put_headers(scope["path"], nonce, MutableHeaders(scope=message))
            await send(message)

        try:
            if (status := self._refusal(scope)) is not None:
                await show.problem(Request(scope), status)(scope, receive, guarded_send)
            else:
                await self._app(scope, _bounded(receive), guarded_send)
        except Exception as why:  # noqa: BLE001 - the last door: whatever it is becomes a page and a log line
            log.error("request failed", extra={"why": type(why).__name__, "at": _where(why)})  # noqa: TRY400 - no values
            if not has_begun:
                await show.problem(Request(scope), 500)(scope, receive, guarded_send)

    def _refusal(self, scope: Scope) -> int | None:
        """Return the status with which a request is turned away at once, or None."""
        headers = Headers(scope=scope)
        said = headers.get("content-length", "0")
        if not said.isdecimal() or int(said) > BODY_BYTES_MAX:
            return 413
        if scope["method"] in {"GET", "HEAD", "OPTIONS"} or scope["path"].startswith((TWILIO, PROGRAMS, MAILED)):
            return None
        return None if self._is_from_our_pages(headers) else 403

    def _is_from_our_pages(self, headers: Headers) -> bool:
        """Return whether a browser says that this form was on a page of ours.

        The session's cookie is SameSite=Lax, so another site's form comes without it; this is the second lock.
        """
        if (site := headers.get("sec-fetch-site")) is not None:
            return site == "same-origin"
        origin = headers.get("origin", "")
        return origin != "" and _origin(origin) in (self._public, ("http", headers.get("host", "")))

    def _put_headers(self, path: str, nonce: str, headers: MutableHeaders) -> None:
        for name, value in _ALWAYS.items():
            headers[name] = value
        headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
        if self._is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        # Its address carries a hash of what is in it.
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if path.startswith(STATIC) else "no-store"


def _bounded(receive: Receive) -> Receive:
    """Return the same body, which ends in a 413 where it is too long; one without a length is counted as it comes."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES_MAX:
            raise HTTPException(413)
        return message

    return counted


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _where(why: Exception) -> Sequence[str]:
    """Return the last places in the code that it passed, without any value."""
    passed = traceback.extract_tb(why.__traceback__)[-4:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in passed]

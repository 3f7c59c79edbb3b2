"""How does an answer become a page, and a refusal a sentence?"""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import times
from api.views.said import whose
from gateway.release import version

FOLDER: Final = Path(__file__).parent / "static"

# One sentence each, and what can be done about it.  They say nothing of the address that was asked for.
_IN_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("We could not read that", "Go back and send it again."),
    403: (
        "That did not come from one of our pages",
        "Nothing was done. Open the page again and press the button there.",
    ),
    404: ("There is nothing here for you", "The address is wrong, or it belongs to a home that you were not given."),
    405: ("That is not how this page works", "Go back and use the buttons on the page."),
    413: ("That is too long", "Go back, shorten it and send it again."),
    422: ("We could not read that", "Go back and send it again."),
    429: ("Too often", "Wait a little and try again."),
    503: (
        "We cannot look just now",
        "Our database does not answer, and we show nothing that we cannot vouch for. Try again in a minute.",
    ),
    500: ("Something went wrong on our side", "It is our mistake and is in our log. Try again."),
}


def _static_address(name: str) -> str:
    content = (FOLDER / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("api", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["static"] = {path.name: _static_address(path.name) for path in FOLDER.iterdir()}
    env.filters["clock"] = times.clock_time
    env.filters["iso"] = times.iso
    env.filters["moment"] = lambda at, now: times.when(at, now=now)
    env.filters["on_day"] = lambda at: times.long_day(times.local_date(at))
    env.filters["to_come"] = lambda at, now: times.at_what_time(at, now=now)
    env.filters["wait"] = times.wait
    env.filters["whose"] = whose
    env.filters["tel"] = times.spoken_phone
    env.filters["weekdays"] = times.weekdays
    env.globals["version"] = version()
    env.globals["pairs"] = lambda words: [(word, word) for word in words]
    return env


_environment_of_pages: Final = _environment()


def render(name: str, **facts: Any) -> str:  # noqa: ANN401 - facts of any kind
    """Return a page that is kept as it is: made of facts, with nothing in it that differs between two requests."""
    return _environment_of_pages.get_template(name).render(**facts)


def page(request: Request, name: str, *, status: int = 200, **facts: Any) -> HTMLResponse:  # noqa: ANN401 - facts of any kind
    """Return a page made of facts.

    Args:
        request: for what the layer around the app put there.
        name: of the file in `pages/`.
        status: HTTP's.
        facts: every name that the page uses; a missing one is an error, never an empty place.
    """
    made = _environment_of_pages.get_template(name).render(nonce=request.state.nonce, **facts)
    return HTMLResponse(made, status)


def problem(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return why nothing is shown: a page for people, problem+json (RFC 9457) for programs that ask for JSON."""
    status = status if status in _IN_WORDS else 500 if status >= 500 else 400
    title, what_to_do = _IN_WORDS[status]
    if wants_json(request):
        body = {"type": "about:blank", "title": title, "status": status, "detail": what_to_do}
        return JSONResponse(body, status, media_type="application/problem+json", headers=dict(headers or {}))
    shown = page(request, "problem.html", status=status, title=title, what_to_do=what_to_do)
    shown.headers.update(headers or {})
    return shown


def wants_json(request: Request) -> bool:
    """Return whether the caller is a program."""
    if request.url.path.startswith("/api/"):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def to_log_in(request: Request) -> Response:
    """Return the same answer to everybody who is not signed in, whatever was asked for."""
    if wants_json(request):
        return JSONResponse(
            {"type": "about:blank", "title": HTTPStatus(401).phrase, "status": 401, "detail": "Sign in first."},
            401,
            media_type="application/problem+json",
        )
    return then("/log-in")


def then(address: str) -> Response:
    """Return what follows a form: another page, so that pressing reload sends nothing twice."""
    return cast(Response, RedirectResponse(address, 303))

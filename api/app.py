"""How is the app put together from what it is given?"""

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from alerts.telling.sms import Sms
from api import show, v1
from api.access import NotSignedIn
from api.config import Config
from api.given import Given
from api.guard import Guard
from api.look_backs import LookBacks
from api.measured import Measured
from api.routes import (
    alerts,
    answer,
    away,
    calls,
    confidence,
    fleet,
    front,
    health,
    home,
    ledger,
    log_in,
    me,
    one_home,
    people,
    programs,
    provider,
    restored,
    rota,
    setup,
    sheet,
    staff,
    stories,
    thresholds,
    twilio,
    unanswered,
)
from api.signing_in.mail import Mail
from api.signing_in.passwords import Passwords
from api.signing_in.provider import Provider
from api.signing_in.sealing import Seals
from gateway.clock import Clock
from ingest.db.pool import UNREADABLE, Pool, say_if_unreadable


def build(config: Config, pool: Pool, clock: Clock) -> FastAPI:
    """Return the app; it opens and closes nothing of its own.

    Args:
        config: what the environment said.
        pool: open, of a migrated database.
        clock: what homes are judged on; sessions and links go by the system's clock.
    """
    # The description of all routes is for tests and readers of the code; it is not served.
    app = FastAPI(title="telecare", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.given = Given(
        config,
        pool,
        clock,
        Clock(),
        Sms(config.texts) if config.texts else None,
        LookBacks(config.database_url, pool),
        Mail(config.mails) if config.mails else None,
        Passwords(),
        Seals(config.factor_keys) if config.factor_keys else None,
        Provider(config.identities) if config.identities else None,
    )
    # Any word behind /log-in/ would be taken for the token of a link.
    first = (
        front,
        staff,
        provider,
        log_in,
        me,
        home,
        away,
        alerts,
        confidence,
        answer,
        fleet,
        calls,
        unanswered,
        restored,
    )
    # The form of a new home stands where a home's own page would.
    for routes in (*first, ledger, people, programs, setup, rota, one_home, sheet, stories, thresholds, twilio, health):
        app.include_router(routes.router)
    app.mount(v1.PREFIX, v1.build(app.state.given))
    app.mount("/static", StaticFiles(directory=show.FOLDER), name="static")
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    for kind in (psycopg.OperationalError, *UNREADABLE):
        app.add_exception_handler(kind, _database_is_away)
    app.add_middleware(Guard, public_url=config.public_url)
    app.add_middleware(Measured)
    if config.trusted_proxies:
        # Outermost, so that all below know who asks.  Without it nobody's word is taken for another address.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(config.trusted_proxies))
    return app


async def _refused(request: Request, why: Exception) -> Response:
    assert isinstance(why, StarletteHTTPException)
    return show.problem(request, why.status_code, why.headers)


async def _unreadable(request: Request, why: Exception) -> Response:  # noqa: ARG001 - it names what a person wrote
    return show.problem(request, 422)


async def _not_signed_in(request: Request, why: Exception) -> Response:  # noqa: ARG001 - the same answer to all
    return show.to_log_in(request)


async def _database_is_away(request: Request, why: Exception) -> Response:
    say_if_unreadable(why)
    return show.problem(request, 503)

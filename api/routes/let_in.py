"""What does everybody get who has proved who they are, however they did?"""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import Counter
from psycopg import AsyncConnection

from api import access, show
from api.given import Given, RealNow
from api.signing_in import sessions
from api.signing_in.sessions import Way

LOG_INS: Final = Counter("telecare_api_log_ins", "Log-ins by way: let in, refused, made to wait.", ["way", "became"])

_AT_MOST_S: Final = int(sessions.ANYONE.at_most.total_seconds())


async def let_in(
    request: Request, world: Given, conn: AsyncConnection[Any], person: str, *, way: Way, real_now: RealNow
) -> Response:
    """Begin a session of this browser and lead to the front door: nothing that a caller sends says where to go."""
    browser = sessions.browser_named(request.headers.get("user-agent", ""))
    before = access.session_token(request, world)
    token = await sessions.begin(conn, person, way=way, browser=browser, instead_of=before, real_now=real_now)
    LOG_INS.labels(way, "let in").inc()
    answer = show.then("/")
    is_secure = world.config.is_secure
    answer.set_cookie(
        access.cookie_name(is_secure=is_secure),
        token,
        max_age=_AT_MOST_S,
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def let_out(world: Given) -> Response:
    """Lead to the log-in with nothing left in this browser."""
    answer = show.then("/log-in")
    is_secure = world.config.is_secure
    answer.delete_cookie(access.cookie_name(is_secure=is_secure), secure=is_secure, httponly=True, samesite="lax")
    return answer

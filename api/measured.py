"""How many answers were given, of which kind, and how long did they take?

The outermost layer around the app.  Its labels are the five kinds of answers and nothing else: a path has a home in it.
"""

import time
from typing import Final

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS: Final = Counter("telecare_api_requests", "Answers given, by kind: 2xx, 3xx, 4xx, 5xx.", ["answer"])
# From the start: one that is first seen as 1 has not risen, and nobody would be told of the first.
REQUESTS.labels("5xx")
SECONDS: Final = Histogram(
    "telecare_api_request_seconds",
    "From a request's first byte to the end of its answer.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Measured:
    """The layer; see the module."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = "5xx"  # What a request becomes that ends without an answer.

        async def heard(message: Message) -> None:
            nonlocal answer
            if message["type"] == "http.response.start":
                answer = f"{message['status'] // 100}xx"
            await send(message)

        begun_s = time.perf_counter()
        try:
            await self._app(scope, receive, heard)
        finally:
            REQUESTS.labels(answer).inc()
            SECONDS.observe(time.perf_counter() - begun_s)

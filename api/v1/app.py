"""How is the part for programs put together?"""

from typing import Final

from fastapi import FastAPI

from api.given import Given
from api.v1 import agreed, alerts, calls, fleet, homes, ledger, people, problems, rota, setup, thresholds

PREFIX: Final = "/api/v1"

_ABOUT: Final = """
The same facts as the pages. Send a token: `Authorization: Bearer TOKEN`; an operator makes it with
`telecare token add`. It opens no more than its scopes and what its person may see.

*What is true is a lease.* A home's `state` is about us, not about the resident, and from `not_known_from` on nobody may
show it as watched. Every look leaves a record that the resident can have.

Lists come in pages: `next` is the address of the next one. Problems are `application/problem+json` (RFC 9457).
"""


def build(given: Given) -> FastAPI:
    """Return the app that is mounted at `PREFIX`; its description is public at `PREFIX/openapi.json`."""
    app = FastAPI(
        title="telecare",
        version="1",
        summary="Homes, readings and alerts for programs.",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
    )
    app.state.given = given
    for routes in (homes, agreed, setup, rota, thresholds, people, alerts, fleet, ledger, calls):
        app.include_router(routes.router)
    problems.install(app)
    return app

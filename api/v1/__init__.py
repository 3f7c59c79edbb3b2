"""What do programs get?  The same facts as the pages, as JSON under `/api/v1`, described by its own OpenAPI.

A program has a token that speaks for a person, and may do no more than its scopes and that person's grants.  Cookies
open nothing here, so no form of another site can act through a browser.
"""

from api.v1.app import PREFIX, build

__all__ = ["PREFIX", "build"]

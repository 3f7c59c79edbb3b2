"""Which release is this?  What stands in the package that was installed, for whoever is asked what they run."""

from functools import cache
from importlib.metadata import version as version_of
from typing import Final

_PACKAGE: Final = "telecare"


@cache
def version() -> str:
    """Return the version of the installed package, such as 0.1.0."""
    return version_of(_PACKAGE)

"""One telecare for all stories: each is about another home of the street, or leaves it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.browsing import browser, chromium, street
from tests.world.whole import Whole, telecare

__all__ = ["browser", "chromium", "street"]


@pytest.fixture(scope="session")
def whole(open_folder: Path) -> Iterator[Whole]:
    """Run all of it, once for the folder."""
    with telecare(open_folder / "whole") as running:
        yield running
        # Each process has an account of its own; none may have asked for more than it was given in all these stories.
        said = (open_folder / "whole" / "logs" / "postgres.log").read_text(errors="replace")
        assert [line for line in said.splitlines() if "permission denied" in line] == []

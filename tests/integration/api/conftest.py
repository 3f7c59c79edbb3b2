"""The street that pages are tested in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world.database import Database
from tests.world.pages import Street


@pytest.fixture
async def street(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Give two homes, those who may see them, and the app."""
    async with Street(database.dsn, tmp_path) as street:
        yield street


@pytest.fixture
async def quiet_street(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Give the same without an account with Twilio: nobody can be texted."""
    async with Street(database.dsn, tmp_path, texts=False) as street:
        yield street

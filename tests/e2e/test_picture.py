"""Can the README's picture be made again?"""

import struct
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.picture import PICTURE, picture
from tests.world.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="session")


def size_of(png: bytes) -> tuple[int, int]:
    """Return the width and the height of a PNG, in pixels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


async def test_the_picture_of_the_pages_can_be_made_again(
    browser: Browser,
    database: Database,
    tmp_path: Path,
) -> None:
    """A picture that nobody can make again shows, in a year, pages that are no more."""
    made = await picture(browser, database.dsn, tmp_path, homes=8)

    assert size_of(made) == size_of(PICTURE.read_bytes())

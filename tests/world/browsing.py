"""A real browser, and the street's pages on a port of their own for it to look at."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, async_playwright, expect

from deploy.embedded import machine
from gateway.clock import monotonic_s
from tests.world.database import Database
from tests.world.pages import Street

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
QUIETLY = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Run the machine's Chromium, once."""
    program = shutil.which("chromium")
    if program is None or not AXE.exists():
        sentence = "Chromium or axe-core is not installed; `deploy/telecare test` installs them"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    expect.set_options(timeout=60_000)  # Shared machines are slow at times.
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=list(QUIETLY))
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Give a browser in which nobody is signed in, and forget everybody afterwards."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def street(database: Database, tmp_path: Path) -> AsyncIterator[Street]:
    """Serve the street on a port of its own."""
    port = machine.free_port()
    async with Street(database.dsn, tmp_path, public_url=f"http://127.0.0.1:{port}") as street:
        server = uvicorn.Server(uvicorn.Config(street.app, port=port, lifespan="off", log_level="error"))
        serving = asyncio.create_task(server.serve())
        await until(lambda: _is_true(server.started), within_s=60)
        yield street
        server.should_exit = True
        await serving


async def _is_true(what: object) -> bool:
    return bool(what)


async def until(look: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Wait until something is so, or fail."""
    deadline = monotonic_s() + within_s
    while not await look():
        assert monotonic_s() < deadline, f"not so within {within_s} s"
        await asyncio.sleep(0.02)

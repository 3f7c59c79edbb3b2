"""How is a look back done without holding up the pages?  A process for each, a few at a time, with an end."""

import asyncio
import logging
import os
import sys
from typing import Final

from alerts import looking_back
from alerts.store import look_backs
from ingest.db.pool import Pool

log = logging.getLogger(__name__)

# One core judges; the pages keep the others.
_AT_ONCE: Final = 1
WAITING_MAX: Final = 8
"""Ours: more operators than this do not look back in the same minute."""
# Real seconds; ours: a dozen busy homes over eight weeks take about half of it on a shared core.
_LONGEST_S: Final = 300.0


class LookBacks:
    """Those that run or wait in this process."""

    def __init__(self, database_url: str, pool: Pool) -> None:
        self._database_url = database_url
        self._pool = pool
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    def is_full(self) -> bool:
        return len(self._running) >= WAITING_MAX

    def start(self, number: int) -> None:
        """Do a look back as soon as it is its turn."""
        task = asyncio.create_task(self._do(number), name=f"look back {number}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _do(self, number: int) -> None:
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", looking_back.__name__, str(number)),
                env={**os.environ, looking_back.DATABASE_VARIABLE: self._database_url},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, said = await asyncio.wait_for(process.communicate(), _LONGEST_S)
            except TimeoutError:
                await self._fail(number, "It took longer than five minutes. Look back over fewer days.")
            else:
                await self._judge_end(number, process.returncode, said)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def _judge_end(self, number: int, code: int | None, said: bytes) -> None:
        if code == 0:
            return
        # The last line names the mistake; a traceback may hold values.
        last = said.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
        log.warning("look back failed", extra={"look_back": number, "code": code, "why": last[:100]})
        await self._fail(number, "It failed; it is our mistake and is in our log.")

    async def _fail(self, number: int, why: str) -> None:
        async with self._pool.connection() as conn:
            await look_backs.fail(conn, number, why)

"""Is everybody asked how confident they feel when the schedule says so?  The loop from the frame to what is due.

It only writes texts *due*; the telling loop sends them, behind everything that asks somebody to go.
"""

import asyncio
import logging
from typing import Final

from alerts.store import asking
from gateway.clock import Clock
from ingest.db.pool import Pool, is_away

log = logging.getLogger(__name__)

# Real seconds between two looks: the schedule is in days, and a demo's hour may pass in a second.
_LOOK_S: Final = 10.0


class Ask:
    """The loop of one worker; the others stand by while one looks."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self.trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until told to stop.  What goes wrong here never holds up an alarm."""
        while not stop.is_set():
            try:
                await self.turn()
                self.trouble = None
            except Exception as why:
                if is_away(why):
                    self.trouble = f"the database is away: {type(why).__name__}"
                else:
                    log.exception("asking failed")
                    self.trouble = "asking how confident people feel fails; the log says how"
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_S)
            except TimeoutError:
                continue

    async def turn(self) -> None:
        """Look once."""
        async with self._pool.connection() as conn:
            done = await asking.turn(conn, now=self._clock.now())
        if done.asked or done.reminded:
            log.info("confidence asked", extra={"asked": done.asked, "reminded": done.reminded})

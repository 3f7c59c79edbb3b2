"""How what runs beside the work comes to its end."""

import asyncio

from ingest.worker import end


async def test_a_task_that_forgets_a_cancellation_is_cancelled_again() -> None:
    """Python 3.11 and psycopg's pool both do so now and then; the process would never end, nor start anew."""
    forgotten = 0

    async def stubborn() -> None:
        nonlocal forgotten
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if forgotten == 2:
                    raise
                forgotten += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await end([task], within_s=5)

    assert task.cancelled()
    assert forgotten == 2


async def test_what_never_ends_is_not_waited_for_without_a_bound() -> None:
    """The process is ended from outside sooner than it would give up by itself."""
    may_end = asyncio.Event()

    async def deaf() -> None:
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)

    await end([task], within_s=0.15)

    assert not task.done()
    may_end.set()
    await task

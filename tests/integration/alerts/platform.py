"""The words for a platform without its edges: what ingest would store, a clock that is moved, and webhooks."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts import store
from alerts.lanes import JudgingLanes
from alerts.tell import Door, NoTwilio, Tell
from alerts.watch import Watch
from gateway.clock import Anchor, Clock, monotonic_s, write_anchor
from ingest import entry, stored_log
from ingest.db.pool import Pool
from ingest.lanes import Lanes, new_owner

Conn = AsyncConnection[TupleRow]


class MovedClock:
    """A clock file that stands still until a test moves it.

    Attributes:
        stretch: how much later promises may be kept.
    """

    def __init__(self, path: Path, at: datetime, *, stretch: timedelta = timedelta(0)) -> None:
        self.path = path
        self.stretch = stretch
        self.set(at)
        self.clock = Clock(path)

    def set(self, at: datetime) -> None:
        write_anchor(self.path, Anchor(0.0, at.timestamp(), 0.0, self.stretch))

    def now(self) -> datetime:
        return self.clock.now()

    def move(self, **by: float) -> datetime:
        at = self.now() + timedelta(**by)
        self.set(at)
        return at


class Ingest:
    """What ingest does to the database, without a broker."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn
        self.lanes = Lanes(new_owner())

    async def start(self) -> None:
        await self.lanes.claim(self.conn)

    async def stores(self, lane: int, *entries: entry.Entry, now: datetime) -> datetime:
        """Store one batch, and return when it was received."""
        async with self.conn.transaction():
            received_at = await self.lanes.fence(self.conn, {lane: now})
            await stored_log.append(self.conn, {lane: entries}, received_at)
        return received_at[lane]

    async def ticks(self, *, now: datetime) -> None:
        unbroken = dict.fromkeys(self.lanes.owned, now - timedelta(days=365))
        assert not (await self.lanes.tick(self.conn, now=now, unbroken_since=unbroken)).lost


def worker(
    pool: Pool, clock: MovedClock, sender: Door | None = None, *, lease: timedelta | None = None
) -> tuple[Watch, Tell]:
    """Return the two loops of one alerts process, not running."""
    owner = new_owner()
    tell = Tell(pool, clock.clock, sender or NoTwilio(), owner=owner)
    lanes = JudgingLanes(owner) if lease is None else JudgingLanes(owner, lease=lease)
    return Watch(pool, clock.clock, lanes, wake=tell.stir), tell


async def until(look: Callable[[], Awaitable[Any]], *, within_s: float = 60.0, what: str = "") -> Any:
    """Return what `look` returns as soon as that is something."""
    deadline = monotonic_s() + within_s
    while not (found := await look()):
        assert monotonic_s() < deadline, f"not within {within_s} s: {what or look}"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def webhooks(conn: Conn, now: Callable[[], datetime]) -> AsyncIterator[str]:
    """Listen as the platform's public address, and do what the pages' process does with what Twilio posts."""
    loop, one_at_a_time = asyncio.get_running_loop(), asyncio.Lock()

    async def take(path: str, form: dict[str, str]) -> str:
        async with one_at_a_time:
            if path.startswith("/twilio/status/"):
                key, code = path.rpartition("/")[2], form.get("ErrorCode")
                await store.take_status(conn, key, form["MessageSid"], form["MessageStatus"], code, now=now())
                return ""
            answer = await store.take_text(conn, form["MessageSid"], form["From"], form["Body"], now=now())
            return f"<Response><Message>{escape(answer)}</Message></Response>" if answer else "<Response/>"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            said = asyncio.run_coroutine_threadsafe(take(self.path, form), loop).result(10).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        async with one_at_a_time:
            pass  # What was posted last is written by now.

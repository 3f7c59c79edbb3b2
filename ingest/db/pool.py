"""How does a process reach the database, and is it one that keeps what it says it keeps?

Every connection commits by itself (`autocommit`) and a transaction is always explicit, `async with
conn.transaction()`: on a connection that does not, any earlier SELECT has opened a transaction, and such a block
is only a savepoint that is never committed (tried with psycopg 3.3, 2026-11).
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

log = logging.getLogger(__name__)

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]

CONNECT_TIMEOUT: Final = timedelta(seconds=5)
STATEMENT_TIMEOUT: Final = timedelta(seconds=30)

STANDSTILL: Final = timedelta(seconds=8)
"""A stopped process (SIGSTOP, a frozen machine) may hold rows that another needs, a lane's among them.

The database ends such a transaction itself: sooner than the 10 s after which the lane is another's to claim.
"""

RECONNECT: Final = timedelta(seconds=2)
"""For so long the pool tries by itself, then whoever asks next makes it try anew, at most some 2 s apart.

By its own rule (300 s, doubling) it tries less and less often: a minute's outage of the database cost a press another
68 s (`tests.bench.pressure flood --away-s 60`, 2026-11-22), and an hour's would have cost minutes.
"""

PASSES: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TimeoutError, OSError)
"""What passes by itself: the database is away, too busy, or ended our transaction."""

UNREADABLE: Final = (
    *(psycopg.errors.IoError, psycopg.errors.UndefinedFile),  # 58030, 58P01: the disk, or a file of the table, is gone
    *(psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted),  # XX001, XX002: the block is there and damaged
)
"""The database is there and cannot read what it has: a block of its disk is damaged, and does not mend by itself.

PostgreSQL's words for it (Appendix A) lie in two classes, and psycopg takes the first two for a database that is away;
so this is asked before `PASSES`.
"""

CANNOT_READ: Final = "the database cannot read its disk"


def is_away(why: BaseException) -> bool:
    """Return whether it passes by itself: the database is away, and is not one that cannot read its disk."""
    is_passing = isinstance(why, psycopg.OperationalError | psycopg.InterfaceError | TimeoutError)
    return is_passing and not isinstance(why, UNREADABLE)


def say_if_unreadable(why: BaseException) -> None:
    """Say in the log that somebody must look at the database's disk, where that is why; never its words' values."""
    if isinstance(why, UNREADABLE):
        log.error("database cannot be read", extra={"why": type(why).__name__})


_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 3.0

# `off` answers before the disk has it.  The others wait at least for this server's own disk.
_FIT: Final = """
    SELECT current_setting('fsync'), current_setting('synchronous_commit'),
           EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
"""


class _Pool(AsyncConnectionPool[AsyncConnection[TupleRow]]):
    """A pool that forgets who gave up waiting.

    psycopg's own (3.3) keeps them in its queue until a connection comes, and with a hundred there it refuses whoever
    asks before it tries to connect: after ten minutes without a database alerts told nobody of anything any more.
    """

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[TupleRow]:  # noqa: ASYNC109 - the signature is psycopg's
        """Return a connection, as psycopg's pool does."""
        still = [one for one in self._waiting if one.error is None]
        self._waiting.clear()
        self._waiting.extend(still)
        return await super().getconn(timeout)


class Unfit(Exception):
    """The database may not be used as it is; whoever runs it must change what the one sentence says."""


def settings(name: str, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> Mapping[str, str | int | bool]:
    """Return what every connection of a process is opened with.

    Args:
        name: of the process, as the database shows it.
        statement_timeout: after which the database gives up a statement.
    """
    options = {
        "statement_timeout": statement_timeout,
        "idle_in_transaction_session_timeout": STANDSTILL,
    }
    return {
        "autocommit": True,
        "application_name": f"telecare {name}",
        "connect_timeout": int(CONNECT_TIMEOUT.total_seconds()),
        "options": " ".join(f"-c {key}={int(value.total_seconds() * 1000)}" for key, value in options.items()),
        # A database that vanished without a word is noticed within about 20 s, not in the kernel's two hours.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }


def connect(dsn: str, *, name: str, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> Connection[TupleRow]:
    """Return one blocking connection, for programs that do one thing and end.

    Raises:
        psycopg.OperationalError: the database is away.
    """
    return psycopg.connect(dsn, **settings(name, statement_timeout))  # type: ignore[arg-type]  # libpq's own words


async def open_pool(
    dsn: str, *, name: str, size_max: int = 4, statement_timeout: timedelta = STATEMENT_TIMEOUT
) -> Pool:
    """Return an open pool of a database that is fit; the caller closes it.

    Args:
        dsn: address and password, as libpq reads them.
        name: of the process, as the database shows it.
        size_max: connections at most; the first is opened at once.
        statement_timeout: after which the database gives up a statement.

    Raises:
        Unfit: the database does not keep what it acknowledges, lacks TimescaleDB, or has not our tables.
        psycopg.OperationalError: the database is away.
    """
    told = settings(name, statement_timeout)
    async with await AsyncConnection.connect(dsn, **told) as conn:  # type: ignore[arg-type]  # libpq's own words
        await require_fit(conn)
        await _require_tables(conn)
    pool: Pool = _Pool(
        dsn,
        kwargs=dict(told),
        min_size=1,
        max_size=size_max,
        # Somebody may switch fsync off while we run; then no new connection is made.
        configure=require_fit,
        # A connection that died with its server is replaced before it is handed out.
        check=AsyncConnectionPool.check_connection,
        timeout=CONNECT_TIMEOUT.total_seconds(),
        reconnect_timeout=RECONNECT.total_seconds(),
        max_waiting=100,
        name=name,
        open=False,
    )
    await pool.open()
    return pool


async def reach(
    dsn: str, stop: asyncio.Event, *, name: str, size_max: int = 4, statement_timeout: timedelta = STATEMENT_TIMEOUT
) -> Pool | None:
    """Return an open pool as soon as the database can be reached, however long that takes; None if told to stop.

    A machine that starts brings its database up when it can, and one that is busy answers late.  A process that ended
    for it would be gone from its health address, and whoever looks there could not be told why.

    Args:
        dsn: as for `open_pool`, like `name`, `size_max` and `statement_timeout`.
        stop: set when the process is to end.
        name: of the process.
        size_max: connections at most.
        statement_timeout: after which the database gives up a statement.

    Raises:
        Unfit: the database is there, and may not be used as it is.
    """
    pause_s = _FIRST_PAUSE_S
    while not stop.is_set():
        try:
            return await open_pool(dsn, name=name, size_max=size_max, statement_timeout=statement_timeout)
        except PASSES as why:
            said = (str(why).splitlines() or [""])[0][:200]
            log.warning("database away", extra={"why": said or type(why).__name__})
        try:
            async with asyncio.timeout(pause_s * random.uniform(0.5, 1.0)):  # noqa: S311 - to spread, not to hide
                await stop.wait()
        except TimeoutError:
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    return None


async def require_fit(conn: AsyncConnection[TupleRow]) -> None:
    """See that an acknowledged commit is on a disk, and that TimescaleDB is there.

    Raises:
        Unfit: it is not so.
    """
    row = await (await conn.execute(_FIT)).fetchone()
    why = why_unfit(*row) if row else "The database does not answer."
    if why is not None:
        raise Unfit(why)


def why_unfit(fsync: str, synchronous_commit: str, has_timescaledb: bool) -> str | None:  # noqa: FBT001 - a row
    """Return in one sentence why a database with these settings may not be used, or None if it may."""
    if fsync != "on":
        return "The database has fsync = off and would lose what it acknowledged; set fsync = on and restart it."
    if synchronous_commit == "off":
        return "The database has synchronous_commit = off and would lose what it acknowledged; set it on."
    if not has_timescaledb:
        return "The database has no extension timescaledb; run the migrations, or install TimescaleDB."
    return None


async def _require_tables(conn: AsyncConnection[TupleRow]) -> None:
    row = await (await conn.execute("SELECT to_regclass('migration')")).fetchone()
    if row is None or row[0] is None:
        raise Unfit("The database has none of our tables yet; run the migrations first.")

"""What does ingest do, over and over: take what waits, store it, answer; say that the lanes are complete; claim more.

One task does all of that, one thing after the other, so nothing about lanes or batches needs a lock.  Another speaks
to the broker, another sends answers, another drops old log.  If any of them fails in a way that nobody foresaw, the
process ends and is started again; hubs keep what was not answered.
"""

import asyncio
import logging
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from gateway.clock import Clock, monotonic_s
from gateway.wire import Leaf
from ingest import erasures, metrics, processes, readings, stored_log
from ingest.admission import TOLERANCE
from ingest.answers import Answers
from ingest.arrivals import Came, read
from ingest.config import Config
from ingest.db.pool import CANNOT_READ, PASSES, STANDSTILL, UNREADABLE, Pool, reach
from ingest.hearing import FORGIVEN, Awake
from ingest.intake import Kept, Memory, Rules, Unstorable, take_in
from ingest.lanes import LEASE, Lanes, NotOurs, new_owner
from ingest.line import Line
from ingest.share import Own
from ingest.store import Database
from ingest.subscriber import Subscriber
from ingest.unread import Unread
from ingest.waiting import Waiting

log = logging.getLogger(__name__)

_CLAIM_EVERY_S: Final = 1.0
_STEP_S_MAX: Final = 60.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 3.0
_ANSWER_LOOK_S: Final = 0.1
_GOODBYE_S: Final = 5.0
_RETENTION_EVERY_S: Final = 24 * 3600.0
_RETENTION_AGAIN_S: Final = 600.0
_ERASE_EVERY_S: Final = 10.0

# Longer than this without a word from the database, and we are not ready for work.
_DATABASE_SILENT_S: Final = 5.0


class Worker:
    """One ingest process's work, from the start to the end of its stay."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Open nothing yet."""
        self._config = config
        self._clock = clock
        self._memory = Memory()
        self._lanes = Lanes(new_owner(), wanted=config.lanes)
        self._waiting = Waiting(bytes_max=config.waiting_bytes_max)
        self._answers = Answers(every=config.answer_every)
        self._subscriber = Subscriber(config.broker, self._waiting, name=self._lanes.owner, clock=clock)
        self._line = Line(now_s=monotonic_s())
        self._awake = Awake()
        self._held: Sequence[Came] = ()
        self._complete: dict[int, datetime] = {}
        self._stored_s = 0.0
        self._tick_s = 0.0
        self._claim_s = 0.0
        self._looked_s = -math.inf
        self._dropped = 0
        self._why = "the database was not reached yet"
        self._unread = Unread()

    def why_not_database(self) -> str | None:
        """Return why nothing can be stored now, or None; called from the health server's thread."""
        unread = sorted(self._unread.lanes)
        return (
            self._why
            or ("no word from the database" if self._is_silent() else None)
            or (f"{CANNOT_READ}: hubs of lanes {unread} are not stored" if unread else None)
        )

    def why_not_broker(self) -> str | None:
        """Return why no hub is heard now, or None."""
        return None if self._subscriber.is_connected else "not connected to the broker"

    def why_not_lanes(self) -> str | None:
        """Return why no lane is served, or None."""
        return None if self._lanes.owned else "no lane is ours; another worker holds them, or did until just now"

    def progress(self) -> Mapping[str, object]:
        """Return how far this worker has come, for whoever watches us; called from the health server's thread."""
        owned, complete = self._lanes.owned, dict(self._complete)
        is_known = bool(owned) and owned <= complete.keys()
        through = min(complete[lane] for lane in owned).isoformat() if is_known else None
        # The others leave lanes to us as long as we look for them.
        is_looking = monotonic_s() - self._looked_s < LEASE.total_seconds()
        return {
            "lanes": len(owned),
            "lanes_max": self._config.lanes if is_looking else None,
            # Whoever is cut off from the broker lets its lanes go to one that says that it hears.
            "hears": self._line.hears,
            "complete_through": through,
            "waiting": len(self._waiting),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then give the lanes back.

        Raises:
            Unfit: the database may not be used as it is.
        """
        # Stopped within a COPY, we are not idle for the database; so statements end as soon as idleness.
        pool = await reach(self._config.database_url, stop, name="ingest", statement_timeout=STANDSTILL)
        if pool is None:
            return
        store = Database(
            pool,
            self._lanes,
            self._memory,
            rules=self._rules,
            unbroken_since=self._unbroken_since,
            whose=self._whose_deafness,
            unread=lambda: self._unread.lanes,
        )
        tasks = [
            asyncio.create_task(self._work(pool, store, stop), name="work"),
            asyncio.create_task(self._subscriber.run(), name="broker"),
            asyncio.create_task(self._answer(), name="answers"),
            asyncio.create_task(self._drop_old(pool), name="retention"),
            asyncio.create_task(self._erase(pool), name="erasures"),
        ]
        try:
            async with processes.alive(pool, "ingest", self._lanes.owner, self._clock, self.progress):
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
                await self._say_goodbye(pool)
        finally:
            await end(tasks, within_s=_GOODBYE_S)
            await pool.close(timeout=_GOODBYE_S)

    async def _work(self, pool: Pool, store: Database, stop: asyncio.Event) -> None:
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                async with asyncio.timeout(_STEP_S_MAX):
                    await self._step(pool, store)
            except NotOurs as why:
                self._let_go(why.lanes)
            except (*PASSES, psycopg.Error, Unstorable) as why:
                metrics.TROUBLES.inc()
                metrics.UNREADABLE.inc(isinstance(why, UNREADABLE))
                what = CANNOT_READ if isinstance(why, UNREADABLE) else "the database does not store"
                self._why = f"{what}: {type(why).__name__}"
                # What does not pass by itself is a damaged disk, a mistake of ours or of whoever changed the tables.
                level = logging.ERROR if isinstance(why, UNREADABLE) or not isinstance(why, PASSES) else logging.WARNING
                log.log(level, "not stored", extra={"why": _first_line(why), "waiting": len(self._waiting)})
                await _pause(stop, pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                pause_s = _FIRST_PAUSE_S
                await self._wait_for_work()

    async def _step(self, pool: Pool, store: Database) -> None:
        """Do what is due: claim, store one batch, say that the lanes are complete.

        `now` is read before the batch is taken: whatever arrives later is not covered by what is said of it.  And
        nothing is said to be complete while nothing is heard.
        """
        now = self._clock.now()
        self._awake.stay(now=now, stretch=self._clock.stretch())
        is_hearing = self._subscriber.is_hearing()
        await self._claim(pool)
        if not self._held:
            self._held = [read(delivery) for delivery in self._waiting.take()]
        self._held = self._ours(self._held)
        self._held = self._unread.without_their_beats(self._since_heard(self._held, store.deaf_until))
        left: Sequence[Came] = ()
        if self._held:
            began_s = monotonic_s()
            left = await take_in(self._held, store, self._kept)
            self._held = ()
            metrics.BATCH_S.observe(monotonic_s() - began_s)
        self._leave_out(left)
        await self._tick(pool, store, now, is_hearing=is_hearing)
        self._well()

    def _leave_out(self, left: Sequence[Came]) -> None:
        """Note what could not be stored: its hub says it again, and of its lane nothing is complete meanwhile."""
        self._unread.note(left, now_s=monotonic_s())
        if left:
            metrics.UNREADABLE.inc()
            hubs = sorted({came.topic.hub for came in left if came.topic is not None})
            log.error("not stored", extra={"why": CANNOT_READ, "messages": len(left), "hubs": hubs[:5]})

    async def _claim(self, pool: Pool) -> None:
        if monotonic_s() - self._claim_s < _CLAIM_EVERY_S:
            return
        self._claim_s = monotonic_s()
        self._line.look(is_up=self._subscriber.is_connected, now_s=monotonic_s())
        async with pool.connection() as conn:
            await self._lanes.look(conn, Own(self._line.hears, self._line.cut_s))
            # What is in hand may be stored already and not answered: first that is settled.
            gone = frozenset() if self._held else await self._lanes.let_go(conn)
            won = await self._lanes.claim(conn)
        self._looked_s = monotonic_s()
        for lane in gone:
            self._complete.pop(lane, None)
        if won or gone:
            moved = {"claimed": len(won), "let_go": len(gone), "owned": len(self._lanes.owned)}
            said = moved | {"share": self._lanes.share.lanes, "hears": self._line.hears}
            log.log(logging.WARNING if self._line.hears is False else logging.INFO, "lanes moved", extra=said)
        self._listen()

    def _unbroken_since(self) -> dict[int, datetime]:
        """Return since when all that was said in our lanes was received, and is stored or being stored."""
        oldest_at = self._waiting.oldest_at()
        if oldest_at is not None and any(oldest_at < came.delivery.arrived_at for came in self._held):
            return {}  # Alarms overtake what waits; whoever spoke meanwhile would seem silent behind them.
        owned = self._lanes.owned - self._unread.lanes
        heard = {lane: since for lane, since in self._subscriber.heard_since.items() if lane in owned}
        # A database that was restored from a backup has forgotten what it knew to be complete.
        return {lane: max(since, self._complete.get(lane, since)) for lane, since in heard.items()}

    def _whose_deafness(self, since: datetime) -> str:
        """Return whose doing it is that nothing was heard since a moment: the broker's, or ours.

        It is the broker's if this process ran all the while and had no connection; what nobody can tell is ours.
        """
        began = self._subscriber.hearing_began
        return "broker" if began is not None and began > since and self._awake.is_since(since) else "us"

    def _since_heard(self, batch: Sequence[Came], deaf_until: Mapping[int, datetime]) -> Sequence[Came]:
        """Return what arrived since we hear, and all alarms and questions.

        What waited from before would count as said now; its hub was not answered, and says it again.  A question says
        nothing of a home, and thousands that are put again keep what they ask for from being stored.
        """
        kept = [came for came in batch if _is_since_heard(came, deaf_until)]
        metrics.DROPPED.inc(len(batch) - len(kept))
        return kept

    async def _tick(self, pool: Pool, store: Database, now: datetime, *, is_hearing: bool) -> None:
        if monotonic_s() - self._tick_s < self._config.tick.total_seconds() or not self._lanes.owned:
            return
        waiting_since = self._waiting.oldest_at()
        # Strictly before what waits, so that it does not fall into a time that was said to be complete.
        through = now if waiting_since is None else min(now, waiting_since - timedelta(microseconds=1))
        unbroken = self._unbroken_since() if is_hearing else {}
        forgiven = FORGIVEN + self._clock.stretch()
        async with pool.connection() as conn:
            ticked = await self._lanes.tick(conn, now=through, unbroken_since=unbroken, forgiven=forgiven)
        self._tick_s = monotonic_s()
        if ticked.lost:
            self._let_go(ticked.lost)
        if ticked.behind:
            await store.admit_deafness(ticked.behind, now=through)
        self._complete |= dict.fromkeys(unbroken.keys() & self._lanes.owned, through)

    def _ours(self, batch: Sequence[Came]) -> Sequence[Came]:
        owned = self._lanes.owned
        ours = [came for came in batch if came.topic is None or came.topic.lane in owned]
        metrics.FOREIGN.inc(len(batch) - len(ours))
        return ours

    def _kept(self, kept: Kept) -> None:
        """After a commit, and only then: owe the answers, and say what a person must hear of."""
        self._answers.add(kept.answers, now_s=monotonic_s())
        metrics.count(kept)
        for event, fields in kept.shouts:
            log.error(event, extra=fields)

    def _let_go(self, lanes: frozenset[int]) -> None:
        self._lanes.drop(lanes)
        for lane in lanes:
            self._complete.pop(lane, None)
        log.warning("lanes are another worker's now", extra={"lanes": len(lanes), "owned": len(self._lanes.owned)})
        self._listen()

    def _listen(self) -> None:
        self._subscriber.listen_to(self._lanes.owned)
        metrics.LANES_OWNED.set(len(self._lanes.owned))

    def _well(self) -> None:
        self._stored_s = monotonic_s()
        self._why = ""
        metrics.WAITING.set(len(self._waiting))
        metrics.DROPPED.inc(self._waiting.dropped - self._dropped)
        self._dropped = self._waiting.dropped

    def _is_silent(self) -> bool:
        return monotonic_s() - self._stored_s > _DATABASE_SILENT_S

    def _rules(self) -> Rules:
        # A clock that stands still and is moved has a speed of 0, and yet a message may be as late as promises may be.
        tolerance = max(TOLERANCE * max(1.0, self._clock.speed()), self._clock.stretch())
        return Rules(tolerance, self._clock.stretch())

    async def _wait_for_work(self) -> None:
        """Return when something arrived, or when the next tick is due."""
        if not len(self._waiting):
            due_s = max(0.01, self._tick_s + self._config.tick.total_seconds() - monotonic_s())
            try:
                async with asyncio.timeout(min(due_s, _CLAIM_EVERY_S)):
                    await self._waiting.has_some.wait()
            except TimeoutError:
                pass

    async def _answer(self) -> None:
        """Hand on what is due, at once where it is urgent."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER_LOOK_S):
                    await self._answers.has_urgent.wait()
            except TimeoutError:
                pass
            self._hand_on()
            await asyncio.sleep(0)

    def _hand_on(self) -> None:
        if self._subscriber.is_connected:
            self._subscriber.tell(self._answers.take(self._lanes.owned, now_s=monotonic_s()))

    async def _drop_old(self, pool: Pool) -> None:
        while True:
            pause_s = _RETENTION_EVERY_S
            try:
                async with pool.connection() as conn:
                    dropped = await stored_log.drop_before(conn, self._clock.now() - stored_log.KEPT)
                    log.info("old log dropped", extra={"chunks": dropped})
                    if self._config.readings_kept is not None:
                        dropped = await readings.drop_before(conn, self._clock.now() - self._config.readings_kept)
                        log.info("old readings dropped", extra={"chunks": dropped})
            except (*PASSES, psycopg.Error) as why:
                log.warning("what is old is not dropped", extra={"why": _first_line(why)})
                pause_s = _RETENTION_AGAIN_S
            await asyncio.sleep(pause_s)

    async def _erase(self, pool: Pool) -> None:
        """Finish what people asked to have erased; what cannot be yet, because judgement is behind, waits."""
        while True:
            try:
                async with pool.connection() as conn:
                    done, waiting = await erasures.finish_due(conn, now=self._clock.now())
                metrics.ERASURES_DUE.set(waiting)
                if done:
                    log.info("erased", extra={"erasures": done})
            except (*PASSES, psycopg.Error) as why:
                log.warning("not erased yet", extra={"why": type(why).__name__})
            await asyncio.sleep(_ERASE_EVERY_S)

    async def _say_goodbye(self, pool: Pool) -> None:
        """Answer what is owed, and give the lanes back, so that another worker need not wait for them."""
        self._hand_on()
        await self._subscriber.flush(timeout_s=_GOODBYE_S)
        try:
            async with asyncio.timeout(_GOODBYE_S), pool.connection() as conn:
                await self._lanes.release(conn)
        except (*PASSES, psycopg.Error) as why:
            log.warning("lanes not given back", extra={"why": _first_line(why)})


def _is_since_heard(came: Came, deaf_until: Mapping[int, datetime]) -> bool:
    if came.topic is None or came.topic.leaf in {Leaf.ALARMS, Leaf.ASK}:
        return True
    until = deaf_until.get(came.topic.lane)
    return until is None or came.delivery.arrived_at >= until


async def end(tasks: Iterable[asyncio.Task[Any]], *, within_s: float) -> None:
    """Cancel tasks until they have ended, or for so long.

    Once is not enough: `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes together with a result
    (gh-86296), and a worker of psycopg's pool that is connecting takes it for a failed attempt.  Either then goes on,
    a `TaskGroup` or `asyncio.run` waits for it for ever, and nobody starts us again.
    """
    left = set(tasks)
    deadline_s = monotonic_s() + within_s
    while left and monotonic_s() < deadline_s:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s * random.uniform(0.5, 1.0)):  # noqa: S311 - to spread, not to hide
            await stop.wait()
    except TimeoutError:
        pass


def _first_line(why: BaseException) -> str:
    return (str(why).splitlines() or [type(why).__name__])[0][:200]

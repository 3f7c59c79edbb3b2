"""What was stored, judged: the loop from ingest's log to alerts, lane by lane.

Everything that follows from a finding (the alert, the first text due, what the homes remember, the place in the log)
is one transaction.  What raised nothing is written down only every minute: after a crash it is judged again, and by
promise P4 raises nothing again.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts import metrics, store
from alerts.judged_lane import SAVE_S, Lane, Reach, as_far_as, lane_of, read_reaches, write_true
from alerts.judging.finding import Finding, Verdict
from alerts.judging.home import HomeState
from alerts.lanes import JudgingLanes, NotOurs, Place
from alerts.order import merged
from alerts.pressed import Pressed
from alerts.rebuilding import INPUTS_MAX, PAGE, inputs_after, rebuild
from alerts.store import judged, thresholds
from alerts.store import now as true_now
from gateway.clock import Clock, monotonic_s
from ingest import stored_log
from ingest.db.pool import CANNOT_READ, UNREADABLE, Pool, is_away
from ingest.entry import NewerRelease
from ingest.lanes import LEASE

Conn = AsyncConnection[TupleRow]
log = logging.getLogger(__name__)

# Verdicts that are written together: nobody is texted before they are committed, and no answer is taken meanwhile.
# Ours: about a second's work.
_VERDICTS_AT_ONCE: Final = 50
# Lanes that are written together: their rows are held meanwhile, and an alarm in one of them waits.
_LANES_AT_ONCE: Final = 8
# Real seconds between two looks at all lanes.  A stored batch wakes its lane at once; this is for what is due.
SWEEP_S: Final = 1.0
_CLAIM_S: Final = 1.0
# Real seconds until a lane that could not be judged is tried again, by whoever claims it then.
_REST_S: Final = 10.0
# And one whose log we do not understand: it becomes ours to judge only by another worker passing that place.
_NEWER_REST_S: Final = 60.0
_MOMENT: Final = timedelta(microseconds=1)

# One that was put back from an older copy is another: by a start of the server, or under it.
_WHICH: Final = """
    SELECT pg_postmaster_start_time(), (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(slots=True)
class Status:
    """How judging goes, for readiness.

    Attributes:
        lanes: how many are judged here.
        lag: of the slowest of them behind the clock; None while one of them was never judged.
        trouble: why judging does not go on, in one sentence; None while it does.
        judged_through: of the slowest of them; None as with `lag`.
        looked_at: when all lanes were looked at last; None before.
    """

    lanes: int = 0
    lag: timedelta | None = None
    trouble: str | None = "no lane was judged yet"
    judged_through: datetime | None = None
    looked_at: datetime | None = None


class _Stopping(Exception):
    """We were told to stop in the middle of something long, which whoever comes next does."""


class _OfAll(Exception):
    """What went wrong with what all lanes share, met while the homes of one were remembered: not that lane's fault."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


class Watch:
    """The loop of one worker."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        lanes: JudgingLanes,
        *,
        wake: Callable[[], None],
        save_s: float = SAVE_S,
        sweep_s: float = SWEEP_S,
    ) -> None:
        """Own nothing yet.

        Args:
            pool: of the database.
            clock: of the platform.
            lanes: what to claim.
            wake: wakes the telling loop after a commit with findings.
            save_s: real seconds between two saves of quiet homes.
            sweep_s: real seconds between two looks at all lanes.
        """
        self._pool = pool
        self._clock = clock
        self._lanes = lanes
        self.status = Status()
        self._wake = wake
        self._save_s = save_s
        self._sweep_s = sweep_s
        self._mine: dict[int, Lane] = {}
        self._resting: dict[int, float] = {}
        # Lanes that wait to be judged, because they rest or their homes are remembered again; and where they stand.
        self._behind: dict[int, Place] = {}
        self._pressed = Pressed()
        self._untold: set[int] = set()
        # Of those that wait, the ones whose homes must be remembered again.
        self._unfit: set[int] = set()
        self._remembering: int | None = None
        # Of those that rest, the ones of which the database cannot read something.
        self._damaged: set[int] = set()
        # What was set and does not count yet, and why.
        self._unsettled: dict[str, str] = {}
        self._is_told_to_stop: Callable[[], bool] = lambda: False
        self._meanwhile_at_s = float("-inf")
        self._news: set[int] = set()
        self._stirred = asyncio.Event()
        self._claimed_at_s = self._swept_at_s = self._alive_at_s = self._looked_at_s = float("-inf")
        self._database: tuple[object, ...] | None = None

    @property
    def lanes_max(self) -> int | None:
        """How many lanes we would judge at most; None while we do not look for them, and others need not wait."""
        is_looking = monotonic_s() - self._looked_at_s < LEASE.total_seconds()
        return self._lanes.share.limit if is_looking else None

    def stir(self, lane: int) -> None:
        """Have a lane judged now: something was stored in it."""
        self._news.add(lane)
        self._stirred.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Judge until told to stop; then save, and give the lanes back."""
        self._is_told_to_stop = stop.is_set
        while not stop.is_set():
            try:
                await self.turn()
            except _Stopping:
                break
            except UNREADABLE as why:
                # Of what all lanes share: the database is there, and nobody mends that but a person.
                metrics.UNREADABLE.inc()
                self._forget_all(f"{CANNOT_READ}: {type(why).__name__}", level=logging.ERROR)
            except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as why:
                self._forget_all(f"the database is away: {type(why).__name__}")
            except Exception:
                # A mistake of ours must not end the process, and with it all telling; somebody must look.
                log.exception("judging failed")
                self._forget_all("judging fails; the log says how", level=logging.ERROR)
            await self._rest(stop)
        await self._leave()

    async def turn(self, *, everything: bool = False) -> None:
        """Judge what has news; and every second, or when told to, everything."""
        self._stirred.clear()
        is_sweep = everything or monotonic_s() - self._swept_at_s >= self._sweep_s
        async with self._pool.connection() as conn:
            await self._recognize(conn)
            if is_sweep:
                await self._claim(conn)
            await self._judge_news(conn)
            if is_sweep:
                try:
                    await self._sweep(conn)
                finally:
                    # Whatever ends a sweep, of the lanes that it found to wait whoever presses is heard.
                    await self._tell_pressed(conn)
                self._swept_at_s = monotonic_s()
        self._say_how_it_is()

    async def _recognize(self, conn: Conn) -> None:
        """Forget all that is in memory where this is another database than at the last look.

        One that was put back may be back before we notice that it was away, with our lanes still ours; what is stored
        in it from now on has numbers that we have read past.
        """
        row = await (await conn.execute(_WHICH)).fetchone()
        if self._database is not None and row != self._database:
            self._forget_all("the database was started anew: it may have been put back")
        self._database = row

    async def _meanwhile(self, place: Place, conn: Conn) -> None:
        """Go on while the homes of a lane are remembered again.

        Share the lanes with who is alive, keep what is ours, tell of alarms, judge what can be judged.

        Raises:
            _Stopping: we were told to stop.
            NotOurs: that lane is another worker's by now.
            _OfAll: something went wrong that is not of that lane.
        """
        if monotonic_s() - self._meanwhile_at_s >= self._sweep_s:
            try:
                await self._share(conn)
                await self._keep_waiting(conn)
                await self._tell_pressed(conn)
                await self._sweep(conn)
            except Exception as why:
                raise _OfAll(why) from why
            self._meanwhile_at_s = monotonic_s()
            self._say_how_it_is()
        if self._is_told_to_stop():
            raise _Stopping
        if self._behind.get(place.lane) is not place:
            raise NotOurs(f"lane {place.lane} was given away")

    async def _keep_waiting(self, conn: Conn) -> None:
        """Keep the lanes that wait, and forget those that another worker has claimed."""
        waiting = [self._behind[number] for number in self._held() if number in self._behind]
        async with conn.transaction():
            ours = await self._lanes.keep(conn, [(place.lane, place.epoch, None) for place in waiting])
        for place in waiting:
            if place.lane not in ours:
                del self._behind[place.lane]
                self._pressed.forget(place.lane)
                log.warning("lane lost to another worker", extra={"lane": place.lane})

    async def _tell_pressed(self, conn: Conn) -> None:
        """Tell of the alarms in lanes that wait to be judged: nobody who presses waits for that."""
        for place in list(self._behind.values()):
            try:
                raised = await self._pressed.tell(conn, place, now=self._clock.now())
            except Exception as why:
                if is_away(why):
                    raise
                # A mistake of ours with one lane must not end all judging and telling; said once, tried every second.
                if place.lane not in self._untold:
                    log.exception("alarms of a lane cannot be told", extra={"lane": place.lane})
                self._untold.add(place.lane)
                continue
            self._untold.discard(place.lane)
            self._count(raised)
            if raised:
                self._wake()
            await self._say_alive(conn)

    async def _judge_news(self, conn: Conn) -> None:
        """Judge the lanes in which something was stored; what follows from it is written, and the rest in a sweep."""
        news, self._news = self._news, set()
        await self._judge_lanes(conn, sorted(news))

    async def _sweep(self, conn: Conn) -> None:
        """Judge what fell due in every lane and write what is true; a few lanes at a time, so that no alarm waits."""
        lanes = sorted(self._mine)
        for first in range(0, len(lanes), _LANES_AT_ONCE):
            judged_now = await self._judge_lanes(conn, lanes[first : first + _LANES_AT_ONCE])
            await self._keep(conn, judged_now)
            await self._say_alive(conn)
            await self._judge_news(conn)
        await self._settle(conn)

    async def _settle(self, conn: Conn) -> None:
        """Let what operators and the clock set count from now on; where one fails, the rest goes on without it."""
        try:
            await thresholds.settle_due(conn, now=self._clock.now())
        except Exception as why:
            if self._is_new_trouble("thresholds cannot be settled", why):
                log.exception("thresholds cannot be settled")
        else:
            self._unsettled.pop("thresholds cannot be settled", None)
        try:
            await self._stretch(conn)
        except Exception as why:
            if self._is_new_trouble("grace of sped-up time cannot be set", why):
                log.exception("grace of sped-up time cannot be set")
        else:
            self._unsettled.pop("grace of sped-up time cannot be set", None)

    def _is_new_trouble(self, failing: str, why: Exception) -> bool:
        """Have readiness say why something that was set does not count; return whether it did not say that it fails."""
        if is_away(why):
            raise why
        metrics.UNREADABLE.inc(isinstance(why, UNREADABLE))
        is_new = failing not in self._unsettled
        what = CANNOT_READ if isinstance(why, UNREADABLE) else "the log says how"
        self._unsettled[failing] = f"{failing}: {what}"
        return is_new

    async def _rest(self, stop: asyncio.Event) -> None:
        if stop.is_set() or self._news:
            return
        waits = [asyncio.create_task(self._stirred.wait()), asyncio.create_task(stop.wait())]
        _, pending = await asyncio.wait(waits, timeout=self._sweep_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()

    def _forget_all(self, why: str, *, level: int = logging.WARNING) -> None:
        """Forget all that is in memory: it may be ahead of what was saved, and is judged again."""
        if self.status.trouble != why:
            log.log(level, "judging waits", extra={"why": why})
        self._mine.clear()
        self._behind.clear()
        # What rested is claimed again at once: nobody would tell of its alarms meanwhile.
        self._resting.clear()
        self._damaged.clear()
        self._unfit.clear()
        self._pressed = Pressed()
        self.status = Status(trouble=why)
        self._claimed_at_s = float("-inf")

    def _say_how_it_is(self) -> None:
        through = [lane.judge.judged_through for lane in self._mine.values()]
        known = [moment for moment in through if moment is not None]
        now = self._clock.now()
        slowest = min(known) if known and len(known) == len(through) else None
        lag = None if slowest is None else now - slowest
        waiting = len(self._behind.keys() - self._resting.keys())
        trouble = "; ".join(self._unsettled.values()) or None
        trouble = f"{waiting} lanes wait: what their homes remember is read again" if waiting else trouble
        trouble = f"lanes {sorted(self._resting)} cannot be judged" if self._resting else trouble
        trouble = f"{trouble}: {CANNOT_READ}" if self._damaged & self._resting.keys() else trouble
        self.status = Status(len(through), lag, trouble, slowest, now)
        metrics.LANES.set(len(through))
        metrics.LAG_S.set(0 if lag is None else lag.total_seconds())

    async def _claim(self, conn: Conn) -> None:
        """Share the lanes with who is alive; of those that are new, take over what can be judged at once.

        Then remember the others again, one after the other: that may take hours, and meanwhile lanes go on to move.
        """
        await self._share(conn)
        try:
            while (place := self._next_unfit()) is not None:
                await self._guarded(place.lane, functools.partial(self._remember_again, conn, place))
        except _OfAll as met:
            raise met.why from None

    def _next_unfit(self) -> Place | None:
        waiting = sorted(self._unfit & self._behind.keys() - self._resting.keys())
        return self._behind[waiting[0]] if waiting else None

    async def _share(self, conn: Conn) -> None:
        """Let go what is beyond our share, claim what is free, and take over what can be judged at once."""
        due = [lane for lane, at_s in self._resting.items() if monotonic_s() >= at_s]
        if monotonic_s() - self._claimed_at_s < _CLAIM_S and not due:
            return
        self._claimed_at_s = monotonic_s()
        for lane in due:
            del self._resting[lane]
            self._damaged.discard(lane)
            self._behind.pop(lane, None)
        await self._lanes.look(conn)
        await self._let_go(conn)
        claimed = await self._lanes.claim(conn, held=self._held(), but=self._resting)
        self._behind |= {place.lane: place for place in claimed}
        self._unfit -= {place.lane for place in claimed}
        for place in claimed:
            await self._guarded(place.lane, functools.partial(self._take_over, conn, place))
            await self._say_alive(conn)
        self._looked_at_s = monotonic_s()

    def _held(self) -> list[int]:
        """Return the lanes that are ours, judged or waiting; not those that we cannot judge."""
        return sorted(self._mine.keys() | self._behind.keys() - self._resting.keys())

    async def _let_go(self, conn: Conn) -> None:
        """Save and give back what is beyond our share, and give back what we cannot judge: another may know how."""
        many = self._lanes.share.excess(len(self._held()))
        # First what waits: nothing was done for it yet.  Last what is being remembered again.
        gone = sorted(self._held(), key=lambda one: (one == self._remembering, one in self._mine, -one))[:many]
        for number in gone:
            if number in self._mine:
                await self._guarded(number, functools.partial(self._save, conn, self._mine[number], []))
        for number in gone:
            self._mine.pop(number, None)
            if number not in self._resting:
                self._behind.pop(number, None)
                self._pressed.forget(number)
        if gone or self._resting:
            await self._lanes.release(conn, [*gone, *self._resting])
        if gone:
            log.info("lanes let go", extra={"lanes": len(gone), "owned": len(self._held())})
        self._lanes.share.has_shared()

    async def _take_over(self, conn: Conn, place: Place) -> None:
        """Judge a lane from here on; where what its homes remember does not fit, it waits."""
        states, unfit = await true_now.load_states(conn, place.lane)
        if unfit:
            self._unfit.add(place.lane)
            log.warning("states do not fit", extra={"lane": place.lane, "homes": len(unfit)})
        else:
            await self._begin(conn, place, states, unfit)

    async def _remember_again(self, conn: Conn, place: Place) -> None:
        """Read from the log what the homes of a lane would remember, and judge it from here on.

        Raises:
            NotOurs: the lane was lost or given away meanwhile.
        """
        states, unfit = await true_now.load_states(conn, place.lane)
        log.warning("states rebuilt from the log", extra={"lane": place.lane, "homes": len(unfit)})
        self._remembering = place.lane
        try:
            states |= await rebuild(conn, place, unfit, functools.partial(self._meanwhile, place))
        finally:
            self._remembering = None
        await self._begin(conn, place, states, unfit)

    async def _begin(self, conn: Conn, place: Place, states: dict[str, HomeState], unfit: Collection[str]) -> None:
        self._mine[place.lane] = await lane_of(conn, place, states, unfit)
        del self._behind[place.lane]
        self._unfit.discard(place.lane)
        log.info("lane claimed", extra={"lane": place.lane, "epoch": place.epoch})

    async def _judge_lanes(self, conn: Conn, lanes: list[int]) -> list[int]:
        """Judge these lanes as far as they have come, write what follows from it, and return those that went well."""
        lanes = [lane for lane in lanes if lane in self._mine]
        if not lanes:
            return []
        reaches = await self._reaches(conn, lanes)
        judged_lanes = []
        for number, reach in reaches.items():
            if await self._guarded(number, functools.partial(self._judge_lane, conn, self._mine[number], reach)):
                judged_lanes.append(number)
                self._pressed.forget(number)
        return judged_lanes

    async def _reaches(self, conn: Conn, lanes: list[int]) -> dict[int, Reach]:
        """Return how far lanes have come; where that cannot be read, of those of which it can."""
        found: dict[int, Reach] = {}
        try:
            await read_reaches(conn, lanes, found)
        except UNREADABLE:
            for number in lanes:
                await self._guarded(number, functools.partial(read_reaches, conn, [number], found))
        return found

    async def _guarded(self, number: int, do: Callable[[], Awaitable[None]]) -> bool:
        """Do something with a lane; one that cannot be judged rests for a while and holds up no other."""
        try:
            await do()
        except NotOurs:
            if self._mine.pop(number, None) is not None:
                log.warning("lane lost to another worker", extra={"lane": number})
        except UNREADABLE:
            # Of this lane, and not a database that is away: the other lanes go on, and a person must look.
            metrics.UNREADABLE.inc()
            log.exception("lane cannot be judged", extra={"lane": number})
            self._rest_from(number, _REST_S)
            self._damaged.add(number)
        except (psycopg.OperationalError, psycopg.InterfaceError, _Stopping, _OfAll):
            raise
        except NewerRelease as why:
            # Whoever comes later with that release goes on from here; to pass over it would be to lose it.
            log.error("lane needs a newer release", extra={"lane": number, "why": str(why)})  # noqa: TRY400 - one line
            self._rest_from(number, _NEWER_REST_S)
        except Exception:
            # A damaged row of the log or a mistake of ours: somebody must look, and the other lanes go on.
            log.exception("lane cannot be judged", extra={"lane": number})
            self._rest_from(number, _REST_S)
        else:
            return True
        return False

    def _rest_from(self, number: int, for_s: float) -> None:
        lane = self._mine.pop(number, None)
        if lane is not None:
            self._behind[number] = lane.place
        self._resting[number] = monotonic_s() + for_s

    async def _judge_lane(self, conn: Conn, lane: Lane, reach: Reach) -> None:
        """Judge everything of one lane up to where it was seen to have come."""
        before = lane.judge.judged_through
        while await self._judge_page(conn, lane, reach):
            await self._say_alive(conn)
        if lane.dark_since is None:
            lane.dark_since = before

    async def _judge_page(self, conn: Conn, lane: Lane, reach: Reach) -> bool:
        """Judge one page of the log with the inputs among it; return whether there is more."""
        number, position, last_input = lane.place.lane, lane.position, lane.input
        inputs = await inputs_after(conn, number, lane.input) if (reach.last_input or 0) > lane.input else []
        wanted = min(PAGE, reach.position - lane.position)
        batches = (
            await stored_log.follow(conn, number, lane.position, lane.received_through, wanted) if wanted > 0 else []
        )
        is_all_log = lane.position + len(batches) >= reach.position
        known_through = reach.complete_through if is_all_log else None
        if is_cut := len(inputs) == INPUTS_MAX:
            batches, known_through = as_far_as(inputs[-1].counts_from, batches, known_through)
        found: list[Verdict] = []
        for step in merged(batches, inputs, known_through=known_through):
            found += lane.judge_step(step)
            if len(found) >= _VERDICTS_AT_ONCE:
                await self._save(conn, lane, found)
                found = []
        is_last = is_all_log and not is_cut
        if is_last and known_through is not None:
            found += lane.judge.advance(known_through)
            lane.note()
        if found or monotonic_s() - lane.saved_at_s >= self._save_s:
            await self._save(conn, lane, found)
        return not is_last and (lane.position, lane.input) != (position, last_input)

    async def _say_alive(self, conn: Conn) -> None:
        """Keep our lanes, and those that wait, while something long is done of which nothing can be said yet."""
        if monotonic_s() - self._alive_at_s < _CLAIM_S:
            return
        self._alive_at_s = monotonic_s()
        places = [*(lane.place for lane in self._mine.values()), *self._behind.values()]
        async with conn.transaction():
            await self._lanes.keep(conn, [(place.lane, place.epoch, None) for place in places])

    async def _save(self, conn: Conn, lane: Lane, found: list[Verdict]) -> None:
        """Write what was found, whom it is told, what the homes remember, and the place: all or nothing."""
        place, now = lane.reached(), self._clock.now()
        async with conn.transaction():
            await self._lanes.save(conn, place)
            raised = await judged.keep(conn, found, now=now)
            await true_now.save_states(conn, [lane.judge.state_of(home) for home in sorted(lane.unsaved)], now=now)
        lane.place = place
        lane.unsaved.clear()
        lane.saved_at_s = monotonic_s()
        if found:
            self._wake()
        self._count(raised)

    @staticmethod
    def _count(raised: Collection[Finding]) -> None:
        for finding in raised:
            metrics.RAISED.labels(finding.question.value).inc()

    async def _keep(self, conn: Conn, numbers: list[int]) -> None:
        """Write how far these lanes were judged, and what is true of their homes now."""
        try:
            await self._keep_together(conn, numbers)
        except Exception as why:
            if is_away(why):
                raise
            # Of one of them, or more, that cannot be written; the others must not be blind for it.
            for number in numbers:
                await self._guarded(number, functools.partial(self._keep_together, conn, [number]))

    async def _keep_together(self, conn: Conn, numbers: list[int]) -> None:
        """Write that of some lanes in one transaction: all or nothing."""
        lanes = [self._mine[number] for number in numbers if number in self._mine]
        if not lanes:
            return
        now, forgiven = self._clock.now(), store.GRACE + self._clock.stretch()
        async with conn.transaction():
            ours = await self._lanes.keep(
                conn, [(lane.place.lane, lane.place.epoch, lane.judge.judged_through) for lane in lanes]
            )
            news = {lane.place.lane: lane.news() for lane in lanes if lane.place.lane in ours}
            for lane in lanes:
                if lane.place.lane in ours:
                    await write_true(conn, lane, news[lane.place.lane], now=now, forgiven=forgiven)
        for lane in lanes:
            number = lane.place.lane
            if number not in ours:
                del self._mine[number]
                log.warning("lane lost to another worker", extra={"lane": number})
                continue
            lane.true |= news[number]
            lane.fresh.clear()
            lane.changes.clear()
            lane.deaf.clear()
            if not lane.is_behind(now=now, forgiven=forgiven):
                lane.dark_since = None
                lane.left_blind.clear()

    async def _stretch(self, conn: Conn) -> None:
        """Have judgement know how much later promises may be kept while time is sped up."""
        stretch = self._clock.stretch()
        for lane in self._mine.values():
            for home in lane.judge.homes():
                if lane.judge.state_of(home).stretch != stretch:
                    await store.set_stretch(conn, home, stretch, now=self._clock.now())

    async def _leave(self) -> None:
        try:
            async with self._pool.connection() as conn:
                for number in list(self._mine):
                    await self._guarded(number, functools.partial(self._save, conn, self._mine[number], []))
                await self._lanes.release(conn)
        except (*UNREADABLE, psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as why:
            log.warning("left without saving", extra={"why": type(why).__name__})
        self._mine.clear()

"""Is the next person asked, and does every text leave?  The loop from what is due to people's phones.

Whenever something changed, and every half second: alerts whose next person is due are asked on, what is due is sent,
a few at once, and an alert that nobody is left for is said loudly.
"""

import asyncio
import logging
from datetime import datetime
from typing import Final, Protocol

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts import metrics
from alerts.alert import Question
from alerts.store import outages, owing
from alerts.store.sending import Leaving, NotNeeded, SendingLog
from alerts.telling.deliver import AccountRefused, GiveUp, Notification, Receipt, Sender, TryAgain, deliver
from alerts.texting import Texting
from gateway.clock import Clock, monotonic_s
from ingest.db.pool import CANNOT_READ, UNREADABLE, Pool, is_away

Conn = AsyncConnection[TupleRow]
log = logging.getLogger(__name__)

# Real seconds between two looks; whatever is written wakes the loop at once, so this is for what falls due.
_LOOK_S: Final = 0.5
# Real seconds between two signs of life for texts on their way, which may be taken over after 10.
_KEEP_S: Final = 2.0
# Ours: requests on their way at once.  One that Twilio does not answer takes 10 s, and must not hold up an alarm.
_AT_ONCE: Final = 16
# Ours: what became of texts is asked for beside those that leave, never instead of them: so many at once, and no more
# in a second: with thousands out and no callback they would take turns with what is due.
_UNTOLD_AT_ONCE: Final = 4
_UNTOLD_EVERY_S: Final = 1.0
_ALERTS_MAX: Final = 100
# Ours: asking on waits for whoever raises alerts at that moment, thousands in a storm; what is due does not wait.
_ASKING_S: Final = 0.25
# Real seconds until an alert whose next person could not be found out is tried again.
_REST_S: Final = 10.0
# A request waits 10 s for its answer at most; what is still on its way then is looked for by the next start.
_STOP_PATIENCE_S: Final = 12.0

NO_TWILIO: Final = "no Twilio configured"
# Of no text: who is let in hears that Twilio does not know it.
_NO_TEXT: Final = "SM" + "0" * 32


class Door(Sender, Protocol):
    """What sends texts and can be asked what became of them: the door to Twilio."""

    async def state(self, sid: str) -> tuple[str, int | None]:
        """Return Twilio's word for a text's state, and its error code.

        Raises:
            TryAgain: the look-up did not work.
            GiveUp: Twilio does not know it.
        """
        ...


class NoTwilio:
    """What stands in for Twilio where none is configured: every text fails, and the story of the alert says why."""

    async def send(self, to: str, body: str, key: str) -> Receipt:  # noqa: ARG002 - as a Sender has them
        """Fail."""
        raise GiveUp(NO_TWILIO)

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - as a Sender has them
        """Return None: nothing ever went."""
        return None

    async def state(self, sid: str) -> tuple[str, int | None]:  # noqa: ARG002 - as a Door has them
        """Fail: nothing ever went."""
        raise GiveUp(NO_TWILIO)


class Tell:
    """The loop of one worker; any number of workers share what is due."""

    def __init__(self, pool: Pool, clock: Clock, sender: Door, *, owner: str) -> None:
        """Send nothing yet.

        Args:
            pool: of the database, with room for a few at once.
            clock: of the platform.
            sender: the door to Twilio, or `NoTwilio`.
            owner: of this process and no other, ever.
        """
        self._pool = pool
        self._clock = clock
        self._sender = sender
        self.texting = Texting(none_configured=NO_TWILIO if isinstance(sender, NoTwilio) else None)
        self._log = SendingLog(pool, owner, _count_leaving)
        self._stirred = asyncio.Event()
        self._on_their_way: dict[str, asyncio.Task[None]] = {}
        self._asking: asyncio.Task[None] | None = None
        # How the last asking on that came to its end went: one that is still at it proves nothing.
        self._asking_trouble: str | None = None
        self._kept_at_s = self._asked_at_s = float("-inf")
        # Whether more may be due than there was room for; how many texts on their way are only looked up.
        self._is_full = False
        self._looked_up = 0
        self._said_nobody: set[int] = set()
        self._resting: dict[int, float] = {}
        self.trouble: str | None = None
        self.looked_at: datetime | None = None
        self.oldest_untold_at: datetime | None = None

    def stir(self) -> None:
        """Have the loop look now: something was written."""
        self._stirred.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until told to stop; then let what is on its way arrive, and give the rest back."""
        while not stop.is_set():
            try:
                await self.turn()
                self.trouble = self._asking_trouble
            except UNREADABLE as why:
                self._cannot_read(why)
            except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as why:
                self._wait_for_database(why)
            except Exception as why:
                # A mistake of ours with one alert must not end all telling; somebody must look.
                log.exception("telling failed")
                self.trouble = _trouble_of(why)
            await self._rest(stop)
        await self._leave()

    async def turn(self) -> None:
        """Ask on, send what is due, and say what must be said."""
        self._stirred.clear()
        now = self._clock.now()
        failed = await self._ask_on_for_a_moment(now=now)
        await self._send_due(now=now)
        await self._look_up(now=now)
        if self.texting.is_to_be_asked and _NO_TEXT not in self._on_their_way:
            self._on_their_way[_NO_TEXT] = asyncio.create_task(self._ask_whether_let_in())
        if monotonic_s() - self._kept_at_s >= _KEEP_S:
            self._kept_at_s = monotonic_s()
            await self._log.keep(self._on_their_way)
            self.oldest_untold_at = await self._log.oldest_untold(now=now)
        if failed is not None:
            raise failed
        self.looked_at = now

    async def _send_due(self, *, now: datetime) -> None:
        """Send what is due, as far as there is room."""
        room = _AT_ONCE - len(self._on_their_way)
        due = await self._log.due(now=now, limit=room) if room > 0 else []
        self._is_full = len(due) == max(0, room)
        for note in due:
            # After a long wait for the database our own claim may have lapsed, and is ours again.
            if note.key not in self._on_their_way:
                self._on_their_way[note.key] = asyncio.create_task(self._deliver(note, now=now))

    async def _look_up(self, *, now: datetime) -> None:
        """Ask what became of texts whose callback is overdue, while nothing waits for their place."""
        room = _UNTOLD_AT_ONCE - self._looked_up
        if self._is_full or room <= 0 or monotonic_s() - self._asked_at_s < _UNTOLD_EVERY_S:
            return
        self._asked_at_s = monotonic_s()
        for key, sid in await self._log.untold(now=now, limit=room):
            if key not in self._on_their_way:
                self._looked_up += 1
                self._on_their_way[key] = asyncio.create_task(self._ask_what_became(key, sid))

    async def _rest(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._stirred.wait()), asyncio.create_task(stop.wait())]
        _, pending = await asyncio.wait(waits, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()

    def _cannot_read(self, why: Exception) -> None:
        metrics.UNREADABLE.inc()
        said = _trouble_of(why)
        if self.trouble != said:
            log.error("telling waits", extra={"why": said})
        self.trouble = said

    def _wait_for_database(self, why: Exception) -> None:
        said = _trouble_of(why)
        if self.trouble != said:
            log.warning("telling waits", extra={"why": said})
        self.trouble = said

    async def _ask_on_for_a_moment(self, *, now: datetime) -> BaseException | None:
        """Ask on, or go on with it; what takes longer goes on beside what is sent meanwhile.

        Returns:
            How it failed; None where it is done, and while it is still at it.
        """
        asking = self._asking or asyncio.create_task(self._ask_on_and_say(now=now), name="asking")
        await asyncio.wait([asking], timeout=_ASKING_S)
        if asking.done():
            self._asking = None
            failed = asking.exception()
            resting = f"alerts {sorted(self._resting)} cannot be asked on" if self._resting else None
            self._asking_trouble = resting if failed is None else _trouble_of(failed)
            return failed
        if self._asking is None:
            self._asking = asking
            asking.add_done_callback(lambda _: self._stirred.set())
        return None

    async def _ask_on_and_say(self, *, now: datetime) -> None:
        async with self._pool.connection() as conn:
            await self._ask_on(conn, now=now)
            await self._say_nobody_left(conn)

    async def _ask_on(self, conn: Conn, *, now: datetime) -> None:
        """Ask the next person of alerts for which that is due, alarms first; one that cannot be holds up no other."""
        self._resting = {alert: until_s for alert, until_s in self._resting.items() if monotonic_s() < until_s}
        rows = await conn.execute(
            "SELECT alert FROM alert WHERE next_telling_at <= %s AND alert <> ALL(%s) "
            "ORDER BY question = %s DESC, next_telling_at LIMIT %s",
            (now, list(self._resting), Question.ALARM, _ALERTS_MAX),
        )
        for (alert,) in await rows.fetchall():
            try:
                await self._ask_next(conn, alert, now=now)
            except Exception as why:
                if is_away(why):
                    raise
                # A row that cannot be read, or a mistake of ours: somebody must look, and ring.
                log.exception("alert cannot be asked on", extra={"alert": alert})
                self._resting[alert] = monotonic_s() + _REST_S

    async def _ask_next(self, conn: Conn, alert: int, *, now: datetime) -> None:
        async with conn.transaction():
            await owing.one_at_a_time(conn)
            scene = await owing.scene_of(conn, alert)
            assert scene is not None, "alerts are never deleted"
            if not await outages.is_covered(conn, scene, now=now):
                await owing.tell_next(conn, scene, now=now)

    async def _say_nobody_left(self, conn: Conn) -> None:
        """Say loudly, once a start, for which open alerts everybody was asked in vain."""
        rows = await conn.execute(
            "SELECT alert, question FROM alert WHERE nobody_left_at IS NOT NULL AND state = 'open'"
        )
        left: dict[int, str] = dict(await rows.fetchall())
        for alert in sorted(left.keys() - self._said_nobody):
            log.error("nobody could be told", extra={"alert": alert, "question": left[alert]})
        self._said_nobody = set(left)
        metrics.NOBODY_TOLD.set(len(left))

    async def _deliver(self, note: Notification, *, now: datetime) -> None:
        """Deliver one text.  Where that goes wrong here, its claim lapses, and it is *due* or *trying* as it was."""
        sender = _Counted(self._sender, self.texting)
        try:
            await deliver(note, sender, self._log, now=now)
        except NotNeeded:
            sender.became = "not needed"
        except Exception as why:
            if not is_away(why):
                log.exception("text not delivered", extra={"notification": note.key})
            is_ours = not (is_away(why) or isinstance(why, UNREADABLE))
            sender.became = "our mistake" if is_ours else "not written down"
        finally:
            del self._on_their_way[note.key]
            self._log.forget(note.key)
            # With thousands due, a look at all of them after each text would cost more than the text.
            if not self._is_full or len(self._on_their_way) <= _AT_ONCE // 2:
                self._stirred.set()
        metrics.TEXTS.labels(sender.became).inc()
        log.info("text tried", extra={"notification": note.key, "became": sender.became, "attempt": note.attempts + 1})

    async def _ask_what_became(self, key: str, sid: str) -> None:
        """Ask Twilio what became of a text whose callback is overdue: our public address may be wrong."""
        try:
            status, code = await self._sender.state(sid)
            error_code = None if code is None else str(code)
            await self._log.became(key, sid, status, error_code, at=self._clock.now())
            log.info("text looked up", extra={"notification": key, "became": status})
        except (TryAgain, GiveUp, psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as why:
            log.warning("text not looked up", extra={"notification": key, "why": type(why).__name__})
        except Exception:
            log.exception("text not looked up", extra={"notification": key})
        finally:
            self._looked_up -= 1
            del self._on_their_way[key]

    async def _ask_whether_let_in(self) -> None:
        """Ask Twilio about no text: while none waits, nothing else would say that our account is taken again."""
        try:
            await self._sender.state(_NO_TEXT)
        except AccountRefused as why:
            self.texting.refused(why)
        except GiveUp:
            self.texting.went()
        except TryAgain as why:
            log.info("Twilio does not say whether it lets us in", extra={"why": str(why)})
        except Exception:
            log.exception("account not looked up")
        finally:
            del self._on_their_way[_NO_TEXT]

    async def _leave(self) -> None:
        if self._asking is not None:
            # Each alert is asked on in a transaction of its own: what is not done is due as it was.
            self._asking.cancel()
            await asyncio.wait([self._asking], timeout=_STOP_PATIENCE_S)
        if self._on_their_way:
            await asyncio.wait(self._on_their_way.values(), timeout=_STOP_PATIENCE_S)
        for task in list(self._on_their_way.values()):
            task.cancel()
        try:
            await self._log.give_back()
        except (*UNREADABLE, psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as why:
            log.warning("left without giving texts back", extra={"why": type(why).__name__})


def _trouble_of(why: BaseException) -> str:
    if isinstance(why, UNREADABLE):
        return f"{CANNOT_READ}: {type(why).__name__}"
    if isinstance(why, psycopg.OperationalError | psycopg.InterfaceError | TimeoutError):
        return f"the database is away: {type(why).__name__}"
    return "telling fails; the log says how"


class _Counted:
    """A sender that remembers what became of the one text that goes through it."""

    def __init__(self, sender: Sender, texting: Texting) -> None:
        self._sender = sender
        self._texting = texting
        self.became = "no longer worth sending"

    async def send(self, to: str, body: str, key: str) -> Receipt:
        self.became = "no answer"
        try:
            receipt = await self._sender.send(to, body, key)
        except AccountRefused as why:
            self.became = "account refused"
            self._texting.refused(why)
            raise
        except GiveUp:
            self.became = "refused"
            self._texting.went()
            raise
        self.became = "sent"
        self._texting.went()
        return receipt

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:
        self.became = "look-up failed"
        try:
            found = await self._sender.find(to, body, since)
        except AccountRefused as why:
            self._texting.refused(why)
            raise
        self.became = "not found" if found is None else "found"
        return found


def _count_leaving(leaving: Leaving) -> None:
    metrics.LEAVES_AFTER_S.observe(max(0.0, (leaving.at - leaving.received_at).total_seconds()))

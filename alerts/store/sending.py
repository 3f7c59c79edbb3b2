"""What is written down of each text on its way: the log that `telling.deliver` writes, in the database.

A text that is due is claimed by one teller at a time, which says every two seconds that it is still alive; one whose
teller was not heard for 10 s, by the database's clock, is taken over and looked for before it is sent again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts.alert import Question
from alerts.store import owing, texts
from alerts.telling.deliver import Notification, Receipt
from ingest.db.pool import Pool
from ingest.lanes import LEASE

Conn = AsyncConnection[TupleRow]


class NotNeeded(Exception):
    """Somebody has it by now, or it is over: the text was not sent, and nobody has to act."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request about an alarm is about to leave.

    Attributes:
        received_at: when the alarm reached the platform.
        at: now.
    """

    received_at: datetime
    at: datetime


# What asks somebody to act on an alarm leaves first: a thousand homes that cannot be seen must not stand before it.
# Then what asks somebody to go, before news, log-ins and whatever else waits.
_CLAIM: Final = """
    UPDATE notification n SET claimed_by = %(owner)s, claimed_at = clock_timestamp()
    FROM (
        SELECT notification FROM notification LEFT JOIN alert USING (alert)
        WHERE notification.state IN ('due', 'trying') AND due_at <= %(now)s
          AND (try_after IS NULL OR try_after <= clock_timestamp())
          AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - %(lease)s::interval)
        ORDER BY coalesce(question = %(alarm)s AND purpose = ANY(%(acts)s), false) DESC, purpose = ANY(%(first)s) DESC,
                 due_at, notification
        LIMIT %(limit)s FOR UPDATE OF notification SKIP LOCKED
    ) free
    WHERE n.notification = free.notification
    RETURNING n.key, n.phone, n.body, n.attempts, n.due_at, n.state = 'trying', n.worth_until
"""

# What follows from an answer is due a microsecond after it; a clock that stands still must not keep it back.
_SAME_MOMENT: Final = timedelta(milliseconds=1)

# Of requests that left and of which nobody said what became of them; each is asked for again after a while.
_UNTOLD: Final = """
    UPDATE notification n SET try_after = clock_timestamp() + %(again)s
    FROM (
        SELECT notification FROM notification JOIN alert USING (alert)
        WHERE notification.state = 'sent' AND purpose = ANY(%(asked)s) AND alert.state = 'open'
          AND sent_at <= %(before)s AND sent_at > %(since)s AND sid IS NOT NULL
          AND (try_after IS NULL OR try_after <= clock_timestamp())
        ORDER BY notification LIMIT %(limit)s FOR UPDATE OF notification SKIP LOCKED
    ) untold
    WHERE n.notification = untold.notification RETURNING n.key, n.sid
"""
# Somebody should have been asked by then, and no request has left: the text waits, or nobody looked who is next.
_OLDEST_UNTOLD: Final = """
    SELECT least(
        (SELECT min(due_at) FROM notification
         WHERE state IN ('due', 'trying') AND purpose = ANY(%(asked)s) AND due_at <= %(now)s),
        (SELECT min(next_telling_at) FROM alert WHERE next_telling_at <= %(now)s))
"""
# Ours: callbacks come within seconds; and after an hour the rota has been through whatever they would say.
_TOLD_WITHIN: Final = timedelta(seconds=20)
_ASKED_FOR: Final = timedelta(hours=1)
# What asks somebody to act, and is seen before each try to be over when its alert is.
_OF_AN_OPEN_ALERT: Final = (*owing.ASKED, "again", "nobody", "remind")
# Ours: no alert is open for so long, and what is closed is not sent whatever this says.
_STAYS_WORTH: Final = timedelta(days=365)
_ASK_AGAIN_AFTER: Final = timedelta(seconds=20)

# A request that was answered while it waited is not sent any more.
_TRYING: Final = """
    UPDATE notification n SET attempts = LEAST(n.attempts + 1, 32767), trying_at = %(at)s, state = CASE
        WHEN a.state = 'closed' AND n.purpose IN ('alert', 'again', 'help', 'nobody', 'remind')
          OR a.state = 'acknowledged' AND n.purpose IN ('alert', 'nobody') AND n.why IS DISTINCT FROM 'still silent'
        THEN 'not needed' ELSE 'trying' END
    FROM notification self LEFT JOIN alert a ON a.alert = self.alert
    WHERE self.notification = n.notification AND n.key = %(key)s AND n.state IN ('due', 'trying')
    RETURNING n.state, CASE WHEN n.purpose = 'alert' AND n.attempts = 1 THEN
        (SELECT max(received_at) FROM alarm WHERE alarm.alert = n.alert) END
"""


class SendingLog:
    """The log of one teller; each call is a transaction of its own."""

    def __init__(self, pool: Pool, owner: str, leaving: Callable[[Leaving], None]) -> None:
        """Claim nothing yet.

        Args:
            pool: of the database.
            owner: of this process and no other, ever.
            leaving: called when the first request about an alarm is about to leave.
        """
        self._pool = pool
        self._owner = owner
        self._leaving = leaving
        self._claimed_when: dict[str, datetime] = {}

    async def due(self, *, now: datetime, limit: int) -> Sequence[Notification]:
        """Claim and return texts to be sent now, alarms first: due by now, or left *trying* by a teller that died."""
        told = {
            "owner": self._owner,
            "now": now + _SAME_MOMENT,
            "lease": LEASE,
            "alarm": Question.ALARM,
            "acts": list(_OF_AN_OPEN_ALERT),
            "first": list(owing.ASKED),
            "limit": limit,
        }
        async with self._pool.connection() as conn:
            rows = await conn.execute(_CLAIM, told)
            notes = [Notification(*row) for row in await rows.fetchall()]
        self._claimed_when |= {note.key: now for note in notes}
        return sorted(notes, key=lambda note: note.due_at)

    async def untold(self, *, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Return key and sid of requests whose callback is overdue, of alerts that nobody has yet."""
        told = {
            "asked": list(owing.ASKED),
            "before": now - _TOLD_WITHIN,
            "since": now - _ASKED_FOR,
            "again": _ASK_AGAIN_AFTER,
            "limit": limit,
        }
        async with self._pool.connection() as conn:
            rows = await conn.execute(_UNTOLD, told)
            return [(key, sid) for key, sid in await rows.fetchall()]

    async def oldest_untold(self, *, now: datetime) -> datetime | None:
        """Return since when somebody should have been asked to go and no request about it has left; None: nobody."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(_OLDEST_UNTOLD, {"asked": list(owing.ASKED), "now": now})
            row = await rows.fetchone()
        return None if row is None else row[0]

    async def became(self, key: str, sid: str, status: str, error_code: str | None, *, at: datetime) -> None:
        """Write down what Twilio said when it was asked, as if it had called back."""
        async with self._pool.connection() as conn:
            await texts.take_status(conn, key, sid, status, error_code, now=at)

    async def trying(self, note: Notification, *, at: datetime) -> None:
        """Write down that the request is about to be made.

        Raises:
            NotNeeded: it is not to be made any more.
        """
        async with self._pool.connection() as conn:
            rows = await conn.execute(_TRYING, {"key": note.key, "at": at})
            row = await rows.fetchone()
        if row is None or row[0] == "not needed":
            raise NotNeeded(note.key)
        if row[1] is not None:
            self._leaving(Leaving(row[1], at))

    async def sent(self, note: Notification, receipt: Receipt, *, at: datetime) -> None:
        """Write down that Twilio has it.  Changes nothing that a callback has said already."""
        async with self._pool.connection() as conn:
            await conn.execute(
                "UPDATE notification SET state = 'sent', sid = %s, sent_at = %s, error = NULL, claimed_by = NULL, "
                "claimed_at = NULL WHERE key = %s AND state IN ('due', 'trying')",
                (receipt.sid, at, note.key),
            )

    async def due_again(
        self, note: Notification, why: str, *, at: datetime, may_have_gone: bool, stays_worth: bool = False
    ) -> None:
        """Write down why it did not go, and when to try again: the wait from now to `at`, in real time.

        What asks somebody to act stays worth it, where it is told to; whether it is over is seen before each try.
        """
        wait = at - self._claimed_when.get(note.key, at)
        async with self._pool.connection() as conn:
            await conn.execute(
                "UPDATE notification SET state = %(state)s, error = %(why)s, claimed_by = NULL, claimed_at = NULL, "
                "try_after = clock_timestamp() + %(wait)s, worth_until = CASE "
                "WHEN %(stays)s AND purpose = ANY(%(asked)s) "
                "THEN GREATEST(worth_until, %(at)s + %(longer)s::interval) ELSE worth_until END "
                "WHERE key = %(key)s AND state IN ('due', 'trying')",
                {
                    "state": "trying" if may_have_gone else "due",
                    "why": why,
                    "wait": wait,
                    "stays": stays_worth,
                    "asked": list(_OF_AN_OPEN_ALERT),
                    "at": at,
                    "longer": _STAYS_WORTH,
                    "key": note.key,
                },
            )

    async def failed(self, note: Notification, why: str, *, at: datetime) -> None:
        """Write down that it will never go; the next person is asked now."""
        async with self._pool.connection() as conn, conn.transaction():
            await owing.one_at_a_time(conn)
            rows = await conn.execute("SELECT notification, alert FROM notification WHERE key = %s", (note.key,))
            row = await rows.fetchone()
            if row is not None:
                await texts.note_not_reached(conn, row[0], row[1], "failed", why, now=at)

    async def keep(self, keys: Collection[str]) -> None:
        """Say that these texts are still on their way; what was claimed and is not among them is free after 10 s."""
        async with self._pool.connection() as conn:
            await conn.execute(
                "UPDATE notification SET claimed_at = clock_timestamp() WHERE claimed_by = %s AND key = ANY(%s)",
                (self._owner, list(keys)),
            )

    def forget(self, key: str) -> None:
        """Note that a text is no longer on its way."""
        self._claimed_when.pop(key, None)

    async def give_back(self) -> None:
        """Let another teller take all that is still claimed here."""
        async with self._pool.connection() as conn:
            await conn.execute(
                "UPDATE notification SET claimed_by = NULL, claimed_at = NULL WHERE claimed_by = %s", (self._owner,)
            )

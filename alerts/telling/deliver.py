"""In which order is a text sent and written down, so that no crash can lose it?

*Due* is written with the alert.  Here it becomes *trying* before the request, and *sent* or *failed* after it.
One that may have gone already, because we died or never heard the answer, is looked for before it is sent again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

# Ours: quick enough that one dropped connection costs an alarm seconds, and at most one request a minute for
# each text while Twilio is away.
_FIRST_RETRY: Final = timedelta(seconds=2)
_LONGEST_RETRY: Final = timedelta(seconds=60)

# Nobody's phone is at fault where Twilio refuses our account, so the next person would fare no better; somebody must
# change a token or pay a bill.  Ours: a text leaves within this after they did.
_REFUSED_RETRY: Final = timedelta(seconds=60)

# If the look-up itself fails for longer than this after the text was due, it is sent regardless: twice is better
# than not at all.  Ours: a fifth of the five minutes after which the next person is told.
_LOOK_FOR: Final = timedelta(minutes=1)

# Ours: a text takes under a second and Twilio queues for us; more at once only fills its queue.
_AT_ONCE_MAX: Final = 8


class TryAgain(Exception):
    """It did not go, or not surely, and may later; nobody has to act.  The words are Twilio's or the network's."""


class AccountRefused(TryAgain):
    """Twilio takes nothing from us, whoever it is for: the text waits, and the operator must act.

    Attributes:
        passes: whether it may be over by itself: too many at once, not a wrong token.
    """

    def __init__(self, why: str, *, passes: bool = False) -> None:
        super().__init__(why)
        self.passes = passes


class Unsure(TryAgain):
    """We never heard whether it went.  Look for it before it is sent again."""


class GiveUp(Exception):
    """It will never go like this: the next person must be told, and someone must look at the number or account.

    Attributes:
        code: Twilio's error code, or None when it is not Twilio's.
    """

    def __init__(self, why: str, *, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Receipt:
    """Twilio has taken it.

    Attributes:
        sid: Twilio's name for the text.
    """

    sid: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One text to one phone, as far as its delivery needs to know.

    Attributes:
        key: ours, unguessable, letters and digits; the address of the status callback carries it.
        to: the phone, in E.164.
        body: frozen when it became due, so that every attempt is the same text.
        attempts: how often it was tried before.
        due_at: when it was first due; Twilio cannot have had it before.
        may_have_gone: it is still *trying*: we died, or did not hear the answer.
        worth_until: excluded; from then on it is not sent any more.
    """

    key: str
    to: str
    body: str
    attempts: int
    due_at: datetime
    may_have_gone: bool
    worth_until: datetime


class Sender(Protocol):
    """What takes texts: the door to Twilio."""

    async def send(self, to: str, body: str, key: str) -> Receipt:
        """Send a text.

        Raises:
            TryAgain: it did not go and may later; or, as Unsure, it may have gone.
            GiveUp: it will never go like this.
        """
        ...

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:
        """Return the receipt of this very text if it was taken since then, or None.

        Raises:
            TryAgain: the look-up did not work.
            GiveUp: the look-up will never work.
        """
        ...


class Log(Protocol):
    """What is written down of each notification.  Each call is on disk when it returns."""

    async def due(self, *, now: datetime, limit: int) -> Sequence[Notification]:
        """Return those to be sent now, oldest first: due by now, and those left *trying* by one who died."""
        ...

    async def trying(self, note: Notification, *, at: datetime) -> None:
        """Write down that the request is about to be made: one attempt more."""
        ...

    async def sent(self, note: Notification, receipt: Receipt, *, at: datetime) -> None:
        """Write down that Twilio has it.  Changes nothing that a callback has said already."""
        ...

    async def due_again(
        self, note: Notification, why: str, *, at: datetime, may_have_gone: bool, stays_worth: bool = False
    ) -> None:
        """Write down why it did not go, and that it is to be tried at `at`: as *trying* if it may have gone.

        With `stays_worth` it is worth sending for as long as what it asks for is open.
        """
        ...

    async def failed(self, note: Notification, why: str, *, at: datetime) -> None:
        """Write down that it will never go; the next person is told now."""
        ...


async def deliver(note: Notification, sender: Sender, log: Log, *, now: datetime) -> None:
    """Say that we are trying, send, then write down what became of it.

    A crash after the send leaves it *trying*; the next start asks the sender whether it went before it sends
    again.  Twice is better than not at all.
    """
    if await _is_settled_by_a_look(note, sender, log, now=now):
        return
    if now >= note.worth_until:
        await log.failed(note, "no longer worth sending", at=now)
        return

    await log.trying(note, at=now)
    try:
        receipt = await sender.send(note.to, note.body, note.key)
    except TryAgain as why:
        is_account = isinstance(why, AccountRefused)
        at = now + (_REFUSED_RETRY if _is_slow(why) else retry_after(note.attempts))
        # What we are not let in to look for may have gone as before.
        may_have_gone = isinstance(why, Unsure) or (is_account and note.may_have_gone)
        await log.due_again(note, str(why), at=at, may_have_gone=may_have_gone, stays_worth=is_account)
    except GiveUp as why:
        await log.failed(note, str(why), at=now)
    else:
        await log.sent(note, receipt, at=now)


async def _is_settled_by_a_look(note: Notification, sender: Sender, log: Log, *, now: datetime) -> bool:
    """Look for one that may have gone; return whether what was found, or not, is all there is to do now."""
    if not note.may_have_gone:
        return False
    try:
        receipt = await sender.find(note.to, note.body, note.due_at)
    except (TryAgain, GiveUp) as why:
        if now >= note.due_at + _LOOK_FOR:
            # Who is refused to look is refused to send, and asked again; who may send although not look, sends.
            return False
        at = now + (_REFUSED_RETRY if _is_slow(why) else _FIRST_RETRY)
        is_account = isinstance(why, AccountRefused)
        await log.due_again(note, f"look-up: {why}", at=at, may_have_gone=True, stays_worth=is_account)
        return True
    if receipt is None:
        return False
    await log.sent(note, receipt, at=now)
    return True


def _is_slow(why: Exception) -> bool:
    """Return whether a person must mend it first; too many at once is over in seconds."""
    return isinstance(why, AccountRefused) and not why.passes


async def deliver_due(log: Log, sender: Sender, *, now: datetime, limit: int = 100) -> int:
    """Deliver what is due, a few at once, and return how many that were.

    Raises:
        ExceptionGroup: what went wrong with single ones, after all the others were delivered.  These stay as
            they were, and are due again; it is our mistake, or the log's disk.
    """
    notes = await log.due(now=now, limit=limit)
    room = asyncio.Semaphore(_AT_ONCE_MAX)

    async def one(note: Notification) -> None:
        async with room:
            await deliver(note, sender, log, now=now)

    ended = await asyncio.gather(*(one(note) for note in notes), return_exceptions=True)
    wrong = [why for why in ended if isinstance(why, Exception)]
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(notes)} notifications were not delivered", wrong)
    return len(notes)


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after this many earlier attempts: doubling, and never more than a minute."""
    doubled: timedelta = _FIRST_RETRY * 2 ** min(attempts, 10)
    return min(doubled, _LONGEST_RETRY)

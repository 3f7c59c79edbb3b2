"""What shall be sent now, of one stream of one outbox?  Pure: the publisher moves the bytes.

1. Ask what is stored, and again until that is answered; send nothing before.
2. Send what is kept, in order, in packs, a window beyond what is stored.
3. Where the platform answers again what it answered before, though more was sent long enough ago to have
   arrived, a pack was lost: go back to what is stored + 1, once for each answered number and round trip.
   (Answers to doubled packs look the same; heeding each of them multiplied one lost pack by seven.)
4. Where nothing is answered at all, go back as well, less and less often.  A broker may have acknowledged packs
   that nobody read: its PUBACK proves nothing, so it is not even looked at here.

Times are real seconds by `clock.monotonic_s`, because resends do not run on a simulated clock.
"""

from dataclasses import dataclass, replace
from typing import Final

ROUND_TRIP_FIRST_S: Final = 1.0
"""Assumed until measured.  The platform answers alarms at once and readings every few seconds."""

_ROUND_TRIP_MIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """How one stream is sent.

    Attributes:
        pack_records: at most in one pack.
        window_packs: packs on their way beyond what is stored.
        linger_s: how long a record may wait for others to share its pack.
        patience_s: without any progress for this long, go back.
        patience_s_max: doubling, up to this.
        ask_every_s: after so long an unanswered question is put again.
        ask_every_s_max: doubling, up to this; a half more for jitter.
    """

    pack_records: int
    window_packs: int
    linger_s: float
    patience_s: float
    patience_s_max: float
    ask_every_s: float = 5.0
    ask_every_s_max: float = 20.0


ALARMS: Final = Pace(
    pack_records=1,
    window_packs=16,
    linger_s=0,
    patience_s=2,
    patience_s_max=10 / 1.25,
    ask_every_s=2,
    ask_every_s_max=10 / 1.5,
)
"""Alone, at once, again every 2 s, never slower than every 10 s (jitter included)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where the sending of one stream stands, on this connection.

    Attributes:
        stored: stored through, by the last answer; None until the first question was answered.
        sent: the highest number sent since we last went back.
        ask_at: when to ask (again), or None while there is nothing to ask.
        asked: how often that was asked in vain.
        patience_s: how long we now wait without progress.
        go_back_at: when that is over, or None while nothing is on its way.
        lingers_since: since when a pack is being filled.
        first_sent_at: when stored + 1 was sent last.
        round_trip_s: how long an answer takes, as last measured.
    """

    ask_at: float | None
    stored: int | None = None
    sent: int = 0
    patience_s: float = 0.0
    go_back_at: float | None = None
    lingers_since: float | None = None
    first_sent_at: float = 0.0
    round_trip_s: float = ROUND_TRIP_FIRST_S
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What to do now: ask, or send these packs (first and last number of each), or nothing."""

    ask: bool = False
    packs: tuple[tuple[int, int], ...] = ()


def opened(*, now_s: float) -> Window:
    """Return the window of a connection that was just made: it asks first."""
    return Window(ask_at=now_s)


def in_doubt(window: Window, *, now_s: float) -> Window:
    """Return the window after an answer below what we know to be stored: it asks again, without stopping."""
    return window if window.ask_at is not None else replace(window, ask_at=now_s)


def answered(window: Window, through: int, *, answers_ask: bool, pace: Pace, now_s: float) -> Window:
    """Return the window after the platform said what it has.

    Args:
        window: before.
        through: everything up to here is stored.
        answers_ask: it answers a question, so it counts even where it is below what was said before.
        pace: how this stream is sent.
        now_s: real seconds.
    """
    if answers_ask and (window.stored is None or window.ask_at is not None):
        start = Window(ask_at=None, stored=through, sent=through, round_trip_s=window.round_trip_s)
        if window.stored is None or through < window.stored:
            return replace(start, patience_s=pace.patience_s)
        window = replace(window, ask_at=None, asked=0)
    if window.stored is None:
        return window  # Not an answer to our question: perhaps to what was sent before the line broke.
    if through < window.stored:
        return in_doubt(window, now_s=now_s)
    if through > window.stored:
        return _progressed(window, through, pace, now_s)
    return _repeated(window, now_s)


def due(window: Window, *, oldest: int, last: int, pace: Pace, now_s: float, chance: float) -> tuple[Window, Due]:
    """Return what is to be done now, and the window once it is done.

    Args:
        window: before.
        oldest: the lowest number still held; what lies between it and what is stored is lost.
        last: the highest number ever kept.
        pace: how this stream is sent.
        now_s: real seconds.
        chance: 0 to 1, evenly; spreads ten thousand hubs over time.
    """
    if window.ask_at is not None and now_s >= window.ask_at:
        # Thousands of hubs that all ask on at one pace keep a busy platform from ever answering.
        wait_s = min(pace.ask_every_s * 2 ** min(window.asked, 10), pace.ask_every_s_max) * (1 + chance / 2)
        return replace(window, ask_at=now_s + wait_s, asked=window.asked + 1), Due(ask=True)
    if window.stored is None:
        return window, Due()
    if window.go_back_at is not None and now_s >= window.go_back_at:
        patience = min(window.patience_s * 2, pace.patience_s_max)
        window = replace(window, sent=window.stored, patience_s=patience, go_back_at=None)
    return _filled(window, (oldest, last), pace, now_s, chance)


def next_at(window: Window, *, pace: Pace) -> float | None:
    """Return when there will be something to do if nothing is heard or kept, in real seconds, or None."""
    lingers_until = None if window.lingers_since is None else window.lingers_since + pace.linger_s
    moments = [at for at in (window.ask_at, window.go_back_at, lingers_until) if at is not None]
    return min(moments, default=None)


def _progressed(window: Window, through: int, pace: Pace, now_s: float) -> Window:
    round_trip = max(_ROUND_TRIP_MIN_S, now_s - window.first_sent_at) if window.sent >= through else None
    on_its_way = through < window.sent
    return replace(
        window,
        stored=through,
        sent=max(window.sent, through),
        patience_s=pace.patience_s,
        go_back_at=now_s + pace.patience_s if on_its_way else None,
        first_sent_at=now_s,  # stored + 1 went out before now, so an answer after a round trip from now had its chance.
        round_trip_s=min(round_trip, pace.patience_s) if round_trip is not None else window.round_trip_s,
    )


def _repeated(window: Window, now_s: float) -> Window:
    """Return the window after an answer that says nothing new: go back, if that shows that a pack was lost."""
    assert window.stored is not None
    had_its_chance = now_s - window.first_sent_at >= window.round_trip_s
    if window.sent <= window.stored or not had_its_chance:
        return window
    return replace(window, sent=window.stored, go_back_at=None)


def _filled(window: Window, held: tuple[int, int], pace: Pace, now_s: float, chance: float) -> tuple[Window, Due]:
    """Return the packs that the window has room for."""
    assert window.stored is not None
    oldest, last = held
    base = max(window.stored, oldest - 1)
    sent = max(window.sent, base)
    packs: list[tuple[int, int]] = []
    lingers_since = now_s if window.lingers_since is None else window.lingers_since
    # A pack that the window cuts short waits for room, or each answer would be followed by a splinter.
    while sent < last and (end := min(sent + pace.pack_records, last)) <= base + pace.window_packs * pace.pack_records:
        if end - sent < pace.pack_records and now_s < lingers_since + pace.linger_s:
            window = replace(_sent(window, packs, now_s, chance), lingers_since=lingers_since)
            return window, Due(packs=tuple(packs))
        packs.append((sent + 1, end))
        sent = end
    return replace(_sent(window, packs, now_s, chance), lingers_since=None), Due(packs=tuple(packs))


def _sent(window: Window, packs: list[tuple[int, int]], now_s: float, chance: float) -> Window:
    """Return the window once these packs are on their way."""
    if not packs:
        return window
    starts_anew = window.sent == window.stored
    patience = window.patience_s * (1 + chance / 4)
    return replace(
        window,
        sent=packs[-1][1],
        first_sent_at=now_s if starts_anew else window.first_sent_at,
        go_back_at=now_s + patience if window.go_back_at is None else window.go_back_at,
    )

"""Has a device broken its promise to report?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging.episode import Asked
from alerts.judging.finding import Finding, iso, iso_or_none
from alerts.judging.ground import Ground
from gateway import heartbeat
from ingest import entry

BACKLOG_WAIT: Final = timedelta(minutes=5)
"""How long a hub that still holds readings may keep a stillness from being judged.

Ours: at TIHM's rate a day's readings are one pack, so five minutes are plenty for a hub that came back; one that
never gets rid of them must not keep a resident from being noticed.
"""

# Ours: a hub reports once before its own radio has answered whenever it starts.
_RADIO_PATIENCE: Final = heartbeat.GRACE

# Ours: the words come from a fixed list; more is a hub gone wrong, and must not grow our state.
TROUBLES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Promise:
    """How often a device reports, and how late it may be."""

    every: timedelta
    grace: timedelta


HUB: Final = Promise(heartbeat.EVERY, heartbeat.GRACE)


def broken_at(last_heard: datetime, promise: Promise) -> datetime:
    """Return the first moment at which a device that says nothing more has broken its promise."""
    return last_heard + promise.every + promise.grace


@dataclass(slots=True)
class Hub:
    """What a home's hub has promised, and what it last said.

    Attributes:
        promised_from: it is watched from here on; the first heartbeat is due as if one had come then.
        heard_at: when the last heartbeat was received; None: never.
        held_since: since when it says that it holds readings which are not stored yet.
        radio_down_since: since when it says that it cannot hear the home's sensors.
        is_silent: its promise was found broken, and it has not been heard since.
        deaf_until: we ourselves could hear nobody until then, and have not heard it since; its promise starts anew
            there.  None: it was heard after we last were deaf, or its promise was broken before.
        lost_since: since when nothing can be seen through it, where it was heard since; None while it sees.
        unseen_for: how long in all nothing could be seen through it, up to when it was last heard.
        silence: what became of the finding that it is silent.
        troubles: what its heartbeats say is wrong with it, each with what became of that finding.
        mended: what ceased to be wrong with it at the moment at which it was last heard: it may be back within it.
        noted: what else was wrong with it, each with the episode last found, so that a flood is one fault.
        line_is_down: the broker saw its connection end, and has not heard it since.
        is_deaf_by_broker: it was the broker that was away, while we were deaf last.
    """

    hub: str
    promised_from: datetime
    heard_at: datetime | None = None
    held_since: datetime | None = None
    radio_down_since: datetime | None = None
    is_silent: bool = False
    deaf_until: datetime | None = None
    lost_since: datetime | None = None
    unseen_for: timedelta = timedelta(0)
    silence: Asked = field(default_factory=Asked)
    troubles: dict[str, Asked] = field(default_factory=dict)
    mended: dict[str, Asked] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    line_is_down: bool = False
    is_deaf_by_broker: bool = False

    @property
    def last_heard(self) -> datetime:
        """When it was last heard, or from when on it should have been."""
        return self.heard_at or self.promised_from

    def breaks_at(self, stretch: timedelta) -> datetime:
        """Return the first bad moment if nothing more is heard."""
        return broken_at(self.deaf_until or self.last_heard, HUB) + stretch

    def sees(self) -> bool:
        """Return whether a movement in the home would reach us through it, as far as is known."""
        is_heard = self.heard_at is not None and not self.is_silent and self.deaf_until is None
        return is_heard and self.radio_down_since is None

    def settles_at(self, stretch: timedelta) -> datetime | None:
        """Return until when what it holds may still change the past; None: it holds nothing.

        One not heard since we were deaf surely holds what it could not tell us, as long as it may still come.
        """
        if self.deaf_until is not None:
            return self.breaks_at(stretch)
        return None if self.held_since is None else self.held_since + BACKLOG_WAIT + stretch

    def is_without_radio(self, at: datetime) -> bool:
        """Return whether it has not heard its sensors for so long that a person must mend it."""
        return self.radio_down_since is not None and at - self.radio_down_since >= _RADIO_PATIENCE

    def hear(self, said: entry.Heard, *, at: datetime) -> bool:
        """Take in a heartbeat; return whether it ends a silence."""
        was_silent = self.is_silent
        lost_since = self.lost_since or (None if self.sees() else self.last_heard)
        if was_silent or self.deaf_until is not None:
            self.held_since = None  # What it held before, and what it came back with, are two backlogs.
        if at != self.heard_at:
            self.mended.clear()
        self.heard_at = at
        self.is_silent = False
        self.deaf_until = None
        self.line_is_down = False
        self.held_since = (self.held_since or at) if said.held_readings else None
        self.radio_down_since = (self.radio_down_since or at) if said.radio_up is False else None
        if self.radio_down_since is not None:
            self.lost_since = lost_since or at
        elif lost_since is not None:
            self.unseen_for += at - lost_since
            self.lost_since = None
        return was_silent

    def miss(self, until: datetime, *, by_broker: bool = False) -> None:
        """Let its promise start anew, since nobody was there to hear it; one that was broken before stays broken."""
        if not self.is_silent:
            self.deaf_until = until
            self.is_deaf_by_broker = by_broker

    def is_new(self, what: str, episode: str) -> bool:
        """Note something that is wrong with it; return whether it was not known yet."""
        if self.noted.get(what) == episode:
            return False
        if what not in self.noted and len(self.noted) >= TROUBLES_MAX:
            self.noted.pop(next(iter(self.noted)))
        self.noted[what] = episode
        return True


def hub_due(hub: Hub, ground: Ground) -> datetime | None:
    """Return when a hub that was found silent is raised; None: it is not silent, or is raised already."""
    if not hub.is_silent or hub.silence.open is not None:
        return None
    held_back_until = hub.silence.may_be_raised_from(hub.last_heard, ground.policy.again_after)
    return max(hub.breaks_at(ground.stretch), held_back_until or ground.as_of, ground.as_of)


def hub_finding(hub: Hub, ground: Ground, *, last_seen_at: datetime | None, at: datetime) -> Finding:
    """Open the finding that a hub is silent."""
    episode, again_of = hub.silence.raise_(hub.last_heard, at=at, name=hub.hub)
    return Finding(
        home=ground.home,
        hub=hub.hub,
        question=Question.HUB_SILENT,
        episode=episode,
        since=hub.last_heard,
        at=at,
        why={
            "last_heard_at": iso_or_none(hub.heard_at),
            "deaf_until": iso_or_none(hub.deaf_until),
            "promised_until": iso(hub.breaks_at(ground.stretch)),
            "last_seen_at": iso_or_none(last_seen_at),
        },
        policy=ground.policy.policy,
        again_of=again_of,
    )

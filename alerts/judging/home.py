"""What is true of one home: its detectors together, fed with what was received and with moments that were due.

A home's state changes only by what was received or given (`take`, `give`), and by `judge` at exactly the moments that
`next_due` names.  Nothing that was merely asked, or asked more often, changes it; so the same log gives the same
findings however it was cut into pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from alerts.alert import Question
from alerts.judging import policy as policies
from alerts.judging import watched as watching
from alerts.judging.detectors import alarm, equipment, stillness
from alerts.judging.detectors.device_silence import Hub
from alerts.judging.detectors.routine import DAYS_NEEDED, LEAST, Routine
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, iso_or_none, whole_s
from alerts.judging.policy import Policy
from alerts.judging.watched import Watch, Watched
from gateway.reading import is_sign_of_life
from ingest import entry

FORMAT: Final = 1
"""Of a saved state; raised when an older one can no longer be read as it is."""

_MORNING_QUIET: Final = timedelta(hours=3)
"""Quiet for this long before it, a sign of life after 04:00 is the morning's first.  Ours: shorter than nearly every
night's longest quiet in the TIHM recordings, and longer than a doze in front of the television."""

_SENSORS_MAX: Final = 256
"""Ours: sensors of one home; a flat has about ten."""

_PENDING_MAX: Final = 8
"""Ours: silences that wait for the outcome of their alert before they are learnt from."""

STILLNESS: Final = (Question.STILL, Question.STILL_UNUSUAL)

_BLINK: Final = LEAST
"""A silence is learnt from although this much of it was not watched: who moved then only, moved hardly at all."""

_NOT_USUAL: Final = frozenset({"help given", "ambulance"})
"""Outcomes after which a silence is not taken for usual."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last sign of life."""

    at: datetime
    room: str | None
    sensor: str | None


@dataclass(slots=True, kw_only=True)
class Now:
    """What is true of a home now; one row of `home_watch`.

    Attributes:
        state: how well it is seen.
        why: why not better.
        since: since when that is so.
        promised_until: the first moment at which a promise is broken if no heartbeat comes; None: none was made.
        last_heard_at: when the hub that made that promise was last heard; None: never.
        next_alert_at: when a stillness is raised if nothing moves any more and the hub goes on as it is; the moment
            when it was raised, if one is open whose cause holds; None: never, and `next_alert_why` says why.
        learning: what is still being learnt; empty when nothing is.
    """

    state: Watched
    why: tuple[str, ...]
    since: datetime
    promised_until: datetime | None
    last_heard_at: datetime | None
    last_seen_at: datetime | None
    last_seen_room: str | None
    last_seen_sensor: str | None
    up_since: datetime | None
    next_alert_at: datetime | None
    next_alert_why: Mapping[str, JSON]
    learning: Mapping[str, JSON]


@dataclass(slots=True, kw_only=True)
class HomeState:
    """What the detectors of one home remember.

    Attributes:
        as_of: when the last thing that was received or given counted; nothing is found true of an earlier moment.
        still_from: where a stillness began if nothing was ever seen: the home was watched from then on.
        blind_since: since when nothing could be seen; None while something can.
        unseen: the last time that nothing could be seen: (since, until).
        unwatched_since: since when some promise is broken; None while all are kept.
        unwatched_for: how long that was, in all, since the last sign of life; without what lasts still.
        up_since: the first sign of life after 04:00 in London that ended at least three hours of quiet.
        is_time_uncertain: the last sign of life had an uncertain time.
        asked: what became of the findings of stillness, by their question.
        pending: silences that were raised, and are learnt from once a person says that they were harmless.
    """

    home: str
    as_of: datetime
    watch: Watch
    policy: Policy = policies.DEFAULT
    stretch: timedelta = timedelta(0)
    hubs: dict[str, Hub] = field(default_factory=dict)
    rooms: dict[str, str | None] = field(default_factory=dict)
    still_from: datetime | None = None
    seen: Seen | None = None
    up_since: datetime | None = None
    is_time_uncertain: bool = False
    blind_since: datetime | None = None
    unseen: tuple[datetime, datetime] | None = None
    unwatched_since: datetime | None = None
    unwatched_for: timedelta = timedelta(0)
    asked: dict[Question, Asked] = field(default_factory=dict)
    pending: list[tuple[datetime, datetime]] = field(default_factory=list)
    routine: Routine = field(default_factory=Routine)

    def take(self, said: entry.Entry, *, at: datetime) -> list[Verdict]:
        """Take in what was received at that moment."""
        self.as_of = max(self.as_of, at)
        match said:
            case entry.Reading():
                return self._sense(said, at) if is_sign_of_life(said.quantity, said.value) else []
            case entry.Alarm():
                found: list[Verdict] = [alarm.finding_of(said, self.policy.policy, received_at=at)]
                readable = said.unreadable is None and is_sign_of_life(said.quantity, said.value)
                return found + (self._sense(said, at) if readable else [])
            case entry.Heard():
                return self._hear(said, at)
            case entry.Lost():
                return [equipment.lost(said, self.policy.policy, received_at=at)]
            case entry.Trouble():
                return self._note(said, at)
            case entry.Deaf():
                return self._miss(said)

    def give(self, kind: str, content: object, *, counts_from: datetime) -> None:
        """Take in what else influences judgement, from that moment on.

        Raises:
            ValueError: it cannot be read; nothing has changed.
        """
        try:
            self._apply(kind, content, counts_from)
        except (msgspec.ValidationError, OverflowError) as why:
            raise ValueError(f"input {kind!r} cannot be read: {why}") from why
        self.as_of = max(self.as_of, counts_from)
        self._look(self.as_of)

    def next_due(self) -> datetime | None:
        """Return the next moment at which `judge` must be asked if nothing more is received; None: never."""
        dues = [hub.breaks_at(self.stretch) for hub in self.hubs.values() if not hub.is_silent]
        dues += [due for hub in self.hubs.values() if (due := self._silence_due(hub)) is not None]
        dues += [due for question in STILLNESS if (due := self._stillness_due(question)) is not None]
        return max(min(dues), self.as_of) if dues else None

    def judge(self, at: datetime) -> list[Verdict]:
        """Return what is found at a moment that `next_due` named: blindness first, for it forbids the rest."""
        for hub in self.hubs.values():
            hub.is_silent = hub.is_silent or hub.breaks_at(self.stretch) <= at
        self._look(at)
        found: list[Verdict] = []
        for name in sorted(self.hubs):
            due = self._silence_due(self.hubs[name])
            if due is not None and due <= at:
                found.append(self._raise_silence(self.hubs[name], at))
        for question in STILLNESS:
            due = self._stillness_due(question)
            if due is not None and due <= at:
                found.append(self._raise_stillness(question, at))
        return found

    def now(self) -> Now:
        """Return what is true of the home, as of all that was received and judged."""
        next_alert_at, next_alert_why = self._next_alert()
        seen = self.seen
        first_due = min(self.hubs.values(), key=lambda hub: hub.breaks_at(self.stretch), default=None)
        return Now(
            state=self.watch.state,
            why=self.watch.why,
            since=self.watch.since,
            promised_until=first_due.breaks_at(self.stretch) if first_due else None,
            last_heard_at=first_due.heard_at if first_due else None,
            last_seen_at=seen.at if seen else None,
            last_seen_room=seen.room if seen else None,
            last_seen_sensor=seen.sensor if seen else None,
            up_since=self.up_since,
            next_alert_at=next_alert_at,
            next_alert_why=next_alert_why,
            learning=self._learning(),
        )

    # What was received.

    def _sense(self, said: entry.Reading | entry.Alarm, at: datetime) -> list[Verdict]:
        """Take in a sign of life: it may end a stillness, and begins the next."""
        still_since = self._still_since()
        if still_since is None:
            return []  # The home is not watched yet.
        self.is_time_uncertain = said.uncertain_since is not None
        # A clock that is ahead must not promise life in the future.
        seen_at = min(said.observed_at, at)
        if self.is_time_uncertain or (self.seen is not None and seen_at <= self.seen.at):
            self._look(at)
            return []
        room = said.room if said.room is not None or said.sensor is None else self.rooms.get(said.sensor)
        ended = self._end_stillness(Seen(seen_at, room, said.sensor), at)
        self._learn(still_since, seen_at)
        self.unwatched_for = timedelta(0)
        if self.seen is not None and seen_at - self.seen.at >= _MORNING_QUIET and not self._is_up(seen_at):
            self.up_since = seen_at
        self.seen = Seen(seen_at, room, said.sensor)
        self._look(at)
        return ended

    def _hear(self, said: entry.Heard, at: datetime) -> list[Verdict]:
        hub = self.hubs.get(said.hub)
        if hub is None:
            return []  # Not watched, or no longer: it has promised nothing.
        silent_since = hub.last_heard
        was = hub.silence.open
        found: list[Verdict] = []
        if hub.hear(said, at=at) and was is not None:
            why: dict[str, JSON] = {"heard_at": iso(at), "silent_for_s": whole_s(at - silent_since)}
            found.append(Ended(self.home, hub.hub, Question.HUB_SILENT, was.episode, at, why))
            hub.silence.forget()
        found += equipment.reported(hub, said, self.policy, received_at=at)
        self._look(at)
        return found

    def _note(self, said: entry.Trouble, at: datetime) -> list[Verdict]:
        hub = self.hubs.get(said.hub)
        if hub is not None and not hub.is_new(said.what, equipment.trouble_episode(said.what, at)):
            return []
        return [equipment.trouble(said, self.policy.policy, received_at=at)]

    def _miss(self, said: entry.Deaf) -> list[Verdict]:
        """Take in that nobody could be heard: nothing was seen from then on, until a hub is heard again."""
        for hub in self.hubs.values():
            hub.miss(said.until)
        since = max(said.since, self.watch.since)
        # Up to then all was heard, so it was not blind since the last heartbeat already.
        self.blind_since = self.blind_since or since
        self._look(since)
        return []

    # What was given.

    def _apply(self, kind: str, content: object, counts_from: datetime) -> None:
        match kind:
            case "policy":
                self.policy = policies.from_json(content)
            case "watched":
                self._watch_hub(msgspec.convert(content, _Watched), counts_from)
            case "closed":
                self._close(msgspec.convert(content, _Close))
            case "sensors":
                listed = content.get("sensors") if isinstance(content, dict) else content
                sensors = msgspec.convert(listed, list[_Sensor])[:_SENSORS_MAX]
                self.rooms = {sensor.sensor: sensor.room for sensor in sensors}
            case "stretch":
                self.stretch = timedelta(seconds=msgspec.convert(content, _Stretch).stretch_s)
            case _:
                raise ValueError(f"unknown kind of input: {kind!r}")

    def _watch_hub(self, said: "_Watched", counts_from: datetime) -> None:
        if said.until is not None:
            self.hubs.pop(said.hub, None)
            return
        since = max(said.since or counts_from, counts_from)
        self.hubs.setdefault(said.hub, Hub(said.hub, promised_from=since))
        self.still_from = self.still_from or since

    def _close(self, said: "_Close") -> None:
        if said.question in STILLNESS:
            self._close_stillness(self._asked(said.question), said)
            return
        for hub in self.hubs.values():
            for asked in (hub.silence, *hub.troubles.values()):
                if asked.open is not None and asked.open.episode == said.episode:
                    asked.close(at=said.at, by=said.by, outcome=said.outcome)

    def _close_stillness(self, asked: Asked, said: "_Close") -> None:
        """Close a stillness that lasts or is over.

        One by a name that is not known closes what is open: a judge that was rebuilt may call it otherwise, and one
        that thinks it open while nobody else does would not raise it again.  At worst it is raised once more.
        """
        since = asked.over.pop(said.episode, None)
        if since is None and asked.open is not None:
            since = asked.close(at=said.at, by=said.by, outcome=said.outcome).since
        if since is not None:
            self._settle(since, said.outcome)

    # Stillness.

    def _still_since(self) -> datetime | None:
        """Return when the present stillness began; None while the home is not watched."""
        if self.still_from is None or self.seen is None:
            return self.still_from
        return max(self.seen.at, self.still_from)

    def _stillness_due(self, question: Question) -> datetime | None:
        """Return when a stillness is raised if nothing more is seen; None: not, as things are.

        One stillness is one alert: while a question about it is open, the other would only tell the same again.
        """
        since = self._still_since()
        is_open = any(asked.open is not None for asked in self._stillness_asked())
        if since is None or self.watch.state is Watched.BLIND or is_open:
            return None
        if question is Question.STILL:
            due = stillness.due_at(since, self.policy)
        elif self._is_routine_asked():
            due = since + self.routine.usual(since).longest
        else:
            return None
        return max([due, self.as_of, *self._held_back(since)])

    def _held_back(self, since: datetime) -> list[datetime]:
        """Return the moments that a finding of stillness has to wait for."""
        waits = [self._asked(q).may_be_raised_from(since, self.policy.again_after) for q in STILLNESS]
        waits += [hub.settles_at(self.stretch) for hub in self.hubs.values() if not hub.is_silent]
        return [wait for wait in waits if wait is not None]

    def _raise_stillness(self, question: Question, at: datetime) -> Finding:
        since = self._still_since()
        assert since is not None
        episode, again_of = self._asked(question).raise_(since, at=at)
        return Finding(
            home=self.home,
            hub=None,
            question=question,
            episode=episode,
            since=since,
            at=at,
            why=self._why_still(question, since, at),
            policy=self.policy.policy,
            again_of=again_of,
        )

    def _why_still(self, question: Question, since: datetime, at: datetime) -> dict[str, JSON]:
        seen, policy = self.seen, self.policy
        why: dict[str, JSON] = {
            "last_seen_at": iso_or_none(seen.at if seen else None),
            "last_seen_room": seen.room if seen else None,
            "last_seen_sensor": seen.sensor if seen else None,
            "still_for_s": whole_s(at - since),
            "watched": self.watch.state.value,
            "watched_why": list(self.watch.why),
        }
        if self.unseen is not None and self.unseen[1] > since:
            why |= {"unseen_since": iso(max(self.unseen[0], since)), "unseen_until": iso(self.unseen[1])}
        if question is Question.STILL:
            return why | {
                "waking_s": whole_s(policy.still_for),
                "waking_from": policy.waking_from.isoformat("minutes"),
                "waking_until": policy.waking_until.isoformat("minutes"),
            }
        return why | self._why_unusual(since)

    def _why_unusual(self, since: datetime) -> dict[str, JSON]:
        usual = self.routine.usual(since)
        return {
            "longest_s": whole_s(usual.longest),
            "usual_s": whole_s(usual.quantile) if usual.silences else None,
            "silences": usual.silences,
            "days": usual.days,
            "start_hour": usual.start_hour,
        }

    def _end_stillness(self, seen: Seen, at: datetime) -> list[Verdict]:
        ended: list[Verdict] = []
        for question in STILLNESS:
            asked = self._asked(question)
            if asked.open is None or seen.at <= asked.open.since:
                continue
            was = asked.open
            asked.end()
            why: dict[str, JSON] = {
                "seen_at": iso(seen.at),
                "room": seen.room,
                "sensor": seen.sensor,
                "late_by_s": whole_s(at - seen.at),
                "still_for_s": whole_s(seen.at - was.since),
            }
            ended.append(Ended(self.home, None, question, was.episode, at, why))
        return ended

    def _next_alert(self) -> tuple[datetime | None, dict[str, JSON]]:
        raised = [(a.open.at, q) for q in STILLNESS if (a := self._asked(q)).open is not None]
        if raised:
            at, question = min(raised)
            return at, {"question": question.value, "is_open": True}
        if self.watch.state is Watched.BLIND:
            return None, {"reason": "blind", "blind": list(self.watch.why)}
        dues = [(due, q) for q in STILLNESS if (due := self._stillness_due(q)) is not None]
        if not dues:
            return None, {"reason": "not watched"}
        at, question = min(dues)
        return at, {"question": question.value, "is_open": False, "policy": self.policy.policy}

    # The routine.

    def _is_routine_asked(self) -> bool:
        return self.policy.learned and self.routine.is_learnt()

    def _learning(self) -> dict[str, JSON]:
        if not self.policy.learned or self.routine.is_learnt():
            return {}
        return {"question": Question.STILL_UNUSUAL.value, "days": self.routine.days_learnt(), "of": DAYS_NEEDED}

    def _learn(self, began: datetime, ended: datetime) -> None:
        """Take a silence as usual, unless it was not watched or somebody had to help.

        One that was raised and is not closed yet waits for its outcome.
        """
        self.routine.see(ended)
        if not self._was_watched(began):
            if ended - began >= LEAST:
                self.routine.miss(ended)
            return
        if any(asked.is_waiting_for_outcome(began) for asked in self._stillness_asked()):
            self.pending = [*self.pending, (began, ended)][-_PENDING_MAX:]
        elif not any(
            a.closed is not None and a.closed.since == began and a.closed.outcome in _NOT_USUAL
            for a in self._stillness_asked()
        ):
            self.routine.learn(began, ended)

    def _was_watched(self, began: datetime) -> bool:
        """Return whether a silence that ends now was seen, but for the blink of an eye."""
        was_blind = self.unseen is not None and self.unseen[1] > began and self.unseen[1] - self.unseen[0] > _BLINK
        return self.watch.state is Watched.WATCHED and self.unwatched_for <= _BLINK and not was_blind

    def _settle(self, began: datetime, outcome: str) -> None:
        """Learn, or not, from a silence that has waited for the outcome of its alerts."""
        waiting = [silence for silence in self.pending if silence[0] == began]
        if outcome in _NOT_USUAL:
            self.pending = [silence for silence in self.pending if silence[0] != began]
        elif not any(asked.is_waiting_for_outcome(began) for asked in self._stillness_asked()):
            self.pending = [silence for silence in self.pending if silence[0] != began]
            for silence in waiting:
                self.routine.learn(*silence)

    # The hub.

    def _silence_due(self, hub: Hub) -> datetime | None:
        if not hub.is_silent or hub.silence.open is not None:
            return None
        held_back_until = hub.silence.may_be_raised_from(hub.last_heard, self.policy.again_after)
        return max(hub.breaks_at(self.stretch), held_back_until or self.as_of, self.as_of)

    def _raise_silence(self, hub: Hub, at: datetime) -> Finding:
        episode, again_of = hub.silence.raise_(hub.last_heard, at=at, name=hub.hub)
        return Finding(
            home=self.home,
            hub=hub.hub,
            question=Question.HUB_SILENT,
            episode=episode,
            since=hub.last_heard,
            at=at,
            why={
                "last_heard_at": iso_or_none(hub.heard_at),
                "deaf_until": iso_or_none(hub.deaf_until),
                "promised_until": iso(hub.breaks_at(self.stretch)),
                "last_seen_at": iso_or_none(self.seen.at if self.seen else None),
            },
            policy=self.policy.policy,
            again_of=again_of,
        )

    # How well it is seen.

    def _look(self, at: datetime) -> None:
        """Write down how well the home is seen from this moment on."""
        state, why = watching.watched(self.hubs.values(), is_time_uncertain=self.is_time_uncertain)
        if (state, why) == (self.watch.state, self.watch.why):
            return
        if state is Watched.BLIND and self.blind_since is None:
            self.blind_since = min(max((hub.last_heard for hub in self.hubs.values()), default=at), at)
        elif state is not Watched.BLIND and self.blind_since is not None:
            self.unseen = (self.blind_since, at)
            self.blind_since = None
        if state is not Watched.WATCHED and self.unwatched_since is None:
            self.unwatched_since = self.blind_since or at
        elif state is Watched.WATCHED and self.unwatched_since is not None:
            self.unwatched_for += at - self.unwatched_since
            self.unwatched_since = None
        # The minutes after the last thing heard of a silent hub are blind for good: we know only now that they were.
        is_newly_blind = state is Watched.BLIND and self.watch.state is not Watched.BLIND and watching.HUB in why
        since = max(self.blind_since, self.watch.since) if is_newly_blind and self.blind_since else at
        self.watch = Watch(state, why, since)

    def _is_up(self, at: datetime) -> bool:
        return self.up_since is not None and policies.day_of(self.up_since) == policies.day_of(at)

    def _asked(self, question: Question) -> Asked:
        return self.asked.setdefault(question, Asked())

    def _stillness_asked(self) -> list[Asked]:
        return [self._asked(question) for question in STILLNESS]


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Watched(msgspec.Struct, frozen=True):
    """A hub is watched from here on, or no longer."""

    hub: str
    since: _Moment | None = None
    until: _Moment | None = None


class _Close(msgspec.Struct, frozen=True):
    """An alert was closed."""

    question: Question
    episode: str
    outcome: str
    by: str
    at: _Moment


class _Sensor(msgspec.Struct, frozen=True):
    """A sensor that the home has."""

    sensor: str
    room: str | None = None


class _Stretch(msgspec.Struct, frozen=True):
    """How much later promises may be kept while time is sped up."""

    stretch_s: Annotated[float, msgspec.Meta(ge=0, le=10 * 365 * 86400)]


def unknown(home: str, *, as_of: datetime) -> HomeState:
    """Return the state of a home of which nothing is known yet."""
    return HomeState(
        home=home,
        as_of=as_of,
        watch=Watch(Watched.BLIND, (watching.NEVER_HEARD,), as_of),
        blind_since=as_of,
        unwatched_since=as_of,
    )


def dump(state: HomeState) -> bytes:
    """Return a home's state as JSON; `load` undoes it."""
    return msgspec.json.encode(state)


_decode = msgspec.json.Decoder(HomeState).decode


def load(saved: bytes, saved_format: int, river_version: str) -> HomeState | None:
    """Return the state in what `dump` gave, or None if it does not fit and must be rebuilt from the log.

    Args:
        saved: what was saved.
        saved_format: the `FORMAT` of the release that saved it.
        river_version: of the river that it was learnt with.  Any will do: nothing of river's own is in a state.
    """
    del river_version
    if saved_format != FORMAT:
        return None
    try:
        state = _decode(saved)
    except msgspec.DecodeError:
        return None
    # What was computed with another release's numbers is computed again.
    state.routine.usual_s.clear()
    return state

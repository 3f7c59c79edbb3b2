"""What is true of one home: its detectors together, fed with what was received and with moments that were due.

A home's state changes only by what was received or given (`take`, `give`), and by `judge` at exactly the moments that
`next_due` names.  Nothing that was merely asked, or asked more often, changes it; so the same log gives the same
findings however it was cut into pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from alerts.alert import Question
from alerts.judging import given, sorting
from alerts.judging import policy as policies
from alerts.judging import watched as watching
from alerts.judging.detectors import alarm, device_silence, equipment
from alerts.judging.detectors.battery import Batteries
from alerts.judging.detectors.climate import Climate
from alerts.judging.detectors.device_silence import Hub
from alerts.judging.detectors.hand_set import HandSet
from alerts.judging.detectors.night import Night
from alerts.judging.detectors.open_door import Doors
from alerts.judging.detectors.out import Out
from alerts.judging.detectors.routine import Routine
from alerts.judging.detectors.sensor_silence import Silences, Silent
from alerts.judging.detectors.sensor_stuck import Stuck
from alerts.judging.detectors.unseen import Unseen
from alerts.judging.finding import JSON, Ended, Verdict, iso, iso_or_none, whole_s
from alerts.judging.ground import Ground, Left
from alerts.judging.life import STILLNESS, Life, Seen
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sensed import Sensed, place_of_sensor
from alerts.judging.sight import Sight
from alerts.judging.spell import SENSORS_MAX
from alerts.judging.watched import Watch, Watched
from gateway.reading import is_sign_of_life
from ingest import entry

FORMAT: Final = 4
"""Of a saved state; raised when an older one can no longer be read as it is."""


class Detector(Protocol):
    """One question of a home.  It changes only by what it takes in, closes, or judges when it said that it is due."""

    def due(self, ground: Ground) -> datetime | None:
        """Return the next moment at which it must be judged if nothing more is said; None: never."""

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return what is found at a moment at which it was due."""

    def close(self, said: given.Close) -> None:
        """Take in that a person closed a finding, of this question or another."""


class Sensing(Detector, Protocol):
    """A question about what sensors say."""

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a reading."""


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
        next_alert_why: by which question, or why none; and what it is that nothing is heard, `quiet`.
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
        policy: the numbers in force.
        stretch: how much later promises may be kept while time is sped up.
        pause: when the resident is away, or asked not to be watched over; None: as far as we know never.
        hubs: those that the home is watched through.
        sensors: those that the home is known to have.
        sight: how well it was seen.
        life: when the resident was seen to move.
        silences: which sensors are silent.
        stuck: which report and notice nothing.
        batteries: which are low.
        out: whether the resident is out.
        night: whether the resident is up in the night.
        doors: which outer doors stand open.
        climate: which rooms are too cold or too hot.
        hand_set: which rules that were set by hand are broken.
        unseen: whether it was not seen for so long that somebody must look.
    """

    home: str
    as_of: datetime
    sight: Sight
    policy: Policy = policies.DEFAULT
    stretch: timedelta = timedelta(0)
    pause: given.Pause | None = None
    hubs: dict[str, Hub] = field(default_factory=dict)
    sensors: dict[str, given.Sensor] = field(default_factory=dict)
    life: Life = field(default_factory=Life)
    silences: Silences = field(default_factory=Silences)
    stuck: Stuck = field(default_factory=Stuck)
    batteries: Batteries = field(default_factory=Batteries)
    out: Out = field(default_factory=Out)
    night: Night = field(default_factory=Night)
    doors: Doors = field(default_factory=Doors)
    climate: Climate = field(default_factory=Climate)
    hand_set: HandSet = field(default_factory=HandSet)
    unseen: Unseen = field(default_factory=Unseen)

    @property
    def watch(self) -> Watch:
        return self.sight.watch

    @property
    def is_watch_sure(self) -> bool:
        """Whether how well it is seen may be written down for good."""
        return self.sight.is_sure

    @property
    def routine(self) -> Routine:
        return self.life.routine

    def take(self, said: entry.Entry, *, at: datetime) -> list[Verdict]:
        """Take in what was received at that moment."""
        self.as_of = max(self.as_of, at)
        match said:
            case entry.Reading():
                return self._read(said, at)
            case entry.Alarm():
                found: list[Verdict] = [alarm.finding_of(said, self.policy.policy, received_at=at)]
                readable = said.unreadable is None and is_sign_of_life(said.quantity, said.value)
                found += self._hear_sensor(said, at)
                return found + (self._sense(said, at) if readable else [])
            case entry.Heard():
                return self._hear(said, at)
            case entry.Lost():
                return [equipment.lost(said, self.policy.policy, received_at=at)]
            case entry.Trouble():
                return self._note(said, at)
            case entry.Deaf() | entry.Linked():
                return self._learn_of_path(said, at)

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
        ground = self._ground()
        hubs = self.hubs.values()
        dues = [hub.breaks_at(self.stretch) for hub in hubs if not hub.is_silent]
        dues += [due for hub in hubs if (due := device_silence.hub_due(hub, ground)) is not None]
        dues += [look for question in STILLNESS if (look := self.life.next_look(question, ground)) is not None]
        dues += [due for detector in self._detectors() if (due := detector.due(ground)) is not None]
        dues += self._pause_turns()
        return max(min(dues), self.as_of) if dues else None

    def judge(self, at: datetime) -> list[Verdict]:
        """Return what is found at a moment that `next_due` named: blindness first, for it forbids the rest."""
        for hub in self.hubs.values():
            hub.is_silent = hub.is_silent or hub.breaks_at(self.stretch) <= at
        self._look(at)
        self.silences.look(self._ground(), at=at)
        self._look(at)
        ground = self._ground()
        found: list[Verdict] = []
        for name in sorted(self.hubs):
            due = device_silence.hub_due(self.hubs[name], ground)
            if due is not None and due <= at:
                last_seen_at = self.life.seen.at if self.life.seen else None
                found.append(device_silence.hub_finding(self.hubs[name], ground, last_seen_at=last_seen_at, at=at))
        self.life.look(at)
        # Being out names the stillness that it is, so it comes first.
        found += [verdict for detector in self._detectors() for verdict in detector.judge(ground, at=at)]
        for question in STILLNESS:
            due = self.life.due(question, ground)
            if due is not None and due <= at:
                found.append(self.life.raise_(question, self.sight, ground, at=at))
        return found

    def now(self) -> Now:
        """Return what is true of the home, as of all that was received and judged."""
        ground = self._ground()
        next_alert_at, next_alert_why = self.life.next_alert(ground)
        if next_alert_at is None and (told_at := self.unseen.told_at(ground)) is not None:
            # No stillness can be found, and yet somebody is asked to look.
            next_alert_why["unseen_at"] = iso(told_at)
        if self.pause is not None and ground.quiet is Quiet.PAUSED:
            # Also while a stillness from before is still open: who is away was not paused by anybody.
            next_alert_why |= {"kind": self.pause.kind, "until": iso_or_none(self.pause.until)}
        next_alert_why["quiet"] = ground.quiet.value
        seen, watch = self.life.seen, self.watch
        first_due = min(self.hubs.values(), key=lambda hub: hub.breaks_at(self.stretch), default=None)
        return Now(
            state=watch.state,
            why=watch.why,
            since=watch.since,
            promised_until=_first(
                first_due.breaks_at(self.stretch) if first_due else None, self.silences.promised_until(ground)
            ),
            last_heard_at=first_due.heard_at if first_due else None,
            last_seen_at=seen.at if seen else None,
            last_seen_room=seen.room if seen else None,
            last_seen_sensor=seen.sensor if seen else None,
            up_since=self.life.up_since,
            next_alert_at=next_alert_at,
            next_alert_why=next_alert_why,
            learning=self.life.learning(self.policy),
        )

    def told_if_quiet_at(self) -> datetime | None:
        """Return when somebody is told if nothing moves any more; None: somebody is asked already, or never."""
        ground = self._ground()
        at, why = self.life.next_alert(ground)
        return None if at is None or why.get("is_open") else _first(at, self.hand_set.due_if_quiet(ground))

    # What was received.

    def _read(self, said: entry.Reading, at: datetime) -> list[Verdict]:
        """Take in a reading: every question looks for what concerns it."""
        if self.life.still_since() is None:
            return []  # The home is not watched yet.
        is_life = is_sign_of_life(said.quantity, said.value)
        sensed = self._sensed(said, at, is_life=is_life) if said.uncertain_since is None else None
        found = self._hear_sensor(said, at, sensed)
        if sensed is not None:
            self.sight.arrive(said.observed_at, at=at)
            ground = self._ground()
            for detector in self._sensing():
                found += detector.take(sensed, ground)
        return found + (self._sense(said, at) if is_life else [])

    def _sensed(self, said: entry.Reading, at: datetime, *, is_life: bool) -> Sensed:
        known, room = self.sensors.get(said.sensor), self._room(said)
        return Sensed(
            at=min(said.observed_at, at),
            received_at=at,
            hub=said.hub,
            sensor=said.sensor,
            room=room,
            kind=known.kind if known else "",
            place=place_of_sensor(room, said.quantity, is_outer=known.is_outer if known else None),
            quantity=said.quantity,
            value=said.value,
            is_life=is_life,
        )

    def _hear_sensor(
        self, said: entry.Reading | entry.Alarm, at: datetime, sensed: Sensed | None = None
    ) -> list[Verdict]:
        """Take in that a sensor lives, whatever it said, and whether it noticed something."""
        if said.uncertain_since is not None or said.sensor is None:
            return []
        heard_at, ground = min(said.observed_at, at), self._ground()
        found = self.silences.hear(said.sensor, said.hub, ground, at=heard_at, received_at=at)
        if sensed is not None:
            found += self.stuck.take(sensed, ground)
        self._look(at)
        return found

    def _sense(self, said: entry.Reading | entry.Alarm, at: datetime) -> list[Verdict]:
        """Take in a sign of life: it may end a stillness, and begins the next."""
        if self.life.still_since() is None:
            return []  # The home is not watched yet.
        self.sight.is_time_uncertain = said.uncertain_since is not None
        # A clock that is ahead must not promise life in the future.
        seen_at = min(said.observed_at, at)
        ended: list[Verdict] = []
        if not self.sight.is_time_uncertain and self.life.is_news(seen_at):
            ended = self.life.see(Seen(seen_at, self._room(said), said.sensor), self.sight, self._ground(), at=at)
            self.sight.see()
        self._look(at)
        return ended

    def _room(self, said: entry.Reading | entry.Alarm) -> str | None:
        """Return the room that was said, or else that of the sensor as it is known now."""
        if said.room is not None or said.sensor is None:
            return said.room
        known = self.sensors.get(said.sensor)
        return None if known is None else known.room

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
        if not any(one.held_since for one in self.hubs.values()):
            found += self.sight.settle(self.home, at=at)
        return found

    def _note(self, said: entry.Trouble, at: datetime) -> list[Verdict]:
        hub = self.hubs.get(said.hub)
        if hub is not None and not hub.is_new(said.what, equipment.trouble_episode(said.what, at)):
            return []
        return [equipment.trouble(said, self.policy.policy, received_at=at)]

    def _learn_of_path(self, said: entry.Deaf | entry.Linked, at: datetime) -> list[Verdict]:
        """Take in what is known of the way from the home to us."""
        if isinstance(said, entry.Linked):
            hub = self.hubs.get(said.hub)
            if hub is not None:
                hub.line_is_down = not said.up
                self._look(at)
            return []
        for hub in self.hubs.values():
            hub.miss(said.until, by_broker=said.whose == watching.BROKER)
        self.sight.miss(said.since, self.hubs.values(), self._hidden())
        return []

    # What was given.

    def _apply(self, kind: str, content: object, counts_from: datetime) -> None:
        match kind:
            case "policy":
                self.policy = policies.from_json(content)
                self.hand_set.expect(self.policy.rules, since=counts_from)
            case "watched":
                self._watch_hub(msgspec.convert(content, given.Watched), counts_from)
            case "closed" if given.is_of_a_newer_question(content):
                pass  # None of the detectors here raised it.
            case "closed":
                self._close(msgspec.convert(content, given.Close))
            case "sensors":
                self._know_sensors(content, counts_from)
            case "pause":
                said = msgspec.convert(content, given.Pause)
                self.pause = None if said.since is None or said.until is None else said
            case "stretch":
                self.stretch = timedelta(seconds=msgspec.convert(content, given.Stretch).stretch_s)
            case _:
                raise ValueError(f"unknown kind of input: {kind!r}")

    def _know_sensors(self, content: object, counts_from: datetime) -> None:
        listed = content.get("sensors") if isinstance(content, dict) else content
        sensors = msgspec.convert(listed, list[given.Sensor])[:SENSORS_MAX]
        self.sensors = {sensor.sensor: sensor for sensor in sensors}
        self.silences.expect(sensors, self._ground(), since=counts_from)
        self.stuck.expect(sensors, since=counts_from)

    def _watch_hub(self, said: given.Watched, counts_from: datetime) -> None:
        if said.until is not None:
            self.hubs.pop(said.hub, None)
            self.silences.forget_hub(said.hub)
            return
        since = max(said.since or counts_from, counts_from)
        self.hubs.setdefault(said.hub, Hub(said.hub, promised_from=since))
        self.life.still_from = self.life.still_from or since

    def _close(self, said: given.Close) -> None:
        if said.question in STILLNESS:
            self.life.close(said)
            return
        for detector in self._detectors():
            detector.close(said)
        for hub in self.hubs.values():
            for asked in (hub.silence, *hub.troubles.values()):
                if asked.open is not None and asked.open.episode == said.episode:
                    asked.close(at=said.at, by=said.by, outcome=said.outcome)

    # How it stands.

    def _ground(self) -> Ground:
        settles = [hub.settles_at(self.stretch) for hub in self.hubs.values() if not hub.is_silent]
        waits = tuple(moment for moment in settles if moment is not None)
        unseen, seen, left = self.sight.unseen, self.life.seen, self.out.left()
        is_dark = self.sight.is_blind and any(hub.heard_at is not None for hub in self.hubs.values())
        return Ground(
            home=self.home,
            as_of=self.as_of,
            policy=self.policy,
            stretch=self.stretch,
            quiet=self._sorted(left),
            unseen_until=None if unseen is None else unseen[1],
            sees={hub.hub: hub.unseen_for for hub in self.hubs.values() if hub.sees()},
            left=left,
            waits=waits,
            dark_since=self.sight.blind_since if is_dark else None,
            blind_why=self.watch.why if self.sight.is_blind else (),
            last_seen_at=seen.at if seen else None,
            last_seen_room=seen.room if seen else None,
        )

    def _sorted(self, left: Left | None) -> Quiet:
        """Return what it is that nothing is heard of the resident, as far as one home alone can tell."""
        watch, seen = self.watch, self.life.seen
        # Where no promise is broken nothing is hidden: most readings need not look.
        is_hidden = bool(watch.why) and self.silences.hides(
            seen.sensor if seen is not None and left is None else None,
            watching.NO_LIFE,
            stuck={one.sensor for one in self.stuck.stuck(self.policy)},
        )
        return sorting.sort(watch.state, watch.why, is_out=left is not None, is_hidden=is_hidden)

    def _detectors(self) -> tuple[Detector, ...]:
        return self.silences, self.stuck, self.unseen, *self._sensing()

    def _sensing(self) -> tuple[Sensing, ...]:
        return self.batteries, self.out, self.night, self.doors, self.climate, self.hand_set

    def _look(self, at: datetime) -> None:
        """Write down how well the home is seen from this moment on."""
        self._pause_or_go_on(at)
        self.sight.look(self.hubs.values(), self._hidden(), at)

    def _hidden(self) -> tuple[Silent, ...]:
        """Return the sensors whose part of the home is not seen: those that are silent, and those that are stuck."""
        silent = self.silences.silent(self.policy)
        return (*silent, *self.stuck.stuck(self.policy, silent=silent))

    # Away, or not to be watched over.

    def _pause_turns(self) -> list[datetime]:
        """Return when a pause begins or ends next."""
        if self.pause is None or self.pause.since is None or self.pause.until is None:
            return []
        return [self.pause.until if self.sight.is_paused else self.pause.since]

    def _pause_or_go_on(self, at: datetime) -> None:
        said = self.pause
        is_over = said is None or said.until is None or said.until <= at
        is_paused = said is not None and said.since is not None and said.since <= at and not is_over
        if self.sight.is_paused and not is_paused:
            self._go_on(at)
        if is_over:
            self.pause = None
        self.sight.is_paused = is_paused

    def _go_on(self, at: datetime) -> None:
        """Begin anew to look after the resident: what was meanwhile is neither too long nor usual."""
        self.sight.unseen = (self.sight.watch.since, at)
        if self.life.still_from is not None:
            self.life.still_from = at
        self.out.forget()
        self.hand_set.begin_again(at)


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def unknown(home: str, *, as_of: datetime) -> HomeState:
    """Return the state of a home of which nothing is known yet."""
    watch = Watch(Watched.BLIND, (watching.NEVER_HEARD,), as_of)
    return HomeState(home=home, as_of=as_of, sight=Sight(watch=watch, blind_since=as_of, unwatched_since=as_of))


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
    state.routine.forget_computed()
    # A release that did not ask this question saved nothing for it.
    if not state.stuck.known:
        state.stuck.expect(state.sensors.values(), since=state.as_of)
    return state

"""What does the hub do, from moment to moment?

One thread owns the outbox and does everything in turn; the connections' threads only hand it what they hear,
through an inbox with a bound.  A radio message is acknowledged once it is in the outbox, so a full inbox slows the
home's broker down and loses nothing.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from gateway import metrics, radio
from gateway.adapters.exposes import Setup
from gateway.clock import Assurance, Clock, Moment, is_set_by_a_time_server
from gateway.config import Config, OutboxFile
from gateway.connection import Delivery
from gateway.equipment import Equipment
from gateway.heartbeat import Heartbeat
from gateway.outbox import IN_MEMORY, Kept, NoRoom, Outbox, OutboxLost, OutboxUnusable
from gateway.player import Player
from gateway.publisher import Publisher
from gateway.radio import LastHeard, Radio
from gateway.reading import ALARMS, Observation
from gateway.release import version
from gateway.wire import Record, Stream

log = logging.getLogger(__name__)

_INBOX_MAX: Final = 1000
_BATCH_MAX: Final = 200
_TAKEN_WITHIN_S: Final = 10.0
"""A radio message that is not in the outbox by then is not acknowledged: the broker hands it out again later.  To
wait longer would break the connection."""

_TURN_S_MAX: Final = 0.25
"""The hub looks at its clock and for the order to stop at least this often, in real seconds."""
_TURN_S_MAX_EAGER: Final = 0.01  # Someone who moves the clock waits for each turn.
_TURN_S_MAX_MOVED: Final = 0.05
_TURN_S_MIN: Final = 0.005

_CHORES_EVERY_S: Final = 60.0
_NOTE_EVERY_S: Final = 1.0
_ALIVE_EVERY_S: Final = 30.0
"""With a restart of a few seconds this stays well inside `radio.LATE_AFTER_S`.  Records kept say so for nothing."""

_ALIVE: Final = "alive"
"""Under this name the outbox remembers when the radio was last heard, and what it said last (`LastHeard`)."""


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that a connection heard; without a delivery, the line itself went up or down."""

    name: str
    moment: Moment
    delivery: Delivery | None = None
    is_up: bool = False
    taken: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Status:
    """How the hub does, for its health address."""

    radio_up: bool = False
    platform_up: bool = False
    held_readings: int = 0
    held_alarms: int = 0
    troubles: tuple[str, ...] = ()
    played_through: str | None = None
    next_at: str | None = None


class Hub:
    """The gateway of one home."""

    def __init__(self, config: Config, clock: Clock, *, boot: str) -> None:
        """Open the outbox, and the recording if there is one; nothing is connected yet.

        Raises:
            OutboxInUse: another process has the outbox.
            Unplayable: the recording cannot be played.
        """
        self._config = config
        self._clock = clock
        self._boot = boot
        self._stopping = threading.Event()
        self._inbox: queue.Queue[_Event] = queue.Queue(_INBOX_MAX)
        self._assurance = Assurance(clock)
        moment = clock.moment()
        self._outbox = _opened(config.outbox, moment)
        self._publisher = Publisher(config, self._outbox, self, boot=boot, say_aloud=self._say_aloud)
        self._radio: Radio | None = None
        self._player: Player | None = None
        setup = Setup()
        if config.radio is not None:
            setup = config.radio.setup()
            self._radio = Radio(config.radio, config.hub, self, last=self._last_heard())
        if config.recording is not None:
            self._player = Player(config.recording, self._outbox, moment=moment)
        self._equipment = Equipment(setup, self._outbox.last_values())
        self._chores_at_s = self._noted_at_s = self._alive_at_s = moment.real_s
        self.status = Status()

    def equipment(self) -> str:
        """Return what each device can tell and what it cannot, for whoever installs it."""
        return self._equipment.report()

    # What the connections' threads call.

    def connected(self, name: str, *, has_session: bool) -> None:
        log.info("connected", extra={"door": name, "has_session": has_session})
        self._put(_Event(name, self._clock.moment(), is_up=True))

    def disconnected(self, name: str) -> None:
        log.info("disconnected", extra={"door": name})
        self._put(_Event(name, self._clock.moment()))

    def received(self, name: str, delivery: Delivery) -> bool:
        if not delivery.topic or (name == radio.NAME and self._is_chatter(delivery.topic)):
            return True
        event = _Event(name, self._clock.moment(), delivery)
        return self._put(event) and (name != radio.NAME or event.taken.wait(_TAKEN_WITHIN_S))

    def _is_chatter(self, topic: str) -> bool:
        """Return whether it is Zigbee2MQTT's own talk, of which there is much, and not what we need of it."""
        bridge = f"{self._equipment.setup.base_topic}/bridge/"
        return topic.startswith(bridge) and topic.removeprefix(bridge) not in {"devices", "state"}

    def _put(self, event: _Event) -> bool:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._inbox.put(event, timeout=1.0)
                return True
        return False

    # The one thread.

    def stop(self) -> None:
        """Ask the hub to stop.  May be called from a signal's handler."""
        self._stopping.set()

    def run(self) -> None:
        """Be the gateway until `stop`."""
        moment = self._clock.moment()
        self._publisher.open(moment=moment)
        if self._radio is not None:
            self._radio.open()
        try:
            while not self._stopping.is_set():
                self._turn(self._heard())
        finally:
            self._close()

    def _turn(self, events: Sequence[_Event]) -> None:
        """Do everything once: take in what was heard, play what is due, send what is due."""
        try:
            self._take_in(events)
            self._play()
            moment = self._clock.moment()
            self._publisher.step(moment=moment, heartbeat=lambda: self._heartbeat(moment))
            self._chores(moment)
            self._report()
        except OutboxLost as why:
            self._begin_again(why)

    def _heard(self) -> list[_Event]:
        """Return what came in, after waiting until there is something to do."""
        events: list[_Event] = []
        with contextlib.suppress(queue.Empty):
            events.append(self._inbox.get(timeout=self._idle_s()))
            while len(events) < _BATCH_MAX:
                events.append(self._inbox.get_nowait())
        return events

    def _idle_s(self) -> float:
        longest = _TURN_S_MAX_MOVED if self._clock.is_simulated() else _TURN_S_MAX
        if self._config.is_eager:
            longest = _TURN_S_MAX_EAGER
        next_at_s = self._publisher.next_at_s()
        if next_at_s is None:
            return longest
        return max(_TURN_S_MIN, min(longest, next_at_s - self._clock.moment().real_s))

    def _take_in(self, events: Sequence[_Event]) -> None:
        """Keep what the radio said, acknowledge that, then hear what the platform said."""
        seen: list[Observation] = []
        told: list[Delivery] = []
        for event in events:
            if event.name == radio.NAME and (observations := self._hear_radio(event)):
                assert event.delivery is not None
                seen.extend(observations)
                told.append(event.delivery)
        if seen:
            self._keep(seen, told)
        for event in events:
            if event.name == radio.NAME:
                event.taken.set()
            else:
                self._hear_platform(event)

    def _hear_platform(self, event: _Event) -> None:
        stream = Stream(event.name)
        if event.delivery is not None:
            self._publisher.answered(stream, event.delivery.payload, moment=event.moment)
        elif event.is_up:
            self._publisher.connected(stream)
        else:
            self._publisher.disconnected(stream)

    def _hear_radio(self, event: _Event) -> tuple[Observation, ...]:
        assert self._radio is not None
        if event.delivery is None:
            self._hear_radio_line(event, self._radio)
            return ()
        message = self._radio.heard(event.delivery, moment=event.moment)
        if message is None:
            self._note_alive(event.moment)  # What waited is behind us.
            return ()
        return self._equipment.hear(message, is_taken_already=self._radio.is_taken_already(event.delivery))

    def _hear_radio_line(self, event: _Event, line: Radio) -> None:
        metrics.UP.labels(radio.NAME).set(event.is_up)
        if event.is_up:
            metrics.CONNECTS.labels(radio.NAME).inc()
            line.connected(moment=event.moment)
            self._note_alive(event.moment)
        else:
            line.disconnected(moment=event.moment)

    def _keep(self, seen: Sequence[Observation], told: Sequence[Delivery]) -> None:
        """Keep what was seen on the disk; what cannot be is dropped, but never an alarm."""
        moment = self._clock.moment()
        note, is_unset = self._alive(moment, told), self._assurance.is_set(moment=moment) is False
        try:
            kept = self._outbox.keep(seen, boot=self._boot, note=note, is_wall_unset=is_unset)
        except OutboxLost as why:
            self._begin_again(why)
            kept = self._outbox.keep(seen, boot=self._boot, note=note, is_wall_unset=is_unset)
        except NoRoom as why:
            alarms = [o for o in seen if o.quantity in ALARMS]
            lost = len(seen) - len(alarms)
            metrics.NOT_KEPT.inc(lost)
            log.error("readings lost, nothing can be written", extra={"lost": lost, "why": str(why)})  # noqa: TRY400 -- the traceback says nothing more
            if not alarms:
                return
            kept = self._keep_alarms(alarms, is_unset=is_unset)
        self._kept(kept)

    def _keep_alarms(self, alarms: Sequence[Observation], *, is_unset: bool) -> Kept:
        """Keep alarms where readings find no room: on the disk in what was put aside for them, else in memory."""
        try:
            return self._outbox.keep(alarms, boot=self._boot, is_wall_unset=is_unset)
        except NoRoom as why:
            self._go_on_in_memory(why)
        return self._outbox.keep(alarms, boot=self._boot, is_wall_unset=is_unset)

    def _kept(self, kept: Kept) -> None:
        for stream, numbers in ((Stream.READINGS, kept.readings), (Stream.ALARMS, kept.alarms)):
            if numbers is not None:
                metrics.KEPT.labels(stream).inc(numbers[1] - numbers[0] + 1)
        self._publisher.kept(kept, moment=self._clock.moment())

    def _play(self) -> None:
        """Keep everything of the recording that is due."""
        if self._player is None:
            return
        moment = self._clock.moment()
        try:
            while batch := self._player.due(moment=moment):
                before_boot = batch[0].uptime_ms < 0
                through = batch[-1].wall_at
                # Of a boot that is over: its uptime is of no use, and its wall clock stands.
                boot = f"before-{self._boot}"[:64] if before_boot else self._boot
                rows = [replace(o, uptime_ms=0) for o in batch] if before_boot else batch
                kept = self._outbox.keep(rows, boot=boot, note=self._player.note(len(batch), through=through))
                self._player.kept(len(batch), through=through)
                self._kept(kept)
            is_news = self._player.through is None or moment.now > self._player.through
            if is_news and (self._config.is_eager or moment.real_s - self._noted_at_s >= _NOTE_EVERY_S):
                self._outbox.remember(*self._player.note(0, through=moment.now))
                self._noted_at_s = moment.real_s
            self._player.kept(0, through=moment.now)
        except NoRoom as why:
            log.error("recording waits, nothing can be written", extra={"why": str(why)})  # noqa: TRY400 -- the traceback says nothing more

    def _chores(self, moment: Moment) -> None:
        """Do what need not be done at once, on real time."""
        if moment.real_s - self._alive_at_s >= _ALIVE_EVERY_S:
            self._note_alive(moment)
        if moment.real_s - self._chores_at_s < _CHORES_EVERY_S:
            return
        self._chores_at_s = moment.real_s
        self._outbox.prune(now=moment.now)
        metrics.LET_GO.set(self._outbox.let_go_unstored)

    def _note_alive(self, moment: Moment) -> None:
        """Write down that the radio is heard, so that a restart knows for how long it was not."""
        self._alive_at_s = moment.real_s
        if self._radio is not None and self._radio.hears(moment=moment):
            with contextlib.suppress(NoRoom):
                self._outbox.remember(*self._alive(moment))

    def _alive(self, moment: Moment, told: Sequence[Delivery] = ()) -> tuple[str, str]:
        assert self._radio is not None
        self._alive_at_s = moment.real_s
        return _ALIVE, msgspec.json.encode(self._radio.last_heard(told, moment=moment)).decode()

    def _last_heard(self) -> LastHeard | None:
        said = self._outbox.recall(_ALIVE)
        return None if said is None else msgspec.json.decode(said, type=LastHeard)

    def _heartbeat(self, moment: Moment) -> Heartbeat:
        return Heartbeat(
            outbox=self._outbox.current,
            sent_at=moment.now.timestamp(),
            boot=self._boot,
            uptime_ms=moment.uptime_ms,
            held_readings=self._outbox.held(Stream.READINGS),
            held_alarms=self._outbox.held(Stream.ALARMS),
            radio_up=self._hears_equipment(moment),
            clock_set=True if self._clock.is_simulated() else is_set_by_a_time_server(),
            version=version(),
            troubles=self._outbox.troubles(now=moment.now),
        )

    def _hears_equipment(self, moment: Moment) -> bool:
        if self._radio is None:
            return True  # A recording is always heard.
        return self._radio.hears(moment=moment) and self._equipment.is_heard

    def _say_aloud(self, alarm: Record) -> None:
        if self._radio is not None:
            self._radio.say_aloud(alarm)

    def _begin_again(self, why: OutboxLost) -> None:
        """Set the broken outbox aside and begin a new one."""
        log.error("outbox lost, a new one is begun", extra={"why": str(why)})
        self._outbox.close()
        moment = self._clock.moment()
        self._outbox = _opened(self._config.outbox, moment)
        self._publisher.use(self._outbox, moment=moment)

    def _go_on_in_memory(self, why: Exception) -> None:
        """Begin an outbox in memory, with the alarms that wait in the one on the disk: nobody may look there soon."""
        log.error("the disk is of no use, going on in memory", extra={"why": str(why)})
        waiting = self._outbox.unstored_alarms()
        self._outbox.close()
        moment = self._clock.moment()
        self._outbox = Outbox(_in_memory(self._config.outbox), now=moment.now)
        self._outbox.take_over(waiting)
        self._publisher.use(self._outbox, moment=moment)

    def _report(self) -> None:
        player, moment = self._player, self._clock.moment()
        through = None if player is None or player.through is None else player.through.isoformat()
        next_at = None if player is None or player.next_at is None else player.next_at.isoformat()
        self.status = Status(
            radio_up=self._hears_equipment(moment),
            platform_up=self._publisher.is_up,
            held_readings=self._outbox.held(Stream.READINGS),
            held_alarms=self._outbox.held(Stream.ALARMS),
            troubles=self._outbox.troubles(now=moment.now),
            played_through=through,
            next_at=next_at,
        )
        if player is not None and player.through is not None:
            metrics.PLAYED.set(player.through.timestamp())

    def _close(self) -> None:
        """Stop hearing first, keep what was heard, say goodbye, and close the outbox last."""
        if self._radio is not None:
            self._note_alive(self._clock.moment())
            self._radio.close()
        events = []
        with contextlib.suppress(queue.Empty):
            while True:
                events.append(self._inbox.get_nowait())
        with contextlib.suppress(OutboxLost):
            self._take_in(events)
        self._publisher.close()
        self._outbox.close()


def _opened(limits: OutboxFile, moment: Moment) -> Outbox:
    try:
        return Outbox(limits, now=moment.now)
    except OutboxUnusable as why:
        log.error("the outbox cannot be used, going on in memory", extra={"why": str(why)})  # noqa: TRY400 -- the traceback says nothing more
        return Outbox(_in_memory(limits), now=moment.now)


def _in_memory(limits: OutboxFile) -> OutboxFile:
    return msgspec.structs.replace(limits, path=IN_MEMORY, bytes_max=50_000_000)

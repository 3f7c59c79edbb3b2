"""How does what the hub holds get to the platform?  The door to the platform's broker.

Two connections, so that an alarm never waits behind readings: one for readings, heartbeats and the link's last
will, one for alarms alone.  `window` decides what is due; here it is encoded, written down as sent, and handed
to the line.  Only `stored through` lets go of anything.
"""

import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gateway import metrics, wire
from gateway import window as windows
from gateway.clock import Moment
from gateway.config import Config
from gateway.connection import Connection, Door, Listener, Will
from gateway.heartbeat import EVERY, Heartbeat
from gateway.outbox import Kept, NoRoom, Outbox
from gateway.window import Due, Pace, Window
from gateway.wire import Ask, Header, Leaf, Link, Malformed, Record, Stored, Stream

log = logging.getLogger(__name__)

ALOUD_AFTER_S: Final = 30.0
"""An alarm that is not stored by then is said aloud in the home (design, Coming back)."""

_HEARTBEAT_APART_S: Final = 1.0
"""On a fast clock heartbeats go out at most this often, in real seconds."""
_RADIO_WITHIN_S: Final = 5.0
"""Ours: on two shared cores a home's broker answered within 2 s (2026-11); a hub may be late by two minutes."""

_ASK_ALL_EVERY_S: Final = 900.0
"""What is stored of everything is asked anew so often, in real seconds: a server that was put back from a backup breaks
no connection.  Ours: of ten thousand hubs twenty ask in a second."""

_STEPS_MAX = 100

_ANSWERS_QOS: Final = 0
"""An answer that is lost is asked for again, so the broker need not keep it.  At QoS 1 nats-server makes a consumer on
its disk for each connection: 300 hubs that came back at once kept it from its work for more than ten minutes, at QoS 0
all was stored after one (`tests.bench.pressure hubs --hubs 300`, 2 cores, load 20, 2026-11-22)."""


class Publisher:
    """Drains the outbox.  All methods are for the thread that owns the outbox."""

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        listener: Listener,
        *,
        boot: str,
        say_aloud: Callable[[Record], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._boot = boot
        self._say_aloud = say_aloud
        self._chance = chance
        sending = config.sending
        self._paces: dict[Stream, Pace] = {
            Stream.ALARMS: windows.ALARMS,
            Stream.READINGS: Pace(
                pack_records=sending.pack_records,
                window_packs=sending.window_packs,
                linger_s=sending.linger_ms / 1000,
                patience_s=5,
                patience_s_max=60,
            ),
        }
        self._connections = {stream: Connection(_door(config, stream), listener, chance=chance) for stream in Stream}
        self._windows: dict[tuple[str, Stream], Window] = {}
        self._unsaid: dict[tuple[str, int], float] = {}
        self._heartbeat_at: Moment | None = None
        self._heartbeat_said: tuple[object, ...] = ()
        self._silent_until_s: float | None = None
        self._ask_all_at_s: float | None = None
        self._outbox = outbox

    def open(self, *, moment: Moment) -> None:
        """Begin to connect."""
        self.use(self._outbox, moment=moment)
        for connection in self._connections.values():
            connection.open()

    def use(self, outbox: Outbox, *, moment: Moment) -> None:
        """Send from this outbox from now on."""
        self._outbox = outbox
        self._windows.clear()
        self._listen_for_unstored(moment)

    def close(self) -> None:
        link = self._topic(Leaf.LINK)
        self._connections[Stream.ALARMS].close()
        self._connections[Stream.READINGS].close(last_words=Will(link, wire.encode_message(Link(up=False))))

    @property
    def is_up(self) -> bool:
        """Return whether both connections are."""
        return all(connection.is_up for connection in self._connections.values())

    def connected(self, stream: Stream) -> None:
        """Take in that a stream's connection was made: everything is asked anew."""
        metrics.CONNECTS.labels(stream).inc()
        self._forget_windows(stream)
        if stream is Stream.READINGS:
            self._connections[stream].send(self._topic(Leaf.LINK), wire.encode_message(Link(up=True)), retain=True)
            self._heartbeat_at = None

    def disconnected(self, stream: Stream) -> None:
        self._forget_windows(stream)

    def kept(self, kept: Kept, *, moment: Moment) -> None:
        """Take in that records were kept, so that an alarm among them is said aloud in time."""
        if kept.alarms is not None:
            first, last = kept.alarms
            self._unsaid.update(
                dict.fromkeys(((self._outbox.current, n) for n in range(first, last + 1)), moment.real_s)
            )

    def answered(self, stream: Stream, payload: bytes, *, moment: Moment) -> None:
        """Take in what came back on a stream's connection.

        Raises:
            OutboxLost: the outbox broke.
        """
        try:
            answer = wire.decode_stored(payload)
        except Malformed as why:
            metrics.MALFORMED.inc()
            log.warning("answer not understood", extra={"why": str(why)[:200]})
            return
        if answer.stream is not stream or answer.outbox not in self._outbox.outboxes():
            return  # Each connection minds its own stream; the other one hears the same.
        if self._outbox.answered_too_high(answer.outbox, stream, answer.through):
            self._turn_over(answer, moment)
            return
        self._take_in(answer, moment)

    def step(self, *, moment: Moment, heartbeat: Callable[[], Heartbeat]) -> None:
        """Do everything that is due.

        Raises:
            OutboxLost: the outbox broke.
        """
        known = self._outbox.outboxes()
        self._windows = {key: window for key, window in self._windows.items() if key[0] in known}
        if self._ask_all_at_s is None or moment.real_s >= self._ask_all_at_s:
            self._ask_all(moment)
        self._connections[Stream.ALARMS].hurry(is_urgent=self._outbox.held(Stream.ALARMS) > 0)
        for stream in (Stream.ALARMS, Stream.READINGS):
            if self._connections[stream].is_up:
                for outbox in known:
                    self._send_due(outbox, stream, moment)
        self._say_unstored_aloud(moment)
        self._send_heartbeat(moment, heartbeat)
        for stream in Stream:
            metrics.HELD.labels(stream).set(self._outbox.held(stream))
            metrics.UP.labels(stream).set(self._connections[stream].is_up)

    def next_at_s(self) -> float | None:
        """Return when there is something to do if nothing happens, in real seconds, or None."""
        moments = [windows.next_at(w, pace=self._paces[stream]) for (_, stream), w in self._windows.items()]
        moments += [since + ALOUD_AFTER_S for since in self._unsaid.values()]
        return min((at for at in moments if at is not None), default=None)

    def _send_due(self, outbox: str, stream: Stream, moment: Moment) -> None:
        window = self._windows.setdefault((outbox, stream), windows.opened(now_s=moment.real_s))
        numbers = self._outbox.numbers(outbox, stream)
        for _ in range(_STEPS_MAX):
            window, due = windows.due(
                window,
                oldest=numbers.oldest,
                last=numbers.last,
                pace=self._paces[stream],
                now_s=moment.real_s,
                chance=self._chance(),
            )
            if due == Due():
                break
            if due.ask:
                self._ask(outbox, stream, moment)
            elif not self._send_packs(outbox, stream, due.packs, moment):
                return  # The line is full or the disk is: the window stays as it was, and it is tried again.
            self._windows[outbox, stream] = window
        self._windows[outbox, stream] = window

    def _send_packs(self, outbox: str, stream: Stream, packs: tuple[tuple[int, int], ...], moment: Moment) -> bool:
        try:
            self._outbox.will_send(outbox, stream, packs[-1][1])
        except NoRoom as why:
            log.warning("nothing can be sent", extra={"why": str(why)})
            return False
        topic, oldest = self._topic(Leaf(stream)), self._outbox.numbers(outbox, stream).oldest
        for first, last in packs:
            records = self._outbox.records(outbox, stream, first, last)
            header = Header(outbox, stream, first, last, oldest, moment.now.timestamp(), self._boot, moment.uptime_ms)
            if not self._connections[stream].send(topic, wire.encode_pack(header, records)):
                return False
            metrics.SENT.labels(stream).inc(len(records))
        return True

    def _ask(self, outbox: str, stream: Stream, moment: Moment) -> None:
        readings, alarms = (self._outbox.numbers(outbox, s).sent for s in (Stream.READINGS, Stream.ALARMS))
        ask = Ask(outbox, readings, alarms, moment.now.timestamp(), self._boot, moment.uptime_ms)
        self._connections[stream].send(self._topic(Leaf.ASK), wire.encode_message(ask))

    def _ask_all(self, moment: Moment) -> None:
        """Ask anew what is stored of every stream of every outbox, while sending goes on."""
        self._ask_all_at_s = moment.real_s + _ASK_ALL_EVERY_S * (1 + self._chance() / 4)
        self._windows = {key: windows.in_doubt(one, now_s=moment.real_s) for key, one in self._windows.items()}

    def _take_in(self, answer: Stored, moment: Moment) -> None:
        key = (answer.outbox, answer.stream)
        if self._windows.get(key) is None:
            return
        if answer.answers_ask and answer.through < self._outbox.numbers(*key).stored:
            # The server was put back.  Of a stream in which nothing new is said it would never be asked again.
            self._ask_all(moment)
        window = self._windows[key]
        window = windows.answered(
            window,
            answer.through,
            answers_ask=answer.answers_ask,
            pace=self._paces[answer.stream],
            now_s=moment.real_s,
        )
        self._windows[key] = window
        if window.stored is None:
            return
        try:
            self._outbox.stored(*key, window.stored, now=moment.now)
        except NoRoom as why:
            log.warning("not written down what is stored", extra={"why": str(why)})
        if answer.stream is Stream.ALARMS:
            self._unsaid = {
                (outbox, number): since
                for (outbox, number), since in self._unsaid.items()
                if outbox != answer.outbox or number > window.stored
            }

    def _turn_over(self, answer: Stored, moment: Moment) -> None:
        sent = self._outbox.numbers(answer.outbox, answer.stream).sent
        log.error(
            "old card: the platform has numbers that this outbox never sent, a new outbox is begun",
            extra={"stream": answer.stream.value, "through": answer.through, "sent": sent},
        )
        try:
            self._outbox.turn_over(now=moment.now)
        except NoRoom as why:
            log.error("no new outbox", extra={"why": str(why)})  # noqa: TRY400 -- the traceback says nothing more
            return
        metrics.TURNED_OVER.inc()
        self._windows.clear()
        self._listen_for_unstored(moment)

    def _listen_for_unstored(self, moment: Moment) -> None:
        """Begin to wait for the alarms of this outbox that are neither stored nor said aloud."""
        self._unsaid = {}
        for outbox in self._outbox.outboxes():
            numbers = self._outbox.numbers(outbox, Stream.ALARMS)
            for number in range(max(numbers.stored, numbers.aloud, numbers.oldest - 1) + 1, numbers.last + 1):
                self._unsaid[outbox, number] = moment.real_s

    def _say_unstored_aloud(self, moment: Moment) -> None:
        late = [key for key, since in self._unsaid.items() if moment.real_s - since >= ALOUD_AFTER_S]
        for outbox, number in late:
            del self._unsaid[outbox, number]
            for record in self._outbox.records(outbox, Stream.ALARMS, number, number):
                log.error("alarm not stored in time", extra={"number": number, "after_s": ALOUD_AFTER_S})
                metrics.ALOUD.inc()
                self._say_aloud(record)
            try:
                self._outbox.said_aloud(outbox, number)
            except NoRoom:
                log.warning("not written down that an alarm was said aloud", extra={"number": number})

    def _send_heartbeat(self, moment: Moment, heartbeat: Callable[[], Heartbeat]) -> None:
        connection = self._connections[Stream.READINGS]
        if not connection.is_up:
            return
        beat = heartbeat()
        if not beat.radio_up and self._is_just_started(moment):
            return
        said = (beat.outbox, beat.radio_up, beat.troubles)
        if not self._is_heartbeat_due(moment, is_news=said != self._heartbeat_said):
            return
        if connection.send(self._topic(Leaf.HEARTBEAT), wire.encode_message(beat)):
            self._heartbeat_at, self._heartbeat_said = moment, said

    def _is_just_started(self, moment: Moment) -> bool:
        """Return whether nothing was said yet, and the home's broker has had no time to answer.

        To say that no sensor is heard would be a gap in the home's days at every start; nothing is claimed meanwhile.
        """
        if self._heartbeat_said:
            return False
        if self._silent_until_s is None:
            self._silent_until_s = moment.real_s + _RADIO_WITHIN_S
        return moment.real_s < self._silent_until_s

    def _is_heartbeat_due(self, moment: Moment, *, is_news: bool) -> bool:
        last = self._heartbeat_at
        if last is None:
            return True
        passed, passed_s = moment.now - last.now, moment.real_s - last.real_s
        if self._config.is_eager and passed > timedelta(0):
            # Whoever moves the clock waits for us; between its moves every second is often enough.
            return passed >= EVERY / 2 or passed_s >= _HEARTBEAT_APART_S
        is_time = is_news or passed >= EVERY or passed_s >= EVERY.total_seconds()
        return is_time and passed_s >= _HEARTBEAT_APART_S

    def _forget_windows(self, stream: Stream) -> None:
        self._windows = {key: window for key, window in self._windows.items() if key[1] is not stream}

    def _topic(self, leaf: Leaf) -> str:
        return wire.topic(self._config.lane, self._config.hub, leaf)


def _door(config: Config, stream: Stream) -> Door:
    platform = config.platform
    door = Door(
        name=stream.value,
        host=platform.host,
        port=platform.port,
        client_id=f"{config.hub}-{stream}",
        user=config.hub,
        password=config.secret,
        topics=(wire.topic(config.lane, config.hub, Leaf.STORED),),
        qos=_ANSWERS_QOS,
        tls=ssl.create_default_context(cafile=platform.ca_file or None) if platform.tls else None,
    )
    if stream is Stream.ALARMS:
        return replace(door, first_wait_s=0.5)
    will = Will(wire.topic(config.lane, config.hub, Leaf.LINK), wire.encode_message(Link(up=False)))
    return replace(door, will=will)

"""How do the homes of a street live on, in step with the clock?

One thread does everything in order: it plays each home up to now, writes each message into the home's diary, gives
it to the home's radio, writes down what became of it, and obeys what it is asked.  Whatever other threads learn
(a broker answered, an order came) reaches it through one queue, so nothing here needs a lock.
"""

import logging
import queue
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from firmware_sim.bridge import OFFLINE, ONLINE, Bridge, Message
from firmware_sim.chance import Fate
from firmware_sim.clock import Clock
from firmware_sim.control import Answer, Asked
from firmware_sim.diary import Diary
from firmware_sim.faults import Do, NotNow, Order
from firmware_sim.happening import Happening
from firmware_sim.home import Home
from firmware_sim.models import Kind, Value
from firmware_sim.radio import Connected, Delivered, Disconnected, Radio, Told
from firmware_sim.street import Address

log = logging.getLogger(__name__)

# The clock may be moved at any moment; this is how long we may not notice.
_LOOK_AGAIN_S: Final = 0.2
_CONNECT_WITHIN_S: Final = 5.0
_FAREWELL_WITHIN_S: Final = 2.0
_MS: Final = timedelta(milliseconds=1)
# Without one nobody ever learns of it; whoever orders it should.
_NOTICED_BY: Final = {
    Do.SMOKE: Kind.SMOKE,
    Do.LEAK: Kind.WATER,
    Do.HEATING_FAILS: Kind.CLIMATE,
    Do.HEATING_MENDED: Kind.CLIMATE,
}


class Lived:
    """One home being lived in: the home, its bridge, its diary and its radio."""

    def __init__(
        self,
        address: Address,
        *,
        seed: int,
        diary: Diary,
        radio: Radio,
        catch_up: timedelta,
        has_chance: bool,
        now: datetime,
    ) -> None:
        """Go on from where the diary ends, or begin now if it is empty."""
        past = diary.recollection
        self.name = address.spec.home
        self._address = address
        self._seed = seed
        self._diary = diary
        self._radio = radio
        self._catch_up = catch_up
        self._orders = list(past.orders)
        self._through = past.through or now
        self._home = Home(address.spec, seed=seed, orders=self._orders, now=self._through)
        spec = address.spec
        self._fate = Fate(self.name, spec.sensors, seed=seed, since=self._through) if has_chance else None
        self._had_power = self._home.condition.has_power
        # A home that was never played has been lived in all the same, and its Zigbee2MQTT knows its sensors.
        self._bridge = self._new_bridge({**self._home.known, **past.states}, past.heard_at, now=now)
        if self._through > now:
            log.warning(
                "the diary of home %s ends at %s, ahead of the clock: silent until then", self.name, self._through
            )
        self._has_started = False
        self._serial = past.serial
        self._on_their_way: OrderedDict[int, int] = OrderedDict()

    def next_at(self, now: datetime) -> datetime:
        """Return when something may happen here next."""
        return self._home.next_at if self._fate is None else min(self._home.next_at, self._fate.next_at(now))

    def live_until(self, now: datetime) -> None:
        """Play what happened since the last time, leaving out what is longer ago than we catch up."""
        for order in self._fate.due(now) if self._fate is not None else ():
            self._befalls(order)
        self._advance(now)
        if self._home.condition.has_power:
            for message in self._bridge.looks_after_itself(now=now):
                self._send(message, now)

    def obey(self, do: Do, sensor: str | None, *, now: datetime) -> dict[str, Any]:
        """Write an order down, let it take effect, and say what is to be said at once.

        What no sensor of this home can notice happens all the same; the answer has a `note` that says so.

        Raises:
            NotNow: it cannot be obeyed as things stand.
            KeyError: there is no such sensor here.
        """
        self.live_until(now)
        order = Order(self._order_moment(now), do, sensor)
        self._obey(order)
        self._play(max(now, order.at) + _MS)
        answer = {"home": self.name, "order": do.value, "at": order.at.isoformat(), "serial": self._serial}
        needed = _NOTICED_BY.get(do)
        if needed is not None and all(it.kind is not needed for it in self._address.spec.sensors):
            answer["note"] = f"this home has no sensor of kind {needed.value}, so nobody will hear of it"
        return answer

    def _befalls(self, order: Order) -> None:
        """Let chance have its way, where it makes sense."""
        if order.at <= self._through or order in self._orders:
            return
        self._advance(order.at)
        try:
            self._obey(order)
        except NotNow as why:
            log.info("home %s: chance is turned down: %s", self.name, why)

    def _obey(self, order: Order) -> None:
        self._home.can_obey(order)
        self._diary.write_order(order)
        self._orders.append(order)
        self._home.obey(order)
        self._power_follows(order.at)

    def _power_follows(self, at: datetime) -> None:
        """Let the bridge go dark with the home's power, and start again with it."""
        has_power = self._home.condition.has_power
        if has_power is self._had_power:
            return
        self._had_power = has_power
        if not has_power:
            self._radio.cut()
            self._has_started = False
        else:
            self._bridge = self._new_bridge(self._home.known, self._bridge.heard_at, now=at)
            self._radio.start()

    def _new_bridge(
        self, cached: Mapping[str, Mapping[str, Value]], heard_at: Mapping[str, datetime], *, now: datetime
    ) -> Bridge:
        sensors, qos = self._address.spec.sensors, self._address.qos
        return Bridge(self.name, sensors, qos=qos, cached=cached, heard_at=heard_at, now=now)

    def _advance(self, now: datetime) -> None:
        if now - self._through > self._catch_up:
            self._leap(now - self._catch_up)
        self._play(now)

    def _play(self, now: datetime) -> None:
        """Let the home live until then: what is true is written down, what is said is sent."""
        for told in self._home.told_until(now):
            if isinstance(told, Happening):
                self._diary.write_life(told)
                continue
            for message in self._bridge.hears(told):
                self._send(message, told.at)
        self._through = max(self._through, now)

    def is_told(self, told: Told, *, now: datetime) -> None:
        """Take in what the radio learnt."""
        match told:
            case Delivered(_, message_id, real_s):
                serial = self._on_their_way.pop(message_id, None)
                if serial is not None:
                    self._diary.write_fate(serial, "acknowledged", real_s=real_s)
            case Connected():
                log.info("connected: home %s", self.name)
                greeting = [ONLINE] if self._has_started else self._bridge.starts(now=now)
                self._has_started = True
                for message in greeting:
                    self._send(message, now)
            case Disconnected(_, reason):
                log.warning("not connected: home %s, %s", self.name, reason)

    def start(self) -> None:
        """Connect, if there is power."""
        if self._home.condition.has_power:
            self._radio.start()

    def says_goodbye(self, *, now: datetime) -> None:
        """Say that the bridge is going, as Zigbee2MQTT does."""
        if self._home.condition.has_power:
            self._send(OFFLINE, now)

    def stop(self) -> None:
        """Disconnect, and write down what was never answered."""
        self._radio.stop()
        for serial in self._on_their_way.values():
            self._diary.write_fate(serial, "unanswered", real_s=time.time())
        self._diary.close()

    @property
    def has_unanswered(self) -> bool:
        return bool(self._on_their_way) and self._radio.is_connected

    @property
    def has_started(self) -> bool:
        """Whether its Zigbee2MQTT has reached its broker, or cannot for want of power."""
        return self._has_started or not self._home.condition.has_power

    def state(self) -> dict[str, Any]:
        """Return how it goes, for those who ask."""
        condition = self._home.condition
        return {
            "connected": self._radio.is_connected,
            "serial": self._serial,
            "through": self._through.isoformat(),
            "whereabouts": condition.whereabouts.value,
            "ill": condition.is_ill,
            "door_stands_open": condition.door_stands_open,
            "heated": condition.unheated_since is None,
            "faded": sorted(condition.faded),
            "silent": sorted(condition.silent),
            "stuck": sorted(condition.stuck),
            "power": condition.has_power,
            "line": condition.has_line,
            "clock": condition.has_right_clock,
        }

    def _order_moment(self, now: datetime) -> datetime:
        """Return the order's moment, whole milliseconds, since that is what the diary keeps."""
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _leap(self, until: datetime) -> None:
        until = until.replace(microsecond=until.microsecond // 1000 * 1000)
        self._diary.write_leap(self._through, until)
        self._home = Home(self._address.spec, seed=self._seed, orders=self._orders, now=until)
        self._through = until

    def _send(self, message: Message, at: datetime) -> None:
        """Write first, then send: nothing is on the radio that is not in the diary."""
        self._serial = self._diary.write_message(message, now=at)
        # Zigbee2MQTT says nothing before it has said that it is there.
        message_id = self._radio.send(message) if self._has_started else None
        if message_id is None:
            self._diary.write_fate(self._serial, "lost", real_s=time.time())
        elif message.qos == 0:
            self._diary.write_fate(self._serial, "sent", real_s=time.time())
        else:
            self._on_their_way[message_id] = self._serial


class Living:
    """A whole street, until it is told to stop."""

    def __init__(
        self,
        addresses: Iterable[Address],
        *,
        seed: int,
        diaries: Path,
        clock: Clock,
        catch_up: timedelta,
        has_chance: bool,
    ) -> None:
        """Open every home's diary and go on from there; with `has_chance` things befall the homes by chance, too.

        Raises:
            OSError: a diary cannot be written.
            ValueError: a diary cannot be read.
        """
        self._clock = clock
        self._inbox: queue.SimpleQueue[Told | Asked | None] = queue.SimpleQueue()
        now = clock.now()
        self._homes = {
            address.spec.home: Lived(
                address,
                seed=seed,
                diary=Diary(diaries / f"{address.spec.home}.jsonl"),
                radio=Radio(address.spec.home, address.broker, self._inbox.put),
                catch_up=catch_up,
                has_chance=has_chance,
                now=now,
            )
            for address in addresses
        }

    def ask(self, asked: Asked) -> None:
        """Pass on what was asked; from any thread."""
        self._inbox.put(asked)

    def stop(self) -> None:
        """End `live` soon; from any thread, and from a signal's handler."""
        self._inbox.put(None)

    def connect(self) -> bool:
        """Connect every home and wait a little for it; return False if we were told to stop meanwhile."""
        for home in self._homes.values():
            home.start()
        deadline = time.monotonic() + _CONNECT_WITHIN_S
        while not all(home.has_started for home in self._homes.values()):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            if not self._attend(min(left_s, _LOOK_AGAIN_S)):
                return False
        return True

    def live(self) -> None:
        """Live until told to stop."""
        while True:
            now = self._clock.now()
            for home in self._homes.values():
                home.live_until(now)
            next_at = min(home.next_at(now) for home in self._homes.values())
            if not self._attend(min(self._clock.real_s_until(next_at), _LOOK_AGAIN_S)):
                return

    def farewell(self) -> None:
        """Say good-bye, wait a moment for the brokers' last answers, and close."""
        for home in self._homes.values():
            home.says_goodbye(now=self._clock.now())
        deadline = time.monotonic() + _FAREWELL_WITHIN_S
        while time.monotonic() < deadline and any(home.has_unanswered for home in self._homes.values()):
            self._attend(_LOOK_AGAIN_S / 4)
        for home in self._homes.values():
            home.stop()

    def state(self) -> dict[str, Any]:
        """Return how it goes in every home."""
        return {
            "now": self._clock.now().isoformat(),
            "homes": {name: home.state() for name, home in self._homes.items()},
        }

    def _attend(self, wait_s: float) -> bool:
        """Take in what has come, waiting for the first for at most `wait_s`; return False to stop."""
        try:
            came = self._inbox.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return True
        while True:
            match came:
                case None:
                    return False
                case Asked():
                    came.answer.set_result(self._answer(came))
                case _:
                    self._homes[came.home].is_told(came, now=self._clock.now())
            try:
                came = self._inbox.get_nowait()
            except queue.Empty:
                return True

    def _answer(self, asked: Asked) -> Answer:
        if asked.home is None:
            return 200, self.state()
        home = self._homes.get(asked.home)
        try:
            do = Do(asked.order)
        except ValueError:
            return 404, {"error": f"there is no order {asked.order!r}"}
        if home is None:
            return 404, {"error": f"there is no home {asked.home!r}"}
        try:
            return 200, home.obey(do, asked.sensor, now=self._clock.now())
        except NotNow as why:
            return 409, {"error": str(why)}
        except KeyError as why:
            return 404, {"error": f"no such sensor: {why}"}

"""What becomes of a silence of each kind, from the sensors on?  Homes that are lived, and a fault in each.

What Zigbee2MQTT would publish goes through the hub's own adapter, and what that makes of it into the real judging, at
the moments at which it would have been received; findings go into a real database and are told as they always are.
Left out is only what adds nothing here: sockets, the outbox, ingest's copying.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerts.judging.quiet import Quiet
from alerts.judging.watched import BROKER, US
from firmware_sim.bridge import Bridge
from firmware_sim.faults import Do, NotNow, Order
from firmware_sim.home import Home, HomeSpec
from firmware_sim.models import USUAL_MODEL, Kind
from firmware_sim.routines import anyone
from firmware_sim.sensors import Said, SensorSpec
from gateway import heartbeat
from gateway.adapters import zigbee2mqtt
from gateway.adapters.exposes import Setup
from gateway.reading import ALARMS
from ingest import entry

Conn = AsyncConnection[Any]

BEGINS: Final = datetime(2026, 1, 12, 4, tzinfo=UTC)
"""A Monday morning; nothing has happened in these homes before."""

FAULTS_FROM: Final = timedelta(hours=30)
"""Homes are known for a day and a morning before anything befalls them."""

LASTS: Final = timedelta(hours=72)

KNOWN_FOR: Final = timedelta(days=10)
MISSED_FOR: Final = timedelta(days=4)
"""What a sensor usually notices must be known first, and then missed: a home whose sensor sticks begins so much sooner
than all others, and is lived so much longer."""

# A broker misses a connection that ends without a word after one and a half times its keep-alive (MQTT 3.1.2.10).
_MISSED_AFTER: Final = timedelta(seconds=90)
_ON_ITS_WAY: Final = timedelta(seconds=1)
OURS_LASTS: Final = timedelta(hours=5)
_TRIES: Final = 40

_ROOMS: Final = ("kitchen", "hallway", "lounge", "bedroom", "bathroom")
KIT: Final = (
    *(SensorSpec(room, Kind.MOTION, room, USUAL_MODEL[Kind.MOTION]) for room in _ROOMS),
    *(
        SensorSpec(f"{door}-door", Kind.CONTACT, f"{door} door", USUAL_MODEL[Kind.CONTACT])
        for door in ("front", "back")
    ),
    SensorSpec("pendant", Kind.PENDANT, "", USUAL_MODEL[Kind.PENDANT]),
)
_SETUP: Final = Setup(pendants=frozenset({"pendant"}))


class Fault(enum.Enum):
    """What befalls a home."""

    NOTHING = "nothing"
    COLLAPSES = "the resident collapses"
    OUT = "the resident goes out and does not come back"
    SENSOR_DIES = "a sensor's battery dies"
    SENSOR_STICKS = "a sensor sticks: it checks in and notices nothing"
    HUB_DIES = "the box dies, or its power or line is cut"
    RADIO_DIES = "the box no longer hears its sensors"
    FALLS_UNSEEN = "the box dies, and then the resident collapses"
    AREA = "the power of a district is cut"
    NETWORK = "the network of homes all over the place is cut"
    BROKER = "our message service is away for five hours"
    US = "our own programs are away for five hours"
    PAUSED = "the resident is away, and has said so"


EXPECTED: Final[Mapping[Fault, Quiet | None]] = {
    Fault.NOTHING: None,
    Fault.COLLAPSES: Quiet.STILL,
    Fault.OUT: Quiet.OUT,
    Fault.SENSOR_DIES: Quiet.SENSOR,
    Fault.SENSOR_STICKS: Quiet.SENSOR,
    Fault.HUB_DIES: Quiet.HUB,
    Fault.RADIO_DIES: Quiet.HUB,
    Fault.FALLS_UNSEEN: Quiet.HUB,
    Fault.AREA: Quiet.AREA,
    Fault.NETWORK: Quiet.AREA,
    Fault.BROKER: Quiet.OURS,
    Fault.US: Quiet.OURS,
    Fault.PAUSED: Quiet.PAUSED,
}
"""What each must be sorted as."""

OURS: Final = {Fault.BROKER: BROKER, Fault.US: US}
_OF_PEOPLE: Final = {
    Fault.COLLAPSES: Do.COLLAPSE,
    Fault.OUT: Do.OUT,
    Fault.FALLS_UNSEEN: Do.COLLAPSE,
    Fault.PAUSED: Do.HOLIDAY,
}
_OF_SENSORS: Final = {Fault.SENSOR_DIES: Do.BATTERY_DIES, Fault.SENSOR_STICKS: Do.SENSOR_STICKS}
_BOX_IS_SILENT: Final = frozenset({Fault.HUB_DIES, Fault.FALLS_UNSEEN, Fault.AREA, Fault.NETWORK})
_AT_ONCE: Final = frozenset({Fault.AREA, Fault.NETWORK, *OURS})


@dataclass(frozen=True, slots=True)
class Case:
    """A home, and what befalls it when.

    Attributes:
        number: from 0 on.
        at: when it is to befall it; a person may do it some quarters of an hour later.
    """

    number: int
    fault: Fault
    at: datetime

    @property
    def home(self) -> str:
        return f"sim-{self.number:03d}"

    @property
    def hub(self) -> str:
        return f"hub-{self.home}"

    @property
    def begins(self) -> datetime:
        return BEGINS - (KNOWN_FOR if self.fault is Fault.SENSOR_STICKS else timedelta(0))

    @property
    def ends(self) -> datetime:
        return BEGINS + LASTS + (MISSED_FOR if self.fault is Fault.SENSOR_STICKS else timedelta(0))

    @property
    def address(self) -> str:
        """Its street, in a district of its own but where a whole district is cut."""
        # Letters alone after the area, so that two homes never share a district by chance.
        district = "LS6" if self.fault is Fault.AREA else f"{_AREAS[self.number // 90]}{self.number % 90 + 10}"
        return f"{self.number} Mill Lane, {district} 3QA"

    @property
    def network(self) -> str | None:
        return "mobile-a" if self.fault is Fault.NETWORK else None


_AREAS: Final = ("AB", "BA", "CA", "DA", "EH", "FK", "GL", "HA")


def cases(each: Mapping[Fault, int]) -> list[Case]:
    """Return so many homes of each kind; what befalls many does so in the same minute."""
    found: list[Case] = []
    for fault, count in each.items():
        for place in range(count):
            # From ten in the morning on, over six hours.
            later = timedelta(hours=2) if fault in _AT_ONCE else timedelta(minutes=360 * place / max(count, 1))
            # We are away from all homes at the same moment.
            apart = timedelta(0) if fault in OURS else timedelta(seconds=place)
            found.append(Case(len(found), fault, BEGINS + FAULTS_FROM + later + apart))
    return found


# -- what a home's hub sends


Timed = tuple[datetime, entry.Entry]


def lived(case: Case, *, seed: int) -> tuple[list[Timed], datetime]:
    """Return what the platform receives of a home, in order, and when its fault truly began."""
    said, at = _said(case, seed=seed)
    at = case.at if case.fault in _BOX_IS_SILENT else at
    received = [(_received_at(case, moment), one) for moment, one in said]
    received += _heartbeats(case)
    if case.fault in _BOX_IS_SILENT:
        received = [(moment, one) for moment, one in received if moment < at]
        received.append((at + _MISSED_AFTER, entry.Linked(case.home, case.hub, up=False)))
    if case.fault is Fault.RADIO_DIES:
        received = [(moment, one) for moment, one in received if moment < at or isinstance(one, entry.Heard)]
    return sorted(received, key=lambda timed: timed[0]), at


def _received_at(case: Case, observed_at: datetime) -> datetime:
    """Return when what was observed then reaches us: after our own absence all at once."""
    back = case.at + OURS_LASTS
    if case.fault in OURS and case.at <= observed_at + _ON_ITS_WAY < back:
        return back + timedelta(seconds=20)
    return observed_at + _ON_ITS_WAY


def _heartbeats(case: Case) -> Iterator[Timed]:
    at = case.begins + timedelta(seconds=1 + 7 * case.number % 59)
    back = case.at + OURS_LASTS
    while at < case.ends:
        is_deaf = case.fault in OURS and case.at <= at < back
        if not is_deaf:
            is_back = case.fault in OURS and back <= at < back + timedelta(minutes=1)
            radio_up = not (case.fault is Fault.RADIO_DIES and at >= case.at)
            yield at, entry.Heard(case.home, case.hub, 20 if is_back else 0, 0, radio_up)
        at += heartbeat.EVERY


def _said(case: Case, *, seed: int) -> tuple[list[Timed], datetime]:
    """Live the home, and return what its hub makes of what its sensors say, and when the order was obeyed."""
    alone = replace(anyone(seed=seed, home=case.home), partner=None, visits=(), cats=0)
    home = Home(HomeSpec(case.home, alone, KIT), seed=seed, now=case.begins)
    hub = _Hub(case, Bridge(case.home, KIT, qos=1, cached=home.known, heard_at={}, now=case.begins))
    fell_at = case.at
    order = _order(case)
    for _ in range(_TRIES if order is not None else 0):
        assert order is not None
        hub.hears(home.said_until(order.at))
        try:
            home.obey(order)
        except NotNow:
            order = replace(order, at=order.at + timedelta(minutes=15))
            continue
        fell_at = order.at
        break
    hub.hears(home.said_until(case.ends))
    return hub.observed, fell_at


def _order(case: Case) -> Order | None:
    later = timedelta(minutes=20) if case.fault is Fault.FALLS_UNSEEN else timedelta(0)
    if case.fault in _OF_PEOPLE:
        return Order(case.at + later, _OF_PEOPLE[case.fault])
    if case.fault in _OF_SENSORS:
        return Order(case.at, _OF_SENSORS[case.fault], _ROOMS[case.number % len(_ROOMS)])
    return None


class _Hub:
    """A home's Zigbee2MQTT and its gateway's adapter."""

    def __init__(self, case: Case, bridge: Bridge) -> None:
        self.observed: list[Timed] = []
        self._case, self._bridge, self._state, self._number = case, bridge, zigbee2mqtt.State(), 0
        for message in bridge.starts(now=case.begins):
            self._hear(message.topic, message.payload, case.begins)

    def hears(self, said: Iterable[Said]) -> None:
        for one in said:
            for message in self._bridge.hears(one):
                self._hear(message.topic, message.payload, one.at)

    def _hear(self, topic: str, payload: str, at: datetime) -> None:
        uptime_ms = (at - self._case.begins) // timedelta(milliseconds=1)
        message = zigbee2mqtt.Message(topic, payload.encode(), is_retained=False, wall_at=at, uptime_ms=uptime_ms)
        heard = zigbee2mqtt.hear(self._state, message, _SETUP)
        self._state = heard.state
        for seen in heard.observations:
            self._number += 1
            home, hub = self._case.home, self._case.hub
            if seen.quantity in ALARMS:
                identity = f"{hub}/sim/{self._number}"
                one: entry.Entry = entry.Alarm(home, hub, identity, seen.sensor, None, seen.quantity, seen.value, at)
            else:
                one = entry.Reading(home, hub, seen.sensor, None, seen.quantity, seen.value, at)
            self.observed.append((at, one))

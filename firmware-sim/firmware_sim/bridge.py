"""What does Zigbee2MQTT make of what the sensors say?

Topics, payloads, QoS and retain as Zigbee2MQTT 2.14.1 has them with its defaults, availability switched on,
`device_options.qos` as the street file says (its own default is 0), and `advanced.last_seen` at `ISO_8601`.  Keys
are sorted and without spaces, every message repeats the cached state of its sensor, and `action` is never cached.
`models.json` holds what it publishes of each product: the output of zigbee-herdsman-converters 26.112.0 (MIT,
(c) Koen Kanters).  The bytes are compared with tests/contract/zigbee2mqtt.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from firmware_sim.models import Kind, News, Value
from firmware_sim.sensors import Said, SensorSpec

BASE: Final = "zigbee2mqtt"
# `availability.passive.timeout`, 1500 minutes, and the second that its timer adds.
OFFLINE_AFTER: Final = timedelta(minutes=1500, seconds=1)
# `health.interval`, 10 minutes.
_HEALTH_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Message:
    """One publication, and what the diary needs to know of it.

    `sensor` is None for the bridge's own.  `why` is the sensor's reason, or one of the bridge's: `cached`,
    `availability`, `bridge`.  `who` caused it, where somebody did.  `is_alarm`: a resident pressed something, or a
    life-safety device warns.
    """

    topic: str
    payload: str
    qos: int
    retain: bool
    why: str
    sensor: str | None = None
    news: News | None = None
    is_alarm: bool = False
    who: str | None = None


STATE_TOPIC: Final = f"{BASE}/bridge/state"
ONLINE: Final = Message(STATE_TOPIC, '{"state":"online"}', qos=1, retain=True, why="bridge")
# Zigbee2MQTT says good-bye with QoS 0; only its last will has QoS 1.
OFFLINE: Final = Message(STATE_TOPIC, '{"state":"offline"}', qos=0, retain=True, why="bridge")


class Bridge:
    """One home's Zigbee2MQTT: its cache of states, and which sensors it believes to be there."""

    def __init__(
        self,
        home: str,
        sensors: Iterable[SensorSpec],
        *,
        qos: int,
        cached: Mapping[str, Mapping[str, Value]],
        heard_at: Mapping[str, datetime],
        now: datetime,
    ) -> None:
        """Start as Zigbee2MQTT starts: with the states and last-seen times that it saved.

        A sensor that was never heard has just joined, which counts as hearing it.
        """
        self._home = home
        self._sensors = {spec.name: spec for spec in sensors}
        self._qos = qos
        self._cached = {name: _cacheable(cached.get(name, {})) for name in self._sensors}
        self.heard_at = {name: heard_at.get(name, now) for name in self._sensors}
        self._started_at = now
        self._health_at = now + _HEALTH_EVERY
        self._messages = dict.fromkeys(self._sensors, 0)
        self._addresses = {
            device["friendly_name"]: device["ieee_address"]
            for device in devices_payload(home, self._sensors.values())[1:]
        }
        self._online = {name for name, at in self.heard_at.items() if now - at < OFFLINE_AFTER}

    def starts(self, *, now: datetime) -> list[Message]:
        """Return what is published once after a start: who is here, who answers, and all cached states again."""
        devices = stable_json(devices_payload(self._home, self._sensors.values()))
        said = [ONLINE, Message(f"{BASE}/bridge/devices", devices, qos=0, retain=True, why="bridge")]
        said += [self._availability(name) for name in self._sensors]
        said += [self._state(name, why="cached", news={}, now=now) for name in self._sensors if self._cached[name]]
        return said

    def hears(self, said: Said) -> list[Message]:
        """Return what is published when a sensor speaks."""
        self.heard_at[said.sensor] = said.at
        self._messages[said.sensor] += 1
        messages = []
        if said.sensor not in self._online:
            self._online.add(said.sensor)
            messages.append(self._availability(said.sensor))
        who = None if said.who is None else said.who.value
        messages.append(self._state(said.sensor, why=said.why.value, news=said.news, now=said.at, who=who))
        return messages

    def looks_after_itself(self, *, now: datetime) -> list[Message]:
        """Return what is published without a sensor: its health, and who has been silent for too long by now."""
        said = self._gives_up(now)
        if now >= self._health_at:
            self._health_at = now + _HEALTH_EVERY
            said.append(self._health(now))
        return said

    def _gives_up(self, now: datetime) -> list[Message]:
        lost = [name for name in self._online if now - self.heard_at[name] >= OFFLINE_AFTER]
        self._online.difference_update(lost)
        return [self._availability(name) for name in lost]

    def _health(self, now: datetime) -> Message:
        """Return its health check, of which the counts are the bridge's own and the rest a small computer at rest."""
        up_s = (now - self._started_at).total_seconds()
        payload = {
            "response_time": round(now.timestamp() * 1000),
            "os": {"load_average": [0.1, 0.1, 0.05], "memory_used_mb": 412.5, "memory_percent": 21.4},
            "process": {"uptime_sec": int(up_s), "memory_used_mb": 138.2, "memory_percent": 7.2},
            "mqtt": {"connected": True, "queued": 0, "published": sum(self._messages.values()), "received": 0},
            "devices": {
                address: {
                    "messages": self._messages[name],
                    "messages_per_sec": round(self._messages[name] / up_s, 4),
                    "leave_count": 0,
                    "network_address_changes": 0,
                }
                for name, address in self._addresses.items()
            },
        }
        # The one message that it does not sort.
        text = json.dumps(_whole(payload), separators=(",", ":"))
        return Message(f"{BASE}/bridge/health", text, qos=1, retain=True, why="bridge")

    def _availability(self, name: str) -> Message:
        state = "online" if name in self._online else "offline"
        return Message(
            f"{BASE}/{name}/availability",
            stable_json({"state": state}),
            qos=1,
            retain=True,
            why="availability",
            sensor=name,
        )

    def _state(self, name: str, *, why: str, news: News, now: datetime, who: str | None = None) -> Message:
        state = self._cached[name] | dict(news)
        self._cached[name] = _cacheable(state)
        state["linkquality"] = 45 + zlib.crc32(f"{self._home}/{name}/{now.isoformat()}".encode()) % 121
        state["last_seen"] = self.heard_at[name].isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Message(
            f"{BASE}/{name}",
            stable_json(state),
            qos=self._qos,
            retain=False,
            why=why,
            sensor=name,
            news=news,
            is_alarm=_is_alarm(self._sensors[name].kind, news),
            who=who,
        )


def _is_alarm(kind: Kind, news: News) -> bool:
    return (kind is Kind.PENDANT and "action" in news) or news.get("smoke") is True or news.get("water_leak") is True


def devices_payload(home: str, sensors: Iterable[SensorSpec]) -> list[dict[str, Any]]:
    """Return what `bridge/devices` holds: the coordinator, then each sensor with its model's `definition`."""
    known = _models()
    devices: list[dict[str, Any]] = [known["coordinator"]["device"]]
    for spec in sensors:
        model = known[spec.model]
        address = hashlib.sha256(f"{home}/{spec.name}".encode()).hexdigest()
        devices.append(
            {
                **model["device"],
                "ieee_address": model["ieee_prefix"] + address[:8],
                "network_address": int(address[8:12], 16) % 0xFFF7 + 1,
                "friendly_name": spec.name,
            }
        )
    return devices


def stable_json(value: object) -> str:
    """Return JSON as Zigbee2MQTT writes it: keys sorted, no spaces, whole numbers without a point."""
    return _STABLE.encode(_whole(value))


_STABLE: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _whole(value: object) -> object:
    match value:
        case dict():
            return {key: _whole(inner) for key, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _cacheable(state: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in state.items() if not name.startswith("action") and name != "linkquality"}


@cache
def _models() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.files("firmware_sim").joinpath("models.json").read_bytes())
    return found

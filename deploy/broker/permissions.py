"""Who may say what on the platform's broker, as NATS and as Mosquitto want to read it?

Pure, but for the salts.  Both brokers are told the same thing: a hub writes its own five topics and reads
its own answers, ingest does the reverse for all hubs, and nothing else is allowed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.hub_secret import hash_mosquitto, hash_nats

LANES: Final = 64

# What a hub says, and what it is told: the last part of `telecare/v1/{lane}/{hub}/...`.
SAID_BY_HUB: Final = ("readings", "alarms", "heartbeat", "link", "ask")
TOLD_TO_HUB: Final = ("stored",)

_ROOT: Final = ("telecare", "v1")
_HUB: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NATS_HASH: Final = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_MOSQUITTO_HASH: Final = re.compile(r"\$7\$\d+\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*")


@dataclass(frozen=True, slots=True)
class Login:
    """A name on the broker with what each broker keeps of its secret."""

    user: str
    nats_hash: str
    mosquitto_hash: str

    def __post_init__(self) -> None:
        """Refuse what could not be written into a broker's file without changing its meaning.

        Raises:
            ValueError: the name is not a hub's kind of name, or a hash is not one of ours.
        """
        if not _HUB.fullmatch(self.user):
            raise ValueError(f"a broker's user must match {_HUB.pattern}: {self.user!r}")
        if not _NATS_HASH.fullmatch(self.nats_hash):
            raise ValueError(f"not a bcrypt hash for {self.user}")
        if not _MOSQUITTO_HASH.fullmatch(self.mosquitto_hash):
            raise ValueError(f"not a Mosquitto hash for {self.user}")


@dataclass(frozen=True, slots=True)
class HubAccess:
    """A hub that may connect, and the lane of its home (0 to 63)."""

    hub: str
    lane: int
    nats_hash: str
    mosquitto_hash: str

    def __post_init__(self) -> None:
        """Refuse a lane that does not exist, and whatever `Login` refuses.

        Raises:
            ValueError: see the message.
        """
        if not 0 <= self.lane < LANES:
            raise ValueError(f"a lane is from 0 to {LANES - 1}: {self.lane}")
        self.login()

    def login(self) -> Login:
        return Login(self.hub, self.nats_hash, self.mosquitto_hash)


def login(user: str, secret: str) -> Login:
    """Return a user with its secret hashed for both brokers."""
    return Login(user, hash_nats(secret), hash_mosquitto(secret))


def hub_access(hub: str, lane: int, secret: str) -> HubAccess:
    """Return a hub's access with its secret hashed for both brokers."""
    return HubAccess(hub, lane, hash_nats(secret), hash_mosquitto(secret))


def nats_platform(hubs: Sequence[HubAccess], ingest: Login) -> str:
    """Return the `authorization` block of the platform's NATS.

    Nothing of `$MQTT.>` is granted, though it is often advised: nats-server 2.15 asks it of nobody but a
    client that names it, and a hub that may publish there can put words into another hub's mouth
    (`$MQTT/msgs/telecare/v1/07/hub-b/readings` reached ingest, 2026-11; a test keeps it shut).
    """
    users = [
        _nats_user(
            hub.login(),
            publish=[_nats_subject(f"{hub.lane:02d}", hub.hub, word) for word in SAID_BY_HUB],
            subscribe=[_nats_subject(f"{hub.lane:02d}", hub.hub, word) for word in TOLD_TO_HUB],
        )
        for hub in hubs
    ]
    users.append(
        _nats_user(
            ingest,
            publish=[_nats_subject("*", "*", word) for word in TOLD_TO_HUB],
            subscribe=[_nats_subject("*", "*", word) for word in SAID_BY_HUB],
        )
    )
    _refuse_twins(hubs, ingest)
    return _nats_block(users)


def nats_home(equipment: Login) -> str:
    """Return the `authorization` block of a home's own broker: one user, which may say and hear everything."""
    return _nats_block([_nats_user(equipment, publish=[">"], subscribe=[">"])])


def mosquitto_passwords(hubs: Sequence[HubAccess], ingest: Login) -> str:
    """Return Mosquitto's `password_file`."""
    _refuse_twins(hubs, ingest)
    logins = [*(hub.login() for hub in hubs), ingest]
    return "".join(f"{one.user}:{one.mosquitto_hash}\n" for one in logins)


def mosquitto_acl(hubs: Sequence[HubAccess], ingest: Login) -> str:
    """Return Mosquitto's `acl_file`, with the meaning that `nats_platform` has for NATS."""
    _refuse_twins(hubs, ingest)
    blocks = [
        _mosquitto_user(
            hub.hub,
            write=[_topic(f"{hub.lane:02d}", hub.hub, word) for word in SAID_BY_HUB],
            read=[_topic(f"{hub.lane:02d}", hub.hub, word) for word in TOLD_TO_HUB],
        )
        for hub in hubs
    ]
    blocks.append(
        _mosquitto_user(
            ingest.user,
            write=[_topic("+", "+", word) for word in TOLD_TO_HUB],
            read=[_topic("+", "+", word) for word in SAID_BY_HUB],
        )
    )
    return "\n".join(blocks)


def _nats_subject(lane: str, hub: str, word: str) -> str:
    return ".".join((*_ROOT, lane, hub, word))


def _topic(lane: str, hub: str, word: str) -> str:
    return "/".join((*_ROOT, lane, hub, word))


def _nats_block(users: Iterable[str]) -> str:
    return "authorization {\n  users: [\n" + "".join(f"    {user}\n" for user in users) + "  ]\n}\n"


def _nats_user(who: Login, *, publish: Sequence[str], subscribe: Sequence[str]) -> str:
    # NATS reads JSON.  Only MQTT: the NATS protocol on the other port knows subjects that MQTT cannot name.
    return json.dumps(
        {
            "user": who.user,
            "password": who.nats_hash,
            "allowed_connection_types": ["MQTT"],
            "permissions": {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}},
        }
    )


def _mosquitto_user(user: str, *, write: Sequence[str], read: Sequence[str]) -> str:
    lines = [f"user {user}", *(f"topic write {topic}" for topic in write)]
    return "\n".join([*lines, *(f"topic read {topic}" for topic in read), ""])


def _refuse_twins(hubs: Sequence[HubAccess], ingest: Login) -> None:
    # Both brokers would take the last of two users with one name, and so give one hub the other's topics.
    names = [ingest.user, *(hub.hub for hub in hubs)]
    if len(set(names)) != len(names):
        raise ValueError("two users of the broker have the same name")

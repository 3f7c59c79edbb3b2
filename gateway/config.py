"""How is this hub set up?  One TOML file, which `telecare hub add` writes, and the environment over it.

The file is named by TELECARE_GATEWAY_CONFIG.  A key of a table is overridden by `TELECARE_{TABLE}_{KEY}`
(TELECARE_PLATFORM_HOST), the health address by TELECARE_GATEWAY_HEALTH.  Without a file the environment
alone will do.  Nothing is read at import, and nothing is opened here but that file and the secret's.

An outbox that the file names without its folder lies beside the file, wherever the gateway is started from: another
folder's would be another outbox.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from gateway.adapters.exposes import Setup
from gateway.health import Address
from gateway.reading import HubId
from gateway.wire import LANES, PACK_RECORDS_MAX, is_hub_id

FILE_VARIABLE: Final = "TELECARE_GATEWAY_CONFIG"
HEALTH_VARIABLE: Final = "TELECARE_GATEWAY_HEALTH"
OUTBOX_VARIABLE: Final = "TELECARE_OUTBOX_PATH"

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Some = Annotated[int, msgspec.Meta(ge=1)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class BadConfig(Exception):
    """The hub is set up wrongly; whoever wrote its file must mend it.  One sentence that names the key."""


class Platform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's broker.

    Attributes:
        host: of the broker; of a cluster, those of its nodes with commas between them, on one port.
        port: likewise.
        tls: whether its certificate is asked for.
        ca_file: who must have signed it; empty: whom the system trusts.
    """

    host: _Text
    port: _Port = 8883
    tls: bool = True
    ca_file: str = ""


class Radio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The home's own broker, where the equipment speaks.

    Attributes:
        host: where it listens.
        port: likewise.
        user: empty where it asks for none.
        password: likewise.
        base_topic: Zigbee2MQTT's `mqtt.base_topic`.
        pendants: friendly names of devices whose every action is a call for help, whatever they look like.
        pull_cords: likewise, and they are pull cords.
        switches: friendly names of devices whose actions are none, whatever they are called; a word that calls for
            help (`emergency`, `sos`, `panic`, `help`) is one even from them.
        seats: friendly names of sensors that lie in or under a bed or a chair: what they sense is somebody there.
        appliances: friendly names of plugs of what somebody switches on by hand, a kettle or a television: that they
            draw power is then a sign of life.  Never a fridge.
        retriggers: friendly names of motion sensors that say `occupancy: true` only when they see someone and
            never `false`, so that each is a new movement.
    """

    host: _Text
    port: _Port = 1883
    user: str = ""
    password: str = ""
    base_topic: _Text = "zigbee2mqtt"
    pendants: tuple[_Name, ...] = ()
    pull_cords: tuple[_Name, ...] = ()
    switches: tuple[_Name, ...] = ()
    seats: tuple[_Name, ...] = ()
    appliances: tuple[_Name, ...] = ()
    retriggers: tuple[_Name, ...] = ()

    def setup(self) -> Setup:
        """Return what the installer said of the home's devices."""
        return Setup(
            base_topic=self.base_topic,
            pendants=frozenset(self.pendants),
            pull_cords=frozenset(self.pull_cords),
            switches=frozenset(self.switches),
            seats=frozenset(self.seats),
            appliances=frozenset(self.appliances),
            retriggers=frozenset(self.retriggers),
        )

    def __repr__(self) -> str:
        return f"Radio(host={self.host!r}, port={self.port})"  # Never the password.


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded home that is played instead of a radio.

    Attributes:
        file: the recording.
        home: which of its homes.
        eager: whether a moved clock shall be lived as fast as it can be.
        shift_days: by how many days it is moved; None moves it so that it covers today and tomorrow.
    """

    file: _Text
    home: _Text
    eager: bool = False
    shift_days: Annotated[int, msgspec.Meta(ge=-40_000, le=40_000)] | None = None


class OutboxFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the hub keeps what it took in, and how much of it.

    Attributes:
        path: the sqlite file; its folder must exist.  In the file a relative one is beside the file.
        stored_days: how long a record is kept after it was stored, because a restored server may ask again.
        stored_bytes_max: what may be filled with stored records.  TIHM's rate needs 2 MB in 30 days, CASAS's 21.
        bytes_max: of the whole file; beyond it the hub behaves as on a full disk.
        reserve_bytes: put aside for deleting, because sqlite needs room even for that, and as much again for alarms.
    """

    path: _Text
    stored_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    stored_bytes_max: _Some = 200_000_000
    bytes_max: _Some = 1_000_000_000
    reserve_bytes: _Some = 1_000_000


class Sending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How readings are packed and how many may be on their way.

    Attributes:
        pack_records: at most in one pack; 20 fill an MQTT packet of about 1.5 kB.
        linger_ms: how long a reading may wait for others to share its pack.
        window_packs: packs sent beyond what is stored.  32 of 20 at an answer every 2 s are 320 readings a
            second: a day without a line (CASAS's rate, 2,000) is caught up in seconds.
    """

    pack_records: Annotated[int, msgspec.Meta(ge=1, le=PACK_RECORDS_MAX)] = 20
    linger_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 1000
    window_packs: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 32


class _Hub(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Text
    lane: Annotated[int, msgspec.Meta(ge=0, lt=LANES)]
    secret: str = ""
    secret_file: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of the file."""

    hub: _Hub
    platform: Platform
    outbox: OutboxFile
    radio: Radio | None = None
    recording: Recording | None = None
    sending: Sending = Sending()
    health: str = "127.0.0.1:0"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a gateway must be told.  Exactly one of `radio` and `recording` is there."""

    hub: HubId
    lane: int
    secret: str
    platform: Platform
    outbox: OutboxFile
    radio: Radio | None
    recording: Recording | None
    sending: Sending
    health: Address

    def __repr__(self) -> str:
        return f"Config(hub={self.hub!r}, lane={self.lane})"  # Never the secrets.

    @property
    def is_eager(self) -> bool:
        """Return whether a moved clock shall be lived as fast as it can be."""
        return self.recording is not None and self.recording.eager

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Return the set-up that the environment, and the file it names, describe.

        Raises:
            BadConfig: it cannot be read, something is missing, unknown or out of range.
        """
        named = env.get(FILE_VARIABLE, "")
        tables = _read_file(named)
        _place_outbox(tables, env, Path(named))
        _override(tables, env)
        if not tables:
            raise BadConfig(
                f"nothing says which hub this is; {FILE_VARIABLE} names the file that `telecare hub add` wrote"
            )
        try:
            said = msgspec.convert(tables, type=_File, strict=False)
        except msgspec.ValidationError as why:
            raise BadConfig(f"the gateway's configuration is wrong: {_plainly(why)}") from None
        return _checked(said)


def _checked(said: _File) -> Config:
    if not is_hub_id(said.hub.id):
        raise BadConfig(f"hub.id {said.hub.id!r} is not lower case letters, digits and hyphens, at most 32")
    if (said.radio is None) == (said.recording is None):
        raise BadConfig("exactly one of the tables radio and recording must be there")
    try:
        health = Address.parse(said.health)
    except ValueError as why:
        raise BadConfig(f"health is wrong: {why}") from None
    return Config(
        hub=HubId(said.hub.id),
        lane=said.hub.lane,
        secret=_secret(said.hub),
        platform=said.platform,
        outbox=said.outbox,
        radio=said.radio,
        recording=said.recording,
        # A moved clock is lived as fast as it can be: nothing waits for company, and more is on its way.
        sending=Sending(pack_records=200, linger_ms=0, window_packs=64)
        if said.recording is not None and said.recording.eager
        else said.sending,
        health=health,
    )


def _secret(hub: _Hub) -> str:
    if bool(hub.secret) == bool(hub.secret_file):
        raise BadConfig("exactly one of hub.secret and hub.secret_file must be there")
    if hub.secret:
        return hub.secret
    try:
        secret = Path(hub.secret_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as why:
        raise BadConfig(f"hub.secret_file {hub.secret_file} cannot be read: {why}") from None
    if not secret:
        raise BadConfig(f"hub.secret_file {hub.secret_file} is empty")
    return secret


def _read_file(named: str) -> dict[str, Any]:
    if not named:
        return {}
    try:
        return tomllib.loads(Path(named).read_text())
    except (OSError, UnicodeDecodeError) as why:
        raise BadConfig(f"{FILE_VARIABLE} names {named}, which cannot be read: {why}") from None
    except tomllib.TOMLDecodeError as why:
        raise BadConfig(f"{named} is not TOML: {why}") from None


def _place_outbox(tables: dict[str, Any], env: Mapping[str, str], file: Path) -> None:
    outbox = tables.get("outbox")
    if not (isinstance(outbox, dict) and isinstance(outbox.get("path"), str) and outbox["path"]):
        return
    named = Path(outbox["path"])
    placed = file.absolute().parent / named
    # Releases before this one looked for it where the gateway was started: what it holds unsent must not stay there.
    if OUTBOX_VARIABLE not in env and _is_there(named) and not _is_there(placed):
        raise BadConfig(
            f"the outbox lies beside the configuration file now: move {named.absolute()} and whatever begins with its "
            f"name to {placed.parent}, then start again"
        )
    outbox["path"] = str(placed)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # Started in a folder that we may not look into, as by `sudo -u`.
        return False


_TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "hub": _Hub,
    "platform": Platform,
    "radio": Radio,
    "recording": Recording,
    "outbox": OutboxFile,
    "sending": Sending,
}


def _override(tables: dict[str, Any], env: Mapping[str, str]) -> None:
    """Lay the environment over the file's tables; lists are separated by commas."""
    for table, kind in _TABLES.items():
        for field in msgspec.structs.fields(kind):
            said = env.get(f"TELECARE_{table}_{field.name}".upper())
            if said is None:
                continue
            inside = tables.setdefault(table, {})
            if not isinstance(inside, dict):
                raise BadConfig(f"{table} is not a table")
            is_list = field.type == tuple[_Name, ...]
            inside[field.name] = [name for name in said.split(",") if name] if is_list else said
    if HEALTH_VARIABLE in env:
        tables["health"] = env[HEALTH_VARIABLE]


def _plainly(why: msgspec.ValidationError) -> str:
    """Return msgspec's sentence with the key named as in the file.

    `Expected int, got str - at $.platform.port` becomes `expected int, got str, at platform.port`.
    """
    sentence, _, place = str(why).replace("`", "").partition(" - at ")
    sentence = (sentence[:1].lower() + sentence[1:]).replace("object", "table")
    return f"{sentence}, at {place.removeprefix('$.')}" if place else sentence

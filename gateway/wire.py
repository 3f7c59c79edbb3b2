"""What travels between a hub and the platform, byte for byte?

Topics are `telecare/v1/{lane}/{hub}/{leaf}`.  `readings` and `alarms` carry a *pack*: one header line of JSON,
a line feed, and a SenML pack (RFC 8428, JSON).  `ask`, `stored`, `heartbeat` and `link` carry one JSON object.

The numbers of a pack are consecutive: record i has number `first` + i.  A body that cannot be read refuses
exactly the numbers of its header, so `Malformed` carries the header where that could be read.
"""

import enum
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import msgspec

from gateway.reading import HubId, Quantity, SensorId

ROOT: Final = "telecare/v1"

LANES: Final = 64
"""How many fixed partitions there are.  It is part of every topic, so it cannot change."""

PACK_RECORDS_MAX: Final = 500
"""Records in one pack.  20 fill an MQTT packet of about 1.5 kB; 500 stay under the payload's bound."""

PAYLOAD_BYTES_MAX: Final = 256 * 1024
"""The body of a payload above this is refused unread: 500 records of 200 bytes, doubled, and room to spare."""

_HEADER_BYTES_MAX = 4096  # Ours take 200 bytes; newer hubs may say more in them.

RELATIVE_BELOW: Final = 2**28
"""RFC 8428 section 4.5.3: a time below 2**28 is relative to now.  Ours are absolute, so it is a wrong clock."""

_HUB = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_TOPIC = re.compile(rf"{ROOT}/([0-9]{{2}})/({_HUB.pattern})/(readings|alarms|heartbeat|link|ask|stored)")
# RFC 8428 section 4.5.1: names are of these characters and begin with a letter or digit.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]{0,127}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")

_UNIT: Final = {
    # RFC 8428 section 12.1, the registry of SenML units, where it has one that fits.
    Quantity.TEMPERATURE_C: "Cel",
    Quantity.HUMIDITY_PCT: "%RH",
    Quantity.ILLUMINANCE_LUX: "lx",
    Quantity.POWER_W: "W",
    Quantity.ENERGY_KWH: "kWh",  # RFC 8798 section 3, a secondary unit
    Quantity.BATTERY_PCT: "%EL",
    Quantity.BATTERY_MV: "mV",  # RFC 8798 section 3, a secondary unit
}


_QUANTITIES: Final = frozenset(quantity.value for quantity in Quantity)


class Stream(enum.StrEnum):
    """The two books of an outbox, each with numbers of its own, so that an alarm never waits for readings."""

    READINGS = "readings"
    ALARMS = "alarms"


class Leaf(enum.StrEnum):
    """The last word of a topic."""

    READINGS = "readings"
    ALARMS = "alarms"
    HEARTBEAT = "heartbeat"
    LINK = "link"
    ASK = "ask"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a message travels."""

    lane: int
    hub: HubId
    leaf: Leaf

    def __str__(self) -> str:
        return f"{ROOT}/{self.lane:02d}/{self.hub}/{self.leaf}"


class Malformed(Exception):
    """The bytes cannot be read; the platform keeps them as refused, an operator sees why.

    Attributes:
        header: the pack's header where that much could be read, so that its numbers are refused.
    """

    def __init__(self, reason: str, header: "Header | None" = None) -> None:
        super().__init__(reason)
        self.header = header


_Number = Annotated[int, msgspec.Meta(ge=1, le=2**62)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """The first line of a pack.

    Attributes:
        outbox: the random id of the hub's book.
        stream: which of its two.
        first: number of the pack's first record.
        last: number of its last.
        oldest: the lowest number that the hub still holds in this stream, stored or not.
        sent_at: by the hub's wall clock, seconds since 1970, when this very message was sent.
        boot: the boot of the hub that sends.
        uptime_ms: by the hub's uptime, at the same moment as `sent_at`.
    """

    outbox: _Text
    stream: Stream
    first: _Number
    last: _Number
    oldest: _Number
    sent_at: float
    boot: _Text
    uptime_ms: _Count


@dataclass(frozen=True, slots=True)
class Record:
    """One reading or alarm of a pack, as the hub wrote it down.

    Attributes:
        number: in its outbox's stream, never used twice.
        sensor: the sensor within its home.
        quantity: a `Quantity`'s value, or a word that this release does not know.
        value: finite.
        wall_s: by the hub's wall clock then, seconds since 1970; may be wrong.
        boot: the boot in which it was observed.
        uptime_ms: the hub's uptime when it was observed.
        may_repeat: it may be stored under an earlier outbox already (after an old card was put back).
        is_wall_unset: nothing had set the wall clock of its boot, so `wall_s` means nothing; a hub of an earlier
            release does not say.
    """

    number: int
    sensor: SensorId
    quantity: str
    value: float
    wall_s: float
    boot: str
    uptime_ms: int
    may_repeat: bool = False
    is_wall_unset: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """A header and its records, in the order of their numbers."""

    header: Header
    records: tuple[Record, ...]


class Ask(msgspec.Struct, frozen=True):
    """A hub asks what is stored, before it sends and whenever it is in doubt.

    `readings` and `alarms` are the highest numbers that it ever sent of each stream (0: none).
    """

    outbox: _Text
    readings: _Count
    alarms: _Count
    sent_at: float
    boot: _Text
    uptime_ms: _Count


class Stored(msgspec.Struct, frozen=True):
    """The platform's answer: everything up to `through` is on the database's disk, refused or lost.

    `answers_ask` tells the answer to an `Ask` (which may be below what was said before: a restored database)
    from one after a commit.
    """

    outbox: _Text
    stream: Stream
    through: _Count
    answers_ask: bool = False


class Link(msgspec.Struct, frozen=True):
    """Whether the readings' connection is up: retained, and its last will.  Only ever a hint."""

    up: bool


class _SenMLRecord(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One record as in RFC 8428 section 4, with our fields; those ending in `_` must be understood."""

    n: str = ""
    u: str = ""
    v: float | None = None
    vb: bool | None = None
    t: float = 0.0
    up_: int | None = None
    boot_: str | None = None
    again_: bool = False
    unset_: bool = False
    bn: str = ""
    bt: float = 0.0
    bu: str = ""
    bver: int = 10


class _LenientRecord(_SenMLRecord, forbid_unknown_fields=False):
    """The same for a pack with fields that we do not know and need not."""


_decode_header = msgspec.json.Decoder(Header).decode
_decode_strictly = msgspec.json.Decoder(list[_SenMLRecord]).decode
_decode_leniently = msgspec.json.Decoder(list[_LenientRecord]).decode
_decode_names = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_encoder = msgspec.json.Encoder()


def topic(lane: int, hub: HubId, leaf: Leaf) -> str:
    """Return the topic of a hub's messages of one kind."""
    return str(Topic(lane, hub, leaf))


def topic_of_all(leaf: Leaf) -> str:
    """Return the filter under which the platform hears one kind of message of every hub."""
    return f"{ROOT}/+/+/{leaf}"


def read_topic(text: str) -> Topic:
    """Return what a topic says.

    Raises:
        Malformed: it is not one of ours.
    """
    found = _TOPIC.fullmatch(text)
    if found is None or int(found[1]) >= LANES:
        raise Malformed("not a topic of ours")
    return Topic(int(found[1]), HubId(found[2]), Leaf(found[3]))


def is_hub_id(text: str) -> bool:
    """Return whether a hub may be called so: lower case letters, digits and hyphens, at most 32."""
    return _HUB.fullmatch(text) is not None


def is_sensor_id(text: str) -> bool:
    """Return whether a sensor may be called so on the wire (RFC 8428 section 4.5.1, less the last slash)."""
    return len(text) <= 96 and _NAME.fullmatch(text) is not None and not text.endswith("/")


def encode_pack(header: Header, records: Sequence[Record]) -> bytes:
    """Return a pack's bytes.

    Args:
        header: with `first` and `last` of the records.
        records: consecutive, at least one, at most `PACK_RECORDS_MAX`.

    Raises:
        ValueError: the records are not the header's, or a value is not finite.
    """
    if [r.number for r in records] != list(range(header.first, header.last + 1)):
        raise ValueError("a pack's records are numbered from first to last without a hole")
    body = [_senml(record, header.boot) for record in records]
    return _encoder.encode(header) + b"\n" + _encoder.encode(body)


def decode_pack(payload: bytes, stream: Stream) -> Pack:
    """Return the pack in a payload that came on a stream's topic.

    Raises:
        Malformed: it cannot be read; with its header where that could be.
    """
    header, body = read_header(payload, stream)
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Malformed(f"{len(payload)} bytes are more than {PAYLOAD_BYTES_MAX}", header)
    try:
        records = _decode_body(body)
    except Malformed as why:
        raise Malformed(str(why), header) from None
    if len(records) != header.last - header.first + 1:
        raise Malformed(f"the header names {header.last - header.first + 1} records, not {len(records)}", header)
    try:
        return Pack(header, tuple(_resolved(records, header)))
    except Malformed as why:
        raise Malformed(str(why), header) from None


def read_header(payload: bytes, stream: Stream) -> tuple[Header, bytes]:
    """Return a pack's header, and the bytes behind it.

    Raises:
        Malformed: the header cannot be read, or is of another stream; without a header.
    """
    line, feed, body = payload.partition(b"\n")
    if not feed:
        raise Malformed("no line feed ends the header")
    if len(line) > _HEADER_BYTES_MAX:
        raise Malformed(f"a header of {len(line)} bytes is longer than {_HEADER_BYTES_MAX}")
    try:
        header = _decode_header(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
        raise Malformed(f"header: {why}") from None
    if header.stream is not stream:
        raise Malformed(f"the header is of stream {header.stream}, the topic of {stream}")
    if not header.first <= header.last < header.first + PACK_RECORDS_MAX:
        raise Malformed(f"a pack holds 1 to {PACK_RECORDS_MAX} records, not {header.first} to {header.last}")
    if not (_TOKEN.fullmatch(header.outbox) and _TOKEN.fullmatch(header.boot)):
        raise Malformed("outbox and boot are letters, digits, hyphens and underscores")
    if not math.isfinite(header.sent_at):
        raise Malformed("sent_at is not a number of seconds")
    return header, body


def encode_message(message: msgspec.Struct) -> bytes:
    """Return the bytes of an `Ask`, `Stored`, `Link` or heartbeat."""
    return _encoder.encode(message)


def decode_ask(payload: bytes) -> Ask:
    """Return what a hub asks.

    Raises:
        Malformed: it cannot be read.
    """
    ask = _decode(payload, Ask)
    if not (_TOKEN.fullmatch(ask.outbox) and _TOKEN.fullmatch(ask.boot) and math.isfinite(ask.sent_at)):
        raise Malformed("outbox, boot or sent_at of an ask")
    return ask


def decode_stored(payload: bytes) -> Stored:
    """Return what the platform answers.

    Raises:
        Malformed: it cannot be read.
    """
    return _decode(payload, Stored)


def decode_link(payload: bytes) -> Link:
    """Return whether a line is up.

    Raises:
        Malformed: it cannot be read.
    """
    return _decode(payload, Link)


_M = TypeVar("_M", Ask, Stored, Link)


def _decode(payload: bytes, kind: type[_M]) -> _M:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Malformed(f"{len(payload)} bytes are more than {PAYLOAD_BYTES_MAX}")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
        raise Malformed(str(why)) from None


def _senml(record: Record, boot: str) -> _SenMLRecord:
    if not math.isfinite(record.value):
        raise ValueError(f"{record.value} of {record.quantity} is not finite")
    return _SenMLRecord(
        n=f"{record.sensor}/{record.quantity}",
        u=_UNIT.get(Quantity(record.quantity), "") if record.quantity in _QUANTITIES else "",
        v=record.value,
        t=record.wall_s,
        up_=record.uptime_ms,
        boot_=record.boot if record.boot != boot else None,
        again_=record.may_repeat,
        unset_=record.is_wall_unset,
    )


def _decode_body(body: bytes) -> Sequence[_SenMLRecord]:
    try:
        return _decode_strictly(body)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except msgspec.ValidationError as why:
        unknown = _unknown_fields(body)
        if not unknown:
            raise Malformed(str(why)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Malformed(str(why)) from None
    # RFC 8428 section 4.4: an unknown field is passed over, unless its name ends in an underscore.
    if any(name.endswith("_") for name in unknown):
        raise Malformed("a field that must be understood is not known to this release")
    try:
        return _decode_leniently(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
        raise Malformed(str(why)) from None


def _unknown_fields(body: bytes) -> set[str]:
    try:
        return {name for record in _decode_names(body) for name in record} - set(_SenMLRecord.__struct_fields__)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return set()


def _resolved(records: Sequence[_SenMLRecord], header: Header) -> list[Record]:
    """Return the records with base name and base time applied (RFC 8428 section 4.6)."""
    base_name, base_time = "", 0.0
    resolved = []
    for number, record in enumerate(records, start=header.first):
        base_name, base_time = record.bn or base_name, record.bt or base_time
        name = base_name + record.n
        sensor, slash, quantity = name.rpartition("/")
        if not slash or not sensor or not quantity or not _NAME.fullmatch(name):
            raise Malformed(f"number {number} has no name of the form sensor/quantity")
        boot = header.boot if record.boot_ is None else record.boot_
        if record.up_ is None or not 0 <= record.up_ < 2**62 or not _TOKEN.fullmatch(boot):
            raise Malformed(f"number {number} does not say at which uptime of which boot")
        wall_s = base_time + record.t
        if not math.isfinite(wall_s):
            raise Malformed(f"number {number} has no time")
        value = _value(record)
        if value is None:
            raise Malformed(f"number {number} has not one finite value")
        resolved.append(
            Record(number, SensorId(sensor), quantity, value, wall_s, boot, record.up_, record.again_, record.unset_)
        )
    return resolved


def _value(record: _SenMLRecord) -> float | None:
    said = record.v if record.vb is None else float(record.vb)
    if said is None or (record.v is not None and record.vb is not None) or not math.isfinite(said):
        return None
    return said

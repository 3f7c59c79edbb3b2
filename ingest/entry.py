"""What stands in the stored log: everything received in a lane that judgement may rest on, in order.

Each batch is a list of these.  They are packed as arrays (msgpack), so a field may be added at the end with a
default, never moved or removed: the log of the last 100 days must stay readable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

import msgspec


class Reading(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A reading, as it was stored.

    Attributes:
        home: None where the hub has no home yet.
        room: of the sensor then; None where not known.
        value: in the unit that the quantity's name ends in.
        observed_at: corrected at intake; the latest that it can have been.
        uncertain_since: the earliest, where the time is uncertain: then it neither ends nor starts a stillness.
    """

    home: str | None
    hub: str
    sensor: str
    room: str | None
    quantity: str
    value: float
    observed_at: datetime
    uncertain_since: datetime | None = None


class Alarm(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """An alarm, whatever it was: also one from an unknown device, or one that nobody can read.

    Attributes:
        identity: `hub/outbox/number`, or `hub/sha256 of the bytes` where that is all there is.
        sensor: None where it could not be read.
        unreadable: why it could not be read; None where it could.
    """

    home: str | None
    hub: str
    identity: str
    sensor: str | None
    room: str | None
    quantity: str
    value: float
    observed_at: datetime
    uncertain_since: datetime | None = None
    unreadable: str | None = None


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """A hub's heartbeat arrived.

    Attributes:
        held_readings: what it has that is not stored yet: while this is not 0 the past may still change.
        radio_up: whether it hears its home's own broker; None where it does not say.
    """

    home: str | None
    hub: str
    held_readings: int
    held_alarms: int
    radio_up: bool | None = None
    troubles: tuple[str, ...] = ()


class Lost(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """Numbers that a hub no longer has and that were never stored; a fault."""

    home: str | None
    hub: str
    outbox: str
    stream: str
    first: int
    last: int


class Trouble(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Something about a hub's equipment that a person must mend.

    Attributes:
        what: from a fixed list: `two outboxes`, `old card`, `wrong clock`, `refused`.
    """

    home: str | None
    hub: str
    what: str
    detail: str = ""


class Deaf(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """We heard nothing in this lane, whatever was said: the broker was away from us, or we were.

    It stands alone in its batch, which was received at `until`, before anything received afterwards.

    Attributes:
        since: up to here all that was received is in the log before it.
        until: from here on we heard again.
        whose: `broker` where this program ran all the while and had no connection to the broker; otherwise `us`.
    """

    since: datetime
    until: datetime
    whose: str = "us"


class Linked(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """The broker's word on a hub's line changed; only a hint.

    Attributes:
        up: whether its connection stands.
    """

    home: str | None
    hub: str
    up: bool


Entry = Reading | Alarm | Heard | Lost | Trouble | Deaf | Linked

ENTRIES_MAX: Final = 20_000
"""Entries in one batch; a bound so that a follower's memory has one."""


class NewerRelease(ValueError):
    """The log holds what only a newer release knows; nothing may be judged past it before that release runs."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was stored in one transaction of one lane.

    Attributes:
        lane: which.
        position: its number in the lane, without holes.
        received_at: of all that is in it; never before the batch before.
        entries: in the order in which they were taken in.
    """

    lane: int
    position: int
    received_at: datetime
    entries: tuple[Entry, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode
_decode_any = msgspec.msgpack.Decoder(list[list[object]]).decode
_KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Entry))


def pack(entries: Sequence[Entry]) -> bytes:
    """Return a batch's entries as bytes."""
    return _encode(entries)


def unpack(packed: bytes, *, skip_newer: bool = False) -> tuple[Entry, ...]:
    """Return the entries in what `pack` wrote, in this release or an earlier one.

    Args:
        packed: what it wrote.
        skip_newer: leave out entries of a kind that only a newer release knows; for whoever does not judge by them.

    Raises:
        NewerRelease: an entry is of a kind that this release does not know.
        ValueError: it is not that, which means that the log is damaged.
    """
    try:
        return _decode(packed)
    except msgspec.DecodeError as why:
        unknown = _unknown_kinds(packed)
        if unknown and skip_newer:
            return unpack(msgspec.msgpack.encode([one for one in _decode_any(packed) if one[0] not in unknown]))
        if unknown:
            raise NewerRelease(
                f"entries of kind {', '.join(kind[:20] for kind in unknown)} are of a newer release"
            ) from why
        raise ValueError(f"the stored log cannot be read: {why}") from why


def _unknown_kinds(packed: bytes) -> list[str]:
    """Return the kinds of entry that a later release may have added, if that is all that is strange."""
    try:
        kinds = {one[0] if one else None for one in _decode_any(packed)}
    except (msgspec.DecodeError, TypeError):
        return []  # It is no list of entries at all, or what should be a kind cannot be one.
    return sorted(kind for kind in kinds - _KINDS if isinstance(kind, str))

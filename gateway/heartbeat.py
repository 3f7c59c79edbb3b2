"""What does a hub say about itself, every minute?"""

import math
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from gateway.wire import PAYLOAD_BYTES_MAX, Malformed

EVERY: Final = timedelta(seconds=60)
"""How often a hub reports.  SCAIP (SS 91100:2014, 4.5) allows 1 to 1440 minutes; this is the most often."""

GRACE: Final = timedelta(seconds=120)
"""How late a report may be before the home is blind: two in a row may be lost on the way."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """A hub is alive, and this is how it does.

    Attributes:
        outbox: the id of its book.
        sent_at: by its wall clock, seconds since 1970.
        boot: which boot.
        uptime_ms: at `sent_at`.
        held_readings: how many it still keeps that are not known to be stored.
        held_alarms: likewise.
        radio_up: whether it hears the home's own broker; without it no sensor can be heard.
        clock_set: whether its wall clock was set by a time server in this boot; None where it cannot tell.
        version: of the gateway program.
        troubles: what is wrong with the hub itself, in words from a fixed list (`disk full`, `old card` ...).
    """

    outbox: _Text
    sent_at: float
    boot: _Text
    uptime_ms: _Count
    held_readings: _Count = 0
    held_alarms: _Count = 0
    radio_up: bool | None = None
    clock_set: bool | None = None
    version: _Text = "unknown"
    troubles: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=16)] = ()


def decode(payload: bytes) -> Heartbeat:
    """Return what a hub says about itself.

    Raises:
        Malformed: it cannot be read.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Malformed(f"{len(payload)} bytes are more than {PAYLOAD_BYTES_MAX}")
    try:
        said = msgspec.json.decode(payload, type=Heartbeat)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
        raise Malformed(str(why)) from None
    if not math.isfinite(said.sent_at):
        raise Malformed("sent_at is not a number of seconds")
    return said

"""Small words that several pages share."""

from datetime import datetime
from typing import Final

from api import times

_APOSTROPHE: Final = "\u2019"


def whose(name: str) -> str:
    """Return a name as an owner's, with the apostrophe of print."""
    return f"{name}{_APOSTROPHE}" if name.endswith("s") else f"{name}{_APOSTROPHE}s"


def in_room(room: str) -> str:
    """Return `in the kitchen`, or `at the front door`."""
    return f"{'at' if 'door' in room.lower() else 'in'} the {room.lower()}"


def since_when(at: datetime, *, now: datetime) -> str:
    """Return `Monday 8 June, 14:20`, or `06:17 today`."""
    on, today = times.local_date(at), times.local_date(now)
    return f"{times.day(on, today=today)}, {times.clock_time(at)}" if on != today else f"{times.clock_time(at)} today"


def starting(words: str) -> str:
    """Return words with a capital at their beginning."""
    return words[:1].upper() + words[1:]


def many(count: int, one: str, more: str = "") -> str:
    """Return a count with its word: `1 home`, `1,204 homes`; `more` where it is not just one more letter."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"

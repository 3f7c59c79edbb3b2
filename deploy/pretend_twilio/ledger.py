"""What was texted to whom, in which order, and what became of it?"""

import enum
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

# A demo left running for a week must not fill the disk; nobody scrolls further back on the page.
_KEPT_MAX: Final = 5_000


class Status(enum.Enum):
    """Where a text is in its life, in Twilio's own words."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    RECEIVED = "received"


class Direction(enum.Enum):
    """Who began it, in Twilio's own words."""

    OUT = "outbound-api"
    REPLY = "outbound-reply"  # what we said in the TwiML of an answer
    IN = "inbound"


@dataclass(frozen=True, slots=True)
class Text:
    """One text, as Twilio remembers it.

    Attributes:
        sid: Twilio's name for it, "SM" and 32 hexadecimal digits.
        sender: the number it came from; empty while a messaging service has not chosen one.
        service: the messaging service that it was given to, or empty.
        callback: where its states are reported, or empty.
        sent_at: when it left Twilio; None while it is queued.
        error_code: Twilio's code when it was not delivered.
        trouble: for a text from a phone, why the platform did not take it, or empty.
    """

    sid: str
    direction: Direction
    sender: str
    to: str
    body: str
    status: Status
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    service: str = ""
    callback: str = ""
    error_code: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The file's contents."""

    texts: list[Text]
    stopped: list[str]


def new_sid() -> str:
    """Return a name for a text that no other has."""
    return f"SM{secrets.token_hex(16)}"


class Ledger:
    """All texts in the order in which they were taken, kept in a file if one is named.  Safe between threads."""

    def __init__(self, *, now: Callable[[], datetime], path: Path | None = None) -> None:
        self._now = now
        self._path = path
        self._lock = threading.Lock()
        self._texts: dict[str, Text] = {}
        self._stopped: set[str] = set()
        if path is not None and path.exists():
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
            self._texts = {text.sid: text for text in kept.texts}
            self._stopped = set(kept.stopped)

    def add(self, text: Text) -> None:
        """Put a text at the end."""
        with self._lock:
            self._texts[text.sid] = text
            while len(self._texts) > _KEPT_MAX:
                del self._texts[next(iter(self._texts))]
            self._save()

    def move(self, sid: str, status: Status, *, error_code: int | None = None) -> Text:
        """Move a text to its next state and return it as it is now."""
        at = self._now()
        with self._lock:
            text = self._texts[sid]
            sent_at = text.sent_at or (None if status is Status.FAILED else at)
            text = replace(text, status=status, updated_at=at, sent_at=sent_at, error_code=error_code)
            self._texts[sid] = text
            self._save()
        return text

    def note_trouble(self, sid: str, trouble: str) -> Text:
        """Write down why the platform did not take a phone's text, and return the text."""
        with self._lock:
            self._texts[sid] = replace(self._texts[sid], trouble=trouble)
            self._save()
            return self._texts[sid]

    def find(self, sid: str) -> Text | None:
        """Return the text of that name, or None."""
        with self._lock:
            return self._texts.get(sid)

    def all(self) -> list[Text]:
        """Return every text, oldest first."""
        with self._lock:
            return list(self._texts.values())

    def stop(self, phone: str) -> None:
        """Write down that a phone wants no more texts."""
        with self._lock:
            self._stopped.add(phone)
            self._save()

    def start(self, phone: str) -> None:
        """Write down that a phone wants texts again."""
        with self._lock:
            self._stopped.discard(phone)
            self._save()

    def has_stopped(self, phone: str) -> bool:
        """Return whether a phone has asked for no more texts."""
        with self._lock:
            return phone in self._stopped

    def _save(self) -> None:
        if self._path is None:
            return
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_bytes(msgspec.json.encode(_Kept(list(self._texts.values()), sorted(self._stopped))))
        beside.replace(self._path)

"""Where can somebody be sent a link: to a phone, or to a mailbox?"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from api import times

_MAILBOX: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_MAILBOX_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a link is sent.

    Attributes:
        by: a text or an e-mail.
        to: a phone in E.164, or an address in small letters.
    """

    by: Literal["text", "mail"]
    to: str


def reach(typed: str) -> Reach | None:
    """Return the phone or the mailbox that somebody typed, or None if it is neither."""
    if "@" not in typed:
        phone = times.phone_as_dialled(typed)
        return None if phone is None else Reach("text", phone)
    kept = typed.strip()
    return Reach("mail", kept.lower()) if is_mailbox(kept) and "\0" not in kept else None


def is_mailbox(said: str) -> bool:
    """Return whether this looks like an e-mail address; whether anybody reads it is another question."""
    return len(said) <= _MAILBOX_MAX and _MAILBOX.fullmatch(said) is not None

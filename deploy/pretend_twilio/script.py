"""How is this phone to fail?  Set by tests and by the demo, phone by phone."""

import enum
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from deploy.pretend_twilio.ledger import Status

_T = TypeVar("_T")

ANY: Final = "*"
"""In place of a phone: every phone that has no script of its own."""

# What Twilio answers to a create, by its error code: the HTTP status and the sentence.
# Source: Twilio's error dictionary, twilio.com/docs/api/errors, read 2026-11.
REFUSALS: Final[dict[int, tuple[int, str]]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service is temporarily unavailable. Please try again later"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number provided is not a valid, message-capable Twilio phone number"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    63038: (429, "Account exceeded the daily messages limit"),
}

# What may become of a text after it was taken.  Source: as above.
FAILURES: Final[dict[int, str]] = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}

_CODE_OF_STATUS: Final = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


class Calls(enum.Enum):
    """How the states of a text are reported."""

    IN_ORDER = "in order"
    TWICE = "twice"
    OUT_OF_ORDER = "out of order"
    NEVER = "never"


class Hears(enum.Enum):
    """What the client hears of its request."""

    AN_ANSWER = "an answer"
    NOTHING_BUT_TAKEN = "nothing, but the text was taken"
    NOTHING_NOT_TAKEN = "nothing, and the text was not taken"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer in Twilio's form that is not a text."""

    status: int
    code: int
    sentence: str


def refusal(*, status: int | None = None, code: int | None = None) -> Refusal:
    """Return the answer that Twilio gives with this HTTP status or error code.

    Raises:
        ValueError: neither is given, or Twilio is not known to answer so.
    """
    if code is None:
        code = _CODE_OF_STATUS.get(status or 0, status)
    if code is None:
        raise ValueError("a refusal needs a status or a code")
    if code in REFUSALS:
        usual, sentence = REFUSALS[code]
        return Refusal(status or usual, code, sentence)
    if status is None:
        raise ValueError(f"Twilio is not known to answer a create with {code}")
    return Refusal(status, code, "Something went wrong")


@dataclass(slots=True)
class Script:
    """How one phone fails.  What is used up is in queues; what holds until changed is not."""

    refusals: deque[Refusal] = field(default_factory=deque)
    hears: deque[Hears] = field(default_factory=deque)
    waits_s: deque[float] = field(default_factory=deque)
    ends: Status = Status.DELIVERED
    error_code: int | None = None
    calls: Calls = Calls.IN_ORDER
    late_s: float = 0.0


def first(queue: deque[_T], otherwise: _T) -> _T:
    """Return and use up the first of a queue, or what is usual when it is empty."""
    return queue.popleft() if queue else otherwise


def reports(script: Script) -> Iterable[tuple[Status, int | None]]:
    """Return the states that a text to this phone will go through after it is queued, in order."""
    end = (script.ends, script.error_code)
    # A text that fails never left Twilio; one that is undelivered left, and came to nothing.
    return (end,) if script.ends is Status.FAILED else ((Status.SENT, None), end)

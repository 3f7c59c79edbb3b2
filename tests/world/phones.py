"""Phones that expect texts, over the pretend Twilio."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from deploy.pretend_twilio import Direction, PretendTwilio, Status, Text
from gateway.clock import Clock, monotonic_s

_T = TypeVar("_T")
_LOCAL = ZoneInfo("Europe/London")
_ARRIVED_NOT = {Status.UNDELIVERED, Status.FAILED}


def until(look: Callable[[], _T], *, within_s: float = 90.0, what: str = "") -> _T:
    """Return what `look` returns as soon as that is something.

    Raises:
        AssertionError: it was nothing for `within_s` real seconds.
    """
    deadline = monotonic_s() + within_s
    while not (found := look()):
        assert monotonic_s() < deadline, f"not within {within_s} s: {what or look}"
        time.sleep(0.01)
    return found


@dataclass(frozen=True, slots=True)
class Carer:
    """Someone with a phone.

    Attributes:
        twilio: the network that the phone is in.
        phone: its number, in E.164.
        name: who has it, for what a test says when it fails.
    """

    twilio: PretendTwilio
    phone: str
    name: str = "a carer"

    def received(self) -> list[Text]:
        """Return the texts on this phone, oldest first; those that did not arrive are not on it."""
        return [text for text in self.twilio.texts_to(self.phone) if text.status not in _ARRIVED_NOT]

    def waits_for_text(self, *, saying: str = "", after: int = 0, within_s: float = 90.0) -> Text:
        """Return the first text with these words, the first `after` texts on this phone left aside.

        Raises:
            AssertionError: none came within that many real seconds.
        """
        found = until(
            lambda: [text for text in self.received()[after:] if saying.casefold() in text.body.casefold()],
            within_s=within_s,
            what=f'{self.name} was to read "{saying}" and has {self._said()}',
        )
        return found[0]

    def received_exactly_one_text(self, *, saying: str = "", between: tuple[str, str] | None = None) -> Text:
        """Return the one text on this phone.

        Args:
            saying: words that it holds, in any case.
            between: Europe/London wall times such as ("09:15", "09:20"), the second excluded.

        Raises:
            AssertionError: there is none, there are more, or it is another.
        """
        texts = self.received()
        assert len(texts) == 1, f"{self.name} was to have one text and has {self._said()}"
        assert saying.casefold() in texts[0].body.casefold(), f'"{saying}" is not in {self._said()}'
        if between is not None:
            at = _wall_time(texts[0].created_at)
            assert between[0] <= at < between[1], f"it came at {at}, not between {between[0]} and {between[1]}"
        return texts[0]

    def received_nothing(self) -> None:
        """Check that no text is on this phone."""
        assert not self.received(), f"{self.name} was to have no text and has {self._said()}"

    def answers(self, body: str) -> str:
        """Text this, and return what came back at once; empty if nothing did.

        Raises:
            AssertionError: the platform did not take it.
        """
        before = len(self.twilio.texts_to(self.phone))
        sent = self.twilio.answer(self.phone, body)
        assert not sent.trouble, sent.trouble
        replies = [text for text in self.twilio.texts_to(self.phone)[before:] if text.direction is Direction.REPLY]
        return replies[-1].body if replies else ""

    def _said(self) -> str:
        return str([f"{_wall_time(text.created_at)} {text.body}" for text in self.received()])


def _wall_time(at: datetime) -> str:
    return f"{at.astimezone(_LOCAL):%H:%M}"


@pytest.fixture
def twilio() -> Iterator[PretendTwilio]:
    """Run a Twilio of this test's own, on the system's clock."""
    with PretendTwilio(now=Clock().now) as pretend:
        yield pretend

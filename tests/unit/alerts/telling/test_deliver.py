"""What is written down around each send, and what a crash between the lines leaves behind."""

# ruff: noqa: ARG002 - the fakes here keep the ports as they are and do not need every argument

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.telling.deliver import (
    AccountRefused,
    GiveUp,
    Notification,
    Receipt,
    TryAgain,
    Unsure,
    deliver,
    deliver_due,
    retry_after,
)

DUE = datetime(2026, 6, 10, 1, 10, tzinfo=UTC)
NOTE = Notification(
    key="k1",
    to="+447700900123",
    body="Margaret pressed the pendant, 02:10.",
    attempts=0,
    due_at=DUE,
    may_have_gone=False,
    worth_until=DUE + timedelta(hours=24),
)


class PowerCut(BaseException):
    """The process is gone at this line."""


class Book:
    """Keeps one note as the table would, and a diary of every line; may lose power before any of them."""

    def __init__(self, *notes: Notification, power_lasts: int = 10_000) -> None:
        self.notes = {note.key: note for note in notes}
        self.try_at = {note.key: note.due_at for note in notes}
        self.ended: dict[str, str] = {}
        self.diary: list[str] = []
        self.power_lasts = power_lasts

    def _line(self, said: str) -> None:
        if self.power_lasts == 0:
            raise PowerCut
        self.power_lasts -= 1
        self.diary.append(said)

    async def due(self, *, now: datetime, limit: int) -> Sequence[Notification]:
        ready = [note for key, note in self.notes.items() if key not in self.ended and self.try_at[key] <= now]
        return ready[:limit]

    async def trying(self, note: Notification, *, at: datetime) -> None:
        self._line("trying")
        self.notes[note.key] = replace(note, attempts=note.attempts + 1, may_have_gone=True)

    async def sent(self, note: Notification, receipt: Receipt, *, at: datetime) -> None:
        self._line(f"sent {receipt.sid}")
        self.ended[note.key] = "sent"

    async def due_again(
        self, note: Notification, why: str, *, at: datetime, may_have_gone: bool, stays_worth: bool = False
    ) -> None:
        self._line(f"due again{' for as long as it is open' if stays_worth else ''}: {why}")
        self.notes[note.key] = replace(self.notes[note.key], may_have_gone=may_have_gone)
        self.try_at[note.key] = at

    async def failed(self, note: Notification, why: str, *, at: datetime) -> None:
        self._line(f"failed: {why}")
        self.ended[note.key] = "failed"


class Post:
    """Takes texts, or fails as it is told, one word for each request; then it is well."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.taken: list[str] = []
        self.asked: list[str] = []

    def _next(self) -> str:
        return self.words.pop(0) if self.words else "well"

    async def send(self, to: str, body: str, key: str) -> Receipt:
        self.asked.append("send")
        word = self._next()
        if word == "busy":
            raise TryAgain("busy")
        if word == "account refused":
            raise AccountRefused("Twilio refuses our account")
        if word == "refused":
            raise GiveUp("refused", code=21610)
        if word == "lost before":
            raise Unsure("no answer")
        self.taken.append(body)
        if word == "lost after":
            raise Unsure("no answer")
        if word == "power cut":
            raise PowerCut
        return Receipt(f"SM{len(self.taken)}")

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:
        self.asked.append("find")
        word = self._next()
        if word == "account refused":
            raise AccountRefused("Twilio refuses our account")
        if word in {"busy", "lost before", "lost after", "refused"}:
            raise TryAgain("busy")
        return Receipt("SMfound") if body in self.taken else None


async def test_trying_is_written_before_the_request_and_sent_after_it() -> None:
    """A crash between the two must leave a trace."""
    book, post = Book(NOTE), Post()

    await deliver(NOTE, post, book, now=DUE)

    assert book.diary == ["trying", "sent SM1"]


async def test_a_busy_twilio_is_tried_again_without_a_look() -> None:
    """It said that it did not take the text; there is nothing to look for."""
    book, post = Book(NOTE), Post("busy")

    await deliver_due(book, post, now=DUE)
    await deliver_due(book, post, now=DUE + timedelta(seconds=10))

    assert post.asked == ["send", "send"]
    assert post.taken == [NOTE.body]


async def test_an_answer_that_was_never_heard_is_looked_for_before_it_is_sent_again() -> None:
    """Two texts for one press make a carer doubt both."""
    book, post = Book(NOTE), Post("lost after")

    await deliver_due(book, post, now=DUE)
    await deliver_due(book, post, now=DUE + timedelta(seconds=10))

    assert post.asked == ["send", "find"]
    assert book.diary[-1] == "sent SMfound"
    assert post.taken == [NOTE.body]


async def test_what_was_not_taken_after_all_is_sent() -> None:
    """Not hearing an answer is no proof that it went."""
    book, post = Book(NOTE), Post("lost before", "well")

    await deliver_due(book, post, now=DUE)
    await deliver_due(book, post, now=DUE + timedelta(seconds=10))

    assert post.asked == ["send", "find", "send"]
    assert book.ended == {"k1": "sent"}


async def test_a_refusal_is_failed_at_once() -> None:
    """The next person is told because of it, so it must not hide behind retries."""
    book, post = Book(NOTE), Post("refused")

    await deliver_due(book, post, now=DUE)

    assert book.diary == ["trying", "failed: refused"]


async def test_a_text_waits_for_as_long_as_twilio_refuses_our_account() -> None:
    """It is nobody's phone: asking the next person would go the same way, and what is given up is never sent."""
    book, post = Book(NOTE), Post(*["account refused"] * 3)

    now = DUE
    for _ in range(3):
        await deliver_due(book, post, now=now)
        now = book.try_at["k1"]
    assert now == DUE + timedelta(minutes=3), "once a minute"
    assert book.ended == {}
    assert book.diary[-1] == "due again for as long as it is open: Twilio refuses our account"
    await deliver_due(book, post, now=now)

    assert post.taken == [NOTE.body]


async def test_one_that_may_have_gone_is_not_sent_blindly_because_we_are_not_let_in() -> None:
    """When the token is right again it is looked for first: the carer may have it since before."""
    book, post = Book(replace(NOTE, may_have_gone=True)), Post(*["account refused"] * 3)
    post.taken.append(NOTE.body)

    await deliver_due(book, post, now=DUE)
    assert book.try_at["k1"] == DUE + timedelta(minutes=1)
    await deliver_due(book, post, now=DUE + timedelta(hours=1))
    assert book.notes["k1"].may_have_gone
    await deliver_due(book, post, now=DUE + timedelta(hours=2))

    assert post.asked == ["find", "find", "send", "find"]
    assert book.ended == {"k1": "sent"}


async def test_who_may_send_but_not_look_sends() -> None:
    """A rule of Twilio's that forbids only looking must not keep a text back for ever."""
    book, post = Book(replace(NOTE, may_have_gone=True)), Post("account refused")

    await deliver_due(book, post, now=DUE + timedelta(hours=1))

    assert post.taken == [NOTE.body]
    assert book.ended == {"k1": "sent"}


async def test_a_look_that_keeps_failing_does_not_keep_the_text_back() -> None:
    """Twice is better than not at all."""
    note = replace(NOTE, may_have_gone=True)
    book, post = Book(note), Post("busy", "busy")

    await deliver_due(book, post, now=DUE + timedelta(seconds=5))
    assert post.taken == []
    await deliver_due(book, post, now=DUE + timedelta(minutes=2))

    assert post.taken == [NOTE.body]


async def test_a_text_that_is_no_longer_worth_it_fails_loudly_and_is_not_sent() -> None:
    """A log-in link of yesterday opens nothing; the row must not wait for ever either."""
    book, post = Book(NOTE), Post()

    await deliver_due(book, post, now=NOTE.worth_until)

    assert post.taken == []
    assert book.diary == ["failed: no longer worth sending"]


async def test_one_that_went_is_known_even_after_it_is_no_longer_worth_sending() -> None:
    """'Failed' about a text that a carer is holding would be a lie on the page."""
    book, post = Book(replace(NOTE, may_have_gone=True)), Post()
    post.taken.append(NOTE.body)

    await deliver_due(book, post, now=NOTE.worth_until)

    assert book.diary == ["sent SMfound"]


async def test_one_that_cannot_be_delivered_for_our_own_mistake_stops_no_other() -> None:
    """A bug in one text must not silence the street."""

    class Broken(Post):
        async def send(self, to: str, body: str, key: str) -> Receipt:
            if key == "k1":
                raise ZeroDivisionError
            return await super().send(to, body, key)

    book, post = Book(NOTE, replace(NOTE, key="k2", body="Another.")), Broken()

    with pytest.raises(ExceptionGroup, match="1 of 2"):
        await deliver_due(book, post, now=DUE)

    assert post.taken == ["Another."]
    assert book.notes["k1"].may_have_gone


async def test_no_more_than_eight_are_on_their_way_at_once() -> None:
    """Forty alerts of one power cut must not open forty connections."""
    on_their_way: list[int] = []
    gate = asyncio.Event()

    class Slow(Post):
        async def send(self, to: str, body: str, key: str) -> Receipt:
            on_their_way.append(1)
            await gate.wait()
            return Receipt(key)

    book = Book(*(replace(NOTE, key=f"k{n}") for n in range(20)))
    delivering = asyncio.create_task(deliver_due(book, Slow(), now=DUE))
    for _ in range(100):
        await asyncio.sleep(0)
    started = len(on_their_way)
    gate.set()

    assert started == 8
    assert await delivering == 20


@given(st.integers(0, 10_000))
def test_a_retry_waits_seconds_at_first_and_never_more_than_a_minute(attempts: int) -> None:
    """Twilio away for an hour is 60 requests a text; Twilio back is at most a minute of waiting."""
    assert timedelta(seconds=2) <= retry_after(attempts) <= timedelta(minutes=1)
    assert retry_after(attempts) <= retry_after(attempts + 1)


words = st.lists(
    st.sampled_from(["well", "busy", "account refused", "lost before", "lost after", "power cut"]), max_size=6
)


@settings(deadline=None)  # Each example starts event loops of its own.
@given(words, st.lists(st.integers(0, 3), max_size=6))
def test_whatever_fails_or_loses_power_the_text_goes_and_is_known_to_have_gone(
    said: list[str], cuts: list[int]
) -> None:
    """At least once: P3 rests on this, through every crash between the lines."""
    book, post = Book(NOTE), Post(*said)

    now = DUE
    for power_lasts in [*cuts, *[10_000] * 20]:
        book.power_lasts = power_lasts
        with contextlib.suppress(PowerCut):
            asyncio.run(deliver_due(book, post, now=now))
        now += timedelta(minutes=1)

    assert book.ended == {"k1": "sent"}
    assert post.taken


@settings(deadline=None)  # As above.
@given(st.lists(st.sampled_from(["lost after", "power cut"]), max_size=4), st.lists(st.integers(0, 3), max_size=6))
def test_while_twilio_can_be_asked_no_text_goes_twice(said: list[str], cuts: list[int]) -> None:
    """Doubled texts are counted, not promised away; but they must not come from us not looking."""

    class Found(Post):
        async def find(self, to: str, body: str, since: datetime) -> Receipt | None:
            return Receipt("SMfound") if body in self.taken else None

    book, post = Book(NOTE), Found(*said)

    now = DUE
    for power_lasts in [*cuts, *[10_000] * 20]:
        book.power_lasts = power_lasts
        with contextlib.suppress(PowerCut):
            asyncio.run(deliver_due(book, post, now=now))
        now += timedelta(minutes=1)

    assert post.taken == [NOTE.body]

"""What is sent when, against a platform and a line that lose, double and reorder."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway import window as windows
from gateway.window import Due, Pace, Window

READINGS = Pace(pack_records=20, window_packs=8, linger_s=1, patience_s=5, patience_s_max=60)


def _answered_at(through: int, *, pace: Pace = READINGS) -> Window:
    return windows.answered(windows.opened(now_s=0), through, answers_ask=True, pace=pace, now_s=0)


def _due(window: Window, *, last: int, now_s: float, pace: Pace = READINGS, oldest: int = 1) -> tuple[Window, Due]:
    return windows.due(window, oldest=oldest, last=last, pace=pace, now_s=now_s, chance=0.0)


def test_nothing_is_sent_before_the_question_is_answered() -> None:
    """A hub that does not know what the platform has cannot know whether its card is an old one."""
    window, first = _due(windows.opened(now_s=0), last=50, now_s=0)
    window, second = _due(window, last=50, now_s=1)
    window = windows.answered(window, 10, answers_ask=False, pace=READINGS, now_s=2)
    _, third = _due(window, last=50, now_s=2)

    assert first == Due(ask=True)
    assert second == third == Due()


def test_an_unanswered_question_is_put_again() -> None:
    """The platform may have been away when it was asked first."""
    window, _ = _due(windows.opened(now_s=0), last=0, now_s=0)

    assert _due(window, last=0, now_s=4.9)[1] == Due()
    assert _due(window, last=0, now_s=5)[1] == Due(ask=True)


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12), st.sampled_from([READINGS, windows.ALARMS]))
def test_a_platform_that_does_not_answer_is_asked_less_and_less(chances: list[float], pace: Pace) -> None:
    """Thousands that ask on at one pace keep a busy platform busy; but a press must not wait long for the question."""
    window, now_s, waits = windows.opened(now_s=0), 0.0, []
    for chance in chances:
        window, due = windows.due(window, oldest=1, last=0, pace=pace, now_s=now_s, chance=chance)
        assert due == Due(ask=True)
        assert window.ask_at is not None
        waits.append(window.ask_at - now_s)
        now_s = window.ask_at

    assert pace.ask_every_s <= waits[0] <= 1.5 * pace.ask_every_s
    assert min(waits[4:]) >= pace.ask_every_s_max - 1e-6
    assert max(waits) <= (10 if pace is windows.ALARMS else 30) + 1e-6


def test_full_packs_go_at_once_and_the_rest_lingers() -> None:
    """A reading may wait a second for company, no longer."""
    window, due = _due(_answered_at(0), last=45, now_s=0)
    assert due.packs == ((1, 20), (21, 40))

    window, due = _due(window, last=45, now_s=0.9)
    assert due == Due()
    _, due = _due(window, last=46, now_s=1)
    assert due.packs == ((41, 46),)


def test_no_more_than_a_window_is_on_its_way() -> None:
    """A hub with a month of backlog must not flood the platform."""
    _, due = _due(_answered_at(100), last=10_000, now_s=0)

    assert due.packs[0] == (101, 120)
    assert due.packs[-1] == (241, 260)


def test_what_is_lost_on_the_hub_is_passed_over() -> None:
    """The header's oldest tells the platform; waiting for records that are gone would stop the stream for good."""
    _, due = _due(_answered_at(10), last=60, now_s=0, oldest=41)

    assert due.packs == ((41, 60),)


def test_an_alarm_goes_alone_and_at_once_and_again_every_two_to_ten_seconds() -> None:
    """Nothing that waits for company or is sent less often would be heard in time."""
    window = _answered_at(0, pace=windows.ALARMS)
    sent_at = []
    for tenth in range(1200):
        window, due = windows.due(window, oldest=1, last=1, pace=windows.ALARMS, now_s=tenth / 10, chance=0.999)
        sent_at += [tenth / 10] * len(due.packs)

    apart = [later - earlier for earlier, later in pairwise(sent_at)]
    assert sent_at[0] == 0
    assert 2 <= apart[0] <= 2.6
    assert max(apart) <= 10.1


def test_without_progress_the_wait_doubles_up_to_a_minute() -> None:
    """Ten thousand hubs must not beat on a platform that is down."""
    window = _answered_at(0)
    sent_at = []
    for second in range(600):
        window, due = _due(window, last=20, now_s=second)
        sent_at += [second] * len(due.packs)

    assert [b - a for a, b in pairwise(sent_at)][:6] == [5, 10, 20, 40, 60, 60]


def test_an_answer_again_goes_back_only_after_a_round_trip() -> None:
    """An answer to a doubled pack looks like a hole; heeding each multiplied one lost pack by seven."""
    window, _ = _due(_answered_at(0), last=100, now_s=0)

    early = windows.answered(window, 0, answers_ask=False, pace=READINGS, now_s=0.5)
    late = windows.answered(window, 0, answers_ask=False, pace=READINGS, now_s=1.5)
    again, due = _due(late, last=100, now_s=1.5)
    twice = windows.answered(again, 0, answers_ask=False, pace=READINGS, now_s=1.6)

    assert _due(early, last=100, now_s=0.5)[1] == Due()
    assert due.packs[0] == (1, 20)
    assert _due(twice, last=100, now_s=1.6)[1] == Due()


def test_an_answer_below_what_is_stored_is_asked_about_and_not_believed() -> None:
    """It may be an old answer that was late, or a restored platform; only the answer to a question tells."""
    window = _answered_at(100)
    doubted = windows.answered(window, 40, answers_ask=False, pace=READINGS, now_s=1)
    asked, due = _due(doubted, last=100, now_s=1)
    restored = windows.answered(asked, 40, answers_ask=True, pace=READINGS, now_s=2)

    assert doubted.stored == 100
    assert due == Due(ask=True)
    assert _due(restored, last=100, now_s=2)[1].packs[0] == (41, 60)


@dataclass
class _Platform:
    """Keeps numbers in order, and answers what it has: a model of the design's text."""

    through: int = 0
    taken: list[int] = field(default_factory=list)
    hole_answered_at_s: float = -10.0

    def hears(self, first: int, last: int, now_s: float) -> int | None:
        if first > self.through + 1:
            if now_s - self.hole_answered_at_s < 1:
                return None
            self.hole_answered_at_s = now_s
            return self.through
        self.taken += range(max(first, self.through + 1), last + 1)
        self.through = max(self.through, last)
        return self.through


_Told = tuple[str, int, int]


@dataclass
class _Line:
    """Carries messages, each after `slow_s`; a rough one also loses, doubles and reorders."""

    chance: random.Random
    slow_s: float
    loss: float = 0.0
    doubled: float = 0.0
    loses: set[int] = field(default_factory=set)
    count: int = 0
    waiting: list[tuple[float, int, _Told]] = field(default_factory=list)

    def put(self, told: _Told, now_s: float) -> None:
        is_rough = bool(self.loss or self.doubled)
        for _ in range(1 + (self.chance.random() < self.doubled)):
            self.count += 1
            if self.chance.random() >= self.loss and self.count not in self.loses:
                after_s = self.slow_s * (self.chance.uniform(0.3, 1) if is_rough else 1)
                heapq.heappush(self.waiting, (now_s + after_s, self.count, told))

    def arrived(self, now_s: float) -> Iterator[_Told]:
        while self.waiting and self.waiting[0][0] <= now_s:
            yield heapq.heappop(self.waiting)[2]


@dataclass
class _Story:
    """A hub with records to send, a line, and a platform."""

    records: int
    pace: Pace
    line: _Line
    platform: _Platform = field(default_factory=_Platform)
    window: Window = field(default_factory=lambda: windows.opened(now_s=0))
    sent: int = 0

    def is_told(self) -> None:
        now_s = 0.0
        while self.window.stored != self.records:
            assert now_s < 6000, f"stuck at {self.window} of {self.records}"
            for kind, first, last in self.line.arrived(now_s):
                self._hear(kind, first, last, now_s)
            while self._acts(now_s):
                pass
            now_s += 0.1

    def _hear(self, kind: str, first: int, last: int, now_s: float) -> None:
        if kind == "ask":
            self.line.put(("answer to ask", self.platform.through, 0), now_s)
        elif kind == "pack":
            through = self.platform.hears(first, last, now_s)
            if through is not None:
                self.line.put(("answer", through, 0), now_s)
        else:
            self.window = windows.answered(
                self.window, first, answers_ask=kind == "answer to ask", pace=self.pace, now_s=now_s
            )

    def _acts(self, now_s: float) -> bool:
        self.window, due = windows.due(
            self.window,
            oldest=1,
            last=self.records,
            pace=self.pace,
            now_s=now_s,
            chance=self.line.chance.random(),
        )
        if due.ask:
            self.line.put(("ask", 0, 0), now_s)
        for first, last in due.packs:
            self.sent += last - first + 1
            self.line.put(("pack", first, last), now_s)
        return due != Due()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0.01, 0.4),
    doubled=st.floats(0, 0.3),
    slow_s=st.floats(0.01, 4),
    records=st.integers(1, 400),
    pace=st.sampled_from([READINGS, windows.ALARMS]),
)
def test_over_any_line_that_lets_something_through_everything_arrives_in_order(
    seed: int, loss: float, doubled: float, slow_s: float, records: int, pace: Pace
) -> None:
    """Lost, doubled and reordered packs, questions and answers cost time, never a reading."""
    records = records if pace is READINGS else min(records, 30)
    story = _Story(records, pace, _Line(random.Random(seed), slow_s, loss, doubled))

    story.is_told()

    assert story.platform.taken == list(range(1, records + 1))


@given(slow_s=st.floats(0.01, 2.4), records=st.integers(1, 2000))
def test_over_a_good_line_nothing_is_sent_twice(slow_s: float, records: int) -> None:
    """A slow platform must not be given more to do because it is slow."""
    story = _Story(records, READINGS, _Line(random.Random(0), slow_s))

    story.is_told()

    assert story.sent == records


@given(slow_s=st.floats(0.01, 2.4), lost=st.integers(3, 60))
@example(slow_s=2.4, lost=3)
def test_one_lost_message_costs_at_most_two_windows(slow_s: float, lost: int) -> None:
    """Going back at every answer multiplied one lost pack by seven."""
    story = _Story(2000, READINGS, _Line(random.Random(0), slow_s, loses={lost}))

    story.is_told()

    assert story.sent <= 2000 + 2 * READINGS.window_packs * READINGS.pack_records


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("answer"), st.integers(0, 300), st.booleans()),
            st.tuples(st.just("wait"), st.integers(0, 90), st.booleans()),
        ),
        max_size=40,
    ),
    last=st.integers(0, 300),
)
def test_whatever_is_answered_packs_follow_each_other_within_the_window(
    steps: list[tuple[str, int, bool]], last: int
) -> None:
    """Even a platform that talks nonsense cannot make the hub skip a number or flood the line."""
    window, now_s = windows.opened(now_s=0), 0.0
    for kind, number, answers_ask in steps:
        if kind == "answer":
            window = windows.answered(window, number, answers_ask=answers_ask, pace=READINGS, now_s=now_s)
        else:
            now_s += number
        before = window
        window, due = _due(window, last=last, now_s=now_s)
        ends = [before.stored or 0, *(end for _, end in due.packs)]
        assert all(1 <= end - first + 1 <= 20 for first, end in due.packs)
        assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(due.packs))
        if due.packs:
            assert before.stored is not None
            assert due.packs[0][0] in {before.stored + 1, before.sent + 1}
            assert ends[-1] <= min(last, before.stored + 160)

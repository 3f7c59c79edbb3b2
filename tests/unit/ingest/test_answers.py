"""Who is told, when, and what."""

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import Stored, Stream, decode_stored
from ingest.answers import Answers, Told
from ingest.intake import Answer, Urgency

EVERY = timedelta(seconds=2)
ALL = frozenset(range(64))


def _answer(through: int, urgency: Urgency = Urgency.SOON, *, lane: int = 7, hub: str = "hub-1") -> Answer:
    return Answer(lane, hub, Stored("box-1", Stream.READINGS, through), urgency)


def _through(told: list[Told]) -> list[int]:
    return [decode_stored(one.payload).through for one in told]


def test_readings_are_answered_with_the_next_round() -> None:
    """One answer for all that was stored in two seconds."""
    answers = Answers(every=EVERY)
    answers.add([_answer(5)], now_s=100.0)
    answers.add([_answer(9)], now_s=101.0)

    assert answers.take(ALL, now_s=101.9) == []
    assert _through(answers.take(ALL, now_s=102.0)) == [9]
    assert len(answers) == 0


def test_a_question_is_answered_at_once() -> None:
    """A hub sends nothing until it knows where to begin."""
    answers = Answers(every=EVERY)
    answers.add([_answer(5, Urgency.NOW)], now_s=100.0)

    assert answers.has_urgent.is_set()
    assert _through(answers.take(ALL, now_s=100.0)) == [5]


@given(st.lists(st.floats(0, 20), min_size=1, max_size=200))
def test_a_hole_is_told_once_a_second(at: list[float]) -> None:
    """Design section 2: a window full of packs behind a lost one is one reason to go back, not fifty."""
    answers = Answers(every=EVERY)
    told_s = []
    for now_s in sorted(at):
        answers.add([_answer(5, Urgency.HOLE)], now_s=now_s)
        told_s += [now_s] * len(answers.take(ALL, now_s=now_s))
    told_s += [30.0] * len(answers.take(ALL, now_s=30.0))

    assert told_s
    assert all(later - earlier > 1 - 1e-9 for earlier, later in itertools.pairwise(told_s))


def test_nothing_is_said_for_a_lane_that_is_no_longer_ours() -> None:
    """Its new owner knows better."""
    answers = Answers(every=EVERY)
    answers.add([_answer(5, Urgency.NOW, lane=7), _answer(6, Urgency.NOW, lane=8, hub="hub-2")], now_s=0.0)

    assert _through(answers.take(frozenset({8}), now_s=0.0)) == [6]
    assert len(answers) == 0


def test_progress_up_to_a_hole_is_told_and_then_the_hole() -> None:
    """Told once, a hub takes it for progress and waits five seconds for the rest, which never comes."""
    answers = Answers(every=EVERY)
    answers.add([_answer(5), _answer(5, Urgency.HOLE)], now_s=100.0)

    assert _through(answers.take(ALL, now_s=100.0)) == [5]
    assert _through(answers.take(ALL, now_s=102.0)) == [5]
    assert answers.take(ALL, now_s=110.0) == []


def test_a_hole_that_was_filled_is_not_told() -> None:
    """The hub went back by itself; sending it back again would only repeat what is stored."""
    answers = Answers(every=EVERY)
    answers.add([_answer(5, Urgency.HOLE)], now_s=100.0)
    answers.take(ALL, now_s=100.0)
    answers.add([_answer(5, Urgency.HOLE)], now_s=100.1)
    answers.add([_answer(9)], now_s=100.2)

    assert _through(answers.take(ALL, now_s=110.0)) == [9]

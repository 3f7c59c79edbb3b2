"""The life of an alert."""

import itertools
from datetime import UTC, datetime

import msgspec
import pytest

from alerts.alert import FAULTS, Outcome, Question, State, may_become, outcome_of, question_of, state_of
from alerts.backtest import Compared


@pytest.mark.parametrize("then", list(State))
def test_closed_is_final(then: State) -> None:
    """An outcome that could be undone would be no label to learn from."""
    assert not may_become(State.CLOSED, then)


def test_every_open_state_can_reach_every_other_and_its_end() -> None:
    """Letting go leads back, so no alert is stuck with somebody who cannot go."""
    living = [State.OPEN, State.ACKNOWLEDGED]
    for state, then in itertools.permutations([*living, State.CLOSED], 2):
        assert may_become(state, then) == (state in living)


def test_a_call_for_help_is_never_a_fault() -> None:
    """Faults are told to the operator first, and close themselves."""
    assert Question.ALARM not in FAULTS
    assert not FAULTS & {Question.STILL, Question.STILL_UNUSUAL}


@pytest.mark.parametrize("word", ["kettle_unused", "", "ALARM", "still "])
def test_a_word_of_a_newer_release_is_read_as_it_stands(word: str) -> None:
    """Two releases share the tables while one follows the other; the older one must not stop at a word."""
    assert (question_of(word), outcome_of(word)) == (word, word)
    assert state_of(word) is State.OPEN, "whoever cannot tell must look"


@pytest.mark.parametrize("word", [*Question, *Outcome, *State])
def test_a_word_of_ours_is_read_as_what_it_means(word: Question | Outcome | State) -> None:
    """What is compared by identity elsewhere must be that."""
    read = {Question: question_of, Outcome: outcome_of, State: state_of}[type(word)]

    assert read(str(word)) is word


def test_a_look_back_that_a_newer_release_kept_can_be_read() -> None:
    """Its page lists every alert of the days that it looked at."""
    at = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
    kept = Compared(question="kettle_unused", what="", since=at, now_at=None, then_at=at, outcome=None)

    assert msgspec.convert(msgspec.to_builtins(kept), Compared) == kept

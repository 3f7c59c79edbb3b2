"""The life of an alert."""

import itertools

import pytest

from alerts.alert import FAULTS, Question, State, may_become


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

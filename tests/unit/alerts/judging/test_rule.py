"""Is a hand-set rule kept as it was set, and refused where it could never be true?"""

from datetime import UTC, time, timedelta
from typing import Any

import pytest
from hypothesis import given

from alerts.judging.rule import Rule, Sees, from_json, to_json
from tests.unit.alerts.judging.recorded import rules

MORNING: dict[str, Any] = {
    "name": "kitchen in the morning",
    "sees": Sees.NO_MOVEMENT,
    "rooms": ("kitchen",),
    "lasts": timedelta(hours=3),
    "days": (1, 2, 3, 4, 5),
    "hours_from": time(9),
    "hours_until": time(12),
}


@given(rules())
def test_a_rule_comes_back_as_it_was_set(rule: Rule) -> None:
    """A rule that changes on its way is a rule that nobody set."""
    assert from_json(to_json(rule)) == rule


@pytest.mark.parametrize(
    "wrong",
    [
        {"lasts": timedelta(hours=3, minutes=1)},
        {"lasts": timedelta(seconds=30)},
        {"days": ()},
        {"days": (1, 8)},
        {"days": (1, 1)},
        {"name": ""},
        {"name": "x" * 41},
        {"rooms": ("kitchen\n",)},
        {"hours_from": time(9, tzinfo=UTC)},
        {"hours_from": time(0), "hours_until": time(0), "lasts": timedelta(hours=25)},
    ],
)
def test_a_rule_that_can_never_be_true_is_refused(wrong: dict[str, Any]) -> None:
    """Whoever relies on a rule that cannot be broken relies on nothing."""
    with pytest.raises(ValueError, match=r"rule|plain words"):
        Rule(**{**MORNING, **wrong})


def test_all_the_time_a_rule_may_last_for_days() -> None:
    """No movement in the bathroom for thirty hours knows no midnight."""
    rule = Rule(name="bathroom", sees=Sees.NO_MOVEMENT, rooms=("bathroom",), lasts=timedelta(hours=30))

    assert rule.longest() == timedelta(days=7)

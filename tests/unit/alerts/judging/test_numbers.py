"""Do numbers that were set for all homes, a group and one make the policy that was meant?"""

from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging import policy as policies
from alerts.judging.numbers import PRODUCTS_OWN, Numbers, changed, checked, made_of
from alerts.judging.policy import DEFAULT, Policy, from_json
from tests.unit.alerts.judging.recorded import policies as some_policies

# Waking hours go together or not at all; two layers that set one each are tried by themselves below.
_PAIR = ("waking_from", "waking_until")


@st.composite
def layers(draw: st.DrawFn) -> list[Numbers]:
    """Return some of the numbers of three policies."""
    found: list[Numbers] = []
    for _ in range(3):
        said = policies.to_json(draw(some_policies()))
        keys = draw(st.sets(st.sampled_from([key for key in PRODUCTS_OWN if key not in _PAIR])))
        keys |= set(_PAIR) if draw(st.booleans()) else set()
        found.append({key: said[key] for key in PRODUCTS_OWN if key in keys})
    return found


@given(layers())
def test_each_number_is_the_one_that_was_set_nearest_to_the_home(said: list[Numbers]) -> None:
    """Who tunes one home must not lose what stands for its street, and nobody's number may come from elsewhere."""
    made = made_of(said, policy=7, versions=(3, 1))
    policy = policies.to_json(made)

    for key, own in PRODUCTS_OWN.items():
        if key == "rules":
            continue
        assert policy[key] == next((numbers[key] for numbers in reversed(said) if key in numbers), own)
    assert (made.policy, made.versions) == (7, (1, 3))


@given(layers())
def test_rules_of_all_scopes_stand_together_and_the_nearest_of_a_name(said: list[Numbers]) -> None:
    """A rule for one home must not silence its street's, unless it is called the same."""
    rules = {rule.name: rule for numbers in said for rule in from_json({"policy": None, **numbers}).rules}

    assert made_of(said, policy=None, versions=()).rules == tuple(rules[name] for name in sorted(rules))


@given(some_policies())
def test_what_differs_from_the_products_own_makes_the_same_policy(policy: Policy) -> None:
    """A home that sets only what it changes follows the others in all else, and is judged the same today."""
    assert made_of([checked(changed(policy))], policy=policy.policy, versions=policy.versions) == replace(
        policy, rules=tuple(sorted(policy.rules, key=attrgetter("name")))
    )


def test_nothing_set_is_the_products_own() -> None:
    """A home nobody thought of is watched all the same."""
    assert made_of([], policy=None, versions=()) == DEFAULT


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ({"still_fr_s": 3600.0}, "no still_fr_s"),
        ({"still_for_s": 0}, "still_for"),
        ({"still_for_s": "five hours"}, "still_for"),
        ({"waking_from": "25:00"}, "waking_from"),
        ({"rules": [{"name": "x", "sees": "open", "lasts_s": 7200, "hours_until": "01:00:00"}]}, "rule x: can last"),
        ({"rules": "none"}, "rules"),
        ({"policy": 4}, "no policy"),
        ({"versions": [4]}, "no versions"),
    ],
)
def test_a_number_that_is_none_is_refused_with_its_name(numbers: Numbers, word: str) -> None:
    """A misspelt threshold that is kept in silence is a threshold that nobody set."""
    with pytest.raises(ValueError, match=word):
        checked(numbers)


def test_two_scopes_whose_hours_do_not_go_together_make_no_policy() -> None:
    """A street that wakes at eight and a home that sleeps from half past eight: somebody must look."""
    with pytest.raises(ValueError, match="waking hours"):
        made_of([{"waking_from": "08:00:00"}, {"waking_until": "08:30:00"}], policy=None, versions=())


def test_a_policy_of_an_older_release_is_read_with_the_products_own_for_the_rest() -> None:
    """A new number must not make the numbers of last year unreadable."""
    assert policies.from_json({"policy": 3, "still_for_s": 3600.0}) == Policy(policy=3, still_for=timedelta(hours=1))

"""Is a threshold read as it was written, and shown so that it can be written again?"""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging import words
from alerts.judging.numbers import made_of
from alerts.judging.policy import Policy
from alerts.judging.rule import Rule, Sees
from tests.unit.alerts.judging.recorded import policies, rules


@given(policies())
def test_what_is_shown_can_be_written_as_it_stands(policy: Policy) -> None:
    """An operator who changes one number must not change the others by saving what the page shows."""
    plain = replace(policy, policy=None, rules=())

    written = {name: words.said(plain, name) for name in words.names()}

    assert made_of([words.numbers(written)], policy=None, versions=()) == plain


@given(rules())
def test_a_rule_that_is_shown_can_be_written_as_it_stands(rule: Rule) -> None:
    """Likewise a rule; of one that is not asked only the name is shown, and counts."""
    again = words.rule(words.rule_said(rule))

    assert again == rule if rule.is_asked else (again.name, again.is_asked) == (rule.name, False)


@given(st.integers(1, 7 * 86400))
def test_a_duration_is_shown_as_it_is_read(seconds: int) -> None:
    """To the second, for a threshold is a promise."""
    assert words.duration(words.duration_said(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00",
            Rule(
                name="quiet kitchen",
                sees=Sees.NO_MOVEMENT,
                rooms=("kitchen",),
                lasts=timedelta(hours=3),
                days=(1, 2, 3, 4, 5),
                hours_from=time(9),
                hours_until=time(12),
            ),
        ),
        (
            "door at night: open in front door, back door for 10 min on every day from 22:00 to 6:00",
            Rule(
                name="door at night",
                sees=Sees.OPEN,
                rooms=("front door", "back door"),
                lasts=timedelta(minutes=10),
                hours_from=time(22),
                hours_until=time(6),
            ),
        ),
        (
            "Sundays: no movement for 90 min on sun from 10:00 to 13:00",
            Rule(
                name="Sundays",
                sees=Sees.NO_MOVEMENT,
                lasts=timedelta(minutes=90),
                days=(7,),
                hours_from=time(10),
                hours_until=time(13),
            ),
        ),
    ],
)
def test_the_examples_of_rules_mean_what_they_say(written: str, meant: Rule) -> None:
    """The form in which operators are told how to write them."""
    assert words.rule(written) == meant


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: words.number("still_fr", "5 h"), "no threshold 'still_fr'"),
        (lambda: words.number("still_for", "5"), "still_for: '5' is not a duration"),
        (lambda: words.number("still_for", "5 hours"), "not a duration"),
        (lambda: words.number("learned", "perhaps"), "yes or no"),
        (lambda: words.number("cold_c", "warm"), "not a number"),
        (lambda: words.number("waking_from", "7"), "time of day"),
        (lambda: words.rule("nothing at all"), "not written like"),
        (lambda: words.rule("x: open in hall"), "not written like"),
        (lambda: words.rule("x: open in hall for 5 min on mon, noday"), "not written like|no day"),
        (lambda: words.rule("x: open in hall for 2 h from 01:00 to 02:00"), "can last"),
    ],
)
def test_what_is_written_otherwise_is_refused_in_words(wrong: object, word: str) -> None:
    """Whoever mistypes at night is told what was expected."""
    with pytest.raises(ValueError, match=word):
        wrong()  # type: ignore[operator]  # Each is a call.

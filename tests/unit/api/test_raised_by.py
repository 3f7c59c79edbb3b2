"""Does an alert say by which number it was raised, and who set that?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging import labels, numbers, words
from alerts.judging.finding import JSON
from alerts.judging.policy import DEFAULT, Policy
from alerts.store.versions import ALL, Scope, Version, Width
from api.views import thresholds
from api.views.raised_by import RaisedBy, raised_by
from tests.unit.api.test_state import alert

NOW: Final = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
SET_AT: Final = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
HERE: Final = Scope(Width.HOME, "h")


def version(number: int, scope: Scope, said: dict[str, JSON], **facts: Any) -> Version:
    usual = Version(
        version=number,
        scope=scope,
        numbers=said,
        in_force_since=SET_AT,
        settled_at=SET_AT,
        set_at=SET_AT,
        set_by="jane",
        set_by_name="Jane Hill",
        why="w",
        takes_back=None,
    )
    return replace(usual, **facts)


def said(question: Question, *versions: Version, why: dict[str, Any] | None = None) -> RaisedBy | None:
    """Return what is said of an alert that these versions raised."""
    policy = numbers.made_of([one.numbers for one in versions], policy=1, versions=[one.version for one in versions])
    return raised_by(alert(question=question, why=why or {}), policy, versions, now=NOW)


def test_a_number_is_said_with_who_set_it_when_and_for_whom() -> None:
    """A carer who is called at three asks why; the answer is a person's decision, with its date."""
    found = said(Question.STILL, version(7, HERE, {"still_for_s": 4 * 3600}))

    assert found is not None
    assert found.said == (
        "Raised by “No movement for” 4 h, set for this home by Jane Hill at 14:05 on Tuesday 3 March (version 7)."
    )
    assert (found.short, found.version and found.version.version) == ("“No movement for” 4 h", 7)


def test_a_number_that_nobody_set_is_the_products_own() -> None:
    """Otherwise somebody looks for a person who never decided anything."""
    found = said(Question.STILL_UNUSUAL)

    assert found is not None
    own = labels.said(DEFAULT, "patience")
    assert found.said == f"Raised by “Unusual here: one false alarm is worth a wait of” {own}, the product's own."
    assert found.version is None


def test_what_is_in_force_later_than_it_was_set_says_from_when() -> None:
    """Set in the afternoon, in force from the evening: the alert between the two was another number's."""
    later = version(
        2, Scope(Width.GROUP, "flats"), {"night_up_for_s": 3600.0}, in_force_since=SET_AT + timedelta(hours=8)
    )
    found = said(Question.NIGHT_UP, later, why={"longest_s": 5400})

    assert found is not None
    assert found.said == (
        "Raised by “Up at night for” 1 h, set for the group flats by Jane Hill at 14:05 on Tuesday 3 March, "
        "in force from 22:05 on Tuesday 3 March (version 2)."
    )


def test_numbers_of_two_scopes_are_told_apart() -> None:
    """How cold is cold was set for all; how long it may be so, for this home."""
    everywhere = version(3, ALL, {"cold_c": 17.0}, set_by="setup", set_by_name=None)
    here = version(5, HERE, {"cold_for_s": 3600.0})
    found = said(Question.COLD, everywhere, here)

    assert found is not None
    assert "“Cold below” 17 °C, set for all homes by a setup file" in found.said
    assert "; “Cold for” 1 h, set for this home by Jane Hill" in found.said
    assert found.version == here


@pytest.mark.parametrize(
    ("question", "why", "short"),
    [
        (Question.OUT, {"at_night": True}, "“Home by” 23:00, “Out at night for” 1 h"),
        (Question.OUT, {"at_night": False}, "“Out for” 8 h, “Home by” 23:00"),
        (Question.DOOR_OPEN, {"longest_s": 600}, "“Door open at night for” 10 min"),
        (Question.DOOR_OPEN, {"longest_s": 1800}, "“Door open for” 30 min"),
        (Question.SENSOR_SILENT, {"promise_s": 10800}, "“Thermometer or plug silent after” 3 h"),
        (Question.SENSOR_STUCK, {}, "“Sensor notices nothing: times the longest that is usual” 2"),
        (Question.BATTERY_LOW, {}, "“Battery low at” 15 %"),
        (Question.HOT, {}, "“Hot above” 30 °C, “Hot for” 2 h"),
    ],
)
def test_only_the_numbers_that_counted_are_said(question: Question, why: dict[str, Any], short: str) -> None:
    """By day another number counts than by night; both would explain nothing."""
    found = said(question, why=why)

    assert found is not None
    assert found.short == short


def test_a_rule_is_said_as_it_was_written_and_by_whom() -> None:
    """Of two of one name the nearer to the home counts, so its author is named."""
    rule = "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"
    wide = version(1, ALL, dict(words.numbers({}, (rule.replace("3 h", "2 h"),))))
    near = version(4, HERE, dict(words.numbers({}, (rule,))), set_by_name="Tom Hill")
    found = said(Question.RULE, wide, near, why={"rule": "quiet kitchen"})

    assert found is not None
    assert found.said.startswith(f"Raised by the rule “{rule}”, set for this home by Tom Hill")


def test_what_nobody_can_set_names_no_number() -> None:
    """A press is a press; a policy has nothing to do with it."""
    assert said(Question.ALARM) is None
    assert said(Question.HUB_SILENT) is None


@given(
    st.sampled_from(list(Question)),
    st.dictionaries(st.sampled_from(["longest_s", "promise_s"]), st.none() | st.floats()),
)
def test_whatever_a_detector_wrote_it_can_be_said(question: Question, why: dict[str, Any]) -> None:
    """An alert of an earlier release must open at night too."""
    found = said(question, why=why)

    assert found is None or found.short


@pytest.mark.parametrize("name", words.names())
def test_every_number_has_a_name_that_a_person_reads(name: str) -> None:
    """`gauge_silent_after` says nothing to whoever tunes it."""
    shown = [field for section in thresholds.sections(DEFAULT, {}, []) for field in section.fields]

    assert labels.LABELS[name][0].isupper()
    assert "_" not in labels.LABELS[name]
    assert [field.label for field in shown if field.name == name] == [
        f"{labels.LABELS[name]}, {labels.unit(name)}".removesuffix(", ")
    ]


def test_a_number_is_said_with_its_unit() -> None:
    """16 of what?"""
    policy = Policy(cold_c=16.5, battery_low_pct=20)

    assert [labels.said(policy, name) for name in ("cold_c", "battery_low_pct", "still_for", "learned")] == [
        *("16.5 °C", "20 %", "6 h", "yes")
    ]

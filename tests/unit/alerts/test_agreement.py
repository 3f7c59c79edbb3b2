"""Does the checker of a replay's file notice what is wrong with one?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.agreement import disagreements
from alerts.judging.policy import Policy
from alerts.recording import Observed
from alerts.replayed import lines_of

BEGINS = datetime(2019, 6, 3, 7, 30, tzinfo=UTC)
OBSERVED = [Observed(BEGINS + timedelta(hours=hours), "kitchen") for hours in (0, 1, 2, 11, 12)]

Lines = list[dict[str, Any]]


def said(hour: int, minute: int = 0) -> str:
    """Return a moment of that day as it stands in the file, in summer time."""
    return f"2019-06-03T{hour:02d}:{minute:02d}:00+01:00"


def lines() -> Lines:
    """Return a day with an alert at 16:30, half a minute of tampering away from a wrong one."""
    made: Lines = [dict(line) for line in lines_of("a", OBSERVED, Policy(learned=False))]
    assert next(line["at"] for line in made if line["kind"] == "alert") == said(16, 30)
    return made


def without_alerts(made: Lines) -> Lines:
    """Leave out what was promised."""
    return [line for line in made if line["kind"] != "alert"]


def without_a_dial(made: Lines) -> Lines:
    """Leave out an hour."""
    first = next(line for line in made if line["kind"] == "dial")
    return [line for line in made if line is not first]


def with_late_dials(made: Lines) -> Lines:
    """Promise the alert a minute later than it comes."""
    return [
        line | {"next_alert_at": said(16, 31)} if line.get("next_alert_at") == said(16, 30) else line for line in made
    ]


def with_dials_that_promise_nothing(made: Lines) -> Lines:
    """Say that none would ever come."""
    return [line | {"next_alert_at": None} if line["kind"] == "dial" else line for line in made]


def with_an_alert_out_of_the_blue(made: Lines) -> Lines:
    """Raise one in the silent hours that no dial spoke of."""
    alert = next(line for line in made if line["kind"] == "alert")
    number = made.index(alert)
    return [*made[:number], alert | {"at": said(16, 15)}, *made[number:]]


def with_an_alert_that_stays_open(made: Lines) -> Lines:
    """Go on calling it open although somebody was seen."""
    return [
        line | {"next_alert_at": said(16, 30)} if line["kind"] == "dial" and line["at"] == said(20) else line
        for line in made
    ]


def with_a_block_that_is_not_over(made: Lines) -> Lines:
    """Score an evening before it has passed."""
    block = next(line for line in made if line["kind"] == "unusual")
    return [line | {"from": said(12), "until": said(23)} if line is block else line for line in made]


def in_another_order(made: Lines) -> Lines:
    """Say the evening before the morning."""
    return made[::-1]


def test_a_file_as_it_is_written_agrees() -> None:
    """Otherwise the tampering below would prove nothing."""
    assert list(disagreements(lines(), [one.at for one in OBSERVED])) == []


@pytest.mark.parametrize(
    "tamper",
    [
        without_alerts,
        without_a_dial,
        with_late_dials,
        with_dials_that_promise_nothing,
        with_an_alert_out_of_the_blue,
        with_an_alert_that_stays_open,
        with_a_block_that_is_not_over,
        in_another_order,
    ],
)
def test_a_file_that_was_tampered_with_disagrees(tamper: Callable[[Lines], Lines]) -> None:
    """A checker that finds nothing wrong with this would find nothing wrong with anything."""
    assert list(disagreements(tamper(lines()), [one.at for one in OBSERVED])) != []

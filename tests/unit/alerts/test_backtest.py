"""Does a look back over weeks know when a home began?"""

from datetime import UTC, datetime, timedelta

from alerts.backtest import look_back
from alerts.judging.finding import iso
from alerts.judging.lane import Input
from alerts.judging.policy import Policy
from ingest import entry
from ingest.entry import Batch

HOME, HUB = "mill-lane-3", "hub-1"
BEGUN = datetime(2026, 11, 22, 14, 51, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_home_that_was_not_there_yet_was_not_unseen() -> None:
    """An operator who is shown an alert of four weeks before a home was set up believes no figure any more."""
    heard = [Batch(0, 2, BEGUN + MINUTE, (entry.Heard(HOME, HUB, 0, 0, radio_up=False),))]
    heard += [
        Batch(0, number, BEGUN + number * MINUTE, (entry.Heard(HOME, HUB, 0, 0, radio_up=True),))
        for number in range(3, 60)
    ]
    steps: list[Batch | Input] = [Input(1, HOME, BEGUN, "watched", {"hub": HUB, "since": iso(BEGUN)}), *heard]

    found = look_back(
        HOME, steps, (Policy(), Policy()), since=BEGUN - timedelta(days=28), until=BEGUN + timedelta(hours=1)
    )

    assert found.alerts == ()
    assert found.since == BEGUN

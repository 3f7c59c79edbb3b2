"""Is a recording without its idle heartbeats judged as it would be with them?"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings

from alerts.judging.finding import Verdict
from alerts.judging.lane import Input, LaneJudge
from alerts.thinning import thinned
from ingest import entry
from tests.unit.alerts.judging.recorded import HOME, NINE, heartbeat, minutes, movement
from tests.unit.alerts.judging.test_lane import HOMES, HUBS, Happened, days


def judged(happened: list[Happened]) -> list[Verdict]:
    judge = LaneJudge({}, None)
    found: list[Verdict] = []
    for one in happened:
        found += judge.take(one) if isinstance(one, entry.Batch) else judge.apply(one)
    return found + judge.advance(NINE + timedelta(days=60))


def of_one_home(happened: list[Happened]) -> list[Happened]:
    """Return what concerns the first home and its one hub, with a heartbeat every minute of the first day."""
    kept: list[Happened] = []
    for one in happened:
        if isinstance(one, Input):
            is_ours = one.home == HOMES[0] and one.content.get("hub", HUBS[0]) == HUBS[0]
            kept += [one] if is_ours else []
            continue
        said = tuple(
            each
            for each in one.entries
            if isinstance(each, entry.Deaf) or (each.home == HOMES[0] and each.hub == HUBS[0])
        )
        kept += [replace(one, entries=said)] if said else []
    return kept


@given(days())
@settings(max_examples=150)
def test_what_is_left_out_changes_no_finding(happened: list[Happened]) -> None:
    """A look back that is quicker because it judges something else is worth nothing."""
    recorded = of_one_home(happened)

    assert judged(list(thinned(recorded, HOMES[0]))) == judged(recorded)


def test_a_night_of_heartbeats_is_two_and_a_silent_hub_is_noticed_to_the_second() -> None:
    """What is left out must not stand in for a hub that died."""
    watched = Input(1, HOME, NINE, "watched", {"hub": "hub-1", "since": NINE.isoformat()})
    beats = [entry.Batch(0, n, NINE + minutes(n), (heartbeat(),)) for n in range(1, 600)]
    moved = entry.Batch(0, 600, NINE + minutes(599.5), (movement(NINE + minutes(599)),))

    short = list(thinned([watched, *beats, moved], HOME))

    assert [one.position for one in short if isinstance(one, entry.Batch)] == [1, 599, 600]
    assert judged(short) == judged([watched, *beats, moved])


def test_a_hub_that_reported_before_it_was_watched_is_heard_when_it_is() -> None:
    """Its first report after that is the one that counts."""
    beats = [entry.Batch(0, n, NINE + minutes(n), (heartbeat(),)) for n in range(1, 60)]
    at = NINE + minutes(10)
    watched = Input(1, HOME, at, "watched", {"hub": "hub-1", "since": at.isoformat()})
    recorded: list[Happened] = [*beats[:10], watched, *beats[10:]]

    assert judged(list(thinned(recorded, HOME))) == judged(recorded)

"""Is each moment of a home written down as it was seen, for good?

The oracle below knows the log alone: heartbeats, when we were deaf, and what a hub promises.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.judging.finding import SeenLater
from alerts.judging.home import FORMAT, dump, load
from alerts.judging.lane import LaneJudge
from alerts.judging.minutes import Span
from alerts.judging.watched import BROKER, HUB, LINE, PAUSED, US, Watched, watched
from gateway import heartbeat as promise
from ingest import entry
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, heartbeat, minutes, movement

_PROMISE = promise.EVERY + promise.GRACE
_MOMENT = timedelta(microseconds=1)


@dataclass
class Clock:
    """What the worker writes of one home: a span at a time, never before the one that is open."""

    spans: list[Span] = field(default_factory=list)

    def note(self, lane: Lane) -> None:
        state = lane.judge.state_of(HOME)
        if not state.is_watch_sure:
            return
        watch = state.watch
        new = Span(watch.since, None, watch.state, watch.why)
        if not self.spans:
            self.spans.append(new)
        last = self.spans[-1]
        assert watch.since >= last.since, "what has ended is never rewritten"
        if watch.since == last.since:
            self.spans[-1] = new
        elif (last.state, last.why) != (watch.state, watch.why):
            self.spans[-1:] = [Span(last.since, watch.since, last.state, last.why), new]

    def at(self, moment: datetime) -> Watched:
        return next(
            one.state for one in self.spans if one.since <= moment and (one.until is None or moment < one.until)
        )


@dataclass(frozen=True)
class Log:
    """What was received of one hub.

    Attributes:
        beats: when it was heard, and whether it heard its sensors, in order.
        deaf: when nobody was heard: since, until.
        through: everything up to here was judged.
    """

    beats: tuple[tuple[datetime, bool], ...]
    deaf: tuple[tuple[datetime, datetime], ...]
    through: datetime

    def sees(self, at: datetime) -> bool:
        """Return whether a movement at that moment is known to have reached us."""
        before = [beat for beat in self.beats if beat[0] <= at]
        if not before or not before[-1][1]:
            return False
        heard, ends = before[-1][0], self.through
        after = [beat[0] for beat in self.beats if beat[0] > at]
        deaf = [one for one in self.deaf if one[1] > heard and (not after or one[0] < after[0])]
        if any(since <= at for since, _ in deaf):
            return False
        if deaf:
            # A hub that was late before anybody was deaf may have been gone.
            return deaf[0][0] - heard <= promise.EVERY
        if after:
            # What is received in the moment in which a promise breaks comes before that.
            return after[0] - heard <= _PROMISE
        return ends - heard < _PROMISE


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["beat", "beat", "beat", "beat", "no radio", "deaf", "moved", "line"]),
        st.sampled_from([_MOMENT, minutes(0.5), minutes(1), minutes(1), minutes(2), _PROMISE, minutes(7)]),
    ),
    max_size=30,
)


def live(steps: list[tuple[str, timedelta]], *, saves: int = 0) -> tuple[Clock, Log]:
    """Let a home live through steps, and return what was written and what was received."""
    lane, clock, beats, deaf, at = Lane(), Clock(), [], [], NINE
    lane.give("watched", {"hub": "hub-1", "since": NINE.isoformat()}, at=at)
    clock.note(lane)
    for number, (what, pause) in enumerate(steps):
        at += pause
        lane.pass_(at - (pause if what == "deaf" else _MOMENT))
        clock.note(lane)
        match what:
            case "beat" | "no radio":
                lane.receive(heartbeat(radio_up=what == "beat"), at=at)
                beats.append((at, what == "beat"))
            case "deaf":
                lane.receive(entry.Deaf(at - pause, at), at=at)
                deaf.append((at - pause, at))
            case "moved":
                lane.receive(movement(at), at=at)
            case "line":
                lane.receive(entry.Linked(HOME, "hub-1", bool(number % 2)), at=at)
        clock.note(lane)
        if saves and number % saves == 0:
            state = load(dump(lane.judge.state_of(HOME)), FORMAT, "")
            assert state is not None
            lane.judge = LaneJudge({HOME: state}, lane.judge.judged_through)
    through = at + minutes(1)
    lane.pass_(through)
    clock.note(lane)
    return clock, Log(tuple(beats), tuple(deaf), through)


def test_a_hub_that_was_late_when_the_broker_went_may_have_been_gone() -> None:
    """`telecare chaos --seed 23004`: a hub died, and before that was noticed nobody could be heard any more."""
    beat, away = ("beat", minutes(1)), ("deaf", minutes(5))

    late, _ = live([beat, beat, ("line", minutes(2)), away, beat])
    in_time, _ = live([beat, beat, ("line", minutes(0.5)), away, beat])

    assert [one.since for one in late.spans if one.state is Watched.BLIND][-1] == NINE + minutes(2)
    assert [one.since for one in in_time.spans if one.state is Watched.BLIND][-1] == NINE + minutes(2.5)


@given(_STEPS)
@settings(max_examples=300, deadline=None)
def test_a_moment_is_watched_if_and_only_if_a_promise_held_on_both_sides_of_it(
    steps: list[tuple[str, timedelta]],
) -> None:
    """Promise P2, held against the log alone: the moments after the last thing heard are blind for good."""
    clock, log = live(steps)

    moments = {NINE, log.through - _MOMENT}
    for at in [*(at for at, _ in log.beats), *(end for one in log.deaf for end in one)]:
        moments |= {at - _MOMENT, at, at + minutes(0.3), at + minutes(2)}
    for moment in sorted(one for one in moments if NINE <= one < log.through):
        assert (clock.at(moment) is not Watched.BLIND) == log.sees(moment), moment


@given(_STEPS, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_spans_tile_the_time_however_often_they_are_saved(steps: list[tuple[str, timedelta]], saves: int) -> None:
    """A minute that stands nowhere, or twice, would make every figure a lie."""
    clock, _ = live(steps, saves=saves)

    assert clock.spans[0].since == NINE
    assert all(one.until == two.since for one, two in pairwise(clock.spans))
    assert all(one.until is None or one.since < one.until for one in clock.spans)
    assert clock.spans == live(steps)[0].spans


@given(_STEPS)
@settings(max_examples=100, deadline=None)
def test_no_page_says_fine_of_a_moment_that_is_blind_later_than_a_promise_allows(
    steps: list[tuple[str, timedelta]],
) -> None:
    """What a page said is held against what was written in the end: it may be off by every + grace, and no more."""
    lane, shown, at = Lane(), [], NINE
    lane.give("watched", {"hub": "hub-1", "since": NINE.isoformat()}, at=at)
    for what, pause in steps:
        lane.pass_(at := at + pause)
        now = lane.now()
        if now.state is not Watched.BLIND and now.promised_until is not None:
            shown.append((at, now.promised_until, now.last_heard_at))
        if what in ("beat", "no radio"):
            lane.receive(heartbeat(radio_up=what == "beat"), at=at)
    written, _ = live([(what, pause) for what, pause in steps if what != "deaf"])

    for since, fine_until, heard_at in shown:
        assert fine_until > since
        assert heard_at is not None
        assert fine_until <= heard_at + _PROMISE
        if written.spans and since < (written.spans[-1].since):
            assert written.at(since) is not Watched.BLIND or since < heard_at + _PROMISE


@pytest.mark.parametrize(("whose", "why"), [("us", US), ("broker", BROKER)])
def test_our_own_deafness_says_whose_it_was(whose: str, why: str) -> None:
    """An operator looks at another machine for each of the two."""
    lane, clock = Lane(), Clock()
    lane.watch()
    lane.pass_(NINE + minutes(1))

    lane.receive(entry.Deaf(NINE + minutes(1), NINE + minutes(9), whose), at=NINE + minutes(9))
    clock.note(lane)

    assert clock.spans[-1] == Span(NINE + minutes(1), None, Watched.BLIND, (why,))


@pytest.mark.parametrize(("is_up", "why"), [(False, LINE), (True, HUB)])
def test_a_silent_box_whose_line_went_down_is_told_from_one_that_says_nothing(is_up: bool, why: str) -> None:
    """No power or no network is another visit than a box that hangs."""
    lane = Lane()
    lane.watch()

    lane.receive(entry.Linked(HOME, "hub-1", is_up), at=NINE + minutes(2))
    lane.pass_(NINE + minutes(4))

    assert lane.now().why == (why,)
    lane.receive(heartbeat(), at=NINE + minutes(5))
    assert lane.now().why == ()


def test_what_arrives_later_is_said_beside_the_blind_time_and_does_not_end_it() -> None:
    """Blind 09:00 to 09:25, seen later: the figure stays, and a family learns that nothing had happened."""
    lane, clock = Lane(), Clock()
    lane.watch()
    lane.pass_(NINE + minutes(25))
    clock.note(lane)

    lane.receive(heartbeat(held=2), at=NINE + minutes(25))
    lane.receive(movement(NINE + minutes(8)), movement(NINE + minutes(20)), at=NINE + minutes(26))
    assert [one for one in lane.found if isinstance(one, SeenLater)] == []
    lane.receive(heartbeat(), at=NINE + minutes(27))
    clock.note(lane)

    (seen,) = (one for one in lane.found if isinstance(one, SeenLater))
    assert (seen.since, seen.until) == (NINE, NINE + minutes(25))
    assert (seen.first_seen_at, seen.last_seen_at, seen.readings) == (NINE + minutes(8), NINE + minutes(20), 2)
    assert clock.spans[0] == Span(NINE, NINE + minutes(25), Watched.BLIND, (HUB,))


def test_a_box_that_kept_nothing_explains_nothing() -> None:
    """A power cut: nobody may say afterwards that the home was seen."""
    lane = Lane()
    lane.watch()
    lane.pass_(NINE + minutes(25))

    lane.receive(heartbeat(), at=NINE + minutes(25))
    lane.receive(movement(NINE + minutes(26)), at=NINE + minutes(26))
    lane.receive(heartbeat(), at=NINE + minutes(27))

    assert [one for one in lane.found if isinstance(one, SeenLater)] == []


def test_a_paused_home_is_neither_fine_nor_blind() -> None:
    """The resident asked for it: it is nobody's fault, and no reason to call it watched."""
    assert watched([], is_time_uncertain=False, is_paused=True) == (Watched.PAUSED, (PAUSED,))

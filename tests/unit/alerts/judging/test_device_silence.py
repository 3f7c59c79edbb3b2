"""Is a broken promise noticed at the first bad moment, and never before?"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.detectors.device_silence import HUB, TROUBLES_MAX, Hub, Promise, broken_at
from tests.unit.alerts.judging.recorded import NINE, heartbeat, minutes

_SPANS = st.timedeltas(timedelta(0), timedelta(days=2))


def test_a_hub_promises_a_heartbeat_a_minute_and_may_be_two_late() -> None:
    """The figures of the first promise, so that nobody changes them by accident."""
    assert broken_at(NINE, HUB) == NINE + minutes(3)


@given(_SPANS, _SPANS)
def test_heard_later_is_silent_later(every: timedelta, later: timedelta) -> None:
    """A heartbeat must never bring the alert nearer."""
    promise = Promise(every, timedelta(seconds=1))

    assert broken_at(NINE + later, promise) - broken_at(NINE, promise) == later


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=20))
def test_a_backlog_is_waited_for_from_when_it_was_first_said(said: list[tuple[int, bool, bool]]) -> None:
    """Repeating that it holds something must not put off a judgement for ever."""
    hub, at, began = Hub("hub-1", promised_from=NINE), NINE, None
    for gap, is_holding, was_silent in said:
        at += minutes(gap)
        hub.is_silent = was_silent
        hub.hear(heartbeat(held=7 if is_holding else 0), at=at)
        began = None if not is_holding else at if began is None or was_silent else began

        assert hub.held_since == began


@given(st.lists(st.text(max_size=3), max_size=60))
def test_a_hub_gone_wrong_cannot_grow_what_is_remembered(words: list[str]) -> None:
    """Everything has a limit, also the words of a hub."""
    hub = Hub("hub-1", promised_from=NINE)
    for word in words:
        hub.is_new(word, "today")

    assert len(hub.noted) <= TROUBLES_MAX

"""Is an alarm found of which nobody was told?"""

from datetime import UTC, datetime

from deploy.chaos.cards import Number, Seen
from deploy.chaos.told import untold

NINE = datetime(2026, 5, 11, 9, tzinfo=UTC)
PRESS = Seen("home", "hub", "pendant", "pendant_alarm", 1.0, NINE, "boot", 40)
NAMED = {PRESS: {Number("hub", "outbox", "alarms", 7)}}


def test_an_alarm_without_an_alert_or_without_a_text_is_found() -> None:
    """Somebody lies on the floor, and everything else is fine."""
    assert [one.why for one in untold(NAMED, (), {}, ())] == ["no alert"]
    assert [one.why for one in untold(NAMED, (), {"hub/outbox/7": False}, ())] == ["no text"]
    assert untold(NAMED, (), {"hub/outbox/7": True}, ()) == []


def test_one_that_was_told_before_the_table_was_put_back_was_told() -> None:
    """A hub whose disk was full let go of what was stored, so the older table never hears of it again."""
    assert untold(NAMED, (), {}, {"hub/outbox/7"}) == []
    assert len(untold(NAMED, (), {}, {"hub/outbox/8"})) == 1


def test_what_went_with_a_card_is_forgiven_only_without_an_alert() -> None:
    """Who has an alert can tell it."""
    assert untold(NAMED, {PRESS}, {}, ()) == []
    assert len(untold(NAMED, {PRESS}, {"hub/outbox/7": False}, ())) == 1

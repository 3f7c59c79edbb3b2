"""The reasons in a replay's file are sentences that a carer reads."""

from datetime import UTC, datetime, timedelta

from alerts.alert import Question
from alerts.judging.finding import JSON, Finding
from alerts.sentences import why

_AT = datetime(2026, 6, 16, 21, 30, tzinfo=UTC)


def _found(question: Question, since: datetime, facts: dict[str, JSON]) -> Finding:
    return Finding("home", None, question, since.isoformat(), since, _AT, facts, None)


def test_who_is_out_is_said_to_have_left_by_which_door_and_when_that_is_asked_about() -> None:
    """A carer who reads `left at 2026-06-16T13:05` has to think first."""
    since = _AT - timedelta(hours=8)
    facts: dict[str, JSON] = {
        "left_at": since.isoformat(),
        "left_by": "front-door",
        "out_for_s": 28_800,
        "longest_s": 28_800,
        "home_by": "23:00",
        "at_night": False,
    }

    assert why(_found(Question.OUT, since, facts)) == (
        "Probably out: left by the front door at 14:30 on Tue 16 Jun. Not seen inside for 8 h 00 min; asked about "
        "after 8 h 00 min, or once it is past 23:00."
    )


def test_a_night_on_foot_is_said_with_its_rooms_and_what_is_usual() -> None:
    """How long, where, and how long is usual is what decides whether somebody rings."""
    since = _AT + timedelta(hours=2)
    facts: dict[str, JSON] = {
        "up_for_s": 2_700,
        "out_of_bed": False,
        "rooms": ["hallway", "kitchen"],
        "usual_s": 1_200,
        "nights": 21,
    }

    assert why(_found(Question.NIGHT_UP, since, facts)) == (
        "Up for 45 min in the night since 00:30 on Wed 17 Jun, seen in the hallway and the kitchen; up to 20 min is "
        "usual here, judged by 21 nights."
    )


def test_a_stillness_after_the_door_says_that_somebody_is_probably_out() -> None:
    """Whoever goes there first tries the shop."""
    since = _AT - timedelta(hours=8)
    facts: dict[str, JSON] = {
        "last_seen_room": "front-door",
        "left_at": since.isoformat(),
        "left_by": "front-door",
        "waking_s": 28_800,
        "waking_from": "07:00",
        "waking_until": "22:00",
    }

    said = why(_found(Question.STILL, since, facts))

    assert "Probably out: left by the front door at 14:30 on Tue 16 Jun." in said
    assert said.endswith("That is 8 h 00 min without a movement, counted from 07:00 to 22:00.")

"""Is an alert, and its story, said as it was?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.store import StoryStep
from api.views import alert as words
from tests.unit.api.test_state import alert

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)


def said(*steps: tuple[str, str | None, str]) -> list[tuple[str, str]]:
    """Return the style and words of a story whose steps are a minute apart, as Anne reads it."""
    told = [StoryStep(NOW + timedelta(minutes=n), kind, who, detail) for n, (kind, who, detail) in enumerate(steps)]
    return [(step.kind, step.said) for step in words.story(told, "Margaret", "Anne Reid", now=NOW)]


def test_a_text_that_arrived_is_one_line() -> None:
    """Due, sent and delivered are three rows of ours and one fact for a reader."""
    anne = "Anne Reid"
    lines = said(("text due", anne, "alert, first"), ("text sent", anne, "alert"), ("text delivered", anne, "alert"))

    assert lines == [("done", "Text to you arrived.")]


def test_a_text_that_has_only_left_is_not_said_to_have_arrived() -> None:
    """Sent is not delivered."""
    lines = said(("text due", "Jim", "alert, first"), ("text sent", "Jim", "alert"))

    assert lines == [("done", "Text to Jim has left; we do not know yet whether it arrived.")]


def test_a_text_that_failed_is_not_hidden_by_another_that_arrived() -> None:
    """Each person's texts are their own, and each purpose too."""
    lines = said(
        ("text failed", "Anne Reid", "alert, undelivered, Twilio code 30003"),
        ("text delivered", "Jim", "alert"),
        ("text due", "Jim", "outcome"),
    )

    assert lines == [
        ("failed", "Text to you did not arrive: the phone could not be reached."),
        ("done", "Text to Jim arrived."),
        ("", "Text to Jim, how it ended is about to leave."),
    ]


def test_a_second_text_to_the_same_person_is_not_hidden_by_what_became_of_the_first() -> None:
    """In the second round a text that has not left yet must not look as if nobody were told."""
    lines = said(
        ("text due", "Jim", "alert, no answer"),
        ("text sent", "Jim", "alert"),
        ("text failed", "Jim", "alert, undelivered, Twilio code 30003"),
        ("text due", "Jim", "alert, let go"),
        ("text sent", "Jim", "alert"),
        ("text due", "Jim", "alert, let go"),
    )

    assert lines == [
        ("failed", "Text to Jim did not arrive: the phone could not be reached."),
        ("done", "Text to Jim has left; we do not know yet whether it arrived."),
        ("", "Text to Jim is about to leave."),
    ]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("undelivered, Twilio code 30006", "the number cannot take texts"),
        ("Twilio refused: 400, code 21610", "that phone has sent STOP and takes no texts from us"),
        ("failed, Twilio code 39999", "the network refused it (39999)"),
        ("no phone number", "no phone number"),
        ("", "we do not know why"),
    ],
)
def test_why_a_text_did_not_arrive_is_said_in_words(error: str, why: str) -> None:
    """A number from Twilio's list helps nobody at three in the morning; one that is not on ours is kept."""
    assert said(("text failed", "Jim", f"alert, {error}" if error else "alert")) == [
        ("failed", f"Text to Jim did not arrive: {why}.")
    ]


def test_a_late_press_stands_where_it_was_made_and_says_when_it_reached_us() -> None:
    """Both times matter: when she pressed, and when we knew."""
    lines = said(("pressed", None, "pendant_alarm, bedroom, reached us 2026-06-16T08:14:00Z"))

    assert lines == [("now", "Margaret\u2019s pendant was pressed; it reached us only at 09:14.")]


@given(st.lists(st.tuples(st.text(max_size=20), st.none() | st.text(max_size=20), st.text(max_size=60)), max_size=8))
def test_any_story_can_be_told(steps: list[tuple[str, str | None, str]]) -> None:
    """A step of a newer release, or an odd word in it, must not take the whole page away."""
    assert len(said(*steps)) <= len(steps)


@pytest.mark.parametrize("question", Question)
@given(
    why=st.dictionaries(
        st.sampled_from(
            ["quantity", "unreadable", "last_seen_room", "waking_s", "usual_s", "days", "late_by_s", "what", "again_of"]
        ),
        st.none()
        | st.booleans()
        | st.integers(-5, 10**6)
        | st.text(max_size=10)
        | st.dictionaries(st.text(), st.text()),
    )
)
def test_any_alert_can_be_said(question: Question, why: dict[str, Any]) -> None:
    """Facts are JSON from a database; whatever is odd in them, somebody must still be told."""
    one = alert(question=question, why=why)

    assert words.sentence(one, "Margaret", now=NOW).endswith(".")
    assert all(line for line in words.details(one, "Margaret", now=NOW))


@pytest.mark.parametrize(
    ("why", "line"),
    [
        (
            {"waking_s": 21600, "waking_from": "07:00", "waking_until": "22:00"},
            "That is 6 h without a movement, counted from 07:00 to 22:00.",
        ),
        (
            {"unseen_since": "2026-06-16T05:00:00+00:00", "unseen_until": "2026-06-16T06:30:00+00:00"},
            "From 06:00 to 07:30, 1 h 30 min, we could not see the home: Margaret may have moved then.",
        ),
        (
            {"waking_s": 18000, "waking_from": "00:00", "waking_until": "00:00", "unwatched_s": 7200},
            "That is 5 h without a movement that we could see.",
        ),
        (
            {
                "unseen_since": "2026-06-16T05:00:00+00:00",
                "unseen_until": "2026-06-16T06:30:00+00:00",
                "unwatched_s": 9000,
            },
            "For 2 h 30 min in all we could not see all of it: Margaret may have moved then.",
        ),
    ],
)
def test_a_stillness_says_by_which_rule(why: dict[str, Any], line: str) -> None:
    """Who is woken may ask why now, and what we could not see meanwhile."""
    assert line in words.details(alert(why=why), "Margaret", now=NOW)


def test_an_unusual_stillness_says_what_is_usual_and_from_how_many_days() -> None:
    """No score: a time, and how much it rests on."""
    one = alert(question=Question.STILL_UNUSUAL, why={"usual_s": 7800, "days": 28})

    assert "At this time of day Margaret is usually seen again within 2 h 10 min, judged by 28 days." in words.details(
        one, "Margaret", now=NOW
    )


def test_an_alert_that_came_again_says_how_it_was_closed() -> None:
    """A wrong click is not swallowed, and the next person sees what happened."""
    one = alert(why={"again_of": {"outcome": "all well", "closed_at": "2026-06-16T07:10:00+00:00", "closed_by": "jim"}})

    assert "It was closed as “all well” at 08:10, and it still held. So it is open again." in words.details(
        one, "Margaret", now=NOW
    )

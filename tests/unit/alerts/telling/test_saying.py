"""Does each finding become the sentence that a carer needs, word for word?"""

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.alert import Question
from alerts.telling import saying, wording
from alerts.telling.wording import About, septets
from gateway.reading import ALARMS, Quantity

NOW = datetime(2026, 1, 14, 3, 10, tzinfo=UTC)
SINCE = datetime(2026, 1, 14, 2, 20, tzinfo=UTC)
MARGARET = About("Margaret Reid", 1, "14 Shore Road")

SAID: dict[Question, tuple[dict[str, Any], str]] = {
    Question.OUT: (
        {"left_by": "front door"},
        "Margaret Reid left by the front door at 02:20 and has not been seen since.",
    ),
    Question.STILL: (
        {"left_at": SINCE.isoformat(), "left_by": "front door", "last_seen_room": "front door"},
        "Margaret Reid left by the front door at 02:20 and has not been seen since.",
    ),
    Question.UNSEEN: (
        {"last_seen_at": SINCE.replace(minute=11).isoformat(), "last_seen_room": "bathroom"},
        "We cannot see Margaret Reid's home since 02:20. Last seen in the bathroom at 02:11. Please look.",
    ),
    Question.NIGHT_UP: (
        {"up_for_s": 3000, "usual_s": 600, "out_of_bed": False},
        "Margaret Reid is up and about since 02:20, 50 min in all. Usual here: up to 10 min.",
    ),
    Question.DOOR_OPEN: ({"door": "back door"}, "Margaret Reid's back door has been open since 02:20."),
    Question.RULE: (
        {"rule": "quiet kitchen", "sees": "no movement", "rooms": ["kitchen"], "room": None},
        'Rule "quiet kitchen" in Margaret Reid\'s home: no movement since 02:20.',
    ),
    Question.COLD: (
        {"room": "lounge", "said_c": 13.6},
        "It is too COLD in Margaret Reid's home, lounge: 14 degrees, since 02:20.",
    ),
    Question.HOT: ({"room": None, "said_c": 31.0}, "It is too HOT in Margaret Reid's home: 31 degrees, since 02:20."),
    Question.SENSOR_SILENT: (
        {"room": "bathroom", "sensor": "pir-3"},
        "In Margaret Reid's home the bathroom (pir-3) sensor has been silent since 02:20.",
    ),
    Question.SENSOR_STUCK: (
        {"room": "bathroom", "sensor": "pir-3", "kind": "motion"},
        "In Margaret Reid's home the bathroom (pir-3) sensor reports, but notices nothing since 02:20.",
    ),
    Question.BATTERY_LOW: (
        {"room": None, "sensor": "pir-3", "said_pct": 9.0},
        "In Margaret Reid's home the battery of the pir-3 sensor is low (9%), since 02:20.",
    ),
}


@pytest.mark.parametrize("question", SAID)
def test_a_finding_is_said_as_a_carer_would_say_it(question: Question) -> None:
    """Who is woken by it must know at once what was seen, and since when."""
    why, said = SAID[question]

    text = saying.request(question, MARGARET, SINCE, why, before="", now=NOW)

    assert text.startswith(f"{said} 14 Shore Road. Reply 1 MINE")


def test_while_nobody_knows_what_is_usual_the_text_says_so() -> None:
    """A number that was set by hand must not pass for what is known of this home."""
    why = {"up_for_s": 3600, "usual_s": None, "out_of_bed": True}

    text = saying.request(Question.NIGHT_UP, MARGARET, SINCE, why, before="", now=NOW)

    assert text.startswith("Margaret Reid is out of bed since 02:20. What is usual here is not known yet.")


@pytest.mark.parametrize("question", [question for question in Question if question is not Question.ALARM])
def test_a_finding_of_an_older_release_is_said_too(question: Question) -> None:
    """Its facts may lack what we have thought of since; somebody must be told all the same."""
    assert septets(saying.request(question, MARGARET, SINCE, {}, before="", now=NOW)) > 0


def test_what_mended_itself_is_named() -> None:
    """Whoever has three faults on the list must know which of them is over."""
    why = {"room": "bathroom", "sensor": "pir-3"}

    said = saying.mended(Question.SENSOR_SILENT, "Margaret Reid", why, at=NOW, now=NOW)

    assert said == (
        "Margaret Reid: the bathroom (pir-3) sensor reports again since 03:10. Nobody needs to go for that."
    )


@pytest.mark.parametrize("why", [{}, {"what": "x" * 400}, {"room": "Küche €€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"}])
@pytest.mark.parametrize("question", ["kettle_unused", "", "k" * 400, "\u2615" * 90])
def test_a_question_of_a_newer_release_fits_a_text_too(question: str, why: dict[str, Any]) -> None:
    """What we cannot know must still arrive whole, with what can be answered."""
    said = saying.request(question, MARGARET, SINCE, why, before="Jim has not answered.", now=NOW)

    assert septets(said) <= 306
    assert "1 MINE" in said
    assert "since 02:20" in said


@pytest.mark.parametrize("question", Question)
def test_every_question_has_a_few_words_of_its_own(question: Question) -> None:
    """A text that says "alert" of one of two leaves its reader guessing; and what is cut in the middle says little."""
    said = saying.briefly(question, {"quantity": "pendant_alarm", "rule": "tea"})

    assert said
    assert wording.cut(said, 20) == said


@pytest.mark.parametrize("quantity", sorted(ALARMS))
def test_every_alarm_has_a_few_words_of_its_own(quantity: Quantity) -> None:
    """Whoever is told that it is over must know whether that was the pendant or the smoke."""
    said = saying.briefly(Question.ALARM, {}, [quantity])

    assert wording.cut(said, 20) == said
    assert (said == "alarm") is (quantity is Quantity.UNKNOWN_ALARM)
    assert saying.briefly(Question.ALARM, {}, [quantity, Quantity.MOVEMENT]) == "several alarms"
    assert saying.briefly(Question.ALARM, {"asked_by": "jim"}) == "call for help"
    assert saying.briefly("kettle_unused", {}) == "kettle unused"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ({}, "has not been seen to move since 02:20. Reply"),
        (
            {
                "unseen_since": "2026-01-14T02:21:00+00:00",
                "unseen_until": "2026-01-14T03:06:00+00:00",
                "unwatched_s": 2700,
            },
            "since 02:20. We could not see from 02:21 to 03:06. That is unusual",
        ),
        ({"unwatched_s": 2700}, "since 02:20. For 45 min of it we could not see all."),
        (
            {
                "unseen_since": "2026-01-14T03:00:00+00:00",
                "unseen_until": "2026-01-14T03:06:00+00:00",
                "unwatched_s": 2700,
            },
            "For 45 min of it we could not see all.",
        ),
        ({"unwatched_s": 40}, "has not been seen to move since 02:20. Reply"),
    ],
)
def test_what_we_could_not_see_is_no_stillness(why: dict[str, Any], said: str) -> None:
    """Whoever is asked to go must know that for hours nobody could tell whether somebody moved."""
    asked = Question.STILL_UNUSUAL if "unusual" in said else Question.STILL

    text = saying.request(asked, About("Elsie Wood", 1), SINCE, why, before="", now=NOW)

    assert said in text

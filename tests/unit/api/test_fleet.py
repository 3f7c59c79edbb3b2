"""Is what is said of all homes true, and does it name nobody?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question, State
from alerts.judging.watched import HUB, LINE, NEVER_HEARD, US
from alerts.store import Alert, BlindTogether, Hours, Kind, OpenCounts, Texts
from api.consents import Consent
from api.records import Grant, Looked
from api.views import fleet, looks

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
NOTHING = timedelta(0)


def alert(**facts: Any) -> Alert:
    """Return an open stillness that nobody has taken, but for what is said."""
    usual: dict[str, Any] = dict.fromkeys(Alert.__slots__) | {
        "alert": 1,
        "home": "kb-0077",
        "question": Question.STILL,
        "is_fault": False,
        "since": NOW - timedelta(hours=4),
        "at": NOW - timedelta(minutes=42),
        "why": {},
        "state": State.OPEN,
    }
    return Alert(**usual | facts)


def together(homes: int, cause: str = HUB, *, minutes_ago: int = 22, district: str = "KB4") -> BlindTogether:
    """Return homes that went out of sight together."""
    since = NOW - timedelta(minutes=minutes_ago)
    return BlindTogether(cause, homes, since, since, ("kb-0412",), (district,))


def homes(blind: int, watched: int) -> dict[Kind, int]:
    """Return how many homes are seen how."""
    return {"blind": blind, "degraded": 0, "learning": 0, "watched": watched}


def test_one_that_nobody_comes_to_is_named_by_its_reference() -> None:
    """A list on an office wall names no resident."""
    heading = fleet.nobody_comes(OpenCounts(2, 1, 1, 0, 0), alert(), Texts(1, 2, 0, 0), now=NOW)

    assert heading is not None
    assert heading.say == "kb-0077: alert at 08:32, nobody has said “mine”."
    assert heading.why == (
        "The resident has not been seen to move since 05:14. 2 texts did not arrive.",
        "1 alert has nobody left to tell.",
    )


def test_when_all_are_taken_nothing_is_shouted() -> None:
    """A page that always shouts is not read."""
    assert fleet.nobody_comes(OpenCounts(3, 0, 0, 2, 2), alert(), None, now=NOW) is None
    assert fleet.cannot_see(homes(0, 9), [], now=NOW) is None


def test_an_outage_is_one_sentence_and_the_others_are_counted() -> None:
    """Eleven of twelve share one cause: one call, and one home to look at."""
    heading = fleet.cannot_see(
        homes(12, 1192), [together(11, LINE), together(1, HUB, minutes_ago=424, district="")], now=NOW
    )

    assert heading is not None
    assert heading.word == "We cannot see 12 of 1,204 homes"
    assert heading.say == "11 homes since 08:52, all in KB4: hub silent, its connection was seen to end."
    assert heading.why == ("So many within minutes: probably one cause.", "The others: 1 home, hub silent.")


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (US, "It is our own fault: look at our processes first."),
        (NEVER_HEARD, "Nothing is heard of them: they were just set up, or their hubs were revoked."),
        (HUB, "So many at once: probably our broker or our line, not the homes."),
    ],
)
def test_most_homes_at_once_are_not_the_homes(cause: str, said: str) -> None:
    """An operator who rings a thousand families because our broker fell over does harm."""
    heading = fleet.cannot_see(homes(900, 100), [together(900, cause)], now=NOW)

    assert heading is not None
    assert heading.why[0] == said


def test_two_homes_are_no_sign_of_one_cause() -> None:
    """What happens twice by chance every day must not be called an outage."""
    heading = fleet.cannot_see(homes(2, 8), [together(2)], now=NOW)

    assert heading is not None
    assert heading.say == "Each by itself, the longest since 08:52."
    assert not any("probably" in line for line in heading.why)


HOURS = st.timedeltas(NOTHING, timedelta(days=28 * 10_000))


@given(HOURS, st.floats(0, 1), st.floats(0, 1))
def test_a_gap_is_never_rounded_away(watched: timedelta, blind: float, ours: float) -> None:
    """99.997 per cent is not the whole, and an hour that could not be seen is one."""
    hours = Hours(watched, watched * blind, watched * blind * ours)

    said = fleet.hours_in_words(hours, 28)

    if hours.blind and watched >= timedelta(hours=1):
        assert "100.00 %" not in said
        assert "hour" in said.split(":", 1)[1]
        assert ("Our own service caused" in said) == (hours.ours > NOTHING)


def test_the_resident_reads_who_may_see_what() -> None:
    """Each right in words, once a person, whatever is kept in how many rows."""
    grants = [
        Grant("anne", "Anne Reid", "daughter", "family", NOW, None),
        Grant("anne", "Anne Reid", "daughter", "carer", NOW, None),
        Grant("x", "X Y", None, "some new view", NOW, None),
    ]

    lines = looks.who_sees(grants)

    assert [line.who for line in lines] == ["Anne Reid, daughter,", "X Y"]
    assert "which room you were last in" in lines[0].what
    assert lines[1].what == "sees: some new view."


def test_a_look_from_a_page_of_no_list_is_said_as_it_is() -> None:
    """A record that nobody has words for is shown, not left out."""
    lines = looks.to_the_resident([Looked("token-7", None, None, False, "export", NOW)], now=NOW)

    assert (lines[0].when, lines[0].who, lines[0].what) == ("Today, 09:14 to 09:29", "token-7", "export")


def consent(basis: str, *, person: str | None = "anne", view: str | None = "family", days: int = 100) -> Consent:
    """Return a yes of ten days ago that ends in some days."""
    what, name = ("data", "Anne Reid") if person else ("care", None)
    since, until = NOW - timedelta(days=10), NOW + timedelta(days=days)
    return Consent(1, "h", what, person, name, view, basis, "Fiona Muir", "to know", since, until, None)


def test_the_resident_reads_what_was_agreed_and_until_when() -> None:
    """A yes that its giver cannot find again is no yes; whose word it was stands there too."""
    care = consent("resident", person=None, view=None)

    lines = looks.agreed([consent("attorney"), consent("best interests", view="carer"), care], now=NOW)

    assert lines == [
        (
            "On Saturday 6 June 2026 you said yes to being watched over. "
            "It ends on Thursday 24 September 2026, unless it is said again."
        ),
        (
            "On Saturday 6 June 2026 Fiona Muir decided in your best interests to say yes that Anne Reid is told of "
            "your alerts and sees your address. It ends on Thursday 24 September 2026, unless it is said again."
        ),
        (
            "On Saturday 6 June 2026 Fiona Muir, who decides for you by law, said yes that Anne Reid sees how you are. "
            "It ends on Thursday 24 September 2026, unless it is said again."
        ),
    ]


def test_a_yes_that_is_over_is_not_said_to_hold() -> None:
    """What ended yesterday must not be read as agreed today; and of two, the longer one counts."""
    lines = looks.agreed([consent("resident", days=0), consent("resident", days=5), consent("resident")], now=NOW)

    assert len(lines) == 1
    assert "24 September" in lines[0]


def test_what_nobody_asked_yet_is_said_so() -> None:
    """What was set up before anybody asked is not made to look like a yes."""
    assert looks.agreed([consent("not asked yet")], now=NOW) == [
        (
            "You have not been asked yet whether you agree that Anne Reid sees how you are. Without your yes it ends "
            "on Thursday 24 September 2026."
        )
    ]


def test_a_silent_sensor_is_said_with_its_room_and_since_when() -> None:
    """Partly watched means nothing to who cannot read which part."""
    assert fleet.cause_in_words("sensor/motion/2026-06-14T15:20:00+00:00/bathroom", now=NOW) == (
        "motion sensor, bathroom, silent since 16:20 on Sunday 14 June"
    )
    assert fleet.cause_in_words("stuck/motion/2026-06-14T15:20:00+00:00/bathroom", now=NOW) == (
        "motion sensor, bathroom, reports but has noticed nothing since 16:20 on Sunday 14 June"
    )
    assert fleet.cause_in_words("a/new/reason", now=NOW) == "a/new/reason"

"""Is what is wrong with a sensor said so that whoever reads it knows what is not seen?"""

from datetime import UTC, datetime

from alerts.alert import Question
from api.views import found

NOW = datetime(2026, 6, 16, 9, tzinfo=UTC)


def test_a_sensor_that_notices_nothing_is_said_with_what_others_noticed_meanwhile() -> None:
    """An operator sees whether to send somebody before they read a table."""
    why = {"sensor": "pir-3", "room": "bathroom", "kind": "motion", "missed_s": 30600, "usual_s": 14400}

    said = found.sentence(Question.SENSOR_STUCK, "Margaret", why, since="03:10")

    assert said == "The bathroom sensor in Margaret\u2019s home reports, and has noticed nothing since 03:10."
    assert found.details(Question.SENSOR_STUCK, "Margaret", why) == [
        "Meanwhile others noticed somebody for 8 h 30 min in all; up to 4 h is usual for it."
    ]


def test_a_thermometer_that_says_the_same_is_said_otherwise() -> None:
    """Nothing moves in front of a thermometer."""
    why = {"sensor": "warm", "room": "lounge", "kind": "climate", "missed_s": 172800, "usual_s": None}

    said = found.sentence(Question.SENSOR_STUCK, "Margaret", why, since="03:10")

    assert said == "The lounge sensor in Margaret\u2019s home reports, and has said the same since 03:10."
    assert found.details(Question.SENSOR_STUCK, "Margaret", why) == [
        "It has repeated itself for 48 h in all; what is usual is not known yet."
    ]


def test_a_family_reads_what_is_not_noticed() -> None:
    """P2: partly watched is worth nothing without the part."""
    reason = "stuck/motion/2026-06-16T02:10:00+00:00/bathroom"

    (said,) = found.not_noticed([reason, "hub"], now=NOW)

    assert said.startswith(
        "The bathroom sensor has noticed nothing since 03:10, though it reports. We see movements in"
    )


def test_what_an_older_release_wrote_is_said_too() -> None:
    """Facts that nobody thought of then are left out, and nothing breaks."""
    assert found.details(Question.SENSOR_STUCK, "Margaret", {}) == []
    assert found.details(Question.BATTERY_LOW, "Margaret", {"said_pct": 9.0}) == ["It says 9 %."]

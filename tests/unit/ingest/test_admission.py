"""What is believed, and when it happened."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import ALARMS, HubId, Quantity
from ingest.admission import (
    OLDEST,
    TOLERANCE,
    Clock,
    Clocks,
    How,
    Impossible,
    Sending,
    moment,
    place,
    why_impossible,
)

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HUB = HubId("hub-1")
SECOND = timedelta(seconds=1)

_any_seconds = st.floats(allow_nan=False, allow_infinity=False)
_uptimes = st.integers(0, 2**62)
_times = st.datetimes(datetime(1980, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone


def _sending(uptime: timedelta, boot: str = "b2", at: datetime = NINE) -> Sending:
    return Sending(at, boot, uptime // timedelta(milliseconds=1), Clock.HUB)


@given(st.sampled_from(list(Quantity)), st.floats(allow_nan=False, allow_infinity=False))
def test_a_yes_or_no_is_one_or_nought(quantity: Quantity, value: float) -> None:
    """A door that is 0.5 open means that somebody misread a message."""
    unit = {"c", "pct", "lux", "w", "kwh", "mv", "quality"}
    is_yes_or_no = quantity.rpartition("_")[2] not in unit

    if is_yes_or_no and value not in (0, 1):
        assert why_impossible(quantity, value) is Impossible.NEITHER_YES_NOR_NO
    if quantity in ALARMS and value == 1:
        assert why_impossible(quantity, value) is None


@pytest.mark.parametrize(
    ("quantity", "value", "expected"),
    [
        ("temperature_c", -40.0, None),
        ("temperature_c", -40.1, Impossible.TOO_LOW),
        ("temperature_c", 125.1, Impossible.TOO_HIGH),
        ("humidity_pct", 100.0, None),
        ("humidity_pct", 100.5, Impossible.TOO_HIGH),
        ("battery_mv", -1.0, Impossible.TOO_LOW),
        ("link_quality", 256.0, Impossible.TOO_HIGH),
        ("movement", 2.0, Impossible.NEITHER_YES_NOR_NO),
        ("snoring_dbm", 1e300, None),
    ],
)
def test_the_ends_of_each_range(quantity: str, value: float, expected: Impossible | None) -> None:
    """Both ends count; and a word that only newer hubs know is not thrown away."""
    assert why_impossible(quantity, value) is expected


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 2.0**28 - 1, 253_402_300_800.0, 1e300, -1e300, math.inf, math.nan])
def test_a_time_that_cannot_be_meant_is_none(seconds: float) -> None:
    """RFC 8428 reads small times as relative, and no clock of ours shows the year 10000."""
    assert moment(seconds) is None


def test_the_year_2106_is_a_time_like_any_other() -> None:
    """It is where unsigned 32-bit seconds end, and where some radios wrap."""
    assert moment(2.0**32) == datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC)


@given(_any_seconds, _uptimes, _times)
def test_no_message_was_sent_after_it_arrived(sent_at: float, uptime: int, arrived_at: datetime) -> None:
    """Whatever a hub's clock says, what it observed cannot lie ahead of us."""
    clocks = Clocks()

    for said in (sent_at, arrived_at.timestamp(), sent_at):
        sending = clocks.sending(HUB, "b", uptime, said, arrived_at=arrived_at, tolerance=TOLERANCE)
        assert sending.at <= arrived_at


def test_a_right_clock_is_believed() -> None:
    """The hub was there; we were not."""
    sending = Clocks().sending(HUB, "b", 5_000, (NINE - 20 * SECOND).timestamp(), arrived_at=NINE, tolerance=TOLERANCE)

    assert (sending.at, sending.by) == (NINE - 20 * SECOND, Clock.HUB)


@pytest.mark.parametrize("off", [-31 * SECOND, 31 * SECOND, timedelta(days=-20_000), timedelta(days=300)])
def test_our_clock_stands_in_for_one_that_was_never_right(off: timedelta) -> None:
    """A hub that came up in 1971, or next year, still measures how long ago things were."""
    sending = Clocks().sending(HUB, "b", 5_000, (NINE + off).timestamp(), arrived_at=NINE, tolerance=TOLERANCE)

    assert (sending.at, sending.by) == (NINE, Clock.OURS)


def test_a_message_that_waited_in_a_broker_is_late_and_not_wrong() -> None:
    """The same boot showed a right clock, so two hours ago is when it was sent."""
    clocks = Clocks()
    clocks.sending(HUB, "b", 3_600_000, NINE.timestamp(), arrived_at=NINE, tolerance=TOLERANCE)

    sending = clocks.sending(
        HUB, "b", 3_660_000, (NINE + 60 * SECOND).timestamp(), arrived_at=NINE + timedelta(hours=2), tolerance=TOLERANCE
    )

    assert (sending.at, sending.by) == (NINE + 60 * SECOND, Clock.UPTIME)


def test_another_boot_proves_nothing_about_this_one() -> None:
    """A hub without a battery for its clock forgets the time at each power cut."""
    clocks = Clocks()
    clocks.sending(HUB, "b1", 3_600_000, NINE.timestamp(), arrived_at=NINE, tolerance=TOLERANCE)

    sending = clocks.sending(
        HUB, "b2", 60_000, NINE.timestamp(), arrived_at=NINE + timedelta(hours=2), tolerance=TOLERANCE
    )

    assert sending.by is Clock.OURS


def test_a_clock_ahead_of_ours_is_never_believed() -> None:
    """Nothing arrives before it was sent, however right the clock was an hour ago."""
    clocks = Clocks()
    clocks.sending(HUB, "b", 0, NINE.timestamp(), arrived_at=NINE, tolerance=TOLERANCE)

    sending = clocks.sending(
        HUB, "b", 60_000, (NINE + timedelta(days=1)).timestamp(), arrived_at=NINE + 60 * SECOND, tolerance=TOLERANCE
    )

    assert (sending.at, sending.by) == (NINE + 60 * SECOND, Clock.OURS)


@given(st.integers(0, 10**9), st.integers(0, 10**9), _any_seconds)
def test_in_the_running_boot_only_uptime_counts(up_then: int, later: int, wall_s: float) -> None:
    """A wall clock that was set in between does not move what was observed before."""
    sending = _sending(timedelta(milliseconds=up_then + later))

    time = place(wall_s, "b2", up_then, sending, not_before=None, received_at=NINE)

    assert time.observed_at == NINE - timedelta(milliseconds=later)
    assert (time.uncertain_since, time.how) == (None, How.UPTIME)


def test_an_earlier_boots_clock_counts_where_it_fits() -> None:
    """A power cut does not spoil the time of what was observed before it."""
    wall_at = NINE - timedelta(hours=3)

    time = place(
        wall_at.timestamp(),
        "b1",
        77,
        _sending(timedelta(hours=2)),
        not_before=NINE - timedelta(hours=4),
        received_at=NINE,
    )

    assert (time.observed_at, time.uncertain_since, time.how) == (wall_at, None, How.WALL)


@pytest.mark.parametrize(
    "wall_s", [None, 0.0, -5.0, 2.0**28 - 1, 2.0**32, (NINE - timedelta(hours=1)).timestamp(), 1e300]
)
def test_an_earlier_boots_wrong_clock_leaves_an_interval(wall_s: float | None) -> None:
    """It lies between what came before it and the power coming back, and says no more than that."""
    before = NINE - timedelta(hours=4)

    time = place(wall_s, "b1", 77, _sending(timedelta(hours=2)), not_before=before, received_at=NINE)

    assert (time.observed_at, time.uncertain_since, time.how) == (NINE - timedelta(hours=2), before, How.INTERVAL)


def test_the_next_uncertain_reading_is_not_squeezed_by_the_one_before() -> None:
    """Two uncertain readings in a row share their interval; neither is known to be at its end."""
    before = NINE - timedelta(hours=4)
    first = place(0.0, "b1", 77, _sending(timedelta(hours=2)), not_before=before, received_at=NINE)

    second = place(0.0, "b1", 99, _sending(timedelta(hours=2)), not_before=first.earliest, received_at=NINE)

    assert second.uncertain_since == before


def test_a_clock_file_counts_uptime_from_1970_and_still_an_earlier_boot_is_placed() -> None:
    """In the demo a restarted gateway is a new boot whose uptime is longer than any; its wall clock is right."""
    wall_at = NINE - timedelta(minutes=3)
    sending = Sending(NINE, "b2", int(NINE.timestamp() * 1000), Clock.HUB)

    time = place(wall_at.timestamp(), "b1", 77, sending, not_before=None, received_at=NINE)

    assert (time.observed_at, time.uncertain_since) == (wall_at, None)


@given(
    _any_seconds,
    st.sampled_from(["b1", "b2"]),
    _uptimes,
    _uptimes,
    st.none() | _times,
    _times,
    st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_whatever_a_hub_says_the_time_is_in_a_bounded_past(
    wall_s: float,
    boot: str,
    uptime_ms: int,
    send_uptime_ms: int,
    not_before: datetime | None,
    sent_at: datetime,
    on_its_way: timedelta,
) -> None:
    """An invented past would cost the database a chunk a week, and an invented future would hide a silence."""
    sending = Sending(sent_at, "b2", send_uptime_ms, Clock.HUB)
    received_at = sent_at + on_its_way

    time = place(wall_s, boot, uptime_ms, sending, not_before=not_before, received_at=received_at)

    assert received_at - OLDEST - timedelta(days=2) <= time.observed_at <= received_at
    assert time.uncertain_since is None or time.uncertain_since <= time.observed_at
    assert time.earliest <= time.observed_at

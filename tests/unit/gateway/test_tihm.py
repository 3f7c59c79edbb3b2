"""A recorded home is read, moved by whole weeks of wall time, and comes out the same at every start."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters import tihm
from gateway.adapters.tihm import Activation, Recording
from gateway.reading import Quantity, SensorId

ROWS = [
    "home,observed_at,location\n",
    "a,2019-06-29 08:00:00,kitchen\n",
    "b,2019-06-29 08:00:01,kitchen\n",
    "a,2019-06-29 07:59:00,front-door\n",
    "a,2019-06-30 22:10:05,fridge-door\n",
]


def _wall(text: str) -> datetime:
    """Return wall time, as on a clock in the home: without a zone."""
    return datetime.fromisoformat(text)


def _of(*moments: datetime) -> Recording:
    return Recording(tuple(Activation(m, SensorId("kitchen"), Quantity.MOVEMENT) for m in moments), {})


def test_a_homes_rows_are_read_in_order_of_time() -> None:
    """A row out of order must not make the player wait for what has long been."""
    read = tihm.read(ROWS, "a")

    assert [(a.sensor, a.quantity) for a in read.activations] == [
        ("front-door", Quantity.OPEN),
        ("kitchen", Quantity.MOVEMENT),
        ("fridge-door", Quantity.OPEN),
    ]
    assert read.malformed == {}


def test_malformed_rows_are_counted_by_reason_and_hurt_no_other() -> None:
    """A broken line in the middle of three months is reported, and the rest is played."""
    bad = ["a,2019-06-31 08:00:00,kitchen\n", "a,2019-06-29 08:00:00,attic\n", "a,x\n", '"a\n', "\n"]
    read = tihm.read([*ROWS, *bad], "a")

    assert len(read.activations) == 3
    assert read.malformed == {"not a time": 1, "unknown location": 1, "not three columns": 2}


@given(st.datetimes(_wall("2020-01-01 00:00"), _wall("2035-01-01 00:00")), st.dates(date(2000, 1, 1), date(2030, 1, 1)))
@example(_wall("2026-10-24 23:30"), date(2019, 6, 30))
@example(_wall("2026-03-28 23:30"), date(2019, 6, 30))
def test_the_last_day_is_tomorrow_or_within_the_week_after(now: datetime, last: date) -> None:
    """Today and tomorrow are there to be lived, and a Monday stays a Monday."""
    recording = _of(_wall(f"{last} 12:00"))
    now = now.replace(tzinfo=UTC)
    by = tihm.shift(recording, now=now)
    _, last_day = tihm.days(recording, by)

    ahead = last_day - now.astimezone(tihm._london()).date()
    assert by % timedelta(weeks=1) == timedelta(0)
    assert timedelta(days=1) <= ahead <= timedelta(days=7)


def test_an_empty_recording_cannot_be_moved() -> None:
    """It has no last day."""
    with pytest.raises(ValueError, match="nothing"):
        tihm.shift(_of(), now=datetime(2026, 1, 1, tzinfo=UTC))


def test_breakfast_stays_at_breakfast_over_a_change_of_the_clocks() -> None:
    """Moved by hours instead of wall time, a routine would be an hour off for half of the year."""
    recording = _of(_wall("2019-06-30 08:00"))

    (winter,) = tihm.placed(recording, timedelta(weeks=26))
    (summer,) = tihm.placed(recording, timedelta(weeks=52))

    assert winter.at == datetime(2019, 12, 29, 8, tzinfo=UTC)
    assert summer.at == datetime(2020, 6, 28, 7, tzinfo=UTC)


@given(st.lists(st.datetimes(_wall("2026-03-28 00:00"), _wall("2026-10-27 00:00")), max_size=30))
@example([_wall("2026-10-25 01:30"), _wall("2026-10-25 01:30"), _wall("2026-03-29 01:30")])
def test_moments_are_in_order_and_the_same_at_every_start(moments: list[datetime]) -> None:
    """A restart goes on at a position; it must be the same observation as before."""
    recording = _of(*sorted(moments))

    once, again = (tihm.placed(recording, timedelta(0)) for _ in range(2))

    assert once == again
    assert [p.at for p in once] == sorted(p.at for p in once)
    assert len(once) == len(moments)

"""The one clock: never backwards, and moved by a file that is whole or not there."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import (
    CLOCK_FILE_VARIABLE,
    Anchor,
    Assurance,
    Clock,
    Moment,
    agrees_with_a_battery,
    read_anchor,
    stretch_at,
    write_anchor,
)
from gateway.reading import from_unix_s

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _standing_at(moment: datetime) -> Anchor:
    return Anchor(time.time(), moment.timestamp(), 0.0, timedelta(0))


def test_without_a_file_it_is_the_systems_clock() -> None:
    """Production has no clock file, and must not depend on one."""
    before = time.time()
    now = Clock.from_env({}).now()

    assert before <= now.timestamp() <= time.time()
    assert now.tzinfo is UTC


def test_a_moved_file_moves_every_clock_that_reads_it(tmp_path: Path) -> None:
    """The demo skips a night, and all processes skip it together."""
    path = tmp_path / "clock.json"
    write_anchor(path, _standing_at(NOON))
    clocks = [Clock.from_env({CLOCK_FILE_VARIABLE: str(path)}) for _ in range(2)]
    assert [c.now() for c in clocks] == [NOON, NOON]

    write_anchor(path, _standing_at(NOON + timedelta(hours=9)))

    assert [c.now() for c in clocks] == [NOON + timedelta(hours=9)] * 2
    assert clocks[0].uptime_ms() == int((NOON + timedelta(hours=9)).timestamp() * 1000)


def test_a_file_set_back_does_not_set_the_clock_back(tmp_path: Path) -> None:
    """A silence that ends because the clock ran backwards would hide one."""
    path = tmp_path / "clock.json"
    write_anchor(path, _standing_at(NOON))
    clock = Clock(path)
    clock.now()

    write_anchor(path, _standing_at(NOON - timedelta(hours=1)))

    assert clock.now() == NOON


@given(
    real=st.floats(0, 2e9), simulated=st.floats(0, 2e9), speed=st.floats(0, 1e4), after=st.lists(st.floats(-1e5, 1e5))
)
def test_an_anchor_never_runs_backwards(real: float, simulated: float, speed: float, after: list[float]) -> None:
    """Whatever the speed, later is later."""
    anchor = Anchor(real, simulated, speed, timedelta(0))
    moments = [anchor.at(real + seconds) for seconds in sorted(after)]

    assert moments == sorted(moments)
    assert all(moment >= simulated for moment in moments)


@given(
    st.builds(
        Anchor,
        st.floats(0, 2e9),
        st.floats(0, 2e9),
        st.floats(0, 1e4),
        st.integers(0, 10**6).map(lambda s: timedelta(seconds=s)),
    )
)
def test_a_clock_file_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, anchor: Anchor) -> None:
    """All processes of a run live by these four numbers."""
    path = tmp_path_factory.getbasetemp() / "clock.json"
    write_anchor(path, anchor)

    assert read_anchor(path) == anchor


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"real": 1}', '{"real": "x", "simulated": 1, "speed": 1}'])
def test_what_is_no_clock_file_is_named(tmp_path: Path, content: str) -> None:
    """A half-written file must not become the year 1970."""
    path = tmp_path / "clock.json"
    path.write_text(content)

    with pytest.raises(ValueError, match=r"clock|convert"):
        read_anchor(path)


def test_only_a_fast_clock_forgives_a_pause() -> None:
    """In real life nothing is forgiven: 15 s of silence are 15 s."""
    assert stretch_at(1) == stretch_at(0) == timedelta(0)
    assert stretch_at(60) == timedelta(minutes=15)


def test_a_moment_has_all_three_clocks(tmp_path: Path) -> None:
    """Judgement runs on one clock and resends on another, and neither may be mistaken for the other."""
    path = tmp_path / "clock.json"
    write_anchor(path, _standing_at(NOON))
    before = time.monotonic()
    moment = Clock(path).moment()

    assert moment.now == NOON
    assert before <= moment.real_s <= time.monotonic()
    assert moment.uptime_ms == int(NOON.timestamp() * 1000)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e12])
def test_what_is_no_time_is_said_to_be_none(seconds: float) -> None:
    """The year 33658 is a broken clock."""
    with pytest.raises(ValueError, match="not a time"):
        from_unix_s(seconds)


@pytest.mark.parametrize(
    ("server", "battery", "is_set"),
    [(True, False, True), (False, True, True), (None, True, True), (False, False, False), (None, False, None)],
)
def test_a_clock_that_nothing_vouches_for_is_not_taken_for_set(
    server: bool | None,
    battery: bool,
    is_set: bool | None,
) -> None:
    """Its hours would be judged as if they were known."""
    assurance = Assurance(Clock(), server=lambda: server, battery=lambda _: battery)

    assert assurance.is_set(moment=Clock().moment()) is is_set


def test_a_clock_that_was_set_stays_set_and_one_that_was_not_is_looked_at_again() -> None:
    """A line that comes up ten minutes after the hub did makes what follows certain."""
    answers = iter([False, True])
    assurance = Assurance(Clock(), server=lambda: next(answers), battery=lambda _: False)
    now = Clock().now()

    said = [assurance.is_set(moment=Moment(now, 0, real_s)) for real_s in (0.0, 5.0, 11.0, 99.0)]

    assert said == [False, False, True, True]


@pytest.mark.parametrize(("chip", "agrees"), [("1782000030", True), ("946684800", False), ("", False), (None, False)])
def test_only_a_clock_that_ran_on_agrees(tmp_path: Path, chip: str | None, agrees: bool) -> None:
    """One whose battery is flat begins in 2000, while the system goes on from yesterday and looks right."""
    if chip is not None:
        (tmp_path / "rtc0").mkdir()
        (tmp_path / "rtc0" / "since_epoch").write_text(chip)

    assert agrees_with_a_battery(1_782_000_000.0, tmp_path) is agrees

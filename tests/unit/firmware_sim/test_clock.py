"""Do the homes know what time it is, also when it is moved under them?"""

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.clock import Clock, NoClock

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def set_clock(path: Path, *, real: float, simulated: datetime, speed: float) -> None:
    """Rewrite the file as the launcher does: beside it, then in its place."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"real": real, "simulated": simulated.timestamp(), "speed": speed, "stretch_s": 0.0}))
    new.replace(path)


def test_it_runs_from_its_anchor_at_its_speed(tmp_path: Path) -> None:
    """Every process must read the same time from the same file."""
    set_clock(tmp_path / "clock", real=1000.0, simulated=NINE, speed=60)

    clock = Clock(tmp_path / "clock", real=lambda: 1010.0)

    assert clock.now() == NINE + timedelta(minutes=10)
    assert clock.real_s_until(NINE + timedelta(minutes=40)) == pytest.approx(30)
    assert clock.real_s_until(NINE) == 0


def test_while_the_clock_stands_still_nothing_comes(tmp_path: Path) -> None:
    """The launcher stops the time before it stops the homes: what they then still do would lie in the future."""
    set_clock(tmp_path / "clock", real=1000.0, simulated=NINE, speed=0)

    clock = Clock(tmp_path / "clock", real=lambda: 5000.0)

    assert clock.now() == NINE
    assert clock.real_s_until(NINE) == 0
    assert clock.real_s_until(NINE + timedelta(seconds=1)) == math.inf


def test_it_jumps_when_the_file_is_rewritten(tmp_path: Path) -> None:
    """A test moves the time by rewriting the file, and waits for nothing else."""
    set_clock(tmp_path / "clock", real=1000.0, simulated=NINE, speed=1)
    clock = Clock(tmp_path / "clock", real=lambda: 1000.0)
    before = clock.now()

    set_clock(tmp_path / "clock", real=1000.0, simulated=NINE + timedelta(days=3), speed=1)

    assert (before, clock.now()) == (NINE, NINE + timedelta(days=3))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"real":1,"simulated":2,"speed":-1}', "null"])
def test_a_half_written_file_leaves_the_time_as_it_was(tmp_path: Path, text: str) -> None:
    """A moment's bad luck while reading must not send the homes to 1970."""
    path = tmp_path / "clock"
    set_clock(path, real=1000.0, simulated=NINE, speed=1)
    clock = Clock(path, real=lambda: 1000.0)

    path.write_text(text)
    os.utime(path, ns=(1, 1))

    assert clock.now() == NINE


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"real":1,"simulated":2,"speed":-1}'])
def test_without_a_first_reading_nothing_begins(tmp_path: Path, text: str | None) -> None:
    """Real time instead of the time that was asked for would be a silent mistake."""
    if text is not None:
        (tmp_path / "clock").write_text(text)

    with pytest.raises(NoClock):
        Clock(tmp_path / "clock")


@given(st.floats(0, 4e9), st.floats(0.1, 1000), st.floats(0, 1e6))
def test_after_the_real_wait_the_moment_has_come(
    tmp_path_factory: pytest.TempPathFactory, real: float, speed: float, ahead_s: float
) -> None:
    """A wait that ends early would spin, one that ends late would bunch messages."""
    at = NINE + timedelta(seconds=ahead_s)
    path = tmp_path_factory.mktemp("clock") / "clock"
    set_clock(path, real=real, simulated=NINE, speed=speed)
    waited = Clock(path, real=lambda: real).real_s_until(at)

    # A double holds unix seconds to about a microsecond, which a high speed multiplies.
    assert abs(Clock(path, real=lambda: real + waited).now() - at) <= timedelta(milliseconds=2)


def test_without_a_file_it_is_now() -> None:
    """A street on real hardware's time needs no launcher."""
    clock = Clock(None, real=lambda: 1772442000.0)

    assert clock.now() == NINE
    assert clock.real_s_until(NINE + timedelta(seconds=5)) == 5

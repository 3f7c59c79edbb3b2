"""The demo's clock goes on from where it was, and never backwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo_clock import DemoClock
from gateway.clock import Clock

BEGIN = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def test_a_second_start_goes_on_from_where_the_first_stopped(tmp_path: Path) -> None:
    """Otherwise everything stored would lie in the future, or a night would be missing."""
    first = DemoClock(tmp_path)
    first.start(1.0, begin=BEGIN)
    first.stand_at(BEGIN + timedelta(hours=5), stretch=timedelta(0))
    first.save(at_once=True)

    again = DemoClock(tmp_path).start(1.0)

    assert again == BEGIN + timedelta(hours=5)


def test_a_clock_is_never_moved_backwards(tmp_path: Path) -> None:
    """A reading observed before the one ahead of it would be taken for late."""
    clock = DemoClock(tmp_path)
    clock.start(1.0, begin=BEGIN)
    clock.stand_at(BEGIN + timedelta(hours=2), stretch=timedelta(0))

    clock.stand_at(BEGIN + timedelta(hours=1), stretch=timedelta(0))

    assert Clock(clock.file).now() == BEGIN + timedelta(hours=2)


def test_a_sped_up_clock_forgives_a_real_pause(tmp_path: Path) -> None:
    """At sixty times the speed a process that restarts in five seconds was away for five minutes."""
    clock = DemoClock(tmp_path)
    clock.start(60.0, begin=BEGIN)

    assert Clock(clock.file).stretch() == timedelta(minutes=15)
    clock.run_at(1.0)
    assert Clock(clock.file).stretch() == timedelta(0)


def test_a_clock_that_was_stopped_stands_until_the_street_is_back(tmp_path: Path) -> None:
    """Boxes that are not started yet would be missed, and what is stopped last would see the others fall silent."""
    first = DemoClock(tmp_path)
    first.start(60.0, begin=BEGIN)
    first.stand()
    stood = Clock(first.file).now()

    again = DemoClock(tmp_path)

    assert again.start(1.0, is_waiting=True) == stood
    assert Clock(again.file).speed() == 0
    assert Clock(again.file).now() == stood
    again.run_at(1.0)
    assert Clock(again.file).speed() == 1


def test_a_run_that_was_killed_may_have_come_further_than_it_wrote_down(tmp_path: Path) -> None:
    """Two seconds at sixty times the speed are two minutes, in which something was judged."""
    begun = DemoClock(tmp_path).start(60.0, begin=BEGIN)

    again = DemoClock(tmp_path).start(1.0)

    assert again >= begun + timedelta(minutes=2)


def test_a_first_run_waits_for_nobody(tmp_path: Path) -> None:
    """It would go wrong by the time that a first start takes, against the clock on the wall."""
    clock = DemoClock(tmp_path)

    clock.start(1.0, begin=BEGIN, is_waiting=True)

    assert Clock(clock.file).speed() == 1


@pytest.mark.parametrize("speed", [0.0, 60.0])
def test_a_start_begins_after_all_that_was_received(tmp_path: Path, speed: float) -> None:
    """Whatever was written down of the clock, the database knows how far time had come."""
    clock = DemoClock(tmp_path)
    clock.start(speed, begin=BEGIN)

    clock.not_before(BEGIN + timedelta(hours=1))
    clock.not_before(BEGIN)
    clock.not_before(None)

    assert Clock(clock.file).now() >= BEGIN + timedelta(hours=1)
    assert Clock(clock.file).speed() == speed

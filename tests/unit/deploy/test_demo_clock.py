"""The demo's clock goes on from where it was, and never backwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

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

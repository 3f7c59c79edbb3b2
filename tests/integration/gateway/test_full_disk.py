"""A disk that is really full: sqlite cannot even delete without a reserve."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config import OutboxFile
from gateway.outbox import Outbox
from gateway.reading import Observation, Quantity, SensorId
from gateway.wire import Stream

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _seen(quantity: Quantity = Quantity.MOVEMENT) -> Observation:
    return Observation(SensorId("hall"), quantity, 1.0, NOON, 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(tmp_path)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("a small disk of its own cannot be mounted here: that needs root")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_on_a_full_disk_readings_go_and_alarms_stay(small_disk: Path) -> None:
    """The reserve lets sqlite delete; the press at the end of a month without a line is kept."""
    limits = OutboxFile(path=str(small_disk / "outbox.db"), reserve_bytes=1_000_000)
    with closing(Outbox(limits, now=NOON)) as outbox:
        outbox.keep([_seen(Quantity.PENDANT_ALARM)] * 5, boot="b")

        for _ in range(1000):
            outbox.keep([_seen()] * 100, boot="b")
        outbox.keep([_seen(Quantity.PENDANT_ALARM)], boot="b")
        outbox.prune(now=NOON)

        readings = outbox.numbers(outbox.current, Stream.READINGS)
        assert 1 < readings.oldest < readings.last == 100_000
        assert outbox.held(Stream.ALARMS) == 6

    with closing(Outbox(limits, now=NOON)) as again:
        assert again.numbers(again.current, Stream.READINGS) == readings
        assert again.held(Stream.ALARMS) == 6


def test_a_disk_that_others_filled_still_takes_an_alarm(small_disk: Path) -> None:
    """A log that ran wild must not silence the pendant."""
    limits = OutboxFile(path=str(small_disk / "outbox.db"), reserve_bytes=1_000_000)
    with closing(Outbox(limits, now=NOON)) as outbox:
        for _ in range(50):
            outbox.keep([_seen()] * 100, boot="b")
        with pytest.raises(OSError, match="No space"):
            (small_disk / "log").write_bytes(b"x" * 10_000_000)

        for _ in range(50):
            outbox.keep([_seen(Quantity.PENDANT_ALARM)], boot="b")

        assert outbox.held(Stream.ALARMS) == 50
        assert outbox.numbers(outbox.current, Stream.READINGS).last == 5000

        assert outbox.troubles(now=NOON) == ("disk full",)
        (small_disk / "log").unlink()
        outbox.prune(now=NOON)
        assert outbox.troubles(now=NOON) == ()

"""A recorded home is played as the clock reaches it, and a moved clock is lived at once."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import tihm
from gateway.clock import Anchor, Moment, write_anchor
from gateway.config import OutboxFile, Recording
from gateway.outbox import Outbox
from gateway.player import Player
from gateway.reading import Observation
from tests.integration.gateway.platform import Platform
from tests.integration.gateway.world import HUB, LANE, RunningHub, wait_until
from tests.world.broker import PlatformBroker

# A Thursday; the recording's last day is a Friday, so it is moved to end tomorrow.
MORNING = datetime(2026, 11, 19, 8, tzinfo=UTC)

ROWS = """home,observed_at,location
h,2019-06-27 07:30:00,bedroom
h,2019-06-27 08:30:00,kitchen
h,2019-06-27 08:31:00,fridge-door
h,2019-06-27 12:00:00,front-door
h,2019-06-28 07:00:00,bedroom
h,2019-06-28 22:00:00,bathroom
"""


class MovedClock:
    """A clock file that stands still until it is moved."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now = MORNING
        self.move_to(MORNING)

    def move_to(self, moment: datetime) -> None:
        self.now = moment
        write_anchor(self._path, Anchor(time.time(), moment.timestamp(), 0.0, timedelta(0)))


@pytest.fixture
def clock(tmp_path: Path) -> MovedClock:
    return MovedClock(tmp_path / "clock.json")


@pytest.fixture
def hub(nats_broker: PlatformBroker, clock: MovedClock, tmp_path: Path) -> Iterator[RunningHub]:
    recording = tmp_path / "activity.csv"
    recording.write_text(ROWS)
    there = RunningHub(
        {
            "TELECARE_HUB_ID": HUB,
            "TELECARE_HUB_LANE": str(LANE),
            "TELECARE_HUB_SECRET": nats_broker.add_hub(HUB, LANE),
            "TELECARE_PLATFORM_HOST": "127.0.0.1",
            "TELECARE_PLATFORM_PORT": str(nats_broker.port),
            "TELECARE_PLATFORM_TLS": "false",
            "TELECARE_RECORDING_FILE": str(recording),
            "TELECARE_RECORDING_HOME": "h",
            "TELECARE_RECORDING_EAGER": "true",
            "TELECARE_OUTBOX_PATH": str(tmp_path / "outbox.db"),
            "TELECARE_CLOCK_FILE": str(tmp_path / "clock.json"),
        }
    )
    yield there
    there.stop()


@pytest.fixture
def platform(nats_broker: PlatformBroker) -> Iterator[Platform]:
    there = Platform(nats_broker.port, nats_broker.ingest_user, nats_broker.ingest_secret).start()
    yield there
    there.stop()


def _lived(hub: RunningHub, clock: MovedClock) -> bool:
    through = hub.status.played_through
    return (
        through is not None
        and datetime.fromisoformat(through) >= clock.now
        and hub.status.platform_up
        and hub.status.held_readings == 0
    )


def _records(platform: Platform) -> list[dict[str, Any]]:
    return [r for _, records in sorted(platform.records.items()) for _, r in sorted(records.items())]


def test_each_observation_is_told_when_the_clock_reaches_it(
    hub: RunningHub, platform: Platform, clock: MovedClock
) -> None:
    """Played early it would be a reading from the future; the judge must never see one."""
    hub.start()
    wait_until(lambda: _lived(hub, clock))
    assert [n for n, _ in platform.values(HUB, "readings")] == ["bedroom/movement"]

    clock.move_to(MORNING + timedelta(minutes=30))
    wait_until(lambda: _lived(hub, clock))
    assert [n for n, _ in platform.values(HUB, "readings")][1:] == ["kitchen/movement"]

    clock.move_to(MORNING + timedelta(hours=5))
    wait_until(lambda: _lived(hub, clock))

    assert [n for n, _ in platform.values(HUB, "readings")][2:] == ["fridge-door/open", "front-door/open"]
    at = [datetime.fromtimestamp(r["t"], UTC) for r in _records(platform)]
    assert at == [MORNING + timedelta(minutes=m) for m in (-30, 30, 31, 240)]
    assert [r["up_"] for r in _records(platform)] == [int(r["t"] * 1000) for r in _records(platform)]


def test_every_move_of_the_clock_has_its_heartbeat(hub: RunningHub, platform: Platform, clock: MovedClock) -> None:
    """A home whose hub says nothing for two minutes is blind, however fast the minutes pass."""
    hub.start()
    wait_until(lambda: _lived(hub, clock))
    began = time.monotonic()
    for minute in range(1, 31):
        clock.move_to(MORNING + timedelta(minutes=minute))
        sent_at = clock.now.timestamp()
        wait_until(lambda at=sent_at: any(b["sent_at"] == at for b in platform.heartbeats))  # type: ignore[misc] # mypy cannot see a default in a lambda

    assert time.monotonic() - began < 15  # Half an hour is lived in seconds.


def test_a_restart_goes_on_where_it_was(hub: RunningHub, platform: Platform, clock: MovedClock) -> None:
    """On another day the recording would be moved by other weeks; it must stay where it was put."""
    hub.start()
    wait_until(lambda: _lived(hub, clock))
    hub.stop()
    clock.move_to(MORNING + timedelta(days=1, hours=6))

    hub.start()
    wait_until(lambda: _lived(hub, clock))
    hub.stop()
    clock.move_to(MORNING + timedelta(days=8))
    hub.start()
    wait_until(lambda: _lived(hub, clock))

    at = [datetime.fromtimestamp(r["t"], UTC) for r in _records(platform)]
    assert len(at) == 6
    assert at == sorted(set(at))
    assert at[-1] == datetime(2026, 11, 20, 22, tzinfo=UTC)
    assert hub.status.next_at is None


def test_the_conductor_may_say_by_how_much_it_is_moved(hub: RunningHub, platform: Platform, clock: MovedClock) -> None:
    """Whoever moves the clock must agree with the player on where the past lies."""
    hub.env["TELECARE_RECORDING_SHIFT_DAYS"] = str(7 * 385)
    hub.start()
    wait_until(lambda: _lived(hub, clock))

    at = [datetime.fromtimestamp(r["t"], UTC) for r in _records(platform)]
    assert len(at) == 6
    assert at[0] == MORNING - timedelta(days=7, minutes=30)


def test_a_real_recording_plays_from_end_to_end(tmp_path: Path) -> None:
    """A real home, three months of it: every row is an observation, in order, none twice."""
    folder = Path(os.environ.get("TELECARE_RECORDINGS", Path(__file__).parents[4] / "shared" / "data"))
    file = folder / "tihm" / "activity.csv.gz"
    if not file.exists():
        pytest.skip(f"the TIHM recording is not at {file}; TELECARE_RECORDINGS names its folder")

    now = MORNING
    outbox = Outbox(OutboxFile(path=str(tmp_path / "outbox.db")), now=now)
    config = Recording(file=str(file), home="0697d")
    player = Player(config, outbox, moment=Moment(now, int(now.timestamp() * 1000), 0.0))
    told: list[Observation] = []
    later = Moment(now + timedelta(days=9), int((now + timedelta(days=9)).timestamp() * 1000), 0.0)
    while batch := player.due(moment=later):
        outbox.keep(batch, boot="b", note=player.note(len(batch), through=batch[-1].wall_at))
        player.kept(len(batch), through=batch[-1].wall_at)
        told += batch
    said = json.loads(outbox.recall("recording") or "")
    outbox.close()

    assert len(told) == said["position"] == 1044
    assert [o.wall_at for o in told] == sorted(o.wall_at for o in told)
    last_day = told[-1].wall_at.astimezone(tihm._london()).date()
    assert timedelta(days=1) <= last_day - now.date() <= timedelta(days=7)

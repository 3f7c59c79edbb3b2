"""A running platform's own broker learns of hubs that were added and turned away elsewhere, with real clients."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded import machine
from deploy.embedded.broker import wait_until
from deploy.platform import Platform
from deploy.supervise import Supervisor
from ingest import devices
from ingest.hub_secret import hash_mosquitto, hash_nats
from tests.world.database import Database

NINE: Final = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
_PATIENCE_S: Final = 60.0


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """Give a data folder that the broker's own account can reach."""
    return open_folder / f"hubs-let-in-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def platform(folder: Path, database: Database) -> Iterator[Platform]:
    """Run the broker of a platform whose database is configured; hub-kept speaks for elm-3 from the start."""
    environment = {**os.environ, "TELECARE_DATABASE_URL": database.dsn}
    _add(database, "hub-kept")
    with Supervisor(folder / "logs") as supervisor:
        one = Platform(supervisor, folder, environment=environment, say=lambda _: None)
        one.start_broker()
        yield one


def _add(database: Database, hub: str) -> None:
    with database.connect() as conn:
        devices.add_home(conn, "elm-3", now=NINE)
        devices.add_hub(
            conn, hub, "elm-3", (hash_nats(f"secret of {hub}"), hash_mosquitto(f"secret of {hub}")), now=NINE
        )


def _may_speak(platform: Platform, hub: str) -> bool:
    """Return whether the broker lets a hub in now."""
    assert platform.broker is not None
    heard: list[bool] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{hub}-{uuid.uuid4().hex[:6]}")
    client.username_pw_set(hub, f"secret of {hub}")
    client.on_connect = lambda _, __, ___, code, ____: heard.append(not code.is_failure)
    with contextlib.suppress(OSError):
        client.connect("127.0.0.1", platform.broker.port)
        client.loop_start()
        wait_until(lambda: bool(heard), patience_s=5)
        client.disconnect()
        client.loop_stop()
    return bool(heard) and heard[0]


def _in_time(platform: Platform, hub: str, *, may_speak: bool) -> bool:
    """Return whether it came to be so while the platform looked again and again, as its supervisor has it do."""

    def is_so() -> bool:
        platform.permit_anew()
        return _may_speak(platform, hub) is may_speak

    return wait_until(is_so, patience_s=_PATIENCE_S)


def test_a_hub_that_was_added_on_a_page_is_let_in_by_a_running_broker(platform: Platform, database: Database) -> None:
    """The operator who adds a home on a page has no command line, and carries the box there at once."""
    assert not _may_speak(platform, "hub-new")
    _add(database, "hub-new")

    assert _in_time(platform, "hub-new", may_speak=True)
    assert _may_speak(platform, "hub-kept")


def test_a_hub_that_was_turned_away_on_a_page_is_let_in_no_more(platform: Platform, database: Database) -> None:
    """A box that was stolen speaks for its home until the broker knows; also if it was the only one."""
    assert _may_speak(platform, "hub-kept")
    with database.connect() as conn:
        devices.revoke_hub(conn, "hub-kept", now=NINE)

    assert _in_time(platform, "hub-kept", may_speak=False)


def test_a_database_that_is_away_turns_no_hub_away(platform: Platform) -> None:
    """Hubs that may speak go on: an alarm must not wait for a page's database."""
    platform.database_url = f"postgresql://telecare@127.0.0.1:{machine.free_port()}/telecare"

    platform.permit_anew()

    assert _may_speak(platform, "hub-kept")

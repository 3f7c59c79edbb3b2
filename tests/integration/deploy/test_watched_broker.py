"""The watcher asks the broker as hubs do: whether it answers, with which certificate, and until when that holds."""

import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.embedded import machine
from deploy.platform import Platform
from deploy.supervise import Supervisor
from deploy.watcher.config import Config, NotConfigured
from deploy.watcher.look import Looker
from deploy.watcher.seen import Kind, Part
from gateway.clock import Clock
from tests.integration.api.test_tls import made
from tests.world.database import Database
from tests.world.processes import wait_until

NAME = "hubs.example"
NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def supervisor(open_folder: Path) -> Iterator[Supervisor]:
    """Give a supervisor whose parts' logs the broker's own account can write beside."""
    with Supervisor(open_folder / f"watched-{uuid.uuid4().hex[:8]}" / "logs") as one:
        yield one


@pytest.fixture
def platform(supervisor: Supervisor, open_folder: Path, database: Database, tmp_path: Path) -> Platform:
    """Run the broker of a platform for hubs outside, under a certificate of the site's own authority."""
    named, port = made(tmp_path, NAME), machine.free_port()
    environment = {
        **os.environ,
        "TELECARE_DATABASE_URL": database.dsn,
        "TELECARE_BROKER_CERTIFICATE": str(named.certificate),
        "TELECARE_BROKER_KEY": str(named.key),
        "TELECARE_BROKER_ADDRESS": "127.0.0.1",
        "TELECARE_BROKER_PORT": str(port),
        "TELECARE_BROKER_TLS": str(named.certificate),
        "TELECARE_HUBS_BROKER": f"{NAME}:{port}",
        "TELECARE_WATCHER_PING": f"http://{NOBODY_LISTENS}/ping",
        "TELECARE_WATCHER_EVERY_S": "0.2",
    }
    data = open_folder / f"watched-{uuid.uuid4().hex[:8]}"
    one = Platform(supervisor, data, environment=environment, say=lambda _: None)
    one.start_broker()
    return one


def alarms(platform: Platform) -> dict[str, str]:
    """Return what the watcher of a platform says is wrong."""
    where = f"http://{platform.kept.said('health address watcher')}/ready"
    try:
        with urllib.request.urlopen(where, timeout=10) as said:
            found = json.load(said)["alarms"]
    except urllib.error.HTTPError as said:
        found = json.load(said)["alarms"]
    return dict(found)


def test_the_watcher_of_up_looks_at_its_broker_as_hubs_do(platform: Platform, supervisor: Supervisor) -> None:
    """Ingest may be connected for weeks while no hub can come in any more."""
    platform.start_watcher(f"http://{NOBODY_LISTENS}")
    assert wait_until(lambda: "The pages stand still" in alarms(platform))
    assert "The broker is away" not in alarms(platform)

    supervisor.hold("broker")

    assert wait_until(lambda: "does not answer" in alarms(platform).get("The broker is away", ""))


async def test_until_when_a_brokers_certificate_holds_is_seen(platform: Platform, tmp_path: Path) -> None:
    """When it ends every hub is turned away, all at once."""
    assert platform.broker is not None
    where = f"127.0.0.1:{platform.broker.port}"
    said = {
        "TELECARE_WATCHER_PING": f"http://{NOBODY_LISTENS}",
        "TELECARE_WATCHER_BROKER": where,
        "TELECARE_WATCHER_BROKER_NAME": NAME,
        "TELECARE_WATCHER_CA": str(tmp_path / "certificate.pem"),
    }
    config, another = Config.from_env(said), Part(Kind.BROKER, f"mqtts://{where}", "another.example")

    seen = await Looker((*config.parts, another), Clock(), trusted=config.trusted).look()

    (right, wrong) = (seen.answers[config.parts[0]], seen.answers[another])
    assert (right.silence, wrong.silence) == (None, "shows a certificate that is not right")
    assert right.ends_at is not None
    # It was made for 30 days, a moment ago.
    assert timedelta(days=29) < right.ends_at - Clock().now() < timedelta(days=30)


@pytest.mark.parametrize(
    ("name", "said"),
    [("TELECARE_WATCHER_BROKER", "https://broker.example"), ("TELECARE_WATCHER_CA", "/nowhere/authorities.pem")],
)
def test_what_cannot_be_looked_at_is_said_at_the_start(name: str, said: str) -> None:
    """A watcher that believes nobody, or asks nobody, would say for ever what is not so."""
    others = {"TELECARE_WATCHER_PING": "http://outside.example", "TELECARE_WATCHER_BROKER": "broker.example:8883"}

    with pytest.raises(NotConfigured, match=name):
        Config.from_env(others | {name: said})

"""Hubs in homes reach the embedded broker with TLS, and are not cut off when its certificate is renewed."""

import os
import socket
import ssl
from pathlib import Path

import pytest

from deploy import outside
from deploy.broker.permissions import hub_access, login
from deploy.embedded import knock, machine
from deploy.embedded.machine import Missing
from deploy.embedded.nats import nats
from ingest.config import Config
from tests.integration.api.test_tls import made
from tests.world.processes import wait_until


def shown(port: int) -> str | None:
    try:
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=5).strip()
    except OSError:
        return None


def test_a_renewed_certificate_is_shown_and_who_is_connected_stays(open_folder: Path, tmp_path: Path) -> None:
    """Certificates are renewed every two months; an alarm on its way at that moment must arrive."""
    first = made(tmp_path, "hubs.example")
    port = machine.free_port()
    environment = {
        **os.environ,
        "TELECARE_BROKER_CERTIFICATE": str(first.certificate),
        "TELECARE_BROKER_KEY": str(first.key),
        "TELECARE_BROKER_ADDRESS": "127.0.0.1",
        "TELECARE_HUBS_BROKER": f"hubs.example:{port}",
        "TELECARE_BROKER_TLS": str(first.certificate),
    }
    there = outside.asked_for(environment)
    broker = nats(open_folder / "outside", port=port, log=tmp_path / "log", environment=environment, outside=there)
    broker.permit([hub_access("hub-1", 3, "secret")], login("ingest", "secret of ingest"))
    broker.start()
    said: list[str] = []
    try:
        renewal = outside.Renewal(broker, say=said.append)
        assert there is not None
        way = outside.of_ingest(there, port, environment)
        tls = Config.from_env({**way, "TELECARE_DATABASE_URL": "postgresql://a@b/c"}).broker.tls
        assert tls is not None
        # As ingest connects: to an address of this machine, under the name on the certificate.
        assert wait_until(lambda: knock.lets_in(port, "ingest", "secret of ingest", tls=tls))
        with tls.wrap_socket(_connected(port), server_hostname="127.0.0.1") as connection:
            connection.sendall(_connect("ingest", "secret of ingest"))
            assert connection.recv(4) == b"\x20\x02\x00\x00"
            first.key.write_text("half of a key")
            assert not renewal.look()
            after = made(tmp_path, "hubs.example").certificate.read_text().strip()
            assert renewal.look()
            assert wait_until(lambda: shown(port) == after)

            # MQTT 3.1.1, PINGREQ and its answer, on the connection from before.
            connection.sendall(b"\xc0\x00")
            assert connection.recv(2) == b"\xd0\x00"
    finally:
        broker.stop()
    assert len(said) == 2


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _connect(user: str, password: str) -> bytes:
    def text(said: str) -> bytes:
        return len(said).to_bytes(2, "big") + said.encode()

    body = text("MQTT") + b"\x04\xc2\x00\x3c" + text("a-client") + text(user) + text(password)
    return b"\x10" + bytes([len(body)]) + body


@pytest.mark.parametrize("lacks", ["TELECARE_BROKER_CERTIFICATE", "TELECARE_BROKER_KEY", "TELECARE_HUBS_BROKER"])
def test_half_of_it_is_said_at_once(lacks: str, tmp_path: Path) -> None:
    """A broker that listened in the clear for want of one variable would be told every hub's secret."""
    named = made(tmp_path)
    environment = {
        "TELECARE_BROKER_CERTIFICATE": str(named.certificate),
        "TELECARE_BROKER_KEY": str(named.key),
        "TELECARE_HUBS_BROKER": "hubs.example:8883",
    }

    assert outside.asked_for(environment) is not None
    assert outside.asked_for({}) is None
    with pytest.raises(Missing, match="Hubs outside need"):
        outside.asked_for({name: said for name, said in environment.items() if name != lacks})


def test_a_certificate_of_another_name_is_not_believed(tmp_path: Path) -> None:
    """Whoever stands between would otherwise read all that ingest hears."""
    named = made(tmp_path, "somebody-else.example")
    env = {"TELECARE_DATABASE_URL": "postgresql://a@b/c", "TELECARE_BROKER": "127.0.0.1:1"}
    tls = Config.from_env(
        {**env, "TELECARE_BROKER_TLS": str(named.certificate), "TELECARE_BROKER_NAME": "hubs.example"}
    ).broker.tls

    assert tls is not None
    assert tls.check_hostname
    assert tls.verify_mode is ssl.CERT_REQUIRED

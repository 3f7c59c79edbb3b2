"""The permissions, as the brokers really enforce them: everything with real clients, on NATS and Mosquitto."""

import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.broker.permissions import SAID_BY_HUB, login
from deploy.embedded import knock, machine
from deploy.embedded.broker import Outside, wait_until
from deploy.embedded.nats import nats
from tests.world.broker import BROKERS, PlatformBroker, platform_broker

_LANE = 7
_PATIENCE_S = 60.0


class Client:
    """A paho client that keeps what it hears."""

    def __init__(self, port: int, user: str, secret: str, **more: object) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.granted: dict[int, list[int]] = {}
        self._news = threading.Condition()
        clean = bool(more.get("clean", True))
        name = str(more.get("name", f"{user}-{secrets.token_hex(4)}"))
        self.paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
        self.paho.username_pw_set(user, secret)
        self.paho.on_message = self._on_message
        self.paho.on_subscribe = self._on_subscribe
        if "will" in more:
            self.paho.will_set(str(more["will"]), str(more.get("last_words", "gone")), qos=1, retain=True)
        self.paho.connect("127.0.0.1", port, keepalive=5)
        self.paho.loop_start()
        assert wait_until(self.paho.is_connected, patience_s=_PATIENCE_S)

    def subscribe(self, topic: str) -> bool:
        """Return whether the broker granted it."""
        _, mid = self.paho.subscribe(topic, qos=1)
        assert mid is not None
        assert self.until(lambda: mid in self.granted)
        return self.granted[mid][0] < 0x80

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the broker's acknowledgement."""
        self.paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(_PATIENCE_S)

    def hears(self, topic: str, payload: bytes) -> bool:
        return self.until(lambda: any(one[:2] == (topic, payload) for one in self.heard))

    def until(self, is_so: Callable[[], bool]) -> bool:
        with self._news:
            return self._news.wait_for(is_so, _PATIENCE_S)

    def cut(self) -> None:
        """Lose the line without a word, as a hub does whose router is unplugged."""
        line = self.paho.socket()
        assert line is not None
        with socket.socket(fileno=os.dup(line.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def _on_message(self, _: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.heard.append((message.topic, bytes(message.payload), message.retain))
            self._news.notify_all()

    def _on_subscribe(self, _: mqtt.Client, __: object, mid: int, codes: list[ReasonCode], ___: Properties) -> None:
        with self._news:
            self.granted[mid] = [code.value for code in codes]
            self._news.notify_all()


Connect = Callable[..., Client]


@pytest.fixture
def connect(broker: PlatformBroker) -> Iterator[Connect]:
    """Connect clients that are closed at the end."""
    with contextlib.ExitStack() as closing:

        def open_one(user: str, secret: str, **more: object) -> Client:
            client = Client(broker.port, user, secret, **more)
            closing.callback(client.close)
            return client

        yield open_one


@pytest.fixture
def ingest(broker: PlatformBroker, connect: Connect) -> Client:
    client = connect(broker.ingest_user, broker.ingest_secret)
    for word in SAID_BY_HUB:
        assert client.subscribe(f"telecare/v1/+/+/{word}")
    return client


def _topic(hub: str, word: str) -> str:
    return f"telecare/v1/{_LANE:02d}/{hub}/{word}"


@pytest.mark.parametrize("word", SAID_BY_HUB)
def test_a_hub_is_heard_on_each_of_its_topics(
    broker: PlatformBroker, ingest: Client, connect: Connect, word: str
) -> None:
    """Permissions that are too tight lose alarms without a sound: the broker acknowledges and drops."""
    hub = connect("hub-a", broker.add_hub("hub-a", _LANE))

    hub.publish(_topic("hub-a", word), b"hello")

    assert ingest.hears(_topic("hub-a", word), b"hello")


def test_a_hub_hears_its_own_answers_and_nobody_elses(broker: PlatformBroker, ingest: Client, connect: Connect) -> None:
    """Another home's answer would make a hub let go of what was never stored."""
    a, b = (connect(name, broker.add_hub(name, _LANE)) for name in ("hub-a", "hub-b"))
    assert a.subscribe(_topic("hub-a", "stored"))
    assert b.subscribe(_topic("hub-b", "stored"))
    a.subscribe(_topic("hub-b", "stored"))

    ingest.publish(_topic("hub-b", "stored"), b"for b")
    ingest.publish(_topic("hub-a", "stored"), b"for a")

    assert b.hears(_topic("hub-b", "stored"), b"for b")
    assert a.hears(_topic("hub-a", "stored"), b"for a")
    assert [one[0] for one in a.heard] == [_topic("hub-a", "stored")]


_OF_THE_HOMES = ("#", "+/#", "telecare/#", "telecare/v1/07/+/readings", "telecare/v1/07/+/stored")
_OF_THE_BROKER = ("$MQTT/#", "$MQTT/msgs/#", "$MQTT/rmsgs/#", "$MQTT/sub/#", "$JS/#", "$SYS/#", "_INBOX/#")


@pytest.mark.parametrize("everything", [*_OF_THE_HOMES, *_OF_THE_BROKER])
def test_no_subscription_lets_a_hub_read_another_home(
    broker: PlatformBroker, ingest: Client, connect: Connect, everything: str
) -> None:
    """One opened box must not be a window into every home; nor may the broker's own subjects be one."""
    nosy, other = (connect(name, broker.add_hub(name, _LANE)) for name in ("hub-a", "hub-b"))
    assert nosy.subscribe(_topic("hub-a", "stored"))
    nosy.subscribe(everything)

    other.publish(_topic("hub-b", "readings"), b"private")
    other.publish(_topic("hub-b", "link"), b"private", retain=True)
    assert ingest.hears(_topic("hub-b", "link"), b"private")
    ingest.publish(_topic("hub-a", "stored"), b"last")

    assert nosy.hears(_topic("hub-a", "stored"), b"last")
    assert {one[0] for one in nosy.heard} <= {_topic("hub-a", "stored")}


@pytest.mark.parametrize(
    "forged",
    [
        _topic("hub-b", "readings"),
        _topic("hub-b", "alarms"),
        _topic("hub-b", "stored"),
        _topic("hub-a", "stored"),
        "telecare/v1/08/hub-a/readings",
        "$MQTT/msgs/telecare/v1/07/hub-b/readings",
    ],
)
def test_a_hub_cannot_speak_for_another_nor_answer_itself(
    broker: PlatformBroker, ingest: Client, connect: Connect, forged: str
) -> None:
    """A stolen box must not be able to say that another home is well."""
    thief, victim = (connect(name, broker.add_hub(name, _LANE)) for name in ("hub-a", "hub-b"))
    assert victim.subscribe(_topic("hub-b", "stored"))
    assert thief.subscribe(_topic("hub-a", "stored"))

    thief.paho.publish(forged, b"forged", qos=1)
    if not wait_until(lambda: not thief.paho.is_connected(), patience_s=0.3):
        thief.publish(_topic("hub-a", "heartbeat"), b"after")
        assert ingest.hears(_topic("hub-a", "heartbeat"), b"after")
    ingest.publish(_topic("hub-b", "stored"), b"true")

    assert victim.hears(_topic("hub-b", "stored"), b"true")
    everyone = [*ingest.heard, *victim.heard, *thief.heard]
    assert not [one for one in everyone if one[1] == b"forged"]


def test_an_unknown_hub_and_a_wrong_secret_are_turned_away(broker: PlatformBroker) -> None:
    """Whoever can reach the port is not a hub yet."""
    secret = broker.add_hub("hub-a", _LANE)

    assert knock.lets_in(broker.port, "hub-a", secret)
    assert not knock.lets_in(broker.port, "hub-a", secrets.token_urlsafe(32))
    assert not knock.lets_in(broker.port, "hub-b", secret)
    assert not knock.lets_in(broker.port, "hub-a", "")


def test_a_hub_that_was_removed_is_turned_away(broker: PlatformBroker) -> None:
    """A box that left a home must not go on speaking for it."""
    secret = broker.add_hub("hub-a", _LANE)

    broker.remove_hub("hub-a", secret)

    assert not knock.lets_in(broker.port, "hub-a", secret)


def test_letting_a_hub_in_leaves_the_others_connected(broker: PlatformBroker, ingest: Client, connect: Connect) -> None:
    """A new home must not make ten thousand others come back at once."""
    first = connect("hub-a", broker.add_hub("hub-a", _LANE))
    lost: list[object] = []
    first.paho.on_disconnect = lambda *_: lost.append("hub-a")
    ingest.paho.on_disconnect = lambda *_: lost.append("ingest")

    broker.add_hub("hub-b", _LANE)
    first.publish(_topic("hub-a", "readings"), b"still here")

    assert ingest.hears(_topic("hub-a", "readings"), b"still here")
    assert lost == []


def test_a_line_that_goes_down_leaves_its_last_will(broker: PlatformBroker, ingest: Client, connect: Connect) -> None:
    """It is only a hint, but the earliest there is; and it waits for an ingest that comes later."""
    hub = connect("hub-a", broker.add_hub("hub-a", _LANE), will=_topic("hub-a", "link"))

    hub.cut()

    assert ingest.hears(_topic("hub-a", "link"), b"gone")
    late = connect(broker.ingest_user, broker.ingest_secret)
    assert late.subscribe("telecare/v1/+/+/link")
    assert late.until(lambda: (_topic("hub-a", "link"), b"gone", True) in late.heard)


def test_a_last_will_cannot_be_left_on_anothers_topic(broker: PlatformBroker, ingest: Client, connect: Connect) -> None:
    """A will is published by the broker itself; it must ask whose it is."""
    secret = broker.add_hub("hub-a", _LANE)
    broker.add_hub("hub-b", _LANE)
    # Turned away at once is the better answer, and also right.
    with contextlib.suppress(AssertionError):
        connect("hub-a", secret, will=_topic("hub-b", "link"), last_words="forged").cut()

    connect("hub-a", secret, will=_topic("hub-a", "link"), last_words="true").cut()

    assert ingest.hears(_topic("hub-a", "link"), b"true")
    assert not [one for one in ingest.heard if one[1] == b"forged"]


def test_what_arrives_while_ingest_is_away_waits_for_it(broker: PlatformBroker, connect: Connect) -> None:
    """A restart of ingest should not make every hub send again; this is QoS 1 with a session that stays."""
    away = connect(broker.ingest_user, broker.ingest_secret, name="ingest-1", clean=False)
    assert away.subscribe("telecare/v1/+/+/readings")
    away.close()
    hub = connect("hub-a", broker.add_hub("hub-a", _LANE))

    hub.publish(_topic("hub-a", "readings"), b"meanwhile")

    back = connect(broker.ingest_user, broker.ingest_secret, name="ingest-1", clean=False)
    assert back.hears(_topic("hub-a", "readings"), b"meanwhile")


def test_a_killed_and_wiped_broker_comes_back_with_its_permissions(broker: PlatformBroker) -> None:
    """Nothing rests on the broker's disk but who may come in, and that we write ourselves."""
    secret = broker.add_hub("hub-a", _LANE)

    broker.kill()
    broker.wipe()
    broker.start()

    assert knock.lets_in(broker.port, "hub-a", secret)
    assert not knock.lets_in(broker.port, "hub-a", "wrong")


def test_a_hub_added_while_the_broker_is_down_is_let_in_afterwards(broker: PlatformBroker) -> None:
    """Installing a home does not wait for a broker."""
    broker.kill()
    secret = broker.add_hub("hub-a", _LANE)

    broker.start()

    assert knock.lets_in(broker.port, "hub-a", secret)


def test_messages_for_an_ingest_that_is_gone_for_good_do_not_fill_the_broker(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut every message was kept for the old ingest too, until the store was full and no alarm passed."""
    monkeypatch.setattr("deploy.embedded.nats._STORE", "max_memory_store: 64MB, max_file_store: 1MB")
    monkeypatch.setattr("deploy.embedded.nats._LET_GO_AFTER", "2s")
    broker = platform_broker("nats", open_folder / "filled")
    secret = broker.add_hub("hub-a", _LANE)
    broker.start()
    try:
        before = Client(broker.port, broker.ingest_user, broker.ingest_secret)
        assert before.subscribe("telecare/v1/+/+/alarms")
        before.paho.loop_stop()  # It says no more, and comes back no more.
        broker.kill()
        broker.start()
        after = Client(broker.port, broker.ingest_user, broker.ingest_secret)
        assert after.subscribe("telecare/v1/+/+/alarms")
        said = [f"{number}: {'help' * 10_000}".encode() for number in range(60)]  # 2.4 MB of them.

        def is_heard() -> bool:
            heard = {one[1] for one in after.heard}
            _say(Client(broker.port, "hub-a", secret), [one for one in said if one not in heard][:10])
            return heard >= set(said)

        assert wait_until(is_heard, patience_s=_PATIENCE_S)
        after.close()
    finally:
        broker.stop()


def _say(hub: Client, said: list[bytes]) -> None:
    """Say alarms on a line of their own; the broker hangs up on whom it has no room for."""
    for payload in said:
        with contextlib.suppress(RuntimeError, ValueError):
            hub.paho.publish(_topic("hub-a", "alarms"), payload, qos=1).wait_for_publish(1)
    hub.close()


def test_ingest_may_take_its_lanes_alone(broker: PlatformBroker, connect: Connect) -> None:
    """Workers that share the lanes subscribe to theirs, not to everything."""
    worker = connect(broker.ingest_user, broker.ingest_secret)

    assert worker.subscribe(f"telecare/v1/{_LANE:02d}/+/readings")

    hub = connect("hub-a", broker.add_hub("hub-a", _LANE))
    hub.publish(_topic("hub-a", "readings"), b"mine")
    assert worker.hears(_topic("hub-a", "readings"), b"mine")


def _certificate(folder: Path) -> Outside:
    outside = Outside("127.0.0.1", folder / "broker.pem", folder / "broker.key")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", str(outside.key), "-out", str(outside.certificate))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files],
        check=True,
        capture_output=True,
    )
    return outside


def _shown(port: int) -> str:
    """Return the certificate that a broker shows."""
    with contextlib.suppress(OSError):
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=5)
    return ""


@pytest.mark.parametrize("kind", sorted(BROKERS))
def test_over_a_network_there_is_only_tls(kind: str, open_folder: Path, tmp_path: Path) -> None:
    """A hub sends its secret when it connects; whoever reads it on the way could speak for the home."""
    outside = _certificate(tmp_path)  # Of root alone, as certificates are kept.
    folder = open_folder / f"tls-{kind}"
    log = folder.with_suffix(".log")
    server = BROKERS[kind](folder, port=machine.free_port(), log=log, environment=os.environ, outside=outside)
    secret = secrets.token_urlsafe(32)
    server.permit([], login("ingest", secret))
    server.start()
    try:
        assert not knock.lets_in(server.port, "ingest", secret)
        trusting = ssl.create_default_context(cafile=str(outside.certificate))
        assert wait_until(lambda: knock.lets_in(server.port, "ingest", secret, tls=trusting))
        assert not knock.lets_in(server.port, "ingest", "wrong", tls=trusting)
        assert not knock.lets_in(server.port, "ingest", secret, tls=ssl.create_default_context())

        first = _shown(server.port)
        _certificate(tmp_path)
        server.renew()

        assert wait_until(lambda: _shown(server.port) not in ("", first))
        assert _shown(server.port).strip() == outside.certificate.read_text().strip()
    finally:
        server.stop()


def test_a_homes_own_broker_is_a_wire_between_all_its_equipment(open_folder: Path) -> None:
    """Zigbee2MQTT chooses its own topics, keeps some retained, and has never heard of lanes."""
    secret = secrets.token_urlsafe(32)
    log, port = open_folder / "home.log", machine.free_port()
    home = nats(open_folder / "home", port=port, log=log, environment=os.environ, is_homes_own=True)
    home.open_to(login("equipment", secret))
    home.start()
    try:
        radio, gateway = (Client(home.port, "equipment", secret) for _ in range(2))
        radio.publish("zigbee2mqtt/bridge/state", b"online", retain=True)
        assert gateway.subscribe("zigbee2mqtt/#")
        assert gateway.until(lambda: ("zigbee2mqtt/bridge/state", b"online", True) in gateway.heard)
        assert not knock.lets_in(home.port, "equipment", "wrong")
        radio.close()
        gateway.close()
    finally:
        home.stop()

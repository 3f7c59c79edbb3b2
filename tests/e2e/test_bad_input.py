"""Bad input gets its right answer: refused and kept, corrected, turned away, or told."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from deploy.embedded import knock
from gateway.wire import Leaf, Stream
from ingest import devices
from ingest.db.pool import connect
from ingest.hub_secret import hash_mosquitto, hash_nats
from tests.world.raw_hub import RawHub, pack, record
from tests.world.whole import Whole

HOME = "church-wynd-8"
HUB = "raw-church"

GOOD = '{"n":"hall/movement","v":1,"t":1.8e9,"up_":3600000}'


@dataclass(frozen=True, slots=True)
class Cruel:
    """A hub of the home that says what it likes."""

    whole: Whole
    hub: RawHub
    said: Counter[Stream] = field(default_factory=Counter)

    def says(self, body: str, stream: Stream = Stream.READINGS) -> int:
        """Send one pack with this body under the next number, and return that."""
        self.said[stream] += 1
        number = self.said[stream]
        header = {
            "outbox": "cruel",
            "stream": stream,
            "first": number,
            "last": number,
            "oldest": 1,
            "sent_at": time.time(),
            "boot": "boot-1",
            "uptime_ms": 3_600_000,
        }
        self.hub.say(Leaf(stream), f"{json.dumps(header)}\n{body}".encode())
        return number


@pytest.fixture(scope="module")
def cruel(whole: Whole) -> Iterator[Cruel]:
    """Add a second hub to the home by the door that `telecare hub add` uses."""
    secret = secrets.token_urlsafe(32)
    hashes = (hash_nats(secret), hash_mosquitto(secret))
    with connect(whole.platform.database_url, name="test") as conn:
        lane = devices.add_hub(conn, HUB, HOME, hashes, now=whole.clock.now())
    whole.platform.permit()
    broker = whole.platform.broker
    assert broker is not None
    whole.until(lambda: knock.lets_in(broker.port, HUB, secret), what="the new hub being let in")
    with RawHub(HUB, lane, port=broker.port, secret=secret) as hub:
        yield Cruel(whole, hub)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[{this is not JSON", "malformed"),
        ("[" * 200_000, "array"),
        ('[{"n":"h\\u0000/movement","v":1,"t":1.8e9,"up_":1}]', "name"),
        ('[{"n":"h\\ud800/movement","v":1,"t":1.8e9,"up_":1}]', "surrogate"),
        ('[{"n":"hall/movement","v":1e400,"t":1.8e9,"up_":1}]', "range"),
        ('[{"n":"hall/temperature_c","v":4000,"t":1.8e9,"up_":3600000}]', "temperature_c"),
    ],
)
def test_what_cannot_be_read_is_refused_and_kept_and_nothing_waits_behind_it(
    cruel: Cruel, body: str, reason: str
) -> None:
    """One broken sensor must not stop a home's readings, and an operator must be able to look at what it said."""
    number = cruel.says(body)

    assert cruel.hub.wait_through(Stream.READINGS, number, outbox="cruel"), cruel.hub.answers
    kept = cruel.whole.value("SELECT reason FROM refused WHERE hub = %s AND first = %s", HUB, number)
    assert reason in str(kept), kept
    size = cruel.whole.value("SELECT length(payload) FROM refused WHERE hub = %s AND first = %s", HUB, number)
    assert isinstance(size, int)
    assert size >= len(body)


def test_a_clock_at_five_seconds_past_1970_is_corrected(cruel: Cruel) -> None:
    """A hub without a battery for its clock wakes up in 1970, and what it saw just now was seen just now."""
    number = cruel.says('[{"n":"hall/movement","v":1,"t":5,"up_":3590000}]')

    assert cruel.hub.wait_through(Stream.READINGS, number, outbox="cruel"), cruel.hub.answers
    ago_s = cruel.whole.value(
        "SELECT extract(epoch FROM received_at - observed_at)::float8 FROM reading "
        "WHERE hub = %s AND observed_at > '2000-01-01'",
        HUB,
    )
    assert isinstance(ago_s, float)
    assert 9 < ago_s < 40


def test_a_hub_cannot_speak_as_another(cruel: Cruel) -> None:
    """A stolen hub must not be able to make another home look lived in."""
    before = cruel.whole.value("SELECT count(*) FROM stream WHERE outbox = 'stolen'")

    with RawHub(HUB, cruel.hub.lane, port=cruel.hub._port, secret=_secret_of(cruel.hub)) as thief:
        thief.hub = type(thief.hub)("hub-church-wynd-8")
        thief.say(Leaf.READINGS, pack(Stream.READINGS, [record(1)], outbox="stolen"))
    number = cruel.says(f"[{GOOD}]")

    assert cruel.hub.wait_through(Stream.READINGS, number, outbox="cruel")
    assert cruel.whole.value("SELECT count(*) FROM stream WHERE outbox = 'stolen'") == before == 0


def test_an_unknown_hub_is_turned_away(cruel: Cruel) -> None:
    """The broker's door is the first of two."""
    broker = cruel.whole.platform.broker
    assert broker is not None

    assert not knock.lets_in(broker.port, "nobody-knows-me", secrets.token_urlsafe(32))
    assert not knock.lets_in(broker.port, HUB, secrets.token_urlsafe(32))


def test_an_alarm_that_nobody_can_read_is_an_alert(cruel: Cruel) -> None:
    """Whatever it was, something in the home called for help."""
    number = cruel.says("\x00\x01 not a pack at all", Stream.ALARMS)

    assert cruel.hub.wait_through(Stream.ALARMS, number, outbox="cruel")
    text = cruel.whole.phone("sanjay").gets("Elsie")
    assert "Reply" in text


def test_an_unsigned_callback_is_forbidden(whole: Whole) -> None:
    """Otherwise anyone could write that a text arrived, or say "mine" in a carer's name."""
    for path in ("/twilio/text", "/twilio/status/some-key"):
        answer = httpx.post(f"{whole.pages}{path}", data={"From": "+447700900101", "Body": "1 mine"})
        assert answer.status_code == 403


def test_a_home_that_was_not_given_answers_like_one_that_does_not_exist(whole: Whole) -> None:
    """No status code and no word may say who lives where."""
    with whole.signed_in("anne") as browser:
        for path in ("", "/now", "/alerts/1"):
            hidden, absent = (browser.get(f"/homes/{home}{path}") for home in (HOME, "no-such-home-at-all"))
            assert hidden.status_code == absent.status_code == 404
            assert hidden.text.replace(HOME, "") == absent.text.replace("no-such-home-at-all", "")


def test_someone_signed_out_is_led_to_the_log_in(whole: Whole) -> None:
    """From every page of a home, whether it exists or not."""
    for home in (HOME, "no-such-home-at-all"):
        answer = httpx.get(f"{whole.pages}/homes/{home}", follow_redirects=False)
        assert answer.status_code in {302, 303, 307}
        assert answer.headers["location"].endswith("/log-in")


def _secret_of(hub: RawHub) -> str:
    password = hub._paho._password
    assert isinstance(password, bytes)
    return password.decode()

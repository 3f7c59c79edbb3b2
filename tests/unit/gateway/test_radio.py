"""Which message was handed to us before?"""

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import Clock, Moment
from gateway.config import Radio as Settings
from gateway.connection import Delivery
from gateway.radio import Radio
from gateway.reading import HubId


class _Nobody:
    """Hears nothing: no connection is opened here."""

    def connected(self, name: str, *, has_session: bool) -> None: ...

    def disconnected(self, name: str) -> None: ...

    def received(self, name: str, delivery: Delivery) -> bool:
        raise AssertionError((name, delivery))


def _now() -> Moment:
    return Clock.from_env({}).moment()


def _after(*taken: Delivery) -> Radio:
    """Return the radio of a gateway that was killed after it kept these."""
    settings, hub = Settings(host="127.0.0.1"), HubId("hub-1")
    killed = Radio(settings, hub, _Nobody(), last=None)
    return Radio(settings, hub, _Nobody(), last=killed.last_heard(taken, moment=_now()))


def _dated(packet: int, ms: int, *, is_again: bool) -> Delivery:
    return Delivery(
        "zigbee2mqtt/hall",
        b'{"last_seen":%d,"occupancy":true}' % (1_788_000_000_000 + ms),
        packet=packet,
        is_again=is_again,
    )


@given(st.integers(1, 65_535), st.integers(1, 65_535))
def test_a_dated_message_is_known_again_whatever_number_the_broker_gives_it(first: int, then: int) -> None:
    """NATS begins to number anew when a killed gateway comes back: a movement would count twice."""
    assert _after(_dated(first, 1, is_again=False)).is_taken_already(_dated(then, 1, is_again=True))


@given(st.integers(1, 65_535), st.integers(2, 10_000))
def test_the_next_movement_of_the_same_words_is_not_taken_for_an_echo(packet: int, ms: int) -> None:
    """A movement that is dropped as known is lost, and a home seems stiller than it is (P1)."""
    assert not _after(_dated(packet, 1, is_again=False)).is_taken_already(_dated(packet, ms, is_again=True))


def test_a_message_without_a_moment_is_known_by_the_brokers_number() -> None:
    """MQTT 3.1.1, 4.4: what is handed out again keeps its number.  Local time has no milliseconds."""
    for payload in (b'{"occupancy":true}', b'{"occupancy":true,"last_seen":"2026-11-22T08:00:00+00:00"}', b"on", b"7"):
        there = _after(Delivery("zigbee2mqtt/hall", payload, packet=7))

        assert there.is_taken_already(Delivery("zigbee2mqtt/hall", payload, packet=7, is_again=True))
        assert not there.is_taken_already(Delivery("zigbee2mqtt/hall", payload, packet=8, is_again=True))
        assert not there.is_taken_already(Delivery("zigbee2mqtt/hall", payload, packet=7))

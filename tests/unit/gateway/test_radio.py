"""Which message was handed to us before?"""

from dataclasses import replace

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


def _later(moment: Moment, seconds: float) -> Moment:
    return replace(moment, real_s=moment.real_s + seconds)


def _is_late(radio: Radio, moment: Moment) -> bool:
    message = radio.heard(_dated(1, 1, is_again=False), moment=moment)
    assert message is not None
    return message.is_late


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


def test_a_gateway_that_is_killed_while_it_hears_what_waited_still_knows_how_long_that_waited() -> None:
    """Two hours of a broken gateway would be stamped as this minute, and somebody seem to be up who is not (P1)."""
    settings, hub, began = Settings(host="127.0.0.1"), HubId("hub-1"), _now()
    up = Radio(settings, hub, _Nobody(), last=None)
    up.connected(moment=began)
    assert not _is_late(up, _later(began, 11)), "a broker that lets nobody send the marker is believed after a while"
    back = Radio(settings, hub, _Nobody(), last=up.last_heard([], moment=_later(began, 11)))
    back.connected(moment=_later(began, 7_200))
    assert _is_late(back, _later(began, 7_201))

    killed = back.last_heard([_dated(1, 1, is_again=False)], moment=_later(began, 7_201))
    again = Radio(settings, hub, _Nobody(), last=killed)
    again.connected(moment=_later(began, 7_202))

    assert _is_late(again, _later(began, 7_202))


def test_who_never_heard_the_radio_to_the_end_of_what_waited_knows_nothing_of_it() -> None:
    """After a power cut nobody can say for how long something waited, also not at the second start."""
    settings, hub, began = Settings(host="127.0.0.1"), HubId("hub-1"), _now()
    first = Radio(settings, hub, _Nobody(), last=None)
    first.connected(moment=began)

    second = Radio(settings, hub, _Nobody(), last=first.last_heard([], moment=_later(began, 1)))
    second.connected(moment=_later(began, 2))

    assert _is_late(second, _later(began, 2))


def test_what_waited_is_late_however_long_it_takes_to_hear_it() -> None:
    """The broker of a busy home has kept days of messages: stamped with now, somebody would seem to be up (P2)."""
    radio, began = Radio(Settings(host="127.0.0.1"), HubId("hub-1"), _Nobody(), last=None), _now()
    radio.connected(moment=began)

    assert all(_is_late(radio, _later(began, second)) for second in range(0, 600, 5))
    assert not _is_late(radio, _later(began, 601)), "a busy home whose broker takes no marker is believed at last"

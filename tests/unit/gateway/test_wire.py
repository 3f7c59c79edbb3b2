"""What travels can be read back, and no bytes can hurt whoever reads them."""

import json
import math
import string
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import heartbeat, wire
from gateway.heartbeat import Heartbeat
from gateway.reading import HubId, Quantity, SensorId
from gateway.wire import Ask, Header, Leaf, Link, Malformed, Record, Stored, Stream, Topic

_tokens = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=64)
_counts = st.integers(0, 2**62 - 1)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_sensors = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9\-:./_]{0,94}", fullmatch=True).filter(wire.is_sensor_id).map(SensorId)
_records = st.builds(
    Record,
    number=st.just(0),
    sensor=_sensors,
    quantity=st.sampled_from([q.value for q in Quantity]),
    value=_finite,
    wall_s=st.floats(-1e12, 1e12),
    boot=_tokens,
    uptime_ms=_counts,
    may_repeat=st.booleans(),
    is_wall_unset=st.booleans(),
)


@st.composite
def _packs(draw: st.DrawFn) -> tuple[Header, tuple[Record, ...]]:
    drawn = draw(st.lists(_records, min_size=1, max_size=6))
    first = draw(st.integers(1, 2**60))
    records = tuple(replace(r, number=n) for n, r in enumerate(drawn, start=first))
    header = Header(
        draw(_tokens), draw(st.sampled_from(Stream)), first, first + len(records) - 1, draw(st.integers(1, first)),
        draw(_finite), draw(_tokens), draw(_counts),
    )  # fmt: skip
    return header, records


@given(_packs())
def test_decoding_undoes_encoding(pack: tuple[Header, tuple[Record, ...]]) -> None:
    """What the platform stores is what the hub kept, to the last bit."""
    header, records = pack

    read = wire.decode_pack(wire.encode_pack(header, records), header.stream)

    assert read.header == header
    assert read.records == records


@given(st.builds(Ask, _tokens, _counts, _counts, _finite, _tokens, _counts))
def test_a_question_is_read_as_it_was_asked(ask: Ask) -> None:
    """An old card is recognised by these two numbers."""
    assert wire.decode_ask(wire.encode_message(ask)) == ask


@given(st.builds(Stored, _tokens, st.sampled_from(Stream), _counts, st.booleans()))
def test_an_answer_is_read_as_it_was_given(stored: Stored) -> None:
    """It is what lets a hub let go."""
    assert wire.decode_stored(wire.encode_message(stored)) == stored


@given(
    st.builds(
        Heartbeat,
        outbox=_tokens,
        sent_at=_finite,
        boot=_tokens,
        uptime_ms=_counts,
        held_readings=_counts,
        radio_up=st.none() | st.booleans(),
        troubles=st.lists(_tokens, max_size=16).map(tuple),
    )
)
def test_a_heartbeat_is_read_as_it_was_sent(beat: Heartbeat) -> None:
    """A home is watched only as long as these are understood."""
    assert heartbeat.decode(wire.encode_message(beat)) == beat


@given(st.integers(0, wire.LANES - 1), st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True), st.sampled_from(Leaf))
def test_a_topic_is_read_as_it_was_written(lane: int, hub: str, leaf: Leaf) -> None:
    """The lane and the hub are in the topic and nowhere else."""
    assert wire.read_topic(wire.topic(lane, HubId(hub), leaf)) == Topic(lane, HubId(hub), leaf)


def _payload(body: bytes | Any, header: dict[str, Any] | None = None) -> bytes:
    head = {
        "outbox": "o", "stream": "readings", "first": 3, "last": 3, "oldest": 1,
        "sent_at": 1795262400.0, "boot": "b", "uptime_ms": 5,
    }  # fmt: skip
    line = json.dumps(head | (header or {})).encode()
    return line + b"\n" + (body if isinstance(body, bytes) else json.dumps(body).encode())


GOOD = {"n": "hall/movement", "v": 1, "t": 1795262400.0, "up_": 4}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 200_000,
        b'[{"n":"hall/movement","v":1e400,"t":1795262400,"up_":4}]',
        b'[{"n":"hall/movement","v":NaN,"t":1795262400,"up_":4}]',
        [{**GOOD, "n": "hall\0/movement"}],
        b'[{"n":"hall\\ud800/movement","v":1,"t":1795262400,"up_":4}]',
        [{**GOOD, "n": "hall"}],
        [{**GOOD, "n": "/movement"}],
        [{**GOOD, "vb": True}],
        [{k: v for k, v in GOOD.items() if k != "v"}],
        [{k: v for k, v in GOOD.items() if k != "up_"}],
        [{**GOOD, "up_": -1}],
        [{**GOOD, "must_": 1}],
        [GOOD, GOOD],
        [],
        {"n": "hall/movement"},
        b"\xff\xfe",
    ],
)
def test_a_body_that_cannot_be_read_still_tells_its_numbers(body: Any) -> None:
    """Exactly these numbers are refused, and nothing waits behind them."""
    with pytest.raises(Malformed) as raised:
        wire.decode_pack(_payload(body), Stream.READINGS)

    assert raised.value.header is not None
    assert (raised.value.header.first, raised.value.header.last) == (3, 3)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no line feed",
        b"{}\n[]",
        b"[" * 200_000 + b"\n[]",
        _payload([GOOD], {"stream": "alarms"}),
        _payload([GOOD], {"first": 4}),
        _payload([GOOD], {"first": 0, "last": 0}),
        _payload([GOOD], {"last": 600}),
        _payload([GOOD], {"outbox": "o\0"}),
        _payload([GOOD], {"boot": ""}),
        _payload([GOOD], {"uptime_ms": -1}),
        _payload([GOOD], {"hint": "x" * 10_000}),
    ],
)
def test_a_header_that_cannot_be_read_has_no_numbers(payload: bytes) -> None:
    """Nothing may be refused under a number that was only guessed."""
    with pytest.raises(Malformed) as raised:
        wire.decode_pack(payload, Stream.READINGS)

    assert raised.value.header is None


def test_a_pack_that_is_too_long_is_refused_by_its_numbers() -> None:
    """Refused without them it would be sent for ever, and everything behind it would wait for ever."""
    with pytest.raises(Malformed, match="more than") as raised:
        wire.decode_pack(_payload([GOOD]) + b" " * wire.PAYLOAD_BYTES_MAX, Stream.READINGS)

    assert raised.value.header is not None


def test_an_unknown_field_is_passed_over_unless_it_must_be_understood() -> None:
    """RFC 8428 section 4.4: newer hubs may say more, and can say that it matters."""
    pack = wire.decode_pack(_payload([{**GOOD, "hint": [1, {"a": "b"}]}]), Stream.READINGS)

    assert pack.records[0].value == 1.0


def test_base_name_and_base_time_are_applied() -> None:
    """RFC 8428 section 4.6: other makers' SenML uses them."""
    record = {"bn": "hall/", "bt": 1795262400.0, "n": "movement", "vb": True, "t": 2, "up_": 4}

    (read,) = wire.decode_pack(_payload([record]), Stream.READINGS).records

    assert (read.sensor, read.quantity, read.value, read.wall_s) == ("hall", "movement", 1.0, 1795262402.0)


@given(st.binary(max_size=300), st.sampled_from(Stream))
def test_no_bytes_do_more_than_be_malformed(payload: bytes, stream: Stream) -> None:
    """Whoever reads a broker reads anything that anyone can send there."""
    for read in (
        lambda: wire.decode_pack(payload, stream),
        lambda: wire.decode_pack(_payload(payload), Stream.READINGS),
        lambda: wire.decode_ask(payload),
        lambda: wire.decode_stored(payload),
        lambda: wire.decode_link(payload),
        lambda: heartbeat.decode(payload),
    ):
        try:
            read()
        except Malformed:
            continue


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_no_topic(text: str) -> None:
    """A broker without an access list delivers any topic."""
    try:
        topic = wire.read_topic(text)
    except Malformed:
        return
    assert str(topic) == text


@pytest.mark.parametrize("topic", ["telecare/v1/64/h/link", "telecare/v1/7/h/link", "telecare/v1/07/H/link", "a"])
def test_what_is_not_ours_is_no_topic(topic: str) -> None:
    """A lane that does not exist has no worker: it would never be heard."""
    with pytest.raises(Malformed):
        wire.read_topic(topic)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_not_sent(value: float) -> None:
    """JSON has no word for it, and the database no place."""
    record = Record(1, SensorId("hall"), "temperature_c", value, 0.0, "b", 1)

    with pytest.raises(ValueError, match="not finite"):
        wire.encode_pack(Header("o", Stream.READINGS, 1, 1, 1, 0.0, "b", 1), [record])


def test_a_pack_with_a_hole_is_not_sent() -> None:
    """Record i has number first + i; a hole would shift every number behind it."""
    one, three = (Record(n, SensorId("hall"), "movement", 1.0, 0.0, "b", 1) for n in (1, 3))

    with pytest.raises(ValueError, match="without a hole"):
        wire.encode_pack(Header("o", Stream.READINGS, 1, 3, 1, 0.0, "b", 1), [one, three])


@pytest.mark.parametrize("decode", [wire.decode_ask, wire.decode_stored, wire.decode_link, heartbeat.decode])
def test_a_message_that_is_too_long_is_not_even_parsed(decode: Any) -> None:
    """The bound protects whoever reads thousands of hubs."""
    with pytest.raises(Malformed, match="more than"):
        decode(b" " * (wire.PAYLOAD_BYTES_MAX + 1))


def test_a_link_is_read_as_it_was_written() -> None:
    """It is only a hint, but a hint either way."""
    assert [wire.decode_link(wire.encode_message(Link(up))) for up in (True, False)] == [Link(up=True), Link(up=False)]
    assert msgspec.json.decode(wire.encode_message(Link(up=False))) == {"up": False}

"""What becomes of each thing in a batch, seen without a database: sorting out is pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.reading import HubId
from gateway.wire import Leaf, Stream, topic
from ingest.admission import TOLERANCE
from ingest.arrivals import Delivery, read
from ingest.devices import Hub
from ingest.entry import Alarm, Entry
from ingest.intake import Kept, Known, Memory, Rules, sort_out
from ingest.refused import digest

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HUB = Hub("hub-1", "rose-cottage", 7, NINE - timedelta(days=9), None)


def _pack(first: int, body: bytes, *, last: int | None = None, at: datetime = NINE, outbox: str = "box-1") -> bytes:
    header = {
        "outbox": outbox,
        "stream": "alarms",
        "first": first,
        "last": first if last is None else last,
        "oldest": 1,
        "sent_at": at.timestamp(),
        "boot": "boot-1",
        "uptime_ms": 3_600_000,
    }
    return json.dumps(header).encode() + b"\n" + body


def _sorted_out(*payloads: bytes, unnumbered: Sequence[bytes] = ()) -> Kept:
    known = Known(
        hubs={HUB.hub: HUB},
        rooms={},
        streams={},
        boxes={},
        unnumbered={HUB.hub: frozenset(unnumbered)},
        received_at={HUB.lane: NINE},
    )
    where = topic(HUB.lane, HubId(HUB.hub), Leaf.ALARMS)
    batch = [read(Delivery(where, payload, NINE)) for payload in payloads]
    return sort_out(batch, known, Memory(), Rules(TOLERANCE, timedelta(0)))


def _alarms(kept: Kept) -> list[Alarm]:
    said: list[Entry] = kept.entries.get(HUB.lane, [])
    return [entry for entry in said if isinstance(entry, Alarm)]


def test_two_presses_that_nobody_can_read_are_two_though_their_bytes_are_the_same() -> None:
    """A hub whose encoder is broken says `[` for each press; next week's press must not pass for last week's."""
    kept = _sorted_out(_pack(1, b"["), _pack(2, b"["))

    assert [alarm.identity for alarm in _alarms(kept)] == ["hub-1/box-1/1", "hub-1/box-1/2"]
    (state,) = kept.streams.values()
    assert (state.book.through, kept.answers[-1].stored.stream) == (2, Stream.ALARMS)


def test_an_unreadable_header_that_is_sent_again_is_no_second_alarm() -> None:
    """It is never answered, so its hub sends it for ever, each time with another moment of sending."""
    body = b'[{"n":"pendant/pendant_alarm","v":1,"t":1.7e9,"up_":1}]'
    payloads = [_pack(2, body, last=1, at=NINE + timedelta(seconds=2 * n)) for n in range(3)]

    at_once = _sorted_out(*payloads)
    later = _sorted_out(payloads[2], unnumbered=[digest(payloads[0])])

    assert len({alarm.identity for alarm in _alarms(at_once)}) == 1
    assert _alarms(later) == []
    assert (len(at_once.refused), later.refused) == (1, [])


def test_a_hub_that_babbles_calls_once_a_minute() -> None:
    """Each call is a row of the log for good; a mad box must not bury it, and yet is never silenced for longer."""
    payloads = [b"call %d" % n for n in range(500)]

    first = _sorted_out(*payloads)
    later = _sorted_out(*payloads[200:], unnumbered=[digest(one) for one in payloads[:60]])

    assert len(_alarms(first)) == 61
    assert [alarm.identity for alarm in _alarms(later)] == ["hub-1/babbles/2026-03-01T09:00"]


def test_a_boot_without_a_set_clock_leaves_the_time_uncertain_though_it_looks_right() -> None:
    """A hub that started twice without a line goes on from the last time it knew; the hours between are not in it."""
    wall_s = (NINE - timedelta(hours=3)).timestamp()

    def record(**said: object) -> bytes:
        one = {"n": "pendant/pendant_alarm", "v": 1, "t": wall_s, "up_": 5, "boot_": "boot-0", **said}
        return json.dumps([one]).encode()

    unset, set_ = (_alarms(_sorted_out(_pack(1, body)))[0] for body in (record(unset_=True), record()))

    assert (set_.observed_at, set_.uncertain_since) == (NINE - timedelta(hours=3), None)
    assert unset.uncertain_since is not None
    assert unset.observed_at == NINE - timedelta(hours=1)  # when the running boot began

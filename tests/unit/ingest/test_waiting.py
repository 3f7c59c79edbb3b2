"""What waits for the database, and what gives way."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import Ask, encode_message
from ingest.arrivals import Delivery, read
from ingest.waiting import ALARMS_OF_A_HUB_MAX, BYTES_TAKEN_MAX, SPAN_S, Waiting

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)

_leaf = st.sampled_from(["readings", "alarms", "ask", "heartbeat", "link"])
_said = st.tuples(_leaf, st.integers(0, 3), st.binary(max_size=8))


def _delivery(leaf: str, hub: int, body: bytes, second: float = 0.0, header: bytes = b"header") -> Delivery:
    at = NINE + timedelta(seconds=second)
    return Delivery(f"telecare/v1/07/hub-{hub}/{leaf}", header + b"\n" + body, at)


def _filled(said: Iterable[tuple[str, int, bytes]], *, bytes_max: int = 10**9, apart_s: float = 0.0) -> Waiting:
    waiting = Waiting(bytes_max=bytes_max)
    for number, (leaf, hub, body) in enumerate(said):
        waiting.add(_delivery(leaf, hub, body, number * apart_s), arrived_s=number * apart_s)
    return waiting


def _everything(waiting: Waiting) -> list[Delivery]:
    taken = []
    while len(waiting):
        batch = waiting.take()
        assert batch
        taken += batch
    return taken


@given(st.lists(_said, max_size=40))
def test_nothing_is_lost_while_there_is_room(said: list[tuple[str, int, bytes]]) -> None:
    """Only what has no room is dropped, and only the same alarm twice is one."""
    taken = _everything(_filled(said))

    alarms = {(hub, body) for leaf, hub, body in said if leaf == "alarms"}
    others = [one for one in said if one[0] != "alarms"]
    assert len(taken) == len(alarms) + len(others)


def _question(hub: int, *, sent: int = 7, at_s: float = 0.0) -> Delivery:
    payload = encode_message(Ask("box", sent, 0, at_s, "boot", int(at_s * 1000)))
    return Delivery(f"telecare/v1/07/hub-{hub}/ask", payload, NINE + timedelta(seconds=at_s))


def test_a_question_that_is_put_again_while_it_waits_is_answered_once() -> None:
    """Five thousand hubs that ask on kept a busy ingest from storing what they asked about."""
    waiting = Waiting()
    for at_s in range(10):
        waiting.add(_question(1, at_s=at_s), arrived_s=at_s)
        waiting.add(_question(2, at_s=at_s), arrived_s=at_s)
    waiting.add(_question(2, sent=3), arrived_s=10)  # Its card was put back, and somebody must hear of it.

    assert len(_everything(waiting)) == 3
    waiting.add(_question(1), arrived_s=20)
    assert len(_everything(waiting)) == 1


def test_a_question_does_not_stand_behind_the_readings_of_others() -> None:
    """A hub says its alarm once it is answered; behind a minute of readings somebody would lie for a minute longer."""
    waiting = _filled([("readings", hub, b"") for hub in range(60)], apart_s=1.0)
    waiting.add(_question(100, at_s=60), arrived_s=60)

    assert [one.topic for one in waiting.take()] == ["telecare/v1/07/hub-100/ask"]
    assert next(one.topic for one in waiting.take()) == "telecare/v1/07/hub-0/readings"


def test_no_crowd_of_questions_keeps_anything_from_its_turn() -> None:
    """One box that asks without end, each time something else, must not stop what others say."""
    waiting = _filled([("readings", hub, b"") for hub in range(10)], apart_s=2.0)
    taken = []
    for sent in range(20):
        waiting.add(_question(100, sent=sent, at_s=30), arrived_s=30)
        taken += waiting.take()

    assert sum(one.topic.endswith("readings") for one in taken) == 10


@given(st.lists(_said, max_size=60), st.integers(0, 3000))
def test_an_alarm_never_gives_way(said: list[tuple[str, int, bytes]], bytes_max: int) -> None:
    """The database may be away for an hour and the memory full of readings: the pendant waits its turn, first."""
    waiting = _filled(said, bytes_max=bytes_max)

    taken = {one.topic + one.payload.decode("latin-1") for one in _everything(waiting)}

    for leaf, hub, body in said:
        if leaf == "alarms":
            one = _delivery(leaf, hub, body)
            assert one.topic + one.payload.decode("latin-1") in taken


@given(st.lists(_said, min_size=1, max_size=40))
def test_alarms_come_first_and_the_rest_in_order(said: list[tuple[str, int, bytes]]) -> None:
    """An alarm must not wait behind a backlog, and a stream's packs must not overtake each other."""
    taken = _filled(said, apart_s=0.001).take()

    leaves = [one.topic.rpartition("/")[2] for one in taken]
    others = [one.payload for one in taken if not one.topic.endswith("alarms")]
    assert leaves == sorted(leaves, key=lambda leaf: leaf != "alarms")
    assert others == [b"header\n" + body for leaf, _, body in said if leaf != "alarms"]


def test_the_oldest_readings_give_way() -> None:
    """Their hubs have them, and send them again; what is new is worth more than what is late."""
    waiting = _filled([("readings", 1, b"%d" % n) for n in range(10)], bytes_max=5 * 408)

    assert [one.payload[-1:] for one in _everything(waiting)] == [b"5", b"6", b"7", b"8", b"9"]
    assert waiting.dropped == 5


def test_an_alarm_sent_again_takes_the_place_of_the_first() -> None:
    """Hubs send an alarm every two seconds until they are answered; an hour of that would fill the memory."""
    waiting = Waiting()
    for second in range(1000):
        header = b"sent at %d" % second
        waiting.add(_delivery("alarms", 1, b"help", second, header), arrived_s=float(second))

    assert [one.payload for one in _everything(waiting)] == [b"sent at 999\nhelp"]


def test_a_backlog_is_taken_second_by_second() -> None:
    """After an outage the log is written as it would have been without, and nobody seems to have been silent."""
    waiting = _filled([("heartbeat", 1, b"%d" % n) for n in range(10)], apart_s=SPAN_S / 2 + 0.001)

    sizes = []
    while len(waiting):
        sizes.append(len(waiting.take()))

    assert sizes == [2, 2, 2, 2, 2]


@given(st.lists(_said, min_size=1, max_size=30))
def test_the_oldest_that_waits_bounds_what_is_complete(said: list[tuple[str, int, bytes]]) -> None:
    """'Everything received up to T is in the log' must not be said over something that waits."""
    waiting = _filled(said, apart_s=0.4)

    while len(waiting):
        oldest = waiting.oldest_at()
        assert oldest is not None
        assert all(one.arrived_at >= oldest for one in waiting.take())
    assert waiting.oldest_at() is None


def test_a_batch_has_a_size() -> None:
    """A follower's memory has a bound, and so has a transaction."""
    waiting = _filled([("readings", 1, b"x" * 200_000)] * 10)

    assert sum(len(one.payload) for one in waiting.take()) <= BYTES_TAKEN_MAX + 200_008
    assert waiting.has_some.is_set()


def test_two_alarms_that_say_the_same_are_two() -> None:
    """While the second took the first one's place there was a hole, and the hub, sent back, said both again at once."""
    waiting = Waiting()
    for number in (5, 6, 5, 6):
        header = b'{"outbox":"b","stream":"alarms","first":%d,"last":%d,' % (number, number)
        header += b'"oldest":1,"sent_at":1.7e9,"boot":"b","uptime_ms":1}'
        waiting.add(_delivery("alarms", 1, b"help", header=header), arrived_s=0.0)

    assert [read(one).numbers.first for one in _everything(waiting)] == [5, 6]  # type: ignore[union-attr]  # packs


@given(st.lists(_said, max_size=40))
def test_alarms_that_overtake_a_backlog_are_alone(said: list[tuple[str, int, bytes]]) -> None:
    """Else what is hours old would count as received with them, and its hub as heard just now."""
    waiting = _filled(said, apart_s=SPAN_S)

    while len(waiting):
        batch = waiting.take()
        arrived = [one.arrived_at for one in batch if not one.topic.endswith("alarms")]
        if arrived:
            assert max(one.arrived_at for one in batch) - min(arrived) <= timedelta(seconds=SPAN_S)


def test_a_hub_that_has_gone_mad_does_not_fill_the_memory() -> None:
    """It calls for help in other words each time, for an hour, while the database is away; next door somebody fell."""
    waiting = _filled([("alarms", 1, b"%d" % n) for n in range(5_000)])
    waiting.add(_delivery("alarms", 2, b"help"), arrived_s=5_000.0)

    bodies = [(one.topic, one.payload) for one in _everything(waiting)]

    assert bodies[:-1] == [("telecare/v1/07/hub-1/alarms", b"header\n%d" % n) for n in range(ALARMS_OF_A_HUB_MAX)], (
        "the first are kept, since numbers are taken in order"
    )
    assert bodies[-1] == ("telecare/v1/07/hub-2/alarms", b"header\nhelp")
    assert waiting.dropped == 5_000 - ALARMS_OF_A_HUB_MAX


@given(st.lists(st.tuples(_said, st.booleans()), max_size=300))
def test_what_was_taken_makes_room_for_other_alarms(steps: list[tuple[tuple[str, int, bytes], bool]]) -> None:
    """A count that only grows would shut a hub out for good once it had called for help a hundred times."""
    waiting = Waiting()
    for number, ((_, hub, body), is_taken) in enumerate(steps):
        waiting.add(_delivery("alarms", hub, b"%d %d " % (number, number) + body), arrived_s=float(number))
        if is_taken:
            waiting.take()
    _everything(waiting)

    waiting.add(_delivery("alarms", 1, b"help"), arrived_s=1e6)

    assert [one.payload for one in _everything(waiting)] == [b"header\nhelp"]
    assert not waiting._alarms_of

"""Ingest as hubs meet it: the real process between a real broker and a real database."""

import subprocess
import sys
from typing import Final

import pytest

from gateway.wire import Leaf, Stream
from ingest.entry import Alarm, Entry, unpack
from tests.world.ingest_platform import Platform
from tests.world.processes import Process, wait_until
from tests.world.raw_hub import pack, record

READINGS, ALARMS = Stream.READINGS, Stream.ALARMS

_SOON_S: Final = 1.5


def _log(platform: Platform) -> list[Entry]:
    rows = platform.rows("SELECT entries FROM stored_log ORDER BY lane, position")
    return [entry for (packed,) in rows for entry in unpack(packed)]  # type: ignore[arg-type]


def _alarms(platform: Platform) -> list[Alarm]:
    return [entry for entry in _log(platform) if isinstance(entry, Alarm)]


def test_a_reading_is_on_disk_when_its_hub_is_told_so(platform: Platform) -> None:
    """The answer is what lets a hub forget: it must never come before the commit."""
    platform.ingest()
    hub = platform.add_hub()

    hub.send(READINGS, range(1, 21))

    assert hub.wait_through(READINGS, 20)
    assert platform.rows("SELECT count(*) FROM reading") == [(20,)]


def test_everything_twice_and_in_any_order_is_stored_once(platform: Platform) -> None:
    """QoS 1 means at least once, and hubs resend whenever they are in doubt."""
    platform.ingest()
    hub = platform.add_hub()

    for numbers in (range(1, 11), range(1, 11), range(6, 16), range(3, 5), range(16, 21), range(1, 21)):
        hub.send(READINGS, numbers)

    assert hub.wait_through(READINGS, 20)
    stored = platform.rows("SELECT count(*), count(DISTINCT observed_at) FROM reading")
    assert stored == [(20, 20)]


def test_a_hole_sends_the_hub_back(platform: Platform) -> None:
    """A pack behind a lost one is not stored out of order; the hub is told where to begin again."""
    platform.ingest()
    hub = platform.add_hub()
    hub.send(READINGS, range(1, 6))
    assert hub.wait_through(READINGS, 5)
    told = len(hub.answers)

    hub.send(READINGS, range(9, 12))

    assert hub.wait_until(lambda: len(hub.answers) > told)
    assert hub.through(READINGS) == 5
    assert platform.rows("SELECT count(*) FROM reading") == [(5,)]


def test_a_window_full_of_packs_behind_a_hole_is_answered_once_a_second(nats_platform: Platform) -> None:
    """Otherwise one lost pack makes the hub go back for each that followed it (measured: seven times the traffic)."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    for first in range(10, 110, 2):
        hub.send(READINGS, range(first, first + 2))

    assert hub.wait_until(lambda: len(hub.answers) > 0)
    hub.wait_until(lambda: len(hub.answers) > 3, within_s=_SOON_S)
    assert len(hub.answers) <= 3


def test_what_a_hub_no_longer_has_is_written_down_as_lost(platform: Platform) -> None:
    """A full disk loses readings; the stream goes on, and an operator can see which."""
    platform.ingest()
    hub = platform.add_hub()

    hub.send(READINGS, range(8, 11), oldest=8)

    assert hub.wait_through(READINGS, 10)
    assert platform.rows("SELECT first, last, recovered_at FROM lost_range") == [(1, 7, None)]


def test_lost_numbers_that_come_after_all_are_stored(nats_platform: Platform) -> None:
    """A copy of the card turned up: the range is split so that each row is lost or recovered, whole."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()
    hub.send(READINGS, range(8, 11), oldest=8)
    assert hub.wait_through(READINGS, 10)

    hub.send(READINGS, range(3, 5))

    assert wait_until(lambda: nats_platform.rows("SELECT count(*) FROM reading") == [(5,)])
    ranges = nats_platform.rows("SELECT first, last, recovered_at IS NOT NULL FROM lost_range ORDER BY first")
    assert ranges == [(1, 2, False), (3, 4, True), (5, 7, False)]


def test_a_hub_that_asks_is_told_of_both_streams(platform: Platform) -> None:
    """It asks before it sends; an answer of nothing is an answer too."""
    platform.ingest()
    hub = platform.add_hub()
    hub.send(ALARMS, range(1, 3))
    assert hub.wait_through(ALARMS, 2)

    hub.ask(readings=0, alarms=2)

    assert hub.wait_until(lambda: len([a for a in hub.answers if a.answers_ask]) == 2)
    told = {(a.stream, a.through) for a in hub.answers if a.answers_ask}
    assert told == {(READINGS, 0), (ALARMS, 2)}


def test_an_alarm_is_answered_at_once(nats_platform: Platform) -> None:
    """A hub sends an alarm again every two seconds, and says so aloud in the home after thirty."""
    nats_platform.ingest(TELECARE_INGEST_ANSWER_S="30")
    hub = nats_platform.add_hub()

    hub.send(ALARMS, range(1, 2))

    assert hub.wait_through(ALARMS, 1, within_s=25)


def test_an_alarm_that_nobody_can_read_is_an_alarm_all_the_same(platform: Platform) -> None:
    """Promise P3: it is never refused.  Its identity is its bytes, so that a resend is no second alert."""
    platform.ingest()
    hub = platform.add_hub()
    header = pack(ALARMS, [record(1, quantity="pendant_alarm")]).partition(b"\n")[0]

    hub.say(Leaf.ALARMS, header + b'\n[{"n":"pendant/pend')
    assert hub.wait_through(ALARMS, 1)
    hub.say(Leaf.ALARMS, b"no header at all")

    assert wait_until(lambda: len(_alarms(platform)) == 2)
    hub.say(Leaf.ALARMS, b"no header at all")
    hub.send(ALARMS, range(2, 3))
    assert hub.wait_through(ALARMS, 2)
    alarms = _alarms(platform)
    assert [alarm.unreadable is None for alarm in alarms] == [False, False, True]
    assert len({alarm.identity for alarm in alarms}) == 3
    assert platform.rows("SELECT first, last FROM refused ORDER BY refused") == [(1, 1), (None, None)]


def test_an_alarm_with_an_unreadable_header_that_is_sent_again_is_one(nats_platform: Platform) -> None:
    """It is never answered, so its hub sends it for ever, each time with another header; one text is enough."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()
    body = b'[{"n":"pendant/pendant_alarm","v":1,"t":1.7e9,"up_":1}]'

    for number in range(1, 4):
        hub.say(Leaf.ALARMS, b'{"sent_at":%d}\n' % number + body)
        hub.send(ALARMS, range(number, number + 1))
        assert hub.wait_through(ALARMS, number)

    assert sum(alarm.unreadable is not None for alarm in _alarms(nats_platform)) == 1
    assert nats_platform.rows("SELECT count(*) FROM refused") == [(1,)]


@pytest.mark.parametrize(
    ("quantity", "value"), [("wailing_alarm", 1.0), ("pendant_alarm", 7.5), ("temperature_c", 20.0)]
)
def test_an_odd_alarm_is_told_and_kept_for_the_operator(nats_platform: Platform, quantity: str, value: float) -> None:
    """Whatever stands in it, somebody or something asked for help."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    hub.say(Leaf.ALARMS, pack(ALARMS, [record(1, quantity=quantity, value=value, sensor="nobody-knows-me")]))

    assert hub.wait_through(ALARMS, 1)
    (alarm,) = _alarms(nats_platform)
    assert (alarm.identity, alarm.quantity, alarm.sensor) == ("hub-1/box-1/1", quantity, "nobody-knows-me")
    assert alarm.unreadable
    assert nats_platform.rows("SELECT first FROM refused") == [(1,)]


def test_an_alarm_among_the_readings_is_an_alarm(nats_platform: Platform) -> None:
    """A hub that puts it into the wrong book must not silence it; the books' numbers do not meet."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    hub.say(Leaf.READINGS, pack(READINGS, [record(1, quantity="smoke_alarm")]))
    hub.send(ALARMS, range(1, 2))

    assert hub.wait_through(READINGS, 1)
    assert hub.wait_through(ALARMS, 1)
    assert {alarm.identity for alarm in _alarms(nats_platform)} == {"hub-1/box-1/readings-1", "hub-1/box-1/1"}


def test_an_impossible_reading_is_refused_and_its_neighbours_are_stored(platform: Platform) -> None:
    """300 degrees in the hall is kept whole for an operator, and counts as stored: nothing waits behind it."""
    platform.ingest()
    hub = platform.add_hub()

    hub.say(
        Leaf.READINGS,
        pack(READINGS, [record(n, quantity="temperature_c", value=20.0 if n != 2 else 300.0) for n in (1, 2, 3)]),
    )

    assert hub.wait_through(READINGS, 3)
    assert platform.rows("SELECT count(*) FROM reading") == [(2,)]
    assert platform.rows("SELECT hub, stream, first, last FROM refused") == [("hub-1", "readings", 2, 2)]


def test_a_body_that_cannot_be_read_refuses_exactly_its_numbers(platform: Platform) -> None:
    """200,000 brackets, a NUL in a name, 1e400: kept as bytes, and the next pack is stored."""
    platform.ingest()
    hub = platform.add_hub()
    header = pack(READINGS, [record(1), record(2)]).partition(b"\n")[0] + b"\n"
    name = b'[{"n":"ha\\u0000ll/movement","v":1,"t":1.7e9,"up_":1},{"n":"hall/movement","v":1e400,"t":1.7e9,"up_":1}]'

    hub.say(Leaf.READINGS, header + b"[" * 200_000)
    hub.say(Leaf.READINGS, header + name)
    hub.send(READINGS, range(3, 4))

    assert hub.wait_through(READINGS, 3)
    refused = platform.rows("SELECT first, last, length(payload) FROM refused")
    assert refused == [(1, 2, len(header) + 200_000)]
    assert platform.rows("SELECT count(*) FROM reading") == [(1,)]


def test_one_row_that_the_database_refuses_does_not_keep_its_neighbours_out(nats_platform: Platform) -> None:
    """A rule of the database's that we did not foresee: the batch is halved until the one bad row is alone."""
    with nats_platform.database.connect() as conn:
        conn.execute("ALTER TABLE reading ADD CONSTRAINT not_thirteen CHECK (value <> 13)")
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    values = [20.0] * 20
    values[6] = values[15] = 13.0
    hub.say(
        Leaf.READINGS,
        pack(READINGS, [record(n, quantity="temperature_c", value=v) for n, v in enumerate(values, start=1)]),
    )

    assert hub.wait_through(READINGS, 20)
    assert nats_platform.rows("SELECT count(*) FROM reading") == [(18,)]
    assert nats_platform.rows("SELECT first, last FROM refused ORDER BY first") == [(7, 7), (16, 16)]


def test_more_short_records_than_the_log_takes_at_once_end_nothing(nats_platform: Platform) -> None:
    """Behind a base name a record takes 16 bytes; one hub that writes so must not end ingest for every home."""
    ingest = nats_platform.ingest()
    hub = nats_platform.add_hub()
    hub.send(READINGS, range(1, 2))
    assert hub.wait_through(READINGS, 1)

    body = b'[{"bn":"a/b","v":1,"t":1.7e9,"up_":1}' + b',{"v":1,"up_":1}' * 499 + b"]"
    with nats_platform.database.connect() as conn, conn.transaction():
        conn.execute("SELECT FROM lane FOR UPDATE")  # What arrives meanwhile is one batch.
        for first in range(2, 35_002, 500):
            records = [record(n) for n in range(first, first + 500)]
            hub.say(Leaf.READINGS, pack(READINGS, records).partition(b"\n")[0] + b"\n" + body)

    assert hub.wait_through(READINGS, 35_001, within_s=60)
    assert ingest.is_ready()
    assert nats_platform.rows("SELECT count(*) FROM reading") == [(35_001,)]
    assert max(len(unpack(packed)) for (packed,) in nats_platform.rows("SELECT entries FROM stored_log")) <= 20_000  # type: ignore[arg-type]


def test_an_alarm_that_the_database_refuses_is_told_all_the_same(nats_platform: Platform) -> None:
    """The last resort of promise P3."""
    with nats_platform.database.connect() as conn:
        conn.execute("ALTER TABLE reading ADD CONSTRAINT no_pendants CHECK (quantity <> 'pendant_alarm')")
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    hub.send(ALARMS, range(1, 2))

    assert hub.wait_through(ALARMS, 1)
    (alarm,) = _alarms(nats_platform)
    assert alarm.unreadable is not None
    assert "no_pendants" in alarm.unreadable


def test_who_may_not_speak_is_kept_and_never_answered(nats_platform: Platform) -> None:
    """A revoked hub, a hub that was never added, a lane that is another's: nothing they say is a reading."""
    ingest = nats_platform.ingest()
    hub, revoked = nats_platform.add_hub(), nats_platform.add_hub("hub-2", "elm-house")
    nats_platform.rows("UPDATE hub SET revoked_at = now() WHERE hub = 'hub-2' RETURNING 1")

    revoked.send(READINGS, range(1, 2))
    revoked.send(ALARMS, range(1, 2))
    revoked.ask()
    hub.send(READINGS, range(1, 2))

    assert hub.wait_through(READINGS, 1)
    assert wait_until(lambda: len(nats_platform.rows("SELECT FROM refused WHERE hub = 'hub-2'")) == 3)
    assert revoked.answers == []
    assert ingest.said("alarm of a hub that may not speak")
    assert nats_platform.rows("SELECT DISTINCT hub FROM reading") == [("hub-1",)]


def test_a_hub_that_is_not_there_cannot_fill_the_disk(nats_platform: Platform) -> None:
    """What has no number is never answered, so a broken hub sends it for ever: the same bytes are kept once."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    for _ in range(30):
        hub.say(Leaf.READINGS, b"the same nonsense")
    for number in range(100):
        hub.say(Leaf.READINGS, b"nonsense %d" % number)
    hub.send(READINGS, range(1, 2))

    assert hub.wait_through(READINGS, 1)
    assert nats_platform.rows("SELECT count(*) FROM refused WHERE first IS NULL") == [(60,)]


def test_a_retained_message_makes_no_alarm(platform: Platform) -> None:
    """A broker hands it to every newcomer: the press of last Tuesday, again at each restart of ingest."""
    hub = platform.add_hub()
    hub.say(Leaf.ALARMS, pack(ALARMS, [record(1, quantity="pendant_alarm")]), retain=True)

    platform.ingest()
    hub.send(ALARMS, range(1, 2))

    assert hub.wait_through(ALARMS, 1)
    assert len(_alarms(platform)) == 1


def test_heartbeats_in_time_are_one_span(platform: Platform) -> None:
    """A row each would be half a billion a year for a thousand homes; a gap is what matters."""
    platform.ingest()
    hub = platform.add_hub()

    for held in range(3):
        hub.beat(held_readings=held)

    assert wait_until(lambda: platform.rows("SELECT held_readings FROM hub_report") == [(2,)])
    assert platform.rows("SELECT heard_until >= heard_since FROM hub_heard") == [(True,)]


def test_any_text_in_a_heartbeat_leaves_the_hub_heard(nats_platform: Platform) -> None:
    """A NUL in a version must not make a home blind."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    hub.beat(version="1.0\x00\udcff".encode("utf-8", "replace").decode(), troubles=("disk\x00full",))

    assert wait_until(lambda: len(nats_platform.rows("SELECT FROM hub_report")) == 1)
    assert nats_platform.rows("SELECT version, troubles FROM hub_report") == [("1.0\\x00?", ["disk\\x00full"])]


def test_the_last_will_is_a_hint_beside_the_report(platform: Platform) -> None:
    """It says that a line went down before a heartbeat is missed; nothing is judged by it alone."""
    platform.ingest()
    hub = platform.add_hub()
    hub.beat()
    assert wait_until(lambda: len(platform.rows("SELECT FROM hub_report")) == 1)

    hub.say(Leaf.LINK, b'{"up":false}', retain=True)

    assert wait_until(lambda: platform.rows("SELECT link_up FROM hub_report") == [(False,)])


def test_two_outboxes_within_an_hour_are_a_fault(nats_platform: Platform) -> None:
    """Two boxes with one card: each is half of what is heard, and one of them is not where we think."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()

    hub.send(READINGS, range(1, 2), outbox="box-1")
    assert hub.wait_through(READINGS, 1, outbox="box-1")
    for last in (2, 3, 4):
        hub.send(READINGS, range(1, last), outbox="box-2")
        assert hub.wait_through(READINGS, last - 1, outbox="box-2")

    faults = [entry for entry in _log(nats_platform) if type(entry).__name__ == "Trouble"]
    assert [fault.what for fault in faults] == ["two outboxes"]  # type: ignore[union-attr]


def test_a_hub_behind_what_is_stored_has_an_old_card(nats_platform: Platform) -> None:
    """It remembers sending 3 and we have 20: the card was put back, and it begins a new book."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()
    hub.send(READINGS, range(1, 21))
    assert hub.wait_through(READINGS, 20)

    hub.ask(readings=3)

    assert hub.wait_until(lambda: any(a.answers_ask and a.through == 20 for a in hub.answers))
    assert "old card" in [getattr(entry, "what", "") for entry in _log(nats_platform)]


def test_a_reading_is_placed_by_its_hubs_uptime(nats_platform: Platform) -> None:
    """The hub's wall clock was wrong when it was observed; its uptime was not."""
    nats_platform.ingest()
    hub = nats_platform.add_hub()
    ten_minutes_ago = 3_600_000 - 600_000

    said = record(1).__class__(1, record(1).sensor, "movement", 1.0, 12.0, "boot-1", ten_minutes_ago)
    hub.say(Leaf.READINGS, pack(READINGS, [said]))

    assert hub.wait_through(READINGS, 1)
    ((off, uncertain),) = nats_platform.rows(
        "SELECT extract(epoch FROM received_at - observed_at)::float, uncertain_since FROM reading"
    )
    assert isinstance(off, float)
    assert 599 < off < 630
    assert uncertain is None


def test_every_lane_is_complete_up_to_now_though_nothing_comes(nats_platform: Platform) -> None:
    """Stillness needs a clock, not a reading: judging waits for this, and for nothing else."""
    nats_platform.ingest()
    query = "SELECT count(*) FROM lane WHERE complete_through > clock_timestamp() - interval '3 seconds'"

    assert wait_until(lambda: nats_platform.rows(query) == [(64,)])
    ((position,),) = nats_platform.rows("SELECT max(position) FROM lane")
    assert position == 0


def test_a_clean_stop_gives_the_lanes_back(nats_platform: Platform) -> None:
    """The next worker need not wait for ten seconds; an upgrade is no blindness."""
    first = nats_platform.ingest()
    assert first.stop() == 0

    assert nats_platform.rows("SELECT count(*) FROM lane WHERE owner IS NULL") == [(64,)]
    assert first.said("stopped")


def test_two_workers_share_the_lanes(platform: Platform) -> None:
    """The lane is the unit of growth: start another, and it is given half; what nobody wants is not left over."""
    first = platform.ingest(TELECARE_LANES="16")
    second = platform.ingest_beside()

    def hears(worker: Process, lanes: int) -> bool:
        return [one["lanes"] for one in worker.said("broker connected")][-1:] == [lanes]

    is_shared = wait_until(lambda: hears(first, 16) and hears(second, 48), within_s=120)
    assert is_shared, first.last_words() + second.last_words()
    hubs = [platform.add_hub(f"hub-{n}", f"home-{n}") for n in range(6)]

    for hub in hubs:
        hub.send(READINGS, range(1, 6))

    assert all(hub.wait_through(READINGS, 5) for hub in hubs)
    assert platform.rows("SELECT count(*) FROM reading") == [(30,)]
    assert platform.rows("SELECT count(DISTINCT owner), count(owner) FROM lane") == [(2, 64)]
    assert sum(one.metric("telecare_ingest_readings_stored_total") for one in (first, second)) == 30
    # Who has few lanes hears only theirs, and who has many passes over the rest.
    assert first.metric("telecare_ingest_messages_foreign_total") == 0


def test_a_missing_variable_ends_it_without_a_traceback() -> None:
    """Exit code 1 and one line: nothing is started half."""
    ran = subprocess.run([sys.executable, "-m", "ingest"], env={}, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "TELECARE_DATABASE_URL is not set." in ran.stderr
    assert "Traceback" not in ran.stderr

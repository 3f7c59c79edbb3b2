"""From the stored log to alerts, in a real database, with a clock that is moved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from psycopg import AsyncConnection, sql

from alerts import store
from alerts.alert import Outcome, Question, State
from alerts.judging import words
from alerts.judging.finding import Ended, Finding, Verdict
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy
from alerts.judging.watched import Watched
from alerts.lanes import NotOurs, Place
from alerts.order import merged
from alerts.rebuilding import rebuild
from alerts.store import pauses, thresholds, versions
from alerts.store.versions import ALL, Scope, Width
from alerts.watch import Watch
from ingest import devices, entry, stored_log
from ingest.db.pool import Pool, open_pool
from tests.integration.alerts.conftest import HOME, HUB, NINE, Conn, Street, furnish
from tests.integration.alerts.platform import Ingest, MovedClock, worker
from tests.world.database import Database

LANE = devices.lane_of(HOME)


@dataclass
class Watching:
    """A street that is watched: time passes in it, minute by minute."""

    street: Street
    ingest: Ingest
    clock: MovedClock
    pool: Pool
    watch: Watch

    @property
    def conn(self) -> Conn:
        return self.street.conn

    async def turns(self) -> None:
        """Complete the lanes up to now, and judge."""
        await self.ingest.ticks(now=self.clock.now())
        await self.watch.turn(everything=True)
        self.street.now = self.clock.now()

    async def lives(self, *, minutes: int, moves: bool = False, hub: bool = True) -> None:
        """Let minutes pass, with a heartbeat in each and, if asked, a movement in the kitchen."""
        for _ in range(minutes):
            # In steps within which a page may still call it fine.
            for _ in range(2):
                self.clock.move(seconds=20)
                await self.turns()
            at = self.clock.move(seconds=20)
            said: list[entry.Entry] = [entry.Heard(HOME, HUB, 0, 0, True)] if hub else []
            if moves:
                said.append(entry.Reading(HOME, HUB, "kitchen-motion", "kitchen", "movement", 1.0, at))
            if said:
                await self.ingest.stores(LANE, *said, now=at)
            await self.turns()

    async def presses(self, number: int = 1) -> None:
        at = self.clock.now()
        alarm = entry.Alarm(HOME, HUB, f"{HUB}/box/{number}", "pendant", None, "pendant_alarm", 1.0, at)
        await self.ingest.stores(LANE, alarm, now=at)
        await self.watch.turn(everything=True)
        self.street.now = at

    async def alerts(self) -> list[store.Alert]:
        return await store.recent_alerts(self.conn, HOME, NINE - timedelta(days=1))


@pytest.fixture
async def watching(database: Database, tmp_path: Path) -> AsyncIterator[Watching]:
    """Watch Margaret's home from nine in the morning on, still after 30 minutes."""
    pool = await open_pool(database.dsn, name="test", size_max=8)
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    async with pool, conn:
        street = await furnish(conn, database.dsn)
        clock = MovedClock(tmp_path / "clock.json", NINE)
        ingest = Ingest(conn)
        await ingest.start()
        await ingest.ticks(now=NINE)
        policy = Policy(still_for=timedelta(minutes=30), again_after=timedelta(minutes=20), learned=False)
        await store.set_policy(conn, HOME, policy, by="control", why="a short story", now=NINE)
        await store.set_watched(conn, HOME, HUB, now=NINE)
        watch, _ = worker(pool, clock)
        yield Watching(street, ingest, clock, pool, watch)


async def test_a_press_in_the_log_is_an_alert_with_a_text_due(watching: Watching) -> None:
    """The whole way from the disk to what is owed to a phone."""
    await watching.lives(minutes=2)

    await watching.presses()

    assert (await watching.street.only_alert()).question is Question.ALARM
    assert await watching.street.texts() == [("anne", "alert", "due")]


async def test_stillness_is_raised_at_its_due_moment(watching: Watching) -> None:
    """Silence has no message that could start the judging; only the clock has."""
    await watching.lives(minutes=5, moves=True)
    seen_at = watching.clock.now()

    await watching.lives(minutes=29)
    assert await watching.alerts() == []
    await watching.lives(minutes=1)

    (alert,) = await watching.alerts()
    assert (alert.question, alert.since, alert.at) == (Question.STILL, seen_at, seen_at + timedelta(minutes=30))


async def test_closed_by_mistake_is_raised_again(watching: Watching) -> None:
    """Promise P3: never swallowed by a wrong click."""
    await watching.lives(minutes=1, moves=True)
    await watching.lives(minutes=30)
    (alert,) = await watching.alerts()
    await store.close(watching.conn, alert.alert, "anne", Outcome.FALSE_ALARM, None, now=watching.clock.now())

    await watching.lives(minutes=21)

    again, first = await watching.alerts()
    assert (first.state, again.state) == (State.CLOSED, State.OPEN)
    assert again.at - (first.closed_at or NINE) == timedelta(minutes=20)
    assert "Again: Anne Reid closed it" in await watching.street.body("anne")


async def test_seen_again_is_noted_beside_the_alert(watching: Watching) -> None:
    """Whoever is on the way wants to know, and decides."""
    await watching.lives(minutes=1, moves=True)
    await watching.lives(minutes=31)

    await watching.lives(minutes=1, moves=True)

    (alert,) = await watching.alerts()
    assert (alert.state, alert.cause_ended_at) == (State.OPEN, watching.clock.now())


async def test_a_silent_hub_is_a_fault_that_mends_itself(watching: Watching) -> None:
    """And while it is silent the home is blind, not still."""
    await watching.lives(minutes=2, moves=True)

    await watching.lives(minutes=5, hub=False)
    (silent,) = await watching.alerts()
    assert (silent.question, silent.is_fault, silent.state) == (Question.HUB_SILENT, True, State.OPEN)
    await watching.lives(minutes=1)

    (mended,) = await watching.alerts()
    assert (mended.state, mended.outcome, mended.closed_by) == (State.CLOSED, Outcome.MENDED, "telecare")
    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now() + timedelta(seconds=1))
    assert [span.state for span in spans][-3:] == [Watched.WATCHED, Watched.BLIND, Watched.WATCHED]
    # Blind from the last thing heard on, though it was known only three minutes later (P2).
    assert spans[-2].since == NINE + timedelta(minutes=2)
    assert [span.until for span in spans[:-1]] == [span.since for span in spans[1:]]


async def test_fine_lapses_when_anything_under_it_stops(watching: Watching) -> None:
    """Promise P2: the lease is the earliest of what it rests on."""
    await watching.lives(minutes=3, moves=True)
    now = watching.clock.now()

    watch = await store.watch_of(watching.conn, HOME, stretch=timedelta(0))
    assert watch is not None
    assert (watch.state, watch.last_seen_room, watch.true_at) == (Watched.WATCHED, "kitchen", now)
    assert watch.fine_until == now + timedelta(seconds=30)
    assert watch.last_heard_at == now

    await watching.conn.execute("UPDATE judging_lane SET judged_through = %s", (now - timedelta(minutes=1),))
    lapsed = await store.watch_of(watching.conn, HOME, stretch=timedelta(0))
    assert lapsed is not None
    assert lapsed.fine_until == now - timedelta(seconds=30)


async def test_the_next_alert_is_always_known(watching: Watching) -> None:
    """A page can say when somebody will be told if nothing more is heard."""
    await watching.lives(minutes=3, moves=True)

    watch = await store.watch_of(watching.conn, HOME, stretch=timedelta(0))

    assert watch is not None
    assert watch.next_alert_at == watching.clock.now() + timedelta(minutes=30)


async def test_minutes_that_nobody_judged_stay_blind(watching: Watching) -> None:
    """Alerts was away; what arrived meanwhile is judged, but nobody could have called it fine."""
    await watching.lives(minutes=3, moves=True)
    left_at = watching.clock.now()
    for _ in range(4):
        at = watching.clock.move(minutes=1)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)
        await watching.ingest.ticks(now=at)

    await watching.turns()
    await watching.lives(minutes=1)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    blind = [span for span in spans if span.why == ("us",)]
    assert [(span.since, span.until, span.state) for span in blind] == [
        (left_at, left_at + timedelta(minutes=4), Watched.BLIND)
    ]
    assert spans[-1].state is Watched.WATCHED


async def test_minutes_that_are_caught_up_with_bit_by_bit_stay_blind(watching: Watching) -> None:
    """After a database that was away ingest stores what waited in many batches; each is a small step, and all are late.

    `telecare chaos --seed 20002` found it: minutes in which no page called a home fine stood as watched.
    """
    await watching.lives(minutes=3, moves=True)
    left_at = watching.clock.now()
    watching.clock.move(minutes=10)

    for minute in range(1, 11):
        at = left_at + timedelta(minutes=minute)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)
        for late in (timedelta(0), timedelta(seconds=20), timedelta(seconds=40)):
            await watching.ingest.ticks(now=min(at + late, watching.clock.now()))
            await watching.watch.turn(everything=True)
    await watching.lives(minutes=1)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    written = [(span.since, span.state, span.why) for span in spans if span.since >= left_at]
    assert written == [
        (left_at, Watched.BLIND, ("us",)),
        (left_at + timedelta(minutes=9, seconds=40), Watched.WATCHED, ()),
    ]


async def test_a_hub_that_was_late_when_judging_stopped_may_have_been_gone(watching: Watching) -> None:
    """Its promise was not broken yet when we went, and starts anew when we are back: nobody ever finds that it was."""
    await watching.lives(minutes=3, moves=True)
    heard_at = watching.clock.now()
    await watching.lives(minutes=1, hub=False)
    watching.clock.move(seconds=20)
    await watching.turns()
    deaf_since = watching.clock.move(seconds=20)
    await watching.ingest.ticks(now=deaf_since)
    watching.clock.move(seconds=100)
    await watching.watch.turn(everything=True)
    back_at = watching.clock.move(seconds=60)
    await watching.ingest.stores(LANE, entry.Deaf(deaf_since, back_at), now=back_at)

    await watching.turns()
    await watching.lives(minutes=1)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    assert [(span.state, span.since) for span in spans[-2:]] == [
        (Watched.WATCHED, NINE + timedelta(minutes=1)),
        (Watched.BLIND, heard_at),
    ]


async def test_a_hub_that_was_gone_and_came_back_while_nobody_judged_was_gone(watching: Watching) -> None:
    """Its promise broke while we were away: what was blind before we went is known only after we are back."""
    await watching.lives(minutes=3, moves=True)
    heard_at = watching.clock.now()
    await watching.lives(minutes=2, hub=False)
    for _ in range(2):
        watching.clock.move(seconds=20)
        await watching.turns()
    for _ in range(6):
        watching.clock.move(seconds=20)
        await watching.ingest.ticks(now=watching.clock.now())
    back_at = watching.clock.move(seconds=20)
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=back_at)
    judged_at = watching.clock.move(seconds=20)

    await watching.turns()
    await watching.lives(minutes=1)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    assert [(span.state, span.since) for span in spans[-3:]] == [
        (Watched.WATCHED, NINE + timedelta(minutes=1)),
        (Watched.BLIND, heard_at),
        (Watched.WATCHED, judged_at),
    ]


async def test_a_hub_that_fell_silent_while_nobody_judged_is_found_silent_after_it(watching: Watching) -> None:
    """Its promise breaks only when we are back, and what is known then began before that: it is blind all the same."""
    await watching.lives(minutes=3, moves=True)
    left_at = watching.clock.now()
    for _ in range(4):
        at = watching.clock.move(minutes=1)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)
        await watching.ingest.ticks(now=at)
    back_at = watching.clock.move(seconds=90)
    await watching.turns()

    await watching.lives(minutes=10, hub=False)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    assert [(span.state, span.why, span.since) for span in spans[-2:]] == [
        (Watched.BLIND, ("us",), left_at),
        (Watched.BLIND, ("hub",), back_at),
    ]


async def test_a_silence_that_was_over_before_nobody_judged_is_no_part_of_it(watching: Watching) -> None:
    """After a crash more is judged again than was not written: what the home was before counts no more."""
    await watching.lives(minutes=3, moves=True)
    at_first = watching.clock.move(seconds=1)
    await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, False), now=at_first)
    await watching.turns()
    await watching.watch._save(watching.conn, watching.watch._mine[LANE], [])
    await watching.lives(minutes=1)
    came_back_at = watching.clock.now()
    await watching.lives(minutes=1)
    left_at = watching.clock.now()
    await restarted(watching, kill=True)
    for _ in range(3):
        at = watching.clock.move(minutes=1)
        await watching.ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)

    await watching.turns()
    await watching.lives(minutes=1)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    assert [(span.state, span.since) for span in spans if span.since >= at_first] == [
        (Watched.BLIND, at_first),
        (Watched.WATCHED, came_back_at),
        (Watched.BLIND, left_at),
        (Watched.WATCHED, left_at + timedelta(minutes=3)),
    ]


async def restarted(watching: Watching, *, kill: bool) -> None:
    """Start another worker in the place of the first, which was stopped in order or killed."""
    if not kill:
        await watching.watch._leave()
    await watching.conn.execute("UPDATE judging_lane SET heard_at = heard_at - interval '1 minute'")
    watching.watch, _ = worker(watching.pool, watching.clock)


@pytest.mark.parametrize("kill", [True, False])
async def test_a_pause_from_where_a_worker_that_came_back_had_judged_is_written(watching: Watching, kill: bool) -> None:
    """It counts from the very moment up to which the one before judged: it would stand as watched for good."""
    await watching.lives(minutes=3)
    await restarted(watching, kill=kill)
    now = watching.clock.now()
    said = pauses.Pause(kind="away", since=now, until=now + timedelta(days=1), why="at her sister's", by="control")

    await pauses.begin(watching.conn, HOME, said, now=now)
    await watching.lives(minutes=3)

    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    assert (spans[-1].state, spans[-1].since) == (Watched.PAUSED, now)


@pytest.mark.parametrize("kill", [True, False])
async def test_a_worker_that_comes_back_raises_nothing_twice_and_misses_nothing(watching: Watching, kill: bool) -> None:
    """Promise P4, across a kill: what was not saved is judged again, to the same alerts."""
    await watching.lives(minutes=2, moves=True)
    await watching.presses()
    await watching.lives(minutes=20)
    before = await watching.alerts()
    spans = await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now())
    texts = await watching.street.texts()

    await restarted(watching, kill=kill)
    await watching.turns()

    assert await watching.alerts() == before
    assert await watching.street.texts() == texts
    assert await store.watch_spans(watching.conn, HOME, NINE, watching.clock.now()) == spans
    await watching.lives(minutes=12)
    assert {alert.question for alert in await watching.alerts()} == {Question.ALARM, Question.STILL}


async def test_a_worker_killed_before_it_said_what_is_true_says_it_at_the_next_start(watching: Watching) -> None:
    """The finding was saved, and that the home is blind was not; or those minutes would stand as watched for good."""
    await watching.lives(minutes=2, moves=True)
    await watching.lives(minutes=2, hub=False)
    for _ in range(2):
        watching.clock.move(seconds=20)
        await watching.turns()
    silent_at = watching.clock.move(seconds=20)
    await watching.ingest.ticks(now=silent_at)
    await watching.watch._judge_lanes(watching.conn, [LANE])
    assert [alert.question for alert in await watching.alerts()] == [Question.HUB_SILENT]

    await restarted(watching, kill=True)
    await watching.turns()

    spans = await store.watch_spans(watching.conn, HOME, NINE, silent_at + timedelta(seconds=1))
    assert [(span.since, span.why) for span in spans[-2:]] == [
        (NINE + timedelta(minutes=1), ()),
        (NINE + timedelta(minutes=2), ("hub",)),
    ]


async def test_a_worker_killed_between_judging_and_saving_loses_nothing(watching: Watching) -> None:
    """All or nothing: an alert without its text, or a place without its alert, is the worst there is."""
    await watching.lives(minutes=1, moves=True)
    await watching.conn.execute("ALTER TABLE notification ADD CONSTRAINT broken CHECK (false) NOT VALID")
    await watching.presses()
    assert await watching.alerts() == []

    await watching.conn.execute("ALTER TABLE notification DROP CONSTRAINT broken")
    watching.watch._resting = dict.fromkeys(watching.watch._resting, 0.0)
    await watching.turns()

    assert [alert.question for alert in await watching.alerts()] == [Question.ALARM]
    assert await watching.street.texts() == [("anne", "alert", "due")]


async def test_a_second_worker_gets_nothing_while_the_first_is_alive(watching: Watching) -> None:
    """Two judges of one home would text twice as soon as they differ."""
    await watching.lives(minutes=1)
    second, _ = worker(watching.pool, watching.clock)

    await second.turn(everything=True)

    assert second.status.lanes == 0


async def test_a_worker_that_lost_its_lanes_writes_nothing(watching: Watching) -> None:
    """A stopped process that wakes up believes that it still owns the lane; every write proves otherwise."""
    await watching.lives(minutes=1, moves=True)
    first = watching.watch
    await restarted(watching, kill=True)
    await watching.turns()

    await watching.ingest.stores(
        LANE,
        entry.Alarm(HOME, HUB, f"{HUB}/box/9", "pendant", None, "pendant_alarm", 1.0, watching.clock.now()),
        now=watching.clock.now(),
    )
    first.stir(LANE)
    await first.turn()
    assert await watching.alerts() == []
    assert first.status.lanes == 63

    await watching.turns()
    assert len(await watching.alerts()) == 1


async def test_a_fenced_save_of_another_epoch_is_refused(watching: Watching) -> None:
    """The epoch is what fences; the name alone could come again."""
    await watching.lives(minutes=1)
    place = watching.watch._mine[LANE].place
    stale = Place(LANE, place.epoch - 1, 99, None, 0, None, None)

    with pytest.raises(NotOurs):
        await watching.watch._lanes.save(watching.conn, stale)


async def test_one_lane_that_cannot_be_judged_holds_up_no_other(watching: Watching) -> None:
    """A damaged row in one lane must not silence 63 others."""
    other = (LANE + 1) % 64
    await watching.conn.execute("UPDATE lane SET position = 1, received_through = %s WHERE lane = %s", (NINE, other))
    await watching.conn.execute(
        "INSERT INTO stored_log (lane, position, received_at, entries) VALUES (%s, 1, %s, 'no msgpack')", (other, NINE)
    )

    await watching.presses()

    assert len(await watching.alerts()) == 1
    assert watching.watch.status.trouble == f"lanes [{other}] cannot be judged"


async def _stores_of_a_newer_release(watching: Watching, lane: int) -> None:
    packed = msgspec.msgpack.encode([["h", HOME, HUB, 0, 0], ["of the next release", HOME, 1]])
    await watching.conn.execute("UPDATE lane SET position = 1, received_through = %s WHERE lane = %s", (NINE, lane))
    await watching.conn.execute(
        "INSERT INTO stored_log (lane, position, received_at, entries) VALUES (%s, 1, %s, %s)", (lane, NINE, packed)
    )


async def test_a_lane_that_needs_a_newer_release_is_left_to_it(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    """In a rolling upgrade an older worker must neither pass over what it does not know, nor keep it from who does."""
    other = (LANE + 1) % 64
    await _stores_of_a_newer_release(watching, other)

    await watching.presses()
    for _ in range(3):
        watching.watch._claimed_at_s = float("-inf")
        await watching.watch.turn(everything=True)

    assert len(await watching.alerts()) == 1
    assert watching.watch.status.trouble == f"lanes [{other}] cannot be judged"
    said = [one for one in caplog.records if one.message == "lane needs a newer release"]
    assert [(one.levelname, one.__dict__["lane"]) for one in said] == [("ERROR", other)]
    rows = await watching.conn.execute("SELECT lane, position FROM judging_lane WHERE owner IS NULL")
    assert await rows.fetchall() == [(other, 0)]


async def test_a_home_is_rebuilt_from_what_can_be_read_of_a_newer_log(watching: Watching) -> None:
    """The way back to the release before: its states do not fit, and the newer one wrote what this one cannot know."""
    await watching.lives(minutes=2, moves=True)
    await watching.watch._leave()
    await watching.conn.execute("UPDATE home_judgement SET format = 0")
    await watching.conn.execute(
        "UPDATE stored_log SET entries = %s WHERE lane = %s AND position = 1",
        (msgspec.msgpack.encode([["of the next release", HOME]]), LANE),
    )

    watching.watch, _ = worker(watching.pool, watching.clock)
    await watching.turns()

    assert (watching.watch.status.lanes, watching.watch.status.trouble) == (64, None)


async def replayed(conn: Conn) -> list[Verdict]:
    """Judge what is in the log and the inputs from the beginning, as a replay does."""
    batches = await stored_log.follow(conn, LANE, 0, None)
    rows = await conn.execute(
        "SELECT input, home, counts_from, kind, content FROM judging_input WHERE lane = %s ORDER BY input", (LANE,)
    )
    inputs = [Input(*row) for row in await rows.fetchall()]
    rows = await conn.execute("SELECT complete_through FROM lane WHERE lane = %s", (LANE,))
    row = await rows.fetchone()
    assert row is not None
    through: datetime = row[0]
    judge, found = LaneJudge({}, None), []
    for step in merged(batches, inputs, known_through=through):
        found += judge.apply(step) if isinstance(step, Input) else judge.take(step)
    return found + judge.advance(through)


async def test_a_replay_of_the_log_finds_what_live_wrote(watching: Watching) -> None:
    """Promise P4: the same log and the same release give the same alerts, to the second."""
    await watching.lives(minutes=3, moves=True)
    await watching.presses(1)
    await watching.street.texted("+447700900101", "1 mine")
    await watching.lives(minutes=33)
    still = next(a for a in await watching.alerts() if a.question is Question.STILL)
    await store.close(watching.conn, still.alert, "anne", Outcome.ALL_WELL, None, now=watching.clock.now())
    await watching.lives(minutes=22)
    await watching.lives(minutes=5, hub=False)
    await watching.lives(minutes=3, moves=True)
    await watching.presses(2)

    found = await replayed(watching.conn)

    raised = [f for f in found if isinstance(f, Finding) and f.question is not Question.ALARM]
    rows = await watching.conn.execute(
        "SELECT question, episode, since, at, cause_ended_at FROM alert WHERE question <> 'alarm' ORDER BY alert"
    )
    ended = {(e.question.value, e.episode): e.at for e in found if isinstance(e, Ended)}
    assert await rows.fetchall() == [
        (f.question.value, f.episode, f.since, f.at, ended.get((f.question.value, f.episode))) for f in raised
    ]
    assert len(raised) == 3
    rows = await watching.conn.execute("SELECT identity, received_at FROM alarm ORDER BY received_at")
    alarms = [(f.alarm.identity, f.at) for f in found if isinstance(f, Finding) and f.alarm is not None]
    assert await rows.fetchall() == alarms


async def test_a_replay_meets_changed_thresholds_and_rules_where_live_met_them(watching: Watching) -> None:
    """Promise P4 holds on the day on which an operator tunes a home, for all and by hand."""
    change = thresholds.Change(by="control", why="a test", at=NINE)
    await watching.lives(minutes=3, moves=True)
    await watching.lives(minutes=8)
    rule = words.numbers({}, ("quiet kitchen: no movement in kitchen for 10 min on every day from 09:00 to 18:00",))
    await thresholds.set_numbers(watching.conn, ALL, rule, replace(change, at=watching.clock.now()))
    await watching.lives(minutes=4)
    found = {one.question for one in await watching.alerts()}
    assert found == {Question.RULE}
    await watching.lives(minutes=1, moves=True)
    shorter = words.numbers({"still_for": "9 min"})
    home = Scope(Width.HOME, HOME)
    tonight = watching.clock.now() + timedelta(minutes=4)
    await thresholds.set_numbers(watching.conn, home, shorter, replace(change, at=watching.clock.now(), from_=tonight))
    await watching.lives(minutes=8)
    assert len(await watching.alerts()) == 1
    await watching.lives(minutes=1)

    found_again = [one for one in await replayed(watching.conn) if isinstance(one, Finding)]

    rows = await watching.conn.execute("SELECT question, episode, since, at, policy FROM alert ORDER BY alert")
    assert await rows.fetchall() == [(f.question.value, f.episode, f.since, f.at, f.policy) for f in found_again]
    assert [f.question for f in found_again] == [Question.RULE, Question.STILL]
    policy = found_again[1].policy
    assert policy is not None
    behind = await versions.versions_behind(watching.conn, policy)
    assert [one.scope for one in behind] == [ALL, home]


async def test_a_state_that_does_not_fit_is_rebuilt_from_the_log(watching: Watching) -> None:
    """An upgrade must not make a home forget that nobody has moved since ten."""
    await watching.lives(minutes=5, moves=True)
    await watching.lives(minutes=20)
    await watching.watch._leave()
    lives_on = watching.clock.now()
    await watching.conn.execute("UPDATE home_judgement SET format = 0")

    watching.watch, _ = worker(watching.pool, watching.clock)
    await watching.turns()
    await watching.lives(minutes=10)

    (alert,) = await watching.alerts()
    assert (alert.question, alert.at) == (Question.STILL, lives_on + timedelta(minutes=10))


async def test_what_is_rebuilt_equals_what_was_saved(watching: Watching) -> None:
    """Rebuilding is another road to the same memory, or it is no rebuilding."""
    await watching.lives(minutes=5, moves=True)
    await watching.lives(minutes=10)
    lane = watching.watch._mine[LANE]
    await watching.watch._guarded(LANE, lambda: watching.watch._save(watching.conn, lane, []))

    async def between(_: Conn) -> None:
        pass

    rebuilt = await rebuild(watching.conn, lane.place, [HOME], between)

    assert rebuilt == {HOME: lane.judge.state_of(HOME)}


async def test_a_new_policy_counts_from_when_it_was_set(watching: Watching) -> None:
    """And not from when the judge happened to read it."""
    await watching.lives(minutes=1, moves=True)
    seen_at = watching.clock.now()
    await watching.lives(minutes=10)
    shorter = Policy(still_for=timedelta(minutes=15), learned=False)
    await store.set_policy(watching.conn, HOME, shorter, by="control", why="shorter", now=watching.clock.now())

    await watching.lives(minutes=5)

    (alert,) = await watching.alerts()
    assert alert.at == seen_at + timedelta(minutes=15)


async def test_a_sped_up_clock_stretches_promises(watching: Watching) -> None:
    """At sixty times the speed a restart of three seconds is three minutes."""
    await watching.lives(minutes=1, moves=True)
    from gateway.clock import Anchor, write_anchor  # noqa: PLC0415 - for this one story

    anchor = Anchor(0.0, watching.clock.now().timestamp(), 0.0, timedelta(minutes=15))
    write_anchor(watching.clock.path, anchor)
    await watching.turns()

    await watching.turns()

    rows = await watching.conn.execute("SELECT content FROM judging_input WHERE kind = 'stretch'")
    assert await rows.fetchall() == [({"stretch_s": 900.0},)]
    assert watching.watch._mine[LANE].judge.state_of(HOME).stretch == timedelta(minutes=15)


async def test_a_database_that_was_put_back_between_two_looks_is_judged_from_where_it_stands(
    watching: Watching, database: Database
) -> None:
    """`telecare chaos --seed 27001`: away for a second, which no look saw, and with the lanes ours by the copy too.

    The worker had read past the numbers of what was stored next, and nobody was told of a press.
    """
    await watching.lives(minutes=2)
    copy = f"{database.name}_before"
    await gone(watching, database, sql.SQL("CREATE DATABASE {} TEMPLATE {}"), copy, database.name)
    await watching.lives(minutes=3, moves=True)
    await watching.presses(1)

    await gone(watching, database, sql.SQL("DROP DATABASE {}"), database.name)
    await gone(watching, database, sql.SQL("ALTER DATABASE {} RENAME TO {}"), copy, database.name)
    await watching.presses(2)

    assert Question.ALARM in {alert.question for alert in await watching.alerts()}
    await watching.conn.close()


async def gone(watching: Watching, database: Database, do: sql.SQL, *names: str) -> None:
    """Do something to a database that nobody may be connected to, and connect again."""
    await watching.conn.close()
    with database.server_connection() as server:
        ended = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = ANY(%s)"
        server.execute(ended, (list(names),))
        server.execute(do.format(*map(sql.Identifier, names)))
    if names == (database.name,):
        return  # It was dropped.
    watching.street.conn = watching.ingest.conn = await AsyncConnection.connect(database.dsn, autocommit=True)

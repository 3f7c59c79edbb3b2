"""Promise P4 over every question there is: the same log and the same release give the same alerts, to the second."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Outcome, Question
from alerts.judging import words
from alerts.judging.finding import Ended, Finding, Verdict
from alerts.judging.home import HomeState
from alerts.judging.lane import Input, LaneJudge
from alerts.order import merged
from alerts.store import thresholds
from alerts.store.versions import Scope, Width
from alerts.watch import Watch
from ingest import devices, entry, stored_log
from ingest.db.pool import Pool, open_pool
from tests.integration.alerts.conftest import HOME, HUB, Street, furnish
from tests.integration.alerts.platform import Ingest, MovedClock, worker
from tests.world.database import Database

LANE = devices.lane_of(HOME)
HERE = Scope(Width.HOME, HOME)
BEGINS = datetime(2026, 10, 15, 6, 0, tzinfo=UTC)
"""07:00 in London on a Thursday; in the night of the eleventh day the clocks go back."""

SENSORS = {
    "kitchen-motion": ("kitchen", "motion", None),
    "lounge-motion": ("lounge", "motion", None),
    "hall-motion": ("hall", "motion", None),
    "front-door": ("front door", "contact", True),
    "thermometer": ("lounge", "climate", None),
}
QUIET_KITCHEN = "quiet kitchen: no movement in kitchen for 2 h on every day from 18:00 to 22:00"


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of the story, by UTC: its days are numbered from 0."""
    return BEGINS.replace(hour=hour, minute=minute) + timedelta(days=number)


def reading(at: datetime, sensor: str, quantity: str, value: float = 1.0, **more: Any) -> entry.Reading:
    return entry.Reading(HOME, HUB, sensor, SENSORS[sensor][0], quantity, value, at, **more)


def moves(at: datetime, sensor: str = "lounge-motion") -> entry.Reading:
    return reading(at, sensor, "movement")


def heard(*troubles: str) -> entry.Heard:
    return entry.Heard(HOME, HUB, 0, 0, True, troubles)


def every(minutes: int, since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += timedelta(minutes=minutes)


@dataclass
class Story:
    """A home that is lived in: its log is written as ingest does, and judged as it comes by a worker that is killed."""

    street: Street
    ingest: Ingest
    clock: MovedClock
    pool: Pool
    watch: Watch
    said: int = 0
    raised: set[str] = field(default_factory=set)

    async def hears(self, at: datetime, *entries: entry.Entry) -> None:
        """Store what was received at a moment; every seventh time all that fell due is judged as well."""
        self.clock.set(at)
        await self.ingest.stores(LANE, *entries, now=at)
        self.said += 1
        if self.said % 7 == 0:
            await self.judges()

    async def judges(self, at: datetime | None = None) -> None:
        self.clock.set(at or self.clock.now())
        self.street.now = self.clock.now()
        await self.ingest.ticks(now=self.clock.now())
        self.watch.stir(LANE)
        await self.watch.turn()

    async def beats(self, since: datetime, until: datetime) -> None:
        """The hub reports and nothing moves."""
        for at in every(60, since, until):
            await self.hears(at, heard())

    async def goes_by(self, number: int) -> None:
        """Let a day of which little is to be said go by: about from seven to ten in London, a walk at eleven.

        From the eighth on the hall's sensor notices nothing any more.
        """
        for step, at in enumerate(every(30, day(number, 6), day(number, 21))):
            said: list[entry.Entry] = [heard(), moves(at, "kitchen-motion" if step % 3 else "lounge-motion")]
            if step % 2:
                said.append(moves(at, "hall-motion") if number < 7 else reading(at, "hall-motion", "battery_pct", 90.0))
            if at.minute == 0:
                said.append(reading(at, "thermometer", "temperature_c", 19.5))
            if at == day(number, 10):
                said.append(reading(at + timedelta(seconds=5), "front-door", "open"))
                said.append(reading(at + timedelta(seconds=9), "front-door", "open", 0.0))
            await self.hears(at, *said)
        await self.beats(day(number, 21), day(number + 1, 6))

    async def sets(self, **numbers: str) -> None:
        """Have an operator change a threshold of the home, at once."""
        rules = (numbers.pop("rule"),) if "rule" in numbers else ()
        change = thresholds.Change(by="control", why="a story", at=self.clock.now())
        assert await thresholds.set_numbers(self.street.conn, HERE, words.numbers(numbers, rules), change)

    async def closes(self, question: Question, outcome: Outcome) -> None:
        """Have Anne close the alert of a question."""
        await self.judges()
        alerts = await store.open_alerts(self.street.conn, [HOME])
        (alert,) = (one for one in alerts if one.question is question)
        assert await store.close(self.street.conn, alert.alert, "anne", outcome, None, now=self.clock.now())

    async def is_killed(self) -> None:
        """Have another worker judge in the place of the one that was killed, without its farewell."""
        await self.street.conn.execute("UPDATE judging_lane SET heard_at = heard_at - interval '1 minute'")
        self.watch, _ = worker(self.pool, self.clock)
        await self.watch.turn(everything=True)


@pytest.fixture
async def story(database: Database, tmp_path: Path) -> AsyncIterator[Story]:
    """Watch Margaret's home, in which promises may be kept an hour late, so that hourly heartbeats keep them."""
    pool = await open_pool(database.dsn, name="test", size_max=8)
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    async with pool, conn:
        street = await furnish(conn, database.dsn)
        with database.connect() as blocking:
            for sensor, (room, kind, is_outer) in SENSORS.items():
                devices.set_sensor(blocking, devices.Sensor(HOME, sensor, room, kind, is_outer))
        clock = MovedClock(tmp_path / "clock.json", BEGINS, stretch=timedelta(hours=1))
        ingest = Ingest(conn)
        await ingest.start()
        await ingest.ticks(now=BEGINS)
        await store.set_sensors(conn, HOME, now=BEGINS)
        await store.set_watched(conn, HOME, HUB, now=BEGINS)
        watch, _ = worker(pool, clock)
        await watch.turn(everything=True)
        yield Story(street, ingest, clock, pool, watch)


async def lived(story: Story) -> None:
    """Let everything happen that a question asks about, within twelve days."""
    for number in range(9):
        await story.goes_by(number)
    await _a_long_rest_and_a_shorter_timer(story)
    await story.is_killed()
    await _an_evening_of_faults(story)
    await _a_night_on_foot(story)
    await _a_day_out(story)


async def _a_long_rest_and_a_shorter_timer(story: Story) -> None:
    """Still for longer than is usual, as was learnt; then for longer than a timer that an operator has shortened."""
    for at in every(20, day(9, 6), day(9, 9)):
        await story.hears(at, heard(), moves(at), reading(at, "thermometer", "temperature_c", 15.0))
    for at in every(30, day(9, 9), day(9, 13)):
        await story.hears(at, heard(), reading(at, "thermometer", "temperature_c", 15.0))
    await story.hears(day(9, 13), heard(), moves(day(9, 13)), reading(day(9, 13), "thermometer", "temperature_c", 19.0))
    await story.closes(Question.STILL_UNUSUAL, Outcome.ALL_WELL)
    await story.sets(still_for="40 min")
    await story.beats(day(9, 13, 10), day(9, 14, 15))
    await story.closes(Question.STILL, Outcome.FALSE_ALARM)
    late = moves(day(9, 13, 20))
    uncertain = reading(day(9, 14, 16), "kitchen-motion", "movement", uncertain_since=day(9, 12))
    await story.hears(day(9, 14, 16), heard(), late, uncertain)
    await story.hears(day(9, 14, 20), heard(), moves(day(9, 14, 19)))
    await story.sets(still_for="5 h", rule=QUIET_KITCHEN)


async def _an_evening_of_faults(story: Story) -> None:
    """The door is open, a battery low, a room hot, the kitchen quiet, the pendant pressed, and the hub in trouble."""
    await story.hears(day(9, 14, 30), heard(), reading(day(9, 14, 30), "front-door", "open"))
    await story.hears(day(9, 14, 40), moves(day(9, 14, 40)), reading(day(9, 14, 40), "front-door", "battery_pct", 8.0))
    for at in every(20, day(9, 15), day(9, 21)):
        await story.hears(at, heard(), moves(at), reading(at, "thermometer", "temperature_c", 31.5))
    press = entry.Alarm(HOME, HUB, f"{HUB}/box/1", "pendant", None, "pendant_alarm", 1.0, day(9, 21, 1))
    await story.hears(day(9, 21, 2), press, heard("radio"))
    await story.hears(day(9, 21, 5), heard(), entry.Lost(HOME, HUB, "box", "readings", 7, 9))
    await story.hears(
        day(9, 21, 6), entry.Trouble(HOME, HUB, "old card"), reading(day(9, 21, 6), "front-door", "open", 0.0)
    )
    await story.beats(day(9, 21, 10), day(9, 22, 40))
    await story.hears(day(9, 22, 55), heard(), reading(day(9, 22, 55), "thermometer", "temperature_c", 19.0))


async def _a_night_on_foot(story: Story) -> None:
    """Up and about while the clocks are changed."""
    for at in every(5, day(9, 23, 30), day(10, 0, 40)):
        await story.hears(at, heard(), moves(at))
    await story.beats(day(10, 0, 40), day(10, 6))


async def _a_day_out(story: Story) -> None:
    """Away all day, while the thermometer dies and then the hub."""
    await story.hears(day(10, 6), heard(), moves(day(10, 6), "kitchen-motion"))
    await story.hears(day(10, 8), heard(), reading(day(10, 8), "front-door", "open"))
    await story.hears(day(10, 8, 1), heard(), reading(day(10, 8), "front-door", "open", 0.0))
    await story.beats(day(10, 8, 30), day(10, 17))
    await story.judges(day(10, 22, 30))
    await story.hears(day(10, 23), heard(), moves(day(10, 23)))
    await story.judges(day(10, 23, 30))


async def replayed(story: Story) -> tuple[list[Verdict], HomeState]:
    """Judge the log and the inputs from the beginning, batch by batch; return what is found, and what is remembered."""
    conn = story.street.conn
    batches, position = [], 0
    while more := await stored_log.follow(conn, LANE, position, None):
        batches += more
        position = batches[-1].position
    rows = await conn.execute(
        "SELECT input, home, counts_from, kind, content FROM judging_input WHERE lane = %s ORDER BY input", (LANE,)
    )
    inputs = [Input(*row) for row in await rows.fetchall()]
    rows = await conn.execute("SELECT complete_through FROM lane WHERE lane = %s", (LANE,))
    row = await rows.fetchone()
    assert row is not None
    through: datetime = row[0]
    judge, found = LaneJudge({}, None), list[Verdict]()
    for step in merged(batches, inputs, known_through=through):
        found += judge.apply(step) if isinstance(step, Input) else judge.take(step)
    return found + judge.advance(through), judge.state_of(HOME)


async def test_every_question_is_answered_alike_live_and_by_a_replay_of_the_log(story: Story) -> None:
    """Whoever asks a year later why she was rung, or not, must get the night's own answer."""
    await lived(story)

    found, remembered = await replayed(story)

    raised = [one for one in found if isinstance(one, Finding)]
    # An outage is of many homes, and sorted out when each of them was judged.
    asked = set(Question) - {Question.OUTAGE}
    assert {one.question for one in raised} == asked, "the story has something of every question"
    ended = {(one.question.value, one.episode): one.at for one in found if isinstance(one, Ended)}
    rows = await story.street.conn.execute(
        "SELECT question, episode, since, at, why, policy, cause_ended_at FROM alert WHERE home = %s ORDER BY alert",
        (HOME,),
    )
    assert await rows.fetchall() == [
        (
            *(one.question.value, one.episode, one.since, one.at),
            {**one.why, **({"again_of": dict(one.again_of)} if one.again_of is not None else {})},
            one.policy,
            ended.get((one.question.value, one.episode)),
        )
        for one in raised
    ]
    live = story.watch._mine[LANE].judge.state_of(HOME)
    assert replace(live) == replace(remembered)

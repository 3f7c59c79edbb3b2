"""From what is due to phones, over HTTP to a pretend Twilio that fails as the real one does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Outcome, Question
from alerts.store import owing
from alerts.store.sending import SendingLog
from alerts.tell import NoTwilio, Tell
from alerts.telling.deliver import Receipt
from alerts.telling.sms import Config, Sms
from deploy.pretend_twilio import PretendTwilio
from ingest.db.pool import Pool, open_pool
from tests.integration.alerts.conftest import ANNE, CONTROL, HOME, JIM, NINE, Street, furnish
from tests.integration.alerts.platform import MovedClock, until, webhooks, worker
from tests.world.database import Database
from tests.world.phones import Carer


@dataclass
class Telling:
    """A street whose telling loop runs, and its people's phones."""

    street: Street
    clock: MovedClock
    pool: Pool
    twilio: PretendTwilio
    sms: Sms
    tell: Tell
    held: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.Task[None] | None = None

    def go_on(self) -> None:
        """Run the telling loop."""
        self.held.clear()
        self.running = asyncio.create_task(self.tell.run(self.held))

    async def hold(self) -> None:
        """Stop the telling loop."""
        self.held.set()
        self.tell.stir()
        if self.running is not None:
            await self.running
        self.running = None

    def phone(self, number: str) -> Carer:
        return Carer(self.twilio, number, number)

    async def moves(self, **by: float) -> None:
        self.street.now = self.clock.move(**by)

    async def text_to(self, number: str, *, saying: str = "", after: int = 0) -> str:
        """Wait until a phone has a text with these words, and return it."""
        text = await asyncio.to_thread(self.phone(number).waits_for_text, saying=saying, after=after)
        return text.body

    async def answers(self, number: str, body: str) -> str:
        return await asyncio.to_thread(self.phone(number).answers, body)

    async def is_written(self, person: str, state: str, purpose: str = "alert") -> None:
        """Wait until a person's text stands in this state in the table."""

        async def look() -> bool:
            return (person, purpose, state) in await self.street.texts()

        await until(look, what=f"{purpose} to {person} {state}")


@pytest.fixture
async def telling(database: Database, tmp_path: Path) -> AsyncIterator[Telling]:
    """Run the telling loop over Margaret's home."""
    clock = MovedClock(tmp_path / "clock.json", NINE)
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    hooks = await AsyncConnection.connect(database.dsn, autocommit=True)
    pool = await open_pool(database.dsn, name="test", size_max=8)
    async with pool, conn, hooks, webhooks(hooks, clock.now) as url:
        twilio = PretendTwilio(now=clock.now, webhook=f"{url}/twilio/text")
        twilio.start()
        ours = twilio.account
        sms = Sms(Config(ours.sid, ours.token, ours.sender, url, twilio.base_url))
        street = await furnish(conn, database.dsn)
        _, tell = worker(pool, clock, sms)
        telling = Telling(street, clock, pool, twilio, sms, tell)
        telling.go_on()
        yield telling
        await telling.hold()
        # Not in this thread, which answers what it posts last.
        await asyncio.to_thread(twilio.stop)


async def test_a_press_is_a_text_on_a_phone(telling: Telling) -> None:
    """Promise P3, on its best day."""
    await telling.street.presses()

    assert "Margaret Reid pressed the pendant, 09:00" in await telling.text_to(ANNE)
    await telling.is_written("anne", "delivered")


async def test_while_twilio_refuses_our_account_texts_wait_and_it_is_said(telling: Telling) -> None:
    """A token that was changed on Friday: on Monday whoever lies on the floor is still told of."""
    for phone in (ANNE, JIM, CONTROL):
        telling.twilio.fail_create(phone, code=20003, times=1_000)
    await telling.street.presses()

    async def is_said() -> bool:
        return telling.tell.texting.why_not == "Twilio refuses our account: 401, code 20003"

    await until(is_said, what="nobody can be texted")
    tried = await tries_of(telling, "anne")
    await telling.moves(days=3)

    async def is_tried_again() -> bool:
        await be_due_at_once(telling)
        return await tries_of(telling, "anne") >= tried + 2

    await until(is_tried_again, what="Anne's text was tried again and its end was written down")
    await telling.is_written("jim", "due")
    texts = await telling.street.texts()
    assert {state for _, purpose, state in texts if purpose in {"alert", "nobody"}} <= {"due", "trying"}

    for phone in (ANNE, JIM, CONTROL):
        telling.twilio.be_well(phone)

    async def has_left() -> bool:
        await be_due_at_once(telling)
        return bool(telling.twilio.texts_to(ANNE))

    await until(has_left, what="Anne is told")
    assert "Margaret Reid pressed the pendant" in await telling.text_to(ANNE)

    async def is_over() -> bool:
        return telling.tell.texting.why_not is None

    await until(is_over, what="texts leave again")


async def be_due_at_once(telling: Telling) -> None:
    """Wait for no real minute."""
    await telling.street.conn.execute("UPDATE notification SET try_after = NULL WHERE state IN ('due', 'trying')")
    telling.tell.stir()


async def tries_of(telling: Telling, person: str) -> int:
    rows = await telling.street.conn.execute(
        "SELECT attempts FROM notification WHERE person = %s AND purpose = 'alert'", (person,)
    )
    row = await rows.fetchone()
    return 0 if row is None else int(row[0])


async def test_that_we_are_let_in_again_is_found_out_without_a_text(telling: Telling) -> None:
    """The alert is closed and no text waits: a warning that stays after its cause is not read the next time."""
    for phone in (ANNE, JIM, CONTROL):
        telling.twilio.fail_create(phone, code=20003, times=1_000)
    await telling.street.presses()

    async def is_said() -> bool:
        return telling.tell.texting.why_not is not None

    await until(is_said, what="nobody can be texted")
    await telling.is_written("anne", "due")
    alert = (await telling.street.only_alert()).alert
    await store.close(telling.street.conn, alert, "control", Outcome.ALL_WELL, None, now=NINE)
    telling.tell.texting.ask_after_s = 0.0

    async def is_over() -> bool:
        telling.tell.stir()
        return telling.tell.texting.why_not is None

    await until(is_over, what="texts may leave again")
    assert telling.twilio.texts_to(ANNE) == []


async def test_no_answer_for_five_minutes_reaches_the_second(telling: Telling) -> None:
    """By the platform's clock, which a test can move."""
    await telling.street.presses()
    await telling.text_to(ANNE)

    await telling.moves(minutes=4, seconds=59)
    await telling.tell.turn()
    telling.phone(JIM).received_nothing()
    await telling.moves(seconds=1)

    assert "Anne Reid, told 09:00, has not answered." in await telling.text_to(JIM)


@pytest.mark.parametrize("how", ["undelivered", "failed", "refused"])
async def test_a_text_that_cannot_arrive_reaches_the_second_at_once(telling: Telling, how: str) -> None:
    """The clock stands still: nobody waits five minutes for a phone that is off."""
    if how == "refused":
        telling.twilio.fail_create(ANNE, code=21211)
    else:
        getattr(telling.twilio, how)(ANNE)

    await telling.street.presses()

    assert "The text to Anne Reid did not arrive." in await telling.text_to(JIM)


async def test_mine_is_answered_and_told_to_those_told(telling: Telling) -> None:
    """Whose it is must be known to everybody who might otherwise go."""
    await telling.street.presses()
    await telling.text_to(ANNE)
    await telling.moves(minutes=5)
    await telling.text_to(JIM)

    answer = await telling.answers(JIM, "1 mine")

    assert answer.startswith("Margaret Reid (pendant) is yours since 09:05")
    assert "Jim Docherty said MINE" in await telling.text_to(ANNE, after=1)


async def test_how_it_ended_is_told_to_those_told(telling: Telling) -> None:
    """The last text of the story is the one that lets people sleep."""
    await telling.street.presses()
    await telling.text_to(ANNE)
    await telling.moves(minutes=5)
    await telling.text_to(JIM)
    await telling.is_written("jim", "delivered")
    await telling.answers(ANNE, "1 mine")
    await telling.answers(ANNE, "1 helped")

    assert "Margaret Reid (pendant): help given, says Anne Reid" in await telling.text_to(JIM, saying="help given")


async def test_nobody_reached_goes_round_to_the_operator_and_is_said_loudly(
    telling: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    """Every delivery fails but the operator's, who does not answer either."""
    for number in (ANNE, JIM):
        telling.twilio.undelivered(number)
    await telling.street.presses()
    await telling.text_to(CONTROL, saying="did not arrive")

    await telling.moves(minutes=5)

    body = await telling.text_to(CONTROL, saying="NOBODY HAS ANSWERED")
    assert "Anne Reid: text failed, Jim Docherty: text failed" in body
    await until(lambda: said(caplog, "nobody could be told"))


async def said(caplog: pytest.LogCaptureFixture, event: str) -> bool:
    return any(record.levelname == "ERROR" and record.message == event for record in caplog.records)


async def test_an_answer_that_was_never_heard_is_one_text(telling: Telling) -> None:
    """Twilio took it and the connection broke: it is looked up, not sent again."""
    telling.twilio.drop_after_taking(ANNE)
    telling.twilio.never_call_back(ANNE)

    await telling.street.presses()

    await telling.is_written("anne", "sent")
    telling.phone(ANNE).received_exactly_one_text()


async def test_a_twilio_that_is_busy_is_asked_again(telling: Telling) -> None:
    """A 503 is not a failed delivery; it is two seconds."""
    telling.twilio.fail_create(ANNE, status=503)

    await telling.street.presses()

    await telling.text_to(ANNE)
    telling.phone(ANNE).received_exactly_one_text()


async def test_one_request_that_hangs_holds_up_no_other(telling: Telling) -> None:
    """A slow answer for one phone must not cost an alarm for another its seconds."""
    telling.twilio.slow(CONTROL, 5.0)
    telling.twilio.never_call_back(CONTROL)
    await telling.street.presses(home=None, hub="hub-without-home")
    await telling.is_written("control", "trying")

    await telling.street.presses()

    await telling.text_to(ANNE)
    assert ("control", "alert", "trying") in await telling.street.texts()


async def test_a_callback_that_never_comes_is_asked_for(telling: Telling) -> None:
    """A wrong public address must not cost the five minutes that are for people."""
    telling.twilio.never_call_back(ANNE)
    telling.twilio.undelivered(ANNE)
    await telling.street.presses()
    await telling.is_written("anne", "sent")

    await telling.moves(seconds=20)

    assert "The text to Anne Reid did not arrive." in await telling.text_to(JIM)


@dataclass
class SlowToSayWhatBecame:
    """A Twilio that takes every text at once, and does not answer what became of one until it is let."""

    sent: list[str] = field(default_factory=list)
    asked: int = 0
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, to: str, body: str, key: str) -> Receipt:  # noqa: ARG002 - as a Sender has them
        self.sent.append(key)
        return Receipt(f"SM{key}")

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - as a Sender has them
        return None

    async def state(self, sid: str) -> tuple[str, int | None]:  # noqa: ARG002 - as a Door has them
        self.asked += 1
        await self.let.wait()
        return "sent", None


async def test_looking_up_many_texts_holds_up_none_that_is_due(stopped: Telling) -> None:
    """After 5,000 alarms with a wrong public address the look-ups would take the place of the next alarm's text."""
    conn = stopped.street.conn
    await stopped.street.presses()
    await conn.execute(
        "INSERT INTO notification (key, alert, person, phone, purpose, body, state, due_at, sent_at, sid, worth_until) "
        "SELECT 'gone' || n, alert, person, phone, purpose, body, 'sent', due_at, due_at - interval '1 min', "
        "'SM' || n, worth_until FROM notification, generate_series(1, 40) n WHERE purpose = 'alert'"
    )
    twilio = SlowToSayWhatBecame()
    _, tell = worker(stopped.pool, stopped.clock, twilio)
    stop = asyncio.Event()
    running = asyncio.create_task(tell.run(stop))

    async def has_asked() -> bool:
        return twilio.asked == 4

    await until(has_asked, what="four look-ups are on their way")
    for _ in range(60):
        await owing.owe_without_alert(
            conn, "anne", "The service was put back.", purpose="restored", now=stopped.clock.now()
        )

    async def has_sent() -> bool:
        tell.stir()
        return len(twilio.sent) == 61

    await until(has_sent, what="61 texts have left")
    asked = twilio.asked
    twilio.let.set()
    stop.set()
    await running
    assert (len(set(twilio.sent)), asked) == (61, 4)


async def test_an_alarm_leaves_before_a_storm_of_other_requests(stopped: Telling) -> None:
    """A thousand homes that cannot be seen are a thousand texts of minutes; somebody who calls cannot wait for them."""
    conn, now = stopped.street.conn, stopped.clock.now()
    await stopped.street.concludes(stopped.street.found(Question.STILL, "a", since=NINE))
    await conn.execute(
        "INSERT INTO notification (key, alert, person, phone, purpose, body, state, due_at, worth_until) "
        "SELECT 'storm' || n, alert, person, phone, purpose, body, 'due', due_at - interval '1 min', worth_until "
        "FROM notification, generate_series(1, 40) n WHERE purpose = 'alert'"
    )
    await stopped.street.presses()
    await owing.owe_without_alert(conn, "anne", "The service was put back.", purpose="restored", now=now)
    due = SendingLog(stopped.pool, "test", lambda _: None)

    first = [note.body for note in await due.due(now=now, limit=1)]
    rest = [note.body for _ in range(42) for note in await due.due(now=now, limit=1)]

    assert "pressed the pendant" in first[0]
    assert len(rest) == 42
    assert rest[-1] == "The service was put back."


async def test_what_is_due_leaves_while_asking_on_must_wait(stopped: Telling) -> None:
    """5,000 alarms at once: five minutes later the next were asked, one by one beside those that raise alerts.

    For three minutes no text left, of presses that nobody had been told of.
    """
    conn = stopped.street.conn
    await stopped.street.presses()
    await stopped.moves(minutes=6)
    async with conn.transaction():
        await owing.one_at_a_time(conn)

        stopped.go_on()

        await stopped.text_to(ANNE)
        assert [person for person, _, _ in await stopped.street.texts(purpose="alert")] == ["anne"]
    await stopped.text_to(JIM)


async def test_after_an_alarm_the_next_is_asked_before_the_next_after_anything_else(stopped: Telling) -> None:
    """When thousands of alerts are due at once, a hundred are asked on at a time."""
    await stopped.street.concludes(stopped.street.found(Question.STILL, "a", since=NINE))
    await stopped.street.presses()
    conn = stopped.street.conn
    await conn.execute("UPDATE alert SET next_telling_at = next_telling_at - interval '1 min' WHERE question = 'still'")
    await stopped.moves(minutes=10)

    asked: list[str] = []

    async def are_asked() -> bool:
        await stopped.tell.turn()
        rows = await conn.execute(
            "SELECT question FROM notification JOIN alert USING (alert) WHERE person = 'jim' ORDER BY notification"
        )
        asked[:] = [question for (question,) in await rows.fetchall()]
        return len(asked) == 2

    await until(are_asked, what="Jim is asked about both")
    assert asked == ["alarm", "still"]


async def leave_trying(telling: Telling, *, sent: bool) -> None:
    """Leave a text as a process does that was killed between its request and its writing down."""
    await telling.street.presses()
    rows = await telling.street.conn.execute(
        "UPDATE notification SET state = 'trying', attempts = 1, trying_at = due_at, claimed_by = 'dead', "
        "claimed_at = clock_timestamp() - interval '11 s' RETURNING body, key"
    )
    row = await rows.fetchone()
    assert row is not None
    if sent:
        await telling.sms.send(ANNE, row[0], row[1])
        await telling.text_to(ANNE)


@pytest.fixture
async def stopped(telling: Telling) -> Telling:
    """Give the street with its telling loop held back, so that a test can leave what a dead process leaves."""
    await telling.hold()
    return telling


async def test_killed_after_the_request_is_one_text(stopped: Telling) -> None:
    """The next start asks Twilio whether it went."""
    stopped.twilio.never_call_back(ANNE)
    await leave_trying(stopped, sent=True)

    stopped.go_on()
    await stopped.is_written("anne", "sent")

    stopped.phone(ANNE).received_exactly_one_text()


async def test_killed_before_the_request_is_one_text(stopped: Telling) -> None:
    """And where it did not go, it goes now."""
    await leave_trying(stopped, sent=False)

    stopped.go_on()
    await stopped.text_to(ANNE)

    stopped.phone(ANNE).received_exactly_one_text()


async def test_a_callback_before_sent_was_written_counts(stopped: Telling) -> None:
    """The address of the callback carries the key, so it is understood although we died."""
    await leave_trying(stopped, sent=True)

    await stopped.is_written("anne", "delivered")


async def test_what_another_teller_is_sending_is_left_to_it(stopped: Telling) -> None:
    """Two workers, one text."""
    await leave_trying(stopped, sent=False)
    await stopped.street.conn.execute("UPDATE notification SET claimed_by = 'alive', claimed_at = clock_timestamp()")

    stopped.go_on()
    await stopped.tell.turn()

    stopped.phone(ANNE).received_nothing()


async def test_a_request_that_was_answered_meanwhile_does_not_leave(stopped: Telling) -> None:
    """Retried after ten minutes of a busy Twilio, it would send somebody for nothing."""
    await leave_trying(stopped, sent=False)
    alert = (await stopped.street.only_alert()).alert
    await store.acknowledge(stopped.street.conn, alert, "jim", how="page", now=NINE)

    stopped.go_on()
    await stopped.is_written("anne", "not needed")

    assert "Jim Docherty said MINE" in await stopped.text_to(ANNE)
    stopped.phone(ANNE).received_exactly_one_text()


async def test_two_loops_share_what_is_due(telling: Telling) -> None:
    """Any number of workers may tell; each text leaves once."""
    _, second = worker(telling.pool, telling.clock, telling.sms)
    stop = asyncio.Event()
    running = asyncio.create_task(second.run(stop))
    for home in range(10):
        await telling.street.presses(home=None, hub=f"hub-{home}")
        second.stir()

    async def look() -> bool:
        return {state for _, _, state in await telling.street.texts()} == {"delivered"}

    await until(look)
    stop.set()
    await running

    assert len(telling.twilio.texts_to(CONTROL)) == 10


async def test_an_alert_that_cannot_be_read_holds_up_no_other(
    stopped: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    """A row whose facts are none, or a mistake of ours, must cost one alert and not all telling."""
    await stopped.street.concludes(stopped.street.found(Question.STILL, "a", since=NINE))
    await stopped.street.conn.execute("DELETE FROM notification")
    await stopped.street.conn.execute("UPDATE alert SET why = '\"no facts\"', next_telling_at = raised_at")
    await stopped.street.presses()

    stopped.go_on()

    await stopped.text_to(ANNE)
    await until(lambda: said(caplog, "alert cannot be asked on"))

    # The log line comes first, readiness at the end of the same turn.
    async def is_said() -> bool:
        return stopped.tell.trouble == "alerts [1] cannot be asked on"

    await until(is_said)


async def test_asking_on_that_fails_is_said_until_one_goes_well(
    stopped: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than a look: said for half a second of every few, it would be seen by nobody."""
    fails, goes_on = [1], asyncio.Event()

    async def at_it(_: Tell, *, now: datetime) -> None:
        await goes_on.wait()
        if fails:
            fails.clear()
            raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Tell, "_ask_on_and_say", at_it)

    async def is_trouble(said: str | None) -> None:
        async def look() -> bool:
            return stopped.tell.trouble == said

        await until(look)

    stopped.go_on()
    goes_on.set()
    await is_trouble("telling fails; the log says how")
    goes_on.clear()
    before = stopped.tell.looked_at

    async def has_looked() -> bool:
        return stopped.tell.looked_at != before

    await stopped.moves(seconds=1)
    await until(has_looked)
    await asyncio.sleep(0)

    assert stopped.tell.trouble == "telling fails; the log says how"
    goes_on.set()
    await is_trouble(None)


async def test_a_text_on_its_way_is_not_taken_over_by_its_own_teller(stopped: Telling) -> None:
    """After ten seconds without the database our own claim has lapsed, while Twilio still thinks."""
    stopped.twilio.slow(ANNE, 1.0)
    await stopped.street.presses()
    await stopped.tell.turn()
    await stopped.is_written("anne", "trying")
    await stopped.street.conn.execute("UPDATE notification SET claimed_at = clock_timestamp() - interval '11 s'")

    await stopped.tell.turn()

    stopped.go_on()
    await stopped.is_written("anne", "delivered")
    stopped.phone(ANNE).received_exactly_one_text()


async def test_the_next_is_texted_on_a_clock_that_stands_still(telling: Telling) -> None:
    """What follows from an answer is due just after it; a demonstration that was halted must show it all the same."""
    await telling.street.presses()
    await telling.text_to(ANNE)

    await telling.answers(ANNE, "1 no")

    assert "Anne Reid cannot go" in await telling.text_to(JIM)


async def test_without_twilio_everything_fails_and_the_story_says_why(database: Database, tmp_path: Path) -> None:
    """A supported state: nobody can be texted, and every page can say so."""
    clock = MovedClock(tmp_path / "clock.json", NINE)
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    async with conn, await open_pool(database.dsn, name="test") as pool:
        street = await furnish(conn, database.dsn)
        _, tell = worker(pool, clock, NoTwilio())
        stop = asyncio.Event()
        running = asyncio.create_task(tell.run(stop))
        await street.presses()

        async def nobody_left() -> bool:
            return (await street.only_alert()).nobody_left_at is not None

        await until(nobody_left)
        stop.set()
        await running

        steps = await store.story(conn, (await street.only_alert()).alert)
    failed = [(step.person_name, step.detail) for step in steps if step.kind == "text failed"]
    assert ("Anne Reid", "alert, no Twilio configured") in failed
    assert ("Jim Docherty", "alert, no Twilio configured") in failed


async def test_a_log_in_link_is_texted(telling: Telling) -> None:
    """The only way in for most people."""
    await store.owe_login_text(telling.street.conn, "anne", "https://care.example/in/x", now=NINE)
    telling.tell.stir()

    assert "https://care.example/in/x" in await telling.text_to(ANNE)


async def test_a_log_in_link_that_is_too_old_is_not_texted(stopped: Telling) -> None:
    """A link that no longer works only confuses."""
    await store.owe_login_text(stopped.street.conn, "anne", "https://care.example/in/x", now=NINE)
    await stopped.moves(minutes=16)

    stopped.go_on()
    await stopped.is_written("anne", "failed", "log-in")

    stopped.phone(ANNE).received_nothing()


async def test_the_operator_closes_and_those_told_hear_it(telling: Telling) -> None:
    """By page as by text."""
    await telling.street.presses()
    await telling.text_to(ANNE)
    await telling.is_written("anne", "delivered")
    alert = (await telling.street.only_alert()).alert

    await store.close(telling.street.conn, alert, "control", Outcome.ALL_WELL, None, now=NINE)
    telling.tell.stir()

    assert "says Kilbrae alarm" in await telling.text_to(ANNE, saying="all well, says")
    assert await store.open_alerts(telling.street.conn, [HOME]) == []

"""Alerts, and who is owed which text, in a real database."""

from datetime import datetime, time, timedelta

import pytest

from alerts import store
from alerts.alert import Outcome, Question, State
from alerts.judging.finding import Ended, Finding
from alerts.judging.policy import Policy
from alerts.store import Acknowledged, LetGo, owing, rotas
from alerts.telling.rota import Override, Shift
from ingest import entry
from tests.integration.alerts.conftest import ANNE, CONTROL, HOME, HUB, JIM, NINE, Street


async def look_again(street: Street) -> None:
    """Ask the next person of every alert where that is due, as the telling loop does."""
    rows = await street.conn.execute("SELECT alert FROM alert WHERE next_telling_at <= %s", (street.now,))
    for (alert,) in await rows.fetchall():
        async with street.conn.transaction():
            await owing.one_at_a_time(street.conn)
            scene = await owing.scene_of(street.conn, alert)
            assert scene is not None
            await owing.tell_next(street.conn, scene, now=street.now)


async def say_undelivered(street: Street, person: str) -> None:
    assert await store.take_status(street.conn, await street.key(person), "SM1", "undelivered", "30003", now=street.now)


async def test_a_press_is_an_alert_and_a_text_to_the_first(street: Street) -> None:
    """The one sentence that the product is for."""
    await street.presses()

    alert = await street.only_alert()
    assert (alert.question, alert.state, alert.is_fault) == (Question.ALARM, State.OPEN, False)
    assert await street.texts() == [("anne", "alert", "due")]
    assert "Margaret Reid pressed the pendant, 09:00. 14 Shore Road. Reply 1 MINE" in await street.body("anne")


async def test_the_same_finding_twice_is_one_alert(street: Street) -> None:
    """After a crash the log is judged again; nobody may be texted twice for it."""
    still = street.found(Question.STILL, "since nine", since=NINE)
    await street.concludes(still)

    assert await street.concludes(still) == []

    assert await street.texts() == [("anne", "alert", "due")]


async def test_the_same_alarm_twice_is_one_alert(street: Street) -> None:
    """An alarm that is judged again was not pressed again."""
    alarm = await street.presses()
    street.later(minutes=10)

    again = street.found(Question.ALARM, alarm.identity, since=alarm.observed_at, alarm=alarm)
    await street.concludes(again)

    assert await street.texts() == [("anne", "alert", "due")]


async def test_after_five_minutes_without_an_answer_the_second_is_asked(street: Street) -> None:
    """A phone in another room must not be where help ends."""
    await street.presses()

    street.later(minutes=4, seconds=59)
    await look_again(street)
    assert await street.texts() == [("anne", "alert", "due")]

    street.later(seconds=1)
    await look_again(street)
    assert await street.texts() == [("anne", "alert", "due"), ("jim", "alert", "due")]
    assert "Anne Reid, told 09:00, has not answered." in await street.body("jim")


async def test_a_text_that_does_not_arrive_asks_the_second_at_once(street: Street) -> None:
    """Five minutes are for a person, not for a phone that is off."""
    await street.presses()
    street.later(seconds=10)

    await say_undelivered(street, "anne")
    await look_again(street)

    assert await street.texts() == [("anne", "alert", "undelivered"), ("jim", "alert", "due")]
    assert "The text to Anne Reid did not arrive." in await street.body("jim")


async def test_when_nobody_answers_it_is_said_loudly_once(street: Street) -> None:
    """Promise P3: or it is said loudly that it could not."""
    await street.presses()
    for _ in range(4):
        street.later(minutes=5)
        await look_again(street)

    alert = await street.only_alert()
    assert alert.nobody_left_at == NINE + timedelta(minutes=15)
    assert [person for person, _, _ in await street.texts()] == ["anne", "jim", "control", "control"]
    said = await street.body("control")
    assert said.startswith("NOBODY HAS ANSWERED for Margaret Reid")
    assert ": pendant, since 09:00." in said


async def test_mine_by_text_tells_those_told_before(street: Street) -> None:
    """Anne must not drive across town for nothing."""
    await street.presses()
    await store.take_status(street.conn, await street.key("anne"), "SM1", "delivered", None, now=street.now)
    street.later(minutes=5)
    await look_again(street)

    answer = await street.texted(JIM, "1 mine")

    assert answer.startswith("Margaret Reid (pendant) is yours since 09:05")
    assert (await street.only_alert()).mine_by_name == "Jim Docherty"
    assert await street.texts(purpose="mine") == [("anne", "mine", "due")]
    assert (await street.body("anne")).startswith("Jim Docherty said MINE for Margaret Reid (pendant), 09:05.")


async def test_mine_stops_the_escalation(street: Street) -> None:
    """Who was not asked yet is not woken."""
    await street.presses()
    await street.texted(ANNE, "1 mine")

    street.later(hours=2)
    await look_again(street)

    assert {person for person, _, _ in await street.texts()} == {"anne"}


async def test_a_text_that_has_not_left_is_taken_back_when_somebody_has_it(street: Street) -> None:
    """A request that leaves after it was answered sends a second person for nothing."""
    await street.presses()
    alert = await street.only_alert()

    assert await store.acknowledge(street.conn, alert.alert, "jim", how="page", now=street.now) is Acknowledged.MINE

    assert await street.texts() == [("anne", "alert", "not needed")]


async def test_two_people_say_mine_and_one_has_it(street: Street) -> None:
    """The second must hear whose it is, and pressing twice must do no harm."""
    await street.presses()
    alert = (await street.only_alert()).alert

    said = [
        await store.acknowledge(street.conn, alert, who, how="page", now=street.now) for who in ("anne", "jim", "anne")
    ]

    assert said == [Acknowledged.MINE, Acknowledged.SOMEONE_ELSES, Acknowledged.ALREADY_YOURS]


async def test_could_not_find_out_goes_to_the_next_at_once(street: Street) -> None:
    """It is not over, and the time of the next one begins now."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    street.later(minutes=20)

    answer = await street.texted(ANNE, "1 no")

    assert answer == "Thank you for saying. Jim Docherty is told now for Margaret Reid."
    alert = await street.only_alert()
    assert (alert.state, alert.mine_by) == (State.OPEN, None)
    assert (await street.texts())[-1] == ("jim", "alert", "due")
    assert "Anne Reid cannot go or could not find out." in await street.body("jim")


async def test_a_no_to_what_somebody_else_has_is_told_whose_it_is(street: Street) -> None:
    """Who cannot go must hear that they need not, and the one who is on the way must not lose it."""
    await street.presses()
    street.later(minutes=5)
    await look_again(street)
    await street.texted(ANNE, "1 mine")
    street.later(minutes=1)

    answer = await street.texted(JIM, "1 no")

    assert answer == "Anne Reid said MINE for Margaret Reid (pendant) before you, 09:05. You need not go for that."
    assert (await street.only_alert()).mine_by == "anne"


async def test_who_cannot_go_passes_it_on_without_having_said_mine(street: Street) -> None:
    """Saying no at once must be quicker than saying nothing."""
    await street.presses()

    await street.texted(ANNE, "no")

    assert [person for person, _, _ in await street.texts()] == ["anne", "jim"]


async def test_no_from_one_whose_turn_is_over_asks_nobody_twice(street: Street) -> None:
    """Jim was asked already; Anne's late no must not text him again."""
    await street.presses()
    street.later(minutes=5)
    await look_again(street)

    answer = await street.texted(ANNE, "1 no")

    assert "Jim Docherty is told now" in answer
    assert [person for person, _, _ in await street.texts()] == ["anne", "jim"]


async def test_help_asks_everybody_else_at_once(street: Street) -> None:
    """Who stands in the hall with someone on the floor needs people, not a rota."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    street.later(minutes=10)

    answer = await street.texted(ANNE, "1 HELP")

    assert answer.startswith("We text everybody on the rota of Margaret Reid")
    assert await street.texts(purpose="help") == [("jim", "help", "due"), ("control", "help", "due")]
    assert (await street.only_alert()).state is State.OPEN
    assert "Anne Reid asks for help with Margaret Reid, 14 Shore Road, 09:10." in await street.body("jim")


async def test_help_is_called_though_somebody_else_closed_it(street: Street) -> None:
    """A wrong click in one house must not leave somebody alone with a person on the floor in another."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    over = (await street.only_alert()).alert
    await store.close(street.conn, over, "jim", Outcome.ALL_WELL, None, now=street.later(minutes=10))

    answer = await street.texted(ANNE, "1 help")

    assert answer.endswith("Its number is 2 from now on.")
    assert [person for person, _, _ in await street.texts(purpose="help")] == ["jim", "control"]
    assert "Anne Reid asks for help with Margaret Reid, 14 Shore Road, 09:10." in await street.body("jim")
    alert = await street.only_alert()
    assert (alert.question, alert.state, alert.alert > over) == (Question.ALARM, State.OPEN, True)
    again_of = {"closed_by": "jim", "outcome": "all well", "closed_at": street.now.isoformat()}
    assert alert.why == {"asked_by": "anne", "again_of": again_of}


async def test_help_after_it_was_over_goes_round_like_any_other(street: Street) -> None:
    """It ends with an outcome, or it is said loudly that nobody came."""
    await street.presses()
    await street.texted(ANNE, "1 well")
    await street.texted(ANNE, "1 help")
    await street.texted(JIM, "1 mine")

    await street.texted(JIM, "1 no")
    assert "Anne Reid asks for help with Margaret Reid" in await street.body("control")
    for _ in range(3):
        street.later(minutes=5)
        await look_again(street)

    assert (await street.only_alert()).nobody_left_at is not None
    assert "all well" in await street.texted(ANNE, "2 well")
    assert await store.open_alerts(street.conn, [HOME]) == []


async def test_help_twice_after_it_was_over_is_one_alert(street: Street) -> None:
    """Whoever is in fear texts twice."""
    await street.presses()
    await street.texted(ANNE, "1 well")

    await street.texted(ANNE, "1 help")
    await street.texted(ANNE, "1 help")

    assert len(await store.open_alerts(street.conn, [HOME])) == 1


async def test_help_with_what_was_over_the_day_before_yesterday_opens_nothing(street: Street) -> None:
    """An old page that is pressed by mistake wakes nobody."""
    await street.presses()
    alert = (await street.only_alert()).alert
    await street.texted(ANNE, "1 well")

    is_called = await store.let_go(street.conn, alert, "anne", why=LetGo.HELP, now=street.later(hours=24, seconds=1))

    assert not is_called
    assert await store.open_alerts(street.conn, [HOME]) == []


async def test_help_that_nobody_answers_is_said_loudly(street: Street) -> None:
    """A call for help is not answered by having been texted."""
    await street.presses()
    await street.texted(ANNE, "1 help")
    street.later(minutes=5, seconds=1)

    await look_again(street)

    assert (await street.only_alert()).nobody_left_at is not None


async def test_an_outcome_is_told_to_those_told(street: Street) -> None:
    """Those who were woken want to know how it ended."""
    await street.presses()
    await store.take_status(street.conn, await street.key("anne"), "SM1", "sent", None, now=street.now)
    alert = (await street.only_alert()).alert

    assert await store.close(street.conn, alert, "jim", Outcome.ALL_WELL, "she had leant on it", now=street.now)

    assert await street.texts(purpose="outcome") == [("anne", "outcome", "due")]
    assert "Margaret Reid (pendant): all well, says Jim Docherty, 09:00." in await street.body("anne")


async def test_an_alert_is_closed_once(street: Street) -> None:
    """A second outcome would rewrite what judgement learns from."""
    await street.presses()
    alert = (await street.only_alert()).alert
    await store.close(street.conn, alert, "anne", Outcome.HELP_GIVEN, None, now=street.now)

    assert not await store.close(street.conn, alert, "jim", Outcome.FALSE_ALARM, None, now=street.now)

    found = await store.find_alert(street.conn, alert)
    assert found is not None
    assert (found.outcome, found.closed_by_name) == (Outcome.HELP_GIVEN, "Anne Reid")
    assert await street.texted(ANNE, "1 mine") == (
        "That is over: Margaret Reid (pendant), help given, says Anne Reid, 09:00. Nothing was changed. "
        "If help is needed after all, reply 1 HELP."
    )


async def test_closing_tells_judgement_from_when_it_counts(street: Street) -> None:
    """What influences judgement is written down with its moment, or a replay would differ."""
    await street.conn.execute(
        "UPDATE lane SET complete_through = %s, received_through = %s",
        (NINE + timedelta(seconds=5), NINE + timedelta(seconds=6)),
    )
    await street.concludes(street.found(Question.STILL, "since nine", since=NINE))
    street.later(minutes=1)

    await street.texted(ANNE, "1 well")

    rows = await street.conn.execute("SELECT home, counts_from, kind, content FROM judging_input")
    assert await rows.fetchall() == [
        (
            HOME,
            NINE + timedelta(seconds=6),
            "closed",
            {
                "question": "still",
                "episode": "since nine",
                "outcome": "all well",
                "by": "anne",
                "at": street.now.isoformat(),
            },
        )
    ]


async def test_what_counts_for_a_lane_never_counts_earlier_than_before(street: Street) -> None:
    """The judge reads inputs in their order; one behind the last would be lost."""
    await store.set_watched(street.conn, HOME, HUB, now=NINE)
    await street.conn.execute("UPDATE lane SET complete_through = %s", (NINE - timedelta(hours=1),))

    await store.set_stretch(street.conn, HOME, timedelta(minutes=1), now=NINE)

    rows = await street.conn.execute("SELECT counts_from FROM judging_input ORDER BY input")
    assert await rows.fetchall() == [(NINE,), (NINE,)]


async def test_smoke_after_a_press_is_no_second_press(street: Street) -> None:
    """Whoever reads "pressed again" of a smoke alarm believes that somebody was there to press."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    said = []
    for _ in range(2):
        street.later(minutes=3)
        smoke = entry.Alarm(HOME, HUB, f"smoke/{street.now}", "smoke", "kitchen", "smoke_alarm", 1.0, street.now)
        await street.concludes(street.found(Question.ALARM, smoke.identity, since=street.now, alarm=smoke))
        said.append(await street.body("anne"))

    assert "SMOKE alarm" in said[0]
    assert "Another alarm there." in said[0]
    assert "It went off again." in said[1]
    assert not any("Pressed again" in one for one in said)


async def test_pressed_again_while_open_is_told_to_the_one_who_has_it(street: Street) -> None:
    """A second press says that whoever said mine has not arrived."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    street.later(minutes=3)

    await street.presses()

    assert await street.texts(purpose="again") == [("anne", "again", "due")]
    assert "Pressed again." in await street.body("anne")
    assert len(await store.open_alerts(street.conn, [HOME])) == 1


async def press_again_while_anne_has_it(street: Street) -> None:
    await street.presses()
    await street.texted(ANNE, "1 mine")
    street.later(hours=9)
    await street.presses()


async def test_pressed_again_without_an_answer_goes_on_to_the_next(street: Street) -> None:
    """An alert that somebody took and forgot must not swallow the next call for help."""
    await press_again_while_anne_has_it(street)

    street.later(minutes=4, seconds=59)
    await look_again(street)
    assert "jim" not in {person for person, _, _ in await street.texts()}
    street.later(seconds=1)
    await look_again(street)

    assert (await street.texts())[-1] == ("jim", "alert", "due")
    assert "Anne Reid, told 18:00, has not answered." in await street.body("jim")
    alert = await street.only_alert()
    assert (alert.state, alert.mine_by) == (State.OPEN, None)


async def test_pressed_again_that_does_not_reach_the_one_who_has_it_goes_on_at_once(street: Street) -> None:
    """Promise P3: a person's phone, or the next person's."""
    await press_again_while_anne_has_it(street)

    await say_undelivered(street, "anne")
    await look_again(street)

    assert (await street.texts())[-1] == ("jim", "alert", "due")
    assert "The text to Anne Reid did not arrive." in await street.body("jim")


async def test_mine_said_again_keeps_it(street: Street) -> None:
    """Who is on the way and says so is not overtaken by a second person."""
    await press_again_while_anne_has_it(street)
    assert (await street.only_alert()).pressed_again_at == street.now
    street.later(minutes=1)

    await street.texted(ANNE, "1 mine")
    street.later(hours=9)
    await look_again(street)

    alert = await street.only_alert()
    assert (alert.mine_by, alert.pressed_again_at) == ("anne", None)
    assert {person for person, _, _ in await street.texts()} == {"anne"}
    steps = [step.kind for step in await store.story(street.conn, alert.alert)]
    assert (steps.count("mine"), steps.count("let go")) == (2, 0)


async def test_pressed_again_and_nobody_answers_is_said_loudly(street: Street) -> None:
    """The second call for help deserves as loud an end as the first."""
    await press_again_while_anne_has_it(street)

    for _ in range(4):
        street.later(minutes=5)
        await look_again(street)

    assert (await street.only_alert()).nobody_left_at is not None
    assert "NOBODY HAS ANSWERED" in await street.body("control")


async def test_pressing_that_never_pauses_is_told_again_now_and_then(street: Street) -> None:
    """Every 50 seconds for half an hour is no burst; and 36 texts would make a phone useless."""
    await street.presses()
    await street.texted(ANNE, "1 mine")

    for _ in range(36):
        street.later(seconds=50)
        await street.presses()
        await street.texted(ANNE, "1 mine")

    assert len(await street.texts(purpose="again")) == 6


async def test_pressed_again_before_anyone_answered_is_told_to_all_asked(street: Street) -> None:
    """Until somebody has it, it is everybody's."""
    await street.presses()
    street.later(minutes=5)
    await look_again(street)
    street.later(minutes=1)

    await street.presses()

    assert [person for person, _, _ in await street.texts(purpose="again")] == ["anne", "jim"]


async def test_a_burst_of_presses_is_one_more_text(street: Street) -> None:
    """Someone in fear presses twenty times; the phone must stay usable."""
    await street.presses()
    street.later(minutes=2)
    for _ in range(20):
        await street.presses()
        street.later(seconds=2)

    assert len(await street.texts(purpose="again")) == 1
    alert = await street.only_alert()
    pressed = [step for step in await store.story(street.conn, alert.alert) if step.kind == "pressed"]
    assert len(pressed) == 21


async def test_presses_of_a_night_that_reach_us_together_are_one_text_that_says_how_many(street: Street) -> None:
    """Who pressed at two, at three and at half past four and got no answer is worse off than who pressed once."""
    for minutes_ago in (410, 409.5, 350, 270):
        await street.presses(observed_at=street.now - timedelta(minutes=minutes_ago))

    assert await street.texts() == [("anne", "alert", "due")]
    said = "pressed the pendant, 4 times from 02:10 to 04:30. It reached us only 09:00."
    assert said in await street.body("anne")
    story = await store.story(street.conn, (await street.only_alert()).alert)
    assert [step.kind for step in story].count("pressed") == 4


async def test_a_late_press_whose_text_has_left_is_told_in_another(street: Street) -> None:
    """What stands in no text was told to nobody."""
    await street.presses(observed_at=street.now - timedelta(hours=6))
    await street.conn.execute("UPDATE notification SET state = 'trying', claimed_at = clock_timestamp(), attempts = 1")
    street.later(seconds=3)
    await street.presses(observed_at=street.now - timedelta(hours=4))
    await street.presses(observed_at=street.now - timedelta(hours=2))

    assert await street.texts(purpose="again") == [("anne", "again", "due")]
    assert "3 times from 03:00 to 07:00. It reached us only 09:00. 14 Shore Road. Pressed again." in await street.body(
        "anne"
    )


async def test_pressed_after_it_was_closed_is_a_new_alert(street: Street) -> None:
    """A wrong click must not swallow the next call for help."""
    await street.presses()
    await street.texted(ANNE, "1 false")
    street.later(seconds=30)

    await street.presses()

    assert len(await store.open_alerts(street.conn, [HOME])) == 1
    assert (await street.texts())[-1] == ("anne", "alert", "due")
    assert "Reply 2 MINE" in await street.body("anne")


async def test_a_late_alarm_says_when_it_was_pressed(street: Street) -> None:
    """Three hours late is still a call for help, and whoever goes must know that it is three hours old."""
    street.later(hours=3)

    await street.presses(observed_at=NINE)

    assert "pressed the pendant, 09:00. It reached us only 12:00." in await street.body("anne")
    steps = await store.story(street.conn, (await street.only_alert()).alert)
    assert [step.kind for step in steps] == ["pressed", "raised", "text due"]
    assert steps[0].at == NINE


async def test_an_alarm_older_than_a_day_goes_to_the_operator(street: Street) -> None:
    """A person must look at it, but nobody runs through the night for the day before yesterday."""
    street.later(hours=24, seconds=1)

    await street.presses(observed_at=NINE)

    assert await street.texts() == [("control", "alert", "due")]


async def test_a_fresh_press_does_not_join_one_that_only_the_operator_knows(street: Street) -> None:
    """The carers have heard nothing of the old one."""
    street.later(hours=30)
    await street.presses(observed_at=NINE)

    await street.presses()

    assert [person for person, _, _ in await street.texts()] == ["control", "anne"]


async def test_an_unreadable_alarm_says_so(street: Street) -> None:
    """An alarm is never refused, not even one that is noise."""
    await street.presses(unreadable="not JSON")

    assert "An alarm came from Margaret Reid's home, 09:00, but we cannot read it." in await street.body("anne")


async def test_an_alarm_of_a_hub_without_a_home_goes_to_the_operator(street: Street) -> None:
    """Somebody pressed something somewhere; who installed the box can find out where."""
    await street.presses(home=None, hub="hub-without-home")

    assert await street.texts() == [("control", "alert", "due")]
    assert "box hub-without-home pressed the pendant" in await street.body("control")
    (alert,) = await store.homeless_alerts(street.conn)
    assert await store.close(street.conn, alert.alert, "control", Outcome.TEST, None, now=street.now)


async def test_two_reasons_for_one_stillness_are_one_text(street: Street) -> None:
    """To a carer it is one story: Margaret has not moved."""
    await street.concludes(street.found(Question.STILL_UNUSUAL, "a", since=NINE, last_seen_room="kitchen"))
    street.later(hours=1)

    await street.concludes(street.found(Question.STILL, "a", since=NINE))

    assert await street.texts() == [("anne", "alert", "due")]
    alert = await street.only_alert()
    raised = [step.detail for step in await store.story(street.conn, alert.alert) if step.kind == "raised"]
    assert raised == ["still_unusual", "still"]


async def test_closing_one_story_closes_all_that_joined_it(street: Street) -> None:
    """The judge waits for an outcome of each finding."""
    await street.concludes(street.found(Question.STILL_UNUSUAL, "a", since=NINE))
    await street.concludes(street.found(Question.STILL, "b", since=NINE))

    await street.texted(ANNE, "well")

    assert await store.open_alerts(street.conn, [HOME]) == []
    rows = await street.conn.execute("SELECT content->>'episode' FROM judging_input ORDER BY 1")
    assert await rows.fetchall() == [("a",), ("b",)]


async def test_a_stillness_that_comes_back_is_told_though_the_first_was_never_closed(street: Street) -> None:
    """An alert that somebody forgot to close must not swallow tonight's."""
    await street.concludes(street.found(Question.STILL, "a", since=NINE))
    street.later(hours=1)
    await street.concludes(Ended(HOME, None, Question.STILL, "a", street.now, {}))
    street.later(hours=8)

    await street.concludes(street.found(Question.STILL, "b", since=street.now - timedelta(hours=7)))

    assert len(await store.open_alerts(street.conn, [HOME])) == 2
    assert "Reply 2 MINE" in await street.body("anne")


async def test_seen_again_is_noted_and_only_a_person_closes(street: Street) -> None:
    """Movement is not an outcome: it may be the carer who moves."""
    await street.concludes(street.found(Question.STILL, "a", since=NINE))
    street.later(minutes=1)

    await street.concludes(Ended(HOME, None, Question.STILL, "a", street.now, {}))

    alert = await street.only_alert()
    assert (alert.state, alert.cause_ended_at) == (State.OPEN, street.now)


async def test_raised_again_says_who_closed_it(street: Street) -> None:
    """Whoever is woken for the second time needs to know what the first one thought."""
    again_of = {"episode": "a", "closed_by": "jim", "outcome": "false alarm", "closed_at": NINE.isoformat()}
    street.later(hours=1)
    finding = Finding(HOME, None, Question.STILL, "a again 1", NINE, street.now, {}, None, None, again_of)

    await street.concludes(finding)

    assert "Again: Jim Docherty closed it 09:00 (false alarm)." in await street.body("anne")


def silent(street: Street, since: datetime) -> Finding:
    return Finding(HOME, HUB, Question.HUB_SILENT, since.isoformat(), since, street.now, {}, None)


async def test_a_silent_hub_is_the_operators_first_and_the_carers_after_two_hours(street: Street) -> None:
    """The box is equipment; that the pendant does not work is the family's business too."""
    street.later(minutes=3)
    await street.concludes(silent(street, NINE))
    assert [person for person, _, _ in await street.texts()] == ["control"]
    await street.texted(CONTROL, "1 mine")
    await look_again(street)

    street.later(minutes=116, seconds=59)
    await look_again(street)
    assert [person for person, _, _ in await street.texts(purpose="alert")] == ["control"]
    street.later(seconds=1)
    await look_again(street)
    await look_again(street)

    assert [person for person, _, _ in await street.texts(purpose="alert")] == ["control", "anne"]


async def test_a_hub_that_is_heard_again_closes_its_fault_and_tells_those_told(street: Street) -> None:
    """Equipment that mended itself needs nobody, and whoever was on the way must hear of it."""
    street.later(minutes=3)
    await street.concludes(silent(street, NINE))
    await store.take_status(street.conn, await street.key("control"), "SM1", "delivered", None, now=street.now)
    street.later(minutes=10)

    await street.concludes(Ended(HOME, HUB, Question.HUB_SILENT, NINE.isoformat(), street.now, {}))

    assert await store.open_alerts(street.conn, [HOME]) == []
    (alert,) = await store.recent_alerts(street.conn, HOME, NINE)
    assert (alert.outcome, alert.closed_by) == (Outcome.MENDED, "telecare")
    assert "the box reports again since 09:13" in await street.body("control")


async def test_two_troubles_of_a_hub_are_two_faults(street: Street) -> None:
    """Mending one must not hide the other."""
    for what in ("disk full", "old card"):
        why = {"what": what}
        await street.concludes(Finding(HOME, HUB, Question.HUB_TROUBLE, f"{what}/day", NINE, NINE, why, None))

    await street.concludes(Ended(HOME, HUB, Question.HUB_TROUBLE, "disk full/day", NINE, {}))

    assert (await street.only_alert()).why == {"what": "old card"}
    assert [person for person, _, _ in await street.texts(purpose="alert")] == ["control", "control"]


async def test_a_person_without_a_phone_costs_no_time(street: Street) -> None:
    """A number that nobody entered is a failed delivery, seen in the story."""
    await store.set_person(street.conn, "anne", "Anne Reid", what=None, phone=None)

    await street.presses()

    assert await street.texts() == [("anne", "alert", "failed"), ("jim", "alert", "due")]
    steps = await store.story(street.conn, (await street.only_alert()).alert)
    assert [step.detail for step in steps if step.kind == "text failed"] == ["alert, no phone number"]


async def test_a_home_that_nobody_is_told_about_is_said_loudly(street: Street) -> None:
    """An alarm with nobody to tell is the loudest failure there is."""
    await store.set_telling(street.conn, HOME, [])
    await store.set_service(street.conn, "Kilbrae telecare", None)

    await street.presses()

    assert (await street.only_alert()).nobody_left_at == NINE


async def test_codes_of_a_phone_rest_for_a_week(street: Street) -> None:
    """An answer to last night's text must not close tonight's alert."""
    for day in range(9):
        street.now = NINE + timedelta(days=day)
        await street.presses()
        await street.texted(ANNE, "well")

    rows = await street.conn.execute("SELECT code FROM reply_code ORDER BY given_at")
    assert [code for (code,) in await rows.fetchall()] == [1, 2, 3, 4, 5, 6, 7, 1, 2]


async def test_a_code_that_stands_for_two_takes_neither(street: Street) -> None:
    """After 999 alerts in a week a number is used again: a late answer must not take another home's alert."""
    await street.conn.execute(
        "INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why, "
        "state, outcome, closed_at, closed_by) SELECT %s, 'still', '', n::text, false, false, %s, %s, %s, '{}', "
        "'closed', 'all well', %s, 'jim' FROM generate_series(1, 999) n",
        (HOME, *[street.now] * 4),
    )
    await street.conn.execute(
        "INSERT INTO reply_code (phone, code, alert, given_at) "
        "SELECT %s, row_number() OVER (ORDER BY alert), alert, %s FROM alert",
        (ANNE, street.now),
    )
    street.later(days=1, minutes=1)
    await street.presses()
    assert "Reply 1 MINE" in await street.body("anne")

    said = await street.texted(ANNE, "1 mine")

    assert said.startswith(
        "1 is the number of several alerts: Margaret Reid (pendant) or Margaret Reid (not seen to move). "
        "Nothing was noted."
    )
    assert (await street.only_alert()).mine_by is None
    # There is one that is open, and a word alone is about that.
    await street.texted(ANNE, "mine")
    assert (await street.only_alert()).mine_by == "anne"


async def test_a_word_alone_takes_neither_of_two_that_share_a_number(street: Street) -> None:
    """With more open alerts than numbers a word alone would take whichever came last."""
    await street.presses()
    await street.conn.execute(
        "INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why, "
        "state) SELECT home, 'still', '', 'another', false, false, since, at, raised_at, '{}', 'open' FROM alert"
    )
    await street.conn.execute(
        "INSERT INTO reply_code (phone, code, alert, given_at) SELECT %s, 1, max(alert), %s FROM alert",
        (ANNE, street.now),
    )

    for said in ("mine", "1 mine"):
        assert (await street.texted(ANNE, said)).startswith(
            "1 is the number of several alerts: Margaret Reid (pendant) or Margaret Reid (not seen to move)."
        )

    rows = await street.conn.execute("SELECT DISTINCT state FROM alert")
    assert await rows.fetchall() == [("open",)]


async def test_the_same_text_twice_counts_once(street: Street) -> None:
    """Twilio repeats a webhook that it did not hear answered."""
    await street.presses()
    first = await store.take_text(street.conn, "SM1", ANNE, "1 mine", now=street.now)
    await store.let_go(street.conn, (await street.only_alert()).alert, "anne", why="could not find out", now=street.now)

    assert await store.take_text(street.conn, "SM1", ANNE, "1 mine", now=street.now) == first

    assert (await street.only_alert()).mine_by is None


@pytest.mark.parametrize("body", ["", "not mine", "what?", "\0", "4", "mine mine"])
async def test_what_is_not_understood_changes_nothing(street: Street, body: str) -> None:
    """A guess at what somebody meant could close the only call for help there is."""
    await street.presses()

    answer = await street.texted(ANNE, body)

    assert "did not understand" in answer
    assert (await street.only_alert()).state is State.OPEN


async def test_a_word_without_a_code_asks_which_when_two_are_open(street: Street) -> None:
    """Closing the wrong one would be worse than asking."""
    await street.presses()
    await street.concludes(street.found(Question.STILL, "a", since=NINE))

    answer = await street.texted(ANNE, "mine")

    assert answer.startswith("Which one? Put the number first. 1 is Margaret Reid (pendant). ")
    assert "2 is Margaret Reid (not seen to move)." in answer


async def test_that_one_alert_is_over_never_says_that_nobody_needs_to_go_for_another(street: Street) -> None:
    """Anne read "nobody else needs to go" about the pendant, while nobody had looked at the stillness."""
    await street.presses()
    await store.take_status(street.conn, await street.key("anne"), "SM1", "delivered", None, now=street.now)
    await street.concludes(street.found(Question.STILL, "a", since=NINE))
    street.later(minutes=5)
    await look_again(street)

    await street.texted(JIM, "1 mine")
    mine = await street.body("anne")
    await street.texted(JIM, "1 well")
    over = await street.body("anne")
    await street.texted(JIM, "2 mine")
    await street.texted(JIM, "2 well")

    assert "said MINE for Margaret Reid (pendant), 09:05. You need not go for that. " in mine
    assert mine.endswith("STILL OPEN, and nobody has it: not seen to move.")
    assert over == (
        "Margaret Reid (pendant): all well, says Jim Docherty, 09:05. That is over. STILL OPEN there: not seen to move."
    )
    assert await store.open_alerts(street.conn, [HOME]) == []


async def test_a_wrong_number_is_answered_with_the_right_ones(street: Street) -> None:
    """A slip of the thumb at two in the morning must not need a second look at the first text."""
    await street.presses()

    answer = await street.texted(ANNE, "7 mine")

    assert answer.startswith("7 is no number of yours. 1 is Margaret Reid (pendant).")
    assert (await street.only_alert()).state is State.OPEN


async def test_mine_and_then_nothing_is_asked_about_and_then_passed_on(street: Street) -> None:
    """Whoever said "mine" and fell on the way must not be where help ends (P3)."""
    await street.presses()
    await street.texted(ANNE, "1 mine")

    street.later(minutes=29)
    await look_again(street)
    assert await street.texts(purpose="remind") == []
    street.later(minutes=1, seconds=1)
    await look_again(street)
    assert await street.texts(purpose="remind") == [("anne", "remind", "due")]
    assert (await street.body("anne")).startswith("How is Margaret Reid (pendant)? Yours since 09:00.")
    street.later(minutes=5)
    await look_again(street)

    assert (await street.only_alert()).mine_by is None
    assert "Anne Reid, told 09:30, has not answered." in await street.body("jim")


async def test_who_needs_more_time_says_mine_again(street: Street) -> None:
    """It takes as long as it takes; half an hour later somebody asks again."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    street.later(minutes=30, seconds=1)
    await look_again(street)
    street.later(minutes=2)
    await street.texted(ANNE, "1 mine")
    street.later(minutes=29)
    await look_again(street)

    assert (await street.only_alert()).mine_by == "anne"
    assert len(await street.texts(purpose="remind")) == 1
    street.later(minutes=1, seconds=1)
    await look_again(street)
    assert len(await street.texts(purpose="remind")) == 2


async def test_that_nobody_has_answered_is_said_again_until_somebody_does(street: Street) -> None:
    """One text to one phone may be missed like any other."""
    await street.presses()
    for _ in range(4):
        street.later(minutes=5)
        await look_again(street)
    street.later(minutes=50)
    await look_again(street)
    assert len(await street.texts(purpose="nobody")) == 1
    street.later(minutes=5)
    await look_again(street)
    assert len(await street.texts(purpose="nobody")) == 2
    await street.texted(CONTROL, "1 mine")
    street.later(minutes=25)
    await look_again(street)

    assert len(await street.texts(purpose="nobody")) == 2


async def test_who_asked_for_help_hears_that_it_is_coming(street: Street) -> None:
    """Somebody who kneels on the floor must not read that they need not go."""
    await street.presses()
    await street.texted(ANNE, "1 help")
    street.later(minutes=1)
    await street.texted(JIM, "1 mine")

    assert (await street.body("anne")).startswith("Jim Docherty is coming to help with Margaret Reid: said MINE 09:01.")


async def test_a_strangers_text_changes_nothing(street: Street) -> None:
    """A number that was once a carer's must not answer for one."""
    await street.presses()

    assert "did not understand" in await street.texted("+447700900555", "1 mine")

    assert (await street.only_alert()).mine_by is None


@pytest.mark.parametrize(
    "order",
    [
        ["sent", "delivered"],
        ["delivered", "sent"],
        ["delivered", "delivered"],
        ["undelivered", "delivered"],
        ["delivered", "undelivered"],
    ],
)
async def test_what_arrived_stays_delivered(street: Street, order: list[str]) -> None:
    """Callbacks come twice and out of order."""
    await street.presses()
    for status in order:
        await store.take_status(street.conn, await street.key("anne"), "SM1", status, None, now=street.now)

    assert await street.texts() == [("anne", "alert", "delivered")]


async def test_a_callback_for_an_unknown_key_is_not_ours(street: Street) -> None:
    """Somebody who guesses keys learns nothing and changes nothing."""
    assert not await store.take_status(street.conn, "0" * 32, "SM1", "failed", None, now=street.now)


async def test_setting_the_same_twice_gives_judgement_nothing_new(street: Street) -> None:
    """A setup that is run again must not change what a replay gives."""

    async def set_all() -> None:
        await store.set_policy(street.conn, HOME, Policy(still_for=timedelta(hours=5)), by="control", why="x", now=NINE)
        await store.set_sensors(street.conn, HOME, now=NINE)
        await store.set_watched(street.conn, HOME, HUB, now=NINE)
        await store.set_stretch(street.conn, HOME, timedelta(0), now=NINE)

    await set_all()
    await set_all()

    rows = await street.conn.execute("SELECT kind FROM judging_input ORDER BY input")
    assert await rows.fetchall() == [("policy",), ("sensors",), ("watched",), ("stretch",)]
    assert (await store.policy_of(street.conn, HOME)).still_for == timedelta(hours=5)


async def test_the_story_keeps_its_order_and_its_failures(street: Street) -> None:
    """Whoever asks afterwards sees what happened where it happened."""
    await street.concludes(street.found(Question.STILL, "a", since=NINE - timedelta(hours=6), last_seen_room="kitchen"))
    street.later(seconds=3)
    await say_undelivered(street, "anne")
    await look_again(street)
    await store.take_status(street.conn, await street.key("jim"), "SM2", "delivered", None, now=street.now)
    street.later(minutes=1)
    await street.texted(JIM, "1 mine")
    street.later(minutes=30)
    await street.texted(JIM, "1 helped")

    steps = await store.story(street.conn, 1)

    assert [(step.kind, step.person_name) for step in steps] == [
        ("seen", None),
        ("raised", None),
        ("text due", "Anne Reid"),
        ("text failed", "Anne Reid"),
        ("text due", "Jim Docherty"),
        ("text sent", "Jim Docherty"),
        ("text delivered", "Jim Docherty"),
        ("mine", "Jim Docherty"),
        ("closed", "Jim Docherty"),
    ]


async def test_those_told_of_a_home_end_with_the_operator(street: Street) -> None:
    """A page that says who is told next must not leave out the last."""
    told = await store.telling_of(street.conn, HOME)

    assert [contact.person for contact in told] == ["anne", "jim", "control"]


async def test_let_go_by_one_who_does_not_have_it_changes_nothing(street: Street) -> None:
    """Nobody can take an alert out of another's hands."""
    await street.presses()
    await street.texted(ANNE, "1 mine")
    alert = (await street.only_alert()).alert

    assert not await store.let_go(street.conn, alert, "jim", why=LetGo.COULD_NOT_FIND_OUT, now=street.now)

    assert (await street.only_alert()).mine_by == "anne"


async def on_shift(street: Street, person: str, begins: str, ends: str, *, place: int = 1) -> int:
    shift = Shift(person, place, frozenset(range(7)), time.fromisoformat(begins), time.fromisoformat(ends), NINE.date())
    return await rotas.add_shift(street.conn, shift, home=HOME, now=street.now)


async def test_who_is_on_duty_when_the_step_is_due_is_told(street: Street) -> None:
    """A press at two minutes to a change of shift is told to one person, and then to the one who has come since."""
    await store.set_telling(street.conn, HOME, [])
    await on_shift(street, "anne", "08:00", "09:02")
    await on_shift(street, "jim", "09:02", "20:00")
    await street.presses()

    street.later(minutes=3)
    await look_again(street)
    assert await street.texts() == [("anne", "alert", "due")]

    street.later(minutes=2)
    await look_again(street)
    assert await street.texts() == [("anne", "alert", "due"), ("jim", "alert", "due")]
    assert "Anne Reid, told 09:00, has not answered." in await street.body("jim")


async def test_hours_without_anybody_go_to_the_operator(street: Street) -> None:
    """A hole in the plan must not be a hole in the night."""
    await store.set_telling(street.conn, HOME, [])
    await on_shift(street, "anne", "10:00", "20:00")

    await street.presses()

    assert await street.texts() == [("control", "alert", "due")]


async def test_whoever_comes_on_duty_hears_of_what_nobody_took(street: Street) -> None:
    """Everybody was asked in vain at nine; Jim, who begins at ten, was not."""
    await store.set_telling(street.conn, HOME, [])
    await on_shift(street, "jim", "10:00", "20:00")
    await street.presses()
    street.later(minutes=5)
    await look_again(street)
    assert (await street.only_alert()).nobody_left_at is not None

    street.later(minutes=55)
    await look_again(street)

    assert await street.texts(purpose="alert") == [("control", "alert", "due"), ("jim", "alert", "due")]
    assert (await street.only_alert()).nobody_left_at is None


async def test_who_stands_in_is_told_instead(street: Street) -> None:
    """Anne is on a plane; her phone would cost five minutes."""
    override = Override("anne", "moira", NINE, NINE + timedelta(days=1))
    await store.set_person(street.conn, "moira", "Moira Baird", what=None, phone="+447700900103")
    await rotas.add_override(street.conn, override, now=street.now)

    await street.presses()

    assert await street.texts() == [("moira", "alert", "due")]
    assert [one.person for one in await store.telling_of(street.conn, HOME, at=NINE)] == ["moira", "jim", "control"]


async def test_a_shift_of_the_homes_team_counts(street: Street) -> None:
    """Twenty homes share their wardens' week; nobody writes it down twenty times."""
    await rotas.set_team(street.conn, "wardens", "Wardens")
    await rotas.set_home_team(street.conn, HOME, "wardens")
    shift = Shift("jim", 1, frozenset({2}), time(8), time(20), NINE.date())
    await rotas.add_shift(street.conn, shift, team="wardens", now=street.now)

    await street.presses()

    assert await street.texts() == [("jim", "alert", "due")]


async def test_who_left_holds_nobody_up(street: Street) -> None:
    """Whoever was told and is no longer one of us has no five minutes to answer in."""
    await street.presses()
    await street.conn.execute("DELETE FROM telling_step WHERE person = 'anne'")
    await street.conn.execute("UPDATE person SET left_at = %s, phone = NULL WHERE person = 'anne'", (street.now,))
    await street.conn.execute("UPDATE alert SET next_telling_at = %s", (street.now,))

    await look_again(street)

    assert await street.texts() == [("anne", "alert", "due"), ("jim", "alert", "due")]

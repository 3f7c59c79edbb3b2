"""What our texts say, and that they fit."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Outcome
from alerts.telling import wording
from alerts.telling.escalation import Why
from alerts.telling.replies import Confidence, Word, parse, parse_confidence
from alerts.telling.wording import SEPTETS_MAX, About, Tried, septets
from deploy.pretend_twilio.answers import segments
from gateway.reading import ALARMS, Quantity

NIGHT = datetime(2026, 6, 10, 1, 10, tzinfo=UTC)  # 02:10 on Wednesday 10 June in London
MARGARET = About("Margaret", 1)

# People are called anything: letters of every script, marks, emoji, quotes, and far too many of them.
names = (
    st.just("W" * 80)
    | st.text(st.characters(codec="utf-8"), max_size=80)
    | st.text("aA.^{}\u20ac \u2019\u00e9\u0142\u4e2d", max_size=80)
)
codes = st.integers(1, 999)
abouts = st.builds(About, who=names, code=codes, place=names, what=names)
many = st.lists(names, max_size=30)
# The hour that comes twice in October, told on another day, makes the longest times.
TWICE = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
moments = st.sampled_from([TWICE + timedelta(hours=h) for h in range(-24, 25)])
# What a release that runs beside this one may have written is a word of its own.
outcomes = st.sampled_from(Outcome) | names
befores = st.one_of(
    st.just(""),
    st.builds(wording.told_before, names, st.sampled_from(Why), at=moments, now=moments),
    st.builds(wording.raised_again, outcomes, names, at=moments, now=moments),
)
tried = st.lists(st.tuples(names, st.sampled_from(Tried)), max_size=12)

QUESTIONS = [
    "Over the last four weeks, how confident have you felt that {first_name} is safe at home?",
    "Over the last four weeks, how confident have you felt that you would hear in time if {first_name} needed you?",
    "Over the last four weeks, how confident have you felt that what we tell you about {first_name} can be relied on?",
]

unwatched = st.none() | st.builds(
    wording.Unwatched, st.timedeltas(timedelta(0), timedelta(days=400)), st.none() | moments, st.none() | moments
)

ALL_TEXTS: dict[str, st.SearchStrategy[str]] = {
    "alarm": st.builds(
        wording.alarm,
        abouts,
        st.sampled_from(sorted(ALARMS)),
        pressed_at=st.none() | moments,
        reached_at=moments,
        now=moments,
        before=befores,
        first_at=st.none() | moments,
        times=st.integers(1, 99_999),
    ),
    "confidence_asked": st.builds(
        wording.confidence_asked, names, st.sampled_from(QUESTIONS), names, is_reminder=st.booleans()
    ),
    "confidence_noted": st.builds(wording.confidence_noted, st.none() | st.integers(1, 5), names),
    "confidence_known": st.builds(wording.confidence_known, st.none() | st.integers(1, 5)),
    "confidence_how": st.builds(wording.confidence_how),
    "alarm_unreadable": st.builds(wording.alarm_unreadable, abouts, reached_at=moments, now=moments, before=befores),
    "still": st.builds(
        wording.still, abouts, since=moments, room=names, unwatched=unwatched, now=moments, before=befores
    ),
    "still_unusual": st.builds(
        wording.still_unusual, abouts, since=moments, room=names, unwatched=unwatched, now=moments, before=befores
    ),
    "unseen": st.builds(
        wording.unseen, abouts, since=moments, seen_at=st.none() | moments, room=names, now=moments, before=befores
    ),
    "out": st.builds(wording.out, abouts, since=moments, door=names, now=moments, before=befores),
    "night_up": st.builds(
        wording.night_up,
        abouts,
        since=moments,
        up_for=st.timedeltas(timedelta(0), timedelta(hours=12)),
        usual=st.none() | st.timedeltas(timedelta(0), timedelta(hours=12)),
        is_bed=st.booleans(),
        now=moments,
        before=befores,
    ),
    "door_open": st.builds(wording.door_open, abouts, since=moments, door=names, now=moments, before=befores),
    "rule": st.builds(
        wording.rule, abouts, names, since=moments, room=names, is_open=st.booleans(), now=moments, before=befores
    ),
    "too_cold": st.builds(
        wording.too_cold, abouts, since=moments, room=names, said_c=st.floats(-40, 80), now=moments, before=befores
    ),
    "too_hot": st.builds(
        wording.too_hot, abouts, since=moments, room=names, said_c=st.floats(-40, 80), now=moments, before=befores
    ),
    "sensor_silent": st.builds(wording.sensor_silent, abouts, since=moments, sensor=names, now=moments, before=befores),
    "sensor_stuck": st.builds(
        wording.sensor_stuck,
        abouts,
        since=moments,
        sensor=names,
        is_gauge=st.booleans(),
        now=moments,
        before=befores,
    ),
    "battery_low": st.builds(
        wording.battery_low,
        abouts,
        since=moments,
        sensor=names,
        said_pct=st.none() | st.floats(0, 100),
        now=moments,
        before=befores,
    ),
    "hub_silent": st.builds(wording.hub_silent, abouts, since=moments, now=moments, before=befores),
    "outage": st.builds(
        wording.outage, abouts, names, st.integers(3, 99_999), since=moments, now=moments, before=befores
    ),
    "readings_lost": st.builds(wording.readings_lost, abouts, since=moments, now=moments, before=befores),
    "hub_trouble": st.builds(wording.hub_trouble, abouts, names, since=moments, now=moments, before=befores),
    "of_a_newer_release": st.builds(
        wording.of_a_newer_release, abouts, names, since=moments, what=names, now=moments, before=befores
    ),
    "told_before": st.builds(wording.told_before, names, st.sampled_from(Why), at=moments, now=moments),
    "raised_again": st.builds(wording.raised_again, outcomes, names, at=moments, now=moments),
    "mine_said": st.builds(wording.mine_said, names, names, at=moments, now=moments, what=names, also=many),
    "help_coming": st.builds(wording.help_coming, names, names, at=moments, now=moments),
    "remind": st.builds(wording.remind, abouts, since=moments, now=moments),
    "same_code": st.builds(wording.same_code, codes, st.lists(abouts, max_size=3)),
    "wrong_code": st.builds(wording.wrong_code, codes, st.lists(abouts, max_size=12)),
    "ended": st.builds(
        wording.ended, names, st.sampled_from(Outcome), names, at=moments, now=moments, what=names, also=many
    ),
    "mended": st.builds(wording.mended, names, at=moments, now=moments, what=names),
    "help_asked": st.builds(wording.help_asked, abouts, names, at=moments, now=moments),
    "nobody_reached": st.builds(wording.nobody_reached, abouts, tried, since=moments, now=moments),
    "restored": st.builds(
        wording.restored,
        moments,
        alerts=st.integers(0, 99_999),
        texts=st.integers(0, 99_999),
        decide_by=moments,
        now=moments,
    ),
    "log_in": st.builds(
        wording.log_in, st.just("https://telecare.example.gov.uk/in/" + "A" * 22), until=moments, now=moments
    ),
    "yours": st.builds(wording.yours, abouts, at=moments, now=moments),
    "taken_already": st.builds(wording.taken_already, names, names, at=moments, now=moments, what=names),
    "over_already": st.builds(wording.over_already, abouts, outcomes, names, at=moments, now=moments),
    "outcome_noted": st.builds(wording.outcome_noted, abouts, st.sampled_from(Outcome)),
    "passed_on": st.builds(wording.passed_on, names, st.none() | names),
    "help_called": st.builds(wording.help_called, names, code=st.none() | st.integers(1, 999)),
    "which_one": st.builds(wording.which_one, st.lists(abouts, max_size=12)),
    "not_understood": st.builds(wording.not_understood, st.none() | codes),
}


@pytest.mark.parametrize("kind", ALL_TEXTS)
@settings(deadline=None)  # Making up the names takes longer than the text.
@given(data=st.data())
def test_whatever_people_are_called_a_text_is_two_segments_at_most(kind: str, data: st.DataObject) -> None:
    """A third segment is one more that can get lost; one odd letter would more than double the length."""
    text = data.draw(ALL_TEXTS[kind])

    assert septets(text) <= SEPTETS_MAX
    assert segments(text) <= 2  # by the pretend Twilio's own count, which shares no code with ours
    assert "\n" not in text


def test_no_text_is_left_out_of_the_test_above() -> None:
    """A new text must be shown to fit before it can be sent."""
    helpers = {"septets", "plain", "cut", "cut_who", "clock"}
    public = {
        name
        for name, thing in vars(wording).items()
        if callable(thing) and getattr(thing, "__module__", "") == wording.__name__ and not isinstance(thing, type)
    }

    assert {name for name in public if not name.startswith("_")} - helpers == set(ALL_TEXTS)


def test_a_press_says_who_when_and_what_to_answer() -> None:
    """The one text that matters most, word for word."""
    said = wording.alarm(
        MARGARET, Quantity.PENDANT_ALARM, pressed_at=NIGHT, reached_at=NIGHT + timedelta(seconds=3), now=NIGHT
    )

    assert said == (
        "Margaret pressed the pendant, 02:10. "
        "Reply 1 MINE if you are going, 1 WELL if all is well, 1 HELP, 1 NO if you cannot."
    )


def test_a_late_press_says_both_times() -> None:
    """Whoever reads '02:10' at 05:20 must know that three hours have passed, and that it is not a mistake."""
    reached = NIGHT + timedelta(hours=3, minutes=10)

    said = wording.alarm(MARGARET, Quantity.PENDANT_ALARM, pressed_at=NIGHT, reached_at=reached, now=reached)

    assert "02:10. It reached us only 05:20." in said


def test_a_press_of_an_unknown_time_claims_none() -> None:
    """A hub whose clock was wrong must not make us say a time that nobody knows."""
    said = wording.alarm(MARGARET, Quantity.PENDANT_ALARM, pressed_at=None, reached_at=NIGHT, now=NIGHT)

    assert "at an unknown time. It reached us 02:10." in said


def test_yesterdays_press_says_its_day() -> None:
    """At eight in the morning '23:50' alone would be read as tonight's."""
    pressed = datetime(2026, 6, 9, 22, 50, tzinfo=UTC)

    assert wording.clock(pressed, now=NIGHT) == "23:50 on Tue 9 Jun"


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    """On one night a year 01:30 happens twice, an hour apart."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert wording.clock(first, now=first) == "01:30 BST"
    assert wording.clock(first + timedelta(hours=1), now=first) == "01:30 GMT"
    assert wording.clock(first + timedelta(hours=2), now=first) == "02:30"


def test_the_second_person_hears_why_it_is_their_turn() -> None:
    """Somebody who is told second wonders whether the first is on the way."""
    before = wording.told_before("Anne", Why.NO_ANSWER, at=NIGHT, now=NIGHT)

    said = wording.still(MARGARET, since=NIGHT, room="bedroom", now=NIGHT, before=before)

    assert "Anne, told 02:10, has not answered. Reply 1 MINE" in said


@pytest.mark.parametrize("quantity", sorted(ALARMS))
@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=3)])
def test_with_everything_at_its_longest_an_alarm_still_says_where(quantity: Quantity, late: timedelta) -> None:
    """The place is the last thing that may be left out of a call for help."""
    longest = About("W" * 80, 999, "P" * 80)
    before = wording.raised_again(Outcome.FALSE_ALARM, "W" * 80, at=TWICE, now=NIGHT)

    said = wording.alarm(longest, quantity, pressed_at=TWICE - late, reached_at=TWICE, now=NIGHT, before=before)

    assert septets(said) <= SEPTETS_MAX
    assert "PPPP" in said


def test_ordinary_names_leave_room_for_everything() -> None:
    """Who was told before is left out only where the longest of names leave no room."""
    about = About("Margaret Elizabeth Reid", 12, "14 Shore Road, flat 2, Kilbrae")
    before = wording.told_before("Anne-Marie Docherty", Why.NO_ANSWER, at=NIGHT, now=NIGHT)
    texts = (
        wording.alarm(about, Quantity.CO_ALARM, pressed_at=NIGHT, reached_at=TWICE, now=TWICE, before=before),
        wording.still_unusual(about, since=NIGHT, room="living room", now=NIGHT, before=before),
        wording.hub_silent(about, since=NIGHT, now=NIGHT, before=before),
    )

    assert all("has not answered." in text and about.place in text for text in texts)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Agnieszka Wójcik", "Agnieszka Wojcik"),
        ("Łukasz", "Lukasz"),
        ("Siân Llŷr", "Sian Llyr"),
        ("José Müller", "José Müller"),
        ("O\u2019Brien", "O'Brien"),
        ("Þóra", "Thora"),
        ("François", "Francois"),
        ("Anne\nReid", "Anne Reid"),
    ],
)
def test_names_keep_as_much_of_themselves_as_a_text_can_say(written: str, said: str) -> None:
    """A name without its marks is still the name; one with question marks is an insult."""
    assert wording.plain(written) == said


def test_a_name_that_a_text_cannot_say_is_not_left_empty() -> None:
    """'  pressed the pendant' would read as a mistake and be ignored."""
    said = wording.still(About("李娜", 1), since=NIGHT, now=NIGHT)

    assert said.startswith("someone has not been seen")


def test_when_nobody_answered_the_operator_hears_who_was_tried() -> None:
    """The operator must not ring those who were tried already."""
    said = wording.nobody_reached(
        MARGARET, [("Anne", Tried.NO_ANSWER), ("Jim", Tried.NOT_REACHED)], since=NIGHT, now=NIGHT
    )

    assert said == (
        "NOBODY HAS ANSWERED for Margaret since 02:10. Anne: no answer, Jim: text failed. "
        "Please act now. Reply 1 MINE when you do."
    )


def test_a_text_says_which_alert_it_is_about_and_what_is_still_open() -> None:
    """Two alerts of one home: "It is over, nobody else needs to go" about the one left the other to nobody."""
    still = About("Margaret", 1, "14 Shore Road", "not seen to move")
    ended, mine = wording.ended, wording.mine_said

    assert wording.nobody_reached(still, [], since=NIGHT, now=NIGHT).startswith(
        "NOBODY HAS ANSWERED for Margaret, 14 Shore Road: not seen to move, since 02:10."
    )
    assert ended("Margaret", "all well", "Jim", what="pendant", also=["door open"], at=NIGHT, now=NIGHT) == (
        "Margaret (pendant): all well, says Jim, 02:10. That is over. STILL OPEN there: door open."
    )
    assert ended("Margaret", "all well", "Jim", what="pendant", at=NIGHT, now=NIGHT) == (
        "Margaret (pendant): all well, says Jim, 02:10. It is over, nobody else needs to go."
    )
    assert mine("Margaret", "Jim", what="pendant", also=["a", "b", "c"], at=NIGHT, now=NIGHT) == (
        "Jim said MINE for Margaret (pendant), 02:10. You need not go for that. "
        "STILL OPEN, and nobody has it: a, b and 1 more."
    )


def test_those_who_do_not_fit_are_counted() -> None:
    """A list that stops without a word would look complete."""
    many = [(f"Person number {n}", Tried.NO_ANSWER) for n in range(12)]

    assert " more. Please act now." in wording.nobody_reached(MARGARET, many, since=NIGHT, now=NIGHT)


def test_a_login_text_names_nobody() -> None:
    """A phone that was lost or sold must not say whose home is watched."""
    said = wording.log_in("https://t.example/in/abc", until=NIGHT + timedelta(minutes=15), now=NIGHT)

    assert said == (
        "Your link, once and until 02:25: https://t.example/in/abc If you did not ask for it, ignore this text."
    )


def test_a_link_is_never_cut() -> None:
    """Half a link opens nothing; the operator must hear that the public address is too long."""
    with pytest.raises(ValueError, match="too long"):
        wording.log_in("https://" + "a" * 250, until=NIGHT, now=NIGHT)


REQUESTS: list[Callable[[], str]] = [
    lambda: wording.still(MARGARET, since=NIGHT, now=NIGHT),
    lambda: wording.yours(MARGARET, at=NIGHT, now=NIGHT),
    lambda: wording.help_asked(MARGARET, "Anne", at=NIGHT, now=NIGHT),
    lambda: wording.not_understood(1),
    lambda: wording.nobody_reached(MARGARET, [], since=NIGHT, now=NIGHT),
]


@pytest.mark.parametrize("request_text", REQUESTS)
def test_whatever_a_text_offers_as_an_answer_is_understood(request_text: Callable[[], str]) -> None:
    """The words in the texts and the words we read are two lists, and must not drift apart."""
    words = request_text().replace(",", " ").replace(";", " ").replace(".", " ").split()
    offered = [f"1 {word}" for one, word in itertools.pairwise(words) if one == "1"]

    assert offered
    assert all(isinstance(parse(answer).word, Word) and parse(answer).code == 1 for answer in offered)


@given(names, st.sampled_from(QUESTIONS), names, st.booleans())
def test_the_question_is_asked_whole_and_says_what_follows_first(
    service: str, question: str, name: str, is_reminder: bool
) -> None:
    """One word less would be another question; and nobody may learn only afterwards that they will be rung."""
    said = wording.confidence_asked(service, question, name, is_reminder=is_reminder)

    before, after = question.split("{first_name}")
    assert before in said
    assert after in said
    assert "After a 1 or 2 one person rings you." in said


@pytest.mark.parametrize("answer", [None, 1, 2, 3, 4, 5])
def test_only_a_low_answer_is_told_that_a_person_will_ring(answer: int | None) -> None:
    """It is a promise, and somebody counts on it."""
    assert ("One person will ring you" in wording.confidence_noted(answer, "Margaret")) == (answer in {1, 2})


@pytest.mark.parametrize(("offered", "answer"), [("5", 5), ("4", 4), ("3", 3), ("2", 2), ("1", 1), ("?", None)])
def test_whatever_the_question_offers_is_understood(offered: str, answer: int | None) -> None:
    """The numbers in the text and the numbers we read must not drift apart."""
    assert offered in wording.confidence_asked("Kilbrae", QUESTIONS[0], "Margaret", is_reminder=False)
    assert parse_confidence(offered) == Confidence(answer, "")

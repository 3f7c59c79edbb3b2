"""Does the same log give the same findings, however it is cut into pieces?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging import words
from alerts.judging.finding import JSON, Finding, SeenLater, Verdict
from alerts.judging.home import FORMAT, HomeState, dump, load, unknown
from alerts.judging.lane import Input, LaneJudge, deaf_since
from alerts.judging.policy import Policy, to_json
from alerts.judging.watched import Watched
from alerts.replay import replay
from ingest import entry
from tests.unit.alerts.judging.recorded import (
    NINE,
    Lane,
    front_door,
    heartbeat,
    hours,
    minutes,
    movement,
    press,
)
from tests.unit.alerts.judging.recorded import said as said_by

HOMES = ("elm-3", "oak-1")
HUBS = ("hub-1", "hub-2")

Happened = entry.Batch | Input
# Hand-set rules that come and go with policies, so that all that is asked of judging is asked of them too.
RULES = (
    "kitchen: no movement in kitchen for 20 min on every day from 08:00 to 23:00",
    "door: open for 5 min",
    "anywhere: no movement for 40 min on weekdays",
)

_PAUSES = st.sampled_from(
    [timedelta(0)] * 3
    + [
        timedelta(microseconds=1),
        timedelta(seconds=7),
        minutes(1),
        minutes(3),
        minutes(5),
        hours(1),
        hours(2.6),
        hours(7),
    ]
)
_HOMES = st.sampled_from(HOMES)

_ENTRIES = st.one_of(
    st.builds(
        lambda home, hub, held, radio, word: ("heard", home, hub, held, radio, word),
        _HOMES,
        st.sampled_from(HUBS),
        st.sampled_from([0, 0, 3]),
        st.sampled_from([True, True, None, False]),
        st.sampled_from([(), (), ("disk full",)]),
    ),
    st.builds(
        lambda home, room, late, unsure: ("moved", home, room, late, unsure),
        _HOMES,
        st.sampled_from(["kitchen", "hall", None]),
        st.sampled_from([0, 0, 0, 40, 9000, -60]),
        st.sampled_from([False, False, False, True]),
    ),
    st.builds(
        lambda home, is_open, late: ("door", home, is_open, late), _HOMES, st.booleans(), st.sampled_from([0, 0, 40])
    ),
    st.builds(
        lambda home, sensor, quantity, value: ("said", home, sensor, quantity, value),
        _HOMES,
        st.sampled_from(["thermometer", "bed", "cellar"]),
        st.sampled_from(["temperature_c", "presence", "battery_pct", "battery_low"]),
        st.sampled_from([0.0, 1.0, 12.0, 20.0, 33.0]),
    ),
    st.builds(
        lambda home, number: ("pressed", home, number), st.sampled_from([*HOMES, "nowhere", None]), st.integers(1, 99)
    ),
    st.builds(lambda home: ("trouble", home), _HOMES),
    st.builds(lambda home, up: ("line", home, up), _HOMES, st.booleans()),
)
_CLOSED = [
    *("still", "still", "still_unusual", "out", "night_up", "door_open door/", "cold thermometer/", "hot thermometer/"),
    *("battery_low bed/", "sensor_silent thermometer/", "sensor_stuck bed/"),
]
"""Questions, and the beginning of an episode's name where it is about a sensor."""

_SENSORS: list[JSON] = [
    {"sensor": "thermometer", "room": "kitchen", "kind": "climate"},
    {"sensor": "bed", "room": "bedroom", "kind": "bed"},
    {"sensor": "pir-kitchen", "room": "kitchen", "kind": "motion"},
    {"sensor": "door", "room": "front door", "kind": "contact", "is_outer": True},
]

_GIVEN = st.one_of(
    st.builds(lambda home, still, again, learned: ("policy", home, still, again, learned),
              _HOMES, st.sampled_from([0.5, 3, 6]), st.sampled_from([0.01, 1]), st.booleans()),
    st.builds(lambda home, question, outcome: ("closed", home, question, outcome),
              _HOMES, st.sampled_from(_CLOSED), st.sampled_from(["all well", "ambulance"])),
    st.builds(lambda home, sensors: ("sensors", home, sensors),
              _HOMES, st.lists(st.sampled_from(_SENSORS), max_size=4)),
    st.builds(lambda home, hub: ("watched", home, hub), _HOMES, st.sampled_from(HUBS)),
    st.builds(lambda home, stretch: ("stretch", home, stretch), _HOMES, st.sampled_from([0.0, 400.0, 1e7])),
    st.builds(lambda home: ("rubbish", home), _HOMES),
    st.builds(lambda home, begins, lasts: ("pause", home, begins, lasts),
              _HOMES, st.sampled_from([-5, 0, 3, 60]), st.sampled_from([0, 0.5, 4, 90, 900])),
)  # fmt: skip


# Around what a hub's promise forgives, and far beyond.
_DEAF_FOR = st.sampled_from([timedelta(seconds=31), minutes(2), minutes(3), minutes(5), hours(2.6), hours(7)])


_MOMENTS = st.tuples(
    st.none() | st.none() | _DEAF_FOR, _PAUSES, st.lists(_ENTRIES, max_size=4), st.lists(_GIVEN, max_size=1)
)


@st.composite
def days(draw: st.DrawFn) -> list[Happened]:
    """Draw what may happen in two homes over some days, in the order in which it counts."""
    happened: list[Happened] = [
        Input(-1, home, NINE, "watched", {"hub": HUBS[0], "since": NINE.isoformat()}) for home in HOMES
    ]
    if draw(st.booleans()):
        # Promises kept for weeks, so that more of what is drawn is seen.
        happened += [Input(-1, home, NINE, "stretch", {"stretch_s": 1e7}) for home in HOMES]
        happened.append(
            entry.Batch(0, 0, NINE + timedelta(microseconds=1), tuple(heartbeat(home=home) for home in HOMES))
        )
    at = NINE
    # Within one moment what was received comes before what was given.
    for number, (deaf_for, pause, entries, inputs) in enumerate(draw(st.lists(_MOMENTS, max_size=25))):
        at += pause + timedelta(microseconds=1)
        if deaf_for is not None:
            whose = "us" if number % 2 else "broker"
            happened.append(entry.Batch(0, number, at + deaf_for, (entry.Deaf(at, at + deaf_for, whose),)))
            at += deaf_for + timedelta(microseconds=1)
        if entries:
            happened.append(entry.Batch(0, number, at, tuple(_entry(said, at) for said in entries)))
        happened += [_input(number, said, at) for said in inputs]
    return happened


def _entry(said: tuple[Any, ...], at: datetime) -> entry.Entry:
    match said:
        case ("heard", home, hub, held, radio, words):
            return heartbeat(home=home, hub=hub, held=held, radio_up=radio, troubles=words)
        case ("moved", home, room, late_s, unsure):
            observed_at = at - timedelta(seconds=late_s)
            return movement(observed_at, home=home, room=room, uncertain_since=NINE if unsure else None)
        case ("door", home, is_open, late_s):
            return front_door(at - timedelta(seconds=late_s), is_open=is_open, home=home)
        case ("said", home, sensor, quantity, value):
            return said_by(at, sensor, quantity, value, home=home)
        case ("pressed", home, number):
            return press(at, home=home, identity=f"hub-1/box/{number}")
        case ("trouble" | "line", home, *up):
            return entry.Linked(home, HUBS[0], up[0]) if up else entry.Trouble(home, HUBS[0], "wrong clock")
    raise AssertionError(said)


def _input(number: int, said: tuple[Any, ...], at: datetime) -> Input:
    kind: str
    content: dict[str, JSON]
    match said:
        case ("policy", home, still, again, learned):
            policy = Policy(
                policy=number, still_for=hours(still), again_after=hours(again), learned=learned,
                night_up_for=minutes(5), out_for=hours(still / 2), cold_for=minutes(3), hot_for=minutes(3),
                rules=tuple(words.rule(line) for line in RULES[: 1 + number % len(RULES)]),
            )  # fmt: skip
            return Input(number, home, at, "policy", to_json(policy))
        case ("closed", home, question, outcome):
            question, _, sensor = question.partition(" ")
            kind, content = "closed", {"question": question, "episode": sensor, "outcome": outcome, "by": "Ann"}
            content["at"] = at.isoformat()
        case ("watched", home, hub):
            kind, content = "watched", {"hub": hub, "since": at.isoformat()}
        case ("sensors", home, sensors):
            kind, content = "sensors", {"sensors": sensors}
        case ("stretch", home, stretch):
            kind, content = "stretch", {"stretch_s": stretch}
        case ("pause", home, begins, lasts):
            since, until = at + minutes(begins), at + minutes(begins + lasts)
            kind, content = "pause", {"since": since.isoformat(), "until": until.isoformat()} if lasts else {}
        case ("rubbish", home):
            kind, content = "policy", {"still_for_s": "long"}
        case _:
            raise AssertionError(said)
    return Input(number, home, at, kind, content)


def learnt() -> dict[str, HomeState]:
    """Two homes with three weeks of a routine behind them, so that the learned question is asked."""
    homes = {}
    for home in HOMES:
        state = unknown(home, as_of=NINE - timedelta(days=30))
        for day in range(-21, 0):
            for hour in (0, 3, 6, 9, 12, 15):
                began = NINE + timedelta(days=day, hours=hour)
                state.routine.see(began, "kitchen")
                state.routine.learn(state.routine.beginning(began), began + hours(1) + minutes(day + 30))
        homes[home] = state
    return homes


def judged(happened: Sequence[Happened], judge: LaneJudge | None = None) -> list[Verdict]:
    judge = judge or LaneJudge(learnt(), None)
    found: list[Verdict] = []
    for each in happened:
        found += judge.take(each) if isinstance(each, entry.Batch) else judge.apply(each)
    return found + judge.advance(END)


END = NINE + timedelta(days=20)


@given(days(), st.data())
@settings(max_examples=60, deadline=None)
def test_cutting_a_batch_in_two_changes_nothing(happened: list[Happened], data: st.DataObject) -> None:
    """How many hubs spoke within the same transaction is chance."""
    cut: list[Happened] = []
    for each in happened:
        if isinstance(each, entry.Batch) and deaf_since(each) is None:
            at = data.draw(st.integers(0, len(each.entries)))
            cut += [replace(each, entries=each.entries[:at]), replace(each, entries=each.entries[at:])]
        else:
            cut.append(each)

    assert judged(cut) == judged(happened)


@given(days(), st.data())
@settings(max_examples=60, deadline=None)
def test_looking_more_often_changes_nothing(happened: list[Happened], data: st.DataObject) -> None:
    """The loop ticks when it can: a busy minute must not move an alert by a second."""
    judge = LaneJudge(learnt(), None)
    found: list[Verdict] = []
    for each, after in zip(happened, [*happened[1:], None], strict=True):
        found += judge.take(each) if isinstance(each, entry.Batch) else judge.apply(each)
        latest = _complete_before(after) if after is not None else END
        for share in sorted(data.draw(st.lists(st.floats(0, 1, exclude_max=True), max_size=3))):
            # Complete through this moment: all that was received up to it has been taken in.
            found += judge.advance(_at(each) + (latest - _at(each)) * share)
            judge.changed()

    assert found + judge.advance(END) == judged(happened)


@given(days(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_restart_at_any_place_changes_nothing(happened: list[Happened], data: st.DataObject) -> None:
    """A judge that dies goes on from what was saved, and nobody is told twice or not at all."""
    judge = LaneJudge(learnt(), None)
    found: list[Verdict] = []
    for each in happened:
        found += judge.take(each) if isinstance(each, entry.Batch) else judge.apply(each)
        if data.draw(st.booleans()):
            judge = LaneJudge({home: _reloaded(judge.state_of(home)) for home in judge.homes()}, judge.judged_through)

    assert found + judge.advance(END) == judged(happened)


@given(days())
@settings(max_examples=60, deadline=None)
def test_a_replay_equals_what_was_live(happened: list[Happened]) -> None:
    """P4: the log and the inputs, read again in order, give the same alerts to the second."""
    batches = [each for each in happened if isinstance(each, entry.Batch)]
    inputs = [each for each in happened if isinstance(each, Input)]

    assert list(replay(batches, inputs, homes=learnt(), complete_through=END)) == judged(happened)


@given(days(), st.sampled_from(HOMES))
@settings(max_examples=60, deadline=None)
def test_if_nothing_moves_any_more_the_alert_comes_at_the_moment_that_was_shown(
    happened: list[Happened], home: str
) -> None:
    """The page says when somebody would be told.  That promise is kept to the second, or the page says why not."""
    judge = LaneJudge(learnt(), None)
    for each in happened:
        _ = judge.take(each) if isinstance(each, entry.Batch) else judge.apply(each)
    now = judge.now_of(home)

    if now.next_alert_at is None:
        assert now.state in (Watched.BLIND, Watched.PAUSED)
    elif now.next_alert_why["is_open"]:
        assert judge.judged_through is not None
        assert now.next_alert_at <= judge.judged_through
    else:
        found = _while_the_hubs_go_on(judge, home, until=now.next_alert_at)
        stills = [f for f in found if isinstance(f, Finding) and f.home == home and f.question.startswith("still")]
        assert stills
        assert (stills[0].at, stills[0].question) == (now.next_alert_at, now.next_alert_why["question"])


@given(days())
@settings(max_examples=60, deadline=None)
def test_a_stillness_is_found_once_while_it_lasts(happened: list[Happened]) -> None:
    """A carer is told once, and again only after somebody has closed it or the resident was seen."""
    open_now: dict[tuple[str | None, Question], str] = {}
    for each in judged([each for each in happened if not (isinstance(each, Input) and each.kind == "closed")]):
        if isinstance(each, SeenLater):
            continue
        key = (each.home, each.question)
        if not each.question.startswith("still"):
            continue
        if isinstance(each, Finding):
            assert key not in open_now
            open_now[key] = each.episode
        else:
            assert open_now.pop(key) == each.episode


@given(days())
# Within one moment: full, no more, and full again.
@example(
    [
        Input(-1, HOMES[0], NINE, "watched", {"hub": HUBS[0], "since": NINE.isoformat()}),
        entry.Batch(
            0,
            0,
            NINE + minutes(1),
            tuple(heartbeat(home=HOMES[0], troubles=said) for said in [("disk full",), (), ("disk full",), ()] * 2),
        ),
    ]
)
# A low battery, found, then full and low again by the same clock.
@example(
    [
        Input(-1, HOMES[0], NINE, "watched", {"hub": HUBS[0], "since": NINE.isoformat()}),
        *(
            entry.Batch(
                0,
                number,
                NINE + minutes(1 + number),
                (heartbeat(home=HOMES[0]), said_by(NINE + minutes(1), "bed", "battery_pct", value, home=HOMES[0])),
            )
            for number, value in enumerate([5.0, 80.0, 5.0, 80.0])
        ),
    ]
)
@settings(max_examples=60, deadline=None)
def test_no_two_findings_have_the_same_name(happened: list[Happened]) -> None:
    """The second would be taken for the first, and never reach anybody."""
    found = [f for f in judged(happened) if isinstance(f, Finding) and f.question is not Question.ALARM]
    named = [(f.home, f.hub, f.question, f.episode) for f in found]

    assert len(named) == len(set(named))


@given(days())
@settings(max_examples=60, deadline=None)
def test_every_alarm_is_a_finding_at_the_moment_it_was_received(happened: list[Happened]) -> None:
    """P3: never refused, never too old, never swallowed."""
    sent = [
        (said.identity, each.received_at)
        for each in happened
        if isinstance(each, entry.Batch)
        for said in each.entries
        if isinstance(said, entry.Alarm)
    ]
    found = [(f.episode, f.at) for f in judged(happened) if isinstance(f, Finding) and f.question is Question.ALARM]

    assert found == sent


@given(days())
@settings(max_examples=60, deadline=None)
def test_findings_come_in_the_order_of_their_moments(happened: list[Happened]) -> None:
    """A story that is told out of order cannot be understood."""
    moments = [each.at for each in judged(happened)]

    assert moments == sorted(moments)


@given(days())
@settings(max_examples=60, deadline=None)
def test_nothing_is_found_true_of_a_moment_at_which_we_were_deaf(happened: list[Happened]) -> None:
    """What we could not hear we cannot judge: an alert of that time would rest on our own absence."""
    spans = [said for each in happened if isinstance(each, entry.Batch) for said in each.entries if _is_deaf(said)]

    for found in judged(happened):
        assert not any(span.since < found.at < span.until for span in spans)


@given(days())
@settings(max_examples=60, deadline=None)
def test_a_home_is_never_watched_between_our_deafness_and_the_next_word_of_its_hub(happened: list[Happened]) -> None:
    """P2: fine is only what is known, and what the hub did meanwhile is not known."""
    judge = LaneJudge(learnt(), None)
    for each in happened:
        _ = judge.take(each) if isinstance(each, entry.Batch) else judge.apply(each)
        for home in judge.homes():
            hubs = judge.state_of(home).hubs.values()
            if all(hub.deaf_until is not None for hub in hubs):
                now = judge.now_of(home)
                assert now.state is Watched.BLIND or (now.state is Watched.PAUSED and len(now.why) > 1)


@given(st.timedeltas(timedelta(0), minutes(3)), st.timedeltas(timedelta(seconds=31), timedelta(days=3)))
def test_a_hub_that_does_not_come_back_is_silent_exactly_when_its_new_promise_breaks(
    before: timedelta, deaf_for: timedelta
) -> None:
    """Our outage must not hide one of theirs: a power cut takes both."""
    lane = Lane()
    lane.watch()
    since = NINE + min(before, minutes(3) - timedelta(microseconds=1))
    lane.are_deaf(since, since + deaf_for)
    due = since + deaf_for + minutes(3)
    lane.pass_(due - timedelta(microseconds=1))
    assert lane.findings() == []
    lane.pass_(due)

    (found,) = lane.findings(Question.HUB_SILENT)
    assert (found.since, found.at) == (NINE, due)


def test_a_whole_street_is_not_silent_because_we_were_away() -> None:
    """One stop of ours must not text everybody, and the operator forty times."""
    lane = Lane()
    for number in range(40):
        lane.watch(home=f"home-{number:02}", hub=f"hub-{number:02}")
    lane.are_deaf(NINE + minutes(1), NINE + minutes(6))
    for number in range(40):
        lane.receive(
            heartbeat(home=f"home-{number:02}", hub=f"hub-{number:02}"), at=NINE + minutes(6) + minutes(number / 40)
        )
    lane.pass_(NINE + minutes(8))

    assert lane.found == []


def test_homes_that_are_due_at_the_same_moment_come_in_the_order_of_their_names() -> None:
    """A replay that orders them otherwise would not equal what was live."""
    lane = Lane()
    for home in ("oak-1", "elm-3", "ash-9"):
        lane.give("watched", {"hub": f"hub-{home}", "since": NINE.isoformat()}, at=NINE, home=home)
    lane.pass_(NINE + hours(1))

    assert [found.home for found in lane.findings()] == ["ash-9", "elm-3", "oak-1"]


def test_what_is_due_at_a_moment_is_judged_after_what_was_received_at_it() -> None:
    """Somebody who moves in the last second is not still."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 1e6}, at=NINE)
    lane.watch(policy=Policy(still_for=hours(6)))
    lane.receive(movement(NINE + hours(6)), at=NINE + hours(6))
    lane.pass_(NINE + hours(6))

    assert lane.findings() == []


def test_only_homes_of_which_something_was_heard_have_changed() -> None:
    """What has not changed need not be written again."""
    lane = Lane()
    lane.watch(home="elm-3")
    lane.watch(home="oak-1")
    lane.judge.changed()
    lane.receive(heartbeat(home="oak-1"), at=NINE + minutes(1))

    assert lane.judge.changed() == {"oak-1"}
    assert lane.judge.changed() == set()


def test_a_replay_puts_what_was_given_after_all_that_was_received_by_then() -> None:
    """An outcome counts from a moment; what was received at that very moment was known before it."""
    at = NINE + minutes(1)
    inputs = [Input(1, "elm-3", at, "watched", {"hub": "hub-1", "since": NINE.isoformat()})]

    # The heartbeat of that moment came before the home was watched, so it is not of a hub that is known.
    found = list(replay([entry.Batch(0, 1, at, (heartbeat(),))], inputs, complete_through=at + minutes(10)))
    assert [(f.question, f.why.get("last_heard_at")) for f in found if isinstance(f, Finding)] == [
        (Question.HUB_SILENT, None)
    ]


def _at(each: Happened) -> datetime:
    return each.received_at if isinstance(each, entry.Batch) else each.counts_from


def _is_deaf(said: entry.Entry) -> TypeGuard[entry.Deaf]:
    return isinstance(said, entry.Deaf)


def _complete_before(each: Happened) -> datetime:
    """Return up to where a lane may be said to be complete before something: not while we are deaf."""
    since = deaf_since(each) if isinstance(each, entry.Batch) else None
    return _at(each) if since is None else since


def _reloaded(state: HomeState) -> HomeState:
    loaded = load(dump(state), FORMAT, "any")
    assert loaded is not None
    return loaded


def _while_the_hubs_go_on(judge: LaneJudge, home: str, *, until: datetime) -> list[Verdict]:
    """Let each hub of a home that is heard go on saying what it said last, and nothing move."""
    known = judge.state_of(home).hubs.values()
    hubs = [hub for hub in known if hub.heard_at is not None and not hub.is_silent and hub.deaf_until is None]
    said = tuple(
        heartbeat(
            home=home,
            hub=hub.hub,
            held=0 if hub.held_since is None else 3,
            radio_up=hub.radio_down_since is None,
            troubles=tuple(what for what in hub.troubles if what != "radio"),
        )
        for hub in hubs
    )
    found: list[Verdict] = []
    assert judge.judged_through is not None
    at = judge.judged_through + timedelta(microseconds=1)
    while at < until:
        found += judge.take(entry.Batch(0, 0, at, said))
        at += timedelta(seconds=170)
    return found + judge.advance(until)

"""Is what is usual learnt from what was seen, and from nothing else?"""

import random
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.detectors import ending, waiting
from alerts.judging.detectors.ending import GUESS
from alerts.judging.detectors.likeness import LASTED_S, Place, Silence, like, place_of
from alerts.judging.detectors.moving import Moving
from alerts.judging.detectors.routine import DAYS_NEEDED, LEAST, LONGEST, SOONEST, Beginning, Routine, river_version
from alerts.judging.policy import Policy, to_json
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, heartbeat, hours, minutes, movement, one

PATIENCE = Policy().patience
seeds = st.integers(0, 2**32)

DAYS = 30
USUAL = hours(3)
BEGINS = hours(4)
EVENING = hours(14.5)
"""Each day somebody is about from 09:00 on, still from 13:00 to 16:00, and about again until half past eleven."""


def days_pass(lane: Lane, *, first: int, last: int, until: timedelta = EVENING) -> None:
    """Let days go by that are all alike."""
    for day in range(first, last):
        morning = NINE + timedelta(days=day)
        at = morning
        while at <= morning + until:
            if not BEGINS < at - morning < BEGINS + USUAL:
                lane.receive(movement(at), at=at)
            at += minutes(10)


@pytest.fixture
def lane() -> Lane:
    """A home of which a month was seen, whose plain timer is out of the way."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    days_pass(lane, first=0, last=DAYS)
    days_pass(lane, first=DAYS, last=DAYS + 1, until=BEGINS - minutes(10))
    assert lane.findings(Question.STILL_UNUSUAL) == []
    return lane


def _after(day: int, past: timedelta) -> datetime:
    return NINE + timedelta(days=day) + past


def test_a_silence_much_longer_than_usual_here_at_this_time_is_found(lane: Lane) -> None:
    """Three hours after lunch are usual in this home; a whole afternoon is not."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(9))

    found = one(lane.findings())
    assert (found.question, found.since) == (Question.STILL_UNUSUAL, at)
    assert USUAL < found.at - at < 2 * USUAL
    assert (found.why["usual_s"], found.why["days"], found.why["start_hour"]) == (3 * 3600, DAYS + 1, 13.0)
    assert 0 < float(str(found.why["share"])) < 0.1


def test_one_stillness_is_one_alert_whichever_question_found_it_first(lane: Lane) -> None:
    """A second text about the same stillness tells nothing new, and makes people read fewer of them."""
    lane.give("policy", to_json(Policy(still_for=hours(6))), at=_after(DAYS, BEGINS - minutes(5)))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(20))

    assert [found.question for found in lane.findings()] == [Question.STILL_UNUSUAL]


def test_what_is_usual_at_one_time_of_day_is_not_at_another(lane: Lane) -> None:
    """Whoever rests after lunch does not therefore rest in the evening."""
    days_pass(lane, first=DAYS, last=DAYS + 1, until=hours(10))
    lane.pass_(_after(DAYS, hours(19)))

    found = one(lane.findings())
    assert found.since == _after(DAYS, hours(10))
    assert SOONEST <= found.at - found.since < USUAL


def test_until_enough_days_were_seen_nothing_is_called_unusual() -> None:
    """Untrained is not calm: the page says that it is still learning, and the plain timer stands alone."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    days_pass(lane, first=0, last=DAYS_NEEDED - 1)

    assert lane.now().learning == {"question": "still_unusual", "days": DAYS_NEEDED - 1, "of": DAYS_NEEDED}
    lane.pass_(_after(DAYS_NEEDED + 4, hours(0)))
    assert lane.findings(Question.STILL_UNUSUAL) == []


def test_a_policy_may_leave_the_learned_question_out(lane: Lane) -> None:
    """An operator can switch it off for a home in which nothing is usual."""
    lane.watch(at=_after(DAYS, hours(0)), policy=Policy(still_for=timedelta(days=7), learned=False))
    lane.pass_(_after(DAYS + 5, hours(0)))

    assert lane.findings() == []
    assert lane.now().learning == {}


@pytest.mark.parametrize(
    ("outcome", "is_learnt"), [("all well", True), ("false alarm", True), ("ambulance", False), ("help given", False)]
)
def test_what_somebody_had_to_help_with_is_not_usual(lane: Lane, outcome: str, is_learnt: bool) -> None:
    """A night on the floor must not teach that nights on the floor are normal."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.receive(movement(at + hours(8)), at=at + hours(8))
    before = len(_silences(lane))

    lane.close(one(lane.findings()), at=at + hours(8), outcome=outcome)

    assert len(_silences(lane)) - before == (1 if is_learnt else 0)


def test_an_alert_closed_before_the_resident_was_seen_again_teaches_as_much(lane: Lane) -> None:
    """The order in which the ambulance and the sensor report must not matter."""
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.pass_(at + hours(5))
    lane.close(one(lane.findings()), at=at + hours(5), outcome="ambulance")
    before = len(_silences(lane))
    lane.receive(movement(at + hours(5.5)), at=at + hours(5.5))

    assert len(_silences(lane)) == before


def test_a_silence_that_was_not_watched_teaches_nothing(lane: Lane) -> None:
    """A hub without power makes a home look still for hours."""
    before = len(_silences(lane))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.give("stretch", {"stretch_s": 0.0}, at=at)
    lane.receive(heartbeat(), at=at + hours(2))
    lane.receive(movement(at + hours(2)), at=at + hours(2))

    assert len(_silences(lane)) == before


def test_a_hub_that_fails_every_night_does_not_make_nights_unusual() -> None:
    """Nights that were never watched whole were never learnt, so nothing may be called unusual."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=NINE - hours(1))
    lane.watch(at=NINE - hours(1), policy=Policy(still_for=timedelta(days=7)))
    for day in range(DAYS):
        days_pass(lane, first=day, last=day + 1)
        lane.give("stretch", {"stretch_s": 0.0}, at=_after(day, hours(16)))
        lane.receive(heartbeat(), at=_after(day, hours(17)))
        lane.give("stretch", {"stretch_s": 90 * 86400.0}, at=_after(day, hours(17)))

    assert lane.findings(Question.STILL_UNUSUAL) == []
    assert lane.now().learning["days"] == 1


def test_a_blink_in_the_night_does_not_keep_a_night_from_being_learnt(lane: Lane) -> None:
    """A hub that restarts for its update takes five minutes, not the night."""
    before = len(_silences(lane))
    at = _after(DAYS, hours(4))
    lane.receive(movement(at), at=at)
    lane.receive(heartbeat(), at=at + minutes(30))
    lane.give("stretch", {"stretch_s": 0.0}, at=at + minutes(30))
    lane.receive(heartbeat(), at=at + minutes(36))
    lane.receive(movement(at + minutes(38)), at=at + minutes(38))

    assert [f.question for f in lane.findings()] == [Question.HUB_SILENT]
    assert len(_silences(lane)) == before + 1


def test_a_reading_of_uncertain_time_teaches_nothing(lane: Lane) -> None:
    """Nobody knows how long the silence before it was."""
    before = len(_silences(lane))
    at = _after(DAYS, BEGINS)
    lane.receive(movement(at), at=at)
    lane.receive(movement(at + hours(1), uncertain_since=at), at=at + hours(1))
    lane.receive(movement(at + hours(2)), at=at + hours(2))

    assert len(_silences(lane)) == before


def test_what_is_learnt_is_forgotten_after_six_weeks() -> None:
    """People change, and so do seasons."""
    routine = Routine()
    for began in (NINE, NINE + timedelta(days=43)):
        routine.learn(Beginning(began), began + hours(1))

    assert len(routine.silences) == 1


def test_a_week_in_which_nothing_moved_is_no_routine() -> None:
    """Somebody was away, or the hub's sensors were dead; either way it says nothing about the next week."""
    routine = Routine()
    routine.learn(Beginning(NINE), NINE + timedelta(days=7))

    assert (routine.silences, routine.weights) == ([], Routine().weights)


@given(st.lists(st.tuples(st.integers(0, 60 * 1440), st.integers(0, 2880)), max_size=40), st.integers(0, 1440))
@settings(max_examples=60)
def test_what_is_usual_stays_within_its_bounds(silences: list[tuple[int, int]], began: int) -> None:
    """Whatever was learnt, nobody waits longer than the cap, and nobody is disturbed at once."""
    routine = Routine()
    for at, lasted in sorted(silences):
        routine.learn(Beginning(NINE + minutes(at)), NINE + minutes(at + lasted))

    usual = routine.usual(NINE + minutes(began), PATIENCE)
    assert SOONEST <= usual.longest <= LONGEST
    assert 0 <= usual.share <= 1
    assert usual.silences <= len([lasted for _, lasted in silences if minutes(lasted) >= LEAST])


@pytest.mark.parametrize("room", ["bedroom", "bathroom"])
def test_who_rests_longer_is_left_alone_longer(room: str) -> None:
    """Two hours' sleep after lunch in one home, four in the other: the same wait would be wrong in both."""
    longest = []
    for rests in (hours(2), hours(4)):
        routine = Routine()
        for day in range(28):
            at = NINE + timedelta(days=day)
            routine.see(at, room)
            routine.learn(routine.beginning(at), at + rests)
            routine.see(at + rests, "kitchen")
        routine.see(NINE + timedelta(days=28), room)
        longest.append(routine.usual(NINE + timedelta(days=28), PATIENCE).longest)

    assert longest[0] < longest[1]


def test_a_place_in_which_nobody_stays_for_long_is_told_from_one_in_which_they_do() -> None:
    """Two hours in bed are usual there; two hours in the bathroom are not."""
    routine = Routine()
    for day in range(28):
        at = NINE + timedelta(days=day)
        for room, begins, rests in (("bathroom", 0, 0.3), ("bedroom", 0.5, 3), ("bathroom", 4, 0.4)):
            routine.see(at + hours(begins), room)
            routine.learn(routine.beginning(at + hours(begins)), at + hours(begins + rests))
    usual = {}
    for room in ("bathroom", "bedroom"):
        routine.see(NINE + timedelta(days=28), room)
        usual[room] = routine.usual(NINE + timedelta(days=28), PATIENCE).quantile

    assert usual == {"bathroom": minutes(18), "bedroom": hours(3)}


@given(seeds)
@settings(max_examples=10)
def test_what_was_saved_and_restored_goes_on_as_if_it_never_was(seed: int) -> None:
    """A process that restarts must not judge otherwise than one that did not (promise P4)."""
    kept = Routine()
    saved = Routine()
    for room, at, ended in _rests(seed, 40):
        for routine in (kept, saved):
            routine.see(at, room)
            routine.learn(routine.beginning(at), ended)
        saved = msgspec.json.decode(msgspec.json.encode(saved), type=Routine)
        saved.forget_computed()

    assert msgspec.json.encode(saved) == msgspec.json.encode(kept)
    assert saved.usual(at, PATIENCE) == kept.usual(at, PATIENCE)


@given(seeds)
@settings(max_examples=10)
def test_asking_changes_nothing(seed: int) -> None:
    """A page that is looked at often must not change when somebody is told."""
    asked, left = Routine(), Routine()
    for room, at, ended in _rests(seed, 20):
        for routine in (asked, left):
            routine.see(at, room)
            routine.learn(routine.beginning(at), ended)
        asked.usual(at, PATIENCE)
    asked.forget_computed()

    assert asked == left


@given(seeds)
@settings(max_examples=10)
def test_the_chances_are_those_that_river_gives(seed: int) -> None:
    """The curve is computed at once for all steps; it must be the model's own, not one like it."""
    weights: dict[str, float] = dict(GUESS)
    moving = Moving().odds(NINE)
    for room, at, ended in _rests(seed, 10):
        began = Beginning(at, place_of(room), is_after_door=False, activity=3.0)
        moving = np.roll(moving + 0.1, 1)
        weights = ending.learnt(weights, began, moving, ended)

    model = ending._model(weights)
    known = ending.facts(began, moving)
    river = [model.predict_proba_one({name: value[step] for name, value in known.items()})[True] for step in (0, 9, 54)]
    assert ending.chances(weights, began, moving)[[0, 9, 54]] == pytest.approx(river)


@given(
    st.lists(st.floats(0, 1), min_size=55, max_size=55),
    st.lists(st.tuples(st.floats(0, 60000), st.floats(0, 1)), max_size=30),
    st.floats(20, 5000),
    st.floats(0, 5000),
)
@settings(max_examples=60)
def test_with_more_patience_nobody_is_told_sooner(
    guess: list[float], silences: list[tuple[float, float]], patience_h: float, more: float
) -> None:
    """The one number that an operator turns must turn one way only."""
    lasted, weights = (np.array([one[part] for one in silences]) for part in (0, 1))
    counts = np.array([weights[lasted > step].sum() for step in LASTED_S])

    lasts = waiting.lasting(np.array(guess), counts, counts)

    assert ((lasts >= 0) & (lasts <= 1)).all()
    assert (np.diff(lasts) <= 1e-12).all()
    steps = [
        waiting.best(lasts, moving_h=0.5, patience_h=p, soonest=4, longest=56) for p in (patience_h, patience_h + more)
    ]
    assert 4 <= steps[0] <= steps[1] <= 56


@given(st.lists(st.tuples(st.integers(900, 86400), st.integers(0, 86399)), min_size=1, max_size=30))
@settings(max_examples=60)
def test_silences_that_were_alike_are_counted_by_how_long_they_lasted(silences: list[tuple[int, int]]) -> None:
    """The quick way of counting must count what the plain way counts."""
    known = [(day * 86400 + at, lasted, 0, 0, 1.0) for day, (lasted, at) in enumerate(silences)]

    found = like(Beginning(NINE), known)

    assert found.alike == pytest.approx([found.weights[found.lasted_s > step].sum() for step in LASTED_S])


@pytest.mark.parametrize(
    ("room", "place"),
    [
        ("fridge-door", Place.KITCHEN),
        ("Front door", Place.OUTER_DOOR),
        ("Bedroom 2", Place.BEDROOM),
        ("bathroom", Place.BATHROOM),
        ("Landing", Place.HALL),
        ("lounge", Place.OTHER),
        (None, Place.OTHER),
    ],
)
def test_rooms_are_known_by_what_people_call_them(room: str | None, place: Place) -> None:
    """A fridge has a door, and nobody leaves the house by it."""
    assert place_of(room) is place


def test_rivers_version_can_be_written_down() -> None:
    """What was learnt with which release must be told from what is saved."""
    assert river_version().startswith("0.")


def _rests(seed: int, count: int) -> list[tuple[str, datetime, datetime]]:
    """Return rooms and rests in them, one after the other."""
    chance = random.Random(seed)
    rests, at = [], NINE
    for _ in range(count):
        ended = at + minutes(chance.randrange(1, 600))
        rests.append((chance.choice(["bedroom", "kitchen", "front-door"]), at, ended))
        at = ended
    return rests


def _silences(lane: Lane) -> list[Silence]:
    return list(lane.judge.state_of(HOME).routine.silences)

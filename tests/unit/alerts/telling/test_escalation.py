"""Who is told next."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.telling.escalation import (
    Acknowledgement,
    Delivery,
    Done,
    Exhausted,
    Remind,
    Silent,
    Story,
    Tell,
    Told,
    Waiting,
    Why,
    all_but,
    next_step,
    told_so_far,
)
from alerts.telling.rota import Step, steps_of

RAISED = datetime(2026, 6, 10, 1, 10, tzinfo=UTC)
FIVE = timedelta(minutes=5)
STEPS = steps_of(["anne", "jim"], "operator", answers_within=FIVE)
NEW = Story(RAISED)


def told(person: str, *, after: timedelta = timedelta(0), failed_after: timedelta | None = None) -> Told:
    if failed_after is None:
        return Told(person, RAISED + after, Delivery.DELIVERED)
    return Told(person, RAISED + after, Delivery.UNDELIVERED, RAISED + failed_after)


def test_the_first_is_told_at_once() -> None:
    """An alarm waits for nobody."""
    assert next_step(NEW, STEPS, now=RAISED) == Tell("anne", RAISED, Why.FIRST, None)


def test_the_second_is_told_five_minutes_after_the_first_was_due() -> None:
    """Counted from due, so that a slow network does not use up the second person's night."""
    story = replace(NEW, told=(told("anne"),))

    assert next_step(story, STEPS, now=RAISED) == Tell("jim", RAISED + FIVE, Why.NO_ANSWER, "anne")


def test_a_text_that_did_not_arrive_moves_on_at_once() -> None:
    """Nobody can answer a text that they do not have."""
    failed_at = timedelta(seconds=20)
    story = replace(NEW, told=(told("anne", failed_after=failed_at),))

    assert next_step(story, STEPS, now=RAISED + failed_at) == Tell("jim", RAISED + failed_at, Why.NOT_REACHED, "anne")


def test_a_step_missed_while_nobody_ran_is_due_now_and_the_next_has_its_full_time() -> None:
    """After an hour's crash the second must have a chance before the operator is called out."""
    late = RAISED + timedelta(hours=1)
    story = replace(NEW, told=(told("anne"),))

    assert next_step(story, STEPS, now=late) == Tell("jim", late, Why.NO_ANSWER, "anne")


HELD = replace(NEW, acknowledgements=(Acknowledgement("anne", RAISED),), remind_after=6 * FIVE)


def test_who_said_mine_is_asked_how_it_is_after_a_while() -> None:
    """Whoever goes may fall on the way, or forget to say how it ended."""
    assert next_step(HELD, STEPS, now=RAISED) == Remind("anne", RAISED + 6 * FIVE)


def test_who_does_not_answer_that_has_it_no_longer() -> None:
    """Then it is nobody's, and the next is told."""
    asked = replace(HELD, reminded=(told("anne", after=6 * FIVE),))

    assert next_step(asked, STEPS, now=RAISED + 6 * FIVE) == Waiting(RAISED + 7 * FIVE)
    assert next_step(asked, STEPS, now=RAISED + 7 * FIVE) == Silent("anne", RAISED + 7 * FIVE, Why.NO_ANSWER)


def test_who_says_mine_again_is_asked_again_and_not_sooner() -> None:
    """Each "mine" is worth the same time."""
    again = (Acknowledgement("anne", RAISED, RAISED + 7 * FIVE), Acknowledgement("anne", RAISED + 7 * FIVE))
    story = replace(HELD, acknowledgements=again, reminded=(told("anne", after=6 * FIVE),))

    assert next_step(story, STEPS, now=RAISED + 8 * FIVE) == Remind("anne", RAISED + 13 * FIVE)


def test_mine_stops_it() -> None:
    """Being texted after somebody has said that they go is the complaint heard most."""
    story = replace(NEW, told=(told("anne"),), acknowledgements=(Acknowledgement("anne", RAISED + FIVE / 2),))

    assert next_step(story, STEPS, now=RAISED + 10 * FIVE) is Done.HELD


def held_since(at: datetime, *again: Told) -> Story:
    return replace(NEW, told=(told("anne"),), acknowledgements=(Acknowledgement("anne", at),), again=again)


def test_mine_answers_only_what_was_pressed_before_it() -> None:
    """Who said "mine" yesterday and forgot to close it must not be the only one who hears of tonight's press."""
    pressed_at = RAISED + timedelta(hours=9)
    story = held_since(RAISED, Told("anne", pressed_at, Delivery.DELIVERED))

    ends = pressed_at + timedelta(minutes=5)
    assert next_step(story, STEPS, now=ends - timedelta(seconds=1)) == Waiting(ends)
    assert next_step(story, STEPS, now=ends) == Silent("anne", ends, Why.NO_ANSWER)


def test_a_new_press_that_does_not_reach_the_one_who_has_it_moves_on_at_once() -> None:
    """A phone that is off holds nothing."""
    failed_at = RAISED + timedelta(hours=9)
    story = held_since(RAISED, Told("anne", failed_at, Delivery.FAILED, failed_at))

    assert next_step(story, STEPS, now=failed_at) == Silent("anne", failed_at, Why.NOT_REACHED)


def test_mine_said_after_a_new_press_answers_it() -> None:
    """Otherwise nobody could keep an alert while somebody goes on pressing."""
    story = held_since(RAISED + timedelta(minutes=2), Told("anne", RAISED + timedelta(minutes=1), Delivery.DELIVERED))

    assert next_step(story, STEPS, now=RAISED + timedelta(days=1)) is Done.HELD


def test_when_all_were_told_the_last_one_has_time_too_and_then_it_is_said() -> None:
    """Silence at the end of the list is the one thing that must never be quiet."""
    everybody = (told("anne"), told("jim", after=FIVE), told("operator", after=2 * FIVE))
    story = replace(NEW, told=everybody)

    assert next_step(story, STEPS, now=RAISED + 2 * FIVE) == Waiting(RAISED + 3 * FIVE)
    assert next_step(story, STEPS, now=RAISED + 3 * FIVE) == Exhausted(RAISED + 3 * FIVE)


def test_letting_go_goes_to_the_next_person_even_if_told_before() -> None:
    """Jim was told that Anne is going and went back to sleep; he must hear that she is not."""
    let_go_at = RAISED + timedelta(minutes=20)
    story = replace(
        NEW,
        told=(told("anne"), told("jim", after=FIVE)),
        acknowledgements=(Acknowledgement("anne", RAISED + timedelta(minutes=6), let_go_at),),
    )

    assert next_step(story, STEPS, now=let_go_at) == Tell("jim", let_go_at, Why.LET_GO, "anne")


def test_when_the_last_one_lets_go_it_begins_again_with_the_first() -> None:
    """The operator who could not find out is not the end of it."""
    let_go_at = RAISED + timedelta(minutes=30)
    everybody = (told("anne"), told("jim", after=FIVE), told("operator", after=2 * FIVE))
    story = replace(
        NEW,
        told=everybody,
        acknowledgements=(Acknowledgement("operator", RAISED + timedelta(minutes=11), let_go_at),),
    )

    assert next_step(story, STEPS, now=let_go_at) == Tell("anne", let_go_at, Why.LET_GO, "operator")


def test_a_home_with_nobody_on_its_rota_is_said_at_once() -> None:
    """An alert that nobody can be told of must not wait for anything."""
    assert next_step(NEW, (), now=RAISED) == Exhausted(RAISED)


def test_the_only_one_on_the_rota_who_lets_go_leaves_nobody() -> None:
    """Texting the same person who has just said that they cannot go would look like help."""
    story = replace(NEW, told=(told("anne"),), acknowledgements=(Acknowledgement("anne", RAISED, RAISED + FIVE),))

    assert next_step(story, steps_of(["anne"], None, answers_within=FIVE), now=RAISED + FIVE) == Exhausted(
        RAISED + FIVE
    )


def test_an_outcome_ends_it() -> None:
    """Over is over."""
    assert next_step(replace(NEW, is_closed=True), STEPS, now=RAISED) is Done.CLOSED


def test_who_goes_off_duty_after_being_told_keeps_their_time() -> None:
    """A change of shift in the middle of an alert must lose no one, neither the one told nor those behind."""
    night = steps_of(["moira"], "operator", answers_within=FIVE)
    story = replace(NEW, told=(told("anne"),))

    assert next_step(story, night, now=RAISED + FIVE / 2) == Tell("moira", RAISED + FIVE, Why.NO_ANSWER, "anne")


def test_who_comes_on_duty_after_all_were_told_is_told_too() -> None:
    """The night shift must hear of what the day shift did not answer."""
    day = steps_of(["anne"], None, answers_within=FIVE)
    night = steps_of(["moira"], None, answers_within=FIVE)
    story, later = replace(NEW, told=(told("anne"),)), RAISED + 4 * FIVE

    assert next_step(story, day, now=later) == Exhausted(RAISED + FIVE)
    assert next_step(story, night, now=later) == Tell("moira", later, Why.NO_ANSWER, "anne")


def test_nobody_on_duty_any_more_is_nobody_left() -> None:
    """A plan that ends in the middle of an alert is said loudly, and is no mistake of ours."""
    story = replace(NEW, told=(told("anne"),))

    assert next_step(story, (), now=RAISED) == Exhausted(RAISED)


def test_who_is_named_twice_is_told_once() -> None:
    """A daughter who is also the operator has one phone."""
    steps = steps_of(["anne", "jim", "anne"], "jim", answers_within=FIVE)

    assert [step.person for step in steps] == ["anne", "jim"]


def test_a_rota_without_time_to_answer_is_refused() -> None:
    """With no time to answer everybody would be texted in the same second."""
    with pytest.raises(ValueError, match="nobody can answer"):
        steps_of(["anne"], None, answers_within=timedelta(0))


def test_a_call_for_help_goes_to_everybody_else() -> None:
    """Whoever is nearest should hear it, told before or not."""
    assert all_but(STEPS, "anne") == ("jim", "operator")


# A made-up night: what may happen to each text and what people do, one thing after another.

people = st.lists(st.sampled_from(["anne", "jim", "mo", "kay", "lee"]), unique=True, max_size=5)
rotas = st.builds(
    lambda carers, operator, minutes: steps_of(carers, operator, answers_within=timedelta(minutes=minutes)),
    people,
    st.none() | st.just("operator"),
    st.integers(1, 30),
)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.timedeltas(timedelta(0), timedelta(hours=2))),
        st.tuples(st.just("fail"), st.timedeltas(timedelta(0), timedelta(minutes=3))),
        st.tuples(st.just("mine"), st.integers(0, 5)),
        st.tuples(st.just("let go"), st.timedeltas(timedelta(minutes=1), timedelta(hours=1))),
        st.tuples(st.just("press again"), st.booleans()),
    ),
    max_size=14,
)


# Whatever is said is written down after all that was told before it, also on a clock that stands still.
A_MOMENT = timedelta(microseconds=1)


class Night:
    """Does what `next_step` says, as the watch does, and keeps a diary of who was told in which round."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.story = NEW
        self.now = RAISED
        self.rounds: list[list[Tell]] = [[]]

    def goes_on(self, happening: tuple[str, object]) -> None:
        kind, what = happening
        if isinstance(what, timedelta):
            self.now += what
        holder = next((held for held in self.story.acknowledgements if held.let_go_at is None), None)
        if kind == "fail" and self.story.told:
            *others, last = self.story.told
            failed = replace(last, delivery=Delivery.FAILED, not_reached_at=self.now)
            self.story = replace(self.story, told=(*others, last if last.not_reached_at else failed))
        elif kind == "mine" and holder is None and self.story.told and isinstance(what, int):
            self.now += A_MOMENT
            person = self.story.told[what % len(self.story.told)].person
            self.story = replace(
                self.story, acknowledgements=(*self.story.acknowledgements, Acknowledgement(person, self.now))
            )
        elif kind == "let go" and holder is not None:
            rest = tuple(held for held in self.story.acknowledgements if held is not holder)
            self.story = replace(self.story, acknowledgements=(*rest, replace(holder, let_go_at=self.now)))
            self.rounds.append([])
        elif kind == "press again" and holder is not None:
            failed_at = None if what else self.now
            delivery = Delivery.DELIVERED if what else Delivery.FAILED
            one = Told(holder.person, self.now, delivery, failed_at)
            self.story = replace(self.story, again=(*self.story.again, one))
        self.tells_who_is_due()

    def tells_who_is_due(self) -> None:
        if isinstance(silent := next_step(self.story, self.steps, now=self.now), Silent):
            self.now += A_MOMENT
            acknowledgements = tuple(
                held if held.let_go_at else replace(held, let_go_at=self.now, why=silent.why)
                for held in self.story.acknowledgements
            )
            self.story = replace(self.story, acknowledgements=acknowledgements)
            self.rounds.append([])
        while isinstance(step := next_step(self.story, self.steps, now=self.now), Tell) and step.due_at <= self.now:
            self.rounds[-1].append(step)
            one = Told(step.person, step.due_at, Delivery.DELIVERED)
            self.story = replace(self.story, told=(*self.story.told, one))


def night(steps: Sequence[Step], events: Sequence[tuple[str, object]]) -> Night:
    made_up = Night(steps)
    made_up.tells_who_is_due()
    for event in events:
        made_up.goes_on(event)
    return made_up


@given(rotas, happenings)
def test_nobody_is_skipped_and_nobody_is_told_twice_in_a_round(
    steps: tuple[Step, ...], events: list[tuple[str, object]]
) -> None:
    """In the order of the rota, beginning behind whoever let go; a gap is a person who could have gone."""
    lived = night(steps, events)

    order = [step.person for step in steps]
    for number, told_in_round in enumerate(lived.rounds):
        expected = order
        if number:
            let_go_by = sorted(
                (held for held in lived.story.acknowledgements if held.let_go_at), key=lambda held: held.at
            )[number - 1].person
            behind = order.index(let_go_by)
            expected = order[behind + 1 :] + order[:behind]
        assert [step.person for step in told_in_round] == expected[: len(told_in_round)]


@given(rotas, happenings)
def test_each_turn_has_its_reason(steps: tuple[Step, ...], events: list[tuple[str, object]]) -> None:
    """A person is told only when the one before had their time, was not reached, or let go."""
    lived = night(steps, events)

    within = {step.person: step.answers_within for step in steps}
    for told_in_round in lived.rounds:
        for before, turn in itertools.pairwise(told_in_round):
            assert turn.after == before.person
            waited = turn.due_at - before.due_at
            assert turn.why is Why.NOT_REACHED or waited >= within[before.person]
    first_of_each = [told_in_round[0].why for told_in_round in lived.rounds if told_in_round]
    reasons = [held.why for held in sorted(lived.story.acknowledgements, key=lambda held: held.at) if held.let_go_at]
    assert set(first_of_each) <= {Why.FIRST, *reasons}


@given(rotas, happenings)
def test_a_night_in_which_nobody_answers_ends_loudly(steps: tuple[Step, ...], events: list[tuple[str, object]]) -> None:
    """Whatever happened before: unless it is held, time alone leads to everybody being told and then to Exhausted."""
    lived = night(steps, events)

    for _ in range(len(steps) + 1):
        lived.goes_on(("pass", timedelta(hours=1)))
    end = next_step(lived.story, steps, now=lived.now)

    if end is not Done.HELD:
        let_go = max(
            (held for held in lived.story.acknowledgements if held.let_go_at is not None),
            key=lambda held: (held.let_go_at, held.person),
            default=None,
        )
        assert isinstance(end, Exhausted)
        assert {step.person for step in lived.rounds[-1]} == {step.person for step in steps} - {
            let_go.person if let_go else None
        }


@given(
    rotas,
    happenings,
    st.timedeltas(timedelta(0), timedelta(hours=9)),
    st.timedeltas(timedelta(0), timedelta(hours=9)),
)
def test_waiting_longer_never_takes_back_what_was_said(
    steps: tuple[Step, ...], events: list[tuple[str, object]], waited: timedelta, longer: timedelta
) -> None:
    """Looking again later may find it overdue, but not another person, and nothing undone."""
    lived = night(steps, events)
    first = next_step(lived.story, steps, now=lived.now + waited)
    again = next_step(lived.story, steps, now=lived.now + waited + longer)

    match first:
        case Tell():
            assert isinstance(again, Tell)
            assert (again.person, again.why) == (first.person, first.why)
            assert again.due_at == max(first.due_at, lived.now + waited + longer)
        case Waiting():
            until = getattr(again, "at", first.until)
            assert again == first or (isinstance(again, Exhausted | Silent) and until == first.until)
        case _:
            assert again == first


@given(rotas, happenings)
def test_the_order_of_rows_does_not_matter(steps: tuple[Step, ...], events: list[tuple[str, object]]) -> None:
    """A table has no order unless one is asked for."""
    lived = night(steps, events)
    story = lived.story
    turned = replace(story, told=tuple(reversed(story.told)), acknowledgements=tuple(reversed(story.acknowledgements)))

    assert next_step(turned, steps, now=lived.now) == next_step(story, steps, now=lived.now)
    assert set(told_so_far(turned)) == set(told_so_far(story))


def test_on_a_clock_that_stands_still_letting_go_moves_on_all_the_same() -> None:
    """Told, "mine" and "no" within one tick of a fast clock must not cost the next person five minutes."""
    story = replace(NEW, told=(told("anne"),), acknowledgements=(Acknowledgement("anne", RAISED, RAISED),))

    assert next_step(story, STEPS, now=RAISED) == Tell("jim", RAISED, Why.LET_GO, "anne")


def test_a_text_that_failed_must_say_when() -> None:
    """Without the moment the next person's turn cannot be timed."""
    with pytest.raises(ValueError, match="cannot be known"):
        Told("anne", RAISED, Delivery.FAILED)

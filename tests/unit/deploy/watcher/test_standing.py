"""Which alarms stand, and what is to be said about them now?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.watcher.judging import Alarm
from deploy.watcher.standing import Line, News, Rules, State, after_look, told
from deploy.watcher.wording import LETTERS_MAX, text_of

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)
RULES = Rules()
DOWN = {Alarm.INGEST: "ingest at a:1 does not answer"}


class Lived:
    """A watcher that is told what is wrong, minute by minute, and what it said."""

    def __init__(self, rules: Rules = RULES) -> None:
        """Begin at nine, with nothing wrong."""
        self.state, self.now, self.rules = State(), NINE, rules
        self.said: list[tuple[int, list[Line]]] = []

    def live(self, minutes: int, wrong: dict[Alarm, str], *, can_text: bool = True) -> "Lived":
        for _ in range(minutes):
            self.state, lines = after_look(self.state, wrong, now=self.now, rules=self.rules)
            if lines and can_text:
                self.said.append((round((self.now - NINE).total_seconds() / 60), lines))
                self.state = told(self.state, lines, now=self.now)
            self.now += timedelta(minutes=1)
        return self

    def news(self) -> list[tuple[int, News]]:
        return [(minute, line.news) for minute, lines in self.said for line in lines]


def test_what_lasts_is_said_once_again_each_half_hour_and_when_it_is_over() -> None:
    """Whoever went back to sleep is woken again; whoever mended it is told that it holds."""
    lived = Lived().live(40, DOWN).live(5, {})

    assert lived.news() == [(1, News.BEGAN), (31, News.AGAIN), (41, News.OVER)]
    assert lived.state.is_well


def test_a_restart_wakes_nobody() -> None:
    """A process that was restarted in order is gone for seconds."""
    assert Lived().live(1, DOWN).live(5, {}).news() == []


def test_what_flaps_is_one_alarm() -> None:
    """Up for a moment every other minute is down, and thirty texts are none."""
    lived = Lived()
    for _ in range(10):
        lived.live(2, DOWN).live(1, {})

    assert lived.news() == [(1, News.BEGAN)]


def test_what_could_not_be_texted_is_said_at_the_next_look() -> None:
    """Twilio was away for three minutes; the ingest that stands still is not forgotten."""
    assert Lived().live(4, DOWN, can_text=False).live(3, DOWN).news() == [(4, News.BEGAN)]


def test_a_second_thing_that_goes_wrong_is_said_at_once() -> None:
    """That ingest stands still does not say that the backups are too old."""
    lived = Lived().live(5, DOWN).live(5, DOWN | {Alarm.BACKUP: "old"})

    assert [(minute, line.alarm) for minute, lines in lived.said for line in lines] == [
        (1, Alarm.INGEST),
        (6, Alarm.BACKUP),
    ]


@settings(max_examples=30)
@given(st.lists(st.sets(st.sampled_from(list(Alarm))), max_size=150), st.integers(1, 6))
def test_no_hour_has_more_texts_than_it_may(looks: list[set[Alarm]], most: int) -> None:
    """A phone that never rests is switched off."""
    lived = Lived(Rules(again_after=timedelta(minutes=1), patience=timedelta(0), texts_an_hour=most))
    for wrong in looks:
        lived.live(1, dict.fromkeys(wrong, "why"))

    minutes = [minute for minute, _ in lived.said]
    assert all(later - first >= 60 for first, later in zip(minutes, minutes[most:], strict=False))


@settings(max_examples=30)
@given(st.lists(st.sets(st.sampled_from(list(Alarm))), max_size=60))
def test_of_each_alarm_beginning_and_end_alternate(looks: list[set[Alarm]]) -> None:
    """An "is over" without a beginning, or two beginnings, would make a puzzle of a night."""
    lived = Lived()
    for wrong in looks:
        lived.live(2, dict.fromkeys(wrong, "why"))

    for alarm in Alarm:
        news = [line.news for _, lines in lived.said for line in lines if line.alarm is alarm]
        began = [one for one in news if one is not News.AGAIN]
        assert began == [(News.BEGAN, News.OVER)[number % 2] for number in range(len(began))]
        assert not news or news[0] is News.BEGAN


@settings(max_examples=30)
@given(st.lists(st.builds(Line, st.sampled_from(list(Alarm)), st.sampled_from(list(News)), st.just(NINE), st.text()),
    min_size=1, max_size=9), st.text(max_size=40))  # fmt: skip
def test_a_text_is_short_and_in_plain_letters(lines: list[Line], service: str) -> None:
    """Two segments at most, in an alphabet that every phone has."""
    body = text_of(lines, service)

    assert len(body) <= LETTERS_MAX
    assert body.isascii()
    assert body.isprintable()
    assert lines[0].alarm.value in body


def test_a_text_says_what_since_when_and_why() -> None:
    """The first words are the heading under which the runbook says what to do; the time is the kitchen clock's."""
    july = datetime(2026, 7, 1, 1, 10, tzinfo=UTC)

    assert text_of([Line(Alarm.INGEST, News.BEGAN, july, DOWN[Alarm.INGEST])], "Kilbrae") == (
        "telecare watcher of Kilbrae: Ingest stands still since 01.07. 02:10: ingest at a:1 does not answer."
    )
    assert text_of([Line(Alarm.INGEST, News.OVER, july, "x")], "") == (
        "telecare watcher: Over: Ingest stands still (since 01.07. 02:10)."
    )

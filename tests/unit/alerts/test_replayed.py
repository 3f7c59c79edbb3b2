"""Does a replay say what was known, when it was known, and nothing that it could not know?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.agreement import disagreements
from alerts.judging.policy import LONDON, Policy
from alerts.recording import Observed
from alerts.replayed import Line, lines_of
from tests.unit.alerts.lived import MONDAY, walk

PLAIN = Policy(learned=False)


def of(kind: str, lines: Sequence[Line]) -> list[Line]:
    """Return the lines of one kind."""
    return [line for line in lines if line["kind"] == kind]


def london(*parts: int, fold: int = 0) -> str:
    """Return a wall time as it stands in the file."""
    year, month, day, hour = parts
    return datetime(year, month, day, hour, fold=fold, tzinfo=LONDON).isoformat()


def every(minutes: int, *, since: datetime, until: datetime) -> list[Observed]:
    """Return a resident who is seen in the kitchen at each step of time."""
    steps = (until - since) // timedelta(minutes=minutes)
    return [Observed(since + timedelta(minutes=minutes) * step, "kitchen") for step in range(steps + 1)]


BEGINNINGS = (MONDAY, datetime(2019, 3, 18, 6, tzinfo=UTC), datetime(2019, 10, 14, 5, tzinfo=UTC))
"""After the second and the third the clocks are changed, on the thirteenth day."""


@settings(max_examples=9, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(BEGINNINGS))
def test_the_file_agrees_with_itself(seed: int, begins: datetime) -> None:
    """What the dial promises comes, and nothing comes unannounced; from outside this is all that can be seen."""
    observed = walk(seed, 22, begins=begins)

    assert list(disagreements(list(lines_of("a", observed)), [one.at for one in observed])) == []


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.05, 1))
def test_a_recording_that_ends_sooner_gives_the_same_lines_up_to_there(seed: int, share: float) -> None:
    """A line that changes when the future is cut off knew the future."""
    observed = walk(seed, 20)
    cut = observed[: max(1, int(len(observed) * share))]
    ends = cut[-1].at

    whole = [
        line
        for line in lines_of("a", observed)
        if datetime.fromisoformat(str(line.get("at", line.get("until")))) <= ends
    ]
    shorter = list(lines_of("a", cut))

    assert shorter[: len(whole)] == whole
    assert {line["kind"] for line in shorter[len(whole) :]} <= {"alert"}


def test_when_nothing_more_is_recorded_the_alert_that_the_last_dial_promised_comes() -> None:
    """A collapse after which nothing was ever seen is the one that matters most."""
    observed = every(20, since=MONDAY, until=MONDAY + timedelta(hours=4))

    lines = list(lines_of("a", observed, PLAIN))

    assert (lines[-1]["question"], lines[-1]["at"]) == ("stillness", of("dial", lines)[-1]["next_alert_at"])


def test_a_home_that_was_seen_once_has_its_alert() -> None:
    """One row is all that there is of somebody who collapsed in her first minute here."""
    lines = list(lines_of("a", [Observed(MONDAY, "kitchen")], PLAIN))

    assert [line["kind"] for line in lines] == ["dial", "alert"]
    assert list(disagreements(lines, [MONDAY])) == []


def test_a_line_has_the_keys_that_were_agreed_and_no_other() -> None:
    """Judgement is measured from outside by these names."""
    lines = list(lines_of("a", walk(3, 20)))

    assert {tuple(line) for line in of("alert", lines)} == {("home", "kind", "question", "since", "at", "why")}
    assert {tuple(line) for line in of("dial", lines)} == {("home", "kind", "at", "next_alert_at", "why")}
    assert {tuple(line) for line in of("unusual", lines)} == {("home", "kind", "from", "until", "score")}
    names = {str(line["question"]) for line in of("alert", lines)}
    assert any(name.startswith("stillness") for name in names)
    assert {name for name in names if not name.startswith("stillness")} <= {"out", "night_up"}
    assert all(line["why"] for line in lines if "why" in line)


def test_while_an_alert_is_open_the_dial_says_when_it_was_raised() -> None:
    """Nobody should have to remember whether somebody was told already."""
    observed = [Observed(MONDAY, "kitchen"), Observed(MONDAY + timedelta(hours=9), "kitchen")]

    lines = list(lines_of("a", observed, PLAIN))

    raised = (MONDAY + timedelta(hours=6)).astimezone(LONDON).isoformat()
    assert of("alert", lines)[0]["at"] == raised
    dials = [line["next_alert_at"] for line in of("dial", lines)]
    assert dials[:9] == [raised] * 9
    assert dials[9] != raised


def test_a_reading_in_the_very_second_of_an_alert_does_not_take_it_back() -> None:
    """The dial promised it for exactly then, and nothing came before."""
    due = MONDAY + timedelta(hours=6)
    observed = [Observed(MONDAY, "kitchen"), Observed(due, "hallway"), Observed(due + timedelta(minutes=5), "hallway")]

    lines = list(lines_of("a", observed, PLAIN))

    assert of("alert", lines)[0]["at"] == due.astimezone(LONDON).isoformat()
    assert list(disagreements(lines, [one.at for one in observed])) == []


def test_a_full_hour_counts_what_was_seen_in_that_very_second() -> None:
    """Up to and including that instant."""
    at = MONDAY + timedelta(hours=2)
    observed = [Observed(MONDAY, "kitchen"), Observed(at, "hallway")]

    (*_, last) = of("dial", list(lines_of("a", observed, PLAIN)))

    assert last["next_alert_at"] == (at + timedelta(hours=6)).astimezone(LONDON).isoformat()


@pytest.mark.parametrize(
    ("night", "hours", "lengths"),
    [
        (datetime(2019, 3, 30, 18, tzinfo=UTC), ["00:00", "02:00", "03:00"], [5, 6]),
        (datetime(2019, 10, 26, 18, tzinfo=UTC), ["00:00", "01:00", "01:00", "02:00"], [7, 6]),
    ],
)
def test_on_the_nights_of_the_clocks_each_hour_has_its_dial_and_blocks_begin_at_midnight(
    night: datetime, hours: list[str], lengths: list[int]
) -> None:
    """A night of 23 or 25 hours has so many dials, and its first block is an hour shorter or longer."""
    observed = every(20, since=night, until=night + timedelta(hours=20))

    lines = list(lines_of("a", observed, PLAIN))

    walls = [str(line["at"])[11:16] for line in of("dial", lines)]
    midnight = walls.index("00:00")
    assert walls[midnight : midnight + len(hours)] == hours
    blocks = of("unusual", lines)
    spans = [
        datetime.fromisoformat(str(block["until"])) - datetime.fromisoformat(str(block["from"])) for block in blocks
    ]
    first = [str(block["from"])[11:16] for block in blocks].index("00:00")
    assert spans[first : first + 2] == [timedelta(hours=length) for length in lengths]
    assert list(disagreements(lines, [one.at for one in observed])) == []


def test_a_block_is_only_scored_once_it_is_over() -> None:
    """A score of half an afternoon would change with what comes."""
    observed = every(30, since=datetime(2019, 6, 3, 7, tzinfo=UTC), until=datetime(2019, 6, 3, 18, tzinfo=UTC))

    blocks = of("unusual", list(lines_of("a", observed, PLAIN)))

    assert [(block["from"], block["until"]) for block in blocks] == [
        (london(2019, 6, 3, 6), london(2019, 6, 3, 12)),
        (london(2019, 6, 3, 12), london(2019, 6, 3, 18)),
    ]


def test_years_in_which_nothing_was_recorded_are_gone_through() -> None:
    """A clock that was wrong once must not stop the replay, nor make the home blind."""
    observed = [Observed(MONDAY, "kitchen"), Observed(MONDAY + timedelta(days=800), "kitchen")]

    lines = list(lines_of("a", observed, PLAIN))

    assert len(of("alert", lines)) == 2
    assert list(disagreements(lines, [one.at for one in observed])) == []

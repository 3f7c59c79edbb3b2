"""When is a worker cut off from the broker, and when is it believed again?"""

from hypothesis import given
from hypothesis import strategies as st

from ingest.line import CUT_AFTER_S, Line

_looks = st.lists(st.tuples(st.booleans(), st.floats(0.1, 30.0)), min_size=1, max_size=60)


def _looked(line: Line, *, is_up: bool, from_s: float, until_s: float) -> None:
    at_s = from_s
    while at_s <= until_s:
        line.look(is_up=is_up, now_s=at_s)
        at_s += 1.0


def test_a_line_that_is_made_anew_within_seconds_says_nothing() -> None:
    """Other lanes take a new connection; nobody may lose or gain anything for it."""
    line, heard = Line(now_s=0.0), []
    for is_up, at_s in [(False, 0.5), (True, 1.0), (False, 50.0), (True, 53.0)]:
        line.look(is_up=is_up, now_s=at_s)
        heard.append((line.hears, line.cut_s))

    assert heard == [(None, None), (True, None), (None, None), (True, None)]


def test_a_line_that_stays_away_is_cut_and_then_must_hold() -> None:
    """Lanes that went to another come back once, and not to a line that breaks again at once."""
    line = Line(now_s=0.0)
    line.look(is_up=True, now_s=1.0)
    _looked(line, is_up=False, from_s=2.0, until_s=15.0)
    assert (line.hears, line.cut_s) == (False, 13.0)

    _looked(line, is_up=True, from_s=16.0, until_s=35.0)
    assert (line.hears, line.cut_s) == (False, None)
    line.look(is_up=True, now_s=36.0)

    assert line.hears is True


def test_a_line_that_comes_and_goes_is_believed_less_each_time() -> None:
    """Every time that it is believed, half of the homes change hands twice."""
    line, at_s, waited = Line(now_s=0.0), 0.0, []
    for _ in range(7):
        _looked(line, is_up=False, from_s=at_s, until_s=at_s + 20)
        began_s = at_s = at_s + 21
        while line.hears is not True:
            line.look(is_up=True, now_s=at_s)
            at_s += 1.0
        waited.append(round(at_s - 1.0 - began_s))

    assert waited == [20, 40, 80, 160, 320, 320, 320]


@given(_looks)
def test_nothing_is_done_about_a_line_before_it_was_away_for_long(
    looks: list[tuple[bool, float]],
) -> None:
    """Whatever it did before: a moment without a line moves no lane."""
    line, now_s, up_s = Line(now_s=0.0), 0.0, 0.0
    for is_up, after_s in looks:
        now_s += after_s
        line.look(is_up=is_up, now_s=now_s)
        up_s = now_s if is_up else up_s
        away_s = now_s - up_s

        assert line.cut_s is None or CUT_AFTER_S <= line.cut_s <= away_s
        assert not is_up or line.hears is not None

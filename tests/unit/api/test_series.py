"""Does the drawing of published quarters say what was published, and nothing more?"""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.confidence import wilson
from api.ledger import AUDIENCES
from api.views.series import QUARTERS_MAX, series_of


@st.composite
def published(draw: st.DrawFn) -> dict[str, Any]:
    """Give one series of one quarter as an edition has it: exact, between two numbers, or withheld."""
    answered = draw(st.integers(0, 200))
    least = most = share = interval = None
    if answered >= 10 and draw(st.booleans()):
        least = most = draw(st.integers(5, answered - 5))
        share, interval = round(least / answered, 4), [round(end, 4) for end in wilson(least, answered)]
    elif answered >= 5 and draw(st.booleans()):
        least, most = answered - 4, answered
        interval = [round(wilson(least, answered)[0], 4), 1.0]
    return {
        "answered": answered,
        "asked": answered + draw(st.integers(0, 50)),
        "confident_least": least,
        "confident_most": most,
        "confident_share": share,
        "interval_95": interval,
    }


def _editions(quarters: list[dict[str, Any]], audience: str = "family") -> list[dict[str, Any]]:
    found = []
    for number, one in enumerate(quarters):
        quarter = f"{2024 + number // 4}-Q{number % 4 + 1}"
        series = {**one, "audience": audience, "question": {"version": 1}, "since": quarter, "until": quarter}
        found.append({"quarter": quarter, "edition": 1, "series": [series]})
    return found


@given(st.lists(published(), max_size=40))
def test_a_square_stands_only_where_the_share_was_published(quarters: list[dict[str, Any]]) -> None:
    """A mark where only bounds were published would give away what was withheld."""
    shown = quarters[-QUARTERS_MAX:]
    found = series_of(_editions(quarters), AUDIENCES)

    assert bool(found) == any(one["interval_95"] for one in shown)
    for series in found:
        assert len(series.squares) == sum(one["confident_share"] is not None for one in shown)
        assert series.ranges.count("V") == sum(one["interval_95"] is not None for one in shown)
        assert [line.confident is None for line in series.lines] == [one["confident_least"] is None for one in shown]
        assert [line.interval is None for line in series.lines] == [one["interval_95"] is None for one in shown]


@given(st.lists(published(), min_size=1, max_size=40))
def test_everything_is_drawn_within_the_frame(quarters: list[dict[str, Any]]) -> None:
    """Whoever reads it on a phone sees all of it, and a higher share is higher."""
    for series in series_of(_editions(quarters), AUDIENCES):
        heights = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)V", series.ranges)]
        tops = [float(y) for y in re.findall(r"V([\d.]+)M", series.ranges)]
        assert all(10 <= top <= low <= 150 for low, top in zip(heights, tops, strict=True))
        assert all(34 <= x <= 336 for x, _ in series.labels)
        assert all(0 <= x <= 343 - 7 for x, _ in series.squares)


def test_audiences_are_never_drawn_into_one() -> None:
    """What carers say is not what families say."""
    one = {
        "answered": 20,
        "asked": 30,
        "confident_least": 10,
        "confident_most": 10,
        "confident_share": 0.5,
        "interval_95": [0.3, 0.7],
    }
    (family,), (carer,) = _editions([one]), _editions([one], "unpaid carer")
    both = {**family, "series": [*carer["series"], *family["series"]]}

    assert [series.audience for series in series_of([both], AUDIENCES)] == ["family", "unpaid carer"]

"""Is it said for how much of thirty days a home was watched, and never more than it was?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.finding import SeenLater
from alerts.judging.minutes import MONTH, Figures, Gap, Span
from alerts.judging.watched import Watched
from alerts.store import SeenFor
from api import pictures
from api.views import watched_time

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)  # A Tuesday, 09:14 in London.
SINCE = NOW - MONTH
GAP = Gap(datetime(2026, 6, 16, 1, 10, tzinfo=UTC), datetime(2026, 6, 16, 1, 25, tzinfo=UTC), ("line",))


def said(seen: Figures, *later: SeenLater, begins: datetime = SINCE) -> str:
    return watched_time.in_words(seen, later, begins=begins, since=SINCE, now=NOW)


def test_a_month_is_said_with_its_last_gap_and_why() -> None:
    """The line that a council reads first, and a daughter too."""
    seen = Figures(watched=42_854, blind=346, last_gap=GAP)

    assert said(seen) == ("Watched 99.1 % of 30 days; last gap 02:10 to 02:25, the box had lost its connection.")


def test_what_arrived_later_explains_the_gap() -> None:
    """It stays a gap; that she walked about in it may be known all the same."""
    assert GAP.until is not None
    later = SeenLater("home", GAP.since, GAP.until, GAP.since, GAP.since, 3, NOW)

    assert said(Figures(watched=43_185, blind=15, last_gap=GAP), later).endswith("its connection, seen later.")


def test_a_gap_that_goes_on_is_said_to() -> None:
    """Nobody may take the last minute that was seen for now."""
    assert "last gap since 02:10, our own service was away." in said(
        Figures(watched=10, blind=5, last_gap=Gap(GAP.since, None, ("us",)))
    )


def test_a_home_of_a_few_days_does_not_boast_of_thirty() -> None:
    """A new home has no month behind it."""
    begins = NOW - timedelta(days=2)

    assert said(Figures(watched=2_880), begins=begins).startswith("Watched 100.0 % since Sunday 14 June, 09:14; no gap")


def test_a_first_hour_has_no_share() -> None:
    """Until its box reports nothing can be seen: of its first minute a home was watched for nothing."""
    begins = NOW - timedelta(minutes=40)
    gap = Gap(begins, begins + timedelta(minutes=20), ("never heard",))
    row = SeenFor("home", 40, 20, gap.since, gap.until, "never heard")

    assert said(Figures(watched=20, blind=20, last_gap=gap), begins=begins) == (
        "Watched since 08:34 today, too short for a share; last gap 08:34 to 08:54, no box reported."
    )
    assert watched_time.row_in_words(row, now=NOW).startswith("Watched for 40 min, too short for a share; last gap")


def test_a_home_that_is_not_watched_has_no_share() -> None:
    """Nothing of nothing is no hundred per cent."""
    assert said(Figures()) == "Not watched for a whole minute yet."


@given(st.integers(0, 50_000), st.integers(1, 50_000), st.integers(0, 50_000))
def test_a_share_is_never_rounded_up(watched: int, blind: int, degraded: int) -> None:
    """Only a home without a blind minute was watched for all of its time."""
    share = Figures(watched=watched, blind=blind, degraded=degraded).share
    assert share is not None

    shown = float(watched_time.percent(share).split(" ", maxsplit=1)[0])

    assert shown <= 100 * share + 1e-6
    assert shown < 100


def test_a_list_says_the_same_of_each_home() -> None:
    """Two pages with two figures for one home, and neither is believed."""
    row = SeenFor("home", 43_200, 346, GAP.since, GAP.until, "line")

    assert watched_time.row_in_words(row, now=NOW) == said(Figures(watched=42_854, blind=346, last_gap=GAP))


def test_the_strip_shows_the_shortest_gap() -> None:
    """A gap of a minute in a month is narrower than a pixel, and still a gap."""
    spans = [
        Span(SINCE, GAP.since, Watched.WATCHED, ()),
        Span(GAP.since, GAP.since + timedelta(minutes=1), Watched.BLIND, ("hub",)),
        Span(GAP.since + timedelta(minutes=1), NOW, Watched.DEGRADED, ()),
    ]

    drawn = pictures.of_watch(spans, since=SINCE, now=NOW)

    (box,) = drawn.unseen
    assert box.width >= 1
    assert 0 <= box.x <= pictures.WIDTH - box.width
    assert all(shape.path for shape in drawn.shapes)

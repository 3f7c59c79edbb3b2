"""Is a recording read as it was meant, and is what cannot be read counted and nothing else?"""

import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts import recording
from alerts.judging.policy import LONDON
from alerts.recording import Observed

HEADER = "home,observed_at,location\n"


def read(text: str, *homes: str) -> recording.Recording:
    """Return what stands in a text."""
    return recording.read(io.StringIO(text), homes)


def moments(text: str) -> list[datetime]:
    """Return when the one home of a text was seen."""
    (observed,) = read(text).homes.values()
    return [one.at for one in observed]


def test_rows_are_taken_for_london_wall_time() -> None:
    """In June nine o'clock on the wall is eight in UTC; an hour off would shift a whole routine."""
    found = read(f"{HEADER}a,2019-06-03 09:00:00,kitchen\nb,2019-01-03T09:00:00.5,front-door\n")

    assert found.homes == {
        "a": (Observed(datetime(2019, 6, 3, 8, tzinfo=UTC), "kitchen"),),
        "b": (Observed(datetime(2019, 1, 3, 9, 0, 0, 500_000, tzinfo=UTC), "front-door"),),
    }
    assert (found.rows, found.malformed, found.out_of_order, found.repeated) == (2, {}, 0, 0)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a,2019-06-03 09:00:00", "not three columns"),
        ("a,2019-06-03 09:00:00,kitchen,1", "not three columns"),
        ('a,2019-06-03 09:00:00,"kitchen', "not three columns"),
        (",2019-06-03 09:00:00,kitchen", "no home"),
        ("a,2019-06-03 09:00:00,", "no location"),
        ("a,2019-06-03 09:00:00,kit\x00chen", "no location"),
        ("a,2019-06-03,kitchen", "not a wall time"),
        ("a,2019-06-03 09:00:00+01:00,kitchen", "not a wall time"),
        ("a,2019-02-30 09:00:00,kitchen", "not a wall time"),
        ("a,1970-01-01 00:00:00,kitchen", "a year that cannot be"),
        ("a,9999-12-31 23:59:59,kitchen", "a year that cannot be"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_and_costs_no_other(row: str, why: str) -> None:
    """One broken row must not cost a month of a home, nor be passed over in silence."""
    found = read(f"{HEADER}a,2019-06-03 08:00:00,kitchen\n{row}\na,2019-06-03 10:00:00,kitchen\n")

    assert len(found.homes["a"]) == 2
    assert (found.malformed, found.examples, found.rows) == ({why: 1}, [(3, why)], 3)
    assert next(iter(recording.reported(found))).startswith("1 of 3 rows cannot be used")


def test_rows_out_of_order_are_put_in_order_and_counted() -> None:
    """What arrived late happened when it happened."""
    found = read(f"{HEADER}a,2019-06-03 10:00:00,kitchen\na,2019-06-03 09:00:00,hallway\n")

    assert [one.location for one in found.homes["a"]] == ["hallway", "kitchen"]
    assert found.out_of_order == 1


def test_homes_whose_rows_are_mixed_are_read_as_if_they_stood_apart() -> None:
    """A street is written down as it happens, and one home's order is no matter of another's."""
    a, b = ([f"{home},2019-06-03 {hour}:00:00,kitchen\n" for hour in range(10, 20)] for home in "ab")

    mixed = read(HEADER + "".join(row for pair in zip(a, reversed(b), strict=True) for row in pair))

    assert mixed.homes == read(HEADER + "".join(a + b)).homes
    assert (mixed.out_of_order, mixed.malformed) == (9, {})


def test_the_same_row_twice_counts_once() -> None:
    """A message that was sent again is not a second movement."""
    row = "a,2019-06-03 10:00:00,kitchen\n"

    found = read(HEADER + row * 3 + row.replace("kitchen", "hallway"))

    assert (len(found.homes["a"]), found.repeated) == (2, 2)


def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_the_rows() -> None:
    """In the last night of October 01:30 is followed by 01:10, and nobody walked backwards in time."""
    rows = [f"a,2019-10-27 {wall},kitchen\n" for wall in ("00:30:00", "01:30:00", "01:10:00", "01:40:00", "02:10:00")]

    found = read(HEADER + "".join(rows))

    assert [f"{one.at:%H:%M}" for one in found.homes["a"]] == ["23:30", "00:30", "01:10", "01:40", "02:10"]
    assert found.out_of_order == 0


def test_a_time_that_the_clocks_skipped_is_taken_as_if_they_had_not_been_put_forward() -> None:
    """Somebody did move; a clock on the wall is put forward when somebody thinks of it."""
    assert moments(f"{HEADER}a,2019-03-31 01:30:00,kitchen\n") == [datetime(2019, 3, 31, 1, 30, tzinfo=UTC)]


def test_only_the_homes_asked_for_are_read() -> None:
    """The broken rows of another home are no matter here."""
    found = read(f"{HEADER}a,2019-06-03 10:00:00,kitchen\nb,2019-06-03 10:00:00,kitchen\n", "b")

    assert (list(found.homes), found.rows) == (["b"], 1)


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_file_may_be_packed_or_not_whatever_it_is_called(tmp_path: Path, is_packed: bool) -> None:
    """People rename files; what is inside says what it is."""
    path = tmp_path / "a.csv"
    text = f"\ufeff{HEADER}a,2019-06-03 10:00:00,kitchen\n".encode()
    path.write_bytes(gzip.compress(text) if is_packed else text)

    with recording.opened(path) as lines:
        assert len(recording.read(lines).homes["a"]) == 1


def test_a_packed_file_that_ends_in_the_middle_is_said_to_be_damaged(tmp_path: Path) -> None:
    """Half a recording would be judged as a home in which everything stopped."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "a,2019-06-03 10:00:00,kitchen\n" * 1000).encode())[:-20])

    with pytest.raises(recording.Unreadable, match="damaged"), recording.opened(path) as lines:
        recording.read(lines)


@given(st.lists(st.text(max_size=60), max_size=30))
def test_whatever_stands_in_a_file_is_counted_once(rows: list[str]) -> None:
    """A file found on some disk may hold anything; it may not bring the reader down or vanish unseen."""
    found = read("".join(row.replace("\n", "").replace("\r", "") + "\n" for row in rows))

    used = sum(len(observed) for observed in found.homes.values())
    assert used + found.repeated + sum(found.malformed.values()) == found.rows


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=60)), min_size=1, max_size=40))
def test_the_order_of_the_rows_makes_no_difference(past_new_year: list[timedelta]) -> None:
    """Away from the one hour that comes twice, when it happened is all that counts."""
    walls = [datetime(2019, 1, 1, tzinfo=UTC) + past for past in past_new_year]
    rows = [f"a,{wall:%Y-%m-%d %H:%M:%S},kitchen\n" for wall in walls]

    assert moments("".join(rows)) == moments("".join(sorted(rows)))
    assert moments("".join(rows)) == sorted(set(moments("".join(rows))))


@given(st.timedeltas(timedelta(0), timedelta(days=5000)), st.timedeltas(timedelta(0), timedelta(hours=3)))
@example(timedelta(days=299, hours=0, minutes=30), timedelta(minutes=40))
def test_placing_rows_that_are_in_order_keeps_them_in_order(past: timedelta, later: timedelta) -> None:
    """On any night, also those on which the clocks are changed, unless a time was skipped."""
    begins = datetime(2019, 1, 1, tzinfo=UTC) + past
    walls = [at.astimezone(LONDON).replace(tzinfo=None) for at in (begins, begins + later)]

    one = recording.placed(walls[0], after=begins)
    other = recording.placed(walls[1], after=one)

    assert one == begins
    assert other >= one

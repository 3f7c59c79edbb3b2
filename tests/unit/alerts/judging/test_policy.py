"""Are an operator's numbers taken as they were meant?"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from alerts.judging.policy import Policy, as_far_as_known, day_of, from_json, to_json
from tests.unit.alerts.judging.recorded import MOMENTS, policies


@given(policies())
def test_a_policy_comes_back_from_the_database_as_it_went_in(policy: Policy) -> None:
    """A threshold that changes on its way is a threshold that nobody set."""
    assert from_json(to_json(policy)) == policy


@pytest.mark.parametrize(
    "wrong",
    [
        {"still_for": timedelta(0)},
        {"still_for": timedelta(days=8)},
        {"again_after": timedelta(seconds=-1)},
        {"waking_from": time(9), "waking_until": time(9, 30)},
        {"waking_from": time(9, tzinfo=UTC)},
    ],
)
def test_a_number_outside_its_range_is_no_policy(wrong: dict[str, object]) -> None:
    """A stillness of no time would be an alert every second; one of a year would be none."""
    with pytest.raises(ValueError, match=r"must be|no zone"):
        Policy(**wrong)  # type: ignore[arg-type]  # Wrong on purpose.


@pytest.mark.parametrize(
    "content", [{}, {**to_json(Policy()), "still_for_s": "six hours"}, {**to_json(Policy()), "still_for_s": 1e300}]
)
def test_what_is_no_policy_says_so(content: dict[str, object]) -> None:
    """Whoever judges must be able to go on with the policy it has."""
    with pytest.raises(ValueError):  # noqa: PT011  # Which words, is the decoder's matter.
        from_json(content)


@given(policies(), MOMENTS)
def test_waking_hours_never_overlap_and_never_run_backwards(policy: Policy, since: datetime) -> None:
    """An hour that counts twice on the night of the clocks' change would raise an alert too soon."""
    spans = list(islice(policy.waking_spans(since), 400))

    assert spans[0][0] >= since
    assert all(begins <= ends for begins, ends in spans)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


@given(MOMENTS)
def test_the_day_of_those_who_live_it_begins_at_four(at: datetime) -> None:
    """Who goes to bed at one has not got up at one."""
    wall = at.astimezone(ZoneInfo("Europe/London"))

    assert day_of(at) == (wall.date() if wall.hour >= 4 else wall.date() - timedelta(days=1))


def test_the_example_of_a_night_after_a_party() -> None:
    """The rule in a form that can be read: one in the morning still belongs to the day before."""
    assert day_of(datetime(2026, 1, 1, 1, tzinfo=UTC)) == date(2025, 12, 31)


def test_of_a_newer_releases_policy_what_can_be_read_counts() -> None:
    """Who is texted next must not wait for an upgrade; what cannot be read is the product's own."""
    said = to_json(Policy(escalate_after=timedelta(minutes=9), policy=7, rules=()))
    newer = said | {"kettle_for_s": 1.0, "cold_c": 99.0, "waking_from": "noonish", "rules": [{"sees": "steam"}]}

    assert as_far_as_known(newer) == Policy(escalate_after=timedelta(minutes=9), policy=7)
    assert as_far_as_known(said) == from_json(said)


def test_numbers_that_do_not_go_together_are_the_products_own() -> None:
    """Each alone may be read, and yet no home can be told by both."""
    assert as_far_as_known({"policy": 7, "cold_c": 24.0, "hot_c": 24.5}) == Policy(policy=7)

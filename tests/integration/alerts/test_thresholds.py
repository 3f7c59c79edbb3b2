"""Thresholds in a real database: for all, a group, one home; versioned, taken back, in force when they should be."""

from datetime import timedelta

import pytest

from alerts import store
from alerts.judging.policy import DEFAULT, from_json
from alerts.store import thresholds, versions
from alerts.store.thresholds import CannotSet, Change
from alerts.store.versions import ALL, Scope, Width
from ingest import devices
from tests.integration.alerts.conftest import HOME, NINE, Street
from tests.world.database import Database

HERE = Scope(Width.HOME, HOME)
NORTH = Scope(Width.GROUP, "north-street")


def by_control(why: str = "a test", **by: float) -> Change:
    return Change(by="control", why=why, at=NINE + timedelta(**by))


async def given_to_judgement(street: Street, home: str = HOME) -> list[tuple[float, list[int]]]:
    """Return `still_for` in hours and the versions behind it, of each policy that judgement was given."""
    rows = await street.conn.execute(
        "SELECT content FROM judging_input WHERE home = %s AND kind = 'policy' ORDER BY input", (home,)
    )
    policies = [from_json(row[0]) for row in await rows.fetchall()]
    return [(one.still_for / timedelta(hours=1), list(one.versions)) for one in policies]


async def test_the_nearest_scope_wins_and_each_is_named(street: Street) -> None:
    """Who asks why she was rung must find every version that had a part in it."""
    await thresholds.make_group(street.conn, "north-street", [HOME], by_control())
    for_all = await thresholds.set_numbers(street.conn, ALL, {"still_for_s": 3600 * 8, "learned": False}, by_control())
    for_group = await thresholds.set_numbers(street.conn, NORTH, {"still_for_s": 3600 * 7}, by_control())
    for_home = await thresholds.set_numbers(street.conn, HERE, {"escalate_after_s": 600}, by_control())

    policy = await store.policy_of(street.conn, HOME)

    assert (policy.still_for, policy.learned) == (timedelta(hours=7), False)
    assert policy.escalate_after == timedelta(minutes=10)
    assert policy.versions == (for_all, for_group, for_home)
    assert policy.policy is not None
    behind = await versions.versions_behind(street.conn, policy.policy)
    assert [one.scope for one in behind] == [ALL, NORTH, HERE]
    assert await given_to_judgement(street) == [
        (8, [for_all]),
        (7, [for_all, for_group]),
        (7, [for_all, for_group, for_home]),
    ]


async def test_taken_back_is_a_new_version_that_says_so(street: Street) -> None:
    """What was in force when she fell must stay to be read."""
    first = await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 5}, by_control("lies in"))
    second = await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 9}, by_control("fewer", hours=1))
    assert second is not None

    third = await thresholds.take_back(street.conn, second, by_control("too few", hours=2))

    told = [(one.version, one.why, one.takes_back) for one in await versions.history_of(street.conn, HERE)]
    assert told == [(third, "too few", second), (second, "fewer", None), (first, "lies in", None)]
    assert (await store.policy_of(street.conn, HOME)).still_for == timedelta(hours=5)


async def test_the_first_version_can_be_taken_back_too(street: Street) -> None:
    """Back to what the product has by itself."""
    first = await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 5}, by_control())
    assert first is not None

    await thresholds.take_back(street.conn, first, by_control(hours=1))

    assert (await store.policy_of(street.conn, HOME)).still_for == DEFAULT.still_for


async def test_a_version_to_come_is_in_force_from_its_moment(street: Street) -> None:
    """Tonight at ten is neither now nor in the morning."""
    change = Change(by="control", why="at night", at=NINE, from_=NINE + timedelta(hours=13))
    await thresholds.set_numbers(street.conn, ALL, {"still_for_s": 3600 * 4}, change)

    assert not await thresholds.settle_due(street.conn, now=NINE + timedelta(hours=12))
    assert await given_to_judgement(street) == []
    assert await thresholds.settle_due(street.conn, now=NINE + timedelta(hours=13))
    assert not await thresholds.settle_due(street.conn, now=NINE + timedelta(hours=14))
    assert [still for still, _ in await given_to_judgement(street)] == [4]


async def test_what_is_set_later_stands_over_what_was_still_to_come(street: Street) -> None:
    """The last word counts, also where an earlier one waits for its evening."""
    change = Change(by="control", why="at night", at=NINE, from_=NINE + timedelta(hours=13))
    await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 4}, change)
    await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 5}, by_control(hours=1))

    await thresholds.settle_due(street.conn, now=NINE + timedelta(hours=13))

    assert [still for still, _ in await given_to_judgement(street)] == [5]


async def test_who_leaves_a_group_leaves_its_numbers(street: Street) -> None:
    """Membership decides what a home is judged by, so it is written for judgement like a number."""
    await thresholds.set_numbers(street.conn, ALL, {"still_for_s": 3600 * 8}, by_control())
    await thresholds.make_group(street.conn, "north-street", [HOME], by_control())
    await thresholds.set_numbers(street.conn, NORTH, {"still_for_s": 3600 * 7}, by_control())

    await thresholds.make_group(street.conn, "north-street", [], by_control("moved to another scheme"))

    assert [still for still, _ in await given_to_judgement(street)] == [8, 7, 8]
    assert await versions.groups(street.conn) == {"north-street": ()}


async def test_numbers_that_do_not_go_together_in_one_home_are_refused_for_all(street: Street) -> None:
    """Half of a change is one that nobody decided on."""
    await thresholds.set_numbers(street.conn, HERE, {"waking_until": "08:30:00"}, by_control())

    with pytest.raises(CannotSet, match=f"{HOME}: waking hours"):
        await thresholds.set_numbers(street.conn, ALL, {"waking_from": "08:00:00"}, by_control())
    assert await versions.latest_of(street.conn, ALL) is None


@pytest.mark.parametrize(
    ("scope", "numbers", "change", "word"),
    [
        (Scope(Width.HOME, "nowhere"), {}, by_control(), "no home 'nowhere'"),
        (NORTH, {}, by_control(), "no group 'north-street'"),
        (HERE, {"still_for": 1}, by_control(), "has no still_for"),
        (HERE, {"still_for_s": 3600}, by_control(" "), "why"),
        (HERE, {"still_for_s": 3600}, Change(by="c", why="w", at=NINE, from_=NINE - timedelta(hours=1)), "past"),
    ],
)
async def test_what_cannot_be_set_says_why(
    street: Street, scope: Scope, numbers: dict[str, object], change: Change, word: str
) -> None:
    """An operator mends what one sentence says."""
    with pytest.raises(CannotSet, match=word):
        await thresholds.set_numbers(street.conn, scope, numbers, change)  # type: ignore[arg-type]  # Wrong on purpose.


async def test_a_setup_file_read_again_undoes_nothing(street: Street) -> None:
    """The file was read in spring; what an operator found out since is worth more, also than its newer edition."""
    await thresholds.set_as_file_says(street.conn, HERE, {"still_for_s": 3600 * 5}, now=NINE)
    await thresholds.set_as_file_says(street.conn, HERE, {"still_for_s": 3600 * 5}, now=NINE)
    await thresholds.set_as_file_says(street.conn, HERE, {"still_for_s": 3600 * 6}, now=NINE)
    set_since = await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 7}, by_control(hours=1))

    for hours in (6, 4):
        numbers = {"still_for_s": 3600 * hours}
        kept = await thresholds.set_as_file_says(street.conn, HERE, numbers, now=NINE + timedelta(hours=2))
        assert kept is not None
        assert kept.version == set_since
    assert [still for still, _ in await given_to_judgement(street)] == [5, 6, 7]


async def test_a_setup_file_can_be_given_the_last_word(street: Street) -> None:
    """Whoever keeps the truth in the file says so, and then it is."""
    await thresholds.set_numbers(street.conn, HERE, {"still_for_s": 3600 * 7}, by_control())

    later = NINE + timedelta(hours=3)
    kept = await thresholds.set_as_file_says(street.conn, HERE, {"still_for_s": 3600 * 4}, now=later, takes_all=True)

    assert kept is None
    assert [still for still, _ in await given_to_judgement(street)] == [7, 4]


async def test_a_home_added_later_is_judged_by_what_stands_for_all(street: Street, database: Database) -> None:
    """Nobody sets anything for a new home on its first day."""
    await thresholds.set_numbers(street.conn, ALL, {"still_for_s": 3600 * 8}, by_control())
    with database.connect() as conn:
        devices.add_home(conn, "new-home", now=NINE)

    await store.set_watched(street.conn, "new-home", "hub-new", now=NINE)

    assert [still for still, _ in await given_to_judgement(street, "new-home")] == [8]

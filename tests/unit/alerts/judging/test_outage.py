"""Are many silent hubs told as one outage, and one alone as itself?"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.outage import (
    EVERYWHERE,
    HOMES_MIN,
    TOGETHER,
    SilentHub,
    area_in_words,
    belongs,
    homes_min,
    outages,
)
from tests.unit.alerts.judging.recorded import NINE

SECOND = timedelta(seconds=1)


def hub(number: int, after_s: float, *areas: str) -> SilentHub:
    return SilentHub(number, f"home-{number}", NINE + after_s * SECOND, frozenset(areas))


_HUBS = st.lists(
    st.builds(
        hub, st.integers(0, 99), st.integers(0, 900), st.sampled_from(["district:LS6", "district:LS7"]),
        st.sampled_from(["group:mill", "group:hill"]),
    ),
    max_size=30,
    unique_by=lambda one: one.alert,
)  # fmt: skip


@given(_HUBS)
def test_an_outage_is_three_homes_that_share_a_place_and_a_moment(hubs: list[SilentHub]) -> None:
    """What is told as one must be one, and no hub be told twice."""
    found = outages(hubs)

    everybody = [one for outage in found for one in outage.hubs]
    assert len(everybody) == len(set(everybody))
    for outage in found:
        assert outage.homes >= HOMES_MIN
        assert all(outage.area in one.areas for one in outage.hubs)
        assert outage.hubs[-1].since - outage.since <= TOGETHER
        assert all(belongs(one, outage.area, outage.since, outage.hubs[-1].since) for one in outage.hubs)


@given(_HUBS)
def test_what_is_left_over_is_no_outage(hubs: list[SilentHub]) -> None:
    """A home whose hub fell silent by itself is told by itself."""
    told = {one for outage in outages(hubs) for one in outage.hubs}

    assert outages([one for one in hubs if one not in told]) == []


def test_forty_homes_of_one_power_cut_are_one_outage() -> None:
    """One text, not forty."""
    (outage,) = outages([hub(n, n * 1.4, "district:LS6") for n in range(40)])

    assert (outage.area, outage.homes, outage.since) == ("district:LS6", 40, NINE)


def test_two_homes_are_a_coincidence() -> None:
    """Two neighbours who unplug their boxes need two visits."""
    assert outages([hub(n, 0, "district:LS6") for n in range(2)]) == []


def test_homes_that_share_nothing_are_no_outage() -> None:
    """Three faults in three towns are three faults."""
    assert outages([hub(n, 0, f"district:LS{n}") for n in range(9)]) == []


@given(st.integers(0, 100_000))
def test_the_more_homes_share_a_network_the_more_must_fall_silent_to_be_an_outage(heard: int) -> None:
    """Of five thousand boxes on one network three are silent by chance every few hours; those are three faults."""
    least = homes_min("network:mobile-a", heard)

    assert HOMES_MIN <= least <= homes_min("network:mobile-a", heard + 1) <= 50
    assert heard > 200 or least == HOMES_MIN
    assert heard < 5000 or least > HOMES_MIN + 2


@given(st.integers(0, 100_000))
def test_our_own_line_is_suspected_only_where_most_homes_are_silent(heard: int) -> None:
    """A storm cuts many lines that are not ours, and each of them is somebody's to mend."""
    assert 2 * homes_min(EVERYWHERE, heard) > heard


def test_what_most_homes_share_is_told_and_not_each_district() -> None:
    """Our own line is one thing to mend, wherever the homes are."""
    hubs = [hub(n, n, f"district:LS{n // 4}", EVERYWHERE) for n in range(40)]

    (outage,) = outages(hubs, {EVERYWHERE: 60})

    assert (outage.area, outage.homes) == (EVERYWHERE, 40)
    assert len(outages(hubs, {EVERYWHERE: 200})) == 10


def test_areas_are_said_in_words() -> None:
    """An operator reads where the homes are."""
    areas = ("district:LS6", "group:mill-lane", "network:mobile-a", EVERYWHERE)
    assert [area_in_words(area) for area in areas] == [
        "in district LS6",
        "in group mill-lane",
        "on network mobile-a",
        "everywhere",
    ]

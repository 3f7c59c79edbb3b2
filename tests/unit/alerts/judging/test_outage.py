"""Are many silent hubs told as one outage, and one alone as itself?"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.outage import HOMES_MIN, TOGETHER, SilentHub, areas_of, belongs, outages
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


def test_a_home_shares_its_district_and_its_group() -> None:
    """A scheme with one line of its own is a group that operators made."""
    assert areas_of("LS6", "mill-lane") == {"district:LS6", "group:mill-lane"}
    assert areas_of(None, None) == frozenset()

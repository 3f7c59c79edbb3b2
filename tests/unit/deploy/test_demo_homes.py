"""Can a street of any size be set up, watched and lived in?"""

from pathlib import Path

import pytest

from deploy import street
from deploy.demo import OF_A_SENSOR, ORDERS, simulated
from deploy.demo_homes import FILE, HOMES_MAX, street_of
from firmware_sim.faults import NEEDS_SENSOR, Do
from firmware_sim.street import street_in

RADIO = {"port": 1883, "user": "equipment", "password": "secret"}


def test_the_homes_of_the_file_come_first_and_as_they_are() -> None:
    """What the README tells of Margaret must stay true however long her street is."""
    written = street.read(FILE)

    assert street_of(20).home[:3] == written.home
    assert street_of(20).person[: len(written.person)] == written.person
    assert len(street_of(20).home) == 20


def test_what_the_file_says_beside_homes_and_people_stands() -> None:
    """A home that names a team which is nowhere cannot be set up, and no demo starts."""
    written = street.read(FILE)
    kept = [name for name in written.__struct_fields__ if name not in {"person", "home"}]
    assert "team" in kept
    assert [getattr(street_of(20), name) for name in kept] == [getattr(written, name) for name in kept]


def test_the_longest_street_holds_together() -> None:
    """Two people with one phone, or two homes with one hub, would be told each other's alarms."""
    longest = street_of(HOMES_MAX)

    assert list(street._mistakes(longest)) == []
    assert len({home.resident.name for home in longest.home}) == HOMES_MAX


@pytest.mark.parametrize("homes", [0, HOMES_MAX + 1])
def test_a_street_of_none_or_too_many_is_refused(homes: int) -> None:
    """Each home is two processes; a typing error must not be ten thousand of them."""
    with pytest.raises(ValueError, match="homes"):
        street_of(homes)


def test_the_simulator_can_live_in_every_home_that_is_watched(tmp_path: Path) -> None:
    """A home that is watched and not lived in would be a silent one from the first day."""
    watched = street_of(HOMES_MAX)
    (tmp_path / "street.toml").write_text("\n".join(simulated(home, RADIO) for home in watched.home))

    lived = street_in(tmp_path / "street.toml", seed=1)

    assert [it.spec.home for it in lived] == [home.id for home in watched.home]
    for it, home in zip(lived, watched.home, strict=True):
        assert [(s.name, s.kind.value) for s in it.spec.sensors] == [(s.id, s.kind) for s in home.sensor]
    assert len({str(it.spec.household) for it in lived[3:]}) == HOMES_MAX - 3


def test_the_demo_tells_all_that_may_be_ordered() -> None:
    """What is not printed is not found."""
    assert {*ORDERS, *OF_A_SENSOR} == {do.value for do in Do}
    assert set(OF_A_SENSOR) == {do.value for do in NEEDS_SENSOR}

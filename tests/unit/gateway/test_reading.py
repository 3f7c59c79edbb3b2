"""What shows that somebody is there?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import ALARMS, SIGNS_OF_LIFE, Quantity, is_sign_of_life

BY_A_PERSON = {Quantity.PENDANT_ALARM, Quantity.PULL_CORD_ALARM, Quantity.FALL_ALARM}


@pytest.mark.parametrize("quantity", sorted(ALARMS))
def test_only_an_alarm_that_a_person_raises_is_a_sign_of_life(quantity: Quantity) -> None:
    """Smoke in a home says that there is a fire, not that the one who lives there is up."""
    assert is_sign_of_life(quantity, 1.0) == (quantity in BY_A_PERSON)


@given(st.sampled_from(sorted(set(Quantity) - SIGNS_OF_LIFE)), st.floats(allow_nan=False))
def test_what_a_thing_measures_is_never_a_sign_of_life(quantity: Quantity, value: float) -> None:
    """A thermometer reports from an empty home too, and would hide a fall."""
    assert not is_sign_of_life(quantity, value)


@pytest.mark.parametrize("quantity", sorted(SIGNS_OF_LIFE - {Quantity.OPEN}))
def test_an_end_is_not_a_sign_of_life(quantity: Quantity) -> None:
    """The end of a movement is the sensor's own timing."""
    assert not is_sign_of_life(quantity, 0.0)


def test_a_door_that_closes_was_closed_by_somebody() -> None:
    """Both ways of a door count."""
    assert is_sign_of_life(Quantity.OPEN, 0.0)
    assert is_sign_of_life(Quantity.OPEN, 1.0)

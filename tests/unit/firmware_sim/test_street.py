"""Is a street file read as it was meant, and refused in words when it cannot be?"""

from pathlib import Path

import pytest

from firmware_sim.models import Kind
from firmware_sim.radio import Broker
from firmware_sim.routines import ROUTINES, Household
from firmware_sim.sensors import SensorSpec
from firmware_sim.street import BadStreet, street_in

GOOD = """
[[home]]
id = "h1"
resident = "late riser"
broker = "127.0.0.1:18831"
user = "z2m"
password_file = "h1.secret"

[[home.sensor]]
name = "hall-motion"
kind = "motion"
room = "hallway"

[[home.sensor]]
name = "pendant"
kind = "pendant"
model = "SNZB-01"
"""


def street(folder: Path, text: str) -> Path:
    (folder / "h1.secret").write_text("very secret\n")
    path = folder / "street.toml"
    path.write_text(text)
    return path


def test_a_good_street_is_read(tmp_path: Path) -> None:
    """What stands in the file is what hangs on the wall."""
    (home,) = street_in(street(tmp_path, GOOD), seed=1)

    assert home.spec.home == "h1"
    assert home.spec.household == Household(ROUTINES["late riser"])
    assert home.spec.sensors == (
        SensorSpec("hall-motion", Kind.MOTION, "hallway", "SNZB-03"),
        SensorSpec("pendant", Kind.PENDANT, "", "SNZB-01"),
    )
    assert home.broker == Broker("127.0.0.1", 18831, "z2m", "very secret")
    assert home.qos == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"late riser"', '"astronaut"'),
        ('"motion"', '"oven"'),
        ('"SNZB-01"', '"SNZB-03"'),
        ('"hall-motion"', '"hall/motion"'),
        ('"hall-motion"', '"pendant"'),
        ('id = "h1"', 'id = "../h1"'),
        ('id = "h1"', ""),
        ("18831", "no port"),
        ('"h1.secret"', '"missing.secret"'),
        ('user = "z2m"', "qos = 2"),
        ("[[home]]", "[[home]"),
        ('room = "hallway"', 'room = "hallway"\n[[home]]'),
    ],
)
def test_a_street_that_cannot_be_lived_in_is_refused_in_words(tmp_path: Path, right: str, wrong: str) -> None:
    """Whoever wrote it should read what is wrong, and no home should start without its neighbour."""
    assert right in GOOD

    with pytest.raises(BadStreet) as why:
        street_in(street(tmp_path, GOOD.replace(right, wrong, 1)), seed=1)

    assert len(str(why.value)) > 20


def test_two_homes_with_one_name_are_refused(tmp_path: Path) -> None:
    """They would write one diary."""
    with pytest.raises(BadStreet, match="twice"):
        street_in(street(tmp_path, GOOD + GOOD), seed=1)

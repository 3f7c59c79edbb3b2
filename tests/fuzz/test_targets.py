"""Does each door hold against true messages, broken ones, and everything that ever broke it?"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import DOORS

FOUND = Path(__file__).parent / "found"


@pytest.mark.parametrize("name", DOORS)
def test_true_messages_pass(name: str) -> None:
    """A target that refuses what is true would find nothing else."""
    target, begun = DOORS[name]

    assert begun()
    for data in begun():
        target(data)


@pytest.mark.parametrize("path", sorted(path for path in FOUND.rglob("*") if path.is_file()), ids=lambda p: p.name)
def test_what_once_broke_a_door_breaks_it_no_more(path: Path) -> None:
    """Each of these was found by trying; each was a traceback, or an alarm that nobody would have heard of."""
    target, _ = DOORS[path.parent.name]
    target(path.read_bytes())


@pytest.mark.parametrize("name", DOORS)
def test_broken_messages_are_refused_in_words(name: str) -> None:
    """A byte is lost or changed on every cheap radio some day."""
    target, begun = DOORS[name]
    seeds = begun()

    @settings(max_examples=60)
    @given(data=st.data())
    def breaks(data: st.DataObject) -> None:
        true = data.draw(st.sampled_from(seeds))
        at = data.draw(st.integers(0, len(true)))
        through = data.draw(st.integers(at, min(len(true), at + 40)))
        target(true[:at] + data.draw(st.binary(max_size=20)) + true[through:])

    breaks()

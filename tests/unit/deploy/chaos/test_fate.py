"""Do faults that befall the street at once leave each other alone?"""

import random
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from deploy.chaos.fate import drawn
from deploy.chaos.run import KINDS
from deploy.chaos.scene import BACKUP
from deploy.chaos.street import CruelStreet

HOMES = ("mill", "shore")
LINES = ("mill to broker", "shore to broker", "ingest to broker", "ingest to database", "alerts to database")


def street() -> CruelStreet:
    """Return as much of a street as fate looks at before it strikes: its homes, and what lies between its parts."""
    between = SimpleNamespace(names=lambda: LINES)
    return cast(CruelStreet, SimpleNamespace(homes=dict.fromkeys(HOMES), between=between))


@given(st.integers(), st.integers(1, 8))
def test_no_two_faults_of_a_blow_need_the_same_part(seed: int, many: int) -> None:
    """What is killed while its card is taken out was not killed, and would be counted as a fault that bit."""
    found = drawn(street(), KINDS, random.Random(seed), many)
    taken = [part for kind, target in found for part in kind.takes(target)]
    assert 1 <= len(found) <= many
    assert len(taken) == len({*taken})


@given(st.integers())
def test_a_card_is_not_destroyed_while_the_table_is_put_back(seed: int) -> None:
    """Which of the two went first decides what is lost and what the other still had."""
    found = [kind.name for kind, _ in drawn(street(), KINDS, random.Random(seed), 20)]
    assert len([name for name in found if name in {"old card", "database restored", "database's disk full"}]) <= 1


@given(st.integers())
def test_while_a_second_worker_works_the_lines_of_the_first_are_whole(seed: int) -> None:
    """The second has lines of its own and goes on: what it judged was called unknowable (seed 21000)."""
    found = [(kind.name, target) for kind, target in drawn(street(), KINDS, random.Random(seed), 20)]
    doubled = {
        f"{target} to {what}" for name, target in found if name == "two workers" for what in ("broker", "database")
    }
    assert doubled.isdisjoint({target for _, target in found})


def test_every_fault_takes_something_and_can_be_drawn() -> None:
    """A kind that takes nothing could meet itself; one that is never drawn is only written about."""
    kinds = {kind.name: kind.takes(target) for kind in KINDS for target in kind.targets(street())}
    assert all(kinds.values())
    assert BACKUP in kinds["old card"]
    seen = {kind.name for seed in range(200) for kind, _ in drawn(street(), KINDS, random.Random(seed), 6)}
    assert seen == {kind.name for kind in KINDS}

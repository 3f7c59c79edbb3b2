"""How many lanes may each worker own, and do workers that only know of each other come to rest?"""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import LANES
from ingest.share import AGAIN_AFTER_LOOKS, Own, Peer, Share, fair_share

_limits = st.lists(st.integers(1, LANES), min_size=1, max_size=12)


def _shares(limits: list[int]) -> list[int]:
    return [fair_share(limit, [*limits[:n], *limits[n + 1 :]]) for n, limit in enumerate(limits)]


@given(_limits)
def test_the_shares_of_all_are_all_lanes_at_least(limits: list[int]) -> None:
    """Whatever limits somebody set: no home may be without an owner because everybody keeps to his share."""
    assert sum(_shares(limits)) >= LANES


@given(_limits)
def test_nobodys_share_could_be_one_less(limits: list[int]) -> None:
    """Fair: one lane less for each of those who own most, or exceed their limits, and lanes would be left."""
    shares = _shares(limits)
    if sum(limits) >= LANES:
        fewer = [min(share, max(shares) - 1) for share in shares]
    else:
        fewer = [max(limit, min(shares) - 1) for limit in limits]

    assert sum(fewer) < LANES


@given(_limits)
def test_a_limit_is_kept_while_others_have_room(limits: list[int]) -> None:
    """Whoever has a small machine says so, and is believed until somebody would be left alone."""
    is_kept = all(share <= limit for share, limit in zip(_shares(limits), limits, strict=True))

    assert is_kept == (sum(limits) >= LANES)


@pytest.mark.parametrize(
    ("limits", "shares"),
    [
        ([64], [64]),
        ([64, 64], [32, 32]),
        ([64, 64, 64], [22, 22, 22]),
        ([10, 64], [10, 54]),
        ([32, 32, 64], [22, 22, 22]),
        ([16], [64]),
        ([8, 16], [32, 32]),
        ([8, 50], [14, 50]),
    ],
)
def test_some_companies(limits: list[int], shares: list[int]) -> None:
    """What the runbook says in words."""
    assert _shares(limits) == shares


def test_what_nobody_took_is_kept_for_a_while() -> None:
    """Let go at every look it would lie there all the time; kept for ever, a busy minute would unbalance a year."""
    share = Share()
    share.seen({"slow": Peer(64)})
    assert share.excess(64) == 32

    offered = []
    for look in range(2 * AGAIN_AFTER_LOOKS + 1):
        offered += [look] if share.excess(64) else []
        share.has_shared()
        share.seen({"slow": Peer(64)})

    assert offered == [0, AGAIN_AFTER_LOOKS, 2 * AGAIN_AFTER_LOOKS]


def test_another_company_is_shared_with_at_once() -> None:
    """A newcomer need not wait for the end of that while."""
    share = Share()
    share.seen({"slow": Peer(64)})
    share.has_shared()

    share.seen({"slow": Peer(64), "quick": Peer(64)})

    assert share.excess(64) == 42


@dataclass
class _Town:
    """Workers that look in any order, each knowing who is alive, and who hears; a lane is free or one's.

    `moves` counts how often a lane changed its owner, and `deaf` are those whose line to the broker is cut.
    """

    workers: dict[str, Share] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    owners: list[str | None] = field(default_factory=lambda: [None] * LANES)
    moves: int = 0

    def owned(self, name: str) -> list[int]:
        return [lane for lane, owner in enumerate(self.owners) if owner == name]

    def looks(self, name: str) -> None:
        share = self.workers[name]
        others = {
            other: Peer(one.limit, other not in self.deaf, 1.0) for other, one in self.workers.items() if other != name
        }
        share.seen(others, Own(hears=False, cut_s=10.0) if name in self.deaf else Own(hears=True))
        for lane in self.owned(name)[: share.excess(len(self.owned(name)))]:
            self.owners[lane] = None
        share.has_shared()
        free = [lane for lane, owner in enumerate(self.owners) if owner is None]
        for lane in free[: share.room(len(self.owned(name)))]:
            self.owners[lane] = name
            self.moves += 1

    def look_all(self, rounds: int, chance: random.Random) -> None:
        for _ in range(rounds):
            for looker in chance.sample(sorted(self.workers), len(self.workers)):
                self.looks(looker)

    def dies(self, name: str) -> None:
        del self.workers[name]
        self.deaf.discard(name)
        self.owners = [None if owner == name else owner for owner in self.owners]


_events = st.lists(
    st.tuples(st.sampled_from(["comes", "dies", "is cut", "hears"]), st.integers(0, 4), st.integers(1, LANES)),
    min_size=1,
    max_size=12,
)


def _happens(town: _Town, what: str, name: str, limit: int) -> None:
    if what == "comes" and name not in town.workers:
        town.workers[name] = Share(limit)
    elif what == "dies" and name in town.workers:
        town.dies(name)
    elif what == "is cut" and name in town.workers:
        town.deaf.add(name)
    elif what == "hears":
        town.deaf.discard(name)


@given(_events, st.randoms(use_true_random=False))
def test_after_every_change_two_rounds_of_looks_bring_rest(
    events: list[tuple[str, int, int]], chance: random.Random
) -> None:
    """No thrashing: a lane moves because somebody came or went, and then no more; and all of them have an owner.

    One who hears, if there is any; and where nobody does, no lane leaves whoever has it.
    """
    town = _Town()
    for what, number, limit in events:
        before = list(town.owners)
        _happens(town, what, f"worker-{number}", limit)
        if not town.workers:
            continue
        town.look_all(2, chance)
        owners, moves = list(town.owners), town.moves
        town.look_all(1, chance)

        assert None not in owners
        assert (town.owners, town.moves) == (owners, moves)
        if town.workers.keys() - town.deaf:
            assert not town.deaf & set(owners)
        else:
            kept = [was for was in before if was in town.workers]
            assert [now for now, was in zip(owners, before, strict=True) if was in town.workers] == kept


def test_one_that_was_cut_off_gives_lanes_only_to_who_was_heard_to_hear_since() -> None:
    """The broker dies under all of them: what another said before is no reason to give it everything."""
    share = Share()
    share.seen({"other": Peer(64, hears=True, silent_s=12.0)}, Own(hears=False, cut_s=11.0))
    assert share.excess(32) == 0

    share.seen({"other": Peer(64, hears=True, silent_s=1.0)}, Own(hears=False, cut_s=14.0))

    assert (share.excess(32), share.room(0), share.takes) == (32, 0, False)


def test_one_whose_line_is_new_again_keeps_what_it_has_and_takes_nothing() -> None:
    """After a broker's restart one of them is heard to hear first; the others must not rush to give it their lanes."""
    share = Share()
    share.seen({"first": Peer(64, hears=True)}, Own(hears=False))

    assert (share.excess(32), share.room(32), share.takes) == (0, 0, False)


def test_a_worker_of_a_release_that_says_nothing_of_it_counts_and_is_given_nothing() -> None:
    """While old and new run side by side, nobody knows whether the old one hears."""
    share = Share()
    share.seen({"old": Peer(64)}, Own(hears=False, cut_s=60.0))
    assert (share.excess(64), share.takes) == (0, True)

    share.seen({"old": Peer(64)}, Own(hears=True))

    assert share.excess(64) == 32


def test_a_rolling_restart_moves_each_lane_only_with_its_owner() -> None:
    """Three workers are replaced, one after the other: what a fourth never touched stays where it is."""
    town = _Town({name: Share() for name in "abc"})
    for looker in "abcabcabc":
        town.looks(looker)
    before = town.moves

    for old, new in zip("abc", "xyz", strict=True):
        town.dies(old)
        left = "".join(sorted(town.workers))
        for looker in left * 2:
            town.looks(looker)
        town.workers[new] = Share()
        for looker in f"{left}{new}" * 2:
            town.looks(looker)

    assert sorted(len(town.owned(name)) for name in "xyz") in ([20, 22, 22], [21, 21, 22])
    # Each restart hands out a third and takes back a third.
    assert town.moves - before <= 3 * 2 * 22

"""How soon a hub comes back: in an orderly way, and never so late that nobody would call it trying."""

import itertools
import random
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Config
from gateway.connection import Door, attempt_after, nodes, wait_s
from gateway.publisher import _door
from gateway.wire import Stream

READINGS = Door("readings", "broker", 8883, "c", "u", "p", ())


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_no_wait_is_longer_than_a_minute(attempt: int, chance: float) -> None:
    """A broker that was away for a week is found again within a minute of its return."""
    assert 0 <= wait_s(READINGS, attempt, chance) <= 60


def test_the_longest_wait_doubles() -> None:
    """A platform that is down must not be beaten upon."""
    longest = [wait_s(READINGS, attempt, 1.0) for attempt in range(8)]

    assert longest == [1, 2, 4, 8, 16, 32, 60, 60]


def test_ten_thousand_hubs_come_back_spread_out() -> None:
    """After a long outage no second brings more than a fair share of them (ETSI TS 103 645 4.9)."""
    chance = random.Random(0)
    arrivals = sorted(int(wait_s(READINGS, 8, chance.random())) for _ in range(10_000))

    busiest = max(len(list(hubs)) for _, hubs in itertools.groupby(arrivals))
    assert busiest < 2 * 10_000 / 60


def test_a_hub_that_holds_an_alarm_is_back_before_the_others() -> None:
    """Of five thousand hubs whose broker was away a few have somebody who called; they must not stand in the queue."""
    chance = random.Random(0)
    others = [wait_s(READINGS, 8, chance.random()) for _ in range(5_000)]

    assert max(wait_s(READINGS, 8, chance.random(), is_urgent=True) for _ in range(500)) <= 5
    assert sum(wait <= 5 for wait in others) < 5_000 / 10


def test_a_clusters_nodes_are_each_the_first_of_a_fair_share_of_hubs() -> None:
    """A cluster whose every hub meets at the node that is named first is one node."""
    doors = [replace(READINGS, host="a, b,c", client_id=f"hub-{number}-readings") for number in range(3_000)]
    tried = [nodes(door) for door in doors]

    assert {frozenset(order) for order in tried} == {frozenset("abc")}
    assert min(Counter(order[0] for order in tried).values()) > 900


def test_the_broker_keeps_no_answers_for_a_hub() -> None:
    """A consumer on the broker's disk for each connection kept it from its work once hundreds of hubs came back."""
    config = Config.from_env(
        {
            "TELECARE_HUB_ID": "hub-1",
            "TELECARE_HUB_LANE": "7",
            "TELECARE_HUB_SECRET": "s",
            "TELECARE_PLATFORM_HOST": "broker",
            "TELECARE_PLATFORM_TLS": "false",
            "TELECARE_OUTBOX_PATH": "outbox.sqlite",
            "TELECARE_RADIO_HOST": "radio",
        }
    )

    assert {_door(config, stream).qos for stream in Stream} == {0}


def test_only_a_line_that_was_up_for_a_while_begins_anew() -> None:
    """A broker that answers nobody for half a minute must not find that all come back the sooner for it."""
    assert attempt_after(READINGS, 7, up_s=0.0) == 8
    assert attempt_after(READINGS, 7, up_s=READINGS.longest_wait_s) == 8
    assert attempt_after(READINGS, 7, up_s=READINGS.longest_wait_s + 1) == 0

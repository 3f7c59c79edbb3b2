"""Whatever dies, no page goes on saying that a home is watched."""

import re
from datetime import timedelta

import httpx
import pytest

from gateway import heartbeat
from tests.world.whole import Whole

HOME = "mill-lane-3"

# The page of a home may call it watched until the first of its promises breaks: the hub's is the longest.
LONGEST_LEASE = heartbeat.EVERY + heartbeat.GRACE


@pytest.mark.parametrize(
    "part", [f"gateway {HOME}", f"broker {HOME}", "broker", "ingest", "alerts", "postgres", "simulator"]
)
def test_a_home_is_not_shown_as_watched_once_a_part_is_gone(whole: Whole, part: str) -> None:
    """People have died days after their telecare fell silent while everyone thought that they were watched."""
    with whole.signed_in("moira") as browser:
        whole.until(lambda: says_watched(browser), within_s=90, what="the page saying that the home is watched")

        whole.supervisor.hold(part)
        whole.clock.leap(LONGEST_LEASE + timedelta(seconds=1))
        said = state_said(browser)
        whole.supervisor.release(part)

        # Without its equipment's broker the hub still reports, and says that it cannot hear; without equipment on
        # a broker that runs, it is the stillness that is noticed, and the home is truly watched by the hub.
        if part != "simulator":
            assert said not in {"watched", "learning"}
        whole.until(lambda: says_watched(browser), within_s=120, what=f"the home being watched again after {part}")


def says_watched(browser: httpx.Client) -> bool:
    return state_said(browser) in {"watched", "learning"}


def state_said(browser: httpx.Client) -> str | None:
    """Return the kind of state that the family page shows, or None where it shows none."""
    try:
        answer = browser.get(f"/homes/{HOME}")
    except httpx.TransportError:
        return None
    found = re.search(r'<div class="state (\w+)">', answer.text) if answer.status_code == 200 else None
    return found[1] if found else None

"""Made-up recordings: somebody who sleeps, gets up, goes out and is sometimes very quiet."""

import random
from datetime import UTC, datetime, timedelta

from alerts.recording import Observed

MONDAY = datetime(2019, 9, 30, 6, tzinfo=UTC)
ROOMS = ("kitchen", "hallway", "lounge", "bathroom")


def walk(seed: int, days: int, *, begins: datetime = MONDAY) -> tuple[Observed, ...]:
    """Return some weeks of one home, in order of time; the same seed gives the same."""
    chance = random.Random(seed)
    observed: list[Observed] = []
    at = begins + timedelta(seconds=chance.randrange(7200))
    while at < begins + timedelta(days=days):
        is_night = at.hour >= 22 or at.hour < 6
        room = "bedroom" if is_night else chance.choice(ROOMS)
        if chance.random() < 0.02:
            room = "front-door"
        observed.append(Observed(at, room))
        wait_h = chance.expovariate(1 / (2.5 if is_night else 0.7)) + (3 if room == "front-door" else 0)
        # Every now and then a silence that should be noticed.
        at += timedelta(seconds=round(3600 * (wait_h + (9 if chance.random() < 0.01 else 0))) + 1)
    return tuple(observed)

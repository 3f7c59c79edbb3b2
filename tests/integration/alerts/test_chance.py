"""Does the watched clock vouch only for what could be known, and is each press told once, whatever comes and goes?

A hub, the broker and judging come and go by chance, each on its own; judging is killed and saved in between, too.  What
was written of the home is held against what truly was.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import pytest

from alerts import store
from alerts.judging.minutes import Span
from alerts.judging.watched import Watched
from gateway.heartbeat import EVERY, GRACE
from ingest import entry
from tests.integration.alerts.conftest import HOME, HUB, NINE
from tests.integration.alerts.test_watch import LANE, Watching, restarted, watching

__all__ = ["watching"]

STEP: Final = timedelta(seconds=20)
SLACK: Final = timedelta(seconds=1)
"""What a moment is moved by so that no two rows of the log have the same."""

HEALED: Final = 6
"""So many steps at the end everything runs."""

_UP: Final = (3, 6, 12, 30)
_AWAY: Final = (1, 2, 3, 5, 8, 12, 20)


@dataclass
class Truth:
    """What truly was.

    Attributes:
        heard: when a heartbeat came.
        judged: when somebody judged.
        deaf: when nothing could be heard: (since, until).
        pressed: numbers of presses that were stored.
    """

    heard: list[datetime] = field(default_factory=list)
    judged: list[datetime] = field(default_factory=list)
    deaf: list[tuple[datetime, datetime]] = field(default_factory=list)
    pressed: list[int] = field(default_factory=list)

    def unknown(self) -> Iterator[tuple[str, datetime, datetime]]:
        """Yield the times for which nobody may vouch, and why."""
        for last, then in zip(self.heard, self.heard[1:], strict=False):
            if then - last > EVERY + GRACE + STEP:
                # One whose next heartbeat was not due yet when we went may have been there until then.
                yield "hub", last + EVERY, then
        for last, then in zip(self.judged, self.judged[1:], strict=False):
            known = last
            for since, until in self.deaf:
                # While nothing could be heard there was nothing to judge, and that says so itself.
                known = max(known, until) if since - known <= store.GRACE else known
            if then - known > store.GRACE + STEP:
                yield "us", known, then - STEP
        for since, until in self.deaf:
            yield "deaf", since, until

    def vouched(self, spans: list[Span]) -> list[tuple[str, datetime, datetime, Span]]:
        """Return what was written as seen, and could not be."""
        return [
            (why, since, until, span)
            for why, since, until in self.unknown()
            for span in spans
            if span.state in (Watched.WATCHED, Watched.DEGRADED)
            and max(span.since, since) + SLACK < min(span.until or until, until)
        ]


class Street:
    """The home and what befalls it."""

    def __init__(self, watching: Watching, chance: random.Random) -> None:
        self.truth = Truth()
        self._watching = watching
        self._chance = chance
        self._saves_by_chance_alone()
        self._is_on = {"hub": True, "broker": True, "judge": True}
        self._left = dict.fromkeys(self._is_on, 12)
        self._deaf_since: datetime | None = None

    async def lives(self, steps: int) -> None:
        for step in range(steps):
            self._draw(is_healed=step >= steps - HEALED)
            at = self._watching.clock.move(seconds=STEP.total_seconds())
            if self._is_on["broker"]:
                await self._store(at, is_due=self._is_on["hub"] and step % 3 == 0)
            elif self._deaf_since is None:
                self._deaf_since = at - STEP
            if self._is_on["judge"]:
                await self._judge(at)

    def _draw(self, *, is_healed: bool) -> None:
        for part, is_on in self._is_on.items():
            self._left[part] -= 1
            if is_healed:
                self._is_on[part] = True
            elif self._left[part] <= 0:
                self._is_on[part] = not is_on
                self._left[part] = self._chance.choice(_AWAY if is_on else _UP)

    async def _store(self, at: datetime, *, is_due: bool) -> None:
        ingest = self._watching.ingest
        if self._deaf_since is not None:
            await ingest.stores(LANE, entry.Deaf(self._deaf_since, at), now=at)
            self.truth.deaf.append((self._deaf_since, at))
            self._deaf_since = None
        if is_due:
            await ingest.stores(LANE, entry.Heard(HOME, HUB, 0, 0, True), now=at)
            self.truth.heard.append(at)
        if self._chance.random() < 0.03:
            number = len(self.truth.pressed) + 1
            self.truth.pressed.append(number)
            alarm = entry.Alarm(HOME, HUB, f"{HUB}/box/{number}", "pendant", None, "pendant_alarm", 1.0, at)
            await ingest.stores(LANE, alarm, now=at)
        await ingest.ticks(now=at)

    async def _judge(self, at: datetime) -> None:
        watching, luck = self._watching, self._chance.random()
        if luck < 0.06:
            await restarted(watching, kill=luck < 0.05)
            self._saves_by_chance_alone()
        elif luck < 0.12 and LANE in watching.watch._mine:
            await watching.watch._save(watching.conn, watching.watch._mine[LANE], [])
        await watching.watch.turn(everything=True)
        self.truth.judged.append(at)

    def _saves_by_chance_alone(self) -> None:
        """Have nothing saved by the time of day, or a seed would not be the same story twice."""
        self._watching.watch._save_s = math.inf


@pytest.mark.parametrize("seed", [3, 5, 7])
async def test_whatever_comes_and_goes_nothing_is_vouched_for_that_nobody_could_know(
    watching: Watching, seed: int
) -> None:
    """Promise P2 in what is written for good; a judge was killed while it caught up, a hub fell silent meanwhile."""
    street = Street(watching, random.Random(seed))

    await street.lives(80)

    now = watching.clock.now()
    spans = await store.watch_spans(watching.conn, HOME, NINE, now)
    assert street.truth.vouched(spans) == []
    seen = await store.watch_of(watching.conn, HOME, stretch=timedelta(0))
    assert seen is not None
    assert spans[-1].state is seen.state, "what is written last is what is true now"
    found = await (await watching.conn.execute("SELECT identity FROM alarm ORDER BY identity")).fetchall()
    assert [identity for (identity,) in found] == sorted(f"{HUB}/box/{number}" for number in street.truth.pressed)

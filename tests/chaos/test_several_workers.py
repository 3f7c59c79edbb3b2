"""Do several workers share the lanes, and take over those of one that dies, sleeps or is cut off?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest

from deploy.embedded import machine
from deploy.lines import UNTREATED, Lines, Treatment
from tests.chaos.world import Story
from tests.world.processes import Process, wait_until

_TO_BROKER: Final = "broker"
_STALLED: Final = Treatment(is_stalled=True)
_OWNED: Final = {
    "ingest": "SELECT owner, lane FROM lane WHERE owner IS NOT NULL",
    "alerts": "SELECT owner, lane FROM judging_lane WHERE owner IS NOT NULL",
}
_HOLDERS: Final = {
    "ingest": "SELECT owner, count(*), clock_timestamp() - min(heard_at) FROM lane GROUP BY owner",
    "alerts": "SELECT owner, count(*), clock_timestamp() - min(heard_at) FROM judging_lane GROUP BY owner",
}


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of one kind; the last of them reaches the database through a line that can be cut."""

    kind: str
    story: Story
    lines: Lines
    all: list[Process] = field(default_factory=list)

    def start(self, many: int) -> None:
        """Start so many, without waiting."""
        port = machine.free_port()
        self.lines.open(self.kind, port)
        server = self.story.database.server.port
        far = self.story.database.dsn.replace(f":{server}/", f":{port}/")
        for dsn in [self.story.database.dsn] * (many - 1) + [far]:
            self.all.append(self._start(dsn))

    def of_the_hub(self) -> Process:
        """Return which of them owns the hub's lane; the line's end is never asked to."""
        near = self.all[:-1]
        return min(near, key=lambda one: self.story.lane not in self.lanes_of(one))

    def start_deaf(self) -> Process:
        """Start one of ingest that reaches the broker, and it alone, through a line that can be cut."""
        port = machine.free_port()
        self.lines.open(_TO_BROKER, port, to=self.story.broker.port)
        return self.story.ingest_beside(TELECARE_BROKER=f"127.0.0.1:{port}")

    def lanes_of(self, one: Process) -> set[int]:
        """Return the lanes that a worker owns by the table; its process's number is in its name."""
        with self.story.database.connect() as conn:
            rows = conn.execute(_OWNED[self.kind]).fetchall()
        return {int(str(lane)) for owner, lane in rows if f"-{one.pid}-" in str(owner)}

    def share(self, them: Sequence[Process], most: int) -> bool:
        """Return whether these own all lanes by now, and none of them more than so many."""

        def is_so() -> bool:
            owned = [len(self.lanes_of(one)) for one in them]
            return sum(owned) == 64 and max(owned) <= most

        # On a machine that is too busy a newcomer may be too slow to take what was let go; then it is offered again.
        return wait_until(is_so, within_s=120)

    def holders(self) -> str:
        """Return who owns how many lanes and was heard how long ago, for whom it may concern."""
        with self.story.database.connect() as conn:
            rows = conn.execute(_HOLDERS[self.kind]).fetchall()
        return "\n".join(f"{owner} {many} {ago}" for owner, many, ago in rows)

    def _start(self, dsn: str) -> Process:
        if self.kind == "ingest":
            return self.story.ingest_beside(TELECARE_DATABASE_URL=dsn)
        process = Process("alerts", {"TELECARE_DATABASE_URL": dsn}, folder=self.story.folder)
        self.story.stack.callback(process.stop)
        process.start()
        return process


@pytest.fixture
def lines(story_on_nats: Story) -> Iterator[Lines]:
    """Give lines to the database, which are mended before the processes are stopped."""
    with Lines(story_on_nats.database.server.port) as lines:
        yield lines


def _cut_off(lines: Lines) -> None:
    """Cut one off from the broker, and let the lines to the database stall, without a word to anybody."""
    lines.cut(_TO_BROKER)
    for kind in _OWNED:
        lines.treat(kind, _STALLED)


def _mend(lines: Lines) -> None:
    """Mend the lines to the database."""
    for kind in _OWNED:
        lines.treat(kind, UNTREATED)


def _judged(story: Story) -> list[str]:
    with story.database.connect() as conn:
        return sorted(str(identity) for (identity,) in conn.execute("SELECT identity FROM alarm"))


def _goes_on(story: Story) -> bool:
    before = story.count()
    return wait_until(lambda: story.count() > before + 20)


def test_one_killed_one_asleep_and_one_cut_off_at_once(story_on_nats: Story, lines: Lines) -> None:
    """The last worker takes over from all of them; two come back, believe that nothing happened, and are given a share.

    1. Five of ingest and three of alerts share the lanes.
    2. Whoever owns the hub's lane is killed, another sleeps, another hears nothing more from the database, and one of
       ingest is cut off from the broker alone: the database would believe it to be well for ever.
    3. The last of each kind owns everything, and the hub's readings go on.
    4. Those that are alive come back, and share again; but for the one that still hears no hub.
    """
    story = story_on_nats
    ingest, alerts = Workers("ingest", story, lines), Workers("alerts", story, lines)
    ingest.start(4)
    alerts.start(3)
    deaf = ingest.start_deaf()
    story.gateway()
    # An alarm a second: what 5,000 at once come to is another test's.
    with story.sensors.speaking(apart_s=0.1):
        assert ingest.share([*ingest.all, deaf], 13), ingest.holders()
        assert alerts.share(alerts.all, 22), alerts.holders()
        assert _goes_on(story)

        killed, judge = ingest.of_the_hub(), alerts.of_the_hub()
        asleep, left = (one for one in ingest.all[:-1] if one is not killed)
        (judge_left,) = (one for one in alerts.all[:-1] if one is not judge)
        killed.kill()
        judge.kill()
        asleep.freeze()
        _cut_off(lines)
        assert ingest.share([left], 64), ingest.holders()
        assert alerts.share([judge_left], 64), alerts.holders()
        assert _goes_on(story)

        asleep.thaw()
        _mend(lines)
        assert ingest.share([asleep, left, ingest.all[-1]], 22), ingest.holders()
        assert alerts.share([judge_left, alerts.all[-1]], 32), alerts.holders()
        assert _goes_on(story)
        assert (len(ingest.lanes_of(deaf)), sorted(deaf.why_not_ready())) == (0, ["broker", "lanes"])

    story.everything_arrives(within_s=90)
    assert (story.sensors.never_taken_in(), story.lost(), story.positions_have_no_holes()) == (set(), 0, True)
    assert wait_until(lambda: _judged(story) == sorted(story.alarms())), "an alarm was not judged, or twice"

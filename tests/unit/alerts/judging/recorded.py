"""How a test tells what was received: sentences that become batches, inputs and findings."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.finding import JSON, Ended, Finding, Verdict
from alerts.judging.home import Now
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy, to_json
from alerts.judging.rule import Rule, Sees
from ingest import entry

NINE = datetime(2026, 11, 18, 9, tzinfo=UTC)
"""A Wednesday in winter, so that London's wall time is UTC."""

HOME = "elm-3"
HUB = "hub-1"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def movement(
    observed_at: datetime, *, home: str = HOME, room: str | None = "kitchen", uncertain_since: datetime | None = None
) -> entry.Reading:
    return entry.Reading(home, HUB, f"pir-{room}", room, "movement", 1.0, observed_at, uncertain_since)


def said(
    observed_at: datetime, sensor: str, quantity: str, value: float, *, room: str | None = None, home: str = HOME
) -> entry.Reading:
    """Any reading at all; without a room of its own it is where the sensors' list says."""
    return entry.Reading(home, HUB, sensor, room, quantity, value, observed_at)


def front_door(observed_at: datetime, *, is_open: bool, home: str = HOME) -> entry.Reading:
    return said(observed_at, "door", "open", float(is_open), room="front door", home=home)


def warmth(observed_at: datetime, *, home: str = HOME, value_c: float = 19.5) -> entry.Reading:
    return said(observed_at, "thermometer", "temperature_c", value_c, room="kitchen", home=home)


def heartbeat(
    *,
    home: str = HOME,
    hub: str = HUB,
    held: int = 0,
    radio_up: bool | None = True,
    troubles: tuple[str, ...] = (),
) -> entry.Heard:
    return entry.Heard(home, hub, held, 0, radio_up, troubles)


def press(observed_at: datetime, *, home: str | None = HOME, identity: str = "hub-1/box/7") -> entry.Alarm:
    return entry.Alarm(home, HUB, identity, "pendant", "bedroom", "pendant_alarm", 1.0, observed_at)


def deaf(since: datetime, until: datetime) -> entry.Deaf:
    return entry.Deaf(since, until)


def given(number: int, kind: str, content: dict[str, JSON], *, at: datetime, home: str = HOME) -> Input:
    return Input(number, home, at, kind, content)


@dataclass
class Lane:
    """A lane that is told what happens, and remembers what was found."""

    judge: LaneJudge = field(default_factory=lambda: LaneJudge({}, None))
    found: list[Verdict] = field(default_factory=list)
    position: int = 0
    inputs: int = 0

    def watch(self, *, at: datetime = NINE, home: str = HOME, hub: str = HUB, policy: Policy | None = None) -> None:
        """The home is watched from now on, and its hub is heard at once."""
        if policy is not None:
            self.give("policy", to_json(policy), at=at, home=home)
        self.give("watched", {"hub": hub, "since": at.isoformat()}, at=at, home=home)
        self.receive(heartbeat(home=home, hub=hub), at=at)

    def give(self, kind: str, content: dict[str, JSON], *, at: datetime, home: str = HOME) -> None:
        self.inputs += 1
        self.found += self.judge.apply(given(self.inputs, kind, content, at=at, home=home))

    def receive(self, *entries: entry.Entry, at: datetime) -> None:
        self.position += 1
        self.found += self.judge.take(entry.Batch(0, self.position, at, entries))

    def are_deaf(self, since: datetime, until: datetime) -> None:
        """Nobody could be heard, whatever was said."""
        self.pass_(since)
        self.receive(deaf(since, until), at=until)

    def beat(self, *, since: datetime, until: datetime, **said: object) -> None:
        """The hub reports every minute, and nothing else happens."""
        at = since
        while at < until:
            self.receive(heartbeat(**said), at=at)  # type: ignore[arg-type]  # Whatever heartbeat() takes.
            at += minutes(1)

    def pass_(self, until: datetime) -> None:
        """Nothing more was received up to then."""
        self.found += self.judge.advance(until)

    def close(self, finding: Finding, *, at: datetime, outcome: str = "all well", by: str = "Ann") -> None:
        content: dict[str, JSON] = {
            "question": finding.question.value,
            "episode": finding.episode,
            "outcome": outcome,
            "by": by,
            "at": at.isoformat(),
        }
        self.give("closed", content, at=at, home=finding.home or HOME)

    def now(self, home: str = HOME) -> Now:
        return self.judge.now_of(home)

    def findings(self, *questions: Question) -> list[Finding]:
        return [f for f in self.found if isinstance(f, Finding) and (not questions or f.question in questions)]

    def endings(self, *questions: Question) -> list[Ended]:
        return [e for e in self.found if isinstance(e, Ended) and (not questions or e.question in questions)]


def one(findings: Iterable[Finding]) -> Finding:
    """Return the single finding; anything else is a failed test."""
    (finding,) = findings
    return finding


_WAITS = st.timedeltas(timedelta(seconds=1), timedelta(days=7)).map(
    lambda t: timedelta(seconds=t // timedelta(seconds=1))
)
_WALLS = st.times().map(lambda t: t.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def rules(draw: st.DrawFn, name: str | None = None) -> Rule:
    """Return a rule that can be true."""
    hours_from, hours_until = draw(_WALLS), draw(_WALLS)
    begins, ends = (wall.hour * 60 + wall.minute for wall in (hours_from, hours_until))
    return Rule(
        name=name or draw(st.sampled_from(["in the morning", "at night", "by day"])),
        sees=draw(st.sampled_from(Sees)),
        rooms=tuple(draw(st.lists(st.sampled_from(["kitchen", "hall", "bedroom"]), unique=True))),
        lasts=minutes(draw(st.integers(1, (ends - begins) % (24 * 60) or 24 * 60))),
        days=tuple(sorted(draw(st.sets(st.integers(1, 7), min_size=1)))),
        hours_from=hours_from,
        hours_until=hours_until,
        is_asked=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    waking_from, waking_until = draw(_WALLS), draw(_WALLS)
    length = (waking_until.hour * 60 + waking_until.minute) - (waking_from.hour * 60 + waking_from.minute)
    if 0 < length % (24 * 60) < 60:
        waking_until = waking_from
    return Policy(
        policy=draw(st.none() | st.integers(1, 9)),
        still_for=draw(_WAITS),
        waking_from=waking_from,
        waking_until=waking_until,
        hub_silent_carer_after=draw(_WAITS),
        escalate_after=draw(_WAITS),
        again_after=draw(_WAITS),
        learned=draw(st.booleans()),
        rules=tuple(draw(st.lists(rules(), max_size=3, unique_by=lambda rule: rule.name))),
    )

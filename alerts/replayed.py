"""What would have been known of recorded homes, hour by hour, as it happened?

The judging itself, as it runs live, fed in the order in which things were observed.  A recording says nothing of the
hub, of doors being closed or of what people answered, so three things are taken for granted: the hub reports
throughout; whoever is seen again was well, which is how each alert is closed; what needs more than a recording holds
is not asked.  Each line rests only on what came before its moment: a recording that ends sooner gives the same lines
up to there.

A reading counts a microsecond after it was observed, so that one in the very second in which an alert is due does not
keep it from being raised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging import policy as policies
from alerts.judging.detectors.unusual import Strangeness, block_of
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy, local
from alerts.recording import Observed
from alerts.sentences import dial_why, why
from gateway.reading import Quantity
from ingest import entry

NAMES: Final[Mapping[Question, str]] = {
    Question.STILL: "stillness",
    Question.STILL_UNUSUAL: "stillness_unusual",
}
"""What the questions about stillness are called in the file; the others keep their names."""

Line = dict[str, JSON]
"""One line of the file, in the order in which its keys are written."""

_HUB: Final = "hub"
_HOUR: Final = timedelta(hours=1)
_COUNTS_AFTER: Final = timedelta(microseconds=1)
# The hub is heard at each end of a block of six hours, or seven; in between its promise is kept.
_STRETCH: Final = timedelta(days=1)
# An alert that is due once nothing more is recorded lies at most this far behind the last reading.
_AFTERWARDS: Final = timedelta(days=60)


def lines_of(home: str, observed: Sequence[Observed], policy: Policy = policies.DEFAULT) -> Iterator[Line]:
    """Yield what would have been known of a home, in order of time.

    Args:
        home: its name.
        observed: all that was observed, in order of time; not empty.
        policy: the thresholds it is judged by.

    Yields:
        Alerts as they are raised, also the one that comes after the last reading; the dial at each full hour from
        the first reading to the last; each block of six hours that ends up to the last reading.
    """
    player = _Player(home, observed[0].at, policy)
    for one in observed:
        yield from player.hours_before(one.at)
        yield from player.take(one)
    last = observed[-1].at
    yield from player.hours_before(last + _COUNTS_AFTER)
    yield from player.end(last)


@dataclass(slots=True)
class _Player:
    """One home on its way through its recording.

    Attributes:
        hour: the next full hour whose dial is to be read.
        block_ends: when the present block does.
    """

    home: str
    begins: datetime
    policy: Policy
    judge: LaneJudge = field(init=False)
    strangeness: Strangeness = field(default_factory=Strangeness)
    hour: datetime = field(init=False)
    block_since: datetime = field(init=False)
    block_ends: datetime = field(init=False)
    block: int = field(init=False)

    def __post_init__(self) -> None:
        self.judge = LaneJudge({}, None)
        for kind, content in self._given():
            self.judge.apply(Input(0, self.home, self.begins, kind, content))
        self._hear(self.begins)
        # London is whole hours from UTC, so the full hours of both are the same moments; the hour that comes twice
        # has two, and the one that is skipped has none.
        hour = self.begins.replace(minute=0, second=0, microsecond=0)
        self.hour = hour if hour == self.begins else hour + _HOUR
        self.block_since, self.block_ends, self.block = _block_at(self.begins)

    def hours_before(self, at: datetime) -> Iterator[Line]:
        """Go on to just before a moment."""
        while self.hour < at:
            yield from self._alerts(self.judge.advance(self.hour))
            yield self._dial()
            if self.hour == self.block_ends:
                yield self._unusual()
                self._hear(self.hour)
            self.hour += _HOUR

    def take(self, one: Observed) -> Iterator[Line]:
        """Take in what was observed."""
        at = one.at + _COUNTS_AFTER
        found = self.judge.take(entry.Batch(0, 0, at, (self._reading(one),)))
        self.strangeness.see(one.location, one.at)
        yield from self._alerts(found)
        self._close(found, at)

    def end(self, last: datetime) -> Iterator[Line]:
        """Go on until somebody would have been told that nothing was seen any more."""
        while self.hour < last + _AFTERWARDS:
            yield from (lines := list(self._alerts(self.judge.advance(self.hour))))
            if any(str(line["question"]).startswith(NAMES[Question.STILL]) for line in lines):
                return
            if self.hour == self.block_ends:
                self._hear(self.hour)
                self.block_since, self.block_ends, self.block = _block_at(self.hour)
            self.hour += _HOUR

    def _given(self) -> Iterator[tuple[str, dict[str, JSON]]]:
        yield "stretch", {"stretch_s": _STRETCH.total_seconds()}
        yield "policy", policies.to_json(self.policy)
        yield "watched", {"hub": _HUB, "since": iso(self.begins)}

    def _hear(self, at: datetime) -> None:
        self.judge.take(entry.Batch(0, 0, at, (entry.Heard(self.home, _HUB, 0, 0, radio_up=True),)))

    def _reading(self, one: Observed) -> entry.Reading:
        quantity = Quantity.OPEN if one.location.endswith("-door") else Quantity.MOVEMENT
        return entry.Reading(self.home, _HUB, one.location, one.location, quantity, 1.0, one.at)

    def _alerts(self, found: Sequence[Verdict]) -> Iterator[Line]:
        for each in found:
            if isinstance(each, Finding):
                yield {
                    "home": self.home,
                    "kind": "alert",
                    "question": NAMES.get(each.question, each.question.value),
                    "since": _said(each.since),
                    "at": _said(each.at),
                    "why": why(each),
                }

    def _close(self, found: Sequence[Verdict], at: datetime) -> None:
        """Do what a carer does who finds that all is well, so that what happened is learnt from."""
        for each in found:
            if isinstance(each, Ended):
                content: dict[str, JSON] = {
                    "question": each.question.value,
                    "episode": each.episode,
                    "outcome": "all well",
                    "by": "recording",
                    "at": iso(at),
                }
                self.judge.apply(Input(0, self.home, at, "closed", content))

    def _dial(self) -> Line:
        now = self.judge.now_of(self.home)
        return {
            "home": self.home,
            "kind": "dial",
            "at": _said(self.hour),
            "next_alert_at": None if now.next_alert_at is None else _said(now.next_alert_at),
            "why": dial_why(now, self.judge.state_of(self.home)),
        }

    def _unusual(self) -> Line:
        line: Line = {
            "home": self.home,
            "kind": "unusual",
            "from": _said(self.block_since),
            "until": _said(self.block_ends),
            "score": round(self.strangeness.close(self.block), 4),
        }
        self.block_since, self.block_ends, self.block = _block_at(self.hour)
        return line


def _block_at(at: datetime) -> tuple[datetime, datetime, int]:
    begins, ends, block = block_of(at)
    # In one zone: wall times of one zone are compared without regard to which coming of an hour is meant.
    return begins.astimezone(UTC), ends.astimezone(UTC), block


def _said(at: datetime) -> str:
    return local(at).isoformat()

"""What would another policy have done in a home over its last days: which alerts, and how soon after a collapse?

The log as it was known, judged twice from the same state: by the numbers of now and by those proposed, each as if it
had been in force throughout.  Nobody knows what people would have answered to an alert that was never raised, so it
has no outcome and is not counted as false; and whatever is over counts as closed, by both alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from alerts.alert import FAULTS, ONE_STORY, Question
from alerts.judging.finding import Ended, Finding, SeenLater, Verdict
from alerts.judging.home import FORMAT as STATE
from alerts.judging.home import HomeState, dump, load
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy, local, to_json
from alerts.judging.watched import Watched
from ingest.entry import Batch

HOUR: Final = timedelta(hours=1)

WARM_UP: Final = timedelta(days=42)
"""Judged before the days that are compared, so that the routine is learnt as it was: as long as it is remembered."""

DAYS_MAX: Final = 56
"""Days that can be compared: with the warm-up, what the log is kept for."""

_HARMLESS: Final = "all well"
_NEEDED: Final = frozenset({"help given", "ambulance"})
_FALSE: Final = frozenset({"false alarm", "all well", "test"})


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that was raised in truth.

    Attributes:
        outcome: how it ended; None while it is open.
    """

    question: Question
    since: datetime
    at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One alert, as the numbers of now and those proposed would have raised it.

    Attributes:
        question: what was asked; of the numbers of now where both raise it.  A look back that a newer release kept
            may name one that this one does not know.
        what: of it: the rule, the sensor; empty where the question says it all.
        since: when what it is about began.
        now_at: when it is raised by the numbers of now; None: it is not.
        then_at: when by those proposed; None: it would not be.
        outcome: how the alert ended that was raised in truth; None: none was, or it is still open.
    """

    question: str
    what: str
    since: datetime
    now_at: datetime | None
    then_at: datetime | None
    outcome: str | None

    @property
    def is_gained(self) -> bool:
        return self.now_at is None

    @property
    def is_lost(self) -> bool:
        return self.then_at is None

    @property
    def was_needed(self) -> bool:
        """Whether somebody was helped by it."""
        return self.outcome in _NEEDED

    @property
    def was_false(self) -> bool:
        """Whether it was raised in truth, and nobody needed help."""
        return self.outcome in _FALSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long after a pretended collapse somebody is told, by the hour of the collapse.

    Attributes:
        hour: of the London day, 0 to 23.
        tried: how often.
        now: the median by the numbers of now.
        then: by those proposed.
        now_mean: the mean by the numbers of now.
        then_mean: by those proposed.
        now_longest: the longest by the numbers of now.
        then_longest: by those proposed.
    """

    hour: int
    tried: int
    now: timedelta
    then: timedelta
    now_mean: timedelta
    then_mean: timedelta
    now_longest: timedelta
    then_longest: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """What another policy would have done in one home.

    Attributes:
        since: the days begin here.
        until: and end here.
        unseen: for how long of that the home could not be seen; nothing is judged then.
        alerts: in the order in which what they are about began.
        delays: by the hour of the collapse; hours in which none could be tried are missing.
    """

    home: str
    since: datetime
    until: datetime
    unseen: timedelta
    alerts: tuple[Compared, ...]
    delays: tuple[Delay, ...]


Say = Callable[[float], None]
"""Takes how much of it is done, from 0 to 1."""


def look_back(
    home: str,
    steps: Sequence[Batch | Input],
    policies: tuple[Policy, Policy],
    raised: Sequence[Raised] = (),
    *,
    since: datetime,
    until: datetime,
    say: Say = lambda _: None,
) -> LookBack:
    """Judge the last days of a home by the policy of now and by the one proposed, and compare.

    Args:
        home: which.
        steps: what was received and given (`recorded`), in the order in which it counted, from `since - WARM_UP` on;
            what was given before that comes first.
        policies: that of now, and the one that is proposed.
        raised: what was raised in truth.
        since: what lies before serves to learn the routine and to stand where it stood; of a home that is younger,
            the days begin where it begins.
        until: all that was received up to here is among the steps.
        say: is told now and then how far it is.
    """
    outcomes = {(_kind(one.question), one.since): one.outcome for one in raised if one.outcome is not None}
    # A home that was not there yet was not unseen either.
    since = max(since, _at(steps[0])) if steps else since
    warm = _warmed_up(home, (step for step in steps if _at(step) < since), since)
    runs = [_Run(home, warm, policy, outcomes, since) for policy in policies]
    comparing = _Comparing(since)
    for number, step in enumerate(step for step in steps if _at(step) >= since):
        comparing.hours_before(_at(step), runs)
        for run in runs:
            run.take(step)
        if number % 256 == 0 and since < until:  # Of a home that begins just now there is nothing to wait for.
            say((_at(step) - since) / (until - since))
    comparing.hours_before(until, runs)
    for run in runs:
        run.advance(until)
    say(1.0)
    return LookBack(
        home=home,
        since=since,
        until=until,
        unseen=comparing.unseen,
        alerts=tuple(_compared(runs[0].found, runs[1].found, outcomes)),
        delays=tuple(comparing.delays()),
    )


# -- a home, judged by one policy


class _Run:
    """The days of one home by one policy."""

    def __init__(
        self,
        home: str,
        warm: HomeState,
        policy: Policy,
        outcomes: Mapping[tuple[str, datetime], str | None],
        since: datetime,
    ) -> None:
        self.home = home
        self.judge = LaneJudge({home: _copy(warm)}, since)
        self.found: list[Finding] = []
        self._outcomes = outcomes
        self._keep(self.judge.apply(Input(0, home, since, "policy", to_json(policy))), since)

    def take(self, step: Batch | Input) -> None:
        if isinstance(step, Batch):
            self._keep(self.judge.take(step), step.received_at)
        elif step.kind not in {"policy", "closed"}:
            self._keep(self.judge.apply(step), step.counts_from)

    def advance(self, at: datetime) -> None:
        self._keep(self.judge.advance(at), at)

    def told_at(self) -> datetime | None:
        """Return when somebody is told if nothing moves from now on; None: somebody is asked already, or never."""
        return self.judge.state_of(self.home).told_if_quiet_at()

    def is_seen(self) -> bool:
        return self.judge.state_of(self.home).watch.state is not Watched.BLIND

    def _keep(self, found: Sequence[Verdict], at: datetime) -> None:
        """Keep what concerns the resident; close what is over, as whoever was asked about it would have."""
        for one in found:
            if isinstance(one, SeenLater) or one.question in FAULTS or one.question is Question.ALARM:
                continue
            if isinstance(one, Finding):
                self.found.append(one)
            else:
                self._close(one, at)

    def _close(self, ended: Ended, at: datetime) -> None:
        began = next((one.since for one in reversed(self.found) if one.episode == ended.episode), None)
        outcome = None if began is None else self._outcomes.get((_kind(ended.question), began))
        content = {"question": ended.question.value, "episode": ended.episode, "at": at.isoformat()}
        self.judge.apply(
            Input(0, self.home, at, "closed", {**content, "outcome": outcome or _HARMLESS, "by": "look back"})
        )


def _warmed_up(home: str, steps: Iterable[Batch | Input], until: datetime) -> HomeState:
    """Return what was remembered of a home: what was raised and closed then, was."""
    judge = LaneJudge({}, None)
    for step in steps:
        if isinstance(step, Batch):
            judge.take(step)
        else:
            judge.apply(step)
    judge.advance(until)
    if home not in judge.homes():
        judge.apply(Input(0, home, until, "stretch", {"stretch_s": 0.0}))
    return judge.state_of(home)


def _copy(state: HomeState) -> HomeState:
    """Return a copy of a home's state that shares nothing with it."""
    copied = load(dump(state), STATE, "")
    assert copied is not None, "it was dumped by this release"
    return copied


def _at(step: Batch | Input) -> datetime:
    return step.received_at if isinstance(step, Batch) else step.counts_from


# -- the comparison


@dataclass(slots=True)
class _Comparing:
    """What is asked at each full hour."""

    hour: datetime
    unseen: timedelta = timedelta(0)
    tried: dict[int, list[tuple[timedelta, timedelta]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = self.hour.replace(minute=0, second=0, microsecond=0)
        self.hour = whole if whole == self.hour else whole + HOUR

    def hours_before(self, at: datetime, runs: Sequence[_Run]) -> None:
        """Pretend a collapse at each full hour before a moment: nothing moves any more."""
        while self.hour < at:
            for run in runs:
                run.advance(self.hour)
            if not runs[0].is_seen():
                self.unseen += HOUR
            told = [told_at for run in runs if (told_at := run.told_at()) is not None]
            if len(told) == len(runs):
                now, then = (told_at - self.hour for told_at in told)
                self.tried.setdefault(local(self.hour).hour, []).append((now, then))
            self.hour += HOUR

    def delays(self) -> Iterator[Delay]:
        for hour, tried in sorted(self.tried.items()):
            now, then = zip(*tried, strict=True)
            yield Delay(
                hour=hour,
                tried=len(tried),
                now=median(now),
                then=median(then),
                now_mean=sum(now, timedelta(0)) / len(now),
                then_mean=sum(then, timedelta(0)) / len(then),
                now_longest=max(now),
                then_longest=max(then),
            )


def _compared(
    now: Sequence[Finding], then: Sequence[Finding], outcomes: Mapping[tuple[str, datetime], str | None]
) -> Iterator[Compared]:
    by_now, by_then = _first_of_each(now), _first_of_each(then)
    for key in sorted(by_now.keys() | by_then.keys(), key=lambda key: (key[2], key[0], key[1])):
        kind, what, since = key
        one, other = by_now.get(key), by_then.get(key)
        shown = one or other
        assert shown is not None, "the key is of one of them"
        yield Compared(
            question=shown.question,
            what=what,
            since=since,
            now_at=one.at if one else None,
            then_at=other.at if other else None,
            outcome=outcomes.get((kind, since)),
        )


def _first_of_each(found: Sequence[Finding]) -> dict[tuple[str, str, datetime], Finding]:
    first: dict[tuple[str, str, datetime], Finding] = {}
    for one in found:
        first.setdefault((_kind(one.question), _what(one), one.since), one)
    return first


def _kind(question: Question) -> str:
    """Return what tells one story from another: one silence is one story, whichever question found it."""
    return "stillness" if question in ONE_STORY else question.value


def _what(found: Finding) -> str:
    return str(found.why.get("rule") or found.why.get("room") or "")

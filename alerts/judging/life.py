"""When was the resident last seen to move, how long has nothing moved, and when is that too long?

Two questions about one silence: the plain timer (`detectors.stillness`) and the learned one (`detectors.routine`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging import policy as policies
from alerts.judging.detectors import out, stillness
from alerts.judging.detectors.routine import DAYS_NEEDED, LEAST, SOONEST, Beginning, Routine
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, iso_or_none, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground, Left
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sight import Sight

STILLNESS: Final = (Question.STILL, Question.STILL_UNUSUAL)

_MORNING_QUIET: Final = timedelta(hours=3)
"""Quiet for this long before it, a sign of life after 04:00 is the morning's first.  Ours: shorter than nearly every
night's longest quiet in the TIHM recordings, and longer than a doze in front of the television."""

_PENDING_MAX: Final = 8
"""Ours: silences that wait for the outcome of their alert before they are learnt from."""

_NOT_USUAL: Final = frozenset({"help given", "ambulance"})
"""Outcomes after which a silence is not taken for usual."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last sign of life."""

    at: datetime
    room: str | None
    sensor: str | None


@dataclass(slots=True, kw_only=True)
class Life:
    """What is remembered of a resident's movements.

    Attributes:
        still_from: where a stillness began if nothing was ever seen: the home was watched from then on.
        seen: the last sign of life; None: never.
        up_since: the first sign of life after 04:00 in London that ended at least three hours of quiet.
        asked: what became of the findings of stillness, by their question.
        pending: silences that were raised, and are learnt from once a person says that they were harmless.
        routine: what is usual here.
        looked_since: the beginning of the stillness of which it was looked up what is usual; before it has lasted as
            long as the soonest alert needs, that is not worth the time it takes.
    """

    still_from: datetime | None = None
    seen: Seen | None = None
    up_since: datetime | None = None
    asked: dict[Question, Asked] = field(default_factory=dict)
    pending: list[tuple[Beginning, datetime]] = field(default_factory=list)
    routine: Routine = field(default_factory=Routine)
    looked_since: datetime | None = None

    def still_since(self) -> datetime | None:
        """Return when the present stillness began; None while the home is not watched."""
        if self.still_from is None or self.seen is None:
            return self.still_from
        return max(self.seen.at, self.still_from)

    def is_news(self, seen_at: datetime) -> bool:
        """Return whether a sign of life is later than all before it."""
        return self.seen is None or seen_at > self.seen.at

    def see(self, seen: Seen, sight: Sight, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Take in a sign of life that is news: it ends a stillness, and begins the next.

        Args:
            seen: it; the home is watched.
            sight: how well the silence before it was watched.
            ground: of the home.
            at: when it was received.
        """
        began = self.still_since()
        assert began is not None, "the home is watched"
        ended = self._end(seen, ground.home, at)
        self._learn(began, seen.at, sight)
        self.routine.see(seen.at, seen.room)
        if self.seen is not None and seen.at - self.seen.at >= _MORNING_QUIET and not self._is_up(seen.at):
            self.up_since = seen.at
        self.seen = seen
        return ended

    def next_look(self, question: Question, ground: Ground) -> datetime | None:
        """Return when to ask whether a stillness is due, which is never later than when it is; None: never."""
        since = self.still_since()
        if question is Question.STILL or since is None or self.looked_since == since:
            return self.due(question, ground)
        if not self._may_be_due(question, ground):
            return None
        return ground.no_sooner(since + SOONEST, *self._held_back(since, ground.policy))

    def look(self, at: datetime) -> None:
        """Note that a stillness has lasted so long that it matters what is usual."""
        since = self.still_since()
        if since is not None and at >= since + SOONEST:
            self.looked_since = since

    def due(self, question: Question, ground: Ground) -> datetime | None:
        """Return when a stillness is raised if nothing more is seen; None: not, as things are.

        One stillness is one alert: while a question about it is open, the other would only tell the same again.
        """
        since = self.still_since()
        if since is None or not self._may_be_due(question, ground):
            return None
        if question is Question.STILL:
            due = stillness.due_at(since, ground.policy)
        else:
            due = since + self.routine.usual(since, ground.policy.patience).longest
        left = self._left(ground)
        if left is not None and ground.policy.is_out_asked:
            due = max(due, out.too_long_at(left, ground.policy))
        return ground.no_sooner(due, *self._held_back(since, ground.policy))

    def raise_(self, question: Question, sight: Sight, ground: Ground, *, at: datetime) -> Finding:
        """Open the finding of a stillness that is due."""
        since = self.still_since()
        assert since is not None
        episode, again_of = self.asked_of(question).raise_(since, at=at)
        return Finding(
            home=ground.home,
            hub=None,
            question=question,
            episode=episode,
            since=since,
            at=at,
            why=self._why(question, since, at, sight, ground),
            policy=ground.policy.policy,
            again_of=again_of,
        )

    def close(self, said: Close) -> None:
        """Close a stillness that lasts or is over.

        One by a name that is not known closes what is open: a judge that was rebuilt may call it otherwise, and one
        that thinks it open while nobody else does would not raise it again.  At worst it is raised once more.
        """
        asked = self.asked_of(said.question)
        since = asked.close_as(said.episode, at=said.at, by=said.by, outcome=said.outcome)
        if since is not None:
            self._settle(since, said.outcome)

    def next_alert(self, ground: Ground) -> tuple[datetime | None, dict[str, JSON]]:
        """Return when a stillness is raised if nothing moves any more, or was raised; or None and why not."""
        raised = [(a.open.at, q) for q in STILLNESS if (a := self.asked_of(q)).open is not None]
        if raised:
            at, question = min(raised)
            return at, {"question": question.value, "is_open": True}
        if ground.quiet is Quiet.PAUSED:
            return None, {"reason": "paused"}
        if ground.is_blind:
            return None, {"reason": "blind", "blind": list(ground.blind_why)}
        dues = [(due, q) for q in STILLNESS if (due := self.due(q, ground)) is not None]
        if not dues:
            return None, {"reason": "not watched"}
        at, question = min(dues)
        return at, {"question": question.value, "is_open": False, "policy": ground.policy.policy}

    def learning(self, policy: Policy) -> dict[str, JSON]:
        """Return what is still being learnt; empty when nothing is."""
        if not policy.learned or self.routine.is_learnt():
            return {}
        return {"question": Question.STILL_UNUSUAL.value, "days": self.routine.days_learnt(), "of": DAYS_NEEDED}

    def asked_of(self, question: Question) -> Asked:
        """Return what became of the findings of a question."""
        return self.asked.setdefault(question, Asked())

    def _may_be_due(self, question: Question, ground: Ground) -> bool:
        if ground.is_blind or any(asked.open is not None for asked in self._all()):
            return False
        return question is Question.STILL or self._is_routine_asked(ground.policy)

    # What a finding says.

    def _held_back(self, since: datetime, policy: Policy) -> list[datetime | None]:
        return [self.asked_of(q).may_be_raised_from(since, policy.again_after) for q in STILLNESS]

    def _left(self, ground: Ground) -> Left | None:
        """Return the leaving that a stillness begins with; None: it begins with a movement inside."""
        is_last = ground.left is not None and self.seen is not None and ground.left.at == self.seen.at
        return ground.left if is_last else None

    def _why(self, question: Question, since: datetime, at: datetime, sight: Sight, ground: Ground) -> dict[str, JSON]:
        seen, left = self.seen, self._left(ground)
        why: dict[str, JSON] = {
            "last_seen_at": iso_or_none(seen.at if seen else None),
            "last_seen_room": seen.room if seen else None,
            "last_seen_sensor": seen.sensor if seen else None,
            "still_for_s": whole_s(at - since),
            "quiet": ground.quiet.value,
            "watched": sight.watch.state.value,
            "watched_why": list(sight.watch.why),
        }
        if sight.unseen is not None and sight.unseen[1] > since:
            why |= {"unseen_since": iso(max(sight.unseen[0], since)), "unseen_until": iso(sight.unseen[1])}
        if unwatched := whole_s(sight.unwatched_by(at)):
            why |= {"unwatched_s": unwatched}
        if left is not None:
            why |= {"left_at": iso(left.at), "left_by": left.door}
        policy = ground.policy
        return why | (_why_plain(policy) if question is Question.STILL else self._why_unusual(since, policy))

    def _why_unusual(self, since: datetime, policy: Policy) -> dict[str, JSON]:
        usual = self.routine.usual(since, policy.patience)
        return {
            "longest_s": whole_s(usual.longest),
            "usual_s": whole_s(usual.quantile) if usual.silences else None,
            "silences": usual.silences,
            "share": usual.share,
            "days": usual.days,
            "start_hour": usual.start_hour,
        }

    def _end(self, seen: Seen, home: str, at: datetime) -> list[Verdict]:
        ended: list[Verdict] = []
        for question in STILLNESS:
            asked = self.asked_of(question)
            if asked.open is None or seen.at <= asked.open.since:
                continue
            was = asked.open
            asked.end()
            why: dict[str, JSON] = {
                "seen_at": iso(seen.at),
                "room": seen.room,
                "sensor": seen.sensor,
                "late_by_s": whole_s(at - seen.at),
                "still_for_s": whole_s(seen.at - was.since),
            }
            ended.append(Ended(home, None, question, was.episode, at, why))
        return ended

    # What is usual.

    def _is_routine_asked(self, policy: Policy) -> bool:
        return policy.learned and self.routine.is_learnt()

    def _learn(self, began: datetime, ended: datetime, sight: Sight) -> None:
        """Take a silence as usual, unless it was not watched or somebody had to help.

        One that was raised and is not closed yet waits for its outcome.
        """
        silence = self.routine.beginning(began)
        if not sight.was_watched(began):
            if ended - began >= LEAST:
                self.routine.miss(ended)
            return
        if self._is_waiting_for_outcome(began):
            self.pending = [*self.pending, (silence, ended)][-_PENDING_MAX:]
        elif not any(
            a.closed is not None and a.closed.since == began and a.closed.outcome in _NOT_USUAL for a in self._all()
        ):
            self.routine.learn(silence, ended)

    def _settle(self, began: datetime, outcome: str) -> None:
        """Learn, or not, from a silence that has waited for the outcome of its alerts."""
        waiting = [silence for silence in self.pending if silence[0].at == began]
        if outcome in _NOT_USUAL:
            self.pending = [silence for silence in self.pending if silence[0].at != began]
        elif not self._is_waiting_for_outcome(began):
            self.pending = [silence for silence in self.pending if silence[0].at != began]
            for silence in waiting:
                self.routine.learn(*silence)

    def _is_waiting_for_outcome(self, began: datetime) -> bool:
        return any(asked.is_waiting_for_outcome(began) for asked in self._all())

    def _all(self) -> list[Asked]:
        return [self.asked_of(question) for question in STILLNESS]

    def _is_up(self, at: datetime) -> bool:
        return self.up_since is not None and policies.day_of(self.up_since) == policies.day_of(at)


def _why_plain(policy: Policy) -> dict[str, JSON]:
    return {
        "waking_s": whole_s(policy.still_for),
        "waking_from": policy.waking_from.isoformat("minutes"),
        "waking_until": policy.waking_until.isoformat("minutes"),
    }

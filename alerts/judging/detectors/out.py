"""Did the resident go out, and is not back?

Whoever was last noticed at an outer door is probably out, until something inside moves.  On the TIHM recordings a
movement even five seconds after a door is as seldom followed by hours of quiet as any other, and a door that is the
last thing heard eight times as often (1.5 h and more by day: 0.8 % against 0.1 %; 2026-11).  It may also be somebody
who shut the door from inside and fell: so being out names a stillness, and puts it off by no more than a policy's time.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground, Left
from alerts.judging.policy import Policy, first_within, span_at
from alerts.judging.sensed import Place, Sensed

# What is usual: a door that is shut late, and then the quiet of somebody who went to bed where no sensor sees it.
_KEPT_FOR: Final = timedelta(days=28)
_QUIETS_MAX: Final = 64
# Ours: nobody gets up at the same minute every day.
_MARGIN: Final = 1.25
# Ours: fewer are no habit.
_HABIT: Final = 3


@dataclass(slots=True)
class Out:
    """What is remembered of comings and goings.

    Attributes:
        quiets: (when it began, seconds since 1970; how long it lasted, seconds) of the last weeks' quiets that began
            with an outer door, lasted into the night for longer than the policy says, and ended by themselves.
        door_at: when an outer door was last opened or shut.
        door: which; empty before the first.
        inside_at: when something inside last moved.
        asked: what became of the finding.
    """

    door_at: datetime | None = None
    door: str = ""
    inside_at: datetime | None = None
    quiets: list[tuple[int, int]] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)

    def left(self) -> Left | None:
        """Return when and by which door the resident probably left; None: seen inside since, or nobody can tell.

        Where nothing inside was ever heard to move, nobody could be noticed coming back.
        """
        if self.door_at is None or self.inside_at is None or self.inside_at >= self.door_at:
            return None
        return Left(self.door_at, self.door, self._usual())

    def forget(self) -> None:
        """Let it be unknown whether the resident is out: who was away may have come back by any door."""
        self.door_at = None

    def _usual(self) -> timedelta:
        """Return how long quiets that begin with an outer door last here at night, at the most; 0: none does."""
        if len(self.quiets) < _HABIT:
            return timedelta(0)
        return _MARGIN * timedelta(seconds=max(lasted_s for _, lasted_s in self.quiets))

    def _learn(self, said: Sensed, policy: Policy) -> None:
        """Take a quiet that ends now as usual, if the night's rule would have found it."""
        left = self.left()
        if left is None or said.at < first_within(
            left.at + policy.out_at_night_for, policy.home_by, policy.waking_from
        ):
            return
        self.quiets.append((int(left.at.timestamp()), whole_s(said.at - left.at)))
        oldest = said.at.timestamp() - _KEPT_FOR.total_seconds()
        self.quiets = [quiet for quiet in self.quiets[-_QUIETS_MAX:] if quiet[0] >= oldest]

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a sign of life; inside, it ends being out."""
        if not said.is_life or said.place is Place.OUTSIDE:
            return []
        self._learn(said, ground.policy)
        if said.is_outer_door:
            if self.door_at is None or said.at > self.door_at:
                self.door_at, self.door = said.at, said.room or "outer door"
            return []
        self.inside_at = max(self.inside_at or said.at, said.at)
        was = self.asked.open
        if was is None or self.left() is not None or said.at <= was.since:
            return []
        self.asked.end()
        why: dict[str, JSON] = {
            "seen_at": iso(said.at),
            "room": said.room,
            "sensor": said.sensor,
            "late_by_s": whole_s(said.received_at - said.at),
            "out_for_s": whole_s(said.at - was.since),
        }
        return [Ended(ground.home, None, Question.OUT, was.episode, said.received_at, why)]

    def due(self, ground: Ground) -> datetime | None:
        """Return when it is found that the resident is not back, if nothing more is seen; None: it is not."""
        left = ground.left
        if left is None or not ground.policy.is_out_asked or ground.is_blind or self.asked.open is not None:
            return None
        held_back_until = self.asked.may_be_raised_from(left.at, ground.policy.again_after)
        return ground.no_sooner(too_long_at(left, ground.policy), held_back_until)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return that the resident is not back, if that is due by now."""
        due, left = self.due(ground), ground.left
        if due is None or due > at or left is None:
            return []
        episode, again_of = self.asked.raise_(left.at, at=at)
        policy = ground.policy
        why: dict[str, JSON] = {
            "left_at": iso(left.at),
            "left_by": left.door,
            "out_for_s": whole_s(at - left.at),
            "longest_s": whole_s(policy.out_for),
            "usual_s": whole_s(left.usual) or None,
            "home_by": policy.home_by.isoformat("minutes"),
            "at_night": span_at(left.at, policy.home_by, policy.waking_from) is not None,
        }
        found = Finding(
            home=ground.home,
            hub=None,
            question=Question.OUT,
            episode=episode,
            since=left.at,
            at=at,
            why=why,
            policy=policy.policy,
            again_of=again_of,
        )
        return [found]

    def close(self, said: Close) -> None:
        """Take in that a person closed the finding."""
        if said.question is Question.OUT:
            self.asked.close_as(said.episode, at=said.at, by=said.by, outcome=said.outcome)


def too_long_at(left: Left, policy: Policy) -> datetime:
    """Return when somebody who left then has been out for too long.

    After `out_for` at the latest.  Sooner at `home_by`, and who left after that, after `out_at_night_for`; unless a
    door is usually the last thing heard of an evening here, when that is waited for.
    """
    at_night = first_within(left.at + policy.out_at_night_for, policy.home_by, policy.waking_from)
    return min(left.at + policy.out_for, max(at_night, left.at + left.usual))

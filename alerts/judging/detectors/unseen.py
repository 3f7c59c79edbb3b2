"""For how long may a home not be seen, until somebody must look how the resident is?

While nothing can be seen, no stillness can be found, and silence says nothing.  That is no reason to wait for ever:
somebody may have fallen in the minute in which the line went down.  So blindness itself is told to those who can go,
after a policy's time, with where the resident was seen last.
"""

from dataclasses import dataclass, field
from datetime import datetime

from alerts.alert import Question
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, iso_or_none, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground


@dataclass(slots=True)
class Unseen:
    """What is remembered of a home that cannot be seen.

    Attributes:
        asked: what became of the finding.
    """

    asked: Asked = field(default_factory=Asked)

    def due(self, ground: Ground) -> datetime | None:
        """Return when it is found that the home was not seen for too long, or that it is seen again; None: never."""
        if self.asked.open is not None:
            return None if self._lasts(ground) else ground.as_of
        at = self.told_at(ground)
        return None if at is None else ground.no_sooner(at)

    def told_at(self, ground: Ground) -> datetime | None:
        """Return when somebody is asked to look, if the home stays as it is; None: nobody is asked for that."""
        if ground.dark_since is None or not ground.policy.is_unseen_asked:
            return None
        held_back_until = self.asked.may_be_raised_from(ground.dark_since, ground.policy.again_after)
        due = ground.dark_since + ground.policy.unseen_for
        return due if held_back_until is None else max(due, held_back_until)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return that the home was not seen for too long, or is seen again, if that is due by now."""
        due = self.due(ground)
        if due is None or due > at:
            return []
        if self.asked.open is not None:
            was = self.asked.open
            self.asked.end()
            why: dict[str, JSON] = {"unseen_for_s": whole_s(at - was.since)}
            return [Ended(ground.home, None, Question.UNSEEN, was.episode, at, why)]
        since = ground.dark_since
        assert since is not None, "it is due"
        episode, again_of = self.asked.raise_(since, at=at)
        found = Finding(
            home=ground.home,
            hub=None,
            question=Question.UNSEEN,
            episode=episode,
            since=since,
            at=at,
            why={
                "last_seen_at": iso_or_none(ground.last_seen_at),
                "last_seen_room": ground.last_seen_room,
                "quiet": ground.quiet.value,
                "blind_why": list[JSON](ground.blind_why),
                "unseen_for_s": whole_s(at - since),
                "left_at": iso(ground.left.at) if ground.left is not None else None,
            },
            policy=ground.policy.policy,
            again_of=again_of,
        )
        return [found]

    def close(self, said: Close) -> None:
        """Take in that a person closed the finding."""
        if said.question is Question.UNSEEN:
            self.asked.close_as(said.episode, at=said.at, by=said.by, outcome=said.outcome)

    def _lasts(self, ground: Ground) -> bool:
        return self.asked.open is not None and ground.dark_since == self.asked.open.since

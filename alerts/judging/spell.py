"""What of one sensor lasts, since when, and what became of the finding that it does?

A door that stands open, a room that is cold, a sensor that says nothing, a battery that is low: each begins, may be
found, may be closed by a person while it lasts, and ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from alerts.alert import FAULTS, Question
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding
from alerts.judging.given import Close
from alerts.judging.ground import Ground

SENSORS_MAX: Final = 256
"""Ours: sensors of one home; a flat has about ten.  What a hub gone wrong invents beyond that is not remembered."""


@dataclass(slots=True)
class Spell:
    """Something about one sensor.

    Attributes:
        since: when it began; None: it is not so.
        asked: what became of the finding.
    """

    since: datetime | None = None
    asked: Asked = field(default_factory=Asked)

    def begin(self, since: datetime) -> None:
        """Note that it is so; since when, if it was not so before."""
        self.since = self.since or since

    def held_back_until(self, ground: Ground) -> datetime | None:
        """Return until when it must not be raised: a person has just closed it."""
        assert self.since is not None
        return self.asked.may_be_raised_from(self.since, ground.policy.again_after)

    def raise_(
        self, question: Question, name: str, why: Mapping[str, JSON], ground: Ground, *, at: datetime
    ) -> Finding:
        """Open the finding, which is told from others of the same question by the sensor's name."""
        assert self.since is not None
        episode, again_of = self.asked.raise_(self.since, at=at, name=name)
        return Finding(
            home=ground.home,
            hub=None,
            question=question,
            episode=episode,
            since=self.since,
            at=at,
            why=why,
            policy=ground.policy.policy,
            again_of=again_of,
        )

    def end(self, question: Question, why: Mapping[str, JSON], ground: Ground, *, at: datetime) -> list[Ended]:
        """Note that it is so no more, and return what that ends."""
        self.since = None
        was = self.asked.open
        if was is None:
            return []
        if question in FAULTS:
            self.asked.forget()
        else:
            self.asked.end()
        return [Ended(ground.home, None, question, was.episode, at, why)]


def close(spells: Mapping[str, Spell], said: Close) -> None:
    """Close the finding about the sensor of which a person closed one.

    One by a name that is not known closes what is open: a judge that was rebuilt may call it otherwise, and one that
    thinks it open while nobody else does would not raise it again.  At worst it is raised once more.
    """
    spell = spells.get(said.episode.rpartition("/")[0])
    if spell is not None:
        spell.asked.close_as(said.episode, at=said.at, by=said.by, outcome=said.outcome)

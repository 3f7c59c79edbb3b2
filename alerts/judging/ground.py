"""What may a question of a home rest on, besides what it remembers itself?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet, may_be_asked


@dataclass(frozen=True, slots=True)
class Left:
    """The last sign of life came from an outer door: the resident is probably out.

    Attributes:
        at: when.
        door: which.
        usual: how long a quiet that begins so usually lasts here at night; 0 where none does.
    """

    at: datetime
    door: str
    usual: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ground:
    """How a home stands at a moment.

    Attributes:
        home: which.
        as_of: nothing is found true of an earlier moment.
        policy: the numbers in force.
        stretch: how much later promises may be kept while time is sped up.
        quiet: what it is that nothing is heard of the resident.
        unseen_until: when the last time ended in which nothing could be seen; None: never.
        sees: the hubs through which something can be seen, and how long in all nothing could be seen through each.
        left: when and by which door the resident left; None: seen inside since.
        dark_since: since when a home that was seen before cannot be seen; None: it can, or never was.
        blind_why: why it cannot be seen; empty while it can.
        last_seen_at: the last sign of life; None: never.
        last_seen_room: where.
        waits: what hubs still hold may change the past until these moments, so a finding about the resident waits.
    """

    home: str
    as_of: datetime
    policy: Policy
    stretch: timedelta
    quiet: Quiet
    unseen_until: datetime | None = None
    sees: Mapping[str, timedelta] = field(default_factory=dict)
    left: Left | None = None
    waits: tuple[datetime, ...] = ()
    dark_since: datetime | None = None
    blind_why: tuple[str, ...] = ()
    last_seen_at: datetime | None = None
    last_seen_room: str | None = None

    @property
    def is_blind(self) -> bool:
        """Whether nothing about the resident can be found: nothing can be seen, or nobody is to look."""
        return not may_be_asked(self.quiet)

    def no_sooner(self, due: datetime, *held_back: datetime | None) -> datetime:
        """Return when a finding about the resident that is due then may be made, at the soonest."""
        return max([due, self.as_of, *self.waits, *(until for until in held_back if until is not None)])

"""What did our processes say when they were looked at?  Plain facts, as they came; what they mean is `judging`'s."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final


class Kind(enum.Enum):
    """What is looked at."""

    INGEST = "ingest"
    ALERTS = "alerts"
    API = "api"
    PAGES = "pages"  # the address that people open
    BACKUP = "backup"  # whoever says how old the newest backup is
    BROKER = "broker"  # as hubs reach it; only its TLS is asked


PROCESSES: Final = (Kind.INGEST, Kind.ALERTS, Kind.API)


@dataclass(frozen=True, slots=True)
class Part:
    """One address to look at.

    Attributes:
        kind: what answers there.
        url: `http://host:port` of a health address, the address of the pages, or `mqtts://host:port`; without a slash
            at its end.
        certified_as: the name that its certificate must have, where that is not the address's.
    """

    kind: Kind
    url: str
    certified_as: str = ""

    @property
    def name(self) -> str:
        """Return how a text calls it: what it is, and where."""
        return f"{self.kind.value} at {self.url.partition('://')[2]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one part said.

    Attributes:
        at: by the watcher's clock, in the middle of the request.
        took: the request, in real time.
        facts: what it told; empty where it is no JSON object.
        why: of each check that failed, by name.
        silence: why there was no answer; None where there was one.
        ends_at: until when the certificate holds that it showed; None without TLS.
        said_at: the time on its own clock; None where it says none.
    """

    at: datetime
    took: timedelta
    facts: Mapping[str, object] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    silence: str | None = None
    ends_at: datetime | None = None
    said_at: datetime | None = None

    def number(self, name: str) -> int:
        """Return a count that was told, or 0."""
        said = self.facts.get(name)
        return said if isinstance(said, int) else 0

    def moment(self, name: str) -> datetime | None:
        """Return a moment that was told, or None where it is none or has no offset."""
        return moment_of(self.facts.get(name))


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen in one look.

    Attributes:
        answers: of every part, whether it answered or not.
        outside_off_by: how far a clock outside of us all is ahead of the watcher's; None where none was asked.
        kernel_follows: whether the watcher's own kernel follows a time server; None where nobody can tell.
        is_simulated: whether we go by a clock file; then the outside's time says nothing.
    """

    answers: Mapping[Part, Answer]
    outside_off_by: timedelta | None = None
    kernel_follows: bool | None = None
    is_simulated: bool = False

    def of(self, *kinds: Kind) -> list[tuple[Part, Answer]]:
        return [(part, answer) for part, answer in self.answers.items() if part.kind in kinds]


def moment_of(said: object) -> datetime | None:
    """Return the moment in an ISO 8601 text with an offset, or None."""
    if not isinstance(said, str):
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment

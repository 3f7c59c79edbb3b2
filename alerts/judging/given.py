"""What else than the log influences the judgement of a home, as it stands in a judging input?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from alerts.alert import Question, is_known

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Watched(msgspec.Struct, frozen=True):
    """A hub is watched from here on, or no longer."""

    hub: str
    since: _Moment | None = None
    until: _Moment | None = None


class Close(msgspec.Struct, frozen=True):
    """An alert was closed."""

    question: Question
    episode: str
    outcome: str
    by: str
    at: _Moment


def is_of_a_newer_question(content: object) -> bool:
    """Return whether what was closed is the answer to a question that only a newer release asks."""
    asked = content.get("question") if isinstance(content, Mapping) else None
    return isinstance(asked, str) and not is_known(asked)


class Sensor(msgspec.Struct, frozen=True):
    """A sensor that the home has.

    Attributes:
        room: None where nobody said.
        kind: motion, contact, pendant ...: what it is, for people; empty where nobody said.
        is_outer: whether it is on an outer door; None: its room's name says so.
    """

    sensor: str
    room: str | None = None
    kind: str = ""
    is_outer: bool | None = None


class Pause(msgspec.Struct, frozen=True):
    """The resident is away, or asked not to be watched over, for a time; or no longer, where nothing is said.

    Attributes:
        kind: away, or paused by the resident; for whoever reads it.
        since: it begins then, or when it counts where that is later.
        until: its end, excluded.
    """

    kind: str = ""
    since: _Moment | None = None
    until: _Moment | None = None


class Stretch(msgspec.Struct, frozen=True):
    """How much later promises may be kept while time is sped up."""

    stretch_s: Annotated[float, msgspec.Meta(ge=0, le=10 * 365 * 86400)]

"""Which alarms stand, and what is to be said about them now?  Pure: state and look give state and sentences.

An alarm must last for a while before it is said, and be gone for as long before it is said to be over, so that a
restart wakes nobody and a fault that flaps is one alarm.  While it stands it is said again, and never more often than a
phone can bear.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from deploy.watcher.judging import Alarm


@dataclass(frozen=True, slots=True)
class Rules:
    """How often is what said.

    Attributes:
        patience: how long something must be wrong, or well again, before it is said.
        again_after: how long until it is said again while it stands.
        texts_an_hour: at most; what does not fit is said when there is room.
    """

    patience: timedelta = timedelta(seconds=60)
    again_after: timedelta = timedelta(minutes=30)
    texts_an_hour: int = 12


class News(enum.Enum):
    """What is said of an alarm."""

    BEGAN = "began"
    AGAIN = "again"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Standing:
    """One alarm that was seen and is not over.

    Attributes:
        since: when it was first seen.
        why: as seen last.
        told_at: when the operator was told last; None: not yet.
        well_since: since when it is not seen any more; None while it is.
    """

    since: datetime
    why: str
    told_at: datetime | None = None
    well_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that the watcher remembers.

    Attributes:
        standing: the alarms that were seen and are not over.
        texted_at: when texts left within the last hour, oldest first.
    """

    standing: Mapping[Alarm, Standing] = field(default_factory=dict)
    texted_at: Sequence[datetime] = ()

    @property
    def is_well(self) -> bool:
        """Return whether nothing is wrong, and nothing is left to be said."""
        return not self.standing


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say."""

    alarm: Alarm
    news: News
    since: datetime
    why: str


_HOUR: Final = timedelta(hours=1)


def after_look(state: State, wrong: Mapping[Alarm, str], *, now: datetime, rules: Rules) -> tuple[State, list[Line]]:
    """Return the state after a look, and what is to be said now; it is said again until `told`.

    Of an alarm that was over before anybody was told nothing is ever said.
    """
    standing: dict[Alarm, Standing] = {}
    lines = []
    for alarm in Alarm:
        one = _seen(state.standing.get(alarm), wrong.get(alarm), now)
        if one is None or _is_forgotten(one, now, rules):
            continue
        standing[alarm] = one
        news = _news(one, now, rules)
        if news is not None:
            lines.append(Line(alarm, news, one.since, one.why))
    texted = [at for at in state.texted_at if now - _HOUR < at <= now]
    has_room = len(texted) < rules.texts_an_hour
    return State(standing, texted), lines if has_room else []


def told(state: State, lines: Collection[Line], *, now: datetime) -> State:
    """Return the state once these lines have left in a text."""
    standing = dict(state.standing)
    for line in lines:
        if line.news is News.OVER:
            standing.pop(line.alarm, None)
        elif line.alarm in standing:
            standing[line.alarm] = replace(standing[line.alarm], told_at=now)
    return State(standing, [*state.texted_at, now])


def _seen(before: Standing | None, why: str | None, now: datetime) -> Standing | None:
    if before is None:
        return None if why is None else Standing(now, why)
    if why is None:
        return replace(before, well_since=before.well_since or now)
    return replace(before, why=why, well_since=None)


def _is_forgotten(one: Standing, now: datetime, rules: Rules) -> bool:
    """Return whether it is over and nobody was ever told of it."""
    return one.told_at is None and one.well_since is not None and now - one.well_since >= rules.patience


def _news(one: Standing, now: datetime, rules: Rules) -> News | None:
    if one.well_since is not None:
        return News.OVER if one.told_at is not None and now - one.well_since >= rules.patience else None
    if one.told_at is None:
        return News.BEGAN if now - one.since >= rules.patience else None
    return News.AGAIN if now - one.told_at >= rules.again_after else None

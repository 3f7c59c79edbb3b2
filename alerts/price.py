"""What does a change of thresholds save, and what does it cost, in figures that a person weighs?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.backtest import Compared, Delay, LookBack

_PARTS: Final = (("midnight to 06:00", 0), ("06:00 to noon", 6), ("noon to 18:00", 12), ("18:00 to midnight", 18))
_PART_HOURS: Final = 6

WORTH_SAYING: Final = timedelta(minutes=10)
"""Ours: who is told ten minutes sooner or later after a collapse is told about the same; it takes hours as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How long after a collapse in a part of the day somebody would be told, on average.

    Attributes:
        name: as it is said.
        tried: how many collapses were pretended; 0: none, and both are zero.
        now: by the numbers of now.
        then: by those proposed.
    """

    name: str
    tried: int
    now: timedelta
    then: timedelta

    @property
    def change(self) -> str:
        """Whether somebody would be told sooner, later, or about when they are told now."""
        if not self.tried:
            return "not tried"
        if abs(self.then - self.now) < WORTH_SAYING:
            return "about the same"
        return "later" if self.then > self.now else "sooner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a change would have saved and cost.

    Attributes:
        now: alerts by the numbers of now.
        then: by those proposed.
        lost: those of now that would not be raised.
        gained: those that would be new; nobody knows how they would have ended.
        later: raised by both, but later.
        sooner: likewise, but sooner.
        lost_false: of those lost, raised in truth and closed without need.
        lost_needed: of those lost, somebody was helped by it.
        later_needed: of those later, likewise.
        parts: of the day.
        dearest: the hour at which a collapse would cost most more than now; None where none costs more.
    """

    now: int
    then: int
    lost: int
    gained: int
    later: int
    sooner: int
    lost_false: int
    lost_needed: int
    later_needed: int
    parts: tuple[Part, ...]
    dearest: Delay | None

    @property
    def same(self) -> int:
        """How many are raised by both in the same minute."""
        return self.now - self.lost - self.later - self.sooner

    @property
    def is_costly(self) -> bool:
        """Whether help could come later than now, or not at all."""
        return self.dearest is not None or self.lost > 0 or self.later > 0


def price_of(looked_back: Sequence[LookBack]) -> Price:
    """Return what a change would have saved and cost in some homes together."""
    alerts = [alert for one in looked_back for alert in one.alerts]
    delays = [delay for one in looked_back for delay in one.delays]
    lost = [alert for alert in alerts if alert.is_lost]
    moved = [_moved(alert) for alert in alerts]
    dearer = [delay for delay in delays if delay.then - delay.now >= WORTH_SAYING]
    return Price(
        now=sum(not alert.is_gained for alert in alerts),
        then=sum(not alert.is_lost for alert in alerts),
        lost=len(lost),
        gained=sum(alert.is_gained for alert in alerts),
        later=sum(by > 0 for by in moved),
        sooner=sum(by < 0 for by in moved),
        lost_false=sum(alert.was_false for alert in lost),
        lost_needed=sum(alert.was_needed for alert in lost),
        later_needed=sum(by > 0 and alert.was_needed for by, alert in zip(moved, alerts, strict=True)),
        parts=tuple(_part(name, first, delays) for name, first in _PARTS),
        dearest=max(dearer, key=lambda delay: delay.then - delay.now, default=None),
    )


def _moved(alert: Compared) -> int:
    """Return by how many minutes an alert would come later; 0 where only one of the two raises it."""
    if alert.now_at is None or alert.then_at is None:
        return 0
    return round((alert.then_at - alert.now_at) / timedelta(minutes=1))


def _part(name: str, first: int, delays: Sequence[Delay]) -> Part:
    within = [delay for delay in delays if first <= delay.hour < first + _PART_HOURS]
    tried = sum(delay.tried for delay in within)
    now, then = (
        sum((getattr(delay, which) * delay.tried for delay in within), timedelta(0)) / max(tried, 1)
        for which in ("now_mean", "then_mean")
    )
    return Part(name=name, tried=tried, now=now, then=then)

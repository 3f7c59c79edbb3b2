"""By which threshold or rule was an alert raised, who set it, and since when was it in force?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from alerts.alert import Question
from alerts.judging import labels, words
from alerts.judging import policy as policies
from alerts.judging.policy import Policy
from alerts.store import Alert
from alerts.store.versions import Scope, Version, Width
from api import times

_NUMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    Question.STILL: ("still_for",),
    Question.STILL_UNUSUAL: ("patience",),
    Question.OUT: ("out_for", "out_at_night_for", "home_by"),
    Question.NIGHT_UP: ("night_up_for",),
    Question.DOOR_OPEN: ("door_open_for", "door_open_at_night_for"),
    Question.COLD: ("cold_c", "cold_for"),
    Question.HOT: ("hot_c", "hot_for"),
    Question.SENSOR_SILENT: ("sensor_silent_after", "gauge_silent_after"),
    Question.SENSOR_STUCK: ("stuck_times",),
    Question.BATTERY_LOW: ("battery_low_pct",),
}
"""By which numbers each question is answered; what is not here, no operator sets."""

# Facts of a detector that say which of two durations it went by, in seconds.
_WENT_BY: Final = ("longest_s", "promise_s")


@dataclass(frozen=True, slots=True)
class RaisedBy:
    """What raised an alert.

    Attributes:
        short: the numbers alone: “No movement for” 4 h.
        said: also who set them, when, for whom, and from when they are in force.
        version: where they can be read and changed; None where nobody set them.
    """

    short: str
    said: str
    version: Version | None


def raised_by(alert: Alert, policy: Policy, versions: Sequence[Version], *, now: datetime) -> RaisedBy | None:
    """Return what raised an alert; None where nothing did that an operator sets.

    Args:
        alert: which.
        policy: that it names.
        versions: of which that policy is made, the widest first.
        now: to say days.
    """
    if alert.question is Question.RULE:
        parts = _rule(str(alert.why.get("rule") or ""), policy, versions)
    else:
        names = _numbers(alert, policy)
        parts = [(f"“{labels.LABELS[name]}” {labels.said(policy, name)}", _setter(name, versions)) for name in names]
    if not parts:
        return None
    by_whom = [
        f"{', '.join(said for said, _ in together)}, {_whence(version, alert, now=now)}"
        for version, together in ((key, list(each)) for key, each in groupby(parts, key=lambda part: part[1]))
    ]
    newest = next((version for _, version in reversed(parts) if version is not None), None)
    return RaisedBy(", ".join(said for said, _ in parts), f"Raised by {'; '.join(by_whom)}.", newest)


def _numbers(alert: Alert, policy: Policy) -> list[str]:
    """Return by which numbers a question was answered in this alert."""
    names, why = _NUMBERS.get(alert.question, ()), alert.why
    if alert.question is Question.OUT:
        # By night the hour counts at which somebody should be home, by day how long they are out.
        return ["home_by", "out_at_night_for"] if why.get("at_night") else ["out_for", "home_by"]
    went_by = next((why[fact] for fact in _WENT_BY if isinstance(why.get(fact), int | float)), None)
    if went_by is None or len(names) < 2:
        return list(names)
    said = [name for name in names if _lasts_s(policy, name) == went_by]
    return said[:1] or list(names)


def _lasts_s(policy: Policy, name: str) -> float | None:
    value = getattr(policy, name)
    return value.total_seconds() if isinstance(value, timedelta) else None


def _rule(name: str, policy: Policy, versions: Sequence[Version]) -> list[tuple[str, Version | None]]:
    found = next((rule for rule in policy.rules if rule.name == name), None)
    if found is None:
        return []
    setter = next((one for one in reversed(versions) if name in _rules_of(one.numbers)), None)
    return [(f"the rule “{words.rule_said(found)}”", setter)]


def _rules_of(numbers: Mapping[str, Any]) -> set[str]:
    return {str(one.get("name")) for one in numbers.get("rules") or ()}


def _setter(name: str, versions: Sequence[Version]) -> Version | None:
    key = policies.key_of(name)
    return next((one for one in reversed(versions) if key in one.numbers), None)


def _whence(version: Version | None, alert: Alert, *, now: datetime) -> str:
    if version is None:
        return "the product's own"
    whom = "this home" if version.scope == Scope(Width.HOME, alert.home or "-") else scope_said(version.scope)
    said = f"set for {whom} by {set_by(version)} at {times.when(version.set_at, now=now)}"
    if version.in_force_since > version.set_at:
        said += f", in force from {times.at_what_time(version.in_force_since, now=now)}"
    return f"{said} (version {version.version})"


def set_by(version: Version) -> str:
    """Return who set a version, as people call them."""
    return version.set_by_name or ("a setup file" if version.set_by == "setup" else version.set_by)


def scope_said(scope: Scope) -> str:
    """Return for which homes something is set, as an operator says it."""
    match scope.width:
        case Width.ALL:
            return "all homes"
        case Width.GROUP:
            return f"the group {scope.name}"
        case Width.HOME:
            return scope.name

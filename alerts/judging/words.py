"""How does an operator write a threshold or a rule, and how is one read back: `still_for = 5 h 30 min`?

One way of writing for the command line, setup files and pages; what is shown can be written as it stands.
"""

import re
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Final

from alerts.judging import policy as policies
from alerts.judging.finding import JSON
from alerts.judging.numbers import PRODUCTS_OWN, Numbers
from alerts.judging.rule import Rule, Sees, to_json

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)(?![a-z])")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_WALL: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_YES: Final = {"yes": True, "no": False}

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAYS: Final = (1, 2, 3, 4, 5)
_WEEKEND: Final = (6, 7)
_EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)
_NAMED_DAYS: Final = {"every day": _EVERY_DAY, "weekdays": _WEEKDAYS, "weekends": _WEEKEND}

_RULE: Final = re.compile(
    r"(?P<name>[^:]+): (?P<sees>no movement|open|not asked)(?: in (?P<rooms>.+?))?"
    r"(?: for (?P<lasts>[\d.a-z ]+?))?"
    r"(?: on (?P<days>every day|weekdays|weekends|[a-z]{3}(?:, ?[a-z]{3})*))?"
    r"(?: from (?P<begins>\d\d?:\d\d) to (?P<ends>\d\d?:\d\d))?",
    re.IGNORECASE,
)

EXAMPLE: Final = "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"
"""A rule as it is written."""


def duration(said: str) -> timedelta:
    """Return what `5 min`, `90s`, `4.5 h` or `1h 30min` says.

    Raises:
        ValueError: it is no duration above zero.
    """
    parts = _PART.findall(said.lower())
    if not parts or _PART.sub("", said.lower()).strip():
        raise ValueError(f"{said!r} is not a duration such as 5 min, 90 s, 4 h or 1 h 30 min")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= 366 * 86400:
        raise ValueError(f"{said!r} is not between a second and a year")
    return timedelta(seconds=seconds)


def duration_said(lasts: timedelta) -> str:
    """Return a duration as it is written: `1 h 30 min`."""
    left, parts = lasts.total_seconds(), []
    for seconds, unit in _UNITS:
        # A day and a half is said as 36 h, as people do.
        if unit == "d" and left % seconds:
            continue
        count = left // seconds if unit != "s" else left
        if count:
            parts.append(f"{count:g} {unit}")
        left -= count * seconds
    return " ".join(parts) or "0 s"


def wall_time(said: str) -> time:
    """Return a time of day such as 07:00.

    Raises:
        ValueError: it is none.
    """
    found = _WALL.fullmatch(said.strip())
    if found is None:
        raise ValueError(f"{said!r} is not a time of day such as 07:00")
    return time(int(found[1]), int(found[2]))


def number(name: str, said: str) -> tuple[str, JSON]:
    """Return a number as it is stored, and under which key, from a field's name and what was written for it.

    Raises:
        ValueError: a policy has no such field, or it is written otherwise.
    """
    own = getattr(policies.DEFAULT, name, None)
    if name in {"policy", "versions", "rules"} or own is None:
        raise ValueError(f"there is no threshold {name!r}; there are {', '.join(names())}")
    try:
        return policies.key_of(name), _stored(own, said.strip())
    except ValueError as why:
        raise ValueError(f"{name}: {why}") from why


def _stored(own: object, said: str) -> JSON:
    """Return what was written for a field whose own value is of the kind of `own`."""
    match own:
        case bool():
            if said.lower() not in _YES:
                raise ValueError(f"yes or no, not {said!r}")
            return _YES[said.lower()]
        case timedelta():
            return duration(said).total_seconds()
        case time():
            return wall_time(said).isoformat()
        case _:
            try:
                return float(said)
            except ValueError:
                raise ValueError(f"{said!r} is not a number") from None


def names() -> tuple[str, ...]:
    """Return what thresholds there are, in the policy's order; rules are not among them."""
    return tuple(name for name in policies.names() if policies.key_of(name) in PRODUCTS_OWN and name != "rules")


def said(policy: policies.Policy, name: str) -> str:
    """Return a field of a policy as an operator would write it."""
    match getattr(policy, name):
        case bool() as is_so:
            return "yes" if is_so else "no"
        case timedelta() as lasts:
            return duration_said(lasts)
        case time() as wall:
            return wall.isoformat("minutes")
        case measure:
            return f"{measure:g}"


def rule_said(rule: Rule) -> str:
    """Return a rule as it is written; `rule` undoes it."""
    if not rule.is_asked:
        return f"{rule.name}: not asked"
    words = f"{rule.name}: {rule.sees.value}"
    words += f" in {', '.join(rule.rooms)}" if rule.rooms else ""
    words += f" for {duration_said(rule.lasts)}"
    words += f" on {days_said(rule.days)}"
    if (rule.hours_from, rule.hours_until) != (time(0), time(0)):
        words += f" from {rule.hours_from:%H:%M} to {rule.hours_until:%H:%M}"
    return words


def days_said(days: tuple[int, ...]) -> str:
    """Return days of the week as they are written: `weekdays`, `mon, sat`."""
    named = {tuple(sorted(of)): name for name, of in _NAMED_DAYS.items()}
    return named.get(tuple(sorted(days))) or ", ".join(_DAYS[day - 1] for day in sorted(days))


def rule(said: str) -> Rule:
    """Return the rule that is written in a line such as `EXAMPLE`.

    Raises:
        ValueError: it is none, or could never be true.
    """
    found = _RULE.fullmatch(" ".join(said.split()))
    if found is None or (found["sees"].lower() != "not asked" and not found["lasts"]):
        raise ValueError(f"{said!r} is not written like {EXAMPLE!r}")
    if found["sees"].lower() == "not asked":
        # What is not asked looks for nothing; only its name counts.
        return Rule(name=found["name"].strip(), sees=Sees.NO_MOVEMENT, lasts=timedelta(hours=1), is_asked=False)
    return Rule(
        name=found["name"].strip(),
        sees=Sees(found["sees"].lower()),
        rooms=tuple(room.strip() for room in found["rooms"].split(",")) if found["rooms"] else (),
        lasts=duration(found["lasts"]),
        days=_days(found["days"] or "every day"),
        hours_from=wall_time(found["begins"]) if found["begins"] else time(0),
        hours_until=wall_time(found["ends"]) if found["ends"] else time(0),
    )


def _days(said: str) -> tuple[int, ...]:
    said = said.lower()
    if said in _NAMED_DAYS:
        return _NAMED_DAYS[said]
    unknown = [day for part in said.split(",") if (day := part.strip()) not in _DAYS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no day; days are {', '.join(_DAYS)}")
    return tuple(sorted({_DAYS.index(part.strip()) + 1 for part in said.split(",")}))


def numbers(written: Mapping[str, str], rules: tuple[str, ...] = ()) -> Numbers:
    """Return what is stored of thresholds and rules as they were written.

    Raises:
        ValueError: one of them is not written as it must be.
    """
    found: dict[str, JSON] = dict(number(name, what) for name, what in written.items())
    if rules:
        found["rules"] = [to_json(rule(line)) for line in rules]
    return found


def with_changes(before: Numbers, changes: Numbers) -> Numbers:
    """Return what a scope sets after a change: a rule takes the place of one of its name, a number of its own."""
    rules = {str(one["name"]): one for numbers_ in (before, changes) for one in _rules_in(numbers_)}
    together = {**before, **changes}
    return {**together, "rules": list[JSON](rules.values())} if rules else together


def _rules_in(numbers_: Numbers) -> list[dict[str, JSON]]:
    said = numbers_.get("rules")
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []

"""What does an operator read of thresholds: what stands, what it was, and what a change would have done?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from alerts.alert import Question, plainly
from alerts.backtest import Compared, Delay, LookBack
from alerts.judging import labels, words
from alerts.judging import policy as policies
from alerts.judging.numbers import Numbers
from alerts.judging.policy import Policy
from alerts.price import WORTH_SAYING, Price, price_of
from alerts.store.look_backs import Asked
from alerts.store.versions import Version
from api import times
from api.views.raised_by import scope_said, set_by

_SECTIONS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("Stillness", ("still_for", "waking_from", "waking_until", "learned", "patience")),
    ("Who is told when", ("escalate_after", "again_after", "hub_silent_carer_after", "remind_after", "nobody_again")),
    ("Home not seen", ("is_unseen", "unseen_")),
    ("Night", ("is_night", "night_")),
    ("Out and not back", ("is_out", "out_", "home_by")),
    ("Doors", ("is_door", "door_")),
    ("Cold and heat", ("is_cold", "cold_", "is_heat", "hot_")),
    ("Equipment", ("is_sensor", "sensor_", "gauge_", "is_stuck", "stuck_", "is_battery", "battery_")),
)
# Telling is not judged: no look back can say what these would have done.
NOT_LOOKED_AT: Final = frozenset(
    {"escalate_after", "again_after", "hub_silent_carer_after", "remind_after", "nobody_again_after"}
)
_NEED_NOBODY: Final = "nobody knows: it was never raised"


@dataclass(frozen=True, slots=True)
class Field:
    """A threshold in the form.

    Attributes:
        here: as it is set for this scope; empty where it is not.
        now: what is in force.
        whence: where that was set.
    """

    name: str
    label: str
    here: str
    now: str
    whence: str


@dataclass(frozen=True, slots=True)
class Section:
    """Thresholds that belong together."""

    heading: str
    fields: tuple[Field, ...]

    @property
    def is_set(self) -> bool:
        return any(field.here for field in self.fields)


@dataclass(frozen=True, slots=True)
class Line:
    """A version in the history of a scope."""

    version: int
    said: str
    why: str
    changes: str
    is_latest: bool


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert in the table of those of now and those proposed."""

    day: str
    about: str
    now: str
    then: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The delay after a collapse by its hour, drawn 343 units wide."""

    now: str
    then: str
    marks: tuple[tuple[float, str], ...]
    said: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A look back as it is read."""

    price: Price
    heading: str
    summary: str
    costs: tuple[str, ...]
    alerts: tuple[AlertLine, ...]
    more: int
    delays: tuple[Delay, ...]
    curve: Curve | None
    notes: tuple[str, ...]


def sections(policy: Policy, here: Numbers, layers: Sequence[Version]) -> list[Section]:
    """Return the form: each threshold once, in the first section that its name fits.

    Args:
        policy: what is in force.
        here: what is set for this scope.
        layers: the versions in force, the widest first.
    """
    own = policies.as_far_as_known({"policy": None, **here})
    left = list(words.names())
    found = []
    for heading, beginnings in _SECTIONS:
        mine = [name for name in left if name.startswith(beginnings)]
        left = [name for name in left if name not in mine]
        fields = tuple(_field(name, policy, here, own, layers) for name in mine)
        found += [Section(heading, fields)] if fields else []
    return found


def _field(name: str, policy: Policy, here: Numbers, own: Policy, layers: Sequence[Version]) -> Field:
    key = policies.key_of(name)
    setter = next((version for version in reversed(layers) if key in version.numbers), None)
    whence = "the product's own" if setter is None else f"set for {scope_said(setter.scope)}, version {setter.version}"
    return Field(
        name=name,
        label=f"{labels.LABELS[name]}, {unit}" if (unit := labels.unit(name)) else labels.LABELS[name],
        here=words.said(own, name) if key in here else "",
        now=labels.said(policy, name),
        whence=whence,
    )


def rules_written(here: Numbers) -> str:
    """Return the rules of a scope as they are written, a line each."""
    return "\n".join(words.rule_said(rule) for rule in policies.as_far_as_known({"policy": None, **here}).rules)


def history(versions: Sequence[Version], *, now: datetime) -> list[Line]:
    """Return the versions of a scope, newest first: who, when, why, and what each changed."""
    lines = []
    for number, one in enumerate(versions):
        before = versions[number + 1].numbers if number + 1 < len(versions) else {}
        said = f"Version {one.version}, set by {set_by(one)} at {times.when(one.set_at, now=now)}"
        if one.in_force_since > one.set_at:
            said += f", in force from {times.at_what_time(one.in_force_since, now=now)}"
        if one.takes_back is not None:
            said += f"; takes back version {one.takes_back}"
        lines.append(Line(one.version, said, one.why, changes(before, one.numbers), number == 0))
    return lines


def changes(before: Numbers, after: Numbers) -> str:
    """Return what differs between two sets of numbers, as an operator reads it."""
    was, is_ = (policies.as_far_as_known({"policy": None, **numbers}) for numbers in (before, after))
    said = []
    for name in words.names():
        key = policies.key_of(name)
        if before.get(key) == after.get(key):
            continue
        old = labels.said(was, name) if key in before else "not set here"
        new = labels.said(is_, name) if key in after else "not set here"
        said.append(f"{labels.LABELS[name]}: {old} → {new}")
    old_rules, new_rules = ({words.rule_said(rule) for rule in policy.rules} for policy in (was, is_))
    said += [f"no longer: {rule}" for rule in sorted(old_rules - new_rules)]
    said += [f"new: {rule}" for rule in sorted(new_rules - old_rules)]
    return "; ".join(said) or "nothing differs"


def looked_back(asked: Asked, *, now: datetime) -> Shown:
    """Return a look back that is done, as it is read."""
    assert asked.found, "it is done, and of one home at least"
    price = price_of(asked.found)
    alerts = sorted(((one, home) for home in asked.found for one in home.alerts), key=lambda each: each[0].since)
    alerts.reverse()
    many = len(asked.found) > 1
    delays = asked.found[0].delays if not many else ()
    return Shown(
        price=price,
        heading=f"If this had been in force since {times.when(asked.found[0].since, now=now)}",
        summary=_summary(price, asked),
        costs=tuple(_costs(price)),
        alerts=tuple(_alert(one, home, many=many) for one, home in alerts[:_ALERTS_MAX]),
        more=max(len(alerts) - _ALERTS_MAX, 0),
        delays=delays,
        curve=_curve(delays) if len(delays) > 1 else None,
        notes=tuple(_notes(asked)),
    )


_ALERTS_MAX: Final = 60


def _summary(price: Price, asked: Asked) -> str:
    homes = f" of {len(asked.homes)} homes" if len(asked.homes) > 1 else ""
    both = price.later + price.sooner + price.same
    return (
        f"in {asked.days} days{homes}: {price.lost} would not be raised, {price.gained} would be new, {both} in both "
        f"({price.later} later, {price.sooner} sooner, {price.same} at the same minute)."
    )


def _costs(price: Price) -> list[str]:
    """Return the price in sentences; none where it costs nothing that we could find."""
    said = []
    if price.dearest is not None:
        by = times.wait(price.dearest.then - price.dearest.now)
        begins = f"{price.dearest.hour:02}:00"
        said.append(f"After a collapse at {begins}, somebody would be told {by} later than now.")
    if price.lost_needed:
        said.append(f"Somebody was helped by {_alerts(price.lost_needed)} that would not be raised.")
    if price.later_needed:
        said.append(f"Somebody was helped by {_alerts(price.later_needed)} that would come later.")
    if price.lost and not price.lost_needed:
        one = "The alert" if price.lost == 1 else f"None of the {price.lost} alerts"
        said.append(
            f"{one} that this saves {'was not' if price.lost == 1 else 'was'} one by which somebody was helped; "
            "that does not mean that the next is not."
        )
    return said


def _alerts(count: int) -> str:
    return "one of the alerts" if count == 1 else f"{count} of the alerts"


_ABOUT: Final[Mapping[str, str]] = {Question.STILL: "Still", Question.STILL_UNUSUAL: "Still, unusual here"}


def _alert(one: Compared, home: LookBack, *, many: bool) -> AlertLine:
    about = one.what or _ABOUT.get(one.question, plainly(one.question).capitalize())
    return AlertLine(
        day=times.short_day(times.local_date(one.since)),
        about=f"{home.home}: {about}" if many else about,
        now="none" if one.now_at is None else times.clock_time(one.now_at),
        then="none" if one.then_at is None else times.clock_time(one.then_at),
        outcome=one.outcome.capitalize() if one.outcome else _NEED_NOBODY if one.is_gained else "Open, or not raised",
    )


def _notes(asked: Asked) -> list[str]:
    assert asked.found is not None
    said = []
    if len(asked.homes) < asked.homes_in_all:
        said.append(f"{len(asked.homes)} of the {asked.homes_in_all} homes were looked at, evenly by name.")
    unseen = sum((one.unseen for one in asked.found), timedelta(0))
    if unseen:
        said.append(f"Not judged: {times.wait(unseen)} in which we could not see.")
    said.append("An alert that was never raised has no outcome: we do not count it as false.")
    if any(policies.key_of(name) in asked.numbers for name in NOT_LOOKED_AT):
        said.append("When the next person is told is not looked back at: nobody knows what they would have answered.")
    return said


_TOP, _BOTTOM, _LEFT, _RIGHT = 14.0, 164.0, 34.0, 335.0


def _curve(delays: Sequence[Delay]) -> Curve:
    """Return the two curves of medians; hours that could not be tried are passed over."""
    most = max(max(one.now, one.then) for one in delays)
    step = 1 if most <= timedelta(hours=5) else 2 if most <= timedelta(hours=10) else 4
    hours = -(-most // timedelta(hours=step)) * step

    def place(hour: int, delay: timedelta) -> str:
        x = _LEFT + (_RIGHT - _LEFT) * hour / 23
        y = _BOTTOM - (_BOTTOM - _TOP) * (delay / timedelta(hours=hours))
        return f"{x:.1f} {y:.1f}"

    def path(which: str) -> str:
        return "M" + "L".join(place(one.hour, getattr(one, which)) for one in delays)

    marks = tuple(
        (round(_BOTTOM - (_BOTTOM - _TOP) * hour / hours, 1), f"{hour} h") for hour in range(0, hours + 1, step)
    )
    longest = [max((getattr(one, which) for one in delays), default=timedelta(0)) for which in ("now", "then")]
    shortest = [min((getattr(one, which) for one in delays), default=timedelta(0)) for which in ("now", "then")]
    said = (
        "Usual delay from a collapse to the alert, by the hour of the collapse. "
        f"Now: {times.wait(shortest[0])} to {times.wait(longest[0])}. "
        f"Proposed: {times.wait(shortest[1])} to {times.wait(longest[1])}. The same is in a table below."
    )
    return Curve(path("now"), path("then"), marks, said)


def is_same(delay: Delay) -> bool:
    """Return whether somebody would be told at about the same time."""
    return abs(delay.then - delay.now) < WORTH_SAYING


def from_wall(said: str, *, now: datetime) -> datetime | None:
    """Return the next moment at which London's clocks show a time; None where none is said.

    Raises:
        ValueError: it is no time of day.
    """
    if not said.strip():
        return None
    wall: time = words.wall_time(said)
    rule = policies.Policy(waking_from=wall, waking_until=wall)
    return next(begins for begins, _ in rule.waking_spans(now) if begins > now)

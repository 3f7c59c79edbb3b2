"""By which numbers is a home judged, and what are its waking hours?

The only file of judging, besides the routine's, that knows local time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, Final, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from alerts.judging import rule as rules
from alerts.judging.finding import JSON
from alerts.judging.rule import RULES_MAX, Rule

LONDON: Final = ZoneInfo("Europe/London")

STILL_FOR_MAX: Final = timedelta(days=7)
"""Ours: more than a week without a sign of life is no threshold but a mistake; it also bounds a loop."""

WAKING_MIN: Final = timedelta(hours=1)
"""Ours: fewer waking hours a day would make the longest stillness above months long."""

PATIENCE_MIN: Final = timedelta(hours=20)
PATIENCE_MAX: Final = timedelta(hours=10_000)
"""Ours: outside, the learned question is raised several times a day, or never sooner than a fixed timer."""

_WAITS: Final = (
    *("still_for", "hub_silent_carer_after", "escalate_after", "again_after", "night_up_for", "out_for"),
    *("out_at_night_for", "door_open_for", "door_open_at_night_for", "cold_for", "hot_for", "sensor_silent_after"),
    *("gauge_silent_after", "remind_after", "nobody_again_after", "unseen_for"),
)
_WALLS: Final = ("waking_from", "waking_until", "night_from", "night_until", "home_by")
# Ours: outside of these a number is a slip of the hand, Fahrenheit say.
_RANGES: Final = {
    "cold_c": (0.0, 30.0),
    "hot_c": (15.0, 50.0),
    "battery_low_pct": (0.0, 100.0),
    "stuck_times": (1.5, 50.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An operator's numbers for a home, as they stood from some moment on.

    Attributes:
        policy: its number in the database; None for the default, which nobody has set.
        versions: what it is made of: the versions that operators set for all homes, a group and this home.
        still_for: no sign of life for this long of waking hours is a finding; up to a week.
        waking_from: Europe/London wall time.
        waking_until: likewise, excluded; not later than `waking_from` means on the next day, and equal means that
            every hour is a waking hour.
        hub_silent_carer_after: a hub silent for this long is told to the first carer too.
        escalate_after: the next person is told when nobody has said "mine" for this long.
        again_after: what was closed while its cause still holds is raised again after this long.
        learned: whether the learned question is asked beside the plain timer.
        patience: how many hours of waiting, over all that might have happened, one false alarm of the learned
            question is worth: with more it comes later, and seldomer for nothing.
        is_night_asked: whether it is asked if the resident is up and about in the night.
        night_from: Europe/London wall time; the night for this question and for whoever is out.
        night_until: likewise, excluded; not later than `night_from` means on the next day.
        night_up_for: up and about for this long in one night is a finding, unless more is usual here.
        is_out_asked: whether it is asked if the resident went out and is not back.
        out_for: left by an outer door and not seen inside for this long is a finding; a stillness that begins with an
            outer door waits for that, and no longer.
        home_by: likewise, Europe/London wall time: who left before is expected inside by then.
        out_at_night_for: who leaves after `home_by` and before the waking hours, is out for too long after this.
        is_door_asked: whether it is asked if an outer door is left open.
        door_open_for: an outer door open for this long is a finding.
        door_open_at_night_for: likewise outside the waking hours.
        is_cold_asked: whether it is asked if a room is too cold.
        cold_c: a room below this is cold, until it is a degree warmer.
        cold_for: cold for this long is a finding.
        is_heat_asked: whether it is asked if a room is too hot.
        hot_c: a room above this is hot, until it is a degree cooler.
        hot_for: hot for this long is a finding.
        is_sensor_asked: whether it is asked if a sensor is silent.
        sensor_silent_after: a sensor that speaks when something happens, or checks in, is silent after this.
        gauge_silent_after: likewise one that measures all the time: a thermometer, a plug.
        is_stuck_asked: whether it is asked if a sensor reports and notices nothing.
        stuck_times: a sensor is stuck that has missed so many times as much as it ever did between two signs of life,
            while others went on noticing somebody; a thermometer that has reported the same so many times as often.
        is_battery_asked: whether it is asked if a battery is low.
        battery_low_pct: a battery at or below this is low, until it is ten per cent fuller.
        is_unseen_asked: whether somebody is asked to look if the home cannot be seen.
        unseen_for: not seen for this long is a finding, whatever the reason.
        rules: what was set by hand besides, each of its own name.
        remind_after: who said "mine" is asked how it is when nothing was heard for this long.
        nobody_again_after: that nobody has answered is said again after this long, until somebody does.

    Raises:
        ValueError: a number is outside its range.
    """

    policy: int | None = None
    versions: tuple[int, ...] = ()
    # On the TIHM homes 0.04 false alarms a home-day alone, and 0.07 with the learned question beside it, which then
    # finds a collapse after 4.1 h in the mean (tests/bench/README.md, 2026-11).
    still_for: timedelta = timedelta(hours=6)
    waking_from: time = time(7)
    waking_until: time = time(22)
    # Ours, and for a pilot to correct: a hub restarts within minutes, a broadband fault lasts hours.
    hub_silent_carer_after: timedelta = timedelta(hours=2)
    # Ours: a text is read within minutes or not at all.
    escalate_after: timedelta = timedelta(minutes=5)
    # Ours: long enough to look in again, short enough that a wrong click costs one hour.
    again_after: timedelta = timedelta(hours=1)
    learned: bool = True
    # On the TIHM homes 0.07 false alarms a home-day, together with the plain timer (tests/bench/README.md, 2026-11).
    patience: timedelta = timedelta(hours=600)

    is_night_asked: bool = True
    night_from: time = time(23)
    night_until: time = time(5)
    # On the TIHM homes 0.02 findings a home-day, whatever they were (tests/bench/README.md, 2026-11).
    night_up_for: timedelta = timedelta(minutes=45)
    is_out_asked: bool = True
    # Likewise 0.05, and they were absences as far as anybody can tell; at six hours and ten o'clock 0.17.
    out_for: timedelta = timedelta(hours=8)
    home_by: time = time(23)
    out_at_night_for: timedelta = timedelta(hours=1)
    is_door_asked: bool = True
    # Ours, and for a pilot to correct: no recording tells when a door was shut.
    door_open_for: timedelta = timedelta(minutes=30)
    door_open_at_night_for: timedelta = timedelta(minutes=10)
    is_cold_asked: bool = True
    # Below 16 degrees breathing suffers; 18 is what a home should have (WHO Housing and health guidelines, 2018, 4).
    cold_c: float = 16.0
    cold_for: timedelta = timedelta(hours=2)
    is_heat_asked: bool = True
    # Ours: above 26 degrees a care home cools a room (UK Heatwave Plan); a summer evening passes that everywhere.
    hot_c: float = 30.0
    hot_for: timedelta = timedelta(hours=2)
    is_sensor_asked: bool = True
    # Zigbee2MQTT calls a battery sensor unavailable after 25 h ("Availability", passive timeout 1500 min); the radios
    # of CASAS check in every half hour, and thermometers report at least hourly.
    sensor_silent_after: timedelta = timedelta(hours=25)
    gauge_silent_after: timedelta = timedelta(hours=3)
    is_stuck_asked: bool = True
    # On the TIHM homes five sensors in 11,789 sensor-days were taken for stuck that were not, and seventeen that saw
    # nothing for days on end; one that is used twenty times a day is found after 20 h (tests/bench/README.md, 2026-11).
    stuck_times: float = 2.0
    is_battery_asked: bool = True
    battery_low_pct: float = 15.0
    is_unseen_asked: bool = True
    # Ours, and for a pilot to correct: past most broadband faults, and well within a night on the floor.
    unseen_for: timedelta = timedelta(hours=4)
    rules: tuple[Rule, ...] = ()
    remind_after: timedelta = timedelta(minutes=30)
    nobody_again_after: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        for name in _WAITS:
            if not timedelta(0) < getattr(self, name) <= STILL_FOR_MAX:
                raise ValueError(f"{name} must be above 0 and at most {STILL_FOR_MAX}: {getattr(self, name)}")
        for name in _WALLS:
            if getattr(self, name).tzinfo is not None:
                raise ValueError(f"{name} is London wall time and carries no zone: {getattr(self, name)!r}")
        if not PATIENCE_MIN <= self.patience <= PATIENCE_MAX:
            raise ValueError(f"patience must be from {PATIENCE_MIN} to {PATIENCE_MAX}: {self.patience}")
        self._check_measures()
        if len({rule.name for rule in self.rules}) != len(self.rules) or len(self.rules) > RULES_MAX:
            raise ValueError(f"a home has at most {RULES_MAX} rules, each of its own name")
        if _length(self.waking_from, self.waking_until) < WAKING_MIN:
            raise ValueError(f"waking hours must be at least {WAKING_MIN}: {self.waking_from} to {self.waking_until}")

    def _check_measures(self) -> None:
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least} to {most}: {getattr(self, name)}")
        if self.cold_c + 2 > self.hot_c:
            raise ValueError(f"a room cannot be cold below {self.cold_c} and hot above {self.hot_c}")

    def waking_spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the waking hours from a moment on, each with its end excluded, in order, in UTC, without end."""
        return spans(since, self.waking_from, self.waking_until)


# A policy's content has a key for each field: its name, with the unit at its end where it is a duration.  What is
# missing is the product's own, so that a policy which was written before a number was thought of stays readable.


def key_of(name: str) -> str:
    """Return what a field of a policy is called in its content: `still_for` is `still_for_s`.

    Raises:
        KeyError: a policy has no such field.
    """
    return f"{name}_s" if _kinds()[name] is timedelta else name


def names() -> tuple[str, ...]:
    """Return what fields a policy has, in their order."""
    return tuple(_kinds())


def to_json(policy: Policy) -> dict[str, JSON]:
    """Return a policy as the content of a judging input; `from_json` undoes it."""
    return {key_of(name): _written(getattr(policy, name)) for name in _kinds()}


def from_json(content: object) -> Policy:
    """Return the policy in what `to_json` gave, in this release or an earlier one.

    Raises:
        ValueError: it is none, or one of its numbers is outside its range.
    """
    if not isinstance(content, Mapping) or "policy" not in content:
        raise ValueError("not a policy: it has no number, nor says that it has none")
    return Policy(**{name: read(name, content[key]) for name in _kinds() if (key := key_of(name)) in content})


def as_far_as_known(content: Mapping[str, JSON]) -> Policy:
    """Return what can be read of a policy that a newer release may have written; the rest is the product's own.

    For whoever shows or tells, who must go on.  Judging refuses what it cannot read and says so (`from_json`).
    """
    number: dict[str, JSON] = {"policy": content.get("policy")}
    readable = {key: said for key, said in content.items() if _may_be(number | {key: said})}
    listed = content.get("rules")
    if "rules" not in readable and isinstance(listed, list):
        readable["rules"] = [rule for rule in listed if _may_be(number | {"rules": [rule]})]
    # Each may be read, and yet they may not go together.
    return from_json(readable if _may_be(readable) else number)


def _may_be(content: Mapping[str, JSON]) -> bool:
    try:
        from_json(content)
    except ValueError:
        return False
    return True


def read(name: str, said: object) -> Any:  # noqa: ANN401 - of the field's own type
    """Return the value of one field from a policy's content.

    Raises:
        ValueError: it is no such value.
        KeyError: a policy has no such field.
    """
    kind = _kinds()[name]
    try:
        if name == "rules":
            return tuple(rules.from_json(one) for one in msgspec.convert(said, list[object]))
        return timedelta(seconds=msgspec.convert(said, float)) if kind is timedelta else msgspec.convert(said, kind)
    except (msgspec.ValidationError, OverflowError) as why:
        raise ValueError(f"not a policy: {name}: {why}") from why


def _written(value: object) -> JSON:
    if isinstance(value, tuple):
        return [rules.to_json(one) if isinstance(one, Rule) else one for one in value]
    said: JSON = value.total_seconds() if isinstance(value, timedelta) else msgspec.to_builtins(value)
    return said


@cache
def _kinds() -> Mapping[str, Any]:
    """Return the fields of a policy with their types, in their order."""
    hints = get_type_hints(Policy)
    return {one.name: hints[one.name] for one in fields(Policy)}


def spans(since: datetime, wall_from: time, wall_until: time) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours between two wall times from a moment on, each with its end excluded, in order, in UTC, endlessly.

    Args:
        since: the first begins there, if it has begun by then.
        wall_from: Europe/London wall time.
        wall_until: likewise; not later than `wall_from` means on the next day, and equal means every hour.
    """
    day = since.astimezone(LONDON).date() - timedelta(days=1)
    while True:
        begins, ends = _waking(day, wall_from, wall_until)
        if ends > since:
            yield max(begins, since), ends
        day += timedelta(days=1)


def span_at(at: datetime, wall_from: time, wall_until: time) -> tuple[datetime, datetime] | None:
    """Return the whole span between two wall times in which a moment lies, in UTC; None: it lies in none."""
    day = at.astimezone(LONDON).date()
    for begins, ends in (_waking(one, wall_from, wall_until) for one in (day - timedelta(days=1), day)):
        if begins <= at < ends:
            return begins, ends
    return None


def first_within(at: datetime, wall_from: time, wall_until: time) -> datetime:
    """Return the first moment, not before another, that lies between two wall times."""
    return next(spans(at, wall_from, wall_until))[0]


def _length(waking_from: time, waking_until: time) -> timedelta:
    begins, ends = (timedelta(hours=t.hour, minutes=t.minute, seconds=t.second) for t in (waking_from, waking_until))
    return ends - begins if ends > begins else ends - begins + timedelta(days=1)


def span_on(day: date, wall_from: time, wall_until: time) -> tuple[datetime, datetime]:
    """Return the span between two wall times that begins on a day, in UTC; equal means the whole day."""
    return _waking(day, wall_from, wall_until)


# A home asks for the same few days again and again, and most homes share their hours.
@lru_cache(maxsize=4096)
def _waking(day: date, waking_from: time, waking_until: time) -> tuple[datetime, datetime]:
    """Return the waking hours that begin on a day, in UTC."""
    last = day if waking_until > waking_from else day + timedelta(days=1)
    return _utc(datetime.combine(day, waking_from)), _utc(datetime.combine(last, waking_until))


def _utc(wall: datetime) -> datetime:
    """Return when London's clocks showed a wall time: the first time of two, never running backwards.

    A time that is skipped in spring stands for the moment of the change, which in the United Kingdom is 01:00 UTC
    (Summer Time Order 2002, SI 2002/262, article 2).
    """
    first = wall.replace(fold=0, tzinfo=LONDON).astimezone(UTC)
    second = wall.replace(fold=1, tzinfo=LONDON).astimezone(UTC)
    # PEP 495: for a skipped time, and only for one, the order of the two is reversed.
    return first if first <= second else first.replace(hour=1, minute=0, second=0, microsecond=0)


def local(at: datetime) -> datetime:
    """Return a moment in London's wall time."""
    return at.astimezone(LONDON)


# Ours: nobody's morning begins before, and hardly anybody's evening ends later.
_DAY_BEGINS: Final = timedelta(hours=4)


def day_of(at: datetime) -> date:
    """Return the day that a moment belongs to for those who live it: it begins at 04:00 in London."""
    return (local(at).replace(tzinfo=None) - _DAY_BEGINS).date()


_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def is_name(said: str) -> bool:
    """Return whether a group of homes or a hand-set rule may be called so: as homes are, `north-street`."""
    return _NAME.fullmatch(said) is not None


DEFAULT: Final = Policy()
"""For a home whose policy nobody has set."""

"""What is said of one home to an operator: its equipment, its time in sight, its numbers?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.judging.policy import Policy
from alerts.store import Alert
from api import times
from api.views.alert import ending, sentence, who_goes
from api.views.said import many
from gateway import heartbeat
from ingest.devices import Report, Sensor

# A clock that is off by more than this is said so; less is the way of a message through the network.  Ours.
_CLOCK_IS_RIGHT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class HubSaid:
    """A hub, and what it last said of itself, a sentence each."""

    hub: str
    heard: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SensorLine:
    """A sensor in the table: its name, what and where it is, and when it was heard last."""

    sensor: str
    kind: str
    room: str
    heard: str


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert in the home's history."""

    alert: Alert
    said: str
    ended: str


def hub_said(hub: str, report: Report | None, *, now: datetime) -> HubSaid:
    """Return what a hub last said.

    Args:
        hub: its name.
        report: None: it was never heard.
        now: to say days.
    """
    if report is None:
        return HubSaid(hub, "It has never been heard.", ())
    heard = f"Last heard {times.when(report.heard_at, now=now)}"
    late = report.heard_at + heartbeat.EVERY + heartbeat.GRACE <= now
    return HubSaid(hub, f"{heard}{': its promise is broken' if late else ''}.", tuple(_hub_details(report)))


def _hub_details(report: Report) -> list[str]:
    said = []
    if report.link_up is False:
        said.append("The broker saw its connection end.")
    if report.radio_up is False:
        said.append("It cannot hear its sensors.")
    if report.clock_set is False:
        said.append("Its clock has not been set since it started.")
    if abs(report.clock_off_by) > _CLOCK_IS_RIGHT:
        slow = "slow" if report.clock_off_by > timedelta(0) else "fast"
        said.append(f"Its clock is {times.wait(abs(report.clock_off_by))} {slow}.")
    held = [(report.held_readings, "reading"), (report.held_alarms, "alarm")]
    said += [
        f"It holds {many(count, what)} that {'is' if count == 1 else 'are'} not stored yet."
        for count, what in held
        if count
    ]
    said += [f"It reports: {trouble}." for trouble in report.troubles]
    return [*said, f"Program {report.version}."]


def sensor_lines(
    sensors: Sequence[Sensor], heard: Mapping[str, datetime], days: int, *, now: datetime
) -> list[SensorLine]:
    """Return the sensors of a home, and those that speak without being known, each with when it was heard last.

    Args:
        sensors: as people named them.
        heard: the latest reading of each within some days.
        days: how many.
        now: to say days.
    """
    never = f"not yet, or over {days} days ago"
    known = [
        SensorLine(
            one.sensor,
            one.kind,
            one.room or "not known",
            times.when(heard[one.sensor], now=now) if one.sensor in heard else never,
        )
        for one in sensors
    ]
    names = {one.sensor for one in sensors}
    unknown = [
        SensorLine(name, "not set up", "not known", times.when(at, now=now))
        for name, at in sorted(heard.items())
        if name not in names
    ]
    return [*known, *unknown]


def alert_lines(alerts: Sequence[Alert], name: str, *, now: datetime) -> list[AlertLine]:
    """Return alerts with how they ended, or who goes."""
    return [AlertLine(one, sentence(one, name, now=now), ending(one, now=now) or who_goes(one)) for one in alerts]


def numbers(policy: Policy) -> list[tuple[str, str]]:
    """Return the numbers that a home is judged by, each with what it is."""
    hours = f"{policy.waking_from:%H:%M} to {policy.waking_until:%H:%M}"
    return [
        ("Still for", f"{times.wait(policy.still_for)}, counted from {hours}"),
        ("Learned stillness", "asked beside it" if policy.learned else "not asked"),
        ("Next person after", times.wait(policy.escalate_after)),
        ("Hub silent: carer told after", times.wait(policy.hub_silent_carer_after)),
        ("Raised again after", times.wait(policy.again_after)),
    ]

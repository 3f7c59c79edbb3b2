"""Did someone or something in the home call for help?

Every alarm is a finding, at once: also a late one, one from an unknown device, and one that nobody can read.
"""

from datetime import datetime, timedelta

from alerts.alert import Question
from alerts.judging.finding import JSON, Finding, iso, iso_or_none, whole_s
from ingest import entry


def finding_of(alarm: entry.Alarm, policy: int | None, *, received_at: datetime) -> Finding:
    """Return the finding that an alarm is, whatever it is."""
    # A hub whose clock is ahead may place a press after its arrival; it was then at the latest.
    observed_at = min(alarm.observed_at, received_at)
    why: dict[str, JSON] = {
        "quantity": alarm.quantity,
        "value": alarm.value,
        "sensor": alarm.sensor,
        "room": alarm.room,
        "observed_at": iso(observed_at),
        "received_at": iso(received_at),
        "late_by_s": whole_s(max(received_at - observed_at, timedelta(0))),
    }
    if alarm.uncertain_since is not None:
        why["observed_since"] = iso_or_none(alarm.uncertain_since)
    if alarm.unreadable is not None:
        why["unreadable"] = alarm.unreadable
    return Finding(
        home=alarm.home,
        hub=alarm.hub,
        question=Question.ALARM,
        episode=alarm.identity,
        since=observed_at,
        at=received_at,
        why=why,
        policy=policy,
        alarm=alarm,
    )

"""Of which alarms was somebody told?

A text of its alert reached a phone, or it is said that nobody could be reached.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.chaos.cards import Number, Seen
from deploy.chaos.street import CruelStreet
from deploy.pretend_twilio import Direction, Status

_TOLD: Final = """
    SELECT alarm.identity, bool_or(alert.nobody_left_at IS NOT NULL), array_agg(notification.sid)
    FROM alarm JOIN alert USING (alert) LEFT JOIN notification USING (alert) GROUP BY alarm.identity
"""


@dataclass(frozen=True, slots=True)
class Untold:
    """An alarm that a hub took in and nobody was told of.

    Attributes:
        numbers: what the hub called it.
        why: where it ended.
    """

    seen: Seen
    numbers: Sequence[Number]
    why: str


def by_now(street: CruelStreet) -> dict[str, bool]:
    """Return every alarm that has an alert in the table, by its identity, and whether somebody was told of it."""
    texts = [text for text in street.twilio_server.ledger.all() if text.direction is Direction.OUT]
    reached = {text.sid for text in texts if text.status in {Status.SENT, Status.DELIVERED}}
    return {
        identity: is_nobody_left or not reached.isdisjoint(sids)
        for identity, is_nobody_left, sids in street.rows(_TOLD)
    }


def untold(
    alarms: Mapping[Seen, Collection[Number]],
    gone: Collection[Seen],
    told: Mapping[str, bool],
    told_before: Collection[str],
) -> list[Untold]:
    """Return the alarms that nobody was told of.

    Args:
        alarms: that hubs took in, with their numbers.
        gone: what was only on a card that was destroyed.
        told: each alarm that has an alert, and whether somebody was told of it.
        told_before: those of which somebody was told before the table was put back to where it had no alert of them.
    """
    found = []
    for seen, numbers in alarms.items():
        names = [f"{one.hub}/{one.outbox}/{one.number}" for one in numbers]
        has_alert = any(name in told for name in names)
        if any(told.get(name, False) or name in told_before for name in names) or (not has_alert and seen in gone):
            continue
        why = "no text" if has_alert else "no alert"
        found.append(Untold(seen, sorted(numbers, key=lambda one: one.number), why))
    return found

"""Has nothing moved for longer than was set by hand?

The plain timer.  It runs beside every learned question, so that what has not been learnt yet, or was learnt
wrongly, cannot keep a stillness from being noticed.
"""

from datetime import datetime

from alerts.judging.policy import Policy


def due_at(last_seen: datetime, policy: Policy) -> datetime:
    """Return when a stillness that began at `last_seen` has lasted the policy's `still_for` of waking hours.

    Only waking time counts: from 22:00 to 07:30 asleep is no stillness.  So it is never before
    `last_seen + still_for`, and lies inside waking hours or at their end.
    """
    left = policy.still_for
    for begins, ends in policy.waking_spans(last_seen):
        if left <= ends - begins:
            return begins + left
        left -= ends - begins
    raise AssertionError("waking hours have no end")

"""What would a change of thresholds have done?  How a look back is begun, for the operator's page and for programs.

A threshold is saved by who has just seen its price, so this is the only way to one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection

from alerts.judging import words
from alerts.judging.numbers import Numbers
from alerts.store import look_backs, thresholds
from alerts.store.look_backs import Asked
from alerts.store.thresholds import CannotSet, Change
from alerts.store.versions import Scope
from api.look_backs import LookBacks
from api.views import thresholds as views

Connection = AsyncConnection[Any]

DAYS: Final = (7, 14, 28, 56)
"""Over how many days a look back may go."""

_WHY_MAX: Final = 200


async def ask(
    conn: Connection, running: LookBacks, scope: Scope, wrote: Mapping[str, str], *, by: str, now: datetime
) -> int:
    """Write down that somebody wants to know what a change would have done; return its number, to be started.

    Args:
        conn: to the database.
        running: the look backs that are being done.
        scope: for which homes.
        wrote: thresholds by their names, as words; rules, a line each; or takes_back, the version to be undone; why,
            from (a time of day in London, empty: at once) and days.
        by: who asks.
        now: when.

    Raises:
        CannotSet: what was written cannot be set, or too many look back at once; the sentence says which.
    """
    try:
        numbers, takes_back = await _proposed(conn, scope, wrote)
        from_ = views.from_wall(wrote.get("from", ""), now=now)
    except ValueError as why:
        raise CannotSet(str(why)) from why
    if running.is_full() or await look_backs.is_busy(conn, by, now=now):
        raise CannotSet("Another look back is still running; wait a moment and try again.")
    change = Change(by=by, why=wrote.get("why", "").strip()[:_WHY_MAX], at=now, from_=from_)
    days = int(wrote.get("days", "28")) if wrote.get("days", "28") in {str(one) for one in DAYS} else 28
    return await look_backs.ask(conn, scope, numbers, change, days=days, takes_back=takes_back)


async def _proposed(conn: Connection, scope: Scope, wrote: Mapping[str, str]) -> tuple[Numbers, int | None]:
    """Return what is proposed: what is written, or what stood before a version."""
    if taken := wrote.get("takes_back", ""):
        number = int(taken) if taken.isdecimal() and len(taken) < 19 else 0
        return await thresholds.before(conn, scope, number), number
    written = {name: wrote[name] for name in words.names() if wrote.get(name, "").strip()}
    rules = tuple(line for line in wrote.get("rules", "").splitlines() if line.strip())
    return words.numbers(written, rules), None


def is_worth(asked: Asked, by: str, *, now: datetime) -> bool:
    """Return whether this person may still save what they looked back at."""
    return asked.asked_by == by and asked.asked_at <= now < asked.asked_at + look_backs.WORTH

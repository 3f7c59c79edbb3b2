"""What would other thresholds have done in a home over its last days?  As `telecare backtest` tells it."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

import api.store as api_store
from alerts.backtest import WARM_UP, Compared, LookBack, look_back
from alerts.judging import words
from alerts.judging.numbers import Numbers
from alerts.judging.policy import local
from alerts.price import Part, Price, price_of
from alerts.store import recorded, thresholds, versions
from alerts.store.versions import Scope, Width
from deploy.admin import Cannot
from deploy.platform import running_database
from ingest.db.pool import settings

Conn = AsyncConnection[TupleRow]

_READING: Final = 0.2
"""How much of the work reading the log is, for the progress that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be looked back at.

    Attributes:
        home: which.
        changes: thresholds as they were written, `still_for=5h`; the rest stays as it is.
        rules: likewise; one takes the place of a rule of its name.
        days: how many.
        by: who looks; None: the operator of the service.
    """

    home: str
    changes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    days: int = 28
    by: str | None = None


def run(asked: Asked, data: Path, environment: Mapping[str, str], *, now: datetime) -> None:
    """Look back and print what was found; leave a record that somebody looked.

    Raises:
        Cannot: there is no such home or person, or what was written is no threshold.
    """
    asyncio.run(_run(asked, running_database(environment, data), now=now))


async def _run(asked: Asked, dsn: str, *, now: datetime) -> None:
    async with await AsyncConnection.connect(dsn, **settings("backtest")) as conn:  # type: ignore[arg-type]  # libpq's own words
        await _leave_record(conn, asked, now=now)
        try:
            numbers = await _numbers(conn, asked)
            policies = await thresholds.proposed(conn, asked.home, Scope(Width.HOME, asked.home), numbers, at=now)
            since = now - timedelta(days=asked.days)
            with _progress(f"{asked.days} days of {asked.home}") as say:
                steps = await recorded.steps_of(
                    conn, asked.home, since=since - WARM_UP, until=now, say=lambda done: say(done * _READING)
                )
                raised = await recorded.raised_in(conn, asked.home, since=since, until=now)
                found = look_back(
                    asked.home,
                    steps,
                    policies,
                    raised,
                    since=since,
                    until=now,
                    say=lambda done: say(_READING + done * (1 - _READING)),
                )
        except (ValueError, thresholds.CannotSet, recorded.TooMuch) as why:
            raise Cannot(str(why)) from why
    print("\n".join(told(found, price_of([found]), days=asked.days)))


@contextmanager
def _progress(label: str) -> Iterator[Callable[[float], None]]:
    """Show how much is done, from 0 to 1, beside what is printed."""
    shown = 0
    with typer.progressbar(length=100, label=label, file=sys.stderr) as bar:

        def say(done: float) -> None:
            nonlocal shown
            percent = min(round(done * 100), 100)
            bar.update(max(percent - shown, 0))
            shown = max(percent, shown)

        yield say


async def _leave_record(conn: Conn, asked: Asked, *, now: datetime) -> None:
    """Leave a record that the resident can have, or look at nothing."""
    rows = await conn.execute(
        "SELECT (SELECT person FROM person WHERE person = COALESCE(%s, (SELECT operator FROM service))), "
        "EXISTS (SELECT FROM home WHERE home = %s)",
        (asked.by, asked.home),
    )
    row = await rows.fetchone()
    person, is_home = row or (None, False)
    if person is None:
        raise Cannot(f"There is no person {asked.by!r}." if asked.by else "Say with --by who looks.")
    if not is_home:
        raise Cannot(f"There is no home {asked.home!r}.")
    await api_store.leave_record(conn, str(person), [asked.home], "look back", now=now)


async def _numbers(conn: Conn, asked: Asked) -> Numbers:
    """Return what would be set for the home: what is set now, with the changes."""
    latest = await versions.latest_of(conn, Scope(Width.HOME, asked.home))
    before = {} if latest is None else dict(latest.numbers)
    written = dict(_split(change) for change in asked.changes)
    return words.with_changes(before, words.numbers(written, asked.rules))


def _split(change: str) -> tuple[str, str]:
    name, equals, what = change.partition("=")
    if not equals:
        raise ValueError(f"{change!r} is not written like still_for=5h")
    return name.strip(), what


def told(found: LookBack, price: Price, *, days: int) -> list[str]:
    """Return what was found, line by line."""
    lines = [
        f"{found.home}: as it was known from {_when(found.since)} to {_when(found.until)}",
        f"alerts in {days} days: {price.now} now, {price.then} proposed",
        f"  {price.lost} would not be raised, {price.gained} would be new",
        f"  {price.later} later, {price.sooner} sooner, {price.same} at the same minute",
    ]
    if price.lost_needed or price.later_needed:
        lines.append(
            f"PRICE: somebody was helped by {price.lost_needed} of those that would not be raised, and by "
            f"{price.later_needed} of those that would come later"
        )
    lines.append(
        f"false: {price.lost_false} of those that would not be raised were closed without need; "
        "an alert that was never raised has no outcome and is not counted as false"
    )
    lines += ["", *_alerts(found.alerts), "", *_delays(found, price)]
    if found.unseen:
        lines += ["", f"not judged: {words.duration_said(found.unseen)} in which the home could not be seen"]
    return lines


def _alerts(alerts: tuple[Compared, ...]) -> list[str]:
    if not alerts:
        return ["no alert by either"]
    head = f"{'since':17} {'question':14} {'now':12} {'proposed':12} outcome"
    return [
        head,
        *(
            f"{_when(one.since):17} {one.what or one.question:14} {_when(one.now_at):12} "
            f"{_when(one.then_at):12} {one.outcome or 'nobody knows'}"
            for one in alerts
        ),
    ]


def _delays(found: LookBack, price: Price) -> list[str]:
    if not found.delays:
        return ["no collapse could be tried: the home was not seen, or somebody was asked all the time"]
    tried = sum(delay.tried for delay in found.delays)
    lines = [f"if nothing had moved any more from a full hour on ({tried} tried), somebody would be told after:"]
    lines += [_part(part) for part in price.parts]
    lines.append(f"{'hour':6} {'now':>10} {'proposed':>10} {'longest now':>12} {'proposed':>10}   (medians)")
    lines += [
        f"{delay.hour:02}:00  {_wait(delay.now):>10} {_wait(delay.then):>10} {_wait(delay.now_longest):>12} "
        f"{_wait(delay.then_longest):>10}"
        for delay in found.delays
    ]
    return lines


def _part(part: Part) -> str:
    return f"  {part.name:18} {_wait(part.now)} now, {_wait(part.then)} proposed: {part.change}"


def _wait(lasts: timedelta) -> str:
    minutes = round(lasts / timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60:02} min"


def _when(at: datetime | None) -> str:
    return "none" if at is None else f"{local(at):%a %d %b %H:%M}"

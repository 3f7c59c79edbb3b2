"""What is wrong with us, by what our processes said?  Pure: one look gives one reason an alarm.

Standing still means that no progress is made: that everything up to now was received, judged and told.  An open port,
even a `/ready` that says yes, is no progress.  What follows from another alarm is not said again: without a database
nothing can be stored, judged or told.
"""

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from deploy.watcher.seen import PROCESSES, Answer, Kind, Seen

_LANES: Final = 64
_LONDON: Final = ZoneInfo("Europe/London")


class Alarm(enum.Enum):
    """What the operator is texted about; each is a heading of the runbook, word for word."""

    DATABASE = "The database is away"
    DISK = "The database cannot read its disk"
    BROKER = "The broker is away"
    INGEST = "Ingest stands still"
    JUDGING = "Judging stands still"
    TELLING = "Telling stands still"
    PAGES = "The pages stand still"
    CLOCK = "A clock is off"
    BACKUP = "No backup is made"
    CERTIFICATE = "A certificate ends soon"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is wrong.

    Attributes:
        behind: ingest, judging and every loop may be so far behind.  Ours: twice the 30 s after which judging itself
            says that it is behind.
        untold: a text that asks somebody to go may wait so long.  Ours: below the 5 minutes after which the next
            person is asked.
        clock_off: clocks may differ so much.  As for hubs: `sent_at` is not believed beyond it.
        backup_age: the newest backup may be so old.  Ours: a day, and two hours for it to be made.
        certificate: a certificate holds at least so long.  Ours: renewal comes 30 days before the end, so half of that
            is two weeks of failures, with two weeks left to see to it.
    """

    behind: timedelta = timedelta(seconds=60)
    untold: timedelta = timedelta(seconds=120)
    clock_off: timedelta = timedelta(seconds=30)
    backup_age: timedelta = timedelta(hours=26)
    certificate: timedelta = timedelta(days=14)


_FOLLOWS: Final[Mapping[Alarm, frozenset[Alarm]]] = {
    # A damaged block stands for days: what it does not stop must not go unsaid for as long.
    Alarm.DISK: frozenset({Alarm.JUDGING}),
    Alarm.DATABASE: frozenset({Alarm.BROKER, Alarm.INGEST, Alarm.JUDGING, Alarm.TELLING, Alarm.PAGES}),
    Alarm.BROKER: frozenset({Alarm.INGEST, Alarm.JUDGING}),
    Alarm.INGEST: frozenset({Alarm.JUDGING}),
}
"""What may only be a consequence; a process that does not answer at all is none and is always said."""


@dataclass(frozen=True, slots=True)
class _Reason:
    alarm: Alarm
    why: str
    is_root: bool = False  # Said even where another alarm would explain it.


def wrong(seen: Seen, *, now: datetime, limits: Limits) -> dict[Alarm, str]:
    """Return what is wrong at this look, each with its reasons in one sentence without a person in it.

    Args:
        seen: the look.
        now: by the watcher's clock.
        limits: stretched by the caller where time is sped up.
    """
    reasons = [
        *_silences(seen),
        *_database(seen),
        *_ingest(seen, now, limits),
        *_judging(seen, now, limits),
        *_telling(seen, now, limits),
        *_clocks(seen, limits),
        *_backups(seen, limits),
        *_certificates(seen, now, limits),
    ]
    there = {reason.alarm for reason in reasons}
    explained = frozenset[Alarm]().union(*(_FOLLOWS.get(alarm, frozenset()) for alarm in there))
    found: dict[Alarm, list[str]] = {}
    for reason in reasons:
        if reason.is_root or reason.alarm not in explained:
            found.setdefault(reason.alarm, []).append(reason.why)
    return {alarm: "; ".join(dict.fromkeys(found[alarm])) for alarm in Alarm if alarm in found}


# As the processes say it (`ingest.db.pool`); the watcher knows them only by their words, and a test compares the two.
_CANNOT_READ: Final = "the database cannot read its disk"

_SILENT: Final[Mapping[Kind, tuple[Alarm, ...]]] = {
    Kind.INGEST: (Alarm.INGEST,),
    Kind.ALERTS: (Alarm.JUDGING, Alarm.TELLING),
    Kind.API: (Alarm.PAGES,),
    Kind.PAGES: (Alarm.PAGES,),
    Kind.BACKUP: (Alarm.BACKUP,),
    Kind.BROKER: (Alarm.BROKER,),
}


def _silences(seen: Seen) -> Iterator[_Reason]:
    # Of a broker of several nodes one is enough for every hub.
    has_broker = any(answer.silence is None for _, answer in seen.of(Kind.BROKER))
    for part, answer in seen.answers.items():
        if answer.silence is not None and not (part.kind is Kind.BROKER and has_broker):
            for alarm in _SILENT[part.kind]:
                yield _Reason(alarm, f"{part.name} {answer.silence}", is_root=True)


def _database(seen: Seen) -> Iterator[_Reason]:
    for part, answer in seen.of(*PROCESSES):
        if (unread := _unread(answer)) is not None:
            yield _Reason(Alarm.DISK, f"{part.name}: {unread}", is_root=True)
            continue
        # Ingest and the pages have a check of that name; judging and telling say it in their reason.
        if "database" in answer.why or any(why.startswith("the database is away") for why in answer.why.values()):
            yield _Reason(Alarm.DATABASE, f"{part.kind.value} does not reach it")


def _unread(answer: Answer) -> str | None:
    """Return what a process says of a disk that the database cannot read; None where it says nothing of it."""
    return next((why for why in answer.why.values() if _CANNOT_READ in why), None)


def _ingest(seen: Seen, now: datetime, limits: Limits) -> Iterator[_Reason]:
    there = [(part, answer) for part, answer in seen.of(Kind.INGEST) if answer.silence is None]
    for part, answer in there:
        if "broker" in answer.why:
            yield _Reason(Alarm.BROKER, f"{part.name} is not connected to it")
        through = answer.moment("complete_through")
        # A lane of which something is damaged is not called complete, and stays its worker's.
        if _unread(answer) is None and answer.number("lanes") and (through is None or now - through > limits.behind):
            yield _Reason(Alarm.INGEST, f"{part.name} has stored nothing since {_clock_time(through, now)}")
    lanes = sum(answer.number("lanes") for _, answer in there)
    if there and lanes < _LANES:
        yield _Reason(Alarm.INGEST, f"only {lanes} of {_LANES} lanes are taken in")


def _judging(seen: Seen, now: datetime, limits: Limits) -> Iterator[_Reason]:
    there = [(part, answer) for part, answer in seen.of(Kind.ALERTS) if answer.silence is None]
    for part, answer in there:
        if "cannot be judged" in (why := answer.why.get("judging", "")):
            yield _Reason(Alarm.JUDGING, f"{part.name}: {why}")
        through, looked = answer.moment("judged_through"), answer.moment("judging_looked_at")
        if answer.number("lanes") and (through is None or now - through > limits.behind):
            yield _Reason(Alarm.JUDGING, f"{part.name} has judged nothing since {_clock_time(through, now)}")
        elif looked is None or now - looked > limits.behind:
            yield _Reason(Alarm.JUDGING, f"{part.name} has not looked since {_clock_time(looked, now)}", is_root=True)
    lanes = sum(answer.number("lanes") for _, answer in there)
    if there and lanes < _LANES:
        yield _Reason(Alarm.JUDGING, f"only {lanes} of {_LANES} lanes are judged")


def _telling(seen: Seen, now: datetime, limits: Limits) -> Iterator[_Reason]:
    for part, answer in seen.of(Kind.ALERTS):
        if answer.silence is not None:
            continue
        looked, untold = answer.moment("telling_looked_at"), answer.moment("oldest_untold_at")
        if "telling" in answer.why:
            yield _Reason(Alarm.TELLING, f"{part.name}: {answer.why['telling']}")
        elif looked is None or now - looked > limits.behind:
            yield _Reason(Alarm.TELLING, f"{part.name} has not looked since {_clock_time(looked, now)}")
        if untold is not None and now - untold > limits.untold:
            yield _Reason(Alarm.TELLING, f"somebody should have been told at {_clock_time(untold, now)}", is_root=True)
        texts = answer.facts.get("texts")
        if texts == "no Twilio configured":
            yield _Reason(Alarm.TELLING, f"{part.name} has no Twilio configured", is_root=True)
        elif isinstance(texts, str) and texts != "Twilio":
            yield _Reason(Alarm.TELLING, f"nobody can be texted: {texts[:100]}", is_root=True)


def _clocks(seen: Seen, limits: Limits) -> Iterator[_Reason]:
    ours = timedelta(0)  # How far the right time is ahead of our own clock.
    if seen.outside_off_by is not None and not seen.is_simulated:
        ours = seen.outside_off_by
        if abs(ours) > limits.clock_off:
            yield _Reason(Alarm.CLOCK, f"the watcher's own is {_how_far(-ours)}")
    elif seen.kernel_follows is False and not seen.is_simulated:
        yield _Reason(Alarm.CLOCK, "nothing sets the watcher's own: no time server, and no time from outside")
    for part, answer in seen.of(*PROCESSES):
        if answer.silence is not None or answer.said_at is None:
            continue
        off = answer.said_at - answer.at - ours
        if abs(off) > limits.clock_off + answer.took / 2:
            unset = ", and no time server sets it" if answer.facts.get("clock_synchronised") is False else ""
            yield _Reason(Alarm.CLOCK, f"that of {part.name} is {_how_far(off)}{unset}")


def _backups(seen: Seen, limits: Limits) -> Iterator[_Reason]:
    for _, answer in seen.of(Kind.BACKUP):
        age_s = answer.facts.get("backup_age_s")
        if answer.silence is not None or (isinstance(age_s, float) and age_s <= limits.backup_age.total_seconds()):
            continue
        if isinstance(age_s, float) and age_s < math.inf:
            yield _Reason(Alarm.BACKUP, f"the newest is {age_s / 3600:.0f} h old")
        else:
            yield _Reason(Alarm.BACKUP, "there is none")


def _certificates(seen: Seen, now: datetime, limits: Limits) -> Iterator[_Reason]:
    for part, answer in seen.answers.items():
        if answer.ends_at is not None and answer.ends_at - now < limits.certificate:
            yield _Reason(Alarm.CERTIFICATE, f"that of {part.name} on {answer.ends_at:%d.%m.%Y}")


def _how_far(off: timedelta) -> str:
    seconds = off.total_seconds()
    return f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"


def _clock_time(at: datetime | None, now: datetime) -> str:
    """Return a moment as the operator's kitchen clock shows it, with the day unless it is today's."""
    if at is None:
        return "it started"
    there, here = at.astimezone(_LONDON), now.astimezone(_LONDON)
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%d.%m. %H:%M}"

"""Who may see a home, and who looked: in words, to an operator and to the resident."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api import times
from api.consents import Consent
from api.records import Grant, Looked
from api.views.said import starting

_TO_OPERATORS: Final[Mapping[str, str]] = {
    "home": "the page of the home",
    "alert": "an alert",
    "away": "whether somebody is away",
    "open alerts": "whether an alert is open",
    "list of homes": "how well the home can be seen, in a list",
    "everything": "everything of the home",
    "sheet": "the sheet of the resident",
    "thresholds": "how long we wait before we tell someone",
    "look back": "what other thresholds would have done, from the days of the home",
    "confidence answer": "an answer about confidence",
    "confidence question": "the question about confidence",
    "confidence call": "who is to be rung about confidence",
    "restored from a backup": "what waits after a restore from a backup",
}
_TO_THE_RESIDENT: Final[Mapping[str, str]] = {
    "home": "how you are, where you were last, and your days",
    "alert": "an alert of yours, and your address",
    "away": "whether you are away",
    "open alerts": "whether an alert of yours is open",
    "list of homes": "how well we can see your home, in a list of homes",
    "everything": "everything that we keep about your home",
    "sheet": "this sheet",
    "thresholds": "how long we wait before we tell someone",
    "look back": "your last days, to see what other waits before we tell someone would have done",
    "confidence answer": "what your family said about feeling confident",
    "confidence question": "a question that we ask them: how confident they feel about you",
    "confidence call": "whom of your family or carers to ring about feeling confident",
    "restored from a backup": "what was open when our records were put back to an older moment",
}
_SEES: Final[Mapping[frozenset[str], str]] = {
    frozenset({"family"}): "sees which room you were last in and when, how your days went, and your alerts.",
    frozenset({"carer"}): "sees your alerts, your address and what to know when coming; not which room, nor your days, "
    "but in an alert where you were last.",
    frozenset({"family", "carer"}): "sees which room you were last in and when, how your days went, your alerts, and "
    "your address and what to know when coming.",
}

_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LookLine:
    """A look in a list: when, who, and at what."""

    at: datetime
    when: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Sees:
    """Somebody who may see a home, and what."""

    who: str
    what: str


def to_operators(looks: Sequence[Looked], *, now: datetime) -> list[LookLine]:
    """Return looks as an operator reads them; a page that no list of ours knows is called as its record calls it."""
    return _lines(looks, _TO_OPERATORS, now=now)


def to_the_resident(looks: Sequence[Looked], *, now: datetime) -> list[LookLine]:
    """Return looks as the resident reads them."""
    return _lines(looks, _TO_THE_RESIDENT, now=now)


def _lines(looks: Sequence[Looked], names: Mapping[str, str], *, now: datetime) -> list[LookLine]:
    return [
        LookLine(
            one.quarter,
            starting(_about(one.quarter, now=now)),
            f"{one.full_name or one.viewer}{f', {one.what}' if one.what else ''}",
            names.get(one.view, one.view),
        )
        for one in looks
    ]


def _about(quarter: datetime, *, now: datetime) -> str:
    """Return the day and the quarter of an hour that a record names: it does not know the minute."""
    on, today = times.local_date(quarter), times.local_date(now)
    until = times.clock_time(quarter + _QUARTER)
    return f"{times.day(on, today=today)}, {times.clock_time(quarter)} to {until}"


def who_sees(grants: Sequence[Grant]) -> list[Sees]:
    """Return who may see what, a line for each person."""
    views: dict[str, set[str]] = {}
    names = {grant.person: f"{grant.full_name}{f', {grant.what},' if grant.what else ''}" for grant in grants}
    for grant in grants:
        views.setdefault(grant.person, set()).add(grant.view)
    return [
        Sees(names[person], _SEES.get(frozenset(seen), f"sees: {', '.join(sorted(seen))}."))
        for person, seen in views.items()
    ]


_ALLOWS: Final[Mapping[str | None, str]] = {
    None: "to being watched over",
    "family": "that {who} sees how you are",
    "carer": "that {who} is told of your alerts and sees your address",
}


def agreed(given: Sequence[Consent], *, now: datetime) -> list[str]:
    """Return the consents that hold today, as the resident reads them, those to care first.

    Args:
        given: every consent of the home, newest first; of two to the same thing the one that lasts longer counts.
        now: by the clock that homes are judged on.
    """
    holding: dict[tuple[str | None, str | None], Consent] = {}
    for one in sorted((one for one in given if one.is_in_force(now=now)), key=lambda one: one.until):
        holding[one.person, one.view] = one
    ordered = sorted(holding.values(), key=lambda one: (one.what != "care", one.full_name or "", one.view or ""))
    return [_agreed(one) for one in ordered]


def _agreed(one: Consent) -> str:
    to = _ALLOWS.get(one.view, f"that {{who}} has the view {one.view}").format(who=one.full_name or "somebody")
    since, until = (times.long_day(times.local_date(at)) for at in (one.since, one.until))
    match one.basis:
        case "resident":
            said = f"On {since} you said yes {to}"
        case "attorney":
            said = f"On {since} {one.said_by}, who decides for you by law, said yes {to}"
        case "best interests":
            said = f"On {since} {one.said_by} decided in your best interests to say yes {to}"
        case _:
            return f"You have not been asked yet whether you agree {to}. Without your yes it ends on {until}."
    return f"{said}. It ends on {until}, unless it is said again."

"""What is said of all homes at once, to an operator?  References, not names, until a home is opened."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import State
from alerts.judging.watched import BROKER, CLOCK, HUB, LINE, NEVER_HEARD, OURS, PAUSED, RADIO, US, Watched, silent_in
from alerts.store import Alert, BlindTogether, HomeSeen, HomeWatch, Hours, Kind, OpenCounts, Texts
from api import times
from api.views import found
from api.views.alert import sentence
from api.views.said import many, since_when, starting
from api.views.state import Truth, is_away, seen_as

# Fewer homes than these at one moment are no sign of one cause.  Ours.
_ONE_CAUSE: Final = 3
_NOBODY: Final = "the resident"

_CAUSES: Final[Mapping[str, str]] = {
    HUB: "hub silent",
    LINE: "hub silent, its connection was seen to end",
    RADIO: "hub reports, but cannot hear its sensors",
    NEVER_HEARD: "no hub of it reports",
    CLOCK: "hub's clock is wrong",
    BROKER: "our broker was away",
    US: "our own service has not kept up",
    PAUSED: "paused by the resident",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands first on the page of all homes.

    Attributes:
        kind: the style: alert or blind.
        word: in a few words.
        say: in a sentence.
        why: more, a sentence each.
    """

    kind: str
    word: str
    say: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An open alert in a list: whose, what, and who comes."""

    alert: Alert
    tag: str
    said: str
    who: str


@dataclass(frozen=True, slots=True)
class HomeRow:
    """A home in a list.

    Attributes:
        kind: the style: blind, degraded, learning or watched.
        tag: the same in a word.
        said: since when, and why.
    """

    home: str
    district: str
    kind: Kind
    tag: str
    said: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Homes that went out of sight together."""

    title: str
    said: str
    some: tuple[str, ...]


def cause_in_words(cause: str, *, now: datetime) -> str:
    """Return why a home cannot be seen, or not wholly, as operators say it; a reason of no list of ours as it is.

    A silent or stuck sensor is written as `silent_in` reads it.
    """
    silent = silent_in(cause)
    if silent is None:
        return _CAUSES.get(cause, cause)
    how = f"reports but {found.notices(silent.kind)}" if silent.is_stuck else "silent"
    return f"{silent.kind} sensor, {silent.sensor}, {how} since {times.when(silent.since, now=now)}"


def causes_in_words(watch: HomeWatch | None, told: Truth, *, now: datetime) -> list[str]:
    """Return every reason why a home is not seen as it should be; who is away was not paused by anybody."""
    apart = {PAUSED: "away"} if is_away(watch) else {}
    if told.state is Watched.DEGRADED:
        apart[NEVER_HEARD] = "one of its hubs has not reported yet"
    return [apart.get(one) or cause_in_words(one, now=now) for one in told.why]


def nobody_comes(opened: OpenCounts, first: Alert | None, texts: Texts | None, *, now: datetime) -> Heading | None:
    """Return that somebody may need help and nobody has said that they go, or None.

    Args:
        opened: how many alerts are open.
        first: the one that waits most.
        texts: what became of its texts; None: there were none.
        now: to say days.
    """
    if not opened.unanswered or first is None:
        return None
    at = times.when(first.at, now=now)
    why = [f"{_said(first, now=now)} {_reached(texts)}".strip()]
    if opened.nobody_left:
        why.append(f"{many(opened.nobody_left, 'alert has', 'alerts have')} nobody left to tell.")
    if opened.unanswered == 1:
        return Heading("alert", "Nobody comes yet", f"{first.home}: alert at {at}, nobody has said “mine”.", tuple(why))
    say = f"{opened.unanswered} alerts that nobody has said “mine” to. First {first.home}, since {at}."
    return Heading("alert", "Nobody comes yet", say, tuple(why))


def _reached(texts: Texts | None) -> str:
    if texts is None:
        return "Nobody was texted."
    said = []
    if texts.failed:
        said.append(f"{many(texts.failed, 'text', 'texts')} did not arrive.")
    if texts.delivered:
        said.append(f"{many(texts.delivered, 'text', 'texts')} arrived.")
    if texts.under_way and not said:
        said.append("A text is on its way.")
    return " ".join(said)


def cannot_see(homes: Mapping[Kind, int], groups: Sequence[BlindTogether], *, now: datetime) -> Heading | None:
    """Return how many homes cannot be seen, and how many of these share one cause; None where all are seen."""
    blind, whole = homes["blind"], sum(homes.values())
    if not blind or not groups:
        return None
    word = f"We cannot see {blind:,} of {many(whole, 'home')}"
    most = groups[0]
    others = groups[1:]
    if most.homes < _ONE_CAUSE:
        longest = min((one.since for one in groups if one.since is not None), default=None)
        since = f", the longest since {times.when(longest, now=now)}" if longest else ""
        each = f"{most.some[0]}: {cause_in_words(most.cause, now=now)}" if blind == 1 else "Each by itself"
        return Heading("blind", word, f"{each}{since}.", (_causes(groups, now=now),) if blind > 1 else ())
    why = [_how_shared(most, whole)]
    if others:
        why.append(f"The others: {_causes(others, now=now)}")
    return Heading(
        "blind", word, f"{group_row(most, now=now).title}: {cause_in_words(most.cause, now=now)}.", tuple(why)
    )


def _how_shared(group: BlindTogether, whole: int) -> str:
    if group.cause in OURS:
        return "It is our own fault: look at our processes first."
    if group.cause == NEVER_HEARD:
        return "Nothing is heard of them: they were just set up, or their hubs were revoked."
    if group.homes * 2 > whole:
        return "So many at once: probably our broker or our line, not the homes."
    return "So many within minutes: probably one cause."


def _causes(groups: Sequence[BlindTogether], *, now: datetime) -> str:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.cause] = counts.get(group.cause, 0) + group.homes
    said = [f"{many(count, 'home')}, {cause_in_words(cause, now=now)}" for cause, count in counts.items()]
    return f"{'; '.join(said)}."


def group_row(group: BlindTogether, *, now: datetime) -> GroupRow:
    """Return a group of homes that went out of sight together: how many, since when, where."""
    since = f" since {times.when(group.since, now=now)}" if group.since else " not heard yet"
    where = f", all in {group.districts[0]}" if len(group.districts) == 1 and group.districts[0] else ""
    said = f"{starting(cause_in_words(group.cause, now=now))}."
    if group.since is not None and group.last_since is not None and group.last_since != group.since:
        said += f" The last at {times.when(group.last_since, now=now)}."
    return GroupRow(f"{many(group.homes, 'home', 'homes')}{since}{where}", said, group.some)


def is_shared(group: BlindTogether) -> bool:
    """Return whether so many homes went out of sight together that they are told as one."""
    return group.homes >= _ONE_CAUSE


def alert_row(alert: Alert, texts: Texts | None, *, now: datetime) -> AlertRow:
    """Return an open alert as a line.

    Args:
        alert: open.
        texts: what became of its texts; None: there were none.
        now: to say how long nobody has come.
    """
    said = _said(alert, now=now)
    if alert.state is State.ACKNOWLEDGED:
        mine_at = times.when(alert.mine_at, now=now) if alert.mine_at else ""
        return AlertRow(alert, "Mine", said, f"Mine: {alert.mine_by_name}, {mine_at}.")
    waited = times.wait(now - alert.at)
    nobody = "Nobody left to tell" if alert.nobody_left_at is not None else "Nobody yet"
    return AlertRow(alert, nobody, said, f"Nobody, for {waited}. {_reached(texts)}")


def _said(alert: Alert, *, now: datetime) -> str:
    return starting(sentence(alert, _NOBODY, now=now))


_TAGS: Final[Mapping[Kind, str]] = {
    "blind": "Cannot see",
    "degraded": "Partly",
    "learning": "Learning",
    "watched": "Watched",
    "paused": "Paused",
}


def home_row(seen: HomeSeen, told: Truth, *, now: datetime) -> HomeRow:
    """Return a home as a line; how it is seen is held against the clock once more.

    Args:
        seen: what is written of it.
        told: the same with its lease held against the clock.
        now: to say days and how long.
    """
    kind = kind_of(seen, told)
    tag = seen_as(seen.watch, told) if kind == "paused" else _TAGS[kind]
    return HomeRow(seen.home, seen.district or "", kind, tag, _home_said(seen, told, kind, now=now))


def kind_of(seen: HomeSeen, told: Truth) -> Kind:
    """Return how a home is seen, in the four kinds that all homes are counted in."""
    learning = seen.watch.learning if seen.watch is not None else {}
    days, needed = learning.get("days"), learning.get("of")
    is_learning = isinstance(days, int) and isinstance(needed, int) and days < needed
    kind: Kind = told.state.value
    return "learning" if kind == "watched" and is_learning else kind


def _home_said(seen: HomeSeen, told: Truth, kind: Kind, *, now: datetime) -> str:
    causes = starting(", ".join(causes_in_words(seen.watch, told, now=now)))
    if kind == "blind":
        if told.since is None:
            return f"Nothing heard yet. {causes}."
        return f"Nothing since {times.when(told.since, now=now)} ({times.wait(now - told.since)}). {causes}."
    if kind == "paused" and told.since is not None:
        return f"{causes}, since {times.when(told.since, now=now)}."
    if kind == "degraded" and told.since is not None:
        return f"{causes}, since {times.when(told.since, now=now)}."
    if kind == "learning" and seen.watch is not None:
        return f"{seen.watch.learning['days']} of {seen.watch.learning['of']} days known. The plain rule stands alone."
    return f"Seen without a gap since {since_when(told.since, now=now)}." if told.since is not None else ""


def hours_in_words(hours: Hours, days: int) -> str:
    """Return for how much of their time homes could be seen; a share is cut, never rounded up to the whole."""
    if hours.to_be_watched < timedelta(hours=1):
        return "Homes have not been watched for an hour yet."
    share = 1 - hours.blind / hours.to_be_watched
    blind_h = math.ceil(hours.blind / timedelta(hours=1))
    said = f"In the last {days} days homes could be seen for {_percent(share)} of their time"
    if not hours.blind:
        return f"{said}."
    ours = math.ceil(100 * (hours.ours / hours.blind))
    of_ours = f" Our own service caused {ours} % of that." if hours.ours else " None of that was our own service."
    return f"{said}: {many(blind_h, 'hour was', 'hours were')} not.{of_ours}"


def _percent(share: float) -> str:
    return f"{math.floor(max(share, 0.0) * 10_000) / 100:.2f} %"

"""What is said of a home now, and what happens next?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.alert import Question
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sorting import sort
from alerts.judging.watched import BROKER, CLOCK, HUB, LINE, NEVER_HEARD, RADIO, US, Watched
from alerts.store import GRACE, Alert, Contact, HomeWatch, Resident
from api import times
from api.views import found
from api.views.alert import Step, details, goes_on, sentence, who_goes
from api.views.said import in_room, since_when, whose

# A page left open stops vouching for itself after this long at the latest.
_PAGE_LASTS_MAX: Final = timedelta(minutes=5)
# How soon a script looks again: while all is calm, and while an alert is open.  Ours: a page costs about 20 ms.
_AGAIN_CALM: Final = timedelta(seconds=30)
_AGAIN_ALERT: Final = timedelta(seconds=8)
_ORDINALS: Final = ("First", "Then")

_WHY_BLIND: Final[Mapping[str, str]] = {
    HUB: "The box in the home is silent. It may have no power or no broadband, or be broken.",
    LINE: "The box in the home has lost its connection. It may have no power or no network.",
    RADIO: "The box in the home reports, but it cannot hear its sensors.",
    NEVER_HEARD: "No box in the home reports: it was just set up, or its box was taken away.",
    CLOCK: "The clock of the box in the home is wrong, so we do not know when things happened.",
    BROKER: "Our message service was away. It is our fault.",
    US: "Our own service has not kept up. It is our fault.",
}
_WHY_DEGRADED: Final[Mapping[str, str]] = {
    HUB: "One of the boxes in the home is silent, so we see only part of it.",
    LINE: "One of the boxes in the home has lost its connection, so we see only part of it.",
    RADIO: "One of the boxes in the home cannot hear its sensors, so we see only part of it.",
    NEVER_HEARD: "One of the boxes in the home has not reported yet, so we see only part of it.",
    BROKER: "Since our message service was away we have not heard one of the boxes, so we see only part of the home.",
    US: "Since our own service was away we have not heard one of the boxes in the home, so we see only part of it.",
    CLOCK: "The clock of the box in the home was wrong, so we cannot be sure when the last things happened.",
}


SEEN_AS: Final[Mapping[Watched, str]] = {
    Watched.WATCHED: "Watched",
    Watched.DEGRADED: "Partly watched",
    Watched.BLIND: "We cannot see",
    Watched.PAUSED: "Paused",
}
"""How a home is seen, in a word or a few; who is away is said by `seen_as`."""
_AWAY: Final = "Away"


@dataclass(frozen=True, slots=True)
class Truth:
    """How well a home is seen, with the lease held against the clock.

    Attributes:
        state: blind as soon as the lease has lapsed, whatever is written.
        why: reasons; `us` or the hub's where it lapsed.
        since: of this state; None where nothing was ever judged.
        true_at: the moment that everything here speaks of.
        lasts: how long, in real time, a page that shows it may be believed.
    """

    state: Watched
    why: tuple[str, ...]
    since: datetime | None
    true_at: datetime
    lasts: timedelta


def truth(watch: HomeWatch | None, *, now: datetime, speed: float, stretch: timedelta) -> Truth:
    """Return how well a home is seen now.

    Args:
        watch: what is written of it; None where nothing was ever judged.
        now: by this process's own clock.
        speed: seconds of that clock in a real one; 0 while it stands still.
        stretch: by how much grace is stretched on it.
    """
    if watch is None:
        return Truth(Watched.BLIND, (NEVER_HEARD,), None, now, _PAGE_LASTS_MAX)
    true_at = min(watch.true_at, now)
    is_us = now >= watch.true_at + GRACE + stretch
    if watch.state is Watched.PAUSED:
        return Truth(watch.state, watch.why, watch.since, true_at, _PAGE_LASTS_MAX)
    if watch.state is Watched.BLIND:
        is_news = is_us and US not in watch.why
        return Truth(Watched.BLIND, (*watch.why, US) if is_news else watch.why, watch.since, true_at, _PAGE_LASTS_MAX)
    left = watch.fine_until - now
    if left <= timedelta(0):
        # If judging itself is up to date, it is about to say so: a promise of the box is broken.
        since = _unknown_since(watch, is_us=is_us)
        return Truth(Watched.BLIND, (US if is_us else HUB,), since, true_at, _PAGE_LASTS_MAX)
    lasts = left / speed if left < _PAGE_LASTS_MAX * speed else _PAGE_LASTS_MAX
    return Truth(watch.state, watch.why, watch.since, true_at, lasts)


def _unknown_since(watch: HomeWatch, *, is_us: bool) -> datetime:
    """Return from when on nothing is known of a home whose lease has lapsed: the last thing heard, or judged."""
    known_until = watch.true_at if is_us else watch.last_heard_at
    return min(known_until or watch.fine_until, watch.fine_until)


def seen_as(watch: HomeWatch | None, told: Truth) -> str:
    """Return how a home is seen, as a list says it.

    Args:
        watch: what is written of the home.
        told: the same with its lease held against the clock.
    """
    return _AWAY if told.state is Watched.PAUSED and is_away(watch) else SEEN_AS[told.state]


def is_away(watch: HomeWatch | None) -> bool:
    """Return whether a home that nobody looks after for now is one whose resident is away, and no pause of theirs."""
    return watch is not None and watch.next_alert_why.get("kind") == "away"


def quiet_of(watch: HomeWatch | None, told: Truth, *, is_in_outage: bool) -> Quiet:
    """Return what it is that nothing is heard of the resident.

    Args:
        watch: what is written of the home.
        told: the same with its lease held against the clock.
        is_in_outage: whether the home's box fell silent with many others.
    """
    judged = None if watch is None else watch.next_alert_why.get("quiet")
    if told.state is Watched.BLIND or judged not in set(Quiet):
        return sort(told.state, told.why, is_in_outage=is_in_outage)
    return Quiet(judged)


@dataclass(frozen=True, slots=True)
class Lease:
    """How long a page may be believed, and after how long its script looks again; both in real seconds."""

    lasts_s: float
    again_s: float


@dataclass(frozen=True, slots=True)
class Block:
    """The state of a home at the head of its page.

    Attributes:
        kind: the style: watched, degraded, blind, learning or alert.
        word: the state in a word or a few.
        say: the sentence about the person.
        why: evidence, a sentence each.
        true_at: the moment it speaks of.
        aged: what stands there instead of the word when the page has lapsed; None where the word stays true.
        lease: how long it may be believed.
    """

    kind: str
    word: str
    say: str
    why: tuple[str, ...]
    true_at: datetime
    aged: str | None
    lease: Lease


def family_block(
    resident: Resident,
    watch: HomeWatch | None,
    told: Truth,
    alerts: Sequence[Alert],
    *,
    now: datetime,
    faults: Sequence[Alert] = (),
) -> Block:
    """Return what the family page says first.

    Args:
        resident: who lives there.
        watch: what is written of the home.
        told: the same with its lease held against the clock.
        alerts: open ones about the resident (no faults), the one that matters most first.
        now: by this process's own clock.
        faults: open ones of the equipment.
    """
    if alerts:
        return _alert_block(resident, watch, told, alerts, now=now)
    name = resident.first_name
    if told.state is Watched.BLIND or watch is None:
        return _blind_block(name, watch, told, faults, now=now)
    if told.state is Watched.PAUSED:
        since = since_when(told.since or watch.since, now=now)
        return _paused_block(name, watch, told, since=since, now=now)
    why = [_WHY_DEGRADED[reason] for reason in told.why if reason in _WHY_DEGRADED]
    why += found.not_noticed(told.why, now=now)
    if told.state is Watched.DEGRADED:
        why += _mending(faults, now=now)
    kind, word = told.state.value, SEEN_AS[told.state]
    if kind == "watched" and (learning := _learning(name, watch.learning)):
        kind, word, why = "learning", "Watched, still learning", [*why, learning]
    if told.state is Watched.WATCHED:
        why.append(f"Seen without a gap since {since_when(watch.since, now=now)}.")
    return _block(kind, word, last_seen(name, watch, now=now), why, told, has_lease=True)


def _paused_block(name: str, watch: HomeWatch, told: Truth, *, since: str, now: datetime) -> Block:
    """Return what stands there while nobody looks for the resident: never that all is well."""
    until = watch.next_alert_why.get("until")
    ends = ""
    if isinstance(until, str):
        ends = f" That ends at {times.at_what_time(datetime.fromisoformat(until), now=now)}."
    say = f"{name} is away." if is_away(watch) else f"{name} is not watched for now."
    why = [f"Since {since} nobody is told if {name} is still. Alarms are always told.{ends}"]
    if reasons := _reasons(told):
        why += [*reasons, "Do not count on a pendant: it goes the same way."]
    return _block("paused", seen_as(watch, told), say, why, told, has_lease=False)


def _alert_block(
    resident: Resident, watch: HomeWatch | None, told: Truth, alerts: Sequence[Alert], *, now: datetime
) -> Block:
    alert = alerts[0]
    name = resident.first_name
    why = [*details(alert, name, now=now)]
    if (more := goes_on(alert, now=now)) is not None:
        why.append(more)
    why += [f"Also: {sentence(other, name, now=now)}" for other in alerts[1:3]]
    if told.state is Watched.BLIND:
        why.append(f"We cannot see the home now. {' '.join(_reasons(told))}".strip())
    elif watch is not None and alert.question is Question.ALARM:
        why.append(last_seen(name, watch, now=now))
    say = f"{sentence(alert, name, now=now)} {who_goes(alert)}"
    return _block("alert", f"Alert open since {times.when(alert.at, now=now)}", say, why, told, has_lease=True)


def _mending(faults: Sequence[Alert], *, now: datetime) -> list[str]:
    """Return who sees to the equipment; nothing where no fault is open."""
    if not faults:
        return []
    taken = [fault for fault in faults if fault.mine_by_name is not None]
    if taken:
        return [f"{taken[0].mine_by_name} has said that they will see to it."]
    return [f"It was reported at {times.when(faults[0].at, now=now)}; nobody has said yet that they will see to it."]


def _blind_block(name: str, watch: HomeWatch | None, told: Truth, faults: Sequence[Alert], *, now: datetime) -> Block:
    if told.since is None:
        say = f"We have not seen anything of the home yet. We do not know how {name} is."
    else:
        since = times.when(told.since, now=now)
        say = f"We have not been able to see the home since {since}. We do not know how {name} is."
    why = _reasons(told)
    if watch is not None and watch.last_seen_at is not None:
        place = f", {in_room(watch.last_seen_room)}" if watch.last_seen_room else ""
        why.append(f"{name} was last seen at {times.when(watch.last_seen_at, now=now)}{place}.")
    why.append("Do not count on a pendant: it goes the same way.")
    why += _mending(faults, now=now)
    return _block("blind", f"We cannot see {whose(name)} home", say, why, told, has_lease=False)


def _block(kind: str, word: str, say: str, why: Sequence[str], told: Truth, *, has_lease: bool) -> Block:
    return Block(
        kind,
        word,
        say,
        tuple(why),
        told.true_at,
        f"Not known now. At {times.clock_time(told.true_at)} it was:" if has_lease else None,
        lease([told], is_alert=kind == "alert"),
    )


def lease(told: Sequence[Truth], *, is_alert: bool) -> Lease:
    """Return how long a page about these homes may be believed, and when its script looks again."""
    lasts = min((one.lasts for one in told), default=_PAGE_LASTS_MAX)
    lasts_s = round(max(lasts.total_seconds(), 0.0), 1)
    often = _AGAIN_ALERT if is_alert else _AGAIN_CALM
    # Well before the page lapses, and at most once a second.
    return Lease(lasts_s, max(min(often.total_seconds(), lasts_s / 2), 1.0))


def _reasons(told: Truth) -> list[str]:
    return [_WHY_BLIND[reason] for reason in told.why if reason in _WHY_BLIND]


def _learning(name: str, learning: Mapping[str, Any]) -> str | None:
    days, needed = learning.get("days"), learning.get("of")
    if not isinstance(days, int) or not isinstance(needed, int) or days >= needed:
        return None
    return f"We do not know yet what is usual for {name}. {days} of the {needed} days that it takes are known."


def last_seen(name: str, watch: HomeWatch, *, now: datetime) -> str:
    """Return since when somebody is up, and where and when seen last."""
    if watch.last_seen_at is None:
        return f"We have not seen {name} move yet."
    at = times.when(watch.last_seen_at, now=now)
    place = in_room(watch.last_seen_room) if watch.last_seen_room else None
    if watch.up_since is not None and times.local_date(watch.up_since) == times.local_date(now):
        last = f"Last {place} at {at}." if place else f"Last seen moving at {at}."
        return f"{name} has been up since {times.clock_time(watch.up_since)}. {last}"
    return f"{name} was last seen {place + ' ' if place else ''}at {at}."


@dataclass(frozen=True, slots=True)
class Next:
    """What happens if nothing more is seen.

    Attributes:
        intro: the sentence before the steps.
        since: the wait's beginning; None: there is no wait to draw.
        until: its end.
        first: who is texted first, for the drawing.
        steps: who is told when.
        note: by which rule.
    """

    intro: str
    since: datetime | None
    until: datetime | None
    first: str
    steps: tuple[Step, ...]
    note: str


def what_next(
    resident: Resident,
    watch: HomeWatch | None,
    told: Truth,
    contacts: Sequence[Contact],
    policy: Policy,
    viewer: str,
    *,
    now: datetime,
    can_text: bool,
) -> Next:
    """Return what happens next, or why nothing does.

    Args:
        resident: who lives there.
        watch: what is written of the home.
        told: the same with its lease held against the clock.
        contacts: who is told, in order, the operator last.
        policy: the numbers in force.
        viewer: key of the person who reads.
        now: by this process's own clock.
        can_text: whether texts can leave at all.
    """
    name = resident.first_name
    note = _rule(policy, is_learning=watch is None or bool(watch.learning))
    if told.state is Watched.BLIND or watch is None:
        intro = f"While we cannot see the home, we cannot notice that {name} is still."
        unseen_at = watch.next_alert_why.get("unseen_at") if watch is not None else None
        if can_text and contacts and isinstance(unseen_at, str):
            at = times.at_what_time(datetime.fromisoformat(unseen_at), now=now)
            intro += f" If we still cannot at {at}, we text {contacts[0].full_name}."
        if can_text:
            intro += f" {_about_silence(policy)}"
        return Next(intro, None, None, "", (), note)
    if watch.next_alert_at is None:
        intro = f"Nothing is planned: the home is not watched for {name} being still."
        return Next(intro, None, None, "", (), note)
    if watch.next_alert_at <= now:
        return Next(f"An alert is open since {times.when(watch.next_alert_at, now=now)}.", None, None, "", (), note)
    if not can_text or not contacts:
        nobody = "Nobody can be texted." if not can_text else "Nobody is on the list of those to be told."
        at = times.at_what_time(watch.next_alert_at, now=now)
        return Next(f"If nothing more is seen, an alert is opened at {at}. {nobody}", None, None, "", (), note)
    return Next(
        f"Each time {name} is seen, this starts again. If nothing more is seen:",
        watch.last_seen_at,
        watch.next_alert_at,
        _first_name(contacts[0]),
        _told_in_turn(contacts, watch.next_alert_at, policy.escalate_after, viewer, now=now),
        note,
    )


def _told_in_turn(
    contacts: Sequence[Contact], at: datetime, after: timedelta, viewer: str, *, now: datetime
) -> tuple[Step, ...]:
    steps = []
    for number, contact in enumerate(contacts):
        who = f"{contact.full_name}{' (you)' if contact.person == viewer else ''}"
        before = ("", "If nobody has said “mine”: ", "If still nobody: ")[min(number, 2)]
        moment = at + after * number
        on = times.local_date(moment)
        day = "" if number or on == times.local_date(now) else times.at_what_time(moment, now=now).split(" ", 1)[1]
        steps.append(Step(moment, day, "", f"{before}{'w' if before else 'W'}e text {who}."))
    return tuple(steps)


def _rule(policy: Policy, *, is_learning: bool) -> str:
    hours = (
        f"counting only the hours from {policy.waking_from:%H:%M} to {policy.waking_until:%H:%M}"
        if policy.waking_from != policy.waking_until
        else "day and night"
    )
    learned = ""
    if policy.learned:
        learned = " Once we know what is usual here, we wait less" if is_learning else " We wait less"
        learned += " where a stillness is longer than is usual at its time of day."
    return (
        f"At the latest we wait {times.wait(policy.still_for)} after the last movement, {hours}.{learned} "
        "A pendant is separate: when it is pressed, the same people are told at once."
    )


def _about_silence(policy: Policy) -> str:
    return (
        "When the box falls silent the operator is told, and the first of the people once it has been silent "
        f"for {times.wait(policy.hub_silent_carer_after)}."
    )


def _first_name(contact: Contact) -> str:
    return contact.full_name.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Person:
    """A line in the list of people."""

    place: str
    said: str
    phone: str | None


def people(resident: Resident, contacts: Sequence[Contact], viewer: str) -> list[Person]:
    """Return who there is to ring, the resident first, then in the order in which they are told."""
    lines = [Person(resident.first_name, "", resident.phone)] if resident.phone else []
    for number, contact in enumerate(contacts):
        you = " (you)" if contact.person == viewer else ""
        what = f", {contact.what}" if contact.what and not you else ""
        phone = None if you else contact.phone
        lines.append(Person(_ORDINALS[min(number, 1)], f"{contact.full_name}{you}{what}", phone))
    return lines

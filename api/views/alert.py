"""What does an alert say, and its story?"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.alert import FIRST, Outcome, Question, State, plainly
from alerts.judging.outage import EVERYWHERE, area_in_words
from alerts.store import Alert, LetGo, StoryStep
from api import times
from api.views import found
from api.views.said import in_room, starting, whose
from gateway.reading import Quantity

_ALARMS: Final[Mapping[str, str]] = {
    Quantity.PENDANT_ALARM: "{whose} pendant was pressed",
    Quantity.PULL_CORD_ALARM: "A cord was pulled for help",
    Quantity.FALL_ALARM: "A fall detector called for help",
    Quantity.SMOKE_ALARM: "The smoke alarm went off",
    Quantity.CO_ALARM: "The carbon monoxide alarm went off",
    Quantity.GAS_ALARM: "The gas alarm went off",
    Quantity.WATER_ALARM: "A water alarm went off",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.HELP_GIVEN: "help given",
    Outcome.AMBULANCE: "ambulance called",
    Outcome.ALL_WELL: "all well",
    Outcome.FALSE_ALARM: "false alarm",
    Outcome.TEST: "a test",
    Outcome.MENDED: "mended",
}


def matters_most(alerts: Sequence[Alert]) -> list[Alert]:
    """Return alerts in the order in which a person should look: calls for help first; of a kind, the oldest."""
    return sorted(alerts, key=lambda one: (FIRST.index(one.question) if one.question in FIRST else len(FIRST), one.at))


def sentence(alert: Alert, name: str, *, now: datetime) -> str:
    """Return what is wrong, in a sentence.

    Args:
        alert: which.
        name: of the resident, as this reader should read it.
        now: to say a day where it is not today.
    """
    since = times.when(alert.since, now=now)
    match alert.question:
        case Question.ALARM:
            return _alarm(alert, name, now=now)
        case Question.STILL | Question.STILL_UNUSUAL if not alert.why.get("left_at"):
            return f"{name} has not been seen to move since {since}."
        case Question.HUB_SILENT | Question.OUTAGE:
            is_one = alert.question is Question.HUB_SILENT
            box = f"The box in {whose(name)} home has not reported since {since}."
            return box if is_one else _outage(alert, since=since)
        case Question.READINGS_LOST:
            return f"Some readings from {whose(name)} home were lost before we had them."
        case Question.HUB_TROUBLE:
            said = alert.why.get("what")
            return f"The box in {whose(name)} home needs mending{f': {said}' if isinstance(said, str) else ''}."
        case _:
            return found.sentence(alert.question, name, alert.why, since=since)


def _outage(alert: Alert, *, since: str) -> str:
    area, homes = area_in_words(str(alert.why.get("area") or "")), alert.why.get("homes")
    ours = " It may be our own line." if alert.why.get("area") == EVERYWHERE else ""
    return f"{homes} homes {area} fell silent together since {since}.{ours}"


def _alarm(alert: Alert, name: str, *, now: datetime) -> str:
    if alert.why.get("asked_by"):
        return f"More help was asked for at {whose(name)} home at {times.when(alert.since, now=now)}."
    if alert.why.get("unreadable"):
        return (
            f"Something in {whose(name)} home called for help. It reached us at {times.when(alert.at, now=now)}, "
            "and we could not read what it was."
        )
    said = _ALARMS.get(str(alert.why.get("quantity")), "Something in {whose} home called for help")
    at = (
        "at a time that is not certain" if alert.why.get("observed_since") else f"at {times.when(alert.since, now=now)}"
    )
    return f"{said.format(whose=whose(name))} {at}."


def details(alert: Alert, name: str, *, now: datetime) -> list[str]:
    """Return what else is known of an alert, a sentence each."""
    said: list[str] = []
    room, why = alert.why.get("last_seen_room"), alert.why
    if alert.question in (Question.STILL, Question.STILL_UNUSUAL):
        if isinstance(room, str) and room:
            said.append(f"Last seen {in_room(room)}.")
        said += [*_usual(alert, name), *_unseen(why, name, now=now)]
    said += found.details(alert.question, name, why)
    late_by = why.get("late_by_s")
    if alert.question is Question.ALARM and isinstance(late_by, int | float) and late_by >= 60:
        said.append(f"It reached us only at {times.when(alert.at, now=now)}.")
    if alert.pressed_again_at is not None and alert.state is State.ACKNOWLEDGED:
        at = times.when(alert.pressed_again_at, now=now)
        said.append(f"Pressed again; {alert.mine_by_name} was told at {at} and has not answered that yet.")
    if (again := _again(why.get("again_of"), now=now)) is not None:
        said.append(again)
    if alert.cause_ended_at is not None and alert.state is not State.CLOSED and not alert.is_fault:
        at = times.when(alert.cause_ended_at, now=now)
        over = found.OVER.get(alert.question, "Seen again.").rstrip(".")
        said.append(f"{over} at {at}. The alert stays open until a person says how {name} is.")
    return said


def _usual(alert: Alert, name: str) -> list[str]:
    """Return by which rule a stillness was raised; no score, no likelihood."""
    why = alert.why
    if alert.question is Question.STILL:
        waited, begins, ends = _length(why.get("waking_s")), why.get("waking_from"), why.get("waking_until")
        if waited is None:
            return []
        hours = f", counted from {begins} to {ends}" if begins != ends else ""
        seen = "that we could see" if _not_watched_for(why) else ""
        return [f"That is {times.wait(waited)} without a movement{f' {seen}' if seen else ''}{hours}."]
    usual, days = _length(why.get("usual_s")), why.get("days")
    if usual is None or not isinstance(days, int):
        return [f"That is longer than is usual for {name} at this time of day."]
    return [f"At this time of day {name} is usually seen again within {times.wait(usual)}, judged by {days} days."]


def _unseen(why: Mapping[str, Any], name: str, *, now: datetime) -> list[str]:
    """Return for how much of a stillness nobody could tell whether somebody moved."""
    if not (lasts := _not_watched_for(why)):
        return []
    maybe = f"{name} may have moved then."
    since, until = why.get("unseen_since"), why.get("unseen_until")
    said = []
    blind = timedelta(0)
    if isinstance(since, str) and isinstance(until, str):
        begun, ended = datetime.fromisoformat(since), datetime.fromisoformat(until)
        blind = ended - begun
        from_to = f"From {times.when(begun, now=now)} to {times.when(ended, now=now)}, {times.wait(blind)}"
        said = [f"{from_to}, we could not see the home: {maybe}"]
    if lasts - blind >= _MINUTE:
        said.append(f"For {times.wait(lasts)} {'in all ' if said else ''}we could not see all of it: {maybe}")
    return said


def _not_watched_for(why: Mapping[str, Any]) -> timedelta:
    """Return for how long of a stillness a movement may have gone unseen, without what is less than a minute."""
    since, until = why.get("unseen_since"), why.get("unseen_until")
    blind = timedelta(0)
    if isinstance(since, str) and isinstance(until, str):
        blind = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    lasts = max(blind, _length(why.get("unwatched_s")) or timedelta(0))
    return lasts if lasts >= _MINUTE else timedelta(0)


def _length(seconds: object) -> timedelta | None:
    return timedelta(seconds=seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


def _again(again_of: object, *, now: datetime) -> str | None:
    if not isinstance(again_of, Mapping):
        return None
    outcome, closed_at = again_of.get("outcome"), again_of.get("closed_at", again_of.get("at"))
    if not isinstance(outcome, str) or not isinstance(closed_at, str):
        return None
    at = times.when(datetime.fromisoformat(closed_at), now=now)
    return f"It was closed as “{outcome}” at {at}, and it still held. So it is open again."


def who_goes(alert: Alert) -> str:
    """Return whose it is, or that it is nobody's yet."""
    if alert.mine_by_name is not None:
        return f"{alert.mine_by_name} has said “mine”."
    if alert.nobody_left_at is not None:
        return "There is nobody left to tell, and nobody has said “mine”."
    return "Nobody has said “mine” yet."


def goes_on(alert: Alert, *, now: datetime) -> str | None:
    """Return until when somebody's "mine" is waited for, or None where nothing follows by itself."""
    due_at = alert.next_telling_at
    if alert.state is not State.OPEN or alert.nobody_left_at is not None or due_at is None or due_at <= now:
        return None
    return f"We wait for a “mine” until {times.at_what_time(due_at, now=now)}, and then go on down the list."


def ending(alert: Alert, *, now: datetime) -> str:
    """Return how a closed alert ended, by whom and when."""
    if alert.closed_at is None:
        return ""
    by = f" by {alert.closed_by_name}" if alert.closed_by_name else " by itself"
    word = f" “{alert.closing_word}”" if alert.closing_word else ""
    said = outcome_in_words(alert.outcome)
    return f"{starting(said)}, closed{by} at {times.when(alert.closed_at, now=now)}.{word}"


def outcome_in_words(outcome: str | None) -> str:
    """Return how an alert ended."""
    return "" if outcome is None else _OUTCOMES.get(outcome, plainly(outcome))


# -- stories


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a story, or of what will happen.

    Attributes:
        at: when.
        day: said before the first step of another day than today; otherwise empty.
        kind: the style: done, failed, good, seen, now, or empty for what is still to come.
        said: in words.
    """

    at: datetime
    day: str
    kind: str
    said: str


_MINUTE: Final = timedelta(minutes=1)
_ASKS: Final = ("alert", "again", "help", "nobody")


def story(steps: Sequence[StoryStep], name: str, viewer: str, *, by: str = "", now: datetime) -> list[Step]:
    """Return the story of an alert as people read it.

    Texts that arrived are one line, not three; one that did not arrive is a line of its own, where it happened.

    Args:
        steps: in time order.
        name: of the resident.
        viewer: full name of who reads, to say "you".
        by: the numbers that raised it; empty where none did.
        now: to say days.
    """
    said: list[Step] = []
    last_day = times.local_date(now)
    for step in _without_repetition(steps):
        words = _step_words(step, name, viewer, now=now)
        if words is None:
            continue
        if step.kind == "raised" and by:
            words = (words[0], f"{words[1].rstrip('.')}: {by}.")
        on = times.local_date(step.at)
        day = "" if on == last_day else times.day(on, today=times.local_date(now))
        last_day = on
        said.append(Step(step.at, day, words[0], words[1]))
    return said


def _without_repetition(steps: Sequence[StoryStep]) -> list[StoryStep]:
    """Leave out a text's *due* and *sent* where its *delivered* or *failed* says more.

    A person may be texted for the same purpose more than once: the second text is not said better by what became
    of the first.
    """
    left_for: Counter[tuple[str | None, str]] = Counter()
    ended_for: Counter[tuple[str | None, str]] = Counter()
    for step in steps:
        left_for[_text(step)] += step.kind == "text sent"
        ended_for[_text(step)] += step.kind in ("text delivered", "text failed")
    told: list[StoryStep] = []
    seen: Counter[tuple[str, str | None, str]] = Counter()
    for step in steps:
        text = _text(step)
        seen[step.kind, *text] += 1
        further = {"text due": max(left_for[text], ended_for[text]), "text sent": ended_for[text]}
        if seen[step.kind, *text] > further.get(step.kind, 0):
            told.append(step)
    return told


def _text(step: StoryStep) -> tuple[str | None, str]:
    return step.person_name, _purpose(step)


def _purpose(step: StoryStep) -> str:
    return step.detail.split(", ", 1)[0]


def _step_words(step: StoryStep, name: str, viewer: str, *, now: datetime) -> tuple[str, str] | None:
    """Return the style and the words of a step, or None where there is nothing to say."""
    who, detail = _who(step.person_name, viewer), step.detail
    if step.kind.startswith("text "):
        return _text_words(step, who)
    by = f" by {who}" if step.person_name else " by itself"
    words = {
        "seen": ("seen", f"{name} was last seen{f' {in_room(detail)}' if detail else ''}."),
        "pressed": ("now", _pressed(detail, name, now=now)),
        "raised": ("now", _RAISED.get(detail, "Alert opened.")),
        "outage": ("now", _part_of_outage(detail)),
        "seen again": ("seen", _SEEN_AGAIN.get(detail, f"{name} was seen again.")),
        "mine": ("good", f"{starting(who)} said “mine”{' by text' if detail == 'text' else ''}."),
        "let go": ("failed", f"{starting(who)} {_LET_GO.get(detail, 'let go')}."),
        "closed": ("good", f"Closed{by}: {detail.rstrip('.')}."),
    }
    return words.get(step.kind)


def _part_of_outage(detail: str) -> str:
    """Return that a home was not alone: the fault is not its own, and somebody sees to it for all."""
    homes, _, area = detail.partition(" ")
    return f"It was part of an outage: {homes} homes {area_in_words(area)} fell silent together."


_SEEN_AGAIN: Final[Mapping[str, str]] = {
    Question.HUB_SILENT: "The box reported again.",
    Question.HUB_TROUBLE: "The box said that it is well again.",
    **found.OVER,
}
_LET_GO: Final[Mapping[str, str]] = {
    LetGo.COULD_NOT_FIND_OUT: "could not find out",
    LetGo.CANNOT_GO: "cannot go",
    LetGo.HELP: "asked for help",
    LetGo.NO_ANSWER: "has not answered what we asked since",
    LetGo.NOT_REACHED: "could not be reached since",
}
_RAISED: Final[Mapping[str, str]] = {
    Question.ALARM: "Alert opened: a call for help.",
    Question.STILL: "Alert opened: still for longer than was set.",
    Question.STILL_UNUSUAL: "Alert opened: still for longer than is usual.",
    Question.HUB_SILENT: "The box in the home stopped reporting.",
    Question.OUTAGE: "Many homes of one area fell silent together.",
    Question.READINGS_LOST: "Readings were found to be lost.",
    Question.HUB_TROUBLE: "The box in the home said that something is wrong with it.",
    **found.RAISED,
}
_CODE: Final = re.compile(r"code (\d{3,6})\b")
# Source: Twilio, "Error and warning dictionary".
_CODES: Final[Mapping[str, str]] = {
    "21211": "the number is not right",
    "21408": "texts to that country are not allowed",
    "21610": "that phone has sent STOP and takes no texts from us",
    "21614": "the number is no mobile number",
    "30002": "our account with the network is closed",
    "30003": "the phone could not be reached",
    "30004": "the network blocked it",
    "30005": "the network does not know the number",
    "30006": "the number cannot take texts",
    "30007": "the network filtered it out",
    "30008": "the network does not say why",
}
_TOLD: Final[Mapping[str, str]] = {
    "alert": "Text to {who}",
    "again": "Text to {who} that it was pressed again",
    "help": "Text to {who} that help is wanted",
    "remind": "Text to {who}, how it is",
    "mine": "Text to {who}, who goes",
    "outcome": "Text to {who}, how it ended",
    "nobody": "Text to {who} that nobody has answered",
}


def _text_words(step: StoryStep, who: str) -> tuple[str, str] | None:
    purpose, _, rest = step.detail.partition(", ")
    text = _TOLD.get(purpose, "Text to {who}").format(who=who)
    match step.kind:
        case "text due":
            return "", f"{text} is about to leave."
        case "text sent":
            return "done", f"{text} has left; we do not know yet whether it arrived."
        case "text delivered":
            return "done", f"{text} arrived."
        case "text failed":
            return "failed", f"{text} did not arrive: {_why_not(rest)}."
    return None


def _why_not(error: str) -> str:
    """Return why a text did not arrive; what no list of ours knows is said as it was told us."""
    if (code := _CODE.search(error)) is not None:
        return _CODES.get(code[1], f"the network refused it ({code[1]})")
    return error or "we do not know why"


def _pressed(detail: str, name: str, *, now: datetime) -> str:
    quantity, *rest = detail.split(", ")
    said = _ALARMS.get(quantity, "Something in {whose} home called for help").format(whose=whose(name))
    for part in rest:
        if part.startswith("reached us 2"):
            reached_at = datetime.fromisoformat(part.removeprefix("reached us "))
            said += f"; it reached us only at {times.when(reached_at, now=now)}"
    return f"{said}."


def _who(full_name: str | None, viewer: str) -> str:
    if full_name is None:
        return "somebody"
    return "you" if full_name == viewer else full_name

"""What do the questions about nights, doors, warmth and equipment say, for people to read?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.alert import Question, is_known, plainly
from alerts.judging.watched import silent_in
from alerts.telling.saying import CARRIED
from api import times
from api.views.said import in_room, whose

OVER: Final[Mapping[str, str]] = {
    Question.UNSEEN: "The home could be seen again.",
    Question.OUT: "Seen inside again.",
    Question.NIGHT_UP: "Quiet again, or back in bed.",
    Question.DOOR_OPEN: "The door was shut.",
    Question.RULE: "What the rule waits for was so no more.",
    Question.COLD: "The room was warm enough again.",
    Question.HOT: "The room was cool enough again.",
    Question.SENSOR_SILENT: "The sensor reported again.",
    Question.SENSOR_STUCK: "The sensor noticed something again.",
    Question.BATTERY_LOW: "The battery was changed, or gives enough again.",
}
"""What a story says when the cause is over."""

RAISED: Final[Mapping[str, str]] = {
    Question.UNSEEN: "Alert opened: the home cannot be seen.",
    Question.OUT: "Alert opened: out and not back.",
    Question.NIGHT_UP: "Alert opened: up in the night for longer than is usual.",
    Question.DOOR_OPEN: "Alert opened: an outer door stands open.",
    Question.RULE: "Alert opened: a rule that was set by hand.",
    Question.COLD: "Alert opened: a room is too cold.",
    Question.HOT: "Alert opened: a room is too hot.",
    Question.SENSOR_SILENT: "A sensor in the home stopped reporting.",
    Question.SENSOR_STUCK: "A sensor in the home reports, and notices nothing.",
    Question.BATTERY_LOW: "A sensor in the home needs a new battery.",
}
"""What a story says when it begins."""

# What is not noticed without a sensor of a kind.  The resident's movements are what every other kind shows.
_NOT_NOTICED: Final[Mapping[str, str]] = {
    "motion": "We see movements in the other rooms only.",
    "contact": "We do not notice that door.",
    "climate": "We do not notice whether it is too cold or too hot there.",
    "bed": "We do not notice somebody leaving the bed.",
    "pendant": "The pendant may not work.",
    "smoke": "The smoke alarm may not reach us.",
    "water": "The water alarm may not reach us.",
}


def sentence(question: str, name: str, why: Mapping[str, Any], *, since: str) -> str:
    """Return what is wrong, in a sentence.

    Args:
        question: what was asked, and answered with yes; by a newer release it may be none of ours.
        name: of the resident, as this reader should read it.
        why: the facts of its detector.
        since: when it began, as it is said.
    """
    match question:
        case Question.NIGHT_UP:
            doing = "out of bed" if why.get("out_of_bed") else "up and about"
            return f"{name} has been {doing} in the night since {since}."
        case Question.DOOR_OPEN:
            return f"{whose(name)} {_said(why, 'door') or 'outer door'} has been open since {since}."
        case Question.RULE:
            return _rule(name, why, since=since)
        case Question.COLD | Question.HOT:
            how = "cold" if question is Question.COLD else "hot"
            place = f" {in_room(room)}" if (room := _said(why, "room")) else ""
            return f"It has been too {how} in {whose(name)} home{place and ','}{place} since {since}."
        case Question.SENSOR_SILENT | Question.SENSOR_STUCK | Question.BATTERY_LOW:
            return _of_a_sensor(question, f"{_sensor(why)} sensor in {whose(name)} home", why, since=since)
        case _:
            return _of_the_home(question, name, why, since=since)


def _of_the_home(question: str, name: str, why: Mapping[str, Any], *, since: str) -> str:
    if not is_known(question):
        return f"Something needs a look at {whose(name)} home since {since}: “{plainly(question)}”."
    if question == Question.UNSEEN:
        return f"We have not been able to see {whose(name)} home since {since}."
    return f"{name} left by the {_said(why, 'left_by') or 'outer door'} at {since} and has not been seen since."


def _of_a_sensor(question: str, sensor: str, why: Mapping[str, Any], *, since: str) -> str:
    match question:
        case Question.SENSOR_SILENT:
            return f"The {sensor} has not reported since {since}."
        case Question.SENSOR_STUCK:
            return f"The {sensor} reports, and {notices(_said(why, 'kind'))} since {since}."
        case _:
            return f"The battery of the {sensor} is low."


def notices(kind: str) -> str:
    """Return what is so of a sensor of this kind that is stuck, with a moment since when behind it."""
    return "has said the same" if kind == "climate" else "has noticed nothing"


def _before_dark(name: str, why: Mapping[str, Any]) -> str:
    """Return where somebody was seen last, before a home could not be seen any more."""
    seen_at, room = why.get("last_seen_at"), _said(why, "last_seen_room")
    if not isinstance(seen_at, str):
        return f"{name} was never seen to move, and could lie there now: nobody can tell."
    at = times.clock_time(datetime.fromisoformat(seen_at))
    place = f"{in_room(room)} " if room else ""
    return f"Last seen {place}at {at}. Whether {name} has moved since, nobody can tell."


def _rule(name: str, why: Mapping[str, Any], *, since: str) -> str:
    if why.get("sees") == "open":
        return f"{whose(name)} {_said(why, 'room') or 'door'} has been open since {since}: “{_said(why, 'rule')}”."
    rooms = [room for room in why.get("rooms") or () if isinstance(room, str)]
    where = f" {' or '.join(in_room(room) for room in rooms)}" if rooms else ""
    return f"Nothing has moved in {whose(name)} home{where and ','}{where} since {since}: “{_said(why, 'rule')}”."


def details(question: str, name: str, why: Mapping[str, Any]) -> list[str]:
    """Return what else is known: what was seen, and what is usual here."""
    match question:
        case Question.OUT | Question.UNSEEN:
            out = f"Nothing inside has moved since. {name} is probably out, or very still behind that door."
            return [out if question is Question.OUT else _before_dark(name, why)]
        case Question.NIGHT_UP:
            return _about_the_night(name, why)
        case Question.RULE:
            return [f"A rule that was set by hand, asked from {why.get('hours_from')} to {why.get('hours_until')}."]
        case Question.COLD | Question.HOT:
            said_c, limit_c = why.get("said_c"), why.get("limit_c")
            is_measured = isinstance(said_c, int | float) and isinstance(limit_c, int | float)
            return [f"It was {said_c:.1f} °C when last measured; the limit is {limit_c:g} °C."] if is_measured else []
        case Question.SENSOR_STUCK | Question.BATTERY_LOW:
            return _about_a_sensor(why)
        case _:
            return [] if is_known(question) else _carried(why)


def _carried(why: Mapping[str, Any]) -> list[str]:
    """Return the words that an alert of a newer release carries itself."""
    carried = [said for key in CARRIED if (said := _said(why, key))]
    more = [f"It says: {', '.join(carried)}."] if carried else []
    return [*more, "A newer release of telecare found that, and can say more of it."]


def _about_a_sensor(why: Mapping[str, Any]) -> list[str]:
    said_pct, missed, usual = why.get("said_pct"), _length(why.get("missed_s")), _length(why.get("usual_s"))
    if missed is None:
        return [f"It says {said_pct:.0f} %."] if isinstance(said_pct, int | float) else []
    is_gauge = why.get("kind") == "climate"
    what = "It has repeated itself for" if is_gauge else "Meanwhile others noticed somebody for"
    known = f"; up to {times.wait(usual)} is usual for it" if usual is not None else "; what is usual is not known yet"
    return [f"{what} {times.wait(missed)} in all{known}."]


def _about_the_night(name: str, why: Mapping[str, Any]) -> list[str]:
    said = []
    rooms = [room for room in why.get("rooms") or () if isinstance(room, str)]
    if rooms:
        said.append(f"Seen moving {', '.join(in_room(room) for room in rooms)}.")
    up_for, usual = _length(why.get("up_for_s")), _length(why.get("usual_s"))
    if up_for is not None and not why.get("out_of_bed"):
        said.append(f"That was {times.wait(up_for)} in all, without visits to the bathroom.")
    nights = why.get("nights")
    judged_by = f", judged by {nights} nights" if isinstance(nights, int) else ""
    if usual is None:
        said.append(f"We do not know yet what is usual for {name} at night.")
    elif usual:
        said.append(f"Nine nights in ten {name} is up for {times.wait(usual)} at most{judged_by}.")
    else:
        said.append(f"Nine nights in ten {name} is not up at all{judged_by}.")
    return said


def not_noticed(reasons: Sequence[str], *, now: datetime) -> list[str]:
    """Return what is not noticed while sensors are silent or stuck, a sentence or two for each."""
    said = []
    for silent in (silent for reason in reasons if (silent := silent_in(reason)) is not None):
        what = _NOT_NOTICED.get(silent.kind, "What it would show is not noticed.")
        since = times.when(silent.since, now=now)
        stuck = f"{notices(silent.kind)} since {since}, though it reports"
        is_so = stuck if silent.is_stuck else f"has been silent since {since}"
        said.append(f"The {silent.sensor} sensor {is_so}. {what}")
    return said


def _said(why: Mapping[str, Any], what: str) -> str:
    return str(why.get(what) or "")


def _sensor(why: Mapping[str, Any]) -> str:
    return _said(why, "room") or _said(why, "sensor")


def _length(seconds: object) -> timedelta | None:
    return timedelta(seconds=seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None

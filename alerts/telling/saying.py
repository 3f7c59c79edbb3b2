"""Which text asks somebody to go, for each question and its facts?"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.alert import Question, plainly
from alerts.judging import outage
from alerts.telling import wording
from alerts.telling.wording import About, Unwatched
from gateway.reading import Quantity

Facts = Mapping[str, Any]
"""What a finding said: why, in the words of its detector."""


CARRIED: Final = ("what", "rule", "room", "sensor", "last_seen_room")
"""Facts that are words for people whatever was asked: what an alert says of a question that is not known here."""

_WORTH_A_WORD: Final = timedelta(minutes=5)
"""Ours: a stillness that is told lasts hours, and a text has room for little."""


def request(question: str, about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    """Return the text of anything but an alarm.

    Args:
        question: what was asked, and answered with yes; by a newer release it may be none of ours.
        about: whose, and the code.
        since: when it began.
        why: its facts.
        before: why this person is told now; or empty.
        now: when the text is due.
    """
    say = _TEXTS.get(question)
    if say is None:
        what = next((said for key in CARRIED if (said := _said(why, key))), "")
        return wording.of_a_newer_release(about, question, since=since, what=what, before=before, now=now)
    return say(about, since, why, before=before, now=now)


def briefly(question: str, why: Facts, called: Sequence[str] = ()) -> str:
    """Return what an alert is about in a few words, for texts that do not ask anybody to go.

    Args:
        question: what was asked, and answered with yes; by a newer release it may be none of ours.
        why: its facts.
        called: which kinds of alarms it holds.
    """
    if question == Question.ALARM:
        kinds = set(called) or {_said(why, "quantity")}
        if not called and why.get("asked_by"):
            return "call for help"
        return _CALLS.get(kinds.pop(), "alarm") if len(kinds) == 1 else "several alarms"
    if question == Question.RULE:
        return f"rule {_said(why, 'rule')}"
    return _BRIEFLY.get(question, plainly(question))


def mended(question: str, who: str, why: Facts, *, at: datetime, now: datetime) -> str:
    """Return what those told of a fault are told when it has mended itself."""
    match question:
        case Question.SENSOR_SILENT:
            what = f"the {_sensor(why)} sensor reports again"
        case Question.SENSOR_STUCK:
            what = f"the {_sensor(why)} sensor works again"
        case Question.BATTERY_LOW:
            what = f"the {_sensor(why)} sensor has a good battery"
        case Question.OUTAGE:
            what = f"all homes of the outage {outage.area_in_words(_said(why, 'area'))} report again"
        case Question.HUB_TROUBLE:
            what = "the box says that it is well again"
        case Question.HUB_SILENT | Question.READINGS_LOST:
            what = "the box reports again"
        case _:
            what = f"{plainly(question)} is over"
    return wording.mended(who, at=at, now=now, what=what)


def _still(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    if why.get("left_at"):
        return _out(about, since, why, before=before, now=now)
    room, unwatched = _said(why, "last_seen_room"), _unwatched(why)
    return wording.still(about, since=since, room=room, unwatched=unwatched, before=before, now=now)


def _still_unusual(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    if why.get("left_at"):
        return _out(about, since, why, before=before, now=now)
    room, unwatched = _said(why, "last_seen_room"), _unwatched(why)
    return wording.still_unusual(about, since=since, room=room, unwatched=unwatched, before=before, now=now)


def _unwatched(why: Facts) -> Unwatched | None:
    """Return for how much of a stillness nobody could tell; None: for nothing that is worth a word."""
    since, until = why.get("unseen_since"), why.get("unseen_until")
    blind = timedelta(0)
    if isinstance(since, str) and isinstance(until, str):
        begun, ended = datetime.fromisoformat(since), datetime.fromisoformat(until)
        blind = ended - begun
    lasts = timedelta(seconds=why.get("unwatched_s") or 0)
    if max(lasts, blind) < _WORTH_A_WORD:
        return None
    if blind >= lasts - _WORTH_A_WORD:
        return Unwatched(blind, begun, ended)
    return Unwatched(lasts)


def _out(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    return wording.out(about, since=since, door=_said(why, "left_by"), before=before, now=now)


def _unseen(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    seen_at, room = why.get("last_seen_at"), _said(why, "last_seen_room")
    at = datetime.fromisoformat(seen_at) if isinstance(seen_at, str) else None
    return wording.unseen(about, since=since, seen_at=at, room=room, before=before, now=now)


def _night_up(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    usual_s = why.get("usual_s")
    return wording.night_up(
        about,
        since=since,
        up_for=timedelta(seconds=why.get("up_for_s") or 0),
        usual=None if usual_s is None else timedelta(seconds=usual_s),
        is_bed=bool(why.get("out_of_bed")),
        before=before,
        now=now,
    )


def _door_open(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    return wording.door_open(about, since=since, door=_said(why, "door"), before=before, now=now)


def _rule(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    rule, room = _said(why, "rule"), _said(why, "room")
    is_open = why.get("sees") == "open"
    return wording.rule(about, rule, since=since, room=room, is_open=is_open, before=before, now=now)


def _cold(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    said_c = float(why.get("said_c") or 0)
    return wording.too_cold(about, since=since, room=_said(why, "room"), said_c=said_c, before=before, now=now)


def _hot(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    said_c = float(why.get("said_c") or 0)
    return wording.too_hot(about, since=since, room=_said(why, "room"), said_c=said_c, before=before, now=now)


def _hub_silent(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    del why
    return wording.hub_silent(about, since=since, before=before, now=now)


def _outage(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    area, homes = _said(why, "area"), int(why.get("homes") or 0)
    where, is_ours = outage.area_in_words(area), area == outage.EVERYWHERE
    return wording.outage(about, where, homes, since=since, before=before, now=now, is_ours=is_ours)


def _readings_lost(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    del why
    return wording.readings_lost(about, since=since, before=before, now=now)


def _hub_trouble(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    return wording.hub_trouble(about, _said(why, "what") or "trouble", since=since, before=before, now=now)


def _sensor_silent(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    return wording.sensor_silent(about, since=since, sensor=_sensor(why), before=before, now=now)


def _sensor_stuck(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    is_gauge = why.get("kind") == "climate"
    return wording.sensor_stuck(about, since=since, sensor=_sensor(why), is_gauge=is_gauge, before=before, now=now)


def _battery_low(about: About, since: datetime, why: Facts, *, before: str, now: datetime) -> str:
    said_pct = why.get("said_pct")
    return wording.battery_low(
        about, since=since, sensor=_sensor(why), said_pct=None if said_pct is None else float(said_pct),
        before=before, now=now,
    )  # fmt: skip


def _said(why: Facts, what: str) -> str:
    return str(why.get(what) or "")


def _sensor(why: Facts) -> str:
    """Return what a sensor is called: its room, and its own name where two may be in one room."""
    room, sensor = _said(why, "room"), _said(why, "sensor")
    return f"{room} ({sensor})" if room else sensor


_CALLS: Final[Mapping[str, str]] = {
    Quantity.PENDANT_ALARM: "pendant",
    Quantity.PULL_CORD_ALARM: "pull cord",
    Quantity.FALL_ALARM: "fall detector",
    Quantity.SMOKE_ALARM: "SMOKE alarm",
    Quantity.CO_ALARM: "CO alarm",
    Quantity.GAS_ALARM: "GAS alarm",
    Quantity.WATER_ALARM: "water alarm",
}
_BRIEFLY: Final[Mapping[str, str]] = {
    Question.STILL: "not seen to move",
    Question.STILL_UNUSUAL: "not seen to move",
    Question.OUT: "out and not back",
    Question.UNSEEN: "home not seen",
    Question.NIGHT_UP: "up in the night",
    Question.DOOR_OPEN: "door open",
    Question.COLD: "too cold",
    Question.HOT: "too hot",
    Question.HUB_SILENT: "box silent",
    Question.OUTAGE: "outage",
    Question.READINGS_LOST: "readings lost",
    Question.HUB_TROUBLE: "box needs mending",
    Question.SENSOR_SILENT: "sensor silent",
    Question.SENSOR_STUCK: "sensor stuck",
    Question.BATTERY_LOW: "battery low",
}

_TEXTS: Final[Mapping[str, Callable[..., str]]] = {
    Question.STILL: _still,
    Question.STILL_UNUSUAL: _still_unusual,
    Question.OUT: _out,
    Question.UNSEEN: _unseen,
    Question.NIGHT_UP: _night_up,
    Question.DOOR_OPEN: _door_open,
    Question.RULE: _rule,
    Question.COLD: _cold,
    Question.HOT: _hot,
    Question.HUB_SILENT: _hub_silent,
    Question.OUTAGE: _outage,
    Question.READINGS_LOST: _readings_lost,
    Question.HUB_TROUBLE: _hub_trouble,
    Question.SENSOR_SILENT: _sensor_silent,
    Question.SENSOR_STUCK: _sensor_stuck,
    Question.BATTERY_LOW: _battery_low,
}

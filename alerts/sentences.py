"""Why was this found, and why would it be next?  In sentences that a carer reads, for the file of a replay.

The pages and the texts have sentences of their own: there a name is known, and who is asked.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging.finding import JSON, Finding
from alerts.judging.home import HomeState, Now
from alerts.judging.policy import local

_ASKED: Final[Mapping[str, str]] = {
    Question.STILL: "longer without a movement than the plain rule allows",
    Question.STILL_UNUSUAL: "longer without a movement than is usual here at this time",
}


def why(found: Finding) -> str:
    """Return what was seen, since when, what is usual and how sure it is."""
    if found.question in _ASKED:
        return " ".join([_not_seen(found), *_left(found.why), _rule(found), *_unseen(found.why)])
    return _OTHERS.get(found.question, _other)(found)


def dial_why(now: Now, state: HomeState) -> str:
    """Return why the next stillness alert comes when it does."""
    next_why = now.next_alert_why
    if now.next_alert_at is None:
        reason = next_why.get("reason")
        return f"No alert would come: {reason}."
    asked = _ASKED.get(str(next_why.get("question")), "a stillness")
    if next_why.get("is_open"):
        return f"Open since {_clock(now.next_alert_at)}: {asked}."
    seen = _seen(now.last_seen_at, now.last_seen_room)
    if now.next_alert_why.get("question") == Question.STILL_UNUSUAL and now.last_seen_at is not None:
        usual = state.routine.usual(now.last_seen_at, state.policy.patience)
        return (
            f"{seen}; if nothing more is heard, {_clock(now.next_alert_at)} is {asked}: "
            f"nine of ten silences like this one were over within {_length(usual.quantile)}, "
            f"judged by {usual.days} days."
        )
    return f"{seen}; if nothing more is heard, {_clock(now.next_alert_at)} is {asked}."


def _not_seen(found: Finding) -> str:
    room = found.why.get("last_seen_room")
    if not isinstance(room, str):
        return f"Nothing has been seen to move since {_clock(found.since)}."
    return f"Nothing has been seen to move since {_clock(found.since)}, {_in_room(room)}."


def _rule(found: Finding) -> str:
    said = found.why
    if found.question is Question.STILL:
        hours = ""
        if said.get("waking_from") != said.get("waking_until"):
            hours = f", counted from {said.get('waking_from')} to {said.get('waking_until')}"
        return f"That is {_seconds(said.get('waking_s'))} without a movement{hours}."
    lasted, usual, days = _seconds(said.get("still_for_s")), said.get("usual_s"), said.get("days")
    if usual is None:
        return f"That is {lasted}; what is usual here at this time is hardly known, judged by {days} days."
    place = "" if said.get("last_seen_room") is None else " and there"
    return (
        f"That is {lasted}; of silences that began about {_hour(said.get('start_hour'))}{place} nine of ten were over "
        f"within {_seconds(usual)}{_rarely(said.get('share'))}, judged by {days} days."
    )


def _rarely(share: JSON) -> str:
    return f", and about 1 in {round(1 / share)} lasts so long" if isinstance(share, float) and share > 0 else ""


def _unseen(said: Mapping[str, JSON]) -> list[str]:
    since, until = said.get("unseen_since"), said.get("unseen_until")
    if not isinstance(since, str) or not isinstance(until, str):
        return []
    return [f"From {_clock(datetime.fromisoformat(since))} to {_clock(datetime.fromisoformat(until))} it was not seen."]


def _left(said: Mapping[str, JSON]) -> list[str]:
    """Return that somebody is probably out, where a stillness began at an outer door."""
    left_at, door = said.get("left_at"), said.get("left_by")
    if not isinstance(left_at, str):
        return []
    by = f" by the {str(door).lower().replace('-', ' ')}" if door else ""
    return [f"Probably out: left{by} at {_clock(datetime.fromisoformat(left_at))}."]


def _out(found: Finding) -> str:
    said = found.why
    by = said.get("home_by")
    hour = f", or once it is past {by}" if by and not said.get("at_night") else ""
    return (
        f"{' '.join(_left(said)) or f'Out since {_clock(found.since)}.'} Not seen inside for "
        f"{_seconds(said.get('out_for_s'))}; asked about after {_seconds(said.get('longest_s'))}{hour}."
    )


def _night_up(found: Finding) -> str:
    said = found.why
    what = "Out of bed" if said.get("out_of_bed") else "Up"
    rooms = said.get("rooms")
    where = f", seen in the {' and the '.join(map(str, rooms))}" if isinstance(rooms, list) and rooms else ""
    usual = f"; up to {_seconds(said.get('usual_s'))} is usual here" if said.get("usual_s") is not None else ""
    return (
        f"{what} for {_seconds(said.get('up_for_s'))} in the night since {_clock(found.since)}{where}{usual}, "
        f"judged by {said.get('nights')} nights."
    )


def _other(found: Finding) -> str:
    """Return the facts of any other question, so that none is left without a reason."""
    asked = found.question.value.replace("_", " ")
    facts = ", ".join(f"{name.replace('_', ' ')} {fact}" for name, fact in found.why.items() if fact is not None)
    return f"{asked.capitalize()} since {_clock(found.since)}{f': {facts}' if facts else ''}."


def _seen(at: datetime | None, room: str | None) -> str:
    if at is None:
        return "Nothing has been seen yet"
    return f"Last seen {_clock(at)}{f', {_in_room(room)}' if room else ''}"


def _in_room(room: str) -> str:
    return f"{'at' if 'door' in room.lower() else 'in'} the {room.lower().replace('-', ' ')}"


def _clock(at: datetime) -> str:
    wall = local(at)
    return f"{wall:%H:%M} on {wall:%a} {wall.day} {wall:%b}"


def _hour(half_hours: JSON) -> str:
    if not isinstance(half_hours, int | float):
        return "then"
    minutes = round(half_hours * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _seconds(seconds: JSON) -> str:
    return _length(timedelta(seconds=seconds)) if isinstance(seconds, int | float) else "a while"


def _length(lasted: timedelta) -> str:
    hours, minutes = divmod(round(lasted / timedelta(minutes=1)), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


_OTHERS: Final = {Question.OUT: _out, Question.NIGHT_UP: _night_up}

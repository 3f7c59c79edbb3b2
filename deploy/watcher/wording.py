"""What does the text to the operator say?  Pure; the letters of a plain text, and two segments of it at most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from deploy.watcher.standing import Line, News

_LONDON: Final = ZoneInfo("Europe/London")

# Two segments of GSM 03.38 with their headers: 2 x 153.
LETTERS_MAX: Final = 306
_SAID: Final = {News.BEGAN: "since", News.AGAIN: "STILL, since"}
_CUT: Final = "..."


def text_of(lines: Sequence[Line], service: str) -> str:
    """Return one text with all lines: what each is called in the runbook, since when, and why while there is room.

    Args:
        lines: at least one.
        service: which installation speaks; the operator may have several.
    """
    head = f"telecare watcher{' of ' + service if service else ''}:"
    full = _plain_letters(" ".join([head, *(_line(line, has_why=True) for line in lines)]))
    if len(full) <= LETTERS_MAX:
        return full
    # One alarm's name always fits, and its reasons as far as they do; of many the names come first.
    names = _plain_letters(" ".join([head, *(_line(line, has_why=False) for line in lines)]))
    body = full if len(lines) == 1 else names
    return body if len(body) <= LETTERS_MAX else body[: LETTERS_MAX - len(_CUT)] + _CUT


def _line(line: Line, *, has_why: bool) -> str:
    if line.news is News.OVER:
        return f"Over: {line.alarm.value} (since {_clock_time(line.since)})."
    why = f": {line.why}" if has_why else ""
    return f"{line.alarm.value} {_SAID[line.news]} {_clock_time(line.since)}{why}."


def _clock_time(at: datetime) -> str:
    return f"{at.astimezone(_LONDON):%d.%m. %H:%M}"


def _plain_letters(body: str) -> str:
    """Leave printable ASCII: each costs one of the letters, but for brackets and the like, which are not used."""
    return "".join(letter if " " <= letter <= "~" and letter not in "[]{}\\^~|`" else "?" for letter in body)

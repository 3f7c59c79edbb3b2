"""How do we say a moment, a day, a wait and a phone number to people in Britain?

Clock times are Europe/London wall time, cut to the minute; never seconds.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")


def clock_time(at: datetime) -> str:
    """Return `09:14`; in the hour that an autumn night has twice, with BST or GMT behind it."""
    local = at.astimezone(LONDON)
    said = f"{local:%H:%M}"
    other = local.replace(fold=1 - local.fold)
    return said if other.utcoffset() == local.utcoffset() else f"{said} {local:%Z}"


def iso(at: datetime) -> str:
    """Return the moment for machines, in wall time with its offset."""
    return at.astimezone(LONDON).isoformat(timespec="seconds")


def day(on: date, *, today: date) -> str:
    """Return `today`, `yesterday`, `Tuesday 16 June`, or with its year where that is another."""
    if on == today:
        return "today"
    if on == today - timedelta(days=1):
        return "yesterday"
    said = f"{on:%A} {on.day} {on:%B}"
    return said if on.year == today.year else f"{said} {on.year}"


def short_day(on: date) -> str:
    """Return `Tue 16 Jun`."""
    return f"{on:%a} {on.day} {on:%b}"


def long_day(on: date) -> str:
    """Return `Tuesday 16 June 2026`, as on paper that is kept."""
    return f"{on:%A} {on.day} {on:%B} {on.year}"


def weekdays(days: Sequence[int]) -> str:
    """Return `every day`, or `Mon to Fri`, or `Mon, Wed`; 0 is Monday."""
    if len(days) == 7:
        return "every day"
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    is_row = len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1))
    return f"{names[days[0]]} to {names[days[-1]]}" if is_row else ", ".join(names[day] for day in days)


def local(at: datetime) -> datetime:
    """Return a moment as clocks in London show it."""
    return at.astimezone(LONDON)


def local_date(at: datetime) -> date:
    """Return the day in London."""
    return at.astimezone(LONDON).date()


def clock_hour(at: datetime) -> int:
    """Return the hour that clocks in London show, 0 to 23."""
    return at.astimezone(LONDON).hour


def midnight(on: date) -> datetime:
    """Return the moment at which a day begins in London; days there have 23, 24 or 25 hours."""
    return datetime(on.year, on.month, on.day, tzinfo=LONDON)


def when(at: datetime, *, now: datetime) -> str:
    """Return `09:07`, `23:12 yesterday` or `03:28 on Saturday 6 June`."""
    on, today = local_date(at), local_date(now)
    if on == today:
        return clock_time(at)
    named = day(on, today=today)
    return f"{clock_time(at)} {named}" if named == "yesterday" else f"{clock_time(at)} on {named}"


def at_what_time(at: datetime, *, now: datetime) -> str:
    """Return a moment to come: `17:12`, `07:40 tomorrow` or `07:40 on Monday 9 June`."""
    if local_date(at) == local_date(now) + timedelta(days=1):
        return f"{clock_time(at)} tomorrow"
    return when(at, now=now)


def wait(length: timedelta) -> str:
    """Return `3 h 30 min`, `45 min`, `8 h` or `less than a minute`; whole minutes, cut."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    said = [f"{hours} h"] if hours else []
    return " ".join([*said, f"{rest} min"] if rest else said)


def spoken_phone(phone: str) -> str:
    """Return a British number as people write it, `07700 900224`; any other as it is."""
    if not phone.startswith("+44"):
        return phone
    digits = "0" + phone[3:]
    return f"{digits[:5]} {digits[5:]}" if len(digits) == 11 else digits


def phone_as_dialled(said: str) -> str | None:
    """Return a phone number in E.164 as a person in Britain may have typed it, or None if it is none."""
    kept = "".join(letter for letter in said if letter not in " -.()\u00a0\t")
    if kept.startswith("00"):
        kept = "+" + kept[2:]
    elif kept.startswith("0"):
        kept = "+44" + kept[1:]
    kept = kept.replace("+440", "+44", 1)
    digits = kept[1:]
    fits = kept.startswith("+") and digits.isascii() and digits.isdecimal() and 7 <= len(digits) <= 15
    return kept if fits and digits[0] != "0" else None

"""What does a text say?

Every text is in GSM-7 and at most two segments long, whatever people are called; a third segment is one more that
can get lost, and one odd letter would more than double the length.  Names, never "she" or "the resident".
Times are Europe/London's, without seconds.
"""

import enum
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.alert import plainly
from alerts.telling.escalation import Why
from gateway.reading import Quantity

# Two joined segments.  Source: 3GPP TS 23.040, section 9.2.3.24.1: 153 septets each.
SEPTETS_MAX: Final = 306

# 3GPP TS 23.038 version 17, section 6.2.1: the default alphabet; the extension costs two septets a letter.
_ALPHABET: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("^{}\\[~]|€\f")

# Letters that do not come apart into one of the alphabet and a mark.
_INSTEAD: Final = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-",
        "\u2013": "-", "\u2014": "-", "\u2026": "...", "`": "'",
        "\u00b4": "'", "\u0142": "l", "\u0141": "L", "\u0111": "d",
        "\u0110": "D", "\u00f0": "d", "\u00d0": "D", "\u00fe": "th", "\u00de": "Th", "\u0131": "i", "\u0153": "oe",
        "\u0152": "OE", "\u0127": "h", "\u0126": "H",
    }
)  # fmt: skip

_LOCAL: Final = ZoneInfo("Europe/London")

# From this on an alarm says when it was pressed and when it reached us.  Ours: a hub sends an alarm again every
# 2 to 10 s, so a minute is no longer the usual way.
_LATE: Final = timedelta(minutes=1)

_TIMES_MAX: Final = 999

# Room for what people write, in septets; together with the longest sentences it fits (tested).
_WHO_MAX: Final = 28
_PERSON_MAX: Final = 20
_PLACE_MAX: Final = 34
_ROOM_MAX: Final = 16
_RULE_MAX: Final = 30
_WHAT_MAX: Final = 70
_BRIEF_MAX: Final = 20
_UNUSUAL: Final = "That is unusual here."


@dataclass(frozen=True, slots=True)
class About:
    """What every request to go speaks of.

    Attributes:
        who: the resident, as carers say it.
        code: what this phone writes in front of its answer.
        place: where to go, or empty for those who know.
        what: what the alert is about, in a few words: more than one may be open in a home.
    """

    who: str
    code: int
    place: str = ""
    what: str = ""


class Tried(enum.Enum):
    """What became of one person, for those who are told that nobody was reached."""

    NO_ANSWER = "no answer"
    NOT_REACHED = "text failed"
    LET_GO = "cannot go"


def septets(text: str) -> int:
    """Return the length of a text in GSM-7.

    Raises:
        ValueError: it holds a letter that is not in the alphabet.
    """
    strangers = set(text) - _ALPHABET - _EXTENSION
    if strangers:
        raise ValueError(f"not in GSM-7: {sorted(strangers)}")
    return len(text) + sum(letter in _EXTENSION for letter in text)


def plain(text: str) -> str:
    """Return a text on one line in GSM-7: marks are taken off letters, and what cannot be said is left out."""
    letters = []
    for letter in text.translate(_INSTEAD):
        if letter in _ALPHABET or letter in _EXTENSION:
            letters.append(letter)
        else:
            apart = unicodedata.normalize("NFKD", letter).translate(_INSTEAD)
            letters.append(" " if letter.isspace() else "".join(part for part in apart if part in _ALPHABET))
    return " ".join("".join(letters).split())


def cut(text: str, septets_max: int) -> str:
    """Return as much of a text, made plain, as fits, without half a word at its end where that can be helped."""
    whole = plain(text)
    if septets(whole) <= septets_max:
        return whole
    kept = whole
    while septets(kept) > septets_max:
        kept = kept[:-1]
    words, _, rest = kept.rpartition(" ")
    return (words if words and len(rest) < len(kept) // 2 else kept).rstrip(" ,-")


def clock(at: datetime, *, now: datetime) -> str:
    """Return a moment as people here say it: "02:10", with the day if it is not today's.

    In the hour that comes twice in October it says which of the two.
    """
    local = at.astimezone(_LOCAL)
    said = f"{local:%H:%M}"
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        said += f" {local:%Z}"
    if local.date() != now.astimezone(_LOCAL).date():
        said += f" on {local:%a} {local.day} {local:%b}"
    return said


# Requests: somebody should go.  `before` is what told_before or raised_again says, or empty.


def alarm(
    about: About,
    quantity: Quantity,
    *,
    pressed_at: datetime | None,
    reached_at: datetime,
    now: datetime,
    before: str = "",
    first_at: datetime | None = None,
    times: int = 1,
) -> str:
    """Return the text of an alarm; one that reached us late says so, and several that did say how many.

    Args:
        about: whose, and the code.
        quantity: which kind of alarm.
        pressed_at: None when the hub's clock was wrong, so that nobody knows.
        reached_at: when it reached us.
        now: when the text is due.
        before: why this person is told now.
        first_at: when the first of several was pressed that reached us together; None: it is one.
        times: how many these are.
    """
    what = _ALARMS.get(quantity, _UNKNOWN_ALARM).format(who=_who(about))
    often = "" if first_at is None else f"{min(times, _TIMES_MAX)} times "
    if pressed_at is None:
        when = f"{often}at an unknown time. It reached us {clock(reached_at, now=now)}"
    elif first_at is not None:
        begun, ended = clock(first_at, now=now), clock(pressed_at, now=now)
        when = f"{often}from {begun} to {ended}. It reached us only {clock(reached_at, now=now)}"
    elif reached_at - pressed_at >= _LATE:
        when = f"{clock(pressed_at, now=now)}. It reached us only {clock(reached_at, now=now)}"
    else:
        when = clock(pressed_at, now=now)
    return _request(f"{what}, {when}.", about, before)


def alarm_unreadable(about: About, *, reached_at: datetime, now: datetime, before: str = "") -> str:
    """Return the text of an alarm that we could not read."""
    what = f"An alarm came from {_possessive(_who(about))} home, {clock(reached_at, now=now)}, but we cannot read it."
    return _request(what, about, before)


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A part of a stillness in which a movement could not have been seen, or not in all of the home.

    Attributes:
        lasts: how long in all.
        since: where nothing of the home could be seen, all in one: when that began.
        until: and when it was over (excluded).
    """

    lasts: timedelta
    since: datetime | None = None
    until: datetime | None = None


def still(
    about: About,
    *,
    since: datetime,
    room: str = "",
    unwatched: Unwatched | None = None,
    now: datetime,
    before: str = "",
) -> str:
    """Return the text of a stillness that is too long by the rule set by hand."""
    return _request(_not_seen(about, since, room, unwatched, now=now), about, before)


def unseen(
    about: About, *, since: datetime, seen_at: datetime | None, room: str = "", now: datetime, before: str = ""
) -> str:
    """Return the text of a home that cannot be seen, so that nobody could tell whether the resident is still."""
    place = f" in the {cut(room, _ROOM_MAX)}" if room else ""
    last = f" Last seen{place} at {clock(seen_at, now=now)}." if seen_at is not None else ""
    what = f"We cannot see {_possessive(_who(about))} home since {clock(since, now=now)}.{last} Please look."
    return _request(what, about, before)


def still_unusual(
    about: About,
    *,
    since: datetime,
    room: str = "",
    unwatched: Unwatched | None = None,
    now: datetime,
    before: str = "",
) -> str:
    """Return the text of a stillness that is longer than usual in this home at this time."""
    said = _request(f"{_not_seen(about, since, room, unwatched, now=now)} {_UNUSUAL}", about, before)
    if septets(said) <= SEPTETS_MAX:
        return said
    # With the longest of names, dates and numbers everywhere the room is what stands on the page as well.
    return _request(f"{_not_seen(about, since, '', unwatched, now=now)} {_UNUSUAL}", about, before)


def out(about: About, *, since: datetime, door: str, now: datetime, before: str = "") -> str:
    """Return the text of somebody who went out and was not seen since; also of a stillness that begins so."""
    by = cut(door, _ROOM_MAX) or "outer door"
    what = f"{_who(about)} left by the {by} at {clock(since, now=now)} and has not been seen since."
    return _request(what, about, before)


def night_up(
    about: About,
    *,
    since: datetime,
    up_for: timedelta,
    usual: timedelta | None,
    is_bed: bool,
    now: datetime,
    before: str = "",
) -> str:
    """Return the text of somebody who is up in the night for longer than usual.

    Args:
        about: whose, and the code.
        since: when it began.
        up_for: how long in all.
        usual: how long most nights here; None while nobody knows.
        is_bed: it is the bed that says so.
        now: when the text is due.
        before: why this person is told now.
    """
    start = clock(since, now=now)
    doing = f"out of bed since {start}" if is_bed else f"up and about since {start}, {_minutes(up_for)} in all"
    here = "What is usual here is not known yet." if usual is None else f"Usual here: up to {_minutes(usual)}."
    return _request(f"{_who(about)} is {doing}. {here}", about, before)


def door_open(about: About, *, since: datetime, door: str, now: datetime, before: str = "") -> str:
    """Return the text of an outer door that stands open."""
    name = cut(door, _ROOM_MAX) or "outer door"
    what = f"{_possessive(_who(about))} {name} has been open since {clock(since, now=now)}."
    return _request(what, about, before)


def rule(about: About, name: str, *, since: datetime, room: str, is_open: bool, now: datetime, before: str = "") -> str:
    """Return the text of a rule that was set by hand."""
    begun = clock(since, now=now)
    what = f"{cut(room, _ROOM_MAX) or 'a door'} open since {begun}" if is_open else f"no movement since {begun}"
    return _request(f'Rule "{cut(name, _RULE_MAX)}" in {_possessive(_who(about))} home: {what}.', about, before)


def too_cold(about: About, *, since: datetime, room: str, said_c: float, now: datetime, before: str = "") -> str:
    """Return the text of a room that is too cold."""
    return _request(_temperature(about, "COLD", since, room, said_c, now=now), about, before)


def too_hot(about: About, *, since: datetime, room: str, said_c: float, now: datetime, before: str = "") -> str:
    """Return the text of a room that is too hot."""
    return _request(_temperature(about, "HOT", since, room, said_c, now=now), about, before)


def sensor_silent(about: About, *, since: datetime, sensor: str, now: datetime, before: str = "") -> str:
    """Return the text to the operator of a sensor that stopped reporting."""
    name = cut(sensor, _PLACE_MAX)
    what = f"In {_possessive(_who(about))} home the {name} sensor has been silent since {clock(since, now=now)}."
    return _request(what, about, before)


def sensor_stuck(about: About, *, since: datetime, sensor: str, is_gauge: bool, now: datetime, before: str = "") -> str:
    """Return the text to the operator of a sensor that reports and notices nothing; `is_gauge`: always the same."""
    name = cut(sensor, _PLACE_MAX)
    what = "says the same" if is_gauge else "notices nothing"
    said = f"In {_possessive(_who(about))} home the {name} sensor reports, but {what} since {clock(since, now=now)}."
    return _request(said, about, before)


def battery_low(
    about: About, *, since: datetime, sensor: str, said_pct: float | None, now: datetime, before: str = ""
) -> str:
    """Return the text to the operator of a battery that must be changed."""
    name = cut(sensor, _PLACE_MAX)
    how_full = "" if said_pct is None else f" ({said_pct:.0f}%)"
    what = (
        f"In {_possessive(_who(about))} home the battery of the {name} sensor is low{how_full}, "
        f"since {clock(since, now=now)}."
    )
    return _request(what, about, before)


def hub_silent(about: About, *, since: datetime, now: datetime, before: str = "") -> str:
    """Return the text of a box that stopped reporting, which means that an alarm may not reach us either."""
    what = (
        f"The box in {_possessive(_who(about))} home has been silent since {clock(since, now=now)}. "
        "We cannot see the home, and the pendant may not work."
    )
    return _request(what, about, before)


def outage(
    about: About, area: str, homes: int, *, since: datetime, now: datetime, before: str = "", is_ours: bool = False
) -> str:
    """Return the text to the operator of many boxes that fell silent together; `area` says where: `in district LS6`."""
    cause = "is our own line down" if is_ours else "an outage of power or network there"
    what = (
        f"{homes} homes {cut(area, _PLACE_MAX)} fell silent together since {clock(since, now=now)}: "
        f"{cause}? We cannot see them. All are on your list."
    )
    return _request(what, about, before)


def readings_lost(about: About, *, since: datetime, now: datetime, before: str = "") -> str:
    """Return the text to the operator of readings that no longer exist anywhere."""
    what = f"The box in {_possessive(_who(about))} home has lost readings from {clock(since, now=now)} on."
    return _request(what, about, before)


_TROUBLES: Final = {
    "radio": "it cannot hear its sensors",
    "wrong clock": "its clock is wrong",
    "old card": "an old card was put in",
    "two outboxes": "two boxes use its name",
    "disk full": "its disk is full",
    "disk unwritable": "its disk is broken",
    "outbox lost": "its book was damaged",
}


def hub_trouble(about: About, what: str, *, now: datetime, since: datetime, before: str = "") -> str:
    """Return the text to the operator of a box that says what is wrong with it."""
    words = _TROUBLES.get(what, what)
    said = f"The box in {_possessive(_who(about))} home says since {clock(since, now=now)}: {cut(words, _WHAT_MAX)}."
    return _request(said, about, before)


def of_a_newer_release(
    about: About, question: str, *, since: datetime, what: str, now: datetime, before: str = ""
) -> str:
    """Return the text of a question that this release does not know, in the words that its alert carries."""
    more = f" ({cut(what, _RULE_MAX)})" if what else ""
    asked = cut(plainly(question), _RULE_MAX) or "something unknown"
    return _request(f"{_who(about)}: {asked}{more} since {clock(since, now=now)}, please look.", about, before)


def told_before(person: str, why: Why, *, at: datetime, now: datetime) -> str:
    """Return the sentence about the one who was told before, for the one who is told now."""
    name = _person(person)
    return {
        Why.FIRST: "",
        Why.NO_ANSWER: f"{name}, told {clock(at, now=now)}, has not answered.",
        Why.NOT_REACHED: f"The text to {name} did not arrive.",
        Why.LET_GO: f"{name} cannot go or could not find out.",
    }[why]


def raised_again(outcome: str, by: str, *, at: datetime, now: datetime) -> str:
    """Return the sentence about an alert that was closed while its cause still held."""
    return f"Again: {_person(by)} closed it {clock(at, now=now)} ({cut(outcome, _RULE_MAX)})."


# How it stands: nobody is asked to go.


def mine_said(who: str, by: str, *, at: datetime, now: datetime, what: str = "", also: Sequence[str] = ()) -> str:
    """Return what those told before are told when somebody has said "mine".

    Args:
        who: the resident.
        by: who said it.
        at: when.
        now: when the text is due.
        what: the alert is about, in a few words.
        also: what other alerts of the home, which nobody has said "mine" to, are about.
    """
    said = f"{_person(by)} said MINE for {_whom(who, what)}, {clock(at, now=now)}."
    if also:
        return f"{said} You need not go for that. STILL OPEN, and nobody has it: {_listed(also)}."
    return f"{said} You need not go. We text you how it ends."


def help_coming(who: str, by: str, *, at: datetime, now: datetime) -> str:
    """Return what the one who asked for help is told when somebody has said "mine"."""
    return f"{_person(by)} is coming to help with {cut_who(who)}: said MINE {clock(at, now=now)}. In danger ring 999."


def remind(about: About, *, since: datetime, now: datetime) -> str:
    """Return what the one who said "mine" is asked when nothing was heard since."""
    c = about.code
    return (
        f"How is {_which(about)}? Yours since {clock(since, now=now)}. Reply {c} WELL, {c} HELPED or {c} FALSE when "
        f"you know, {c} MINE if you need more time, {c} HELP, or {c} NO if you cannot find out. "
        "Without an answer we ask the next person."
    )


def ended(
    who: str, outcome: str, by: str, *, at: datetime, now: datetime, what: str = "", also: Sequence[str] = ()
) -> str:
    """Return what those told are told when it is over; or when that is, and something else of the home is not.

    Args:
        who: the resident.
        outcome: how it ended.
        by: who says so.
        at: when.
        now: when the text is due.
        what: the alert was about, in a few words.
        also: what the other open alerts of the home are about.
    """
    said = f"{_whom(who, what)}: {outcome}, says {_person(by)}, {clock(at, now=now)}."
    if also:
        return f"{said} That is over. STILL OPEN there: {_listed(also)}."
    return f"{said} It is over, nobody else needs to go."


def mended(who: str, *, at: datetime, now: datetime, what: str = "the box reports again") -> str:
    """Return what those told of a fault are told when it has mended itself."""
    return f"{cut_who(who)}: {cut(what, _WHAT_MAX)} since {clock(at, now=now)}. Nobody needs to go for that."


def help_asked(about: About, by: str, *, at: datetime, now: datetime) -> str:
    """Return what everybody on the rota is told when the one who went needs help."""
    return (
        f"{_person(by)} asks for help with {_who(about)}{_at_place(about)}, {clock(at, now=now)}. "
        f"Reply {about.code} MINE if you are going too. In danger ring 999."
    )


def nobody_reached(about: About, tried: Sequence[tuple[str, Tried]], *, since: datetime, now: datetime) -> str:
    """Return what the operator is told when nobody is left; who does not fit is counted."""
    what = f": {cut(about.what, _BRIEF_MAX)}," if about.what else ""
    start = f"NOBODY HAS ANSWERED for {_who(about)}{_at_place(about)}{what} since {clock(since, now=now)}."
    end = f"Please act now. Reply {about.code} MINE when you do."
    said: list[str] = []
    for number, (person, became) in enumerate(tried):
        rest = len(tried) - number - 1
        more = f" and {rest} more" if rest else ""
        longer = [*said, f"{_person(person)}: {became.value}"]
        if septets(f"{start} {', '.join(longer)}{more}. {end}") > SEPTETS_MAX:
            return f"{start} {', '.join(said)} and {len(tried) - number} more. {end}"
        said = longer
    middle = f" {', '.join(said)}." if said else " Nobody is on the rota."
    return f"{start}{middle} {end}"


def restored(shows: datetime, *, alerts: int, texts: int, decide_by: datetime, now: datetime) -> str:
    """Return what the operator is told when the database was put back to an older moment."""
    waiting = f"{alerts} open alerts and {texts} texts wait for you"
    return (
        f"TELECARE WAS RESTORED as of {clock(shows, now=now)}. {waiting} on the page Restored: "
        f"look who still needs someone. What is not decided by {clock(decide_by, now=now)} is told again as ever."
    )


def log_in(url: str, *, until: datetime, now: datetime) -> str:
    """Return the text with a one-time link.  It names nobody.

    Raises:
        ValueError: the link is too long for two segments, or not in GSM-7: the public address must be shorter.
    """
    said = f"Your link, once and until {clock(until, now=now)}: {url} If you did not ask for it, ignore this text."
    if septets(said) > SEPTETS_MAX:
        raise ValueError("the link is too long for a text")
    return said


# Answers to what a phone said.


def yours(about: About, *, at: datetime, now: datetime) -> str:
    """Return the answer to "mine"."""
    c = about.code
    return (
        f"{_which(about)} is yours since {clock(at, now=now)}{_at_place(about)}. When you know, reply {c} WELL, "
        f"{c} HELPED or {c} FALSE; {c} HELP if you need help; {c} NO if you cannot find out. In danger ring 999."
    )


def taken_already(who: str, by: str, *, at: datetime, now: datetime, what: str = "") -> str:
    """Return the answer to "mine" when somebody else has said it; with what it is about, of that alone."""
    end = "You need not go for that." if what else "You need not go."
    return f"{_person(by)} said MINE for {_whom(who, what)} before you, {clock(at, now=now)}. {end}"


def over_already(about: About, outcome: str, by: str, *, at: datetime, now: datetime) -> str:
    """Return the answer to anything but a call for help about an alert that is closed."""
    return (
        f"That is over: {_which(about)}, {cut(outcome, _RULE_MAX)}, says {_person(by)}, {clock(at, now=now)}. "
        f"Nothing was changed. If help is needed after all, reply {about.code} HELP."
    )


def outcome_noted(about: About, outcome: str) -> str:
    """Return the answer to the one who said how it ended."""
    return (
        f"Thank you. {_which(about)}: {outcome}. We tell the others. "
        f"If that is wrong and help is needed, reply {about.code} HELP."
    )


def passed_on(who: str, to: str | None) -> str:
    """Return the answer to "no": who is told next, or that nobody is left."""
    if to is None:
        return f"Thank you for saying. Nobody else is left for {cut_who(who)}; the operator is told so."
    return f"Thank you for saying. {_person(to)} is told now for {cut_who(who)}."


def help_called(who: str, *, code: int | None = None) -> str:
    """Return the answer to "help", with the new code where what it was about was over."""
    said = f"We text everybody on the rota of {cut_who(who)} that you need help. In danger ring 999 now."
    return said if code is None else f"{said} Its number is {code} from now on."


def which_one(open_now: Sequence[About]) -> str:
    """Return the answer to a word without a code when more than one alert is open for that phone."""
    said = "Which one? Put the number first."
    for about in open_now:
        longer = f"{said} {about.code} is {_which(about)}."
        if septets(longer) > SEPTETS_MAX:
            break
        said = longer
    return said


def same_code(code: int, meant: Sequence[About]) -> str:
    """Return the answer to a number that stands for more than one alert of this phone: nothing is guessed."""
    named = " or ".join(dict.fromkeys(_which(about) for about in meant))
    said = f"{code} is the number of several alerts: {named}. Nothing was noted. Please answer on the page, or ring."
    return (
        said
        if septets(said) <= SEPTETS_MAX
        else f"{code} is the number of several alerts. Nothing was noted. Please answer on the page, or ring."
    )


def wrong_code(code: int, open_now: Sequence[About]) -> str:
    """Return the answer to a number that is none of this phone's: which are."""
    said = f"{code} is no number of yours."
    for about in open_now:
        longer = f"{said} {about.code} is {_which(about)}."
        if septets(f"{longer} {_PUT_FIRST}") > SEPTETS_MAX:
            break
        said = longer
    return f"{said} {_PUT_FIRST}"


_PUT_FIRST: Final = "Put that in front, such as 1 MINE. In danger ring 999."


def not_understood(code: int | None) -> str:
    """Return the answer to what was not understood.

    Args:
        code: of the alert that is open for that phone; None when none is.
    """
    if code is None:
        return (
            "We did not understand that, and nothing is open for you now. If someone is in danger, ring 999. "
            "A number and a word, such as 1 MINE, answers an alert."
        )
    c = code
    return (
        f"We did not understand that. Reply {c} MINE if you are going, {c} NO if you cannot, {c} WELL if all is well, "
        f"{c} HELP if more help is needed, {c} FALSE for a false alarm. In danger ring 999."
    )


# The national gas emergency line is 0800 111 999; electrical switches near a phone are for it to speak of.
_ALARMS: Final = {
    Quantity.PENDANT_ALARM: "{who} pressed the pendant",
    Quantity.PULL_CORD_ALARM: "{who} pulled the cord",
    Quantity.FALL_ALARM: "{who}: the fall detector called",
    Quantity.SMOKE_ALARM: "SMOKE alarm, {who}. Ring 999 first. It went off",
    Quantity.CO_ALARM: "CARBON MONOXIDE alarm, {who}. Ring 999 first. It went off",
    Quantity.GAS_ALARM: "GAS alarm, {who}. Ring 0800 111 999 first. It went off",
    Quantity.WATER_ALARM: "{who}: water alarm",
}
_UNKNOWN_ALARM: Final = "{who}: an alarm of an unknown kind"


# The confidence question.

_SERVICE_MAX: Final = 24
_FIRST_NAME_MAX: Final = 20


def confidence_asked(service: str, question: str, first_name: str, *, is_reminder: bool) -> str:
    """Return the question how confident somebody feels; what follows from a 1 or 2 is said before it is answered.

    Args:
        service: as it signs its texts.
        question: with `{first_name}` where the resident's goes.
        first_name: of the resident.
        is_reminder: whether it was asked before.
    """
    again = "A reminder, the only one. " if is_reminder else ""
    return (
        f"{cut(service, _SERVICE_MAX)}: {again}"
        f"{question.format(first_name=cut(first_name, _FIRST_NAME_MAX))} "
        "Reply 5 completely, 4 very, 3 somewhat, 2 a little, 1 not at all, ? can't say. "
        "After a 1 or 2 one person rings you."
    )


def confidence_noted(answer: int | None, who: str) -> str:
    """Return the answer to somebody who said how confident they feel; None: they cannot say."""
    about = cut_who(who)
    if answer is None:
        return f"Thank you. We have noted that you cannot say, about {about}. It is counted with the others."
    if answer <= 2:
        return (
            f"Thank you for saying so. {answer} of 5 about {about}. "
            "One person will ring you to ask what would help. If someone is in danger now, ring 999."
        )
    return f"Thank you. {answer} of 5 about {about}. It is counted with the others' answers; staff do not see yours."


def confidence_known(answer: int | None) -> str:
    """Return the answer to somebody who answered this question before."""
    said = "that you cannot say" if answer is None else f"{answer} of 5"
    return f"Your answer was noted before: {said}. You can say more on your page. If someone is in danger, ring 999."


def confidence_how() -> str:
    """Return what is said to a text that nobody understood while the question waits for an answer."""
    return (
        "We did not understand that. To answer how confident you feel, reply with one number from 5 (completely) to "
        "1 (not at all), or ? if you cannot say. If someone is in danger, ring 999."
    )


def cut_who(who: str) -> str:
    """Return a resident's name as a text has room for it."""
    return cut(who, _WHO_MAX) or "someone"


def _who(about: About) -> str:
    return cut_who(about.who)


def _whom(who: str, what: str) -> str:
    """Return whose alert it is, and behind it in a few words which."""
    brief = cut(what, _BRIEF_MAX)
    return f"{cut_who(who)} ({brief})" if brief else cut_who(who)


def _which(about: About) -> str:
    return _whom(about.who, about.what)


def _listed(briefs: Sequence[str]) -> str:
    """Return the first two of what is open besides, and how many more there are."""
    said = ", ".join(cut(one, _BRIEF_MAX) or "another alert" for one in briefs[:2])
    return f"{said} and {len(briefs) - 2} more" if len(briefs) > 2 else said


def _person(person: str) -> str:
    return cut(person, _PERSON_MAX) or "a carer"


def _possessive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _at_place(about: About) -> str:
    place = cut(about.place, _PLACE_MAX)
    return f", {place}" if place else ""


def _minutes(lasted: timedelta) -> str:
    whole = lasted // timedelta(minutes=1)
    return f"{whole} min" if whole < 120 else f"{whole // 60} h {whole % 60:02} min"


def _temperature(about: About, how: str, since: datetime, room: str, said_c: float, *, now: datetime) -> str:
    where = cut(room, _ROOM_MAX)
    at = f", {where}" if where else ""
    return (
        f"It is too {how} in {_possessive(_who(about))} home{at}: {said_c:.0f} degrees, since {clock(since, now=now)}."
    )


def _not_seen(about: About, since: datetime, room: str, unwatched: Unwatched | None, *, now: datetime) -> str:
    last = cut(room, _ROOM_MAX)
    said = (
        f"{_who(about)} has not been seen to move since {clock(since, now=now)}{f', last in: {last}' if last else ''}."
    )
    return said if unwatched is None else f"{said} {_not_watched(unwatched, now=now)}"


def _not_watched(unwatched: Unwatched, *, now: datetime) -> str:
    """Return for how much of a stillness nobody could tell: what was not seen is no stillness."""
    if unwatched.since is None or unwatched.until is None:
        return f"For {_minutes(unwatched.lasts)} of it we could not see all."
    begun, ended = clock(unwatched.since, now=now), clock(unwatched.until, now=now)
    return f"We could not see from {begun} to {ended}."


def _request(what: str, about: About, before: str) -> str:
    """Return what happened, where, why you, and what you can answer; in the order in which it must be read."""
    c = about.code
    place = cut(about.place, _PLACE_MAX)
    answers = f"Reply {c} MINE if you are going, {c} WELL if all is well, {c} HELP, {c} NO if you cannot."
    start = f"{what} {place}." if place else what
    whole = f"{start} {before} {answers}"
    # With the longest of names everywhere there is no room for who was told before; half of it would mislead.
    return whole if before and septets(whole) <= SEPTETS_MAX else f"{start} {answers}"

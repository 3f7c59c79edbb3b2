"""What did somebody write into a field, and what is wrong with it?  One sentence each, for a page or a command line."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeVar

import phonenumbers

from alerts.telling import rota
from api import times
from api.signing_in.reach import is_mailbox
from gateway.wire import is_sensor_id

T = TypeVar("T")

KINDS: Final = (
    *("motion", "contact", "pendant", "pull-cord", "climate", "bed", "chair", "plug", "smoke", "water", "button"),
)
"""What a sensor is, for people; what it measures is told by its messages."""

RADIO_LISTS: Final[Mapping[str, frozenset[str]]] = {
    "pendants": frozenset({"pendant"}),
    "pull_cords": frozenset({"pull-cord"}),
    "seats": frozenset({"bed", "chair"}),
    # A plug that is written down is of what somebody switches on by hand; a fridge's is none of ours.
    "appliances": frozenset({"plug"}),
}
"""In which list of a hub's table `radio` a sensor stands, by its kind: what its messages do not tell."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# Letters and signs that a page cannot show, or a database does not keep.
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field.

    Attributes:
        field: its name, as the form has it; empty: with all of them together.
        said: one sentence without a full stop.
    """

    field: str
    said: str

    def __str__(self) -> str:
        return f"{self.field}: {self.said}" if self.field else self.said


class Mistakes(Exception):
    """What was written cannot be taken; whoever wrote it must mend what each sentence says.  Nothing was changed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))

    def at(self) -> dict[str, str]:
        """Return the sentence for each field."""
        return {one.field: one.said for one in reversed(self.mistakes)}


class Form:
    """Fields as they were written, read one after the other; what is wrong is collected."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._mistakes: list[Mistake] = []

    def said(self, field: str) -> str:
        return _UNSEEN.sub(" ", self._fields.get(field, "")).strip()

    def take(self, field: str, parse: Callable[[str], T]) -> T | None:
        """Return what a field says; None where it is wrong or empty, which is then a mistake."""
        if not self.said(field):
            self.wrong(field, "is needed")
            return None
        return self.may_take(field, parse)

    def may_take(self, field: str, parse: Callable[[str], T]) -> T | None:
        """Return what a field says; None where it is empty, or wrong, which is then a mistake."""
        if not (said := self.said(field)):
            return None
        try:
            return parse(said)
        except ValueError as why:
            self.wrong(field, str(why))
            return None

    def wrong(self, field: str, said: str) -> None:
        """Note a mistake."""
        self._mistakes.append(Mistake(field, said))

    def require_right(self) -> None:
        """Go on only if nothing was wrong.

        Raises:
            Mistakes: something was.
        """
        if self._mistakes:
            raise Mistakes(self._mistakes)


def words(said: str) -> str:
    """Return a name or a sentence, up to 200 letters."""
    if len(said) > 200:
        raise ValueError(f"has {len(said)} letters; 200 are the most")
    return said


def key(said: str) -> str:
    """Return a short name that stands in addresses."""
    if _KEY.fullmatch(said) is None:
        raise ValueError(f"{said!r} is not lower case letters, digits and hyphens, at most 32")
    return said


def e164(said: str) -> str:
    """Return a phone number as +447700900123; one without a country is taken for British.

    Raises:
        ValueError: nobody can be reached under it.
    """
    try:
        # Ofcom's numbers for drama (07700 900xxx) are possible but never valid, and demos need them.
        number = phonenumbers.parse(said, "GB")
        # One that works only within a town is none: a text cannot be sent to it.
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            raise ValueError(f"{said!r} is not a phone number")
        found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        # Zeros in front make a number that is another one each time it is read.
        if phonenumbers.parse(found) != number:
            raise ValueError(f"{said!r} is not a phone number")
    except phonenumbers.NumberParseException as why:
        raise ValueError(f"{said!r} is not a phone number") from why
    return found


def email(said: str) -> str:
    """Return an e-mail address; whether anybody reads it is another question."""
    if not is_mailbox(said):
        raise ValueError(f"{said!r} is not an e-mail address")
    return said


def wall_time(said: str) -> time:
    """Return a time of day such as 07:00.

    Raises:
        ValueError: it is not one.
    """
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", said) is None:
        raise ValueError(f"{said!r} is not a time of day such as 07:00")
    return time.fromisoformat(said)


def day(said: str) -> date:
    """Return a day such as 2026-06-30."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", said) is None:
        raise ValueError(f"{said!r} is not a day such as 2026-06-30")
    try:
        return date.fromisoformat(said)
    except ValueError as why:
        raise ValueError(f"{said!r} is not a day of the calendar") from why


def end_of(said: str) -> datetime:
    """Return the moment at which a day has ended in London.

    Raises:
        ValueError: it is no day, or the last of all.
    """
    try:
        return times.midnight(day(said) + timedelta(days=1))
    except OverflowError as why:
        raise ValueError(f"{said!r} is too far ahead") from why


def moment(said: str) -> datetime:
    """Return the moment of a day and time on clocks in London, such as 2026-06-14T18:00; with an offset, exactly it."""
    on, _, at = said.replace(" ", "T").partition("T")
    try:
        if (exact := datetime.fromisoformat(said)).tzinfo is not None:
            return exact.astimezone(UTC)
        return rota.moment_of(datetime.combine(day(on), wall_time(at)))
    except (ValueError, OverflowError) as why:
        raise ValueError(f"{said!r} is not a day and time such as 2026-06-14 18:00") from why


def weekdays(said: str) -> frozenset[int]:
    """Return the days of `mon-fri`, `sat,sun` or `every day`, 0 is Monday."""
    found: set[int] = set()
    for part in said.lower().replace("every day", "mon-sun").split(","):
        first, _, last = (name.strip()[:3] for name in part.partition("-"))
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError(f"{said!r} is not days such as mon-fri, or sat,sun")
        begins, ends = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= {number % 7 for number in range(begins, ends + 1 + (7 if ends < begins else 0))}
    return frozenset(found)


def place(said: str) -> int:
    """Return a place on a rota: 1 is told first."""
    if re.fullmatch(r"[1-9]", said) is None:
        raise ValueError(f"{said!r} is not a place from 1, told first, to 9")
    return int(said)


def sensor(said: str) -> str:
    """Return a sensor's name as its hub calls it."""
    if not is_sensor_id(said):
        raise ValueError(f"{said!r} is no sensor's name: letters, digits and -_.:, at most 64")
    return said


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """Return a reader of one of some words."""
    known = tuple(options)

    def read(said: str) -> str:
        if said not in known:
            raise ValueError(f"{said!r} is none of {', '.join(known)}")
        return said

    return read


def some_of(options: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of several of some words, with commas between them; each once, in the order of the options."""
    known = tuple(options)
    read_one = one_of(known)

    def read(said: str) -> tuple[str, ...]:
        given = {read_one(part.strip()) for part in said.split(",") if part.strip()}
        return tuple(option for option in known if option in given)

    return read


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a reader of values with commas or lines between them; each once, in the order in which they stand."""

    def read(said: str) -> tuple[T, ...]:
        return tuple(dict.fromkeys(parse(part.strip()) for part in re.split(r"[,\n]", said) if part.strip()))

    return read

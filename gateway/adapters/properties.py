"""What may a device expose, and how does one of its values become a number?"""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.reading import Quantity

_MEASURE_MAX = 1e12
"""Beyond this no device measures anything."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property, as a device exposes it, or as it may be guessed from a value that came unannounced.

    Attributes:
        name: what it is, without an endpoint.
        key: under which it stands in a message.
        type: binary, enum, numeric, text, composite, list ...
        unit: of a number; None where the device names none.
        is_published: whether the device says it by itself.
        is_settable: whether it may be set from outside.
        category: `config` or `diagnostic`, or empty.
        on: what a binary says for yes.
        off: what it says for no.
        values: of an enum.
        is_guessed: nobody announced it.
    """

    name: str
    key: str
    type: str
    unit: str | None = None
    is_published: bool = True
    is_settable: bool = False
    category: str = ""
    on: object = True
    off: object = False
    values: tuple[object, ...] = ()
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What a device as a whole is, as far as a property's meaning depends on it.

    Attributes:
        words: of its description, lower case.
        is_seat: it lies under or in a bed or a chair.
        has_battery: it runs on one.
    """

    words: frozenset[str] = frozenset()
    is_seat: bool = False
    has_battery: bool = False


class Reads(Protocol):
    """How a value becomes a number."""

    def value(self, said: object) -> float | None:
        """Return the value in its quantity's unit, or None where nothing is said."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in some unit: `factor` times it, plus `offset`."""

    factor: float = 1.0
    offset: float = 0.0

    def value(self, said: object) -> float | None:
        # The bound is also false for NaN, and keeps an integer of 400 digits from becoming a float.
        if isinstance(said, bool) or not isinstance(said, int | float) or not abs(said) < _MEASURE_MAX:
            return None
        return float(said) if (self.factor, self.offset) == (1.0, 0.0) else round(said * self.factor + self.offset, 6)


@dataclass(frozen=True, slots=True)
class Truth:
    """A yes or a no, told by these values; what is neither says nothing."""

    yes: tuple[object, ...]
    no: tuple[object, ...]

    def value(self, said: object) -> float | None:
        for number, told in ((1.0, self.yes), (0.0, self.no)):
            if any(_is_same(said, one) for one in told):
                return number
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """A call for help or a life-safety device's: whatever is not plainly quiet is one."""

    is_announced: bool = True

    def value(self, said: object) -> float | None:
        if said is None:
            return None
        if isinstance(said, str):
            return float(not is_quiet(said))
        if isinstance(said, int | float) and said in (0, 1):
            return float(said)
        # A number that nobody announced may be a level: of gas, of smoke, of a meter.
        return 1.0 if self.is_announced else None


@dataclass(frozen=True, slots=True)
class Use:
    """What a property is to us."""

    quantity: Quantity
    reads: Reads


@dataclass(frozen=True, slots=True)
class Unused:
    """Why a property is of no use here, in words for whoever installs the device.

    Attributes:
        why: a clause.
        is_expected: whether nobody would look for it here: a setting is none of our business.
    """

    why: str
    is_expected: bool = False


def set_of(words: str) -> frozenset[str]:
    """Return the words of a line as a set."""
    return frozenset(words.split())


_QUIET: Final = set_of(
    "none no off false normal ok clear cleared idle dry safe cancel canceled cancelled standby stop stopped unknown"
    " detecting checking silent undetected inactive 0"
) | {""}


def is_quiet(said: str) -> bool:
    """Return whether a word says plainly that nothing is the matter: `normal`, `no_alarm`, `water_leakage_no`."""
    word = said.strip().casefold().replace(" ", "_").replace("-", "_")
    return word in _QUIET or word.startswith(("no_", "not_")) or word.endswith(("_no", "_none", "_clear"))


def _is_same(said: object, told: object) -> bool:
    if isinstance(said, str) and isinstance(told, str):
        return said.strip().casefold() == told.casefold()
    if isinstance(said, int | float) and isinstance(told, int | float):
        return said == told
    return False


def words_of(text: str) -> frozenset[str]:
    """Return the words of a description or a name, lower case, digits apart."""
    return frozenset(re.findall(r"co2|[^\W\d_]+|\d+", text.casefold()))

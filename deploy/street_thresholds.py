"""Which thresholds and hand-set rules does a setup file give, for all homes, a group or one?

The names and the way of writing are those of the operator's pages and of `telecare backtest` (`alerts.judging.words`).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from alerts.judging import numbers, policy, words
from alerts.judging.numbers import Numbers


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not one value of one threshold.

    Attributes:
        waking: both ends of the waking hours.
        rules: each in a line as `words.EXAMPLE`.
    """

    waking: tuple[str, str] | None = None
    rules: tuple[str, ...] = ()


def _kind(name: str) -> Any:  # noqa: ANN401 - a type, as msgspec takes it
    own = getattr(policy.DEFAULT, name)
    return bool if isinstance(own, bool) else int | float if isinstance(own, float) else str


if TYPE_CHECKING:

    class Thresholds(_Written, frozen=True):
        """The numbers that homes are judged by; those left out are a wider scope's, or the product's own."""

else:
    # A field for each number of a policy, so that none can be set on a page and not in a file.
    Thresholds = msgspec.defstruct(
        "Thresholds",
        [(name, _kind(name) | None, None) for name in words.names()],
        bases=(_Written,),
        frozen=True,
        forbid_unknown_fields=True,
        module=__name__,
    )

NONE = Thresholds()
"""What a file gives that says nothing of thresholds."""


def numbers_of(said: Thresholds) -> Numbers:
    """Return what a file gives, as a version has it.

    Raises:
        ValueError: one of them is not written as it must be, or they do not go together.
    """
    return numbers.checked(words.numbers(_texts(said), said.rules))


def mistakes(said: Thresholds, rooms: frozenset[str] = frozenset()) -> Iterator[str]:
    """Return everything that is wrong with what a file gives, one sentence each.

    Args:
        said: what it gives.
        rooms: of the home that it is about, in small letters; none where they are not known.
    """
    found = list(_mistakes_one_by_one(said, rooms))
    yield from found
    if not found:
        yield from _refusal(numbers_of, said)


def _mistakes_one_by_one(said: Thresholds, rooms: frozenset[str]) -> Iterator[str]:
    for name, text in _texts(said).items():
        yield from _refusal(words.number, name, text)
    for number, line in enumerate(said.rules):
        wrong = list(_refusal(words.rule, line))
        # Of a room that the home does not have it would wait for ever.
        unknown = [] if wrong or not rooms else [one for one in words.rule(line).rooms if one.casefold() not in rooms]
        yield from (f"rules[{number}]: {one}" for one in [*wrong, *(f"there is no room {room!r}" for room in unknown)])
    if said.waking is not None and said.waking[0] == said.waking[1]:
        yield "waking begins and ends at the same time"


def _texts(said: Thresholds) -> dict[str, str]:
    """Return each threshold that is given as an operator would write it."""
    written = {name: value for name in words.names() if (value := getattr(said, name)) is not None}
    if said.waking is not None:
        written |= zip(("waking_from", "waking_until"), said.waking, strict=True)
    return {name: _text(value) for name, value in written.items()}


def _text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _refusal(read: Callable[..., object], *written: object) -> Iterator[str]:
    try:
        read(*written)
    except ValueError as why:
        yield str(why)

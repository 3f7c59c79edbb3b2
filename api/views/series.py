"""How is a series of published quarters drawn and listed?  From what was published alone, so it says nothing more.

Drawn 343 units wide, so that one unit is one pixel on a phone: a line for each quarter from one end of the interval to
the other, with a square at the share where that was published exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 336.0, 10.0, 150.0
_SQUARE: Final = 7.0
# Wider than this apart, few quarters look like many.
_STEP_MAX: Final = 60.0
# Labels nearer to each other than this overlap.
_LABEL_ROOM: Final = 40.0
QUARTERS_MAX: Final = 24
"""Of the newest so many; ours: six years, and one column of a phone's width each."""


@dataclass(frozen=True, slots=True)
class Line:
    """One published quarter, as the table below the drawing has it.

    Attributes:
        quarter: or quarters, where some were put together.
        confident: how many answered 4 or 5, in words; None: withheld.
        interval: in words; None: withheld.
    """

    quarter: str
    address: str
    asked: int
    answered: int
    confident: str | None
    interval: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """One audience's answers to one version of its question.

    Attributes:
        audience, version: which.
        grid: height and label of each horizontal line.
        ranges: the path of all intervals.
        squares: left upper corners of the exact shares.
        labels: middle, word and whether there is room for it, under each column.
        lines: the oldest first.
        said: all of it in a sentence.
    """

    audience: str
    version: int
    height: float
    grid: tuple[tuple[float, str], ...]
    ranges: str
    squares: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    said: str


def series_of(published: Sequence[Mapping[str, Any]], audiences: Mapping[str, str]) -> list[Series]:
    """Return every series of which a quarter was published with five answers or more.

    Args:
        published: the newest edition of each quarter, as its JSON, the oldest first.
        audiences: in the order in which they are shown, with what they are called.
    """
    found: dict[tuple[int, int], list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    order = list(audiences)
    for edition in published[-QUARTERS_MAX:]:
        # An audience that only a newer release asks stands in its edition alone.
        for one in (one for one in edition["series"] if one["audience"] in audiences):
            key = (order.index(one["audience"]), -int(one["question"]["version"]))
            found.setdefault(key, []).append((edition, one))
    return [
        _series(order[number], -version, audiences[order[number]], ones)
        for (number, version), ones in sorted(found.items(), key=lambda item: item[0])
        if any(one["interval_95"] for _, one in ones)
    ]


def _series(
    audience: str, version: int, called: str, ones: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> Series:
    step = min((_RIGHT - _LEFT) / len(ones), _STEP_MAX)
    every = max(1, -(-int(_LABEL_ROOM) // max(int(step), 1)))
    ranges, squares, labels = "", [], []
    for number, (edition, one) in enumerate(ones):
        x = round(_LEFT + step * (number + 0.5), 1)
        if (len(ones) - 1 - number) % every == 0:
            labels.append((x, _short(edition["quarter"])))
        if one["interval_95"] is None:
            continue
        low, high = (_y(end) for end in one["interval_95"])
        ranges += f"M{x} {low}V{high}M{round(x - 4, 1)} {low}h8M{round(x - 4, 1)} {high}h8"
        if one["confident_share"] is not None:
            squares.append((round(x - _SQUARE / 2, 1), round(_y(one["confident_share"]) - _SQUARE / 2, 1)))
    lines = tuple(_line(edition, one) for edition, one in ones)
    return Series(
        audience=audience,
        version=version,
        height=_BOTTOM + 20,
        grid=tuple((_y(share / 100), f"{share}%") for share in (0, 25, 50, 75, 100)),
        ranges=ranges,
        squares=tuple(squares),
        labels=tuple(labels),
        lines=lines,
        said=f"{called}: the share that is very or completely confident in each published quarter, with its 95% "
        f"interval, {lines[0].quarter} to {lines[-1].quarter}. The same is in the table below.",
    )


def _y(share: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)


def _short(quarter: str) -> str:
    return f"{quarter[5:]} {quarter[2:4]}"


def _line(edition: Mapping[str, Any], one: Mapping[str, Any]) -> Line:
    least, most = one["confident_least"], one["confident_most"]
    said = None if least is None else f"{least}" if least == most else f"{least} to {most}"
    interval = one["interval_95"]
    return Line(
        quarter=one["until"] if one["since"] == one["until"] else f"{one['since']} to {one['until']}",
        address=f"/ledger/{edition['quarter']}/{edition['edition']}",
        asked=one["asked"],
        answered=one["answered"],
        confident=said,
        interval=None if interval is None else f"{interval[0] * 100:.0f}% to {interval[1] * 100:.0f}%",
    )

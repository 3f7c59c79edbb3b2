"""How is a day, a month or a wait drawn?  Geometry alone: templates put it into SVG, style sheets colour it.

Drawn 343 units wide, so that one unit is one pixel on a phone.  Tall is up and about, short is bedroom or bathroom,
stripes are what we could not see.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final, Literal

from alerts.judging.minutes import Span
from alerts.judging.watched import Watched
from api import activity, times
from api.activity import Day, Row, Unseen
from ingest.readings import Slot

WIDTH: Final = 343.0
Anchor = Literal["start", "middle", "end"]
Style = Literal["t-soft", "t-b", "t-name"]
XOfMoment = Callable[[datetime], float]

# The strip of the day: names to the left, a row every 22 units.
_DAY_LEFT, _DAY_RIGHT, _DAY_TOP, _DAY_STEP = 76.0, 336.0, 17.0, 22.0
# A day without a sign of life has no rows, and its stripes still need room for words.
_DAY_ROWS_MIN: Final = 3
# The month: dates to the left, a day every 11 units.
_MONTH_LEFT, _MONTH_RIGHT, _MONTH_TOP, _MONTH_STEP = 52.0, 336.0, 18.0, 11.0
# Narrower than this a mark is lost on a phone.
_MARK_WIDTH_MIN: Final = 1.8

_NIGHT_FROM, _NIGHT_UNTIL = time(22), time(6)
_LABELS: Final = {0: "midnight", 6: "06:00", 12: "noon", 18: "18:00"}
# Labels nearer to each other than this overlap.
_LABEL_ROOM: Final = 34.0
# Stripes over as many days have at least one whole row between them.
_MONTH_SIGN_ROWS: Final = 3
# A box with words fits into stripes of at least this width.
_WORDS_ROOM: Final = 60.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Word:
    """Words at a place."""

    x: float
    y: float
    anchor: Anchor
    said: str
    style: Style = "t-soft"


@dataclass(frozen=True, slots=True)
class Shape:
    """A path, and the style class that colours it."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything in one drawing, back to front."""

    height: float
    nights: tuple[Box, ...]
    lines: str
    unseen: tuple[Box, ...]
    shapes: tuple[Shape, ...]
    marks: tuple[Shape, ...]
    signs: tuple[Box, ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """How much of a wait is over: from the last sign of life to the moment at which somebody is texted."""

    now_x: float


def of_day(
    rows: Sequence[Row],
    unseen: Iterable[Unseen],
    *,
    now: datetime,
    mark: tuple[datetime, str] | None = None,
) -> Picture:
    """Return the strip of the last 24 hours.

    Args:
        rows: of rooms and doors; may be none.
        unseen: when we could not see, drawn striped over all rows.
        now: the right end.
        mark: a moment to point at, and what it is.
    """
    since = now - timedelta(days=1)
    bottom = _DAY_TOP + _DAY_STEP * max(len(rows), _DAY_ROWS_MIN) + 3

    def x(at: datetime) -> float:
        part = (at - since) / (now - since)
        return round(_DAY_LEFT + (_DAY_RIGHT - _DAY_LEFT) * min(max(part, 0.0), 1.0), 1)

    ticks = [(x(at), _LABELS[times.clock_hour(at)]) for at in _quarters(since, now)]
    striped = [Box(x(gap.since), _DAY_TOP, round(x(gap.until) - x(gap.since), 1), bottom - _DAY_TOP) for gap in unseen]
    striped = [box for box in striped if box.width > 0]
    base_lines = "".join(f"M{_DAY_LEFT} {_DAY_TOP + 20 + _DAY_STEP * row}H{_DAY_RIGHT}" for row in range(len(rows)))
    words = [
        Word(0, _DAY_TOP + 16 + _DAY_STEP * number, "start", _cut(row.label), "t-name")
        for number, row in enumerate(rows)
    ]
    words += [Word(at, bottom + 14, "middle", said) for at, said in ticks if at < _DAY_RIGHT - 2 * _LABEL_ROOM]
    words.append(Word(WIDTH - 1, bottom + 14, "end", times.clock_time(now), style="t-b"))
    signs = [_sign(box, words) for box in striped if box.width >= _WORDS_ROOM]
    return Picture(
        bottom + 19,
        tuple(Box(x(a), _DAY_TOP, round(x(b) - x(a), 1), bottom - _DAY_TOP) for a, b in _nights(since, now)),
        "".join(f"M{at} {_DAY_TOP}V{bottom + 3}" for at, _ in ticks) + base_lines,
        tuple(striped),
        tuple(
            Shape(row.kind, _bars(row.begins, activity.DAY_SLOT, x, _DAY_TOP + 4 + _DAY_STEP * number, 15))
            for number, row in enumerate(rows)
        ),
        (_day_mark(mark, x, bottom, words),) if mark else (),
        tuple(signs),
        tuple(words),
    )


def of_month(days: Sequence[Day], unseen: Iterable[Unseen], *, now: datetime) -> Picture:
    """Return the last days, one row each, midnight to midnight by the clock on the wall.

    Args:
        days: oldest first, today last.
        unseen: when we could not see, drawn striped.
        now: ends today's row.
    """
    bottom = _MONTH_TOP + _MONTH_STEP * len(days)
    tall = "".join(_month_bars(day, row, is_tall=True) for row, day in enumerate(days))
    short = "".join(_month_bars(day, row, is_tall=False) for row, day in enumerate(days))
    hours = [(_month_x(time(hour)), said) for hour, said in _LABELS.items()]
    words = [Word(at, 11, "middle", said) for at, said in hours]
    gaps = [_month_gap(gap, days) for gap in unseen]
    striped = [box for boxes in gaps for box in boxes]
    signs = [_month_sign(boxes, words) for boxes in gaps if len(boxes) >= _MONTH_SIGN_ROWS]
    mondays = [row for row, day in enumerate(days) if day.on.weekday() == 0]
    for row, day in enumerate(days):
        is_today = row == len(days) - 1
        if is_today or row == 0 or (row in mondays and row > 1 and row < len(days) - 2):
            said = "Today" if is_today else f"{day.on.day} {day.on:%b}"
            words.append(
                Word(0, _MONTH_TOP + 9.5 + _MONTH_STEP * row, "start", said, style="t-b" if is_today else "t-soft")
            )
    today_y = bottom - _MONTH_STEP
    now_x = _month_x(now.astimezone(times.LONDON).time())
    return Picture(
        bottom + 6,
        (
            Box(_MONTH_LEFT, _MONTH_TOP, _month_x(_NIGHT_UNTIL) - _MONTH_LEFT, bottom - _MONTH_TOP),
            Box(_month_x(_NIGHT_FROM), _MONTH_TOP, _MONTH_RIGHT - _month_x(_NIGHT_FROM), bottom - _MONTH_TOP),
        ),
        "".join(f"M{at} {_MONTH_TOP - 2}V{bottom}" for at in [*(at for at, _ in hours), _MONTH_RIGHT])
        + "".join(f"M0 {_MONTH_TOP + _MONTH_STEP * row}H{_MONTH_RIGHT}" for row in mondays),
        tuple(striped),
        (
            Shape("r", short),
            Shape("m", tall),
            Shape("dr", "".join(_month_out(day, row) for row, day in enumerate(days))),
        ),
        (Shape("mk", f"M{now_x} {today_y - 1}v{_MONTH_STEP + 2}"),),
        tuple(signs),
        tuple(words),
    )


def of_watch(spans: Sequence[Span], *, since: datetime, now: datetime) -> Picture:
    """Return a strip of some weeks: tall while a home was watched, short in part, stripes where it could not be seen.

    Args:
        spans: as they are known now, in order, each with an end.
        since: the left end.
        now: the right end.
    """
    bottom = _DAY_TOP + _DAY_STEP

    def x(at: datetime) -> float:
        return round(1 + (WIDTH - 2) * min(max((at - since) / (now - since), 0.0), 1.0), 1)

    def bars(state: Watched, top: float, height: float) -> str:
        return "".join(
            f"M{x(one.since)} {top}h{max(round(x(one.until or now) - x(one.since), 1), _MARK_WIDTH_MIN)}v{height}H"
            f"{x(one.since)}z"
            for one in spans
            if one.state is state and (one.until or now) > since
        )

    blind = [one for one in spans if one.state is Watched.BLIND and (one.until or now) > since]
    striped = [
        Box(
            x(one.since),
            _DAY_TOP,
            max(round(x(one.until or now) - x(one.since), 1), _MARK_WIDTH_MIN),
            bottom - _DAY_TOP,
        )
        for one in blind
    ]
    days = [times.midnight(times.local_date(now) - timedelta(days=7 * weeks)) for weeks in range(1, 5)]
    ticks = [(x(at), f"{times.local_date(at).day} {times.local_date(at):%b}") for at in days if at > since]
    return Picture(
        bottom + 19,
        (),
        "".join(f"M{at} {_DAY_TOP}V{bottom + 3}" for at, _ in ticks),
        tuple(striped),
        (
            Shape("m", bars(Watched.WATCHED, _DAY_TOP + 4, bottom - _DAY_TOP - 8)),
            Shape("r", bars(Watched.DEGRADED, bottom - 9, 5)),
        ),
        (),
        (),
        tuple(
            [Word(at, bottom + 14, "middle", said) for at, said in ticks if at > _LABEL_ROOM / 2]
            + [Word(WIDTH - 1, bottom + 14, "end", "now", style="t-b")]
        ),
    )


def of_wait(since: datetime, until: datetime, *, now: datetime) -> Wait:
    """Return how far along a wait we are; the ends keep clear of the round ends of the bar."""
    part = (now - since) / (until - since) if until > since else 1.0
    return Wait(round(4 + 330 * min(max(part, 0.0), 1.0), 1))


def _bars(begins: Sequence[datetime], slot: timedelta, x: XOfMoment, top: float, height: float) -> str:
    """Return a path with a bar for each run of slots that follow on each other."""
    path = ""
    for first, last in _runs(begins, slot):
        left, right = x(first), x(last + slot)
        path += f"M{left} {top}h{max(round(right - left, 1), _MARK_WIDTH_MIN)}v{height}H{left}z"
    return path


def _runs(begins: Sequence[datetime], slot: timedelta) -> list[tuple[datetime, datetime]]:
    """Return the first and last slot of each run; `begins` is in order and without doubles."""
    if not begins:
        return []
    breaks = [(a, b) for a, b in pairwise(begins) if b - a > slot]
    return list(zip([begins[0], *(b for _, b in breaks)], [*(a for a, _ in breaks), begins[-1]], strict=True))


def _month_bars(day: Day, row: int, *, is_tall: bool) -> str:
    """Return the bars of one day: a slot with movement in a room for the day is tall, one with rest alone short."""
    up = {slot.begins for slot in day.slots if _is_up(slot)}
    chosen = up if is_tall else {slot.begins for slot in day.slots} - up
    top = _MONTH_TOP + _MONTH_STEP * row + (1 if is_tall else 6)
    return _bars(sorted(chosen), activity.MONTH_SLOT, _x_on(day), top, 9 if is_tall else 4)


def _month_out(day: Day, row: int) -> str:
    """Return a thin line for each time that somebody was probably out; one over midnight ends with its day."""
    x, top = _x_on(day), _MONTH_TOP + _MONTH_STEP * row + 5
    lines = ""
    for one in day.outings:
        left, right = x(one.since), x(one.until)
        lines += f"M{left} {top}h{max(round(right - left, 1), _MARK_WIDTH_MIN)}v1.8H{left}z"
    return lines


def _is_up(slot: Slot) -> bool:
    return not slot.is_door and not activity.is_for_rest(slot.room)


def _x_on(day: Day) -> XOfMoment:
    """Return where a moment lies in a day's row, by the clock on the wall; the day's end is the right edge."""
    ends = times.midnight(day.on + timedelta(days=1))

    def x(at: datetime) -> float:
        return _MONTH_RIGHT if at >= ends else _month_x(at.astimezone(times.LONDON).time())

    return x


def _month_x(at: time) -> float:
    return round(_MONTH_LEFT + (_MONTH_RIGHT - _MONTH_LEFT) * (at.hour * 60 + at.minute) / 1440, 1)


def _month_gap(gap: Unseen, days: Sequence[Day]) -> list[Box]:
    """Return a striped box for each day that a gap touches."""
    made = []
    for row, day in enumerate(days):
        begins, ends = times.midnight(day.on), times.midnight(day.on + timedelta(days=1))
        since, until = max(gap.since, begins), min(gap.until, ends)
        if until <= since:
            continue
        x = _x_on(day)
        left, right = x(since), x(until)
        if right > left:
            made.append(Box(left, _MONTH_TOP + _MONTH_STEP * row, round(right - left, 1), _MONTH_STEP))
    return made


def _month_sign(boxes: Sequence[Box], words: list[Word]) -> Box:
    """Return a box for words in the middle row of stripes over several days, and put the words there."""
    row = boxes[len(boxes) // 2]
    middle = round(row.x + row.width / 2, 1)
    sign = Box(round(middle - 54, 1), round(row.y + row.height / 2 - 8.5, 1), 108, 17)
    words.append(Word(middle, round(sign.y + 12.5, 1), "middle", "We could not see", style="t-b"))
    return sign


def _day_mark(mark: tuple[datetime, str], x: XOfMoment, bottom: float, words: list[Word]) -> Shape:
    at, said = x(mark[0]), mark[1]
    words.append(Word(at, 12, "end" if at > WIDTH / 2 else "start", said, style="t-b"))
    return Shape("mk", f"M{at} {_DAY_TOP}V{bottom + 3}")


def _sign(box: Box, words: list[Word]) -> Box:
    """Return a box for words in the middle of stripes, and put the words there."""
    middle = box.x + box.width / 2
    sign = Box(round(middle - 28, 1), round(box.y + box.height / 2 - 17, 1), 56, 34)
    words.append(Word(round(middle, 1), sign.y + 14, "middle", "We could", style="t-b"))
    words.append(Word(round(middle, 1), sign.y + 28, "middle", "not see", style="t-b"))
    return sign


def _quarters(since: datetime, until: datetime) -> list[datetime]:
    """Return each 00:00, 06:00, 12:00 and 18:00 in London within a time."""
    day = times.local_date(since)
    made = []
    while day <= times.local_date(until):
        made += [datetime.combine(day, time(hour), times.LONDON) for hour in _LABELS]
        day += timedelta(days=1)
    return [at for at in made if since < at < until]


def _nights(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Return the nights within a time, cut at its ends."""
    day = times.local_date(since) - timedelta(days=1)
    made = []
    while day <= times.local_date(until):
        begins = datetime.combine(day, _NIGHT_FROM, times.LONDON)
        ends = datetime.combine(day + timedelta(days=1), _NIGHT_UNTIL, times.LONDON)
        if max(begins, since) < min(ends, until):
            made.append((max(begins, since), min(ends, until)))
        day += timedelta(days=1)
    return made


def _cut(label: str) -> str:
    return label if len(label) <= 11 else f"{label[:10]}…"

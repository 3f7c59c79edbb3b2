"""What does the ledger say of a closed quarter, as facts, as JSON and as CSV?

The facts are made once; the page and both files are made of them alone, so that all three withhold the same.
An asking belongs to the quarter in which its fortnight to answer ends: to one quarter, known when it is asked,
whatever is answered; so the quarters share nobody's answer, and nothing follows from subtracting one from another.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from api import confidence, times
from api.confidence import Asked, Headline

FORMAT: Final = 2

AUDIENCES: Final = {"family": "Families", "unpaid carer": "Unpaid carers", "paid carer": "Paid carers"}
"""Each a series of its own; they are never added up."""

ORIGINS: Final = ("scheduled", "volunteered", "after an alert", "by phone")
"""How an answer came about; they are kept apart, and only the first makes the headline."""

LENGTH, UNSEEN, FALSE_ALARMS, TO_MINE, GROUP = "length", "unseen", "false alarms", "to mine", "group"

TABLES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    LENGTH: ("By length of service", ("Under 3 months", "3 to 12 months", "Over a year")),
    UNSEEN: ("Time we could not see, in the 28 days before asking", ("None", "Under 1 hour", "1 hour or more")),
    FALSE_ALARMS: ("False alarms, in the 28 days before asking", ("None", "One or more")),
    TO_MINE: (
        "Longest from alert to “mine”, in the 28 days before asking",
        ("No alert", "Within 5 minutes", "Over 5 minutes"),
    ),
}
"""What stands beside confidence, never as its cause.  By group is added where homes are in groups."""

SMALL: Final = 100
"""With fewer answers the page says to put quarters together: at 80 % the interval is 71 to 87 for 100 answers."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """Three months, by their first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Quarter":
        return cls(date(day.year, (day.month - 1) // 3 * 3 + 1, 1))

    @classmethod
    def read(cls, said: str) -> "Quarter | None":
        """Return the quarter that is written like 2026-Q2, or None."""
        year, _, number = said.partition("-Q")
        if len(said) != 7 or not (year.isascii() and year.isdecimal()) or number not in {"1", "2", "3", "4"}:
            return None
        return cls(date(int(year), int(number) * 3 - 2, 1)) if int(year) >= 2000 else None

    @property
    def after(self) -> "Quarter":
        return Quarter.of(self.first + timedelta(days=100))

    @property
    def before(self) -> "Quarter":
        return Quarter.of(self.first - timedelta(days=1))

    @property
    def since(self) -> datetime:
        return times.midnight(self.first)

    @property
    def until(self) -> datetime:
        return times.midnight(self.after.first)

    def __str__(self) -> str:
        return f"{self.first.year}-Q{self.first.month // 3 + 1}"

    @property
    def in_words(self) -> str:
        last = self.after.first - timedelta(days=1)
        return f"{self.first:%B} to {last:%B} {last.year}"


@dataclass(frozen=True, slots=True)
class Question:
    """A version of the question of one audience."""

    version: int
    audience: str
    wording: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everybody who was asked one version of a question in a stretch of quarters.

    Attributes:
        since, baseline_since: the first quarter in it; earlier than the one that is published where those had too few.
        scheduled: all rounds but the first, one entry for each asking.
        baseline: the first round, asked when the service began.
        rung: those of the quarter alone who had not answered and were rung, with what they said on the phone.
        volunteered, after_an_alert: how many answers came unasked, and after an alert, in the quarter alone.
        put_off: how many questions waited for the end of an alert and were asked after it, in the quarter alone.
    """

    question: Question
    since: Quarter
    baseline_since: Quarter
    scheduled: Sequence[Asked]
    baseline: Sequence[Asked]
    rung: Sequence[Asked]
    volunteered: int
    after_an_alert: int
    put_off: int


@dataclass(frozen=True, slots=True)
class Edition:
    """Which publication this is.

    Attributes:
        why: what was corrected; empty for the first.
    """

    service: str
    quarter: Quarter
    edition: int
    made_at: datetime
    why: str


def facts(edition: Edition, cohorts: Sequence[Cohort], earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return all that is published of a quarter, in what JSON can say.

    Args:
        edition: which.
        cohorts: one for each version of each question that was asked.
        earlier: what was published of the quarters before, the newest edition of each, in order.
    """
    return {
        "format": FORMAT,
        "service": edition.service,
        "quarter": str(edition.quarter),
        "in_words": edition.quarter.in_words,
        "edition": edition.edition,
        "correction": edition.why or None,
        "made_at": times.iso(edition.made_at),
        "series": [_series(cohort, edition.quarter, earlier) for cohort in cohorts],
    }


def _series(cohort: Cohort, quarter: Quarter, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    homes = confidence.one_a_home(cohort.scheduled)
    head = confidence.headline(homes)
    cells = confidence.distribution(homes)
    labels = cohort.question.labels
    return {
        "audience": cohort.question.audience,
        "question": {
            "version": cohort.question.version,
            "wording": cohort.question.wording.replace("{first_name}", "[first name]"),
            "labels": list(labels),
        },
        "since": str(cohort.since),
        "until": str(quarter),
        **_headline(head),
        "distribution": None
        if cells is None
        else [
            {"answers": list(answers), "said": " or ".join(_label(one, labels) for one in answers), "homes": homes_}
            for answers, homes_ in cells
        ],
        "tables": _tables(homes),
        "baseline": {
            "since": str(cohort.baseline_since),
            **_headline(confidence.headline(confidence.one_a_home(cohort.baseline))),
        },
        "by_phone": _by_phone(confidence.headline(confidence.one_a_home(cohort.rung))),
        "apart": {
            "volunteered": confidence.few_or_number(cohort.volunteered),
            "after_an_alert": confidence.few_or_number(cohort.after_an_alert),
            "put_off": confidence.few_or_number(cohort.put_off),
        },
        "over_time": _over_time(cohort.question, earlier),
    }


def _label(answer: int, labels: Sequence[str]) -> str:
    return "Can\u2019t say" if answer == confidence.CANNOT_SAY else labels[answer - 1]


def _headline(head: Headline) -> dict[str, Any]:
    """Return the figure; where it is not exact, what it would be if those who did not answer were all or none."""
    missing = head.asked - head.answered
    all_or_none = None
    if head.is_exact and head.least is not None:
        all_or_none = [_share(head.least, head.asked), _share(head.least + missing, head.asked)]
    return {
        "asked": head.asked,
        "answered": head.answered,
        "response_rate": _share(head.answered, head.asked),
        "confident_least": head.least,
        "confident_most": head.most,
        "confident_share": _share(head.least, head.answered) if head.is_exact and head.least is not None else None,
        "interval_95": _rounded(head.interval),
        "if_none_or_all_of_the_others": all_or_none,
    }


def _by_phone(head: Headline) -> dict[str, Any]:
    """Return what those said who were rung: never part of the headline; counts of few are withheld."""
    return {
        "rung": confidence.few_or_number(head.asked),
        "answered": confidence.few_or_number(head.answered),
        "confident_least": head.least,
        "confident_most": head.most,
        "interval_95": _rounded(head.interval),
    }


def _share(part: int, of: int) -> float | None:
    return round(part / of, 4) if of else None


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 4) for end in interval]


def _tables(homes: Sequence[Asked]) -> list[dict[str, Any]]:
    tables = dict(TABLES)
    groups = sorted({one.groups[GROUP] for one in homes} - {""})
    if groups:
        tables[GROUP] = ("By group", (*groups, ""))
    return [
        {
            "name": name,
            "title": title,
            "rows": [
                {
                    "row": row.name or "In no group",
                    "asked": row.asked,
                    "answered": row.answered,
                    "response_rate": None
                    if row.asked is None or row.answered is None
                    else _share(row.answered, row.asked),
                    "confident": row.confident,
                    "confident_share": None
                    if row.confident is None or row.answered is None
                    else _share(row.confident, row.answered),
                    "interval_95": _rounded(row.interval),
                }
                for row in confidence.table(homes, name, rows)
            ],
        }
        for name, (title, rows) in tables.items()
    ]


def _over_time(question: Question, earlier: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of this series as they were published before; another wording is another series."""
    names = ("since", "until", "asked", "answered", "confident_least", "confident_most", "interval_95")
    return [
        {name: series[name] for name in names}
        for published in earlier
        for series in published["series"]
        if series["question"]["version"] == question.version and series["answered"] >= confidence.FEW
    ]


def since_of(question: int, part: str, quarter: Quarter, earlier: Sequence[Mapping[str, Any]]) -> Quarter:
    """Return the first quarter whose askings are published with this one's.

    A quarter with fewer than five answers is put together with the next ones until there are five: decided by how
    many answered alone, never by what, so that nothing follows from when it is.

    Args:
        question: its version.
        part: "scheduled" or "baseline", which are put together each for itself.
        quarter: the one to be published.
        earlier: what was published before, in order.
    """
    if not earlier or earlier[-1]["quarter"] != str(quarter.before):
        return quarter
    known = next((one for one in earlier[-1]["series"] if one["question"]["version"] == question), None)
    before = known if known is None or part == "scheduled" else known["baseline"]
    if before is None or before["answered"] >= confidence.FEW:
        return quarter
    return Quarter.read(str(before["since"])) or quarter


def change_of(series: Mapping[str, Any]) -> str | None:
    """Return what the newest figure says beside the one before, in a sentence; None where there is none before."""
    before = series["over_time"][-1] if series["over_time"] else None
    if before is None or before["interval_95"] is None or series["interval_95"] is None:
        return None
    was, now = tuple(before["interval_95"]), tuple(series["interval_95"])
    if confidence.is_clear_change(was, now):
        return "The two intervals do not overlap: this is a clear change."
    return "The intervals overlap: this is not a clear change."


def kinder_than_true(series: Mapping[str, Any]) -> str | None:
    """Return the warning that those who were seen less answered less often, or None where that cannot be said."""
    rows = [row for table in series["tables"] if table["name"] == UNSEEN for row in table["rows"]]
    shown = [row for row in rows if row["asked"] and row["answered"] is not None]
    if len(shown) < 2 or shown[0]["row"] != "None":
        return None
    best, worst = shown[0], shown[-1]
    if confidence.wilson(worst["answered"], worst["asked"])[1] >= best["answered"] / best["asked"]:
        return None
    return (
        f"Where we could not see for {worst['row'].lower()}, fewer answered: {worst['answered']} of {worst['asked']}, "
        f"against {best['answered']} of {best['asked']} where there was no gap."
    )


def moves_few(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether two editions of a quarter side by side would show what fewer than five people answered."""
    old, new = dict(_counts(before)), dict(_counts(after))
    if old.keys() != new.keys():
        return True
    return any(
        (old[name] is None) != (new[name] is None) or 0 < abs((new[name] or 0) - (old[name] or 0)) < confidence.FEW
        for name in old
    )


def _counts(published: Mapping[str, Any]) -> list[tuple[tuple[str, ...], int | None]]:
    return [(line[:5], line[5]) for line in lines(published)]


_Line = tuple[str, str, str, str, str, int | None]
COLUMNS: Final = ("quarter", "edition", "series", "question", "since", "table", "row", "measure", "value")


def lines(published: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return every count as (audience, version, table, row, measure, value); None is withheld."""
    found: list[tuple[Any, ...]] = []
    for series in published["series"]:
        key = (series["audience"], str(series["question"]["version"]))
        for part, of in (("headline", series), ("baseline", series["baseline"])):
            names = ("asked", "answered", "confident_least", "confident_most")
            found += [(*key, part, "all", name, of[name]) for name in names]
        found += [(*key, "by phone", "all", name, series["by_phone"][name]) for name in _BY_PHONE]
        for cell in series["distribution"] or []:
            found.append((*key, "answers", "+".join(map(str, cell["answers"])), "homes", cell["homes"]))
        for table in series["tables"]:
            for row in table["rows"]:
                found += [(*key, table["name"], row["row"], name, row[name]) for name in _MEASURES]
        found += [(*key, "apart", name, "answers", count) for name, count in series["apart"].items()]
    return found


_BY_PHONE: Final = ("rung", "answered", "confident_least", "confident_most")
_MEASURES: Final = ("asked", "answered", "confident")


def to_json(published: Mapping[str, Any]) -> bytes:
    """Return the facts as a file; null is withheld."""
    return (json.dumps(published, ensure_ascii=False, indent=1) + "\n").encode()


def to_csv(published: Mapping[str, Any]) -> bytes:
    """Return every count as a file, one a line; an empty value is withheld, or between least and most."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    since = {str(series["question"]["version"]): series["since"] for series in published["series"]}
    for audience, version, table, row, measure, value in lines(published):
        writer.writerow(
            (
                *(published["quarter"], published["edition"], audience, version, since[version]),
                *(table, row, measure, "withheld" if value is None else value),
            )
        )
    return file.getvalue().encode()

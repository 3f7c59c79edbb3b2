"""How soon would somebody have been told, and how often for nothing?  And what does judging cost?

    python -m tests.bench.bench_judging [TIHM folder]

The judging itself, as it runs live, over the TIHM recordings (CC BY 4.0, Surrey and Borders Partnership NHS Foundation
Trust and Howz; Scientific Data 2023): causal, reading by reading, homes of 26 days or more, after 14 days of learning.
A collapse at each full hour stops all readings; its delay is the time to the moment that the judge shows as the next
alert, 0 if one is open already.  Every stillness on the untouched recording counts as a false alarm, although some of
the absences were real; nights on foot and being out are counted apart.  From 2019-06-15 04:05 to 06-17 14:16 no home
reported: that was the platform, and is left out.  Whatever is found is closed as harmless when the resident is seen
again, so that it is learnt from.

The figures are in tests/bench/README.md.
"""

import csv
import gzip
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from alerts.alert import Question
from alerts.judging.finding import Ended, Finding, Verdict
from alerts.judging.home import dump
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.policy import Policy, to_json
from ingest import entry

_LONDON: Final = ZoneInfo("Europe/London")
_LEARNING: Final = timedelta(days=14)
_DAYS_MIN: Final = 26
_HOUR: Final = timedelta(hours=1)
_OUTAGE: Final = (
    datetime(2019, 6, 15, 4, 5, tzinfo=_LONDON).astimezone(UTC),
    datetime(2019, 6, 17, 14, 16, tzinfo=_LONDON).astimezone(UTC),
)

POLICIES: Final = {
    "both, and nobody is ever out": Policy(is_out_asked=False),
    "plain timer alone, 6 h of waking hours": Policy(learned=False),
    "learned alone": Policy(still_for=timedelta(days=7)),
    "both (the default)": Policy(),
}

Walk = list[tuple[datetime, str]]
"""A home's recording: when, and where."""


@dataclass
class Score:
    """What came of a policy on the homes so far."""

    days: float = 0
    false_alarms: set[tuple[str, datetime]] = field(default_factory=set)
    others: set[tuple[str, datetime]] = field(default_factory=set)
    delays_h: list[float] = field(default_factory=list)
    state_bytes_max: int = 0
    readings: int = 0
    judging_s: float = 0

    def line(self, name: str) -> str:
        delays = sorted(self.delays_h)
        return (
            f"{name:40s} {len(self.false_alarms) / self.days:6.3f} {statistics.fmean(delays):6.2f} mean "
            f"{statistics.median(delays):6.2f} median {delays[len(delays) * 9 // 10]:6.2f} p90   "
            f"nights and absences {len(self.others) / self.days:6.3f}   "
            f"{self.readings / self.judging_s:8.0f} readings/s  state {self.state_bytes_max} bytes at most"
        )


def main() -> int:
    """Print a line for each policy."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else recordings() / "tihm"
    if not (where / "activity.csv.gz").exists():
        sys.stdout.write(
            f"The TIHM recordings are not at {where}; set TELECARE_RECORDINGS to the folder that holds tihm/.\n"
        )
        return 0
    homes = {home: walk for home, walk in read(where).items() if walk[-1][0] - walk[0][0] >= timedelta(days=_DAYS_MIN)}
    for name, policy in POLICIES.items():
        score = Score()
        for home, walk in sorted(homes.items()):
            live_in(home, walk, policy, score)
        sys.stdout.write(score.line(name) + "\n")
        sys.stdout.flush()
    return 0


def recordings() -> Path:
    """Return the folder of the recordings, which need not be there."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("TELECARE_RECORDINGS", beside))


def read(where: Path) -> dict[str, Walk]:
    """Return each home's recording; the times are taken for London's."""
    homes: dict[str, Walk] = {}
    with gzip.open(where / "activity.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["observed_at"]).replace(tzinfo=_LONDON).astimezone(UTC)
            homes.setdefault(row["home"], []).append((at, row["location"]))
    return homes


def live_in(home: str, walk: Walk, policy: Policy, score: Score) -> None:
    """Judge a home's whole recording, and let somebody collapse in it every hour."""
    begins = walk[0][0]
    judge = LaneJudge({}, None)
    judge.apply(Input(1, home, begins, "stretch", {"stretch_s": 300 * 86400.0}))
    judge.apply(Input(2, home, begins, "policy", to_json(policy)))
    judge.apply(Input(3, home, begins, "watched", {"hub": "hub", "since": begins.isoformat()}))
    judge.take(entry.Batch(0, 0, begins, (entry.Heard(home, "hub", 0, 0, radio_up=True),)))
    scored_from = begins + _LEARNING
    score.days += (walk[-1][0] - scored_from) / timedelta(days=1)
    last = begins
    for at, room in walk:
        for hour in full_hours(max(last, scored_from), at):
            due = judge.now_of(home).next_alert_at
            if due is not None and not is_outage(last, at):
                score.delays_h.append(max(0.0, (due - hour) / _HOUR))
        said = entry.Reading(home, "hub", f"pir-{room}", room, _quantity(room), 1.0, at)
        started = time.perf_counter()
        found = judge.take(entry.Batch(0, 0, at, (said,)))
        score.judging_s += time.perf_counter() - started
        score.readings += 1
        if not is_outage(last, at):
            count(home, found, scored_from, score)
        close_as_harmless(judge, home, found, at)
        last = at
    score.state_bytes_max = max(score.state_bytes_max, len(dump(judge.state_of(home))))


def full_hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the full hours in a stretch of time; `until` is excluded."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    hour += _HOUR if hour < since else timedelta(0)
    while hour < until:
        yield hour
        hour += _HOUR


def is_outage(since: datetime, until: datetime) -> bool:
    """Return whether a silence lies in the platform's own."""
    return since < _OUTAGE[1] and until > _OUTAGE[0]


def count(home: str, found: list[Verdict], scored_from: datetime, score: Score) -> None:
    """Count what was found: both questions about one stillness are one false alarm, and others are counted apart."""
    for each in found:
        if isinstance(each, Finding) and each.at >= scored_from:
            is_still = each.question in (Question.STILL, Question.STILL_UNUSUAL)
            (score.false_alarms if is_still else score.others).add((home, each.since))


def close_as_harmless(judge: LaneJudge, home: str, found: list[Verdict], at: datetime) -> None:
    """Do what a carer does who finds that all is well."""
    for each in found:
        if isinstance(each, Ended):
            content = {"question": each.question.value, "episode": each.episode, "outcome": "all well", "by": "bench"}
            judge.apply(Input(0, home, at, "closed", {**content, "at": at.isoformat()}))


def _quantity(room: str) -> str:
    return "open" if room.endswith("-door") else "movement"


if __name__ == "__main__":
    sys.exit(main())

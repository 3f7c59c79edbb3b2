"""How soon is a sensor noticed that reports and sees nothing, and how often is one taken for it that is well?

    nice -n 15 python -m tests.bench.stuck [--times 2]

The question's own detector over the TIHM recordings (see bench_judging), in the order in which things were observed.
It is taken for granted that every sensor checks in each half hour, of which the recordings say nothing.  First what
the detector finds in the recordings as they are: some of these sensors were dead, so findings are told apart by how
long the sensor saw nothing.  Then we stick each sensor every third day, and count the time until it is found.
The figures are in README.md beside this file.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerts.judging.detectors.sensor_stuck import Stuck
from alerts.judging.given import Sensor
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sensed import Place, Sensed
from tests.bench.bench_judging import read, recordings

_HALF_HOUR: Final = timedelta(minutes=30)
_DAY: Final = timedelta(days=1)
_LEARNING: Final = timedelta(days=8)
_EVERY: Final = timedelta(days=3)
_LOOKED_FOR: Final = timedelta(days=14)
_LONG: Final = timedelta(days=3)
_CLASSES: Final = (20.0, 5.0, 1.0, 0.0)


@dataclass(slots=True)
class Score:
    """What was found: of the recordings as they are, and of sensors that we stuck by their uses a day."""

    found: list[tuple[str, str, datetime, datetime, datetime | None]] = field(default_factory=list)
    delays: dict[float, list[timedelta | None]] = field(default_factory=lambda: {each: [] for each in _CLASSES})
    sensor_days: float = 0.0


def main() -> int:
    """Print what was found, and how soon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=float, default=Policy().stuck_times)
    asked = parser.parse_args()
    where = recordings() / "tihm"
    if not (where / "activity.csv.gz").exists():
        _say(f"The TIHM recordings are not at {where}; set TELECARE_RECORDINGS to the folder that holds tihm/.")
        return 0
    score, policy = Score(), Policy(stuck_times=asked.times)
    for number, (home, walk) in enumerate(sorted(read(where).items())):
        _live(home, list(_said(walk)), policy, score, hour=7 * number % 24)
    _print(score)
    return 0


def _said(walk: Sequence[tuple[datetime, str]]) -> Iterator[Sensed]:
    """Yield what a home's sensors say, with a check-in of each at every half hour."""
    sensors = sorted({sensor for _, sensor in walk})
    checks_in = walk[0][0]
    for at, sensor in walk:
        while checks_in <= at:
            yield from (_sensed(checks_in, one, "link_quality") for one in sensors)
            checks_in += _HALF_HOUR
        yield _sensed(at, sensor, "open" if sensor.endswith("-door") else "movement")


def _sensed(at: datetime, sensor: str, quantity: str) -> Sensed:
    is_life = quantity != "link_quality"
    return Sensed(at, at, "hub", sensor, sensor, "", Place.ROOM, quantity, 1.0, is_life=is_life)


def _live(home: str, said: Sequence[Sensed], policy: Policy, score: Score, *, hour: int) -> None:
    sensors = sorted({one.sensor for one in said})
    begins, ends = said[0].at, said[-1].at
    stuck = Stuck()
    kinds = ((sensor, "contact" if sensor.endswith("-door") else "motion") for sensor in sensors)
    stuck.expect([Sensor(sensor, sensor, kind) for sensor, kind in kinds], since=begins)
    score.sensor_days += len(sensors) * ((ends - begins) / _DAY)
    told: dict[str, tuple[datetime, datetime]] = {}
    uses: Counter[str] = Counter()
    next_try = (begins + _LEARNING).replace(hour=hour, minute=0, second=0)
    for place, one in enumerate(said):
        if one.at >= next_try and ends - next_try >= _LOOKED_FOR:
            for sensor in sensors:
                _stick(stuck, sensor, said[place:], policy, score, a_day=uses[sensor] / ((one.at - begins) / _DAY))
            next_try += _EVERY
        stuck.take(one, _ground(policy, one.at))
        uses[one.sensor] += one.is_life
        silent = {each.sensor: each.since for each in stuck.stuck(policy)}
        for sensor in silent.keys() - told.keys():
            told[sensor] = (silent[sensor], one.at)
        for sensor in told.keys() - silent.keys():
            score.found.append((home, sensor, *told.pop(sensor), one.at))
    score.found += [(home, sensor, *since_and_at, None) for sensor, since_and_at in told.items()]


def _stick(stuck: Stuck, sensor: str, then: Sequence[Sensed], policy: Policy, score: Score, *, a_day: float) -> None:
    """Let a sensor notice nothing from now on, in a copy of what is remembered."""
    known = stuck.known[sensor]
    began = then[0].at
    if known.stuck.since is not None or known.usual(began) is None:
        return
    copy = msgspec.json.decode(msgspec.json.encode(stuck), type=Stuck)
    found_after = None
    for one in then:
        if one.at >= began + _LOOKED_FOR:
            break
        if one.sensor == sensor and one.is_life:
            continue
        copy.take(one, _ground(policy, one.at))
        if copy.known[sensor].stuck.since is not None:
            found_after = one.at - began
            break
    score.delays[next(least for least in _CLASSES if a_day >= least)].append(found_after)


def _ground(policy: Policy, as_of: datetime) -> Ground:
    return Ground("home", as_of, policy, timedelta(0), Quiet.STILL)


def _print(score: Score) -> None:
    _say(f"{score.sensor_days:.0f} sensor-days, {len(score.found)} findings:")
    for home, sensor, since, at, until in sorted(score.found):
        lasted = "for good" if until is None else f"for {(until - since) / _DAY:.1f} days"
        _say(f"- {home} {sensor}: nothing since {since:%d %b %H:%M} {lasted}, found after {_h(at - since)}")
    long = sum(until is None or until - since >= _LONG for _, _, since, _, until in score.found)
    _say(f"{long} of them saw nothing for {_LONG.days} days or more; {len(score.found) - long} did\n")
    _say(
        f"| uses a day | stuck by us | found within {_LOOKED_FOR.days} days | median, nine of ten |\n|---|---|---|---|"
    )
    for least, delays in score.delays.items():
        found = sorted(each for each in delays if each is not None)
        if found:
            middle, most = found[len(found) // 2], found[int(0.9 * len(found))]
            share = f"{len(found) / len(delays):.1%}"
            _say(f"| {least:g} or more | {len(delays)} | {share} | {_h(middle)}, {_h(most)} |")


def _h(lasted: timedelta) -> str:
    return f"{lasted / timedelta(hours=1):.1f} h"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

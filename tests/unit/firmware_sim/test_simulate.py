"""Are lived homes the same for the same seed, in the form that is promised, and is their diary true?"""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.happening import LOCAL
from firmware_sim.models import MODELS
from firmware_sim.simulate import KIT, Asked, live, main, simulate
from tests.unit.firmware_sim.test_bridge import real_devices

# The night on which an hour comes twice is in it.
OCTOBER = Asked(homes=6, days=5, seed=7, since=date(2026, 10, 23), has_chance=True, has_messages=False)


def lines_of(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a street lived once for all tests here."""
    folder = tmp_path_factory.mktemp("lived")
    simulate(OCTOBER, folder, jobs=1, progress=None)
    return folder


def test_the_recording_has_the_form_of_the_tihm_homes(lived: Path) -> None:
    """It is played by the same commands as the real ones."""
    with gzip.open(lived / "recording.csv.gz", "rt") as rows:
        read = list(csv.DictReader(rows))

    assert list(read[0]) == ["home", "observed_at", "location"]
    assert {row["home"] for row in read} == {f"sim-{number}" for number in range(1, 7)}
    assert {row["location"] for row in read} == {spec.name for spec in KIT[:8]}
    assert all(len(row["observed_at"]) == 19 for row in read)
    homes = [row["home"] for row in read]
    assert homes == sorted(homes)


def test_wall_time_goes_back_once_on_the_night_that_has_an_hour_twice_and_never_else(lived: Path) -> None:
    """Whoever reads it must meet what a real hub's wall clock shows, and nothing worse."""
    with gzip.open(lived / "recording.csv.gz", "rt") as rows:
        read = [(row["home"], datetime.fromisoformat(row["observed_at"])) for row in csv.DictReader(rows)]

    back = [(earlier, later) for (a, earlier), (b, later) in pairwise(read) if a == b and later < earlier]

    for earlier, later in back:
        assert later.date() == date(2026, 10, 25)
        assert earlier.hour in (1, 2)
        assert later.hour == 1
        assert earlier - later <= timedelta(hours=1)


def test_the_same_seed_is_the_same_life_however_many_processes_live_it(lived: Path, tmp_path: Path) -> None:
    """A bench that cannot be repeated proves nothing."""
    simulate(OCTOBER, tmp_path, jobs=2, progress=None)

    for name in ("recording.csv.gz", "diary.jsonl.gz"):
        assert (tmp_path / name).read_bytes() == (lived / name).read_bytes()


def test_another_seed_is_another_life() -> None:
    """Thirty streets that are one street would agree about everything."""
    asked = Asked(homes=1, days=2, seed=1, since=date(2026, 2, 1), has_chance=False, has_messages=False)
    other = Asked(homes=1, days=2, seed=2, since=date(2026, 2, 1), has_chance=False, has_messages=False)

    assert live(asked, 1) != live(other, 1)
    assert live(asked, 1) == live(asked, 1)


def test_the_diary_says_who_lives_there_and_what_truly_happened(lived: Path) -> None:
    """It is the truth that detectors are measured against."""
    diary = lines_of(lived / "diary.jsonl.gz")

    by_home: dict[str, list[dict[str, Any]]] = {}
    for line in diary:
        by_home.setdefault(line["home"], []).append(line)
    assert len(by_home) == 6
    for lines in by_home.values():
        assert "resident" in lines[0]["lives_here"]
        assert {"rose", "went to bed"} <= {line.get("life") for line in lines}
        moments = [line["at_ms"] for line in lines[1:]]
        assert moments == sorted(moments)


def away(lines: list[dict[str, Any]]) -> Iterator[tuple[datetime, datetime]]:
    """Yield from when until when the resident was out, by the diary."""
    left: datetime | None = None
    for line in lines:
        if line.get("who") != "resident":
            continue
        if line["life"] in ("went out", "went on holiday"):
            left = left or datetime.fromisoformat(line["at"])
        elif line["life"] == "came home" and left is not None:
            yield left, datetime.fromisoformat(line["at"])
            left = None


def test_an_empty_home_is_still_in_the_recording(tmp_path: Path) -> None:
    """The two files are one life: while the only resident is out, nothing was seen."""
    asked = Asked(homes=12, days=6, seed=5, since=date(2026, 6, 1), has_chance=False, has_messages=False)
    simulate(asked, tmp_path, jobs=1, progress=None)
    diary = lines_of(tmp_path / "diary.jsonl.gz")
    with gzip.open(tmp_path / "recording.csv.gz", "rt") as rows:
        seen = [
            (row["home"], datetime.fromisoformat(row["observed_at"]).replace(tzinfo=LOCAL))
            for row in csv.DictReader(rows)
        ]
    alone = [
        line["home"]
        for line in diary
        if "lives_here" in line and not (line["lives_here"]["partner"] or line["lives_here"]["cats"])
    ]
    compared = 0

    for home in alone:
        lines = [line for line in diary if line["home"] == home and "life" in line]
        if any(line["who"] == "visitor" for line in lines):
            continue
        for left, back in away(lines):
            compared += 1
            margin = timedelta(seconds=30)
            assert not [at for name, at in seen if name == home and left + margin < at < back - margin]

    assert compared > 5


@pytest.mark.parametrize("number", [1, 2])
def test_every_message_is_valid_for_what_its_device_exposes(number: int) -> None:
    """An adapter that is driven by exposes is tested on nothing else."""
    asked = Asked(homes=2, days=2, seed=3, since=date(2026, 3, 28), has_chance=True, has_messages=True)
    written, _ = live(asked, number)
    messages = [json.loads(line) for line in gzip.decompress(written.messages).splitlines()]

    devices = next(it["payload"] for it in messages if it["topic"] == "zigbee2mqtt/bridge/devices")
    assert [it["friendly_name"] for it in devices[1:]] == [spec.name for spec in KIT]
    exposes = {it["friendly_name"]: properties(it["definition"]["exposes"]) for it in devices[1:]}
    model_of = {spec.name: spec.model for spec in KIT}
    said = [(it["topic"].removeprefix("zigbee2mqtt/"), it["payload"]) for it in messages]
    heard = set()
    for name, payload in said:
        if name not in exposes:
            continue
        heard.add(name)
        for key, value in payload.items():
            # These Aqara counters are published and not exposed, as the recorded bytes show.
            # And `last_seen` is Zigbee2MQTT's own, of every device alike.
            if key in exposes[name] or key not in {"last_seen", *MODELS[model_of[name]].steady}:
                assert_fits(value, exposes[name][key])
    assert heard == set(exposes)
    assert real_devices()[model_of["bed"]]["definition"]["exposes"] == next(
        it["definition"]["exposes"] for it in devices[1:] if it["friendly_name"] == "bed"
    )


def properties(exposes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    inner = [feature for it in exposes for feature in it.get("features", [])]
    return {it["property"]: it for it in [*exposes, *inner] if "property" in it}


def assert_fits(value: object, exposed: dict[str, Any]) -> None:
    match exposed["type"]:
        case "binary":
            assert value in (exposed["value_on"], exposed["value_off"])
        case "enum":
            assert value in exposed["values"]
        case "numeric":
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
            assert exposed.get("value_min", value) <= value <= exposed.get("value_max", value)
    # A device may only say what it is allowed to publish.
    assert exposed["access"] & 1


@pytest.mark.parametrize("words", [["--homes", "0"], ["--homes", "ten"], ["--homes", "2", "--days", "4000"]])
def test_what_cannot_be_lived_is_refused(words: list[str], tmp_path: Path) -> None:
    """A typing error must not become a day's computing."""
    with pytest.raises(SystemExit) as why:
        main([*words, "--out", str(tmp_path)])

    assert why.value.code == 2
